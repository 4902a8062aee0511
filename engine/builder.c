/* The public builder: the index writer of index/build behind quern_builder, and corpus files. */
#include "index/base/status.h"
#include "index/build/source.h"
#include "index/build/writer.h"

#include <stdlib.h>

struct quern_builder {
    qn_index_writer writer;
};

/* A record may take this share of the memory limit, and its unescaped copy as much again; a zstd
 * window this one, which then is not there for postings. */
enum { RECORD_SHARE = 8, WINDOW_SHARE = 2, PROGRESS_EVERY = 1024 };

const char *quern_version(void)
{
    return QUERN_VERSION;
}

quern_status quern_builder_open(quern_builder **out, const char *path,
                                const quern_build_options *options, quern_error *error)
{
    if (out == NULL || path == NULL)
        return qn_fail(error, QUERN_E_ARGUMENT, "out and path must not be NULL");
    *out = NULL;
    quern_build_options defaults = QUERN_BUILD_OPTIONS;
    if (options == NULL)
        options = &defaults;
    if (options->size != sizeof *options)
        return qn_fail(error, QUERN_E_ARGUMENT, "the build options have an unknown size");
    quern_builder *builder = malloc(sizeof *builder);
    if (builder == NULL)
        return qn_fail_memory(error);
    quern_status status = qn_index_writer_open(&builder->writer, path, options, error);
    if (status != QUERN_OK) {
        free(builder);
        return status;
    }
    *out = builder;
    return QUERN_OK;
}

quern_status quern_builder_add(quern_builder *builder, const quern_document *document,
                               quern_error *error)
{
    return qn_index_writer_add(&builder->writer, document, NULL, error);
}

quern_status quern_builder_add_tokens(quern_builder *builder, const quern_document *document,
                                      const quern_token *tokens, size_t n_tokens,
                                      quern_error *error)
{
    return qn_index_writer_add_tokens(&builder->writer, document, tokens, n_tokens, error);
}

quern_status quern_builder_delete(quern_builder *builder, quern_span id, quern_error *error)
{
    return qn_index_writer_delete(&builder->writer, id, error);
}

/* Reports a malformed record; QUERN_OK to go on. */
static quern_status bad_record(quern_builder *builder, const quern_source_options *options,
                               uint64_t *n_bad, const quern_error *bad, quern_error *error)
{
    builder->writer.report.malformed++;
    if (options->on_error != NULL)
        options->on_error(options->on_error_arg, bad);
    if (++*n_bad <= options->max_errors)
        return QUERN_OK;
    if (error != NULL)
        *error = *bad;
    return QUERN_E_INPUT;
}

static quern_status report_progress(const quern_builder *builder, const qn_source *source,
                                    quern_error *error)
{
    const quern_build_options *options = &builder->writer.options;
    if (options->progress == NULL)
        return QUERN_OK;
    uint64_t done, total;
    qn_source_progress(source, &done, &total);
    return options->progress(options->progress_arg, "reading", done, total)
               ? QUERN_OK
               : qn_fail(error, QUERN_E_CANCELLED, "cancelled");
}

static quern_status add_all(quern_builder *builder, qn_source *source,
                            const quern_source_options *options, quern_error *error)
{
    uint64_t n_bad = 0;
    for (uint64_t n = 0;; n++) {
        quern_document document;
        qn_place place;
        quern_error bad;
        quern_status status =
            n % PROGRESS_EVERY == 0 ? report_progress(builder, source, error) : QUERN_OK;
        if (status != QUERN_OK)
            return status;
        status = qn_source_next(source, &document, &place, &bad);
        builder->writer.reserved = qn_source_memory(source);
        if (status == QUERN_END)
            return QUERN_OK;
        if (status == QUERN_OK)
            status = qn_index_writer_add(&builder->writer, &document, &place, &bad);
        if (status == QUERN_E_INPUT)
            status = bad_record(builder, options, &n_bad, &bad, &bad);
        if (status != QUERN_OK) {
            if (error != NULL)
                *error = bad;
            return status;
        }
    }
}

/* An id is on its way in. */
static void fetch_id(void *arg, quern_span id)
{
    const quern_builder *builder = arg;
    qn_registry_fetch(&builder->writer.registry, id.data, id.len);
}

quern_status quern_builder_add_file(quern_builder *builder, const char *path,
                                    const quern_source_options *options, quern_error *error)
{
    quern_source_options defaults = QUERN_SOURCE_OPTIONS;
    if (options == NULL)
        options = &defaults;
    if (options->size != sizeof *options)
        return qn_fail(error, QUERN_E_ARGUMENT, "the source options have an unknown size");
    uint64_t memory = builder->writer.options.memory;
    unsigned window_log = 10;
    while (window_log < 31 && (uint64_t)2 << window_log <= memory / WINDOW_SHARE)
        window_log++;
    qn_source_settings settings = {.format = options->format,
                                   .max_record = memory / RECORD_SHARE,
                                   .window_log_max = window_log,
                                   .fields = &builder->writer.fields,
                                   .on_id = fetch_id,
                                   .on_id_arg = builder};
    qn_source *source;
    quern_status status = qn_source_open(&source, path, &settings, error);
    if (status != QUERN_OK)
        return status;
    uint64_t before = builder->writer.report.input_bytes;
    status = add_all(builder, source, options, error);
    /* What was read counts, not what was found in it. */
    builder->writer.report.input_bytes = before + qn_source_bytes(source);
    builder->writer.reserved = 0;
    qn_source_free(source);
    return status;
}

quern_status quern_builder_commit(quern_builder *builder, quern_build_report *report,
                                  quern_error *error)
{
    const quern_build_report *done = &builder->writer.report;
    if (done->malformed > 0 && builder->writer.registry.n_docs == 0 && done->unchanged == 0 &&
        done->skipped == 0 && done->deleted == 0)
        return qn_fail(error, QUERN_E_INPUT,
                       "not one good record was read, but %llu malformed: nothing is built",
                       (unsigned long long)done->malformed);
    return qn_index_writer_commit(&builder->writer, report, error);
}

void quern_builder_free(quern_builder *builder)
{
    if (builder == NULL)
        return;
    qn_index_writer_close(&builder->writer);
    free(builder);
}
