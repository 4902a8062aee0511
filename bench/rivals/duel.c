/*
 * Engines side by side: are their answers the same, and how long do they take? Each is a process
 * that speaks the line protocol of the search benchmark game (bench/sbg/README.md). First all
 * queries are answered by all and compared with the answers of the first engine; then engines take
 * turns, round by round, each with all queries of a shape in a row; at last processes are started
 * anew, for the time to their first answer. An engine that answers otherwise is timed, but marked.
 *
 * --help tells the rest; the script bench/duel finds the program.
 */
#include "bench/rivals/duel_options.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PINGS = 100 };

/* What is asked for when only the way there and back is measured. */
static const char NOTHING[] = "NOTHING";

/* ---- answers ---- */

static double share(size_t part, size_t whole)
{
    return whole == 0 ? NAN : (double)part / (double)whole;
}

static void put_figure(const char *name, double value)
{
    if (isfinite(value))
        printf(",\"%s\":%.6g", name, value);
}

static const char *agrees(const duel *d, size_t e, size_t s)
{
    return e == 0 ? "first" : duel_agreement_word(&d->agreement[e][s], d->agree);
}

static void put_agreement(const duel *d, size_t e, size_t s)
{
    const duel_agreement *a = &d->agreement[e][s];
    const double equal = share(a->n_equal, a->n_counted), near = share(a->n_near, a->n_counted),
                 same = share(a->n_same, a->n_scored),
                 overlap = a->n_shown == 0 ? NAN : a->overlap / (double)a->n_shown;
    if (d->json) {
        printf("{\"v\":1,\"part\":\"rivals\",\"engine\":\"%s\",\"against\":\"%s\",\"shape\":\"%s\","
               "\"agrees\":\"%s\",\"queries\":%zu",
               d->engine[e].name, d->engine[0].name, d->queries[s].shape, agrees(d, e, s),
               d->queries[s].n);
        put_figure("count_share_equal", equal);
        put_figure("count_near_share_equal", near);
        put_figure("overlap", overlap);
        put_figure("score_share_equal", same);
        puts("}");
        return;
    }
    const double value[] = {equal, near, overlap, same};
    printf("%-14s %-10s %8zu", d->queries[s].shape, d->engine[e].name, d->queries[s].n);
    for (size_t i = 0; i < sizeof value / sizeof *value; i++) {
        if (isfinite(value[i]))
            printf(" %8.1f", 100 * value[i]);
        else
            printf(" %8s", "");
    }
    puts(strcmp(agrees(d, e, s), "no") == 0        ? "  DIFFERS"
         : strcmp(agrees(d, e, s), "unknown") == 0 ? "  not compared"
                                                   : "");
}

/* What shows that an engine answers otherwise. */
static void put_worst(const duel *d, size_t e, size_t s)
{
    const duel_agreement *a = &d->agreement[e][s];
    FILE *to = d->json ? stderr : stdout;
    if (strcmp(agrees(d, e, s), "no") != 0)
        return;
    if (a->worst != NULL)
        (void)fprintf(to, "%s: %s counts %llu, %s %llu for '%s'\n", d->queries[s].shape,
                      d->engine[0].name, a->worst_count[0], d->engine[e].name, a->worst_count[1],
                      a->worst);
    if (a->unlike != NULL)
        (void)fprintf(to, "%s: scores of %s are not those of %s for '%s'\n", d->queries[s].shape,
                      d->engine[e].name, d->engine[0].name, a->unlike);
}

/* All engines answer a query; false: there is nothing to compare with any more. */
static bool compare_query(duel *d, size_t s, const char *query)
{
    duel_answer first, other;
    if (!duel_answer_ask(&first, &d->engine[0], query)) {
        duel_answer_free(&first);
        return false;
    }
    for (size_t e = 1; e < d->n_engines; e++) {
        if (d->engine[e].out)
            continue;
        if (duel_answer_ask(&other, &d->engine[e], query))
            duel_agreement_add(&d->agreement[e][s], &first, &other, query);
        duel_answer_free(&other);
    }
    duel_answer_free(&first);
    return true;
}

