/* Packing, and the portable unpacking: see bitpack.h. */
#include "index/codec/bitpack.h"

/* Values are joined in groups of up to 56 bits before they enter the accumulator, whose dependency
 * chain would otherwise be the cost: 8 values of up to 7 bits enter at once, 4 of up to 14, 2 of up
 * to 28. The accumulator holds under 8 bits between steps and is stored whole, so no step
 * branches. `group` is a constant in each instance. */
static inline __attribute__((always_inline)) uint8_t *
pack_groups(const uint32_t *values, size_t n, unsigned width, unsigned group, uint8_t *out)
{
    const uint64_t mask = qn_bitpack_mask(width);
    uint64_t held = 0;
    unsigned n_held = 0;
    size_t i = 0;
    for (; i + group <= n; i += group) {
        uint64_t joined = 0;
        for (unsigned j = group; j-- > 0;)
            joined = joined << width | (values[i + j] & mask);
        held |= joined << n_held;
        qn_store_u64(out, held);
        n_held += group * width; /* at most 7 + 56 */
        out += n_held / 8;
        held >>= n_held & 56;
        n_held %= 8;
    }
    for (; i < n; i++) {
        held |= (values[i] & mask) << n_held;
        qn_store_u64(out, held);
        n_held += width;
        out += n_held / 8;
        held >>= n_held & 56;
        n_held %= 8;
    }
    return out + (n_held > 0); /* the last store has written that byte */
}

uint8_t *qn_bitpack_pack(const uint32_t *values, size_t n, unsigned width, uint8_t *out)
{
    if (width <= 7)
        return pack_groups(values, n, width, 8, out);
    if (width <= 14)
        return pack_groups(values, n, width, 4, out);
    if (width <= 28)
        return pack_groups(values, n, width, 2, out);
    return pack_groups(values, n, width, 1, out);
}

/* Eight values take exactly `width` bytes, so with a constant width every offset, shift and mask is
 * a constant too: three times as fast as computing them. */
static inline __attribute__((always_inline)) void unpack_width(const uint8_t *in, size_t n,
                                                               unsigned width, uint32_t *out)
{
    for (; n >= 8; n -= 8, in += width, out += 8)
        for (unsigned i = 0; i < 8; i++)
            out[i] = qn_bitpack_get(in, i, width);
    for (size_t i = 0; i < n; i++)
        out[i] = qn_bitpack_get(in, i, width);
}

#define CASE(w)                                                                                    \
    case w:                                                                                        \
        unpack_width(in, n, w, out);                                                               \
        break;
#define CASES(w) CASE(w) CASE((w) + 1) CASE((w) + 2) CASE((w) + 3)

void qn_bitpack_unpack(const uint8_t *in, size_t n, unsigned width, uint32_t *out)
{
    switch (width) {
        CASES(0)
        CASES(4)
        CASES(8)
        CASES(12)
        CASES(16)
        CASES(20)
        CASES(24)
        CASES(28)
        CASE(32)
    }
}

qn_bitpack_unpack_fn qn_bitpack_unpack_for(qn_cpu cpu)
{
    qn_bitpack_unpack_fn best = NULL;
    if (cpu >= QN_CPU_AVX512)
        best = qn_bitpack_unpack_avx512();
    if (best == NULL && cpu >= QN_CPU_AVX2)
        best = qn_bitpack_unpack_avx2();
    return best != NULL ? best : qn_bitpack_unpack;
}
