/* Coded lists written and read back in both forms. What becomes of forged ones is tested in
 * test_coded_forged.c. */
#include "index/segment/coded.h"

#include "tests/support/coded_lists.h"

#include <criterion/criterion.h>

static void check_blocks(const qn_postings *list, const test_list *written)
{
    for (uint32_t block = 0, at = 0; block < list->n_blocks; block++) {
        uint32_t docs[QN_BLOCK_ROOM], tfs[QN_BLOCK_ROOM];
        const uint8_t *tf_at;
        quern_error error;
        cr_assert_eq(qn_postings_docs(list, block, docs, &tf_at, &error), QUERN_OK, "%s",
                     error.message);
        cr_assert_eq(qn_postings_tfs(list, block, tf_at, tfs, &error), QUERN_OK, "%s",
                     error.message);
        for (uint32_t i = 0; i < qn_postings_block_n(list, block); i++, at++)
            cr_assert(docs[i] == written->docs[at] && tfs[i] == written->tfs[at]);
    }
}

static void check_codes(const test_lists *f, const qn_postings *list, const test_list *written)
{
    uint32_t n_open = 0;
    for (uint32_t i = 0; i < written->df; i++) {
        const qn_code_class *class = &list->class[qn_coded_code(list, i)];
        cr_assert(class->tf >= written->tfs[i] || class->tf == QN_CODES_ANY);
        cr_assert_leq(class->least_length, f->lengths[written->docs[i]]);
        cr_assert_eq(qn_coded_tf(list, i), written->tfs[i]);
        cr_assert_eq(qn_coded_exception(list, i), class->exact ? 0 : written->tfs[i]);
        n_open += !class->exact;
    }
    cr_assert_eq(list->n_exceptions, n_open);
    cr_assert_eq(list->tf_width, written->tf_max <= 255 ? 1u : written->tf_max <= 65535 ? 2u : 4u);
}

/* Where each document stands: rank, and the block that has it or what follows it. */
static void check_places(const test_lists *f, const qn_postings *list, const test_list *written)
{
    uint32_t rank = 0;
    for (uint32_t doc = 0; doc < f->n_docs; doc++) {
        if (list->dense)
            cr_assert_eq(qn_dense_rank(list, doc), rank);
        uint32_t block = rank < written->df ? rank / QN_BLOCK : list->n_blocks;
        cr_assert_eq(qn_postings_find_block(list, 0, doc), block);
        rank += rank < written->df && written->docs[rank] == doc;
    }
    cr_assert_eq(rank, written->df);
    cr_assert_eq(qn_postings_find_block(list, 0, f->n_docs), list->n_blocks);
}

/* Groups hold the postings of 256 documents each, one after the other. */
static void check_groups(const test_lists *f, const qn_postings *list, const test_list *written)
{
    uint32_t next = 0;
    for (uint32_t group = 0; group < f->segment.n_windows * QN_GROUPS; group++) {
        uint32_t from, to;
        qn_coded_group(list, group, &from, &to);
        cr_assert(from == to || from == next);
        for (; from < to; from++, next++) {
            cr_assert_eq(written->docs[next] / QN_GROUP, group);
            cr_assert_eq(written->docs[next] % QN_GROUP, list->low[from]);
        }
        cr_assert(next == written->df || written->docs[next] / QN_GROUP > group);
    }
    cr_assert_eq(next, written->df);
}

static void check_all(uint32_t n_docs, uint32_t dense_df)
{
    test_lists f;
    test_lists_new(&f, n_docs, dense_df);
    for (unsigned t = 0; t < TEST_LISTS; t++) {
        const test_list *written = &f.list[t];
        qn_postings list = test_lists_open(&f, t);
        cr_assert_eq(list.coded, written->df > QN_BLOCK);
        cr_assert_eq(list.dense, list.coded && written->df >= dense_df);
        check_blocks(&list, written);
        if (!list.coded)
            continue;
        check_codes(&f, &list, written);
        check_places(&f, &list, written);
        if (!list.dense)
            check_groups(&f, &list, written);
    }
    test_lists_free(&f);
}

/* Documents that fill words, groups of 256, lines of 512 and windows, and one more or less. */
static const uint32_t sizes[] = {400,  511,  512,  513,  1000, 1279, 1280,
                                 1281, 4095, 4096, 4097, 8192, 12345};

Test(coded, bitmaps_are_read_back)
{
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check_all(sizes[i], QN_BLOCK + 1);
}

Test(coded, groups_are_read_back)
{
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check_all(sizes[i], UINT32_MAX);
}

Test(coded, both_forms_stand_in_one_segment)
{
    check_all(3000, 1000);
}
