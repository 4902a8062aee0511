/* Forged index bytes: whatever they are, a search ends with answers or an error, without an access
 * out of bounds (AddressSanitizer watches) and without an endless loop. */
#include "query/plan.h"
#include "query/search.h"

#include "tests/support/query_index.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const test_index_params params = {.seed = 21,
                                         .n_docs = 4500,
                                         .vocabulary = 40,
                                         .max_words = 16,
                                         .copies = 1,
                                         .n_segments = 1,
                                         .coded_df = 129,
                                         .dense_df = 300,
                                         .k1 = 0.9f,
                                         .b = 0.4f};

static const test_query_params mixed = {
    .max_clauses = 5, .musts = true, .nots = true, .phrases = true};
static const test_query_params plain = {.max_clauses = 5};

/* Returns whether some evaluator met an error. */
static bool search_all(const test_index *index, const test_query *query)
{
    bool failed = false;
    for (const char *const *name = qn_plan_names(); *name != NULL; name++) {
        quern_search_options options = QUERN_SEARCH_OPTIONS;
        options.evaluator = *name;
        qn_search *search;
        const quern_hit *hits;
        size_t n;
        quern_error error;
        cr_assert_eq(qn_search_new(&search, index->segment, 1, &options, &error), QUERN_OK);
        quern_status status = qn_search_run(search, &query->query, 20, &hits, &n, &error);
        cr_assert(status == QUERN_OK || status == QUERN_E_DAMAGED || status == QUERN_E_MEMORY, "%s",
                  quern_status_text(status));
        for (size_t h = 0; status == QUERN_OK && h < n; h++)
            cr_assert_lt(hits[h].doc, params.n_docs);
        failed |= status != QUERN_OK;
        qn_search_free(search);
    }
    return failed;
}

static void damage(uint8_t *bytes, size_t len, test_random *random)
{
    unsigned n = 1 + test_below(random, 20);
    for (unsigned i = 0; i < n; i++) {
        uint8_t *at = bytes + test_below(random, (uint32_t)len);
        *at = (uint8_t)(test_below(random, 2) == 0 ? test_next(random)
                                                   : *at ^ (1u << test_below(random, 8)));
    }
}

/* Damages one section of the index again and again. */
static void check_section(uint32_t kind, uint32_t dense_df, bool must_fail)
{
    test_index index;
    test_index_params forms = params;
    forms.dense_df = dense_df;
    test_index_new(&index, &forms);
    test_random random = kind;
    qn_section section = index.segment[0].index.section[kind];
    uint8_t *bytes = index.bytes[0] + (section.data - index.bytes[0]);
    uint8_t *whole = malloc(section.len);
    memcpy(whole, bytes, section.len);
    unsigned n_failed = 0;
    for (unsigned round = 0; round < 300; round++) {
        damage(bytes, section.len, &random);
        static test_query query;
        test_query_random(&query, round % 2 == 0 ? &mixed : &plain, params.vocabulary, &random);
        n_failed += search_all(&index, &query);
        memcpy(bytes, whole, section.len);
    }
    cr_assert(!must_fail || n_failed > 0);
    free(whole);
    test_index_free(&index);
}

Test(damaged, postings)
{
    check_section(QN_SECTION_POSTINGS, 300, true);
}

Test(damaged, postings_without_bitmaps)
{
    check_section(QN_SECTION_POSTINGS, UINT32_MAX, true);
}

Test(damaged, positions)
{
    check_section(QN_SECTION_POSITIONS, 300, true);
}

Test(damaged, bounds)
{
    check_section(QN_SECTION_BOUNDS, 300, false);
}

Test(damaged, dictionary)
{
    check_section(QN_SECTION_DICT, 300, true);
}
