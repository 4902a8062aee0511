/* The file of deletions: written, read, and refused where it does not fit its segment. */
#define _GNU_SOURCE
#include "index/segment/deletes.h"

#include "index/segment/format.h"
#include "index/segment/segment.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { N = 10000 };

typedef struct fixture {
    char *path;
    int dirfd;
    uint64_t *words;
    uint64_t *by_ordinal; /* of reordered documents: as the words, last document first */
    uint64_t n;
    qn_manifest_segment entry;
    char name[QN_MANIFEST_FILE_MAX];
} fixture;

static void start(fixture *f, uint32_t n_docs, uint32_t share, bool reordered)
{
    test_random random = n_docs;
    *f = (fixture){.entry = {.name = "s-1", .documents = n_docs}};
    f->dirfd = test_dir_open(&f->path);
    f->words = calloc(1, qn_deletes_bytes(n_docs) + 1);
    f->by_ordinal = calloc(1, qn_deletes_bytes(n_docs) + 1);
    for (uint32_t doc = 0; doc < n_docs; doc++) {
        if (test_below(&random, 100) >= share)
            continue;
        uint32_t ordinal = n_docs - 1 - doc;
        f->words[doc / 64] |= (uint64_t)1 << doc % 64;
        f->by_ordinal[ordinal / 64] |= (uint64_t)1 << ordinal % 64;
        f->n++;
    }
    quern_error error;
    const qn_deletes deletes = {f->words, reordered ? f->by_ordinal : NULL, f->n};
    cr_assert_eq(qn_deletes_write(&f->entry, &deletes, f->dirfd, f->path, &error), QUERN_OK, "%s",
                 error.message);
    qn_manifest_deletes_name(&f->entry, f->name);
}

static void finish(fixture *f)
{
    free(f->words);
    free(f->by_ordinal);
    test_dir_close(f->dirfd, f->path);
}

static void check_read(const fixture *f, uint32_t n_docs, bool reordered, unsigned way)
{
    quern_open_options options = QUERN_OPEN_OPTIONS;
    options.paranoid = (way & 1) != 0;
    options.no_mmap = (way & 2) != 0;
    qn_container file;
    quern_error error;
    cr_assert_eq(qn_deletes_open(&file, f->dirfd, &f->entry, &options, &error), QUERN_OK, "%s",
                 error.message);
    const uint8_t *words = qn_deletes_words(&file, false);
    const uint8_t *by_ordinal = qn_deletes_words(&file, true);
    cr_assert_eq(memcmp(words, f->words, qn_deletes_bytes(n_docs)), 0);
    cr_assert_eq(by_ordinal != NULL, reordered);
    if (reordered)
        cr_assert_eq(memcmp(by_ordinal, f->by_ordinal, qn_deletes_bytes(n_docs)), 0);
    uint64_t n;
    cr_assert(qn_deletes_count(words, n_docs, &n));
    cr_assert_eq(n, f->n);
    qn_segment segment = {.deleted = words, .gone = reordered ? by_ordinal : words};
    for (uint32_t doc = 0; doc < n_docs; doc++) {
        bool deleted = (f->words[doc / 64] >> doc % 64 & 1) != 0;
        cr_assert_eq(qn_segment_is_deleted(&segment, doc), deleted);
        cr_assert_eq(qn_segment_is_gone(&segment, reordered ? n_docs - 1 - doc : doc), deleted);
    }
    qn_container_close(&file);
}

Test(deletes, what_was_written_is_read)
{
    static const uint32_t sizes[] = {1, 63, 64, 4096, 4097, N};
    for (unsigned i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        fixture f;
        uint32_t n_docs = sizes[i / 2];
        start(&f, n_docs, 50, i % 2 == 1);
        for (unsigned way = 0; way < 4; way++)
            check_read(&f, n_docs, i % 2 == 1, way);
        finish(&f);
    }
}

/* The same deletions have the same name, others another. */
Test(deletes, names_follow_from_what_is_deleted)
{
    fixture a, b, c;
    start(&a, N, 10, false);
    start(&b, N, 10, false);
    start(&c, N, 11, false);
    cr_assert_str_eq(a.name, b.name);
    cr_assert_str_neq(a.name, c.name);
    finish(&a);
    finish(&b);
    finish(&c);
}

static void expect(const fixture *f, const uint8_t *bytes, size_t len,
                   const qn_manifest_segment *entry, bool paranoid, quern_status expected,
                   const char *message)
{
    qn_container file = {0};
    quern_error error = {0};
    quern_status status = qn_deletes_open_bytes(&file, bytes, len, entry, paranoid, &error);
    cr_assert_eq(status, expected, "%s: %s", f->name, error.message);
    if (message != NULL)
        cr_assert_not_null(strstr(error.message, message), "%s", error.message);
    qn_container_close(&file);
}

static void check_refused(unsigned i)
{
    fixture f;
    start(&f, N, 30, i == 1);
    size_t len;
    uint8_t *bytes = test_read_at(f.dirfd, f.name, &len);
    expect(&f, bytes, len, &f.entry, false, QUERN_OK, NULL);
    qn_manifest_segment other = f.entry;
    other.deletes_checksum++;
    expect(&f, bytes, len, &other, false, QUERN_E_DAMAGED, "manifest names");
    other = f.entry;
    other.documents = 3 * N;
    expect(&f, bytes, len, &other, false, QUERN_E_DAMAGED, "wrong size");
    other.documents = N + 1; /* as many windows */
    expect(&f, bytes, len, &other, false, QUERN_E_DAMAGED, "other counts");
    other = f.entry;
    other.deleted--;
    expect(&f, bytes, len, &other, false, QUERN_E_DAMAGED, "other counts");
    for (size_t cut = 0; cut < len; cut += 1 + len / 50) {
        uint8_t *less = test_copy(bytes, cut);
        expect(&f, less, cut, &f.entry, false, QUERN_E_DAMAGED, NULL);
        free(less);
    }
    /* A changed bit is found by a paranoid reader at once. */
    bytes[5000] ^= 4;
    expect(&f, bytes, len, &f.entry, true, QUERN_E_DAMAGED, "checksum");
    free(bytes);
    finish(&f);
}

Test(deletes, what_does_not_fit_is_refused)
{
    check_refused(0);
    check_refused(1);
}

Test(deletes, bits_past_the_last_document_are_found)
{
    uint64_t words[128] = {0};
    uint64_t n;
    words[0] = 3;
    cr_assert(qn_deletes_count((const uint8_t *)words, 70, &n));
    cr_assert_eq(n, 2);
    words[1] = (uint64_t)1 << 5;
    cr_assert(qn_deletes_count((const uint8_t *)words, 70, &n));
    cr_assert_eq(n, 3);
    words[1] = (uint64_t)1 << 6;
    cr_assert(!qn_deletes_count((const uint8_t *)words, 70, &n));
    words[1] = 0;
    words[63] = (uint64_t)1 << 63;
    cr_assert(!qn_deletes_count((const uint8_t *)words, 70, &n));
}
