/*
 * The index file of a new segment, section by section: what a build (commit.c) and a join of
 * segments (join.c) share. In this order: ids (by the caller), lengths, postings, META.
 */
#ifndef QN_BUILD_SEGMENT_BUILD_H
#define QN_BUILD_SEGMENT_BUILD_H

#include "index/base/scratch.h"
#include "index/segment/manifest.h"
#include "index/segment/meta.h"
#include "index/segment/postings_writer.h"

typedef struct qn_segment_build {
    int dirfd;
    const char *path; /* of the directory, for messages */
    qn_container_writer container;
    qn_segment_meta meta; /* the caller's part: k1, b, tune, positions, stored, records, analyzer */
    const qn_scratch *order;   /* NULL, or of reordered documents the ordinal (u32) of each */
    uint8_t *codes;            /* of lengths */
    qn_manifest_segment entry; /* once finished: all but the name and the store */
} qn_segment_build;

/* Creates the file `name` in `dirfd`; `path` stays the caller's. To be closed in any case. */
quern_status qn_segment_build_open(qn_segment_build *build, int dirfd, const char *path,
                                   const char *name, quern_error *error);

/* Where the lengths of documents come from, one of each field (or of the one without a name) after
 * the other; they are read several times. */
typedef struct qn_length_source {
    void *arg;
    quern_status (*start)(void *arg, quern_error *error);
    quern_status (*next)(void *arg, uint32_t *length, quern_error *error);
} qn_length_source;

/* Writes the exact lengths of n_docs documents, and their codes in `order`. meta.fields must be
 * there. */
quern_status qn_segment_build_lengths(qn_segment_build *build, const qn_length_source *source,
                                      uint32_t n_docs, quern_error *error);

/* Makes a writer for all lists; `end` frees it and, if `status` is that all were written, finishes
 * the sections. */
quern_status qn_segment_build_postings(qn_segment_build *build, qn_postings_writer **out,
                                       quern_error *error);
quern_status qn_segment_build_postings_end(qn_segment_build *build, qn_postings_writer *writer,
                                           quern_status status, quern_error *error);

/* Writes META and finishes and syncs the file; fills `entry`. */
quern_status qn_segment_build_finish(qn_segment_build *build, quern_error *error);
void qn_segment_build_close(qn_segment_build *build);

#endif
