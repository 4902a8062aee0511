/* Sorting by runs: the order, also of equal keys, for any number of runs, and twice over. */
#include "index/base/sorter.h"

#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void check(size_t memory, uint32_t n, uint32_t keys, size_t runs_at_least)
{
    char *path;
    int dirfd = test_dir_open(&path);
    qn_sorter sorter;
    test_random random = n + keys;
    uint32_t *of = malloc((n + 1) * sizeof *of);
    bool *seen = calloc(n + 1, sizeof *seen);
    cr_assert_eq(qn_sorter_init(&sorter, memory, dirfd, path, NULL), QUERN_OK);
    for (uint32_t i = 0; i < n; i++) {
        of[i] = keys == 0 ? (uint32_t)test_next(&random) : test_below(&random, keys) << 7;
        cr_assert_eq(qn_sorter_add(&sorter, of[i], i, NULL), QUERN_OK);
    }
    for (unsigned pass = 0; pass < 2; pass++) {
        qn_sorter_pair before = {0, 0}, pair;
        uint32_t count = 0;
        quern_status status = qn_sorter_start(&sorter, NULL);
        cr_assert_eq(status, QUERN_OK);
        while ((status = qn_sorter_next(&sorter, &pair, NULL)) == QUERN_OK) {
            cr_assert_lt(pair.value, n);
            cr_assert_eq(pair.key, of[pair.value]);
            cr_assert_eq(seen[pair.value], pass == 1);
            seen[pair.value] = pass == 0;
            cr_assert(count == 0 || before.key < pair.key ||
                      (before.key == pair.key && before.value < pair.value));
            before = pair;
            count++;
        }
        cr_assert_eq(status, QUERN_END);
        cr_assert_eq(count, n);
    }
    cr_assert_geq(sorter.n_runs, runs_at_least);
    cr_assert_leq(qn_sorter_bytes(&sorter), memory + 80000);
    qn_sorter_free(&sorter);
    free(of);
    free(seen);
    test_dir_close(dirfd, path);
}

Test(sorter, one_run)
{
    check(1 << 20, 0, 0, 0);
    check(1 << 20, 1, 0, 0);
    check(1 << 20, 5000, 0, 0);
    check(1 << 20, 5000, 7, 0);
}

Test(sorter, many_runs)
{
    check(1 << 14, 1024, 0, 0);
    check(1 << 14, 1025, 0, 2);
    check(1 << 14, 50000, 0, 20);
    check(1 << 14, 50000, 3, 20);
    check(0, 30000, 1000, 100);
}
