/*
 * Compares two files of results: JSON Lines as `quern bench --json` writes them. Results of equal
 * shape, k and evaluator in one file are repeats of one measurement. For each of their figures, the
 * ratio of the two medians is printed with an interval of confidence.
 *
 * The interval is exact and asks nothing of how the values are distributed: each median lies
 * between two of its sorted values with a probability that the binomial distribution gives (the
 * sign test turned round: Thompson 1936); the narrowest such pair of at least 97.5 % is taken for
 * each of the two medians, so that both hold with 95 % at least (Bonferroni), and their quotients
 * bound the ratio. With fewer than seven repeats no pair has 97.5 %, and the least and greatest
 * stand in for it; what they come to is printed.
 *
 * Used through bench/compare, which has the help.
 */
#include "index/base/buffer.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

enum { WRONG = 2, SYSTEM = 4, REPEATS_MAX = 1000, MEMBERS_MAX = 64 };

/* One figure of one key in both files. */
typedef struct series {
    char *shape, *evaluator, *figure; /* as they stand in JSON, without quotes */
    uint64_t k;
    double *value[2]; /* in A and B */
    size_t n[2], cap[2];
} series;

typedef struct results {
    series *of;
    size_t n, cap;
} results;

static void *checked(void *memory)
{
    if (memory != NULL)
        return memory;
    (void)fputs("compare: out of memory\n", stderr);
    exit(SYSTEM);
}

/* ---- reading ---- */

typedef struct place {
    const char *path;
    uint64_t line;
} place;

static _Noreturn void malformed(const place *at, const char *why)
{
    (void)fprintf(stderr, "compare: %s:%llu: %s\n", at->path, (unsigned long long)at->line, why);
    exit(WRONG);
}

/* A member of an object: of strings, what stands between the quotes. */
typedef struct member {
    char *name, *text; /* text: NULL unless a string */
    double number;     /* NaN unless a number */
} member;

static void skip_space(char **at)
{
    *at += strspn(*at, " \t\r\n");
}

/* The end of the string that starts at **at is made its end; *at goes behind it. */
static char *take_string(char **at, const place *where)
{
    char *start = ++*at, *end = start;
    for (; *end != '"'; end++) {
        if ((unsigned char)*end < 0x20)
            malformed(where, "a string does not end");
        if (*end == '\\' && *++end == '\0')
            malformed(where, "a string does not end");
    }
    *end = '\0';
    *at = end + 1;
    return start;
}

static double take_number(char **at, const place *where)
{
    /* strtod takes more than JSON has: hexadecimal, inf, nan. */
    size_t len = strspn(*at, "+-.0123456789eE");
    char after = (*at)[len], *end;
    (*at)[len] = '\0';
    double number = strtod(*at, &end);
    if (len == 0 || end != *at + len || **at == '+' || **at == '.' || !isfinite(number))
        malformed(where, "a member is neither a string nor a number");
    (*at)[len] = after;
    *at += len;
    return number;
}

/* The members of the object that a line is. */
static size_t parse_object(char *line, member members[MEMBERS_MAX], const place *where)
{
    size_t n = 0;
    char *at = line;
    skip_space(&at);
    if (*at++ != '{')
        malformed(where, "the line is no JSON object");
    do {
        member *m = &members[n++];
        if (n > MEMBERS_MAX)
            malformed(where, "more than 64 members");
        skip_space(&at);
        if (*at != '"')
            malformed(where, "the name of a member is expected");
        *m = (member){.name = take_string(&at, where), .number = NAN};
        skip_space(&at);
        if (*at++ != ':')
            malformed(where, "a colon is expected");
        skip_space(&at);
        if (*at == '"')
            m->text = take_string(&at, where);
        else
            m->number = take_number(&at, where);
        skip_space(&at);
    } while (*at++ == ',');
    if (at[-1] != '}')
        malformed(where, "the object does not end");
    skip_space(&at);
    if (*at != '\0')
        malformed(where, "something follows the object");
    return n;
}

static const member *find(const member *members, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(members[i].name, name) == 0)
            return &members[i];
    return NULL;
}

static series *series_of(results *all, const member *shape, uint64_t k, const member *evaluator,
                         const char *figure)
{
    for (size_t i = 0; i < all->n; i++) {
        series *s = &all->of[i];
        if (s->k == k && strcmp(s->figure, figure) == 0 && strcmp(s->shape, shape->text) == 0 &&
            strcmp(s->evaluator, evaluator->text) == 0)
            return s;
    }
    void *array = all->of;
    if (!qn_array_grow(&array, &all->cap, all->n + 1, sizeof *all->of))
        (void)checked(NULL);
    all->of = array;
    series *s = &all->of[all->n++];
    *s = (series){.shape = checked(strdup(shape->text)),
                  .evaluator = checked(strdup(evaluator->text)),
                  .figure = checked(strdup(figure)),
                  .k = k};
    return s;
}

