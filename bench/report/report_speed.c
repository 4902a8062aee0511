/* Sections of the report: queries, other engines, threads, growth, ablation, kernels. See report.h.
 */
#include "bench/report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MARKS_MAX = 160, POINTS_MAX = 64, LINES_MAX = 16 };

static const char all_figures[] = "All figures";

/* ---- queries ---- */

static void plot_distribution(FILE *out, const results *all, const char *k)
{
    const want *wants = WANT({"part", "distribution"}, {"k", k});
    const char *set[DISTINCT_MAX], *bin[DISTINCT_MAX];
    size_t n_sets = distinct(all, wants, "set", set);
    static double x[LINES_MAX][POINTS_MAX], y[LINES_MAX][POINTS_MAX];
    plot_line lines[LINES_MAX];
    size_t n = 0;
    for (; n < n_sets && n < LINES_MAX; n++) {
        size_t n_bins =
            distinct(all, WANT({"part", "distribution"}, {"k", k}, {"set", set[n]}), "bin", bin);
        for (size_t b = 0; b < n_bins; b++) {
            const want *here =
                WANT({"part", "distribution"}, {"k", k}, {"set", set[n]}, {"bin", bin[b]});
            x[n][b] = pick(all, here, "from_us").median;
            y[n][b] = pick(all, here, "share").median;
        }
        lines[n] = (plot_line){.name = set[n],
                               .colour = (unsigned)n,
                               .steps = true,
                               .n = n_bins,
                               .x = x[n],
                               .y = y[n]};
    }
    char title[96];
    (void)snprintf(title, sizeof title, "How times spread, k = %s: share of the queries by time",
                   k);
    if (n > 0)
        plot_lines(out, title, (plot_axis){"time of a query", PLOT_US, true},
                   (plot_axis){"share", PLOT_SHARE, false}, lines, n);
}

void report_queries(FILE *out, const results *all)
{
    static const char *const figure[] = {"mean_us", "p50_us", "p90_us", "p99_us", "max_us"};
    const char *set[DISTINCT_MAX], *k[DISTINCT_MAX];
    size_t n_sets = distinct(all, WANT({"part", "queries"}), "set", set),
           n_ks = distinct(all, WANT({"part", "queries"}), "k", k), n = 0;
    plot_mark marks[MARKS_MAX];
    static char group[DISTINCT_MAX][32];
    page_paragraph(out,
                   "One call from the text of a query to its answers, on one thread, the index "
                   "in the page cache; each query counts with the median of its runs.");
    for (size_t i = 0; i < n_ks; i++) {
        (void)snprintf(group[i], sizeof group[i], "k = %s", k[i]);
        for (size_t s = 0; s < n_sets && n < MARKS_MAX; s++) {
            range r = pick(all, WANT({"part", "queries"}, {"set", set[s]}, {"k", k[i]}), "mean_us");
            if (r.coverage >= 0)
                marks[n++] = (plot_mark){.group = group[i],
                                         .label = set[s],
                                         .colour = (unsigned)s,
                                         .value = r.median,
                                         .low = r.low,
                                         .high = r.high};
        }
    }
    plot_marks(out, "Mean time of a query (further left is better)", (plot_axis){"", PLOT_US, true},
               marks, n, NAN);
    page_table_open(out, all_figures, "queries|k|mean|p50|p90|p99|max", 1);
    for (size_t s = 0; s < n_sets; s++) {
        for (size_t i = 0; i < n_ks; i++) {
            const want *wants = WANT({"part", "queries"}, {"set", set[s]}, {"k", k[i]});
            if (!found(all, wants))
                continue;
            page_row_open(out);
            page_cell(out, set[s]);
            page_cell(out, k[i]);
            for (size_t f = 0; f < sizeof figure / sizeof figure[0]; f++)
                page_range(out, pick(all, wants, figure[f]), PLOT_US);
            page_row_close(out);
        }
    }
    page_table_close(out, all_figures);
    n_ks = distinct(all, WANT({"part", "distribution"}), "k", k);
    for (size_t i = 0; i < n_ks; i++)
        plot_distribution(out, all, k[i]);
}

/* ---- other engines ---- */

