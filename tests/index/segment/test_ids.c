/* External ids: told by document, found by id; damage and forgery end in errors or other answers,
 * never outside the bytes. */
#include "index/segment/ids.h"

#include "tests/support/reseal.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct sample {
    char **id;
    size_t *id_len;
    uint32_t n;
    uint8_t *bytes;
    size_t len;
} sample;

/* Ids as corpora have them (a path and a paragraph number), some of any bytes, some of the longest.
 */
static void make_id(sample *s, uint32_t i, test_random *random)
{
    char *id = calloc(1, QN_ID_MAX + 1);
    cr_assert(id != NULL);
    size_t len;
    if (i % 50 == 49) {
        len = i % 100 == 99 ? QN_ID_MAX : 5;
        for (size_t j = 0; j < len; j++)
            id[j] = (char)test_next(random);
    } else {
        len = (size_t)snprintf(id, QN_ID_MAX, "news/2006%04u/some-long-title-%u#%u", i / 40, i / 8,
                               i % 8);
    }
    /* Whatever the random bytes are, ids are unique. */
    if (i % 50 == 49)
        memcpy(id, &i, sizeof i);
    s->id[i] = id;
    s->id_len[i] = len;
}

static sample make_sample(uint32_t n)
{
    sample s = {
        .id = calloc(n + 1, sizeof(char *)), .id_len = calloc(n + 1, sizeof(size_t)), .n = n};
    cr_assert(s.id != NULL && s.id_len != NULL);
    test_random random = n;
    char *path;
    int dirfd = test_dir_open(&path);
    qn_ids_writer *writer;
    cr_assert_eq(qn_ids_writer_new(&writer, dirfd, path, NULL), QUERN_OK);
    for (uint32_t i = 0; i < n; i++) {
        make_id(&s, i, &random);
        cr_assert_eq(qn_ids_writer_add(writer, s.id[i], s.id_len[i], NULL), QUERN_OK);
    }
    qn_container_writer c;
    cr_assert_eq(qn_container_writer_open(&c, dirfd, "i", "i", QN_FILE_INDEX, NULL), QUERN_OK);
    cr_assert_eq(qn_ids_writer_finish(writer, &c, NULL), QUERN_OK);
    cr_assert_eq(qn_container_writer_finish(&c, NULL), QUERN_OK);
    qn_container_writer_close(&c);
    qn_ids_writer_free(writer);
    s.bytes = test_read_at(dirfd, "i", &s.len);
    test_dir_close(dirfd, path);
    return s;
}

static void free_sample(sample *s)
{
    for (uint32_t i = 0; i < s->n; i++)
        free(s->id[i]);
    free(s->id);
    free(s->id_len);
    free(s->bytes);
}

static quern_status open_ids(qn_container *c, qn_ids *ids, const uint8_t *bytes, size_t len,
                             uint32_t n_docs, bool paranoid)
{
    quern_status status =
        qn_container_open_bytes(c, bytes, len, "i", QN_FILE_INDEX, paranoid, NULL);
    if (status != QUERN_OK)
        return status;
    status = qn_ids_open(ids, c, n_docs, NULL);
    if (status != QUERN_OK)
        qn_container_close(c);
    return status;
}

static void check_sample(uint32_t n, bool paranoid)
{
    sample s = make_sample(n);
    qn_container c;
    qn_ids ids;
    cr_assert_eq(open_ids(&c, &ids, s.bytes, s.len, n, paranoid), QUERN_OK);
    char *out = malloc(QN_ID_MAX); /* exactly the room that is promised */
    cr_assert(out != NULL);
    for (uint32_t i = 0; i < n; i++) {
        size_t len;
        uint32_t doc = 0;
        cr_assert_eq(qn_ids_get(&ids, i, out, &len, NULL), QUERN_OK);
        cr_assert_eq(len, s.id_len[i]);
        cr_assert_eq(memcmp(out, s.id[i], len), 0);
        cr_assert_eq(qn_ids_find(&ids, s.id[i], s.id_len[i], &doc, NULL), QUERN_OK);
        cr_assert_eq(doc, i);
        cr_assert_eq(qn_ids_find(&ids, s.id[i], s.id_len[i] - 1, &doc, NULL), QUERN_NOT_FOUND);
    }
    uint32_t doc;
    cr_assert_eq(qn_ids_find(&ids, "", 0, &doc, NULL), QUERN_NOT_FOUND);
    cr_assert_eq(qn_ids_find(&ids, "none", 4, &doc, NULL), QUERN_NOT_FOUND);
    char *big = calloc(1, QN_ID_MAX + 1);
    cr_assert_eq(qn_ids_find(&ids, big, QN_ID_MAX + 1, &doc, NULL), QUERN_NOT_FOUND);
    free(big);
    free(out);
    qn_container_close(&c);
    free_sample(&s);
}

