/* Random indexes and a naive scorer: see query_index.h. */
#define _GNU_SOURCE
#include "tests/support/query_index.h"

#include "index/segment/deletes.h"
#include "index/segment/lengths.h"
#include "index/segment/postings_writer.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned field_of(unsigned n_fields, uint32_t term)
{
    return n_fields == 0 ? 0 : term % n_fields;
}

void test_term_text(uint32_t term, unsigned n_fields, char text[TEST_TERM_ROOM])
{
    if (n_fields > 0)
        *text++ = (char)(field_of(n_fields, term) + 1);
    (void)snprintf(text, TEST_TERM_ROOM - 1, "t%05u", term % 100000);
}

/* ---- documents ---- */

/* Small numbers are frequent: the smallest of two draws, sometimes of six. */
static uint32_t draw_term(uint32_t vocabulary, test_random *random)
{
    uint32_t best = test_below(random, vocabulary);
    unsigned draws = test_below(random, 3) == 0 ? 1 : 5;
    for (unsigned i = 0; i < draws; i++) {
        uint32_t other = test_below(random, vocabulary);
        best = other < best ? other : best;
    }
    return best;
}

static size_t make_document(const test_index_params *p, test_word *words, test_random *random)
{
    size_t n = test_below(random, p->max_words + 1);
    uint32_t position = 0;
    bool same = p->huge_tf && test_below(random, 100) == 0;
    uint32_t term = draw_term(p->vocabulary, random);
    for (size_t i = 0; i < n; i++) {
        words[i] = (test_word){same ? term : draw_term(p->vocabulary, random), position};
        /* Mostly the next position; sometimes a gap, sometimes the same one again. */
        uint32_t dice = test_below(random, 16);
        position += dice == 0 ? 0 : dice == 1 ? 2 + test_below(random, 90) : 1;
    }
    return n;
}

static void make_documents(test_index *index)
{
    const test_index_params *p = &index->params;
    test_random random = p->seed;
    index->first_word = calloc((size_t)p->n_docs + 1, sizeof *index->first_word);
    index->word = calloc((size_t)p->n_docs * p->max_words + 1, sizeof *index->word);
    for (uint32_t doc = 0; doc < p->n_docs; doc++) {
        test_word *words = index->word + index->first_word[doc];
        size_t n;
        if (doc % p->copies != 0) {
            n = index->first_word[doc] - index->first_word[doc - 1];
            memcpy(words, words - n, n * sizeof *words);
        } else {
            n = make_document(p, words, &random);
        }
        index->first_word[doc + 1] = index->first_word[doc] + n;
    }
}

/* The words of a document in a field. */
static uint32_t length_of(const test_index *index, uint32_t doc, unsigned field)
{
    uint32_t n = 0;
    for (size_t i = index->first_word[doc]; i < index->first_word[doc + 1]; i++)
        n += field_of(index->params.n_fields, index->word[i].term) == field;
    return n;
}

static unsigned count_fields(const test_index *index)
{
    return index->params.n_fields == 0 ? 1 : index->params.n_fields;
}

/* Fills the lengths of a segment of documents [from, to), and its counts. */
static uint8_t *make_lengths(const test_index *index, uint32_t from, uint32_t to,
                             qn_field_counts *counts)
{
    size_t n_docs = to - from;
    uint8_t *lengths = calloc(1, n_docs * count_fields(index) + 64);
    for (unsigned f = 0; f < count_fields(index); f++) {
        counts[f] = (qn_field_counts){0};
        for (uint32_t doc = from; doc < to; doc++) {
            uint32_t n = length_of(index, doc, f);
            lengths[f * n_docs + (doc - from)] = qn_length_encode(n);
            counts[f].n_tokens += n;
        }
        counts[f].average = n_docs == 0 ? 0 : (double)counts[f].n_tokens / (double)n_docs;
    }
    return lengths;
}

/* f0^1, f1^2, ... */
static void name_fields(qn_fields *fields, unsigned n)
{
    *fields = (qn_fields){.n = n};
    for (unsigned f = 0; f < n; f++) {
        (void)snprintf(fields->field[f].name, sizeof fields->field[f].name, "f%u", f);
        fields->field[f].weight = (float)(f + 1);
    }
}

