/* Documents that are there: see old.h. */
#include "index/build/old.h"

#include "index/base/status.h"
#include "index/segment/deletes.h"

#include <stdlib.h>
#include <string.h>

/* Pages of ids and texts are let go of after so many finds: they are no part of what the memory
 * limit allows for. */
enum { FORGET_EVERY = 1 << 14 };

quern_status qn_old_open(qn_old *old, const qn_directory *directory, quern_error *error)
{
    const qn_manifest *manifest = &directory->manifest;
    quern_open_options options = QUERN_OPEN_OPTIONS;
    old->one = calloc(manifest->n_segments + 1, sizeof *old->one);
    if (old->one == NULL)
        return qn_fail_memory(error);
    for (; old->n < manifest->n_segments; old->n++) {
        qn_old_segment *one = &old->one[old->n];
        quern_status status = qn_segment_open(&one->segment, directory->dirfd,
                                              &manifest->segment[old->n], &options, error);
        if (status != QUERN_OK)
            return status;
        one->n_deleted = one->segment.n_deleted;
    }
    return QUERN_OK;
}

void qn_old_free(qn_old *old)
{
    for (size_t i = 0; i < old->n; i++) {
        qn_segment_close(&old->one[i].segment);
        free(old->one[i].deleted);
        free(old->one[i].seen);
    }
    free(old->one);
    qn_docs_reader_free(&old->reader);
    *old = (qn_old){0};
}

size_t qn_old_bytes(const qn_old *old)
{
    size_t bytes = old->reader.raw.cap;
    for (size_t i = 0; i < old->n; i++) {
        size_t set = qn_deletes_bytes(old->one[i].segment.meta.n_docs);
        bytes += (old->one[i].deleted != NULL ? set : 0) + (old->one[i].seen != NULL ? set : 0);
    }
    return bytes;
}

/* ---- sets ---- */

static bool has(const uint64_t *set, uint32_t doc)
{
    return set != NULL && (set[doc / 64] >> doc % 64 & 1) != 0;
}

static bool make_set(uint64_t **set, const qn_segment *segment)
{
    if (*set == NULL)
        *set = calloc(qn_deletes_bytes(segment->meta.n_docs) + 1, 1);
    return *set != NULL;
}

/* Makes `deleted` of what was deleted before. */
static bool make_deleted(qn_old_segment *one)
{
    if (one->deleted != NULL)
        return true;
    if (!make_set(&one->deleted, &one->segment))
        return false;
    if (one->segment.gone != NULL)
        memcpy(one->deleted, one->segment.gone, qn_deletes_bytes(one->segment.meta.n_docs));
    return true;
}

static bool is_gone(const qn_old_segment *one, uint32_t doc)
{
    return one->deleted != NULL ? has(one->deleted, doc) : qn_segment_is_gone(&one->segment, doc);
}

/* ---- documents ---- */

static void forget(const qn_old *old)
{
    for (size_t i = 0; i < old->n; i++) {
        qn_container_forget(&old->one[i].segment.index);
        qn_container_forget(&old->one[i].segment.store);
    }
}

quern_status qn_old_find(qn_old *old, const char *id, size_t len, qn_old_place *place,
                         quern_error *error)
{
    if (++old->n_finds % FORGET_EVERY == 0)
        forget(old);
    for (size_t i = old->n; i-- > 0;) {
        uint32_t doc;
        quern_status status = qn_ids_find(&old->one[i].segment.ids, id, len, &doc, error);
        if (status == QUERN_NOT_FOUND || (status == QUERN_OK && is_gone(&old->one[i], doc)))
            continue;
        *place = (qn_old_place){i, doc};
        return status;
    }
    return QUERN_NOT_FOUND;
}

static bool same(quern_span a, quern_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

quern_status qn_old_equals(qn_old *old, const qn_old_place *place, const quern_document *document,
                           bool *equal, quern_error *error)
{
    const qn_segment *segment = &old->one[place->segment].segment;
    quern_document kept = {0};
    *equal = false;
    if (!segment->meta.stored)
        return QUERN_OK;
    quern_status status = qn_docs_fetch(&segment->docs, &old->reader, place->doc, &kept, error);
    if (status != QUERN_OK)
        return status;
    *equal = same(kept.title, document->title) && same(kept.text, document->text) &&
             (!segment->meta.records || same(kept.record, document->record));
    return QUERN_OK;
}

quern_status qn_old_delete(qn_old *old, const qn_old_place *place, quern_error *error)
{
    qn_old_segment *one = &old->one[place->segment];
    if (!make_deleted(one))
        return qn_fail_memory(error);
    one->deleted[place->doc / 64] |= (uint64_t)1 << place->doc % 64;
    one->n_deleted++;
    return QUERN_OK;
}

quern_status qn_old_see(qn_old *old, const qn_old_place *place, quern_error *error)
{
    qn_old_segment *one = &old->one[place->segment];
    if (!make_set(&one->seen, &one->segment))
        return qn_fail_memory(error);
    one->seen[place->doc / 64] |= (uint64_t)1 << place->doc % 64;
    return QUERN_OK;
}

quern_status qn_old_prune(qn_old *old, uint64_t *n, quern_error *error)
{
    for (size_t i = 0; i < old->n; i++) {
        qn_old_segment *one = &old->one[i];
        for (uint32_t doc = 0; doc < one->segment.meta.n_docs; doc++) {
            if (has(one->seen, doc) || is_gone(one, doc))
                continue;
            quern_status status = qn_old_delete(old, &(qn_old_place){i, doc}, error);
            if (status != QUERN_OK)
                return status;
            ++*n;
        }
    }
    return QUERN_OK;
}

/* Writes the deletions of a segment. */
static quern_status write_one(const qn_old_segment *one, const qn_directory *directory,
                              qn_manifest_segment *entry, quern_error *error)
{
    const qn_segment *segment = &one->segment;
    qn_deletes deletes = {.words = one->deleted, .n = one->n_deleted};
    uint64_t *by_number = NULL;
    if (segment->ordinals != NULL) {
        if (!make_set(&by_number, segment))
            return qn_fail_memory(error);
        for (uint32_t doc = 0; doc < segment->meta.n_docs; doc++) {
            uint32_t ordinal = qn_segment_ordinal(segment, doc);
            if (ordinal < segment->meta.n_docs && has(one->deleted, ordinal))
                by_number[doc / 64] |= (uint64_t)1 << doc % 64;
        }
        deletes.words = by_number;
        deletes.by_ordinal = one->deleted;
    }
    quern_status status =
        qn_deletes_write(entry, &deletes, directory->dirfd, directory->path, error);
    free(by_number);
    return status;
}

quern_status qn_old_write(const qn_old *old, const qn_directory *directory, qn_manifest *next,
                          quern_error *error)
{
    for (size_t i = 0; i < old->n; i++) {
        const qn_old_segment *one = &old->one[i];
        if (one->n_deleted == one->segment.n_deleted)
            continue;
        quern_status status = write_one(one, directory, &next->segment[i], error);
        if (status != QUERN_OK)
            return status;
    }
    return QUERN_OK;
}
