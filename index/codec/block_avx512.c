/* Blocks with AVX-512: see block_template.h. Nearly every block of gaps has patches or is in unary,
 * so those are done in registers too. */
#include "index/codec/block_parts.h"

#if defined(__AVX512VBMI__) && defined(__AVX512VBMI2__) && defined(__AVX512BW__)

#include "index/codec/bitpack_avx512.h"
#include "index/codec/bitpack_pack_avx2.h"

#include <stdalign.h>

enum { STEP = QN_BITPACK_AVX512_STEP };

/* Patches of up to 8 bits are spread over one byte a value; more bits or more patches than these
 * are rare and take the plain way. */
enum { FAST_PATCH_WIDTH = 8, FAST_PATCHES = 64 };

/* ---- sums ---- */

/* out[i] = carry[i] + sum of (gap_j + 1) for j <= i; every lane of `carry` then becomes the last of
 * them. The first of the four doublings is a shift within qwords, because permutes have one port
 * and are what this costs. */
static inline __m512i sum_step(__m512i gaps, __m512i *carry)
{
    const __m512i threes = _mm512_setr_epi32(0, 0, 0, 0, 3, 3, 3, 3, 0, 0, 0, 0, 11, 11, 11, 11);
    __m512i x = _mm512_sub_epi32(gaps, _mm512_set1_epi32(-1));
    x = _mm512_add_epi32(x, _mm512_slli_epi64(x, 32));
    x = _mm512_add_epi32(x, _mm512_maskz_shuffle_epi32(0xCCCC, x, _MM_PERM_BBBB));
    x = _mm512_add_epi32(x, _mm512_maskz_permutexvar_epi32(0xF0F0, threes, x));
    x = _mm512_add_epi32(x, _mm512_maskz_permutexvar_epi32(0xFF00, _mm512_set1_epi32(7), x));
    x = _mm512_add_epi32(x, *carry);
    *carry = _mm512_permutexvar_epi32(_mm512_set1_epi32(15), x);
    return x;
}

static void sum(uint32_t *out, unsigned n, uint32_t base)
{
    __m512i carry = _mm512_set1_epi32((int)base);
    for (unsigned i = 0; i < n; i += STEP)
        _mm512_storeu_si512(out + i, sum_step(_mm512_loadu_si512(out + i), &carry));
}

alignas(64) static const uint8_t iota[64] = {
    0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
    22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
    44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};

/* ---- patches ---- */

/* Whether the indexes ascend below n. At most 64 of them; reads the byte before the first. */
static inline bool indexes_ascend(const block_parts *parts, unsigned n)
{
    __mmask64 later = (~UINT64_C(0) >> (64 - parts->count)) & ~UINT64_C(1);
    __m512i at = _mm512_loadu_si512(parts->indexes);
    __m512i before = _mm512_loadu_si512(parts->indexes - 1);
    return _mm512_mask_cmple_epu8_mask(later, at, before) == 0 &&
           parts->indexes[parts->count - 1] < n;
}

/* Sets bit i of the 128 bits for each index i, all below 128. */
static inline void spread_indexes(const block_parts *parts, uint64_t bits[2])
{
    const __m512i one = _mm512_set1_epi64(1);
    __m512i low = _mm512_setzero_si512(), high = low;
    for (unsigned i = 0; i < parts->count; i += 8) {
        unsigned left = parts->count - i;
        __mmask8 live = (__mmask8)(left >= 8 ? 0xFF : (1u << left) - 1);
        __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)(parts->indexes + i));
        __m512i at = _mm512_cvtepu8_epi64(bytes);
        /* A variable shift by 64 or more, negative ones included, gives 0. */
        low = _mm512_or_si512(low, _mm512_maskz_sllv_epi64(live, one, at));
        at = _mm512_sub_epi64(at, _mm512_set1_epi64(64));
        high = _mm512_or_si512(high, _mm512_maskz_sllv_epi64(live, one, at));
    }
    __m512i both =
        _mm512_or_si512(_mm512_unpacklo_epi64(low, high), _mm512_unpackhi_epi64(low, high));
    __m256i half =
        _mm256_or_si256(_mm512_castsi512_si256(both), _mm512_extracti64x4_epi64(both, 1));
    __m128i quarter = _mm_or_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
    bits[0] = (uint64_t)_mm_cvtsi128_si64(quarter);
    bits[1] = (uint64_t)_mm_extract_epi64(quarter, 1);
}

