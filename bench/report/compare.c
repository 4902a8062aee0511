/*
 * Compares two files of results (results.h), as `quern bench --json` and the parts of bench/ write
 * them. For each figure of each measurement that both have, the ratio of the two medians is printed
 * with an interval that holds it with 95 % at least (stats.h). With fewer than seven repeats the
 * least and greatest bound it; what they come to is printed.
 *
 * Used through bench/compare, which has the help.
 */
#include "bench/report/results.h"
#include "bench/report/stats.h"
#include "index/base/buffer.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REPEATS_MAX = 1000 };

/* ---- gathering ---- */

/* One value of a figure. */
typedef struct entry {
    const result *of;
    const char *key, *figure; /* key: the labels as members of JSON, each with a comma before it */
    int file;                 /* 0 or 1 */
    size_t place;             /* in order of reading */
    double value;
} entry;

typedef struct entries {
    entry *of;
    size_t n, cap;
} entries;

/* The labels of a line; the caller frees. */
static char *key_of(const results *all, const result *r)
{
    char *key = NULL;
    size_t len = 0;
    FILE *out = results_checked(all, open_memstream(&key, &len));
    for (size_t i = 0; i < r->n; i++) {
        const result_member *m = &r->member[i];
        if (!result_is_label(m))
            continue;
        if (m->text != NULL)
            (void)fprintf(out, ",\"%s\":\"%s\"", m->name, m->text);
        else
            (void)fprintf(out, ",\"%s\":%s", m->name, m->label);
    }
    return fclose(out) == 0 ? key : results_checked(all, NULL);
}

/* Adds the figures of a line. Those of single slow queries (--slowest) and of what the machine is
 * are passed over. */
static size_t gather(const results *all, entries *to, const result *r, int file, const char *key)
{
    size_t before = to->n;
    if (result_find(r, "qid") != NULL || result_find(r, "about") != NULL ||
        strcmp(result_label(r, "part"), "about") == 0)
        return 0;
    for (size_t i = 0; i < r->n; i++) {
        if (!result_is_figure(&r->member[i]))
            continue;
        void *array = to->of;
        if (!qn_array_grow(&array, &to->cap, to->n + 1, sizeof *to->of))
            (void)results_checked(all, NULL);
        to->of = array;
        to->of[to->n] = (entry){r, key, r->member[i].name, file, to->n, r->member[i].number};
        to->n++;
    }
    return to->n - before;
}

