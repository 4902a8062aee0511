/*
 * Reading positions: where in its documents a term stands. FORMAT.md, "Positions", has the reasons.
 *
 *     POSITIONS extent of a term:  row                       with df <= 128
 *                                  row{n} end{n - 1} width(u8)           with more
 *     row   := [hole] firsts gaps | 0x7F mixed               for one block of postings
 *     hole  := 0x80 + len(u8) start(u8)                      len 1..127
 *     firsts := block (block.h) of the first position of each posting
 *     gaps  := block*: the gaps between the positions of each posting, one posting after another
 *     mixed := block*: each posting's first position and then its gaps
 *     end   := where a row ends, from the extent's start; `width` bits each, bit-packed
 *
 * Blocks hold 128 values, the last of gaps and of mixed the rest. No position of a row with a hole
 * lies in [start, start + len), and those above are stored less by len. A row of more than
 * QN_POSITIONS_ROW values is mixed, so that a writer need not hold it; no other is.
 */
#ifndef QN_SEGMENT_POSITIONS_H
#define QN_SEGMENT_POSITIONS_H

#include "index/segment/postings.h"

enum {
    QN_POSITIONS_ROW = 1 << 18, /* values of the longest row that is not mixed */
    QN_POSITIONS_MIXED = 0x7F,  /* first byte of a mixed row, no head of a block... */
    QN_POSITIONS_HOLE = 0x80,   /* ...nor is a byte with this bit: a hole's */
    QN_POSITIONS_HOLE_LEN = 127 /* of the longest hole */
};

/* Positions of a whole block, as absolute positions document after document, each document's
 * ascending (equal ones may follow each other): document i of the block has tfs[i] of them, as
 * qn_postings_tfs gave them. Grows *positions (an array of *cap values). QUERN_E_ARGUMENT if the
 * segment has no positions, QUERN_E_DAMAGED, QUERN_E_MEMORY. */
quern_status qn_postings_positions(const qn_postings *list, uint32_t block, const uint32_t *tfs,
                                   uint32_t **positions, size_t *cap, quern_error *error);

/* The tfs[i] positions of document i of the block alone, likewise: the same as
 * qn_postings_positions gives. What it does not come to it does not check, so that it may find
 * something in a damaged block. `tfs` are those of the whole block here too. */
quern_status qn_postings_positions_of(const qn_postings *list, uint32_t block, const uint32_t *tfs,
                                      uint32_t i, uint32_t **positions, size_t *cap,
                                      quern_error *error);

/* Which posting of a block is meant, and what is known of the others. */
typedef struct qn_positions_place {
    uint32_t i, tf;
    uint64_t before; /* tf of the postings before it in the block, summed */
    uint64_t total;  /* of all postings of the block */
} qn_positions_place;

/* The same by the sums of tf. */
quern_status qn_postings_positions_at(const qn_postings *list, uint32_t block,
                                      const qn_positions_place *place, uint32_t **positions,
                                      size_t *cap, quern_error *error);

/* The first position of document i of the block, for which no tf need be known; *known is false,
 * and nothing read, if this list or row does not give it so. */
quern_status qn_postings_first_position(const qn_postings *list, uint32_t block, uint32_t i,
                                        uint32_t *first, bool *known, quern_error *error);

#endif
