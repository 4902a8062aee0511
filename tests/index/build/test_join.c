/* Joining segments that are forged, which no checksum stops, fails or makes a segment, and never
 * crashes; damage is not joined. (tests/engine/test_living.c has what joining makes of sound ones.)
 */
#define _GNU_SOURCE
#include "index/build/join.h"

#include "tests/support/reseal.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N = 1200, ROUNDS = 150, ROUNDS_FULL = 20000 };

/* Joins two segments, the first of which may be forged. Whatever becomes of it, no temporary file
 * stays. */
static quern_status join(const test_files *a, const test_files *b, bool paranoid, int dirfd,
                         const char *path, quern_error *error)
{
    qn_segment segment[2] = {{.n_windows = 0}};
    quern_status status = qn_segment_open_bytes(&segment[0], a->index, a->index_len, a->store,
                                                a->store_len, paranoid, error);
    if (status != QUERN_OK)
        return status;
    cr_assert_eq(qn_segment_open_bytes(&segment[1], b->index, b->index_len, b->store, b->store_len,
                                       paranoid, error),
                 QUERN_OK);
    qn_join_input input = {.segment = segment,
                           .n = 2,
                           .k1 = 0.9f,
                           .b = 0.4f,
                           .reorder = segment[0].ordinals != NULL,
                           .memory = 1 << 20,
                           .threads = 1};
    qn_join_files files;
    qn_manifest_segment entry;
    if (segment[0].meta.positions == segment[1].meta.positions) {
        status = qn_join(&input, dirfd, path, &files, &entry, error);
        if (status == QUERN_OK) {
            cr_assert_eq(entry.documents,
                         (uint64_t)segment[0].meta.n_docs + segment[1].meta.n_docs);
            cr_assert_eq(unlinkat(dirfd, files.index, 0), 0);
            cr_assert_eq(unlinkat(dirfd, files.docs, 0), files.stored ? 0 : -1);
        } else {
            cr_assert_eq(faccessat(dirfd, files.index, F_OK, 0), -1);
            cr_assert_eq(faccessat(dirfd, files.docs, F_OK, 0), -1);
        }
    }
    qn_segment_close(&segment[0]);
    qn_segment_close(&segment[1]);
    return status;
}

typedef struct fixture {
    test_files a, b;
    char *path;
    int dirfd;
} fixture;

static void start(fixture *f, quern_tune tune, bool reorder)
{
    quern_build_options options = QUERN_BUILD_OPTIONS;
    options.tune = tune;
    options.reorder = reorder;
    test_corpus corpus = test_corpus_new(5, N, 300, 60);
    test_files_new(&f->a, &corpus, &options);
    test_corpus_free(&corpus);
    corpus = test_corpus_new(6, N / 2, 300, 60);
    test_files_new(&f->b, &corpus, &options);
    test_corpus_free(&corpus);
    f->dirfd = test_dir_open(&f->path);
}

static void finish(fixture *f)
{
    test_files_free(&f->a);
    test_files_free(&f->b);
    test_dir_close(f->dirfd, f->path);
}

static void join_forged(bool reorder)
{
    unsigned rounds = getenv("QUERN_FULL") != NULL ? ROUNDS_FULL : ROUNDS;
    for (quern_tune tune = QUERN_TUNE_BALANCED; tune <= QUERN_TUNE_SPEED; tune++) {
        fixture f;
        start(&f, tune, reorder);
        test_random random = 17 + (unsigned)tune;
        quern_error error;
        cr_assert_eq(join(&f.a, &f.b, true, f.dirfd, f.path, &error), QUERN_OK, "%s",
                     error.message);
        uint8_t *copy = malloc(f.a.index_len);
        memcpy(copy, f.a.index, f.a.index_len);
        unsigned failed = 0;
        for (unsigned round = 0; round < rounds; round++) {
            /* Half of the changes where the structure is: lists, dictionary, META. */
            static const uint32_t in_order[] = {1, 4, 5, 6, 7, 9}, or_not[] = {1, 4, 5, 6, 7, 12};
            const uint32_t *kinds = reorder ? or_not : in_order;
            size_t offset = 4096, len = f.a.index_len - 4096;
            if (round % 2 == 0)
                cr_assert(test_section(copy, f.a.index_len, kinds[round / 2 % 6], &offset, &len));
            for (unsigned i = 0; i < 1 + round % 3 && len > 0; i++)
                f.a.index[offset + test_below(&random, (uint32_t)len)] =
                    (uint8_t)test_next(&random);
            (void)test_reseal(f.a.index, f.a.index_len);
            quern_status status = join(&f.a, &f.b, false, f.dirfd, f.path, &error);
            failed += status != QUERN_OK;
            cr_assert(status == QUERN_OK || status == QUERN_E_DAMAGED ||
                          status == QUERN_E_VERSION || status == QUERN_E_ARGUMENT ||
                          status == QUERN_E_MEMORY,
                      "round %u: %s", round, error.message);
            memcpy(f.a.index, copy, f.a.index_len);
        }
        cr_assert_gt(failed, rounds / 10, "%u of %u", failed, rounds);
        free(copy);
        finish(&f);
    }
}

