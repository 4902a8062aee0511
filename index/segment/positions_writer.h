/*
 * Writing the positions of a term, a row at a time: a row holds those of one block of postings. The
 * grammar is that of positions.h; the bytes of a row follow from its postings alone, however they
 * were handed in. Memory: a row, but not more of a long one than 1 MiB and a posting, and the table
 * of the longest list.
 */
#ifndef QN_SEGMENT_POSITIONS_WRITER_H
#define QN_SEGMENT_POSITIONS_WRITER_H

#include "index/base/file.h"
#include "index/codec/block.h"
#include "index/codec/keys.h"

/* Positions that are looked at for a hole: those below, which it can start at or reach. */
enum { QN_POSITIONS_REACH = 384 };

/* Zero-initialise, with `file` and `kernels` set; end with qn_positions_writer_free. */
typedef struct qn_positions_writer {
    qn_writer *file; /* not owned */
    const qn_block_kernels *kernels;
    bool small;     /* first positions may be in unary: smaller, and slower to pick */
    uint64_t start; /* of the term's extent */
    qn_buffer ends; /* u32 a row */

    /* the row so far */
    uint32_t n;
    uint32_t firsts[QN_BLOCK], tfs[QN_BLOCK];
    uint32_t last;  /* position of the last posting */
    bool mixed;     /* its start has been written, in the form of long rows */
    qn_buffer rest; /* u32 gaps; if it is mixed, firsts and gaps not written yet */
    qn_buffer coded, spare;
    uint8_t marks[QN_POSITIONS_REACH + 8]; /* the positions that there are; the last: others */
} qn_positions_writer;

/* Starts a term. */
void qn_positions_writer_begin(qn_positions_writer *writer);

/* Adds the next posting of the row, which has at most QN_BLOCK: tf >= 1 gaps, the first from 0. */
quern_status qn_positions_writer_add(qn_positions_writer *writer, uint32_t tf, const uint32_t *gaps,
                                     quern_error *error);

/* Adds more positions of the last posting, not below those it has; the first from 0, too. */
quern_status qn_positions_writer_more(qn_positions_writer *writer, uint32_t tf,
                                      const uint32_t *gaps, quern_error *error);

/* Adds the postings [from, from + n) of a tile. */
quern_status qn_positions_writer_tile(qn_positions_writer *writer, const qn_keys_tile *tile,
                                      uint32_t from, uint32_t n, quern_error *error);

/* Ends a row. */
quern_status qn_positions_writer_row(qn_positions_writer *writer, quern_error *error);

/* Gives the positions of the term's one posting instead of writing them; it has few. */
void qn_positions_writer_take(const qn_positions_writer *writer, uint32_t *out);

/* Ends the term. */
quern_status qn_positions_writer_end(qn_positions_writer *writer, quern_error *error);

void qn_positions_writer_free(qn_positions_writer *writer);

#endif
