/*
 * External ids: "what is this document called?" in document order, front-coded in small blocks, and
 * "which document has this id?" by a table of hash buckets. Ids of real corpora are long and share
 * prefixes (a URL and a paragraph number), so raw ids would be a tenth of the index.
 */
#ifndef QN_SEGMENT_IDS_H
#define QN_SEGMENT_IDS_H

#include "index/segment/container.h"
#include "index/segment/format.h"

/* ---- writing ---- */

typedef struct qn_ids_writer qn_ids_writer;

/* Ids and their hashes are spooled in `dirfd`; memory is at most 9 MiB. */
quern_status qn_ids_writer_new(qn_ids_writer **out, int dirfd, const char *path,
                               quern_error *error);

/* Adds the id (1..QN_ID_MAX bytes) of the next document. */
quern_status qn_ids_writer_add(qn_ids_writer *writer, const char *id, size_t len,
                               quern_error *error);

/* Appends the sections IDS and ID_LOOKUP. */
quern_status qn_ids_writer_finish(qn_ids_writer *writer, qn_container_writer *container,
                                  quern_error *error);
void qn_ids_writer_free(qn_ids_writer *writer);

/* ---- reading ---- */

typedef struct qn_ids {
    const qn_container *container;
    qn_section ids, lookup;
    uint32_t n_docs;
} qn_ids;

quern_status qn_ids_open(qn_ids *out, const qn_container *container, uint32_t n_docs,
                         quern_error *error);

/* Copies the id of `doc` (< n_docs) to `out`, which has room for QN_ID_MAX bytes. Any thread. */
quern_status qn_ids_get(const qn_ids *ids, uint32_t doc, char *out, size_t *len,
                        quern_error *error);

/* QUERN_OK with the document, QUERN_NOT_FOUND, or QUERN_E_DAMAGED. Any thread. */
quern_status qn_ids_find(const qn_ids *ids, const char *id, size_t len, uint32_t *doc,
                         quern_error *error);

#endif
