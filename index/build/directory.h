/*
 * The directory of an index as its writer holds it: made or entered, locked against other writers,
 * its manifest read; and the one way to change it: a new manifest, published whole or not at all.
 */
#ifndef QN_BUILD_DIRECTORY_H
#define QN_BUILD_DIRECTORY_H

#include "index/segment/manifest.h"

typedef struct qn_directory {
    char *path; /* as given, for messages */
    int dirfd, lockfd;
    bool made;            /* by this writer, and nothing published yet */
    bool there;           /* an index is there, perhaps with a damaged manifest */
    qn_manifest manifest; /* of the index that is there; empty if none, or if damaged */
} qn_directory;

/* What may be there. */
typedef enum qn_directory_use {
    QN_DIRECTORY_NEW,     /* no index */
    QN_DIRECTORY_REPLACE, /* an index, however damaged */
    QN_DIRECTORY_ADD,     /* an index, or none */
    QN_DIRECTORY_CHANGE   /* an index */
} qn_directory_use;

/* Makes the directory (but for QN_DIRECTORY_CHANGE) or enters it, takes the lock, reads the
 * manifest and removes what a killed writer left. QUERN_E_EXISTS (an index where there must be
 * none, or other files), QUERN_E_ARGUMENT (no index), QUERN_E_LOCKED, QUERN_E_DAMAGED, QUERN_E_IO.
 */
quern_status qn_directory_open(qn_directory *directory, const char *path, qn_directory_use use,
                               quern_error *error);

/* Lets go of the lock. What was made and never published is removed. */
void qn_directory_close(qn_directory *directory);

/*
 * Names a new segment, whose files have temporary names, by its content, so that the same input
 * gives the same directory and a name is never used for other bytes, and renames the files. A name
 * that the manifest `beside` has (of a segment of the same content, with deletions) is not used
 * again. `docs_name` NULL: it has no store. After a failure: qn_directory_withdraw.
 */
quern_status qn_directory_name(const qn_directory *directory, qn_manifest_segment *segment,
                               const qn_manifest *beside, const char *index_name,
                               const char *docs_name, quern_error *error);

/* Makes `next`, whose files are there and synced, the index; then removes files that it does not
 * name. `directory->manifest` becomes a copy of it. If that fails the index is what it was, or (if
 * syncing the directory failed last) what it was to become. */
quern_status qn_directory_publish(qn_directory *directory, const qn_manifest *next,
                                  quern_error *error);

/* After a failure: removes files that the index does not name. */
void qn_directory_withdraw(const qn_directory *directory);

/* The documents of the index that are not deleted, and the bytes of its files but the manifest. */
void qn_directory_totals(const qn_directory *directory, uint64_t *documents, uint64_t *bytes);

/* A copy of a manifest with room for `extra` more segments. */
quern_status qn_manifest_copy(qn_manifest *out, const qn_manifest *manifest, size_t extra,
                              quern_error *error);

#endif
