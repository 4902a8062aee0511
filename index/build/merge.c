/* K-way merge by a binary heap of parts: see merge.h. */
#include "index/build/merge.h"

#include "index/base/status.h"
#include "index/segment/format.h"

#include <stdlib.h>
#include <string.h>

enum { PROGRESS_EVERY = 4096 };

typedef struct merge_state {
    qn_merge_part *const *part;
    size_t n_parts;
    uint32_t *heap; /* numbers of parts; least (term, number) first */
    size_t n_heap;
} merge_state;

static bool before(const merge_state *merger, uint32_t left, uint32_t right)
{
    const qn_merge_part *a = merger->part[left], *b = merger->part[right];
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix;
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

static quern_status fill_heap(merge_state *merger, quern_error *error)
{
    for (size_t i = 0; i < merger->n_parts; i++) {
        quern_status status = merger->part[i]->next(merger->part[i], error);
        if (status == QUERN_OK)
            merger->heap[merger->n_heap++] = (uint32_t)i;
        else if (status != QUERN_END)
            return status;
    }
    for (size_t i = merger->n_heap / 2; i-- > 0;)
        sift_down(merger, i);
    return QUERN_OK;
}

/* Merges the lists of the least term, and steps their parts on. */
static quern_status merge_term(merge_state *merger, qn_pipe *pipe, quern_error *error)
{
    char term[QN_TERM_MAX + 1];
    const qn_merge_part *first = merger->part[merger->heap[0]];
    uint32_t len = first->term_len;
    uint64_t prefix = first->prefix;
    memcpy(term, first->term, len);
    quern_status status = qn_pipe_begin(pipe, term, len, error);
    while (status == QUERN_OK && merger->n_heap > 0) {
        qn_merge_part *part = merger->part[merger->heap[0]];
        if (part->prefix != prefix || part->term_len != len || memcmp(part->term, term, len) != 0)
            break;
        status = part->copy(part, pipe, error);
        if (status == QUERN_OK)
            status = part->next(part, error);
        if (status == QUERN_END) {
            merger->heap[0] = merger->heap[--merger->n_heap];
            status = QUERN_OK;
        }
        if (status == QUERN_OK)
            sift_down(merger, 0);
    }
    return status == QUERN_OK ? qn_pipe_finish_term(pipe, error) : status;
}

static bool report(const merge_state *merger, const qn_merge_output *output)
{
    uint64_t done = 0, total = 0;
    for (size_t i = 0; i < merger->n_parts; i++) {
        done += merger->part[i]->done(merger->part[i]);
        total += merger->part[i]->total;
    }
    return output->progress(output->progress_arg, "merging", done, total);
}

static quern_status merge_all(merge_state *merger, qn_pipe *pipe, const qn_merge_output *output,
                              quern_error *error)
{
    quern_status status = fill_heap(merger, error);
    for (uint64_t i = 0; status == QUERN_OK && merger->n_heap > 0; i++) {
        status = merge_term(merger, pipe, error);
        if (status == QUERN_OK && i % PROGRESS_EVERY == 0 && output->progress != NULL &&
            !report(merger, output))
            status = qn_fail(error, QUERN_E_CANCELLED, "cancelled");
    }
    return status == QUERN_OK ? qn_pipe_end(pipe, error) : status;
}

quern_status qn_merge_parts(qn_merge_part *const *part, size_t n, const qn_merge_output *output,
                            quern_error *error)
{
    merge_state merger = {.part = part, .n_parts = n};
    merger.heap = calloc(n + 1, sizeof *merger.heap);
    if (merger.heap == NULL)
        return qn_fail_memory(error);
    qn_pipe *pipe;
    quern_status status = qn_pipe_new(&pipe, output->writer, output->background, error);
    if (status == QUERN_OK) {
        status = merge_all(&merger, pipe, output, error);
        qn_pipe_free(pipe);
    }
    free(merger.heap);
    return status;
}
