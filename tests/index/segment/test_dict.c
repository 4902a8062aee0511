/* The dictionary: what is added is found and walked; damage and forgery end in an error or another
 * answer, never outside the bytes. */
#include "index/segment/dict.h"

#include "index/segment/dict_layout.h"
#include "tests/support/reseal.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { N_DOCS = 100000, BOUNDS_DF = 300 };

typedef struct item {
    uint32_t len;
    char term[QN_TERM_MAX];
    qn_term_info info;
} item;

typedef struct sample {
    item *item;
    size_t n;
    bool positions;
    uint8_t *bytes;
    size_t len;
} sample;

static int order(const void *a, const void *b)
{
    const item *x = a, *y = b;
    int c = memcmp(x->term, y->term, x->len < y->len ? x->len : y->len);
    return c != 0 ? c : (x->len > y->len) - (x->len < y->len);
}

static uint64_t below(test_random *random, uint64_t limit)
{
    return test_next(random) % limit;
}

/* A term of one of several families: short words, deep shared prefixes, any bytes, the longest. */
static void make_term(item *it, test_random *random)
{
    unsigned family = (unsigned)below(random, 8);
    uint32_t len = 1 + (uint32_t)below(random, family == 0 ? 255 : 9);
    if (family == 1)
        len = 255 - (uint32_t)below(random, 2);
    for (uint32_t i = 0; i < len; i++)
        it->term[i] = family == 2   ? (char)below(random, 256)
                      : family == 3 ? (char)(below(random, 2) * 255)
                      : family < 2  ? (char)('a' + (i + 20 < len ? 0 : below(random, 2)))
                                    : (char)('a' + below(random, 5));
    if (family == 4) {
        memmove(it->term + 12, it->term, len);
        memcpy(it->term, "internationa", 12);
        len += 12;
    }
    it->len = len;
}

static void make_info(qn_term_info *info, bool positions, test_random *random)
{
    uint32_t magnitude = (uint32_t)below(random, 17);
    *info = (qn_term_info){0};
    if (below(random, 2) == 0) {
        info->df = 1;
        info->cf = below(random, 3) != 0 ? 1 : 1 + below(random, UINT64_C(1) << (2 * magnitude));
        info->doc = (uint32_t)below(random, N_DOCS);
        if (positions && info->cf <= QN_INLINE_TF_MAX) {
            info->n_inline = (uint32_t)info->cf;
            uint64_t position = 0;
            for (uint32_t i = 0; i < info->n_inline; i++) {
                position += below(random, UINT64_C(1) << (1 + magnitude + magnitude / 2));
                info->position[i] = (uint32_t)position;
            }
        } else if (positions) {
            info->positions_len = 1 + below(random, 1 << 20);
        }
        return;
    }
    info->df = 2 + (uint32_t)below(random, magnitude < 16 ? 1u << magnitude : N_DOCS - 1);
    info->cf = info->df + below(random, UINT64_C(1) << (2 * magnitude));
    info->postings_len = below(random, UINT64_C(1) << (2 * magnitude));
    info->positions_len = positions ? below(random, UINT64_C(1) << (2 * magnitude)) : 0;
}

/* Gives each item the offsets a reader must tell. */
static void place_items(sample *s)
{
    uint64_t postings = 0, positions = 0, bounds = 0;
    for (size_t i = 0; i < s->n; i++) {
        qn_term_info *info = &s->item[i].info;
        info->postings_off = postings;
        info->positions_off = positions;
        info->bounds_index = bounds;
        postings += info->postings_len;
        positions += info->positions_len;
        bounds += info->df >= BOUNDS_DF;
    }
}

