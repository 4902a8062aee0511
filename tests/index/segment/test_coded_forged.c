/* Forged coded lists: whatever the bytes of an extent are, readers end with postings or
 * QUERN_E_DAMAGED, and evaluators with answers or that. */
#include "index/segment/coded.h"

#include "index/segment/lengths.h"
#include "query/eval_exhaustive.h"
#include "query/eval_full.h"
#include "query/eval_range.h"
#include "tests/support/coded_lists.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* One list whose extent and range maxima have memory of their own, so that AddressSanitizer sees
 * every access past them that QN_PADDING does not allow. */
typedef struct forged {
    test_lists f;
    qn_term_info info;
    uint8_t *extent, *bounds;
    size_t len;
    unsigned n_read, n_refused;
    qn_eval_scratch scratch;
    qn_topk topk;
} forged;

static void start_forging(forged *g, uint32_t n_docs, unsigned number, uint32_t dense_df)
{
    *g = (forged){0};
    test_lists_new(&g->f, n_docs, dense_df);
    qn_postings list = test_lists_open(&g->f, number);
    qn_segment *s = &g->f.segment;
    cr_assert(list.coded && list.n_exceptions > 0);
    /* It stood at a multiple of 64, or began with zeros up to one. */
    size_t skip = (size_t)(64 - list.info.postings_off % 64) % 64;
    g->info = list.info;
    g->len = (size_t)list.info.postings_len - skip;
    g->extent = test_copy(s->postings.data + list.info.postings_off + skip, g->len);
    g->bounds = test_copy(list.range_level, QN_WINDOW_LEVELS * (size_t)s->n_windows);
    g->info.postings_off = g->info.bounds_index = 0;
    g->info.postings_len = g->len;
    s->postings = (qn_section){g->extent, g->len};
    s->bounds = (qn_section){g->bounds, QN_WINDOW_LEVELS * (size_t)s->n_windows};
}

/* What a cursor and an evaluator ask of a list. */
static quern_status read_all(const forged *g, const qn_postings *list)
{
    quern_status status = QUERN_OK;
    uint32_t n_docs = g->f.n_docs, previous = 0;
    for (uint32_t block = 0; block < list->n_blocks && status == QUERN_OK; block++) {
        uint32_t docs[QN_BLOCK_ROOM], tfs[QN_BLOCK_ROOM], n = qn_postings_block_n(list, block);
        const uint8_t *tf_at;
        status = qn_postings_docs(list, block, docs, &tf_at, NULL);
        for (uint32_t i = 0; status == QUERN_OK && i < n; i++) {
            cr_assert(docs[i] < n_docs && (block + i == 0 || docs[i] > previous));
            previous = docs[i];
        }
        if (status == QUERN_OK)
            status = qn_postings_tfs(list, block, tf_at, tfs, NULL);
        for (uint32_t i = 0; status == QUERN_OK && i < n; i++)
            cr_assert_gt(tfs[i], 0u);
    }
    for (uint32_t doc = 0; doc < n_docs; doc += 13)
        cr_assert_leq(qn_postings_find_block(list, 0, doc), list->n_blocks);
    for (uint32_t doc = 0; list->dense && doc < n_docs; doc += 7)
        cr_assert_leq(qn_dense_rank(list, doc), list->df);
    for (uint32_t group = 0; !list->dense && group < list->segment->n_windows * QN_GROUPS;
         group++) {
        uint32_t from, to;
        qn_coded_group(list, group, &from, &to);
        cr_assert(from <= to && to <= list->df && to - from <= QN_GROUP);
    }
    for (uint32_t i = 0; i < list->df; i++)
        (void)qn_coded_tf(list, i);
    return status;
}

typedef quern_status evaluate(qn_eval *eval, quern_error *error);

static quern_status search(forged *g, const qn_postings *list, evaluate *evaluator, qn_cpu cpu,
                           const quern_hit **hits, size_t *n)
{
    float norms[1][256], weight = 2, inflation = 1;
    qn_length_norms(0.9f, 0.4f, 120, norms[0]);
    qn_clause clause = {QN_SHOULD, 1, 0, 1, 0};
    qn_query_term term = {{"a", 1}, 0};
    qn_query query = {.clause = &clause, .n_clauses = 1, .term = &term, .n_terms = 1};
    qn_eval eval = {.query = &query,
                    .weight = &weight,
                    .norms = norms,
                    .topk = &g->topk,
                    .kernels = qn_eval_kernels_for(cpu),
                    .scratch = &g->scratch,
                    .segment = &g->f.segment,
                    .list = &list,
                    .inflation = &inflation};
    qn_topk_start(&g->topk, 20, NULL, NULL);
    quern_status status = evaluator(&eval, NULL);
    cr_assert(status == QUERN_OK || status == QUERN_E_DAMAGED);
    if (status == QUERN_OK)
        cr_assert_eq(qn_topk_finish(&g->topk, hits, n, NULL), QUERN_OK);
    for (size_t i = 0; status == QUERN_OK && i < *n; i++)
        cr_assert_lt((*hits)[i].doc, g->f.n_docs);
    return status;
}

