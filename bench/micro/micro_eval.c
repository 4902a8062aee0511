/*
 * Speed of the evaluators' inner loops (query/eval_kernels.h), at every level that this machine
 * has. Each figure is the median of several runs; the data of a loop stays in the first-level or
 * second-level cache, as in a query. Loops over windows go through several different ones, which a
 * branch predictor does not learn.
 *
 *     micro_eval [--json] [RUNS]
 */
#include "bench/micro/micro.h"
#include "index/base/bytes.h"
#include "query/eval_kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WINDOW = 4096,    /* documents of a window */
    WINDOWS = 16,     /* different ones */
    N = WINDOW,       /* elements of a call that is not about windows */
    BLOCK = 256,      /* postings that are kept or left out together */
    N_DOCS = 1 << 16, /* whose lengths are looked up */
    REPEATS = 16      /* calls in one timed run */
};

typedef struct work {
    /* Postings of a whole list, and numbers of ranges. */
    uint32_t docs[N], tfs[N], ends[N_DOCS / WINDOW];
    uint8_t lengths[N_DOCS + QN_PADDING];
    float norms[256], norm[N], values[N], out[N];
    uint32_t kept_doc[BLOCK];
    float kept_value[BLOCK];
    uint8_t maxima[N], made[N_DOCS / 64];
    uint16_t sums[N], more[N], grown[N];
    /* Windows: bitmaps with codes, groups, and what is known of their ranges and documents. */
    uint8_t words[WINDOWS][WINDOW / 8], ranks[WINDOWS][32], starts[WINDOWS][32];
    uint8_t codes[WINDOW / 2 + QN_PADDING], low[WINDOW + QN_PADDING];
    qn_coded_window coded[WINDOWS];
    qn_group_window grouped[WINDOWS];
    uint64_t live[WINDOWS], room[64];
    uint16_t offset[WINDOWS][64]; /* of documents that are asked for */
    uint8_t table[16], rest[64];
    uint8_t bytes[WINDOW], other[WINDOW];
    unsigned n_postings; /* of the windows together */
    uint64_t sink;       /* results, so that no call is left out */
} work;

/* ---- data ---- */

/* Each bit is set with a chance of 1 in 2^halvings. */
static uint64_t next_bits(uint64_t *state, unsigned halvings)
{
    uint64_t bits = ~(uint64_t)0;
    for (unsigned i = 0; i < halvings; i++)
        bits &= next_random(state);
    return bits;
}

/* What does not depend on the row: ascending documents (one in 16), small frequencies. */
static void fill(work *w)
{
    uint64_t state = 1;
    for (unsigned i = 0; i < N_DOCS; i++)
        w->lengths[i] = (uint8_t)(20 + next_random(&state) % 40);
    for (unsigned i = 0; i < 256; i++)
        w->norms[i] = 0.5f + (float)i / 64;
    for (unsigned i = 0; i < N; i++) {
        w->docs[i] = i * (N_DOCS / N) + (uint32_t)(next_random(&state) % (N_DOCS / N));
        w->tfs[i] = 1 + (uint32_t)(next_random(&state) % 4 * (next_random(&state) % 2));
        w->norm[i] = w->norms[w->lengths[i]];
        w->values[i] = 10 * next_unit(&state);
        w->maxima[i] = (uint8_t)(next_random(&state) % 3 == 0 ? 0 : next_random(&state));
        w->sums[i] = (uint16_t)(next_random(&state) % 1000);
        w->more[i] = (uint16_t)(next_random(&state) % 2 * next_random(&state) % 1000);
        w->low[i] = w->other[i] = (uint8_t)next_random(&state);
        w->codes[i / 2] = (uint8_t)next_random(&state);
    }
    for (unsigned i = 1; i < 16; i++)
        w->table[i] = (uint8_t)(8 * i);
    for (unsigned i = 0; i < 64; i++)
        w->rest[i] = (uint8_t)(next_random(&state) % 100);
}

/* Bitmaps of that density (1 in 2^halvings), documents that are asked for in their live ranges;
 * of the ranges 1 in 2^live_halvings is live. */
