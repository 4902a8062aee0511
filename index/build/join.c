/* Several segments become one: see join.h. */
#define _GNU_SOURCE
#include "index/build/join.h"

#include "index/base/status.h"
#include "index/build/merge_segments.h"
#include "index/build/reorder_segment.h"
#include "index/build/segment_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Documents after which progress is told, and pages that were read are let go of. */
enum { STEP = 1 << 16 };

typedef struct joiner {
    const qn_join_input *input;
    qn_join_files *files;
    qn_segment_build build;
    uint64_t n_docs, n_done; /* live documents, and of them */
} joiner;

/* What is done with one live document of a segment. */
typedef quern_status (*visitor)(void *arg, const qn_segment *segment, uint32_t doc,
                                quern_error *error);

static quern_status step(joiner *join, const qn_segment *segment, const char *phase,
                         quern_error *error)
{
    const qn_join_input *input = join->input;
    if (join->n_done++ % STEP != 0)
        return QUERN_OK;
    qn_container_forget(&segment->index);
    qn_container_forget(&segment->store);
    if (input->progress != NULL &&
        !input->progress(input->progress_arg, phase, join->n_done, join->n_docs))
        return qn_fail(error, QUERN_E_CANCELLED, "cancelled");
    return QUERN_OK;
}

static quern_status visit(joiner *join, const char *phase, visitor visited, void *arg,
                          quern_error *error)
{
    join->n_done = 0;
    for (size_t i = 0; i < join->input->n; i++) {
        const qn_segment *segment = &join->input->segment[i];
        for (uint32_t doc = 0; doc < segment->meta.n_docs; doc++) {
            if (qn_segment_is_gone(segment, doc))
                continue;
            quern_status status = step(join, segment, phase, error);
            if (status == QUERN_OK)
                status = visited(arg, segment, doc, error);
            if (status != QUERN_OK)
                return status;
        }
    }
    return QUERN_OK;
}

/* ---- documents ---- */

typedef struct docs_copy {
    qn_docs_writer *to;
    qn_docs_reader reader;
} docs_copy;

static quern_status copy_document(void *arg, const qn_segment *segment, uint32_t doc,
                                  quern_error *error)
{
    docs_copy *copy = arg;
    quern_document document = {0};
    quern_status status = qn_docs_fetch(&segment->docs, &copy->reader, doc, &document, error);
    return status == QUERN_OK ? qn_docs_writer_add(copy->to, &document, error) : status;
}

static quern_status join_docs(joiner *join, int dirfd, const char *path, quern_error *error)
{
    docs_copy copy = {0};
    if (!join->files->stored)
        return QUERN_OK;
    quern_status status =
        qn_docs_writer_new(&copy.to, dirfd, join->files->docs, path, join->build.meta.records,
                           join->input->background, error);
    if (status != QUERN_OK)
        return status;
    status = visit(join, "copying texts", copy_document, &copy, error);
    qn_manifest_segment *entry = &join->build.entry;
    if (status == QUERN_OK)
        status = qn_docs_writer_finish(copy.to, &entry->store_checksum, &entry->store_len, error);
    qn_docs_writer_free(copy.to);
    qn_docs_reader_free(&copy.reader);
    return status;
}

/* ---- lengths and ids ---- */

/* The lengths of live documents, one after the other, field by field. */
typedef struct live_lengths {
    const qn_join_input *input;
    unsigned n_fields, field; /* the next field of */
    size_t segment;
    uint32_t doc; /* the next document in it */
} live_lengths;

static quern_status start_lengths(void *arg, quern_error *error)
{
    live_lengths *live = arg;
    (void)error;
    live->segment = 0;
    live->doc = 0;
    live->field = 0;
    return QUERN_OK;
}

static quern_status next_length(void *arg, uint32_t *length, quern_error *error)
{
    live_lengths *live = arg;
    for (; live->segment < live->input->n; live->segment++, live->doc = 0) {
        const qn_segment *segment = &live->input->segment[live->segment];
        while (live->doc < segment->meta.n_docs && qn_segment_is_gone(segment, live->doc))
            live->doc++;
        if (live->doc == segment->meta.n_docs)
            continue;
        unsigned field = live->field++;
        uint32_t doc = live->doc;
        if (live->field == live->n_fields) {
            live->field = 0;
            live->doc++;
        }
        return qn_segment_exact_length(segment, field, doc, length, error);
    }
    return qn_fail(error, QUERN_E_DAMAGED, "more documents are deleted than a segment says");
}

