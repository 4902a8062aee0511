/* Answering a query: see search.h. */
#include "query/search.h"

#include "index/base/status.h"
#include "index/segment/lengths.h"
#include "query/bm25.h"
#include "query/count.h"
#include "query/eval_exhaustive.h"
#include "query/eval_full.h"
#include "query/eval_lead.h"
#include "query/eval_range.h"
#include "query/plan.h"
#include "query/seed.h"

#include <stdlib.h>
#include <string.h>

/* Slots of the table that finds equal terms; a power of two over QN_QUERY_TERMS_MAX. */
enum { TERM_SLOTS = 2 * QN_QUERY_TERMS_MAX };

/* What a searcher knows of a segment. */
typedef struct segment_state {
    float inflation[QN_FIELDS_MAX], deflation[QN_FIELDS_MAX];
    bool touched;      /* its lengths */
    size_t first_list; /* the query's lists in it: search->list[first_list .. first_list + n) */
    size_t n_lists;
} segment_state;

/* A list of the query's distinct term `term` in some segment. */
typedef struct open_list {
    uint32_t term;
    qn_postings postings;
} open_list;

struct qn_search {
    const qn_segment *segment;
    size_t n_segments;
    segment_state *state; /* one a segment */
    quern_search_options options;
    qn_evaluator wanted, used;
    bool counted;      /* the last query was: no evaluator was used */
    uint64_t n_docs;   /* N of the scores */
    unsigned n_fields; /* one without a name counts */
    float norms[QN_FIELDS_MAX][256];
    const qn_eval_kernels *kernels;
    qn_eval_switches switches;
    qn_topk topk;
    qn_eval_scratch scratch;
    qn_count_sets sets;
    quern_work work;          /* of the last query */
    bool reordered;           /* some segment is */
    const qn_segment *forged; /* one with an ordinal that is none */
    /* Of the last query: */
    size_t n_distinct;
    uint16_t slot[TERM_SLOTS];                      /* number of a distinct term + 1, or 0 */
    uint16_t distinct[QN_QUERY_TERMS_MAX];          /* the distinct term of each query term */
    uint16_t example[QN_QUERY_TERMS_MAX];           /* a query term of each distinct one */
    uint64_t df[QN_QUERY_TERMS_MAX];                /* of distinct terms, over all documents */
    const qn_postings *found[QN_QUERY_TERMS_MAX];   /* of distinct terms, in one segment */
    const qn_postings *by_term[QN_QUERY_TERMS_MAX]; /* of query terms, likewise */
    float weight[QN_QUERY_CLAUSES_MAX];
    open_list *list;
    size_t n_lists, list_cap;
};

const char *const *qn_search_evaluators(void)
{
    return qn_plan_names();
}

/* ---- making ---- */

static quern_status check_options(const quern_search_options *options, qn_evaluator *wanted,
                                  quern_error *error)
{
    if (!(options->k1 >= 0 && options->k1 <= 3))
        return qn_fail(error, QUERN_E_ARGUMENT, "k1 is not within 0 to 3");
    if (!(options->b >= 0 && options->b <= 1))
        return qn_fail(error, QUERN_E_ARGUMENT, "b is not within 0 to 1");
    if (!qn_plan_find(options->evaluator, wanted))
        return qn_fail(error, QUERN_E_ARGUMENT, "there is no evaluator \"%.64s\"",
                       options->evaluator);
    return QUERN_OK;
}

/* The tokens of a field in all segments, or as statistics from outside have them. */
static uint64_t tokens_of(const qn_search *search, unsigned field)
{
    const quern_search_options *options = &search->options;
    if (options->field_tokens != NULL && search->n_fields > 1)
        return options->field_tokens[field];
    if (options->tokens != 0 && search->n_fields == 1)
        return options->tokens;
    uint64_t tokens = 0;
    for (size_t s = 0; s < search->n_segments; s++)
        tokens += search->segment[s].meta.counts[field].n_tokens;
    return tokens;
}

static void take_field(qn_search *search, unsigned field, uint64_t documents)
{
    uint64_t tokens = tokens_of(search, field);
    double average = documents == 0 ? 0 : (double)tokens / (double)documents;
    float *norms = search->norms[field];
    qn_length_norms(search->options.k1, search->options.b, average, norms);
    for (size_t s = 0; s < search->n_segments; s++) {
        const qn_segment *segment = &search->segment[s];
        search->state[s].inflation[field] = qn_postings_inflation(segment, field, norms);
        search->state[s].deflation[field] = qn_postings_deflation(segment, field, norms);
    }
}

