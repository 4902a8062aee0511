/* The logic of quern bench: figures from times, samples, shapes, histograms, and the comparison of
 * answers. */
#include "engine/cli/bench_check.h"
#include "engine/cli/bench_report.h"
#include "engine/cli/bench_run.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void near(double got, double expected)
{
    cr_assert_float_eq(got, expected, 1e-9, "%g, not %g", got, expected);
}

/* ---- figures ---- */

Test(bench_report, percentiles_are_nearest_ranks)
{
    static const double TEN[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    near(qn_bench_report_percentile(TEN, 10, 0), 1);
    near(qn_bench_report_percentile(TEN, 10, 10), 1);
    near(qn_bench_report_percentile(TEN, 10, 11), 2);
    near(qn_bench_report_percentile(TEN, 10, 50), 5);
    near(qn_bench_report_percentile(TEN, 10, 90), 9);
    near(qn_bench_report_percentile(TEN, 10, 91), 10);
    near(qn_bench_report_percentile(TEN, 10, 99), 10);
    near(qn_bench_report_percentile(TEN, 10, 100), 10);
    near(qn_bench_report_percentile(TEN, 1, 50), 1);
}

Test(bench_report, medians)
{
    double odd[] = {5, 1, 3}, even[] = {4, 1, 3, 2}, one[] = {7};
    near(qn_bench_report_median(odd, 3), 3);
    near(qn_bench_report_median(even, 4), 2.5);
    near(qn_bench_report_median(one, 1), 7);
}

Test(bench_report, figures)
{
    double times[200];
    for (size_t i = 0; i < 200; i++)
        times[i] = (double)((i * 77) % 200 + 1); /* 1..200 in some order */
    qn_bench_figures figures = qn_bench_report_figures(times, 200);
    cr_assert_eq(figures.n, 200);
    near(figures.mean, 100.5);
    near(figures.p50, 100);
    near(figures.p90, 180);
    near(figures.p99, 198);
    near(figures.max, 200);
    near(times[0], 1);
}

/* Bins are a third of a factor of ten; whatever lies outside is in the first or the last. */
Test(bench_report, histogram)
{
    static const double TIMES[] = {0.1, 1, 1.5, 10, 1000, 5e5, 1e6, 3e9};
    qn_text text = {0};
    qn_bench_report_histogram(&text, TIMES, sizeof TIMES / sizeof *TIMES);
    static const char EXPECTED[] = "█  ▃     ▃       █";
    cr_assert_eq(text.bytes.len, strlen(EXPECTED));
    cr_assert_arr_eq(text.bytes.data, EXPECTED, strlen(EXPECTED));
    qn_text_free(&text);
}

Test(bench_report, json)
{
    const qn_bench_row row = {.shape = "union",
                              .evaluator = "auto",
                              .k = 10,
                              .figures = {3, 1.5, 1, 2, 2, 2.0004},
                              .qps = 666666.6667};
    qn_text text = {0};
    qn_bench_report_json(&text, &row);
    qn_text_put(&text, "", 1);
    cr_assert_str_eq((char *)text.bytes.data,
                     "{\"v\":1,\"shape\":\"union\",\"k\":10,\"evaluator\":\"auto\",\"queries\":3,"
                     "\"mean_us\":1.500,\"p50_us\":1.000,\"p90_us\":2.000,\"p99_us\":2.000,"
                     "\"max_us\":2.000,\"qps\":666666.667}\n");
    qn_text_free(&text);
}

/* ---- queries ---- */

static void read_lines(qn_bench_queries *queries, const char *lines)
{
    char *dir = test_dir_new(), *path = test_path(dir, "queries.tsv");
    quern_error error = {0};
    test_write_file(path, lines, strlen(lines));
    cr_assert_eq(qn_bench_queries_read(queries, path, &error), QUERN_OK, "%s", error.message);
    free(path);
    test_dir_free(dir);
}

Test(bench_report, slowest)
{
    static const double TIMES[] = {2, 9, 5, 9};
    qn_bench_queries queries = {0};
    qn_text text = {0};
    read_lines(&queries, "a\tone\nb\ttwo\nc\tthree\nd\tfo\x1b\x75r\n");
    cr_assert_eq(qn_bench_report_slowest(&text, &queries, TIMES, 3, 10, "auto", false, NULL),
                 QUERN_OK);
    cr_assert_eq(qn_bench_report_slowest(&text, &queries, TIMES, 1, 10, "auto", true, NULL),
                 QUERN_OK);
    qn_text_put(&text, "", 1);
    cr_assert_str_eq((char *)text.bytes.data,
                     "\nslowest for k 10, auto\n        9.0 us  b: two\n        9.0 us  d: fo ur\n"
                     "        5.0 us  c: three\n{\"v\":1,\"k\":10,\"evaluator\":\"auto\","
                     "\"qid\":\"b\",\"query\":\"two\",\"us\":9.000}\n");
    qn_text_free(&text);
    qn_bench_queries_free(&queries);
}

/* Number i * n / wanted for every i, whatever the two are. */
Test(bench_queries, samples)
{
    for (size_t n = 1; n < 40; n++) {
        for (size_t wanted = 0; wanted < 45; wanted++) {
            qn_bench_queries queries = {.query = calloc(n, sizeof(qn_bench_query)), .n = n};
            for (size_t i = 0; i < n; i++)
                queries.query[i].text.len = i;
            qn_bench_queries_sample(&queries, wanted);
            size_t kept = wanted == 0 || wanted > n ? n : wanted;
            cr_assert_eq(queries.n, kept);
            for (size_t i = 0; i < kept; i++)
                cr_assert_eq(queries.query[i].text.len, i * n / kept);
            qn_bench_queries_free(&queries);
        }
    }
}

typedef struct shape_case {
    const char *text;
    qn_bench_shape shape;
} shape_case;

static const shape_case SHAPES[] = {
    {"the", QN_BENCH_TERM},
    {"+the", QN_BENCH_TERM},
    {"\"the\"", QN_BENCH_TERM},
    {"runs running", QN_BENCH_TERM}, /* one term, twice */
    {"griffith observatory", QN_BENCH_UNION},
    {"well-known", QN_BENCH_UNION},
    {"+griffith +observatory", QN_BENCH_INTERSECTION},
    {"\"griffith observatory\"", QN_BENCH_PHRASE},
    {"+\"griffith observatory\"", QN_BENCH_PHRASE},
    {"+well-known", QN_BENCH_PHRASE},
    {"jaguar -car", QN_BENCH_NEGATED},
    {"+mercury -\"a planet\"", QN_BENCH_NEGATED},
    {"-car", QN_BENCH_NEGATED},
    {"urban +planning", QN_BENCH_MIXED},
    {"+\"the who\" +uk", QN_BENCH_MIXED},
    {"\"the who\" uk", QN_BENCH_MIXED},
    {"", QN_BENCH_EMPTY},
    {"+ !", QN_BENCH_EMPTY},
    {"is \"this\" a +question?", QN_BENCH_UNION}, /* prose */
};

enum { N_SHAPES = sizeof SHAPES / sizeof *SHAPES };

Test(bench_queries, shapes)
{
    char lines[1000];
    size_t len = 0;
    for (size_t i = 0; i < N_SHAPES; i++)
        len += (size_t)snprintf(lines + len, sizeof lines - len, "q%zu\t%s\n", i, SHAPES[i].text);
    qn_bench_queries queries = {0};
    quern_error error = {0};
    read_lines(&queries, lines);
    cr_assert_eq(queries.n, N_SHAPES);
    cr_assert_eq(qn_bench_queries_classify(&queries, "english", QUERN_SYNTAX_TOPIC, &error),
                 QUERN_OK, "%s", error.message);
    for (size_t i = 0; i < N_SHAPES; i++)
        cr_assert_eq(queries.query[i].shape, SHAPES[i].shape, "%s: %s", SHAPES[i].text,
                     qn_bench_queries_shape_name(queries.query[i].shape));
    cr_assert_eq(qn_bench_queries_classify(&queries, "none", QUERN_SYNTAX_WORDS, &error), QUERN_OK);
    cr_assert_eq(queries.query[3].shape, QN_BENCH_UNION);
    cr_assert_eq(queries.query[6].shape, QN_BENCH_UNION);
    cr_assert_eq(qn_bench_queries_classify(&queries, "elvish", QUERN_SYNTAX_WORDS, &error),
                 QUERN_E_ARGUMENT);
    qn_bench_queries_free(&queries);
}

Test(bench_queries, several_files)
{
    qn_bench_queries queries = {0};
    quern_error error = {0};
    read_lines(&queries, "1\tone\n2\t\n");
    read_lines(&queries, "{\"_id\":\"3\",\"text\":\"three\"}\n");
    cr_assert_eq(queries.n, 3);
    cr_assert_eq(queries.query[1].text.len, 0);
    cr_assert_eq(queries.query[2].text.len, 5);
    cr_assert_arr_eq(queries.query[2].text.data, "three", 5);
    char *dir = test_dir_new(), *path = test_path(dir, "empty");
    test_write_file(path, "\n\n", 2);
    cr_assert_eq(qn_bench_queries_read(&queries, path, &error), QUERN_E_INPUT);
    cr_assert_not_null(strstr(error.message, "holds no queries"));
    free(path);
    test_dir_free(dir);
    qn_bench_queries_free(&queries);
}

Test(bench_queries, failures_name_the_query)
{
    const qn_bench_query query = {.id = QUERN_STR("q7"), .text = QUERN_STR("x")};
    const quern_error why = {.status = QUERN_E_IO, .sys_errno = 5, .message = "no luck"};
    quern_error error = {0};
    cr_assert_eq(qn_bench_queries_fail(&query, &why, &error), QUERN_E_IO);
    cr_assert_str_eq(error.message, "query q7: no luck");
    cr_assert_eq(error.sys_errno, 5);
    cr_assert_eq(qn_bench_queries_fail(&query, &why, NULL), QUERN_E_IO);
}

/* ---- comparing ---- */

Test(bench_check, ranks)
{
    static const quern_hit A[] = {{7, 2.5f}, {1, 1.5f}, {2, 1.5f}};
    static const quern_hit OTHER_ORDER[] = {{7, 2.5f}, {2, 1.5f}, {1, 1.5f}};
    static const quern_hit OTHER_SCORE[] = {{7, 2.5f}, {1, 1.5f}, {2, 1.50000012f}};
    cr_assert_eq(qn_bench_check_rank(A, 3, A, 3), 0);
    cr_assert_eq(qn_bench_check_rank(A, 3, OTHER_ORDER, 3), 2);
    cr_assert_eq(qn_bench_check_rank(A, 3, OTHER_SCORE, 3), 3);
    cr_assert_eq(qn_bench_check_rank(A, 3, A, 2), 3);
    cr_assert_eq(qn_bench_check_rank(NULL, 0, A, 1), 1);
    cr_assert_eq(qn_bench_check_rank(NULL, 0, NULL, 0), 0);
}

/* ---- running ---- */

/* Fails at the query whose text is "bad". */
static quern_status run_unless_bad(quern_searcher *searcher, quern_span query, size_t k,
                                   quern_error *error)
{
    if (query.len == 3 && memcmp(query.data, "bad", 3) == 0) {
        *error = (quern_error){.status = QUERN_E_IO, .message = "it broke"};
        return QUERN_E_IO;
    }
    return qn_bench_run_search(searcher, query, k, error);
}

/* Times of every query and evaluator, and queries a second of several threads; an error in any of
 * them names the query. */
Test(bench_run, rounds_and_threads)
{
    char *dir = test_dir_new(), *path = test_path(dir, "ix");
    test_corpus corpus = test_corpus_new(1, 100, 20, 10);
    test_build(path, &corpus, NULL);
    qn_bench_queries queries = {0};
    quern_index *index = NULL;
    quern_error error = {0};
    cr_assert_eq(quern_index_open(&index, path, NULL, &error), QUERN_OK);
    read_lines(&queries, "1\tw1 w2\n2\tw3\n3\tbad\n");
    const quern_search_options options = QUERN_SEARCH_OPTIONS;
    qn_progress progress;
    qn_progress_init(&progress, true);
    qn_bench bench = {.index = index,
                      .options = &options,
                      .queries = &queries,
                      .evaluator = {"auto", "exhaustive"},
                      .n_evaluators = 2,
                      .k = {10},
                      .n_k = 1,
                      .runs = 3,
                      .warmup = 1,
                      .threads = 3,
                      .run = run_unless_bad,
                      .progress = &progress};
    static const size_t WHICH[] = {0, 1, 2};
    double times[6] = {0}, qps = 0;
    cr_assert_eq(qn_bench_run_rounds(&bench, 10, times, &error), QUERN_E_IO);
    cr_assert_str_eq(error.message, "query 3: it broke");
    error = (quern_error){0};
    cr_assert_eq(qn_bench_run_threads(&bench, "auto", 10, WHICH, 3, 5, &qps, &error), QUERN_E_IO);
    cr_assert_str_eq(error.message, "query 3: it broke");
    bench.warmup = 0;
    cr_assert_eq(qn_bench_run_threads(&bench, "auto", 10, WHICH, 3, 5, &qps, &error), QUERN_E_IO);
    cr_assert_eq(qn_bench_run_threads(&bench, "auto", 10, WHICH, 2, 50, &qps, &error), QUERN_OK);
    cr_assert_gt(qps, 0);
    queries.n = 2;
    bench.done = 0;
    cr_assert_eq(qn_bench_run_rounds(&bench, 10, times, &error), QUERN_OK);
    for (size_t i = 0; i < 4; i++)
        cr_assert_gt(times[i], 0);
    cr_assert_eq(bench.done, 2 * 2 * 3);
    uint64_t n_differing = 1;
    cr_assert_eq(qn_bench_check(NULL, &bench, &n_differing, &error), QUERN_OK);
    cr_assert_eq(n_differing, 0);
    qn_progress_free(&progress);
    quern_index_close(index);
    qn_bench_queries_free(&queries);
    test_corpus_free(&corpus);
    free(path);
    test_dir_free(dir);
}