static quern_status join_lengths(joiner *join, quern_error *error)
{
    live_lengths live = {.input = join->input,
                         .n_fields = qn_fields_count(&join->build.meta.fields)};
    const qn_length_source source = {&live, start_lengths, next_length};
    return qn_segment_build_lengths(&join->build, &source, (uint32_t)join->n_docs, error);
}

typedef struct ids_copy {
    qn_ids_writer *to;
    char id[QN_ID_MAX];
} ids_copy;

static quern_status copy_id(void *arg, const qn_segment *segment, uint32_t doc, quern_error *error)
{
    ids_copy *copy = arg;
    size_t len;
    quern_status status = qn_ids_get(&segment->ids, doc, copy->id, &len, error);
    return status == QUERN_OK ? qn_ids_writer_add(copy->to, copy->id, len, error) : status;
}

static quern_status join_ids(joiner *join, quern_error *error)
{
    ids_copy copy;
    quern_status status = qn_ids_writer_new(&copy.to, join->build.dirfd, join->build.path, error);
    if (status != QUERN_OK)
        return status;
    status = visit(join, "copying ids", copy_id, &copy, error);
    if (status == QUERN_OK)
        status = qn_ids_writer_finish(copy.to, &join->build.container, error);
    qn_ids_writer_free(copy.to);
    return status;
}

/* ---- postings ---- */

static quern_status join_postings(joiner *join, quern_error *error)
{
    const qn_join_input *input = join->input;
    qn_postings_writer *writer;
    quern_status status = qn_segment_build_postings(&join->build, &writer, error);
    if (status != QUERN_OK)
        return status;
    qn_merge_output output = {writer, input->background, input->progress, input->progress_arg};
    const qn_merge_room room = {input->memory, {join->build.dirfd, join->build.path}};
    status = qn_merge_segments(input->segment, input->n, &output, &room, error);
    return qn_segment_build_postings_end(&join->build, writer, status, error);
}

/* ---- all ---- */

/* What the new segment says of itself. */
static void describe(joiner *join)
{
    const qn_join_input *input = join->input;
    const qn_segment_meta *first = &input->segment[0].meta;
    qn_segment_meta *meta = &join->build.meta;
    meta->k1 = input->k1;
    meta->b = input->b;
    meta->tune = input->tune;
    meta->positions = first->positions;
    meta->rules = first->rules;
    meta->fingerprint = first->fingerprint;
    meta->stopwords = first->stopwords;
    meta->fields = first->fields;
    (void)snprintf(meta->language, sizeof meta->language, "%s", first->language);
    (void)snprintf(meta->unicode, sizeof meta->unicode, "%s", first->unicode);
    meta->stored = meta->records = true;
    for (size_t i = 0; i < input->n; i++) {
        const qn_segment *segment = &input->segment[i];
        meta->stored = meta->stored && segment->meta.stored;
        meta->records = meta->records && segment->meta.records;
        join->n_docs += segment->meta.n_docs - segment->n_deleted;
    }
    meta->records = meta->records && meta->stored;
    join->files->stored = meta->stored;
}

static quern_status write_all(joiner *join, int dirfd, const char *path, quern_error *error)
{
    quern_status status =
        qn_segment_build_open(&join->build, dirfd, path, join->files->index, error);
    describe(join);
    if (status == QUERN_OK)
        status = join_docs(join, dirfd, path, error);
    if (status == QUERN_OK)
        status = join_ids(join, error);
    if (status == QUERN_OK)
        status = join_lengths(join, error);
    if (status == QUERN_OK)
        status = join_postings(join, error);
    return status == QUERN_OK ? qn_segment_build_finish(&join->build, error) : status;
}

quern_status qn_join(const qn_join_input *input, int dirfd, const char *path, qn_join_files *files,
                     qn_manifest_segment *entry, quern_error *error)
{
    joiner join = {.input = input, .files = files};
    (void)snprintf(files->index, sizeof files->index, "tmp-%ld-join.qx", (long)getpid());
    (void)snprintf(files->docs, sizeof files->docs, "tmp-%ld-join.qs", (long)getpid());
    (void)unlinkat(dirfd, files->index, 0); /* of a killed process with the same number */
    (void)unlinkat(dirfd, files->docs, 0);
    quern_status status = write_all(&join, dirfd, path, error);
    *entry = join.build.entry;
    qn_segment_build_close(&join.build);
    const qn_reorder_room room = {input->memory, input->threads, input->progress,
                                  input->progress_arg};
    if (status == QUERN_OK && input->reorder)
        status = qn_reorder_segment(dirfd, path, files->index, entry, &room, error);
    if (status != QUERN_OK) {
        (void)unlinkat(dirfd, files->index, 0);
        (void)unlinkat(dirfd, files->docs, 0);
    }
    return status;
}
