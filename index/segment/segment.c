/* Opening a segment: its files, sections and numbers, each held against the others. */
#include "index/segment/segment.h"

#include "index/base/status.h"
#include "index/codec/bitpack.h"
#include "index/segment/deletes.h"

#include <stdio.h>

/*
 * A code costs four bits a posting where a stream of tf takes about two, range maxima cost n_docs /
 * 128 bytes a term, and a bitmap n_docs / 8 in place of gaps. FORMAT.md, "Coded lists", has what
 * each border costs and gains.
 */
void qn_segment_borders(quern_tune tune, uint32_t n_docs, uint32_t *coded_df, uint32_t *dense_df)
{
    static const struct {
        uint32_t coded, dense; /* shares of the documents: one in so many */
    } border[] = {[QUERN_TUNE_BALANCED] = {64, 16},
                  [QUERN_TUNE_SIZE] = {10, 8},
                  [QUERN_TUNE_SPEED] = {64, 32}};
    uint32_t coded = n_docs / border[tune].coded, dense = n_docs / border[tune].dense;
    *coded_df = coded < QN_BLOCK ? QN_BLOCK + 1 : coded + 1;
    *dense_df = dense < QN_BLOCK ? QN_BLOCK + 1 : dense + 1;
}

/* Finds the lengths of each field, which follow one another. */
static quern_status open_lengths(qn_segment *segment, quern_error *error)
{
    const qn_segment_meta *meta = &segment->meta;
    unsigned n = qn_fields_count(&meta->fields);
    qn_section lengths = segment->index.section[QN_SECTION_LENGTHS];
    qn_section exact = segment->index.section[QN_SECTION_EXACT_LENGTHS];
    uint64_t exact_len = 0, n_tokens = 0;
    for (unsigned i = 0; i < n; i++) {
        exact_len += qn_bitpack_bytes(meta->n_docs, meta->counts[i].exact_width);
        if (meta->counts[i].n_tokens > meta->n_tokens - n_tokens)
            return qn_container_damaged(&segment->index, "FIELDS has more tokens than META", error);
        n_tokens += meta->counts[i].n_tokens;
    }
    if (n_tokens != meta->n_tokens)
        return qn_container_damaged(&segment->index, "FIELDS has fewer tokens than META", error);
    if (lengths.data == NULL || lengths.len != (uint64_t)meta->n_docs * n)
        return qn_container_damaged(&segment->index, "LENGTHS is missing or of the wrong size",
                                    error);
    if (exact.data == NULL || exact.len != exact_len)
        return qn_container_damaged(&segment->index,
                                    "EXACT_LENGTHS is missing or of the wrong size", error);
    for (unsigned i = 0; i < n; i++) {
        segment->lengths[i] = lengths.data + (size_t)meta->n_docs * i;
        segment->exact[i] = exact.data;
        exact.data += qn_bitpack_bytes(meta->n_docs, meta->counts[i].exact_width);
    }
    return QUERN_OK;
}

/* Everything behind the two containers, which are open. */
static quern_status open_parts(qn_segment *segment, quern_error *error)
{
    const qn_container *index = &segment->index;
    quern_status status = qn_meta_read(&segment->meta, index, error);
    if (status != QUERN_OK)
        return status;
    const qn_segment_meta *meta = &segment->meta;
    segment->kernels = qn_block_kernels_for(qn_cpu_detect());
    segment->n_windows = qn_segment_windows(meta->n_docs);
    status = open_lengths(segment, error);
    if (status == QUERN_OK)
        status = qn_ordinals_open(&segment->ordinals, index, meta->n_docs, error);
    if (status != QUERN_OK)
        return status;
    segment->postings = index->section[QN_SECTION_POSTINGS];
    segment->positions = index->section[QN_SECTION_POSITIONS];
    segment->bounds = index->section[QN_SECTION_BOUNDS];
    if (segment->postings.data == NULL || segment->bounds.data == NULL ||
        (segment->positions.data != NULL) != meta->positions)
        return qn_container_damaged(&segment->index, "a section of postings is missing", error);
    if (!qn_in_range(meta->tf_bytes, meta->bounds_bytes, segment->postings.len) ||
        meta->codes_bytes > meta->tf_bytes ||
        meta->bitmap_bytes > segment->postings.len - meta->tf_bytes - meta->bounds_bytes)
        return qn_container_damaged(&segment->index, "META speaks of more postings than there are",
                                    error);
    status = qn_dict_open(&segment->dict, index, meta->n_terms, meta->n_docs, meta->positions,
                          meta->coded_df, error);
    segment->dict.n_fields = meta->fields.n;
    if (status == QUERN_OK)
        status = qn_ids_open(&segment->ids, index, meta->n_docs, error);
    if (status == QUERN_OK && meta->stored)
        status = qn_docs_open(&segment->docs, &segment->store, meta->n_docs, error);
    return status;
}