static void take_statistics(qn_search *search)
{
    uint64_t documents = 0;
    for (size_t s = 0; s < search->n_segments; s++)
        documents += search->segment[s].meta.n_docs;
    if (search->options.documents != 0)
        documents = search->options.documents;
    search->n_docs = documents;
    search->n_fields =
        search->n_segments == 0 ? 1 : qn_fields_count(&search->segment[0].meta.fields);
    for (unsigned i = 0; i < search->n_fields; i++)
        take_field(search, i, documents);
}

quern_status qn_search_new(qn_search **out, const qn_segment *segments, size_t n_segments,
                           const quern_search_options *options, quern_error *error)
{
    *out = NULL;
    qn_evaluator wanted;
    quern_status status = check_options(options, &wanted, error);
    if (status != QUERN_OK)
        return status;
    qn_search *search = calloc(1, sizeof *search);
    segment_state *state = calloc(n_segments == 0 ? 1 : n_segments, sizeof *state);
    if (search == NULL || state == NULL) {
        free(search);
        free(state);
        return qn_fail_memory(error);
    }
    search->segment = segments;
    for (size_t s = 0; s < n_segments; s++)
        search->reordered = search->reordered || segments[s].ordinals != NULL;
    search->n_segments = n_segments;
    search->state = state;
    search->options = *options;
    search->wanted = wanted;
    search->kernels = qn_eval_kernels_for(qn_cpu_detect());
    search->sets.kernels = qn_count_kernels_for(qn_cpu_detect());
    take_statistics(search);
    *out = search;
    return QUERN_OK;
}

void qn_search_switch(qn_search *search, const qn_eval_switches *switches)
{
    search->switches = *switches;
}

void qn_search_free(qn_search *search)
{
    if (search == NULL)
        return;
    qn_topk_free(&search->topk);
    qn_eval_scratch_free(&search->scratch);
    qn_count_sets_free(&search->sets);
    free(search->state);
    free(search->list);
    free(search);
}

/* ---- checking a query ---- */

/* Whether a clause's numbers are in bounds. */
static bool clause_is_sound(const qn_query *query, const qn_clause *clause)
{
    return clause->n_terms > 0 && clause->qtf > 0 && clause->occur <= QN_ANY &&
           clause->first_term <= query->n_terms &&
           clause->n_terms <= query->n_terms - clause->first_term &&
           clause->group <= query->n_groups && (clause->group > 0) == (clause->occur == QN_ANY);
}

/* Every term must belong to one clause at most, and every index must be in bounds. */
static quern_status check_query(const qn_query *query, size_t k, quern_error *error)
{
    if (k < 1 || k > QN_TOPK_MAX)
        return qn_fail(error, QUERN_E_ARGUMENT, "k is not within 1 to %d", QN_TOPK_MAX);
    if (query->n_clauses > QN_QUERY_CLAUSES_MAX || query->n_terms > QN_QUERY_TERMS_MAX ||
        query->n_groups > query->n_clauses)
        return qn_fail(error, QUERN_E_ARGUMENT, "a query has more than %d terms",
                       QN_QUERY_TERMS_MAX);
    bool owned[QN_QUERY_TERMS_MAX] = {false};
    for (size_t c = 0; c < query->n_clauses; c++) {
        const qn_clause *clause = &query->clause[c];
        if (!clause_is_sound(query, clause))
            return qn_fail(error, QUERN_E_ARGUMENT, "clause %zu of a query is malformed", c);
        for (size_t i = clause->first_term; i < clause->first_term + clause->n_terms; i++) {
            if (owned[i])
                return qn_fail(error, QUERN_E_ARGUMENT, "two clauses of a query share a term");
            owned[i] = true;
        }
    }
    return QUERN_OK;
}

/* ---- distinct terms ---- */

/* FNV-1a (Fowler, Noll, Vo 1991): terms are short. */
static uint32_t hash(quern_span text)
{
    uint32_t value = 2166136261u;
    for (size_t i = 0; i < text.len; i++)
        value = (value ^ (uint8_t)text.data[i]) * 16777619u;
    return value ^ (value >> 15);
}

