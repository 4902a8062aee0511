/*
 * Makes one HTML page of results (results.h): every figure with its interval over the rounds, as
 * plots and as tables. The page needs nothing but itself.
 *
 *     report TITLE RESULTS.jsonl... >index.html
 *
 * bench/run calls it. What was not measured is left out. Lines of part "about" say what machine,
 * programs, texts and commands it was: {"v":1,"part":"about","topic":"machine","name":"processor",
 * "text":"..."}.
 */
#include "bench/report/report.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- selecting ---- */

static bool wanted(const result *r, const want *wants)
{
    for (; wants->name != NULL; wants++)
        if (strcmp(result_label(r, wants->name), wants->value) != 0)
            return false;
    return true;
}

static range pick_with(const results *all, const want *wants, const char *figure, double enough)
{
    range r = {.coverage = -1};
    size_t n = 0;
    double *values = results_checked(all, malloc((all->n + 1) * sizeof *values));
    for (size_t i = 0; i < all->n; i++) {
        if (!wanted(&all->of[i], wants))
            continue;
        const result_member *m = result_find(&all->of[i], figure);
        if (m != NULL && m->text == NULL)
            values[n++] = m->number;
    }
    if (n > 0)
        r = range_of(values, n, enough);
    free(values);
    return r;
}

range pick(const results *all, const want *wants, const char *figure)
{
    return pick_with(all, wants, figure, 0.95);
}

range pick_for_ratio(const results *all, const want *wants, const char *figure)
{
    return pick_with(all, wants, figure, 0.975);
}

bool found(const results *all, const want *wants)
{
    for (size_t i = 0; i < all->n; i++)
        if (wanted(&all->of[i], wants))
            return true;
    return false;
}

size_t distinct(const results *all, const want *wants, const char *label,
                const char *values[DISTINCT_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < all->n && n < DISTINCT_MAX; i++) {
        const char *value = result_label(&all->of[i], label);
        if (value[0] == '\0' || !wanted(&all->of[i], wants))
            continue;
        size_t j = 0;
        while (j < n && strcmp(values[j], value) != 0)
            j++;
        if (j == n)
            values[n++] = value;
    }
    return n;
}

static const struct {
    const char *engine, *name;
} known[] = {
    {"quern", "quern"},
    {"lucene", "Lucene 8"},
    {"fts5", "SQLite FTS5"},
    {"xapian", "Xapian"},
};

unsigned engine_colour(const char *engine)
{
    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(engine, known[i].engine) == 0)
            return i;
    return sizeof known / sizeof known[0];
}

const char *engine_name(const char *engine)
{
    unsigned i = engine_colour(engine);
    return i < sizeof known / sizeof known[0] ? known[i].name : engine;
}

size_t engines(const results *all, const want *wants, const char *values[DISTINCT_MAX])
{
    size_t n = distinct(all, wants, "engine", values);
    for (size_t i = 1; i < n; i++) {
        const char *value = values[i];
        size_t j = i;
        for (; j > 0 && engine_colour(values[j - 1]) > engine_colour(value); j--)
            values[j] = values[j - 1];
        values[j] = value;
    }
    return n;
}

const char *with_commas(char *to, size_t room, const char *digits)
{
    size_t len = strlen(digits), n = 0;
    for (size_t i = 0; i < len && n + 2 < room; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            to[n++] = ',';
        to[n++] = digits[i];
    }
    to[n] = '\0';
    return to;
}

/* ---- the page ---- */

static const struct {
    const char *part, *title;
    void (*report)(FILE *, const results *);
} parts[] = {
    {"queries", "Queries", report_queries},
    {"rivals", "Beside other engines", report_rivals},
    {"build", "Building", report_build},
    {"size", "Size", report_size},
    {"cold", "Cold start", report_cold},
    {"threads", "Threads", report_threads},
    {"growth", "Growth", report_growth},
    {"ablation", "What each technique gains", report_ablation},
    {"kernels", "Kernels", report_kernels},
    {"effectiveness", "Effectiveness", report_effectiveness},
};

