/* Loads, stores and ranges. */
#include "index/base/bytes.h"

#include <criterion/criterion.h>

Test(bytes, loads_are_little_endian_at_any_alignment)
{
    uint8_t bytes[16] = {0xEE, 1, 2, 3, 4, 5, 6, 7, 8};
    cr_assert_eq(qn_load_u16(bytes + 1), 0x0201);
    cr_assert_eq(qn_load_u32(bytes + 1), 0x04030201);
    cr_assert_eq(qn_load_u64(bytes + 1), 0x0807060504030201);
}

Test(bytes, stores_are_what_loads_read)
{
    for (size_t at = 0; at < 8; at++) {
        uint8_t bytes[16] = {0};
        qn_store_u16(bytes + at, 0xA1B2);
        cr_assert(bytes[at] == 0xB2 && bytes[at + 1] == 0xA1 && bytes[at + 2] == 0);
        qn_store_u32(bytes + at, 0xA1B2C3D4);
        cr_assert_eq(qn_load_u32(bytes + at), 0xA1B2C3D4);
        qn_store_u64(bytes + at, UINT64_C(0x0123456789ABCDEF));
        cr_assert_eq(qn_load_u64(bytes + at), UINT64_C(0x0123456789ABCDEF));
        cr_assert_eq(bytes[at], 0xEF);
        qn_store_f32(bytes + at, -1.5f);
        cr_assert_eq(qn_load_u32(bytes + at), 0xBFC00000);
        cr_assert_eq(qn_load_f32(bytes + at), -1.5f);
    }
}

Test(bytes, ranges_do_not_overflow)
{
    cr_assert(qn_in_range(0, 0, 0));
    cr_assert(qn_in_range(10, 0, 10));
    cr_assert(qn_in_range(3, 7, 10));
    cr_assert_not(qn_in_range(3, 8, 10));
    cr_assert_not(qn_in_range(11, 0, 10));
    cr_assert_not(qn_in_range(UINT64_MAX, 1, 10));
    cr_assert_not(qn_in_range(5, UINT64_MAX, 10));
    cr_assert_not(qn_in_range(5, UINT64_MAX - 4, 10));
    cr_assert(qn_in_range(UINT64_MAX, 0, UINT64_MAX));
}
