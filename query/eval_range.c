/* The range-pruned evaluator: see eval_range.h. window_run.c evaluates a window. */
#include "query/eval_range.h"

#include "index/base/status.h"
#include "query/plan.h"
#include "query/window_bounds.h"
#include "query/window_run.h"

/* So many of the best ranges are evaluated first, to raise the threshold; and so many times, while
 * k documents have not been found. */
enum { BEST_RANGES = 128, BEST_ROUNDS = 4 };

/* Evaluates the ranges whose sum is at least `cut` and, as the threshold rises, still enough. Their
 * sums become 0. */
static quern_status pass(qn_window_run *run, qn_window_bounds *bounds, uint16_t cut,
                         quern_error *error)
{
    const qn_eval *eval = run->eval;
    bool none;
    uint16_t least = qn_window_bounds_least(bounds, qn_eval_threshold(eval), &none);
    qn_window_run_rewind(run);
    for (uint32_t window = 0; !none && window < eval->segment->n_windows; window++) {
        uint16_t *sum = bounds->sum + (size_t)window * 64;
        uint64_t live = eval->kernels->find_bounds(sum, cut > least ? cut : least);
        if (live == 0)
            continue;
        quern_status status = qn_window_run_window(run, window, live, error);
        if (status != QUERN_OK)
            return status;
        for (; live != 0; live &= live - 1)
            sum[__builtin_ctzll(live)] = 0;
        least = qn_window_bounds_least(bounds, qn_eval_threshold(eval), &none);
    }
    return QUERN_OK;
}

static quern_status run_all(qn_window_run *run, qn_window_bounds *bounds, quern_error *error)
{
    const qn_eval *eval = run->eval;
    const qn_eval_kernels *kernels = eval->kernels;
    for (unsigned round = 0; round < BEST_ROUNDS; round++) {
        bool none;
        uint16_t least = qn_window_bounds_least(bounds, qn_eval_threshold(eval), &none);
        if (none)
            return QUERN_OK;
        size_t live = kernels->count_bounds(bounds->sum, bounds->n, least);
        if (live <= 2 * BEST_RANGES || (round > 0 && eval->topk->threshold > 0))
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
    qn_window_run run;
    qn_window_bounds bounds;
    quern_status status = qn_eval_fill_ceilings(eval, error);
    eval->plain = qn_plan_is_union(eval->query);
    eval->total = 0;
    for (size_t i = 0; status == QUERN_OK && i < eval->query->n_terms; i++)
        eval->total += eval->scratch->ceiling[i];
    if (status == QUERN_OK)
        status = qn_window_lists_open(eval, error);
    if (status == QUERN_OK)
        status = qn_window_run_start(&run, eval, error);
    if (status != QUERN_OK || run.total <= 0)
        return status;
    status = qn_window_bounds_sum(&bounds, eval, run.total, error);
    return status == QUERN_OK ? run_all(&run, &bounds, error) : status;
}