static void tile(FILE *out, const results *all, const want *wants, const char *figure,
                 plot_unit unit, const char *text)
{
    char number[48];
    range r = pick(all, wants, figure);
    if (r.coverage >= 0)
        page_tile(out, plot_number(number, sizeof number, r.median, unit), text);
}

static void put_tiles(FILE *out, const results *all)
{
    const want *builds = WANT({"part", "build"}, {"engine", "quern"});
    const char *documents[DISTINCT_MAX], *most = "";
    size_t n = distinct(all, builds, "documents", documents);
    for (size_t i = 0; i < n; i++)
        if (strtod(documents[i], NULL) > strtod(most, NULL))
            most = documents[i];
    page_tiles_open(out);
    tile(out, all, WANT({"part", "queries"}, {"set", "union"}, {"k", "10"}), "mean_us", PLOT_US,
         "for the ten best of a union, mean");
    tile(out, all, WANT({"part", "queries"}, {"set", "question"}, {"k", "10"}), "mean_us", PLOT_US,
         "for the ten best of a question");
    tile(out, all,
         WANT({"part", "build"}, {"engine", "quern"}, {"store", "none"}, {"threads", "1"},
              {"documents", most}),
         "mb_per_s", PLOT_MB_PER_S, "of input indexed, on one processor");
    tile(out, all, WANT({"part", "size"}, {"tune", "balanced"}), "share_of_input", PLOT_SHARE,
         "of the input is what the index takes, without texts");
    tile(out, all, WANT({"part", "cold"}, {"engine", "quern"}, {"cache", "warm"}), "first_us",
         PLOT_US, "from the start of a process to its first answer");
    page_tiles_close(out);
}

/* A table of the lines of part "about" with that topic. */
static void put_about(FILE *out, const results *all, const char *topic, const char *title)
{
    const want *wants = WANT({"part", "about"}, {"topic", topic});
    if (!found(all, wants))
        return;
    page_table_open(out, NULL, title, 2);
    for (size_t i = 0; i < all->n; i++) {
        if (!wanted(&all->of[i], wants))
            continue;
        page_row_open(out);
        page_cell(out, result_label(&all->of[i], "name"));
        page_cell(out, result_label(&all->of[i], "text"));
        page_row_close(out);
    }
    page_table_close(out, NULL);
}

static void put_contents(FILE *out, const results *all)
{
    (void)fputs("<nav>", out);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (found(all, WANT({"part", parts[i].part})))
            (void)fprintf(out, "<a href=\"#%s\">%s</a> ", parts[i].part, parts[i].title);
    (void)fputs("<a href=\"#about\">Machine and commands</a></nav>\n", out);
}

static void put_page(FILE *out, const results *all, const char *title)
{
    page_open(
        out, title,
        "Each figure is the median of its rounds. Below it, and as a thin line in plots, stands "
        "an interval that holds the median with 95 % (exact, from sorted values; of fewer than "
        "six rounds: the least and the greatest).");
    put_contents(out, all);
    put_tiles(out, all);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (!found(all, WANT({"part", parts[i].part})))
            continue;
        page_section(out, parts[i].part, parts[i].title);
        parts[i].report(out, all);
    }
    page_section(out, "about", "Machine and commands");
    put_about(out, all, "machine", "Machine| ");
    put_about(out, all, "software", "Software| ");
    put_about(out, all, "texts", "Texts and queries| ");
    put_about(out, all, "commands", "Commands| ");
    page_close(out, "The data of every figure stands beside this page, in data/: JSON Lines, one "
                    "measurement of one round a line. bench/compare compares two such files.");
}

int main(int argc, char **argv)
{
    results all = {.program = "report"};
    if (argc < 3) {
        (void)fputs("usage: report TITLE RESULTS.jsonl... >index.html\n", stderr);
        return RESULTS_WRONG;
    }
    for (int i = 2; i < argc; i++)
        (void)results_read(&all, argv[i]);
    put_page(stdout, &all, argv[1]);
    results_free(&all);
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        (void)fprintf(stderr, "report: cannot write standard output: %s\n", strerror(errno));
        return RESULTS_SYSTEM;
    }
    return 0;
}
