/*
 * Packing with AVX2 up to 16 bits a value: eight values are joined to two, four and eight within
 * registers, which takes half the instructions of qn_bitpack_pack or fewer. The bytes are the same.
 * Included by *_avx2.c and *_avx512.c files only.
 */
#ifndef QN_CODEC_BITPACK_PACK_AVX2_H
#define QN_CODEC_BITPACK_PACK_AVX2_H

#include "index/codec/bitpack.h"

#include <immintrin.h>

enum { QN_BITPACK_PACK_STEP = 8, QN_BITPACK_PACK_WIDTH = 16 };

static inline uint8_t *qn_bitpack_avx2_pack(const uint32_t *values, size_t n, unsigned width,
                                            uint8_t *out)
{
    if (width == 0 || width > QN_BITPACK_PACK_WIDTH)
        return qn_bitpack_pack(values, n, width, out);
    const __m256i one = _mm256_set1_epi32((int)qn_bitpack_mask(width));
    const __m256i two = _mm256_set1_epi64x((long long)qn_bitpack_mask(2 * width));
    const __m128i to_second = _mm_cvtsi32_si128((int)(32 - width));
    const __m128i past_two = _mm_cvtsi32_si128((int)(2 * width));
    const unsigned four = 4 * width;
    size_t i = 0;
    for (; i + QN_BITPACK_PACK_STEP <= n; i += QN_BITPACK_PACK_STEP, out += width) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(values + i));
        v = _mm256_and_si256(v, one);
        v = _mm256_and_si256(_mm256_or_si256(v, _mm256_srl_epi64(v, to_second)), two);
        v = _mm256_or_si256(v, _mm256_sll_epi64(_mm256_bsrli_epi128(v, 8), past_two));
        uint64_t low = (uint64_t)_mm256_extract_epi64(v, 0);
        uint64_t high = (uint64_t)_mm256_extract_epi64(v, 2);
        qn_store_u64(out, four < 64 ? low | high << four : low);
        if (width > 8)
            qn_store_u64(out + 8, high >> (64 - four));
    }
    return i == n ? out : qn_bitpack_pack(values + i, n - i, width, out);
}

#endif
