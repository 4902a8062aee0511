/* ASCII with AVX-512: see ascii.h. */
#include "index/text/ascii.h"

#if defined(__AVX512BW__)

#include <immintrin.h>

static inline __mmask64 within(__m512i x, char first, char span)
{
    return _mm512_cmple_epu8_mask(_mm512_sub_epi8(x, _mm512_set1_epi8(first)),
                                  _mm512_set1_epi8(span));
}

static qn_ascii_masks classify(const char *in, char *out)
{
    __m512i x = _mm512_loadu_si512(in);
    __m512i low = _mm512_or_si512(x, _mm512_set1_epi8(0x20));
    __mmask64 letter = within(low, 'a', 25);
    _mm512_storeu_si512(out, _mm512_mask_blend_epi8(letter, x, low));
    return (qn_ascii_masks){.word = letter | within(x, '0', 9),
                            .apostrophe = _mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8('\'')),
                            .high = _mm512_movepi8_mask(x)};
}

qn_ascii_classify_fn qn_ascii_classify_avx512(void)
{
    return classify;
}

/* ---- words ---- */

_Static_assert(sizeof(qn_word) == 32 && offsetof(qn_word, len) == 8 &&
                   offsetof(qn_word, position) == 12 && offsetof(qn_word, start) == 16 &&
                   offsetof(qn_word, end) == 24,
               "a word is four lanes: its text, length and position, start, end");

/* Where the bits of a mask are, a byte each, in order. */
static inline void list_bits(uint64_t bits, uint8_t *out)
{
    const __m512i each = _mm512_set_epi8(
        63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41,
        40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18,
        17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    _mm512_storeu_si512(out, _mm512_maskz_compress_epi8(bits, each));
}

static inline __m512i eight_bytes(const uint8_t *at)
{
    return _mm512_cvtepu8_epi64(_mm_loadl_epi64((const __m128i *)(const void *)at));
}

/* Writes eight words, of which each vector has one lane each. */
static inline void put_eight(__m512i text, __m512i len_position, __m512i start, __m512i end,
                             qn_word *out)
{
    const __m512i low = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0);
    const __m512i high = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
    __m512i even_front = _mm512_unpacklo_epi64(text, len_position);
    __m512i even_back = _mm512_unpacklo_epi64(start, end);
    __m512i odd_front = _mm512_unpackhi_epi64(text, len_position);
    __m512i odd_back = _mm512_unpackhi_epi64(start, end);
    __m512i words02 = _mm512_permutex2var_epi64(even_front, low, even_back);
    __m512i words13 = _mm512_permutex2var_epi64(odd_front, low, odd_back);
    __m512i words46 = _mm512_permutex2var_epi64(even_front, high, even_back);
    __m512i words57 = _mm512_permutex2var_epi64(odd_front, high, odd_back);
    _mm512_storeu_si512(out, _mm512_shuffle_i64x2(words02, words13, 0x44));
    _mm512_storeu_si512(out + 2, _mm512_shuffle_i64x2(words02, words13, 0xEE));
    _mm512_storeu_si512(out + 4, _mm512_shuffle_i64x2(words46, words57, 0x44));
    _mm512_storeu_si512(out + 6, _mm512_shuffle_i64x2(words46, words57, 0xEE));
}

static size_t give_words(uint64_t starts, uint64_t ends, const qn_ascii_place *place, qn_word *out)
{
    uint8_t start_at[64], end_at[64];
    const unsigned n = (unsigned)__builtin_popcountll(ends);
    const __m512i text = _mm512_set1_epi64((long long)(uintptr_t)place->text);
    const __m512i at = _mm512_set1_epi64((long long)place->at);
    const __m512i eight = _mm512_set1_epi64((long long)8 << 32);
    __m512i position = _mm512_add_epi32(_mm512_set1_epi64((long long)place->position),
                                        _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0));
    position = _mm512_slli_epi64(position, 32);
    list_bits(starts, start_at);
    list_bits(ends, end_at);
    for (unsigned i = 0; i < n; i += 8) {
        __m512i start = eight_bytes(start_at + i), end = eight_bytes(end_at + i);
        __m512i len = _mm512_sub_epi64(end, start);
        put_eight(_mm512_add_epi64(text, start), _mm512_or_si512(len, position),
                  _mm512_add_epi64(at, start), _mm512_add_epi64(at, end), out + i);
        position = _mm512_add_epi64(position, eight);
    }
    return n;
}

qn_ascii_words_fn qn_ascii_words_avx512(void)
{
    return give_words;
}

#else

qn_ascii_classify_fn qn_ascii_classify_avx512(void)
{
    return NULL;
}

qn_ascii_words_fn qn_ascii_words_avx512(void)
{
    return NULL;
}

#endif
