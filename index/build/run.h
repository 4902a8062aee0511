/*
 * Runs: what the inverter makes and the merge reads, in memory (resident.h) or, when that is full,
 * on disk. There a run holds the postings of its documents by term, terms ascending bytewise. It
 * lives for one build only.
 *
 *     run     := list*
 *     list    := term_len(varint) term posting* 0
 *     posting := gap << 1 | (tf > 1) (varint) [tf (varint)] [position gap (varint)]*tf
 *
 * gap is the document's distance from the one before in the list, the first counted from the
 * document before the run's first, so it is never 0. Plain varints: a run is written and read once,
 * and its bytes never reach the index.
 */
#ifndef QN_BUILD_RUN_H
#define QN_BUILD_RUN_H

#include "index/build/resident.h"

/* A run: in memory, or where it lies in its spool. */
typedef struct qn_run {
    qn_resident *resident; /* NULL: in the spool */
    qn_writer *spool;
    uint64_t offset, end;
    uint32_t first_doc;
    uint32_t order; /* of its mill's runs: they may part a document between them */
} qn_run;

/* Reads one run through a buffer of its own. */
typedef struct qn_run_reader {
    qn_writer *spool;
    uint64_t next, end; /* bytes of the run not in the buffer yet */
    uint8_t *buffer;
    size_t cap, at, len;
    uint32_t before, doc; /* document before the run's first; current document */
    bool positions;
    uint32_t term_len;
    char term[256];
    uint32_t *gaps; /* of the current posting; grows */
    size_t gaps_cap;
} qn_run_reader;

/* Of a run that is not resident. Its spool must stay open, flushed and unchanged. */
quern_status qn_run_reader_open(qn_run_reader *reader, const qn_run *run, bool positions,
                                size_t buffer_bytes, quern_error *error);
void qn_run_reader_close(qn_run_reader *reader);

/* Steps to the next list: its term in reader->term. QUERN_END after the last. The list before must
 * have been read to its end. */
quern_status qn_run_reader_list(qn_run_reader *reader, quern_error *error);

/* The next posting of the list: *doc, *tf, and reader->gaps. QUERN_END after the last. */
quern_status qn_run_reader_posting(qn_run_reader *reader, uint32_t *doc, uint32_t *tf,
                                   quern_error *error);

#endif
