/*
 * The encoder of blocks, which chooses between patches and unary: compiled once per instruction set
 * with the decoders (block_template.h), since most of it are sums over the values. The bytes are
 * the same. The including file has defined `pack`, which does what qn_bitpack_pack does.
 */
#ifndef QN_CODEC_BLOCK_ENCODE_H
#define QN_CODEC_BLOCK_ENCODE_H

#include "index/codec/block_parts.h"

/* Without a branch on 0, which would be a coin toss for narrow values. */
static unsigned bit_length(uint32_t value)
{
    return 63 - (unsigned)__builtin_clzll(2 * (uint64_t)value + 1);
}

enum { UNARY_WIDTH_MAX = QN_BLOCK_WIDTH - QN_BLOCK_UNARY };

/* The bit length of the largest value. */
static unsigned longest_of(const uint32_t *values, unsigned n)
{
    uint32_t any = 0;
    for (unsigned i = 0; i < n; i++)
        any |= values[i];
    return bit_length(any);
}

/* How many values have more than `width` bits (below 32). */
static unsigned count_over(const uint32_t *values, unsigned n, unsigned width)
{
    uint32_t count = 0;
    for (unsigned i = 0; i < n; i++)
        count += values[i] >> width != 0;
    return count;
}

/* The width with which n values of at most `longest` bits take the fewest bytes, the larger of
 * equals, and how many values it leaves to be patched. Every width is tried until p patches would
 * cost more than the best even if the packed values cost nothing beside them: a width w' below
 * takes at least 2 + p + (n*w' + p*(longest - w'))/8 >= 2 + p*(8 + longest)/8 bytes. That is so
 * after one or two widths mostly, hence values are counted anew for each. */
