/* Plain text: single files, what is refused, files of the test data. */
#include "tests/index/build/test_source_support.h"

#include <dirent.h>
#include <zlib.h>

TestSuite(source_text, .init = make_dir, .fini = remove_dir);

/* Expects one document whose text is the whole file and whose id is the path as given. */
static void expect_whole(const char *path, const char *bytes, size_t len)
{
    qn_source *source;
    quern_document document;
    qn_place place;
    quern_error error = {0};
    cr_assert_eq(qn_source_open(&source, path, usual(), &error), QUERN_OK, "%s", error.message);
    cr_assert_eq(qn_source_next(source, &document, &place, &error), QUERN_OK, "%s", error.message);
    cr_expect_eq(document.id.len, strlen(path));
    cr_expect_eq(memcmp(document.id.data, path, strlen(path)), 0);
    cr_expect_eq(document.title.len, 0u);
    cr_expect_eq(document.text.len, len);
    cr_expect(len == 0 || memcmp(document.text.data, bytes, len) == 0);
    cr_expect_eq(document.record.len, len);
    cr_expect_eq(place.line, 0u);
    cr_expect_str_eq(place.file, path);
    cr_expect_eq(qn_source_next(source, &document, &place, &error), QUERN_END);
    cr_expect_eq(qn_source_bytes(source), len);
    qn_source_free(source);
}

Test(source_text, whole_file)
{
    expect_whole(write_text("a.txt", "some\ttext\r\nin lines"), "some\ttext\r\nin lines", 19);
    expect_whole(write_text("b", "text"), "text", 4);
    expect_whole(write_text("empty.txt", ""), "", 0);
    expect_whole(write_text("c", "\xef\xbb\xbftext"), "\xef\xbb\xbftext", 7);
    expect_whole(write_text("braces.txt", "{\"id\":1}"), "{\"id\":1}", 8);
}

Test(source_text, larger_than_a_chunk)
{
    size_t len = 1000000;
    char *text = malloc(len);
    cr_assert_not_null(text);
    for (size_t i = 0; i < len; i++)
        text[i] = (char)('a' + i * 7919 % 26);
    expect_whole(write_bytes("a.txt", text, len), text, len);
    gzFile gz = gzopen(path_of("a.txt.gz"), "wb1");
    cr_assert_not_null(gz);
    cr_assert_eq(gzwrite(gz, text, (unsigned)len), (int)len);
    cr_assert_eq(gzclose(gz), Z_OK);
    expect_whole(path_of("a.txt.gz"), text, len);
    free(text);
}

static void expect_refused(const char *name, const void *bytes, size_t len, const char *reason)
{
    qn_source *source;
    quern_error error = {0};
    const char *path = write_bytes(name, bytes, len);
    cr_expect_eq(qn_source_open(&source, path, usual(), &error), QUERN_E_INPUT, "%s", name);
    cr_expect_null(source);
    cr_expect_eq(strncmp(error.message, path, strlen(path)), 0);
    cr_expect_not_null(strstr(error.message, reason), "%s", error.message);
}

Test(source_text, no_text)
{
    expect_refused("a.txt", "a\0b", 3, "looks like a binary file");
    expect_refused("a.txt",
                   "\xff\xfe"
                   "a\0b\0",
                   6, "looks like UTF-16");
    expect_refused("a.txt", "\xfe\xff\0a", 4, "looks like UTF-16");
    expect_refused("a.jsonl", "\xff\xfe{\0}\0", 6, "looks like UTF-16");
    expect_refused("a.tsv", "\xfe\xff", 2, "looks like UTF-16");
    char late[8200];
    memset(late, 'x', sizeof late);
    late[8191] = '\0';
    expect_refused("b.txt", late, sizeof late, "binary");
    late[8191] = 'x';
    late[8192] = '\0';
    expect_whole(write_bytes("c.txt", late, sizeof late), late, sizeof late);
}

Test(source_text, limit)
{
    const qn_source_settings ten = {.max_record = 10, .window_log_max = 27};
    char *got = records_of(write_text("a.txt", "1234567890"), &ten);
    cr_expect_eq(count_records(got, '+'), 1u);
    free(got);
    expect_records(write_text("b.txt", "1234567890\n"), &ten,
                   "!b.txt: file over the limit of 10 bytes\n");
}

Test(source_text, cut_off)
{
    gzFile gz = gzopen(path_of("a.txt.gz"), "wb");
    cr_assert_not_null(gz);
    cr_assert_gt(gzputs(gz, "a text that is worth to be compressed"), 0);
    cr_assert_eq(gzclose(gz), Z_OK);
    cr_assert_eq(truncate(path_of("a.txt.gz"), 40), 0);
    char *got = records_of(path_of("a.txt.gz"), usual());
    cr_expect_eq(count_records(got, '!'), 1u);
    cr_expect_eq(count_records(got, '+'), 0u, "half a document is none: %s", got);
    cr_expect_eq(strncmp(got, "!a.txt.gz: compressed data is cut off", 36), 0, "%s", got);
    free(got);
}

/* Every file of the test data that is not JSON gives a document or is refused for a reason. */
Test(source_text, ugly_files)
{
    static const char *const folders[] = {"ugly/text", "ugly/binary", "ugly/synthetic"};
    for (size_t i = 0; i < 3; i++) {
        char *folder = test_data(folders[i]);
        if (folder == NULL)
            return;
        DIR *dir = opendir(folder);
        cr_assert_not_null(dir);
        for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
            if (entry->d_name[0] == '.')
                continue;
            const qn_source_settings text = {
                .format = QUERN_FORMAT_TEXT, .max_record = 1u << 20, .window_log_max = 27};
            char path[2048];
            size_t len;
            (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            char *bytes = (char *)test_read_file(path, &len);
            char *got = records_of(path, &text);
            size_t prefix = len < 8192 ? len : 8192;
            bool refused = strncmp(got, "refused: ", 9) == 0;
            bool is_gzip = len > 2 && memcmp(bytes, "\x1f\x8b", 2) == 0;
            bool binary = memchr(bytes, 0, prefix) != NULL && !is_gzip;
            bool utf16 = len > 1 && memcmp(bytes, "\xff\xfe", 2) == 0;
            cr_expect_eq(refused, binary || utf16, "%s: %s", entry->d_name, got);
            cr_expect(refused || count_records(got, '+') >= 1, "%s", entry->d_name);
            free(bytes);
            free(got);
        }
        (void)closedir(dir);
        free(folder);
    }
}

/* The same files as a directory: each is a document or one malformed record. */
Test(source_text, ugly_directory)
{
    char *folder = test_data("ugly");
    if (folder == NULL)
        return;
    qn_source *source;
    quern_document document;
    qn_place place;
    quern_status status;
    size_t n = 0, refused = 0;
    char last[1024] = "";
    cr_assert_eq(qn_source_open(&source, folder, usual(), NULL), QUERN_OK);
    while ((status = qn_source_next(source, &document, &place, NULL)) != QUERN_END) {
        const char *relative = place.file + strlen(folder) + 1;
        cr_assert(status == QUERN_OK || status == QUERN_E_INPUT);
        cr_assert_lt(strcmp(last, relative), 0, "%s before %s", last, relative);
        (void)snprintf(last, sizeof last, "%s", relative);
        n++;
        refused += status == QUERN_E_INPUT;
    }
    qn_source_free(source);
    free(folder);
    cr_expect_gt(n, 350u);
    cr_expect(refused >= 10 && refused < 40, "%zu", refused);
}