/* The patches of up to 8 bits, a byte each: 8 of them take exactly patch_width bytes, so byte b of
 * qword j starts at bit b*patch_width of byte j*patch_width. */
static inline __m512i patch_bytes(const block_parts *parts)
{
    const __m512i in_lane = _mm512_set1_epi64(0x0706050403020100);
    const __m512i lane = _mm512_setr_epi64(
        0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303, 0x0404040404040404,
        0x0505050505050505, 0x0606060606060606, 0x0707070707070707);
    /* Products of bytes stay below 256, so 16-bit lanes do for pairs of them. */
    __m512i width = _mm512_set1_epi16((short)parts->patch_width);
    __m512i permute = _mm512_add_epi8(_mm512_mullo_epi16(lane, width), in_lane);
    __m512i shift = _mm512_mullo_epi16(in_lane, width);
    __m512i qwords = _mm512_permutexvar_epi8(permute, _mm512_loadu_si512(parts->patches));
    __m512i bytes = _mm512_multishift_epi64_epi8(shift, qwords);
    return _mm512_and_si512(bytes, _mm512_set1_epi8((char)qn_bitpack_mask(parts->patch_width)));
}

/* Puts each patch in the byte of its value, zeros elsewhere. False if the indexes are malformed. */
static inline bool spread_patches(const block_parts *parts, unsigned n, uint8_t high[QN_BLOCK])
{
    if (!indexes_ascend(parts, n))
        return false;
    uint64_t bits[2];
    spread_indexes(parts, bits);
    __m512i bytes = patch_bytes(parts);
    _mm512_storeu_si512(high, _mm512_maskz_expand_epi8(bits[0], bytes));
    __m512i skip_first = _mm512_add_epi8(_mm512_load_si512(iota),
                                         _mm512_set1_epi8((char)__builtin_popcountll(bits[0])));
    bytes = _mm512_permutexvar_epi8(skip_first, bytes);
    _mm512_storeu_si512(high + 64, _mm512_maskz_expand_epi8(bits[1], bytes));
    return true;
}

/* ---- unary ---- */

/* The high part of each value in its byte. The zeros before each one, from the start, are its place
 * less the ones before it; they fit a byte. */
static inline void unary_highs(const uint8_t *in, unsigned n, uint8_t high[QN_BLOCK])
{
    const __m512i places = _mm512_load_si512(iota);
    uint8_t sums[64 + QN_BLOCK + 64]; /* from [64] on */
    sums[63] = 0;
    for (unsigned before = 0, at = 0; before < n; at += 64) {
        uint64_t word = qn_load_u64(in + at / 8);
        __m512i zeros = _mm512_sub_epi8(_mm512_maskz_compress_epi8(word, places), places);
        zeros = _mm512_add_epi8(zeros, _mm512_set1_epi8((char)(at - before)));
        _mm512_storeu_si512(sums + 64 + before, zeros);
        before += (unsigned)__builtin_popcountll(word);
    }
    for (unsigned i = 0; i < QN_BLOCK; i += 64)
        _mm512_store_si512(high + i, _mm512_sub_epi8(_mm512_loadu_si512(sums + 64 + i),
                                                     _mm512_loadu_si512(sums + 63 + i)));
}

/* ---- blocks ---- */

/* The 16 values at `in`, with the patches at `high` unless that is NULL. `wide`, and whether `high`
 * is NULL, are constants where it is called. */
static inline __attribute__((always_inline)) __m512i patched_step(const qn_bitpack_avx512 *of,
                                                                  const uint8_t *in, bool wide,
                                                                  const uint8_t *high,
                                                                  __m512i width)
{
    __m512i values = qn_bitpack_avx512_step(of, in, wide);
    if (high == NULL)
        return values;
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)high);
    return _mm512_or_si512(values, _mm512_sllv_epi32(_mm512_cvtepu8_epi32(bytes), width));
}

