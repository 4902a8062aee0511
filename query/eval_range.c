/* The range-pruned evaluator: see eval_range.h. window_run.c evaluates a window. */
#include "query/eval_range.h"

#include "index/base/status.h"
#include "query/window_bounds.h"
#include "query/window_run.h"

/*
 * While k documents have not been found, so often the BEST_RANGES best ranges are evaluated before
 * the others, to raise the threshold; but only if few documents are wanted. Over 966,464 passages
 * (interleaved runs, mean times of 132 unions and 300 questions) the threshold that this brings is
 * worth 3 to 4 % at k = 10; at k = 100 it costs 3 and 6 % to walk the windows twice, at k = 1,000 1
 * and 5 %, at k = 10,000 nothing. Of 16 to 512 ranges at k = 10 all are within 4 %.
 */
enum { BEST_ROUNDS = 4, BEST_RANGES = 96, BEST_K = 50 };

/* A window on its way: what it will read is fetched two windows ahead, and one window ahead its
 * lists are prepared, which fetches what follows from that. */
typedef struct coming {
    uint32_t window; /* n_windows: none */
    unsigned slot;
} coming;

/* The ranges of a window whose sums are at least `least`. */
static uint64_t live_ranges(const qn_eval *eval, const qn_window_bounds *bounds, uint32_t window,
                            uint16_t least)
{
    return eval->kernels->find_bounds(bounds->sum + (size_t)window * 64, least);
}

/* The first window from `from` on that has such ranges. */
static coming find_window(const qn_window_run *run, const qn_window_bounds *bounds, uint16_t least,
                          uint32_t from, unsigned slot)
{
    const qn_eval *eval = run->eval;
    for (; from < eval->segment->n_windows; from++) {
        uint64_t live = live_ranges(eval, bounds, from, least);
        if (live == 0)
            continue;
        qn_window_run_fetch(run, from, live);
        break;
    }
    return (coming){from, slot};
}

static void prepare(qn_window_run *run, const qn_window_bounds *bounds, uint16_t least, coming next)
{
    if (next.window < run->eval->segment->n_windows)
        qn_window_run_prepare(run, next.window, live_ranges(run->eval, bounds, next.window, least),
                              next.slot);
}

/* Evaluates the ranges whose sum is at least `cut` and, as the threshold rises, still enough. Their
 * sums become 0. */
static quern_status pass(qn_window_run *run, qn_window_bounds *bounds, uint16_t cut,
                         quern_error *error)
{
    const qn_eval *eval = run->eval;
    bool none;
    uint16_t least = qn_window_bounds_least(bounds, qn_eval_threshold(eval), &none);
    least = cut > least ? cut : least;
    coming now = find_window(run, bounds, least, 0, 0);
    coming next = find_window(run, bounds, least, now.window + 1, 1);
    prepare(run, bounds, least, now);
    while (!none && now.window < eval->segment->n_windows) {
        prepare(run, bounds, least, next);
        coming after = find_window(run, bounds, least, next.window + 1, now.slot);
        uint64_t live = live_ranges(eval, bounds, now.window, least);
        if (live != 0) {
            quern_status status = qn_window_run_window(run, now.window, live, now.slot, error);
            if (status != QUERN_OK)
                return status;
        }
        for (uint16_t *sum = bounds->sum + (size_t)now.window * 64; live != 0; live &= live - 1)
            sum[__builtin_ctzll(live)] = 0;
        uint16_t risen = qn_window_bounds_least(bounds, qn_eval_threshold(eval), &none);
        least = risen > least ? risen : least;
        now = next;
        next = after;
    }
    return QUERN_OK;
}

static quern_status run_all(qn_window_run *run, qn_window_bounds *bounds, quern_error *error)
{
    const qn_eval *eval = run->eval;
    const qn_eval_kernels *kernels = eval->kernels;
    bool worth = eval->topk->k <= BEST_K && !eval->switches.no_best_first;
    unsigned rounds = worth ? BEST_ROUNDS : 0;
    for (unsigned round = 0; round < rounds; round++) {
        bool none;
        uint16_t least = qn_window_bounds_least(bounds, qn_eval_threshold(eval), &none);
        if (none)
            return QUERN_OK;
        size_t live = kernels->count_bounds(bounds->sum, bounds->n, least);
        if (live <= 2 * (size_t)BEST_RANGES || (round > 0 && eval->topk->threshold > 0))
            break;
        uint16_t cut = qn_window_bounds_cut(bounds, kernels, least, BEST_RANGES);
        quern_status status = pass(run, bounds, cut, error);
        if (status != QUERN_OK)
            return status;
    }
    return pass(run, bounds, 1, error);
}

quern_status qn_eval_range(qn_eval *eval, quern_error *error)
{
    qn_window_run run = {0};
    qn_window_bounds bounds;
    quern_status status = qn_eval_fill_ceilings(eval, error);
    if (status == QUERN_OK)
        status = qn_window_lists_open(eval, error);
    if (status == QUERN_OK)
        status = qn_window_run_start(&run, eval, error);
    if (status != QUERN_OK || run.total <= 0)
        return status;
    status = qn_window_bounds_sum(&bounds, eval, run.total, error);
    return status == QUERN_OK ? run_all(&run, &bounds, error) : status;
}