/* ---- segments ---- */

/* A word of a segment, to be sorted by term. */
typedef struct posting {
    uint32_t field, term, doc, position;
} posting;

static int compare_postings(const void *a, const void *b)
{
    const posting *x = a, *y = b;
    if (x->field != y->field)
        return x->field < y->field ? -1 : 1;
    if (x->term != y->term)
        return x->term < y->term ? -1 : 1;
    if (x->doc != y->doc)
        return x->doc < y->doc ? -1 : 1;
    return x->position < y->position ? -1 : x->position > y->position;
}

static void write_postings(qn_postings_writer *writer, unsigned n_fields, const posting *p,
                           size_t n)
{
    quern_error error;
    uint32_t *gaps = calloc(n + 1, sizeof *gaps);
    for (size_t i = 0; i < n;) {
        char text[TEST_TERM_ROOM];
        uint32_t term = p[i].term;
        test_term_text(term, n_fields, text);
        qn_postings_writer_begin(writer, text, strlen(text));
        while (i < n && p[i].term == term) {
            uint32_t doc = p[i].doc, tf = 0, before = 0;
            for (; i < n && p[i].term == term && p[i].doc == doc; i++) {
                gaps[tf++] = p[i].position - before;
                before = p[i].position;
            }
            cr_assert_eq(qn_postings_writer_add(writer, doc, tf, gaps, &error), QUERN_OK, "%s",
                         error.message);
        }
        cr_assert_eq(qn_postings_writer_end(writer, &error), QUERN_OK, "%s", error.message);
    }
    free(gaps);
}

static void write_segment(const qn_postings_params *params, const posting *p, size_t n, int dirfd,
                          qn_postings_totals *totals)
{
    quern_error error;
    qn_postings_writer *writer;
    qn_container_writer container;
    cr_assert_eq(qn_container_writer_open(&container, dirfd, "x.qx", "x.qx", QN_FILE_INDEX, &error),
                 QUERN_OK, "%s", error.message);
    cr_assert_eq(qn_postings_writer_new(&writer, &container, dirfd, "x", params, &error), QUERN_OK);
    write_postings(writer, params->n_fields, p, n);
    cr_assert_eq(qn_postings_writer_finish(writer, totals, &error), QUERN_OK);
    cr_assert_eq(qn_container_writer_finish(&container, &error), QUERN_OK, "%s", error.message);
    qn_container_writer_close(&container);
    qn_postings_writer_free(writer);
}

/* The number of each of n documents, drawn at random; makes what a reordered segment has of them.
 */
static uint32_t *draw_numbers(test_index *index, unsigned segment, uint32_t n)
{
    const uint8_t *lengths = index->lengths[segment];
    size_t n_codes = (size_t)n * count_fields(index);
    test_random random = index->params.seed + 77 * (segment + 1);
    uint32_t *number = calloc((size_t)n + 1, sizeof *number);
    uint32_t *ordinal = calloc((size_t)n + 1, sizeof *ordinal);
    unsigned width = qn_ordinals_width(n);
    index->ordinals[segment] = calloc(1, qn_bitpack_bytes(n, width) + 64);
    index->codes[segment] = calloc(1, n_codes + 64);
    for (uint32_t i = 0; i < n; i++) { /* Fisher and Yates */
        uint32_t other = test_below(&random, i + 1);
        ordinal[i] = ordinal[other];
        ordinal[other] = i;
    }
    for (uint32_t i = 0; i < n; i++)
        number[ordinal[i]] = i;
    for (size_t i = 0; i < n_codes; i++)
        index->codes[segment][i] = lengths[i - i % n + ordinal[i % n]];
    (void)qn_bitpack_pack(ordinal, n, width, index->ordinals[segment]);
    free(ordinal);
    return number;
}