/* The loop of all variants: values with or without patches, as gaps or summed from *base. */
static inline __attribute__((always_inline)) void unpack_loop(const uint8_t *in, unsigned n,
                                                              unsigned width, bool wide,
                                                              const uint8_t *high,
                                                              const uint32_t *base, uint32_t *out)
{
    const qn_bitpack_avx512 of = qn_bitpack_avx512_of(width);
    const __m512i widths = _mm512_set1_epi32((int)width);
    __m512i carry = _mm512_set1_epi32(base != NULL ? (int)*base : 0);
    for (unsigned i = 0; i < n; i += STEP, in += 2 * width) {
        const uint8_t *step_high = high != NULL ? high + i : NULL;
        __m512i values = patched_step(&of, in, wide, step_high, widths);
        if (base != NULL)
            values = sum_step(values, &carry);
        _mm512_storeu_si512(out + i, values);
    }
}

static inline __attribute__((always_inline)) void unpack_block(const uint8_t *in, unsigned n,
                                                               unsigned width, const uint8_t *high,
                                                               const uint32_t *base, uint32_t *out)
{
    if (width <= QN_BITPACK_AVX512_ONE_PERMUTE)
        unpack_loop(in, n, width, false, high, base, out);
    else
        unpack_loop(in, n, width, true, high, base, out);
}

static void unpack(const uint8_t *in, size_t n, unsigned width, uint32_t *out)
{
    unpack_block(in, (unsigned)n, width, NULL, NULL, out);
}

static void unpack_sum(const uint8_t *in, unsigned n, unsigned width, uint32_t base, uint32_t *out)
{
    unpack_block(in, n, width, NULL, &base, out);
}

/* Patches of over 8 bits, or more than 64 of them. */
static __attribute__((noinline)) bool unpack_patched_rare(const block_parts *parts, unsigned n,
                                                          uint32_t *out)
{
    uint32_t high[QN_BLOCK_ROOM];
    unpack(parts->packed, n, parts->width, out);
    unpack(parts->patches, parts->count, parts->patch_width, high);
    return block_patch(parts, n, high, out);
}

static bool unpack_patched(const block_parts *parts, unsigned n, uint32_t *out)
{
    if (parts->patch_width > FAST_PATCH_WIDTH || parts->count > FAST_PATCHES)
        return unpack_patched_rare(parts, n, out);
    alignas(64) uint8_t high[QN_BLOCK];
    if (!spread_patches(parts, n, high))
        return false;
    unpack_block(parts->packed, n, parts->width, high, NULL, out);
    return true;
}

static bool unpack_patched_sum(const block_parts *parts, unsigned n, uint32_t base, uint32_t *out)
{
    if (parts->patch_width > FAST_PATCH_WIDTH || parts->count > FAST_PATCHES) {
        if (!unpack_patched_rare(parts, n, out))
            return false;
        sum(out, n, base);
        return true;
    }
    alignas(64) uint8_t high[QN_BLOCK];
    if (!spread_patches(parts, n, high))
        return false;
    unpack_block(parts->packed, n, parts->width, high, &base, out);
    return true;
}

static void unpack_unary(const block_parts *parts, unsigned n, uint32_t *out)
{
    alignas(64) uint8_t high[QN_BLOCK];
    unary_highs(parts->unary, n, high);
    unpack_block(parts->packed, n, parts->width, high, NULL, out);
}

static void unpack_unary_sum(const block_parts *parts, unsigned n, uint32_t base, uint32_t *out)
{
    alignas(64) uint8_t high[QN_BLOCK];
    unary_highs(parts->unary, n, high);
    unpack_block(parts->packed, n, parts->width, high, &base, out);
}

#define OWN_PATCHED
#define KERNELS avx512_kernels
#define pack    qn_bitpack_avx2_pack
#define LEVEL   "avx512"
#include "index/codec/block_template.h"

const qn_block_kernels *qn_block_kernels_avx512(void)
{
    return &avx512_kernels;
}

#else

const qn_block_kernels *qn_block_kernels_avx512(void)
{
    return NULL;
}

#endif
