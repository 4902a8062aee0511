/*
 * Parting documents in two halves, such that documents that share terms are in one half: the step
 * of which reorder.h makes an order (Dhulipala, Kabiljo, Karrer, Ottaviano, Pupyrev and Shalita
 * 2016, "Compressing graphs and indexes with recursive graph bisection").
 *
 * Of a term that l documents of the left half and r of the right one have, n documents each, gaps
 * cost about l log(n / (l + 1)) + r log(n / (r + 1)) bits. A round computes for every document what
 * moving it to the other half would gain, and exchanges as many documents as there are pairs, the
 * best of one half with the best of the other, that gain more than a threshold. That rises from
 * round to round, since pairs that gain little when moved alone need not do so when many move
 * (Mackenzie, Petri and Moffat 2021, "Tradeoff options for bipartite graph partitioning").
 *
 * All is computed in integers: what comes out is the same for any number of threads and everywhere.
 */
#ifndef QN_BUILD_BISECT_H
#define QN_BUILD_BISECT_H

#include "index/build/graph.h"

/* Documents at places [first, first + n), whose terms are [at, at + n_edges) of the copy `from`;
 * these are below n_terms. What a node may write in the other copy are the same stretches. */
typedef struct qn_node {
    uint32_t first, n, n_terms;
    uint64_t at, n_edges;
    unsigned from;
} qn_node;

/* What a thread needs, and what it knows of the terms of the node at hand. */
typedef struct qn_bisector {
    const qn_graph *graph;
    const int32_t *growth; /* of all threads */
    uint32_t *degree[2];   /* of each term: documents of each half that have it */
    int32_t *move[2];      /* what a document that has it and leaves that half gains by it */
    uint32_t *histogram[2];
} qn_bisector;

/* The table `growth`, to be freed; NULL when memory is short. */
int32_t *qn_bisect_growth(void);

/* Makes room for nodes of up to n_terms terms. False when memory is short. To be freed in any case.
 */
bool qn_bisector_init(qn_bisector *one, const qn_graph *graph, const int32_t *growth,
                      uint32_t n_terms);
void qn_bisector_free(qn_bisector *one);

/* Parts a node of n >= 2 documents; half[0] has n / 2 of them, half[1] the rest, each in ascending
 * places. Gains are computed by all of one[0..n_threads), if these are more, whose tables must hold
 * the node's terms only of one[0]. */
void qn_bisect(qn_bisector *one, unsigned n_threads, const qn_node *node, qn_node half[2]);

#endif
