/* Levels of range maxima: nothing is rounded down, and no other levels would add less. */
#include "index/segment/levels.h"

#include "tests/support/random.h"

#include <criterion/criterion.h>
#include <string.h>

static uint64_t added_by(const uint32_t count[256], const uint8_t level[QN_LEVELS])
{
    uint8_t number[256];
    uint64_t added = 0;
    qn_levels_number(level, number);
    for (unsigned v = 0; v < 256; v++) {
        cr_assert_lt(number[v], QN_LEVELS);
        cr_assert_geq(level[number[v]], v);
        cr_assert(number[v] == 0 ? v == 0 : number[v] == 1 || level[number[v] - 1] < v);
        added += (uint64_t)count[v] * (level[number[v]] - v);
    }
    return added;
}

/* The least that any levels add, the plain way: all values up to v in k levels. */
static uint64_t least_added(const uint32_t count[256])
{
    static uint64_t least[QN_LEVELS][256];
    for (unsigned v = 0; v < 256; v++)
        least[0][v] = v == 0 ? 0 : UINT64_MAX / 2;
    for (unsigned k = 1; k < QN_LEVELS; k++) {
        for (unsigned v = 0; v < 256; v++) {
            least[k][v] = least[k - 1][v];
            uint64_t added = 0;
            for (unsigned u = v; u-- > 0;) {
                added += u + 1 == v ? 0 : (uint64_t)count[u + 1] * (v - u - 1);
                uint64_t here = least[k - 1][u] + added;
                least[k][v] = here < least[k][v] ? here : least[k][v];
            }
        }
    }
    return least[QN_LEVELS - 1][255];
}

static void check(const uint32_t count[256])
{
    uint8_t level[QN_LEVELS];
    qn_levels_choose(count, level);
    cr_assert(qn_levels_sound(level));
    cr_assert_eq(level[QN_LEVELS - 1], 255);
    cr_assert_eq(added_by(count, level), least_added(count));
}

Test(levels, add_the_least)
{
    test_random random = 1;
    for (unsigned round = 0; round < 200; round++) {
        uint32_t count[256] = {0};
        unsigned n = 1 + test_below(&random, round % 2 == 0 ? 20 : 256);
        for (unsigned i = 0; i < n; i++)
            count[test_below(&random, 256)] +=
                1u + test_below(&random, 1u << test_below(&random, 20));
        count[255] += round % 3;
        check(count);
    }
}

Test(levels, of_few_values)
{
    uint32_t count[256] = {0};
    check(count);
    count[255] = 1;
    check(count);
    count[1] = 7;
    check(count);
    memset(count, 0, sizeof count);
    for (unsigned v = 0; v < 15; v++) /* as many as there are levels: each its own */
        count[255 - 13 * v] = 1 + v;
    uint8_t level[QN_LEVELS];
    qn_levels_choose(count, level);
    cr_assert_eq(added_by(count, level), 0u);
    check(count);
}

Test(levels, unsound_ones)
{
    uint8_t level[QN_LEVELS], good[QN_LEVELS];
    const uint32_t count[256] = {[10] = 3, [100] = 9, [255] = 1};
    qn_levels_choose(count, good);
    cr_assert(qn_levels_sound(good));
    for (unsigned i = 0; i < QN_LEVELS; i++) {
        memcpy(level, good, sizeof level);
        level[i] = i == 0 ? 1 : 0;
        cr_assert_not(qn_levels_sound(level), "level %u", i);
    }
}