static void number_terms(qn_search *search, const qn_query *query)
{
    memset(search->slot, 0, sizeof search->slot);
    search->n_distinct = 0;
    for (size_t i = 0; i < query->n_terms; i++) {
        quern_span text = query->term[i].text;
        uint32_t at = hash(text) % TERM_SLOTS;
        for (; search->slot[at] != 0; at = (at + 1) % TERM_SLOTS) {
            quern_span other = query->term[search->example[search->slot[at] - 1]].text;
            if (other.len == text.len &&
                (text.len == 0 || memcmp(other.data, text.data, text.len) == 0))
                break;
        }
        if (search->slot[at] == 0) {
            search->example[search->n_distinct] = (uint16_t)i;
            search->slot[at] = (uint16_t)++search->n_distinct;
        }
        search->distinct[i] = (uint16_t)(search->slot[at] - 1);
    }
}

/* ---- lists ---- */

static quern_status open_term(qn_search *search, const qn_segment *segment, uint32_t term,
                              quern_span text, quern_error *error)
{
    qn_term_info info;
    if (text.len == 0 || text.len > QN_TERM_MAX)
        return QUERN_OK;
    quern_status status = qn_dict_find(&segment->dict, text.data, text.len, &info, error);
    if (status != QUERN_OK)
        return status == QUERN_NOT_FOUND ? QUERN_OK : status;
    void *array = search->list;
    if (!qn_array_grow(&array, &search->list_cap, search->n_lists + 1, sizeof *search->list))
        return qn_fail_memory(error);
    search->list = array;
    open_list *list = &search->list[search->n_lists];
    status = qn_postings_open(&list->postings, segment, &info, error);
    if (status != QUERN_OK)
        return status;
    list->term = term;
    search->n_lists++;
    search->df[term] += info.df;
    return QUERN_OK;
}

/* What the caller says of a query term; with fields it is asked for as "title:word". */
static uint64_t df_from_outside(const qn_search *search, const qn_query *query, size_t term)
{
    char text[QN_FIELD_NAME_MAX + 1 + QN_TERM_MAX];
    quern_span word = qn_query_word(query, term);
    const qn_field_name *field = qn_query_field(query, term);
    if (field != NULL && word.len <= QN_TERM_MAX) {
        size_t len = strlen(field->name);
        memcpy(text, field->name, len);
        text[len] = ':';
        memcpy(text + len + 1, word.data, word.len);
        word = (quern_span){text, len + 1 + word.len};
    }
    return search->options.df(search->options.df_arg, word);
}

/* Opens every list of the query, and finds the terms' df. */
static quern_status open_lists(qn_search *search, const qn_query *query, quern_error *error)
{
    search->n_lists = 0;
    memset(search->df, 0, search->n_distinct * sizeof *search->df);
    for (size_t s = 0; s < search->n_segments; s++) {
        segment_state *state = &search->state[s];
        state->first_list = search->n_lists;
        for (uint32_t t = 0; t < search->n_distinct; t++) {
            quern_status status = open_term(search, &search->segment[s], t,
                                            query->term[search->example[t]].text, error);
            if (status != QUERN_OK)
                return status;
        }
        state->n_lists = search->n_lists - state->first_list;
        if (state->n_lists > 0 && !state->touched) {
            quern_status status = qn_segment_touch_lengths(&search->segment[s], error);
            if (status != QUERN_OK)
                return status;
            state->touched = true;
        }
    }
    for (size_t t = 0; search->options.df != NULL && t < search->n_distinct; t++)
        search->df[t] = df_from_outside(search, query, search->example[t]);
    return QUERN_OK;
}

/* Fills by_term with the lists of one segment. */
static void select_lists(qn_search *search, const qn_query *query, const segment_state *state)
{
    memset(search->found, 0, search->n_distinct * sizeof *search->found);
    for (size_t i = 0; i < state->n_lists; i++) {
        const open_list *list = &search->list[state->first_list + i];
        search->found[list->term] = &list->postings;
    }
    for (size_t i = 0; i < query->n_terms; i++)
        search->by_term[i] = search->found[search->distinct[i]];
}

/* ---- weights and plan ---- */