/* Writes documents [from, to) as one segment, reads the file into memory and opens it. */
static void make_segment(test_index *index, uint32_t from, uint32_t to)
{
    size_t first = index->first_word[from], n = index->first_word[to] - first;
    posting *p = calloc(n + 1, sizeof *p);
    size_t at = 0;
    unsigned number = index->n_segments++;
    qn_segment *s = &index->segment[number];
    qn_segment_meta *meta = &s->meta;
    index->lengths[number] = make_lengths(index, from, to, meta->counts);
    uint32_t *numbers = index->params.reordered ? draw_numbers(index, number, to - from) : NULL;
    for (uint32_t doc = from; doc < to; doc++)
        for (size_t i = index->first_word[doc]; i < index->first_word[doc + 1]; i++)
            p[at++] = (posting){
                field_of(index->params.n_fields, index->word[i].term), index->word[i].term,
                numbers == NULL ? doc - from : numbers[doc - from], index->word[i].position};
    qsort(p, n, sizeof *p, compare_postings);
    qn_postings_params params = {.n_docs = to - from,
                                 .n_fields = index->params.n_fields,
                                 .lengths = numbers == NULL ? index->lengths[number]
                                                            : index->codes[number],
                                 .counts = meta->counts,
                                 .k1 = index->params.k1,
                                 .b = index->params.b,
                                 .coded_df = index->params.coded_df,
                                 .dense_df = index->params.dense_df,
                                 .positions = !index->params.no_positions};
    char *path;
    int dirfd = test_dir_open(&path);
    qn_postings_totals totals;
    write_segment(&params, p, n, dirfd, &totals);
    free(p);

    quern_error error;
    index->bytes[number] = test_read_at(dirfd, "x.qx", &index->len[number]);
    test_dir_close(dirfd, path);
    cr_assert_eq(qn_container_open_bytes(&s->index, index->bytes[number], index->len[number],
                                         "x.qx", QN_FILE_INDEX, false, &error),
                 QUERN_OK, "%s", error.message);
    meta->n_docs = params.n_docs;
    meta->n_tokens = n;
    meta->n_terms = totals.n_terms;
    meta->n_postings = totals.n_postings;
    meta->k1 = params.k1;
    meta->b = params.b;
    meta->coded_df = params.coded_df;
    meta->dense_df = params.dense_df;
    meta->positions = params.positions;
    name_fields(&meta->fields, params.n_fields);
    s->n_windows = qn_segment_windows(params.n_docs);
    s->base = from;
    for (unsigned f = 0; f < count_fields(index); f++)
        s->lengths[f] = (numbers == NULL ? index->lengths[number] : index->codes[number]) +
                        (size_t)f * params.n_docs;
    s->ordinals = index->ordinals[number];
    free(numbers);
    s->postings = s->index.section[QN_SECTION_POSTINGS];
    s->positions = s->index.section[QN_SECTION_POSITIONS];
    s->bounds = s->index.section[QN_SECTION_BOUNDS];
    s->kernels = qn_block_kernels_for(qn_cpu_detect());
    cr_assert_eq(qn_dict_open(&s->dict, &s->index, totals.n_terms, params.n_docs, params.positions,
                              params.coded_df, &error),
                 QUERN_OK, "%s", error.message);
    s->dict.n_fields = params.n_fields;
}

/* Whole windows at random now and then, else single documents. */
static void delete_some(test_index *index, unsigned number, test_random *random)
{
    qn_segment *s = &index->segment[number];
    uint32_t n_docs = s->meta.n_docs;
    if (index->params.deleted == 0 || n_docs == 0)
        return;
    uint8_t *bits = calloc(1, qn_deletes_bytes(n_docs) + 64);
    bool all = test_below(random, 20) == 0;
    for (uint32_t doc = 0; doc < n_docs; doc++) {
        if (!all && test_below(random, 1000) >= index->params.deleted)
            continue;
        bits[doc / 8] |= (uint8_t)(1u << doc % 8);
        s->n_deleted++;
    }
    index->gone[number] = bits; /* the same documents in whatever order they are kept */
    s->deleted = s->gone = bits;
    if (s->ordinals == NULL)
        return;
    s->deleted = index->deleted[number] = calloc(1, qn_deletes_bytes(n_docs) + 64);
    for (uint32_t doc = 0; doc < n_docs; doc++)
        if (qn_segment_is_gone(s, qn_segment_ordinal(s, doc)))
            index->deleted[number][doc / 8] |= (uint8_t)(1u << doc % 8);
}

