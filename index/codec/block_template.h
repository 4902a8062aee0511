/*
 * The encoder and the decoders of blocks, compiled once per instruction set. The including file
 * first defines
 *
 *     KERNELS     the name of the qn_block_kernels table that this file defines
 *     LEVEL       its level's name
 *     pack        as qn_bitpack_pack, and with the same bytes
 *     unpack      static, a qn_bitpack_unpack_fn
 *     sum         static void (uint32_t *out, unsigned n, uint32_t base): replaces gaps - 1 by
 *                 values, out[i] = base + sum of (out[j] + 1) for j <= i, modulo 2^32
 *     unpack_sum  static void (const uint8_t *in, unsigned n, unsigned width, uint32_t base,
 *                 uint32_t *out): both, in registers
 *
 * and, if it defines OWN_PATCHED, its own unpack_patched and unpack_patched_sum, unpack_unary and
 * unpack_unary_sum; else unary_highs. All may treat values past n as they like, within
 * QN_BLOCK_ROOM.
 */
#include "index/codec/block_encode.h"
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

static void unpack_unary(const block_parts *parts, unsigned n, uint32_t *out)
{
    uint8_t high[HIGHS_ROOM];
    unsigned width = parts->width;
    unpack(parts->packed, n, width, out);
    unary_highs(parts->unary, n, high);
    for (unsigned i = 0; i < n; i++)
        out[i] |= (uint32_t)high[i] << width;
}

static void unpack_unary_sum(const block_parts *parts, unsigned n, uint32_t base, uint32_t *out)
{
    unpack_unary(parts, n, out);
    sum(out, n, base);
}

#endif

static const uint8_t *decode(const uint8_t *in, const uint8_t *end, unsigned n, uint32_t *out)
{
    block_parts parts;
    if (!block_parse(in, end, n, &parts))
        return NULL;
    if (parts.unary != NULL)
        unpack_unary(&parts, n, out);
    else if (parts.count == 0)
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
    if (parts.unary != NULL)
        unpack_unary_sum(&parts, n, base, out);
    else if (parts.count == 0)
        unpack_sum(parts.packed, n, parts.width, base, out);
    else if (!unpack_patched_sum(&parts, n, base, out))
        return NULL;
    if (!block_ascends(out, n, block_bits(&parts), base, limit))
        return NULL;
    return parts.next;
}

static const uint8_t *skip(const uint8_t *in, const uint8_t *end, unsigned n)
{
    block_parts parts;
    return block_parse(in, end, n, &parts) ? parts.next : NULL;
}

/* ---- single values ---- */

/* Adds the high parts of values [from, from + count). */
static void pick_unary(const block_parts *parts, unsigned from, unsigned count, uint32_t *out)
{
    unsigned at = from == 0 ? 0 : unary_select(parts->unary, from) + 1;
    for (unsigned i = 0; i < count; i++) {
        unsigned next = unary_next(parts->unary, at);
        out[i] |= (uint32_t)(next - at) << parts->width;
        at = next + 1;
    }
}

/* How many of the ascending indexes are below `from`: eight at a time, in the bytes of a word. Of
 * malformed indexes it counts something. */
static unsigned count_below(const uint8_t *indexes, unsigned count, unsigned from)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    unsigned below = 0;
    for (unsigned i = 0; i < count; i += 8) {
        /* Bit 7 of a byte of 127 + from - index says that index < from; no byte borrows. */
        uint64_t found = (ones * (0x7F + from) - qn_load_u64(indexes + i)) & ones << 7;
        if (count - i < 8)
            found &= (UINT64_C(1) << 8 * (count - i)) - 1;
        below += (unsigned)((found >> 7) * ones >> 56);
    }
    return below;
}

static const uint8_t *pick(const uint8_t *in, const uint8_t *end, unsigned n, unsigned from,
                           unsigned count, uint32_t *out)
{
    block_parts parts;
    if (!block_parse(in, end, n, &parts))
        return NULL;
    for (unsigned i = 0; i < count; i++)
        out[i] = qn_bitpack_get(parts.packed, from + i, parts.width);
    if (parts.unary != NULL && count > 0)
        pick_unary(&parts, from, count, out);
    if (parts.count == 0)
        return parts.next;
    unsigned least = from;
    for (unsigned i = count_below(parts.indexes, parts.count, from); i < parts.count; i++) {
        unsigned at = parts.indexes[i];
        if (at >= from + count)
            break;
        if (at < least)
            return NULL;
        out[at - from] |= qn_bitpack_get(parts.patches, i, parts.patch_width) << parts.width;
        least = at + 1;
    }
    return parts.next;
}

static const qn_block_kernels KERNELS = {
    .encode = encode,
    .decode = decode,
    .decode_ascending = decode_ascending,
    .skip = skip,
    .pick = pick,
    .name = LEVEL,
};
