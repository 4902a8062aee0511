/* Documents and their terms: see graph.h. */
#include "index/build/graph.h"

#include "index/base/file.h"
#include "index/base/status.h"

/* Takes `len` bytes at a page's start. */
static void *take(uint8_t *data, uint64_t *at, uint64_t len)
{
    void *out = data == NULL ? NULL : data + *at;
    *at += (len + QN_PAGE - 1) / QN_PAGE * QN_PAGE;
    return out;
}

/* Lays the arrays out; returns the bytes of all. */
static uint64_t lay_out(qn_graph *graph, uint8_t *data)
{
    uint64_t at = 0, docs = 4 * (uint64_t)graph->n_docs;
    for (unsigned c = 0; c < 2; c++) {
        graph->doc[c] = take(data, &at, docs);
        graph->count[c] = take(data, &at, docs);
        graph->term[c] = take(data, &at, 4 * graph->n_edges);
    }
    graph->gain = take(data, &at, docs);
    graph->side = take(data, &at, graph->n_docs);
    return at;
}

quern_status qn_graph_open(qn_graph *graph, uint32_t n_docs, uint32_t n_terms, uint64_t n_edges,
                           uint64_t memory, const qn_scratch_place *place, quern_error *error)
{
    *graph = (qn_graph){.n_docs = n_docs, .n_terms = n_terms, .n_edges = n_edges};
    uint64_t len = lay_out(graph, NULL);
    graph->window = memory / 4;
    quern_status status = qn_scratch_open(&graph->scratch, len, len > memory / 2, place, error);
    if (status == QUERN_OK)
        (void)lay_out(graph, graph->scratch.data);
    return status;
}

void qn_graph_close(qn_graph *graph)
{
    qn_scratch_close(&graph->scratch);
    *graph = (qn_graph){0};
}

void qn_graph_forget(const qn_graph *graph, unsigned c, uint32_t first, uint32_t n, uint64_t at,
                     uint64_t n_edges)
{
    const qn_scratch *scratch = &graph->scratch;
    if (!scratch->in_file)
        return;
    qn_scratch_forget(scratch, graph->doc[c] + first, 4 * (size_t)n);
    qn_scratch_forget(scratch, graph->count[c] + first, 4 * (size_t)n);
    qn_scratch_forget(scratch, graph->gain + first, 4 * (size_t)n);
    qn_scratch_forget(scratch, graph->side + first, n);
    qn_scratch_forget(scratch, graph->term[c] + at, 4 * (size_t)n_edges);
}