static int by_key(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    int order = strcmp(x->key, y->key);
    if (order == 0)
        order = strcmp(x->figure, y->figure);
    if (order == 0)
        order = x->file - y->file;
    return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

/* A figure of one measurement: its values in A and B. */
typedef struct series {
    const entry *first;
    double *value[2];
    size_t n[2];
} series;

static int by_place(const void *a, const void *b)
{
    const series *x = a, *y = b;
    return (x->first->place > y->first->place) - (x->first->place < y->first->place);
}

/* Sorts the entries and tells what belongs together, in order of first appearance; values stand in
 * `values`, which has room for all. Returns how many series. */
static size_t group(const results *all, entries *e, double *values, series *out)
{
    size_t n = 0;
    qsort(e->of, e->n, sizeof *e->of, by_key);
    for (size_t i = 0; i < e->n; i++) {
        const entry *here = &e->of[i];
        if (i == 0 || strcmp(here->key, here[-1].key) != 0 ||
            strcmp(here->figure, here[-1].figure) != 0) {
            out[n++] = (series){.first = here, .value = {values + i, values + i}};
        }
        series *s = &out[n - 1];
        if (s->n[here->file] == REPEATS_MAX) {
            (void)fprintf(stderr, "%s: more than %d results of one measurement: %s of %s\n",
                          all->program, REPEATS_MAX, here->figure, here->key + 1);
            exit(RESULTS_WRONG);
        }
        if (here->file == 1 && s->n[1] == 0)
            s->value[1] = values + i;
        values[i] = here->value;
        s->n[here->file]++;
    }
    qsort(out, n, sizeof *out, by_place);
    return n;
}

/* ---- comparing ---- */

typedef struct comparison {
    range a, b;
    ratio by; /* above 1: B is worse */
} comparison;

static comparison compare(const series *s)
{
    comparison c = {.a = range_of(s->value[0], s->n[0], 0.975),
                    .b = range_of(s->value[1], s->n[1], 0.975)};
    c.by = result_is_rate(s->first->figure) ? ratio_of(c.a, c.b) : ratio_of(c.b, c.a);
    return c;
}

/* ---- printing ---- */

static void put_number(const char *name, double value)
{
    if (isfinite(value))
        printf(",\"%s\":%.6g", name, value);
    else
        printf(",\"%s\":null", name);
}

static void put_json(const series *s, const comparison *c, bool worse, bool better)
{
    printf("{\"v\":1%s,\"figure\":\"%s\"", s->first->key, s->first->figure);
    put_number("a", c->a.median);
    put_number("b", c->b.median);
    put_number("ratio", c->by.ratio);
    put_number("low", c->by.low);
    put_number("high", c->by.high);
    put_number("coverage", c->by.coverage);
    printf(",\"n_a\":%zu,\"n_b\":%zu,\"worse\":%s,\"better\":%s}\n", s->n[0], s->n[1],
           worse ? "true" : "false", better ? "true" : "false");
}

/* The labels' values, with spaces between them. */
static void put_name(char *to, size_t room, const result *r)
{
    size_t len = 0;
    to[0] = '\0';
    for (size_t i = 0; i < r->n && len < room; i++)
        if (result_is_label(&r->member[i]))
            len += (size_t)snprintf(to + len, room - len, "%s%s%s", len > 0 ? " " : "",
                                    r->member[i].text == NULL && r->member[i].name[0] == 'k' ? "k="
                                                                                             : "",
                                    result_label(r, r->member[i].name));
}

static void put_row(const series *s, const comparison *c, bool worse, bool better)
{
    char name[256], interval[32] = "too few repeats", repeats[32];
    put_name(name, sizeof name, s->first->of);
    if (c->by.coverage > 0)
        (void)snprintf(interval, sizeof interval, "%.3f to %.3f", c->by.low, c->by.high);
    (void)snprintf(repeats, sizeof repeats, "%zu/%zu", s->n[0], s->n[1]);
    printf("%-36s %-16s %12.6g %12.6g %7.3f  %-16s %6.1f %7s%s\n", name, s->first->figure,
           c->a.median, c->b.median, c->by.ratio, interval, 100 * c->by.coverage, repeats,
           worse    ? "  WORSE"
           : better ? "  better"
                    : "");
}

static void put_heading(void)
{
    printf("%-36s %-16s %12s %12s %7s  %-16s %6s %7s\n", "measured", "figure", "A", "B", "ratio",
           "interval", "%", "repeats");
}

static void put_lacking(const series *s, const char *const path[2])
{
    char name[256];
    put_name(name, sizeof name, s->first->of);
    (void)fprintf(stderr, "compare: %s lacks %s of %s\n", path[s->n[0] == 0 ? 0 : 1],
                  s->first->figure, name);
}

/* Compares all that both files have; returns the exit code. */
static int compare_all(const series *all, size_t n, const char *const path[2], double most,
                       bool json)
{
    size_t n_compared = 0, n_worse = 0;
    if (!json)
        put_heading();
    for (const series *s = all; s < all + n; s++) {
        if (s->n[0] == 0 || s->n[1] == 0) {
            put_lacking(s, path);
            continue;
        }
        comparison c = compare(s);
        bool alone = c.by.coverage == 0; /* the ratio must do */
        bool worse = c.by.ratio > most && (alone || c.by.low > 1);
        bool better = c.by.ratio < 1 / most && (alone || c.by.high < 1);
        if (json)
            put_json(s, &c, worse, better);
        else
            put_row(s, &c, worse, better);
        n_compared++;
        n_worse += worse;
    }
    if (n_compared == 0) {
        (void)fputs("compare: the files have no figure in common\n", stderr);
        return RESULTS_WRONG;
    }
    if (!json)
        printf("\n%zu figures, %zu worse than %g times\n", n_compared, n_worse, most);
    if (fflush(stdout) != 0) {
        (void)fprintf(stderr, "compare: cannot write standard output: %s\n", strerror(errno));
        return RESULTS_SYSTEM;
    }
    return n_worse > 0;
}

/* Its arguments come from bench/compare: RATIO text|json A B. */
int main(int argc, char **argv)
{
    results all = {.program = "compare"};
    entries found = {0};
    if (argc != 5) {
        (void)fputs("compare: use bench/compare\n", stderr);
        return RESULTS_WRONG;
    }
    const char *const path[2] = {argv[3], argv[4]};
    size_t in_a = results_read(&all, path[0]);
    (void)results_read(&all, path[1]);
    char **key = results_checked(&all, calloc(all.n + 1, sizeof *key));
    for (int file = 0; file < 2; file++) {
        size_t n = 0;
        for (size_t i = file == 0 ? 0 : in_a; i < (file == 0 ? in_a : all.n); i++) {
            key[i] = key_of(&all, &all.of[i]);
            n += gather(&all, &found, &all.of[i], file, key[i]);
        }
        if (n == 0) {
            (void)fprintf(stderr, "compare: %s holds no results\n", path[file]);
            exit(RESULTS_WRONG);
        }
    }
    double *values = results_checked(&all, malloc(found.n * sizeof *values));
    series *of = results_checked(&all, malloc(found.n * sizeof *of));
    size_t n = group(&all, &found, values, of);
    int code = compare_all(of, n, path, strtod(argv[1], NULL), strcmp(argv[2], "json") == 0);
    for (size_t i = 0; i < all.n; i++)
        free(key[i]);
    free(key);
    free(values);
    free(of);
    free(found.of);
    results_free(&all);
    return code;
}
