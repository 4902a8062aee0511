/*
 * One step of unpacking with AVX-512 VBMI: 16 values of `width` bits, which take exactly 2*width
 * bytes, so that every step starts on a byte and permutes alike. Included by *_avx512.c files only.
 *
 * Up to 29 bits: vpermb brings to each 64-bit lane the 8 bytes in which its two values lie (they
 * start at an even bit, so 6 + 2*29 <= 64), and vpmultishiftqb takes from them, for each byte of
 * the result, eight bits at any offset. Over 29 bits: two permutes bring four bytes and the four
 * after them to each 32-bit lane, and vpshrdvd shifts across the seam.
 */
#ifndef QN_CODEC_BITPACK_AVX512_H
#define QN_CODEC_BITPACK_AVX512_H

#include "index/codec/bitpack.h"

#include <immintrin.h>

enum { QN_BITPACK_AVX512_STEP = 16, QN_BITPACK_AVX512_ONE_PERMUTE = 29 };

typedef struct qn_bitpack_avx512_row {
    _Alignas(64) uint8_t permute[64];
    _Alignas(64) uint8_t shift[64]; /* of bytes; over 29 bits, of dwords */
} qn_bitpack_avx512_row;

extern const qn_bitpack_avx512_row qn_bitpack_avx512_rows[33];

/* The constants of a width, kept in registers over a loop. */
typedef struct qn_bitpack_avx512 {
    __m512i permute, shift, mask;
} qn_bitpack_avx512;

static inline qn_bitpack_avx512 qn_bitpack_avx512_of(unsigned width)
{
    const qn_bitpack_avx512_row *row = &qn_bitpack_avx512_rows[width];
    return (qn_bitpack_avx512){
        .permute = _mm512_load_si512(row->permute),
        .shift = _mm512_load_si512(row->shift),
        .mask = _mm512_set1_epi32((int)qn_bitpack_mask(width)),
    };
}

/* The 16 values at `in`. `wide` tells whether the width is over QN_BITPACK_AVX512_ONE_PERMUTE; a
 * constant where it is called. */
static inline __attribute__((always_inline)) __m512i
qn_bitpack_avx512_step(const qn_bitpack_avx512 *of, const uint8_t *in, bool wide)
{
    __m512i bytes = _mm512_loadu_si512(in);
    __m512i low = _mm512_permutexvar_epi8(of->permute, bytes);
    __m512i values;
    if (wide) {
        /* Indexes over 63 wrap, which brings in bits that the mask removes. */
        __m512i above = _mm512_add_epi8(of->permute, _mm512_set1_epi8(4));
        __m512i high = _mm512_permutexvar_epi8(above, bytes);
        values = _mm512_shrdv_epi32(low, high, of->shift);
    } else {
        values = _mm512_multishift_epi64_epi8(of->shift, low);
    }
    return _mm512_and_si512(values, of->mask);
}

#endif
