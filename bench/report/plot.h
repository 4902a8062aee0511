/*
 * Plots as SVG inside an HTML page: bars or dots with intervals, stacked bars, and lines. Colours
 * are the page's variables (page.c), so that a plot follows light and dark. Labels are strings as
 * results hold them (results.h), with the escapes of JSON.
 */
#ifndef QN_BENCH_PLOT_H
#define QN_BENCH_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { PLOT_COLOURS = 8, PLOT_PARTS_MAX = 12 };

/* What numbers are, and so how they are written: 1,500 of PLOT_US is "1.5 ms". */
typedef enum plot_unit {
    PLOT_PLAIN, /* counts, with k, M, G */
    PLOT_US,
    PLOT_BYTES,
    PLOT_BYTES_PER_S,
    PLOT_MB_PER_S,
    PLOT_PER_S,
    PLOT_TIMES, /* a ratio */
    PLOT_SHARE  /* 0 to 1, as percent */
} plot_unit;

/* Writes `value` with three significant digits and its unit; returns `to`. */
const char *plot_number(char *to, size_t room, double value, plot_unit unit);

typedef struct plot_axis {
    const char *title;
    plot_unit unit;
    bool log; /* else from 0 */
} plot_axis;

/* A bar (on a log axis, which has no 0 to start from, a dot), with the interval low..high. */
typedef struct plot_mark {
    const char *group; /* printed above the first mark of each run of equal groups; or NULL */
    const char *label, *note; /* note: behind the number, or NULL */
    unsigned colour;
    double value, low, high;
} plot_mark;

/* `line`: a value at which a line across all marks is drawn, or NaN. */
void plot_marks(FILE *out, const char *title, plot_axis axis, const plot_mark *marks, size_t n,
                double line);

/* A bar made of parts. */
typedef struct plot_stack {
    const char *label;
    double part[PLOT_PARTS_MAX];
} plot_stack;

void plot_stacks(FILE *out, const char *title, plot_axis axis, const plot_stack *rows, size_t n,
                 const char *const *names, size_t n_parts);

/* A line through n points, x ascending; low and high may be NULL. */
typedef struct plot_line {
    const char *name;
    unsigned colour;
    bool dashed, steps; /* steps: each value holds until the next x */
    size_t n;
    const double *x, *y, *low, *high;
} plot_line;

void plot_lines(FILE *out, const char *title, plot_axis x, plot_axis y, const plot_line *lines,
                size_t n);

#endif
