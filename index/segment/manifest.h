/*
 * The manifest: the small text file that names the segments of an index, and so is the index. It is
 * replaced by rename, which makes a commit atomic.
 *
 *     quern 2
 *     analyzer LANGUAGE RULES UNICODE FINGERPRINT(hex)
 *     segment NAME documents tokens index-bytes index-checksum(hex) store-bytes store-checksum(hex)
 *         deleted deletes-checksum(hex)                                  (one line)
 *     ...
 *     end XXH3-OF-ALL-LINES-ABOVE(hex)
 *
 * Fields stand apart by one space, lines end with '\n'. NAME is "s-" and more of [0-9a-z-], 3..32
 * in all; its files are NAME.qx (index), NAME.qs (store; absent with store-bytes 0) and
 * NAME-CHECKSUM.qd (deletions; absent with deleted 0), CHECKSUM being deletes-checksum.
 */
#ifndef QN_SEGMENT_MANIFEST_H
#define QN_SEGMENT_MANIFEST_H

#include "engine/quern.h"

#define QN_MANIFEST_NAME "MANIFEST"
#define QN_LOCK_NAME     "LOCK"

enum {
    QN_SEGMENT_NAME_MAX = 32,
    QN_SEGMENTS_MAX = 8192,
    QN_MANIFEST_FILE_MAX = QN_SEGMENT_NAME_MAX + 1 + 16 + 3 + 1 /* bytes of a file's name */
};

typedef struct qn_manifest_segment {
    char name[QN_SEGMENT_NAME_MAX + 1];
    uint64_t documents, tokens;
    uint64_t index_len, index_checksum; /* file length; checksum in its header page */
    uint64_t store_len, store_checksum;
    uint64_t deleted, deletes_checksum; /* of the documents, so many; both 0 if none */
} qn_manifest_segment;

typedef struct qn_manifest {
    char language[64];
    uint32_t rules;
    char unicode[32];
    uint64_t fingerprint;
    qn_manifest_segment *segment;
    size_t n_segments;
} qn_manifest;

/* Reads and checks the manifest of a directory. QUERN_NOT_FOUND (with a message) if there is none.
 */
quern_status qn_manifest_read(qn_manifest *out, int dirfd, const char *path, quern_error *error);

/* Parses text; for tests, and for qn_manifest_read. */
quern_status qn_manifest_parse(qn_manifest *out, const char *text, size_t len, const char *path,
                               quern_error *error);

/* Replaces the manifest durably: writes beside, fsyncs, renames, fsyncs the directory. The files it
 * names must be synced already. */
quern_status qn_manifest_commit(const qn_manifest *manifest, int dirfd, const char *path,
                                quern_error *error);
void qn_manifest_free(qn_manifest *manifest);

/* The name of the file that holds a segment's deletions. */
void qn_manifest_deletes_name(const qn_manifest_segment *segment, char out[QN_MANIFEST_FILE_MAX]);

/* Whether a directory entry is one that quern makes (manifest, lock, segment or temporary file). */
bool qn_manifest_owns(const char *name);

/* Whether it is a leftover of a build that was killed: a temporary file, or a segment file that the
 * manifest (may be NULL: none there) does not name. Only a holder of the lock may ask, and delete.
 */
bool qn_manifest_is_orphan(const qn_manifest *manifest, const char *name);

/* Opens (creates) the lock file and takes an exclusive flock without waiting: *fd to be closed to
 * let go. QUERN_E_LOCKED if somebody has it. */
quern_status qn_manifest_lock(int *fd, int dirfd, const char *path, quern_error *error);

#endif