Test(ids, round_trip)
{
    static const uint32_t n[] = {0, 1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 3000};
    for (size_t i = 0; i < sizeof n / sizeof n[0]; i++) {
        check_sample(n[i], false);
        check_sample(n[i], true);
    }
}

/* Writes some ids to the file "i". */
static void write_ids(int dirfd, const char *path, const quern_span *id, size_t n)
{
    qn_ids_writer *writer;
    qn_container_writer c;
    cr_assert_eq(qn_ids_writer_new(&writer, dirfd, path, NULL), QUERN_OK);
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(qn_ids_writer_add(writer, id[i].data, id[i].len, NULL), QUERN_OK);
    cr_assert_eq(qn_container_writer_open(&c, dirfd, "i", "i", QN_FILE_INDEX, NULL), QUERN_OK);
    cr_assert_eq(qn_ids_writer_finish(writer, &c, NULL), QUERN_OK);
    cr_assert_eq(qn_container_writer_finish(&c, NULL), QUERN_OK);
    qn_container_writer_close(&c);
    qn_ids_writer_free(writer);
}

/* Numbers that go on from one id to the next, and such as only seem to. */
Test(ids, counted_numbers)
{
    static const char *const text[] = {
        "9",   "10",  "11",  "09",  "a",    "a1",  "b2",   "b02", "b03",  "b04",  "99",
        "100", "98",  "0",   "1",   "x9",   "y0",  "x10",  "x19", "x110", "x20",  "z",
        "z0",  "z00", "z01", "999", "1000", "1/9", "1/10", "2/0", ":",    "c0\n", "c1"};
    enum { N = 1 + sizeof text / sizeof text[0] };
    quern_span id[N];
    char *path, nines[QN_ID_MAX], out[QN_ID_MAX];
    /* The longest id cannot be counted up: what follows it must not be taken for that. */
    memset(nines, '9', sizeof nines);
    id[0] = (quern_span){nines, sizeof nines};
    for (size_t i = 1; i < N; i++)
        id[i] = (quern_span){text[i - 1], strlen(text[i - 1])};
    int dirfd = test_dir_open(&path);
    write_ids(dirfd, path, id, N);
    qn_container c;
    qn_ids ids;
    cr_assert_eq(qn_container_open(&c, dirfd, "i", QN_FILE_INDEX, true, true, NULL), QUERN_OK);
    cr_assert_eq(qn_ids_open(&ids, &c, N, NULL), QUERN_OK);
    for (uint32_t i = 0; i < N; i++) {
        size_t len;
        uint32_t doc;
        cr_assert_eq(qn_ids_get(&ids, i, out, &len, NULL), QUERN_OK);
        cr_assert(len == id[i].len && memcmp(out, id[i].data, len) == 0, "%u", i);
        cr_assert_eq(qn_ids_find(&ids, id[i].data, len, &doc, NULL), QUERN_OK);
        cr_assert_eq(doc, i);
    }
    qn_container_close(&c);
    test_dir_close(dirfd, path);
}

/* The worked bytes of FORMAT.md. */
Test(ids, bytes_as_documented)
{
    static const uint8_t ids[] = {0x03, 'a', '#', '9', 0, 1, 1, 'b', 8, 0, 0, 0, 0};
    const quern_span id[3] = {QUERN_STR("a#9"), QUERN_STR("a#10"), QUERN_STR("b")};
    char *path;
    int dirfd = test_dir_open(&path);
    write_ids(dirfd, path, id, 3);
    size_t file_len, offset, len;
    uint8_t *bytes = test_read_at(dirfd, "i", &file_len);
    cr_assert(test_section(bytes, file_len, QN_SECTION_IDS, &offset, &len));
    cr_assert_eq(len, sizeof ids);
    cr_assert_eq(memcmp(bytes + offset, ids, len), 0);
    cr_assert(test_section(bytes, file_len, QN_SECTION_ID_LOOKUP, &offset, &len));
    cr_assert_eq(len, 4);
    cr_assert_eq(bytes[offset], 0x0c);
    for (unsigned doc = 0; doc < 3; doc++) /* one bucket, documents ascending */
        cr_assert_eq(bytes[offset + 1 + doc] >> 6, doc);
    free(bytes);
    test_dir_close(dirfd, path);
}

