/*
 * A run that is still in memory: where each word of a stretch of documents stands, term by term. It
 * goes to the merge as it is, or, when memory is wanted, to a spool (run.h has that form).
 *
 * A key is a document's number in the run above the position in it, in 32 bits if all of the run
 * fit that, else in 64. Each term's keys ascend; equal ones are words at the same place. (Slots of
 * 64 positions, with a table that leads from a slot to its document, always took 32 bits, but
 * reading them a cache miss for every third posting: 1.37 times the time of a whole build without a
 * store.)
 */
#ifndef QN_BUILD_RESIDENT_H
#define QN_BUILD_RESIDENT_H

#include "index/build/vocabulary.h"

/* Tokens at log[first..] stand in document doc (of the run) at position, position + 1, ... up to
 * the next stretch's first. */
typedef struct qn_stretch {
    size_t first;
    uint32_t doc, position;
} qn_stretch;

/* A term of a run: keys [start .. end) are its own. */
typedef struct qn_resident_term {
    uint64_t prefix; /* its first bytes, as qn_prefix gives them */
    uint32_t number, start, end;
} qn_resident_term;

typedef struct qn_resident {
    const qn_vocabulary *vocabulary; /* not owned; has the texts of the terms */
    uint32_t first_doc;
    bool positions;
    unsigned position_bits;
    uint32_t *narrow; /* n_keys, */
    uint64_t *wide;   /* in one of the two */
    size_t n_keys;
    qn_resident_term *term; /* in the order of their texts */
    size_t n_terms;
} qn_resident;

/* What a run is made from. */
typedef struct qn_resident_input {
    qn_vocabulary *vocabulary; /* its counts are those of the log; they become 0 */
    const uint32_t *log;       /* a term number a token */
    size_t n_tokens;
    const qn_stretch *stretch;
    size_t n_stretches;
    uint32_t n_docs, max_position;
} qn_resident_input;

/* Whether keys of so many documents, with positions up to that, take 32 bits. */
bool qn_resident_is_narrow(uint32_t n_docs, uint32_t max_position);

/* Sorts terms and scatters keys; first_doc and positions are the caller's to fill. NULL when memory
 * is short. */
qn_resident *qn_resident_new(const qn_resident_input *input);
void qn_resident_free(qn_resident *run);

size_t qn_resident_bytes(const qn_resident *run);

/* Bytes that making a run takes at most; of the input, vocabulary and numbers count. */
size_t qn_resident_growth(const qn_resident_input *input);

#endif
