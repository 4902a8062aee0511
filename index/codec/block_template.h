/*
 * The decoders of blocks, compiled once per instruction set. The including file first defines
 *
 *     KERNELS     the name of the qn_block_kernels table that this file defines
 *     LEVEL       its level's name
 *     unpack      static, a qn_bitpack_unpack_fn
 *     sum         static void (uint32_t *out, unsigned n, uint32_t base): replaces gaps - 1 by
 *                 values, out[i] = base + sum of (out[j] + 1) for j <= i, modulo 2^32
 *     unpack_sum  static void (const uint8_t *in, unsigned n, unsigned width, uint32_t base,
 *                 uint32_t *out): both, in registers
 *
 * and, if it defines OWN_PATCHED, its own unpack_patched and unpack_patched_sum. All may treat
 * values past n as they like, within QN_BLOCK_ROOM.
 */
#include "index/codec/block_parts.h"

#ifndef OWN_PATCHED

/* False if the indexes of the patches are malformed. */
static bool unpack_patched(const block_parts *parts, unsigned n, uint32_t *out)
{
    uint32_t high[QN_BLOCK_ROOM];
    unpack(parts->packed, n, parts->width, out);
    unpack(parts->patches, parts->count, parts->patch_width, high);
    return block_patch(parts, n, high, out);
}

static bool unpack_patched_sum(const block_parts *parts, unsigned n, uint32_t base, uint32_t *out)
{
    if (!unpack_patched(parts, n, out))
        return false;
    sum(out, n, base);
    return true;
}

#endif

static const uint8_t *decode(const uint8_t *in, const uint8_t *end, unsigned n, uint32_t *out)
{
    block_parts parts;
    if (!block_parse(in, end, n, &parts))
        return NULL;
    if (parts.count == 0)
        unpack(parts.packed, n, parts.width, out);
    else if (!unpack_patched(&parts, n, out))
        return NULL;
    return parts.next;
}

static const uint8_t *decode_ascending(const uint8_t *in, const uint8_t *end, unsigned n,
                                       uint32_t base, uint32_t limit, uint32_t *out)
{
    block_parts parts;
    if (!block_parse(in, end, n, &parts))
        return NULL;
    if (parts.count == 0)
        unpack_sum(parts.packed, n, parts.width, base, out);
    else if (!unpack_patched_sum(&parts, n, base, out))
        return NULL;
    if (!block_ascends(out, n, parts.width + parts.patch_width, base, limit))
        return NULL;
    return parts.next;
}

static const uint8_t *skip(const uint8_t *in, const uint8_t *end, unsigned n)
{
    block_parts parts;
    return block_parse(in, end, n, &parts) ? parts.next : NULL;
}

static const qn_block_kernels KERNELS = {
    .decode = decode,
    .decode_ascending = decode_ascending,
    .skip = skip,
    .name = LEVEL,
};
