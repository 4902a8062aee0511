/* Classifying ASCII with AVX-512: see ascii.h. */
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

#else

qn_ascii_classify_fn qn_ascii_classify_avx512(void)
{
    return NULL;
}

#endif