static void weigh(qn_search *search, const qn_query *query)
{
    for (size_t c = 0; c < query->n_clauses; c++) {
        const qn_clause *clause = &query->clause[c];
        double idf = 0;
        for (size_t i = clause->first_term; i < clause->first_term + clause->n_terms; i++)
            idf += qn_bm25_idf(search->n_docs, search->df[search->distinct[i]]);
        const qn_field_name *field = qn_query_field(query, clause->first_term);
        search->weight[c] =
            qn_bm25_weight(field == NULL ? idf : idf * (double)field->weight, clause->qtf);
    }
}

static qn_plan_shape shape_of(qn_search *search, const qn_query *query, size_t k)
{
    qn_plan_shape shape = qn_plan_shape_of(query);
    shape.k = k;
    shape.n_docs = search->n_docs;
    for (size_t i = 0; i < search->n_lists; i++)
        shape.df_sum += search->list[i].postings.df;
    shape.lead_df = UINT64_MAX;
    for (size_t c = 0; shape.leads && c < query->n_clauses; c++) {
        const qn_clause *clause = &query->clause[c];
        if (clause->occur != QN_MUST && query->n_clauses > 1)
            continue;
        for (size_t i = clause->first_term; i < clause->first_term + clause->n_terms; i++) {
            uint64_t df = search->df[search->distinct[i]];
            shape.lead_df = df < shape.lead_df ? df : shape.lead_df;
        }
    }
    return shape;
}

/* A floor of the k-th best score, the best that any segment knows. */
static float find_seed(qn_search *search, const qn_query *query, size_t k)
{
    float best = 0;
    for (size_t s = 0; s < search->n_segments; s++) {
        segment_state *state = &search->state[s];
        if (state->n_lists == 0)
            continue;
        select_lists(search, query, state);
        /* Of the best so many, k are there if no more than the others were deleted. */
        size_t rank = k + search->segment[s].n_deleted;
        float seed = qn_seed_of(query, search->weight, search->by_term, state->deflation, rank);
        best = seed > best ? seed : best;
    }
    return best;
}

/* ---- running ---- */

/* The segment of a document, which is often that of the document before. */
static const qn_segment *segment_of(const qn_search *search, const qn_segment *before, uint32_t doc)
{
    if (doc - before->base < before->meta.n_docs)
        return before;
    size_t low = 0, high = search->n_segments;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (search->segment[middle].base <= doc)
            low = middle;
        else
            high = middle;
    }
    return &search->segment[low];
}

/* Numbers of documents in the index, by those which their segments' lists have for them. */
static void to_ordinals(void *arg, uint32_t *doc, size_t n)
{
    qn_search *search = arg;
    const qn_segment *segment = search->segment;
    for (size_t i = 0; n > 1 && i < n; i++) {
        segment = segment_of(search, segment, doc[i]);
        qn_segment_fetch_ordinal(segment, doc[i] - segment->base);
    }
    for (size_t i = 0; i < n; i++) {
        segment = segment_of(search, segment, doc[i]);
        uint32_t ordinal = qn_segment_ordinal(segment, doc[i] - segment->base);
        if (ordinal < segment->meta.n_docs)
            doc[i] = segment->base + ordinal;
        else
            search->forged = segment;
    }
}

static quern_status evaluate(qn_evaluator evaluator, qn_eval *eval, quern_error *error)
{
    switch (evaluator) {
    case QN_EVALUATOR_RANGE:
        return qn_eval_range(eval, error);
    case QN_EVALUATOR_FULL:
        return qn_eval_full(eval, error);
    case QN_EVALUATOR_LEAD:
        return qn_eval_lead(eval, error);
    case QN_EVALUATOR_AUTO:
    case QN_EVALUATOR_EXHAUSTIVE:
    case QN_EVALUATORS:
        break;
    }
    return qn_eval_exhaustive(eval, error);
}

static quern_status run_segments(qn_search *search, const qn_query *query, float seed,
                                 quern_error *error)
{
    qn_eval eval = {.query = query,
                    .plain = qn_plan_is_union(query),
                    .weight = search->weight,
                    .norms = search->norms,
                    .seed = seed,
                    .topk = &search->topk,
                    .kernels = search->kernels,
                    .scratch = &search->scratch,
                    .switches = search->switches,
                    .list = search->by_term};
    for (size_t s = 0; s < search->n_segments; s++) {
        if (search->state[s].n_lists == 0)
            continue;
        select_lists(search, query, &search->state[s]);
        eval.segment = &search->segment[s];
        eval.inflation = search->state[s].inflation;
        quern_status status = evaluate(search->used, &eval, error);
        search->work = eval.work;
        if (status != QUERN_OK)
            return status;
    }
    return QUERN_OK;
}

