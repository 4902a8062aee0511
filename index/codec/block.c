/* The portable kernels of blocks, and the choice of kernels: see block.h. */
#include "index/codec/block.h"

#include "index/codec/bitpack.h"
#include "index/codec/block_parts.h"

static uint8_t *pack(const uint32_t *values, size_t n, unsigned width, uint8_t *out)
{
    return qn_bitpack_pack(values, n, width, out);
}

/* ---- decoding: the portable kernels, which all others equal ---- */

static void unpack(const uint8_t *in, size_t n, unsigned width, uint32_t *out)
{
    qn_bitpack_unpack(in, n, width, out);
}

static void sum(uint32_t *out, unsigned n, uint32_t base)
{
    for (unsigned i = 0; i < n; i++) {
        base += out[i] + 1;
        out[i] = base;
    }
}

static void unpack_sum(const uint8_t *in, unsigned n, unsigned width, uint32_t base, uint32_t *out)
{
    unpack(in, n, width, out);
    sum(out, n, base);
}

enum { HIGHS_ROOM = QN_BLOCK };

/* One after the other. */
static void unary_highs(const uint8_t *in, unsigned n, uint8_t high[HIGHS_ROOM])
{
    unsigned next = 0; /* behind the last one */
    for (unsigned i = 0, at = 0; i < n; at += 64) {
        for (uint64_t word = qn_load_u64(in + at / 8); word != 0 && i < n; word &= word - 1) {
            unsigned one = at + (unsigned)__builtin_ctzll(word);
            high[i++] = (uint8_t)(one - next);
            next = one + 1;
        }
    }
}

#define KERNELS scalar_kernels
#define LEVEL   "scalar"
#include "index/codec/block_template.h"

size_t qn_block_encode(const uint32_t *values, unsigned n, uint8_t *out)
{
    return encode(values, n, false, out);
}

const qn_block_kernels *qn_block_kernels_for(qn_cpu cpu)
{
    const qn_block_kernels *best = NULL;
    if (cpu >= QN_CPU_AVX512)
        best = qn_block_kernels_avx512();
    if (best == NULL && cpu >= QN_CPU_AVX2)
        best = qn_block_kernels_avx2();
    return best != NULL ? best : &scalar_kernels;
}
