/* Ids of a build: found again through growth, dropped, walked in order, and placed. */
#define _GNU_SOURCE
#include "index/build/registry.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static char *dir;
static int dirfd_;
static qn_registry registry;

static void setup(void)
{
    dir = test_dir_new();
    dirfd_ = open(dir, O_RDONLY | O_DIRECTORY);
    cr_assert_eq(qn_registry_init(&registry, dirfd_, dir, NULL), QUERN_OK);
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
        qn_registry_place(&registry, doc, place, sizeof place);
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
    qn_registry_place(&registry, 2, place, sizeof place);
    cr_assert_str_eq(place, "document 3");
}
