/* Evaluating one window of documents: what eval_range.c does where bounds leave ranges alive. */
#ifndef QN_QUERY_WINDOW_RUN_H
#define QN_QUERY_WINDOW_RUN_H

#include "query/window_list.h"

/* A clause that the segment may match, in the order in which windows take them. */
typedef struct qn_window_clause {
    const qn_clause *clause;
    uint32_t number;       /* in the query */
    qn_window_list *lists; /* of its terms, all there */
    bool cheap;            /* no list is dense */
    double ceiling;        /* the least of its terms' */
    double largest;        /* the largest of them */
    uint64_t df;           /* likewise */
} qn_window_clause;

typedef struct qn_window_run {
    qn_eval *eval;
    qn_window_clause *clause;
    size_t n_clauses, n_must;
    bool phrases;  /* a clause has several terms */
    bool masks;    /* some must match, or must not */
    double total;  /* sum of the clauses' largest; 0: nothing can match */
    float scale;   /* of the lists' tables */
    uint8_t least; /* what a document's bound must reach */
    struct qn_window_bytes *bytes;
} qn_window_run;

/* Orders the clauses. QUERN_E_MEMORY. */
quern_status qn_window_run_start(qn_window_run *run, qn_eval *eval, quern_error *error);

/* The next window may be the first again. */
void qn_window_run_rewind(qn_window_run *run);

/* For two windows ahead, and for the next one, whose slot is not that of the window at hand: see
 * window_list.h. */
void qn_window_run_fetch(const qn_window_run *run, uint32_t window, uint64_t live);
void qn_window_run_prepare(qn_window_run *run, uint32_t window, uint64_t live, unsigned slot);

/* Offers the answers of the ranges in `live`, a part of those that the window was prepared for in
 * `slot`. Windows ascend between rewinds. */
quern_status qn_window_run_window(qn_window_run *run, uint32_t window, uint64_t live, unsigned slot,
                                  quern_error *error);

#endif
