/* The bump allocator: alignment, pieces that stay put, large pieces between small ones. */
#include "index/base/arena.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

Test(arena, pieces_are_aligned_and_do_not_overlap)
{
    enum { N = 3000 };
    static unsigned char *pieces[N];
    static size_t lens[N];
    qn_arena arena = {0};
    for (size_t i = 0; i < N; i++) {
        size_t align = (size_t)1 << (i % 5);
        lens[i] = i * 37 % 301;
        pieces[i] = qn_arena_alloc(&arena, lens[i], align);
        cr_assert_not_null(pieces[i]);
        cr_assert_eq((uintptr_t)pieces[i] % align, 0);
        memset(pieces[i], (int)(i % 251), lens[i]);
    }
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < lens[i]; j++)
            cr_assert_eq(pieces[i][j], i % 251);
    qn_arena_free(&arena);
    cr_assert(arena.chunk == NULL && arena.total == 0);
}

Test(arena, copies_bytes)
{
    qn_arena arena = {0};
    char *copy = qn_arena_copy(&arena, "quern", 5);
    cr_assert_arr_eq(copy, "quern", 5);
    cr_assert_not_null(qn_arena_copy(&arena, NULL, 0));
    qn_arena_free(&arena);
}

Test(arena, large_pieces_do_not_waste_the_chunk_in_use)
{
    qn_arena arena = {0};
    size_t asked = 0;
    for (unsigned i = 0; i < 100; i++) {
        unsigned char *large = qn_arena_alloc(&arena, 20000, 16);
        unsigned char *small = qn_arena_alloc(&arena, 16, 8);
        cr_assert(large != NULL && small != NULL);
        cr_assert_eq((uintptr_t)large % 16, 0);
        memset(large, 1, 20000);
        memset(small, 2, 16);
        asked += 20016;
    }
    cr_assert_lt(arena.total, asked + 200 * 1024, "%zu for %zu", arena.total, asked);
    qn_arena_free(&arena);
}

Test(arena, impossible_sizes_are_refused)
{
    qn_arena arena = {0};
    cr_assert_null(qn_arena_alloc(&arena, SIZE_MAX, 1));
    cr_assert_null(qn_arena_alloc(&arena, SIZE_MAX - 8, 16));
    char *piece = qn_arena_copy(&arena, "still works", 11);
    cr_assert_not_null(piece);
    cr_assert_null(qn_arena_alloc(&arena, SIZE_MAX, 16));
    cr_assert_arr_eq(piece, "still works", 11);
    qn_arena_free(&arena);
}
