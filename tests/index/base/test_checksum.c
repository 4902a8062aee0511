/* The checksum is part of the file format: published values of XXH3-64 with seed 0. */
#include "index/base/checksum.h"

#include <criterion/criterion.h>

Test(checksum, known_values)
{
    cr_assert_eq(qn_checksum("", 0), UINT64_C(0x2D06800538D394C2));
    cr_assert_eq(qn_checksum("abc", 3), UINT64_C(0x78AF5F94892F3950));
}

Test(checksum, every_bit_of_a_page_counts)
{
    static uint8_t page[4096];
    uint64_t zeros = qn_checksum(page, sizeof page);
    for (size_t i = 0; i < sizeof page * 8; i += 7) {
        page[i / 8] ^= (uint8_t)(1 << i % 8);
        cr_assert_neq(qn_checksum(page, sizeof page), zeros);
        page[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    cr_assert_neq(qn_checksum(page, sizeof page - 1), zeros);
}
