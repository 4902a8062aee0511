/*
 * Speed of the block codec: encoding, decoding and decoding of ascending values, at every level
 * that this machine has, for plain widths and for the mixes of gaps and term frequencies that an
 * index holds. Each figure is the median of several runs over the same 64 Ki values, in cache.
 *
 *     micro_block [--json] [RUNS]
 *
 * As JSON, bytes_per_s are those of values and of coded bytes together, read and written; of the
 * plain widths there are some.
 */
#include "bench/micro/micro.h"
#include "index/base/bytes.h"
#include "index/codec/block.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    N_BLOCKS = 512,
    N_VALUES = N_BLOCKS * QN_BLOCK,
    REPEATS = 4 /* passes over the values in one timed run */
};

typedef struct work {
    uint32_t *values;
    uint8_t *coded;
    size_t coded_len;
    uint32_t *out;
    bool json;
    unsigned n_runs;
} work;

/* ---- values ---- */

/* Between 0 and 1, and neither: logarithms are taken. */
static double next_inside(uint64_t *state)
{
    return ((double)(next_random(state) >> 11) + 0.5) * 0x1p-53;
}

/* Uniform values of `width` bits, one of each block with the top bit set. */
static void fill_width(uint32_t *values, unsigned width)
{
    uint64_t state = width;
    for (unsigned i = 0; i < N_VALUES; i++) {
        values[i] = (uint32_t)(next_random(&state) & ((UINT64_C(1) << width) - 1));
        if (i % QN_BLOCK == 0 && width > 0)
            values[i] |= UINT32_C(1) << (width - 1);
    }
}

/* A gap - 1 of a term that is in one of `every` documents, if documents were independent. */
static uint32_t next_gap(uint64_t *state, double every)
{
    return (uint32_t)(log(next_inside(state)) / log1p(-1 / every));
}

static void fill_geometric(uint32_t *values, double every)
{
    uint64_t state = (uint64_t)every;
    for (unsigned i = 0; i < N_VALUES; i++)
        values[i] = next_gap(&state, every);
}

/* A term that comes in bursts: runs of near documents, far apart. */
static void fill_bursts(uint32_t *values)
{
    uint64_t state = 7;
    for (unsigned i = 0; i < N_VALUES; i++)
        values[i] = next_gap(&state, next_inside(&state) < 0.1 ? 2000 : 12);
}

/* Terms of every density in turn, block by block, so that no width is foreseen. */
static void fill_mixed(uint32_t *values)
{
    uint64_t state = 8;
    double every = 2;
    for (unsigned i = 0; i < N_VALUES; i++) {
        if (i % QN_BLOCK == 0)
            every = exp2(1 + 13 * next_inside(&state));
        values[i] = next_gap(&state, every);
    }
}

/* Term frequencies - 1: 70 % ones, a geometric body, a few large. */
static void fill_tf(uint32_t *values)
{
    uint64_t state = 9;
    for (unsigned i = 0; i < N_VALUES; i++) {
        values[i] = (uint32_t)(log(next_inside(&state)) / log(0.3));
        if (next_inside(&state) < 0.005)
            values[i] += (uint32_t)(next_random(&state) % 40);
    }
}

/* ---- timing ---- */

static void run_encode(work *w, const qn_block_kernels *kernels)
{
    uint8_t *to = w->coded;
    for (unsigned b = 0; b < N_BLOCKS; b++)
        to += kernels->encode(w->values + b * QN_BLOCK, QN_BLOCK, false, to);
    w->coded_len = (size_t)(to - w->coded);
}

/* A query decodes block after block into the same array, which stays in the first-level cache. */
static void run_decode(work *w, const qn_block_kernels *kernels)
{
    const uint8_t *in = w->coded, *end = in + w->coded_len;
    while (in != NULL && in < end)
        in = kernels->decode(in, end, QN_BLOCK, w->out);
    if (in == NULL)
        abort();
}

static void run_ascending(work *w, const qn_block_kernels *kernels)
{
    const uint8_t *in = w->coded, *end = in + w->coded_len;
    uint32_t base = UINT32_MAX;
    while (in != NULL && in < end) {
        in = kernels->decode_ascending(in, end, QN_BLOCK, base, UINT32_MAX, w->out);
        base = w->out[QN_BLOCK - 1] & 0x3FFFFFFF;
    }
    if (in == NULL)
        abort();
}

/* What one column of the table times. */
typedef struct column {
    const char *name;
    void (*run)(work *, const qn_block_kernels *);
    const qn_block_kernels *kernels;
    double times[MAX_RUNS];
} column;

/* Median nanoseconds a value of each column. The columns take turns, so that a machine that is
 * slower for a while is so for all of them. */
static void measure(work *w, column *columns, unsigned n_columns, double *medians)
{
    for (unsigned r = 0; r < w->n_runs; r++) {
        for (unsigned c = 0; c < n_columns; c++) {
            columns[c].run(w, columns[c].kernels); /* fills the caches */
            double start = now();
            for (unsigned i = 0; i < REPEATS; i++)
                columns[c].run(w, columns[c].kernels);
            columns[c].times[r] = (now() - start) * 1e9 / ((double)N_VALUES * REPEATS);
        }
    }
    for (unsigned c = 0; c < n_columns; c++)
        medians[c] = median(columns[c].times, w->n_runs);
}

