/*
 * Deletions: which documents of a segment are no longer there. A segment never changes; a small
 * file beside it, named by the manifest, has a bit for each of its documents.
 *
 *     DELETED := n_docs(u32) n_deleted(u32) 0(u8){56} words(u64){64 W}
 *     GONE    := words(u64){64 W}
 *
 * W = ceil(n_docs / 4,096). Bit d % 64 of words[d / 64] is set if document d was deleted. Where the
 * segment's documents were reordered DELETED tells that by number, for evaluators, and GONE, which
 * is there then only, by ordinal, for all others.
 */
#ifndef QN_SEGMENT_DELETES_H
#define QN_SEGMENT_DELETES_H

#include "index/segment/container.h"
#include "index/segment/manifest.h"

/* Bytes of the bits of a segment of n_docs documents. */
size_t qn_deletes_bytes(uint32_t n_docs);

/* Opens the file of a manifest's entry that has deletions. */
quern_status qn_deletes_open(qn_container *out, int dirfd, const qn_manifest_segment *entry,
                             const quern_open_options *options, quern_error *error);

/* The same over bytes in memory that the caller keeps: for tests. */
quern_status qn_deletes_open_bytes(qn_container *out, const uint8_t *bytes, size_t len,
                                   const qn_manifest_segment *entry, bool paranoid,
                                   quern_error *error);

/* The bits of an open file, or those by ordinal: NULL where it has none. */
const uint8_t *qn_deletes_words(const qn_container *file, bool by_ordinal);

/* How many bits are set, for `verify`; false if there are any past the last document. */
bool qn_deletes_count(const uint8_t *words, uint32_t n_docs, uint64_t *n);

/* What was deleted: n of the bits are set. */
typedef struct qn_deletes {
    const uint64_t *words, *by_ordinal; /* the latter NULL where documents were not reordered */
    uint64_t n;
} qn_deletes;

/* Writes and syncs the file, and enters it into `entry`. It gets its last name at once: no other
 * bytes ever have it. */
quern_status qn_deletes_write(qn_manifest_segment *entry, const qn_deletes *deletes, int dirfd,
                              const char *path, quern_error *error);

#endif
