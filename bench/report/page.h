/*
 * The HTML page of a report: one file, which needs nothing but itself, readable in light and dark,
 * on paper and on narrow screens. Text is plain and gets escaped.
 */
#ifndef QN_BENCH_PAGE_H
#define QN_BENCH_PAGE_H

#include "bench/report/plot.h"
#include "bench/report/stats.h"

void page_open(FILE *out, const char *title, const char *subtitle);
void page_close(FILE *out, const char *text);

/* A heading with an anchor, which the list of contents leads to. */
void page_section(FILE *out, const char *id, const char *title);
void page_paragraph(FILE *out, const char *text);
/* A paragraph in a frame: something is not as it should be. */
void page_warning(FILE *out, const char *text);

/* A row of large numbers, each with what it is. */
void page_tiles_open(FILE *out);
void page_tile(FILE *out, const char *number, const char *text);
void page_tiles_close(FILE *out);

/* What stands between is folded away under `summary`. */
void page_fold_open(FILE *out, const char *summary);
void page_fold_close(FILE *out);

/* A table, folded away under its `summary` unless that is NULL. `heads` are separated by '|';
 * columns after the first `n_names` hold numbers. */
void page_table_open(FILE *out, const char *summary, const char *heads, unsigned n_names);
void page_row_open(FILE *out);
void page_cell(FILE *out, const char *text);
/* A median, and below it its interval; an empty cell if the coverage is negative (not measured). */
void page_range(FILE *out, range r, plot_unit unit);
/* Likewise a ratio. */
void page_ratio(FILE *out, ratio r);
void page_row_close(FILE *out);
void page_table_close(FILE *out, const char *summary);

#endif
