/* The manifest: a strict parser, an atomic commit, a lock; and whose files are whose. */
#include "index/segment/manifest.h"

#include "index/base/checksum.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD "quern 2\nanalyzer english 3 15.0.0 0123456789abcdef\n"
#define SEG  "segment s-1 10 200 4096 00000000000000ff 8192 ffffffffffffffff 0 0000000000000000\n"

/* `lines` with their end line. */
static size_t seal(char *out, size_t cap, const char *lines)
{
    return (size_t)snprintf(out, cap, "%send %016llx\n", lines,
                            (unsigned long long)qn_checksum(lines, strlen(lines)));
}

/* Parses sealed lines from memory of exactly their length. */
static quern_status parse(const char *lines, qn_manifest *m, quern_error *error)
{
    char text[2048];
    size_t len = seal(text, sizeof text, lines);
    cr_assert(len < sizeof text);
    char *exact = malloc(len);
    cr_assert(exact != NULL);
    memcpy(exact, text, len);
    quern_status status = qn_manifest_parse(m, exact, len, "dir", error);
    free(exact);
    return status;
}

Test(manifest, parses_what_it_should)
{
    qn_manifest m;
    cr_assert_eq(parse(HEAD, &m, NULL), QUERN_OK);
    cr_assert_eq(m.n_segments, 0);
    qn_manifest_free(&m);
    cr_assert_eq(
        parse(HEAD SEG
              "segment s-a-z-09 0 0 1 0000000000000000 0 0000000000000000 0 0000000000000000\n",
              &m, NULL),
        QUERN_OK);
    cr_assert_str_eq(m.language, "english");
    cr_assert_str_eq(m.unicode, "15.0.0");
    cr_assert_eq(m.rules, 3);
    cr_assert_eq(m.fingerprint, UINT64_C(0x0123456789abcdef));
    cr_assert_eq(m.n_segments, 2);
    cr_assert_str_eq(m.segment[1].name, "s-a-z-09");
    const qn_manifest_segment *s = &m.segment[0];
    cr_assert_eq(s->documents, 10);
    cr_assert_eq(s->tokens, 200);
    cr_assert_eq(s->index_len, 4096);
    cr_assert_eq(s->index_checksum, 255);
    cr_assert_eq(s->store_len, 8192);
    cr_assert_eq(s->store_checksum, UINT64_MAX);
    qn_manifest_free(&m);
    qn_manifest_free(&m);
}

