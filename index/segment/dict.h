/*
 * The dictionary: "here is a term, where are its postings?" - sorted, so that it can also be walked
 * by prefix or pattern.
 *
 * Terms ascend bytewise in front-coded blocks; an array with the first eight bytes of each block's
 * first term leads to the block. Extents in the POSTINGS and POSITIONS sections follow one another
 * in term order, so a record holds lengths only and a block the places where its first term's
 * extents start. FORMAT.md, "Dictionary", has the bytes.
 *
 * dict.c reads, dict_writer.c writes.
 */
#ifndef QN_SEGMENT_DICT_H
#define QN_SEGMENT_DICT_H

#include "index/segment/container.h"
#include "index/segment/format.h"

/* A term with df 1 and at most this many occurrences keeps its positions in its record. */
enum { QN_INLINE_TF_MAX = 8 };

/* What the dictionary knows of a term. */
typedef struct qn_term_info {
    uint32_t field; /* where there are several: of the term, as its first byte says; else 0 */
    uint32_t df;    /* documents, at least 1 */
    uint64_t cf;    /* occurrences, at least df */
    uint64_t postings_off; /* extent in POSTINGS; length 0 if df is 1 */
    uint64_t postings_len;
    uint64_t positions_off; /* extent in POSITIONS; length 0 if none or inline */
    uint64_t positions_len;
    uint64_t bounds_index;               /* how many terms before it have range maxima */
    uint32_t doc;                        /* df 1: the document */
    uint32_t n_inline;                   /* df 1: positions held here, 0..QN_INLINE_TF_MAX */
    uint32_t position[QN_INLINE_TF_MAX]; /* df 1: positions themselves, ascending */
} qn_term_info;

/* ---- writing ---- */

typedef struct qn_dict_writer qn_dict_writer;

/* Writes blocks to a spool in `dirfd`. `positions`: whether records hold extents of positions.
 * `bounds_df`: terms with df >= bounds_df have range maxima (UINT32_MAX: none). */
quern_status qn_dict_writer_new(qn_dict_writer **out, int dirfd, const char *path, bool positions,
                                uint32_t bounds_df, quern_error *error);

/* Adds a term, 1..QN_TERM_MAX bytes, greater than the one before. Of `info` the offsets and
 * bounds_index are ignored (they follow from the order). */
quern_status qn_dict_writer_add(qn_dict_writer *writer, const char *term, size_t len,
                                const qn_term_info *info, quern_error *error);

/* Appends the sections DICT and DICT_INDEX to the container. */
quern_status qn_dict_writer_finish(qn_dict_writer *writer, qn_container_writer *container,
                                   quern_error *error);
void qn_dict_writer_free(qn_dict_writer *writer);

/* ---- reading ---- */

typedef struct qn_dict {
    const qn_container *container;
    qn_section blocks, index;
    uint64_t n_terms;
    uint32_t n_blocks;
    uint64_t postings_len, positions_len; /* of the sections, to hold extents against */
    uint32_t n_docs, bounds_df;
    uint32_t n_fields; /* of the segment, which sets it: terms have a byte before them; 0: none */
    bool positions;
    /* Within `index`, for dict.c: keys by level, all of them at 0, at most 16 at the last. */
    const uint8_t *keys[8], *places;
    uint32_t n_keys[8], n_levels;
} qn_dict;

/* Prepares to read; checks what costs no more than constant time. The other fields' meaning: the
 * segment's numbers, which records are held against. */
quern_status qn_dict_open(qn_dict *out, const qn_container *container, uint64_t n_terms,
                          uint32_t n_docs, bool positions, uint32_t bounds_df, quern_error *error);

/* Finds a term: QUERN_OK, QUERN_NOT_FOUND or QUERN_E_DAMAGED. Every extent it gives lies within its
 * section, df <= n_docs, doc < n_docs. Any thread. */
quern_status qn_dict_find(const qn_dict *dict, const char *term, size_t len, qn_term_info *info,
                          quern_error *error);

/* Walks terms in order from the first that is >= a given one. */
typedef struct qn_dict_cursor {
    const qn_dict *dict;
    uint32_t block;   /* that the current term lies in */
    uint32_t n, next; /* terms of the block, and which of them comes next; n 0: at no block yet */
    const uint8_t *term_at, *terms_end, *fields_at, *end; /* where the next one is */
    const uint8_t *controls, *fronts;
    qn_term_info info; /* of the current term */
    uint32_t len;
    char term[QN_TERM_MAX + 1];
} qn_dict_cursor;

/* Positions before the first term >= `from` (len 0: before the first of all). */
quern_status qn_dict_seek(qn_dict_cursor *cursor, const qn_dict *dict, const char *from, size_t len,
                          quern_error *error);

/* Steps to the next term, found in cursor->term, len and info; QUERN_END after the last. */
quern_status qn_dict_next(qn_dict_cursor *cursor, quern_error *error);

#endif
