/* Drawing queries: see synth_queries.h. */
#include "engine/cli/synth_queries.h"

#include "engine/cli/synth_random.h"
#include "index/base/status.h"
#include "index/text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

enum {
    TRIES = 5000,     /* documents looked at for one query */
    PICKS = 6,        /* words looked at in a document for each that is wanted */
    WORDS_MAX = 8192, /* of a document that may be drawn */
    QUERY_WORDS_MAX = 12,
    BATCH = 64
};

/* A word of the document at hand, or a term of the index; its text stands in `bytes`. */
typedef struct word {
    size_t start;
    uint32_t len, position;
    uint64_t weight; /* of a term: occurrences of all up to it */
} word;

struct qn_synth_queries {
    qn_synth_wish wish;
    qn_synth_random random;
    quern_stats stats;
    quern_searcher *searcher;
    qn_tokenizer *tokenizer;
    qn_buffer bytes;
    word *word; /* of the document, or all terms where no texts are kept */
    size_t n, cap;
    qn_text query; /* being tried */
};

const char *qn_synth_shape_name(qn_synth_shape shape)
{
    static const char *const NAMES[QN_SYNTH_SHAPES] = {"term",   "union",   "intersection",
                                                       "phrase", "negated", "question"};
    return NAMES[shape];
}

static quern_status append(qn_synth_queries *q, const char *text, size_t len, word like,
                           quern_error *error)
{
    void *array = q->word;
    if (!qn_array_grow(&array, &q->cap, q->n + 1, sizeof *q->word))
        return qn_fail_memory(error);
    q->word = array;
    like.start = q->bytes.len;
    like.len = (uint32_t)len;
    if (!qn_buffer_append(&q->bytes, text, len))
        return qn_fail_memory(error);
    q->word[q->n++] = like;
    return QUERN_OK;
}

static quern_span text_of(const qn_synth_queries *q, const word *w)
{
    return (quern_span){(const char *)q->bytes.data + w->start, w->len};
}

/* ---- where words come from ---- */

static bool share_wished(const qn_synth_queries *q, uint64_t documents)
{
    double all = (double)q->stats.documents;
    return documents > 0 && (double)documents >= q->wish.df_min * all &&
           (double)documents <= q->wish.df_max * all;
}

/* The words of some document's text. */
static quern_status take_document(qn_synth_queries *q, quern_error *error)
{
    uint64_t n_documents = q->stats.documents + q->stats.deleted;
    uint32_t number = (uint32_t)(qn_synth_next(&q->random) % n_documents);
    quern_document document;
    quern_status status = quern_fetch(q->searcher, number, &document, error);
    q->n = 0;
    q->bytes.len = 0;
    if (status != QUERN_OK || document.text.len == 0)
        return status == QUERN_NOT_FOUND ? QUERN_OK : status;
    qn_word batch[BATCH];
    size_t n = 0;
    qn_tokenizer_start(q->tokenizer, document.text.data, document.text.len, 0);
    do {
        status = qn_tokenizer_next(q->tokenizer, batch, BATCH, &n, error);
        for (size_t i = 0; status == QUERN_OK && i < n; i++)
            status = append(q, batch[i].text, batch[i].len, (word){.position = batch[i].position},
                            error);
    } while (status == QUERN_OK && n > 0 && q->n < WORDS_MAX);
    return status;
}

/* All terms that are as wished, for an index without texts. */
static quern_status take_terms(qn_synth_queries *q, const quern_index *index, quern_error *error)
{
    quern_terms *terms;
    quern_term term;
    uint64_t weight = 0;
    quern_status status = quern_terms_new(&terms, index, QUERN_STR(""), error);
    if (status != QUERN_OK)
        return status;
    while ((status = quern_terms_next(terms, &term, error)) == QUERN_OK) {
        if (!share_wished(q, term.df))
            continue;
        weight += term.cf;
        status = append(q, term.term.data, term.term.len, (word){.weight = weight}, error);
        if (status != QUERN_OK)
            break;
    }
    quern_terms_free(terms);
    if (status != QUERN_END)
        return status;
    return q->n > 0 ? QUERN_OK
                    : qn_fail(error, QUERN_NOT_FOUND, "no term is in %g to %g of the documents",
                              q->wish.df_min, q->wish.df_max);
}

