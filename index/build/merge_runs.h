/* The merge of a build: the lists of all its runs become those of a segment, for any number of runs
 * the same, that is for any memory limit. */
#ifndef QN_BUILD_MERGE_RUNS_H
#define QN_BUILD_MERGE_RUNS_H

#include "index/build/merge.h"
#include "index/build/run.h"

typedef struct qn_merge_input {
    const qn_run *run; /* in document order */
    size_t n_runs;
    /* Where documents were dropped: new number of each old one, UINT32_MAX if dropped; else NULL.
     */
    const uint32_t *renumber;
    size_t buffer_bytes; /* for all runs together */
} qn_merge_input;

quern_status qn_merge_runs(const qn_merge_input *input, const qn_merge_output *output,
                           quern_error *error);

#endif
