/* Ids seen during a build: see registry.h. */
#include "index/build/registry.h"

#include "index/base/checksum.h"
#include "index/base/status.h"
#include "index/codec/varint.h"
#include "index/segment/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct qn_id_slot {
    uint32_t tag; /* high bits of the hash */
    uint32_t doc; /* number + 1; 0: empty */
} id_slot;

typedef struct qn_origin {
    uint32_t first_doc;
    char *file; /* NULL: added without a place */
} origin;

enum { STRIDE = 16, FIRST_CAP = 1 << 12, SPOOL_BUFFER = 256 * 1024, CHUNK = 64 * 1024 };

quern_status qn_registry_init(qn_registry *registry, int dirfd, const char *path,
                              quern_error *error)
{
    *registry = (qn_registry){.slot_cap = FIRST_CAP};
    registry->slot = calloc(FIRST_CAP, sizeof(id_slot));
    if (registry->slot == NULL)
        return qn_fail_memory(error);
    return qn_writer_spool(&registry->spool, dirfd, path, SPOOL_BUFFER, error);
}

void qn_registry_free(qn_registry *registry)
{
    for (size_t i = 0; i < registry->n_origins; i++)
        free(registry->origin[i].file);
    free(registry->origin);
    free(registry->offset);
    free(registry->slot);
    free(registry->line);
    free(registry->dropped);
    qn_writer_close(&registry->spool);
    *registry = (qn_registry){0};
}

size_t qn_registry_bytes(const qn_registry *registry)
{
    return registry->slot_cap * sizeof(id_slot) + registry->offset_cap * sizeof(uint64_t) +
           registry->line_cap * sizeof(uint32_t) + registry->dropped_cap * sizeof(uint32_t);
}

bool qn_registry_is_dropped(const qn_registry *registry, uint32_t doc)
{
    return doc / 32 < registry->dropped_cap && (registry->dropped[doc / 32] >> (doc % 32) & 1) != 0;
}

/* Reads the varint length and the id at `offset`; *next is the offset behind it. */
static quern_status read_id(qn_registry *registry, uint64_t offset, char id[QN_ID_MAX],
                            uint32_t *len, uint64_t *next, quern_error *error)
{
    uint8_t head[QN_VARINT32_MAX];
    uint64_t left = registry->spool.offset - offset;
    size_t part = left < sizeof head ? (size_t)left : sizeof head;
    quern_status status = qn_writer_read(&registry->spool, offset, head, part, error);
    if (status != QUERN_OK)
        return status;
    const uint8_t *at = qn_varint_get32(head, head + part, len);
    if (at == NULL || *len > QN_ID_MAX)
        return qn_fail(error, QUERN_E_IO, "a temporary file in %s does not read back as written",
                       registry->spool.path);
    offset += (uint64_t)(at - head);
    *next = offset + *len;
    return qn_writer_read(&registry->spool, offset, id, *len, error);
}

static quern_status same_id(qn_registry *registry, uint32_t doc, const char *id, size_t len,
                            bool *same, quern_error *error)
{
    uint64_t offset = registry->offset[doc / STRIDE];
    char known[QN_ID_MAX];
    uint32_t known_len = 0;
    for (uint32_t i = 0; i <= doc % STRIDE; i++) {
        quern_status status = read_id(registry, offset, known, &known_len, &offset, error);
        if (status != QUERN_OK)
            return status;
    }
    *same = known_len == len && memcmp(known, id, len) == 0;
    return QUERN_OK;
}

quern_status qn_registry_find(qn_registry *registry, const char *id, size_t len, uint32_t *doc,
                              quern_error *error)
{
    uint64_t hash = qn_checksum(id, len);
    uint32_t tag = (uint32_t)(hash >> 32);
    size_t mask = registry->slot_cap - 1;
    for (size_t at = hash & mask; registry->slot[at].doc != 0; at = (at + 1) & mask) {
        uint32_t candidate = registry->slot[at].doc - 1;
        if (registry->slot[at].tag != tag || qn_registry_is_dropped(registry, candidate))
            continue;
        bool same;
        quern_status status = same_id(registry, candidate, id, len, &same, error);
        if (status != QUERN_OK)
            return status;
        if (same) {
            *doc = candidate;
            return QUERN_OK;
        }
    }
    return QUERN_NOT_FOUND;
}

/* Doubles the table. The low bits of the hash are not kept, so the ids are read again: once per
 * doubling, in order. */
static quern_status grow_slots(qn_registry *registry, quern_error *error)
{
    size_t cap = registry->slot_cap * 2;
    id_slot *grown = calloc(cap, sizeof *grown);
    if (grown == NULL)
        return qn_fail_memory(error);
    qn_registry_cursor cursor = {0};
    quern_span id;
    quern_status status;
    while ((status = qn_registry_next(registry, &cursor, &id, error)) == QUERN_OK) {
        uint64_t hash = qn_checksum(id.data, id.len);
        size_t at = hash & (cap - 1);
        while (grown[at].doc != 0)
            at = (at + 1) & (cap - 1);
        grown[at] = (id_slot){(uint32_t)(hash >> 32), cursor.doc};
    }
    qn_buffer_free(&cursor.chunk);
    if (status != QUERN_END) {
        free(grown);
        return status;
    }
    free(registry->slot);
    registry->slot = grown;
    registry->slot_cap = cap;
    return QUERN_OK;
}

