/* The evaluators' inner loops in portable code, and the choice among the compiled levels. */
#define QN_KERNELS qn_eval_kernels_scalar
#include "query/eval_kernels.h"

#include "query/eval_kernels_parts.h"

#include "index/base/bytes.h"

#include <string.h>

extern const qn_eval_kernels qn_eval_kernels_scalar;

/* ---- eight bytes, or four numbers of 16 bits, in a word ---- */

/* The top bit of each byte that is >= that of `least`; likewise of numbers, `tops` telling where
 * the top bits are. */
static inline uint64_t reach(uint64_t bytes, uint64_t least, uint64_t tops)
{
    /* Of equal top bits the others decide, by a difference that takes nothing from the next byte;
     * of different ones they do. */
    uint64_t lower = (bytes | tops) - (least & ~tops);
    return ((bytes & ~least) | (~(bytes ^ least) & lower)) & tops;
}

static inline uint64_t reach_8(const uint8_t *bytes, uint8_t least)
{
    const uint64_t ones = 0x0101010101010101u;
    /* Bit 8 i goes to bit 56 + i, all else past the end or below. */
    return (reach(qn_load_u64(bytes), least * ones, 128 * ones) >> 7) * 0x0102040810204080u >> 56;
}

static inline uint64_t reach_4(const uint16_t *sums, uint16_t least)
{
    const uint64_t ones = 0x0001000100010001u;
    uint64_t four = (uint64_t)sums[0] | (uint64_t)sums[1] << 16 | (uint64_t)sums[2] << 32 |
                    (uint64_t)sums[3] << 48;
    /* Bit 16 i goes to bit 48 + i. */
    return (reach(four, least * ones, 32768 * ones) >> 15) * 0x0001000200040008u >> 48 & 15;
}

/* ---- rows ---- */

typedef struct row {
    uint8_t byte[64];
} row;
typedef const uint8_t *code_table;

static inline row load_row(const uint8_t *at)
{
    row bytes;
    memcpy(bytes.byte, at, sizeof bytes.byte);
    return bytes;
}

static inline void store_row(uint8_t *at, row bytes)
{
    memcpy(at, bytes.byte, sizeof bytes.byte);
}

static inline row sum_row(row a, row b)
{
    for (unsigned i = 0; i < 64; i++) {
        uint8_t sum = (uint8_t)(a.byte[i] + b.byte[i]);
        a.byte[i] = sum < b.byte[i] ? 255 : sum;
    }
    return a;
}

static inline row min_row(row a, row b)
{
    for (unsigned i = 0; i < 64; i++)
        a.byte[i] = b.byte[i] < a.byte[i] ? b.byte[i] : a.byte[i];
    return a;
}

static inline uint64_t reach_row(row bytes, uint8_t least)
{
    uint64_t mask = 0;
    for (unsigned i = 0; i < 64; i += 8)
        mask |= reach_8(bytes.byte + i, least) << i;
    return mask;
}

static inline code_table load_table(const uint8_t table[16])
{
    return table;
}

/* 0 past n. */
static inline row look_up_row(const uint8_t *codes, uint32_t first, uint32_t n, code_table table)
{
    row values = {{0}};
    for (uint32_t i = 0; i < n; i++)
        values.byte[i] = table[codes[(first + i) / 2] >> ((first + i) % 2 * 4) & 15];
    return values;
}

static inline row expand_row(uint64_t word, const uint8_t *codes, uint32_t first, code_table table)
{
    row values = {{0}};
    for (; word != 0; word &= word - 1, first++)
        values.byte[__builtin_ctzll(word)] = table[codes[first / 2] >> (first % 2 * 4) & 15];
    return values;
}

enum { SAME = 8 };

static inline uint64_t find_same(const uint8_t *at, uint8_t byte)
{
    uint8_t different[8];
    qn_store_u64(different, qn_load_u64(at) ^ byte * 0x0101010101010101u);
    return ~reach_8(different, 1) & 0xFF;
}

/* ---- postings ---- */

static size_t keep(uint32_t *docs, float *values, size_t n, float least)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        docs[kept] = docs[i];
        values[kept] = values[i];
        kept += values[i] >= least;
    }
    return kept;
}

static void add_values(uint8_t *restrict sums, uint64_t live, const uint32_t *restrict docs,
                       const float *restrict values, size_t n, float scale)
{
    (void)live;
    for (size_t i = 0; i < n; i++)
        add_value(sums, docs[i], units_of(values[i], scale));
}

/* Eight at a time, of which those past n add 0: how often this loops can then be guessed, most
 * groups having a few postings. */
static inline void add_postings(uint8_t *sums, unsigned ranges, const uint8_t *low, uint32_t n,
                                row units)
{
    (void)ranges;
    for (uint32_t i = 0; i < n; i += 8)
        for (uint32_t j = i; j < i + 8; j++)
            sums[low[j]] = saturated_sum(sums[low[j]], units.byte[j]);
}

/* ---- ranges ---- */

static uint64_t find_bounds(const uint16_t *sums, uint16_t least)
{
    uint64_t mask = 0;
    for (unsigned i = 0; i < 64; i += 4)
        mask |= reach_4(sums + i, least) << i;
    return mask;
}

#include "query/eval_kernels_template.h"

const qn_eval_kernels *qn_eval_kernels_for(qn_cpu cpu)
{
#if defined(__x86_64__)
    if (cpu >= QN_CPU_AVX512)
        return &qn_eval_kernels_avx512;
    if (cpu >= QN_CPU_AVX2)
        return &qn_eval_kernels_avx2;
#else
    (void)cpu;
#endif
    return &qn_eval_kernels_scalar;
}
