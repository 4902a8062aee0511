/* Real collections against runs of an independent implementation of the same words and score:
 * counts equal, scores within 1e-5 relative, order the same wherever scores differ by more. */
#define _GNU_SOURCE
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { K = 100, RUN_MAX = 400000 };

typedef struct entry {
    char qid[32], id[64];
    double score;
} entry;

static char *data_file(const char *format, const char *set)
{
    char name[128];
    (void)snprintf(name, sizeof name, format, set);
    return test_data(name);
}

static size_t read_run(const char *path, entry *run)
{
    char *command;
    cr_assert_gt(asprintf(&command, "zstd -dc '%s'", path), 0);
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    size_t n = 0;
    while (n < RUN_MAX &&
           fscanf(pipe, "%31s Q0 %63s %*d %lf %*s", run[n].qid, run[n].id, &run[n].score) == 3)
        n++;
    cr_assert_eq(pclose(pipe), 0);
    free(command);
    return n;
}

static bool close_to(double a, double b)
{
    return fabs(a - b) <= 1e-5 * fmax(fabs(a), fabs(b));
}

/* The answer of one query against the run's entries run[0..n). */
static void check_query(quern_searcher *searcher, const char *qid, const char *text,
                        const entry *run, size_t n)
{
    quern_error error;
    quern_hits hits;
    quern_span query = {text, strlen(text)};
    cr_assert_eq(quern_search(searcher, query, K, &hits, &error), QUERN_OK, "%s", error.message);
    cr_assert_eq(hits.n, n, "topic %s: %zu answers, not %zu", qid, hits.n, n);
    quern_hit *hit = malloc((hits.n + 1) * sizeof *hit);
    memcpy(hit, hits.hit, hits.n * sizeof *hit);
    for (size_t i = 0; i < n; i++) {
        cr_assert(close_to((double)hit[i].score, run[i].score),
                  "topic %s, rank %zu: %.9g, not %.9g", qid, i + 1, (double)hit[i].score,
                  run[i].score);
        /* The same document, or one whose score the reference holds equal to this one's. */
        quern_span id;
        cr_assert_eq(quern_fetch_id(searcher, hit[i].doc, &id, &error), QUERN_OK);
        bool found = false, last_tie = close_to(run[i].score, run[n - 1].score) && n == K;
        for (size_t j = 0; j < n && !found; j++)
            found = close_to(run[j].score, run[i].score) && strlen(run[j].id) == id.len &&
                    memcmp(run[j].id, id.data, id.len) == 0;
        cr_assert(found || last_tie, "topic %s, rank %zu: document %.*s", qid, i + 1, (int)id.len,
                  id.data);
    }
    free(hit);
}

static void check_stats(const quern_index *index, const char *path)
{
    unsigned long long documents, tokens, terms, postings;
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    cr_assert_eq(fscanf(file,
                        "{\"documents\": %llu, \"tokens\": %llu, \"terms\": %llu, \"postings\": "
                        "%llu}",
                        &documents, &tokens, &terms, &postings),
                 4);
    (void)fclose(file);
    quern_stats stats;
    quern_index_stats(index, &stats);
    cr_assert_eq(stats.documents, documents);
    cr_assert_eq(stats.tokens, tokens, "%llu tokens, not %llu", (unsigned long long)stats.tokens,
                 tokens);
    cr_assert_eq(stats.terms, terms);
    cr_assert_eq(stats.postings, postings);
}

static void check_topics(quern_searcher *searcher, const char *path, const entry *run, size_t n_run)
{
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    char *line = NULL;
    size_t cap = 0, at = 0;
    while (getline(&line, &cap, file) > 0 && at < n_run) {
        line[strcspn(line, "\r\n")] = 0;
        char *text = strchr(line, '\t');
        cr_assert_not_null(text);
        *text++ = 0;
        if (strcmp(line, run[at].qid) != 0)
            continue; /* a topic without judgments is not in the run */
        size_t n = 0;
        while (at + n < n_run && strcmp(run[at + n].qid, line) == 0)
            n++;
        check_query(searcher, line, text, run + at, n);
        at += n;
    }
    cr_assert_eq(at, n_run, "every topic of the run was asked");
    free(line);
    (void)fclose(file);
}