bool test_index_is_deleted(const test_index *index, uint32_t doc)
{
    for (unsigned i = 0; i < index->n_segments; i++) {
        const qn_segment *s = &index->segment[i];
        if (doc >= s->base && doc - s->base < s->meta.n_docs)
            return qn_segment_is_gone(s, doc - s->base);
    }
    return false;
}

void test_index_new(test_index *index, const test_index_params *params)
{
    *index = (test_index){.params = *params, .n_docs = params->n_docs};
    make_documents(index);
    test_random random = params->seed + 1;
    uint32_t from = 0;
    for (unsigned s = 0; s < params->n_segments; s++) {
        /* Unequal parts; the last takes the rest. */
        uint32_t left = params->n_docs - from;
        uint32_t to =
            s + 1 == params->n_segments ? params->n_docs : from + test_below(&random, left / 2 + 1);
        make_segment(index, from, to);
        delete_some(index, s, &random);
        from = to;
    }
}

void test_index_of_words(test_index *index, const test_index_params *params, const test_word *words,
                         size_t n)
{
    *index = (test_index){.params = *params, .n_docs = 1};
    index->first_word = calloc(2, sizeof *index->first_word);
    index->word = calloc(n + 1, sizeof *index->word);
    memcpy(index->word, words, n * sizeof *words);
    index->first_word[1] = n;
    make_segment(index, 0, 1);
}

void test_index_free(test_index *index)
{
    for (unsigned s = 0; s < index->n_segments; s++) {
        qn_container_close(&index->segment[s].index);
        free(index->bytes[s]);
        free(index->deleted[s]);
        free(index->lengths[s]);
        free(index->gone[s]);
        free(index->ordinals[s]);
        free(index->codes[s]);
    }
    free(index->first_word);
    free(index->word);
    *index = (test_index){0};
}

void test_index_use_level(test_index *index)
{
    for (unsigned s = 0; s < index->n_segments; s++)
        index->segment[s].kernels = qn_block_kernels_for(qn_cpu_detect());
}

/* ---- queries ---- */

void test_query_add(test_query *query, qn_occur occur, uint32_t qtf, const uint32_t *terms,
                    const uint32_t *positions, uint32_t n)
{
    uint32_t first = (uint32_t)query->query.n_terms;
    query->query.clause = query->clause;
    query->query.term = query->term;
    query->clause[query->query.n_clauses++] = (qn_clause){occur, qtf, first, n, 0};
    query->query.fields = query->n_fields > 0 ? &query->fields : NULL;
    for (uint32_t i = 0; i < n; i++) {
        char *text = query->text[first + i];
        test_term_text(terms[i], query->n_fields, text);
        query->number[first + i] = terms[i];
        query->term[first + i] =
            (qn_query_term){{text, strlen(text)}, positions == NULL ? i : positions[i]};
    }
    query->query.n_terms += n;
}

void test_query_word(test_query *query, qn_occur occur, uint32_t qtf, uint32_t term)
{
    test_query_add(query, occur, qtf, &term, NULL, 1);
}

/* Makes some should clauses groups: at most three. */
static void draw_groups(test_query *query, test_random *random)
{
    uint32_t number[3] = {0};
    for (size_t c = 0; c < query->query.n_clauses; c++) {
        uint32_t group = test_below(random, 3);
        if (query->clause[c].occur != QN_SHOULD || test_below(random, 2) == 0)
            continue;
        if (number[group] == 0)
            number[group] = (uint32_t)++query->query.n_groups;
        query->clause[c].occur = QN_ANY;
        query->clause[c].group = number[group];
    }
}

static void draw_fields(test_query *query, unsigned n, test_random *random)
{
    query->n_fields = n;
    name_fields(&query->fields, n);
    for (unsigned f = 0; f < n; f++)
        query->fields.field[f].weight = (float)(1 + test_below(random, 500)) / 100;
}

