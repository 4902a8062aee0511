/*
 * Writing the positions of terms: a row for each block of postings. It takes the same postings as
 * the lists (postings_writer.h) and shares nothing with them, so that another thread may do it.
 */
#ifndef QN_SEGMENT_ROWS_WRITER_H
#define QN_SEGMENT_ROWS_WRITER_H

#include "index/codec/keys.h"
#include "index/segment/container.h"
#include "index/segment/dict.h"
#include "index/segment/positions_writer.h"

/* Zero-initialised: one of a segment without positions, whose calls do nothing. Begin with
 * qn_rows_writer_init, end with qn_rows_writer_free. */
typedef struct qn_rows_writer {
    bool on;
    qn_positions_writer positions; /* to the container's file, which no other writes to */
    qn_keys_split_fn split;
    qn_buffer gaps; /* u32, of one posting */

    /* the current term */
    uint32_t n;       /* postings of the row */
    uint32_t df, doc; /* doc: the last one, if df > 0 */
    uint64_t cf;
} qn_rows_writer;

/* Begins the section POSITIONS. `small` as qn_positions_writer has it. */
quern_status qn_rows_writer_init(qn_rows_writer *writer, qn_container_writer *container, bool small,
                                 quern_error *error);

/* As those of qn_postings_writer. */
void qn_rows_writer_begin(qn_rows_writer *writer);
quern_status qn_rows_writer_add(qn_rows_writer *writer, uint32_t doc, uint32_t tf,
                                const uint32_t *gaps, quern_error *error);
quern_status qn_rows_writer_keys(qn_rows_writer *writer, const qn_keys *keys, quern_error *error);

/* The posting of the keys [at, end); the postings of a tile, the first of which is of another
 * document than the one before. */
quern_status qn_rows_writer_posting(qn_rows_writer *writer, const qn_keys *keys, size_t at,
                                    size_t end, quern_error *error);
quern_status qn_rows_writer_tile(qn_rows_writer *writer, const qn_keys_tile *tile,
                                 quern_error *error);

/* Ends the term: sets what *info says of positions. */
quern_status qn_rows_writer_end(qn_rows_writer *writer, qn_term_info *info, quern_error *error);

void qn_rows_writer_free(qn_rows_writer *writer);

#endif
