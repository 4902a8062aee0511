/* Keys of 32 bits into postings with AVX-512: see keys.h. */
#include "index/codec/keys.h"

#if defined(__AVX512F__) && defined(__AVX512BW__)

#include <immintrin.h>

enum { STEP = 16 };

/* Compressing in a register and writing all of it: compressing to memory is many times slower on
 * some processors. */
static inline void put(uint32_t *out, __mmask16 which, __m512i values)
{
    _mm512_storeu_si512(out, _mm512_maskz_compress_epi32(which, values));
}

static void split(const qn_keys *keys, size_t from, uint32_t n, qn_keys_tile *tile)
{
    if (keys->narrow == NULL) {
        qn_keys_split(keys, from, n, tile);
        return;
    }
    const uint32_t *key = keys->narrow + from;
    const __m128i bits = _mm_cvtsi32_si128((int)keys->position_bits);
    const __m512i low = _mm512_set1_epi32((int)((UINT32_C(1) << keys->position_bits) - 1));
    const __m512i first_doc = _mm512_set1_epi32((int)keys->first_doc);
    __m512i before = _mm512_set1_epi32((int)~key[0]); /* another document */
    __m512i number = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    uint32_t n_postings = 0, n_gaps = 0;
    for (uint32_t i = 0; i < n; i += STEP) {
        __mmask16 there = n - i >= STEP ? 0xFFFF : (__mmask16)((1u << (n - i)) - 1);
        __m512i x = _mm512_maskz_loadu_epi32(there, key + i);
        __m512i last = _mm512_alignr_epi32(x, before, STEP - 1);
        __m512i doc = _mm512_srl_epi32(x, bits), position = _mm512_and_si512(x, low);
        __mmask16 begins = _mm512_mask_cmpneq_epu32_mask(there, doc, _mm512_srl_epi32(last, bits));
        __mmask16 goes_on = (__mmask16)(there & ~begins);
        _mm512_storeu_si512(tile->position + i, position);
        put(tile->doc + n_postings, begins, _mm512_add_epi32(doc, first_doc));
        put(tile->first + n_postings, begins, position);
        put(tile->start + n_postings, begins, number);
        put(tile->gap + n_gaps, goes_on, _mm512_sub_epi32(x, last));
        n_postings += (uint32_t)__builtin_popcount(begins);
        n_gaps += (uint32_t)__builtin_popcount(goes_on);
        number = _mm512_add_epi32(number, _mm512_set1_epi32(STEP));
        before = x;
    }
    tile->n = n_postings;
    tile->start[n_postings] = n;
    for (uint32_t i = 0; i < n_postings; i += STEP) /* what is read behind the last is not used */
        _mm512_storeu_si512(tile->tf + i, _mm512_sub_epi32(_mm512_loadu_si512(tile->start + i + 1),
                                                           _mm512_loadu_si512(tile->start + i)));
}

qn_keys_split_fn qn_keys_split_avx512(void)
{
    return split;
}

#else

qn_keys_split_fn qn_keys_split_avx512(void)
{
    return NULL;
}

#endif
