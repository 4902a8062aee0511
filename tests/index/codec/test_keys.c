/* Keys into postings: the portable kernel against what the words say, the others against it. */
#define _DEFAULT_SOURCE
#include "index/codec/keys.h"

#include "tests/index/codec/guard.h"

#include <stdlib.h>

enum { ROUNDS = 4000 };

static void check_tile(const uint64_t *key, uint32_t n, unsigned bits, uint32_t first_doc,
                       const qn_keys_tile *tile)
{
    const uint64_t mask = ((uint64_t)1 << bits) - 1;
    uint32_t at = 0, n_gaps = 0;
    for (uint32_t i = 0; i < tile->n; i++) {
        cr_assert_lt(at, n);
        uint64_t doc = key[at] >> bits;
        cr_assert_eq(tile->doc[i], (uint32_t)(first_doc + doc));
        cr_assert_eq(tile->start[i], at);
        cr_assert_eq(tile->first[i], key[at] & mask);
        uint32_t tf = 0;
        for (; at < n && key[at] >> bits == doc; at++, tf++) {
            cr_assert_eq(tile->position[at], key[at] & mask);
            if (tf > 0)
                cr_assert_eq(tile->gap[n_gaps++], key[at] - key[at - 1]);
        }
        cr_assert_eq(tile->tf[i], tf);
    }
    cr_assert_eq(at, n);
    cr_assert_eq(tile->start[tile->n], n);
}

/* Ascending keys below 2^width. */
static void fill(uint64_t *key, uint32_t n, unsigned bits, unsigned width, test_random *random)
{
    uint32_t often = 1 + test_below(random, 20); /* one in so many goes on to another document */
    uint64_t end = width < 64 ? (uint64_t)1 << width : 0, last = test_below(random, 1000);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t position = last & (((uint64_t)1 << bits) - 1);
        uint64_t next = last + test_below(random, 5);
        if (test_below(random, often) == 0)
            next = last - position + ((uint64_t)(1 + test_below(random, 9)) << bits) +
                   test_below(random, bits > 8 ? 200 : 1u << bits);
        last = end > 0 && (next >= end || next < last) ? last : next;
        key[i] = last;
    }
    if (n > 0 && test_below(random, 8) == 0)
        key[n - 1] = end - 1;
}

static void check_level(qn_cpu cpu)
{
    test_random random = 1 + (test_random)cpu;
    guarded memory = guard_new();
    qn_keys_split_fn kernel = qn_keys_split_for(cpu);
    qn_keys_tile tile, plain;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t key[QN_KEYS_TILE];
        bool wide = round % 4 == 3;
        unsigned bits = test_below(&random, 32), width = wide ? 33 + test_below(&random, 32) : 32;
        uint32_t n = round % 3 == 0 ? QN_KEYS_TILE : 1 + test_below(&random, QN_KEYS_TILE);
        uint32_t first_doc = test_below(&random, 1u << 30);
        fill(key, n, bits, width, &random);
        uint8_t *at = memory.end - n * (wide ? sizeof(uint64_t) : sizeof(uint32_t));
        qn_keys keys = {.n = n, .position_bits = bits, .first_doc = first_doc};
        if (wide) {
            memcpy(at, key, n * sizeof *key);
            keys.wide = (const uint64_t *)(void *)at;
        } else {
            uint32_t *narrow = (uint32_t *)(void *)at;
            for (uint32_t i = 0; i < n; i++)
                narrow[i] = (uint32_t)key[i];
            keys.narrow = narrow;
        }
        kernel(&keys, 0, n, &tile);
        check_tile(key, n, bits, first_doc, &tile);
        qn_keys_split(&keys, 0, n, &plain);
        cr_assert_eq(plain.n, tile.n);
        check_tile(key, n, bits, first_doc, &plain);
    }
    guard_free(memory);
}

Test(keys, every_level_says_what_is_there)
{
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= QN_CPU_AVX512; cpu++)
        if (level_here(cpu))
            check_level(cpu);
}

Test(keys, a_tile_is_taken_from_the_middle_of_a_list)
{
    const uint32_t key[] = {1, 2, 0x101, 0x102, 0x203};
    const qn_keys keys = {.narrow = key, .n = 5, .position_bits = 8, .first_doc = 7};
    qn_keys_tile tile;
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
        qn_keys_split_for(cpu)(&keys, 2, 2, &tile);
        cr_assert_eq(tile.n, 1);
        cr_assert_eq(tile.doc[0], 8);
        cr_assert_eq(tile.tf[0], 2);
        cr_assert_eq(tile.first[0], 1);
        cr_assert_eq(tile.gap[0], 1);
    }
}