static void use(forged *g)
{
    qn_postings list;
    quern_status status = qn_postings_open(&list, &g->f.segment, &g->info, NULL);
    cr_assert(status == QUERN_OK || status == QUERN_E_DAMAGED);
    if (status == QUERN_OK) {
        status = read_all(g, &list);
        cr_assert(status == QUERN_OK || status == QUERN_E_DAMAGED);
        const quern_hit *hits;
        size_t n;
        for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++)
            (void)search(g, &list, qn_eval_range, cpu, &hits, &n);
        (void)search(g, &list, qn_eval_full, QN_CPU_SCALAR, &hits, &n);
        (void)search(g, &list, qn_eval_exhaustive, QN_CPU_SCALAR, &hits, &n);
    }
    g->n_read += status == QUERN_OK;
    g->n_refused += status != QUERN_OK;
}

/* What malformed bytes have left in scratch memory changes no answer: the extent must be whole. */
static void check_scratch(forged *g)
{
    qn_postings list;
    const quern_hit *hits;
    quern_hit best[20];
    size_t n, n_best;
    cr_assert_eq(qn_postings_open(&list, &g->f.segment, &g->info, NULL), QUERN_OK);
    cr_assert_eq(search(g, &list, qn_eval_exhaustive, QN_CPU_SCALAR, &hits, &n_best), QUERN_OK);
    memcpy(best, hits, n_best * sizeof *best);
    static evaluate *const others[] = {qn_eval_range, qn_eval_full};
    for (unsigned i = 0; i < 2; i++) {
        cr_assert_eq(search(g, &list, others[i], qn_cpu_machine(), &hits, &n), QUERN_OK);
        cr_assert_eq(n, n_best);
        for (size_t h = 0; h < n; h++)
            cr_assert(hits[h].doc == best[h].doc &&
                          memcmp(&hits[h].score, &best[h].score, sizeof(float)) == 0,
                      "evaluator %u, rank %zu: %u %a, not %u %a", i, h, hits[h].doc,
                      (double)hits[h].score, best[h].doc, (double)best[h].score);
    }
}

static void end_forging(forged *g)
{
    cr_assert_gt(g->n_read, 0u);
    cr_assert_gt(g->n_refused, 0u);
    qn_eval_scratch_free(&g->scratch);
    qn_topk_free(&g->topk);
    free(g->extent);
    free(g->bounds);
    test_lists_free(&g->f);
}

static void forge_every_byte(uint32_t n_docs, unsigned number, uint32_t dense_df)
{
    forged g;
    start_forging(&g, n_docs, number, dense_df);
    test_random random = number;
    use(&g);
    cr_assert_eq(g.n_read, 1u);
    for (size_t at = 0; at < g.len; at++) {
        uint8_t was = g.extent[at];
        uint8_t values[] = {
            0, 0xFF, was ^ 1, was ^ 0x80, (uint8_t)(was + 1), (uint8_t)test_next(&random)};
        for (unsigned i = 0; i < sizeof values; i++) {
            g.extent[at] = values[i];
            use(&g);
        }
        g.extent[at] = was;
    }
    check_scratch(&g);
    end_forging(&g);
}

static void forge_many_bytes(uint32_t n_docs, unsigned number, uint32_t dense_df)
{
    forged g;
    start_forging(&g, n_docs, number, dense_df);
    test_random random = 10 + number;
    uint8_t *whole = test_copy(g.extent, g.len);
    for (unsigned round = 0; round < 2000; round++) {
        /* Everywhere, in the header alone, or in what stands behind the codes. */
        uint32_t df = g.info.df, codes_end = QN_CODED_HEADER + (df + 1) / 2;
        uint32_t from = round % 3 == 2 ? codes_end : 0;
        uint32_t end = round % 3 == 1 ? QN_CODED_HEADER : (uint32_t)g.len;
        for (unsigned n = 1 + test_below(&random, 24); n > 0; n--)
            g.extent[from + test_below(&random, end - from)] = (uint8_t)test_next(&random);
        use(&g);
        memcpy(g.extent, whole, g.len);
    }
    check_scratch(&g);
    for (unsigned at = 0; at < 64; at++) /* bounds of nothing, and all there is */
        g.bounds[at] = (uint8_t)(at % 3 * 127);
    use(&g);
    free(whole);
    end_forging(&g);
}

Test(coded_forged, forged_bitmaps)
{
    forge_every_byte(700, 2, QN_BLOCK + 1);
    forge_many_bytes(700, 1, QN_BLOCK + 1);
    forge_many_bytes(700, 0, QN_BLOCK + 1);
}

Test(coded_forged, forged_groups)
{
    forge_every_byte(700, 1, UINT32_MAX);
    forge_every_byte(9000, 5, UINT32_MAX); /* three windows */
    forge_many_bytes(700, 2, UINT32_MAX);
    forge_many_bytes(700, 0, UINT32_MAX);
    forge_many_bytes(9000, 5, UINT32_MAX);
}

