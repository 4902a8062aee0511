/* Range-pruned unions: see eval_union.h. */
#include "query/eval_union.h"

#include "index/base/status.h"
#include "query/bm25.h"
#include "query/eval_range.h"

#include <string.h>

/*
 * Bounds are integers: a real bound times `scale`, rounded up for each term. The scale makes the
 * sum of all terms' largest bounds SUM_UNITS; rounding adds less than 2 a term, and there are at
 * most QN_QUERY_TERMS_MAX: 60,000 + 2,048 < 65,536, so 16 bits never overflow.
 */
enum { SUM_UNITS = 60000 };

/* So many of the best ranges are evaluated first, to raise the threshold; and so many times, while
 * k documents have not been found. */
enum { BEST_RANGES = 128, BEST_ROUNDS = 4 };

typedef struct union_walk {
    qn_eval *eval;
    qn_range range;
    uint16_t *bound; /* one a range; 0 also once it is evaluated */
    uint32_t n_ranges;
    double scale;
} union_walk;

float qn_eval_union_seed(const qn_query *query, const float *weight, const qn_postings *const *list,
                         float deflation, size_t k)
{
    size_t rank = 0;
    while (rank < QN_SEEDS && qn_seed_rank[rank] < k)
        rank++;
    double best = 0;
    for (size_t c = 0; rank < QN_SEEDS && c < query->n_clauses; c++) {
        const qn_postings *found = list[query->clause[c].first_term];
        if (found == NULL)
            continue;
        double seed = (double)weight[c] * (double)found->seed[rank];
        best = seed > best ? seed : best;
    }
    /* k documents have contributions of at least this much, and sums of floats that are not
     * negative are no less than each of them. */
    best = best * (double)deflation * (1 - QN_BM25_PART_ROOM);
    return best > 0x1p-100 ? (float)best : 0.0f;
}

/* ---- preparing ---- */

static quern_status grow(void **array, size_t *cap, size_t need, size_t size, quern_error *error)
{
    return qn_array_grow(array, cap, need, size) ? QUERN_OK : qn_fail_memory(error);
}

static quern_status allocate(union_walk *walk, quern_error *error)
{
    qn_eval_scratch *scratch = walk->eval->scratch;
    size_t n_terms = walk->eval->query->n_terms, size = walk->range.size;
    void *terms = scratch->term, *bounds = scratch->bound, *scores = scratch->score;
    void *offsets = scratch->offset, *values = scratch->value;
    quern_status status = grow(&terms, &scratch->term_cap, n_terms, sizeof *scratch->term, error);
    scratch->term = terms;
    if (status == QUERN_OK)
        status = grow(&bounds, &scratch->bound_cap, walk->n_ranges, sizeof *scratch->bound, error);
    scratch->bound = bounds;
    if (status == QUERN_OK)
        status = grow(&scores, &scratch->score_cap, size, sizeof *scratch->score, error);
    scratch->score = scores;
    if (status == QUERN_OK)
        status =
            grow(&offsets, &scratch->offset_cap, n_terms * size, sizeof *scratch->offset, error);
    scratch->offset = offsets;
    if (status == QUERN_OK)
        status = grow(&values, &scratch->value_cap, n_terms * size, sizeof *scratch->value, error);
    scratch->value = values;
    return status;
}

/* Takes the terms that the segment holds, in the order of clauses. Returns the sum of their largest
 * bounds; 0 if no should clause matches anything. */
static double collect_terms(union_walk *walk)
{
    const qn_eval *eval = walk->eval;
    const qn_query *query = eval->query;
    qn_eval_scratch *scratch = eval->scratch;
    qn_range *range = &walk->range;
    range->term = scratch->term;
    double sum = 0;
    for (size_t c = 0; c < query->n_clauses; c++) {
        size_t i = query->clause[c].first_term;
        if (eval->list[i] == NULL)
            continue;
        size_t slot = range->n_terms++;
        range->term[slot] = (qn_union_term){.cursor = &scratch->cursor[i],
                                            .range_max = eval->list[i]->range_max,
                                            .weight = eval->weight[c],
                                            .excludes = query->clause[c].occur == QN_NOT,
                                            .unit = scratch->ceiling[i] / 255,
                                            .expected = eval->list[i]->df / walk->n_ranges,
                                            .offset = scratch->offset + slot * range->size,
                                            .value = scratch->value + slot * range->size};
        if (!range->term[slot].excludes)
            sum += scratch->ceiling[i];
    }
    return sum;
}

