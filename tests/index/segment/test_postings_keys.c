/* Lists that are written as keys have the bytes of those that are written posting by posting. */
#define _GNU_SOURCE
#include "index/segment/postings_writer.h"

#include "index/segment/positions.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DOCS = 3000, BITS = 20, CODED_DF = 400, DENSE_DF = 2000 };

/* A list: keys, and where its pieces end, which may part a document. */
typedef struct test_list {
    uint64_t *wide;
    uint32_t *narrow;
    size_t n, cap;
    size_t end[3];
} test_list;

static void push(test_list *list, uint32_t doc, uint32_t position)
{
    cr_assert_lt(list->n, list->cap);
    list->wide[list->n] = (uint64_t)doc << BITS | position;
    list->narrow[list->n] = (uint32_t)list->wide[list->n];
    list->n++;
}

/* `often`: one document in so many has the term; `most`: words of it. */
static test_list make_list(uint32_t often, uint32_t most, uint32_t huge, test_random *random)
{
    test_list list = {.cap = (size_t)DOCS * most + huge + 1};
    list.wide = calloc(list.cap, sizeof *list.wide);
    list.narrow = calloc(list.cap, sizeof *list.narrow);
    cr_assert(list.wide != NULL && list.narrow != NULL);
    for (uint32_t doc = 0; doc < DOCS; doc++) {
        if (test_below(random, often) != 0)
            continue;
        uint32_t position = test_below(random, 300);
        uint32_t tf = 1 + (test_below(random, 3) == 0 ? test_below(random, most) : 0);
        if (huge > 0 && doc > DOCS / 2) {
            tf = huge;
            huge = 0;
        }
        for (uint32_t i = 0; i < tf; i++) {
            push(&list, doc, position);
            position += test_below(random, 4);
        }
    }
    list.end[0] = list.n / 3;
    list.end[1] = list.n / 2;
    list.end[2] = list.n;
    return list;
}

static void free_list(test_list *list)
{
    free(list->wide);
    free(list->narrow);
}

static void add_piece(qn_postings_writer *writer, const test_list *list, size_t from, size_t end)
{
    quern_error error;
    uint32_t *gaps = calloc(end - from + 1, sizeof *gaps);
    cr_assert(gaps != NULL);
    while (from < end) {
        uint32_t doc = (uint32_t)(list->wide[from] >> BITS), tf = 0;
        for (; from < end && list->wide[from] >> BITS == doc; from++, tf++)
            gaps[tf] = (uint32_t)(tf == 0 ? list->wide[from] & ((1u << BITS) - 1)
                                          : list->wide[from] - list->wide[from - 1]);
        cr_assert_eq(qn_postings_writer_add(writer, doc, tf, gaps, &error), QUERN_OK);
    }
    free(gaps);
}

typedef enum form { SINGLY, NARROW, WIDE } form;

static void write_list(qn_postings_writer *writer, const test_list *list, form as)
{
    quern_error error;
    for (size_t i = 0, from = 0; i < 3; from = list->end[i++]) {
        size_t end = list->end[i];
        if (as == SINGLY) {
            add_piece(writer, list, from, end);
            continue;
        }
        /* Each piece counts documents from another one. */
        uint32_t first = from < end ? (uint32_t)(list->wide[from] >> BITS) : 0;
        for (size_t j = from; j < end; j++) {
            list->wide[j] -= (uint64_t)first << BITS;
            list->narrow[j] = (uint32_t)list->wide[j];
        }
        const qn_keys keys = {.narrow = as == NARROW ? list->narrow + from : NULL,
                              .wide = as == WIDE ? list->wide + from : NULL,
                              .n = end - from,
                              .position_bits = BITS,
                              .first_doc = first};
        cr_assert_eq(qn_postings_writer_keys(writer, &keys, &error), QUERN_OK);
        for (size_t j = from; j < end; j++)
            list->wide[j] += (uint64_t)first << BITS;
    }
}

/* The bytes of a segment of the lists. */
static uint8_t *written(const char *dir, const test_list *lists, unsigned n, form as,
                        bool positions, size_t *len)
{
    quern_error error;
    int dirfd = open(dir, O_RDONLY | O_DIRECTORY);
    uint8_t *lengths = calloc(DOCS, 1);
    cr_assert(dirfd >= 0 && lengths != NULL);
    for (size_t i = 0; i < DOCS; i++)
        lengths[i] = (uint8_t)(i % 200);
    qn_postings_params params = {.n_docs = DOCS,
                                 .lengths = lengths,
                                 .k1 = 0.9f,
                                 .b = 0.4f,
                                 .counts = &(qn_field_counts){.average = 120},
                                 .coded_df = CODED_DF,
                                 .dense_df = DENSE_DF,
                                 .positions = positions};
    qn_container_writer container;
    qn_postings_writer *writer;
    qn_postings_totals totals;
    cr_assert_eq(qn_container_writer_open(&container, dirfd, "x", "x", QN_FILE_INDEX, &error), 0);
    cr_assert_eq(qn_postings_writer_new(&writer, &container, dirfd, dir, &params, &error), 0);
    for (unsigned i = 0; i < n; i++) {
        char term[2] = {(char)('a' + i), 0};
        qn_postings_writer_begin(writer, term, 1);
        write_list(writer, &lists[i], as);
        cr_assert_eq(qn_postings_writer_end(writer, &error), QUERN_OK);
    }
    cr_assert_eq(qn_postings_writer_finish(writer, &totals, &error), QUERN_OK);
    cr_assert_eq(qn_container_writer_finish(&container, &error), QUERN_OK);
    *len = (size_t)container.file.offset;
    uint8_t *bytes = malloc(*len);
    cr_assert(bytes != NULL);
    cr_assert_eq(qn_pread_all(container.file.fd, bytes, *len, 0, "x", &error), QUERN_OK);
    qn_container_writer_close(&container);
    qn_postings_writer_free(writer);
    cr_assert_eq(unlinkat(dirfd, "x", 0), 0);
    (void)close(dirfd);
    free(lengths);
    return bytes;
}

Test(postings_keys, the_bytes_are_those_of_single_postings)
{
    test_random random = 1;
    /* Long, short and single ones; postings of more than a tile; rows that come to be mixed. */
    test_list lists[] = {make_list(1, 3, 0, &random),
                         make_list(2, 40, 0, &random),
                         make_list(7, 2, 0, &random),
                         make_list(40, 5, 0, &random),
                         make_list(2000, 3, 0, &random),
                         make_list(3, 4, QN_KEYS_TILE + 9, &random),
                         make_list(9, 1, 5000, &random),
                         make_list(2, 2, QN_POSITIONS_ROW - 150, &random),
                         make_list(2, 2, QN_POSITIONS_ROW + 9, &random)};
    const unsigned n = sizeof lists / sizeof *lists;
    char *dir = test_dir_new();
    for (unsigned positions = 0; positions < 2; positions++) {
        size_t singly_len, len;
        uint8_t *singly = written(dir, lists, n, SINGLY, positions, &singly_len);
        for (form as = NARROW; as <= WIDE; as++) {
            uint8_t *bytes = written(dir, lists, n, as, positions, &len);
            cr_assert_eq(len, singly_len);
            cr_assert_eq(memcmp(bytes, singly, len), 0, "%d %u", (int)as, positions);
            free(bytes);
        }
        free(singly);
    }
    test_dir_free(dir);
    for (unsigned i = 0; i < n; i++)
        free_list(&lists[i]);
}
