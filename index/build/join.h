/*
 * Joining neighbouring segments: their live documents, in order, become one new segment. It is the
 * same, byte for byte, as a build of these documents with the same options would have made; whether
 * some of the segments were reordered makes no difference.
 */
#ifndef QN_BUILD_JOIN_H
#define QN_BUILD_JOIN_H

#include "index/segment/segment.h"

typedef struct qn_join_input {
    /* n >= 1 segments, opened paranoid (so that damage is not copied under new checksums), alike in
     * analyzer and positions. */
    const qn_segment *segment;
    size_t n;
    float k1, b; /* of the new segment's bounds, */
    quern_tune tune;
    bool background;  /* compress texts in a thread of its own, which changes no byte */
    bool reorder;     /* reorder the new segment */
    uint64_t memory;  /* what bringing lists into another order may take, */
    unsigned threads; /* and how many threads may work on that; 0: one per processor */
    quern_progress_fn progress;
    void *progress_arg;
} qn_join_input;

/* Temporary names of the files that a join writes. */
typedef struct qn_join_files {
    char index[48], docs[48];
    bool stored; /* there is a file of documents */
} qn_join_files;

/* Writes and syncs the files of the new segment in `dirfd` (`path` is for messages) and fills
 * `entry` but for its name. On failure both files are removed. A text is kept if all segments keep
 * texts, a record if all keep records. QUERN_E_DAMAGED, QUERN_E_IO, QUERN_E_SPACE, QUERN_E_MEMORY,
 * QUERN_E_CANCELLED. */
quern_status qn_join(const qn_join_input *input, int dirfd, const char *path, qn_join_files *files,
                     qn_manifest_segment *entry, quern_error *error);

#endif
