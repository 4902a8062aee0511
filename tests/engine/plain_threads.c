/*
 * Threads, through the public interface: an index built by several threads is the same as one built
 * by one, and searchers that share an index answer as a lone one does.
 *
 * Without Criterion, whose workers need addresses that ThreadSanitizer keeps for itself.
 */
#define _GNU_SOURCE
#include "engine/quern.h"
#include "tests/support/random.h"

#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DOCUMENTS = 4000, WORDS = 60, VOCABULARY = 2000, QUERIES = 40, THREADS = 4, K = 20 };

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* A call that must succeed; says why it did not. */
static void must(quern_status status, const quern_error *error)
{
    if (status == QUERN_OK)
        return;
    fprintf(stderr, "%s: %s\n", quern_status_text(status), error->message);
    abort();
}

/* The answers to all queries: per query the number of hits, the hits, and a sum over the bytes of
 * ids and snippets. */
typedef struct answers {
    size_t n[QUERIES];
    quern_hit hit[QUERIES][K];
    uint64_t sum[QUERIES];
} answers;

typedef struct job {
    const quern_index *index;
    unsigned first; /* query to begin with, so that the threads do different things */
    answers *out;
} job;

/* Word numbers with a long tail: the product of two even draws. */
static unsigned draw_word(test_random *state)
{
    uint32_t a = test_below(state, 1000), b = test_below(state, 1000);
    return a * b * VOCABULARY / 1000000;
}

static void build(const char *path, unsigned threads)
{
    quern_build_options options = QUERN_BUILD_OPTIONS;
    quern_error error = {0};
    quern_builder *builder;
    test_random state = 1;
    options.threads = threads;
    options.memory = (uint64_t)64 << 20;
    must(quern_builder_open(&builder, path, &options, &error), &error);
    for (unsigned i = 0; i < DOCUMENTS; i++) {
        char id[16], text[WORDS * 8];
        size_t len = 0;
        snprintf(id, sizeof id, "d%u", i);
        for (unsigned w = 0; w < WORDS; w++)
            len += (size_t)snprintf(text + len, sizeof text - len, "w%u ", draw_word(&state));
        quern_document document = {.id = {id, strlen(id)}, .text = {text, len}};
        must(quern_builder_add(builder, &document, &error), &error);
    }
    must(quern_builder_commit(builder, NULL, &error), &error);
    quern_builder_free(builder);
}

static uint64_t sum_bytes(uint64_t sum, quern_span span)
{
    for (size_t i = 0; i < span.len; i++)
        sum = sum * 31 + (unsigned char)span.data[i];
    return sum;
}

static void answer(quern_searcher *searcher, unsigned q, answers *out)
{
    test_random state = q + 100;
    char query[64];
    quern_error error = {0};
    quern_hits hits;
    unsigned one = draw_word(&state), two = draw_word(&state);
    switch (q % 4) {
    case 0:
        snprintf(query, sizeof query, "w%u w%u w0 w1", one, two);
        break;
    case 1:
        snprintf(query, sizeof query, "+w%u +w%u", one, two);
        break;
    case 2:
        snprintf(query, sizeof query, "\"w%u w%u\"", one % 20, two % 20);
        break;
    default:
        snprintf(query, sizeof query, "w%u -w%u", one, two);
    }
    must(quern_search(searcher, (quern_span){query, strlen(query)}, K, &hits, &error), &error);
    CHECK(hits.n <= K);
    out->n[q] = hits.n;
    for (size_t i = 0; i < hits.n; i++)
        out->hit[q][i] = hits.hit[i];
    out->sum[q] = 0;
    for (size_t i = 0; i < out->n[q]; i++) {
        quern_span id;
        quern_snippet snippet;
        must(quern_fetch_id(searcher, out->hit[q][i].doc, &id, &error), &error);
        out->sum[q] = sum_bytes(out->sum[q], id);
        must(quern_snippet_of(searcher, out->hit[q][i].doc, 100, &snippet, &error), &error);
        out->sum[q] = sum_bytes(out->sum[q], snippet.text);
    }
}

static void *answer_all(void *arg)
{
    const job *j = arg;
    quern_error error = {0};
    quern_searcher *searcher;
    must(quern_searcher_new(&searcher, j->index, NULL, &error), &error);
    for (unsigned i = 0; i < QUERIES; i++)
        answer(searcher, (j->first + i) % QUERIES, j->out);
    quern_searcher_free(searcher);
    return NULL;
}

static void check_same(const answers *a, const answers *b)
{
    for (unsigned q = 0; q < QUERIES; q++) {
        CHECK(a->n[q] == b->n[q] && a->sum[q] == b->sum[q]);
        for (size_t i = 0; i < a->n[q]; i++)
            CHECK(a->hit[q][i].doc == b->hit[q][i].doc && a->hit[q][i].score == b->hit[q][i].score);
    }
}

static void check_searchers(const char *path)
{
    quern_error error = {0};
    quern_index *index;
    answers *out = calloc(THREADS + 1, sizeof *out);
    pthread_t thread[THREADS];
    job jobs[THREADS + 1];
    size_t found = 0;
    CHECK(out != NULL);
    must(quern_index_open(&index, path, NULL, &error), &error);
    for (unsigned i = 0; i <= THREADS; i++)
        jobs[i] = (job){index, i * QUERIES / THREADS, &out[i]};
    /* The lone one comes last: what it finds in caches must not hide a race. */
    for (unsigned i = 0; i < THREADS; i++)
        CHECK(pthread_create(&thread[i], NULL, answer_all, &jobs[i]) == 0);
    for (unsigned i = 0; i < THREADS; i++)
        CHECK(pthread_join(thread[i], NULL) == 0);
    answer_all(&jobs[THREADS]);
    for (unsigned i = 0; i < THREADS; i++)
        check_same(&out[i], &out[THREADS]);
    for (unsigned q = 0; q < QUERIES; q++)
        found += out[THREADS].n[q];
    CHECK(found > QUERIES);
    quern_index_close(index);
    free(out);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status, (void)type, (void)ftw;
    return remove(path);
}

int main(void)
{
    const char *tmp = getenv("TMPDIR");
    char folder[512], one[600], many[600], command[1300];
    snprintf(folder, sizeof folder, "%s/quern-threads-XXXXXX", tmp != NULL ? tmp : "/tmp");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(one, sizeof one, "%s/one", folder);
    snprintf(many, sizeof many, "%s/many", folder);
    build(one, 1);
    build(many, THREADS);
    snprintf(command, sizeof command, "diff -r '%s' '%s'", one, many);
    CHECK(system(command) == 0);
    check_searchers(many);
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    puts("threads: the same index, the same answers");
    return 0;
}