/* Who does not give the same answers is said to before any time is. */
static void put_agreement(FILE *out, const results *all)
{
    const char *engine[DISTINCT_MAX], *shape[DISTINCT_MAX];
    const want *disagree = WANT({"part", "rivals"}, {"against", "quern"}, {"agrees", "no"});
    size_t n_engines = distinct(all, disagree, "engine", engine);
    for (size_t e = 0; e < n_engines; e++) {
        char text[400];
        size_t len = (size_t)snprintf(text, sizeof text, "%s does not give quern's answers to ",
                                      engine_name(engine[e]));
        size_t n = distinct(
            all,
            WANT({"part", "rivals"}, {"against", "quern"}, {"agrees", "no"}, {"engine", engine[e]}),
            "shape", shape);
        for (size_t s = 0; s < n && len < sizeof text; s++)
            len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", s > 0 ? ", " : "",
                                    shape[s]);
        if (len < sizeof text)
            (void)snprintf(text + len, sizeof text - len,
                           ": its times there are marked, and compare different work.");
        page_warning(out, text);
    }
    const want *compared = WANT({"part", "rivals"}, {"against", "quern"});
    n_engines = engines(all, compared, engine);
    size_t n_shapes = distinct(all, compared, "shape", shape);
    page_table_open(out, "Whether answers agree, before times are taken",
                    "engine|queries|counts equal|counts within 1 %|ten best in common|scores equal",
                    2);
    for (size_t e = 0; e < n_engines; e++) {
        for (size_t s = 0; s < n_shapes; s++) {
            const want *wants = WANT({"part", "rivals"}, {"against", "quern"},
                                     {"engine", engine[e]}, {"shape", shape[s]});
            if (!found(all, wants))
                continue;
            page_row_open(out);
            page_cell(out, engine_name(engine[e]));
            page_cell(out, shape[s]);
            page_range(out, pick(all, wants, "count_share_equal"), PLOT_SHARE);
            page_range(out, pick(all, wants, "count_near_share_equal"), PLOT_SHARE);
            page_range(out, pick(all, wants, "overlap"), PLOT_SHARE);
            page_range(out, pick(all, wants, "score_share_equal"), PLOT_SHARE);
            page_row_close(out);
        }
    }
    page_table_close(out, "agreement");
}

/* Times of all engines for one command. */
static void plot_command(FILE *out, const results *all, const char *command)
{
    const want *wants = WANT({"part", "rivals"}, {"command", command});
    const char *engine[DISTINCT_MAX], *shape[DISTINCT_MAX];
    size_t n_engines = engines(all, wants, engine), n_shapes = distinct(all, wants, "shape", shape),
           n = 0;
    plot_mark marks[MARKS_MAX];
    static char note[MARKS_MAX][48];
    for (size_t s = 0; s < n_shapes; s++) {
        range base = {.coverage = -1};
        for (size_t e = 0; e < n_engines && n < MARKS_MAX; e++) {
            const want *here = WANT({"part", "rivals"}, {"command", command}, {"engine", engine[e]},
                                    {"shape", shape[s]});
            range r = pick(all, here, "mean_us");
            if (r.coverage < 0)
                continue;
            bool differs =
                found(all, WANT({"part", "rivals"}, {"agrees", "no"}, {"engine", engine[e]},
                                {"command", command}, {"shape", shape[s]}));
            char times[24];
            bool first = base.coverage < 0;
            base = first ? r : base;
            (void)plot_number(times, sizeof times, r.median / base.median, PLOT_TIMES);
            (void)snprintf(note[n], sizeof note[n], "%s%s%s", first ? "" : "\u00d7 ",
                           first ? "" : times, differs ? "  answers differ" : "");
            marks[n] = (plot_mark){.group = shape[s],
                                   .label = engine_name(engine[e]),
                                   .note = note[n][0] != '\0' ? note[n] : NULL,
                                   .colour = engine_colour(engine[e]),
                                   .value = r.median,
                                   .low = r.low,
                                   .high = r.high};
            n++;
        }
    }
    char title[96];
    (void)snprintf(title, sizeof title, "%s: mean time of a query (further left is better)",
                   command);
    plot_marks(out, title, (plot_axis){"", PLOT_US, true}, marks, n, NAN);
}

