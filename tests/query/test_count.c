/* Counting at every level against the exhaustive evaluator with room for all documents, the inner
 * loops of each level against portable code, and counting in forged indexes. */
#define _GNU_SOURCE
#include "query/count_kernels.h"

#include "index/base/bytes.h"
#include "query/search.h"
#include "query/topk.h"
#include "tests/support/query_index.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char *const levels[] = {"scalar", "avx2", "avx512"};

static const test_query_params unions = {.max_clauses = 12};
static const test_query_params excluding = {.max_clauses = 8, .nots = true};
static const test_query_params conjunctive = {.max_clauses = 5, .musts = true, .nots = true};
static const test_query_params phrases = {.max_clauses = 3, .phrases = true};
static const test_query_params mixed = {
    .max_clauses = 6, .musts = true, .nots = true, .phrases = true};

static const test_index_params small = {.seed = 1,
                                        .n_docs = 9000,
                                        .vocabulary = 60,
                                        .max_words = 12,
                                        .copies = 1,
                                        .n_segments = 1,
                                        .coded_df = 300,
                                        .dense_df = 900,
                                        .k1 = 0.9f,
                                        .b = 0.4f};

static uint64_t count(qn_search *search, const qn_query *query)
{
    quern_error error;
    uint64_t n = 99;
    cr_assert_eq(qn_search_count(search, query, &n, &error), QUERN_OK, "%s", error.message);
    return n;
}

/* Random queries against one index at one level, by a searcher that is kept: what one query leaves
 * in scratch memory must not matter to the next. */
static void check_level(test_index *index, const test_query_params *kinds, unsigned n_queries)
{
    test_index_use_level(index);
    quern_search_options options = QUERN_SEARCH_OPTIONS;
    options.evaluator = "exhaustive";
    qn_search *search;
    quern_error error;
    cr_assert_eq(qn_search_new(&search, index->segment, index->n_segments, &options, &error),
                 QUERN_OK, "%s", error.message);
    test_random random = index->params.seed + 7;
    for (unsigned i = 0; i < n_queries; i++) {
        static test_query query;
        test_query_random(&query, kinds, index->params.vocabulary, &random);
        const quern_hit *hits;
        size_t n;
        cr_assert_eq(qn_search_run(search, &query.query, QN_TOPK_MAX, &hits, &n, &error), QUERN_OK,
                     "%s", error.message);
        uint32_t best = n > 0 ? hits[0].doc : 0;
        uint64_t counted = count(search, &query.query);
        cr_assert_eq(counted, (uint64_t)n, "query %u: %llu, not %zu", i,
                     (unsigned long long)counted, n);
        cr_assert_str_eq(qn_search_evaluator(search), "count");
        cr_assert(n == 0 || hits[0].doc == best); /* hits stay */
    }
    qn_search_free(search);
}

static void check_index(const test_index_params *params, unsigned n_queries)
{
    static const test_query_params *const kinds[] = {&unions, &excluding, &conjunctive, &phrases,
                                                     &mixed};
    test_index index;
    test_index_new(&index, params);
    for (unsigned level = 0; level < 3; level++) {
        (void)setenv("QUERN_CPU", levels[level], 1);
        for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            test_query_params kind = *kinds[i];
            kind.n_fields = params->n_fields;
            check_level(&index, &kind, n_queries);
            kind.groups = true;
            check_level(&index, &kind, n_queries / 2);
        }
    }
    test_index_free(&index);
}

Test(count, equals_exhaustive)
{
    check_index(&small, 30);
}

Test(count, several_segments)
{
    test_index_params params = small;
    params.n_segments = 3;
    params.seed = 2;
    check_index(&params, 20);
}

Test(count, several_fields)
{
    test_index_params params = small;
    params.n_fields = 3;
    params.n_segments = 2;
    params.seed = 4;
    check_index(&params, 15);
    params.deleted = 200;
    params.coded_df = params.dense_df = 129;
    check_index(&params, 15);
}

Test(count, without_positions)
{
    test_index_params params = small;
    params.no_positions = true;
    params.seed = 3;
    check_index(&params, 15);
}

/* Deleted documents do not count, whatever the form of the lists. */
Test(count, with_deletions)
{
    test_index_params params = small;
    params.deleted = 200;
    params.n_segments = 2;
    check_index(&params, 15);
    params.vocabulary = 8;
    params.coded_df = params.dense_df = 129;
    check_index(&params, 15);
    params.dense_df = UINT32_MAX;
    params.no_positions = true;
    check_index(&params, 15);
    params.deleted = 1000;
    params.coded_df = UINT32_MAX;
    check_index(&params, 5);
}

Test(count, of_reordered_documents)
{
    test_index_params params = small;
    params.reordered = true;
    params.n_segments = 2;
    params.deleted = 200;
    check_index(&params, 15);
    params.vocabulary = 8;
    params.coded_df = params.dense_df = 129;
    check_index(&params, 15);
}

