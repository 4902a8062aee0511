/*
 * One step of unpacking with AVX2: 8 values of `width` bits, which take exactly `width` bytes, so
 * that every step starts on a byte and shuffles alike. Included by *_avx2.c files only.
 *
 * Values 0..3 come from the 16 bytes at the step's start, values 4..7 from the 16 bytes at
 * floor(4*width/8); in both the last bit needed is below 128. A shuffle brings to each lane the
 * four bytes in which its value starts and a variable shift aligns it. Over 25 bits a value can
 * reach into a fifth byte, which a second shuffle and shift add.
 */
#ifndef QN_CODEC_BITPACK_AVX2_H
#define QN_CODEC_BITPACK_AVX2_H

#include "index/codec/bitpack.h"

#include <immintrin.h>

enum { QN_BITPACK_AVX2_STEP = 8, QN_BITPACK_AVX2_ONE_SHUFFLE = 25 };

typedef struct qn_bitpack_avx2_row {
    _Alignas(32) uint8_t shuffle[32];
    _Alignas(32) uint32_t shift[8];
} qn_bitpack_avx2_row;

extern const qn_bitpack_avx2_row qn_bitpack_avx2_rows[33];

/* The constants of a width, kept in registers over a loop. */
typedef struct qn_bitpack_avx2 {
    __m256i shuffle, shift, mask;
    size_t second; /* offset of the window of values 4..7 */
} qn_bitpack_avx2;

static inline qn_bitpack_avx2 qn_bitpack_avx2_of(unsigned width)
{
    const qn_bitpack_avx2_row *row = &qn_bitpack_avx2_rows[width];
    return (qn_bitpack_avx2){
        .shuffle = _mm256_load_si256((const __m256i *)(const void *)row->shuffle),
        .shift = _mm256_load_si256((const __m256i *)(const void *)row->shift),
        .mask = _mm256_set1_epi32((int)qn_bitpack_mask(width)),
        .second = width / 2,
    };
}

/* The 8 values at `in`. `wide` tells whether the width is over QN_BITPACK_AVX2_ONE_SHUFFLE; a
 * constant where it is called. */
static inline __attribute__((always_inline)) __m256i
qn_bitpack_avx2_step(const qn_bitpack_avx2 *of, const uint8_t *in, bool wide)
{
    __m128i first = _mm_loadu_si128((const __m128i *)(const void *)in);
    __m128i second = _mm_loadu_si128((const __m128i *)(const void *)(in + of->second));
    __m256i bytes = _mm256_inserti128_si256(_mm256_castsi128_si256(first), second, 1);
    __m256i values = _mm256_srlv_epi32(_mm256_shuffle_epi8(bytes, of->shuffle), of->shift);
    if (wide) {
        /* Indexes over 15 wrap, which brings in bits that the mask removes; a shift by 32 gives 0.
         */
        __m256i above = _mm256_add_epi8(of->shuffle, _mm256_set1_epi8(4));
        __m256i rest = _mm256_sub_epi32(_mm256_set1_epi32(32), of->shift);
        __m256i high = _mm256_sllv_epi32(_mm256_shuffle_epi8(bytes, above), rest);
        values = _mm256_or_si256(values, high);
    }
    return _mm256_and_si256(values, of->mask);
}

static inline void qn_bitpack_avx2_store(uint32_t *out, __m256i values)
{
    _mm256_storeu_si256((__m256i *)(void *)out, values);
}

#endif
