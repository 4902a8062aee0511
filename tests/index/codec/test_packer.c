/* Packing to a file gives the bytes of packing in memory, and wider numbers beside. */
#include "index/codec/bitpack.h"
#include "index/codec/packer.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { N = 1000 };

static char *dir;
static int dirfd;
static qn_writer file;

static void setup(void)
{
    dirfd = test_dir_open(&dir);
    cr_assert_eq(qn_writer_spool(&file, dirfd, dir, 4096, NULL), QUERN_OK);
}

static void teardown(void)
{
    qn_writer_close(&file);
    test_dir_close(dirfd, dir);
}

TestSuite(packer, .init = setup, .fini = teardown);

static void read_back(uint8_t *out, size_t len, uint64_t from)
{
    cr_assert_eq(file.offset - from, len);
    cr_assert_eq(qn_writer_flush(&file, NULL), QUERN_OK);
    cr_assert_eq(qn_pread_all(file.fd, out, len, from, "spool", NULL), QUERN_OK);
}

Test(packer, same_as_in_memory)
{
    test_random random = 1;
    for (unsigned width = 0; width <= 32; width++) {
        uint32_t values[N];
        uint8_t want[N * 4 + QN_BITPACK_SLACK], got[N * 4];
        size_t n = 1 + test_below(&random, N);
        uint64_t from = file.offset;
        qn_packer packer = {.to = &file};
        for (size_t i = 0; i < n; i++) {
            values[i] = (uint32_t)test_next(&random) & qn_bitpack_mask(width);
            cr_assert_eq(qn_packer_put(&packer, values[i], width, NULL), QUERN_OK);
        }
        cr_assert_eq(qn_packer_end(&packer, NULL), QUERN_OK);
        (void)qn_bitpack_pack(values, n, width, want);
        read_back(got, qn_bitpack_bytes(n, width), from);
        cr_assert_eq(memcmp(got, want, qn_bitpack_bytes(n, width)), 0, "width %u", width);
    }
}

/* Two rows: the second starts at a byte of its own. */
Test(packer, wide_numbers)
{
    test_random random = 2;
    for (unsigned width = 33; width <= QN_PACKER_WIDTH_MAX; width++) {
        uint64_t values[2][N], from = file.offset;
        uint8_t got[2 * (N * 6) + 8] = {0};
        qn_packer packer = {.to = &file};
        for (unsigned row = 0; row < 2; row++) {
            for (size_t i = 0; i < N - 1; i++) {
                values[row][i] = test_next(&random) >> (64 - width);
                cr_assert_eq(qn_packer_put(&packer, values[row][i], width, NULL), QUERN_OK);
            }
            cr_assert_eq(qn_packer_end(&packer, NULL), QUERN_OK);
        }
        size_t len = qn_bitpack_bytes(N - 1, width);
        read_back(got, 2 * len, from);
        for (unsigned row = 0; row < 2; row++)
            for (size_t i = 0; i < N - 1; i++) {
                size_t bit = i * width;
                uint64_t value = qn_load_u64(got + row * len + bit / 8) >> (bit % 8);
                cr_assert_eq(value & ((UINT64_C(1) << width) - 1), values[row][i]);
            }
    }
}
