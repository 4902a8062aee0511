/* Values picked out of a block are those that decoding all of it gives, for every range of it. */
#include "index/codec/block.h"

#include "index/base/bytes.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* Compares every range of at most four values, and some longer ones, with `values`. */
static void check_ranges(const qn_block_kernels *kernels, const uint8_t *in, const uint8_t *end,
                         unsigned n, const uint32_t *values)
{
    for (unsigned from = 0; from < n; from++) {
        for (unsigned count = 0; count <= n - from; count += count < 4 ? 1 : 1 + n / 3) {
            uint32_t *out = calloc((size_t)count + 1, sizeof *out);
            out[count] = 0xABCDEF01;
            cr_assert_not_null(kernels->pick(in, end, n, from, count, out));
            cr_assert_eq(memcmp(out, values + from, count * sizeof *out), 0, "%u of %u from %u",
                         count, n, from);
            cr_assert_eq(out[count], 0xABCDEF01);
            free(out);
        }
    }
}

/* At every level that there is: whole ranges, and what is cut off. */
static void check_coded(const uint8_t *bytes, size_t len, unsigned n, const uint32_t *values)
{
    uint8_t *in = test_copy(bytes, len);
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
        const qn_block_kernels *kernels = qn_block_kernels_for(cpu);
        check_ranges(kernels, in, in + len, n, values);
        for (size_t cut = 0; cut < len; cut++) {
            uint32_t out;
            cr_assert_null(kernels->pick(in, in + cut, n, n - 1, 1, &out));
        }
    }
    free(in);
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
    check_coded(bytes, qn_block_encode(values, n, bytes), n, values);
    check_coded(bytes, qn_block_kernels_for(QN_CPU_SCALAR)->encode(values, n, true, bytes), n,
                values);
}

/* High parts in unary: as many zeros as may be, or few, or all before one value. */
Test(block_pick, every_range_of_unary)
{
    test_random random = 3;
    for (unsigned round = 0; round < 300; round++) {
        uint32_t values[QN_BLOCK];
        uint8_t bytes[QN_BLOCK_MAX_BYTES];
        unsigned n = round % 3 == 0 ? QN_BLOCK : 1 + test_below(&random, QN_BLOCK);
        for (unsigned i = 0; i < n; i++)
            for (values[i] = 0; test_below(&random, 2 + round % 4) == 0;)
                values[i] += 1u + round % 7;
        if (round % 5 == 0)
            values[test_below(&random, n)] += 60;
        check_coded(bytes, qn_block_encode(values, n, bytes), n, values);
    }
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
        if (test_below(&random, 4) == 0)
            bytes[0] = (uint8_t)(33 + test_below(&random, 31));
        if (len > 2 && test_below(&random, 4) > 0)
            bytes[1] = (uint8_t)(1 + test_below(&random, 3));
        if (len > 2 && test_below(&random, 4) > 0)
            bytes[2] = (uint8_t)(1 + test_below(&random, 9));
        uint8_t *in = test_copy(bytes, len);
        uint32_t whole[QN_BLOCK_ROOM], out[QN_BLOCK];
        unsigned from = test_below(&random, n), count = test_below(&random, n - from + 1);
        const uint8_t *next = kernels->decode(in, in + len, n, whole);
        const qn_block_kernels *level =
            qn_block_kernels_for((qn_cpu)(round % ((unsigned)qn_cpu_machine() + 1)));
        const uint8_t *picked = level->pick(in, in + len, n, from, count, out);
        if (next != NULL) {
            n_good++;
            cr_assert_eq(picked, next);
            cr_assert_eq(memcmp(out, whole + from, count * sizeof *out), 0);
        }
        free(in);
    }
    cr_assert(n_good > 1000 && n_good < 29000, "%u", n_good);
}
