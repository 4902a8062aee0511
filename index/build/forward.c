/* The terms of documents: see forward.h. */
#include "index/build/forward.h"

#include "index/base/status.h"
#include "index/segment/postings.h"

#include <stdlib.h>

enum {
    FORGET_EVERY = 8 << 20, /* pages are let go of after so many bytes of lists, */
    FORGET_TERMS = 1 << 17, /* or so many terms, */
    DFS = 1 << 16           /* document frequencies below this are told apart */
};

/* The terms with least <= df <= most, of documents [from, to). */
typedef struct forward {
    const qn_segment *segment;
    qn_graph *graph;
    uint32_t least, most;
    uint32_t from, to;
    uint64_t base, n_edges; /* where the terms of these documents begin, and how many they are; */
    bool counts;            /* they are counted, or else put from where the graph's gain tells */
    uint32_t docs[QN_BLOCK_ROOM];
} forward;

/* ---- which terms ---- */

typedef struct frequencies {
    uint64_t n[DFS], edges[DFS]; /* terms of each df, and postings; the last: of all from that on */
} frequencies;

static quern_status count_frequencies(const forward *f, frequencies *found, quern_error *error)
{
    qn_dict_cursor cursor;
    uint64_t n = 0;
    quern_status status = qn_dict_seek(&cursor, &f->segment->dict, "", 0, error);
    while (status == QUERN_OK && (status = qn_dict_next(&cursor, error)) == QUERN_OK) {
        uint32_t df = cursor.info.df;
        if (++n % FORGET_TERMS == 0)
            qn_container_forget(&f->segment->index);
        if (df <= f->most) {
            found->n[df < DFS ? df : DFS - 1]++;
            found->edges[df < DFS ? df : DFS - 1] += df;
        }
    }
    return status == QUERN_END ? QUERN_OK : status;
}

/* Sets which terms there are, and tells how many they are and what they have. */
static quern_status select_terms(forward *f, uint32_t *n_terms, uint64_t *n_edges,
                                 quern_error *error)
{
    uint32_t share = f->segment->meta.n_docs / QN_FORWARD_SHARE;
    f->most = share < QN_FORWARD_LEAST ? f->segment->meta.n_docs : share;
    f->least = QN_FORWARD_LEAST;
    frequencies *found = calloc(1, sizeof *found);
    if (found == NULL)
        return qn_fail_memory(error);
    quern_status status = count_frequencies(f, found, error);
    uint32_t df = DFS;
    *n_terms = 0;
    *n_edges = 0;
    while (df > QN_FORWARD_LEAST && *n_terms + found->n[df - 1] <= QN_FORWARD_TERMS) {
        *n_terms += (uint32_t)found->n[--df];
        *n_edges += found->edges[df];
    }
    f->least = df;
    free(found);
    return status;
}

/* ---- their lists ---- */

static quern_status damaged(const forward *f, const char *what, quern_error *error)
{
    return qn_container_damaged(&f->segment->index, what, error);
}

/* Counts documents [docs, end), or puts a term to them. */
static quern_status take_documents(const forward *f, const uint32_t *docs, const uint32_t *end,
                                   uint32_t term, quern_error *error)
{
    uint32_t *count = f->graph->count[0];
    if (f->counts) {
        for (; docs < end; docs++)
            count[*docs]++;
        return QUERN_OK;
    }
    uint32_t *next = (uint32_t *)f->graph->gain, *to = f->graph->term[0] + f->base;
    for (; docs < end; docs++) {
        if (next[*docs] >= f->n_edges)
            return damaged(f, "a list changes while it is read", error);
        to[next[*docs]++] = term;
    }
    return QUERN_OK;
}

static quern_status take_list(forward *f, const qn_term_info *info, uint32_t term,
                              quern_error *error)
{
    qn_postings list;
    const uint8_t *tf_at;
    uint32_t last = 0, block = 0;
    quern_status status = qn_postings_open(&list, f->segment, info, error);
    if (status == QUERN_OK && f->from > 0)
        block = qn_postings_find_block(&list, 0, f->from);
    for (bool first = true; status == QUERN_OK && block < list.n_blocks; block++, first = false) {
        status = qn_postings_docs(&list, block, f->docs, &tf_at, error);
        if (status != QUERN_OK)
            break;
        const uint32_t *begin = f->docs, *end = begin + qn_postings_block_n(&list, block);
        if (!first && *begin <= last)
            return damaged(f, "documents of a list do not ascend", error);
        last = end[-1];
        if (*begin >= f->to)
            break;
        while (begin < end && *begin < f->from)
            begin++;
        while (begin < end && end[-1] >= f->to)
            end--;
        status = take_documents(f, begin, end, term, error);
    }
    return status;
}

