/*
 * The documents of a build by id: which were seen, where, and which were dropped. Ids wait in a
 * spool in input order until the commit. The latest of them are found by a table; when it has
 * become as large as it may, a new window of documents begins with an empty one, and equal ids of
 * different windows are found by sorting hashes before the commit. Beside the table memory is two
 * thirds of a byte a document, and 8 MiB for sorting.
 */
#ifndef QN_BUILD_REGISTRY_H
#define QN_BUILD_REGISTRY_H

#include "index/base/file.h"
#include "index/base/sorter.h"
#include "index/build/source.h"

/* Walks the ids in order: start with {0}; the id is valid until the next call. QUERN_END. Free the
 * chunk after use. */
typedef struct qn_registry_cursor {
    uint64_t offset; /* in the spool, of the byte behind the chunk */
    size_t at;       /* within the chunk */
    uint32_t doc;    /* number of the id given last, plus 1 */
    uint32_t line;   /* of it, from 1; 0: none */
    qn_buffer chunk;
} qn_registry_cursor;

typedef struct qn_registry {
    qn_writer spool;  /* len(varint) line(varint) id, a document */
    uint64_t *offset; /* in the spool, of every 32nd document */
    size_t offset_cap;
    /* Open addressing by hash: the documents of the window, and a byte of each one's hash, or 0. */
    struct qn_id_slot *slot;
    uint8_t *mark;
    size_t slot_cap, slot_most;
    uint32_t window_first;
    qn_sorter hashes; /* of the documents of windows before, if there are any */
    int dirfd;
    struct qn_origin *origin; /* which file the documents from a number on came from */
    size_t n_origins, origin_cap;
    uint32_t *dropped;  /* a bit a document; NULL until one is dropped */
    size_t dropped_cap; /* in words */
    uint32_t n_docs, n_dropped;
    qn_registry_cursor reader; /* for single ids */
} qn_registry;

/* The table takes at most `limit` bytes. */
quern_status qn_registry_init(qn_registry *registry, size_t limit, int dirfd, const char *path,
                              quern_error *error);
void qn_registry_free(qn_registry *registry);

/* Fetches what qn_registry_find will look at first, which no cache holds where there are many
 * documents. */
void qn_registry_fetch(const qn_registry *registry, const char *id, size_t len);

/* The document of the window with this id that is not dropped, or QUERN_NOT_FOUND. */
quern_status qn_registry_find(qn_registry *registry, const char *id, size_t len, uint32_t *doc,
                              quern_error *error);

/* The same of all documents; where there are several windows it reads all ids. Documents of other
 * windows may have the id as well. */
quern_status qn_registry_find_any(qn_registry *registry, const char *id, size_t len, uint32_t *doc,
                                  quern_error *error);

/* Adds the next document; the id must not be there. `place` may be NULL. */
quern_status qn_registry_add(qn_registry *registry, const char *id, size_t len,
                             const qn_place *place, quern_error *error);

/* Drops a document; its id may be added again. */
quern_status qn_registry_drop(qn_registry *registry, uint32_t doc, quern_error *error);

bool qn_registry_is_dropped(const qn_registry *registry, uint32_t doc);

/* Settles equal ids of different windows, before the commit: QUERN_E_DUPLICATE, naming both places;
 * or all but the first, or all but the last, are dropped. `n` grows by how many. */
quern_status qn_registry_settle(qn_registry *registry, quern_on_duplicate rule, uint64_t *n,
                                quern_error *error);

/* "file:line", or "document N" where no place was given. */
quern_status qn_registry_place(qn_registry *registry, uint32_t doc, char *out, size_t len,
                               quern_error *error);

/* Bytes of memory held. */
size_t qn_registry_bytes(const qn_registry *registry);

quern_status qn_registry_next(qn_registry *registry, qn_registry_cursor *cursor, quern_span *id,
                              quern_error *error);

#endif
