/* What the parts of the report share: finding results by their labels, and the parts' sections. */
#ifndef QN_BENCH_REPORT_H
#define QN_BENCH_REPORT_H

#include "bench/report/page.h"
#include "bench/report/results.h"

/* A label that is wanted. Lists end with {NULL, NULL}; "" wants the label to be missing. */
typedef struct want {
    const char *name, *value;
} want;
#define WANT(...) ((const want[]){__VA_ARGS__, {NULL, NULL}})

enum { DISTINCT_MAX = 48 };

/* The figure over all rounds, 95 % (or with `pair` 97.5 %, for a ratio of two); the coverage is -1
 * if there is none. */
range pick(const results *all, const want *wants, const char *figure);
range pick_for_ratio(const results *all, const want *wants, const char *figure);

/* Whether there is a result. */
bool found(const results *all, const want *wants);

/* The different values of a label in results that are wanted, in order of appearance, DISTINCT_MAX
 * at most; "" is left out. */
size_t distinct(const results *all, const want *wants, const char *label,
                const char *values[DISTINCT_MAX]);

/* Sections; each is nothing if its part was not measured. */
void report_build(FILE *out, const results *all);
void report_size(FILE *out, const results *all);
void report_queries(FILE *out, const results *all);
void report_rivals(FILE *out, const results *all);
void report_cold(FILE *out, const results *all);
void report_threads(FILE *out, const results *all);
void report_growth(FILE *out, const results *all);
void report_ablation(FILE *out, const results *all);
void report_kernels(FILE *out, const results *all);
void report_effectiveness(FILE *out, const results *all);

/* Likewise of "engine", quern first. */
size_t engines(const results *all, const want *wants, const char *values[DISTINCT_MAX]);

/* Digits in groups of three; returns `to`. */
const char *with_commas(char *to, size_t room, const char *digits);

/* The colour of an engine: the same everywhere; and how it is written. */
unsigned engine_colour(const char *engine);
const char *engine_name(const char *engine);

#endif