static void fill_bitmaps(work *w, unsigned halvings, unsigned live_halvings)
{
    uint64_t state = 2 + halvings;
    for (unsigned i = 0; i < WINDOWS; i++) {
        uint32_t rank = 0;
        for (unsigned r = 0; r < 64; r++) {
            uint64_t word = next_bits(&state, halvings);
            if (r % 8 == 0)
                qn_store_u32(w->ranks[i] + r / 2, rank);
            qn_store_u64(w->words[i] + 8 * (size_t)r, word);
            rank += (uint32_t)__builtin_popcountll(word);
        }
        w->live[i] = next_bits(&state, live_halvings) | 1;
        w->coded[i] = (qn_coded_window){
            .words = w->words[i], .ranks = w->ranks[i], .codes = w->codes, .df = rank};
        for (unsigned j = 0; j < 64; j++) /* one a range; all are live where it is asked for */
            w->offset[i][j] = (uint16_t)(64 * j + next_random(&state) % 64);
        qn_eval_kernels_for(QN_CPU_SCALAR)->rank_ranges(&w->coded[i], ~(uint64_t)0);
    }
    w->n_postings = 0;
}

/* Groups of about `size` postings. */
static void fill_groups(work *w, unsigned size, unsigned live_halvings)
{
    uint64_t state = 3 + size;
    w->n_postings = 0;
    for (unsigned i = 0; i < WINDOWS; i++) {
        uint32_t end = 0;
        for (unsigned g = 0; g < 16; g++) {
            qn_store_u16(w->starts[i] + 2 * (size_t)g, (uint16_t)end);
            end += size / 2 + (uint32_t)(next_random(&state) % (size + 1));
        }
        end = end < WINDOW ? end : WINDOW;
        w->live[i] = next_bits(&state, live_halvings) | 1;
        w->grouped[i] = (qn_group_window){
            .starts = w->starts[i], .end = end, .df = end, .low = w->low, .codes = w->codes};
        for (unsigned j = 0; j < 64; j++)
            w->offset[i][j] = (uint16_t)(64 * j + next_random(&state) % 64);
        w->n_postings += end;
    }
}

/* ---- what is timed ---- */

/* Whole arrays: N elements. */

static void run_score(work *w, const qn_eval_kernels *kernels)
{
    kernels->score(w->docs, w->tfs, N, w->lengths, w->norms, 2.5f, w->out);
}

static void run_score_tfs(work *w, const qn_eval_kernels *kernels)
{
    kernels->score_tfs(w->tfs, w->norm, N, 2.5f, w->out);
}

static void run_add_scores(work *w, const qn_eval_kernels *kernels)
{
    kernels->add_scores(w->tfs, w->norm, N, 2.5f, w->out);
}

/* Half are kept. They are copied before, in the time. */
static void run_keep(work *w, const qn_eval_kernels *kernels)
{
    for (size_t i = 0; i < N; i += BLOCK) {
        memcpy(w->kept_doc, w->docs + i, sizeof w->kept_doc);
        memcpy(w->kept_value, w->values + i, sizeof w->kept_value);
        w->sink += kernels->keep(w->kept_doc, w->kept_value, BLOCK, 5);
    }
}

static void run_clear(work *w, const qn_eval_kernels *kernels)
{
    kernels->clear(w->bytes, N);
}

static void run_range_maxima(work *w, const qn_eval_kernels *kernels)
{
    kernels->range_maxima(w->docs, w->values, N, 25, w->made);
}

static void run_window_ends(work *w, const qn_eval_kernels *kernels)
{
    kernels->window_ends(w->docs, N, 0, w->ends);
}

static void run_add_bounds(work *w, const qn_eval_kernels *kernels)
{
    kernels->add_bounds(w->grown, w->maxima, N, 200);
}

static void run_set_bounds(work *w, const qn_eval_kernels *kernels)
{
    kernels->set_bounds(w->grown, w->maxima, N, 200);
}

static void run_min_bounds(work *w, const qn_eval_kernels *kernels)
{
    kernels->min_bounds(w->grown, w->maxima, N, 200);
}

static void run_min_sums(work *w, const qn_eval_kernels *kernels)
{
    kernels->min_sums(w->grown, w->more, N);
}

static void run_add_sums(work *w, const qn_eval_kernels *kernels)
{
    kernels->add_sums(w->grown, w->more, N);
}

