/* Unpacking with AVX-512: the constants of each width, and the kernel. */
#include "index/codec/bitpack.h"

#if defined(__AVX512VBMI__) && defined(__AVX512VBMI2__) && defined(__AVX512BW__)

#include "index/codec/bitpack_avx512.h"

/* Up to 29 bits, by qword lane j and byte b of it: the window starts in the byte of value 2j; bytes
 * 0..3 are of value 2j, 4..7 of value 2j+1. */
#define PAIR_BYTE(w, j, b)  (2 * (j) * (w) / 8 + (b)) % 64
#define PAIR_SHIFT(w, j, b) (2 * (j) * (w) % 8 + (b) / 4 * (w) + (b) % 4 * 8) % 64

/* Over 29 bits, by dword lane: bytes 0..3 of j are of value 2j, 4..7 of value 2j+1. */
#define ONE(j, b)          (2 * (j) + (b) / 4)
#define ONE_BYTE(w, j, b)  (ONE(j, b) * (w) / 8 + (b) % 4) % 64
#define ONE_SHIFT(w, j, b) ((b) % 4 == 0 ? ONE(j, b) * (w) % 8 : 0)

#define EIGHT(f, w, j)                                                                             \
    f(w, j, 0), f(w, j, 1), f(w, j, 2), f(w, j, 3), f(w, j, 4), f(w, j, 5), f(w, j, 6), f(w, j, 7)
#define ALL(f, w)                                                                                  \
    EIGHT(f, w, 0), EIGHT(f, w, 1), EIGHT(f, w, 2), EIGHT(f, w, 3), EIGHT(f, w, 4),                \
        EIGHT(f, w, 5), EIGHT(f, w, 6), EIGHT(f, w, 7)
#define ROW(w)                                                                                     \
    {                                                                                              \
        {ALL(PAIR_BYTE, w)},                                                                       \
        {                                                                                          \
            ALL(PAIR_SHIFT, w)                                                                     \
        }                                                                                          \
    }
#define WIDE_ROW(w)                                                                                \
    {                                                                                              \
        {ALL(ONE_BYTE, w)},                                                                        \
        {                                                                                          \
            ALL(ONE_SHIFT, w)                                                                      \
        }                                                                                          \
    }

const qn_bitpack_avx512_row qn_bitpack_avx512_rows[33] = {
    ROW(0),  ROW(1),  ROW(2),  ROW(3),       ROW(4),       ROW(5),       ROW(6),  ROW(7),  ROW(8),
    ROW(9),  ROW(10), ROW(11), ROW(12),      ROW(13),      ROW(14),      ROW(15), ROW(16), ROW(17),
    ROW(18), ROW(19), ROW(20), ROW(21),      ROW(22),      ROW(23),      ROW(24), ROW(25), ROW(26),
    ROW(27), ROW(28), ROW(29), WIDE_ROW(30), WIDE_ROW(31), WIDE_ROW(32),
};

static void unpack(const uint8_t *in, size_t n, unsigned width, uint32_t *out)
{
    const qn_bitpack_avx512 of = qn_bitpack_avx512_of(width);
    if (width <= QN_BITPACK_AVX512_ONE_PERMUTE)
        for (size_t i = 0; i < n; i += QN_BITPACK_AVX512_STEP, in += 2 * width)
            _mm512_storeu_si512(out + i, qn_bitpack_avx512_step(&of, in, false));
    else
        for (size_t i = 0; i < n; i += QN_BITPACK_AVX512_STEP, in += 2 * width)
            _mm512_storeu_si512(out + i, qn_bitpack_avx512_step(&of, in, true));
}

qn_bitpack_unpack_fn qn_bitpack_unpack_avx512(void)
{
    return unpack;
}

#else

qn_bitpack_unpack_fn qn_bitpack_unpack_avx512(void)
{
    return NULL;
}

#endif
