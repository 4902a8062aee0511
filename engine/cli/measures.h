/*
 * Measures of a ranking, by the names and with the figures of trec_eval 10 (Buckley and Soboroff),
 * written from their definitions. A measure is a family (P, ndcg_cut) with a parameter if the
 * family has one (the cutoff 10), and has a name (P_10).
 */
#ifndef QN_CLI_MEASURES_H
#define QN_CLI_MEASURES_H

#include "engine/cli/ranking.h"

struct qn_measure_family;

typedef struct qn_measure {
    const struct qn_measure_family *family;
    double parameter;
    char name[48];
    double sum; /* of values, or of their logarithms */
} qn_measure;

/* Measures without repetition in trec_eval's order. Zero-initialise. */
typedef struct qn_measures {
    qn_measure *measure;
    size_t n, cap;
} qn_measures;

/*
 * Adds measures: a name (map, P_10), a family (P: all its usual cutoffs), trec_eval's spelling of
 * parameters (P.10 and P.5,10), or a set (official, all_trec). NULL if done, else what is wrong,
 * for which `room` may be used.
 */
const char *qn_measures_add(qn_measures *measures, const char *name, char *room, size_t size);

void qn_measures_free(qn_measures *measures);

/* The value for one topic. */
double qn_measure_value(const qn_measure *measure, const qn_ranking *ranking);

/* Adds the value of a topic to the sum. */
void qn_measure_count(qn_measure *measure, double value);

/* The figure over `n` topics, all of which were counted. */
double qn_measure_final(const qn_measure *measure, size_t n);

/* Whether it is printed for single topics, and whether as a whole number. */
bool qn_measure_per_topic(const qn_measure *measure);
bool qn_measure_whole(const qn_measure *measure);

#endif
