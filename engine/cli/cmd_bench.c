/* quern bench: times a file of queries, in this process, and compares the evaluators' answers. */
#include "engine/cli/bench_check.h"
#include "engine/cli/bench_report.h"
#include "engine/cli/bench_run.h"
#include "engine/cli/cli.h"
#include "engine/cli/index_options.h"
#include "engine/cli/setup.h"
#include "index/base/status.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct bench_options {
    qn_common common;
    qn_text_list queries, also;
    const char *k, *evaluators, *fields;
    uint64_t runs, warmup, sample, threads, slowest;
    int syntax;
    double k1, b;
    bool count, check, histogram, json, paranoid, no_mmap, any_analyzer;
} bench_options;

#define FIELD(name) offsetof(bench_options, name)

static const qn_option OPTIONS[] = {
    {.name = "queries",
     .letter = 'q',
     .kind = QN_OPTION_LIST,
     .offset = FIELD(queries),
     .argument = "FILE",
     .help = "Measure the queries of a file (- for standard input): lines qid<TAB>text, or JSON "
             "objects with \"_id\" and \"text\" (may be repeated)"},
    {.name = "sample",
     .kind = QN_OPTION_COUNT,
     .offset = FIELD(sample),
     .argument = "N",
     .min = 0,
     .max = 1e9,
     .help = "Take only N of the queries, evenly spread over all that were read (default 0: all)"},
    {.name = "k",
     .letter = 'k',
     .kind = QN_OPTION_TEXT,
     .offset = FIELD(k),
     .argument = "LIST",
     .help = "Ask for the k best documents, for each k of a list (default 10,100,1000)"},
    {.name = "evaluator",
     .kind = QN_OPTION_TEXT,
     .offset = FIELD(evaluators),
     .argument = "LIST",
     .help = "Measure each evaluator of a list, or all (default auto, which chooses by the query); "
             "one that cannot answer a query leaves it to another"},
    {.name = "count",
     .letter = 'c',
     .kind = QN_OPTION_FLAG,
     .offset = FIELD(count),
     .help = "Measure counting the documents that match, in place of finding the best"},
    {.name = "runs",
     .kind = QN_OPTION_COUNT,
     .offset = FIELD(runs),
     .argument = "N",
     .min = 1,
     .max = 1000,
     .help = "Measured rounds over all queries (default 5); the time of a query is the median of "
             "its rounds"},
    {.name = "warmup",
     .kind = QN_OPTION_COUNT,
     .offset = FIELD(warmup),
     .argument = "N",
     .min = 0,
     .max = 1000,
     .help = "Rounds before that are not measured (default 1)"},
    {.name = "threads",
     .letter = 'T',
     .kind = QN_OPTION_COUNT,
     .offset = FIELD(threads),
     .argument = "N",
     .min = 1,
     .max = 1024,
     .help = "Let qps be the queries a second that N threads answer together, measured after the "
             "times (default: the queries over the sum of their times)"},
    {.name = "check",
     .kind = QN_OPTION_FLAG,
     .offset = FIELD(check),
     .help = "First compare every answer with that of the evaluator exhaustive, to the bit; where "
             "one differs, measure nothing"},
    {.name = "slowest",
     .kind = QN_OPTION_COUNT,
     .offset = FIELD(slowest),
     .argument = "N",
     .min = 0,
     .max = 1e9,
     .help = "Print the N slowest queries, too"},
    {.name = "histogram",
     .kind = QN_OPTION_FLAG,
     .offset = FIELD(histogram),
     .help = "Show how times spread from 1 us to 1 s, three bars a factor of ten (always on a "
             "terminal)"},
    {.name = "json",
     .kind = QN_OPTION_FLAG,
     .offset = FIELD(json),
     .help = "Print JSON, an object a line"},
    {.name = "syntax",
     .kind = QN_OPTION_CHOICE,
     .offset = FIELD(syntax),
     .choices = "query|words|topic",
     .help = "How queries are read, as in quern search (default topic)"},
    QN_OPTION_ALSO(FIELD(also)),
    QN_OPTION_FIELDS(FIELD(fields)),
    QN_OPTION_BM25("k1", 3, FIELD(k1),
                   "BM25's k1 (default: what the index was built for, mostly 0.9)"),
    QN_OPTION_BM25("b", 1, FIELD(b),
                   "BM25's b (default: what the index was built for, mostly 0.4)"),
    QN_OPTION_ANY_ANALYZER(FIELD(any_analyzer)),
    QN_OPTION_PARANOID(FIELD(paranoid)),
    QN_OPTION_NO_MMAP(FIELD(no_mmap)),
};