static quern_status open_files(qn_segment *segment, int dirfd, const qn_manifest_segment *entry,
                               const quern_open_options *options, quern_error *error)
{
    char name[QN_SEGMENT_NAME_MAX + 8];
    (void)snprintf(name, sizeof name, "%s.qx", entry->name);
    quern_status status = qn_container_open(&segment->index, dirfd, name, QN_FILE_INDEX,
                                            options->no_mmap, options->paranoid, error);
    if (status != QUERN_OK)
        return status;
    if (segment->index.mapping.len != entry->index_len ||
        segment->index.header_checksum != entry->index_checksum)
        return qn_container_damaged(&segment->index, "is not the file that the manifest names",
                                    error);
    if (entry->store_len == 0)
        return QUERN_OK;
    (void)snprintf(name, sizeof name, "%s.qs", entry->name);
    status = qn_container_open(&segment->store, dirfd, name, QN_FILE_STORE, options->no_mmap,
                               options->paranoid, error);
    if (status != QUERN_OK)
        return status;
    if (segment->store.mapping.len != entry->store_len ||
        segment->store.header_checksum != entry->store_checksum)
        return qn_container_damaged(&segment->store, "is not the file that the manifest names",
                                    error);
    return QUERN_OK;
}

static quern_status take_deletes(qn_segment *segment, quern_error *error)
{
    segment->deleted = qn_deletes_words(&segment->deletes, false);
    segment->gone = qn_deletes_words(&segment->deletes, true);
    if (segment->gone == NULL && segment->ordinals == NULL)
        segment->gone = segment->deleted;
    else if (segment->gone == NULL || segment->ordinals == NULL)
        return qn_container_damaged(&segment->deletes, "has deletions in another order", error);
    return QUERN_OK;
}

quern_status qn_segment_open(qn_segment *out, int dirfd, const qn_manifest_segment *entry,
                             const quern_open_options *options, quern_error *error)
{
    *out = (qn_segment){0};
    quern_status status = open_files(out, dirfd, entry, options, error);
    if (status == QUERN_OK)
        status = open_parts(out, error);
    if (status == QUERN_OK &&
        (out->meta.n_docs != entry->documents || out->meta.n_tokens != entry->tokens))
        status =
            qn_container_damaged(&out->index, "holds other counts than the manifest says", error);
    if (status == QUERN_OK && out->meta.stored != (entry->store_len > 0))
        status =
            qn_container_damaged(&out->index, "its store file is missing from the manifest", error);
    if (status == QUERN_OK && entry->deleted > 0) {
        status = qn_deletes_open(&out->deletes, dirfd, entry, options, error);
        if (status == QUERN_OK)
            status = take_deletes(out, error);
        out->n_deleted = (uint32_t)entry->deleted;
    }
    if (status != QUERN_OK)
        qn_segment_close(out);
    return status;
}

