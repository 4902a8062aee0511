/*
 * Which documents have which terms, document by document: what an order of documents is made from
 * (reorder.h). It lies in memory, or in a temporary file where that would take more than half of
 * the memory that there is.
 *
 * Everything is there twice, since a part of the documents is read from one copy and written,
 * parted in two, to the other; the bits of a node of the bisection are then its own in both.
 */
#ifndef QN_BUILD_GRAPH_H
#define QN_BUILD_GRAPH_H

#include "index/base/scratch.h"

/* Documents are at places 0 .. n_docs - 1: the document at place p is doc[c][p] and has count[c][p]
 * terms, which stand in term[c] one document after the other, numbers below n_terms, each once. */
typedef struct qn_graph {
    uint32_t n_docs, n_terms;
    uint64_t n_edges; /* pairs of document and term */
    uint32_t *doc[2], *count[2], *term[2];
    int32_t *gain; /* a document: what moving it would gain */
    uint8_t *side; /* and the half that it is in */
    qn_scratch scratch;
    uint64_t window; /* bytes of it that may be resident, if it is in a file */
} qn_graph;

/* Makes room; the caller fills doc[0], count[0] and term[0]. `memory` is what all of the work may
 * take; the file, if there is one, has 8 bytes an edge and 21 a document. */
quern_status qn_graph_open(qn_graph *graph, uint32_t n_docs, uint32_t n_terms, uint64_t n_edges,
                           uint64_t memory, const qn_scratch_place *place, quern_error *error);
void qn_graph_close(qn_graph *graph);

/* Lets go of the pages of documents [first, first + n) and of edges [at, at + n_edges) of copy c.
 */
void qn_graph_forget(const qn_graph *graph, unsigned c, uint32_t first, uint32_t n, uint64_t at,
                     uint64_t n_edges);

#endif
