/* Times: their figures, in JSON and in tables. */
#include "bench/rivals/duel_times.h"

#include "bench/report/stats.h"
#include "index/base/buffer.h"

#include <stdio.h>
#include <stdlib.h>

static void append(double **values, size_t n, size_t *cap, double value)
{
    void *array = *values;
    if (!qn_array_grow(&array, cap, n + 1, sizeof **values)) {
        (void)fputs("duel: out of memory\n", stderr);
        exit(4);
    }
    *values = array;
    (*values)[n] = value;
}

void duel_times_add(duel_times *times, double us)
{
    append(&times->us, times->n, &times->cap, us);
    times->n++;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The least of sorted values that `percent` of them do not exceed. */
static double percentile(const double *sorted, size_t n, size_t percent)
{
    size_t rank = (n * percent + 99) / 100;
    return sorted[rank > 0 ? rank - 1 : 0];
}

static void put_json(const duel_times *times, double mean, const duel_labels *labels)
{
    printf("{\"v\":1,\"part\":\"rivals\",\"engine\":\"%s\",\"shape\":\"%s\",\"command\":\"%s\"",
           labels->engine, labels->shape, labels->command);
    if (labels->agrees != NULL)
        printf(",\"agrees\":\"%s\"", labels->agrees);
    printf(",\"queries\":%zu,\"mean_us\":%.6g,\"p50_us\":%.6g,\"p90_us\":%.6g,\"p99_us\":%.6g,"
           "\"max_us\":%.6g}\n",
           times->n, mean, percentile(times->us, times->n, 50), percentile(times->us, times->n, 90),
           percentile(times->us, times->n, 99), times->us[times->n - 1]);
}

void duel_times_round(duel_times *times, bool measured, const duel_labels *labels)
{
    double sum = 0;
    size_t n = times->n, r = times->n_rounds;
    for (size_t i = 0; i < n; i++)
        sum += times->us[i];
    qsort(times->us, n, sizeof *times->us, by_value);
    if (measured) {
        append(&times->mean, r, &times->cap_rounds[0], sum / (double)n);
        append(&times->p50, r, &times->cap_rounds[1], percentile(times->us, n, 50));
        append(&times->p99, r, &times->cap_rounds[2], percentile(times->us, n, 99));
        times->n_rounds++;
        if (labels != NULL && labels->json)
            put_json(times, sum / (double)n, labels);
    }
    times->n = 0;
}

static void put_ratio(range mean, duel_times *first)
{
    ratio r = ratio_of(mean, range_of(first->mean, first->n_rounds, 0.975));
    char interval[48] = "too few rounds";
    if (r.coverage > 0)
        (void)snprintf(interval, sizeof interval, "%.2f to %.2f", r.low, r.high);
    printf(" %8.2f  %-18s %6.1f", r.ratio, interval, 100 * r.coverage);
}

void duel_times_put(duel_times *times, duel_times *first, const char *mark)
{
    range mean = range_of(times->mean, times->n_rounds, 0.975);
    printf("%10.1f %10.1f %10.1f", mean.median, range_of(times->p50, times->n_rounds, 0.975).median,
           range_of(times->p99, times->n_rounds, 0.975).median);
    if (first != NULL)
        put_ratio(mean, first);
    puts(mark);
}

void duel_times_put_starts(duel_times *times, duel_times *first)
{
    range mean = range_of(times->mean, times->n_rounds, 0.975);
    printf("%10.0f %10.0f %10.0f", mean.median, times->mean[0], times->mean[times->n_rounds - 1]);
    if (first != NULL)
        put_ratio(mean, first);
    (void)putchar('\n');
}

void duel_times_free(duel_times *times)
{
    free(times->us);
    free(times->mean);
    free(times->p50);
    free(times->p99);
    *times = (duel_times){0};
}