static void put_rival_rows(FILE *out, const results *all, const char *command, const char *shape)
{
    const char *engine[DISTINCT_MAX];
    const want *wants = WANT({"part", "rivals"}, {"command", command}, {"shape", shape});
    size_t n_engines = engines(all, wants, engine);
    for (size_t e = 0; e < n_engines; e++) {
        const want *here = WANT({"part", "rivals"}, {"command", command}, {"shape", shape},
                                {"engine", engine[e]}),
                   *first = WANT({"part", "rivals"}, {"command", command}, {"shape", shape},
                                 {"engine", engine[0]});
        page_row_open(out);
        page_cell(out, command);
        page_cell(out, shape);
        page_cell(out, engine_name(engine[e]));
        if (e == 0)
            page_cell(out, "");
        else
            page_ratio(out, ratio_of(pick_for_ratio(all, here, "mean_us"),
                                     pick_for_ratio(all, first, "mean_us")));
        page_range(out, pick(all, here, "mean_us"), PLOT_US);
        page_range(out, pick(all, here, "p50_us"), PLOT_US);
        page_range(out, pick(all, here, "p99_us"), PLOT_US);
        page_range(out, pick(all, here, "max_us"), PLOT_US);
        page_row_close(out);
    }
}

void report_rivals(FILE *out, const results *all)
{
    const char *command[DISTINCT_MAX], *shape[DISTINCT_MAX];
    size_t n_commands = distinct(all, WANT({"part", "rivals"}), "command", command),
           n_shapes = distinct(all, WANT({"part", "rivals"}), "shape", shape);
    page_paragraph(out,
                   "The same documents and queries, engines by turns, each a process that answers "
                   "a line through a pipe, as in the search benchmark game; the pipe's time is "
                   "in every figure (NOTHING, in the table). Behind a dot: how many times as long "
                   "as quern. bench/rivals/README.md tells how the engines differ.");
    put_agreement(out, all);
    for (size_t c = 0; c < n_commands; c++)
        if (strcmp(command[c], "NOTHING") != 0)
            plot_command(out, all, command[c]);
    page_table_open(out, all_figures, "command|queries|engine|times quern|mean|p50|p99|max", 3);
    for (size_t c = 0; c < n_commands; c++)
        for (size_t s = 0; s < n_shapes; s++)
            put_rival_rows(out, all, command[c], shape[s]);
    page_table_close(out, all_figures);
}

/* ---- lines over a counted label ---- */

typedef struct curve_points {
    double x[POINTS_MAX], y[POINTS_MAX], low[POINTS_MAX], high[POINTS_MAX];
    size_t n;
} curve_points;

/* The figure over the values of `label`. */
static void gather_points(curve_points *to, const results *all, const char *part, const char *label,
                          const char *set_label, const char *set, const char *k, const char *figure)
{
    const char *x[DISTINCT_MAX];
    size_t n = distinct(all, WANT({"part", part}, {set_label, set}, {"k", k}), label, x);
    to->n = 0;
    for (size_t i = 0; i < n && to->n < POINTS_MAX; i++) {
        range r =
            pick(all, WANT({"part", part}, {set_label, set}, {"k", k}, {label, x[i]}), figure);
        if (r.coverage < 0)
            continue;
        to->x[to->n] = strtod(x[i], NULL);
        to->y[to->n] = r.median;
        to->low[to->n] = r.low;
        to->high[to->n++] = r.high;
    }
}

/* A line for each set of queries (and k, dashed from the second on). */
static void plot_curves(FILE *out, const results *all, const char *part, const char *label,
                        const char *set_label, const char *figure, const char *title, plot_axis x,
                        plot_axis y)
{
    const char *set[DISTINCT_MAX], *k[DISTINCT_MAX];
    size_t n_sets = distinct(all, WANT({"part", part}), set_label, set),
           n_ks = distinct(all, WANT({"part", part}), "k", k), n = 0;
    static curve_points points[LINES_MAX];
    static char name[LINES_MAX][64];
    plot_line lines[LINES_MAX];
    for (size_t i = 0; i < n_ks; i++) {
        for (size_t s = 0; s < n_sets && n < LINES_MAX; s++) {
            gather_points(&points[n], all, part, label, set_label, set[s], k[i], figure);
            if (points[n].n == 0)
                continue;
            (void)snprintf(name[n], sizeof name[n], "%s, k = %s", set[s], k[i]);
            lines[n] = (plot_line){.name = name[n],
                                   .colour = (unsigned)s,
                                   .dashed = i > 0,
                                   .n = points[n].n,
                                   .x = points[n].x,
                                   .y = points[n].y,
                                   .low = points[n].low,
                                   .high = points[n].high};
            n++;
        }
    }
    if (n > 0)
        plot_lines(out, title, x, y, lines, n);
}

