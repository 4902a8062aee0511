/*
 * The high parts of a block's values in unary: for each value as many zeros as its high part says,
 * then a one (Golomb 1966, Rice 1979, with all low parts packed apart). Of n values the high parts
 * are 255 at most in all, so that sums of them fit a byte and the bits end within 48 bytes. What
 * the portable decoders, the choice of single values and the parsing of blocks share.
 */
#ifndef QN_CODEC_BLOCK_UNARY_H
#define QN_CODEC_BLOCK_UNARY_H

#include "index/base/bytes.h"
#include "index/codec/block.h"

#if defined(__BMI2__)
#include <immintrin.h>
#endif

enum {
    UNARY_SUM_MAX = 255,                                /* of a block's high parts */
    UNARY_WORDS = (QN_BLOCK + UNARY_SUM_MAX + 63) / 64, /* that may be looked at */
    UNARY_NONE = UINT16_MAX
};

/* Where the k-th one of a word that has so many is, k from 0: the byte is found by sums of the
 * bytes' counts (Vigna 2008), within it ones are counted. */
static inline unsigned unary_select_word(uint64_t word, unsigned k)
{
#if defined(__BMI2__)
    return (unsigned)__builtin_ctzll(_pdep_u64(UINT64_C(1) << k, word));
#else
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    uint64_t s = word - (word >> 1 & 0x55 * ones);
    s = (s & 0x33 * ones) + (s >> 2 & 0x33 * ones);
    s = ((s + (s >> 4)) & 0x0F * ones) * ones; /* ones up to and with each byte */
    uint64_t not_above = ((k * ones | tops) - s) & tops;
    unsigned byte = 8 * (unsigned)__builtin_popcountll(not_above);
    unsigned rest = k - (unsigned)(s << 8 >> byte & 0xFF);
    unsigned bits = (unsigned)(word >> byte) & 0xFF;
    for (; rest > 0; rest--)
        bits &= bits - 1;
    return byte + (unsigned)__builtin_ctz(bits);
#endif
}

/* The position of the n-th one, n >= 1; UNARY_NONE if it does not come within n + UNARY_SUM_MAX
 * bits. May read 48 bytes. */
static inline unsigned unary_select(const uint8_t *in, unsigned n)
{
    unsigned before = 0;
    for (unsigned w = 0; w < UNARY_WORDS; w++) {
        uint64_t word = qn_load_u64(in + 8 * (size_t)w);
        unsigned here = (unsigned)__builtin_popcountll(word);
        if (before + here >= n) {
            unsigned at = 64 * w + unary_select_word(word, n - 1 - before);
            return at < n + UNARY_SUM_MAX ? at : UNARY_NONE;
        }
        before += here;
    }
    return UNARY_NONE;
}

/* The position of the first one from `at` on, which there is. */
static inline unsigned unary_next(const uint8_t *in, unsigned at)
{
    for (;;) {
        uint64_t word = qn_load_u64(in + at / 8) >> at % 8;
        if (word != 0)
            return at + (unsigned)__builtin_ctzll(word);
        at += 64 - at % 8;
    }
}

#endif