/* Sets the start of each group of the first window, or the base of each window. */
static void forge_tables(forged *g, const qn_postings *list, const uint16_t starts[QN_GROUPS],
                         const uint32_t *bases)
{
    uint8_t *base = g->extent + (list->rank - g->extent);
    uint8_t *start = g->extent + (list->start - g->extent);
    for (unsigned i = 0; starts != NULL && i < QN_GROUPS; i++)
        qn_store_u16(start + 2 * (size_t)i, starts[i]);
    for (unsigned i = 0; bases != NULL && i < list->segment->n_windows; i++)
        qn_store_u32(base + 4 * (size_t)i, bases[i]);
}

static quern_status use_tables(const uint16_t starts[QN_GROUPS], const uint32_t *bases)
{
    forged g;
    qn_postings list;
    const quern_hit *hits;
    size_t n;
    start_forging(&g, 9000, 1, UINT32_MAX);
    cr_assert_eq(qn_postings_open(&list, &g.f.segment, &g.info, NULL), QUERN_OK);
    uint8_t *whole = test_copy(g.extent, g.len);
    forge_tables(&g, &list, starts, bases);
    use(&g);
    quern_status status = search(&g, &list, qn_eval_full, QN_CPU_SCALAR, &hits, &n);
    memcpy(g.extent, whole, g.len);
    use(&g);
    check_scratch(&g);
    free(whole);
    end_forging(&g);
    return status;
}

/* Groups that go back, are passed over or come twice, a group of more postings than documents,
 * windows in another order: were blocks to go back, scores would be put before the window at hand.
 */
Test(coded_forged, forged_tables)
{
    static const uint16_t back[QN_GROUPS] = {128, 200, 0, 128, 200, 256, 300},
                          twice[QN_GROUPS] = {0, 100, 50, 100, 150, 200}, none[QN_GROUPS] = {0},
                          past[QN_GROUPS] = {0, 65535, 65535, 65535};
    static const uint32_t swapped[] = {2000, 1000, 0}, same[] = {0, 0, 0}, late[] = {200, 300, 400},
                          huge[] = {UINT32_MAX, UINT32_MAX, UINT32_MAX};
    static const uint16_t *const starts[] = {back, twice, none, past};
    static const uint32_t *const bases[] = {swapped, same, late, huge};
    for (unsigned i = 0; i < 4; i++) {
        cr_assert_eq(use_tables(starts[i], NULL), QUERN_E_DAMAGED, "%u", i);
        cr_assert_eq(use_tables(NULL, bases[i]), QUERN_E_DAMAGED, "%u", i);
        for (unsigned j = 0; j < 4; j++)
            (void)use_tables(starts[i], bases[j]);
    }
}

/* Starts and bases of small numbers, all of which may fit some posting, over documents that ascend
 * however they are grouped. */
Test(coded_forged, random_tables)
{
    forged g;
    qn_postings list;
    test_random random = 20;
    start_forging(&g, 9000, 1, UINT32_MAX);
    uint8_t *whole = test_copy(g.extent, g.len);
    cr_assert_eq(qn_postings_open(&list, &g.f.segment, &g.info, NULL), QUERN_OK);
    use(&g);
    for (unsigned round = 0; round < 2000; round++) {
        uint8_t *base = g.extent + (list.rank - g.extent);
        uint8_t *start = g.extent + (list.start - g.extent);
        uint32_t step = 1 + test_below(&random, 200), groups = g.f.segment.n_windows * QN_GROUPS;
        for (uint32_t i = 0; i < list.df; i++)
            g.extent[list.low - g.extent + i] = (uint8_t)i;
        for (uint32_t i = 0; i < g.f.segment.n_windows; i++)
            qn_store_u32(base + 4 * (size_t)i, test_below(&random, 2 * list.df / step) * step);
        for (uint32_t i = 0; i < groups; i++)
            if (test_below(&random, 3) != 0)
                qn_store_u16(start + 2 * (size_t)i, (uint16_t)(test_below(&random, 6) * 64));
        use(&g);
        memcpy(g.extent, whole, g.len);
    }
    check_scratch(&g);
    free(whole);
    end_forging(&g);
}

/* An extent cut short, and one that is longer than its parts. */
Test(coded_forged, other_lengths)
{
    static const uint32_t dense_df[] = {QN_BLOCK + 1, UINT32_MAX};
    for (unsigned form = 0; form < 2; form++) {
        forged g;
        start_forging(&g, 700, 1, dense_df[form]);
        use(&g);
        for (uint64_t len = 0; len < g.len; len++) {
            g.info.postings_len = len;
            use(&g);
        }
        g.info.postings_len = g.len + 1;
        g.f.segment.postings.len = g.len + 1;
        use(&g);
        end_forging(&g);
    }
}