Test(join, forged_segments_never_crash, .timeout = 900)
{
    join_forged(false);
}

Test(join, forged_reordered_segments_never_crash, .timeout = 900)
{
    join_forged(true);
}

/* Deletions that are forged: bits past the last document made live documents more than the new
 * segment was made for, and their numbers reached past its lengths. */
Test(join, forged_deletions_are_refused)
{
    fixture f;
    start(&f, QUERN_TUNE_BALANCED, false);
    qn_segment segment;
    qn_join_files files;
    qn_manifest_segment entry;
    quern_error error;
    cr_assert_eq(qn_segment_open_bytes(&segment, f.a.index, f.a.index_len, f.a.store, f.a.store_len,
                                       true, &error),
                 QUERN_OK);
    uint8_t *bits = calloc(1, (size_t)segment.n_windows * (QN_WINDOW / 8) + 64);
    qn_join_input input = {.segment = &segment, .n = 1, .k1 = 0.9f, .b = 0.4f};
    segment.deleted = segment.gone = bits;
    bits[3] = 0x10;
    for (unsigned forged = 0; forged < 3; forged++) {
        segment.n_deleted = forged == 2 ? 2 : 1; /* one more than bits are set */
        if (forged == 1) {                       /* a bit that is no document's */
            bits[3] = 0;
            bits[(N + 40) / 8] = 1;
        }
        quern_status status = qn_join(&input, f.dirfd, f.path, &files, &entry, &error);
        cr_assert_eq(status, forged == 0 ? QUERN_OK : QUERN_E_DAMAGED, "%u", forged);
        if (forged == 0) {
            cr_assert_eq(entry.documents, N - 1);
            cr_assert_eq(unlinkat(f.dirfd, files.index, 0), 0);
            cr_assert_eq(unlinkat(f.dirfd, files.docs, 0), 0);
        }
        bits[(N + 40) / 8] = 0;
        bits[3] = 0x10;
    }
    segment.deleted = segment.gone = NULL;
    qn_segment_close(&segment);
    free(bits);
    finish(&f);
}

/* A bit that changed on the disk is found by its checksum, and not copied under a new one. */
static void find_damage(bool reorder)
{
    fixture f;
    start(&f, QUERN_TUNE_BALANCED, reorder);
    test_random random = 3;
    quern_error error;
    for (unsigned round = 0; round < 60; round++) {
        size_t at = 0, len = 0;
        bool store = round % 3 == 0;
        uint8_t *bytes = store ? f.a.store : f.a.index;
        uint32_t kind = store ? 32 : reorder && round % 2 == 0 ? 12 : round % 3 == 1 ? 6 : 7;
        cr_assert(test_section(bytes, store ? f.a.store_len : f.a.index_len, kind, &at, &len));
        at += test_below(&random, (uint32_t)len);
        uint8_t was = bytes[at];
        bytes[at] ^= (uint8_t)(1u << test_below(&random, 8));
        cr_assert_eq(join(&f.a, &f.b, true, f.dirfd, f.path, &error), QUERN_E_DAMAGED,
                     "byte %zu of section %u", at, kind);
        cr_assert_not_null(strstr(error.message, "checksum"), "%s", error.message);
        bytes[at] = was;
    }
    finish(&f);
}

Test(join, damage_is_found)
{
    find_damage(false);
    find_damage(true);
}
