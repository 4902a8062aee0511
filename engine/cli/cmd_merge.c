/* quern merge and quern compact: several indexes become one, or the segments of one. */
#include "engine/cli/cli.h"
#include "engine/cli/index_options.h"
#include "engine/cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct merge_options {
    qn_common common;
    const char *output; /* merge only */
    bool force;         /* likewise */
    uint64_t threads;
    int tune;
    double k1, b;
    uint64_t memory;
    bool reorder, no_reorder, json, quiet;
} merge_options;

#define FIELD(name) offsetof(merge_options, name)

#define SHARED_OPTIONS                                                                             \
    QN_OPTION_THREADS(FIELD(threads)),                                                             \
        QN_OPTION_BM25("k1", 3, FIELD(k1), "Tune for this k1 of BM25 (default: as it was)"),       \
        QN_OPTION_BM25("b", 1, FIELD(b), "Tune for this b of BM25 (default: as it was)"),          \
        {.name = "tune",                                                                           \
         .kind = QN_OPTION_CHOICE,                                                                 \
         .offset = FIELD(tune),                                                                    \
         .choices = "balanced|size|speed",                                                         \
         .help = "What the lists of frequent words are for (default: as it was)"},                 \
        {.name = "reorder",                                                                        \
         .kind = QN_OPTION_FLAG,                                                                   \
         .offset = FIELD(reorder),                                                                 \
         .help = "Keep lists in an order of documents in which those that share words are near "   \
                 "one another (default: as it was)"},                                              \
        {.name = "no-reorder",                                                                     \
         .kind = QN_OPTION_FLAG,                                                                   \
         .offset = FIELD(no_reorder),                                                              \
         .help = "Keep lists in the order of the input again"},                                    \
        QN_OPTION_MEMORY(FIELD(memory), "Ceiling of what reordering takes (default 1G, least "     \
                                        "32M); the index does not depend on it"),                  \
        QN_OPTION_REPORT(FIELD(json)),                                                             \
    {                                                                                              \
        .name = "quiet", .letter = 'q', .kind = QN_OPTION_FLAG, .offset = FIELD(quiet),            \
        .help = "No progress, no summary"                                                          \
    }

static const qn_option MERGE_OPTIONS[] = {
    QN_OPTION_OUTPUT(FIELD(output)),
    QN_OPTION_FORCE(FIELD(force)),
    SHARED_OPTIONS,
};

static const qn_option COMPACT_OPTIONS[] = {SHARED_OPTIONS};

/* What of tune, k1 and b is not asked for stays as in the index `path`. */
static quern_status take_tuning(const merge_options *options, const char *path,
                                quern_merge_options *merge, quern_error *error)
{
    quern_index *index;
    quern_stats stats;
    if (options->tune < 0 && options->k1 < 0 && options->b < 0)
        return QUERN_OK;
    quern_open_options open = QUERN_OPEN_OPTIONS;
    open.any_analyzer = true;
    quern_status status = quern_index_open(&index, path, &open, error);
    if (status != QUERN_OK)
        return status;
    quern_index_stats(index, &stats);
    quern_index_close(index);
    merge->retune = true;
    merge->tune = options->tune < 0 ? stats.tune : (quern_tune)options->tune;
    merge->k1 = options->k1 < 0 ? stats.k1 : (float)options->k1;
    merge->b = options->b < 0 ? stats.b : (float)options->b;
    return QUERN_OK;
}

static void tell(const merge_options *options, const char *path, const quern_merge_report *report,
                 double seconds, qn_output *out)
{
    if (!options->quiet && report->joined == 0)
        (void)fprintf(stderr, "%s is compact already\n", path);
    else if (!options->quiet)
        (void)fprintf(stderr, "%s: %llu document%s, %.1f MB, from %llu segment%s in %.1f s\n", path,
                      (unsigned long long)report->documents, report->documents == 1 ? "" : "s",
                      (double)report->index_bytes * 1e-6, (unsigned long long)report->joined,
                      report->joined == 1 ? "" : "s", seconds);
    if (options->json)
        qn_text_printf(&out->text,
                       "{\"v\":1,\"documents\":%llu,\"index_bytes\":%llu,\"joined\":%llu,"
                       "\"seconds\":%.3f,\"peak_rss_bytes\":%llu}\n",
                       (unsigned long long)report->documents,
                       (unsigned long long)report->index_bytes, (unsigned long long)report->joined,
                       seconds, (unsigned long long)qn_peak_resident_bytes());
}

