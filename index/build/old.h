/*
 * The documents of an index to which others are added: which are there, and which of them the
 * commit will delete, because they are replaced, were asked to go, or were not given again.
 */
#ifndef QN_BUILD_OLD_H
#define QN_BUILD_OLD_H

#include "index/build/directory.h"
#include "index/segment/segment.h"

/* A segment. The sets of documents have a bit for each, by ordinal, for whole windows; NULL: empty.
 */
typedef struct qn_old_segment {
    qn_segment segment;
    uint64_t *deleted; /* with those that were deleted before; NULL: no more than those */
    uint32_t n_deleted;
    uint64_t *seen; /* given again */
} qn_old_segment;

/* Zero-initialise. */
typedef struct qn_old {
    qn_old_segment *one;
    size_t n;
    uint64_t n_finds;
    qn_docs_reader reader;
} qn_old;

/* A document: segment one[segment], ordinal doc. */
typedef struct qn_old_place {
    size_t segment;
    uint32_t doc;
} qn_old_place;

/* Opens the segments of the directory's index. */
quern_status qn_old_open(qn_old *old, const qn_directory *directory, quern_error *error);
void qn_old_free(qn_old *old);

/* The document with this id that is there and will stay, or QUERN_NOT_FOUND. QUERN_E_DAMAGED. */
quern_status qn_old_find(qn_old *old, const char *id, size_t len, qn_old_place *place,
                         quern_error *error);

/* Whether what is kept of it is what `document` would leave: never so where nothing is kept. */
quern_status qn_old_equals(qn_old *old, const qn_old_place *place, const quern_document *document,
                           bool *equal, quern_error *error);

/* Deletes it at the commit; it has been found. */
quern_status qn_old_delete(qn_old *old, const qn_old_place *place, quern_error *error);

/* Notes that it was given again. */
quern_status qn_old_see(qn_old *old, const qn_old_place *place, quern_error *error);

/* Deletes all that was not seen. `n` grows by how many. */
quern_status qn_old_prune(qn_old *old, uint64_t *n, quern_error *error);

/* Bytes of memory held, segments not included. */
size_t qn_old_bytes(const qn_old *old);

/* Writes the deletions, and enters them into next->segment[0..old->n), the segments' entries. */
quern_status qn_old_write(const qn_old *old, const qn_directory *directory, qn_manifest *next,
                          quern_error *error);

#endif
