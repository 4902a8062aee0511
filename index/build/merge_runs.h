/* The merge of a build: the lists of all its runs become those of a segment, for any number of runs
 * the same, that is for any memory limit. */
#ifndef QN_BUILD_MERGE_RUNS_H
#define QN_BUILD_MERGE_RUNS_H

#include "index/build/run.h"
#include "index/segment/postings_writer.h"

typedef struct qn_merge_input {
    qn_writer *spool;  /* that holds the runs */
    const qn_run *run; /* in document order */
    size_t n_runs;
    bool positions;
    /* Where documents were dropped: new number of each old one, UINT32_MAX if dropped; else NULL.
     */
    const uint32_t *renumber;
    size_t buffer_bytes; /* for all runs together */
    quern_progress_fn progress;
    void *progress_arg;
} qn_merge_input;

quern_status qn_merge_runs(const qn_merge_input *input, qn_postings_writer *writer,
                           quern_error *error);

#endif
