/*
 * The last step of a build or a join where documents are to be reordered: a segment that was just
 * written, in the order of the input, becomes the same segment with its lists in the order that
 * qn_reorder finds. It follows from the segment's bytes, so whatever gives the same segment gives
 * the same reordered one.
 */
#ifndef QN_BUILD_REORDER_SEGMENT_H
#define QN_BUILD_REORDER_SEGMENT_H

#include "index/build/reorder.h"
#include "index/segment/manifest.h"

/* Replaces the file `index_name` ("NAME.qx"; its store, if there is one, is NAME.qs) in `dirfd`
 * (`path` is for messages) and brings `entry`, which describes it, up to date. Ids, exact lengths
 * and the store stay as they are. On failure the file stays as it was. QUERN_E_DAMAGED, QUERN_E_IO,
 * QUERN_E_SPACE, QUERN_E_MEMORY, QUERN_E_CANCELLED. */
quern_status qn_reorder_segment(int dirfd, const char *path, const char *index_name,
                                qn_manifest_segment *entry, const qn_reorder_room *room,
                                quern_error *error);

#endif
