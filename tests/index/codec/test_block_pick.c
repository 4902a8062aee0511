/* Values picked out of a block are those that decoding all of it gives, for every range of it. */
#include "index/codec/block.h"

#include "index/base/bytes.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* Compares every range of at most four values, and some longer ones, with `values`. */
static void check_ranges(const uint8_t *in, const uint8_t *end, unsigned n, const uint32_t *values)
{
    for (unsigned from = 0; from < n; from++) {
        for (unsigned count = 0; count <= n - from; count += count < 4 ? 1 : 1 + n / 3) {
            uint32_t *out = calloc((size_t)count + 1, sizeof *out);
            out[count] = 0xABCDEF01;
            cr_assert_not_null(qn_block_pick(in, end, n, from, count, out));
            cr_assert_eq(memcmp(out, values + from, count * sizeof *out), 0, "%u of %u from %u",
                         count, n, from);
            cr_assert_eq(out[count], 0xABCDEF01);
            free(out);
        }
    }
}

/* Values of up to `width` bits, `large` of them of any length. */
static void check_block(unsigned n, unsigned width, unsigned large, test_random *random)
{
    uint32_t values[QN_BLOCK];
    uint8_t bytes[QN_BLOCK_MAX_BYTES];
    for (unsigned i = 0; i < n; i++)
        values[i] = (uint32_t)(test_next(random) & ((UINT64_C(1) << width) - 1));
    for (unsigned i = 0; i < large; i++)
        values[test_below(random, n)] = (uint32_t)test_next(random) >> test_below(random, 32);
    size_t len = qn_block_encode(values, n, bytes);
    uint8_t *in = test_copy(bytes, len);
    check_ranges(in, in + len, n, values);
    for (size_t cut = 0; cut < len; cut++) {
        uint32_t out;
        cr_assert_null(qn_block_pick(in, in + cut, n, n - 1, 1, &out));
    }
    free(in);
}

Test(block_pick, every_range_of_every_width)
{
    test_random random = 1;
    for (unsigned width = 0; width <= 32; width++)
        for (unsigned large = 0; large < 60; large += 1 + large)
            check_block(1 + test_below(&random, QN_BLOCK), width, large, &random);
    check_block(QN_BLOCK, 3, 127, &random);
    check_block(1, 7, 0, &random);
}

/* Forged bytes: what a whole decode takes is picked alike; nothing outside is read or written. */
Test(block_pick, forged_blocks)
{
    test_random random = 2;
    const qn_block_kernels *kernels = qn_block_kernels_for(QN_CPU_SCALAR);
    unsigned n_good = 0;
    for (unsigned round = 0; round < 30000; round++) {
        uint8_t bytes[200];
        size_t len = 1 + test_below(&random, sizeof bytes);
        unsigned n = 1 + test_below(&random, QN_BLOCK);
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)test_next(&random);
        bytes[0] &= test_below(&random, 4) > 0 ? 0x47 : 0xFF;
        if (len > 2 && test_below(&random, 4) > 0)
            bytes[1] = (uint8_t)(1 + test_below(&random, 3));
        if (len > 2 && test_below(&random, 4) > 0)
            bytes[2] = (uint8_t)(1 + test_below(&random, 9));
        uint8_t *in = test_copy(bytes, len);
        uint32_t whole[QN_BLOCK_ROOM], out[QN_BLOCK];
        unsigned from = test_below(&random, n), count = test_below(&random, n - from + 1);
        const uint8_t *next = kernels->decode(in, in + len, n, whole);
        const uint8_t *picked = qn_block_pick(in, in + len, n, from, count, out);
        if (next != NULL) {
            n_good++;
            cr_assert_eq(picked, next);
            cr_assert_eq(memcmp(out, whole + from, count * sizeof *out), 0);
        }
        free(in);
    }
    cr_assert(n_good > 1000 && n_good < 29000, "%u", n_good);
}