/* A word drawn by its occurrences: those of the document stand there as often as they occur. */
static const word *pick(qn_synth_queries *q)
{
    uint64_t bits = qn_synth_next(&q->random);
    if (q->stats.stored)
        return &q->word[bits % q->n];
    uint64_t wanted = bits % q->word[q->n - 1].weight;
    size_t low = 0, high = q->n - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (q->word[middle].weight > wanted)
            high = middle;
        else
            low = middle + 1;
    }
    return &q->word[low];
}

/* ---- what is asked of them ---- */

/* The different terms of a query: one that is looked for in several fields counts once. */
static size_t n_terms_of(const quern_explanation *told)
{
    size_t n = 0;
    for (size_t i = 0; i < told->n_terms; i++) {
        quern_span term = told->term[i].term;
        size_t j = 0;
        while (j < i && (told->term[j].term.len != term.len ||
                         memcmp(told->term[j].term.data, term.data, term.len) != 0))
            j++;
        n += j == i;
    }
    return n;
}

/* Whether a word is one term, found in as many documents as is wished. A term of an index is
 * stemmed once more when it is searched for, and may then be another. */
static quern_status is_wished(qn_synth_queries *q, const word *w, bool *wished, quern_error *error)
{
    quern_matches matches;
    quern_explanation told = {0};
    quern_status status = quern_count(q->searcher, text_of(q, w), &matches, error);
    if (status == QUERN_OK)
        status = quern_explain(q->searcher, &told, error);
    *wished = status == QUERN_OK && n_terms_of(&told) == 1 && share_wished(q, matches.n);
    return status;
}

static void put(qn_synth_queries *q, const char *before, const word *w)
{
    if (q->query.bytes.len > 0)
        qn_text_puts(&q->query, " ");
    qn_text_puts(&q->query, before);
    qn_text_put(&q->query, text_of(q, w).data, w->len);
}

/* Up to `n` words, each as wished, into q->query; *got is how many. */
static quern_status put_words(qn_synth_queries *q, qn_synth_shape shape, uint32_t n, uint32_t *got,
                              quern_error *error)
{
    *got = 0;
    for (uint32_t tries = 0; *got < n && tries < n * PICKS; tries++) {
        const word *w = pick(q);
        bool wished;
        quern_status status = is_wished(q, w, &wished, error);
        if (status != QUERN_OK)
            return status;
        if (!wished)
            continue;
        bool last = ++*got == n;
        put(q,
            shape == QN_SYNTH_INTERSECTION      ? "+"
            : shape == QN_SYNTH_NEGATED && last ? "-"
                                                : "",
            w);
    }
    return QUERN_OK;
}

/* `n` words in a row, into q->query, each as wished unless `any`. */
static quern_status put_row(qn_synth_queries *q, uint32_t n, bool any, uint32_t *got,
                            quern_error *error)
{
    *got = 0;
    if (q->n < n)
        return QUERN_OK;
    size_t first = qn_synth_next(&q->random) % (q->n - n + 1);
    for (uint32_t i = 0; i < n; i++) {
        const word *w = &q->word[first + i];
        bool wished = any;
        quern_status status = any ? QUERN_OK : is_wished(q, w, &wished, error);
        if (status != QUERN_OK)
            return status;
        /* A word too long to be indexed may have stood between. */
        if (!wished || (i > 0 && w->position != w[-1].position + 1))
            return QUERN_OK;
        put(q, "", w);
        ++*got;
    }
    return QUERN_OK;
}

/* Whether the query in q->query is of the shape and has an answer. Two words of one stem are one
 * term. */
static quern_status is_good(qn_synth_queries *q, qn_synth_shape shape, uint32_t n, bool *good,
                            quern_error *error)
{
    quern_matches matches;
    quern_explanation told = {0};
    quern_span text = {(const char *)q->query.bytes.data, q->query.bytes.len};
    if (q->query.failed)
        return qn_fail_memory(error);
    quern_status status = quern_count(q->searcher, text, &matches, error);
    if (status == QUERN_OK)
        status = quern_explain(q->searcher, &told, error);
    bool row = shape == QN_SYNTH_PHRASE || shape == QN_SYNTH_QUESTION;
    *good = status == QUERN_OK && matches.n > 0 && (row || n_terms_of(&told) == n);
    return status;
}

