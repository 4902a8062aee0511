/* The merge of a join: the lists of whole segments, without documents that were deleted. */
#ifndef QN_BUILD_MERGE_SEGMENTS_H
#define QN_BUILD_MERGE_SEGMENTS_H

#include "index/base/scratch.h"
#include "index/build/merge.h"
#include "index/segment/segment.h"

/* What there is to bring lists of reordered segments back into the order of the input. */
typedef struct qn_merge_room {
    uint64_t memory;
    qn_scratch_place place; /* of temporary files */
} qn_merge_room;

/* The live documents of segment[0..n) become 0, 1, ... in the order of the input. The segments are
 * alike in having positions or not, and their pages are let go of as they have been read (see
 * qn_container_forget). QUERN_E_DAMAGED. */
quern_status qn_merge_segments(const qn_segment *segment, size_t n, const qn_merge_output *output,
                               const qn_merge_room *room, quern_error *error);

#endif