/* Every list sparse, in groups, a bitmap; so few documents that a window is not filled. */
Test(count, forms_of_lists)
{
    test_index_params params = small;
    params.vocabulary = 8;
    params.coded_df = params.dense_df = 129;
    check_index(&params, 15);
    params.dense_df = UINT32_MAX;
    check_index(&params, 15);
    params.coded_df = UINT32_MAX;
    check_index(&params, 15);
    params.n_docs = 50;
    check_index(&params, 15);
}

Test(count, of_an_index_without_segments_is_none)
{
    qn_search *search;
    quern_search_options options = QUERN_SEARCH_OPTIONS;
    cr_assert_eq(qn_search_new(&search, NULL, 0, &options, NULL), QUERN_OK);
    static test_query query;
    test_query_word(&query, QN_SHOULD, 1, 0);
    cr_assert_eq(count(search, &query.query), (uint64_t)0);
    qn_search_free(search);
}

/* ---- kernels ---- */

enum { SETS = 5, WORDS = 192, ROUNDS = 60 };

static void fill(uint8_t *set, test_random *random)
{
    unsigned rare = test_below(random, 4);
    for (size_t i = 0; i < 8 * WORDS; i++) {
        uint64_t bits = test_next(random);
        for (unsigned k = 0; k < rare; k++)
            bits &= test_next(random);
        set[i] = (uint8_t)bits;
    }
}

static void check_counts(const qn_count_kernels *kernels, const qn_count_kernels *oracle,
                         const uint8_t *const *sets)
{
    for (size_t words = 64; words <= WORDS; words += 64) {
        for (size_t n = 1; n <= SETS; n++) {
            uint64_t expected = 0;
            for (size_t i = 0; i < words; i++) {
                uint64_t word = 0;
                for (size_t s = 0; s < n; s++)
                    word |= qn_load_u64(sets[s] + 8 * i);
                expected += (uint64_t)__builtin_popcountll(word);
            }
            cr_assert_eq(kernels->count_any(sets, n, words), expected);
            for (size_t all = 1; all <= n; all++)
                cr_assert_eq(kernels->count_all(sets, all, n, words),
                             oracle->count_all(sets, all, n, words));
        }
    }
    uint64_t a[WORDS], b[WORDS];
    memcpy(a, sets[0], sizeof a);
    for (size_t i = 0; i < WORDS; i++)
        b[i] = ((a[i] | qn_load_u64(sets[1] + 8 * i)) & qn_load_u64(sets[2] + 8 * i)) &
               ~qn_load_u64(sets[3] + 8 * i);
    kernels->add(a, sets[1], WORDS);
    kernels->keep(a, sets[2], WORDS);
    kernels->drop(a, sets[3], WORDS);
    cr_assert_eq(memcmp(a, b, sizeof a), 0);
}

static void check_docs(const qn_count_kernels *kernels, const uint8_t *set, test_random *random)
{
    uint32_t docs[200 + 16], kept[200 + 16], n = 0, least = test_below(random, 64);
    for (uint32_t doc = least; doc < 64 * WORDS && n < 200; doc += 1 + test_below(random, 90))
        docs[n++] = doc;
    n = test_below(random, n + 1);
    for (unsigned wanted = 0; wanted < 2; wanted++) {
        size_t n_kept = kernels->filter(set, docs, n, wanted, kept), at = 0;
        for (uint32_t i = 0; i < n; i++)
            if ((set[docs[i] / 8] >> docs[i] % 8 & 1) == wanted)
                cr_assert(at < n_kept && kept[at++] == docs[i]);
        cr_assert_eq(at, n_kept);
    }
    uint64_t words[WORDS], before[WORDS];
    memcpy(words, set, sizeof words);
    memcpy(before, set, sizeof before);
    size_t added = kernels->filter(set, docs, n, false, kept);
    cr_assert_eq(kernels->mark_new(words, docs, n), added);
    cr_assert_eq(kernels->mark_new(words, docs, n), (size_t)0);
    kernels->unmark(words, kept, added);
    cr_assert_eq(memcmp(words, before, sizeof words), 0);
    kernels->mark(words, kept, added);
    cr_assert_eq(kernels->mark_new(words, docs, n), (size_t)0);
    /* In place. */
    cr_assert_eq(kernels->filter(set, docs, n, false, docs), added);
    cr_assert_eq(memcmp(docs, kept, added * sizeof *docs), 0);
}

