/*
 * The median of repeats, and an interval of confidence that is exact and asks nothing of how the
 * values are distributed.
 */
#ifndef QN_BENCH_STATS_H
#define QN_BENCH_STATS_H

#include <stddef.h>

typedef struct range {
    double low, median, high;
    double coverage; /* the probability that the median is within: 0 for a single value */
} range;

/*
 * Sorts `value`, n > 0 of them. The median lies between two of the sorted values with a
 * probability that the binomial distribution gives (the sign test turned round: Thompson 1936); the
 * narrowest such pair of at least `enough` (0.95, or 0.975 where two intervals are to hold
 * together: Bonferroni) is taken. With so few values that no pair has it (fewer than six, or
 * seven), the least and greatest stand in for it; what they come to is the coverage.
 */
range range_of(double *value, size_t n, double enough);

/* By how much `over` exceeds `under`, with an interval that holds as well as both do. */
typedef struct ratio {
    double ratio, low, high;
    double coverage; /* of low..high, at least; 0: there are too few repeats to say */
} ratio;

/* over / under; of zeros, 1. Both made with 0.975 give a ratio of 0.95. */
ratio ratio_of(range over, range under);

#endif
