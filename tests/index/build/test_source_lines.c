/* Lines over chunk borders, and the limit of a record's length. */
#include "tests/index/build/test_source_support.h"

#include "index/build/source_stream.h"

TestSuite(source_lines, .init = make_dir, .fini = remove_dir);

/* Appends a TSV line of `len` bytes, "N TAB xxx...", and what it gives. */
static void put_line(qn_buffer *text, qn_buffer *want, unsigned n, size_t len, const char *end)
{
    char id[16];
    int id_len = snprintf(id, sizeof id, "%u\t", n);
    cr_assert(qn_buffer_reserve(text, len + 4) && qn_buffer_reserve(want, len + 32));
    put_text(text, id);
    put_text(want, "+");
    want->len += (size_t)snprintf((char *)want->data + want->len, 16, "%u||", n);
    memset(text->data + text->len, 'x', len - (size_t)id_len);
    memset(want->data + want->len, 'x', len - (size_t)id_len);
    text->len += len - (size_t)id_len;
    want->len += len - (size_t)id_len;
    put_text(text, end);
    put_text(want, "\n");
}

/* Lines whose ends fall on every place around the end of a chunk. */
Test(source_lines, chunk_borders)
{
    for (int shift = -1; shift <= 2; shift++) {
        for (int crlf = 0; crlf < 2; crlf++) {
            qn_buffer text = {0}, want = {0};
            size_t border = (size_t)((int)QN_STREAM_CHUNK + shift);
            put_line(&text, &want, 1, border - 100, crlf ? "\r\n" : "\n");
            put_line(&text, &want, 2, 99 - (size_t)(crlf ? 2 : 1), crlf ? "\r\n" : "\n");
            put_line(&text, &want, 3, 50, crlf ? "\r\n" : "\n");
            put_line(&text, &want, 4, 3 * QN_STREAM_CHUNK, "\n");
            put_line(&text, &want, 5, 5, shift == 0 ? "" : "\n");
            (void)qn_buffer_push(&want, 0);
            expect_records(write_bytes("a.tsv", text.data, text.len), usual(), (char *)want.data);
            qn_buffer_free(&text);
            qn_buffer_free(&want);
        }
    }
}

/* A file that ends exactly with a chunk has no empty line behind it. */
Test(source_lines, exact_chunks)
{
    for (size_t n = 1; n <= 2; n++) {
        qn_buffer text = {0}, want = {0};
        for (size_t i = 0; i < n; i++)
            put_line(&text, &want, (unsigned)i + 1, QN_STREAM_CHUNK - 1, "\n");
        cr_assert_eq(text.len, n * QN_STREAM_CHUNK);
        (void)qn_buffer_push(&want, 0);
        expect_records(write_bytes("a.tsv", text.data, text.len), usual(), (char *)want.data);
        qn_buffer_free(&text);
        qn_buffer_free(&want);
    }
}

/* The limit is on the line without what ends it and without a byte order mark. */
Test(source_lines, limit)
{
    const qn_source_settings ten = {.max_record = 10, .window_log_max = 27};
    expect_records(write_text("a.tsv", "1\t34567890\n1\t345678901\n2\t\n"), &ten,
                   "+1||34567890\n!a.tsv:2: record over the limit of 10 bytes\n+2||\n");
    expect_records(write_text("b.tsv", "\xef\xbb\xbf"
                                       "1\t34567890\r\n1\t345678901\r\n2\t"),
                   &ten, "+1||34567890\n!b.tsv:2: record over the limit of 10 bytes\n+2||\n");
    expect_records(write_text("c.tsv", "1\t34567890"), &ten, "+1||34567890\n");
    expect_records(write_text("d.tsv", "1\t345678901"), &ten,
                   "!d.tsv:1: record over the limit of 10 bytes\n");
    const qn_source_settings none = {.max_record = UINT64_MAX, .window_log_max = 27};
    expect_records(write_text("e.tsv", "1\t345678901"), &none, "+1||345678901\n");
}

/* A line over many chunks is reported once, and the line numbers stay right. */
Test(source_lines, too_long_over_chunks)
{
    static const char *const starts[] = {"", "1\ta\n"};
    for (size_t i = 0; i < 2; i++) {
        for (size_t len = 2 * QN_STREAM_CHUNK - 6; len < 2 * QN_STREAM_CHUNK; len++) {
            const qn_source_settings small = {.max_record = 1000, .window_log_max = 27};
            qn_buffer text = {0}, want = {0}, unwanted = {0};
            put_text(&text, starts[i]);
            put_line(&text, &unwanted, 7, len, "\n");
            put_text(&text, "2\tb\nbad\n");
            put_text(&want, i == 0 ? "!a.tsv:1" : "+1||a\n!a.tsv:2");
            put_text(&want, ": record over the limit of 1000 bytes\n+2||b\n");
            put_text(&want, i == 0 ? "!a.tsv:3" : "!a.tsv:4");
            put_text(&want, ": no TAB between id and text\n");
            (void)qn_buffer_push(&want, 0);
            expect_records(write_bytes("a.tsv", text.data, text.len), &small, (char *)want.data);
            qn_buffer_free(&text);
            qn_buffer_free(&want);
            qn_buffer_free(&unwanted);
        }
    }
}

Test(source_lines, too_long_to_the_end)
{
    const qn_source_settings small = {.max_record = 1000, .window_log_max = 27};
    qn_buffer text = {0}, unwanted = {0};
    put_line(&text, &unwanted, 7, 3 * QN_STREAM_CHUNK, "");
    expect_records(write_bytes("a.tsv", text.data, text.len), &small,
                   "!a.tsv:1: record over the limit of 1000 bytes\n");
    qn_buffer_free(&text);
    qn_buffer_free(&unwanted);
}

/* The reason must survive a path that would fill the message alone. */
Test(source_lines, long_path_keeps_the_reason)
{
    char name[256], path[1024];
    memset(name, 'n', 240);
    name[240] = '\0';
    (void)snprintf(path, sizeof path, "%s/%s", test_dir, name);
    cr_assert_eq(mkdir(path, 0777), 0);
    (void)snprintf(path, sizeof path, "%s/%s/%s", test_dir, name, name);
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert(fputs("x\n", file) >= 0);
    cr_assert_eq(fclose(file), 0);
    const qn_source_settings tsv = {
        .format = QUERN_FORMAT_TSV, .max_record = 100, .window_log_max = 27};
    char *got = records_of(path, &tsv);
    cr_expect_eq(strncmp(got, "!...nnn", 7), 0, "%s", got);
    cr_expect_not_null(strstr(got, "n:1: no TAB between id and text\n"), "%s", got);
    free(got);
}
