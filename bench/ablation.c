/*
 * What each technique gains in time and costs in bytes: the same queries by the full evaluator and
 * by evaluators that lack something, on one index; and by the full one on other indexes of the same
 * documents (tuned otherwise). All take turns round by round, a query counts with the median of its
 * rounds, and every answer is held against that of the full evaluator: a difference is an error.
 * The script bench/ablation makes the indexes.
 *
 *     ablation [--json] [-r ROUNDS] [-s QUERIES-OF-A-FILE] -i INDEX [-i INDEX]... QUERIES...
 *
 * Files of queries have lines qid<TAB>text. Single-threaded; times go from text to answer. As JSON,
 * the mean over the queries is told of each round.
 */
#include "bench/micro/micro.h"
#include "engine/index.h"
#include "engine/quern.h"
#include "index/base/bytes.h"
#include "index/base/cpu.h"
#include "query/eval_context.h"
#include "query/parse.h"
#include "query/search.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_INDEXES = 8, MAX_SETS = 8, MAX_QUERIES = 100000, MAX_ROUNDS = 101 };

static const size_t KS[] = {10, 1000};
enum { N_KS = sizeof KS / sizeof *KS };

/* ---- what is compared ---- */

typedef struct variant {
    const char *name, *evaluator; /* NULL: the one that is chosen */
    qn_cpu most;                  /* no better SIMD level */
    unsigned range;               /* documents that share a stored bound */
    qn_eval_switches switches;
} variant;

#define BEST QN_CPU_AVX512

/* On the first index; the first is what the others are held against. */
static const variant VARIANTS[] = {
    {"full", NULL, BEST, QN_RANGE, {0}},
    {"full once more (the noise)", NULL, BEST, QN_RANGE, {0}},
    {"AVX2", NULL, QN_CPU_AVX2, QN_RANGE, {0}},
    {"portable C", NULL, QN_CPU_SCALAR, QN_RANGE, {0}},
    {"every posting (exhaustive)", "exhaustive", BEST, QN_RANGE, {0}},
    {"no seeds of thresholds", NULL, BEST, QN_RANGE, {.no_seeds = true}},
    {"best ranges not first", NULL, BEST, QN_RANGE, {.no_best_first = true}},
    {"neither of both", NULL, BEST, QN_RANGE, {.no_seeds = true, .no_best_first = true}},
    {"bounds of 128 documents", NULL, BEST, 128, {0}},
    {"bounds of 256 documents", NULL, BEST, 256, {0}},
    {"bounds of 512 documents", NULL, BEST, 512, {0}},
    {"7 bounds of codes", NULL, BEST, QN_RANGE, {.n_bounds = 7}},
    {"3 bounds of codes", NULL, BEST, QN_RANGE, {.n_bounds = 3}},
    {"1 bound of codes", NULL, BEST, QN_RANGE, {.n_bounds = 1}},
};
enum { N_VARIANTS = sizeof VARIANTS / sizeof *VARIANTS, MAX_ROWS = N_VARIANTS + MAX_INDEXES };

/* A variant on an index. */
typedef struct side {
    const variant *variant;
    const quern_index *index;
    quern_stats stats;
    qn_segment *segment; /* copies, with bounds of their own where these are wider */
    uint8_t **bounds;    /* of each segment, or NULL */
    qn_search *search;
} side;

typedef struct query_set {
    char name[32];
    char **text;
    size_t n;
    double *times; /* [((row * N_KS + k) * n + query) * rounds + round], microseconds */
} query_set;

typedef struct work {
    quern_index *index[MAX_INDEXES];
    qn_analyzer *analyzer;
    qn_parser *parser;
    side row[MAX_ROWS];
    query_set set[MAX_SETS];
    size_t n_indexes, n_rows, n_sets, rounds, sample;
    bool json;
} work;

static _Noreturn void die(const char *what)
{
    (void)fprintf(stderr, "ablation: %s\n", what);
    exit(1);
}

static void check(quern_status status, const quern_error *error)
{
    if (status != QUERN_OK)
        die(error->message);
}

static void *allocate(size_t n, size_t size)
{
    void *memory = calloc(n == 0 ? 1 : n, size);
    if (memory == NULL)
        die("out of memory");
    return memory;
}

/* ---- sides ---- */

/* A copy of all range maxima, in which the ranges of each `width` documents have the largest. */
static uint8_t *widen(const qn_section *bounds, unsigned width)
{
    /* Two ranges have a byte; numbers of levels ascend with them. */
    size_t n = (size_t)bounds->len, step = width / QN_RANGE / 2;
    uint8_t *out = allocate(n + QN_PADDING, 1);
    for (size_t i = 0; i + step <= n; i += step) {
        unsigned most = 0;
        for (size_t j = i; j < i + step; j++) {
            unsigned low = bounds->data[j] & 15, high = bounds->data[j] >> 4;
            most = low > most ? low : most;
            most = high > most ? high : most;
        }
        memset(out + i, (int)(most << 4 | most), step);
    }
    return out;
}

