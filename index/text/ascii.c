/* ASCII, 64 bytes at a time: the portable kernels. Each step of classifying works on eight bytes in
 * a register; every byte is cut to seven bits first, so that no sum carries into its neighbour. */
#include "index/text/ascii.h"

#include "index/base/bytes.h"

static const uint64_t ONES = 0x0101010101010101u;
static const uint64_t HIGH = 0x8080808080808080u;

/* The high bit of each byte of `x` that is at least `c`; bytes of `x` and `c` are 0..127. */
static inline uint64_t at_least(uint64_t x, unsigned char c)
{
    return x + ONES * (0x80u - c);
}

/* The high bits of the eight bytes as a number: bit i is that of byte i. The partial products of
 * the multiplication fall on distinct bits; those of the top byte are the ones wanted. */
static inline uint64_t gather(uint64_t x)
{
    return ((x & HIGH) >> 7) * 0x0102040810204080u >> 56;
}

qn_ascii_masks qn_ascii_classify(const char *in, char *out)
{
    qn_ascii_masks masks = {0, 0, 0};
    for (unsigned i = 0; i < QN_ASCII_BLOCK; i += 8) {
        uint64_t bytes = qn_load_u64(in + i);
        uint64_t x = bytes & ~HIGH;
        uint64_t lower = x | ONES * 0x20u;
        uint64_t letter = at_least(lower, 'a') & ~at_least(lower, 'z' + 1) & HIGH;
        uint64_t digit = at_least(x, '0') & ~at_least(x, '9' + 1);
        uint64_t not_apostrophe = at_least(x ^ ONES * (unsigned char)'\'', 1);
        qn_store_u64(out + i, x | letter >> 2); /* 0x80 >> 2 = 0x20, what tells a from A */
        masks.word |= gather(letter | digit) << i;
        masks.apostrophe |= gather(~not_apostrophe) << i;
        masks.high |= gather(bytes) << i;
    }
    return masks;
}

qn_ascii_classify_fn qn_ascii_classify_for(qn_cpu cpu)
{
    qn_ascii_classify_fn best = NULL;
    if (cpu >= QN_CPU_AVX512)
        best = qn_ascii_classify_avx512();
    if (best == NULL && cpu >= QN_CPU_AVX2)
        best = qn_ascii_classify_avx2();
    return best != NULL ? best : qn_ascii_classify;
}

size_t qn_ascii_words(uint64_t starts, uint64_t ends, const qn_ascii_place *place, qn_word *out)
{
    size_t n = 0;
    for (; ends != 0; ends &= ends - 1, starts &= starts - 1, n++) {
        unsigned start = (unsigned)__builtin_ctzll(starts), end = (unsigned)__builtin_ctzll(ends);
        out[n] = (qn_word){place->text + start, end - start, place->position + (uint32_t)n,
                           place->at + start, place->at + end};
    }
    return n;
}

qn_ascii_words_fn qn_ascii_words_for(qn_cpu cpu)
{
    qn_ascii_words_fn best = cpu >= QN_CPU_AVX512 ? qn_ascii_words_avx512() : NULL;
    return best != NULL ? best : qn_ascii_words;
}

bool qn_ascii_all(const char *text, size_t len)
{
    uint64_t seen = 0;
    size_t i = 0;
    for (; len - i >= 8; i += 8)
        seen |= qn_load_u64(text + i);
    for (; i < len; i++)
        seen |= (unsigned char)text[i];
    return (seen & HIGH) == 0;
}
