/* Sections of the report: building, size, cold start, effectiveness. See report.h. */
#include "bench/report/report.h"

#include <math.h>
#include <string.h>

enum { MARKS_MAX = 96 };

/* ---- building ---- */

/* What was built: so many documents, with or without their texts, by so many threads. */
typedef struct build_kind {
    const char *documents, *store, *threads;
} build_kind;

static range build_figure(const results *all, const char *engine, const build_kind *kind,
                          const char *figure, bool for_ratio)
{
    const want *wants = WANT({"part", "build"}, {"engine", engine}, {"store", kind->store},
                             {"threads", kind->threads}, {"documents", kind->documents});
    return for_ratio ? pick_for_ratio(all, wants, figure) : pick(all, wants, figure);
}

static void put_build_row(FILE *out, const results *all, const char *engine, const build_kind *kind)
{
    range quern = build_figure(all, "quern", kind, "seconds", true),
          mine = build_figure(all, engine, kind, "seconds", true);
    if (mine.coverage < 0)
        return;
    page_row_open(out);
    page_cell(out, engine_name(engine));
    page_cell(out, strcmp(kind->store, "none") == 0 ? "no" : "yes");
    page_cell(out, kind->threads);
    char count[32];
    page_cell(out, with_commas(count, sizeof count, kind->documents));
    page_range(out, build_figure(all, engine, kind, "mb_per_s", false), PLOT_MB_PER_S);
    if (strcmp(engine, "quern") != 0 && quern.coverage >= 0)
        page_ratio(out, ratio_of(mine, quern));
    else
        page_cell(out, "");
    page_range(out, build_figure(all, engine, kind, "peak_rss_bytes", false), PLOT_BYTES);
    page_range(out, build_figure(all, engine, kind, "index_bytes", false), PLOT_BYTES);
    page_row_close(out);
}

static size_t add_build_mark(plot_mark *marks, size_t n, const results *all, const char *engine,
                             const build_kind *kind)
{
    static char label[MARKS_MAX][64], group[MARKS_MAX][80];
    range r = build_figure(all, engine, kind, "mb_per_s", false);
    bool one = strcmp(kind->threads, "1") == 0;
    if (r.coverage < 0 || n == MARKS_MAX)
        return n;
    (void)snprintf(label[n], sizeof label[n], "%s%s%s%s", engine_name(engine), one ? "" : ", ",
                   one ? "" : kind->threads, one ? "" : " threads");
    char count[32];
    (void)snprintf(group[n], sizeof group[n], "%s documents, %s",
                   with_commas(count, sizeof count, kind->documents),
                   strcmp(kind->store, "none") == 0 ? "index alone" : "index and stored texts");
    marks[n] = (plot_mark){.group = group[n],
                           .label = label[n],
                           .colour = engine_colour(engine),
                           .value = r.median,
                           .low = r.low,
                           .high = r.high};
    return n + 1;
}

void report_build(FILE *out, const results *all)
{
    const want *build = WANT({"part", "build"});
    const char *engine[DISTINCT_MAX], *store[DISTINCT_MAX], *threads[DISTINCT_MAX],
        *documents[DISTINCT_MAX];
    size_t n_engines = engines(all, build, engine), n_stores = distinct(all, build, "store", store),
           n_threads = distinct(all, build, "threads", threads),
           n_documents = distinct(all, build, "documents", documents);
    plot_mark marks[MARKS_MAX];
    build_kind kind[MARKS_MAX];
    size_t n_kinds = 0, n = 0;
    for (size_t d = 0; d < n_documents; d++)
        for (size_t s = 0; s < n_stores; s++)
            for (size_t t = 0; t < n_threads && n_kinds < MARKS_MAX; t++)
                kind[n_kinds++] = (build_kind){documents[d], store[s], threads[t]};
    page_paragraph(out,
                   "The same documents, from JSON Lines in the page cache to a committed index "
                   "with positions. Other engines are given records that need no parsing, and "
                   "are measured once, without an interval, since they take so long.");
    /* By what is built; within it quern by its threads, then the others. */
    for (size_t d = 0; d < n_documents; d++)
        for (size_t s = 0; s < n_stores; s++)
            for (size_t e = 0; e < n_engines; e++)
                for (size_t i = 0; i < n_kinds; i++)
                    if (kind[i].documents == documents[d] && kind[i].store == store[s])
                        n = add_build_mark(marks, n, all, engine[e], &kind[i]);
    plot_marks(out, "Speed of building, input a second (longer is better)",
               (plot_axis){"", PLOT_MB_PER_S, false}, marks, n, NAN);
    const char *summary = "All figures";
    page_table_open(
        out, summary,
        "engine|texts|threads|documents|input a second|time of quern's|peak resident|index", 2);
    for (size_t i = 0; i < n_kinds; i++)
        for (size_t e = 0; e < n_engines; e++)
            put_build_row(out, all, engine[e], &kind[i]);
    page_table_close(out, summary);
}

