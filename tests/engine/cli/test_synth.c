/* The synthetic corpus: words that are distinct and stay themselves when stemmed, draws that follow
 * the law, documents that depend on seed and number alone, and queries of the shapes they are said
 * to be. */
#include "engine/cli/bench_queries.h"
#include "engine/cli/synth_model.h"
#include "engine/cli/synth_queries.h"
#include "engine/cli/synth_words.h"
#include "engine/cli/synth_zipf.h"
#include "index/base/checksum.h"
#include "index/text/stem.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- words ---- */

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Ranks of every length of word: each of the first, then fewer and fewer. */
static uint64_t rank_of(size_t i)
{
    enum { EACH = 400000, LATER = 20000 };
    return i < EACH ? i : EACH + (uint64_t)(i - EACH) * ((i - EACH) / LATER + 1) * 1717;
}

Test(synth_words, distinct_and_not_changed_by_the_stemmer)
{
    enum { N = 500000 };
    qn_synth_words words;
    qn_stem *stem;
    uint64_t *seen = calloc(N, sizeof *seen);
    qn_synth_words_make(&words);
    cr_assert_eq(qn_stem_new(&stem, "english", NULL), QUERN_OK);
    for (size_t i = 0; i < N; i++) {
        char word[QN_SYNTH_WORD_ROOM];
        size_t len = qn_synth_word(&words, rank_of(i), word), stem_len;
        const char *stemmed;
        cr_assert(len >= 1 && len <= 16);
        for (size_t j = 0; j < len; j++)
            cr_assert(word[j] >= 'a' && word[j] <= 'z');
        cr_assert_eq(qn_stem_word(stem, word, len, &stemmed, &stem_len, NULL), QUERN_OK);
        if (i >= QN_SYNTH_FUNCTION_WORDS)
            cr_assert(stem_len == len && memcmp(stemmed, word, len) == 0, "%.*s becomes %.*s",
                      (int)len, word, (int)stem_len, stemmed);
        seen[i] = qn_checksum(stemmed, stem_len);
    }
    qsort(seen, N, sizeof *seen, by_number);
    for (size_t i = 1; i < N; i++)
        cr_assert_neq(seen[i - 1], seen[i], "two words have one stem");
    qn_stem_free(stem);
    free(seen);
}

Test(synth_words, rarer_words_are_longer)
{
    static const uint64_t FROM[] = {128, 1100, 160000, 26000000, UINT64_C(4200000000)};
    qn_synth_words words;
    double before = 0;
    qn_synth_words_make(&words);
    for (size_t i = 0; i < sizeof FROM / sizeof *FROM; i++) {
        size_t sum = 0;
        for (uint64_t rank = FROM[i]; rank < FROM[i] + 100; rank++) {
            char word[QN_SYNTH_WORD_ROOM];
            sum += qn_synth_word(&words, rank, word);
        }
        cr_assert_gt((double)sum, before);
        before = (double)sum;
    }
}

Test(synth_words, known_ranks)
{
    static const struct {
        uint64_t rank;
        const char *word;
    } KNOWN[] = {{0, "the"}, {1, "to"}, {127, "too"}, {128, "bab"}, {UINT64_C(1) << 33, ""}};
    qn_synth_words words;
    qn_synth_words_make(&words);
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
        char word[QN_SYNTH_WORD_ROOM];
        size_t len = qn_synth_word(&words, KNOWN[i].rank, word);
        if (*KNOWN[i].word != '\0')
            cr_assert(len == strlen(KNOWN[i].word) && memcmp(word, KNOWN[i].word, len) == 0,
                      "rank %llu is %.*s", (unsigned long long)KNOWN[i].rank, (int)len, word);
        else
            cr_assert_geq(len, 10); /* five syllables */
    }
}

/* ---- the law ---- */

Test(synth_zipf, powers)
{
    static const double X[] = {0.3, 1, 2, 17.5, 1e6};
    for (size_t i = 0; i < sizeof X / sizeof *X; i++)
        for (unsigned n = 0; n <= 40; n++)
            cr_assert_float_eq(qn_synth_power(X[i], n) / pow(X[i], n / 16.0), 1, 1e-12);
    cr_assert_eq(qn_synth_power(2, 16), 2);
    cr_assert_eq(qn_synth_power(2, 40), 4 * sqrt(2));
}