quern_status qn_segment_open_bytes(qn_segment *out, const uint8_t *index, size_t index_len,
                                   const uint8_t *store, size_t store_len, bool paranoid,
                                   quern_error *error)
{
    *out = (qn_segment){0};
    quern_status status = qn_container_open_bytes(&out->index, index, index_len, "index",
                                                  QN_FILE_INDEX, paranoid, error);
    if (status == QUERN_OK && store != NULL)
        status = qn_container_open_bytes(&out->store, store, store_len, "store", QN_FILE_STORE,
                                         paranoid, error);
    if (status == QUERN_OK)
        status = open_parts(out, error);
    if (status == QUERN_OK && out->meta.stored && store == NULL)
        status = qn_container_damaged(&out->index, "its store is missing", error);
    if (status != QUERN_OK)
        qn_segment_close(out);
    return status;
}

void qn_segment_sweep(qn_segment *segment)
{
    qn_container_sweep(&segment->index);
    qn_container_sweep(&segment->store);
}

void qn_segment_close(qn_segment *segment)
{
    qn_container_close(&segment->index);
    qn_container_close(&segment->store);
    qn_container_close(&segment->deletes);
    *segment = (qn_segment){0};
}

quern_status qn_segment_exact_length(const qn_segment *segment, unsigned field, uint32_t ordinal,
                                     uint32_t *length, quern_error *error)
{
    uint32_t width = segment->meta.counts[field].exact_width;
    uint64_t bit = (uint64_t)ordinal * width;
    const uint8_t *at = segment->exact[field] + bit / 8;
    quern_status status = qn_container_touch(&segment->index, at, 8, error);
    if (status != QUERN_OK)
        return status;
    *length = qn_bitpack_get(segment->exact[field], ordinal, width);
    return QUERN_OK;
}

quern_status qn_segment_touch_lengths(const qn_segment *segment, quern_error *error)
{
    qn_section lengths = segment->index.section[QN_SECTION_LENGTHS];
    qn_section ordinals = segment->index.section[QN_SECTION_ORDINALS];
    quern_status status = qn_container_touch(&segment->index, lengths.data, lengths.len, error);
    return status == QUERN_OK && segment->ordinals != NULL
               ? qn_container_touch(&segment->index, ordinals.data, ordinals.len, error)
               : status;
}

void qn_segment_bytes(const qn_segment *segment, quern_bytes *bytes)
{
    const qn_section *section = segment->index.section;
    const qn_segment_meta *meta = &segment->meta;
    uint64_t index_len = segment->index.mapping.len, store_len = segment->store.mapping.len,
             deletes_len = segment->deletes.mapping.len;
    uint64_t before = bytes->dictionary + bytes->docids + bytes->tf + bytes->positions +
                      bytes->bounds + bytes->lengths + bytes->ids;
    bytes->dictionary += section[QN_SECTION_DICT].len + section[QN_SECTION_DICT_INDEX].len;
    /* What POSTINGS holds beside tf and bounds are docids and the tables by which blocks of docids
     * are found. */
    bytes->docids += segment->postings.len - meta->tf_bytes - meta->bounds_bytes;
    bytes->tf += meta->tf_bytes;
    bytes->positions += segment->positions.len;
    bytes->codes += meta->codes_bytes;
    bytes->bitmaps += meta->bitmap_bytes;
    bytes->bounds += segment->bounds.len + meta->bounds_bytes;
    bytes->lengths += section[QN_SECTION_LENGTHS].len + section[QN_SECTION_EXACT_LENGTHS].len;
    bytes->ordinals += section[QN_SECTION_ORDINALS].len;
    bytes->ids += section[QN_SECTION_IDS].len + section[QN_SECTION_ID_LOOKUP].len;
    bytes->store += store_len;
    uint64_t after = bytes->dictionary + bytes->docids + bytes->tf + bytes->positions +
                     bytes->bounds + bytes->lengths + bytes->ids;
    bytes->other += index_len - (after - before) + deletes_len;
    bytes->total += index_len + store_len + deletes_len;
}