Test(ids, same_bytes_every_time)
{
    sample a = make_sample(500), b = make_sample(500);
    cr_assert_eq(a.len, b.len);
    cr_assert_eq(memcmp(a.bytes, b.bytes, a.len), 0);
    free_sample(&a);
    free_sample(&b);
}

Test(ids, writer_refuses_nonsense)
{
    char *path;
    int dirfd = test_dir_open(&path);
    qn_ids_writer *writer;
    cr_assert_eq(qn_ids_writer_new(&writer, dirfd, path, NULL), QUERN_OK);
    char *big = calloc(1, QN_ID_MAX + 1);
    cr_assert_eq(qn_ids_writer_add(writer, "", 0, NULL), QUERN_E_ARGUMENT);
    cr_assert_eq(qn_ids_writer_add(writer, big, QN_ID_MAX + 1, NULL), QUERN_E_ARGUMENT);
    cr_assert_eq(qn_ids_writer_add(writer, big, QN_ID_MAX, NULL), QUERN_OK);
    free(big);
    qn_ids_writer_free(writer);
    qn_ids_writer_free(NULL);
    test_dir_close(dirfd, path);
}

/* Uses ids that may be anything: true if they are all as they were. */
static bool use(const sample *s, const uint8_t *bytes, bool paranoid)
{
    qn_container c;
    qn_ids ids;
    if (open_ids(&c, &ids, bytes, s->len, s->n, paranoid) != QUERN_OK)
        return false;
    bool good = true;
    char *out = malloc(QN_ID_MAX);
    cr_assert(out != NULL);
    for (uint32_t i = 0; i < s->n; i++) {
        size_t len;
        uint32_t doc = 0;
        quern_status status = qn_ids_get(&ids, i, out, &len, NULL);
        cr_assert(status == QUERN_OK || status == QUERN_E_DAMAGED);
        cr_assert(status != QUERN_OK || (len >= 1 && len <= QN_ID_MAX));
        good = good && status == QUERN_OK && len == s->id_len[i] && memcmp(out, s->id[i], len) == 0;
        status = qn_ids_find(&ids, s->id[i], s->id_len[i], &doc, NULL);
        cr_assert(status == QUERN_OK || status == QUERN_NOT_FOUND || status == QUERN_E_DAMAGED);
        cr_assert(status != QUERN_OK || doc < s->n);
        good = good && status == QUERN_OK && doc == i;
    }
    free(out);
    qn_container_close(&c);
    return good;
}

static void change_bytes(uint32_t section)
{
    sample s = make_sample(48); /* without the longest, which have too many bytes to change */
    cr_assert(use(&s, s.bytes, true));
    size_t offset, len;
    cr_assert(test_section(s.bytes, s.len, section, &offset, &len));
    test_random random = 3;
    uint8_t *copy = test_copy(s.bytes, s.len);
    for (size_t at = offset; at < offset + len; at++) {
        const uint8_t noise[3] = {0, 0xFF, (uint8_t)test_next(&random)};
        for (unsigned way = 0; way < 3; way++) {
            copy[at] = noise[way];
            if (copy[at] != s.bytes[at])
                cr_assert(!use(&s, copy, true), "byte %zu", at);
            (void)use(&s, copy, false);
        }
        copy[at] = s.bytes[at];
    }
    free(copy);
    free_sample(&s);
}

Test(ids, changed_bytes_of_ids)
{
    change_bytes(QN_SECTION_IDS);
}

Test(ids, changed_bytes_of_the_lookup)
{
    change_bytes(QN_SECTION_ID_LOOKUP);
}

Test(ids, random_bytes)
{
    sample s = make_sample(200);
    test_random random = 4;
    static const uint32_t kind[2] = {QN_SECTION_IDS, QN_SECTION_ID_LOOKUP};
    for (unsigned round = 0; round < 60; round++) {
        uint8_t *copy = test_copy(s.bytes, s.len);
        size_t offset, len;
        cr_assert(test_section(s.bytes, s.len, kind[round % 2], &offset, &len));
        for (unsigned i = 0; i < 1u << round % 10; i++)
            copy[offset + test_next(&random) % len] = (uint8_t)test_next(&random);
        cr_assert(test_reseal(copy, s.len));
        (void)use(&s, copy, true);
        free(copy);
    }
    free_sample(&s);
}

Test(ids, wrong_counts)
{
    sample s = make_sample(100);
    qn_container c;
    qn_ids ids;
    static const uint32_t wrong[] = {0, 1, 64, 128, 1000, UINT32_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_assert_eq(open_ids(&c, &ids, s.bytes, s.len, wrong[i], false), QUERN_E_DAMAGED);
    free_sample(&s);
}
