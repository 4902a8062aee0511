/* Inversion and runs: what is read back of a run is what naive bookkeeping says, wherever runs end.
 */
#define _GNU_SOURCE
#include "index/build/inverter.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DOCS = 400, TERMS = 60, TOKENS_MAX = 300 };

/* position + 1 of every occurrence, by term and document; 0 ends. */
typedef struct occurrences {
    uint32_t n[TERMS][DOCS];
    uint32_t at[TERMS][DOCS][TOKENS_MAX];
} occurrences;

typedef struct fixture {
    char *dir;
    int dirfd;
    qn_analyzer *analyzer;
    qn_vocabulary vocabulary;
    qn_inverter inverter;
    occurrences *expected;
} fixture;

static void setup(fixture *f, bool positions)
{
    f->dir = test_dir_new();
    f->dirfd = open(f->dir, O_RDONLY | O_DIRECTORY);
    qn_analyzer_settings settings = {"none", {NULL, 0}};
    cr_assert_eq(qn_analyzer_new(&f->analyzer, &settings, NULL), QUERN_OK);
    cr_assert_eq(qn_vocabulary_init(&f->vocabulary, f->analyzer, NULL), QUERN_OK);
    cr_assert_eq(qn_inverter_init(&f->inverter, &f->vocabulary, positions, f->dirfd, f->dir, NULL),
                 QUERN_OK);
    f->expected = calloc(1, sizeof *f->expected);
}

static void teardown(fixture *f)
{
    qn_inverter_free(&f->inverter);
    qn_vocabulary_free(&f->vocabulary);
    qn_analyzer_free(f->analyzer);
    free(f->expected);
    (void)close(f->dirfd);
    test_dir_free(f->dir);
}

static void add_documents(fixture *f, unsigned flush_every)
{
    test_random random = 3;
    for (uint32_t doc = 0; doc < DOCS; doc++) {
        if (doc % flush_every == 0)
            cr_assert_eq(qn_inverter_flush(&f->inverter, NULL), QUERN_OK);
        uint32_t n = test_below(&random, TOKENS_MAX), position = 0;
        cr_assert_eq(qn_inverter_document(&f->inverter, n * 130 + 1, NULL), QUERN_OK);
        for (uint32_t i = 0; i < n; i++) {
            char word[16];
            unsigned number = test_below(&random, TERMS);
            (void)snprintf(word, sizeof word, "t%02u", number);
            uint32_t term;
            cr_assert_eq(qn_vocabulary_term(&f->vocabulary, word, 3, &term, NULL), QUERN_OK);
            cr_assert_eq(qn_inverter_token(&f->inverter, term, position, NULL), QUERN_OK);
            f->expected->at[number][doc][f->expected->n[number][doc]++] = position;
            position += test_below(&random, 20) == 0 ? 127 : test_below(&random, 9) == 0 ? 0 : 1;
        }
    }
    cr_assert_eq(qn_inverter_flush(&f->inverter, NULL), QUERN_OK);
    cr_assert_eq(qn_inverter_spill(&f->inverter, NULL), QUERN_OK);
}

/* The keys of the list at hand, all of them; *n how many. To be freed. */
static uint64_t *read_keys(qn_run_reader *reader, const qn_run *run, size_t *n)
{
    static qn_run_chunk chunk;
    uint64_t *all = NULL;
    qn_keys keys;
    quern_status status;
    *n = 0;
    while ((status = qn_run_reader_keys(reader, &chunk, &keys, NULL)) == QUERN_OK) {
        cr_assert(keys.n > 0 && keys.n <= QN_RUN_CHUNK && keys.first_doc == run->first_doc);
        cr_assert_eq(keys.position_bits, run->position_bits);
        all = realloc(all, (*n + keys.n) * sizeof *all);
        cr_assert_not_null(all);
        for (size_t i = 0; i < keys.n; i++)
            all[(*n)++] = qn_keys_at(&keys, i);
    }
    cr_assert_eq(status, QUERN_END);
    return all;
}

/* Reads a run and takes every occurrence off the expected ones. */
static void check_run(fixture *f, const qn_run *run, bool positions)
{
    qn_run_reader reader;
    quern_error error;
    cr_assert_eq(qn_run_reader_open(&reader, run, 0, &error), QUERN_OK);
    char before[256] = "";
    quern_status status;
    while ((status = qn_run_reader_list(&reader, &error)) == QUERN_OK) {
        char word[256];
        (void)snprintf(word, sizeof word, "%.*s", (int)reader.term_len, reader.term);
        cr_assert_gt(strcmp(word, before), 0, "terms ascend");
        memcpy(before, word, sizeof before);
        unsigned number = (unsigned)strtoul(word + 1, NULL, 10);
        size_t n;
        uint64_t *key = read_keys(&reader, run, &n);
        for (size_t i = 0; i < n;) {
            uint32_t doc = run->first_doc + (uint32_t)(key[i] >> run->position_bits), tf = 0;
            cr_assert_lt(doc, DOCS);
            for (; i < n && run->first_doc + (key[i] >> run->position_bits) == doc; i++, tf++)
                if (positions)
                    cr_assert_eq(key[i] & (((uint64_t)1 << run->position_bits) - 1),
                                 f->expected->at[number][doc][tf]);
            cr_assert_eq(tf, f->expected->n[number][doc]);
            f->expected->n[number][doc] = 0;
        }
        free(key);
    }
    cr_assert_eq(status, QUERN_END);
    qn_run_reader_close(&reader);
}