/* Reads all lists that were selected. */
static quern_status walk(forward *f, quern_error *error)
{
    qn_dict_cursor cursor;
    uint32_t term = 0;
    uint64_t forgotten = 0, n = 0;
    quern_status status = qn_dict_seek(&cursor, &f->segment->dict, "", 0, error);
    while (status == QUERN_OK && (status = qn_dict_next(&cursor, error)) == QUERN_OK) {
        const qn_term_info *info = &cursor.info;
        if (info->postings_off - forgotten >= FORGET_EVERY || ++n % FORGET_TERMS == 0) {
            qn_container_forget(&f->segment->index);
            forgotten = info->postings_off;
        }
        if (info->df < f->least || info->df > f->most)
            continue;
        if (term >= f->graph->n_terms)
            return damaged(f, "the dictionary changes while it is read", error);
        status = take_list(f, info, term++, error);
    }
    qn_container_forget(&f->segment->index);
    return status == QUERN_END ? QUERN_OK : status;
}

/* ---- all ---- */

/* Counts every document's terms, as many documents at a time as may be resident. */
static quern_status count_terms(forward *f, quern_error *error)
{
    qn_graph *graph = f->graph;
    uint64_t most = graph->window / 16;
    uint32_t step = graph->scratch.in_file && most < graph->n_docs ? (uint32_t)most : graph->n_docs;
    uint64_t n_edges = 0;
    quern_status status = QUERN_OK;
    f->counts = true;
    for (uint32_t doc = 0; status == QUERN_OK && doc < graph->n_docs;) {
        f->from = doc;
        f->to = graph->n_docs - doc < step ? graph->n_docs : doc + step;
        status = walk(f, error);
        for (; doc < f->to; doc++)
            n_edges += graph->count[0][doc];
        qn_graph_forget(graph, 0, f->from, f->to - f->from, 0, 0);
    }
    if (status == QUERN_OK && n_edges != graph->n_edges)
        return damaged(f, "a list has not as many documents as its record says", error);
    return status;
}

/* Sets [from, to) to the next documents whose terms may be resident together, and where these go.
 */
static void next_documents(forward *f)
{
    qn_graph *graph = f->graph;
    uint32_t *next = (uint32_t *)graph->gain;
    uint64_t most = graph->scratch.in_file ? graph->window / 8 : UINT32_MAX;
    f->from = f->to;
    f->base += f->n_edges;
    f->n_edges = 0;
    while (f->to < graph->n_docs && f->to - f->from < most &&
           (f->to == f->from || f->n_edges + graph->count[0][f->to] <= most)) {
        graph->doc[0][f->to] = f->to;
        next[f->to] = (uint32_t)f->n_edges;
        f->n_edges += graph->count[0][f->to++];
    }
}

static quern_status fill(forward *f, quern_error *error)
{
    qn_graph *graph = f->graph;
    quern_status status = count_terms(f, error);
    f->counts = false;
    f->to = 0;
    while (status == QUERN_OK && f->to < graph->n_docs) {
        next_documents(f);
        status = walk(f, error);
        qn_graph_forget(graph, 0, f->from, f->to - f->from, f->base, f->n_edges);
    }
    return status;
}

quern_status qn_forward_open(qn_graph *graph, const qn_segment *segment, uint64_t memory,
                             const qn_scratch_place *place, quern_error *error)
{
    forward f = {.segment = segment, .graph = graph};
    uint32_t n_terms = 0;
    uint64_t n_edges = 0;
    *graph = (qn_graph){0};
    quern_status status = select_terms(&f, &n_terms, &n_edges, error);
    if (status == QUERN_OK)
        status = qn_graph_open(graph, segment->meta.n_docs, n_terms, n_edges, memory, place, error);
    return status == QUERN_OK ? fill(&f, error) : status;
}
