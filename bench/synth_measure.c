/*
 * What bench/synth_check compares of a real and a synthetic index: facts about terms, documents,
 * gaps between postings, bytes, and the work and time of queries, each as a line NAME<TAB>VALUE.
 * Through the public interface.
 *
 *     synth_measure INDEX [QUERIES.tsv...]
 *
 * Queries are lines qid<TAB>query; the file's name without folder and ending stands in the facts.
 */
#include "bench/micro/micro.h"
#include "engine/quern.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 6, SAMPLE = 200, RANKS = 9, SHARES = 5, ROUNDS = 5, HITS_MAX = 1000000 };

/* Terms by how many documents hold them, from the least on. */
static const uint64_t CLASS_FROM[CLASSES + 1] = {2, 16, 256, 4096, 16384, 65536, UINT64_MAX};
static const uint64_t SHARE_FROM[SHARES + 1] = {1, 2, 4, 16, 256, UINT64_MAX};

typedef struct class
{
    double tf_sum;
    uint64_t seen; /* terms */
    quern_span sample[SAMPLE];
    uint64_t sample_df[SAMPLE];
} class;

typedef struct facts {
    quern_index *index;
    quern_searcher *searcher;
    quern_stats stats;
    quern_error error;
    class of[CLASSES];
    uint64_t share[SHARES];
    uint64_t *df; /* of every term */
    size_t n;
} facts;

static void check(facts *f, quern_status status)
{
    if (status == QUERN_OK)
        return;
    (void)fprintf(stderr, "synth_measure: %s\n",
                  f->error.message[0] != '\0' ? f->error.message : quern_status_text(status));
    exit(4);
}

static void *checked(void *memory)
{
    if (memory != NULL)
        return memory;
    (void)fputs("synth_measure: out of memory\n", stderr);
    exit(4);
}

static void put(const char *name, const char *of, double value)
{
    printf("%s%s%s\t%.6g\n", name, *of != '\0' ? " " : "", of, value);
}

/* ---- terms ---- */

static uint64_t random_state = 1;

/* Keeps an even sample of a class (Vitter 1985, algorithm R). */
static void sample_term(class *in, const quern_term *term)
{
    uint64_t at = in->seen < SAMPLE ? in->seen : next_random(&random_state) % (in->seen + 1);
    in->seen++;
    if (at >= SAMPLE)
        return;
    char *copy = checked(malloc(term->term.len + 1));
    memcpy(copy, term->term.data, term->term.len);
    free((void *)(uintptr_t)in->sample[at].data);
    in->sample[at] = (quern_span){copy, term->term.len};
    in->sample_df[at] = term->df;
}

static void take_terms(facts *f)
{
    quern_terms *terms;
    quern_term term;
    quern_status status;
    check(f, quern_terms_new(&terms, f->index, QUERN_STR(""), &f->error));
    f->df = checked(calloc((size_t)f->stats.terms + 1, sizeof *f->df));
    while ((status = quern_terms_next(terms, &term, &f->error)) == QUERN_OK) {
        if (f->n < f->stats.terms)
            f->df[f->n++] = term.df;
        for (size_t i = 0; i < SHARES; i++)
            f->share[i] += term.df >= SHARE_FROM[i] && term.df < SHARE_FROM[i + 1];
        for (size_t i = 0; i < CLASSES; i++) {
            if (term.df >= CLASS_FROM[i] && term.df < CLASS_FROM[i + 1]) {
                f->of[i].tf_sum += (double)term.cf / (double)term.df;
                sample_term(&f->of[i], &term);
            }
        }
    }
    check(f, status == QUERN_END ? QUERN_OK : status);
    quern_terms_free(terms);
}

static int descending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

static void put_terms(facts *f)
{
    static const size_t RANK[RANKS] = {1, 4, 16, 64, 256, 1024, 4096, 16384, 65536};
    static const char *const SHARE[SHARES] = {"df 1", "df 2-3", "df 4-15", "df 16-255", "df 256-"};
    char of[32];
    for (size_t i = 0; i < SHARES; i++)
        put("share of terms", SHARE[i], (double)f->share[i] / (double)f->stats.terms);
    qsort(f->df, f->n, sizeof *f->df, descending);
    for (size_t i = 0; i < RANKS; i++) {
        (void)snprintf(of, sizeof of, "%zu", RANK[i]);
        if (RANK[i] <= f->n)
            put("log2 of documents with term", of, log2((double)f->df[RANK[i] - 1]));
    }
}

/* ---- gaps ---- */

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The mean of log2(gap) if each document has the term with probability p, independently. */
static double expected_log2_gap(double p)
{
    if (p < 1.0 / 4096)
        return -log2(p) - 0.5772156649 / log(2); /* gaps are then exponential */
    double sum = 0, left = 1;
    for (uint32_t gap = 1; left > 1e-12; gap++) {
        sum += left * p * log2((double)gap);
        left *= 1 - p;
    }
    return sum;
}

/* How many bits a gap is below what it would be in random order; false if the word is no query. */
static bool gap_below_random(facts *f, quern_span word, uint64_t df, double *bits)
{
    quern_hits hits;
    quern_status status = quern_search(f->searcher, word, HITS_MAX, &hits, &f->error);
    check(f, status);
    if (hits.n != df || df < 2) /* stemmed once more, it is another */
        return false;
    uint32_t *doc = checked(calloc(hits.n, sizeof *doc));
    for (size_t i = 0; i < hits.n; i++)
        doc[i] = hits.hit[i].doc;
    qsort(doc, hits.n, sizeof *doc, ascending);
    double sum = 0;
    for (size_t i = 1; i < hits.n; i++)
        sum += log2((double)(doc[i] - doc[i - 1]));
    *bits = expected_log2_gap((double)df / (double)f->stats.documents) - sum / (double)(hits.n - 1);
    free(doc);
    return true;
}

