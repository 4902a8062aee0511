/* Times of bench/duel: of one engine, shape and command, round by round. */
#ifndef BENCH_DUEL_TIMES_H
#define BENCH_DUEL_TIMES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct duel_times {
    bool unsupported;
    double *us; /* of the round that is being measured */
    size_t n, cap;
    double *mean, *p50, *p99; /* of each round */
    size_t n_rounds, cap_rounds[3];
} duel_times;

/* What a line of JSON says of a round. */
typedef struct duel_labels {
    bool json;
    const char *engine, *shape, *command, *agrees; /* agrees: may be NULL */
} duel_labels;

/* Ends the program where memory is short. */
void duel_times_add(duel_times *times, double us);

/* Ends a round of one time at least: it is kept if it is `measured`, and then printed if `labels`
 * (may be NULL) want JSON. */
void duel_times_round(duel_times *times, bool measured, const duel_labels *labels);

/* Prints the medians over the rounds and, unless `first` is NULL, the ratio of mean times to its;
 * then `mark` and the end of the line. Both have a round at least. */
void duel_times_put(duel_times *times, duel_times *first, const char *mark);

/* The same of rounds of one time each: median, least and most of them. */
void duel_times_put_starts(duel_times *times, duel_times *first);

void duel_times_free(duel_times *times);

#endif
