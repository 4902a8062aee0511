/* Sections of the report: building, size, cold start, effectiveness. See report.h. */
#include "bench/report.h"

#include <math.h>
#include <string.h>

enum { MARKS_MAX = 96 };

/* ---- building ---- */

static void put_build_row(FILE *out, const results *all, const char *engine, const char *store,
                          const char *threads)
{
    const want *wants =
        WANT({"part", "build"}, {"engine", engine}, {"store", store}, {"threads", threads});
    range quern = pick_for_ratio(
              all,
              WANT({"part", "build"}, {"engine", "quern"}, {"store", store}, {"threads", threads}),
              "seconds"),
          mine = pick_for_ratio(all, wants, "seconds");
    page_row_open(out);
    page_cell(out, engine_name(engine));
    page_cell(out, strcmp(store, "none") == 0 ? "no" : "yes");
    page_cell(out, threads);
    page_range(out, pick(all, wants, "mb_per_s"), PLOT_MB_PER_S);
    if (strcmp(engine, "quern") != 0 && quern.coverage >= 0)
        page_ratio(out, ratio_of(mine, quern));
    else
        page_cell(out, "");
    page_range(out, pick(all, wants, "peak_rss_bytes"), PLOT_BYTES);
    page_range(out, pick(all, wants, "index_bytes"), PLOT_BYTES);
    page_row_close(out);
}

void report_build(FILE *out, const results *all)
{
    const want *build = WANT({"part", "build"});
    const char *engine[DISTINCT_MAX], *store[DISTINCT_MAX], *threads[DISTINCT_MAX];
    size_t n_engines = distinct(all, build, "engine", engine),
           n_stores = distinct(all, build, "store", store),
           n_threads = distinct(all, build, "threads", threads), n = 0;
    static char label[MARKS_MAX][80];
    plot_mark marks[MARKS_MAX];
    page_paragraph(out,
                   "The same documents, from JSON Lines in the page cache to a committed index "
                   "with positions. Other engines are given records that need no parsing.");
    for (size_t s = 0; s < n_stores; s++) {
        for (size_t e = 0; e < n_engines; e++) {
            for (size_t t = 0; t < n_threads && n < MARKS_MAX; t++) {
                range r = pick(all,
                               WANT({"part", "build"}, {"engine", engine[e]}, {"store", store[s]},
                                    {"threads", threads[t]}),
                               "mb_per_s");
                if (r.coverage < 0)
                    continue;
                bool one = strcmp(threads[t], "1") == 0;
                (void)snprintf(label[n], sizeof label[n], "%s%s%s%s", engine_name(engine[e]),
                               one ? "" : ", ", one ? "" : threads[t], one ? "" : " threads");
                marks[n] =
                    (plot_mark){.group = strcmp(store[s], "none") == 0 ? "index alone"
                                                                       : "index and stored texts",
                                .label = label[n],
                                .colour = engine_colour(engine[e]),
                                .value = r.median,
                                .low = r.low,
                                .high = r.high};
                n++;
            }
        }
    }
    plot_marks(out, "Speed of building, input a second (longer is better)",
               (plot_axis){"", PLOT_MB_PER_S, false}, marks, n, NAN);
    const char *summary = "All figures";
    page_table_open(out, summary,
                    "engine|texts|threads|input a second|time of quern's|peak resident|index", 2);
    for (size_t s = 0; s < n_stores; s++)
        for (size_t e = 0; e < n_engines; e++)
            for (size_t t = 0; t < n_threads; t++)
                if (found(all, WANT({"part", "build"}, {"engine", engine[e]}, {"store", store[s]},
                                    {"threads", threads[t]})))
                    put_build_row(out, all, engine[e], store[s], threads[t]);
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
    size_t n_engines = distinct(all, WANT({"part", "cold"}), "engine", engine),
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
