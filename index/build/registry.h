/*
 * The documents of a build by id: which were seen, where, and which were replaced. Ids wait in a
 * spool in input order until the commit; memory is about 20 bytes a document.
 */
#ifndef QN_BUILD_REGISTRY_H
#define QN_BUILD_REGISTRY_H

#include "index/base/file.h"
#include "index/build/source.h"

typedef struct qn_registry {
    qn_writer spool;  /* len(varint) id, a document */
    uint64_t *offset; /* in the spool, of every 16th document */
    size_t offset_cap;
    struct qn_id_slot *slot; /* open addressing by hash */
    size_t slot_cap;
    uint32_t *line; /* of each document, from 1; 0: none */
    size_t line_cap;
    struct qn_origin *origin; /* which file the documents from a number on came from */
    size_t n_origins, origin_cap;
    uint32_t *dropped;  /* a bit a document; NULL until one is dropped */
    size_t dropped_cap; /* in words */
    uint32_t n_docs, n_dropped;
} qn_registry;

quern_status qn_registry_init(qn_registry *registry, int dirfd, const char *path,
                              quern_error *error);
void qn_registry_free(qn_registry *registry);

/* The document with this id that is not dropped, or QUERN_NOT_FOUND. */
quern_status qn_registry_find(qn_registry *registry, const char *id, size_t len, uint32_t *doc,
                              quern_error *error);

/* Adds the next document; the id must not be there. `place` may be NULL. */
quern_status qn_registry_add(qn_registry *registry, const char *id, size_t len,
                             const qn_place *place, quern_error *error);

/* Drops a document; its id may be added again. */
quern_status qn_registry_drop(qn_registry *registry, uint32_t doc, quern_error *error);

bool qn_registry_is_dropped(const qn_registry *registry, uint32_t doc);

/* "file:line", or "document N" where no place was given. */
void qn_registry_place(const qn_registry *registry, uint32_t doc, char *out, size_t len);

/* Bytes of memory held. */
size_t qn_registry_bytes(const qn_registry *registry);

/* Walks the ids in order: start with {0}; the id is valid until the next call. QUERN_END. Free the
 * chunk after use. */
typedef struct qn_registry_cursor {
    uint64_t offset; /* in the spool, of the byte behind the chunk */
    size_t at;       /* within the chunk */
    uint32_t doc;    /* number of the id given last, plus 1 */
    qn_buffer chunk;
} qn_registry_cursor;
quern_status qn_registry_next(qn_registry *registry, qn_registry_cursor *cursor, quern_span *id,
                              quern_error *error);

#endif