static void write_sample(sample *s)
{
    char *path;
    int dirfd = test_dir_open(&path);
    qn_dict_writer *writer;
    quern_error error;
    cr_assert_eq(qn_dict_writer_new(&writer, dirfd, path, s->positions, BOUNDS_DF, &error), 0);
    for (size_t i = 0; i < s->n; i++) {
        const item *it = &s->item[i];
        cr_assert_eq(qn_dict_writer_add(writer, it->term, it->len, &it->info, &error), 0, "%s",
                     error.message);
    }
    qn_container_writer c;
    cr_assert_eq(qn_container_writer_open(&c, dirfd, "d", "d", QN_FILE_INDEX, &error), 0);
    cr_assert_eq(qn_dict_writer_finish(writer, &c, &error), 0);
    cr_assert_eq(qn_container_writer_finish(&c, &error), 0);
    qn_container_writer_close(&c);
    qn_dict_writer_free(writer);
    s->bytes = test_read_at(dirfd, "d", &s->len);
    test_dir_close(dirfd, path);
}

static sample make_sample(size_t n, bool positions, uint64_t seed)
{
    sample s = {.positions = positions, .item = calloc(n + 1, sizeof(item))};
    cr_assert(s.item != NULL);
    while (s.n < n) {
        while (s.n < n) {
            make_term(&s.item[s.n], &seed);
            make_info(&s.item[s.n].info, positions, &seed);
            s.n++;
        }
        qsort(s.item, s.n, sizeof(item), order);
        size_t kept = 0;
        for (size_t i = 0; i < s.n; i++) {
            if (kept == 0 || order(&s.item[kept - 1], &s.item[i]) != 0)
                s.item[kept++] = s.item[i];
        }
        s.n = kept;
    }
    place_items(&s);
    write_sample(&s);
    return s;
}

static void free_sample(sample *s)
{
    free(s->item);
    free(s->bytes);
}

/* Opens the container and the dictionary, with POSTINGS and POSITIONS as long as they would be. */
static quern_status open_dict(qn_container *c, qn_dict *dict, const sample *s, const uint8_t *bytes,
                              bool paranoid)
{
    quern_status status =
        qn_container_open_bytes(c, bytes, s->len, "d", QN_FILE_INDEX, paranoid, NULL);
    if (status != QUERN_OK)
        return status;
    uint64_t postings = 0, positions = 0;
    for (size_t i = 0; i < s->n; i++) {
        postings += s->item[i].info.postings_len;
        positions += s->item[i].info.positions_len;
    }
    c->section[QN_SECTION_POSTINGS].len = postings;
    c->section[QN_SECTION_POSITIONS].len = positions;
    status = qn_dict_open(dict, c, s->n, N_DOCS, s->positions, BOUNDS_DF, NULL);
    if (status != QUERN_OK)
        qn_container_close(c);
    return status;
}

static void check_info(const qn_term_info *got, const qn_term_info *want)
{
    cr_assert_eq(got->df, want->df);
    cr_assert_eq(got->cf, want->cf);
    cr_assert_eq(got->postings_off, want->postings_off);
    cr_assert_eq(got->postings_len, want->postings_len);
    cr_assert_eq(got->positions_off, want->positions_off);
    cr_assert_eq(got->positions_len, want->positions_len);
    cr_assert_eq(got->bounds_index, want->bounds_index);
    cr_assert_eq(got->doc, want->doc);
    cr_assert_eq(got->n_inline, want->n_inline);
    for (uint32_t i = 0; i < got->n_inline; i++)
        cr_assert_eq(got->position[i], want->position[i]);
}