static void open_side(side *s, const quern_index *index, const variant *lacks)
{
    quern_error error;
    quern_search_options options = QUERN_SEARCH_OPTIONS;
    qn_cpu level = lacks->most < qn_cpu_machine() ? lacks->most : qn_cpu_machine();
    options.evaluator = lacks->evaluator;
    *s = (side){.variant = lacks, .index = index};
    quern_index_stats(index, &s->stats);
    s->segment = allocate(index->n_segments, sizeof *s->segment);
    s->bounds = allocate(index->n_segments, sizeof *s->bounds);
    for (size_t i = 0; i < index->n_segments; i++) {
        s->segment[i] = index->segment[i];
        s->segment[i].kernels = qn_block_kernels_for(level);
        s->segment[i].index.expected = NULL; /* what is read may be none of the file's bytes */
        if (lacks->range != QN_RANGE)
            s->segment[i].bounds.data = s->bounds[i] =
                widen(&index->segment[i].bounds, lacks->range);
    }
    /* A search looks for its level when it is made. */
    if (setenv("QUERN_CPU", qn_cpu_name(level), 1) != 0)
        die("out of memory");
    check(qn_search_new(&s->search, s->segment, index->n_segments, &options, &error), &error);
    qn_search_switch(s->search, &lacks->switches);
}

static void close_side(side *s)
{
    qn_search_free(s->search);
    for (size_t i = 0; i < s->index->n_segments; i++)
        free(s->bounds[i]);
    free(s->bounds);
    free(s->segment);
}

/* ---- queries ---- */

/* The name of a file without folder and ending. */
static void name_set(query_set *set, const char *path)
{
    (void)snprintf(set->name, sizeof set->name, "%s", file_name(path));
    char *dot = strrchr(set->name, '.');
    if (dot != NULL)
        *dot = '\0';
}

/* Keeps `wanted` queries, evenly spread. */
static void thin_out(query_set *set, size_t wanted)
{
    if (wanted == 0 || wanted >= set->n)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < set->n; i++) {
        if (i == kept * set->n / wanted && kept < wanted)
            set->text[kept++] = set->text[i];
        else
            free(set->text[i]);
    }
    set->n = kept;
}

static void read_set(query_set *set, const char *path, size_t wanted)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0;
    if (file == NULL)
        die("a file of queries cannot be read");
    name_set(set, path);
    set->text = allocate(MAX_QUERIES, sizeof *set->text);
    while (set->n < MAX_QUERIES && getline(&line, &cap, file) >= 0) {
        char *tab = strchr(line, '\t');
        line[strcspn(line, "\r\n")] = '\0';
        set->text[set->n] = strdup(tab == NULL ? line : tab + 1);
        if (set->text[set->n++] == NULL)
            die("out of memory");
    }
    if (ferror(file) != 0 || set->n == 0)
        die("a file of queries is empty or cannot be read");
    free(line);
    (void)fclose(file);
    thin_out(set, wanted);
}

/* ---- timing ---- */

/* Answers a query; returns a hash of the documents and the bits of their scores (FNV-1a), and how
 * many microseconds it took. */
static uint64_t answer(const work *w, const side *s, const char *text, size_t k, double *took)
{
    const qn_query *query;
    const char *notice;
    const quern_hit *hits;
    size_t n;
    quern_error error;
    double start = now();
    check(qn_parser_parse(w->parser, (quern_span){text, strlen(text)}, QUERN_SYNTAX_QUERY, false,
                          &query, &notice, &error),
          &error);
    check(qn_search_run(s->search, query, k, &hits, &n, &error), &error);
    *took = (now() - start) * 1e6;
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < n; i++) {
        uint32_t score;
        memcpy(&score, &hits[i].score, sizeof score);
        hash = (hash ^ hits[i].doc) * 1099511628211u;
        hash = (hash ^ score) * 1099511628211u;
    }
    return hash;
}

/* Before the rounds: fills caches, and compares. */
static void compare(const work *w, const query_set *set, size_t k)
{
    double took;
    for (size_t q = 0; q < set->n; q++) {
        uint64_t full = answer(w, &w->row[0], set->text[q], k, &took);
        for (size_t r = 1; r < w->n_rows; r++) {
            if (answer(w, &w->row[r], set->text[q], k, &took) == full)
                continue;
            (void)fprintf(stderr, "ablation: %s differs: k %zu, %s\n", w->row[r].variant->name, k,
                          set->text[q]);
            exit(1);
        }
    }
}

