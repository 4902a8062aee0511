/* Encoding of blocks, the portable decoders, and the choice of kernels: see block.h. */
#include "index/codec/block.h"

#include "index/codec/bitpack.h"
#include "index/codec/block_parts.h"

/* ---- encoding ---- */

/* Without a branch on 0, which would be a coin toss for narrow values. */
static unsigned bit_length(uint32_t value)
{
    return 63 - (unsigned)__builtin_clzll(2 * (uint64_t)value + 1);
}

enum { N_LENGTHS = 33, LENGTHS_ROOM = 48 };

/* How many values have each bit length; returns the longest. Four tables, because neighbouring
 * values mostly have the same length, and a counter that is incremented again waits for its last
 * store. The tables are padded so that they are added in vectors. */
static unsigned count_lengths(const uint32_t *values, unsigned n, uint8_t lengths[LENGTHS_ROOM])
{
    uint8_t counts[4][LENGTHS_ROOM] = {{0}};
    unsigned i = 0;
    for (; i + 4 <= n; i += 4) {
        counts[0][bit_length(values[i])]++;
        counts[1][bit_length(values[i + 1])]++;
        counts[2][bit_length(values[i + 2])]++;
        counts[3][bit_length(values[i + 3])]++;
    }
    for (; i < n; i++)
        counts[0][bit_length(values[i])]++;
    for (unsigned length = 0; length < LENGTHS_ROOM; length++)
        lengths[length] = (uint8_t)(counts[0][length] + counts[1][length] + counts[2][length] +
                                    counts[3][length]);
    uint32_t any = 0;
    for (i = 0; i < n; i++)
        any |= values[i];
    return bit_length(any);
}

/* The width with which n values of at most `longest` bits take the fewest bytes, the larger of
 * equals, and how many values it leaves to be patched. Every width is tried until p patches would
 * cost more than the best even if the packed values cost nothing beside them: a width w' below
 * takes at least 2 + p + (n*w' + p*(longest - w'))/8 >= 2 + p*(8 + longest)/8 bytes. */
static unsigned choose_width(const uint8_t lengths[N_LENGTHS], unsigned n, unsigned longest,
                             unsigned *n_patches)
{
    unsigned best = longest;
    size_t best_bytes = qn_bitpack_bytes(n, longest);
    unsigned patched = 0;
    *n_patches = 0;
    for (unsigned width = longest; width-- > 0;) {
        patched += lengths[width + 1];
        size_t bytes =
            qn_bitpack_bytes(n, width) + 2 + patched + qn_bitpack_bytes(patched, longest - width);
        if (bytes < best_bytes && patched < QN_BLOCK) {
            best = width;
            best_bytes = bytes;
            *n_patches = patched;
        }
        if (patched * (8 + longest) >= 8 * best_bytes)
            break;
    }
    return best;
}

/* Collects the indexes and the high parts of the values over `width` bits (below 32). The values
 * are first marked, a byte each, which compilers turn into vector code; of the few that are marked,
 * the bytes are then gathered into a bit each, eight at a time. */
static void find_patches(const uint32_t *values, unsigned n, unsigned width, uint8_t *indexes,
                         uint32_t *high)
{
    uint8_t marks[QN_BLOCK] = {0};
    for (unsigned i = 0; i < n; i++)
        marks[i] = values[i] >> width != 0;
    for (unsigned half = 0; half < QN_BLOCK; half += 64) {
        uint64_t found = 0;
        for (unsigned i = 0; i < 64; i += 8)
            found |= qn_load_u64(marks + half + i) * UINT64_C(0x0102040810204080) >> 56 << i;
        for (; found != 0; found &= found - 1) {
            unsigned at = half + (unsigned)__builtin_ctzll(found);
            *indexes++ = (uint8_t)at;
            *high++ = values[at] >> width;
        }
    }
}

size_t qn_block_encode(const uint32_t *values, unsigned n, uint8_t *out)
{
    uint8_t lengths[LENGTHS_ROOM];
    unsigned n_patches;
    unsigned longest = count_lengths(values, n, lengths);
    unsigned width = choose_width(lengths, n, longest, &n_patches);
    if (n_patches == 0) {
        out[0] = (uint8_t)width;
        return (size_t)(qn_bitpack_pack(values, n, width, out + 1) - out);
    }
    out[0] = (uint8_t)(width | QN_BLOCK_PATCHED);
    out[1] = (uint8_t)n_patches;
    out[2] = (uint8_t)(longest - width);
    uint8_t *at = qn_bitpack_pack(values, n, width, out + 3);
    uint32_t high[QN_BLOCK];
    find_patches(values, n, width, at, high);
    at = qn_bitpack_pack(high, n_patches, longest - width, at + n_patches);
    return (size_t)(at - out);
}

/* ---- decoding: the portable kernels, which all others equal ---- */

static void unpack(const uint8_t *in, size_t n, unsigned width, uint32_t *out)
{
    qn_bitpack_unpack(in, n, width, out);
}

static void sum(uint32_t *out, unsigned n, uint32_t base)
{
    for (unsigned i = 0; i < n; i++) {
        base += out[i] + 1;
        out[i] = base;
    }
}

static void unpack_sum(const uint8_t *in, unsigned n, unsigned width, uint32_t base, uint32_t *out)
{
    unpack(in, n, width, out);
    sum(out, n, base);
}

/* ---- single values ---- */

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

const uint8_t *qn_block_pick(const uint8_t *in, const uint8_t *end, unsigned n, unsigned from,
                             unsigned count, uint32_t *out)
{
    block_parts parts;
    if (!block_parse(in, end, n, &parts))
        return NULL;
    for (unsigned i = 0; i < count; i++)
        out[i] = qn_bitpack_get(parts.packed, from + i, parts.width);
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

#define KERNELS scalar_kernels
#define LEVEL   "scalar"
#include "index/codec/block_template.h"

const qn_block_kernels *qn_block_kernels_for(qn_cpu cpu)
{
    const qn_block_kernels *best = NULL;
    if (cpu >= QN_CPU_AVX512)
        best = qn_block_kernels_avx512();
    if (best == NULL && cpu >= QN_CPU_AVX2)
        best = qn_block_kernels_avx2();
    return best != NULL ? best : &scalar_kernels;
}
