/*
 * The exact evaluation of one range of documents for a union of terms: what eval_union does where
 * its bounds leave something alive.
 *
 * Terms whose bounds together stay under the threshold are deferred: they cannot make an answer
 * alone, so they are looked up only in documents which the other terms bring close enough (the
 * essential and non-essential lists of MaxScore, Turtle & Flood 1995, chosen for each range). The
 * others are scored term at a time, in the order of the query's clauses, so that without deferred
 * terms each document's sum is the canonical one; with them, survivors are summed again in order.
 * Where so many documents come close that looking a deferred term up in each would cost more than
 * scoring its postings, it is scored after all.
 */
#ifndef QN_QUERY_EVAL_RANGE_H
#define QN_QUERY_EVAL_RANGE_H

#include "query/eval_context.h"

/* A term of the query that the segment holds, in the order of clauses. */
typedef struct qn_union_term {
    qn_cursor *cursor;
    const uint8_t *range_max; /* NULL: a rare term, never deferred */
    float weight;
    bool excludes;     /* of a NOT clause: weight and bounds do not matter */
    double unit;       /* its bound for a range is unit * maximum of the range */
    uint32_t expected; /* postings in a range, on average */
    uint32_t next_def; /* field of the i-th term: number of the i-th in order of deferral */
    /* In the range at hand: */
    bool deferred;
    double bound;     /* if deferred */
    float found;      /* if deferred: its contribution to the document at hand, or 0 */
    uint32_t n;       /* else: its postings, */
    uint32_t *offset; /* documents counted from the range's first, */
    float *value;     /* and contributions */
} qn_union_term;

typedef struct qn_range {
    qn_eval *eval;
    qn_union_term *term;
    size_t n_terms, n_deferrable;
    float *score;  /* one a document of a range; -0.0f between ranges and where nothing matches */
    uint32_t size; /* documents a range */
    /* The range at hand: */
    uint32_t begin, n; /* its first document, and how many it has */
    size_t total;      /* postings gathered */
    size_t n_deferred; /* terms that are deferred and occur in it */
    double rest;       /* sum of their bounds */
    bool reordered;    /* scores were not summed in the order of clauses */
} qn_range;

/* Offers the answers of a range to the top-k. Ranges ascend from one call to the next, until the
 * cursors are started again. Damage is the cursors' sticky status. */
void qn_range_run(qn_range *range, uint32_t number);

#endif