static void put_classes(facts *f)
{
    for (size_t i = 0; i < CLASSES; i++) {
        class *in = &f->of[i];
        double sum = 0;
        size_t n = 0;
        char of[48];
        (void)snprintf(of, sizeof of, "df %llu-", (unsigned long long)CLASS_FROM[i]);
        if (in->seen > 0)
            put("mean tf", of, in->tf_sum / (double)in->seen);
        for (size_t j = 0; j < SAMPLE && j < in->seen; j++) {
            double bits;
            if (gap_below_random(f, in->sample[j], in->sample_df[j], &bits)) {
                sum += bits;
                n++;
            }
            free((void *)(uintptr_t)in->sample[j].data);
        }
        if (n > 0)
            put("gap bits below random", of, sum / (double)n);
    }
}

/* ---- documents and bytes ---- */

static void put_documents(facts *f)
{
    static const unsigned PERCENT[] = {5, 25, 50, 75, 95};
    size_t n = (size_t)f->stats.documents;
    uint32_t *length = checked(calloc(n + 1, sizeof *length));
    char of[16];
    for (size_t i = 0; i < n; i++)
        check(f, quern_document_length(f->searcher, (uint32_t)i, &length[i], &f->error));
    qsort(length, n, sizeof *length, ascending);
    put("tokens of a document", "", (double)f->stats.tokens / (double)n);
    put("postings of a document", "", (double)f->stats.postings / (double)n);
    for (size_t i = 0; n > 0 && i < sizeof PERCENT / sizeof *PERCENT; i++) {
        (void)snprintf(of, sizeof of, "p%u", PERCENT[i]);
        size_t at = (n - 1) * PERCENT[i] / 100;
        put("tokens of a document", of, (double)length[at]);
    }
    free(length);
}

static void put_bytes(const facts *f)
{
    const quern_bytes *b = &f->stats.bytes;
    double postings = (double)f->stats.postings;
    put("bits a posting", "docids", 8 * (double)b->docids / postings);
    put("bits a posting", "tf", 8 * (double)b->tf / postings);
    put("bits a posting", "bounds", 8 * (double)b->bounds / postings);
    put("bits a token", "positions", 8 * (double)b->positions / (double)f->stats.tokens);
    put("bytes a term", "dictionary", (double)b->dictionary / (double)f->stats.terms);
    put("bytes a document", "store", (double)b->store / (double)f->stats.documents);
}

/* ---- queries ---- */

/* The sums over all queries for one k; the time is that of the median round. */
static void put_queries(facts *f, const char *name, char **query, size_t n, size_t k)
{
    double time[ROUNDS] = {0}, documents = 0, ranges = 0, postings = 0;
    for (size_t round = 0; round < ROUNDS; round++) {
        double start = now();
        for (size_t i = 0; i < n; i++) {
            quern_hits hits;
            quern_span text = {query[i], strlen(query[i])};
            check(f, quern_search(f->searcher, text, k, &hits, &f->error));
            if (round > 0)
                continue;
            documents += (double)hits.work.documents;
            ranges += (double)hits.work.ranges;
            postings += (double)hits.work.postings;
        }
        time[round] = (now() - start) * 1e6;
    }
    char of[96];
    (void)snprintf(of, sizeof of, "%s k %zu", name, k);
    put("us", of, median(time, ROUNDS) / (double)n);
    put("documents scored", of, documents / (double)n);
    put("ranges", of, ranges / (double)n);
    put("postings decoded", of, postings / (double)n);
}

static void take_queries(facts *f, const char *path)
{
    FILE *file = fopen(path, "re");
    char *line = NULL, **query = NULL, name[64];
    size_t room = 0, n = 0, cap = 0;
    if (file == NULL) {
        (void)fprintf(stderr, "synth_measure: cannot open %s\n", path);
        exit(2);
    }
    while (getline(&line, &room, file) > 0) {
        char *tab = strchr(line, '\t');
        if (tab == NULL)
            continue;
        tab[1 + strcspn(tab + 1, "\n")] = '\0';
        if (n == cap) {
            cap = cap * 2 + 64;
            query = checked(realloc(query, cap * sizeof *query));
        }
        query[n++] = checked(strdup(tab + 1));
    }
    (void)fclose(file);
    (void)snprintf(name, sizeof name, "%s", file_name(path));
    name[strcspn(name, ".")] = '\0';
    if (n > 0) {
        put_queries(f, name, query, n, 10);
        put_queries(f, name, query, n, 1000);
    }
    for (size_t i = 0; i < n; i++)
        free(query[i]);
    free((void *)query);
    free(line);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fputs("usage: synth_measure INDEX [QUERIES.tsv...]\n", stderr);
        return 2;
    }
    facts f = {0};
    check(&f, quern_index_open(&f.index, argv[1], NULL, &f.error));
    check(&f, quern_searcher_new(&f.searcher, f.index, NULL, &f.error));
    quern_index_stats(f.index, &f.stats);
    put("terms", "", (double)f.stats.terms);
    take_terms(&f);
    put_documents(&f);
    put_terms(&f);
    put_classes(&f);
    put_bytes(&f);
    for (int i = 2; i < argc; i++)
        take_queries(&f, argv[i]);
    free(f.df);
    quern_searcher_free(f.searcher);
    quern_index_close(f.index);
    return finished(true);
}
