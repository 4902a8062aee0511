/* Unpacking and packing with AVX2: the constants of each width, and the kernels. */
#include "index/codec/bitpack.h"

#if defined(__AVX2__)

#include "index/codec/bitpack_avx2.h"
#include "index/codec/bitpack_pack_avx2.h"

/* Bit where value i of a step starts, counted from its window, and the byte b of its lane. */
#define BIT(w, i)     ((i) < 4 ? (i) * (w) : (i) * (w) - (w) / 2 * 8)
#define BYTE(w, i, b) ((BIT(w, i) / 8 + (b)) % 16)
#define LANE(w, i)    BYTE(w, i, 0), BYTE(w, i, 1), BYTE(w, i, 2), BYTE(w, i, 3)
#define SHIFT(w, i)   BIT(w, i) % 8
#define ROW(w)                                                                                     \
    {                                                                                              \
        {LANE(w, 0), LANE(w, 1), LANE(w, 2), LANE(w, 3),                                           \
         LANE(w, 4), LANE(w, 5), LANE(w, 6), LANE(w, 7)},                                          \
        {                                                                                          \
            SHIFT(w, 0), SHIFT(w, 1), SHIFT(w, 2), SHIFT(w, 3), SHIFT(w, 4), SHIFT(w, 5),          \
                SHIFT(w, 6), SHIFT(w, 7)                                                           \
        }                                                                                          \
    }

const qn_bitpack_avx2_row qn_bitpack_avx2_rows[33] = {
    ROW(0),  ROW(1),  ROW(2),  ROW(3),  ROW(4),  ROW(5),  ROW(6),  ROW(7),  ROW(8),
    ROW(9),  ROW(10), ROW(11), ROW(12), ROW(13), ROW(14), ROW(15), ROW(16), ROW(17),
    ROW(18), ROW(19), ROW(20), ROW(21), ROW(22), ROW(23), ROW(24), ROW(25), ROW(26),
    ROW(27), ROW(28), ROW(29), ROW(30), ROW(31), ROW(32),
};

static void unpack(const uint8_t *in, size_t n, unsigned width, uint32_t *out)
{
    const qn_bitpack_avx2 of = qn_bitpack_avx2_of(width);
    if (width <= QN_BITPACK_AVX2_ONE_SHUFFLE)
        for (size_t i = 0; i < n; i += QN_BITPACK_AVX2_STEP, in += width)
            qn_bitpack_avx2_store(out + i, qn_bitpack_avx2_step(&of, in, false));
    else
        for (size_t i = 0; i < n; i += QN_BITPACK_AVX2_STEP, in += width)
            qn_bitpack_avx2_store(out + i, qn_bitpack_avx2_step(&of, in, true));
}

qn_bitpack_unpack_fn qn_bitpack_unpack_avx2(void)
{
    return unpack;
}

static uint8_t *pack(const uint32_t *values, size_t n, unsigned width, uint8_t *out)
{
    return qn_bitpack_avx2_pack(values, n, width, out);
}

qn_bitpack_pack_fn qn_bitpack_pack_avx2(void)
{
    return pack;
}

#else

qn_bitpack_pack_fn qn_bitpack_pack_avx2(void)
{
    return NULL;
}

qn_bitpack_unpack_fn qn_bitpack_unpack_avx2(void)
{
    return NULL;
}

#endif
