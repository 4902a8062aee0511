/* Figures and their tables: see bench_report.h. */
#include "engine/cli/bench_report.h"

#include "index/base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- figures ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double qn_bench_report_median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, by_value);
    return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

double qn_bench_report_percentile(const double *sorted, size_t n, unsigned percent)
{
    size_t rank = (n * percent + 99) / 100;
    return sorted[rank == 0 ? 0 : rank - 1];
}

qn_bench_figures qn_bench_report_figures(double *times, size_t n)
{
    double sum = 0;
    qsort(times, n, sizeof *times, by_value);
    for (size_t i = 0; i < n; i++)
        sum += times[i];
    return (qn_bench_figures){.n = n,
                              .mean = sum / (double)n,
                              .p50 = qn_bench_report_percentile(times, n, 50),
                              .p90 = qn_bench_report_percentile(times, n, 90),
                              .p99 = qn_bench_report_percentile(times, n, 99),
                              .max = times[n - 1]};
}

/* ---- printing ---- */

static quern_span span(const char *string)
{
    return (quern_span){string, strlen(string)};
}

void qn_bench_report_json(qn_text *text, const qn_bench_row *row)
{
    const qn_bench_figures *f = &row->figures;
    qn_text_puts(text, "{\"v\":1,\"shape\":");
    qn_text_json(text, span(row->shape));
    qn_text_printf(text, ",\"k\":%zu,\"evaluator\":", row->k);
    qn_text_json(text, span(row->evaluator));
    qn_text_printf(text,
                   ",\"queries\":%zu,\"mean_us\":%.3f,\"p50_us\":%.3f,\"p90_us\":%.3f,"
                   "\"p99_us\":%.3f,\"max_us\":%.3f,\"qps\":%.3f}\n",
                   f->n, f->mean, f->p50, f->p90, f->p99, f->max, row->qps);
}

void qn_bench_report_heading(qn_text *text, bool histogram)
{
    qn_text_style(text, QN_BOLD);
    qn_text_printf(text, "%-12s %7s %-10s %7s %9s %9s %9s %9s %9s %9s", "shape", "k", "evaluator",
                   "queries", "mean us", "p50", "p90", "p99", "max", "qps");
    if (histogram)
        qn_text_puts(text, "  1us      1ms    1s");
    qn_text_style(text, QN_PLAIN);
    qn_text_puts(text, "\n");
}

void qn_bench_report_row(qn_text *text, const qn_bench_row *row, bool histogram)
{
    const qn_bench_figures *f = &row->figures;
    qn_text_printf(text, "%-12s ", row->shape);
    if (row->k > 0)
        qn_text_printf(text, "%7zu", row->k);
    else
        qn_text_printf(text, "%7s", "-");
    qn_text_printf(text, " %-10s %7zu %9.1f %9.1f %9.1f %9.1f %9.1f %9.*f", row->evaluator, f->n,
                   f->mean, f->p50, f->p90, f->p99, f->max, row->qps < 100 ? 1 : 0, row->qps);
    if (histogram) {
        qn_text_puts(text, "  ");
        qn_bench_report_histogram(text, row->times, f->n);
    }
    qn_text_puts(text, "\n");
}

void qn_bench_report_histogram(qn_text *text, const double *times, size_t n)
{
    static const char *const BARS[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    size_t count[QN_BENCH_BINS] = {0}, most = 1;
    for (size_t i = 0; i < n; i++) {
        double bin = times[i] > 1 ? floor(3 * log10(times[i])) : 0;
        size_t at = bin < QN_BENCH_BINS ? (size_t)bin : QN_BENCH_BINS - 1;
        count[at]++;
        most = count[at] > most ? count[at] : most;
    }
    for (size_t i = 0; i < QN_BENCH_BINS; i++) /* one query is enough to be seen */
        qn_text_puts(text, BARS[(count[i] * 8 + most - 1) / most]);
}

/* ---- the slowest ---- */

typedef struct timed {
    double us;
    size_t query;
} timed;

static int by_slowness(const void *a, const void *b)
{
    const timed *x = a, *y = b;
    if (x->us < y->us || x->us > y->us)
        return x->us < y->us ? 1 : -1;
    return (x->query > y->query) - (x->query < y->query);
}

static void put_slow(qn_text *text, const qn_bench_query *query, double us, size_t k,
                     const char *evaluator, bool json)
{
    if (json) {
        qn_text_printf(text, "{\"v\":1,\"k\":%zu,\"evaluator\":", k);
        qn_text_json(text, span(evaluator));
        qn_text_puts(text, ",\"qid\":");
        qn_text_json(text, query->id);
        qn_text_puts(text, ",\"query\":");
        qn_text_json(text, query->text);
        qn_text_printf(text, ",\"us\":%.3f}\n", us);
    } else {
        qn_text_printf(text, "%11.1f us  ", us);
        qn_text_clean(text, query->id);
        qn_text_puts(text, ": ");
        qn_text_clean(text, query->text);
        qn_text_puts(text, "\n");
    }
}

quern_status qn_bench_report_slowest(qn_text *text, const qn_bench_queries *queries,
                                     const double *times, size_t wanted, size_t k,
                                     const char *evaluator, bool json, quern_error *error)
{
    timed *order = calloc(queries->n + 1, sizeof *order);
    if (order == NULL)
        return qn_fail_memory(error);
    for (size_t q = 0; q < queries->n; q++)
        order[q] = (timed){times[q], q};
    qsort(order, queries->n, sizeof *order, by_slowness);
    if (!json && k == 0)
        qn_text_printf(text, "\nslowest for %s\n", evaluator);
    else if (!json)
        qn_text_printf(text, "\nslowest for k %zu, %s\n", k, evaluator);
    for (size_t i = 0; i < wanted && i < queries->n; i++)
        put_slow(text, &queries->query[order[i].query], order[i].us, k, evaluator, json);
    free(order);
    return QUERN_OK;
}