/* What comes before any list is read. */
static quern_status prepare(qn_search *search, const qn_query *query, size_t k, quern_error *error)
{
    quern_status status = check_query(query, k, error);
    if (status != QUERN_OK)
        return status;
    search->work = (quern_work){0};
    number_terms(search, query);
    status = open_lists(search, query, error);
    if (status == QUERN_OK)
        weigh(search, query);
    return status;
}

quern_status qn_search_run(qn_search *search, const qn_query *query, size_t k,
                           const quern_hit **hits, size_t *n_hits, quern_error *error)
{
    *hits = NULL;
    *n_hits = 0;
    search->counted = false;
    quern_status status = prepare(search, query, k, error);
    if (status != QUERN_OK)
        return status;
    qn_topk_start(&search->topk, k, search->reordered ? to_ordinals : NULL, search);
    qn_plan_shape shape = shape_of(search, query, k);
    search->used = qn_plan_choose(search->wanted, &shape);
    if (shape.n_should + shape.n_must + shape.n_any == 0)
        return QUERN_OK;
    bool seeds = qn_plan_is_union(query) && !search->switches.no_seeds;
    float seed = seeds ? find_seed(search, query, k) : 0;
    search->forged = NULL;
    status = run_segments(search, query, seed, error);
    if (status == QUERN_OK)
        status = qn_topk_finish(&search->topk, hits, n_hits, error);
    if (status == QUERN_OK && search->forged != NULL)
        status = qn_container_damaged(&search->forged->index, "an ordinal is out of range", error);
    return status;
}

quern_status qn_search_count(qn_search *search, const qn_query *query, uint64_t *n,
                             quern_error *error)
{
    *n = 0;
    search->counted = true;
    quern_status status = prepare(search, query, 1, error);
    qn_eval eval = {.query = query,
                    .kernels = search->kernels,
                    .scratch = &search->scratch,
                    .list = search->by_term};
    for (size_t s = 0; status == QUERN_OK && s < search->n_segments; s++) {
        if (search->state[s].n_lists == 0)
            continue;
        select_lists(search, query, &search->state[s]);
        eval.segment = &search->segment[s];
        status = qn_count_segment(&search->sets, &eval, n, error);
    }
    return status;
}

const float *qn_search_weights(const qn_search *search)
{
    return search->weight;
}

quern_work qn_search_work(const qn_search *search)
{
    return search->work;
}

const char *qn_search_evaluator(const qn_search *search)
{
    return search->counted ? "count" : qn_plan_names()[search->used];
}

static quern_list_form form_of(const qn_postings *list)
{
    return list->dense ? QUERN_LIST_BITMAP : list->coded ? QUERN_LIST_CODED : QUERN_LIST_SPARSE;
}

/* The clause of a query term; check_query has seen to it that there is one at most. */
static size_t clause_of(const qn_query *query, size_t i)
{
    size_t c = 0;
    while (c < query->n_clauses && i - query->clause[c].first_term >= query->clause[c].n_terms)
        c++;
    return c;
}

quern_explained_term qn_search_explain(const qn_search *search, const qn_query *query, size_t i)
{
    size_t c = clause_of(query, i);
    uint16_t distinct = search->distinct[i];
    quern_explained_term out = {
        .term = qn_query_word(query, i), .df = search->df[distinct], .clause = (uint32_t)c};
    if (c < query->n_clauses) {
        out.occur = (quern_occur)query->clause[c].occur;
        out.weight = search->weight[c];
    }
    const qn_field_name *field = qn_query_field(query, i);
    if (field != NULL)
        out.field = (quern_span){field->name, strlen(field->name)};
    uint32_t longest = 0;
    for (size_t l = 0; l < search->n_lists; l++) {
        const open_list *list = &search->list[l];
        if (list->term != distinct || list->postings.df <= longest)
            continue;
        longest = list->postings.df;
        out.form = form_of(&list->postings);
    }
    return out;
}