void test_query_random(test_query *query, const test_query_params *params, uint32_t vocabulary,
                       test_random *random)
{
    query->query = (qn_query){0};
    draw_fields(query, params->n_fields, random);
    uint32_t n = 1 + test_below(random, params->max_clauses);
    for (uint32_t c = 0; c < n; c++) {
        uint32_t dice = test_below(random, 8), terms[4], positions[4], n_terms = 1;
        qn_occur occur = dice == 0 && params->nots                   ? QN_NOT
                         : (dice == 1 || dice == 2) && params->musts ? QN_MUST
                                                                     : QN_SHOULD;
        if (params->phrases && test_below(random, 3) == 0)
            n_terms = 2u + (test_below(random, 4) == 0) + (test_below(random, 16) == 0);
        uint32_t position = 0;
        for (uint32_t i = 0; i < n_terms; i++) {
            terms[i] = test_below(random, 2) == 0 ? draw_term(vocabulary, random)
                                                  : test_below(random, vocabulary + 1);
            if (params->n_fields > 0) /* a phrase stands in one field */
                terms[i] = terms[i] - field_of(params->n_fields, terms[i]) +
                           field_of(params->n_fields, terms[0]);
            positions[i] = position;
            position += 1u + (test_below(random, 10) == 0);
        }
        uint32_t qtf = test_below(random, 6) == 0 ? 1 + test_below(random, 4) : 1;
        test_query_add(query, occur, qtf, terms, positions, n_terms);
    }
    if (params->groups)
        draw_groups(query, random);
}

/* ---- scoring from documents ---- */

static uint32_t count_term(const test_index *index, uint32_t doc, uint32_t term)
{
    uint32_t tf = 0;
    for (size_t i = index->first_word[doc]; i < index->first_word[doc + 1]; i++)
        tf += index->word[i].term == term;
    return tf;
}

static bool stands_at(const test_index *index, uint32_t doc, uint32_t term, uint64_t position)
{
    for (size_t i = index->first_word[doc]; i < index->first_word[doc + 1]; i++)
        if (index->word[i].term == term && index->word[i].position == position)
            return true;
    return false;
}

static uint32_t count_phrase(const test_index *index, uint32_t doc, const qn_query *query,
                             const qn_clause *clause, const uint32_t *numbers)
{
    const qn_query_term *term = query->term + clause->first_term;
    uint32_t freq = 0, least = UINT32_MAX;
    for (uint32_t i = 0; i < clause->n_terms; i++) {
        uint32_t tf = count_term(index, doc, numbers[i]);
        least = tf < least ? tf : least;
    }
    if (clause->n_terms == 1 || index->params.no_positions || least == 0)
        return least;
    size_t first = index->first_word[doc], end = index->first_word[doc + 1];
    for (uint64_t start = 0; end > first && start <= index->word[end - 1].position; start++) {
        bool all = true;
        for (uint32_t i = 0; i < clause->n_terms && all; i++)
            all = stands_at(index, doc, numbers[i], start + term[i].position - term[0].position);
        freq += all;
    }
    return freq;
}

static uint64_t count_df(const test_index *index, uint32_t term)
{
    uint64_t df = 0;
    for (uint32_t doc = 0; doc < index->n_docs; doc++)
        df += count_term(index, doc, term) > 0;
    return df;
}

static int compare_hits(const void *a, const void *b)
{
    const quern_hit *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->doc < y->doc ? -1 : 1;
}

static float naive_weight(const test_index *index, const qn_query *query, const qn_clause *clause,
                          const uint32_t *numbers, const quern_search_options *options)
{
    double N = options->documents != 0 ? (double)options->documents : (double)index->n_docs;
    double idf = 0;
    for (uint32_t i = 0; i < clause->n_terms; i++) {
        double df =
            options->df != NULL
                ? (double)options->df(options->df_arg, query->term[clause->first_term + i].text)
                : (double)count_df(index, numbers[clause->first_term + i]);
        df = df > N ? N : df;
        idf += log(1 + (N - df + 0.5) / (df + 0.5));
    }
    if (query->fields != NULL)
        idf *= (double)query->fields
                   ->field[(unsigned char)query->term[clause->first_term].text.data[0] - 1]
                   .weight;
    return (float)(idf * clause->qtf);
}

