/*
 * Bounds of all ranges of 64 documents at once: for each range a 16-bit sum over the clauses, 0
 * where no document of the range can match. Range maxima are added as they are: stored of coded
 * lists, made of sparse ones when these were decoded. The contributions of short lists are
 * scattered; no cursor is moved (Dimopoulos, Nepomnyachiy, Suel 2013; Mallia, Mohammad, Trani, Suel
 * 2021).
 */
#ifndef QN_QUERY_WINDOW_BOUNDS_H
#define QN_QUERY_WINDOW_BOUNDS_H

#include "query/window_list.h"

typedef struct qn_window_bounds {
    uint16_t *sum;   /* one a range, 64 n_windows of them */
    uint16_t *part;  /* as many: of a clause */
    uint16_t *term;  /* as many: of a term, */
    uint16_t *group; /* and of a group */
    size_t n;
    double scale; /* a bound in real numbers times this is at most its sum */
} qn_window_bounds;

/* Sums the bounds of the segment's ranges. `total` is the sum of all clauses' largest bounds, above
 * 0. Reads eval->scratch->list. QUERN_E_MEMORY. */
quern_status qn_window_bounds_sum(qn_window_bounds *bounds, const qn_eval *eval, double total,
                                  quern_error *error);

/* The sum that a range needs to hold an answer: 1 to 65,535; *none if no sum can be enough. */
uint16_t qn_window_bounds_least(const qn_window_bounds *bounds, float threshold, bool *none);

/* A sum that at most `most` ranges reach, and more than half as many where there is such a one; no
 * less than `least`. Where too many ranges share the largest sum, it is that. */
uint16_t qn_window_bounds_cut(const qn_window_bounds *bounds, const qn_eval_kernels *kernels,
                              uint16_t least, size_t most);

#endif
