/* Classifying ASCII with AVX2: see ascii.h. */
#include "index/text/ascii.h"

#if defined(__AVX2__)

#include <immintrin.h>

/* 0xFF in each byte of x that is in [first, first + span]. */
static inline __m256i within(__m256i x, char first, char span)
{
    __m256i above = _mm256_sub_epi8(x, _mm256_set1_epi8(first));
    return _mm256_cmpeq_epi8(_mm256_min_epu8(above, _mm256_set1_epi8(span)), above);
}

static inline uint64_t bits(__m256i x)
{
    return (uint32_t)_mm256_movemask_epi8(x);
}

static qn_ascii_masks classify(const char *in, char *out)
{
    const __m256i low = _mm256_set1_epi8(0x20);
    qn_ascii_masks masks = {0, 0, 0};
    for (unsigned i = 0; i < QN_ASCII_BLOCK; i += 32) {
        __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(in + i));
        __m256i letter = within(_mm256_or_si256(x, low), 'a', 25);
        __m256i word = _mm256_or_si256(letter, within(x, '0', 9));
        __m256i lower = _mm256_or_si256(x, _mm256_and_si256(letter, low));
        _mm256_storeu_si256((__m256i *)(void *)(out + i), lower);
        masks.word |= bits(word) << i;
        masks.apostrophe |= bits(_mm256_cmpeq_epi8(x, _mm256_set1_epi8('\''))) << i;
        masks.high |= bits(x) << i;
    }
    return masks;
}

qn_ascii_classify_fn qn_ascii_classify_avx2(void)
{
    return classify;
}

#else

qn_ascii_classify_fn qn_ascii_classify_avx2(void)
{
    return NULL;
}

#endif
