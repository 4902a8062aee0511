/*
 * Runs: what the inverter makes and the merge reads, in memory (resident.h) or, when that is full,
 * on disk. There a run holds the same keys, by term, terms ascending bytewise, as distances from
 * one to the next. It lives for one build only.
 *
 *     run    := list*
 *     list   := term_len(varint) term n_keys(varint) group*
 *     group  := the distances of up to 128 keys, the first key of a list from 0:
 *               distance(varint)*       of less than QN_RUN_FEW
 *             | low high                else: blocks (block.h) of their lower 32 bits and, if keys
 *                                       are wide, of the higher
 *
 * Without positions keys are documents alone, one for each word. Blocks are read and written in
 * vectors: postings as varints, one after another, took a third of the time of a build that keeps
 * nothing in memory.
 */
#ifndef QN_BUILD_RUN_H
#define QN_BUILD_RUN_H

#include "index/base/file.h"
#include "index/build/resident.h"
#include "index/codec/block.h"
#include "index/codec/keys.h"

/* A run: in memory, or where it lies in its spool. */
typedef struct qn_run {
    qn_resident *resident; /* NULL: in the spool */
    qn_writer *spool;
    uint64_t offset, end;
    bool wide; /* of the keys in the spool, as the next */
    unsigned position_bits;
    uint32_t first_doc;
    uint32_t order; /* of its mill's runs: they may part a document between them */
} qn_run;

/* Keys that are not worth a block; bytes that a group takes at most. */
enum { QN_RUN_FEW = 8, QN_RUN_GROUP_MAX = 2 * QN_BLOCK_MAX_BYTES };

/* Appends the resident run of *run to `spool`, and lets it go; *run leads there from then on. Where
 * that fails it stays as it is. */
quern_status qn_run_spill(qn_run *run, qn_writer *spool, quern_error *error);

/* Keys on their way from a spool; one for all runs of a merge. */
enum { QN_RUN_CHUNK = 1024 };
typedef struct qn_run_chunk {
    uint32_t narrow[QN_RUN_CHUNK];
    uint64_t wide[QN_RUN_CHUNK];
    uint32_t low[QN_BLOCK_ROOM], high[QN_BLOCK_ROOM]; /* of a group */
} qn_run_chunk;

/* Reads one run through a buffer of its own. */
typedef struct qn_run_reader {
    const qn_run *run;
    const qn_block_kernels *kernels;
    uint64_t next; /* byte of the spool that is not in the buffer yet */
    uint8_t *buffer;
    size_t cap, at, len;
    uint32_t term_len;
    char term[256];
    uint64_t n_left, last; /* of the list: keys to be read; the one before them */
} qn_run_reader;

/* Of a run that is not resident. It and its spool must stay, the spool flushed and unchanged. */
quern_status qn_run_reader_open(qn_run_reader *reader, const qn_run *run, size_t buffer_bytes,
                                quern_error *error);
void qn_run_reader_close(qn_run_reader *reader);

/* Steps to the next list: its term in reader->term. QUERN_END after the last. The list before must
 * have been read to its end. */
quern_status qn_run_reader_list(qn_run_reader *reader, quern_error *error);

/* The next keys of the list, up to QN_RUN_CHUNK, in `chunk` until that is used again. They may end
 * in the middle of a posting. QUERN_END after the last. */
quern_status qn_run_reader_keys(qn_run_reader *reader, qn_run_chunk *chunk, qn_keys *keys,
                                quern_error *error);

#endif
