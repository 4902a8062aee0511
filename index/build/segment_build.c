/* The sections of a segment's index file: see segment_build.h. */
#include "index/build/segment_build.h"

#include "index/base/status.h"
#include "index/codec/packer.h"
#include "index/segment/format.h"
#include "index/segment/lengths.h"
#include "index/segment/segment.h"

#include <stdlib.h>

quern_status qn_segment_build_open(qn_segment_build *build, int dirfd, const char *path,
                                   const char *name, quern_error *error)
{
    *build = (qn_segment_build){.dirfd = dirfd, .path = path};
    return qn_container_writer_open(&build->container, dirfd, name, path, QN_FILE_INDEX, error);
}

/* The next length of all, which go field by field within document by document. */
typedef struct length_walk {
    const qn_length_source *source;
    uint32_t n_docs, doc;
    unsigned n_fields, field;
} length_walk;

static quern_status start_walk(length_walk *walk, const qn_segment_build *build,
                               const qn_length_source *source, quern_error *error)
{
    *walk = (length_walk){.source = source,
                          .n_docs = build->meta.n_docs,
                          .n_fields = qn_fields_count(&build->meta.fields)};
    walk->field = walk->n_fields - 1;
    walk->doc = UINT32_MAX;
    return source->start(source->arg, error);
}

/* Steps to it: then walk->doc and walk->field tell whose it is. QUERN_END after the last. */
static quern_status next_length(length_walk *walk, uint32_t *length, quern_error *error)
{
    if (++walk->field == walk->n_fields) {
        walk->field = 0;
        if (++walk->doc == walk->n_docs)
            return QUERN_END;
    }
    return walk->source->next(walk->source->arg, length, error);
}

/* The exact lengths of one field. */
static quern_status put_exact(qn_segment_build *build, const qn_length_source *source,
                              unsigned field, quern_error *error)
{
    length_walk walk;
    uint32_t length;
    qn_packer packer = {.to = &build->container.file};
    quern_status status = start_walk(&walk, build, source, error);
    while (status == QUERN_OK) {
        status = next_length(&walk, &length, error);
        if (status == QUERN_OK && walk.field == field)
            status = qn_packer_put(&packer, length, build->meta.counts[field].exact_width, error);
    }
    return status == QUERN_END ? qn_packer_end(&packer, error) : status;
}

/* Fills codes and counts. */
static quern_status take_lengths(qn_segment_build *build, const qn_length_source *source,
                                 quern_error *error)
{
    qn_segment_meta *meta = &build->meta;
    uint32_t most[QN_FIELDS_MAX] = {0}, length;
    length_walk walk;
    quern_status status = start_walk(&walk, build, source, error);
    while (status == QUERN_OK) {
        status = next_length(&walk, &length, error);
        if (status != QUERN_OK)
            break;
        build->codes[(size_t)walk.field * meta->n_docs + walk.doc] = qn_length_encode(length);
        meta->counts[walk.field].n_tokens += length;
        most[walk.field] = length > most[walk.field] ? length : most[walk.field];
    }
    if (status != QUERN_END)
        return status;
    for (unsigned i = 0; i < walk.n_fields; i++) {
        qn_field_counts *counts = &meta->counts[i];
        counts->exact_width = most[i] == 0 ? 0 : 32 - (unsigned)__builtin_clz(most[i]);
        counts->average = meta->n_docs == 0 ? 0 : (double)counts->n_tokens / (double)meta->n_docs;
        meta->n_tokens += counts->n_tokens;
    }
    return QUERN_OK;
}

enum { FORGET_EVERY = 1 << 20 };