/* The tokens of a field in all documents. */
static double count_tokens(const test_index *index, unsigned field,
                           const quern_search_options *options)
{
    if (index->params.n_fields > 1 && options->field_tokens != NULL)
        return (double)options->field_tokens[field];
    if (index->params.n_fields <= 1 && options->tokens != 0)
        return (double)options->tokens;
    double n = 0;
    for (uint32_t doc = 0; doc < index->n_docs; doc++)
        n += (double)length_of(index, doc, field);
    return n;
}

static float norm_of(const test_index *index, uint32_t doc, unsigned field, double tokens,
                     const quern_search_options *options)
{
    double N = options->documents != 0 ? (double)options->documents : (double)index->n_docs;
    double average = N == 0 || tokens == 0 ? 1 : tokens / N;
    double length = qn_length_decode(qn_length_encode(length_of(index, doc, field))),
           k1 = options->k1, b = options->b;
    return (float)(k1 * (1.0 - b + b * length / average));
}

quern_hit *test_naive_search(const test_index *index, const qn_query *query,
                             const uint32_t *term_numbers, const quern_search_options *options,
                             size_t k, size_t *n_hits)
{
    quern_hit *hits = calloc((size_t)index->n_docs + 1, sizeof *hits);
    float weight[64];
    for (size_t c = 0; c < query->n_clauses; c++)
        weight[c] = naive_weight(index, query, &query->clause[c], term_numbers, options);
    double tokens[QN_FIELDS_MAX];
    for (unsigned f = 0; f < count_fields(index); f++)
        tokens[f] = count_tokens(index, f, options);
    size_t n = 0;
    for (uint32_t doc = 0; doc < index->n_docs; doc++) {
        bool matches = false, out = test_index_is_deleted(index, doc);
        float sum = 0;
        bool met[8] = {true};
        for (size_t c = 0; c < query->n_clauses && !out; c++) {
            const qn_clause *clause = &query->clause[c];
            uint32_t tf =
                count_phrase(index, doc, query, clause, term_numbers + clause->first_term);
            out = clause->occur == QN_NOT ? tf > 0 : clause->occur == QN_MUST && tf == 0;
            if (tf == 0 || clause->occur == QN_NOT)
                continue;
            matches = true;
            met[clause->group] = true;
            unsigned f = field_of(index->params.n_fields, term_numbers[clause->first_term]);
            float part = (float)tf / ((float)tf + norm_of(index, doc, f, tokens[f], options));
            float contribution = weight[c] * part;
            sum = sum + contribution;
        }
        for (size_t group = 1; group <= query->n_groups; group++)
            out = out || !met[group];
        if (matches && !out)
            hits[n++] = (quern_hit){doc, sum};
    }
    qsort(hits, n, sizeof *hits, compare_hits);
    *n_hits = n < k ? n : k;
    return hits;
}

quern_hit *test_index_search(const test_index *index, const quern_search_options *options,
                             const qn_query *query, size_t k, size_t *n, const char **used)
{
    qn_search *search;
    quern_error error;
    cr_assert_eq(qn_search_new(&search, index->segment, index->n_segments, options, &error),
                 QUERN_OK, "%s", error.message);
    const quern_hit *hits;
    quern_hit *copy = NULL;
    /* Twice: scratch memory that the first run leaves behind must not matter. */
    for (unsigned i = 0; i < 2; i++) {
        free(copy);
        cr_assert_eq(qn_search_run(search, query, k, &hits, n, &error), QUERN_OK, "%s",
                     error.message);
        copy = calloc(*n + 1, sizeof *copy);
        if (*n > 0)
            memcpy(copy, hits, *n * sizeof *copy);
    }
    *used = qn_search_evaluator(search);
    qn_search_free(search);
    return copy;
}
