/*
 * Speed of reading positions: whole rows (one block of postings each) at every level that this
 * machine has, and single postings out of them, for passages with and without titles and for long
 * documents. Each figure is the median of several runs over the same rows, in the second-level
 * cache, in an order that a branch predictor does not learn.
 *
 *     micro_positions [--json] [RUNS]
 *
 * As JSON, bytes_per_s are those of coded rows, of tf, and of the positions that come out. A spool
 * is written to the folder that TMPDIR names, or to /tmp.
 */
#include "bench/micro/micro.h"
#include "index/base/status.h"
#include "index/segment/positions.h"
#include "index/segment/positions_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROWS = 2000, WARM = 40, POSTINGS = ROWS * QN_BLOCK, SINGLES = 20000 };

/* Single postings, by their tf. */
static const struct {
    const char *name;
    uint32_t low, high;
} SINGLE[] = {{"1", 1, 1}, {"2-3", 2, 3}, {"4-", 4, 16}};
enum { N_SINGLES = sizeof SINGLE / sizeof *SINGLE };

typedef struct work {
    uint32_t *tfs; /* POSTINGS */
    uint64_t n_positions;
    uint8_t *bytes;
    size_t len;
    qn_segment segment;
    qn_postings list;
    uint32_t *order; /* SINGLES postings */
    uint32_t *out;
    size_t cap;
    bool json;
    unsigned n_runs;
} work;

/* ---- rows ---- */

static uint32_t below(uint64_t *state, uint32_t n)
{
    return (uint32_t)(next_random(state) % n);
}

/* A posting of a document of up to `words` words after a title, if it has one; returns its tf. */
static uint32_t make_posting(uint64_t *state, bool title, uint32_t words, uint32_t tf_most,
                             uint32_t *gaps)
{
    uint32_t title_words = title ? 3 + below(state, 10) : 0;
    uint32_t start = title ? title_words + 100 : 0, n = words / 2 + below(state, words / 2);
    uint32_t tf = below(state, 4) == 0 ? 2 + below(state, tf_most - 1) : 1;
    bool in_title = title && below(state, 7) == 0;
    uint32_t first = in_title ? below(state, title_words) : start + below(state, n);
    gaps[0] = first;
    for (uint32_t i = 1; i < tf; i++)
        gaps[i] = i == 1 && in_title ? start - first + below(state, n) : 1 + below(state, n / 3);
    return tf;
}

static quern_status write_rows(work *w, qn_positions_writer *writer, bool title, uint32_t words,
                               uint32_t tf_most, quern_error *error)
{
    uint64_t state = words + title;
    uint32_t gaps[16];
    qn_positions_writer_begin(writer);
    w->n_positions = 0;
    quern_status status = QUERN_OK;
    for (uint32_t i = 0; status == QUERN_OK && i < POSTINGS; i++) {
        w->n_positions += w->tfs[i] = make_posting(&state, title, words, tf_most, gaps);
        status = qn_positions_writer_add(writer, w->tfs[i], gaps, error);
        if (status == QUERN_OK && i % QN_BLOCK == QN_BLOCK - 1)
            status = qn_positions_writer_row(writer, error);
    }
    return status == QUERN_OK ? qn_positions_writer_end(writer, error) : status;
}

/* Writes the rows to a spool and reads them back. */
static quern_status make_rows(work *w, bool title, uint32_t words, uint32_t tf_most,
                              quern_error *error)
{
    qn_writer file = {0};
    qn_positions_writer writer = {.file = &file, .kernels = qn_block_kernels_for(qn_cpu_machine())};
    const char *folder = getenv("TMPDIR");
    if (folder == NULL || *folder == '\0')
        folder = "/tmp";
    int dirfd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    quern_status status = dirfd < 0 ? qn_fail_sys(error, errno, "open", folder)
                                    : qn_writer_spool(&file, dirfd, folder, 1 << 20, error);
    if (status == QUERN_OK)
        status = write_rows(w, &writer, title, words, tf_most, error);
    if (status == QUERN_OK)
        status = qn_writer_flush(&file, error);
    free(w->bytes);
    w->len = (size_t)file.offset;
    w->bytes = calloc(w->len + QN_PADDING, 1);
    if (status == QUERN_OK && w->bytes == NULL)
        status = qn_fail_memory(error);
    if (status == QUERN_OK)
        status = qn_writer_read(&file, 0, w->bytes, w->len, error);
    qn_positions_writer_free(&writer);
    qn_writer_close(&file);
    if (dirfd >= 0)
        (void)close(dirfd);
    w->segment = (qn_segment){.meta = {.positions = true}};
    w->list = (qn_postings){.segment = &w->segment,
                            .info = {.df = POSTINGS, .positions_len = w->len},
                            .df = POSTINGS,
                            .n_blocks = ROWS,
                            .pos_data = w->bytes,
                            .pos_data_end = w->bytes + w->len};
    return status;
}

/* Postings at random with a tf from `low` to `high`, from rows that the first-level cache holds
 * with their tf: who asks for a posting has just decoded these. */
static void choose_singles(work *w, uint32_t low, uint32_t high)
{
    uint64_t state = low;
    for (uint32_t i = 0; i < SINGLES;) {
        uint32_t posting = below(&state, WARM * QN_BLOCK);
        w->order[i] = posting;
        i += w->tfs[posting] >= low && w->tfs[posting] <= high;
    }
}

