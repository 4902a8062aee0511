/* Evaluators' surroundings: see eval.h. */
#include "tests/support/eval.h"

#include "index/segment/lengths.h"
#include "query/eval_exhaustive.h"

#include <criterion/criterion.h>

void test_eval_start(test_eval *t, const test_index *index, unsigned number,
                     const test_query *query, float k1, float b, qn_cpu cpu, test_random *random)
{
    const qn_segment *segment = &index->segment[number];
    *t = (test_eval){0};
    for (size_t i = 0; i < query->query.n_terms; i++) {
        qn_term_info info;
        quern_span text = query->term[i].text;
        if (qn_dict_find(&segment->dict, text.data, text.len, &info, NULL) != QUERN_OK)
            continue;
        cr_assert_eq(qn_postings_open(&t->postings[i], segment, &info, NULL), QUERN_OK);
        t->list[i] = &t->postings[i];
    }
    for (size_t c = 0; c < query->query.n_clauses; c++)
        t->weight[c] = (float)(1 + test_below(random, 1000)) / 100;
    for (unsigned f = 0; f < qn_fields_count(&segment->meta.fields); f++) {
        qn_length_norms(k1, b, segment->meta.counts[f].average * 1.25, t->norms[f]);
        t->deflation[f] = qn_postings_deflation(segment, f, t->norms[f]);
        t->inflation[f] = qn_postings_inflation(segment, f, t->norms[f]);
    }
    t->eval = (qn_eval){.query = &query->query,
                        .weight = t->weight,
                        .norms = t->norms,
                        .topk = &t->topk,
                        .kernels = qn_eval_kernels_for(cpu),
                        .scratch = &t->scratch,
                        .segment = segment,
                        .list = t->list,
                        .inflation = t->inflation};
}

void test_eval_free(test_eval *t)
{
    qn_eval_scratch_free(&t->scratch);
    qn_topk_free(&t->topk);
}

const quern_hit *test_eval_all(test_eval *t, size_t *n)
{
    const quern_hit *hits;
    qn_topk_start(&t->topk, QN_TOPK_MAX, NULL, NULL);
    cr_assert_eq(qn_eval_exhaustive(&t->eval, NULL), QUERN_OK);
    cr_assert_eq(qn_topk_finish(&t->topk, &hits, n, NULL), QUERN_OK);
    return hits;
}