static void run_add_required(work *w, const qn_eval_kernels *kernels)
{
    kernels->add_required(w->grown, w->more, N);
}

static void run_add_optional(work *w, const qn_eval_kernels *kernels)
{
    kernels->add_optional(w->grown, w->more, N);
}

static void run_count_bounds(work *w, const qn_eval_kernels *kernels)
{
    w->sink += kernels->count_bounds(w->sums, N, 700);
}

static void run_max_bound(work *w, const qn_eval_kernels *kernels)
{
    w->sink += kernels->max_bound(w->sums, N);
}

static void run_find_bounds(work *w, const qn_eval_kernels *kernels)
{
    for (size_t i = 0; i < N; i += 64)
        w->sink += kernels->find_bounds(w->sums + i, 900);
}

static void run_range_bytes(work *w, const qn_eval_kernels *kernels)
{
    for (size_t i = 0; i < N; i += 64)
        kernels->range_bytes(w->other, w->maxima + i, 200, w->rest);
}

/* The postings of each window in turn: added as far as their ranges are live. */
static void run_add_values(work *w, const qn_eval_kernels *kernels)
{
    for (size_t i = 0; i < N; i += BLOCK)
        kernels->add_values(w->bytes, w->live[i / BLOCK], w->docs + i, w->values + i, BLOCK, 25);
}

/* All windows. */

static void run_rank_ranges(work *w, const qn_eval_kernels *kernels)
{
    for (unsigned i = 0; i < WINDOWS; i++)
        kernels->rank_ranges(&w->coded[i], w->live[i]);
}

static void run_find_postings(work *w, const qn_eval_kernels *kernels)
{
    uint32_t postings[64];
    for (unsigned i = 0; i < WINDOWS; i++)
        w->sink += kernels->find_postings(&w->coded[i], w->offset[i], 64, postings);
}

static void run_add_codes(work *w, const qn_eval_kernels *kernels)
{
    for (unsigned i = 0; i < WINDOWS; i++)
        w->sink += kernels->add_codes(w->bytes, w->live[i], &w->coded[i], w->table, w->rest, 1);
}

static void run_set_codes(work *w, const qn_eval_kernels *kernels)
{
    for (unsigned i = 0; i < WINDOWS; i++)
        kernels->set_codes(w->bytes, w->live[i], &w->coded[i], w->table);
}

static void run_keep_live(work *w, const qn_eval_kernels *kernels)
{
    for (unsigned i = 0; i < WINDOWS; i++)
        w->sink += kernels->keep_live(w->bytes, w->live[i], w->rest, 1);
}

static void run_min_bytes(work *w, const qn_eval_kernels *kernels)
{
    for (unsigned i = 0; i < WINDOWS; i++)
        kernels->min_bytes(w->bytes, w->live[i], w->other);
}

static void run_add_bytes(work *w, const qn_eval_kernels *kernels)
{
    for (unsigned i = 0; i < WINDOWS; i++)
        kernels->add_bytes(w->bytes, w->live[i], w->other);
}

static void run_find_bytes(work *w, const qn_eval_kernels *kernels)
{
    for (unsigned i = 0; i < WINDOWS; i++)
        kernels->find_bytes(w->other, w->live[i], 100, w->room);
}

static void run_fetch_groups(work *w, const qn_eval_kernels *kernels)
{
    for (unsigned i = 0; i < WINDOWS; i++)
        kernels->fetch_groups(&w->grouped[i], w->live[i]);
}

static void run_add_groups(work *w, const qn_eval_kernels *kernels)
{
    for (unsigned i = 0; i < WINDOWS; i++)
        kernels->add_groups(w->bytes, w->live[i], &w->grouped[i], w->table);
}

static void run_group_words(work *w, const qn_eval_kernels *kernels)
{
    for (unsigned i = 0; i < WINDOWS; i++)
        kernels->group_words(&w->grouped[i], w->room);
}

static void run_find_grouped(work *w, const qn_eval_kernels *kernels)
{
    uint32_t postings[64];
    for (unsigned i = 0; i < WINDOWS; i++)
        w->sink += kernels->find_grouped(&w->grouped[i], w->offset[i], 64, postings);
}

