/* Ids seen during a build: see registry.h. */
#include "index/build/registry.h"

#include "index/base/checksum.h"
#include "index/base/status.h"
#include "index/base/zeros.h"
#include "index/codec/varint.h"
#include "index/segment/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Meant where the mark is not 0. */
typedef struct qn_id_slot {
    uint32_t tag; /* the high bits of the hash, the highest of which lead to the slot */
    uint32_t doc;
} id_slot;

typedef struct qn_origin {
    uint32_t first_doc;
    char *file; /* NULL: added without a place */
} origin;

enum {
    STRIDE = 32,
    FIRST_CAP = 1 << 12,
    SPOOL_BUFFER = 256 * 1024,
    CHUNK = 64 * 1024,
    SORTER_BYTES = 8 << 20,
    SLOTS_MAX = 1 << 30
};

quern_status qn_registry_init(qn_registry *registry, size_t limit, int dirfd, const char *path,
                              quern_error *error)
{
    *registry = (qn_registry){.slot_cap = FIRST_CAP, .slot_most = FIRST_CAP, .dirfd = dirfd};
    while (2 * registry->slot_most * sizeof(id_slot) <= limit && registry->slot_most < SLOTS_MAX)
        registry->slot_most *= 2;
    registry->slot = malloc(FIRST_CAP * sizeof(id_slot));
    registry->mark = qn_zeros(FIRST_CAP, 1);
    if (registry->slot == NULL || registry->mark == NULL)
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
    free(registry->mark);
    free(registry->dropped);
    qn_sorter_free(&registry->hashes);
    qn_buffer_free(&registry->reader.chunk);
    qn_writer_close(&registry->spool);
    *registry = (qn_registry){0};
}

size_t qn_registry_bytes(const qn_registry *registry)
{
    return registry->slot_cap * (sizeof(id_slot) + 1) + registry->offset_cap * sizeof(uint64_t) +
           registry->dropped_cap * sizeof(uint32_t) + registry->reader.chunk.cap +
           qn_sorter_bytes(&registry->hashes);
}

bool qn_registry_is_dropped(const qn_registry *registry, uint32_t doc)
{
    return doc / 32 < registry->dropped_cap && (registry->dropped[doc / 32] >> (doc % 32) & 1) != 0;
}

/* Reads the id of a document, and its line: both in registry->reader, until the next call. */
static quern_status read_id(qn_registry *registry, uint32_t doc, quern_span *id, quern_error *error)
{
    qn_registry_cursor *reader = &registry->reader;
    uint32_t first = doc - doc % STRIDE;
    reader->offset = registry->offset[doc / STRIDE];
    reader->at = reader->chunk.len = 0;
    reader->doc = first;
    for (uint32_t i = first; i <= doc; i++) {
        quern_status status = qn_registry_next(registry, reader, id, error);
        if (status != QUERN_OK)
            return status;
    }
    return QUERN_OK;
}

static quern_status same_id(qn_registry *registry, uint32_t doc, const char *id, size_t len,
                            bool *same, quern_error *error)
{
    quern_span known = {0};
    quern_status status = read_id(registry, doc, &known, error);
    *same = status == QUERN_OK && known.len == len && memcmp(known.data, id, len) == 0;
    return status;
}

/* Marks stand in caches when slots do not: most ids are new, and of those no slot is looked at. */
static inline uint8_t mark_of(uint32_t tag)
{
    return (uint8_t)(tag | 0x80);
}

void qn_registry_fetch(const qn_registry *registry, const char *id, size_t len)
{
    size_t at = qn_checksum_slot((uint32_t)(qn_checksum(id, len) >> 32), registry->slot_cap);
    __builtin_prefetch(&registry->mark[at], 1);
}

