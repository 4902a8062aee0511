/* Sources: the choice of the format, standard input, arguments. */
#include "tests/index/build/test_source_support.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>
#include <zlib.h>

TestSuite(source, .init = make_dir, .fini = remove_dir);

static void expect_file(const char *name, const char *text, const char *expected)
{
    expect_records(write_text(name, text), usual(), expected);
}

/* A line that each format reads in its own way. */
#define LINE "{\"id\":\"1\",\"text\":\"a\tb\"}"

Test(source, format_by_name)
{
    static const char *const jsonl[] = {"a.jsonl", "a.json",     "a.ndjson",
                                        "a.JSONL", "a.jsonl.gz", "a.ndjson.zst"};
    static const char *const tsv[] = {"a.tsv", "a.tsv.gz", "a.TSV.ZST", "a.jsonl.tsv"};
    static const char *const text[] = {"a.txt", "a.txt.gz"};
    char *got;
    for (size_t i = 0; i < 6; i++) {
        got = records_of(write_text(jsonl[i], "1\ta\n"), usual());
        cr_expect_not_null(strstr(got, "not a JSON object"), "%s: %s", jsonl[i], got);
        free(got);
    }
    for (size_t i = 0; i < 4; i++)
        expect_file(tsv[i], "{\ta\n", "+{||a\n");
    for (size_t i = 0; i < 2; i++) {
        got = records_of(write_text(text[i], LINE "\n" LINE), usual());
        cr_expect_eq(count_records(got, '+'), 1u, "%s", text[i]);
        cr_expect_not_null(strstr(got, "||" LINE "\n" LINE "\n"), "%s", got);
        free(got);
    }
}

Test(source, format_by_content)
{
    static const char *const names[] = {"a", "a.gz", "a.log", "a.json.txt.bak", "jsonl", "a.zst"};
    for (size_t i = 0; i < 6; i++) {
        expect_file(names[i], "{\"id\":1}\n{\"id\":2}\n", "+1||\n+2||\n");
        expect_file(names[i], "\xef\xbb\xbf \r\n\t\n {\"id\":1}\n", "+1||\n");
        char *got = records_of(write_text(names[i], "1\ttext\n2\ttext\n"), usual());
        cr_expect_eq(count_records(got, '+'), 1u, "%s: %s", names[i], got);
        free(got);
    }
}

Test(source, format_as_asked)
{
    qn_source_settings settings = *usual();
    settings.format = QUERN_FORMAT_TSV;
    expect_records(write_text("a.jsonl", LINE), &settings, "+{\"id\":\"1\",\"text\":\"a||b\"}\n");
    settings.format = QUERN_FORMAT_JSONL;
    expect_records(write_text("a.tsv", "{\"id\":1}"), &settings, "+1||\n");
    settings.format = QUERN_FORMAT_TEXT;
    char *got = records_of(write_text("a.jsonl", "{\"id\":1}\n"), &settings);
    cr_expect_not_null(strstr(got, "a.jsonl||{\"id\":1}\n\n"), "%s", got);
    free(got);
}

Test(source, arguments)
{
    qn_source *source;
    quern_error error = {0};
    qn_source_settings settings = *usual();
    cr_expect_eq(qn_source_open(&source, path_of("none"), &settings, &error), QUERN_E_IO);
    cr_expect_not_null(strstr(error.message, "none: No such file or directory"), "%s",
                       error.message);
    cr_expect_null(source);
    settings.format = (quern_format)4;
    cr_expect_eq(qn_source_open(&source, write_text("a", ""), &settings, &error), QUERN_E_ARGUMENT);
    qn_source_free(NULL);
    cr_expect_eq(qn_source_open(&source, path_of("none"), usual(), NULL), QUERN_E_IO);
}

/* The source keeps its own copy of the path. */
Test(source, path_may_go)
{
    qn_source *source;
    quern_document document;
    qn_place place;
    char path[256];
    (void)snprintf(path, sizeof path, "%s", write_text("a.tsv", "1\ta\n"));
    cr_assert_eq(qn_source_open(&source, path, usual(), NULL), QUERN_OK);
    memset(path, 0, sizeof path);
    cr_assert_eq(qn_source_next(source, &document, &place, NULL), QUERN_OK);
    cr_expect_str_eq(place.file, path_of("a.tsv"));
    qn_source_free(source);
}

