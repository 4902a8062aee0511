/*
 * Writing postings: takes the lists of all terms in order and fills the sections POSTINGS,
 * POSITIONS, BOUNDS, DICT and DICT_INDEX. The grammar is that of postings.h; the bytes follow from
 * the postings alone. Memory: the coded blocks of the longest list (a byte or two a posting), and a
 * length code a document (the caller's).
 */
#ifndef QN_SEGMENT_POSTINGS_WRITER_H
#define QN_SEGMENT_POSTINGS_WRITER_H

#include "index/codec/keys.h"
#include "index/segment/container.h"
#include "index/segment/fields.h"
#include "index/segment/rows_writer.h"

typedef struct qn_postings_params {
    uint32_t n_docs;
    uint32_t n_fields;      /* 0: one without a name, and terms have no byte before them */
    const uint8_t *lengths; /* n_docs length codes of each field; the caller's, valid until the
                               writer is freed */
    const qn_field_counts *counts; /* of each field, for the average length; read at once */
    float k1, b;
    uint32_t coded_df, dense_df; /* as META has them */
    bool positions;
    bool small; /* first positions in fewer bytes, at the price of time */
} qn_postings_params;

typedef struct qn_postings_writer qn_postings_writer;

/* Positions, the largest part, go straight to `container`, in which no section may be begun until
 * qn_postings_writer_finish; the rest waits in spools in `dirfd`. */
quern_status qn_postings_writer_new(qn_postings_writer **out, qn_container_writer *container,
                                    int dirfd, const char *path, const qn_postings_params *params,
                                    quern_error *error);

/* Starts a term, greater bytewise than the one before. With fields its first byte must tell one, if
 * postings are added. */
void qn_postings_writer_begin(qn_postings_writer *writer, const char *term, size_t len);

/* Adds a posting; documents ascend, tf >= 1. `gaps`: tf position gaps (the first from 0); not read
 * if the segment has none. The document of the posting before: more words of it, further on. */
quern_status qn_postings_writer_add(qn_postings_writer *writer, uint32_t doc, uint32_t tf,
                                    const uint32_t *gaps, quern_error *error);

/* Adds all postings of a list of keys: what qn_postings_writer_add makes of them one by one. */
quern_status qn_postings_writer_keys(qn_postings_writer *writer, const qn_keys *keys,
                                     quern_error *error);

/* Ends the term; one without postings is forgotten. */
quern_status qn_postings_writer_end(qn_postings_writer *writer, quern_error *error);

/* The same in halves, for two threads: lists, with the dictionary, and rows of positions. What is
 * handed to one is handed to the other; a term is ended with the `info` that its rows ended with.
 */
qn_rows_writer *qn_postings_writer_rows(qn_postings_writer *writer);
void qn_postings_writer_begin_list(qn_postings_writer *writer, const char *term, size_t len);
quern_status qn_postings_writer_add_to_list(qn_postings_writer *writer, uint32_t doc, uint32_t tf,
                                            quern_error *error);
quern_status qn_postings_writer_keys_to_list(qn_postings_writer *writer, const qn_keys *keys,
                                             quern_error *error);
quern_status qn_postings_writer_end_list(qn_postings_writer *writer, qn_term_info *info,
                                         quern_error *error);

/* What was written, for META. */
typedef struct qn_postings_totals {
    uint64_t n_terms, n_postings, tf_bytes, bounds_bytes, codes_bytes, bitmap_bytes;
} qn_postings_totals;

/* Ends POSITIONS and appends the other sections. */
quern_status qn_postings_writer_finish(qn_postings_writer *writer, qn_postings_totals *totals,
                                       quern_error *error);
void qn_postings_writer_free(qn_postings_writer *writer);

#endif