quern_status qn_registry_find(qn_registry *registry, const char *id, size_t len, uint32_t *doc,
                              quern_error *error)
{
    uint32_t tag = (uint32_t)(qn_checksum(id, len) >> 32);
    const uint8_t *mark = registry->mark, sought = mark_of(tag);
    size_t cap = registry->slot_cap;
    size_t at = qn_checksum_slot(tag, cap);
    /* The id will be added, mostly: a slot that had to be waited for then would hold up all that is
     * written after it. */
    __builtin_prefetch(&registry->slot[at], 1);
    for (; mark[at] != 0; at = (at + 1) & (cap - 1)) {
        if (mark[at] != sought || registry->slot[at].tag != tag)
            continue;
        uint32_t candidate = registry->slot[at].doc;
        if (qn_registry_is_dropped(registry, candidate))
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

quern_status qn_registry_find_any(qn_registry *registry, const char *id, size_t len, uint32_t *doc,
                                  quern_error *error)
{
    quern_status status = qn_registry_find(registry, id, len, doc, error);
    if (status != QUERN_NOT_FOUND || registry->window_first == 0)
        return status;
    qn_registry_cursor cursor = {0};
    quern_span known;
    bool found = false;
    status = QUERN_OK;
    while (status == QUERN_OK && !found && cursor.doc < registry->window_first) {
        status = qn_registry_next(registry, &cursor, &known, error);
        found = status == QUERN_OK && known.len == len && memcmp(known.data, id, len) == 0 &&
                !qn_registry_is_dropped(registry, cursor.doc - 1);
    }
    *doc = found ? cursor.doc - 1 : *doc;
    qn_buffer_free(&cursor.chunk);
    return status == QUERN_OK && !found ? QUERN_NOT_FOUND : status;
}

/* ---- windows ---- */

static void put_slot(id_slot *slot, uint8_t *mark, size_t cap, id_slot put)
{
    size_t at = qn_checksum_slot(put.tag, cap);
    while (mark[at] != 0)
        at = (at + 1) & (cap - 1);
    mark[at] = mark_of(put.tag);
    slot[at] = put;
}

/* A slot behind an empty one, of which there is one at least: from there on, documents with equal
 * tags come in their order. */
static size_t after_gap(const qn_registry *registry)
{
    size_t at = 0;
    while (registry->mark[at] != 0)
        at++;
    return at + 1;
}

/* Doubles the table. As tags tell where slots are, no id is read. */
static bool grow_slots(qn_registry *registry)
{
    size_t cap = registry->slot_cap * 2;
    id_slot *slot = malloc(cap * sizeof *slot);
    uint8_t *mark = qn_zeros(cap, 1);
    if (slot == NULL || mark == NULL) {
        free(slot);
        free(mark);
        return false;
    }
    size_t first = after_gap(registry);
    for (size_t i = 0; i < registry->slot_cap; i++) {
        size_t at = (first + i) & (registry->slot_cap - 1);
        if (registry->mark[at] != 0)
            put_slot(slot, mark, cap, registry->slot[at]);
    }
    free(registry->slot);
    free(registry->mark);
    registry->slot = slot;
    registry->mark = mark;
    registry->slot_cap = cap;
    return true;
}

/* Takes the tags of the window's documents to those that are sorted. */
static quern_status keep_tags(qn_registry *registry, quern_error *error)
{
    quern_status status = QUERN_OK;
    size_t first = after_gap(registry);
    for (size_t i = 0; status == QUERN_OK && i < registry->slot_cap; i++) {
        size_t at = (first + i) & (registry->slot_cap - 1);
        id_slot slot = registry->slot[at];
        if (registry->mark[at] != 0)
            status = qn_sorter_add(&registry->hashes, slot.tag, slot.doc, error);
    }
    return status;
}

/* Keeps the hashes of the window's documents, and begins the next one. */
static quern_status end_window(qn_registry *registry, quern_error *error)
{
    quern_status status = QUERN_OK;
    if (registry->window_first == 0)
        status = qn_sorter_init(&registry->hashes, SORTER_BYTES, registry->dirfd,
                                registry->spool.path, error);
    if (status == QUERN_OK)
        status = keep_tags(registry, error);
    if (status != QUERN_OK)
        return status;
    memset(registry->mark, 0, registry->slot_cap);
    registry->window_first = registry->n_docs;
    return QUERN_OK;
}

/* ---- adding ---- */

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

quern_status qn_registry_add(qn_registry *registry, const char *id, size_t len,
                             const qn_place *place, quern_error *error)
{
    if (registry->n_docs >= QN_DOCS_MAX)
        return qn_fail(error, QUERN_E_ARGUMENT, "a segment holds at most %u documents",
                       QN_DOCS_MAX);
    if (!note_origin(registry, place == NULL ? NULL : place->file))
        return qn_fail_memory(error);
    if (registry->n_docs % STRIDE == 0) {
        void *array = registry->offset;
        size_t at = registry->n_docs / STRIDE;
        if (!qn_array_grow(&array, &registry->offset_cap, at + 1, sizeof(uint64_t)))
            return qn_fail_memory(error);
        registry->offset = array;
        registry->offset[at] = registry->spool.offset;
    }
    uint8_t head[2 * QN_VARINT64_MAX];
    uint64_t line = place == NULL || place->line > UINT32_MAX ? 0 : place->line;
    size_t head_len = qn_varint_put(head, len);
    head_len += qn_varint_put(head + head_len, line);
    quern_status status = qn_writer_put(&registry->spool, head, head_len, error);
    if (status == QUERN_OK)
        status = qn_writer_put(&registry->spool, id, len, error);
    if (status != QUERN_OK)
        return status;
    put_slot(registry->slot, registry->mark, registry->slot_cap,
             (id_slot){(uint32_t)(qn_checksum(id, len) >> 32), registry->n_docs++});
    if ((size_t)(registry->n_docs - registry->window_first) * 4 <= registry->slot_cap * 3)
        return QUERN_OK;
    if (registry->slot_cap >= registry->slot_most)
        return end_window(registry, error);
    return grow_slots(registry) ? QUERN_OK : qn_fail_memory(error);
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

quern_status qn_registry_place(qn_registry *registry, uint32_t doc, char *out, size_t len,
                               quern_error *error)
{
    const char *file = NULL;
    for (size_t i = registry->n_origins; i-- > 0;) {
        if (registry->origin[i].first_doc <= doc) {
            file = registry->origin[i].file;
            break;
        }
    }
    quern_span id;
    quern_status status = read_id(registry, doc, &id, error);
    uint32_t line = registry->reader.line;
    if (file == NULL)
        (void)snprintf(out, len, "document %lu", (unsigned long)doc + 1);
    else if (line == 0)
        (void)snprintf(out, len, "%s", file);
    else
        (void)snprintf(out, len, "%s:%lu", file, (unsigned long)line);
    return status;
}

/* ---- equal ids of different windows ---- */

/* A distinct id among documents of equal hashes. */
typedef struct distinct {
    char *id;
    size_t len;
    uint32_t doc; /* that has it and is not dropped */
} distinct;

typedef struct group {
    distinct *one;
    size_t n, cap;
} group;

static void empty_group(group *g)
{
    for (size_t i = 0; i < g->n; i++)
        free(g->one[i].id);
    g->n = 0;
}

static bool add_distinct(group *g, quern_span id, uint32_t doc)
{
    void *array = g->one;
    bool ok = qn_array_grow(&array, &g->cap, g->n + 1, sizeof *g->one);
    g->one = array;
    char *copy = ok ? malloc(id.len + 1) : NULL;
    if (copy == NULL)
        return false;
    memcpy(copy, id.data, id.len);
    g->one[g->n++] = (distinct){copy, id.len, doc};
    return true;
}

static quern_status fail_duplicate(qn_registry *registry, const distinct *first, uint32_t doc,
                                   quern_error *error)
{
    char before[256], here[256];
    quern_status status = qn_registry_place(registry, first->doc, before, sizeof before, error);
    if (status == QUERN_OK)
        status = qn_registry_place(registry, doc, here, sizeof here, error);
    return status == QUERN_OK
               ? qn_fail(error, QUERN_E_DUPLICATE, "%s: the id \"%.*s\" was given before, at %s",
                         here, (int)(first->len > 200 ? 200 : first->len), first->id, before)
               : status;
}

/* Another document of the group's hash. */
static quern_status settle_one(qn_registry *registry, group *g, uint32_t doc,
                               quern_on_duplicate rule, uint64_t *n, quern_error *error)
{
    quern_span id;
    quern_status status = read_id(registry, doc, &id, error);
    if (status != QUERN_OK)
        return status;
    size_t i = 0;
    while (i < g->n && (g->one[i].len != id.len || memcmp(g->one[i].id, id.data, id.len) != 0))
        i++;
    if (i == g->n)
        return add_distinct(g, id, doc) ? QUERN_OK : qn_fail_memory(error);
    if (rule == QUERN_DUPLICATE_ERROR)
        return fail_duplicate(registry, &g->one[i], doc, error);
    ++*n;
    uint32_t gone = rule == QUERN_DUPLICATE_SKIP ? doc : g->one[i].doc;
    g->one[i].doc = rule == QUERN_DUPLICATE_SKIP ? g->one[i].doc : doc;
    return qn_registry_drop(registry, gone, error);
}

/* Documents come by hash, those of one hash ascending. */
static quern_status settle_all(qn_registry *registry, group *g, quern_on_duplicate rule,
                               uint64_t *n, quern_error *error)
{
    qn_sorter_pair before = {0, UINT32_MAX}, pair;
    quern_status status = qn_sorter_start(&registry->hashes, error);
    while (status == QUERN_OK &&
           (status = qn_sorter_next(&registry->hashes, &pair, error)) == QUERN_OK) {
        if (qn_registry_is_dropped(registry, pair.value))
            continue;
        bool first = before.value == UINT32_MAX || before.key != pair.key;
        if (first)
            empty_group(g);
        else if (g->n == 0) /* ids are read only where there are two */
            status = settle_one(registry, g, before.value, rule, n, error);
        if (!first && status == QUERN_OK)
            status = settle_one(registry, g, pair.value, rule, n, error);
        before = pair;
    }
    return status == QUERN_END ? QUERN_OK : status;
}

quern_status qn_registry_settle(qn_registry *registry, quern_on_duplicate rule, uint64_t *n,
                                quern_error *error)
{
    if (registry->window_first == 0)
        return QUERN_OK;
    group g = {0};
    quern_status status = end_window(registry, error);
    if (status == QUERN_OK)
        status = settle_all(registry, &g, rule, n, error);
    empty_group(&g);
    free(g.one);
    return status;
}

/* ---- reading ---- */

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
    if (chunk->len - cursor->at < QN_ID_MAX + 2 * QN_VARINT32_MAX &&
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
    if (at != NULL)
        at = qn_varint_get32(at, end, &cursor->line);
    if (at == NULL || len > (size_t)(end - at))
        return qn_fail(error, QUERN_E_IO, "a temporary file in %s does not read back as written",
                       registry->spool.path);
    *id = (quern_span){(const char *)at, len};
    cursor->at = (size_t)(at - chunk->data) + len;
    cursor->doc++;
    return QUERN_OK;
}
