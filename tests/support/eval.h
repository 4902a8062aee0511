/* One query over one segment of a test index as evaluators are given it, for tests of their parts.
 */
#ifndef QN_TESTS_EVAL_H
#define QN_TESTS_EVAL_H

#include "query/eval_context.h"
#include "query/window_list.h"
#include "tests/support/query_index.h"

typedef struct test_eval {
    qn_eval eval;
    qn_postings postings[256]; /* one a query term */
    const qn_postings *list[256];
    float weight[64], norms[QN_FIELDS_MAX][256];
    float inflation[QN_FIELDS_MAX], deflation[QN_FIELDS_MAX];
    qn_topk topk;
    qn_eval_scratch scratch;
} test_eval;

/* Opens the lists of a query in segment `number`; weights are random, k1 and b the given ones. */
void test_eval_start(test_eval *t, const test_index *index, unsigned number,
                     const test_query *query, float k1, float b, qn_cpu cpu, test_random *random);
void test_eval_free(test_eval *t);

/* All documents of the segment that match, best first, as the exhaustive evaluator scores them;
 * valid until the next call. */
const quern_hit *test_eval_all(test_eval *t, size_t *n);

#endif
