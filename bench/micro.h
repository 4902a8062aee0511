/*
 * What the programs that measure share: random numbers that are the same in every run, a clock, the
 * median of runs, and how many of them the command line asks for.
 */
#ifndef QN_BENCH_MICRO_H
#define QN_BENCH_MICRO_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

enum { MAX_RUNS = 101 };

/* SplitMix64 (Steele, Lea, Flood 2014). */
static inline uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* From 0, and less than 1. */
static inline float next_unit(uint64_t *state)
{
    return (float)(next_random(state) >> 40) * 0x1p-24f;
}

/* Seconds since some moment. */
static inline double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts `values`, at least one; of an even number the mean of the two in the middle, as quern
 * bench. */
static inline double median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, by_value);
    return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

/* The first argument as a number of runs from 1 to MAX_RUNS; `usual` without one. */
static inline unsigned runs_wanted(int argc, char **argv, unsigned usual)
{
    long runs = argc > 1 ? strtol(argv[1], NULL, 10) : (long)usual;
    return runs < 1 ? 1 : runs > MAX_RUNS ? MAX_RUNS : (unsigned)runs;
}

#endif