/* ---- size ---- */

static const char *const section[] = {"docids", "positions", "tf",    "bounds", "dictionary",
                                      "ids",    "lengths",   "store", "other"};
enum { N_SECTIONS = sizeof section / sizeof section[0] };

void report_size(FILE *out, const results *all)
{
    const char *tune[DISTINCT_MAX];
    size_t n = distinct(all, WANT({"part", "size"}), "tune", tune);
    plot_stack rows[DISTINCT_MAX] = {{0}};
    char figure[40], label[DISTINCT_MAX][48];
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(label[i], sizeof label[i], "--tune %s", tune[i]);
        rows[i].label = label[i];
        for (size_t s = 0; s < N_SECTIONS; s++) {
            (void)snprintf(figure, sizeof figure, "%s_bytes", section[s]);
            rows[i].part[s] = pick(all, WANT({"part", "size"}, {"tune", tune[i]}), figure).median;
        }
    }
    plot_stacks(out, "Bytes of an index by section, without stored texts",
                (plot_axis){"", PLOT_BYTES, false}, rows, n, section, N_SECTIONS);
    const char *summary = "All figures";
    page_table_open(out, summary,
                    "|total|of the input|docids|positions|tf|bounds|dictionary|ids|lengths", 1);
    for (size_t i = 0; i < n; i++) {
        const want *wants = WANT({"part", "size"}, {"tune", tune[i]});
        page_row_open(out);
        page_cell(out, label[i]);
        page_range(out, pick(all, wants, "total_bytes"), PLOT_BYTES);
        page_range(out, pick(all, wants, "share_of_input"), PLOT_SHARE);
        for (size_t s = 0; s < 7; s++)
            page_range(out, (range){.median = rows[i].part[s]}, PLOT_BYTES);
        page_row_close(out);
    }
    page_table_close(out, summary);
}

/* ---- cold start ---- */

void report_cold(FILE *out, const results *all)
{
    const char *engine[DISTINCT_MAX], *cache[DISTINCT_MAX];
    size_t n_engines = engines(all, WANT({"part", "cold"}), engine),
           n_caches = distinct(all, WANT({"part", "cold"}), "cache", cache), n = 0;
    plot_mark marks[MARKS_MAX];
    for (size_t c = 0; c < n_caches; c++) {
        for (size_t e = 0; e < n_engines && n < MARKS_MAX; e++) {
            range r = pick(all, WANT({"part", "cold"}, {"engine", engine[e]}, {"cache", cache[c]}),
                           "first_us");
            if (r.coverage >= 0)
                marks[n++] =
                    (plot_mark){.group = strcmp(cache[c], "warm") == 0 ? "index in the page cache"
                                                                       : "index on disk",
                                .label = engine_name(engine[e]),
                                .colour = engine_colour(engine[e]),
                                .value = r.median,
                                .low = r.low,
                                .high = r.high};
        }
    }
    page_paragraph(out, "From before a process is started to its first ten answers, the loading of "
                        "the program included.");
    plot_marks(out, "Time to the first answer (further left is better)",
               (plot_axis){"", PLOT_US, true}, marks, n, NAN);
}

/* ---- effectiveness ---- */

void report_effectiveness(FILE *out, const results *all)
{
    static const char *const measure[] = {"ndcg_cut_10", "map", "recip_rank", "recall_100"};
    const char *collection[DISTINCT_MAX];
    size_t n = distinct(all, WANT({"part", "effectiveness"}), "collection", collection);
    page_paragraph(out, "Judged collections: how good the answers are, by trec_eval's measures. "
                        "k1 = 0.9, b = 0.4, Snowball's English stemmer, no stop words.");
    page_table_open(out, NULL, "collection|topics|nDCG@10|MAP|reciprocal rank|recall@100", 1);
    for (size_t i = 0; i < n; i++) {
        const want *wants = WANT({"part", "effectiveness"}, {"collection", collection[i]});
        char number[32];
        page_row_open(out);
        page_cell(out, collection[i]);
        page_cell(
            out, plot_number(number, sizeof number, pick(all, wants, "topics").median, PLOT_PLAIN));
        for (size_t m = 0; m < sizeof measure / sizeof measure[0]; m++) {
            (void)snprintf(number, sizeof number, "%.4f", pick(all, wants, measure[m]).median);
            page_cell(out, number);
        }
        page_row_close(out);
    }
    page_table_close(out, NULL);
}