/* Freed in the midst of a file, with lines carried over. */
Test(source, freed_early)
{
    char *text = malloc(700000);
    cr_assert_not_null(text);
    memset(text, 'x', 700000);
    memcpy(text, "1\ta\n2\t", 6);
    text[699999] = '\n';
    for (int i = 0; i < 3; i++) {
        qn_source *source;
        quern_document document;
        qn_place place;
        const char *path = write_bytes("a.tsv", text, 700000);
        cr_assert_eq(qn_source_open(&source, path, usual(), NULL), QUERN_OK);
        for (int n = 0; n < i; n++)
            cr_assert_eq(qn_source_next(source, &document, &place, NULL), QUERN_OK);
        qn_source_free(source);
    }
    free(text);
}

/* ---- standard input ---- */

/* Makes standard input a pipe that a child writes to in pieces, and reads it as a source. */
static void expect_stdin(const void *bytes, size_t len, size_t piece, const char *expected)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        (void)close(ends[0]);
        for (size_t at = 0; at < len; at += piece) {
            size_t n = len - at < piece ? len - at : piece;
            if (write(ends[1], (const char *)bytes + at, n) != (ssize_t)n)
                _exit(1);
            if (at == 0) /* let the reader see a pipe that is nearly empty */
                (void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        }
        _exit(0);
    }
    (void)close(ends[1]);
    cr_assert_eq(dup2(ends[0], 0), 0);
    (void)close(ends[0]);
    char *got = records_of("-", usual());
    cr_expect_str_eq(got, expected, "%.200s", got);
    free(got);
    int outcome;
    cr_assert_eq(waitpid(child, &outcome, 0), child);
    cr_expect_eq(outcome, 0);
    cr_expect_neq(fcntl(0, F_GETFD), -1, "standard input stays open");
}

static void expect_stdin_text(const char *text, const char *expected)
{
    expect_stdin(text, strlen(text), 1000, expected);
    expect_stdin(text, strlen(text), 1, expected);
}

Test(source, stdin_formats)
{
    expect_stdin_text("{\"id\":1}\nbad\n{\"id\":2}",
                      "+1||\n!<stdin>:2: not a JSON object at byte 1\n+2||\n");
    expect_stdin_text("\n  {\"id\":1}\n", "+1||\n");
    expect_stdin_text("1\ta\n2\tt\tb\n", "+1||a\n+2|t|b\n");
    expect_stdin_text("\n\n1\ta\n", "+1||a\n");
    expect_stdin_text("just\nsome\ttext", "+<stdin>||just\nsome\ttext\n");
    expect_stdin_text("", "");
    expect_stdin_text(" \n", "");
    expect_stdin("a\0", 2, 2, "refused: malformed input\n");
}

Test(source, stdin_compressed)
{
    gzFile gz = gzopen(path_of("a.gz"), "wb");
    cr_assert_not_null(gz);
    cr_assert_gt(gzputs(gz, "{\"id\":1}\n{\"id\":2}\n"), 0);
    cr_assert_eq(gzclose(gz), Z_OK);
    size_t len;
    char *bytes = (char *)test_read_file(path_of("a.gz"), &len);
    expect_stdin(bytes, len, 1, "+1||\n+2||\n");
    free(bytes);
}

/* The format must not depend on how much of a first line one read() happens to give. */
Test(source, stdin_large)
{
    qn_buffer text = {0}, want = {0};
    char line[64];
    for (int i = 0; i < 50000; i++) {
        (void)snprintf(line, sizeof line, "%d\tsome text\n", i);
        put_text(&text, line);
        (void)snprintf(line, sizeof line, "+%d||some text\n", i);
        put_text(&want, line);
    }
    (void)qn_buffer_push(&want, 0);
    expect_stdin(text.data, text.len, 777, (char *)want.data);
    qn_buffer_free(&text);
    qn_buffer_free(&want);
}

/* Standard input that is a file read in part: progress counts what is left. */
Test(source, stdin_file)
{
    int fd = open(write_text("a", "skip\n1\ta\n2\tb\n"), O_RDONLY);
    cr_assert_geq(fd, 0);
    cr_assert_eq(lseek(fd, 5, SEEK_SET), 5);
    cr_assert_eq(dup2(fd, 0), 0);
    qn_source *source;
    quern_document document;
    qn_place place;
    uint64_t done, total;
    cr_assert_eq(qn_source_open(&source, "-", usual(), NULL), QUERN_OK);
    cr_assert_eq(qn_source_next(source, &document, &place, NULL), QUERN_OK);
    qn_source_progress(source, &done, &total);
    cr_expect(done == 8 && total == 8);
    cr_expect_str_eq(place.file, "<stdin>");
    qn_source_free(source);
    (void)close(fd);
}
