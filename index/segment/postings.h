/*
 * The postings of one term, for readers: blocks of 128 documents with their tf, positions, and the
 * bounds by which an evaluator leaves most of them unread.
 *
 *     POSTINGS extent of a term with df 1:        none (the dictionary holds it)
 *     with df <= 128:       max(u8) docs tf
 *     with more:            (docs tf)* last_doc(u32)* end(u32)* max(u8)* max_part(f32) seed(u16){8}
 *     with df >= coded_df:  see coded.h
 *     docs  := block of n documents as gaps - 1 (block.h), restarting at the last one before
 *     tf    := block of n times tf - 1; absent if df <= 128 and cf == df
 *
 * Positions, a row for each block of postings, are read by positions.h.
 *
 * The arrays last_doc, end, max have an entry a block: its last document, where its bytes end
 * counted from the start of the extent, and its largest tf-part as a ceiling in 255ths of max_part
 * (with df <= 128: in 255ths of 1). They stand behind the blocks, so that a writer need not hold a
 * long list in memory. tf-part = tf / (tf + K(length)) in float, K for the segment's k1, b and
 * average. seed[i] is a floor in 4096ths of the qn_seed_rank[i]-th best tf-part, 0 where df is
 * smaller. BOUNDS holds, for each term with df >= coded_df in order, 64 * n_windows levels
 * (levels.h) of ceilings, four bits each, the low half first: of the documents [64 r, 64 r + 64).
 */
#ifndef QN_SEGMENT_POSTINGS_H
#define QN_SEGMENT_POSTINGS_H

#include "index/segment/codes.h"
#include "index/segment/levels.h"
#include "index/segment/segment.h"

enum { QN_SEEDS = 8 };

/* k of each seed. */
static const uint32_t qn_seed_rank[QN_SEEDS] = {5, 10, 20, 50, 100, 200, 500, 1000};

/* An opened list. Plain values and pointers into the mapping; copies are fine. */
typedef struct qn_postings {
    const qn_segment *segment;
    qn_term_info info;
    uint32_t field;         /* of the term, */
    const uint8_t *lengths; /* and its codes of lengths: n_docs, over-readable */
    uint32_t df, n_blocks;
    bool has_tf;              /* false: every tf is 1 */
    float max_part;           /* no tf-part is larger (at the segment's parameters); <= 1 */
    float seed[QN_SEEDS];     /* floors of the k-th best tf-parts; 0: none */
    const uint8_t *last_doc;  /* u32 a block, unaligned; NULL if n_blocks is 1 */
    const uint8_t *block_end; /* u32 a block, likewise */
    const uint8_t *block_max; /* u8 a block: tf-part <= max_part * block_max / 255; NULL if df 1 */
    const uint8_t *range_level; /* u4 a range of 64 documents: its maximum's; NULL unless coded */
    uint8_t level[QN_LEVELS];   /* 255ths of max_part, likewise */
    const uint8_t *data, *data_end;         /* first block, end of the last */
    const uint8_t *pos_data, *pos_data_end; /* extent in POSITIONS, for positions.h */
    /* Coded lists only (coded.h): */
    bool coded, dense;
    const uint8_t *codes;         /* u4 a posting */
    const uint8_t *bitmap, *rank; /* dense: u64 for 64 documents, u32 for 512 */
    const uint8_t *start, *low; /* else: u16 for 256 documents, u8 a posting; rank u32 for 4,096 */
    const uint8_t *exception_start; /* u32 for 256 postings: exceptions before them */
    const uint8_t *exception;       /* u32 each: postings of classes that are not exact */
    const uint8_t *exception_tf;    /* their tf, of tf_width bytes */
    uint32_t n_exceptions, tf_width;
    qn_code_class class[QN_CODES];
} qn_postings;

/* Opens the list of a term found in the segment's dictionary. QUERN_E_DAMAGED. */
quern_status qn_postings_open(qn_postings *out, const qn_segment *segment, const qn_term_info *info,
                              quern_error *error);

/* Of a coded list: the ceiling of a range's tf-parts, in 255ths of max_part. */
static inline uint8_t qn_postings_range_max(const qn_postings *list, uint32_t range)
{
    return list->level[list->range_level[range / 2] >> (range % 2 * 4) & 15];
}

/* Postings in block `block`: 128, or fewer in the last. */
static inline uint32_t qn_postings_block_n(const qn_postings *list, uint32_t block)
{
    return block + 1 < list->n_blocks ? QN_BLOCK : list->df - block * QN_BLOCK;
}

/* Of a list that is not coded: the last document of a block as its table says (unchecked until the
 * block is decoded); for the last block of any list a number >= its last document. */
static inline uint32_t qn_postings_block_last(const qn_postings *list, uint32_t block)
{
    return list->last_doc == NULL ? list->segment->meta.n_docs - 1
                                  : qn_load_u32(list->last_doc + 4 * (size_t)block);
}

/* Reads max_part and seeds. For coded.c. */
quern_status qn_postings_open_trailer(qn_postings *list, const uint8_t *trailer,
                                      quern_error *error);

/* The first block at or after `from` whose last document is >= doc; n_blocks if none. */
uint32_t qn_postings_find_block(const qn_postings *list, uint32_t from, uint32_t doc);

/*
 * Decodes the documents of a block: strictly ascending, below n_docs, above block_last of the block
 * before (of a coded list: above the last of the block before, if that can be decoded). `docs` has
 * room for QN_BLOCK_ROOM. *tf_at is where its tf block starts, for qn_postings_tfs.
 * QUERN_E_DAMAGED.
 */
quern_status qn_postings_docs(const qn_postings *list, uint32_t block, uint32_t *docs,
                              const uint8_t **tf_at, quern_error *error);

/* Decodes the tf of a block (each at least 1); `tfs` has room for QN_BLOCK_ROOM. */
quern_status qn_postings_tfs(const qn_postings *list, uint32_t block, const uint8_t *tf_at,
                             uint32_t *tfs, quern_error *error);

/* Bounds hold at the segment's parameters and average length of the field. A factor >= 1 by which
 * every bound of its lists must be multiplied at those of `norms` (as qn_length_norms gives them):
 * the maximum over all length codes of (1 + K_segment) / (1 + K_query), with room for rounding;
 * exactly 1 where it is. */
float qn_postings_inflation(const qn_segment *segment, unsigned field, const float norms[256]);

/* A factor <= 1 for seeds: the minimum of the same ratio, likewise. */
float qn_postings_deflation(const qn_segment *segment, unsigned field, const float norms[256]);

#endif
