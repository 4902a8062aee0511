/* What stands behind quern_index: for the files of the engine only. */
#ifndef QN_ENGINE_INDEX_H
#define QN_ENGINE_INDEX_H

#include "index/segment/segment.h"
#include "index/text/analyzer.h"

/* Indexes that can be opened as one, or merged. */
enum { QN_PATHS_MAX = 1024 };

struct quern_index {
    qn_segment *segment; /* in document order, `base` set */
    size_t n_segments;
    uint32_t n_docs;               /* deleted ones included, */
    uint32_t n_deleted;            /* which are so many */
    qn_analyzer_settings settings; /* of all segments; spans into the first */
};

/* The segment that holds a document (< n_docs). */
const qn_segment *qn_index_segment_of(const quern_index *index, uint32_t doc);

#endif