/* Of two million draws, those of a rank are as many as the law says, to within six deviations. */
Test(synth_zipf, draws_follow_the_law)
{
    enum { N = 2000000, RANKS = 3000 };
    static const qn_synth_law LAW = {.shift = 0.5, .knee = 500, .slope = 16, .tail_slope = 12};
    qn_synth_zipf *zipf = calloc(1, sizeof *zipf);
    double *accent = calloc(QN_SYNTH_EXACT, sizeof *accent), sum = 0;
    uint32_t *drawn = calloc(RANKS, sizeof *drawn), rare = 0;
    for (size_t i = 0; i < QN_SYNTH_EXACT; i++)
        accent[i] = i % 3 == 0 ? 2 : 1;
    cr_assert_eq(qn_synth_zipf_make(zipf, &LAW, accent, NULL), QUERN_OK);
    qn_synth_random random = 1;
    for (size_t i = 0; i < N; i++) {
        uint64_t rank = qn_synth_zipf_draw(zipf, &random);
        cr_assert_lt(rank, UINT64_C(1) << 34);
        rare += rank >= UINT64_C(1) << 20;
        if (rank < RANKS)
            drawn[rank]++;
    }
    for (double rank = 1; rank < 1 << 22; rank++)
        sum += (rank <= QN_SYNTH_EXACT ? accent[(size_t)rank - 1] : 1) /
               ((rank + 0.5) * (1 + pow(rank / 500, 0.75)));
    for (size_t i = 0; i < RANKS; i++) {
        double rank = (double)i + 1;
        double expected = N * accent[i] / ((rank + 0.5) * (1 + pow(rank / 500, 0.75))) / sum;
        /* What lies beyond the sum is a hundredth or less. */
        cr_assert_float_eq(drawn[i], expected, 6 * sqrt(expected) + 0.02 * expected + 1,
                           "rank %zu: %u draws, not about %g", i, drawn[i], expected);
    }
    cr_assert_gt(rare, 0);
    free(drawn);
    free(accent);
    free(zipf);
}

/* ---- documents ---- */

static qn_buffer documents(uint64_t seed, uint64_t from, size_t n)
{
    qn_synth *synth;
    qn_buffer out = {0};
    cr_assert_eq(qn_synth_new(&synth, seed, NULL), QUERN_OK);
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(qn_synth_document(synth, from + i, &out, NULL), QUERN_OK);
    qn_synth_free(synth);
    return out;
}

/* Golden: the corpus of a seed is a promise, as figures that were published refer to it. */
Test(synth_model, golden)
{
    qn_buffer first = documents(1, 0, 1000), far = documents(7, UINT64_C(123456789), 100);
    cr_assert_eq(qn_checksum(first.data, first.len), UINT64_C(0x89F48E9AB0FECF7B), "0x%llX",
                 (unsigned long long)qn_checksum(first.data, first.len));
    cr_assert_eq(qn_checksum(far.data, far.len), UINT64_C(0x34E064DAEB9D1C9F), "0x%llX",
                 (unsigned long long)qn_checksum(far.data, far.len));
    qn_buffer_free(&first);
    qn_buffer_free(&far);
}

/* Blocks, articles and chapters begin anywhere; asked for backwards, in strides and at random, a
 * document is the same. */
Test(synth_model, documents_depend_on_their_number_alone)
{
    enum { FROM = 3 * 4096 - 700, N = 1400 };
    qn_buffer all = documents(5, FROM, N), one = {0};
    size_t *start = calloc(N + 1, sizeof *start), n = 0;
    for (size_t i = 0; i < all.len; i++)
        if (all.data[i] == '\n')
            start[++n] = i + 1;
    cr_assert_eq(n, N);
    qn_synth *synth;
    test_random random = 1;
    cr_assert_eq(qn_synth_new(&synth, 5, NULL), QUERN_OK);
    for (size_t i = 0; i < 3 * N; i++) {
        size_t at = i < N ? N - 1 - i : i < 2 * N ? i * 7 % N : test_below(&random, N);
        one.len = 0;
        cr_assert_eq(qn_synth_document(synth, FROM + at, &one, NULL), QUERN_OK);
        cr_assert(one.len == start[at + 1] - start[at] &&
                      memcmp(one.data, all.data + start[at], one.len) == 0,
                  "document %zu", at);
    }
    qn_synth_free(synth);
    qn_buffer_free(&one);
    qn_buffer_free(&all);
    free(start);
}