void report_threads(FILE *out, const results *all)
{
    page_paragraph(out,
                   "Queries a second that so many threads of one process answer together from one "
                   "index, each with a searcher of its own.");
    plot_curves(out, all, "threads", "threads", "set", "qps",
                "Queries a second by threads (higher is better)",
                (plot_axis){"threads", PLOT_PLAIN, false},
                (plot_axis){"queries", PLOT_PER_S, false});
}

void report_growth(FILE *out, const results *all)
{
    page_paragraph(out,
                   "The same queries on the first so many documents: a line that rises by one step "
                   "for each step to the right would take ten times as long for ten times the "
                   "documents.");
    plot_curves(out, all, "growth", "documents", "shape", "mean_us",
                "Mean time of a query by the number of documents",
                (plot_axis){"documents", PLOT_PLAIN, true}, (plot_axis){"mean", PLOT_US, true});
    plot_curves(out, all, "growth", "documents", "shape", "p99_us",
                "The time that 99 of 100 queries do not exceed",
                (plot_axis){"documents", PLOT_PLAIN, true}, (plot_axis){"p99", PLOT_US, true});
    const char *documents[DISTINCT_MAX];
    size_t n = distinct(all, WANT({"part", "growth"}), "documents", documents);
    page_table_open(out, all_figures, "documents|index|build, seconds", 0);
    for (size_t i = 0; i < n; i++) {
        const want *wants = WANT({"part", "growth"}, {"documents", documents[i]});
        page_row_open(out);
        page_cell(out, documents[i]);
        page_range(out, pick(all, wants, "index_bytes"), PLOT_BYTES);
        page_range(out, pick(all, wants, "seconds"), PLOT_PLAIN);
        page_row_close(out);
    }
    page_table_close(out, all_figures);
}

/* ---- ablation ---- */

static void plot_ablation(FILE *out, const results *all, const char *shape, const char *k)
{
    const want *wants = WANT({"part", "ablation"}, {"shape", shape}, {"k", k});
    const char *technique[DISTINCT_MAX];
    size_t n = distinct(all, wants, "technique", technique), n_marks = 0;
    plot_mark marks[MARKS_MAX];
    range full = pick_for_ratio(
        all, WANT({"part", "ablation"}, {"shape", shape}, {"k", k}, {"technique", "full"}),
        "mean_us");
    if (full.coverage < 0)
        return;
    for (size_t i = 0; i < n && n_marks < MARKS_MAX; i++) {
        range r = pick_for_ratio(
            all,
            WANT({"part", "ablation"}, {"shape", shape}, {"k", k}, {"technique", technique[i]}),
            "mean_us");
        ratio by = ratio_of(r, full);
        if (r.coverage >= 0 && strcmp(technique[i], "full") != 0)
            marks[n_marks++] = (plot_mark){.label = technique[i],
                                           .colour = 0,
                                           .value = by.ratio,
                                           .low = by.low,
                                           .high = by.high};
    }
    char title[120];
    (void)snprintf(title, sizeof title, "%s, k = %s: times of the full evaluator's time without it",
                   shape, k);
    plot_marks(out, title, (plot_axis){"", PLOT_TIMES, true}, marks, n_marks, 1);
}

void report_ablation(FILE *out, const results *all)
{
    const char *shape[DISTINCT_MAX], *k[DISTINCT_MAX];
    size_t n_shapes = distinct(all, WANT({"part", "ablation"}), "shape", shape),
           n_ks = distinct(all, WANT({"part", "ablation"}), "k", k);
    page_paragraph(out,
                   "Mean times of an evaluator that lacks one thing, or of an index that is made "
                   "differently, over those of the full evaluator on a balanced index (the dashed "
                   "line): right of it, the thing is a gain.");
    for (size_t s = 0; s < n_shapes; s++)
        for (size_t i = 0; i < n_ks; i++)
            plot_ablation(out, all, shape[s], k[i]);
}

