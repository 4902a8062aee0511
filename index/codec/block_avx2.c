/* Blocks with AVX2: see block_template.h. */
#include "index/codec/block_parts.h"

#if defined(__AVX2__)

#include "index/codec/bitpack_avx2.h"
#include "index/codec/bitpack_pack_avx2.h"

enum { STEP = QN_BITPACK_AVX2_STEP };

static inline __attribute__((always_inline)) void unpack_all(const uint8_t *in, size_t n,
                                                             unsigned width, uint32_t *out)
{
    const qn_bitpack_avx2 of = qn_bitpack_avx2_of(width);
    if (width <= QN_BITPACK_AVX2_ONE_SHUFFLE)
        for (size_t i = 0; i < n; i += STEP, in += width)
            qn_bitpack_avx2_store(out + i, qn_bitpack_avx2_step(&of, in, false));
    else
        for (size_t i = 0; i < n; i += STEP, in += width)
            qn_bitpack_avx2_store(out + i, qn_bitpack_avx2_step(&of, in, true));
}

static void unpack(const uint8_t *in, size_t n, unsigned width, uint32_t *out)
{
    unpack_all(in, n, width, out);
}

/* out[j] = carry[j] + gap_j' + 1 summed over j' <= j; every lane of `carry` then becomes the last
 * of them. The carry's own chain is one addition a step. */
static inline __m256i sum_step(__m256i gaps, __m256i *carry)
{
    __m256i x = _mm256_sub_epi32(gaps, _mm256_set1_epi32(-1));
    x = _mm256_add_epi32(x, _mm256_slli_si256(x, 4));
    x = _mm256_add_epi32(x, _mm256_slli_si256(x, 8));
    __m256i lane_ends = _mm256_shuffle_epi32(x, 0xFF);
    x = _mm256_add_epi32(x, _mm256_permute2x128_si256(lane_ends, lane_ends, 0x08));
    __m256i sums = _mm256_add_epi32(x, *carry);
    *carry = _mm256_add_epi32(*carry, _mm256_permutevar8x32_epi32(x, _mm256_set1_epi32(7)));
    return sums;
}

static void sum(uint32_t *out, unsigned n, uint32_t base)
{
    __m256i carry = _mm256_set1_epi32((int)base);
    for (unsigned i = 0; i < n; i += STEP) {
        __m256i gaps = _mm256_loadu_si256((const __m256i *)(const void *)(out + i));
        qn_bitpack_avx2_store(out + i, sum_step(gaps, &carry));
    }
}

static void unpack_sum(const uint8_t *in, unsigned n, unsigned width, uint32_t base, uint32_t *out)
{
    const qn_bitpack_avx2 of = qn_bitpack_avx2_of(width);
    __m256i carry = _mm256_set1_epi32((int)base);
    if (width <= QN_BITPACK_AVX2_ONE_SHUFFLE)
        for (unsigned i = 0; i < n; i += STEP, in += width)
            qn_bitpack_avx2_store(out + i, sum_step(qn_bitpack_avx2_step(&of, in, false), &carry));
    else
        for (unsigned i = 0; i < n; i += STEP, in += width)
            qn_bitpack_avx2_store(out + i, sum_step(qn_bitpack_avx2_step(&of, in, true), &carry));
}

/* ---- unary ---- */

enum { HIGHS_ROOM = QN_BLOCK };

/* Byte by byte: pext takes the places of a byte's ones out of a row of places. The zeros before
 * each one, from the start, are its place less the ones before it, and fit a byte. How many ones
 * come before each of a word's bytes is counted for all of them at once, so bytes do not wait for
 * one another. */
static void unary_highs(const uint8_t *in, unsigned n, uint8_t high[HIGHS_ROOM])
{
    const uint64_t ones = UINT64_C(0x0101010101010101), places = UINT64_C(0x0706050403020100);
    uint8_t sums[8 + QN_BLOCK + 64 + 8]; /* from [8] on */
    sums[7] = 0;
    for (unsigned before = 0, at = 0; before < n; at += 64) {
        uint64_t word = qn_load_u64(in + at / 8), count = word - (word >> 1 & 0x55 * ones);
        count = (count & 0x33 * ones) + (count >> 2 & 0x33 * ones);
        count = ((count + (count >> 4)) & 0x0F * ones) * ones; /* up to and with each byte */
        uint64_t earlier = count << 8;
        for (unsigned b = 0; b < 64; b += 8) {
            unsigned index = before + (unsigned)(earlier >> b & 0xFF);
            uint64_t mask = _pdep_u64(word >> b & 0xFF, ones) * 0xFF;
            uint64_t zeros = _pext_u64(places, mask) - places + ones * (at + b - index);
            qn_store_u64(sums + 8 + index, zeros);
        }
        before += (unsigned)(count >> 56);
    }
    for (unsigned i = 0; i < QN_BLOCK; i++)
        high[i] = (uint8_t)(sums[8 + i] - sums[7 + i]);
}

#define KERNELS avx2_kernels
#define pack    qn_bitpack_avx2_pack
#define LEVEL   "avx2"
#include "index/codec/block_template.h"

const qn_block_kernels *qn_block_kernels_avx2(void)
{
    return &avx2_kernels;
}

#else

const qn_block_kernels *qn_block_kernels_avx2(void)
{
    return NULL;
}

#endif