/* `output` NULL: compacts paths[0]. */
static int work(const qn_command *command, const merge_options *options, const char *output,
                char **paths, int n)
{
    const char *changed = output == NULL ? paths[0] : output;
    quern_merge_options merge = QUERN_MERGE_OPTIONS;
    quern_merge_report report = {0};
    quern_error error = {0};
    qn_progress progress;
    merge.threads = (unsigned)options->threads;
    merge.force = options->force;
    if (options->memory > 0)
        merge.memory = options->memory;
    merge.reorder = options->reorder      ? QUERN_REORDER_ON
                    : options->no_reorder ? QUERN_REORDER_OFF
                                          : QUERN_REORDER_KEEP;
    merge.progress = qn_progress_step;
    merge.progress_arg = &progress;
    if (options->reorder && options->no_reorder)
        return qn_wrong_usage(command, "--reorder and --no-reorder exclude each other");
    quern_status status = take_tuning(options, paths[0], &merge, &error);
    if (status != QUERN_OK)
        return qn_report(command, status, &error);
    qn_progress_init(&progress, options->quiet);
    qn_signals_catch();
    double start = qn_clock();
    status = output == NULL ? quern_compact(changed, &merge, &report, &error)
                            : quern_merge(output, (const char *const *)paths, (size_t)n, &merge,
                                          &report, &error);
    double seconds = qn_clock() - start;
    qn_progress_clear(&progress);
    qn_progress_free(&progress);
    if (status == QUERN_E_CANCELLED) {
        qn_complain(command, "interrupted; %s is as it was", changed);
        return qn_exit_code(status, &error);
    }
    if (status == QUERN_E_EXISTS && !options->force && output != NULL && qn_is_index(output)) {
        qn_complain(command, "%s; --force replaces it", error.message);
        return qn_exit_code(status, &error);
    }
    if (status != QUERN_OK)
        return qn_report(command, status, &error);
    qn_output out;
    qn_output_open(&out, STDOUT_FILENO, 2);
    tell(options, changed, &report, seconds, &out);
    return qn_end(command, &out, QN_EXIT_DONE);
}

static int run_merge(const qn_command *command, int argc, char **argv)
{
    merge_options options = {.tune = -1, .k1 = -1, .b = -1};
    int n, code;
    if (!qn_begin(command, &options, argc, argv, &n, &code))
        return code;
    if (options.output == NULL)
        return qn_wrong_usage(command, "-o INDEX is missing: the directory to make");
    if (n == 0)
        return qn_wrong_usage(command, "no indexes to merge");
    return work(command, &options, options.output, argv, n);
}

static int run_compact(const qn_command *command, int argc, char **argv)
{
    merge_options options = {.tune = -1, .k1 = -1, .b = -1};
    int n, code;
    if (!qn_begin(command, &options, argc, argv, &n, &code))
        return code;
    if (n != 1)
        return qn_wrong_usage(command, n == 0 ? "an index is needed" : "one index at a time");
    return work(command, &options, NULL, argv, n);
}

const qn_command qn_command_merge = {
    .name = "merge",
    .summary = "make one index of several",
    .synopsis = "-o INDEX [options] INDEX...",
    .description =
        "Makes the directory INDEX of the documents of other indexes, in the order in which these "
        "are named; they stay as they are. It has one segment, and deleted documents are gone from "
        "it: the same bytes as an index built of these documents. The indexes must have been built "
        "alike (language, stop words, positions, what they keep of documents), and no two may have "
        "the same id.",
    .examples = "quern merge -o all.idx 2024.idx 2025.idx\n"
                "#the documents of two years in one index\n"
                "quern search 2024.idx --also 2025.idx 'grinding grain'\n"
                "#or search both as they are\n",
    .options = MERGE_OPTIONS,
    .n_options = sizeof MERGE_OPTIONS / sizeof *MERGE_OPTIONS,
    .run = run_merge,
};

const qn_command qn_command_compact = {
    .name = "compact",
    .summary = "make an index one segment, without what was deleted",
    .synopsis = "[options] INDEX",
    .description =
        "Joins all segments of an index into one and leaves deleted documents out: the smallest "
        "and fastest form, the same bytes as an index built anew of the documents that are left. "
        "--append and --update join small segments by themselves, so this is seldom needed. It "
        "takes room for both forms while it works, and does not disturb whoever searches "
        "meanwhile. With --tune, --k1 or --b the index is tuned anew, with --reorder or "
        "--no-reorder its lists are put into another order.",
    .examples = "quern compact my.idx\n"
                "#after many appends or deletions\n"
                "quern compact --tune size my.idx\n"
                "#as small as can be\n",
    .options = COMPACT_OPTIONS,
    .n_options = sizeof COMPACT_OPTIONS / sizeof *COMPACT_OPTIONS,
    .run = run_compact,
};
