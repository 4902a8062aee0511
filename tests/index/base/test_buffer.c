/* Growing buffers and arrays. */
#include "index/base/buffer.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(buffer, append_push_and_grow)
{
    qn_buffer buffer = {0};
    uint8_t expected[5000];
    for (size_t i = 0; i < sizeof expected; i++) {
        expected[i] = (uint8_t)(i * 7);
        if (i % 3 == 0)
            cr_assert(qn_buffer_push(&buffer, expected[i]));
        else
            cr_assert(qn_buffer_append(&buffer, &expected[i], 1));
        cr_assert_leq(buffer.len, buffer.cap);
    }
    cr_assert_eq(buffer.len, sizeof expected);
    cr_assert_arr_eq(buffer.data, expected, sizeof expected);
    cr_assert(qn_buffer_append(&buffer, NULL, 0));
    qn_buffer_free(&buffer);
    cr_assert(buffer.data == NULL && buffer.len == 0 && buffer.cap == 0);
}

Test(buffer, reserve_makes_exactly_enough_room_for_large_pieces)
{
    qn_buffer buffer = {0};
    cr_assert(qn_buffer_reserve(&buffer, 100000));
    cr_assert_geq(buffer.cap, 100000);
    const uint8_t *data = buffer.data;
    for (size_t i = 0; i < 100000; i++)
        cr_assert(qn_buffer_push(&buffer, 1));
    cr_assert_eq(buffer.data, data, "reserved room is used in place");
    qn_buffer_free(&buffer);
}

Test(buffer, lengths_that_overflow_are_refused)
{
    qn_buffer buffer = {0};
    cr_assert(qn_buffer_append(&buffer, "abc", 3));
    size_t cap = buffer.cap;
    cr_assert_not(qn_buffer_reserve(&buffer, SIZE_MAX));
    cr_assert_not(qn_buffer_reserve(&buffer, SIZE_MAX - 2));
    cr_assert(buffer.len == 3 && buffer.cap == cap && memcmp(buffer.data, "abc", 3) == 0);
    qn_buffer_free(&buffer);
}

Test(array, grows_by_half_and_keeps_its_elements)
{
    void *array = NULL;
    size_t cap = 0, n_moves = 0;
    for (size_t n = 0; n < 10000; n++) {
        size_t before = cap;
        cr_assert(qn_array_grow(&array, &cap, n + 1, sizeof(uint64_t)));
        cr_assert_gt(cap, n);
        n_moves += cap != before;
        ((uint64_t *)array)[n] = n * n;
    }
    for (size_t n = 0; n < 10000; n++)
        cr_assert_eq(((uint64_t *)array)[n], n * n);
    cr_assert_lt(n_moves, 30);
    free(array);
}

Test(array, sizes_that_overflow_are_refused)
{
    void *array = NULL;
    size_t cap = 0;
    cr_assert_not(qn_array_grow(&array, &cap, SIZE_MAX / 8 + 1, 8));
    cr_assert_not(qn_array_grow(&array, &cap, SIZE_MAX, 2));
    cr_assert(array == NULL && cap == 0);
}
