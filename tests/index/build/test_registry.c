/* Ids of a build: found again through growth, dropped, walked in order, and placed. */
#define _GNU_SOURCE
#include "index/build/registry.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char *dir;
static int dirfd_;
static qn_registry registry;

static void setup(void)
{
    dir = test_dir_new();
    dirfd_ = open(dir, O_RDONLY | O_DIRECTORY);
    cr_assert_eq(qn_registry_init(&registry, 1 << 20, dirfd_, dir, NULL), QUERN_OK);
}

static void teardown(void)
{
    qn_registry_free(&registry);
    (void)close(dirfd_);
    test_dir_free(dir);
}

static size_t id_of(unsigned i, char *id, size_t len)
{
    return (size_t)snprintf(id, len, "%s/%u#%u", i % 2 == 0 ? "some/long/path" : "x", i / 3, i);
}

/* A table of 4,096 slots, so that windows of some 3,000 documents follow one another; ids of 0, 1,
 * ... come once, every 50th of the first 10,000 again at the end. */
static void fill_windows(void)
{
    enum { N = 20000, AGAIN = 200 };
    char id[64];
    qn_registry_free(&registry);
    cr_assert_eq(qn_registry_init(&registry, 0, dirfd_, dir, NULL), QUERN_OK);
    for (unsigned i = 0; i < N + AGAIN; i++) {
        size_t len = id_of(i < N ? i : (i - N) * 50, id, sizeof id);
        qn_place place = {"a.jsonl", i + 1};
        uint32_t doc;
        cr_assert_eq(qn_registry_find(&registry, id, len, &doc, NULL), QUERN_NOT_FOUND);
        cr_assert_eq(qn_registry_add(&registry, id, len, &place, NULL), QUERN_OK);
    }
    cr_assert_gt(registry.window_first, 10000u);
    /* What no window's table knows is found by reading. */
    uint32_t doc;
    size_t len = id_of(777, id, sizeof id);
    cr_assert_eq(qn_registry_find_any(&registry, id, len, &doc, NULL), QUERN_OK);
    cr_assert_eq(doc, 777u);
    cr_assert_eq(qn_registry_drop(&registry, 777, NULL), QUERN_OK);
    cr_assert_eq(qn_registry_find_any(&registry, id, len, &doc, NULL), QUERN_NOT_FOUND);
    cr_assert_eq(qn_registry_find_any(&registry, "no", 2, &doc, NULL), QUERN_NOT_FOUND);
}

Test(registry, settles_equal_ids_of_windows, .init = setup, .fini = teardown)
{
    quern_error error;
    uint64_t n = 0;
    fill_windows();
    cr_assert_eq(qn_registry_settle(&registry, QUERN_DUPLICATE_ERROR, &n, &error),
                 QUERN_E_DUPLICATE);
    cr_assert_not_null(strstr(error.message, "a.jsonl:"), "%s", error.message);
    cr_assert_not_null(strstr(error.message, "was given before, at a.jsonl:"), "%s", error.message);
    for (int keep_last = 0; keep_last < 2; keep_last++) {
        fill_windows();
        n = 0;
        cr_assert_eq(qn_registry_settle(&registry,
                                        keep_last ? QUERN_DUPLICATE_REPLACE : QUERN_DUPLICATE_SKIP,
                                        &n, &error),
                     QUERN_OK, "%s", error.message);
        cr_assert_eq(n, 200u);
        cr_assert_eq(registry.n_dropped, 201u);
        for (unsigned i = 0; i < 20200; i++) {
            bool twice = i >= 20000 || (i < 10000 && i % 50 == 0);
            cr_assert_eq(qn_registry_is_dropped(&registry, i),
                         i == 777 || (twice && (i >= 20000) != (keep_last == 1)), "document %u", i);
        }
    }
    cr_assert_lt(qn_registry_bytes(&registry), (size_t)1 << 20);
}

Test(registry, finds_every_id_through_growth, .init = setup, .fini = teardown)
{
    enum { N = 30000 };
    char id[64];
    for (unsigned i = 0; i < N; i++) {
        size_t len = id_of(i, id, sizeof id);
        uint32_t doc;
        cr_assert_eq(qn_registry_find(&registry, id, len, &doc, NULL), QUERN_NOT_FOUND);
        qn_place place = {i < N / 2 ? "a.jsonl" : "b.jsonl", i + 1};
        cr_assert_eq(qn_registry_add(&registry, id, len, &place, NULL), QUERN_OK);
    }
    for (unsigned i = 0; i < N; i += 7) {
        size_t len = id_of(i, id, sizeof id);
        uint32_t doc;
        char place[64], expected[64];
        cr_assert_eq(qn_registry_find(&registry, id, len, &doc, NULL), QUERN_OK);
        cr_assert_eq(doc, i);
        cr_assert_eq(qn_registry_place(&registry, doc, place, sizeof place, NULL), QUERN_OK);
        (void)snprintf(expected, sizeof expected, "%c.jsonl:%u", i < N / 2 ? 'a' : 'b', i + 1);
        cr_assert_str_eq(place, expected);
    }
    qn_registry_cursor cursor = {0};
    quern_span span;
    for (unsigned i = 0; i < N; i++) {
        size_t len = id_of(i, id, sizeof id);
        cr_assert_eq(qn_registry_next(&registry, &cursor, &span, NULL), QUERN_OK);
        cr_assert(span.len == len && memcmp(span.data, id, len) == 0, "id %u", i);
    }
    cr_assert_eq(qn_registry_next(&registry, &cursor, &span, NULL), QUERN_END);
    qn_buffer_free(&cursor.chunk);
}

Test(registry, a_dropped_id_can_come_again, .init = setup, .fini = teardown)
{
    uint32_t doc;
    cr_assert_eq(qn_registry_add(&registry, "a", 1, NULL, NULL), QUERN_OK);
    cr_assert_eq(qn_registry_add(&registry, "b", 1, NULL, NULL), QUERN_OK);
    cr_assert_eq(qn_registry_drop(&registry, 0, NULL), QUERN_OK);
    cr_assert_eq(qn_registry_find(&registry, "a", 1, &doc, NULL), QUERN_NOT_FOUND);
    cr_assert_eq(qn_registry_add(&registry, "a", 1, NULL, NULL), QUERN_OK);
    cr_assert_eq(qn_registry_find(&registry, "a", 1, &doc, NULL), QUERN_OK);
    cr_assert_eq(doc, 2u);
    cr_assert(qn_registry_is_dropped(&registry, 0) && !qn_registry_is_dropped(&registry, 1));
    char place[32];
    cr_assert_eq(qn_registry_place(&registry, 2, place, sizeof place, NULL), QUERN_OK);
    cr_assert_str_eq(place, "document 3");
}