/* Malformed lines, well sealed, and the line the message must name. */
static const struct {
    const char *lines;
    unsigned line;
} MALFORMED[] = {
    {"", 1},
    {"\n", 1},
    {"quern\n", 1},
    {"quern 1", 1},
    {"quern  1\n", 1},
    {" quern 1\n", 1},
    {"quern 1 \n", 1},
    {"quern 1\r\n", 1},
    {"quern 01\n", 1},
    {"quern +1\n", 1},
    {"quern x\n", 1},
    {"Quern 1\n", 1},
    {"quern 2\n", 2},
    {"quern 2\nanalyzer english 3 15.0.0\n", 2},
    {"quern 2\nanalyzer  3 15.0.0 0123456789abcdef\n", 2},
    {"quern 2\nanalyzer english 4294967296 15.0.0 0123456789abcdef\n", 2},
    {"quern 2\nanalyzer english -3 15.0.0 0123456789abcdef\n", 2},
    {"quern 2\nanalyzer english 3 15.0.0 0123456789abcde\n", 2},
    {"quern 2\nanalyzer english 3 15.0.0 0123456789abcdef0\n", 2},
    {"quern 2\nanalyzer english 3 15.0.0 0123456789ABCDEF\n", 2},
    {"quern 2\nanalyzer english 3 15.0.0 0123456789abcdeg\n", 2},
    {"quern 2\nanalyzer english 3 15.0.0 0123456789abcdef more\n", 2},
    {"quern 2\nanalyzer eng\tlish 3 15.0.0 0123456789abcdef\n", 2},
    {"quern 2\nanalyzer engl\xc3\xa9sh 3 15.0.0 0123456789abcdef\n", 2},
    {"quern 2\nanalyzer "
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 3 15 0123456789abcdef\n",
     2},
    {HEAD HEAD, 3},
    {HEAD "\n", 3},
    {HEAD "segments s-1 10 200 4096 00000000000000ff 0 0000000000000000 0 0000000000000000\n", 3},
    {HEAD "segment 1 10 200 4096 00000000000000ff 0 0000000000000000 0 0000000000000000\n", 3},
    {HEAD "segment s- 10 200 4096 00000000000000ff 0 0000000000000000 0 0000000000000000\n", 3},
    {HEAD "segment s-A 10 200 4096 00000000000000ff 0 0000000000000000 0 0000000000000000\n", 3},
    {HEAD "segment s-. 10 200 4096 00000000000000ff 0 0000000000000000 0 0000000000000000\n", 3},
    {HEAD "segment s-/../x 10 200 4096 00000000000000ff 0 0000000000000000 0 0000000000000000\n",
     3},
    {HEAD "segment s-0123456789abcdef0123456789abcde 1 1 1 00000000000000ff 0 0000000000000000 0 "
          "0000000000000000\n",
     3},
    {HEAD "segment s-1  10 200 4096 00000000000000ff 0 0000000000000000 0 0000000000000000\n", 3},
    {HEAD "segment s-1 010 200 4096 00000000000000ff 0 0000000000000000 0 0000000000000000\n", 3},
    {HEAD "segment s-1 10 -200 4096 00000000000000ff 0 0000000000000000 0 0000000000000000\n", 3},
    {HEAD "segment s-1 10 0x20 4096 00000000000000ff 0 0000000000000000 0 0000000000000000\n", 3},
    {HEAD "segment s-1 10 18446744073709551616 1 00000000000000ff 0 0000000000000000 0 "
          "0000000000000000\n",
     3},
    {HEAD "segment s-1 10 99999999999999999999 1 00000000000000ff 0 0000000000000000 0 "
          "0000000000000000\n",
     3},
    {HEAD "segment s-1 10 200 4096 ff 0 0000000000000000 0 0000000000000000\n", 3},
    {HEAD "segment s-1 10 200 4096 00000000000000ff 0\n", 3},
    {HEAD "segment s-1 10 200 4096 00000000000000ff 0 0000000000000000 \n", 3},
    {HEAD
     "segment s-1 4294967041 200 4096 00000000000000ff 0 0000000000000000 0 0000000000000000\n",
     3},
    {HEAD "segment s-1 10 200 4096 00000000000000ff 0 0000000000000000\n", 3},
    {HEAD "segment s-1 10 200 4096 00000000000000ff 0 0000000000000000 0\n", 3},
    {HEAD "segment s-1 10 200 4096 00000000000000ff 0 0000000000000000 11 0000000000000001\n", 3},
    {HEAD "segment s-1 10 200 4096 00000000000000ff 0 0000000000000000 0 0000000000000001\n", 3},
    {HEAD "segment s-1 10 200 4096 00000000000000ff 0 0000000000000000 -1 0000000000000001\n", 3},
    {HEAD SEG SEG, 4},
    {HEAD SEG "segment s-2 4294967031 1 1 00000000000000ff 0 0000000000000000 0 0000000000000000\n",
     4},
    {HEAD SEG "\n", 4},
    {HEAD SEG "end 0000000000000000\n", 4},
};

Test(manifest, refuses_malformed_lines)
{
    for (size_t i = 0; i < sizeof MALFORMED / sizeof MALFORMED[0]; i++) {
        qn_manifest m;
        quern_error error;
        cr_assert_eq(parse(MALFORMED[i].lines, &m, &error), QUERN_E_DAMAGED, "case %zu", i);
        cr_assert_eq(error.position, MALFORMED[i].line, "case %zu: %s", i, error.message);
        char where[32];
        (void)snprintf(where, sizeof where, "MANIFEST:%u: ", MALFORMED[i].line);
        cr_assert_not_null(strstr(error.message, where), "%s", error.message);
        cr_assert_null(m.segment);
    }
}

Test(manifest, refuses_other_versions)
{
    qn_manifest m;
    quern_error error;
    cr_assert_eq(parse("quern 3\nwhatever\n", &m, &error), QUERN_E_VERSION);
    cr_assert_not_null(strstr(error.message, "version 3"));
    cr_assert_not_null(strstr(error.message, "version 2"));
}