/* ---- timing ---- */

static void run_rows(work *w)
{
    for (uint32_t block = 0; block < ROWS; block++)
        if (qn_postings_positions(&w->list, block, w->tfs + (size_t)block * QN_BLOCK, &w->out,
                                  &w->cap, NULL) != QUERN_OK)
            abort();
}

static void run_singles(work *w)
{
    for (uint32_t i = 0; i < SINGLES; i++) {
        uint32_t block = w->order[i] / QN_BLOCK;
        if (qn_postings_positions_of(&w->list, block, w->tfs + (size_t)block * QN_BLOCK,
                                     w->order[i] % QN_BLOCK, &w->out, &w->cap, NULL) != QUERN_OK)
            abort();
    }
}

/* The median time of a run in nanoseconds. */
static double measure(work *w, void (*run)(work *))
{
    double times[MAX_RUNS];
    run(w); /* fills the caches */
    for (unsigned r = 0; r < w->n_runs; r++) {
        double start = now();
        run(w);
        times[r] = (now() - start) * 1e9;
    }
    return median(times, w->n_runs);
}

/* What a row of the table has, and a line of JSON each. */
typedef struct figures {
    double row_ns[QN_CPU_AVX512 + 1], single_ns[N_SINGLES];
} figures;

static void print_row(const work *w, const char *name, const figures *f)
{
    printf("%-18s %6.2f %6.1f |", name, (double)w->len * 8 / (double)w->n_positions,
           (double)w->n_positions / ROWS);
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++)
        printf(" %7.1f", f->row_ns[cpu]);
    printf(" |");
    for (size_t i = 0; i < N_SINGLES; i++)
        printf(" %7.1f", f->single_ns[i]);
    printf("\n");
    (void)fflush(stdout);
}

static void put_lines(const work *w, const char *name, const figures *f)
{
    double n = (double)w->n_positions;
    double bytes = (double)w->len + (n + POSTINGS) * sizeof(uint32_t);
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
        double seconds = f->row_ns[cpu] * ROWS * 1e-9;
        put_kernel(&(kernel_speed){.program = "micro_positions",
                                   .kernel = "row",
                                   .data = name,
                                   .level = qn_cpu_name(cpu),
                                   .of = "positions",
                                   .values_per_s = n / seconds,
                                   .bytes_per_s = bytes / seconds,
                                   .bits = 8 * (double)w->len / n});
    }
    for (size_t i = 0; i < N_SINGLES; i++) {
        char data[64];
        (void)snprintf(data, sizeof data, "%s, tf %s", name, SINGLE[i].name);
        put_kernel(&(kernel_speed){.program = "micro_positions",
                                   .kernel = "posting",
                                   .data = data,
                                   .level = qn_cpu_name(qn_cpu_machine()),
                                   .of = "postings",
                                   .values_per_s = 1e9 / f->single_ns[i]});
    }
}

static void report(work *w, const char *name)
{
    figures f;
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
        w->segment.kernels = qn_block_kernels_for(cpu);
        f.row_ns[cpu] = measure(w, run_rows) / ROWS;
    }
    for (size_t i = 0; i < N_SINGLES; i++) {
        choose_singles(w, SINGLE[i].low, SINGLE[i].high);
        f.single_ns[i] = measure(w, run_singles) / SINGLES;
    }
    if (w->json)
        put_lines(w, name, &f);
    else
        print_row(w, name, &f);
}

static void print_head(void)
{
    printf("ns a row at each level | ns a single posting with tf 1, 2 to 3, 4 and more\n");
    printf("%-18s %6s %6s |", "rows", "bits", "n");
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++)
        printf(" %7s", qn_cpu_name(cpu));
    printf(" |");
    for (size_t i = 0; i < N_SINGLES; i++)
        printf(" %7s", SINGLE[i].name);
    printf("\n");
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        bool title;
        uint32_t words, tf_most;
    } kinds[] = {{"titled passages", true, 100, 5},
                 {"untitled passages", false, 100, 5},
                 {"long documents", true, 20000, 12}};
    static const micro_form form = {"micro_positions [--json] [RUNS]", 21, 0, 0, 1};
    micro_options options = read_options(&form, argc, argv);
    work w = {.json = options.json,
              .n_runs = options.runs,
              .tfs = calloc(POSTINGS, sizeof(uint32_t)),
              .order = calloc(SINGLES, sizeof(uint32_t))};
    bool ready = w.tfs != NULL && w.order != NULL;
    if (!ready)
        (void)fputs("micro_positions: out of memory\n", stderr);
    else if (!w.json)
        print_head();
    for (size_t i = 0; ready && i < sizeof kinds / sizeof *kinds; i++) {
        quern_error error = {0};
        ready = make_rows(&w, kinds[i].title, kinds[i].words, kinds[i].tf_most, &error) == QUERN_OK;
        if (ready)
            report(&w, kinds[i].name);
        else
            (void)fprintf(stderr, "micro_positions: %s\n", error.message);
    }
    free(w.tfs);
    free(w.order);
    free(w.bytes);
    free(w.out);
    return finished(ready);
}