static unsigned choose_width(const uint32_t *values, unsigned n, unsigned longest,
                             unsigned *n_patches)
{
    unsigned best = longest;
    size_t best_bytes = qn_bitpack_bytes(n, longest);
    *n_patches = 0;
    for (unsigned width = longest; width-- > 0;) {
        unsigned patched = count_over(values, n, width);
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

/* The bits of 64 bytes that are 0 or 1 each. */
static inline uint64_t bits_of_marks(const uint8_t *marks)
{
#if defined(__AVX512BW__)
    __m512i x = _mm512_loadu_si512(marks);
    return _mm512_test_epi8_mask(x, x);
#else
    uint64_t bits = 0;
    for (unsigned i = 0; i < 64; i += 8)
        bits |= qn_load_u64(marks + i) * UINT64_C(0x0102040810204080) >> 56 << i;
    return bits;
#endif
}

/* Collects the indexes and the high parts of the values over `width` bits (below 32). The values
 * are first marked, a byte each, which compilers turn into vector code; the bytes are then gathered
 * into a bit each. */
static void find_patches(const uint32_t *values, unsigned n, unsigned width, uint8_t *indexes,
                         uint32_t *high)
{
    uint8_t marks[QN_BLOCK] = {0};
    for (unsigned i = 0; i < n; i++)
        marks[i] = values[i] >> width != 0;
    for (unsigned half = 0; half < QN_BLOCK; half += 64) {
        uint64_t found = bits_of_marks(marks + half);
        for (; found != 0; found &= found - 1) {
            unsigned at = half + (unsigned)__builtin_ctzll(found);
            *indexes++ = (uint8_t)at;
            *high++ = values[at] >> width;
        }
    }
}

/* What n values of at most `longest` bits have above `width` bits, in all; UNARY_SUM_MAX + 1 if
 * that is more. The longest one alone is too much where it has more than 8 bits above; else no lane
 * of a vector overflows. */
static uint32_t sum_highs(const uint32_t *values, unsigned n, unsigned longest, unsigned width)
{
    uint32_t sum = 0;
    if (longest > width + 8)
        return UNARY_SUM_MAX + 1;
    for (unsigned i = 0; i < n; i++)
        sum += values[i] >> width;
    return sum <= UNARY_SUM_MAX ? sum : UNARY_SUM_MAX + 1;
}

/* The sum of values of at most `longest` bits. */
static uint64_t sum_values(const uint32_t *values, unsigned n, unsigned longest)
{
    uint32_t narrow = 0;
    uint64_t wide = 0;
    if (longest <= 24) /* so that the sum fits 32 bits */
        for (unsigned i = 0; i < n; i++)
            narrow += values[i];
    else
        for (unsigned i = 0; i < n; i++)
            wide += values[i];
    return wide + narrow;
}

/* Bytes that n values of this sum take in unary at least: with a width the high parts sum up to at
 * least (sum - n (2^width - 1)) / 2^width, so all takes n width + (sum + n) / 2^width bits. `width`
 * is the length of the mean, and the least is there or up to two below. */
static size_t least_unary(unsigned n, uint64_t sum, unsigned width)
{
    uint64_t least = UINT64_MAX;
    for (unsigned w = width > 2 ? width - 2 : 0; w <= width; w++) {
        uint64_t bits = (uint64_t)n * w + ((sum + n) >> w);
        least = bits < least ? bits : least;
    }
    return 1 + (size_t)(least + 7) / 8;
}

/* The width with which n values take the fewest bits in unary, the larger of equals. The bits, n
 * width + n + highs, are convex in the width: highs fall by half of what they are. It is near the
 * logarithm of the mean. *highs is over UNARY_SUM_MAX if there is none, or none with fewer bytes
 * than `limit`. */
static unsigned choose_unary(const uint32_t *values, unsigned n, unsigned longest, size_t limit,
                             uint32_t *highs)
{
    uint64_t sum = sum_values(values, n, longest);
    unsigned width = bit_length((uint32_t)(sum / n));
    *highs = UNARY_SUM_MAX + 1;
    width = width > UNARY_WIDTH_MAX ? UNARY_WIDTH_MAX : width;
    if (least_unary(n, sum, width) >= limit)
        return width;
    *highs = sum_highs(values, n, longest, width);
    while (width > 0) {
        uint32_t more = sum_highs(values, n, longest, width - 1);
        if (more > UNARY_SUM_MAX || more >= *highs + n)
            break;
        *highs = more;
        width--;
    }
    return width;
}

/* Values are marked where their ones will be, a byte each, which takes no branch, and bytes become
 * bits afterwards. `highs`: what there is above `width` bits in all. */
static size_t put_unary(const uint32_t *values, unsigned n, unsigned width, unsigned highs,
                        uint8_t *out)
{
    uint8_t marks[64 * UNARY_WORDS];
    const unsigned n_words = (n + highs + 63) / 64;
    unsigned at = 0;
    out[0] = (uint8_t)(QN_BLOCK_UNARY + width);
    uint8_t *to = pack(values, n, width, out + 1);
    memset(marks, 0, 64 * (size_t)n_words);
    for (unsigned i = 0; i < n; i++) {
        at += values[i] >> width;
        marks[at + i] = 1;
    }
    for (unsigned w = 0; w < n_words; w++)
        qn_store_u64(to + 8 * (size_t)w, bits_of_marks(marks + 64 * (size_t)w));
    return (size_t)(to - out) + (n + highs + 7) / 8;
}

/* How values are patched. */
typedef struct patching {
    unsigned width, longest, n_patches;
} patching;

static patching choose_patching(const uint32_t *values, unsigned n)
{
    patching p = {.longest = longest_of(values, n)};
    p.width = choose_width(values, n, p.longest, &p.n_patches);
    return p;
}

static size_t put_patched(const uint32_t *values, unsigned n, const patching *p, uint8_t *out)
{
    if (p->n_patches == 0) {
        out[0] = (uint8_t)p->width;
        return (size_t)(pack(values, n, p->width, out + 1) - out);
    }
    unsigned high_width = p->longest - p->width;
    out[0] = (uint8_t)(p->width | QN_BLOCK_PATCHED);
    out[1] = (uint8_t)p->n_patches;
    out[2] = (uint8_t)high_width;
    uint8_t *at = pack(values, n, p->width, out + 3);
    uint32_t high[QN_BLOCK];
    find_patches(values, n, p->width, at, high);
    at = pack(high, p->n_patches, high_width, at + p->n_patches);
    return (size_t)(at - out);
}

static size_t encode(const uint32_t *values, unsigned n, bool picked, uint8_t *out)
{
    patching p = choose_patching(values, n);
    if (p.longest == 0) { /* as many blocks of tf are */
        out[0] = 0;
        return 1;
    }
    size_t limit = 1 + qn_bitpack_bytes(n, p.width);
    if (p.n_patches > 0)
        limit += 2 + p.n_patches + qn_bitpack_bytes(p.n_patches, p.longest - p.width);
    limit -= picked ? limit / QN_BLOCK_PICK_SHARE : 0;
    uint32_t highs;
    unsigned width = choose_unary(values, n, p.longest, limit, &highs);
    if (highs <= UNARY_SUM_MAX && 1 + qn_bitpack_bytes(n, width) + (n + highs + 7) / 8 < limit)
        return put_unary(values, n, width, highs, out);
    return put_patched(values, n, &p, out);
}

#endif
