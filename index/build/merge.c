/* K-way merge of runs by a binary heap of readers: see merge.h. */
#include "index/build/merge.h"

#include "index/base/status.h"

#include <stdlib.h>

typedef struct merge_state {
    const qn_merge_input *input;
    qn_run_reader *reader;
    size_t n_open;
    uint32_t *heap; /* reader numbers; least (term, number) first */
    size_t n_heap;
} merge_state;

static bool before(const merge_state *merger, uint32_t left, uint32_t right)
{
    const qn_run_reader *a = &merger->reader[left], *b = &merger->reader[right];
    uint32_t len = a->term_len < b->term_len ? a->term_len : b->term_len;
    int order = memcmp(a->term, b->term, len);
    if (order != 0)
        return order < 0;
    if (a->term_len != b->term_len)
        return a->term_len < b->term_len;
    return left < right;
}

static void sift_down(merge_state *merger, size_t at)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= merger->n_heap)
            return;
        if (child + 1 < merger->n_heap &&
            before(merger, merger->heap[child + 1], merger->heap[child]))
            child++;
        if (!before(merger, merger->heap[child], merger->heap[at]))
            return;
        uint32_t swap = merger->heap[at];
        merger->heap[at] = merger->heap[child];
        merger->heap[child] = swap;
        at = child;
    }
}

static quern_status open_readers(merge_state *merger, quern_error *error)
{
    const qn_merge_input *input = merger->input;
    size_t each = input->n_runs == 0 ? 0 : input->buffer_bytes / input->n_runs;
    if (each > 1 << 20)
        each = 1 << 20;
    for (size_t i = 0; i < input->n_runs; i++) {
        quern_status status = qn_run_reader_open(&merger->reader[i], input->spool, &input->run[i],
                                                 input->positions, each, error);
        if (status != QUERN_OK)
            return status;
        merger->n_open++;
        status = qn_run_reader_list(&merger->reader[i], error);
        if (status == QUERN_OK)
            merger->heap[merger->n_heap++] = (uint32_t)i;
        else if (status != QUERN_END)
            return status;
    }
    for (size_t i = merger->n_heap / 2; i-- > 0;)
        sift_down(merger, i);
    return QUERN_OK;
}

/* Hands the rest of the reader's list to the writer. */
static quern_status copy_list(const merge_state *merger, qn_run_reader *reader,
                              qn_postings_writer *writer, quern_error *error)
{
    const uint32_t *renumber = merger->input->renumber;
    for (;;) {
        uint32_t doc, tf;
        quern_status status = qn_run_reader_posting(reader, &doc, &tf, error);
        if (status == QUERN_END)
            return QUERN_OK;
        if (status != QUERN_OK)
            return status;
        if (renumber != NULL) {
            doc = renumber[doc];
            if (doc == UINT32_MAX)
                continue;
        }
        status = qn_postings_writer_add(writer, doc, tf, reader->gaps, error);
        if (status != QUERN_OK)
            return status;
    }
}

/* Merges the lists of the least term, and steps their readers on. */
static quern_status merge_term(merge_state *merger, qn_postings_writer *writer, quern_error *error)
{
    char term[256];
    const qn_run_reader *first = &merger->reader[merger->heap[0]];
    uint32_t len = first->term_len;
    memcpy(term, first->term, len);
    qn_postings_writer_begin(writer, term, len);
    while (merger->n_heap > 0) {
        qn_run_reader *reader = &merger->reader[merger->heap[0]];
        if (reader->term_len != len || memcmp(reader->term, term, len) != 0)
            break;
        quern_status status = copy_list(merger, reader, writer, error);
        if (status == QUERN_OK)
            status = qn_run_reader_list(reader, error);
        if (status == QUERN_END)
            merger->heap[0] = merger->heap[--merger->n_heap];
        else if (status != QUERN_OK)
            return status;
        sift_down(merger, 0);
    }
    return qn_postings_writer_end(writer, error);
}

static uint64_t bytes_read(const merge_state *merger)
{
    uint64_t done = 0;
    for (size_t i = 0; i < merger->n_open; i++)
        done += merger->reader[i].next - merger->input->run[i].offset;
    return done;
}

quern_status qn_merge_runs(const qn_merge_input *input, qn_postings_writer *writer,
                           quern_error *error)
{
    merge_state merger = {.input = input};
    merger.reader = calloc(input->n_runs + 1, sizeof *merger.reader);
    merger.heap = calloc(input->n_runs + 1, sizeof *merger.heap);
    quern_status status = merger.reader == NULL || merger.heap == NULL
                              ? qn_fail_memory(error)
                              : open_readers(&merger, error);
    for (uint64_t n = 0; status == QUERN_OK && merger.n_heap > 0; n++) {
        status = merge_term(&merger, writer, error);
        if (status == QUERN_OK && n % 4096 == 0 && input->progress != NULL &&
            !input->progress(input->progress_arg, "merging", bytes_read(&merger),
                             input->spool->offset))
            status = qn_fail(error, QUERN_E_CANCELLED, "cancelled");
    }
    for (size_t i = 0; i < merger.n_open; i++)
        qn_run_reader_close(&merger.reader[i]);
    if (merger.reader != NULL && merger.n_open < input->n_runs)
        qn_run_reader_close(&merger.reader[merger.n_open]); /* the one that failed to open */
    free(merger.reader);
    free(merger.heap);
    return status;
}