Test(synth_model, the_last_documents_and_other_seeds)
{
    qn_buffer last = documents(UINT64_MAX, QN_SYNTH_DOCUMENTS - 2, 2), a = documents(1, 0, 10),
              b = documents(2, 0, 10);
    cr_assert_eq(last.data[last.len - 1], '\n');
    cr_assert_not(a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
    qn_buffer_free(&last);
    qn_buffer_free(&a);
    qn_buffer_free(&b);
}

/* ---- queries ---- */

/* An index of 3,000 synthetic documents. */
static quern_index *synthetic_index(const char *dir, bool texts)
{
    char *file = test_path(dir, "corpus.jsonl"), *path = test_path(dir, "ix");
    qn_buffer corpus = documents(1, 0, 3000);
    quern_builder *builder;
    quern_index *index;
    quern_build_options options = QUERN_BUILD_OPTIONS;
    quern_source_options source = QUERN_SOURCE_OPTIONS;
    options.store = texts ? QUERN_STORE_TEXT : QUERN_STORE_NONE;
    test_write_file(file, corpus.data, corpus.len);
    cr_assert_eq(quern_builder_open(&builder, path, &options, NULL), QUERN_OK);
    cr_assert_eq(quern_builder_add_file(builder, file, &source, NULL), QUERN_OK);
    cr_assert_eq(quern_builder_commit(builder, NULL, NULL), QUERN_OK);
    quern_builder_free(builder);
    cr_assert_eq(quern_index_open(&index, path, NULL, NULL), QUERN_OK);
    qn_buffer_free(&corpus);
    free(file);
    free(path);
    return index;
}

/* The query's shape as quern bench tells it, its words within the wish, and an answer. */
static void check_query(quern_searcher *searcher, quern_span text, qn_synth_shape shape,
                        const qn_synth_wish *wish, double n_documents)
{
    static const qn_bench_shape SHAPE[QN_SYNTH_SHAPES] = {QN_BENCH_TERM,         QN_BENCH_UNION,
                                                          QN_BENCH_INTERSECTION, QN_BENCH_PHRASE,
                                                          QN_BENCH_NEGATED,      QN_BENCH_UNION};
    qn_bench_query query = {.text = text};
    qn_bench_queries list = {.query = &query, .n = 1};
    quern_matches matches;
    quern_explanation told;
    cr_assert_eq(qn_bench_queries_classify(&list, "english", QUERN_SYNTAX_TOPIC, NULL), QUERN_OK);
    cr_assert_eq(query.shape, SHAPE[shape], "%.*s", (int)text.len, text.data);
    cr_assert_eq(quern_count(searcher, text, &matches, NULL), QUERN_OK);
    cr_assert_gt(matches.n, 0, "%.*s", (int)text.len, text.data);
    cr_assert_eq(quern_explain(searcher, &told, NULL), QUERN_OK);
    if (shape == QN_SYNTH_QUESTION)
        return;
    size_t expected = shape == QN_SYNTH_TERM ? 1 : wish->words;
    if (expected > 0 && shape != QN_SYNTH_PHRASE)
        cr_assert_eq(told.n_terms, expected);
    for (size_t i = 0; i < told.n_terms; i++)
        cr_assert((double)told.term[i].df >= wish->df_min * n_documents &&
                      (double)told.term[i].df <= wish->df_max * n_documents,
                  "%.*s: %llu documents", (int)text.len, text.data,
                  (unsigned long long)told.term[i].df);
}

static void check_shapes(bool texts)
{
    static const qn_synth_wish WISHES[] = {
        {1, 0, 0, 1}, {2, 3, 0.01, 0.2}, {3, 2, 0.2, 1}, {4, 0, 0.001, 0.01}};
    char *dir = test_dir_new();
    quern_index *index = synthetic_index(dir, texts);
    quern_searcher *searcher;
    cr_assert_eq(quern_searcher_new(&searcher, index, NULL, NULL), QUERN_OK);
    for (size_t w = 0; w < sizeof WISHES / sizeof *WISHES; w++) {
        qn_synth_queries *queries;
        cr_assert_eq(qn_synth_queries_new(&queries, index, &WISHES[w], NULL), QUERN_OK);
        for (int shape = 0; shape < QN_SYNTH_SHAPES; shape++) {
            for (int i = 0; i < 20; i++) {
                qn_text text = {0};
                quern_error error = {0};
                quern_status status =
                    qn_synth_queries_draw(queries, (qn_synth_shape)shape, &text, &error);
                if (shape == QN_SYNTH_PHRASE && !texts) {
                    cr_assert_eq(status, QUERN_NOT_FOUND);
                } else if (status == QUERN_NOT_FOUND && !texts && w == 3) {
                    /* Rare words, each drawn by itself, stand in no document together. */
                    cr_assert(shape == QN_SYNTH_INTERSECTION || shape == QN_SYNTH_QUESTION);
                } else {
                    cr_assert_eq(status, QUERN_OK, "%s", error.message);
                    check_query(searcher,
                                (quern_span){(const char *)text.bytes.data, text.bytes.len},
                                (qn_synth_shape)shape, &WISHES[w], 3000);
                }
                qn_text_free(&text);
            }
        }
        qn_synth_queries_free(queries);
    }
    quern_searcher_free(searcher);
    quern_index_close(index);
    test_dir_free(dir);
}

Test(synth_queries, from_texts)
{
    check_shapes(true);
}

Test(synth_queries, from_terms)
{
    check_shapes(false);
}

Test(synth_queries, what_is_not_there_is_said)
{
    char *dir = test_dir_new();
    quern_index *index = synthetic_index(dir, true);
    const qn_synth_wish wish = {.seed = 1, .df_min = 0.33331, .df_max = 0.33332};
    qn_synth_queries *queries;
    qn_text text = {0};
    quern_error error = {0};
    cr_assert_eq(qn_synth_queries_new(&queries, index, &wish, NULL), QUERN_OK);
    cr_assert_eq(qn_synth_queries_draw(queries, QN_SYNTH_UNION, &text, &error), QUERN_NOT_FOUND);
    cr_assert(strstr(error.message, "union") != NULL, "%s", error.message);
    cr_assert_eq(text.bytes.len, 0);
    qn_synth_queries_free(queries);
    qn_text_free(&text);
    quern_index_close(index);
    test_dir_free(dir);
}