/* Brings codes into the order of numbers. */
static quern_status reorder_codes(qn_segment_build *build, unsigned n_fields, quern_error *error)
{
    size_t n_docs = build->meta.n_docs;
    uint8_t *codes = malloc(n_docs * n_fields + QN_PADDING);
    if (codes == NULL)
        return qn_fail_memory(error);
    const uint32_t *ordinal = (const uint32_t *)build->order->data;
    for (size_t i = 0; i < n_docs * n_fields; i++) {
        size_t doc = i % n_docs;
        codes[i] = build->codes[i - doc + ordinal[doc]];
        if ((i + 1) % FORGET_EVERY == 0)
            qn_scratch_forget(build->order, build->order->data, build->order->len);
    }
    free(build->codes);
    build->codes = codes;
    return QUERN_OK;
}

quern_status qn_segment_build_lengths(qn_segment_build *build, const qn_length_source *source,
                                      uint32_t n_docs, quern_error *error)
{
    qn_segment_meta *meta = &build->meta;
    unsigned n_fields = qn_fields_count(&meta->fields);
    size_t n_codes = (size_t)n_docs * n_fields;
    build->codes = malloc(n_codes + QN_PADDING);
    if (build->codes == NULL)
        return qn_fail_memory(error);
    meta->n_docs = n_docs;
    meta->n_tokens = 0;
    quern_status status = take_lengths(build, source, error);
    if (status == QUERN_OK && build->order != NULL)
        status = reorder_codes(build, n_fields, error);
    if (status == QUERN_OK)
        status = qn_container_writer_put(&build->container, QN_SECTION_LENGTHS, build->codes,
                                         n_codes, error);
    if (status == QUERN_OK)
        status = qn_container_writer_begin(&build->container, QN_SECTION_EXACT_LENGTHS, error);
    for (unsigned i = 0; status == QUERN_OK && i < n_fields; i++)
        status = put_exact(build, source, i, error);
    return status == QUERN_OK ? qn_container_writer_end(&build->container, error) : status;
}

quern_status qn_segment_build_postings(qn_segment_build *build, qn_postings_writer **out,
                                       quern_error *error)
{
    qn_segment_meta *meta = &build->meta;
    qn_segment_borders(meta->tune, meta->n_docs, &meta->coded_df, &meta->dense_df);
    qn_postings_params params = {.n_docs = meta->n_docs,
                                 .lengths = build->codes,
                                 .k1 = meta->k1,
                                 .b = meta->b,
                                 .counts = meta->counts,
                                 .n_fields = meta->fields.n,
                                 .coded_df = meta->coded_df,
                                 .dense_df = meta->dense_df,
                                 .positions = meta->positions,
                                 .small = meta->tune == QUERN_TUNE_SIZE};
    return qn_postings_writer_new(out, &build->container, build->dirfd, build->path, &params,
                                  error);
}

quern_status qn_segment_build_postings_end(qn_segment_build *build, qn_postings_writer *writer,
                                           quern_status status, quern_error *error)
{
    qn_postings_totals totals = {0};
    if (status == QUERN_OK)
        status = qn_postings_writer_finish(writer, &totals, error);
    qn_postings_writer_free(writer);
    qn_segment_meta *meta = &build->meta;
    meta->n_terms = totals.n_terms;
    meta->n_postings = totals.n_postings;
    meta->tf_bytes = totals.tf_bytes;
    meta->bounds_bytes = totals.bounds_bytes;
    meta->codes_bytes = totals.codes_bytes;
    meta->bitmap_bytes = totals.bitmap_bytes;
    return status;
}

quern_status qn_segment_build_finish(qn_segment_build *build, quern_error *error)
{
    quern_status status = qn_meta_write(&build->meta, &build->container, error);
    if (status == QUERN_OK)
        status = qn_container_writer_finish(&build->container, error);
    build->entry.documents = build->meta.n_docs;
    build->entry.tokens = build->meta.n_tokens;
    build->entry.index_len = build->container.file.offset;
    build->entry.index_checksum = build->container.header_checksum;
    return status;
}

void qn_segment_build_close(qn_segment_build *build)
{
    qn_container_writer_close(&build->container);
    free(build->codes);
    build->codes = NULL;
}
