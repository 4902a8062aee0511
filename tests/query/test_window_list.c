/* Lists by windows against cursors: the three forms have the same documents, frequencies and
 * contributions there, whichever windows are entered, in whatever order and slots. */
#include "query/window_list.h"

#include "query/bm25.h"
#include "tests/support/eval.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* Three windows, the last one short; term 0 is in most documents, the last ones are rare. */
static const test_index_params params = {.seed = 31,
                                         .n_docs = 9000,
                                         .vocabulary = 150,
                                         .max_words = 24,
                                         .copies = 1,
                                         .n_segments = 1,
                                         .coded_df = 200,
                                         .dense_df = 900,
                                         .k1 = 0.9f,
                                         .b = 0.4f};

static test_index whole;
static test_eval t;
static uint32_t tf_of[9000]; /* of the term at hand */

static void setup(void)
{
    test_index_new(&whole, &params);
}

static void teardown(void)
{
    test_index_free(&whole);
}

TestSuite(window_list, .init = setup, .fini = teardown);

/* Opens the list of a term in a clause of its own; false if no document has it. */
static bool open_term(uint32_t term, qn_occur occur, qn_cpu cpu, test_random *random)
{
    static test_query query;
    query.query = (qn_query){0};
    test_query_word(&query, occur, 1, term);
    float k1 = (float)test_below(random, 31) / 10, b = (float)test_below(random, 11) / 10;
    test_eval_start(&t, &whole, 0, &query, k1, b, cpu, random);
    if (t.list[0] == NULL)
        return false;
    memset(tf_of, 0, sizeof tf_of);
    qn_cursor cursor = {0};
    qn_cursor_start(&cursor, t.list[0], NULL);
    for (uint32_t doc = qn_cursor_seek(&cursor, 0); doc != QN_CURSOR_END;
         doc = qn_cursor_next(&cursor))
        tf_of[doc] = qn_cursor_tf(&cursor);
    qn_cursor_free(&cursor);
    cr_assert_eq(qn_eval_fill_ceilings(&t.eval, NULL), QUERN_OK);
    cr_assert_eq(qn_window_lists_open(&t.eval, NULL), QUERN_OK);
    return true;
}

static void check_words(const qn_window_list *list, uint32_t begin, uint32_t end)
{
    uint64_t room[64];
    const uint8_t *words = qn_window_list_words(&t.eval, list, room);
    for (uint32_t doc = begin; doc < begin + QN_WINDOW; doc++) {
        uint64_t word = qn_load_u64(words + (doc - begin) / 64 * 8);
        cr_assert_eq(word >> doc % 64 & 1, doc < end && tf_of[doc] > 0, "document %u", doc);
    }
}

/* Some documents of the window, in batches as an evaluator has them. */
static void check_batch(const qn_window_list *list, uint32_t begin, const uint16_t *offset,
                        size_t n)
{
    uint32_t tf[64];
    float value[64];
    bool sparse = list->form == QN_LIST_SPARSE;
    uint64_t found = sparse ? qn_window_list_values(list, offset, n, value)
                            : qn_window_list_tfs(&t.eval, list, offset, n, tf);
    for (size_t i = 0; i < n; i++) {
        uint32_t doc = begin + offset[i];
        cr_assert_eq(found >> i & 1, tf_of[doc] > 0, "document %u", doc);
        float expected = tf_of[doc] == 0
                             ? 0
                             : qn_bm25_contribution(t.weight[0], tf_of[doc],
                                                    qn_eval_norm(&t.eval, t.list[0], doc));
        if (sparse)
            cr_assert_eq(memcmp(&value[i], &expected, sizeof expected), 0);
        else
            cr_assert_eq(tf[i], tf_of[doc]);
        cr_assert_leq((double)expected, list->ceiling);
    }
    cr_assert(n == 64 || found >> n == 0);
}

/* What the list adds to bytes of documents in live ranges: no less than its contributions, at most
 * 255, and nothing where it has no document. Of a coded list it is what its table says. */
static void check_added(const qn_window_list *list, uint32_t begin, uint32_t end, uint64_t live,
                        float scale)
{
    static uint8_t sum[QN_WINDOW];
    memset(sum, 7, sizeof sum);
    qn_window_list_add(&t.eval, list, scale, live, sum);
    for (uint32_t doc = begin; doc < end; doc++) {
        unsigned offset = doc - begin, added = sum[offset] - 7u;
        if ((live >> offset / 64 & 1) == 0)
            continue;
        if (tf_of[doc] == 0) {
            cr_assert_eq(added, 0u);
            continue;
        }
        double value = (double)qn_bm25_contribution(t.weight[0], tf_of[doc],
                                                    qn_eval_norm(&t.eval, t.list[0], doc)) *
                       (double)scale;
        cr_assert(sum[offset] == 255 || (double)added >= value * (1 - 0x1p-20));
        if (list->form == QN_LIST_SPARSE)
            cr_assert_leq((double)added, value * (1 + 0x1p-20) + 1);
    }
}

/* Comes to a window of which only the ranges in `live` are looked at; its slot says nothing of the
 * others. */