/* Every query once; times[q * rounds]. */
static void run_row(const work *w, const query_set *set, size_t row, size_t k, double *times)
{
    for (size_t q = 0; q < set->n; q++)
        (void)answer(w, &w->row[row], set->text[q], k, times + q * w->rounds);
}

static void run_set(const work *w, query_set *set)
{
    size_t n = set->n * w->rounds; /* of a row and k */
    set->times = allocate(w->n_rows * N_KS * n, sizeof *set->times);
    for (size_t k = 0; k < N_KS; k++) {
        compare(w, set, KS[k]);
        for (size_t round = 0; round < w->rounds; round++)
            for (size_t r = 0; r < w->n_rows; r++) {
                double *times = set->times + (r * N_KS + k) * n + round;
                /* Once for nothing: the row before may have filled the caches with another index,
                 * or with all of this. */
                if (w->row[r].variant->evaluator == NULL)
                    run_row(w, set, r, KS[k], times);
                run_row(w, set, r, KS[k], times);
            }
    }
}

/* The mean over queries of the medians over rounds. */
static double mean_of(const work *w, const query_set *set, size_t row, size_t k)
{
    double sum = 0;
    for (size_t q = 0; q < set->n; q++) {
        double *times = set->times + ((row * N_KS + k) * set->n + q) * w->rounds;
        sum += median(times, w->rounds);
    }
    return sum / (double)set->n;
}

/* ---- what is printed ---- */

static const char *tune_name(quern_tune tune)
{
    static const char *const names[] = {"balanced", "size", "speed"};
    return names[tune];
}

/* Bytes without stored text, in which range bounds are as wide as the row has them. */
static double bytes_of(const side *s)
{
    uint64_t bounds = s->stats.bytes.bounds;
    uint64_t rest = s->stats.bytes.total - s->stats.bytes.store - bounds;
    return (double)rest + (double)bounds * QN_RANGE / s->variant->range;
}

static const char *name_row(const work *w, size_t row, char name[48])
{
    const side *s = &w->row[row];
    if (row < N_VARIANTS)
        (void)snprintf(name, 48, "%s", s->variant->name);
    else
        (void)snprintf(name, 48, "full, --tune %s", tune_name(s->stats.tune));
    return name;
}

/* The start of a line of JSON about a row. */
static void put_row(const work *w, size_t row)
{
    char name[48];
    const side *s = &w->row[row];
    printf("{\"v\":1,\"part\":\"ablation\"");
    put_label("technique", name_row(w, row, name));
    put_label("tune", tune_name(s->stats.tune));
    printf(",\"documents\":%llu", (unsigned long long)s->stats.documents);
}

static void put_sizes(const work *w)
{
    for (size_t r = 0; r < w->n_rows; r++) {
        put_row(w, r);
        printf(",\"index_bytes\":%.0f}\n", bytes_of(&w->row[r]));
    }
}

/* The mean over queries of each round. */
static void put_times(const work *w, const query_set *set)
{
    for (size_t round = 0; round < w->rounds; round++)
        for (size_t k = 0; k < N_KS; k++)
            for (size_t r = 0; r < w->n_rows; r++) {
                double sum = 0;
                for (size_t q = 0; q < set->n; q++)
                    sum += set->times[((r * N_KS + k) * set->n + q) * w->rounds + round];
                put_row(w, r);
                put_label("shape", set->name);
                printf(",\"k\":%zu,\"queries\":%zu", KS[k], set->n);
                put_figure("mean_us", sum / (double)set->n);
                printf("}\n");
            }
    (void)fflush(stdout);
}

static void print_row(const work *w, size_t row)
{
    char name[48];
    printf("%-27s %6.1f", name_row(w, row, name), 1e-6 * bytes_of(&w->row[row]));
    for (size_t i = 0; i < w->n_sets; i++)
        for (size_t k = 0; k < N_KS; k++) {
            double mean = mean_of(w, &w->set[i], row, k), full = mean_of(w, &w->set[i], 0, k);
            printf(" %8.1f %5.2f", mean, mean / full);
        }
    printf("\n");
}

static void print_times(const work *w)
{
    printf("%llu documents, index tuned %s; mean microseconds a query, and ratio to the full "
           "evaluator\n\n%-27s %6s",
           (unsigned long long)w->row[0].stats.documents, tune_name(w->row[0].stats.tune), "", "");
    for (size_t i = 0; i < w->n_sets; i++)
        printf(" %-29s", w->set[i].name);
    printf("\n%-27s %6s", "", "MB");
    for (size_t i = 0; i < w->n_sets * N_KS; i++)
        printf("   k %-10zu", KS[i % N_KS]);
    printf("\n");
    for (size_t r = 0; r < w->n_rows; r++)
        print_row(w, r);
}

