/*
 * Whether engines of bench/duel answer alike: each query's count and ten best documents, against
 * those of the first engine.
 */
#ifndef BENCH_DUEL_ANSWERS_H
#define BENCH_DUEL_ANSWERS_H

#include "bench/rivals/duel_engine.h"

enum { DUEL_BEST = 10 };

/* Answers to COUNT and RUN_10. */
typedef struct duel_answer {
    bool counted, shown; /* false: the engine does not support it */
    bool scored;         /* scores are numbers: of the formula that quern has */
    unsigned long long count;
    size_t n;
    char *id[DUEL_BEST];
    double score[DUEL_BEST];
} duel_answer;

/* Asks for both; false: the engine is out now. */
bool duel_answer_ask(duel_answer *answer, duel_engine *engine, const char *query);
void duel_answer_free(duel_answer *answer);

/* What the queries of a shape came to. Shares are NaN where nothing could be compared. */
typedef struct duel_agreement {
    size_t n_counted, n_equal, n_near; /* near: within 1 % */
    size_t n_shown;
    double overlap; /* summed over the queries: the part of the best that both have */
    size_t n_scored, n_same;
    const char *worst; /* the query whose counts differ the most, or NULL */
    unsigned long long worst_count[2];
    double worst_by;
    const char *unlike; /* the first query whose scores are not equal, or NULL */
} duel_agreement;

void duel_agreement_add(duel_agreement *to, const duel_answer *first, const duel_answer *other,
                        const char *query);

/* "yes"; "no" where counts, or scores if there are any, are equal for less than the share `enough`;
 * "unknown" where no count could be compared. */
const char *duel_agreement_word(const duel_agreement *of, double enough);

#endif