static void check_window(qn_window_list *list, uint32_t window, uint64_t live, unsigned slot,
                         test_random *random)
{
    uint32_t begin = window * QN_WINDOW;
    uint32_t end = begin + QN_WINDOW < params.n_docs ? begin + QN_WINDOW : params.n_docs;
    qn_window_list_enter(list, window, slot);
    check_words(list, begin, end);
    float scale = (float)(1 + test_below(random, 4000)) / 20;
    qn_window_list_scale(list, scale);
    if (list->form != QN_LIST_DENSE && list->weight > 0)
        check_added(list, begin, end, live, scale);
    uint32_t stride = 1 + test_below(random, test_below(random, 2) == 0 ? 3 : 600);
    uint16_t offset[64];
    size_t n = 0;
    for (uint32_t doc = begin + test_below(random, stride); doc < end;
         doc += 1 + test_below(random, stride)) {
        if ((live >> (doc - begin) / 64 & 1) == 0)
            continue;
        offset[n++] = (uint16_t)(doc - begin);
        if (n == 64) {
            check_batch(list, begin, offset, n);
            n = 0;
        }
    }
    check_batch(list, begin, offset, n);
}

static uint64_t draw_live(test_random *random)
{
    uint64_t live = test_next(random);
    for (unsigned n = test_below(random, 3); n > 0; n--)
        live &= test_next(random);
    return test_below(random, 4) == 0 ? ~(uint64_t)0 : live;
}

/* Windows in random order, each prepared in one slot while the one before is in the other. */
static void check_walk(qn_window_list *list, uint32_t n_windows, unsigned n, test_random *random)
{
    uint32_t window[2] = {0, 0};
    uint64_t live[2] = {~(uint64_t)0, 0};
    qn_window_list_prepare(&t.eval, list, 0, live[0], 0);
    for (unsigned i = 0; i < n; i++) {
        unsigned slot = i % 2, other = 1 - slot;
        window[other] = test_below(random, 3) == 0 ? (window[slot] + 1) % n_windows
                                                   : test_below(random, n_windows);
        live[other] = draw_live(random);
        qn_window_list_fetch(list, test_below(random, n_windows), live[slot]);
        qn_window_list_prepare(&t.eval, list, window[other], live[other], other);
        check_window(list, window[slot], live[slot], slot, random);
    }
}

Test(window_list, every_form_has_what_cursors_find)
{
    test_random random = 5;
    unsigned seen[3] = {0};
    for (uint32_t term = 0; term < params.vocabulary; term++) {
        if (!open_term(term, term % 2 == 0 ? QN_SHOULD : QN_MUST,
                       (qn_cpu)(term % ((unsigned)qn_cpu_machine() + 1)), &random)) {
            test_eval_free(&t);
            continue;
        }
        qn_window_list *list = &t.scratch.list[0];
        cr_assert_eq(list->form, !t.list[0]->coded  ? QN_LIST_SPARSE
                                 : t.list[0]->dense ? QN_LIST_DENSE
                                                    : QN_LIST_GROUPS);
        seen[list->form]++;
        check_walk(list, whole.segment[0].n_windows, 12, &random);
        test_eval_free(&t);
    }
    cr_assert(seen[0] > 5 && seen[1] > 5 && seen[2] > 5, "%u %u %u", seen[0], seen[1], seen[2]);
}

/* Tables turn codes into units: never fewer than a contribution has, and 255 is the most. */
Test(window_list, tables_are_ceilings)
{
    test_random random = 7;
    for (uint32_t term = 0; term < params.vocabulary; term++) {
        bool coded = open_term(term, QN_SHOULD, QN_CPU_SCALAR, &random) && t.list[0]->coded;
        for (unsigned i = 0; coded && i < 4; i++) {
            qn_window_list *list = &t.scratch.list[0];
            float scale = (float)(1 + test_below(&random, 4000)) / 20;
            qn_window_list_scale(list, scale);
            cr_assert_eq(list->table[0], 0);
            for (uint32_t doc = 0, posting = 0; doc < params.n_docs; doc++) {
                if (tf_of[doc] == 0)
                    continue;
                unsigned code = list->postings->codes[posting / 2] >> (posting % 2 * 4) & 15;
                float value = qn_bm25_contribution(t.weight[0], tf_of[doc],
                                                   qn_eval_norm(&t.eval, t.list[0], doc));
                cr_assert(list->table[code] == 255 ||
                          (double)list->table[code] >= (double)value * (double)scale);
                posting++;
            }
        }
        test_eval_free(&t);
    }
}

/* What excludes has documents and nothing else. */
Test(window_list, excluding_lists_have_words)
{
    test_random random = 8;
    for (uint32_t term = 0; term < params.vocabulary; term += 3) {
        if (open_term(term, QN_NOT, QN_CPU_SCALAR, &random)) {
            qn_window_list *list = &t.scratch.list[0];
            for (uint32_t window = 0; window < whole.segment[0].n_windows; window++) {
                qn_window_list_prepare(&t.eval, list, window, 1, 1);
                qn_window_list_enter(list, window, 1);
                check_words(list, window * QN_WINDOW, params.n_docs);
            }
        }
        test_eval_free(&t);
    }
}
