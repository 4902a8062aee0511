/*
 * Writing the positions of a term, a row at a time: a row holds those of one block of postings. The
 * grammar is that of positions.h; the bytes of a row follow from its postings alone, however they
 * were handed in. Memory: a row, but not more of a long one than 1 MiB and a posting, and the table
 * of the longest list.
 */
#ifndef QN_SEGMENT_POSITIONS_WRITER_H
#define QN_SEGMENT_POSITIONS_WRITER_H

#include "index/base/file.h"

/* Zero-initialise, with `file` set; end with qn_positions_writer_free. */
typedef struct qn_positions_writer {
    qn_writer *file; /* not owned */
    uint64_t start;  /* of the term's extent */
    qn_buffer gaps;  /* u32, of the row, not written yet: the first of each posting from 0 */
    bool mixed;      /* the row's start has been written, in the form of long rows */
    bool tail_known;
    uint32_t tail;          /* if known: last position of the last posting */
    qn_buffer ends;         /* u32 a row */
    qn_buffer rest;         /* u32, gaps of a row without the first of each posting */
    qn_buffer plain, holed; /* the row, encoded without a hole and with one */
} qn_positions_writer;

/* Starts a term. */
void qn_positions_writer_begin(qn_positions_writer *writer);

/* Adds the next posting of the row: tf >= 1 gaps, the first from 0. */
quern_status qn_positions_writer_add(qn_positions_writer *writer, uint32_t tf, const uint32_t *gaps,
                                     quern_error *error);

/* Adds more positions of the last posting, which has `before` so far; the first from 0, too. */
quern_status qn_positions_writer_more(qn_positions_writer *writer, uint32_t before, uint32_t tf,
                                      const uint32_t *gaps, quern_error *error);

/* Ends a row of n postings with these tf. */
quern_status qn_positions_writer_row(qn_positions_writer *writer, const uint32_t *tfs, uint32_t n,
                                     quern_error *error);

/* The positions of the term's one posting instead, which has few: tf of them to `out`. */
void qn_positions_writer_take(const qn_positions_writer *writer, uint32_t tf, uint32_t *out);

/* Ends the term. */
quern_status qn_positions_writer_end(qn_positions_writer *writer, quern_error *error);

void qn_positions_writer_free(qn_positions_writer *writer);

#endif