/* Terms with range maxima may be deferred: those with most postings, which cost most, first. */
static void order_deferrable(qn_range *range)
{
    for (size_t i = 0; i < range->n_terms; i++) {
        if (range->term[i].range_max == NULL || range->term[i].excludes)
            continue;
        uint32_t df = range->term[i].cursor->list->df;
        size_t at = range->n_deferrable++;
        for (; at > 0; at--) {
            uint32_t other = range->term[at - 1].next_def;
            if (range->term[other].cursor->list->df >= df)
                break;
            range->term[at].next_def = other;
        }
        range->term[at].next_def = (uint32_t)i;
    }
}

/* ---- bounds ---- */

/* Adds what the kernels' add_bounds would, for one range. */
static void add_bound(uint16_t *bound, uint32_t max, uint16_t factor)
{
    *bound = (uint16_t)(*bound + ((max * factor) >> 8) + (max != 0));
}

/* The bounds of a rare term: each document's range gets the maximum of the blocks that reach it. */
static void scatter_bounds(union_walk *walk, qn_union_term *term, uint16_t factor)
{
    const qn_postings *list = term->cursor->list;
    qn_cursor *cursor = term->cursor;
    unsigned shift = walk->eval->segment->meta.range_log2;
    uint32_t range = 0, max = 0; /* not added yet */
    for (uint32_t doc = qn_cursor_seek(cursor, 0); doc != QN_CURSOR_END;
         doc = qn_cursor_seek(cursor, doc + 1)) {
        uint32_t here = list->block_max == NULL ? 255 : list->block_max[cursor->block];
        for (uint32_t i = 0; i < cursor->n; i++) {
            uint32_t next = cursor->docs[i] >> shift;
            if (next != range) {
                add_bound(&walk->bound[range], max, factor);
                range = next;
                max = 0;
            }
            max = here > max ? here : max;
        }
        cursor->i = cursor->n - 1;
        doc = cursor->doc = cursor->docs[cursor->i];
    }
    add_bound(&walk->bound[range], max, factor);
}

static void sum_bounds(union_walk *walk)
{
    memset(walk->bound, 0, walk->n_ranges * sizeof *walk->bound);
    for (size_t i = 0; i < walk->range.n_terms; i++) {
        qn_union_term *term = &walk->range.term[i];
        if (term->excludes)
            continue;
        /* floor(max * factor / 256) + 1 is at least max * unit * scale. */
        double exact = term->unit * walk->scale * 256;
        uint16_t factor = (uint16_t)(exact + 1);
        if (term->range_max != NULL)
            walk->eval->kernels->add_bounds(walk->bound, term->range_max, walk->n_ranges, factor);
        else
            scatter_bounds(walk, term, factor);
    }
}

/* The bound that a range needs to hold an answer, 1 to 65,535; *none if no bound can be enough. A
 * score's real bound times scale is at least threshold * scale; one less leaves room for rounding
 * the product. */
static uint16_t least_bound(const union_walk *walk, bool *none)
{
    double least = (double)qn_eval_threshold(walk->eval) * walk->scale - 1;
    *none = least > UINT16_MAX;
    return *none ? UINT16_MAX : least < 1 ? 1 : (uint16_t)least;
}

/* ---- evaluating ---- */

static void restart(union_walk *walk, quern_error *error)
{
    for (size_t i = 0; i < walk->range.n_terms; i++) {
        qn_cursor *cursor = walk->range.term[i].cursor;
        if (cursor->status == QUERN_OK)
            qn_cursor_start(cursor, cursor->list, error);
    }
}

