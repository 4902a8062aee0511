/*
 * Blocks of 1 to 128 unsigned 32-bit values: bit-packed with patches (PFOR: Zukowski et al. 2006,
 * with the exceptions' high bits packed apart as in OptPFOR, Yan et al. 2009), or with all high
 * parts in unary (Rice 1979), whichever takes fewer bytes.
 *
 *     block   := head(u8) [count(u8) patchwidth(u8)] packed [index(u8)*count patches]
 *              | head(u8) packed unary
 *     head    := width (bits 0..5, 0..32) | has patches (bit 6) | zero (bit 7)
 *              | 33 + width (33..63)
 *     packed  := the low `width` bits of n values, bit-packed (bitpack.h); ceil(n*width/8) bytes
 *     patches := count values of `patchwidth` bits packed alike: the bits above `width` of the
 *                values at the given indexes, which ascend
 *     unary   := for each value as many zeros as the bits above `width` say, and a one; from the
 *                lowest bit of the first byte on, ended by zeros to a whole byte
 *
 * with count and patchwidth at least 1, width + patchwidth at most 32, and at most 255 zeros before
 * the last one of `unary`. Gaps of documents and what else is spread geometrically is near its
 * entropy in unary; values that are equally likely, or few and far above the others, are not.
 *
 * The number of values n is known from outside. In-order packing is chosen over lane-transposed
 * packing because a partial block has the same form, and value i can be read without the others.
 *
 * Decoders may read QN_PADDING bytes past the end of the input and write up to QN_BLOCK_ROOM
 * values. They never trust a header: what would pass `end` is refused, as are an n out of range and
 * an `in` that is NULL (so that calls can be chained).
 */
#ifndef QN_CODEC_BLOCK_H
#define QN_CODEC_BLOCK_H

#include "index/base/cpu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    QN_BLOCK = 128,                /* values in a full block */
    QN_BLOCK_ROOM = QN_BLOCK + 16, /* values that an output array has room for */
    QN_BLOCK_MAX_BYTES = 3 + 4 * QN_BLOCK + QN_BLOCK + 4 * QN_BLOCK
};

/* Of blocks of which single values are picked, unary must save more than one byte in so many. */
enum { QN_BLOCK_PICK_SHARE = 20 };

/* The portable encoder: see qn_block_kernels.encode, with picked false. */
size_t qn_block_encode(const uint32_t *values, unsigned n, uint8_t *out);

/* The kernels of one instruction set; every level gives the same results as scalar. */
typedef struct qn_block_kernels {
    /* Encodes values[0..n), 1 <= n <= 128, in the fewest bytes: patched, over all widths up to that
     * of the largest value (ties: the larger width, which has fewer patches), or, if that is fewer,
     * in unary with the width that takes the fewest bits (ties: the larger one). `picked`: single
     * values will be picked, which takes longer in unary, so that has to save more than one byte in
     * QN_BLOCK_PICK_SHARE. `out` has room for QN_BLOCK_MAX_BYTES. Returns the bytes written. The
     * same values give the same bytes everywhere. */
    size_t (*encode)(const uint32_t *values, unsigned n, bool picked, uint8_t *out);

    /* Decodes n values (1..128) from [in, end) to out (QN_BLOCK_ROOM values of room). Returns the
     * byte after the block, or NULL if it is malformed or would pass `end`; what `out` then holds
     * is unspecified. */
    const uint8_t *(*decode)(const uint8_t *in, const uint8_t *end, unsigned n, uint32_t *out);

    /* Like decode for strictly ascending values stored as gaps - 1:
     * out[i] = base + sum of (value_j + 1) for j <= i, modulo 2^32. `base` is the last value before
     * the block, UINT32_MAX before the first. Returns NULL also if the results do not ascend
     * strictly below `limit` (forged input). */
    const uint8_t *(*decode_ascending)(const uint8_t *in, const uint8_t *end, unsigned n,
                                       uint32_t base, uint32_t limit, uint32_t *out);

    /* Skips a block of n values: the byte after it, or NULL if its header is malformed or it would
     * pass `end`; the indexes of patches are not looked at. */
    const uint8_t *(*skip)(const uint8_t *in, const uint8_t *end, unsigned n);

    /* Decodes the values [from, from + count) of a block of n (from + count <= n) to out, which has
     * room for `count`, without decoding the others. Returns what decode does; indexes of patches
     * of other values are not all looked at. For a few values. */
    const uint8_t *(*pick)(const uint8_t *in, const uint8_t *end, unsigned n, unsigned from,
                           unsigned count, uint32_t *out);

    const char *name; /* "scalar", "avx2", "avx512" */
} qn_block_kernels;

/* The table for a level; falls back to the best compiled one below it. Never NULL. */
const qn_block_kernels *qn_block_kernels_for(qn_cpu cpu);

#endif