static void append(series *s, int file, double value, const place *where)
{
    void *array = s->value[file];
    if (s->n[file] == REPEATS_MAX)
        malformed(where, "more than 1000 results of one shape, k and evaluator");
    if (!qn_array_grow(&array, &s->cap[file], s->n[file] + 1, sizeof(double)))
        (void)checked(NULL);
    s->value[file] = array;
    s->value[file][s->n[file]++] = value;
}

/* Takes the figures of a line: all numbers but those that tell what was measured. Lines of single
 * slow queries (--slowest) and about the whole file ("about") are passed over. */
static void take_line(results *all, int file, char *line, const place *where)
{
    member members[MEMBERS_MAX];
    size_t n = parse_object(line, members, where);
    const member *v = find(members, n, "v"), *shape = find(members, n, "shape"),
                 *k = find(members, n, "k"), *evaluator = find(members, n, "evaluator");
    if (v == NULL || v->number != 1)
        malformed(where, "\"v\" is not 1");
    if (shape == NULL && (find(members, n, "qid") != NULL || find(members, n, "about") != NULL))
        return;
    if (shape == NULL || shape->text == NULL || evaluator == NULL || evaluator->text == NULL)
        malformed(where, "\"shape\" or \"evaluator\" is missing or no string");
    if (k == NULL || !(k->number >= 0 && k->number <= 1e9) || k->number != floor(k->number))
        malformed(where, "\"k\" is missing or no whole number");
    for (size_t i = 0; i < n; i++) {
        const member *m = &members[i];
        if (m->text != NULL || m == v || m == k || strcmp(m->name, "queries") == 0)
            continue;
        if (m->number < 0)
            malformed(where, "a figure is negative");
        append(series_of(all, shape, (uint64_t)k->number, evaluator, m->name), file, m->number,
               where);
    }
}

static void read_file(results *all, int file, const char *path)
{
    FILE *in = fopen(path, "re");
    char *line = NULL;
    size_t room = 0, results_before = 0;
    ssize_t len;
    place where = {path, 0};
    if (in == NULL) {
        (void)fprintf(stderr, "compare: cannot open %s: %s\n", path, strerror(errno));
        exit(WRONG);
    }
    while ((len = getline(&line, &room, in)) > 0) {
        where.line++;
        if (strlen(line) != (size_t)len)
            malformed(&where, "a byte is 0");
        if (line[strspn(line, " \t\r\n")] != '\0')
            take_line(all, file, line, &where);
    }
    if (ferror(in) != 0) {
        (void)fprintf(stderr, "compare: cannot read %s: %s\n", path, strerror(errno));
        exit(SYSTEM);
    }
    for (size_t i = 0; i < all->n; i++)
        results_before += all->of[i].n[file];
    if (results_before == 0) {
        (void)fprintf(stderr, "compare: %s holds no results\n", path);
        exit(WRONG);
    }
    free(line);
    (void)fclose(in);
}

/* ---- comparing ---- */

typedef struct range {
    double low, median, high;
    double coverage; /* the probability that the median is within: 0 for a single value */
} range;

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static range range_of(double *value, size_t n)
{
    const double enough = 0.975;
    qsort(value, n, sizeof *value, by_value);
    range r = {value[0], (value[(n - 1) / 2] + value[n / 2]) / 2, value[n - 1], 0};
    /* Below the median lies each value with probability 1/2: `term` is that of exactly i of n,
     * `tail` that of i or fewer. */
    double term = ldexp(1, -(int)n), tail = term;
    r.coverage = 1 - 2 * tail;
    for (size_t i = 1; 2 * i < n; i++) {
        term *= (double)(n - i + 1) / (double)i;
        tail += term;
        if (1 - 2 * tail < enough)
            break;
        r.low = value[i];
        r.high = value[n - 1 - i];
        r.coverage = 1 - 2 * tail;
    }
    return r;
}

static double quotient(double over, double under)
{
    return over == under ? 1 : over / under; /* of zeros, too */
}

typedef struct comparison {
    range a, b;
    double ratio, low, high;
    double coverage; /* of low..high, at least; 0: there are too few repeats to say */
} comparison;

/* What is better the larger it is. */
static bool is_rate(const char *figure)
{
    return strcmp(figure, "qps") == 0 || strcmp(figure, "mb_per_s") == 0;
}

