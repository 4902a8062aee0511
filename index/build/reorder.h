/*
 * An order of documents in which those that share terms are near one another, so that gaps are
 * small and the documents that a query wants stand together: recursive graph bisection (bisect.h).
 * Knows nothing of segments; graph.h is what it is given.
 */
#ifndef QN_BUILD_REORDER_H
#define QN_BUILD_REORDER_H

#include "index/build/graph.h"

/* How much there is to work with: none of it has an influence on the order. */
typedef struct qn_reorder_room {
    uint64_t memory;  /* bytes; see quern_build_options */
    unsigned threads; /* 0: one per processor */
    quern_progress_fn progress;
    void *progress_arg;
} qn_reorder_room;

/*
 * Brings the documents of a graph into order: graph->doc[0] then tells which document comes first,
 * second and so on. Starts from the order in which they are given, and documents that it does not
 * tell apart stay in that. All else in the graph is used up. QUERN_E_MEMORY, QUERN_E_CANCELLED.
 */
quern_status qn_reorder(qn_graph *graph, const qn_reorder_room *room, quern_error *error);

#endif
