/* Cursors against the lists they walk, stepping and seeking. */
#include "query/cursor.h"

#include "index/segment/coded.h"
#include "tests/support/query_index.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const test_index_params params = {.seed = 3,
                                         .n_docs = 3000,
                                         .vocabulary = 50,
                                         .max_words = 20,
                                         .copies = 1,
                                         .n_segments = 1,
                                         .coded_df = 129,
                                         .dense_df = 300,
                                         .k1 = 0.9f,
                                         .b = 0.4f};

static bool open_list(const test_index *index, uint32_t term, qn_postings *list)
{
    char text[TEST_TERM_ROOM];
    qn_term_info info;
    test_term_text(term, 0, text);
    if (qn_dict_find(&index->segment[0].dict, text, strlen(text), &info, NULL) != QUERN_OK)
        return false;
    cr_assert_eq(qn_postings_open(list, &index->segment[0], &info, NULL), QUERN_OK);
    return true;
}

/* The words of a document that are `term`. */
static uint32_t positions_of(const test_index *index, uint32_t doc, uint32_t term, uint32_t *out)
{
    uint32_t n = 0;
    for (size_t i = index->first_word[doc]; i < index->first_word[doc + 1]; i++)
        if (index->word[i].term == term)
            out[n++] = index->word[i].position;
    return n;
}

static void check_posting(const test_index *index, qn_cursor *cursor, uint32_t term)
{
    uint32_t expected[64], n, n_expected = positions_of(index, cursor->doc, term, expected);
    cr_assert_eq(qn_cursor_tf(cursor), n_expected);
    const uint32_t *positions = qn_cursor_positions(cursor, &n);
    cr_assert_eq(n, n_expected);
    cr_assert_eq(memcmp(positions, expected, n * sizeof *expected), 0);
}

Test(cursor, steps_through_every_posting)
{
    test_index index;
    test_index_new(&index, &params);
    qn_cursor cursor = {0};
    for (uint32_t term = 0; term < params.vocabulary; term++) {
        qn_postings list;
        if (!open_list(&index, term, &list))
            continue;
        qn_cursor_start(&cursor, &list, NULL);
        uint32_t doc = qn_cursor_seek(&cursor, 0), n = 0, words[64];
        for (uint32_t d = 0; d < params.n_docs; d++) {
            if (positions_of(&index, d, term, words) == 0)
                continue;
            cr_assert_eq(doc, d);
            check_posting(&index, &cursor, term);
            doc = qn_cursor_next(&cursor);
            n++;
        }
        cr_assert_eq(doc, QN_CURSOR_END);
        cr_assert_eq(n, list.df);
        cr_assert_eq(qn_cursor_seek(&cursor, 0), QN_CURSOR_END);
        cr_assert_eq(cursor.status, QUERN_OK);
    }
    qn_cursor_free(&cursor);
    test_index_free(&index);
}

Test(cursor, seeks_land_on_the_next_posting)
{
    test_index index;
    test_index_new(&index, &params);
    test_random random = 8;
    qn_cursor cursor = {0};
    for (unsigned round = 0; round < 300; round++) {
        uint32_t term = test_below(&random, params.vocabulary), words[64];
        uint32_t stride = 1 + test_below(&random, round % 2 == 0 ? 30 : 900);
        qn_postings list;
        if (!open_list(&index, term, &list))
            continue;
        qn_cursor_start(&cursor, &list, NULL);
        for (uint32_t target = test_below(&random, stride); target < params.n_docs;
             target += 1 + test_below(&random, stride)) {
            uint32_t doc = qn_cursor_seek(&cursor, target);
            uint32_t expected = target;
            while (expected < params.n_docs && positions_of(&index, expected, term, words) == 0)
                expected++;
            cr_assert_eq(doc, expected == params.n_docs ? QN_CURSOR_END : expected);
            if (doc == QN_CURSOR_END)
                break;
            if (round % 3 == 0)
                check_posting(&index, &cursor, term);
        }
    }
    qn_cursor_free(&cursor);
    test_index_free(&index);
}

Test(cursor, no_list_is_an_empty_list)
{
    qn_cursor cursor = {0};
    qn_cursor_start(&cursor, NULL, NULL);
    cr_assert_eq(qn_cursor_seek(&cursor, 0), QN_CURSOR_END);
    cr_assert_eq(qn_cursor_seek(&cursor, 5), QN_CURSOR_END);
    cr_assert_eq(qn_cursor_tf(&cursor), 0u);
    cr_assert_eq(cursor.status, QUERN_OK);
}

/* Walks a list that has been damaged behind its first block. */
static void expect_sticky_damage(const qn_postings *list)
{
    qn_cursor cursor = {0};
    quern_error error;
    qn_cursor_start(&cursor, list, &error);
    uint32_t doc = qn_cursor_seek(&cursor, 0);
    cr_assert_neq(doc, QN_CURSOR_END);
    while (doc != QN_CURSOR_END)
        doc = qn_cursor_next(&cursor);
    cr_assert_eq(cursor.status, QUERN_E_DAMAGED);
    cr_assert_eq(error.status, QUERN_E_DAMAGED);
    cr_assert_eq(qn_cursor_seek(&cursor, 0), QN_CURSOR_END);
    cr_assert_eq(cursor.status, QUERN_E_DAMAGED);
    qn_cursor_free(&cursor);
}

Test(cursor, damage_is_sticky)
{
    test_index_params blocks = params;
    blocks.coded_df = blocks.dense_df = UINT32_MAX;
    test_index index;
    test_index_new(&index, &blocks);
    qn_postings list;
    cr_assert(open_list(&index, 0, &list));
    cr_assert_gt(list.n_blocks, 2u);
    /* The second block ends at another document than its table says. */
    uint8_t *last = index.bytes[0] + (list.last_doc + 4 - index.bytes[0]);
    qn_store_u32(last, qn_load_u32(last) + 1);
    expect_sticky_damage(&list);
    test_index_free(&index);
}

Test(cursor, damage_of_groups_is_sticky)
{
    test_index_params groups = params;
    groups.dense_df = UINT32_MAX;
    test_index index;
    test_index_new(&index, &groups);
    qn_postings list;
    cr_assert(open_list(&index, 0, &list));
    cr_assert(list.coded && !list.dense && list.n_blocks > 5);
    /* The fourth group has as many documents, but not in order. */
    uint32_t from, to;
    qn_coded_group(&list, 3, &from, &to);
    uint8_t *low = index.bytes[0] + (list.low - index.bytes[0]) + from;
    cr_assert_lt(from + 1, to);
    low[1] = low[0];
    expect_sticky_damage(&list);
    test_index_free(&index);
}

Test(cursor, damage_of_a_bitmap_is_sticky)
{
    test_index index;
    test_index_new(&index, &params);
    qn_postings list;
    cr_assert(open_list(&index, 0, &list));
    cr_assert(list.dense && list.n_blocks > 5);
    /* From here on there are fewer documents than the ranks say. */
    uint8_t *word = index.bytes[0] + (list.bitmap - index.bytes[0]) + 1024 / 8;
    memset(word, 0, 64);
    expect_sticky_damage(&list);
    test_index_free(&index);
}