/* All that a run holds. */
typedef struct work {
    const qn_command *command;
    const bench_options *options;
    qn_bench bench;
    qn_bench_queries queries;
    qn_output out;
    qn_text slowest; /* printed after the table */
    double *times;   /* of each evaluator and query, for one k */
    double *row;     /* of the queries of a row */
    size_t *which;   /* their numbers */
    bool histogram;
} work;

/* ---- what the options mean ---- */

/* The next item of a comma-separated list, which is moved behind it; false at its end. An empty
 * item counts. */
static bool next_item(const char **list, const char **item, size_t *len)
{
    if (*list == NULL)
        return false;
    *item = *list;
    *len = strcspn(*list, ",");
    *list = (*item)[*len] == ',' ? *item + *len + 1 : NULL;
    return true;
}

static int parse_k(const qn_command *command, qn_bench *bench, const char *list)
{
    const char *item;
    size_t len;
    while (next_item(&list, &item, &len)) {
        size_t k = 0;
        if (strspn(item, "0123456789") >= len && len <= 7)
            for (size_t i = 0; i < len; i++)
                k = 10 * k + (size_t)(item[i] - '0');
        if (k < 1 || k > 1000000)
            return qn_wrong_usage(command,
                                  "-k must be whole numbers from 1 to 1000000 with commas between "
                                  "them, not '%.*s'",
                                  (int)(len < 40 ? len : 40), item);
        if (bench->n_k == QN_BENCH_LIST)
            return qn_wrong_usage(command, "-k takes %d numbers at most", QN_BENCH_LIST);
        bench->k[bench->n_k++] = k;
    }
    return QN_EXIT_DONE;
}

/* Auto, then the others. */
static void take_all_evaluators(qn_bench *bench)
{
    bench->evaluator[bench->n_evaluators++] = "auto";
    for (const char *const *name = quern_evaluators();
         *name != NULL && bench->n_evaluators < QN_BENCH_LIST; name++)
        if (strcmp(*name, "auto") != 0)
            bench->evaluator[bench->n_evaluators++] = *name;
}

static int parse_evaluators(const qn_command *command, qn_bench *bench, const char *list)
{
    const char *item;
    size_t len;
    if (strcmp(list, "all") == 0) {
        take_all_evaluators(bench);
        return QN_EXIT_DONE;
    }
    while (next_item(&list, &item, &len)) {
        const char *name = qn_setup_evaluator(command, item, len);
        if (name == NULL)
            return QN_EXIT_USAGE;
        if (bench->n_evaluators == QN_BENCH_LIST)
            return qn_wrong_usage(command, "--evaluator takes %d names at most", QN_BENCH_LIST);
        bench->evaluator[bench->n_evaluators++] = name;
    }
    return QN_EXIT_DONE;
}

/* One row, of no k and no evaluator. */
static int take_count(work *job)
{
    const bench_options *options = job->options;
    if (options->k != NULL || options->evaluators != NULL)
        return qn_wrong_usage(job->command, "--count excludes -k and --evaluator");
    job->bench.run = qn_bench_run_count;
    job->bench.n_k = 1; /* k[0] is 0 */
    job->bench.evaluator[job->bench.n_evaluators++] = QN_BENCH_COUNT;
    return QN_EXIT_DONE;
}

static int take_lists(work *job)
{
    const bench_options *options = job->options;
    job->bench.run = qn_bench_run_search;
    int code = parse_k(job->command, &job->bench, options->k != NULL ? options->k : "10,100,1000");
    return code == QN_EXIT_DONE
               ? parse_evaluators(job->command, &job->bench,
                                  options->evaluators != NULL ? options->evaluators : "auto")
               : code;
}

static int check(work *job, int n_operands)
{
    const bench_options *options = job->options;
    if (n_operands != 1)
        return qn_wrong_usage(job->command, n_operands == 0 ? "an index is needed"
                                                            : "one index at a time (--also INDEX "
                                                              "searches several as one)");
    if (options->queries.n == 0)
        return qn_wrong_usage(job->command, "-q FILE is missing: the queries to measure");
    if (options->histogram && options->json)
        return qn_wrong_usage(job->command, "--histogram and --json exclude each other");
    int code = options->count ? take_count(job) : take_lists(job);
    job->bench.runs = (size_t)options->runs;
    job->bench.warmup = (size_t)options->warmup;
    job->bench.threads = (unsigned)options->threads;
    job->histogram = options->histogram || (!options->json && isatty(STDOUT_FILENO));
    return code;
}

/* ---- printing ---- */

