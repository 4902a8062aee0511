/*
 * Results of measurements, as every part of bench/ writes them: JSON Lines, an object a line, one
 * measurement of one round each:
 *
 *     {"v":1,"part":"build","engine":"quern","threads":1,"seconds":5.61,"mb_per_s":98.2}
 *
 * Strings are labels, which say what was measured, and so are the integers k, threads, documents
 * and bin. Every other number is a figure, whose name ends in its unit. "v" is the version of this
 * form, and "queries" (of how many) is passed over. Lines of equal labels are repeats of one
 * measurement.
 *
 * For programs that read such files and end where one is wrong: they print and exit.
 */
#ifndef QN_BENCH_RESULTS_H
#define QN_BENCH_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { RESULTS_WRONG = 2, RESULTS_SYSTEM = 4 }; /* exit codes */

typedef struct result_member {
    char *name, *text; /* of strings, what stands between the quotes, with its escapes; else NULL */
    char *label;       /* of labels, text or digits; else NULL */
    double number;     /* NaN of strings */
} result_member;

/* One line. */
typedef struct result {
    result_member *member;
    size_t n;
    char *line; /* holds the members' names and texts */
} result;

typedef struct results {
    const char *program; /* whose name messages start with */
    result *of;
    size_t n, cap;
} results;

/* Adds the lines of `path`; blank ones are none. Returns how many. Exits with RESULTS_WRONG and
 * names the line if one is malformed, or the file if it cannot be opened, and with RESULTS_SYSTEM
 * if it cannot be read or memory is short. */
size_t results_read(results *all, const char *path);
void results_free(results *all);

/* `memory`, unless it is NULL: then says so and exits. */
void *results_checked(const results *all, void *memory);

bool result_is_label(const result_member *member);
bool result_is_figure(const result_member *member);

/* Whether that figure is the better the larger it is. */
bool result_is_rate(const char *figure);

/* The member of that name, or NULL. */
const result_member *result_find(const result *r, const char *name);

/* The string that a label is, whole numbers in decimal: "" if there is none. */
const char *result_label(const result *r, const char *name);

/* Prints what a string of JSON stands for, with &, <, > and quotes as HTML has them. */
void result_put_html(FILE *out, const char *text);

#endif
