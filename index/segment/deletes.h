/*
 * Deletions: which documents of a segment are no longer there. A segment never changes; a small
 * file beside it, named by the manifest, has a bit for each of its documents.
 *
 *     DELETED := n_docs(u32) n_deleted(u32) 0(u8){56} words(u64){64 W}
 *
 * W = ceil(n_docs / 4,096). Bit d % 64 of words[d / 64] is set if document d was deleted.
 */
#ifndef QN_SEGMENT_DELETES_H
#define QN_SEGMENT_DELETES_H

#include "index/segment/container.h"
#include "index/segment/manifest.h"

/* Bytes of the bits of a segment of n_docs documents. */
size_t qn_deletes_bytes(uint32_t n_docs);

/* Bytes of the whole file. */
uint64_t qn_deletes_file_len(uint32_t n_docs);

/* Opens the file of a manifest's entry that has deletions; *words are its bits, within `out`. */
quern_status qn_deletes_open(qn_container *out, const uint8_t **words, int dirfd,
                             const qn_manifest_segment *entry, const quern_open_options *options,
                             quern_error *error);

/* The same over bytes in memory that the caller keeps: for tests. */
quern_status qn_deletes_open_bytes(qn_container *out, const uint8_t **words, const uint8_t *bytes,
                                   size_t len, const qn_manifest_segment *entry, bool paranoid,
                                   quern_error *error);

/* How many bits are set, for `verify`; false if there are any past the last document. */
bool qn_deletes_count(const uint8_t *words, uint32_t n_docs, uint64_t *n);

/* Writes and syncs the file for `words`, n_deleted of which are set, and enters it into `entry`. It
 * gets its last name at once: no other bytes ever have it. */
quern_status qn_deletes_write(qn_manifest_segment *entry, const uint64_t *words, uint64_t n_deleted,
                              int dirfd, const char *path, quern_error *error);

#endif