static bool compare_answers(duel *d)
{
    for (size_t s = 0; s < d->n_shapes; s++)
        for (size_t q = 0; q < d->queries[s].n; q++)
            if (!compare_query(d, s, d->queries[s].text[q]))
                return false;
    if (!d->json && d->n_engines > 1)
        printf("%% that are as %s's\n%-14s %-10s %8s %8s %8s %8s %8s\n", d->engine[0].name, "shape",
               "engine", "queries", "counts", "in 1 %", "best 10", "scores");
    for (size_t s = 0; s < d->n_shapes; s++)
        for (size_t e = 1; e < d->n_engines; e++) {
            if (d->engine[e].out)
                continue;
            put_agreement(d, e, s);
            d->differs = d->differs || strcmp(agrees(d, e, s), "no") == 0;
        }
    for (size_t s = 0; s < d->n_shapes; s++)
        for (size_t e = 1; e < d->n_engines; e++)
            if (!d->engine[e].out)
                put_worst(d, e, s);
    return true;
}

/* ---- times ---- */

/* Asks an engine for all of a shape. */
static void run_shape(duel *d, size_t e, size_t s, size_t c, bool measured)
{
    duel_times *times = &d->times[e][s][c];
    const duel_queries *queries = &d->queries[s];
    for (size_t q = 0; q < queries->n && !d->engine[e].out && !times->unsupported; q++) {
        const char *answer;
        double us;
        if (!duel_ask(&d->engine[e], d->command[c], queries->text[q], &answer, &us))
            return;
        times->unsupported = strcmp(answer, "UNSUPPORTED") == 0;
        duel_times_add(times, us);
    }
    if (!d->engine[e].out && !times->unsupported)
        duel_times_round(times, measured,
                         &(duel_labels){.json = d->json,
                                        .engine = d->engine[e].name,
                                        .shape = queries->shape,
                                        .command = d->command[c],
                                        .agrees = agrees(d, e, s)});
}

static void run_pings(duel *d, size_t e, bool measured)
{
    for (size_t i = 0; i < PINGS && !d->engine[e].out; i++) {
        const char *answer;
        double us;
        if (duel_ask(&d->engine[e], NOTHING, "x", &answer, &us))
            duel_times_add(&d->ping[e], us);
    }
    if (!d->engine[e].out)
        duel_times_round(
            &d->ping[e], measured,
            &(duel_labels){
                .json = d->json, .engine = d->engine[e].name, .shape = "none", .command = NOTHING});
}

/* Who comes first changes from round to round. */
static void run_round(duel *d, size_t round, bool measured)
{
    for (size_t i = 0; i < d->n_engines; i++)
        run_pings(d, (i + round) % d->n_engines, measured);
    for (size_t c = 0; c < d->n_commands; c++)
        for (size_t s = 0; s < d->n_shapes; s++)
            for (size_t i = 0; i < d->n_engines; i++)
                run_shape(d, (i + round) % d->n_engines, s, c, measured);
    if (isatty(STDERR_FILENO) != 0)
        (void)fprintf(stderr, "\rround %zu of %zu%s", round + 1, d->warmup + d->rounds,
                      round + 1 == d->warmup + d->rounds ? "\r\033[K" : "");
}

/* ---- tables ---- */

static void put_heading(const char *command)
{
    printf("\n%s, us\n%-14s %-10s %10s %10s %10s %8s  %-18s %6s\n", command, "shape", "engine",
           "mean", "p50", "p99", "ratio", "interval", "%");
}

static void put_row(const duel *d, size_t e, const char *shape, duel_times *times,
                    duel_times *first, const char *agree)
{
    printf("%-14s %-10s ", shape, d->engine[e].name);
    if (times->unsupported)
        puts("unsupported");
    else if (d->engine[e].out || times->n_rounds == 0)
        puts("left out");
    else
        duel_times_put(times, e == 0 || first->n_rounds == 0 ? NULL : first,
                       strcmp(agree, "no") == 0        ? "  DIFFERS"
                       : strcmp(agree, "unknown") == 0 ? "  not compared"
                                                       : "");
}

