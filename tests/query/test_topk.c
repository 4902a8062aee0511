/* The k best against a sort of everything, in every order of arrival. */
#include "query/topk.h"

#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { DOCS = 6000 };

static int compare_hits(const void *a, const void *b)
{
    const quern_hit *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->doc < y->doc ? -1 : 1;
}

/* The number that a document is pushed with, where it is renamed, and back. */
static uint32_t other_name(uint32_t doc)
{
    return (doc * 4241 + 17) % DOCS;
}

static void rename_back(void *arg, uint32_t *doc, size_t n)
{
    for (size_t i = 0; i < n; i++)
        doc[i] = ((const uint32_t *)arg)[doc[i]];
}

/* Pushes hits[0..n), under other names or not, and compares the outcome with their sorted
 * beginning.
 */
static void check_named(qn_topk *topk, const quern_hit *pushed, size_t n, size_t k, bool renamed)
{
    static uint32_t name[DOCS];
    for (uint32_t doc = 0; doc < DOCS; doc++)
        name[other_name(doc)] = doc;
    qn_topk_start(topk, k, renamed ? rename_back : NULL, name);
    float before = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t doc = pushed[i].doc;
        qn_topk_push(topk, renamed ? other_name(doc) : doc, pushed[i].score);
        cr_assert_geq(topk->threshold, before);
        before = topk->threshold;
    }
    quern_hit *sorted = calloc(n + 1, sizeof *sorted);
    if (n > 0)
        memcpy(sorted, pushed, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare_hits);
    const quern_hit *hits;
    size_t n_hits;
    cr_assert_eq(qn_topk_finish(topk, &hits, &n_hits, NULL), QUERN_OK);
    cr_assert_eq(n_hits, n < k ? n : k);
    for (size_t i = 0; i < n_hits; i++) {
        cr_assert_eq(hits[i].doc, sorted[i].doc, "k %zu n %zu rank %zu", k, n, i);
        cr_assert_eq(memcmp(&hits[i].score, &sorted[i].score, sizeof(float)), 0);
    }
    if (k > 0 && n >= k)
        cr_assert_leq(before, sorted[k - 1].score);
    free(sorted);
}

static void check(qn_topk *topk, const quern_hit *pushed, size_t n, size_t k)
{
    check_named(topk, pushed, n, k, false);
    check_named(topk, pushed, n, k, true);
}

static const size_t ks[] = {1, 2, 3, 10, 63, 64, 65, 66, 100, 1000, 5999, 6000, 6001, 1000000};

static void shuffle(quern_hit *hits, size_t n, test_random *random)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = test_below(random, (uint32_t)i);
        quern_hit other = hits[i - 1];
        hits[i - 1] = hits[j];
        hits[j] = other;
    }
}

/* `kind`: how scores follow document numbers. */
static float score_of(unsigned kind, uint32_t doc, test_random *random)
{
    switch (kind) {
    case 0:
        return (float)test_below(random, 1000000) / 7.0f;
    case 1:
        return (float)test_below(random, 5); /* many ties, zeros among them */
    case 2:
        return (float)doc;
    case 3:
        return (float)(DOCS - doc);
    case 4:
        return 1.5f;
    default:
        return doc % 2 == 0 ? (float)doc : (float)(DOCS - doc); /* organ pipes */
    }
}

Test(topk, equals_sorting_everything)
{
    qn_topk topk = {0};
    test_random random = 7;
    quern_hit *hits = calloc(DOCS, sizeof *hits);
    for (unsigned kind = 0; kind < 6; kind++) {
        for (size_t i = 0; i < sizeof ks / sizeof *ks; i++) {
            for (uint32_t doc = 0; doc < DOCS; doc++)
                hits[doc] = (quern_hit){doc, score_of(kind, doc, &random)};
            check(&topk, hits, DOCS, ks[i]);
            shuffle(hits, DOCS, &random);
            check(&topk, hits, DOCS, ks[i]);
            check(&topk, hits, test_below(&random, 300), ks[i]);
        }
    }
    free(hits);
    qn_topk_free(&topk);
}

Test(topk, nothing_pushed_gives_nothing)
{
    qn_topk topk = {0};
    check(&topk, NULL, 0, 10);
    check(&topk, NULL, 0, 100);
    qn_topk_free(&topk);
}

Test(topk, smaller_number_wins_at_the_threshold)
{
    qn_topk topk = {0};
    qn_topk_start(&topk, 1, NULL, NULL);
    qn_topk_push(&topk, 9, 2.0f);
    cr_assert_eq(topk.threshold, 2.0f);
    qn_topk_push(&topk, 10, 2.0f);
    qn_topk_push(&topk, 8, 2.0f);
    const quern_hit *hits;
    size_t n;
    cr_assert_eq(qn_topk_finish(&topk, &hits, &n, NULL), QUERN_OK);
    cr_assert_eq(n, (size_t)1);
    cr_assert_eq(hits[0].doc, 8u);
    qn_topk_free(&topk);
}

Test(topk, large_k_allocates_what_arrives)
{
    qn_topk topk = {0};
    qn_topk_start(&topk, QN_TOPK_MAX, NULL, NULL);
    for (uint32_t doc = 0; doc < 100; doc++)
        qn_topk_push(&topk, doc, 1.0f);
    cr_assert_lt(topk.key_cap, (size_t)1000);
    qn_topk_free(&topk);
}
