/*
 * How often a phrase stands in a document of which the numbers of its terms' postings are known: no
 * list is walked. Only the positions of that document are read, of the term that stands there least
 * often first, and no more of them once no start is left.
 *
 * qn_phrase_freq (phrase.h) defines the frequency; this gives the same.
 */
#ifndef QN_QUERY_PHRASE_UNIT_H
#define QN_QUERY_PHRASE_UNIT_H

#include "query/eval_context.h"

/* A distinct term of a phrase: a phrase that has a term several times has it here once. */
typedef struct qn_phrase_term {
    const qn_postings *postings;
    uint32_t number;        /* in the query, of the first of them */
    const uint32_t *offset; /* from the phrase's start, of each; distinct */
    uint32_t n_offsets;
    uint32_t posting, tf;   /* in the document at hand: set by the caller */
    uint32_t block;         /* whose tf stand in `tfs`; UINT32_MAX: none */
    uint32_t *position;     /* of the document at hand */
    size_t position_cap;    /* of the allocation */
    uint8_t gaps[QN_CODES]; /* coded: tf - 1 by code; 255: not known so */
    uint32_t tfs[QN_BLOCK_ROOM];
} qn_phrase_term;

/* A clause of several terms. */
typedef struct qn_phrase_unit {
    qn_phrase_term *term; /* the rarest first; NULL if the segment lacks one or it is no phrase */
    uint32_t n_terms;
} qn_phrase_unit;

/* Prepares eval->scratch->unit[c] for each clause c. QUERN_E_MEMORY. */
quern_status qn_phrase_units_open(qn_eval *eval, quern_error *error);
void qn_phrase_units_free(qn_eval_scratch *scratch);

/* What a term's tf is more than the phrase's frequency, at least: a start needs a position for each
 * of its offsets, and further starts one more each. 0 where positions are not kept. */
static inline uint32_t qn_phrase_term_excess(const qn_phrase_term *term)
{
    return term->postings->segment->meta.positions ? term->n_offsets - 1 : 0;
}

/* Sets the term's posting (below df), and its tf; 0 only in forged bytes. QUERN_E_DAMAGED. */
quern_status qn_phrase_term_stand(qn_phrase_term *term, uint32_t posting, quern_error *error);

/* *freq in the document in which each unit->term[i] stands as its posting and tf tell; 0 if the
 * phrase does not stand there, or a tf is 0. QUERN_E_DAMAGED, QUERN_E_MEMORY. */
quern_status qn_phrase_unit_freq(const qn_eval *eval, const qn_phrase_unit *unit, uint32_t *freq,
                                 quern_error *error);

#endif
