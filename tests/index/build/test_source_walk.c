/* Directories: the order, what is followed, what is skipped, what cannot be read. */
#include "tests/index/build/test_source_support.h"

#include "index/build/source_walk.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <zlib.h>

TestSuite(source_walk, .init = make_dir, .fini = remove_dir);

static void add_dir(const char *name)
{
    cr_assert_eq(mkdir(path_of(name), 0777), 0);
}

static void add_link(const char *name, const char *to)
{
    cr_assert_eq(symlink(to, path_of(name)), 0);
}

/* The bytes around the slash are where an order of names differs from one of paths. */
Test(source_walk, order_of_whole_paths)
{
    static const char *const dirs[] = {"a", "a-b", "a/c", "a.d", "B", "z"};
    static const char *const files[] = {"a/x",  "a-b/x",    "a.txt", "a/c/y", "a0",    "a.d/x",
                                        "a!",   "B/x",      "z/1",   "z/10",  "z/2",   "a/c-",
                                        "a/c0", "\xc3\xa4", "b",     "A",     "a/c/x", "a b"};
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++)
        add_dir(dirs[i]);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        (void)write_text(files[i], files[i]);
    static const char expected[] = "+A||A\n+B/x||B/x\n+a b||a b\n+a!||a!\n+a-b/x||a-b/x\n"
                                   "+a.d/x||a.d/x\n+a.txt||a.txt\n+a/c-||a/c-\n+a/c/x||a/c/x\n"
                                   "+a/c/y||a/c/y\n+a/c0||a/c0\n+a/x||a/x\n+a0||a0\n+b||b\n"
                                   "+z/1||z/1\n+z/10||z/10\n+z/2||z/2\n+\xc3\xa4||\xc3\xa4\n";
    expect_records(test_dir, usual(), expected);
    expect_records(path_of(""), usual(), expected); /* with a slash behind */
    expect_records(path_of("a"), usual(),
                   "+c-||a/c-\n+c/x||a/c/x\n+c/y||a/c/y\n+c0||a/c0\n"
                   "+x||a/x\n");
}

Test(source_walk, places)
{
    add_dir("sub");
    (void)write_text("sub/f", "text");
    for (int slash = 0; slash < 2; slash++) {
        qn_source *source;
        quern_document document;
        qn_place place;
        char want[256];
        (void)snprintf(want, sizeof want, "%s/sub/f", test_dir);
        cr_assert_eq(qn_source_open(&source, slash ? path_of("") : test_dir, usual(), NULL),
                     QUERN_OK);
        cr_assert_eq(qn_source_next(source, &document, &place, NULL), QUERN_OK);
        cr_expect_str_eq(place.file, want);
        cr_expect_eq(place.line, 0u);
        uint64_t done, total;
        qn_source_progress(source, &done, &total);
        cr_expect(done == 4 && total == 0);
        cr_expect_eq(qn_source_bytes(source), 4u);
        cr_expect_eq(qn_source_next(source, &document, &place, NULL), QUERN_END);
        qn_source_free(source);
    }
}

Test(source_walk, empty)
{
    expect_records(test_dir, usual(), "");
    add_dir("a");
    add_dir("a/b");
    expect_records(test_dir, usual(), "");
    expect_records(path_of("none"), usual(), "refused: input/output error\n");
}

Test(source_walk, hidden)
{
    add_dir(".git");
    add_dir("seen");
    (void)write_text(".git/f", "no");
    (void)write_text(".f", "no");
    (void)write_text("seen/.f", "no");
    (void)write_text("seen/f", "yes");
    expect_records(test_dir, usual(), "+seen/f||yes\n");
    expect_records(path_of(".git"), usual(), "+f||no\n"); /* named by the user */
}

Test(source_walk, links)
{
    add_dir("dir");
    add_dir("other");
    (void)write_text("dir/f", "f");
    add_link("dir/loop", "..");
    add_link("dir/self", "self");
    add_link("dir/to-dir", "../other");
    add_link("dir/to-file", "f");
    add_link("dir/to-link", "to-file");
    add_link("dir/to-nothing", "nowhere");
    (void)write_text("other/g", "g");
    char *got = records_of(path_of("dir"), usual());
    cr_expect_str_eq(got,
                     "+f||f\n"
                     "!dir/self: cannot read it: Too many levels of symbolic links\n"
                     "+to-file||f\n"
                     "+to-link||f\n"
                     "!dir/to-nothing: cannot read it: No such file or directory\n",
                     "%s", got);
    free(got);
    expect_records(path_of("dir/to-dir"), usual(), "+g||g\n"); /* named by the user */
}

