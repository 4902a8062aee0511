/* Phrases in documents made for them. */
#include "query/phrase.h"

#include "index/segment/lengths.h"
#include "tests/support/query_index.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { A = 1, B = 2, C = 3 };

/* A one-document index; `words` as test_index holds them. */
static void make_index(test_index *index, const test_word *words, uint32_t n, bool positions)
{
    test_index_params params = {.seed = 1,
                                .n_docs = 1,
                                .vocabulary = 4,
                                .max_words = n,
                                .copies = 1,
                                .n_segments = 1,
                                .coded_df = 129,
                                .dense_df = 300,
                                .k1 = 0.9f,
                                .b = 0.4f,
                                .no_positions = !positions};
    test_index_of_words(index, &params, words, n);
}

static uint32_t freq_of(const test_word *words, uint32_t n_words, bool positions,
                        const uint32_t *terms, const uint32_t *places, uint32_t n)
{
    test_index index;
    make_index(&index, words, n_words, positions);
    static test_query query;
    query.query = (qn_query){0};
    test_query_add(&query, QN_SHOULD, 1, terms, places, n);
    qn_cursor cursors[4] = {0};
    qn_postings lists[4];
    for (uint32_t i = 0; i < n; i++) {
        qn_term_info info;
        cr_assert_eq(qn_dict_find(&index.segment[0].dict, query.term[i].text.data,
                                  query.term[i].text.len, &info, NULL),
                     QUERN_OK);
        cr_assert_eq(qn_postings_open(&lists[i], &index.segment[0], &info, NULL), QUERN_OK);
        qn_cursor_start(&cursors[i], &lists[i], NULL);
        cr_assert_eq(qn_cursor_seek(&cursors[i], 0), 0u);
    }
    qn_phrase phrase = {0};
    uint32_t freq;
    cr_assert_eq(qn_phrase_freq(&phrase, cursors, query.term, n, &freq, NULL), QUERN_OK);
    qn_phrase_free(&phrase);
    for (uint32_t i = 0; i < n; i++) {
        cr_assert_eq(cursors[i].status, QUERN_OK);
        qn_cursor_free(&cursors[i]);
    }
    test_index_free(&index);
    return freq;
}

#define FREQ(words, positions, terms, places)                                                      \
    freq_of(words, sizeof(words) / sizeof *(words), positions, terms, places,                      \
            sizeof(terms) / sizeof *(terms))

static const test_word text[] = {{A, 0}, {B, 1}, {A, 2}, {B, 3}, {C, 4}, {B, 6}, {A, 7}, {A, 8}};

Test(phrase, counts_starts)
{
    cr_assert_eq(FREQ(text, true, ((uint32_t[]){A, B}), NULL), 2u);
    cr_assert_eq(FREQ(text, true, ((uint32_t[]){B, A}), NULL), 2u);
    cr_assert_eq(FREQ(text, true, ((uint32_t[]){A, B, C}), NULL), 1u);
    cr_assert_eq(FREQ(text, true, ((uint32_t[]){C, B}), NULL), 0u);
    cr_assert_eq(FREQ(text, true, ((uint32_t[]){A}), NULL), 4u);
}

Test(phrase, left_out_words_leave_gaps)
{
    cr_assert_eq(FREQ(text, true, ((uint32_t[]){C, B}), ((uint32_t[]){0, 2})), 1u);
    cr_assert_eq(FREQ(text, true, ((uint32_t[]){A, A}), ((uint32_t[]){3, 5})), 1u);
    cr_assert_eq(FREQ(text, true, ((uint32_t[]){B, A}), ((uint32_t[]){1, 3})), 1u);
}

Test(phrase, a_word_may_repeat)
{
    cr_assert_eq(FREQ(text, true, ((uint32_t[]){A, A}), NULL), 1u);
    static const test_word run[] = {{A, 0}, {A, 1}, {A, 2}, {A, 3}};
    cr_assert_eq(FREQ(run, true, ((uint32_t[]){A, A}), NULL), 3u);
    cr_assert_eq(FREQ(run, true, ((uint32_t[]){A, A, A}), NULL), 2u);
}

Test(phrase, equal_positions_start_once)
{
    static const test_word doubled[] = {{A, 5}, {A, 5}, {B, 6}, {B, 6}, {B, 6}};
    cr_assert_eq(FREQ(doubled, true, ((uint32_t[]){A, B}), NULL), 1u);
    cr_assert_eq(FREQ(doubled, true, ((uint32_t[]){A, A}), ((uint32_t[]){0, 0})), 1u);
}

Test(phrase, does_not_start_before_the_document)
{
    static const test_word early[] = {{B, 0}, {A, 0}};
    cr_assert_eq(FREQ(early, true, ((uint32_t[]){A, B}), NULL), 0u);
}

Test(phrase, without_positions_it_means_and)
{
    cr_assert_eq(FREQ(text, false, ((uint32_t[]){C, B}), NULL), 1u);
    cr_assert_eq(FREQ(text, false, ((uint32_t[]){A, B}), NULL), 3u);
}