/* What the elements are that a row counts. */
typedef enum unit { POSTINGS, RANGES, BYTES, DOCS, ASKED, GROUPED, LIVE } unit;

static const char *const UNITS[] = {"postings",  "ranges",   "bytes", "documents",
                                    "documents", "postings", "ranges"};

/* `fill`, if any, makes the windows; of them one in 2^live ranges is live. `bytes` of arrays are
 * read and written for an element; 0 where that is not the same for all, or where single places are
 * looked up. Tables that many elements share are left out. */
static const struct row {
    const char *name;
    void (*run)(work *w, const qn_eval_kernels *kernels);
    unit unit;
    void (*fill)(work *w, unsigned value, unsigned live);
    unsigned value, live;
    double bytes;
} ROWS[] = {
    {"score", run_score, POSTINGS, NULL, 0, 0, 13},
    {"score_tfs", run_score_tfs, POSTINGS, NULL, 0, 0, 12},
    {"add_scores", run_add_scores, POSTINGS, NULL, 0, 0, 16},
    {"keep", run_keep, POSTINGS, NULL, 0, 0, 28},
    {"clear", run_clear, BYTES, NULL, 0, 0, 1},
    {"range_maxima", run_range_maxima, POSTINGS, NULL, 0, 0, 8},
    {"window_ends", run_window_ends, POSTINGS, NULL, 0, 0, 4},
    {"add_bounds", run_add_bounds, RANGES, NULL, 0, 0, 5},
    {"set_bounds", run_set_bounds, RANGES, NULL, 0, 0, 3},
    {"min_bounds", run_min_bounds, RANGES, NULL, 0, 0, 5},
    {"min_sums", run_min_sums, RANGES, NULL, 0, 0, 6},
    {"add_sums", run_add_sums, RANGES, NULL, 0, 0, 6},
    {"add_required", run_add_required, RANGES, NULL, 0, 0, 6},
    {"add_optional", run_add_optional, RANGES, NULL, 0, 0, 6},
    {"count_bounds", run_count_bounds, RANGES, NULL, 0, 0, 2},
    {"max_bound", run_max_bound, RANGES, NULL, 0, 0, 2},
    {"find_bounds", run_find_bounds, RANGES, NULL, 0, 0, 2},
    {"range_bytes", run_range_bytes, RANGES, NULL, 0, 0, 3},
    {"add_values, all live", run_add_values, POSTINGS, fill_bitmaps, 1, 0, 10},
    {"add_values, 1/4 live", run_add_values, POSTINGS, fill_bitmaps, 1, 2, 0},
    {"rank_ranges, all live", run_rank_ranges, LIVE, fill_bitmaps, 3, 0, 0},
    {"rank_ranges, 1/4 live", run_rank_ranges, LIVE, fill_bitmaps, 3, 2, 0},
    {"find_postings", run_find_postings, ASKED, fill_bitmaps, 3, 0, 0},
    {"add_codes, density 1/2", run_add_codes, DOCS, fill_bitmaps, 1, 0, 2.375},
    {"add_codes, density 1/8", run_add_codes, DOCS, fill_bitmaps, 3, 0, 2.1875},
    {"add_codes, density 1/32", run_add_codes, DOCS, fill_bitmaps, 5, 0, 2.1406},
    {"add_codes, 1/8, 1/4 live", run_add_codes, DOCS, fill_bitmaps, 3, 2, 2.1875},
    {"set_codes, density 1/2", run_set_codes, DOCS, fill_bitmaps, 1, 0, 1.375},
    {"set_codes, density 1/8", run_set_codes, DOCS, fill_bitmaps, 3, 0, 1.1875},
    {"set_codes, density 1/32", run_set_codes, DOCS, fill_bitmaps, 5, 0, 1.1406},
    {"keep_live", run_keep_live, DOCS, fill_bitmaps, 3, 0, 1},
    {"min_bytes", run_min_bytes, DOCS, fill_bitmaps, 3, 0, 3},
    {"add_bytes", run_add_bytes, DOCS, fill_bitmaps, 3, 0, 3},
    {"find_bytes", run_find_bytes, DOCS, fill_bitmaps, 3, 0, 1.125},
    {"fetch_groups of 16", run_fetch_groups, GROUPED, fill_groups, 16, 0, 0},
    {"add_groups of 8", run_add_groups, GROUPED, fill_groups, 8, 0, 3.75},
    {"add_groups of 16", run_add_groups, GROUPED, fill_groups, 16, 0, 3.625},
    {"add_groups of 32", run_add_groups, GROUPED, fill_groups, 32, 0, 3.5625},
    {"add_groups of 64", run_add_groups, GROUPED, fill_groups, 64, 0, 3.5312},
    {"add_groups of 16, 1/4 live", run_add_groups, GROUPED, fill_groups, 16, 2, 0},
    {"group_words, of 16", run_group_words, GROUPED, fill_groups, 16, 0, 0},
    {"find_grouped, of 8", run_find_grouped, ASKED, fill_groups, 8, 0, 0},
    {"find_grouped, of 32", run_find_grouped, ASKED, fill_groups, 32, 0, 0},
};