Test(manifest, every_truncation_and_change_is_found)
{
    char text[512];
    size_t len = seal(text, sizeof text, HEAD SEG);
    qn_manifest m;
    for (size_t cut = 0; cut < len; cut++) {
        char *exact = malloc(cut + 1);
        cr_assert(exact != NULL);
        char *start = exact + 1; /* so that even no bytes end where the allocation does */
        memcpy(start, text, cut);
        cr_assert_eq(qn_manifest_parse(&m, start, cut, "dir", NULL), QUERN_E_DAMAGED);
        free(exact);
    }
    for (size_t at = 0; at < len; at++) {
        for (unsigned flip = 1; flip < 256; flip++) {
            text[at] = (char)(text[at] ^ (int)flip);
            quern_status status = qn_manifest_parse(&m, text, len, "dir", NULL);
            cr_assert(status == QUERN_E_DAMAGED || (status == QUERN_E_VERSION && at == 6),
                      "byte %zu", at);
            text[at] = (char)(text[at] ^ (int)flip);
        }
    }
    text[len] = '\n';
    cr_assert_eq(qn_manifest_parse(&m, text, len + 1, "dir", NULL), QUERN_E_DAMAGED);
    cr_assert_eq(qn_manifest_parse(&m, text, len, "dir", NULL), QUERN_OK);
    qn_manifest_free(&m);
}

Test(manifest, too_many_segments)
{
    size_t cap = (size_t)(QN_SEGMENTS_MAX + 2) * 100;
    char *lines = malloc(cap), *text = malloc(cap + 100);
    cr_assert(lines != NULL && text != NULL);
    for (int over = 0; over < 2; over++) {
        size_t len = (size_t)snprintf(lines, cap, "%s", HEAD);
        for (int i = 0; i < QN_SEGMENTS_MAX + over; i++)
            len += (size_t)snprintf(
                lines + len, cap - len,
                "segment s-%d 1 1 1 0000000000000000 0 0000000000000000 0 0000000000000000\n", i);
        size_t sealed = seal(text, cap + 100, lines);
        qn_manifest m;
        cr_assert_eq(qn_manifest_parse(&m, text, sealed, "dir", NULL),
                     over != 0 ? QUERN_E_DAMAGED : QUERN_OK);
        qn_manifest_free(&m);
    }
    free(lines);
    free(text);
}

Test(manifest, commit_and_read)
{
    char *path;
    int dirfd = test_dir_open(&path);
    quern_error error;
    qn_manifest m, back;
    cr_assert_eq(qn_manifest_read(&back, dirfd, path, &error), QUERN_NOT_FOUND);
    cr_assert_not_null(strstr(error.message, path));
    cr_assert_eq(parse(HEAD SEG, &m, NULL), QUERN_OK);
    for (unsigned round = 0; round < 3; round++) {
        m.segment[0].documents = round == 0 ? 0xFFFFFF00u : round;
        cr_assert_eq(qn_manifest_commit(&m, dirfd, path, &error), QUERN_OK, "%s", error.message);
        cr_assert_eq(qn_manifest_read(&back, dirfd, path, &error), QUERN_OK, "%s", error.message);
        cr_assert_eq(back.n_segments, 1);
        cr_assert_eq(memcmp(&back.segment[0], &m.segment[0], sizeof back.segment[0]), 0);
        cr_assert_str_eq(back.language, m.language);
        cr_assert_eq(back.fingerprint, m.fingerprint);
        qn_manifest_free(&back);
    }
    /* What could not be read again is not written; the one before stays. */
    m.segment[0].name[0] = 'x';
    cr_assert_eq(qn_manifest_commit(&m, dirfd, path, &error), QUERN_E_ARGUMENT);
    m.segment[0].name[0] = 's';
    m.language[0] = ' ';
    cr_assert_eq(qn_manifest_commit(&m, dirfd, path, &error), QUERN_E_ARGUMENT);
    cr_assert_eq(qn_manifest_read(&back, dirfd, path, NULL), QUERN_OK);
    qn_manifest_free(&back);
    qn_manifest_free(&m);
    /* Nothing but the manifest is left. */
    cr_assert_eq(unlinkat(dirfd, QN_MANIFEST_NAME, 0), 0);
    cr_assert_eq(rmdir(path), 0);
    (void)close(dirfd);
}