/* A pipe without a writer would stop a walk that opens it. */
Test(source_walk, other_kinds)
{
    (void)write_text("a", "a");
    cr_assert_eq(mkfifo(path_of("b"), 0666), 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path_of("c"));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_geq(fd, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    add_link("d", "/dev/zero");
    (void)write_text("e", "e");
    expect_records(test_dir, usual(), "+a||a\n+e||e\n");
    (void)close(fd);
}

Test(source_walk, unreadable)
{
    (void)write_text("a", "a");
    (void)write_text("b", "b");
    (void)write_text("d", "d");
    add_dir("c");
    (void)write_text("c/x", "x");
    cr_assert_eq(chmod(path_of("b"), 0), 0);
    cr_assert_eq(chmod(path_of("c"), 0), 0);
    if (geteuid() == 0)
        (void)fprintf(stderr, "skipped: root reads everything\n");
    else
        expect_records(test_dir, usual(),
                       "+a||a\n!b: cannot read it: Permission denied\n"
                       "!c: cannot read it: Permission denied\n+d||d\n");
    cr_assert_eq(chmod(path_of("c"), 0777), 0);
}

Test(source_walk, bad_files_among_good_ones)
{
    const qn_source_settings ten = {.max_record = 10, .window_log_max = 27};
    (void)write_text("a", "a");
    (void)write_bytes("b", "b\0b", 3);
    (void)write_bytes("c",
                      "\xff\xfe"
                      "c\0",
                      4);
    (void)write_text("d", "over ten bytes");
    (void)write_bytes("e", "\x1f\x8b\x08", 3);
    (void)write_bytes("f", "\x28\xb5\x2f\xfd\x04\x08", 6);
    (void)write_text("g", "");
    /* A raw block of three bytes; the decoder must not go on where the file before broke off. */
    (void)write_bytes("i", "\x28\xb5\x2f\xfd\x20\x03\x19\0\0zst", 12);
    (void)write_bytes("j", "\x28\xb5\x2f\xfd\x20\x03\x19\0\0zst", 12);
    gzFile gz = gzopen(path_of("h.txt.gz"), "wb");
    cr_assert_not_null(gz);
    cr_assert_gt(gzputs(gz, "zipped"), 0);
    cr_assert_eq(gzclose(gz), Z_OK);
    expect_records(test_dir, &ten,
                   "+a||a\n"
                   "!b: looks like a binary file (it holds NUL bytes)\n"
                   "!c: looks like UTF-16, not UTF-8\n"
                   "!d: file over the limit of 10 bytes\n"
                   "!e: compressed data is cut off, after 0 decompressed bytes\n"
                   "!f: compressed data is cut off, after 0 decompressed bytes\n"
                   "+g||\n"
                   "+h.txt.gz||zipped\n"
                   "+i||zst\n"
                   "+j||zst\n");
}

/* With another format than AUTO, each file of the directory is one of that format. */
Test(source_walk, files_of_lines)
{
    const qn_source_settings tsv = {
        .format = QUERN_FORMAT_TSV, .max_record = 100, .window_log_max = 27};
    add_dir("b");
    (void)write_text("a", "1\ta\nbad\n2\tb");
    (void)write_text("b/x", "\xef\xbb\xbf"
                            "3\tc\n");
    (void)write_bytes("c", "\x1f\x8b\x08", 3);
    (void)write_text("d", "");
    (void)write_bytes("e", "\xff\xfe", 2);
    (void)write_text("f", "4\td\n");
    expect_records(test_dir, &tsv,
                   "+1||a\n!a:2: no TAB between id and text\n+2||b\n+3||c\n"
                   "!c:1: compressed data is cut off, after 0 decompressed bytes\n"
                   "!e: looks like UTF-16, not UTF-8\n+4||d\n");
}

/* Deeper than a path may be long: one malformed record, then the walk goes on. */
Test(source_walk, very_deep)
{
    char name[201];
    memset(name, 'd', 200);
    name[200] = '\0';
    (void)write_text("a", "a");
    (void)write_text("z", "z");
    cr_assert_eq(chdir(test_dir), 0);
    for (int i = 0; i < 30; i++) {
        cr_assert_eq(mkdir(name, 0777), 0);
        cr_assert_eq(chdir(name), 0);
    }
    char *got = records_of(test_dir, usual());
    cr_expect_eq(count_records(got, '+'), 2u);
    cr_expect_eq(count_records(got, '!'), 1u);
    cr_expect_not_null(strstr(got, "d: cannot read it: File name too long\n"), "%s", got);
    free(got);
    for (int i = 0; i < 30; i++) { /* nftw could not */
        cr_assert_eq(chdir(".."), 0);
        cr_assert_eq(rmdir(name), 0);
    }
}

Test(source_walk, many_files)
{
    char name[32];
    for (int i = 999; i >= 0; i--) {
        (void)snprintf(name, sizeof name, "f%03d", i * 7 % 1000);
        (void)write_text(name, "");
    }
    qn_source *source;
    quern_document document;
    qn_place place;
    const char *files[1000];
    cr_assert_eq(qn_source_open(&source, test_dir, usual(), NULL), QUERN_OK);
    for (int i = 0; i < 1000; i++) {
        cr_assert_eq(qn_source_next(source, &document, &place, NULL), QUERN_OK);
        files[i] = place.file;
    }
    cr_expect_eq(qn_source_next(source, &document, &place, NULL), QUERN_END);
    for (int i = 0; i < 1000; i++) { /* places live as long as the source */
        (void)snprintf(name, sizeof name, "/f%03d", i);
        cr_assert_str_eq(files[i] + strlen(test_dir), name);
    }
    qn_source_free(source);
}
