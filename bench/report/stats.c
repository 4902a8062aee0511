/* Medians, intervals and ratios: see stats.h. */
#include "bench/report/stats.h"

#include <math.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

range range_of(double *value, size_t n, double enough)
{
    qsort(value, n, sizeof *value, by_value);
    range r = {value[0], (value[(n - 1) / 2] + value[n / 2]) / 2, value[n - 1], 0};
    /* Below the median lies each value with probability 1/2: `term` is that of exactly i of n,
     * `tail` that of i or fewer. */
    double term = ldexp(1, -(int)n), tail = term;
    r.coverage = 1 - 2 * tail;
    for (size_t i = 1; 2 * i < n; i++) {
        term *= (double)(n - i + 1) / (double)i;
        tail += term;
        if (1 - 2 * tail < enough)
            break;
        r.low = value[i];
        r.high = value[n - 1 - i];
        r.coverage = 1 - 2 * tail;
    }
    return r;
}

static double quotient(double over, double under)
{
    return over == under ? 1 : over / under; /* of zeros, too */
}

ratio ratio_of(range over, range under)
{
    return (ratio){.ratio = quotient(over.median, under.median),
                   .low = quotient(over.low, under.high),
                   .high = quotient(over.high, under.low),
                   .coverage = fmax(0, over.coverage + under.coverage - 1)};
}
