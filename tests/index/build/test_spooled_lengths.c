/* Lengths that come in any order are read in order, as often as wanted. */
#include "index/build/spooled_lengths.h"

#include "tests/support/support.h"

#include <criterion/criterion.h>

/* Stretches of documents of random lengths, put in another order. */
Test(spooled_lengths, in_order)
{
    enum { STRETCHES = 60, FIELDS = 3 };
    char *path;
    int dirfd = test_dir_open(&path);
    qn_spooled_lengths lengths;
    test_random random = 5;
    uint32_t first[STRETCHES + 1] = {0}, order[STRETCHES], length;
    cr_assert_eq(qn_spooled_lengths_init(&lengths, FIELDS, dirfd, path, NULL), QUERN_OK);
    for (uint32_t i = 0; i < STRETCHES; i++) {
        first[i + 1] = first[i] + 1 + test_below(&random, 1u << test_below(&random, 13));
        uint32_t at = test_below(&random, i + 1);
        order[i] = order[at];
        order[at] = i;
    }
    for (uint32_t i = 0; i < STRETCHES; i++)
        for (uint32_t doc = first[order[i]]; doc < first[order[i] + 1]; doc++) {
            const uint32_t each[FIELDS] = {doc * 7 + 3, doc, 5};
            cr_assert_eq(qn_spooled_lengths_add(&lengths, doc, each, NULL), QUERN_OK);
        }
    for (unsigned pass = 0; pass < 2; pass++) {
        cr_assert_eq(qn_spooled_lengths_start(&lengths, NULL), QUERN_OK);
        for (uint32_t doc = 0; doc < first[STRETCHES]; doc++) {
            const uint32_t each[FIELDS] = {doc * 7 + 3, doc, 5};
            for (unsigned i = 0; i < FIELDS; i++) {
                cr_assert_eq(qn_spooled_lengths_next(&lengths, &length, NULL), QUERN_OK);
                cr_assert_eq(length, each[i], "document %u, field %u", doc, i);
            }
        }
        cr_assert_eq(qn_spooled_lengths_next(&lengths, &length, NULL), QUERN_END);
    }
    cr_assert_lt(qn_spooled_lengths_bytes(&lengths), 40000u);
    qn_spooled_lengths_free(&lengths);
    test_dir_close(dirfd, path);
}

Test(spooled_lengths, none)
{
    char *path;
    int dirfd = test_dir_open(&path);
    qn_spooled_lengths lengths;
    uint32_t length;
    cr_assert_eq(qn_spooled_lengths_init(&lengths, 1, dirfd, path, NULL), QUERN_OK);
    cr_assert_eq(qn_spooled_lengths_start(&lengths, NULL), QUERN_OK);
    cr_assert_eq(qn_spooled_lengths_next(&lengths, &length, NULL), QUERN_END);
    qn_spooled_lengths_free(&lengths);
    test_dir_close(dirfd, path);
}