/* ---- kernels ---- */

static void put_memory(FILE *out, const results *all)
{
    const char *level[DISTINCT_MAX], *threads[DISTINCT_MAX];
    size_t n_levels = distinct(all, WANT({"part", "memory"}), "level", level),
           n_threads = distinct(all, WANT({"part", "memory"}), "threads", threads);
    if (n_levels == 0)
        return;
    page_table_open(out, NULL, "memory|threads|read|written|copied|random read, ns", 1);
    for (size_t l = 0; l < n_levels; l++) {
        for (size_t t = 0; t < n_threads; t++) {
            const want *wants =
                WANT({"part", "memory"}, {"level", level[l]}, {"threads", threads[t]});
            if (!found(all, wants))
                continue;
            page_row_open(out);
            page_cell(out, level[l]);
            page_cell(out, threads[t]);
            page_range(out, pick(all, wants, "read_bytes_per_s"), PLOT_BYTES_PER_S);
            page_range(out, pick(all, wants, "write_bytes_per_s"), PLOT_BYTES_PER_S);
            page_range(out, pick(all, wants, "copy_bytes_per_s"), PLOT_BYTES_PER_S);
            page_range(out, pick(all, wants, "random_ns"), PLOT_PLAIN);
            page_row_close(out);
        }
    }
    page_table_close(out, NULL);
}

/* The same in all plots. */
static unsigned level_colour(const char *level)
{
    static const char *const levels[] = {"scalar", "avx2", "avx512"};
    unsigned i = 0;
    while (i < sizeof levels / sizeof levels[0] && strcmp(levels[i], level) != 0)
        i++;
    return i;
}

static void plot_kernels(FILE *out, const results *all, const char *program)
{
    const want *wants = WANT({"part", "kernels"}, {"program", program});
    const char *kernel[DISTINCT_MAX], *level[DISTINCT_MAX];
    size_t n_kernels = distinct(all, wants, "kernel", kernel), n = 0;
    plot_mark marks[MARKS_MAX];
    bool bytes = pick(all, wants, "bytes_per_s").coverage >= 0;
    const char *figure = bytes ? "bytes_per_s" : "values_per_s";
    for (size_t i = 0; i < n_kernels; i++) {
        size_t n_levels =
            distinct(all, WANT({"part", "kernels"}, {"program", program}, {"kernel", kernel[i]}),
                     "level", level);
        for (size_t l = 0; l < n_levels && n < MARKS_MAX; l++) {
            range r = pick(all,
                           WANT({"part", "kernels"}, {"program", program}, {"kernel", kernel[i]},
                                {"level", level[l]}),
                           figure);
            if (r.coverage >= 0)
                marks[n++] = (plot_mark){.group = kernel[i],
                                         .label = level[l],
                                         .colour = level_colour(level[l]),
                                         .value = r.median,
                                         .low = r.low,
                                         .high = r.high};
        }
    }
    char title[160];
    (void)snprintf(title, sizeof title, "%s: %s a second (further right is better)%s", program,
                   bytes ? "bytes read and written" : "values",
                   bytes ? "; dashed: what one thread reads from memory" : "");
    range memory = pick(all, WANT({"part", "memory"}, {"level", "memory"}, {"threads", "1"}),
                        "read_bytes_per_s");
    if (n > 0)
        plot_marks(out, title, (plot_axis){"", bytes ? PLOT_BYTES_PER_S : PLOT_PER_S, true}, marks,
                   n, bytes && memory.coverage >= 0 ? memory.median : NAN);
}

void report_kernels(FILE *out, const results *all)
{
    const char *program[DISTINCT_MAX];
    size_t n = distinct(all, WANT({"part", "kernels"}), "program", program);
    page_paragraph(out,
                   "The innermost loops at each level of instructions that the machine has, on "
                   "data in cache, beside what its memory can do.");
    put_memory(out, all);
    for (size_t i = 0; i < n; i++) {
        char summary[64];
        (void)snprintf(summary, sizeof summary, "Kernels of %s", program[i]);
        page_fold_open(out, summary);
        plot_kernels(out, all, program[i]);
        page_fold_close(out);
    }
}