/* Index of the first item >= the term. */
static size_t lower_bound(const sample *s, const item *key)
{
    size_t from = 0, to = s->n;
    while (from < to) {
        size_t middle = (from + to) / 2;
        if (order(&s->item[middle], key) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static void check_find(const qn_dict *dict, const sample *s, const item *key)
{
    size_t at = lower_bound(s, key);
    qn_term_info info;
    quern_status status = qn_dict_find(dict, key->term, key->len, &info, NULL);
    if (at < s->n && order(&s->item[at], key) == 0) {
        cr_assert_eq(status, QUERN_OK, "term %zu", at);
        check_info(&info, &s->item[at].info);
    } else {
        cr_assert_eq(status, QUERN_NOT_FOUND, "before %zu", at);
    }
}

static void check_walk(const qn_dict *dict, const sample *s, const char *from, size_t len,
                       size_t at, size_t steps)
{
    qn_dict_cursor cursor;
    cr_assert_eq(qn_dict_seek(&cursor, dict, from, len, NULL), QUERN_OK);
    for (; steps > 0; steps--, at++) {
        quern_error error;
        quern_status status = qn_dict_next(&cursor, &error);
        if (at >= s->n) {
            cr_assert_eq(status, QUERN_END);
            continue;
        }
        cr_assert_eq(status, QUERN_OK, "%zu: %s", at, error.message);
        cr_assert_eq(cursor.len, s->item[at].len);
        cr_assert_eq(memcmp(cursor.term, s->item[at].term, cursor.len), 0);
        cr_assert_eq(cursor.term[cursor.len], 0);
        check_info(&cursor.info, &s->item[at].info);
    }
}

static void check_sample(size_t n, bool positions, bool paranoid)
{
    sample s = make_sample(n, positions, n * 2 + positions);
    qn_container c;
    qn_dict dict;
    cr_assert_eq(open_dict(&c, &dict, &s, s.bytes, paranoid), QUERN_OK);
    check_walk(&dict, &s, NULL, 0, 0, s.n + 2);
    for (size_t i = 0; i < s.n; i++) {
        item *it = &s.item[i];
        check_find(&dict, &s, it);
        check_walk(&dict, &s, it->term, it->len, i, 3);
        /* Neighbours: cut, lengthened, one byte lower and higher. */
        item key = *it;
        if (key.len > 1) {
            key.len--;
            check_find(&dict, &s, &key);
            check_walk(&dict, &s, key.term, key.len, lower_bound(&s, &key), 2);
        }
        key = *it;
        if (key.len < QN_TERM_MAX) {
            key.term[key.len++] = 0;
            check_find(&dict, &s, &key);
            check_walk(&dict, &s, key.term, key.len, lower_bound(&s, &key), 2);
        }
        for (int step = -1; step <= 1; step += 2) {
            key = *it;
            key.term[key.len - 1] = (char)(key.term[key.len - 1] + step);
            check_find(&dict, &s, &key);
            check_walk(&dict, &s, key.term, key.len, lower_bound(&s, &key), 2);
        }
    }
    test_random random = 99;
    for (unsigned i = 0; i < 300; i++) {
        item key;
        make_term(&key, &random);
        check_find(&dict, &s, &key);
    }
    qn_term_info info;
    cr_assert_eq(qn_dict_find(&dict, "", 0, &info, NULL), QUERN_NOT_FOUND);
    char long_term[256] = {0};
    cr_assert_eq(qn_dict_find(&dict, long_term, 256, &info, NULL), QUERN_NOT_FOUND);
    qn_container_close(&c);
    free_sample(&s);
}

Test(dict, few_terms)
{
    static const size_t n[] = {0, 1, 2, 15, 16, 17, 31, 32, 33, 256, 257, 273};
    for (size_t i = 0; i < sizeof n / sizeof n[0]; i++) {
        check_sample(n[i], true, false);
        check_sample(n[i], false, true);
    }
}

Test(dict, five_thousand_terms)
{
    check_sample(5000, true, false);
}

Test(dict, five_thousand_terms_without_positions)
{
    check_sample(5000, false, true);
}

/* Blocks whose keys are all equal, which strings must tell apart; and keys that end in zeros. */
Test(dict, equal_keys)
{
    sample s = {.positions = true, .item = calloc(2000, sizeof(item))};
    test_random random = 5;
    for (; s.n < 1000; s.n++) {
        item *it = &s.item[s.n];
        it->len = 8 + 4;
        memcpy(it->term, "https://", 8);
        for (int b = 0; b < 4; b++)
            it->term[8 + b] = (char)(s.n >> (8 * (3 - b)));
        make_info(&it->info, true, &random);
    }
    for (size_t i = 0; i < 200; i++, s.n++) {
        item *it = &s.item[s.n];
        it->len = 2 + (uint32_t)i;
        memcpy(it->term, "z", 1); /* "z\0\0..." */
        make_info(&it->info, true, &random);
    }
    for (size_t i = 0; i < 200; i++, s.n++) {
        item *it = &s.item[s.n];
        it->len = 1 + (uint32_t)i;
        memset(it->term, 0, it->len);
        make_info(&it->info, true, &random);
    }
    qsort(s.item, s.n, sizeof(item), order);
    place_items(&s);
    write_sample(&s);
    qn_container c;
    qn_dict dict;
    cr_assert_eq(open_dict(&c, &dict, &s, s.bytes, false), QUERN_OK);
    check_walk(&dict, &s, NULL, 0, 0, s.n + 1);
    for (size_t i = 0; i < s.n; i++) {
        item key = s.item[i];
        check_find(&dict, &s, &key);
        key.term[key.len++] = 0;
        check_find(&dict, &s, &key);
        check_walk(&dict, &s, key.term, key.len, lower_bound(&s, &key), 2);
    }
    qn_container_close(&c);
    free_sample(&s);
}

/* The worked bytes of FORMAT.md. */
Test(dict, bytes_as_documented)
{
    static const uint8_t block[] = {0x04, 0x6d, 0x69, 0x6c, 0x6c, 0x00, 0x00, 0x00, 0x02, 0x00,
                                    0x05, 0x14, 0x65, 0x72, 0x07, 0x03, 0x01, 0x02, 0x09, 0x0c};
    static const uint8_t index[] = {0, 0, 0, 0, 0x6c, 0x6c, 0x69, 0x6d, 0, 0, 0, 0, 0};
    sample s = {.positions = true, .n = 2, .item = calloc(2, sizeof(item))};
    s.item[0] = (item){.len = 4,
                       .term = "mill",
                       .info = {.df = 1, .cf = 1, .doc = 7, .n_inline = 1, .position = {3}}};
    s.item[1] = (item){.len = 6,
                       .term = "miller",
                       .info = {.df = 3, .cf = 5, .postings_len = 9, .positions_len = 12}};
    write_sample(&s);
    size_t offset, len;
    cr_assert(test_section(s.bytes, s.len, QN_SECTION_DICT, &offset, &len));
    cr_assert_eq(len, sizeof block);
    cr_assert_eq(memcmp(s.bytes + offset, block, len), 0);
    cr_assert(test_section(s.bytes, s.len, QN_SECTION_DICT_INDEX, &offset, &len));
    cr_assert_eq(len, sizeof index);
    cr_assert_eq(memcmp(s.bytes + offset, index, len), 0);
    free_sample(&s);
}

Test(dict, writer_refuses_nonsense)
{
    char *path, big[300] = "a";
    int dirfd = test_dir_open(&path);
    qn_dict_writer *w;
    cr_assert_eq(qn_dict_writer_new(&w, dirfd, path, true, 100, NULL), QUERN_OK);
    qn_term_info good = {.df = 2, .cf = 2, .postings_len = 3, .positions_len = 4};
    qn_term_info one = {.df = 1, .cf = 2, .n_inline = 2, .position = {4, 4}};
    cr_assert_eq(qn_dict_writer_add(w, "", 0, &good, NULL), QUERN_E_ARGUMENT);
    cr_assert_eq(qn_dict_writer_add(w, big, 256, &good, NULL), QUERN_E_ARGUMENT);
    cr_assert_eq(qn_dict_writer_add(w, "b", 1, &good, NULL), QUERN_OK);
    cr_assert_eq(qn_dict_writer_add(w, "b", 1, &good, NULL), QUERN_E_ARGUMENT);
    cr_assert_eq(qn_dict_writer_add(w, "a", 1, &good, NULL), QUERN_E_ARGUMENT);
    cr_assert_eq(qn_dict_writer_add(w, "b\xff", 2, &one, NULL), QUERN_OK);
    cr_assert_eq(qn_dict_writer_add(w, "b\x7f", 2, &good, NULL), QUERN_E_ARGUMENT);
    qn_term_info bad = good;
    bad.df = 0;
    cr_assert_eq(qn_dict_writer_add(w, "c", 1, &bad, NULL), QUERN_E_ARGUMENT);
    bad = good;
    bad.cf = 1;
    cr_assert_eq(qn_dict_writer_add(w, "c", 1, &bad, NULL), QUERN_E_ARGUMENT);
    bad = one;
    bad.position[1] = 3;
    cr_assert_eq(qn_dict_writer_add(w, "c", 1, &bad, NULL), QUERN_E_ARGUMENT);
    bad = one;
    bad.n_inline = 1;
    cr_assert_eq(qn_dict_writer_add(w, "c", 1, &bad, NULL), QUERN_E_ARGUMENT);
    bad = one;
    bad.postings_len = 1;
    cr_assert_eq(qn_dict_writer_add(w, "c", 1, &bad, NULL), QUERN_E_ARGUMENT);
    qn_dict_writer_free(w);
    qn_dict_writer_free(NULL);
    test_dir_close(dirfd, path);
}

/* Whatever a forged dictionary answers lies within bounds. */
static void check_bounds(const qn_dict *dict, const qn_term_info *info)
{
    cr_assert(info->df >= 1 && info->df <= N_DOCS && info->cf >= info->df && info->doc < N_DOCS);
    cr_assert(qn_in_range(info->postings_off, info->postings_len, dict->postings_len));
    cr_assert(qn_in_range(info->positions_off, info->positions_len, dict->positions_len));
    cr_assert(info->n_inline <= QN_INLINE_TF_MAX);
    for (uint32_t i = 1; i < info->n_inline; i++)
        cr_assert(info->position[i] >= info->position[i - 1]);
}

/* Uses a dictionary that may be anything: true if nothing seemed wrong with it. */
static bool use(const sample *s, const uint8_t *bytes, bool paranoid)
{
    qn_container c;
    qn_dict dict;
    quern_error error;
    if (open_dict(&c, &dict, s, bytes, paranoid) != QUERN_OK)
        return false;
    bool good = true;
    for (size_t i = 0; i < s->n; i++) {
        qn_term_info info;
        quern_status status = qn_dict_find(&dict, s->item[i].term, s->item[i].len, &info, &error);
        if (status == QUERN_OK)
            check_bounds(&dict, &info);
        else
            cr_assert(status == QUERN_NOT_FOUND || status == QUERN_E_DAMAGED);
        good = good && status == QUERN_OK;
        qn_dict_cursor cursor;
        if (qn_dict_seek(&cursor, &dict, s->item[i].term, s->item[i].len, NULL) == QUERN_OK &&
            qn_dict_next(&cursor, NULL) == QUERN_OK)
            check_bounds(&dict, &cursor.info);
    }
    qn_dict_cursor cursor;
    quern_status status = qn_dict_seek(&cursor, &dict, NULL, 0, NULL);
    size_t n = 0;
    while (status == QUERN_OK && (status = qn_dict_next(&cursor, &error)) == QUERN_OK) {
        check_bounds(&dict, &cursor.info);
        cr_assert(n++ < s->n);
    }
    cr_assert(status == QUERN_END || status == QUERN_E_DAMAGED);
    if (status == QUERN_E_DAMAGED)
        cr_assert_not_null(strstr(error.message, "d: "));
    good = good && status == QUERN_END && n == s->n;
    qn_container_close(&c);
    return good;
}

static void change_bytes(bool positions, uint32_t section)
{
    sample s = make_sample(40, positions, 77);
    cr_assert(use(&s, s.bytes, true));
    size_t offset, len;
    cr_assert(test_section(s.bytes, s.len, section, &offset, &len));
    test_random random = 3;
    uint8_t *copy = test_copy(s.bytes, s.len);
    for (size_t at = offset; at < offset + len; at++) {
        for (unsigned way = 0; way < 4; way++) {
            uint8_t noise = (uint8_t)test_next(&random);
            copy[at] = (uint8_t)(way == 0   ? 0
                                 : way == 1 ? 0xFF
                                 : way == 2 ? s.bytes[at] ^ (1u << noise % 8)
                                            : noise);
            /* Unsealed, a paranoid reader notices; sealed, nobody needs to, but nobody crashes. */
            if (copy[at] != s.bytes[at])
                cr_assert(!use(&s, copy, true), "byte %zu", at);
            (void)use(&s, copy, false);
        }
        copy[at] = s.bytes[at];
    }
    free(copy);
    free_sample(&s);
}

Test(dict, changed_bytes_of_blocks)
{
    change_bytes(true, QN_SECTION_DICT);
}

Test(dict, changed_bytes_of_blocks_without_positions)
{
    change_bytes(false, QN_SECTION_DICT);
}

Test(dict, changed_bytes_of_the_index)
{
    change_bytes(true, QN_SECTION_DICT_INDEX);
}

Test(dict, random_bytes)
{
    sample s = make_sample(300, true, 78);
    test_random random = 4;
    size_t offset, len, index, index_len;
    cr_assert(test_section(s.bytes, s.len, QN_SECTION_DICT, &offset, &len));
    cr_assert(test_section(s.bytes, s.len, QN_SECTION_DICT_INDEX, &index, &index_len));
    for (unsigned round = 0; round < 60; round++) {
        uint8_t *copy = test_copy(s.bytes, s.len);
        for (unsigned i = 0; i < 1u << round % 10; i++) {
            copy[offset + test_next(&random) % len] = (uint8_t)test_next(&random);
            if (round % 2 != 0)
                copy[index + test_next(&random) % index_len] = (uint8_t)test_next(&random);
        }
        cr_assert(test_reseal(copy, s.len));
        (void)use(&s, copy, true);
        free(copy);
    }
    free_sample(&s);
}

/* Numbers of terms that the sections contradict. */
Test(dict, wrong_counts)
{
    sample s = make_sample(100, true, 79);
    qn_container c;
    qn_dict dict;
    cr_assert_eq(qn_container_open_bytes(&c, s.bytes, s.len, "d", QN_FILE_INDEX, false, NULL), 0);
    static const uint64_t wrong[] = {0, 1, 96, 113, 1u << 20, UINT64_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_assert_eq(qn_dict_open(&dict, &c, wrong[i], N_DOCS, true, BOUNDS_DF, NULL),
                     QUERN_E_DAMAGED);
    /* One too few or many within the last block is seen when it is walked. */
    c.section[QN_SECTION_POSTINGS].len = c.section[QN_SECTION_POSITIONS].len = UINT64_MAX / 2;
    for (uint64_t n = 99; n <= 101; n++) {
        cr_assert_eq(qn_dict_open(&dict, &c, n, N_DOCS, true, BOUNDS_DF, NULL), QUERN_OK);
        qn_dict_cursor cursor;
        cr_assert_eq(qn_dict_seek(&cursor, &dict, NULL, 0, NULL), QUERN_OK);
        quern_status status;
        while ((status = qn_dict_next(&cursor, NULL)) == QUERN_OK)
            continue;
        cr_assert_eq(status, n == 100 ? QUERN_END : QUERN_E_DAMAGED);
    }
    /* Sections that are not there. */
    c.section[QN_SECTION_DICT] = (qn_section){0};
    cr_assert_eq(qn_dict_open(&dict, &c, 0, N_DOCS, true, BOUNDS_DF, NULL), QUERN_E_DAMAGED);
    qn_container_close(&c);
    free_sample(&s);
}
