/* Lists for tests: see coded_lists.h. */
#define _GNU_SOURCE
#include "tests/support/coded_lists.h"

#include "index/segment/lengths.h"
#include "index/segment/postings_writer.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* Which documents list `number` has: all; a third; some, with the first and the last; the first
 * ones and the last; the last ones; a few more than make a list long. */
static bool has(unsigned number, uint32_t doc, uint32_t n_docs, test_random *random)
{
    bool last = doc + 1 == n_docs;
    switch (number) {
    case 0:
        return true;
    case 1:
        return test_below(random, 3) == 0;
    case 2:
        return doc == 0 || last || test_below(random, 4) != 0;
    case 3:
        return doc < 200 || last;
    case 4:
        return doc + 333 >= n_docs;
    default:
        return doc % (n_docs / 131 + 1) == 0;
    }
}

/* The largest tf of the first lists take one, two and four bytes. */
static uint32_t draw_tf(unsigned number, test_random *random)
{
    static const uint32_t rare[] = {200, 300, 70000};
    if (test_below(random, 40) == 0)
        return number == 5 ? 1 : 1 + test_below(random, rare[number % 3]);
    return test_below(random, 3) == 0 ? 1 + test_below(random, 20) : 1;
}

static void make_list(test_lists *f, unsigned number, test_random *random)
{
    test_list *list = &f->list[number];
    *list = (test_list){.docs = calloc(f->n_docs, sizeof(uint32_t)),
                        .tfs = calloc(f->n_docs, sizeof(uint32_t))};
    for (uint32_t doc = 0; doc < f->n_docs; doc++) {
        if (!has(number, doc, f->n_docs, random))
            continue;
        uint32_t tf = draw_tf(number, random);
        if (list->df == 77 && number < 3)
            tf = (uint32_t[]){255, 65535, 65536}[number]; /* the last that fits, or the first not */
        list->tf_max = tf > list->tf_max ? tf : list->tf_max;
        list->docs[list->df] = doc;
        list->tfs[list->df++] = tf;
    }
}

static void write_lists(const test_lists *f, const qn_postings_params *params, int dirfd)
{
    quern_error error;
    qn_postings_writer *writer;
    qn_container_writer container;
    cr_assert_eq(qn_container_writer_open(&container, dirfd, "x.qx", "x.qx", QN_FILE_INDEX, &error),
                 QUERN_OK);
    cr_assert_eq(qn_postings_writer_new(&writer, &container, dirfd, "x", params, &error), QUERN_OK);
    for (unsigned t = 0; t < TEST_LISTS; t++) {
        char term[2] = {(char)('a' + (int)t), 0};
        qn_postings_writer_begin(writer, term, 1);
        for (uint32_t i = 0; i < f->list[t].df; i++)
            cr_assert_eq(
                qn_postings_writer_add(writer, f->list[t].docs[i], f->list[t].tfs[i], NULL, &error),
                QUERN_OK);
        cr_assert_eq(qn_postings_writer_end(writer, &error), QUERN_OK);
    }
    qn_postings_totals totals;
    cr_assert_eq(qn_postings_writer_finish(writer, &totals, &error), QUERN_OK);
    cr_assert_eq(qn_container_writer_finish(&container, &error), QUERN_OK);
    qn_container_writer_close(&container);
    qn_postings_writer_free(writer);
}

void test_lists_new(test_lists *f, uint32_t n_docs, uint32_t dense_df)
{
    *f = (test_lists){.n_docs = n_docs, .lengths = calloc(1, (size_t)n_docs + QN_PADDING)};
    test_random random = n_docs;
    for (uint32_t doc = 0; doc < n_docs; doc++)
        f->lengths[doc] = qn_length_encode(test_below(&random, 400));
    for (unsigned t = 0; t < TEST_LISTS; t++)
        make_list(f, t, &random);
    qn_postings_params params = {.n_docs = n_docs,
                                 .lengths = f->lengths,
                                 .k1 = 0.9f,
                                 .b = 0.4f,
                                 .counts = &(qn_field_counts){.average = 120},
                                 .coded_df = QN_BLOCK + 1,
                                 .dense_df = dense_df};
    char *path;
    int dirfd = test_dir_open(&path);
    write_lists(f, &params, dirfd);
    f->bytes = test_read_at(dirfd, "x.qx", &f->len);
    test_dir_close(dirfd, path);
    quern_error error;
    qn_segment *s = &f->segment;
    cr_assert_eq(
        qn_container_open_bytes(&s->index, f->bytes, f->len, "x.qx", QN_FILE_INDEX, false, &error),
        QUERN_OK);
    s->meta = (qn_segment_meta){.n_docs = n_docs,
                                .coded_df = QN_BLOCK + 1,
                                .dense_df = dense_df,
                                .k1 = 0.9f,
                                .b = 0.4f,
                                .counts = {{.average = 120}},
                                .n_terms = TEST_LISTS};
    s->n_windows = qn_segment_windows(n_docs);
    s->lengths[0] = f->lengths;
    s->postings = s->index.section[QN_SECTION_POSTINGS];
    s->bounds = s->index.section[QN_SECTION_BOUNDS];
    s->kernels = qn_block_kernels_for(qn_cpu_detect());
    cr_assert_eq(
        qn_dict_open(&s->dict, &s->index, TEST_LISTS, n_docs, false, s->meta.coded_df, &error),
        QUERN_OK);
}

void test_lists_free(test_lists *f)
{
    qn_container_close(&f->segment.index);
    for (unsigned t = 0; t < TEST_LISTS; t++) {
        free(f->list[t].docs);
        free(f->list[t].tfs);
    }
    free(f->lengths);
    free(f->bytes);
}

qn_postings test_lists_open(const test_lists *f, unsigned number)
{
    qn_term_info info;
    qn_postings list;
    quern_error error;
    char term = (char)('a' + (int)number);
    cr_assert_eq(qn_dict_find(&f->segment.dict, &term, 1, &info, &error), QUERN_OK);
    cr_assert_eq(info.df, f->list[number].df);
    cr_assert_eq(qn_postings_open(&list, &f->segment, &info, &error), QUERN_OK, "%s",
                 error.message);
    return list;
}