static comparison compare(series *s)
{
    comparison c = {.a = range_of(s->value[0], s->n[0]), .b = range_of(s->value[1], s->n[1])};
    const range *over = is_rate(s->figure) ? &c.a : &c.b, *under = over == &c.a ? &c.b : &c.a;
    c.ratio = quotient(over->median, under->median);
    c.low = quotient(over->low, under->high);
    c.high = quotient(over->high, under->low);
    c.coverage = fmax(0, c.a.coverage + c.b.coverage - 1);
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

static void put_json(const series *s, const comparison *c, bool slower, bool faster)
{
    printf("{\"v\":1,\"shape\":\"%s\",\"k\":%llu,\"evaluator\":\"%s\",\"figure\":\"%s\"", s->shape,
           (unsigned long long)s->k, s->evaluator, s->figure);
    put_number("a", c->a.median);
    put_number("b", c->b.median);
    put_number("ratio", c->ratio);
    put_number("low", c->low);
    put_number("high", c->high);
    put_number("coverage", c->coverage);
    printf(",\"n_a\":%zu,\"n_b\":%zu,\"worse\":%s,\"better\":%s}\n", s->n[0], s->n[1],
           slower ? "true" : "false", faster ? "true" : "false");
}

static void put_row(const series *s, const comparison *c, bool worse, bool better)
{
    char interval[32] = "too few repeats";
    if (c->coverage > 0)
        (void)snprintf(interval, sizeof interval, "%.3f to %.3f", c->low, c->high);
    char repeats[32];
    (void)snprintf(repeats, sizeof repeats, "%zu/%zu", s->n[0], s->n[1]);
    printf("%-12s %7llu %-12s %-12s %12.6g %12.6g %7.3f  %-16s %6.1f %7s%s\n", s->shape,
           (unsigned long long)s->k, s->evaluator, s->figure, c->a.median, c->b.median, c->ratio,
           interval, 100 * c->coverage, repeats,
           worse    ? "  WORSE"
           : better ? "  better"
                    : "");
}

static void put_heading(void)
{
    printf("%-12s %7s %-12s %-12s %12s %12s %7s  %-16s %6s %7s\n", "shape", "k", "evaluator",
           "figure", "A", "B", "ratio", "interval", "%", "repeats");
}

/* Compares all that both files have; returns the exit code. */
static int compare_all(const results *all, const char *const path[2], double most, bool json)
{
    size_t n_compared = 0, n_worse = 0;
    if (!json)
        put_heading();
    for (size_t i = 0; i < all->n; i++) {
        series *s = &all->of[i];
        if (s->n[0] == 0 || s->n[1] == 0) {
            (void)fprintf(stderr, "compare: %s lacks %s of shape %s, k %llu, evaluator %s\n",
                          path[s->n[0] == 0 ? 0 : 1], s->figure, s->shape, (unsigned long long)s->k,
                          s->evaluator);
            continue;
        }
        comparison c = compare(s);
        bool alone = c.coverage == 0; /* the ratio must do */
        bool worse = c.ratio > most && (alone || c.low > 1);
        bool better = c.ratio < 1 / most && (alone || c.high < 1);
        if (json)
            put_json(s, &c, worse, better);
        else
            put_row(s, &c, worse, better);
        n_compared++;
        n_worse += worse;
    }
    if (n_compared == 0) {
        (void)fputs("compare: the files have no figure in common\n", stderr);
        return WRONG;
    }
    if (!json)
        printf("\n%zu figures, %zu worse than %g times\n", n_compared, n_worse, most);
    if (fflush(stdout) != 0) {
        (void)fprintf(stderr, "compare: cannot write standard output: %s\n", strerror(errno));
        return SYSTEM;
    }
    return n_worse > 0;
}

/* Its arguments come from bench/compare: RATIO text|json A B. */
int main(int argc, char **argv)
{
    results all = {0};
    if (argc != 5) {
        (void)fputs("compare: use bench/compare\n", stderr);
        return WRONG;
    }
    const char *const path[2] = {argv[3], argv[4]};
    for (int file = 0; file < 2; file++)
        read_file(&all, file, path[file]);
    int code = compare_all(&all, path, strtod(argv[1], NULL), strcmp(argv[2], "json") == 0);
    for (size_t i = 0; i < all.n; i++) {
        free(all.of[i].shape);
        free(all.of[i].evaluator);
        free(all.of[i].figure);
        free(all.of[i].value[0]);
        free(all.of[i].value[1]);
    }
    free(all.of);
    return code;
}
