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

static quern_status put_exact(qn_segment_build *build, const qn_length_source *source,
                              quern_error *error)
{
    quern_status status =
        qn_container_writer_begin(&build->container, QN_SECTION_EXACT_LENGTHS, error);
    qn_packer packer = {.to = &build->container.file};
    if (status == QUERN_OK)
        status = source->start(source->arg, error);
    for (uint32_t doc = 0; status == QUERN_OK && doc < build->meta.n_docs; doc++) {
        uint32_t length;
        status = source->next(source->arg, &length, error);
        if (status == QUERN_OK)
            status = qn_packer_put(&packer, length, build->meta.exact_width, error);
    }
    if (status == QUERN_OK)
        status = qn_packer_end(&packer, error);
    return status == QUERN_OK ? qn_container_writer_end(&build->container, error) : status;
}

quern_status qn_segment_build_lengths(qn_segment_build *build, const qn_length_source *source,
                                      uint32_t n_docs, quern_error *error)
{
    qn_segment_meta *meta = &build->meta;
    uint32_t most = 0;
    build->codes = malloc((size_t)n_docs + QN_PADDING);
    if (build->codes == NULL)
        return qn_fail_memory(error);
    meta->n_docs = n_docs;
    meta->n_tokens = 0;
    quern_status status = source->start(source->arg, error);
    for (uint32_t doc = 0; status == QUERN_OK && doc < n_docs; doc++) {
        uint32_t length = 0;
        status = source->next(source->arg, &length, error);
        build->codes[doc] = qn_length_encode(length);
        meta->n_tokens += length;
        most = length > most ? length : most;
    }
    meta->exact_width = most == 0 ? 0 : 32 - (unsigned)__builtin_clz(most);
    meta->average = n_docs == 0 ? 0 : (double)meta->n_tokens / (double)n_docs;
    if (status == QUERN_OK)
        status = qn_container_writer_put(&build->container, QN_SECTION_LENGTHS, build->codes,
                                         n_docs, error);
    return status == QUERN_OK ? put_exact(build, source, error) : status;
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
                                 .average = meta->average,
                                 .coded_df = meta->coded_df,
                                 .dense_df = meta->dense_df,
                                 .positions = meta->positions};
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
