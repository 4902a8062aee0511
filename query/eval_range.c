/* Scoring one range exactly: see eval_range.h. */
#include "query/eval_range.h"

#include "query/bm25.h"

#include <string.h>

enum { MAX_WORDS = (1 << 10) / 64 }; /* of the largest range, a bit a document */

/* Scores start as -0.0f: adding a contribution (>= +0.0f) to it gives just that, and as a signed
 * integer it is below every score, so "matched, with at least this score" is one comparison. */
static const float unmatched = -0.0f;

static int32_t bits_of(float value)
{
    int32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* ---- deferring ---- */

/* Defers terms, those with most postings first, while their bounds together stay under the
 * threshold. */
static void defer(qn_range *range, uint32_t number, float threshold)
{
    range->rest = 0;
    range->n_deferred = 0;
    for (size_t i = 0; i < range->n_deferrable; i++) {
        qn_union_term *term = &range->term[range->term[i].next_def];
        term->bound = term->unit * term->range_max[number];
        term->deferred = range->rest + term->bound < (double)threshold;
        if (term->deferred && term->bound > 0) {
            range->rest += term->bound;
            range->n_deferred++;
        }
    }
}

/* The partial score (its bits), without deferred terms, under which no document reaches the
 * threshold. A partial sum and a whole one, both in float, differ from real sums by less than
 * QN_BM25_SUM_ROOM together (bm25.h; `rest` has its own); the last factor covers the rounding to
 * float here. */
static int32_t partial_threshold(float threshold, double rest)
{
    double least = ((double)threshold - rest) / (1 + QN_BM25_SUM_ROOM) * (1 - QN_BM25_PART_ROOM);
    return bits_of(least > QN_BM25_FLOOR ? (float)least : 0.0f);
}

/* ---- scoring ---- */

/* Takes the postings in the range, leaving the cursor on the last of them. */
static void gather(qn_range *range, qn_union_term *term)
{
    const qn_eval *eval = range->eval;
    qn_cursor *cursor = term->cursor;
    uint32_t begin = range->begin, end = begin + range->n;
    term->n = 0;
    for (uint32_t doc = qn_cursor_seek(cursor, begin); doc < end;
         doc = qn_cursor_seek(cursor, doc + 1)) {
        const uint32_t *tfs = term->excludes ? cursor->docs : qn_cursor_tfs(cursor);
        if (tfs == NULL)
            return;
        uint32_t from = cursor->i;
        uint32_t to =
            cursor->docs[cursor->n - 1] < end ? cursor->n : qn_cursor_find(cursor, from, end);
        for (uint32_t i = from; i < to; i++)
            term->offset[term->n + i - from] = cursor->docs[i] - begin;
        if (!term->excludes)
            eval->kernels->score(cursor->docs + from, tfs + from, to - from, eval->segment->lengths,
                                 eval->norms, term->weight, term->value + term->n);
        term->n += to - from;
        cursor->i = to - 1;
        doc = cursor->doc = cursor->docs[to - 1];
        if (to < cursor->n || doc + 1 == end)
            return;
    }
}

static void add(float *restrict score, const qn_union_term *term)
{
    for (uint32_t i = 0; i < term->n; i++)
        score[term->offset[i]] += term->value[i];
}

static void exclude(float *restrict score, const qn_union_term *term)
{
    for (uint32_t i = 0; i < term->n; i++)
        score[term->offset[i]] = unmatched;
}

/* Adds up the essential terms. */
static void accumulate(qn_range *range, uint32_t number)
{
    range->total = 0;
    for (size_t i = 0; i < range->n_terms; i++) {
        qn_union_term *term = &range->term[i];
        term->n = 0;
        if (term->excludes || term->deferred ||
            (term->range_max != NULL && term->range_max[number] == 0))
            continue;
        gather(range, term);
        add(range->score, term);
        range->total += term->n;
    }
}

/* Takes out excluded documents. */
static void exclude_all(qn_range *range, uint32_t number)
{
    for (size_t i = 0; i < range->n_terms; i++) {
        qn_union_term *term = &range->term[i];
        if (!term->excludes || (term->range_max != NULL && term->range_max[number] == 0))
            continue;
        gather(range, term);
        exclude(range->score, term);
    }
}

/* ---- deferring less ---- */

/* Whether few documents of the range were touched, so that looking at the postings is cheaper than
 * at all scores. */
static bool is_sparse(const qn_range *range)
{
    return range->total < range->n / 4;
}

/* How many documents have at least this partial score (if sparse, some count twice). */
static size_t count_candidates(const qn_range *range, int32_t least)
{
    size_t count = 0;
    if (!is_sparse(range)) {
        for (uint32_t i = 0; i < range->n; i++)
            count += bits_of(range->score[i]) >= least;
        return count;
    }
    for (size_t i = 0; i < range->n_terms; i++) {
        const qn_union_term *term = &range->term[i];
        for (uint32_t j = 0; j < term->n; j++)
            count += bits_of(range->score[term->offset[j]]) >= least;
    }
    return count;
}

/* Scores deferred terms, those with the fewest postings first, as long as there are so many
 * candidates that looking the term up in each costs more: some 25 ns a document against 2 ns a
 * posting. Returns the bits of the partial score that candidates need. */
static int32_t defer_less(qn_range *range, float threshold)
{
    int32_t least = partial_threshold(threshold, range->rest);
    for (size_t i = range->n_deferrable; i-- > 0 && range->n_deferred > 0;) {
        qn_union_term *term = &range->term[range->term[i].next_def];
        if (!term->deferred || term->bound <= 0)
            continue;
        if (25 * count_candidates(range, least) < 80 + 2 * (size_t)term->expected)
            break;
        term->deferred = false;
        range->n_deferred--;
        range->rest -= term->bound;
        range->reordered = true;
        gather(range, term);
        add(range->score, term);
        range->total += term->n;
        least = partial_threshold(threshold, range->rest);
    }
    return least;
}

/* ---- survivors ---- */

/* The contribution that was gathered for a document, or 0. */
static float gathered(const qn_union_term *term, uint32_t offset)
{
    const uint32_t *at = term->offset;
    uint32_t n = term->n;
    if (n == 0)
        return 0;
    while (n > 1) {
        uint32_t half = n / 2;
        at += at[half] <= offset ? half : 0;
        n -= half;
    }
    return *at == offset ? term->value[at - term->offset] : 0.0f;
}

/* Looks the deferred terms up, those with the fewest postings first. False as soon as the document
 * cannot reach the threshold any more. */
static bool look_up_deferred(qn_range *range, uint32_t offset)
{
    const qn_eval *eval = range->eval;
    uint32_t doc = range->begin + offset;
    double sum = (double)range->score[offset] * (1 + QN_BM25_SUM_ROOM);
    double rest = range->rest;
    float threshold = qn_eval_threshold(eval);
    for (size_t i = range->n_deferrable; i-- > 0;) {
        qn_union_term *term = &range->term[range->term[i].next_def];
        if (!term->deferred)
            continue;
        term->found = 0;
        if (term->bound <= 0)
            continue;
        if (sum + rest < (double)threshold)
            return false;
        rest -= term->bound;
        if (qn_cursor_seek(term->cursor, doc) != doc)
            continue;
        uint32_t tf = qn_cursor_tf(term->cursor);
        if (tf == 0)
            return false;
        term->found = qn_bm25_contribution(term->weight, tf, qn_eval_norm(eval, doc));
        sum += (double)term->found * (1 + QN_BM25_SUM_ROOM);
    }
    return sum + rest >= (double)threshold;
}

/* Adding 0 where a term is missing changes no sum. */
static float canonical_score(const qn_range *range, uint32_t offset)
{
    float sum = 0;
    for (size_t i = 0; i < range->n_terms; i++) {
        const qn_union_term *term = &range->term[i];
        if (!term->excludes)
            sum += term->deferred ? term->found : gathered(term, offset);
    }
    return sum;
}

static void offer(qn_range *range, uint32_t offset)
{
    float score = range->score[offset];
    if (range->n_deferred > 0 || range->reordered) {
        if (!look_up_deferred(range, offset))
            return;
        score = canonical_score(range, offset);
    }
    qn_topk_push(range->eval->topk, range->eval->segment->base + range->begin + offset, score);
}

/* ---- collecting ---- */

/* Looks at all scores of the range, and clears them. */
static void collect_all(qn_range *range, int32_t least)
{
    const qn_eval_kernels *kernels = range->eval->kernels;
    uint32_t n = range->n;
    for (size_t at = 0; (at = kernels->find_score(range->score, at, n, least)) < n; at++)
        offer(range, (uint32_t)at);
    for (uint32_t i = 0; i < n; i++)
        range->score[i] = unmatched;
}

/* The same where few documents were touched: looks at those. */
static void collect_touched(qn_range *range, int32_t least)
{
    uint64_t candidates[MAX_WORDS] = {0};
    for (size_t i = 0; i < range->n_terms; i++) {
        const qn_union_term *term = &range->term[i];
        for (uint32_t j = 0; j < term->n; j++) {
            uint32_t offset = term->offset[j];
            candidates[offset / 64] |= (uint64_t)(bits_of(range->score[offset]) >= least)
                                       << (offset % 64);
        }
    }
    for (uint32_t word = 0; 64 * word < range->n; word++)
        for (uint64_t left = candidates[word]; left != 0; left &= left - 1)
            offer(range, 64 * word + (uint32_t)__builtin_ctzll(left));
    for (size_t i = 0; i < range->n_terms; i++)
        exclude(range->score, &range->term[i]);
}

void qn_range_run(qn_range *range, uint32_t number)
{
    uint32_t n_docs = range->eval->segment->meta.n_docs;
    range->begin = number * range->size;
    range->n = n_docs - range->begin < range->size ? n_docs - range->begin : range->size;
    range->reordered = false;
    float threshold = qn_eval_threshold(range->eval);
    defer(range, number, threshold);
    accumulate(range, number);
    if (range->total == 0)
        return;
    int32_t least = range->n_deferred > 0 ? defer_less(range, threshold) : bits_of(threshold);
    exclude_all(range, number);
    if (is_sparse(range))
        collect_touched(range, least);
    else
        collect_all(range, least);
}
