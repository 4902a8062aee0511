/* Sums of range bounds: see window_bounds.h. */
#include "query/window_bounds.h"

#include "index/base/buffer.h"
#include "index/base/status.h"
#include "query/bm25.h"

#include <string.h>

/*
 * The scale makes the sum of all clauses' largest bounds SUM_UNITS; rounding adds less than 2 a
 * clause, and there are at most QN_QUERY_CLAUSES_MAX: 60,000 + 2,048 < 65,536, so 16 bits never
 * overflow.
 */
enum { SUM_UNITS = 60000 };

/* Where weights are next to nothing (statistics from outside) the scale stays finite as a float. */
#define SCALE_MAX 1e30

static bool make_room(qn_window_bounds *bounds, const qn_eval *eval)
{
    qn_eval_scratch *s = eval->scratch;
    bounds->n = (size_t)eval->segment->n_windows * (QN_WINDOW / QN_RANGE);
    void *array = s->bound;
    if (!qn_array_grow(&array, &s->bound_cap, 4 * bounds->n, sizeof *s->bound))
        return false;
    s->bound = array;
    bounds->sum = s->bound;
    bounds->part = s->bound + bounds->n;
    bounds->term = s->bound + 2 * bounds->n;
    bounds->group = s->bound + 3 * bounds->n;
    return true;
}

/* Of a short list: adds the best contribution in each range to its sum. Ranges of a list ascend, so
 * a range is finished when the next one comes. */
static void scatter(const qn_window_bounds *bounds, const qn_window_list *list, uint16_t *sum)
{
    /* Room for the rounding of a whole score, as ceilings of coded lists have it. */
    float scale = (float)(bounds->scale * (1 + QN_BM25_SUM_ROOM));
    uint32_t range = UINT32_MAX;
    uint16_t here = 0; /* of this range, what has been added */
    for (uint32_t i = 0; i < list->n; i++) {
        uint32_t next = list->doc[i] / QN_RANGE;
        uint16_t value = (uint16_t)(list->value[i] * scale + 1.0f);
        here = next == range ? here : 0;
        uint16_t more = value > here ? (uint16_t)(value - here) : 0;
        sum[next] = (uint16_t)(sum[next] + more);
        here = (uint16_t)(here + more);
        range = next;
    }
}

/* floor(max * factor / 256) + 1 is at least max * ceiling / 255 * scale. */
static uint16_t factor_of(const qn_window_bounds *bounds, const qn_window_list *list)
{
    return (uint16_t)(list->ceiling / 255 * bounds->scale * 256 + 1);
}

/* The bounds of a clause of several terms: it stands no more often than each of them. */
static bool make_part(qn_window_bounds *bounds, const qn_eval *eval, const qn_clause *clause,
                      uint16_t *part)
{
    const qn_eval_kernels *kernels = eval->kernels;
    for (uint32_t i = 0; i < clause->n_terms; i++) {
        const qn_window_list *list = &eval->scratch->list[clause->first_term + i];
        if (list->postings == NULL)
            return false;
        uint16_t *term = i == 0 ? part : bounds->term;
        if (list->range_max == NULL) {
            memset(term, 0, bounds->n * sizeof *term);
            scatter(bounds, list, term);
            if (i > 0)
                kernels->min_sums(part, term, bounds->n);
        } else if (i == 0) {
            kernels->set_bounds(part, list->range_max, bounds->n, factor_of(bounds, list));
        } else {
            kernels->min_bounds(part, list->range_max, bounds->n, factor_of(bounds, list));
        }
    }
    return true;
}

/* Adds a should clause where no clause must match. */
static void add_plain(qn_window_bounds *bounds, const qn_eval *eval, const qn_clause *clause)
{
    const qn_window_list *list = &eval->scratch->list[clause->first_term];
    if (clause->n_terms > 1) {
        if (make_part(bounds, eval, clause, bounds->part))
            eval->kernels->add_sums(bounds->sum, bounds->part, bounds->n);
    } else if (list->postings != NULL && list->range_max == NULL) {
        scatter(bounds, list, bounds->sum);
    } else if (list->postings != NULL) {
        eval->kernels->add_bounds(bounds->sum, list->range_max, bounds->n, factor_of(bounds, list));
    }
}

/* The sums of a group's clauses: 0 where none of them can match. */
static void make_group(qn_window_bounds *bounds, const qn_eval *eval, uint32_t group,
                       uint16_t *sums)
{
    memset(sums, 0, bounds->n * sizeof *sums);
    for (size_t c = 0; c < eval->query->n_clauses; c++) {
        const qn_clause *clause = &eval->query->clause[c];
        if (clause->group == group && make_part(bounds, eval, clause, bounds->part))
            eval->kernels->add_sums(sums, bounds->part, bounds->n);
    }
}

quern_status qn_window_bounds_sum(qn_window_bounds *bounds, const qn_eval *eval, double total,
                                  quern_error *error)
{
    const qn_query *query = eval->query;
    if (!make_room(bounds, eval))
        return qn_fail_memory(error);
    bounds->scale = SUM_UNITS / total < SCALE_MAX ? SUM_UNITS / total : SCALE_MAX;
    bool any = false;
    for (size_t c = 0; c < query->n_clauses; c++) {
        if (query->clause[c].occur != QN_MUST)
            continue;
        uint16_t *part = any ? bounds->part : bounds->sum;
        if (!make_part(bounds, eval, &query->clause[c], part))
            memset(part, 0, bounds->n * sizeof *part);
        if (any)
            eval->kernels->add_required(bounds->sum, part, bounds->n);
        any = true;
    }
    for (uint32_t group = 1; group <= query->n_groups; group++) {
        uint16_t *sums = any ? bounds->group : bounds->sum;
        make_group(bounds, eval, group, sums);
        if (any)
            eval->kernels->add_required(bounds->sum, sums, bounds->n);
        any = true;
    }
    if (!any)
        memset(bounds->sum, 0, bounds->n * sizeof *bounds->sum);
    for (size_t c = 0; c < query->n_clauses; c++) {
        if (query->clause[c].occur != QN_SHOULD)
            continue;
        if (!any)
            add_plain(bounds, eval, &query->clause[c]);
        else if (make_part(bounds, eval, &query->clause[c], bounds->part))
            eval->kernels->add_optional(bounds->sum, bounds->part, bounds->n);
    }
    return QUERN_OK;
}

/* A score's real bound times scale is at least threshold * scale; one less leaves room for rounding
 * the product. */
uint16_t qn_window_bounds_least(const qn_window_bounds *bounds, float threshold, bool *none)
{
    double least = (double)threshold * bounds->scale - 1;
    *none = least > UINT16_MAX;
    return *none ? UINT16_MAX : least < 1 ? 1 : (uint16_t)least;
}

uint16_t qn_window_bounds_cut(const qn_window_bounds *bounds, const qn_eval_kernels *kernels,
                              uint16_t least, size_t most)
{
    uint32_t low = least, high = kernels->max_bound(bounds->sum, bounds->n);
    high += high < UINT16_MAX;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        size_t count = kernels->count_bounds(bounds->sum, bounds->n, (uint16_t)middle);
        if (count > most)
            low = middle + 1;
        else
            high = middle;
        if (count > most / 2 && count <= most)
            return (uint16_t)middle;
    }
    /* Of many equal ones rather all than none. */
    if (low > least && kernels->count_bounds(bounds->sum, bounds->n, (uint16_t)low) == 0)
        low--;
    return (uint16_t)low;
}
