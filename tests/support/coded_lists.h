/* A segment of a few lists, as many of them coded as can be, written and opened: what tests of
 * coded lists share. */
#ifndef QN_TESTS_CODED_LISTS_H
#define QN_TESTS_CODED_LISTS_H

#include "index/segment/coded.h"
#include "tests/support/support.h"

enum { TEST_LISTS = 6 };

/* A list as it was written. */
typedef struct test_list {
    uint32_t df, tf_max;
    uint32_t *docs, *tfs;
} test_list;

typedef struct test_lists {
    uint32_t n_docs;
    uint8_t *lengths;
    test_list list[TEST_LISTS];
    uint8_t *bytes;
    size_t len;
    qn_segment segment;
} test_lists;

/* Writes lists over n_docs random documents; the lists are the same for the same n_docs. */
void test_lists_new(test_lists *f, uint32_t n_docs, uint32_t dense_df);
void test_lists_free(test_lists *f);

/* Opens list `number`, which must be sound. */
qn_postings test_lists_open(const test_lists *f, unsigned number);

#endif