/* Measured again by threads, if some are asked for, or from the times. A pass of threads lasts a
 * tenth of a second at least, so that starting and ending do not count. */
static quern_status find_qps(const work *job, qn_bench_row *row, quern_error *error)
{
    const qn_bench *bench = &job->bench;
    double round = row->figures.mean * (double)row->figures.n; /* microseconds of one thread */
    row->qps = round > 0 ? 1e6 * (double)row->figures.n / round : 0;
    if (bench->threads == 0)
        return QUERN_OK;
    size_t rounds = bench->runs;
    double enough = 1e5 * bench->threads / (round > 1 ? round : 1);
    if ((double)rounds < enough)
        rounds = (size_t)enough + 1;
    return qn_bench_run_threads(bench, row->evaluator, row->k, job->which, row->figures.n, rounds,
                                &row->qps, error);
}

/* The row of a shape (QN_BENCH_SHAPES: of all queries), if there is such a query. */
static quern_status put_row(work *job, unsigned shape, size_t k, size_t e, quern_error *error)
{
    const qn_bench *bench = &job->bench;
    size_t n = 0;
    for (size_t q = 0; q < job->queries.n; q++) {
        if (shape != QN_BENCH_SHAPES && job->queries.query[q].shape != shape)
            continue;
        job->row[n] = job->times[e * job->queries.n + q];
        job->which[n++] = q;
    }
    if (n == 0)
        return QUERN_OK;
    qn_bench_row row = {.shape = shape == QN_BENCH_SHAPES
                                     ? "all"
                                     : qn_bench_queries_shape_name((qn_bench_shape)shape),
                        .evaluator = bench->evaluator[e],
                        .k = k,
                        .times = job->row};
    row.figures = qn_bench_report_figures(job->row, n);
    quern_status status = find_qps(job, &row, error);
    if (status != QUERN_OK)
        return status;
    if (job->options->json)
        qn_bench_report_json(&job->out.text, &row);
    else
        qn_bench_report_row(&job->out.text, &row, job->histogram);
    return QUERN_OK;
}

/* The rows of one k. */
static quern_status put_rows(work *job, size_t k, quern_error *error)
{
    unsigned n_shapes = QN_BENCH_SHAPES;
    for (size_t q = 1; q < job->queries.n; q++)
        if (job->queries.query[q].shape != job->queries.query[0].shape)
            n_shapes = QN_BENCH_SHAPES + 1; /* the last is of all */
    for (unsigned shape = 0; shape < n_shapes; shape++) {
        for (size_t e = 0; e < job->bench.n_evaluators; e++) {
            quern_status status = put_row(job, shape, k, e, error);
            if (status != QUERN_OK)
                return status;
        }
    }
    return QUERN_OK;
}

/* Keeps for the end the slowest queries of one k. */
static quern_status note_slowest(work *job, size_t k, quern_error *error)
{
    quern_status status = QUERN_OK;
    for (size_t e = 0; status == QUERN_OK && e < job->bench.n_evaluators; e++)
        status = qn_bench_report_slowest(
            &job->slowest, &job->queries, job->times + e * job->queries.n,
            (size_t)job->options->slowest, k, job->bench.evaluator[e], job->options->json, error);
    return status;
}

/* ---- measuring ---- */

static quern_status read_queries(work *job, const char *language, quern_syntax syntax,
                                 quern_error *error)
{
    quern_status status = QUERN_OK;
    for (size_t i = 0; status == QUERN_OK && i < job->options->queries.n; i++)
        status = qn_bench_queries_read(&job->queries, job->options->queries.items[i], error);
    if (status != QUERN_OK)
        return status;
    qn_bench_queries_sample(&job->queries, (size_t)job->options->sample);
    status = qn_bench_queries_classify(&job->queries, language, syntax, error);
    size_t n = job->queries.n;
    job->times = calloc(job->bench.n_evaluators * n, sizeof *job->times);
    job->row = calloc(n, sizeof *job->row);
    job->which = calloc(n, sizeof *job->which);
    if (job->times == NULL || job->row == NULL || job->which == NULL)
        return qn_fail_memory(error);
    return status;
}