/* Blocks with patches, and blocks in unary. */
static void count_forms(const work *w, unsigned *n_patched, unsigned *n_unary)
{
    *n_patched = *n_unary = 0;
    const uint8_t *in = w->coded, *end = in + w->coded_len;
    while (in != NULL && in < end) {
        *n_patched += in[0] >> 6 & 1;
        *n_unary += in[0] > 32 && in[0] < 64;
        in = qn_block_kernels_for(QN_CPU_SCALAR)->skip(in, end, QN_BLOCK);
    }
}

static void put_lines(const work *w, const char *name, const column *columns, unsigned n,
                      const double *medians)
{
    double coded = (double)w->coded_len / N_VALUES; /* bytes a value */
    for (unsigned c = 0; c < n; c++)
        put_kernel(&(kernel_speed){.program = "micro_block",
                                   .kernel = columns[c].name,
                                   .data = name,
                                   .level = columns[c].kernels->name,
                                   .of = "values",
                                   .values_per_s = 1e9 / medians[c],
                                   .bytes_per_s = 1e9 / medians[c] * (coded + sizeof(uint32_t)),
                                   .bits = 8 * coded});
}

static void report(work *w, const char *name)
{
    /* Static, since they hold all times. */
    static column columns[1 + 2 * (QN_CPU_AVX512 + 1)];
    double medians[sizeof columns / sizeof columns[0]];
    unsigned n_levels = (unsigned)qn_cpu_machine() + 1, n = 0;
    columns[n].name = "encode";
    columns[n].run = run_encode;
    columns[n++].kernels = qn_block_kernels_for(qn_cpu_machine());
    for (unsigned i = 0; i < 2; i++) {
        for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++, n++) {
            columns[n].name = i == 0 ? "decode" : "decode_ascending";
            columns[n].run = i == 0 ? run_decode : run_ascending;
            columns[n].kernels = qn_block_kernels_for(cpu);
        }
    }
    measure(w, columns, n, medians);
    if (w->json) {
        put_lines(w, name, columns, n, medians);
        return;
    }
    unsigned n_patched, n_unary;
    count_forms(w, &n_patched, &n_unary);
    printf("%-12s %6.2f %4.0f%% %4.0f%% | %6.3f |", name, (double)w->coded_len * 8 / N_VALUES,
           100.0 * n_patched / N_BLOCKS, 100.0 * n_unary / N_BLOCKS, medians[0]);
    for (unsigned i = 1; i < n; i++) {
        printf(" %7.3f", medians[i]);
        if (i % n_levels == 0)
            printf(" %6.2f%s", 1 / medians[i], i < n_levels + 1 ? " |" : "\n");
    }
    (void)fflush(stdout);
}

static void print_head(void)
{
    printf("ns a value, and at the best level G values/s; decode | decode_ascending\n");
    printf("%-12s %6s %5s %5s | %6s |", "values", "bits", "patch", "unary", "encode");
    for (unsigned i = 0; i < 2; i++) {
        for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++)
            printf(" %7s", qn_cpu_name(cpu));
        printf(" %6s%s", "G/s", i == 0 ? " |" : "\n");
    }
}

static void report_all(work *w)
{
    static const unsigned densities[] = {3, 20, 100, 1000, 20000};
    char name[32];
    for (unsigned width = 1; width <= 20; width++) {
        if (w->json && width % 4 != 0 && width != 1)
            continue;
        fill_width(w->values, width);
        (void)snprintf(name, sizeof name, "width %u", width);
        report(w, name);
    }
    for (size_t i = 0; i < sizeof densities / sizeof densities[0]; i++) {
        fill_geometric(w->values, densities[i]);
        (void)snprintf(name, sizeof name, "gaps 1/%u", densities[i]);
        report(w, name);
    }
    fill_bursts(w->values);
    report(w, "gaps, bursts");
    fill_mixed(w->values);
    report(w, "gaps, mixed");
    fill_tf(w->values);
    report(w, "tf");
}

int main(int argc, char **argv)
{
    static const micro_form form = {"micro_block [--json] [RUNS]", 11, 0, 0, 1};
    micro_options options = read_options(&form, argc, argv);
    work w = {.json = options.json,
              .n_runs = options.runs,
              .values = malloc(N_VALUES * sizeof(uint32_t)),
              .coded = calloc((size_t)N_BLOCKS * QN_BLOCK_MAX_BYTES + QN_PADDING, 1),
              .out = aligned_alloc(64, 1024)};
    bool ready = w.values != NULL && w.coded != NULL && w.out != NULL;
    if (ready) {
        if (!w.json)
            print_head();
        report_all(&w);
    } else {
        (void)fputs("micro_block: out of memory\n", stderr);
    }
    free(w.values);
    free(w.coded);
    free(w.out);
    return finished(ready);
}