/* The smallest bound that at most BEST_RANGES ranges have, above `least`. */
static uint16_t best_cut(const union_walk *walk, uint16_t least)
{
    const qn_eval_kernels *kernels = walk->eval->kernels;
    uint32_t low = least, high = (uint32_t)kernels->max_bound(walk->bound, walk->n_ranges) + 1;
    while (low < high && low < UINT16_MAX) {
        uint32_t middle = low + (high - low) / 2;
        size_t count = kernels->count_bounds(walk->bound, walk->n_ranges, (uint16_t)middle);
        if (count > BEST_RANGES)
            low = middle + 1;
        else
            high = middle;
        if (count > BEST_RANGES / 2 && count <= BEST_RANGES)
            return (uint16_t)middle;
    }
    return (uint16_t)low;
}

/* Evaluates about BEST_RANGES of the best-bounded ranges. */
static void run_best(union_walk *walk, uint16_t least, quern_error *error)
{
    const qn_eval_kernels *kernels = walk->eval->kernels;
    uint16_t cut = best_cut(walk, least);
    /* Ranges that just miss it fill up what is left, lest many equal ones be no help. */
    uint16_t equal = cut > least ? (uint16_t)(cut - 1) : cut;
    size_t left = BEST_RANGES - kernels->count_bounds(walk->bound, walk->n_ranges, cut);
    restart(walk, error);
    for (size_t i = 0;
         (i = kernels->find_bound(walk->bound, i, walk->n_ranges, equal)) < walk->n_ranges; i++) {
        if (walk->bound[i] < cut) {
            if (left == 0) {
                equal = cut;
                continue;
            }
            left--;
        }
        bool none;
        if (walk->bound[i] >= least_bound(walk, &none) && !none)
            qn_range_run(&walk->range, (uint32_t)i);
        walk->bound[i] = 0;
    }
}

/* Evaluates what is still alive, in document order. */
static void sweep(union_walk *walk, quern_error *error)
{
    bool none;
    uint16_t least = least_bound(walk, &none);
    restart(walk, error);
    for (size_t i = 0; !none; i++) {
        i = walk->eval->kernels->find_bound(walk->bound, i, walk->n_ranges, least);
        if (i == walk->n_ranges)
            return;
        qn_range_run(&walk->range, (uint32_t)i);
        least = least_bound(walk, &none);
    }
}

static void run(union_walk *walk, quern_error *error)
{
    const qn_eval_kernels *kernels = walk->eval->kernels;
    for (unsigned round = 0; round < BEST_ROUNDS; round++) {
        bool none;
        uint16_t least = least_bound(walk, &none);
        if (none)
            return;
        size_t live = kernels->count_bounds(walk->bound, walk->n_ranges, least);
        if (live <= 2 * BEST_RANGES || (round > 0 && walk->eval->topk->threshold > 0))
            break;
        run_best(walk, least, error);
    }
    sweep(walk, error);
}

quern_status qn_eval_union(qn_eval *eval, quern_error *error)
{
    const qn_segment *segment = eval->segment;
    union_walk walk = {.eval = eval, .n_ranges = segment->n_ranges};
    walk.range.eval = eval;
    walk.range.size = (uint32_t)1 << segment->meta.range_log2;
    quern_status status = qn_eval_start_cursors(eval, error);
    if (status == QUERN_OK)
        status = qn_eval_fill_ceilings(eval, error);
    if (status == QUERN_OK)
        status = allocate(&walk, error);
    if (status != QUERN_OK)
        return status;
    walk.bound = eval->scratch->bound;
    walk.range.score = eval->scratch->score;
    for (uint32_t i = 0; i < walk.range.size; i++)
        walk.range.score[i] = -0.0f;
    double sum = collect_terms(&walk);
    if (sum <= 0)
        return QUERN_OK;
    walk.scale = SUM_UNITS / sum;
    order_deferrable(&walk.range);
    sum_bounds(&walk);
    run(&walk, error);
    return qn_eval_cursor_status(eval);
}