/* Notes the file if it is another than the last document's. */
static bool note_origin(qn_registry *registry, const char *file)
{
    if (registry->n_origins > 0) {
        const char *last = registry->origin[registry->n_origins - 1].file;
        if (last == file || (last != NULL && file != NULL && strcmp(last, file) == 0))
            return true;
    } else if (file == NULL) {
        return true;
    }
    void *array = registry->origin;
    if (!qn_array_grow(&array, &registry->origin_cap, registry->n_origins + 1, sizeof(origin)))
        return false;
    registry->origin = array;
    char *copy = file == NULL ? NULL : strdup(file);
    if (file != NULL && copy == NULL)
        return false;
    registry->origin[registry->n_origins++] = (origin){registry->n_docs, copy};
    return true;
}

static quern_status note_place(qn_registry *registry, const qn_place *place, quern_error *error)
{
    void *array = registry->line;
    bool ok =
        qn_array_grow(&array, &registry->line_cap, (size_t)registry->n_docs + 1, sizeof(uint32_t));
    registry->line = array;
    if (!ok || !note_origin(registry, place == NULL ? NULL : place->file))
        return qn_fail_memory(error);
    uint64_t line = place == NULL ? 0 : place->line;
    registry->line[registry->n_docs] = line > UINT32_MAX ? 0 : (uint32_t)line;
    return QUERN_OK;
}

quern_status qn_registry_add(qn_registry *registry, const char *id, size_t len,
                             const qn_place *place, quern_error *error)
{
    if (registry->n_docs >= QN_DOCS_MAX)
        return qn_fail(error, QUERN_E_ARGUMENT, "a segment holds at most %u documents",
                       QN_DOCS_MAX);
    quern_status status = note_place(registry, place, error);
    if (status != QUERN_OK)
        return status;
    if (registry->n_docs % STRIDE == 0) {
        void *array = registry->offset;
        size_t at = registry->n_docs / STRIDE;
        if (!qn_array_grow(&array, &registry->offset_cap, at + 1, sizeof(uint64_t)))
            return qn_fail_memory(error);
        registry->offset = array;
        registry->offset[at] = registry->spool.offset;
    }
    uint8_t head[QN_VARINT64_MAX];
    status = qn_writer_put(&registry->spool, head, qn_varint_put(head, len), error);
    if (status == QUERN_OK)
        status = qn_writer_put(&registry->spool, id, len, error);
    if (status != QUERN_OK)
        return status;
    uint64_t hash = qn_checksum(id, len);
    size_t mask = registry->slot_cap - 1;
    size_t at = hash & mask;
    while (registry->slot[at].doc != 0)
        at = (at + 1) & mask;
    registry->slot[at] = (id_slot){(uint32_t)(hash >> 32), ++registry->n_docs};
    return (size_t)registry->n_docs * 4 > registry->slot_cap * 3 ? grow_slots(registry, error)
                                                                 : QUERN_OK;
}

quern_status qn_registry_drop(qn_registry *registry, uint32_t doc, quern_error *error)
{
    size_t words = (size_t)doc / 32 + 1, before = registry->dropped_cap;
    void *array = registry->dropped;
    if (!qn_array_grow(&array, &registry->dropped_cap, words, sizeof(uint32_t)))
        return qn_fail_memory(error);
    registry->dropped = array;
    memset(registry->dropped + before, 0,
           (registry->dropped_cap - before) * sizeof *registry->dropped);
    registry->dropped[doc / 32] |= (uint32_t)1 << (doc % 32);
    registry->n_dropped++;
    return QUERN_OK;
}

void qn_registry_place(const qn_registry *registry, uint32_t doc, char *out, size_t len)
{
    const char *file = NULL;
    for (size_t i = registry->n_origins; i-- > 0;) {
        if (registry->origin[i].first_doc <= doc) {
            file = registry->origin[i].file;
            break;
        }
    }
    uint32_t line = registry->line[doc];
    if (file == NULL)
        (void)snprintf(out, len, "document %lu", (unsigned long)doc + 1);
    else if (line == 0)
        (void)snprintf(out, len, "%s", file);
    else
        (void)snprintf(out, len, "%s:%lu", file, (unsigned long)line);
}

/* Moves what is left of the chunk to its front and fills it up from the spool. */
static quern_status refill(qn_registry *registry, qn_registry_cursor *cursor, quern_error *error)
{
    qn_buffer *chunk = &cursor->chunk;
    if (!qn_buffer_reserve(chunk, chunk->len == 0 ? CHUNK : 0))
        return qn_fail_memory(error);
    size_t left = chunk->len - cursor->at;
    memmove(chunk->data, chunk->data + cursor->at, left);
    uint64_t rest = registry->spool.offset - cursor->offset;
    size_t part = rest < CHUNK - left ? (size_t)rest : CHUNK - left;
    quern_status status =
        qn_writer_read(&registry->spool, cursor->offset, chunk->data + left, part, error);
    cursor->offset += part;
    cursor->at = 0;
    chunk->len = left + part;
    return status;
}

quern_status qn_registry_next(qn_registry *registry, qn_registry_cursor *cursor, quern_span *id,
                              quern_error *error)
{
    qn_buffer *chunk = &cursor->chunk;
    if (chunk->len - cursor->at < QN_ID_MAX + QN_VARINT32_MAX &&
        cursor->offset < registry->spool.offset) {
        quern_status status = refill(registry, cursor, error);
        if (status != QUERN_OK)
            return status;
    }
    if (cursor->at == chunk->len)
        return QUERN_END;
    const uint8_t *end = chunk->data + chunk->len;
    uint32_t len;
    const uint8_t *at = qn_varint_get32(chunk->data + cursor->at, end, &len);
    if (at == NULL || len > (size_t)(end - at))
        return qn_fail(error, QUERN_E_IO, "a temporary file in %s does not read back as written",
                       registry->spool.path);
    *id = (quern_span){(const char *)at, len};
    cursor->at = (size_t)(at - chunk->data) + len;
    cursor->doc++;
    return QUERN_OK;
}
