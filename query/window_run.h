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
    bool required;         /* every answer matches it: a must clause, or the only one */
    double ceiling;        /* the least of its terms' */
    double largest;        /* the largest of them */
    uint64_t df;           /* the least of its terms' */
    /* Of its tightest list, in 255ths of bounds_ceiling: bounds_step bytes a window, or 0 where the
     * same 64 serve all. */
    const uint8_t *bounds;
    size_t bounds_step;
    double bounds_ceiling;
    uint16_t factor; /* for the kernel range_bytes, at the scale at hand */
} qn_window_clause;

/* Documents that are looked up together and, if the query has a phrase, scored together; else all
 * survivors of a window are. */
enum { QN_WINDOW_BATCH = 64 };

/* Scratch memory of a window. */
typedef struct qn_window_bytes {
    uint8_t sum[QN_WINDOW];                   /* bounds of the window's documents */
    uint8_t part[QN_WINDOW], term[QN_WINDOW]; /* the same of a phrase, and of a term of it */
    uint64_t candidate[64], mask[64], room[64];
    float value[QN_WINDOW]; /* 0 between lists */
    uint32_t tf[QN_WINDOW_BATCH];
    uint16_t offset[QN_WINDOW];              /* of survivors */
    float norm[QN_WINDOW], score[QN_WINDOW]; /* likewise; K of one field */
    uint64_t any[64];                        /* window_group.c */
} qn_window_bytes;

typedef struct qn_window_run {
    qn_eval *eval;
    qn_window_clause *clause;
    size_t n_clauses, n_scored; /* those that do not exclude come first */
    bool phrases;               /* a clause has several terms */
    bool masks;                 /* some are required, or a group is, or must not match */
    uint32_t norm_field;        /* of bytes->norm; UINT32_MAX: of none */
    double total;               /* sum of the clauses' largest; 0: nothing can match */
    float scale;                /* of the lists' tables */
    uint8_t least;              /* what a document's bound must reach */
    qn_window_bytes *bytes;
} qn_window_run;

/* Orders the clauses. QUERN_E_MEMORY. */
quern_status qn_window_run_start(qn_window_run *run, qn_eval *eval, quern_error *error);

/* For two windows ahead, and for the next one, whose slot is not that of the window at hand: see
 * window_list.h. */
void qn_window_run_fetch(const qn_window_run *run, uint32_t window, uint64_t live);
void qn_window_run_prepare(qn_window_run *run, uint32_t window, uint64_t live, unsigned slot);

/* Offers the answers of the ranges in `live`, a part of those that the window was prepared for in
 * `slot`. */
quern_status qn_window_run_window(qn_window_run *run, uint32_t window, uint64_t live, unsigned slot,
                                  quern_error *error);

/* ---- for window_phrase.c ---- */

/* Narrows the candidates to documents that are (`wanted`) or are not in `words`; returns the ranges
 * that still have some. */
uint64_t qn_window_narrow(uint64_t candidate[64], uint64_t live, const uint8_t *words, bool wanted);

/* What a list adds to the n <= QN_WINDOW_BATCH documents of the batch; bit i of the result tells
 * whether it has document i. */
uint64_t qn_window_score_list(qn_window_run *run, uint32_t window, const qn_window_list *list,
                              size_t n, float *row);

/* K of the batch's documents in a list's field, n of them in all: bytes->norm. */
const float *qn_window_norms(qn_window_run *run, uint32_t window, const qn_postings *list,
                             size_t n);

/* Offers document i of the batch, if its score reaches the threshold. */
void qn_window_offer(const qn_window_run *run, uint32_t window, size_t i, float score);

#endif