static void put_tables(duel *d)
{
    for (size_t c = 0; c < d->n_commands; c++) {
        put_heading(d->command[c]);
        for (size_t s = 0; s < d->n_shapes; s++)
            for (size_t e = 0; e < d->n_engines; e++)
                put_row(d, e, d->queries[s].shape, &d->times[e][s][c], &d->times[0][s][c],
                        agrees(d, e, s));
    }
    put_heading(NOTHING);
    for (size_t e = 0; e < d->n_engines; e++)
        put_row(d, e, "none", &d->ping[e], &d->ping[0], "yes");
}

/* ---- cold starts ---- */

/* From before the process is there to its first answer. */
static void start_cold(duel *d, size_t e, size_t s, duel_times *times)
{
    const char *answer;
    double us, start = duel_now();
    duel_start(&d->engine[e]);
    if (!duel_ask(&d->engine[e], "TOP_10", d->queries[s].text[0], &answer, &us))
        return;
    us = duel_now() - start;
    duel_stop(&d->engine[e]);
    times->unsupported = strcmp(answer, "UNSUPPORTED") == 0;
    if (d->json && !times->unsupported)
        printf(
            "{\"v\":1,\"part\":\"cold\",\"engine\":\"%s\",\"shape\":\"%s\",\"command\":\"TOP_10\","
            "\"first_us\":%.6g}\n",
            d->engine[e].name, d->queries[s].shape, us);
    duel_times_add(times, us);
    duel_times_round(times, true, NULL);
}

static void put_cold_rows(duel *d, const char *shape, duel_times times[])
{
    for (size_t e = 0; e < d->n_engines; e++)
        if (times[e].unsupported || d->engine[e].out)
            put_row(d, e, shape, &times[e], NULL, "yes");
        else {
            printf("%-14s %-10s ", shape, d->engine[e].name);
            duel_times_put_starts(&times[e], d->engine[0].out || e == 0 ? NULL : &times[0]);
        }
}

static void start_all_cold(duel *d)
{
    if (d->cold > 0 && !d->json)
        printf("\nstart to first answer, us\n%-14s %-10s %10s %10s %10s %8s  %-18s %6s\n", "shape",
               "engine", "median", "least", "most", "ratio", "interval", "%");
    for (size_t s = 0; s < d->n_shapes && d->cold > 0; s++) {
        duel_times times[ENGINES_MAX] = {0};
        for (size_t i = 0; i < d->cold; i++)
            for (size_t j = 0; j < d->n_engines; j++) {
                size_t e = (i + j) % d->n_engines;
                if (!d->engine[e].out)
                    start_cold(d, e, s, &times[e]);
            }
        if (!d->json)
            put_cold_rows(d, d->queries[s].shape, times);
        for (size_t e = 0; e < d->n_engines; e++)
            duel_times_free(&times[e]);
    }
}

/* Answers, and times of rounds; false: the first engine failed before there was anything to
 * compare. */
static bool run_warm(duel *d)
{
    for (size_t e = 0; e < d->n_engines; e++)
        duel_start(&d->engine[e]);
    if (!compare_answers(d))
        return false;
    size_t rounds = d->rounds > 0 ? d->warmup + d->rounds : 0;
    for (size_t round = 0; round < rounds && !d->engine[0].out; round++)
        run_round(d, round, round >= d->warmup);
    if (rounds > 0 && !d->json)
        put_tables(d);
    for (size_t e = 0; e < d->n_engines; e++)
        duel_stop(&d->engine[e]);
    return true;
}

static bool run(duel *d)
{
    if (!d->only_cold && !run_warm(d))
        return false;
    start_all_cold(d);
    return true;
}

int main(int argc, char **argv)
{
    static duel d;
    duel_options_take(&d, argc, argv);
    (void)signal(SIGPIPE, SIG_IGN); /* an engine that ends is told of by its pipe */
    bool good = run(&d) && !d.differs;
    for (size_t e = 0; e < d.n_engines; e++)
        good = good && !d.engine[e].out;
    duel_options_free(&d);
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        (void)fprintf(stderr, "duel: cannot write standard output: %s\n", strerror(errno));
        return 4;
    }
    return good ? 0 : 1;
}