/* ---- drawing ---- */

static uint32_t words_wanted(qn_synth_queries *q, qn_synth_shape shape)
{
    uint64_t bits = qn_synth_next(&q->random);
    if (shape == QN_SYNTH_TERM)
        return 1;
    if (shape == QN_SYNTH_QUESTION)
        return 8 + (uint32_t)qn_synth_below(bits, QUERY_WORDS_MAX - 8 + 1);
    if (q->wish.words != 0)
        return q->wish.words;
    return bits % 8 < 4 ? 2 : bits % 8 < 7 ? 3 : 4;
}

/* One attempt; *good tells whether q->query holds what is wanted. */
static quern_status attempt(qn_synth_queries *q, qn_synth_shape shape, uint32_t n, bool *good,
                            quern_error *error)
{
    uint32_t got = 0;
    quern_status status = q->stats.stored ? take_document(q, error) : QUERN_OK;
    *good = false;
    q->query.bytes.len = 0;
    if (status != QUERN_OK || q->n == 0)
        return status;
    if (q->stats.stored && (shape == QN_SYNTH_PHRASE || shape == QN_SYNTH_QUESTION))
        status = put_row(q, n, shape == QN_SYNTH_QUESTION, &got, error);
    else
        status = put_words(q, shape, n, &got, error);
    return status == QUERN_OK && got == n ? is_good(q, shape, n, good, error) : status;
}

quern_status qn_synth_queries_draw(qn_synth_queries *queries, qn_synth_shape shape, qn_text *out,
                                   quern_error *error)
{
    if (shape == QN_SYNTH_PHRASE && !queries->stats.stored)
        return qn_fail(error, QUERN_NOT_FOUND,
                       "the index keeps no texts, in which phrases could be found");
    uint32_t n = words_wanted(queries, shape);
    const char *quote = shape == QN_SYNTH_PHRASE ? "\"" : "";
    for (uint32_t i = 0; queries->stats.documents > 0 && i < TRIES; i++) {
        bool good;
        quern_status status = attempt(queries, shape, n, &good, error);
        if (status != QUERN_OK)
            return status;
        if (!good)
            continue;
        qn_text_puts(out, quote);
        qn_text_put(out, (const char *)queries->query.bytes.data, queries->query.bytes.len);
        qn_text_puts(out, quote);
        return QUERN_OK;
    }
    return qn_fail(error, QUERN_NOT_FOUND,
                   "no %s of %lu words in %g to %g of the documents was met with in %d tries",
                   qn_synth_shape_name(shape), (unsigned long)n, queries->wish.df_min,
                   queries->wish.df_max, TRIES);
}

quern_status qn_synth_queries_new(qn_synth_queries **out, const quern_index *index,
                                  const qn_synth_wish *wish, quern_error *error)
{
    *out = NULL;
    qn_synth_queries *q = calloc(1, sizeof *q);
    if (q == NULL)
        return qn_fail_memory(error);
    q->wish = *wish;
    q->random = qn_synth_mix(wish->seed);
    quern_index_stats(index, &q->stats);
    quern_status status = quern_searcher_new(&q->searcher, index, NULL, error);
    if (status == QUERN_OK && (q->tokenizer = qn_tokenizer_new()) == NULL)
        status = qn_fail_memory(error);
    if (status == QUERN_OK && !q->stats.stored)
        status = take_terms(q, index, error);
    if (status == QUERN_OK)
        *out = q;
    else
        qn_synth_queries_free(q);
    return status;
}

void qn_synth_queries_free(qn_synth_queries *queries)
{
    if (queries == NULL)
        return;
    quern_searcher_free(queries->searcher);
    qn_tokenizer_free(queries->tokenizer);
    qn_buffer_free(&queries->bytes);
    qn_text_free(&queries->query);
    free(queries->word);
    free(queries);
}
