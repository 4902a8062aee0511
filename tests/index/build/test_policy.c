/* Which segments are joined: few are left, and no document is copied often. */
#include "index/build/policy.h"

#include "tests/support/random.h"

#include <criterion/criterion.h>
#include <string.h>

enum { ROOM = 200 };

typedef struct state {
    qn_manifest_segment segment[ROOM];
    qn_manifest manifest;
    uint64_t documents, copied;
    size_t most;
} state;

static void start(state *s)
{
    memset(s, 0, sizeof *s);
    s->manifest.segment = s->segment;
}

/* Joins until nothing more is to be joined. */
static void settle(state *s)
{
    size_t first, n;
    for (unsigned joins = 0; qn_policy_next(&s->manifest, &first, &n); joins++) {
        cr_assert_lt(joins, 100u);
        cr_assert(n >= 1 && first + n <= s->manifest.n_segments);
        qn_manifest_segment joined = {0};
        for (size_t i = first; i < first + n; i++)
            joined.documents += s->segment[i].documents - s->segment[i].deleted;
        s->copied += joined.documents;
        s->segment[first] = joined;
        memmove(s->segment + first + 1, s->segment + first + n,
                (s->manifest.n_segments - first - n) * sizeof *s->segment);
        s->manifest.n_segments -= n - 1;
    }
}

static void append(state *s, uint64_t documents)
{
    cr_assert_lt(s->manifest.n_segments, (size_t)ROOM);
    s->segment[s->manifest.n_segments++] = (qn_manifest_segment){.documents = documents};
    s->documents += documents;
    settle(s);
    s->most = s->manifest.n_segments > s->most ? s->manifest.n_segments : s->most;
}

Test(policy, many_equal_appends)
{
    state s;
    start(&s);
    for (unsigned i = 0; i < 200; i++)
        append(&s, 1000);
    cr_assert_leq(s.most, 21u, "%zu segments", s.most);
    cr_assert_leq(s.copied, 4 * s.documents, "%llu copied", (unsigned long long)s.copied);
}

/* Ten million documents one hundred at a time: three tiers and more. */
Test(policy, a_large_index_of_small_appends)
{
    state s;
    start(&s);
    for (unsigned i = 0; i < 100000; i++)
        append(&s, 100);
    cr_assert_leq(s.most, 35u, "%zu segments", s.most);
    cr_assert_leq(s.copied, 7 * s.documents, "%g copies a document",
                  (double)s.copied / (double)s.documents);
}

Test(policy, one_document_at_a_time)
{
    state s;
    start(&s);
    for (unsigned i = 0; i < 20000; i++)
        append(&s, 1);
    cr_assert_leq(s.most, 21u, "%zu segments", s.most);
    /* Within the lowest tier up to 1,024 documents are copied for seven new ones. */
    cr_assert_leq(s.copied, 90 * s.documents, "%g copies a document",
                  (double)s.copied / (double)s.documents);
}

Test(policy, random_sizes)
{
    test_random random = 4;
    for (unsigned round = 0; round < 50; round++) {
        state s;
        start(&s);
        for (unsigned i = 0; i < 500; i++)
            append(&s, 1 + test_below(&random, 1u << test_below(&random, 20)));
        cr_assert_leq(s.most, 42u, "%zu segments", s.most);
    }
}

/* A large index is not copied for a few new documents. */
Test(policy, what_is_large_stays)
{
    state s;
    start(&s);
    append(&s, 1000000);
    for (unsigned i = 0; i < 100; i++)
        append(&s, 500);
    cr_assert_eq(s.segment[0].documents, 1000000u);
}

Test(policy, deleted_documents_do_not_pile_up)
{
    state s;
    size_t first, n;
    start(&s);
    append(&s, 100000);
    append(&s, 50);
    s.segment[0].deleted = 50000;
    cr_assert(!qn_policy_next(&s.manifest, &first, &n));
    s.segment[0].deleted = 50001;
    cr_assert(qn_policy_next(&s.manifest, &first, &n));
    cr_assert_eq(first, 0u);
    cr_assert_eq(n, 1u);
    s.segment[0].deleted = 100000; /* nothing is left of it */
    cr_assert(qn_policy_next(&s.manifest, &first, &n));
    settle(&s);
    s.segment[0].deleted = s.segment[0].documents;
    settle(&s);
}

Test(policy, nothing_to_join)
{
    qn_manifest none = {0};
    size_t first, n;
    cr_assert(!qn_policy_next(&none, &first, &n));
}
