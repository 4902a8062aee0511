/*
 * Inversion in memory: takes the terms of documents in order and turns them, a run at a time, into
 * lists by term.
 *
 * Each token costs a u32 in a log of term numbers. A run is inverted by a counting sort: where the
 * tokens stand (resident.h) is scattered to their terms, in order. In a prototype this was five
 * times as fast as growing a chain for every term, at eight bytes a token instead of about two,
 * which the memory limit turns into more runs; chains were not tried here.
 */
#ifndef QN_BUILD_INVERTER_H
#define QN_BUILD_INVERTER_H

#include "index/base/file.h"
#include "index/build/run.h"
#include "index/build/vocabulary.h"

/* Positions of one document stay below this. */
#define QN_POSITIONS_MAX (1u << 28)

typedef struct qn_inverter {
    qn_vocabulary *vocabulary; /* not owned; its counts are the inverter's */
    bool positions;
    uint32_t *log; /* a term number a token */
    size_t n_tokens, log_cap, n_tokens_most;
    qn_stretch *stretch; /* of consecutive positions */
    size_t n_stretches, stretch_cap;
    uint32_t first_doc, n_docs; /* of the run */
    uint32_t next_position;     /* after the last token */
    uint32_t max_position;      /* of the run */
    uint32_t n_positions;       /* of the document, at most */
    qn_run *run;
    size_t n_runs, run_cap, resident_bytes;
    qn_writer spool;
} qn_inverter;

/* Runs that do not stay in memory go to a spool in `dirfd`. `vocabulary` must outlive the inverter.
 */
quern_status qn_inverter_init(qn_inverter *inverter, qn_vocabulary *vocabulary, bool positions,
                              int dirfd, const char *path, quern_error *error);
void qn_inverter_free(qn_inverter *inverter);

/* Starts the next document, numbered one after the last, with positions below `n_positions`, at
 * most QN_POSITIONS_MAX. May make a run first. */
quern_status qn_inverter_document(qn_inverter *inverter, uint32_t n_positions, quern_error *error);

/* Adds n tokens of the document: terms[i] at words[i].position; positions do not decrease within
 * the document. Stop words (QN_STOP_WORD) are passed over; *n_added grows by the others. */
quern_status qn_inverter_words(qn_inverter *inverter, const uint32_t *terms, const qn_word *words,
                               size_t n, uint32_t *n_added, quern_error *error);

/* Adds one token. */
quern_status qn_inverter_token(qn_inverter *inverter, uint32_t term, uint32_t position,
                               quern_error *error);

/* Makes a run in the middle of a document: what was added of it stands in that run, what is still
 * to come will stand in the next, under the same number. */
quern_status qn_inverter_split(qn_inverter *inverter, quern_error *error);

/* Bytes held now, with what making the next run will need; the vocabulary not included. */
size_t qn_inverter_bytes(const qn_inverter *inverter);

/* Makes `doc` the number of the next document; if that is not one after the last, a new run starts
 * there. */
quern_status qn_inverter_go_to(qn_inverter *inverter, uint32_t doc, quern_error *error);

/* Makes a resident run of the documents gathered so far; nothing if there are none. The
 * vocabulary's texts must stay as long as the run is resident. */
quern_status qn_inverter_flush(qn_inverter *inverter, quern_error *error);

/* Writes all resident runs to the spool. */
quern_status qn_inverter_spill(qn_inverter *inverter, quern_error *error);

/* Gives back memory that was kept for later runs; only right after a flush or a split. */
void qn_inverter_trim(qn_inverter *inverter);

/* Gives back the memory that gathering needs; the runs stay readable. */
void qn_inverter_shrink(qn_inverter *inverter);

#endif
