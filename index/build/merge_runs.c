/* Runs as parts of a merge: see merge_runs.h. */
#include "index/build/merge_runs.h"

#include "index/base/status.h"
#include "index/build/merge.h"

#include <stdlib.h>

enum { BUFFER_MAX = 1 << 20 };

typedef struct run_part {
    qn_merge_part part;
    qn_run_reader reader;
    const uint32_t *renumber;
    uint64_t offset; /* of the run in its spool */
} run_part;

static quern_status next(qn_merge_part *part, quern_error *error)
{
    run_part *run = (run_part *)part;
    quern_status status = qn_run_reader_list(&run->reader, error);
    part->term = run->reader.term;
    part->term_len = run->reader.term_len;
    return status;
}

static quern_status copy(qn_merge_part *part, qn_pipe *pipe, quern_error *error)
{
    run_part *run = (run_part *)part;
    const uint32_t *renumber = run->renumber;
    for (;;) {
        uint32_t doc, tf;
        quern_status status = qn_run_reader_posting(&run->reader, &doc, &tf, error);
        if (status == QUERN_END)
            return QUERN_OK;
        if (status != QUERN_OK)
            return status;
        if (renumber != NULL) {
            doc = renumber[doc];
            if (doc == UINT32_MAX)
                continue;
        }
        status = qn_pipe_add(pipe, doc, tf, run->reader.gaps, error);
        if (status != QUERN_OK)
            return status;
    }
}

static uint64_t done(const qn_merge_part *part)
{
    const run_part *run = (const run_part *)part;
    return run->reader.next - run->offset;
}

static quern_status open_runs(const qn_merge_input *input, bool positions, run_part *runs,
                              qn_merge_part **parts, quern_error *error)
{
    size_t each = input->n_runs == 0 ? 0 : input->buffer_bytes / input->n_runs;
    each = each < BUFFER_MAX ? each : BUFFER_MAX;
    for (size_t i = 0; i < input->n_runs; i++) {
        const qn_run *run = &input->run[i];
        runs[i].part = (qn_merge_part){
            .next = next, .copy = copy, .done = done, .total = run->end - run->offset};
        runs[i].renumber = input->renumber;
        runs[i].offset = run->offset;
        parts[i] = &runs[i].part;
        quern_status status = qn_run_reader_open(&runs[i].reader, run, positions, each, error);
        if (status != QUERN_OK)
            return status;
    }
    return QUERN_OK;
}

quern_status qn_merge_runs(const qn_merge_input *input, const qn_merge_output *output,
                           quern_error *error)
{
    run_part *runs = calloc(input->n_runs + 1, sizeof *runs);
    qn_merge_part **parts = calloc(input->n_runs + 1, sizeof *parts);
    quern_status status = runs == NULL || parts == NULL
                              ? qn_fail_memory(error)
                              : open_runs(input, output->positions, runs, parts, error);
    if (status == QUERN_OK)
        status = qn_merge_parts(parts, input->n_runs, output, error);
    for (size_t i = 0; runs != NULL && i < input->n_runs; i++)
        qn_run_reader_close(&runs[i].reader);
    free(runs);
    free(parts);
    return status;
}