static void check(unsigned flush_every, bool positions)
{
    fixture f;
    setup(&f, positions);
    add_documents(&f, flush_every);
    cr_assert_eq(f.inverter.n_runs, (DOCS + flush_every - 1) / flush_every);
    for (size_t i = 0; i < f.inverter.n_runs; i++)
        check_run(&f, &f.inverter.run[i], positions);
    for (unsigned term = 0; term < TERMS; term++)
        for (unsigned doc = 0; doc < DOCS; doc++)
            cr_assert_eq(f.expected->n[term][doc], 0, "an occurrence was lost");
    teardown(&f);
}

Test(inverter, one_run)
{
    check(DOCS, true);
}

Test(inverter, many_runs)
{
    check(7, true);
}

Test(inverter, a_run_a_document)
{
    check(1, true);
}

Test(inverter, without_positions)
{
    check(50, false);
}

/* Documents with two words as far apart as they may be. */
static void add_far(fixture *f, uint32_t n)
{
    uint32_t term;
    cr_assert_eq(qn_vocabulary_term(&f->vocabulary, "t00", 3, &term, NULL), QUERN_OK);
    for (uint32_t doc = 0; doc < n; doc++) {
        cr_assert_eq(qn_inverter_document(&f->inverter, QN_POSITIONS_MAX, NULL), QUERN_OK);
        cr_assert_eq(qn_inverter_token(&f->inverter, term, 0, NULL), QUERN_OK);
        cr_assert_eq(qn_inverter_token(&f->inverter, term, QN_POSITIONS_MAX - 1, NULL), QUERN_OK);
        f->expected->n[0][doc] = 2;
        f->expected->at[0][doc][1] = QN_POSITIONS_MAX - 1;
    }
    cr_assert_eq(qn_inverter_flush(&f->inverter, NULL), QUERN_OK);
    cr_assert_not_null(f->inverter.run[0].resident->wide);
}

/* Positions that reach far make keys of 64 bits; near ones, of 32. */
Test(inverter, far_positions)
{
    fixture f;
    setup(&f, true);
    uint32_t term;
    add_far(&f, 20);
    cr_assert_eq(qn_vocabulary_term(&f.vocabulary, "t00", 3, &term, NULL), QUERN_OK);
    cr_assert_eq(qn_inverter_document(&f.inverter, 2, NULL), QUERN_OK);
    cr_assert_eq(qn_inverter_token(&f.inverter, term, 1, NULL), QUERN_OK);
    f.expected->n[0][20] = 1;
    f.expected->at[0][20][0] = 1;
    cr_assert_eq(qn_inverter_flush(&f.inverter, NULL), QUERN_OK);
    cr_assert_not_null(f.inverter.run[1].resident->narrow);
    cr_assert_gt(qn_inverter_bytes(&f.inverter), 40u * 8 + 4);
    cr_assert_eq(qn_inverter_spill(&f.inverter, NULL), QUERN_OK);
    cr_assert_eq(f.inverter.n_runs, 2u);
    for (size_t i = 0; i < f.inverter.n_runs; i++)
        check_run(&f, &f.inverter.run[i], true);
    for (uint32_t doc = 0; doc < 20; doc++)
        cr_assert_eq(f.expected->n[0][doc], 0);
    cr_assert_eq(qn_inverter_document(&f.inverter, QN_POSITIONS_MAX + 1, NULL), QUERN_E_INPUT);
    teardown(&f);
}

/* What makes keys wide is left out of a spool where positions are. */
Test(inverter, far_positions_that_are_not_kept)
{
    fixture f;
    setup(&f, false);
    add_far(&f, DOCS);
    cr_assert_eq(qn_inverter_spill(&f.inverter, NULL), QUERN_OK);
    cr_assert_eq(f.inverter.n_runs, 1u);
    cr_assert_not(f.inverter.run[0].wide);
    cr_assert_eq(f.inverter.run[0].position_bits, 0u);
    check_run(&f, &f.inverter.run[0], false);
    for (uint32_t doc = 0; doc < DOCS; doc++)
        cr_assert_eq(f.expected->n[0][doc], 0);
    teardown(&f);
}
