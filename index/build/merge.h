/*
 * Merging lists: parts that each give the lists of some documents, term by term in order, become
 * the lists of one segment. What comes out depends on the postings only, so the index bytes are the
 * same for any number of parts. Parts are the runs of a build (merge_runs.h) or whole segments
 * (merge_segments.h).
 */
#ifndef QN_BUILD_MERGE_H
#define QN_BUILD_MERGE_H

#include "index/build/pipe.h"

/* Embedded at the start of what it is a part of. */
typedef struct qn_merge_part {
    /* The term of the current list, and its first bytes as qn_prefix gives them. */
    const char *term;
    uint32_t term_len;
    uint64_t prefix;
    /* Steps to the next list; QUERN_END after the last. The list before has been copied. */
    quern_status (*next)(struct qn_merge_part *part, quern_error *error);
    /* Hands on the current list's postings, in document order. */
    quern_status (*copy)(struct qn_merge_part *part, qn_pipe *pipe, quern_error *error);
    /* How far it is, in bytes of any kind. */
    uint64_t (*done)(const struct qn_merge_part *part);
    uint64_t total; /* such bytes in all */
} qn_merge_part;

/* Where merged lists go, and what is told on the way. */
typedef struct qn_merge_output {
    qn_postings_writer *writer;
    bool background;            /* write lists in a thread of their own, which changes no byte */
    quern_progress_fn progress; /* may be NULL */
    void *progress_arg;
} qn_merge_output;

/* Merges part[0..n), which are in document order and have not been stepped. QUERN_E_CANCELLED if
 * `progress` says so; else what parts and writer fail with. */
quern_status qn_merge_parts(qn_merge_part *const *part, size_t n, const qn_merge_output *output,
                            quern_error *error);

#endif
