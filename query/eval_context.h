/*
 * What every evaluator is given, and the one signature they share: a query, prepared, and one
 * segment of the index after the other, in document order, with one top-k for all.
 *
 *     quern_status qn_eval_NAME(qn_eval *eval, quern_error *error);
 *
 * offers to eval->topk every document of eval->segment that can be among the k best, with its exact
 * score. All evaluators give the same k documents and the same floats; they differ in what they
 * leave unread. QUERN_E_DAMAGED, QUERN_E_MEMORY.
 */
#ifndef QN_QUERY_EVAL_CONTEXT_H
#define QN_QUERY_EVAL_CONTEXT_H

#include "query/cursor.h"
#include "query/eval_kernels.h"
#include "query/phrase.h"
#include "query/query.h"
#include "query/topk.h"

/* Memory that evaluators need, kept from query to query. Zero-initialise; each array belongs to the
 * evaluator named. */
typedef struct qn_eval_scratch {
    qn_cursor *cursor; /* qn_eval_start_cursors: one a query term */
    size_t cursor_cap;
    double *ceiling; /* eval_context.c: one a query term */
    size_t ceiling_cap;
    struct qn_window_list *list; /* window_list.c: one a query term */
    size_t list_cap;
    uint32_t *list_doc; /* window_list.c: documents of sparse lists, */
    size_t list_doc_cap;
    float *list_value; /* their contributions, */
    size_t list_value_cap;
    uint8_t *list_max; /* range maxima of the longer ones, */
    size_t list_max_cap;
    uint32_t *list_end; /* and where windows end in them */
    size_t list_end_cap;
    uint16_t *bound; /* window_bounds.c: four for each range */
    size_t bound_cap;
    struct qn_window_clause *clause; /* window_run.c: one a clause */
    size_t clause_cap;
    float *row; /* window_run.c, with phrases: what each clause adds to the documents at hand */
    size_t row_cap;
    struct qn_window_bytes *window_bytes; /* window_run.c */
    struct qn_full *full;                 /* eval_full.c */
    struct qn_phrase_unit *unit;          /* phrase_unit.c: one a clause, */
    size_t unit_cap;
    struct qn_phrase_term *unit_term; /* one a query term, */
    size_t unit_term_cap;
    uint32_t *unit_offset; /* likewise, */
    size_t unit_offset_cap;
    uint32_t *unit_start; /* and starts of a phrase in the document at hand */
    size_t unit_start_cap;
    uint32_t *place; /* window_phrase.c: postings of the documents at hand */
    size_t place_cap;
    uint64_t *has_clause; /* window_phrase.c: one a clause: which of them have all its terms */
    size_t has_clause_cap;
    struct qn_lead_slot *slot; /* lead_walk.c: one a query term */
    size_t slot_cap;
    uint32_t *slot_of; /* and the slot of each */
    size_t slot_of_cap;
    struct qn_lead_walk *walk; /* eval_lead.c, */
    float *lead_row;           /* what clauses add to the documents of a batch, */
    size_t lead_row_cap;
    uint32_t *lead_waiting; /* and documents that wait for their positions to be read */
    size_t lead_waiting_cap;
    qn_phrase phrase;
} qn_eval_scratch;

/* eval_full.c's part of it. */
void qn_full_free(struct qn_full *full);

void qn_eval_scratch_free(qn_eval_scratch *scratch);

/* What can be left out, so that a benchmark (bench/ablation.c) can tell what it is good for;
 * answers stay the same. All zero: nothing is. */
typedef struct qn_eval_switches {
    bool no_seeds;      /* no threshold is known before documents are found (seed.h) */
    bool no_best_first; /* windows go from first to last, the best ranges not before others */
    unsigned n_bounds;  /* so many different bounds of codes, those near one another taking the
                         * largest of them; 0: each its own */
} qn_eval_switches;

typedef struct qn_eval {
    /* Of the query, the same for all segments: */
    const qn_query *query;
    const float *weight;       /* one a clause, not negative */
    const float (*norms)[256]; /* of each field K by length code */
    bool plain;                /* of should clauses of one term each */
    float seed; /* a floor of the k-th best score that the index is known to have; 0: none */
    qn_topk *topk;
    const qn_eval_kernels *kernels;
    qn_eval_scratch *scratch;
    qn_eval_switches switches;
    /* Of the segment: */
    const qn_segment *segment;
    const qn_postings *const *list; /* one a query term; NULL where the segment lacks it */
    const float *inflation;         /* of each field: qn_postings_inflation */
    double total;                   /* sum of the terms' ceilings */
    /* Of all segments so far: what was looked at. */
    quern_work work;
} qn_eval;

/* The score that a document needs: with less it is not among the k best. Documents that have just
 * this much may be, by their number. Rises as documents are offered. */
static inline float qn_eval_threshold(const qn_eval *eval)
{
    return eval->topk->threshold > eval->seed ? eval->topk->threshold : eval->seed;
}

/* Offers a document of the segment with its exact score: it is left out if it was deleted, or if
 * the score is not enough. */
static inline void qn_eval_offer(const qn_eval *eval, uint32_t doc, float score)
{
    if (score >= qn_eval_threshold(eval) && !qn_segment_is_deleted(eval->segment, doc))
        qn_topk_push(eval->topk, eval->segment->base + doc, score);
}

/* K by length code of a list's field. */
static inline const float *qn_eval_norms(const qn_eval *eval, const qn_postings *list)
{
    return eval->norms[list->field];
}

/* K of a document that a list has. */
static inline float qn_eval_norm(const qn_eval *eval, const qn_postings *list, uint32_t doc)
{
    return qn_eval_norms(eval, list)[list->lengths[doc]];
}

/* Starts a walk for every query term: eval->scratch->cursor[i] for query->term[i]. */
quern_status qn_eval_start_cursors(qn_eval *eval, quern_error *error);

/* The first sticky damage among the cursors, or QUERN_OK: to be asked when an evaluator is done. */
quern_status qn_eval_cursor_status(const qn_eval *eval);

/*
 * Fills eval->scratch->ceiling[i] for query->term[i]: for a list with range_max (or block_max),
 * ceiling * value / 255 is at least w * tf-part of any document in that range (block), with room
 * for the rounding of a whole score (bm25.h): the sum of ceilings * value / 255 over the clauses is
 * at least the float score of each such document. w is the weight of the clause that the term
 * belongs to. A list that the segment lacks has 0.
 *
 * Their sum is put into eval->total.
 *
 * For lists of one block values are 255ths of 1, for others of max_part; both are in the ceiling.
 */
quern_status qn_eval_fill_ceilings(qn_eval *eval, quern_error *error);

#endif
