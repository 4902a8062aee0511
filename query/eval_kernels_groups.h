/* Where the groups of a window lie: for the loops of evaluators and of counting. */
#ifndef QN_QUERY_EVAL_KERNELS_GROUPS_H
#define QN_QUERY_EVAL_KERNELS_GROUPS_H

#include "index/base/bytes.h"
#include "query/eval_kernels.h"

#include <stdbool.h>

/* The postings [*from, *to) of group g of the window. */
static inline void group_of(const qn_group_window *window, unsigned g, uint32_t *from, uint32_t *to)
{
    uint64_t base = window->base, first = base + qn_load_u16(window->starts + 2 * (size_t)g);
    uint64_t end = g < 15 ? base + qn_load_u16(window->starts + 2 * (size_t)g + 2) : window->end;
    bool good = end <= window->df && first <= end && end - first <= 256;
    *from = good ? (uint32_t)first : 0;
    *to = good ? (uint32_t)end : 0;
}

#endif
