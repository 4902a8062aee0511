/* What the loops of eval_kernels_template.h and those of single levels share. */
#ifndef QN_QUERY_EVAL_KERNELS_PARTS_H
#define QN_QUERY_EVAL_KERNELS_PARTS_H

#include "query/eval_kernels_groups.h"

/* Compilers make branches of a comparison before a store, and these are mispredicted for every
 * other document. What has passed through here must be there, whatever it is: a conditional move.
 */
#define SETTLE(x) __asm__("" : "+r"(x))

/* floor(value * scale) + 1, at most 255; 255 also if it is no number. */
static inline uint32_t units_of(float value, float scale)
{
    float units = value * scale;
    return (uint32_t)(int32_t)(units < 254.0f ? units : 254.0f) + 1;
}

/* The sum of two bytes, at most 255. */
static inline uint8_t saturated_sum(uint8_t a, uint32_t b)
{
    uint32_t sum = a + b;
    sum = sum < 255 ? sum : 255;
    SETTLE(sum);
    return (uint8_t)sum;
}

/* Adds to a document of the window. */
static inline void add_value(uint8_t *sums, uint32_t doc, uint32_t units)
{
    sums[doc % 4096] = saturated_sum(sums[doc % 4096], units);
}

static inline unsigned count_bits(uint64_t word)
{
#if defined(__POPCNT__) || !defined(__x86_64__)
    return (unsigned)__builtin_popcountll(word);
#else /* or it is a call */
    word -= word >> 1 & 0x5555555555555555u;
    word = (word & 0x3333333333333333u) + (word >> 2 & 0x3333333333333333u);
    word = (word + (word >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
    return (unsigned)(word * 0x0101010101010101u >> 56);
#endif
}

/* `live`, which is not 0, without the first eight ranges that have some, a line of a bitmap. */
static inline uint64_t without_line(uint64_t live)
{
    return live & ~((uint64_t)0xFF << ((unsigned)__builtin_ctzll(live) & ~7u));
}

/* Has the codes of those ranges fetched, up to where the next one's begin. */
static inline void fetch_codes(const qn_coded_window *window, uint64_t live)
{
    for (; live != 0; live &= live - 1) {
        const uint8_t *codes = window->codes + window->rank[__builtin_ctzll(live)] / 2;
        __builtin_prefetch(codes);
        __builtin_prefetch(codes + 32);
    }
}

/* A bit for each group that has a bit in `live`, at bit 4 g. */
static inline uint64_t live_groups(uint64_t live)
{
    live |= live >> 1;
    live |= live >> 2;
    return live & 0x1111111111111111u;
}

#endif
