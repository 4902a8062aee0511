/*
 * Walking the documents that have all of a query's required terms, and looking its other terms up
 * in them: for eval_lead.h.
 */
#ifndef QN_QUERY_LEAD_WALK_H
#define QN_QUERY_LEAD_WALK_H

#include "query/eval_context.h"

enum { QN_LEAD_BATCH = 64 };

/* A distinct term of the query, and where it stands in a batch of documents. */
typedef struct qn_lead_slot {
    const qn_postings *postings;
    qn_cursor *cursor; /* NULL of a coded list; not used of the one that leads */
    bool required;
    double ceiling; /* of what it adds, as qn_eval_scratch.ceiling has it, */
    double others;  /* and what the clauses add that it is not in; of required ones */
    uint32_t least; /* 255ths of its ceiling that a range needs to hold an answer, or 256 */
    uint64_t found; /* bit i: document i of the batch has it */
    uint32_t tf_of[QN_CODES]; /* coded: by code, 0 where codes do not tell */
    uint32_t posting[QN_LEAD_BATCH], tf[QN_LEAD_BATCH];
} qn_lead_slot;

typedef struct qn_lead_walk {
    qn_eval *eval;
    qn_lead_slot *slot; /* the required ones first, the rarest before all: it leads */
    size_t n_slots, n_required;
    bool bounded; /* ranges that cannot hold an answer are left out */
    /* The batch: documents that have all required terms, ascending. */
    uint32_t doc[QN_LEAD_BATCH];
    uint32_t n;
    /* Of the list that leads: */
    uint32_t block, i, n_docs; /* what comes next of the decoded block */
    const uint8_t *tf_at;
    uint32_t docs[QN_BLOCK_ROOM], tfs[QN_BLOCK_ROOM];
    /* Where it is a bitmap, all required ones are: */
    uint32_t word; /* that comes next, */
    uint64_t bits; /* and what is left of the one before it */
} qn_lead_walk;

/* Starts a walk; *empty if a required term is not there at all. `bounded`: what the threshold of
 * the k best rules out is left out, for which eval->weight, ->inflation and ->topk are needed.
 * QUERN_E_MEMORY.
 */
quern_status qn_lead_walk_start(qn_lead_walk *walk, qn_eval *eval, bool bounded, bool *empty,
                                quern_error *error);

/* The slot of query term i, which the segment has. */
static inline qn_lead_slot *qn_lead_walk_slot(const qn_lead_walk *walk, size_t i)
{
    return &walk->slot[walk->eval->scratch->slot_of[i]];
}

/* Fills the next batch, and all slots for it; walk->n is 0 at the end. QUERN_E_DAMAGED. */
quern_status qn_lead_walk_next(qn_lead_walk *walk, quern_error *error);

#endif
