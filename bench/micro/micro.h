/*
 * What the programs that measure share: random numbers that are the same in every run, a clock, the
 * median of runs, their command line, and results as JSON Lines.
 *
 * A line of results is an object without nesting: "v":1, "part", and then labels (strings, and the
 * integers k, threads and documents), which say what was measured, and figures, whose names end in
 * their unit. Lines of equal labels are repeats.
 */
#ifndef QN_BENCH_MICRO_H
#define QN_BENCH_MICRO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_RUNS = 1001 };

/* ---- numbers and time ---- */

/* SplitMix64 (Steele, Lea, Flood 2014). */
static inline uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* From 0, and less than 1. */
static inline float next_unit(uint64_t *state)
{
    return (float)(next_random(state) >> 40) * 0x1p-24f;
}

/* Seconds since some moment. */
static inline double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts `values`, at least one; of an even number the mean of the two in the middle, as quern
 * bench. */
static inline double median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, by_value);
    return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

/* ---- the command line ---- */

typedef struct micro_form {
    const char *usage;  /* the line behind "usage: " */
    unsigned runs;      /* usual ones; 0: they cannot be asked for */
    int runs_at;        /* which argument tells them; -1: what stands behind -r */
    int n_least, n_max; /* arguments, RUNS among them */
} micro_form;

typedef struct micro_options {
    bool json;
    unsigned runs;
    char **argument; /* those that are no options, in argv */
    int n;
} micro_options;

static inline _Noreturn void wrong_usage(const char *usage)
{
    (void)fprintf(stderr, "usage: %s\n", usage);
    exit(2);
}

/* A whole number from 1 to `most`; anything else is wrong usage. */
static inline unsigned long number_from(const char *text, unsigned long most, const char *usage)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || value < 1 || value > most)
        wrong_usage(usage);
    return value;
}

/* Options may stand anywhere, up to "--". --help prints the usage and ends the program, as does
 * whatever the form does not have, with exit code 2. */
static inline micro_options read_options(const micro_form *form, int argc, char **argv)
{
    micro_options o = {.runs = form->runs, .argument = argv + 1};
    bool options = true;
    for (int i = 1; i < argc; i++) {
        char *text = argv[i];
        if (!options || text[0] != '-' || text[1] == '\0') {
            o.argument[o.n++] = text;
        } else if (strcmp(text, "--") == 0) {
            options = false;
        } else if (strcmp(text, "--json") == 0) {
            o.json = true;
        } else if (strcmp(text, "-r") == 0 && form->runs_at < 0 && i + 1 < argc) {
            o.runs = (unsigned)number_from(argv[++i], MAX_RUNS, form->usage);
        } else if (strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0) {
            (void)printf("usage: %s\n", form->usage);
            exit(fflush(stdout) == 0 ? 0 : 4);
        } else {
            wrong_usage(form->usage);
        }
    }
    if (o.n < form->n_least || o.n > form->n_max)
        wrong_usage(form->usage);
    if (form->runs > 0 && form->runs_at >= 0 && o.n > form->runs_at)
        o.runs = (unsigned)number_from(o.argument[form->runs_at], MAX_RUNS, form->usage);
    return o;
}

/* ---- results ---- */

/* The exit code of a program that is done: what it printed must have arrived. */
static inline int finished(bool good)
{
    return fflush(stdout) == 0 && ferror(stdout) == 0 && good ? 0 : 1;
}

/* Of a string of JSON what stands between the quotes. What is not printable ASCII becomes '?': the
 * name of a file need not be UTF-8. */
static inline void put_text(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            (void)putchar('\\');
        (void)putchar(*text < ' ' || *text > '~' ? '?' : *text);
    }
}

/* ,"name":"text" */
static inline void put_label(const char *name, const char *text)
{
    (void)printf(",\"%s\":\"", name);
    put_text(text);
    (void)putchar('"');
}

static inline void put_figure(const char *name, double value)
{
    (void)printf(",\"%s\":%.6g", name, value);
}

/* A path without folders. */
static inline const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* How fast a kernel is; what is NULL or 0 is left out. */
typedef struct kernel_speed {
    const char *program;
    const char *kernel, *data; /* one label, with a comma between them */
    const char *level;         /* of instructions: see qn_cpu_name */
    const char *of;            /* the values that are counted */
    double values_per_s;
    double bytes_per_s; /* read and written together, to be set beside those of micro_memory */
    double bits;        /* that a value takes when coded */
} kernel_speed;

/* A line of part "kernels". */
static inline void put_kernel(const kernel_speed *speed)
{
    (void)printf("{\"v\":1,\"part\":\"kernels\"");
    put_label("program", speed->program);
    (void)printf(",\"kernel\":\"");
    put_text(speed->kernel);
    if (speed->data != NULL) {
        (void)printf(", ");
        put_text(speed->data);
    }
    (void)putchar('"');
    put_label("level", speed->level);
    put_label("of", speed->of);
    put_figure("values_per_s", speed->values_per_s);
    if (speed->bytes_per_s > 0)
        put_figure("bytes_per_s", speed->bytes_per_s);
    if (speed->bits > 0)
        put_figure("bits", speed->bits);
    (void)printf("}\n");
    (void)fflush(stdout);
}

#endif
