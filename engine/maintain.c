/* The public calls that keep an index in shape: compacting and merging. */
#include "index/build/maintain.h"
#include "engine/index.h"
#include "index/base/status.h"
#include "index/base/thread.h"

static quern_status check(const quern_merge_options *options, qn_maintain_options *out,
                          quern_error *error)
{
    if (options->size != sizeof *options)
        return qn_fail(error, QUERN_E_ARGUMENT, "the merge options have an unknown size");
    if (options->tune > QUERN_TUNE_SPEED)
        return qn_fail(error, QUERN_E_ARGUMENT, "there is no such tuning");
    if (!(options->k1 >= 0 && options->k1 <= 3) || !(options->b >= 0 && options->b <= 1))
        return qn_fail(error, QUERN_E_ARGUMENT, "k1 must be within 0..3, and b within 0..1");
    if (options->memory < (uint64_t)32 << 20)
        return qn_fail(error, QUERN_E_ARGUMENT, "the memory limit must be at least 32 MiB");
    if (options->reorder > QUERN_REORDER_OFF)
        return qn_fail(error, QUERN_E_ARGUMENT, "there is no such way of reordering");
    *out = (qn_maintain_options){.retune = options->retune,
                                 .reorder = options->reorder,
                                 .memory = options->memory,
                                 .threads = options->threads,
                                 .tune = options->tune,
                                 .k1 = options->k1,
                                 .b = options->b,
                                 .background = qn_thread_count(options->threads) > 1,
                                 .progress = options->progress,
                                 .progress_arg = options->progress_arg};
    return QUERN_OK;
}

static void report_on(const qn_directory *directory, uint64_t joined, quern_merge_report *report)
{
    if (report == NULL)
        return;
    *report = (quern_merge_report){.joined = joined};
    qn_directory_totals(directory, &report->documents, &report->index_bytes);
}

quern_status quern_compact(const char *path, const quern_merge_options *options,
                           quern_merge_report *report, quern_error *error)
{
    quern_merge_options defaults = QUERN_MERGE_OPTIONS;
    qn_maintain_options maintain;
    qn_directory directory;
    uint64_t joined = 0;
    if (path == NULL)
        return qn_fail(error, QUERN_E_ARGUMENT, "path must not be NULL");
    quern_status status = check(options == NULL ? &defaults : options, &maintain, error);
    if (status == QUERN_OK)
        status = qn_directory_open(&directory, path, QN_DIRECTORY_CHANGE, error);
    if (status != QUERN_OK)
        return status;
    status = qn_maintain_compact(&directory, &maintain, &joined, error);
    if (status == QUERN_OK)
        report_on(&directory, joined, report);
    qn_directory_close(&directory);
    return status;
}

quern_status quern_merge(const char *path, const char *const *paths, size_t n_paths,
                         const quern_merge_options *options, quern_merge_report *report,
                         quern_error *error)
{
    quern_merge_options defaults = QUERN_MERGE_OPTIONS;
    qn_maintain_options maintain;
    qn_directory directory;
    uint64_t joined = 0;
    if (path == NULL || paths == NULL || n_paths == 0 || n_paths > QN_PATHS_MAX)
        return qn_fail(error, QUERN_E_ARGUMENT, "between 1 and %d indexes must be given",
                       QN_PATHS_MAX);
    if (options == NULL)
        options = &defaults;
    quern_status status = check(options, &maintain, error);
    if (status == QUERN_OK)
        status = qn_directory_open(&directory, path,
                                   options->force ? QN_DIRECTORY_REPLACE : QN_DIRECTORY_NEW, error);
    if (status != QUERN_OK)
        return status;
    status = qn_maintain_merge(&directory, paths, n_paths, &maintain, &joined, error);
    if (status == QUERN_OK)
        report_on(&directory, joined, report);
    qn_directory_close(&directory);
    return status;
}
