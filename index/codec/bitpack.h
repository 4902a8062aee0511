/*
 * In-order bit packing: n values of `width` bits (0..32), value i in bits [i*width, (i+1)*width)
 * counted from the least significant bit of the first byte; ceil(n*width/8) bytes. A value can be
 * read without the others, and a few values have the same form as many.
 */
#ifndef QN_CODEC_BITPACK_H
#define QN_CODEC_BITPACK_H

#include "index/base/bytes.h"
#include "index/base/cpu.h"

#include <stddef.h>
#include <stdint.h>

enum {
    QN_BITPACK_SLACK = 8,  /* bytes that packing may write past the packed ones */
    QN_BITPACK_GROUP = 16, /* unpacking writes whole groups of at most so many values */
};

/* The bytes that n values of `width` bits take. */
static inline size_t qn_bitpack_bytes(size_t n, unsigned width)
{
    return (n * width + 7) / 8;
}

/* The largest value of `width` bits, 0..32. */
static inline uint32_t qn_bitpack_mask(unsigned width)
{
    return (uint32_t)((UINT64_C(1) << width) - 1);
}

/* Packs the low `width` bits of each value at `out`, which has room for the packed bytes and
 * QN_BITPACK_SLACK more (what lands there is unspecified). Bits left over in the last byte are
 * zero. Returns the byte after the packed ones. */
uint8_t *qn_bitpack_pack(const uint32_t *values, size_t n, unsigned width, uint8_t *out);
typedef uint8_t *(*qn_bitpack_pack_fn)(const uint32_t *values, size_t n, unsigned width,
                                       uint8_t *out);

/* The same with AVX2 (bitpack_pack_avx2.h has it for inlining); NULL where the compiler did not
 * target it. */
qn_bitpack_pack_fn qn_bitpack_pack_avx2(void);

/* Value i of the packed `in`. Reads up to 8 bytes from the byte where the value starts. */
static inline uint32_t qn_bitpack_get(const uint8_t *in, size_t i, unsigned width)
{
    size_t bit = i * width;
    return (uint32_t)(qn_load_u64(in + bit / 8) >> (bit % 8)) & qn_bitpack_mask(width);
}

/* Unpacks n values to `out`, which has room for n rounded up to a multiple of QN_BITPACK_GROUP
 * (what lands past n is unspecified). May read QN_PADDING bytes past the packed ones; width 0
 * included, so `in` is always a valid address. */
typedef void (*qn_bitpack_unpack_fn)(const uint8_t *in, size_t n, unsigned width, uint32_t *out);

/* The portable kernel, which all others equal. */
void qn_bitpack_unpack(const uint8_t *in, size_t n, unsigned width, uint32_t *out);

/* The kernel for a level; falls back to the best compiled one below it. Never NULL. */
qn_bitpack_unpack_fn qn_bitpack_unpack_for(qn_cpu cpu);

/* The kernels of the levels; NULL where the compiler did not target them. */
qn_bitpack_unpack_fn qn_bitpack_unpack_avx2(void);
qn_bitpack_unpack_fn qn_bitpack_unpack_avx512(void);

#endif
