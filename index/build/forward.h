/* Turning a segment's lists around: which terms its documents have, for qn_reorder. */
#ifndef QN_BUILD_FORWARD_H
#define QN_BUILD_FORWARD_H

#include "index/build/graph.h"
#include "index/segment/segment.h"

/*
 * Makes a graph of a segment's documents and those of its terms that an order may do good to,
 * documents in the order of their numbers. Left out are terms that more than one document in
 * QN_FORWARD_SHARE has, of terms that fewer than QN_FORWARD_LEAST documents have, and if then more
 * than QN_FORWARD_TERMS are left the rarest of them. What is left out depends on the segment only.
 * To be closed in any case. QUERN_E_DAMAGED, QUERN_E_MEMORY, QUERN_E_SPACE, QUERN_E_IO.
 */
quern_status qn_forward_open(qn_graph *graph, const qn_segment *segment, uint64_t memory,
                             const qn_scratch_place *place, quern_error *error);

enum { QN_FORWARD_SHARE = 8, QN_FORWARD_LEAST = 2, QN_FORWARD_TERMS = 1 << 19 };

#endif