static quern_status measure(work *job, quern_error *error)
{
    quern_status status = QUERN_OK;
    if (!job->options->json)
        qn_bench_report_heading(&job->out.text, job->histogram);
    for (size_t i = 0; status == QUERN_OK && i < job->bench.n_k; i++) {
        size_t k = job->bench.k[i];
        status = qn_bench_run_rounds(&job->bench, k, job->times, error);
        qn_progress_clear(job->bench.progress);
        if (status == QUERN_OK)
            status = put_rows(job, k, error);
        if (status == QUERN_OK && job->options->slowest > 0)
            status = note_slowest(job, k, error);
        qn_output_flush(&job->out);
    }
    if (job->slowest.bytes.len > 0)
        qn_text_put(&job->out.text, (const char *)job->slowest.bytes.data, job->slowest.bytes.len);
    if (status == QUERN_OK && (job->slowest.failed || job->out.text.failed))
        status = qn_fail_memory(error);
    return status;
}

static int bench(work *job, const quern_index *index)
{
    const bench_options *options = job->options;
    quern_stats stats;
    quern_index_stats(index, &stats);
    quern_search_options scoring = QUERN_SEARCH_OPTIONS;
    scoring.k1 = options->k1 >= 0 ? (float)options->k1 : stats.k1;
    scoring.b = options->b >= 0 ? (float)options->b : stats.b;
    scoring.syntax = (quern_syntax)options->syntax;
    scoring.fields = options->fields;
    qn_progress progress;
    qn_progress_init(&progress, false);
    progress.unit = "queries";
    job->bench.index = index;
    job->bench.options = &scoring;
    job->bench.queries = &job->queries;
    job->bench.progress = &progress;
    quern_error error = {0};
    uint64_t n_differing = 0;
    qn_output_open(&job->out, STDOUT_FILENO, options->json ? 2 : options->common.color);
    qn_signals_catch();
    quern_status status =
        read_queries(job, stats.language != NULL ? stats.language : "none", scoring.syntax, &error);
    if (status == QUERN_OK && options->check)
        status = qn_bench_check(job->command, &job->bench, &n_differing, &error);
    if (status == QUERN_OK && n_differing == 0)
        status = measure(job, &error);
    qn_progress_free(&progress);
    int code = n_differing > 0 ? QN_EXIT_NO : QN_EXIT_DONE;
    qn_output_flush(&job->out);
    if (status != QUERN_OK)
        code = qn_report(job->command, status, &error);
    return qn_end(job->command, &job->out, code);
}

static int run_bench(const qn_command *command, int argc, char **argv)
{
    bench_options options = {
        .runs = 5, .warmup = 1, .syntax = QUERN_SYNTAX_TOPIC, .k1 = -1, .b = -1};
    work job = {.command = command, .options = &options};
    int n, code;
    bool begun = qn_begin(command, &options, argc, argv, &n, &code);
    if (begun)
        code = check(&job, n);
    if (begun && code == QN_EXIT_DONE) {
        quern_open_options open = QUERN_OPEN_OPTIONS;
        open.paranoid = options.paranoid;
        open.no_mmap = options.no_mmap;
        open.any_analyzer = options.any_analyzer;
        quern_index *index = NULL;
        quern_error error = {0};
        quern_status status = qn_setup_open(&index, argv[0], &options.also, &open, &error);
        code = status == QUERN_OK ? bench(&job, index) : qn_report(command, status, &error);
        quern_index_close(index);
    }
    qn_bench_queries_free(&job.queries);
    qn_text_free(&job.slowest);
    free(job.times);
    free(job.row);
    free(job.which);
    qn_text_list_free(&options.queries);
    qn_text_list_free(&options.also);
    return code;
}

const qn_command qn_command_bench = {
    .name = "bench",
    .summary = "measure how long queries take",
    .synopsis = "[options] INDEX -q FILE",
    .description =
        "Answers every query of a file several times, in this process and on one thread, and "
        "prints "
        "what it took from the text of the query to its best documents: a row for each k, shape of "
        "query and evaluator, in microseconds. mean, p50, p90, p99 and max are over the queries, "
        "each counting with the median of its rounds; p90 is the time that nine of ten queries do "
        "not exceed. Evaluators take turns round by round, so that a machine that is slower for a "
        "while is so for all.\n\n"
        "The shape is what a query is once parsed: term (one word), union (words), intersection "
        "(+words), phrase (one), negated (with a -word), mixed (the rest), empty (no word).\n\n"
        "Exit code 1 means that --check found answers that differ.",
    .examples = "quern bench my.idx -q queries.tsv\n"
                "#the times for k = 10, 100 and 1000\n"
                "quern bench my.idx -q queries.tsv -k 10 --evaluator all --check\n"
                "#all ways to find the same answers, compared\n"
                "quern bench my.idx -q queries.tsv --count --check\n"
                "#how long counting takes, and whether the counts are right\n"
                "quern bench my.idx -q queries.tsv -k 10 --slowest 5 --json\n"
                "#for a program, with the five slowest\n",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .run = run_bench,
};
