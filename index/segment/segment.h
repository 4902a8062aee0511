/*
 * A segment as a reader sees it: an immutable run of documents with its own dictionary, postings
 * and store. Opening costs work proportional to the number of sections, not to their size; nothing
 * that is read here is trusted.
 */
#ifndef QN_SEGMENT_SEGMENT_H
#define QN_SEGMENT_SEGMENT_H

#include "index/codec/block.h"
#include "index/segment/container.h"
#include "index/segment/dict.h"
#include "index/segment/docs.h"
#include "index/segment/format.h"
#include "index/segment/ids.h"
#include "index/segment/manifest.h"
#include "index/segment/meta.h"
#include "index/segment/ordinals.h"

typedef struct qn_segment {
    qn_container index, store; /* store unused unless meta.stored */
    qn_container deletes;      /* unused unless there are some */
    qn_segment_meta meta;
    qn_dict dict;
    qn_ids ids;
    qn_docs docs;
    /* Of each field, or of the one without a name: n_docs codes of lengths, over-readable by
     * QN_PADDING, and the lengths, bit-packed. */
    const uint8_t *lengths[QN_FIELDS_MAX], *exact[QN_FIELDS_MAX];
    qn_section postings, positions, bounds;
    /* NULL unless documents were reordered: they then have a number, by which lists know them, and
     * an ordinal, their place in the input, by which everybody else does. Else these are equal. */
    const uint8_t *ordinals;
    /* A bit for each document of n_windows windows, by number and by ordinal; NULL: none is. */
    const uint8_t *deleted, *gone;
    uint32_t n_deleted;
    uint32_t n_windows; /* of QN_WINDOW documents */
    uint32_t base;      /* number of its first document within the index; set by the owner */
    const qn_block_kernels *kernels;
} qn_segment;

/* Whether the document with this number (< n_docs) was deleted: then it is no answer, but counts in
 * statistics. */
static inline bool qn_segment_is_deleted(const qn_segment *segment, uint32_t doc)
{
    return segment->deleted != NULL && (segment->deleted[doc / 8] >> doc % 8 & 1) != 0;
}

/* The same by its ordinal. */
static inline bool qn_segment_is_gone(const qn_segment *segment, uint32_t ordinal)
{
    return segment->gone != NULL && (segment->gone[ordinal / 8] >> ordinal % 8 & 1) != 0;
}

/* The ordinal of the document with this number (< n_docs). Not below n_docs in a forged file. */
static inline uint32_t qn_segment_ordinal(const qn_segment *segment, uint32_t doc)
{
    return segment->ordinals == NULL
               ? doc
               : qn_bitpack_get(segment->ordinals, doc, qn_ordinals_width(segment->meta.n_docs));
}

/* Fetches what qn_segment_ordinal will read. */
static inline void qn_segment_fetch_ordinal(const qn_segment *segment, uint32_t doc)
{
    if (segment->ordinals != NULL)
        __builtin_prefetch(segment->ordinals +
                           (size_t)doc * qn_ordinals_width(segment->meta.n_docs) / 8);
}

/* From what df on a term of a segment is coded, and dense, in a tuning. */
void qn_segment_borders(quern_tune tune, uint32_t n_docs, uint32_t *coded_df, uint32_t *dense_df);

/* Opens the files of one manifest entry in `dirfd` and holds them against it. */
quern_status qn_segment_open(qn_segment *out, int dirfd, const qn_manifest_segment *entry,
                             const quern_open_options *options, quern_error *error);

/* The same over files in memory that the caller keeps (store may be NULL): for tests. */
quern_status qn_segment_open_bytes(qn_segment *out, const uint8_t *index, size_t index_len,
                                   const uint8_t *store, size_t store_len, bool paranoid,
                                   quern_error *error);
void qn_segment_close(qn_segment *segment);

/* qn_container_sweep of its files. */
void qn_segment_sweep(qn_segment *segment);

/* The exact length of a field (< qn_fields_count) of the document with this ordinal (< n_docs) in
 * tokens. */
quern_status qn_segment_exact_length(const qn_segment *segment, unsigned field, uint32_t ordinal,
                                     uint32_t *length, quern_error *error);

/* Touches length codes and ordinals, once before an evaluator reads them. */
quern_status qn_segment_touch_lengths(const qn_segment *segment, quern_error *error);

/* Bytes by what they hold, added to `bytes`. */
void qn_segment_bytes(const qn_segment *segment, quern_bytes *bytes);

#endif