Test(count, kernels_of_all_levels)
{
    test_random random = 5;
    const qn_count_kernels *oracle = qn_count_kernels_for(QN_CPU_SCALAR);
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint8_t *bytes[SETS]; /* of their own length, so that AddressSanitizer sees over-reads */
        const uint8_t *sets[SETS];
        for (size_t s = 0; s < SETS; s++) {
            size_t skew = test_below(&random, 9);
            bytes[s] = malloc(skew + 8 * WORDS);
            fill(bytes[s] + skew, &random);
            sets[s] = bytes[s] + skew;
        }
        for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
            check_counts(qn_count_kernels_for(cpu), oracle, sets);
            check_docs(qn_count_kernels_for(cpu), sets[4], &random);
        }
        for (size_t s = 0; s < SETS; s++)
            free(bytes[s]);
    }
}

/* Documents of groups, sound and of any bytes: no more than there are, all in the window. */
Test(count, documents_of_groups)
{
    test_random random = 6;
    static uint32_t docs[4096 + 16];
    for (unsigned round = 0; round < 20 * ROUNDS; round++) {
        uint16_t starts[16];
        uint32_t df = 0, base = test_below(&random, 9), first = 4096 * test_below(&random, 1000);
        bool forged = round % 3 == 0;
        for (unsigned g = 0; g < 16; g++) {
            starts[g] = (uint16_t)df;
            df += test_below(&random, round % 2 == 0 ? 257 : 20);
            if (forged && test_below(&random, 4) == 0)
                starts[g] = (uint16_t)test_next(&random);
        }
        uint8_t *low = malloc(base + df + 64); /* AddressSanitizer sees over-reads */
        for (uint32_t i = 0; i < base + df + 64; i++)
            low[i] = (uint8_t)test_next(&random);
        qn_group_window window = {(const uint8_t *)starts, base, base + df, base + df, low, NULL};
        uint64_t words[64] = {0}, found[64];
        qn_eval_kernels_for(QN_CPU_SCALAR)->group_words(&window, words);
        for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
            size_t n = qn_count_kernels_for(cpu)->group_docs(&window, first, docs);
            cr_assert(forged ? n <= 4096 : n == df);
            memset(found, 0, sizeof found);
            for (size_t i = 0; i < n; i++) {
                cr_assert(docs[i] >= first && docs[i] - first < 4096);
                found[(docs[i] - first) / 64] |= (uint64_t)1 << docs[i] % 64;
                cr_assert(forged || docs[i] % 256 == low[base + i]);
            }
            cr_assert_eq(memcmp(words, found, sizeof words), 0, "%s", qn_cpu_name(cpu));
        }
        free(low);
    }
}

/* ---- forged bytes ---- */

/* After an error the searcher must count as if nothing had been. */
static void check_damaged(uint32_t kind, uint32_t dense_df)
{
    test_index_params params = small;
    params.n_docs = 3000;
    params.dense_df = dense_df;
    test_index index;
    test_index_new(&index, &params);
    test_random random = kind;
    qn_section section = index.segment[0].index.section[kind];
    uint8_t *bytes = index.bytes[0] + (section.data - index.bytes[0]);
    uint8_t *whole = malloc(section.len);
    memcpy(whole, bytes, section.len);
    quern_search_options options = QUERN_SEARCH_OPTIONS;
    qn_search *search, *fresh;
    cr_assert_eq(qn_search_new(&search, index.segment, 1, &options, NULL), QUERN_OK);
    unsigned n_failed = 0;
    for (unsigned round = 0; round < 400; round++) {
        for (unsigned i = test_below(&random, 20) + 1; i > 0; i--)
            bytes[test_below(&random, (uint32_t)section.len)] ^=
                (uint8_t)(1u << test_below(&random, 8));
        static test_query query;
        test_query_random(&query, round % 2 == 0 ? &mixed : &unions, params.vocabulary, &random);
        uint64_t n;
        quern_status status = qn_search_count(search, &query.query, &n, NULL);
        cr_assert(status == QUERN_OK || status == QUERN_E_DAMAGED || status == QUERN_E_MEMORY);
        n_failed += status != QUERN_OK;
        memcpy(bytes, whole, section.len);
        cr_assert_eq(qn_search_new(&fresh, index.segment, 1, &options, NULL), QUERN_OK);
        cr_assert_eq(count(search, &query.query), count(fresh, &query.query));
        qn_search_free(fresh);
    }
    cr_assert_gt(n_failed, 0u);
    qn_search_free(search);
    free(whole);
    test_index_free(&index);
}

Test(count, damaged_postings)
{
    check_damaged(QN_SECTION_POSTINGS, 900);
}

Test(count, damaged_postings_without_bitmaps)
{
    check_damaged(QN_SECTION_POSTINGS, UINT32_MAX);
}

Test(count, damaged_positions)
{
    check_damaged(QN_SECTION_POSITIONS, 900);
}

Test(count, damaged_dictionary)
{
    check_damaged(QN_SECTION_DICT, 900);
}
