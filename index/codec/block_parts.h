/* What the decoders of every instruction set share: taking a block apart without trusting it, its
 * patches, and the check of ascending values. Included by block*.c, block_encode.h and
 * block_template.h only. */
#ifndef QN_CODEC_BLOCK_PARTS_H
#define QN_CODEC_BLOCK_PARTS_H

#include "index/codec/bitpack.h"
#include "index/codec/block.h"
#include "index/codec/block_unary.h"

#include <stdbool.h>

enum {
    QN_BLOCK_WIDTH = 0x3F,
    QN_BLOCK_UNARY = 33, /* heads from here up to QN_BLOCK_WIDTH: in unary */
    QN_BLOCK_PATCHED = 0x40,
    QN_BLOCK_ZERO = 0x80
};

/* A block whose parts lie within the input; `count` and `patch_width` are 0 where nothing is
 * patched, `unary` is NULL where high parts are not. */
typedef struct block_parts {
    unsigned width, patch_width, count;
    const uint8_t *packed, *indexes, *patches, *unary, *next;
} block_parts;

/* The parts of a block with high parts in unary, of which head and width are known. */
static inline bool block_parse_unary(const uint8_t *in, size_t room, unsigned n, block_parts *parts)
{
    size_t packed = qn_bitpack_bytes(n, parts->width);
    if (room < 1 + packed)
        return false;
    parts->unary = in + 1 + packed;
    unsigned last = unary_select(parts->unary, n);
    parts->next = parts->unary + last / 8 + 1;
    return last != UNARY_NONE && last / 8 < room - 1 - packed;
}

/* False if the header is malformed or the parts would pass `end`. */
static inline bool block_parse(const uint8_t *in, const uint8_t *end, unsigned n,
                               block_parts *parts)
{
    if (in == NULL || in >= end || n == 0 || n > QN_BLOCK)
        return false;
    size_t room = (size_t)(end - in);
    unsigned head = in[0];
    unsigned width = head & QN_BLOCK_WIDTH;
    size_t packed = qn_bitpack_bytes(n, width);
    *parts = (block_parts){.width = width, .packed = in + 1};
    if ((head & QN_BLOCK_PATCHED) == 0) {
        if (head >= QN_BLOCK_UNARY && head <= QN_BLOCK_WIDTH) {
            parts->width = head - QN_BLOCK_UNARY;
            return block_parse_unary(in, room, n, parts);
        }
        if (head > 32 || room < 1 + packed)
            return false;
        parts->next = in + 1 + packed;
        return true;
    }
    if (room < 3)
        return false;
    parts->count = in[1];
    parts->patch_width = in[2];
    size_t patches = qn_bitpack_bytes(parts->count, parts->patch_width);
    if ((head & QN_BLOCK_ZERO) != 0 || parts->count == 0 || parts->count > n ||
        parts->patch_width == 0 || width + parts->patch_width > 32 ||
        room < 3 + packed + parts->count + patches)
        return false;
    parts->packed = in + 3;
    parts->indexes = parts->packed + packed;
    parts->patches = parts->indexes + parts->count;
    parts->next = parts->patches + patches;
    return true;
}

/* Adds the patches, given unpacked in `high`, to the n low parts in `out`. False if the indexes do
 * not ascend below n. */
static inline bool block_patch(const block_parts *parts, unsigned n, const uint32_t *high,
                               uint32_t *out)
{
    unsigned least = 0;
    for (unsigned i = 0; i < parts->count; i++) {
        unsigned at = parts->indexes[i];
        if (at < least || at >= n)
            return false;
        out[at] |= high[i] << parts->width;
        least = at + 1;
    }
    return true;
}

/* Bits that no value of the block has more of. */
static inline unsigned block_bits(const block_parts *parts)
{
    return parts->width + (parts->unary != NULL ? 8 : parts->patch_width);
}

/* Whether out[0..n), the sums of gaps of at most `bits` bits from `base`, ascends strictly and
 * stays below `limit`. Sums are taken modulo 2^32; as each step is between 1 and 2^32, they have
 * wrapped if and only if some value is not above the one before. Where the widths rule that out,
 * the last value tells. */
static inline bool block_ascends(const uint32_t *out, unsigned n, unsigned bits, uint32_t base,
                                 uint32_t limit)
{
    uint32_t least = base + 1; /* 0 before the first value */
    if (least + ((uint64_t)n << bits) > UINT32_MAX) {
        if (least > 0 && out[0] <= base)
            return false;
        for (unsigned i = 1; i < n; i++)
            if (out[i] <= out[i - 1])
                return false;
    }
    return out[n - 1] < limit;
}

/* The tables of the levels; NULL where the compiler did not target them. */
const qn_block_kernels *qn_block_kernels_avx2(void);
const qn_block_kernels *qn_block_kernels_avx512(void);

#endif