/* A segment's deletions are a file of its own, which is one of the manifest's only while that names
 * just it. */
Test(manifest, deletions)
{
    qn_manifest m;
    char name[QN_MANIFEST_FILE_MAX];
    cr_assert_eq(parse(HEAD SEG "segment s-2 10 20 4096 00000000000000ff 0 0000000000000000 10 "
                                "00000000000000fe\n",
                       &m, NULL),
                 QUERN_OK);
    cr_assert_eq(m.segment[0].deleted, 0);
    cr_assert_eq(m.segment[1].deleted, 10);
    cr_assert_eq(m.segment[1].deletes_checksum, 254);
    qn_manifest_deletes_name(&m.segment[1], name);
    cr_assert_str_eq(name, "s-2-00000000000000fe.qd");
    cr_assert(qn_manifest_owns(name));
    cr_assert(!qn_manifest_is_orphan(&m, name));
    cr_assert(qn_manifest_is_orphan(&m, "s-2-00000000000000ff.qd"));
    cr_assert(qn_manifest_is_orphan(&m, "s-1-00000000000000fe.qd"));
    cr_assert(qn_manifest_is_orphan(&m, "s-1-0000000000000000.qd"));
    cr_assert(qn_manifest_is_orphan(NULL, name));
    qn_manifest_free(&m);
}

Test(manifest, lock)
{
    char *path;
    int dirfd = test_dir_open(&path), a, b;
    quern_error error;
    cr_assert_eq(qn_manifest_lock(&a, dirfd, path, NULL), QUERN_OK);
    cr_assert_eq(qn_manifest_lock(&b, dirfd, path, &error), QUERN_E_LOCKED);
    cr_assert_not_null(strstr(error.message, "another writer"));
    cr_assert_eq(b, -1);
    (void)close(a);
    cr_assert_eq(qn_manifest_lock(&b, dirfd, path, NULL), QUERN_OK);
    (void)close(b);
    test_dir_close(dirfd, path);
}

static const struct {
    const char *name;
    bool owned, orphan; /* orphan with a manifest that names s-1 */
} FILES[] = {
    {"MANIFEST", true, false},
    {"LOCK", true, false},
    {"s-1.qx", true, false},
    {"s-1.qs", true, false},
    {"s-2.qx", true, true},
    {"s-11.qs", true, true},
    {"tmp-manifest-17", true, true},
    {"tmp-spool-1-2", true, true},
    {"s-.qx", false, false},
    {"s-1.qz", false, false},
    {"s-1", false, false},
    {".qx", false, false},
    {"s-Thesis.qx", false, false},
    {"s-my notes.qs", false, false},
    {"s-0123456789abcdef0123456789abcd.qx", true, true},
    {"s-0123456789abcdef0123456789abcde.qx", false, false},
    {"s-1-0123456789abcdef.qd", true, true},
    {"s-1.qd", false, false},
    {"s-1-0123456789ABCDEF.qd", false, false},
    {"s-1-123456789abcdef.qd", false, false},
    {"-0123456789abcdef.qd", false, false},
    {"x-1.qx", false, false},
    {"manifest", false, false},
    {"notes.txt", false, false},
    {"", false, false},
};

Test(manifest, whose_files)
{
    qn_manifest m;
    cr_assert_eq(parse(HEAD SEG, &m, NULL), QUERN_OK);
    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0]; i++) {
        cr_assert_eq(qn_manifest_owns(FILES[i].name), FILES[i].owned, "%s", FILES[i].name);
        cr_assert_eq(qn_manifest_is_orphan(&m, FILES[i].name), FILES[i].orphan, "%s",
                     FILES[i].name);
    }
    cr_assert(qn_manifest_is_orphan(NULL, "s-1.qx"));
    cr_assert(!qn_manifest_is_orphan(NULL, "MANIFEST"));
    qn_manifest_free(&m);
}