static void check_set(const char *set)
{
    char *corpus = data_file("%s/corpus.jsonl.zst", set);
    char *topics = data_file("%s/queries.tsv", set);
    char *golden = data_file("golden/%s.run.zst", set);
    char *stats = data_file("golden/%s.stats.json", set);
    if (corpus != NULL && topics != NULL && golden != NULL && stats != NULL) {
        char *dir = test_dir_new(), *path = test_path(dir, "x.idx");
        quern_error error;
        quern_builder *builder;
        quern_index *index;
        quern_searcher *searcher;
        cr_assert_eq(quern_builder_open(&builder, path, NULL, &error), QUERN_OK);
        cr_assert_eq(quern_builder_add_file(builder, corpus, NULL, &error), QUERN_OK, "%s",
                     error.message);
        cr_assert_eq(quern_builder_commit(builder, NULL, &error), QUERN_OK, "%s", error.message);
        quern_builder_free(builder);
        cr_assert_eq(quern_verify(path, NULL, NULL, &error), QUERN_OK, "%s", error.message);
        cr_assert_eq(quern_index_open(&index, path, NULL, &error), QUERN_OK, "%s", error.message);
        check_stats(index, stats);
        entry *run = calloc(RUN_MAX, sizeof *run);
        size_t n = read_run(golden, run);
        cr_assert_gt(n, 1000u);
        const quern_search_options defaults = QUERN_SEARCH_OPTIONS;
        for (const char *const *name = quern_evaluators(); *name != NULL; name++) {
            quern_search_options options = defaults;
            options.evaluator = *name;
            options.syntax = QUERN_SYNTAX_TOPIC;
            cr_assert_eq(quern_searcher_new(&searcher, index, &options, &error), QUERN_OK);
            check_topics(searcher, topics, run, n);
            quern_searcher_free(searcher);
        }
        free(run);
        quern_index_close(index);
        free(path);
        test_dir_free(dir);
    }
    free(corpus);
    free(topics);
    free(golden);
    free(stats);
}

Test(golden, cranfield)
{
    check_set("cranfield");
}

Test(golden, cacm)
{
    check_set("cacm");
}

Test(golden, npl_vaswani)
{
    check_set("npl-vaswani");
}

Test(golden, scifact)
{
    check_set("scifact");
}

/* What a reader of the customer's article would type finds it among 21,578 newswire articles. */
Test(golden, the_seed_article_is_found_first)
{
    char *reuters = test_data("reuters21578/corpus.jsonl.zst");
    char *seed = test_data("seed/article.txt");
    if (reuters == NULL || seed == NULL) {
        free(reuters);
        free(seed);
        return;
    }
    char *dir = test_dir_new(), *path = test_path(dir, "x.idx");
    quern_error error;
    quern_builder *builder;
    quern_index *index;
    quern_searcher *searcher;
    cr_assert_eq(quern_builder_open(&builder, path, NULL, &error), QUERN_OK);
    cr_assert_eq(quern_builder_add_file(builder, reuters, NULL, &error), QUERN_OK, "%s",
                 error.message);
    cr_assert_eq(quern_builder_add_file(builder, seed, NULL, &error), QUERN_OK, "%s",
                 error.message);
    cr_assert_eq(quern_builder_commit(builder, NULL, &error), QUERN_OK, "%s", error.message);
    quern_builder_free(builder);
    cr_assert_eq(quern_index_open(&index, path, NULL, &error), QUERN_OK);
    cr_assert_eq(quern_searcher_new(&searcher, index, NULL, &error), QUERN_OK);
    static const char *const queries[] = {"huawei leaves the united states", "huawei",
                                          "huawei us market", "chinese telecom company huawei"};
    for (unsigned i = 0; i < sizeof queries / sizeof *queries; i++) {
        quern_hits hits;
        quern_span id, query = {queries[i], strlen(queries[i])};
        cr_assert_eq(quern_search(searcher, query, 10, &hits, &error), QUERN_OK);
        cr_assert_gt(hits.n, 0u);
        cr_assert_eq(quern_fetch_id(searcher, hits.hit[0].doc, &id, &error), QUERN_OK);
        cr_assert(id.len == strlen(seed) && memcmp(id.data, seed, id.len) == 0, "%s: %.*s",
                  queries[i], (int)id.len, id.data);
    }
    quern_searcher_free(searcher);
    quern_index_close(index);
    free(path);
    free(reuters);
    free(seed);
    test_dir_free(dir);
}
