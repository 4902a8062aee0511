/*
 * Verifying against forgery: what checksums cannot see, since they are made right again - bounds
 * that are too low, counts that do not add up, lengths and ids that contradict - is found and
 * named.
 */
#include "index/segment/postings.h"
#include "index/segment/verify.h"
#include "tests/support/reseal.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static test_files files;

/* 1,500 documents, so that the frequent terms have several blocks and range maxima. */
static void setup(void)
{
    test_corpus corpus = test_corpus_new(9, 1500, 300, 60);
    quern_build_options options = QUERN_BUILD_OPTIONS;
    options.range_log2 = 6;
    test_files_new(&files, &corpus, &options);
    test_corpus_free(&corpus);
}

static void teardown(void)
{
    test_files_free(&files);
}

TestSuite(verify, .init = setup, .fini = teardown);

typedef struct told {
    unsigned n;
    char all[16384];
} told;

static void on_defect(void *arg, const char *file, const char *defect)
{
    told *heard = arg;
    size_t len = strlen(heard->all);
    (void)snprintf(heard->all + len, sizeof heard->all - len, "%s: %s\n", file, defect);
    heard->n++;
}

static quern_status verify(told *heard, quern_error *error)
{
    qn_segment segment;
    *heard = (told){0};
    *error = (quern_error){0};
    cr_assert(test_reseal(files.index, files.index_len));
    cr_assert(test_reseal(files.store, files.store_len));
    quern_status status = qn_segment_open_bytes(&segment, files.index, files.index_len, files.store,
                                                files.store_len, false, error);
    cr_assert_eq(status, QUERN_OK, "%s", error->message);
    status = qn_verify_segment(&segment, on_defect, heard, error);
    cr_assert_eq(qn_verify_segment(&segment, NULL, NULL, NULL), status);
    qn_segment_close(&segment);
    return status;
}

static uint8_t *section(uint32_t kind, size_t *len)
{
    size_t offset;
    cr_assert(test_section(files.index, files.index_len, kind, &offset, len));
    return files.index + offset;
}

static void expect_defect(const char *what)
{
    told heard;
    quern_error error;
    cr_expect_eq(verify(&heard, &error), QUERN_E_DAMAGED, "%s", what);
    cr_expect(heard.n > 0 && strstr(heard.all, what) != NULL, "%s, not %s", heard.all, what);
    cr_expect_eq(error.status, QUERN_E_DAMAGED);
    cr_expect_eq(strncmp(heard.all, error.message, strlen(error.message)), 0,
                 "the error is the first defect");
}

Test(verify, sound)
{
    told heard;
    quern_error error;
    cr_assert_eq(verify(&heard, &error), QUERN_OK, "%s", heard.all);
    cr_assert_eq(heard.n, 0u);
}

/* Lowers every bound of a section to nothing. */
Test(verify, range_bounds)
{
    size_t len;
    uint8_t *bounds = section(QN_SECTION_BOUNDS, &len);
    cr_assert_gt(len, 100u);
    memset(bounds, 0, len);
    expect_defect("a range's bound is too low");
}

/* The postings of a frequent term: its tables stand at the end of its extent. */
static uint8_t *tables_of(const char *term, uint32_t *n_blocks)
{
    qn_segment segment;
    qn_term_info info;
    cr_assert_eq(qn_segment_open_bytes(&segment, files.index, files.index_len, files.store,
                                       files.store_len, false, NULL),
                 QUERN_OK);
    cr_assert_eq(qn_dict_find(&segment.dict, term, strlen(term), &info, NULL), QUERN_OK);
    *n_blocks = (info.df + QN_BLOCK - 1) / QN_BLOCK;
    cr_assert_gt(*n_blocks, 1u);
    size_t len;
    uint8_t *end = section(QN_SECTION_POSTINGS, &len) + info.postings_off + info.postings_len;
    qn_segment_close(&segment);
    return end - 4 - 2 * QN_SEEDS - *n_blocks;
}

Test(verify, block_bounds)
{
    uint32_t n;
    uint8_t *max = tables_of("w1", &n);
    memset(max, 0, n);
    expect_defect("the term \"w1\": a block's bound is too low");
}

Test(verify, term_bound)
{
    uint32_t n;
    uint8_t *max = tables_of("w2", &n);
    qn_store_f32(max + n, 0.01f);
    expect_defect("the term \"w2\": its bound is too low");
}

Test(verify, sums)
{
    size_t len;
    uint8_t *n_postings = section(QN_SECTION_META, &len) + 24;
    qn_store_u64(n_postings, qn_load_u64(n_postings) + 1);
    expect_defect("terms, postings or tokens do not add up to META's");
}

Test(verify, length_codes)
{
    size_t len;
    uint8_t *codes = section(QN_SECTION_LENGTHS, &len);
    codes[700] ^= 1;
    expect_defect("a length and its code differ");
    codes[700] ^= 1;
    uint8_t *exact = section(QN_SECTION_EXACT_LENGTHS, &len);
    exact[0] ^= 1;
    expect_defect("the lengths do not add up to META's tokens");
}

/* An id changed in IDS: ID_LOOKUP still leads to the old one. */
Test(verify, ids)
{
    size_t len;
    uint8_t *ids = section(QN_SECTION_IDS, &len);
    cr_assert_eq(memcmp(ids,
                        "\x02"
                        "d0",
                        3),
                 0);
    ids[1] = 'x';
    expect_defect("an id does not lead back to its document");
}

/* A tf that is larger than what the dictionary's cf allows, or a gap: the lists disagree. */
Test(verify, postings)
{
    told heard;
    quern_error error;
    size_t len;
    uint8_t *postings = section(QN_SECTION_POSTINGS, &len);
    unsigned n_found = 0;
    for (size_t at = 3; at < len; at += len / 40) {
        postings[at] ^= 4;
        n_found += verify(&heard, &error) == QUERN_E_DAMAGED;
        postings[at] ^= 4;
    }
    cr_expect_gt(n_found, 30u, "%u", n_found);
}

/* Damage to the bytes is told by checksum alone: what follows from it is not repeated. */
Test(verify, checksums_first)
{
    qn_segment segment;
    told heard = {0};
    quern_error error = {0};
    size_t len;
    section(QN_SECTION_LENGTHS, &len)[3] ^= 1;
    cr_assert_eq(qn_segment_open_bytes(&segment, files.index, files.index_len, files.store,
                                       files.store_len, false, &error),
                 QUERN_OK);
    cr_assert_eq(qn_verify_segment(&segment, on_defect, &heard, &error), QUERN_E_DAMAGED);
    cr_assert_eq(heard.n, 1u, "%s", heard.all);
    qn_segment_close(&segment);
}