/* Elements of a call; postings of groups that are not live count, too. */
static double elements(const work *w, unit counted)
{
    unsigned n_live = 0;
    for (unsigned i = 0; i < WINDOWS; i++)
        n_live += (unsigned)__builtin_popcountll(w->live[i]);
    switch (counted) {
    case POSTINGS:
    case RANGES:
    case BYTES:
        break;
    case DOCS:
        return 64 * (double)n_live;
    case LIVE:
        return n_live;
    case ASKED:
        return 64 * WINDOWS;
    case GROUPED:
        return w->n_postings;
    }
    return N;
}

/* ---- timing ---- */

/* The median seconds of a call at each level. The levels take turns, so that a machine that is
 * slower for a while is so for all of them. */
static void time_row(work *w, const struct row *row, unsigned n_runs,
                     double seconds[QN_CPU_AVX512 + 1])
{
    static double times[QN_CPU_AVX512 + 1][MAX_RUNS];
    if (row->fill != NULL)
        row->fill(w, row->value, row->live);
    for (unsigned r = 0; r < n_runs; r++) {
        for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
            const qn_eval_kernels *kernels = qn_eval_kernels_for(cpu);
            memset(w->grown, 0, sizeof w->grown);
            row->run(w, kernels); /* fills the caches */
            double start = now();
            for (unsigned i = 0; i < REPEATS; i++)
                row->run(w, kernels);
            times[cpu][r] = (now() - start) / REPEATS;
        }
    }
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++)
        seconds[cpu] = median(times[cpu], n_runs);
}

static void print_row(const work *w, const struct row *row, const double *seconds)
{
    printf("%-26s %-9s", row->name, UNITS[row->unit]);
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++)
        printf(" %9.0f", 1e-6 * elements(w, row->unit) / seconds[cpu]);
    printf("\n");
    (void)fflush(stdout);
}

static void put_row(const work *w, const struct row *row, const double *seconds)
{
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
        double rate = elements(w, row->unit) / seconds[cpu];
        put_kernel(&(kernel_speed){.program = "micro_eval",
                                   .kernel = row->name,
                                   .level = qn_cpu_name(cpu),
                                   .of = UNITS[row->unit],
                                   .values_per_s = rate,
                                   .bytes_per_s = rate * row->bytes});
    }
}

static void report_rows(work *w, const micro_options *options)
{
    fill(w);
    if (!options->json) {
        printf("million elements a second\n%-26s %-9s", "kernel", "elements");
        for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++)
            printf(" %9s", qn_cpu_name(cpu));
        printf("\n");
    }
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        double seconds[QN_CPU_AVX512 + 1];
        time_row(w, &ROWS[i], options->runs, seconds);
        if (options->json)
            put_row(w, &ROWS[i], seconds);
        else
            print_row(w, &ROWS[i], seconds);
    }
}

int main(int argc, char **argv)
{
    static const micro_form form = {"micro_eval [--json] [RUNS]", 21, 0, 0, 1};
    micro_options options = read_options(&form, argc, argv);
    work *w = calloc(1, sizeof *w);
    if (w == NULL) {
        (void)fputs("micro_eval: out of memory\n", stderr);
        return 1;
    }
    report_rows(w, &options);
    if (w->sink == 1) /* never, but the compiler cannot know */
        printf("\n");
    free(w);
    return finished(true);
}