static const struct {
    const char *name;
    size_t at;
} SECTIONS[] = {
    {"dictionary", offsetof(quern_bytes, dictionary)},
    {"docids", offsetof(quern_bytes, docids)},
    {"  of that bitmaps", offsetof(quern_bytes, bitmaps)},
    {"tf", offsetof(quern_bytes, tf)},
    {"  of that codes", offsetof(quern_bytes, codes)},
    {"positions", offsetof(quern_bytes, positions)},
    {"bounds", offsetof(quern_bytes, bounds)},
    {"lengths", offsetof(quern_bytes, lengths)},
    {"ids", offsetof(quern_bytes, ids)},
};

static void print_bytes(const work *w)
{
    printf("\n%-19s", "MB");
    for (size_t i = 0; i < w->n_indexes; i++) {
        quern_stats stats;
        quern_index_stats(w->index[i], &stats);
        printf(" %9s", tune_name(stats.tune));
    }
    printf("\n");
    for (size_t s = 0; s < sizeof SECTIONS / sizeof *SECTIONS; s++) {
        printf("%-19s", SECTIONS[s].name);
        for (size_t i = 0; i < w->n_indexes; i++) {
            quern_stats stats;
            uint64_t bytes;
            quern_index_stats(w->index[i], &stats);
            memcpy(&bytes, (const char *)&stats.bytes + SECTIONS[s].at, sizeof bytes);
            printf(" %9.1f", 1e-6 * (double)bytes);
        }
        printf("\n");
    }
}

/* ---- the whole ---- */

static void open_index(work *w, const char *path)
{
    quern_error error;
    if (w->n_indexes == MAX_INDEXES)
        die("too many indexes");
    check(quern_index_open(&w->index[w->n_indexes++], path, NULL, &error), &error);
}

static void read_arguments(work *w, int argc, char **argv)
{
    static const char usage[] =
        "ablation [--json] [-r ROUNDS] [-s QUERIES] -i INDEX [-i INDEX]... FILE...";
    static const struct option long_options[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
    int option;
    while ((option = getopt_long(argc, argv, "hi:r:s:", long_options, NULL)) != -1) {
        if (option == 'i') {
            open_index(w, optarg);
        } else if (option == 'r') {
            w->rounds = number_from(optarg, MAX_ROUNDS, usage);
        } else if (option == 's') {
            w->sample = number_from(optarg, MAX_QUERIES, usage);
        } else if (option == 'j') {
            w->json = true;
        } else if (option == 'h') {
            printf("usage: %s\n", usage);
            exit(finished(true));
        } else {
            wrong_usage(usage);
        }
    }
    if (w->n_indexes == 0 || optind == argc || argc - optind > MAX_SETS)
        wrong_usage(usage);
    for (int i = optind; i < argc; i++)
        read_set(&w->set[w->n_sets++], argv[i], w->sample);
}

static void open_all(work *w)
{
    quern_error error;
    check(qn_analyzer_new(&w->analyzer, &w->index[0]->settings, &error), &error);
    check(qn_parser_new(&w->parser, w->analyzer, &error), &error);
    for (size_t i = 0; i < N_VARIANTS; i++)
        open_side(&w->row[w->n_rows++], w->index[0], &VARIANTS[i]);
    for (size_t i = 1; i < w->n_indexes; i++)
        open_side(&w->row[w->n_rows++], w->index[i], &VARIANTS[0]);
}

static void close_all(work *w)
{
    for (size_t i = 0; i < w->n_rows; i++)
        close_side(&w->row[i]);
    for (size_t i = 0; i < w->n_sets; i++) {
        for (size_t q = 0; q < w->set[i].n; q++)
            free(w->set[i].text[q]);
        free(w->set[i].text);
        free(w->set[i].times);
    }
    qn_parser_free(w->parser);
    qn_analyzer_free(w->analyzer);
    for (size_t i = 0; i < w->n_indexes; i++)
        quern_index_close(w->index[i]);
}

int main(int argc, char **argv)
{
    static work w = {.rounds = 7};
    read_arguments(&w, argc, argv);
    open_all(&w);
    if (w.json)
        put_sizes(&w);
    for (size_t i = 0; i < w.n_sets; i++) {
        run_set(&w, &w.set[i]);
        if (w.json)
            put_times(&w, &w.set[i]);
    }
    if (!w.json) {
        print_times(&w);
        print_bytes(&w);
    }
    close_all(&w);
    return finished(true);
}
