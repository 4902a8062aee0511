/* Publishing: from what the writer gathered to a segment, and from a segment to a new manifest. */
#include "index/base/checksum.h"
#include "index/base/status.h"
#include "index/build/merge.h"
#include "index/build/writer.h"
#include "index/codec/packer.h"
#include "index/segment/lengths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What the steps of a commit hand on to one another. */
typedef struct commit_state {
    qn_index_writer *writer;
    uint32_t n_docs;    /* without the dropped ones */
    uint32_t *renumber; /* NULL where none was dropped */
    uint8_t *codes;     /* length codes */
    qn_container_writer container;
    qn_segment_meta meta;
    qn_manifest_segment entry;
} commit_state;

/* ---- dropped documents ---- */

/* Numbers the documents that stay; moves their lengths together. */
static quern_status renumber(commit_state *commit, quern_error *error)
{
    qn_index_writer *writer = commit->writer;
    const qn_registry *registry = &writer->registry;
    commit->n_docs = registry->n_docs - registry->n_dropped;
    if (registry->n_dropped == 0)
        return QUERN_OK;
    commit->renumber = malloc(registry->n_docs * sizeof *commit->renumber);
    if (commit->renumber == NULL)
        return qn_fail_memory(error);
    uint32_t next = 0;
    for (uint32_t doc = 0; doc < registry->n_docs; doc++) {
        if (qn_registry_is_dropped(registry, doc)) {
            commit->renumber[doc] = UINT32_MAX;
        } else {
            writer->length[next] = writer->length[doc];
            commit->renumber[doc] = next++;
        }
    }
    return QUERN_OK;
}

/* Copies the documents that stay from the store that was written to a new one. */
static quern_status copy_store(commit_state *commit, qn_docs_writer *to, quern_error *error)
{
    qn_index_writer *writer = commit->writer;
    qn_container container;
    quern_status status = qn_container_open(&container, writer->dirfd, writer->docs_name,
                                            QN_FILE_STORE, false, false, error);
    if (status != QUERN_OK)
        return status;
    qn_docs docs;
    qn_docs_reader reader = {0};
    status = qn_docs_open(&docs, &container, writer->registry.n_docs, error);
    for (uint32_t doc = 0; status == QUERN_OK && doc < writer->registry.n_docs; doc++) {
        if (commit->renumber[doc] == UINT32_MAX)
            continue;
        quern_document document = {0};
        status = qn_docs_fetch(&docs, &reader, doc, &document, error);
        if (status == QUERN_OK)
            status = qn_docs_writer_add(to, &document, error);
    }
    qn_docs_reader_free(&reader);
    qn_container_close(&container);
    return status;
}

static quern_status finish_store(commit_state *commit, quern_error *error)
{
    qn_index_writer *writer = commit->writer;
    if (writer->docs == NULL)
        return QUERN_OK;
    uint64_t *checksum = &commit->entry.store_checksum, *len = &commit->entry.store_len;
    quern_status status = qn_docs_writer_finish(writer->docs, checksum, len, error);
    if (status != QUERN_OK || commit->renumber == NULL)
        return status;
    char kept[sizeof writer->docs_name];
    (void)snprintf(kept, sizeof kept, "tmp-%ld-kept.qs", (long)getpid());
    qn_docs_writer *to;
    status = qn_docs_writer_new(&to, writer->dirfd, kept, writer->path,
                                writer->options.store == QUERN_STORE_RECORD, false, error);
    if (status != QUERN_OK)
        return status;
    status = copy_store(commit, to, error);
    if (status == QUERN_OK)
        status = qn_docs_writer_finish(to, checksum, len, error);
    qn_docs_writer_free(to);
    if (status == QUERN_OK && renameat(writer->dirfd, kept, writer->dirfd, writer->docs_name) != 0)
        status = qn_fail_sys(error, errno, "rename a file in", writer->path);
    if (status != QUERN_OK)
        (void)unlinkat(writer->dirfd, kept, 0);
    return status;
}

/* ---- sections ---- */

static quern_status put_exact_lengths(commit_state *commit, quern_error *error)
{
    const uint32_t *length = commit->writer->length;
    uint32_t most = 0;
    for (uint32_t doc = 0; doc < commit->n_docs; doc++)
        most = length[doc] > most ? length[doc] : most;
    unsigned width = most == 0 ? 0 : 32 - (unsigned)__builtin_clz(most);
    commit->meta.exact_width = width;
    quern_status status =
        qn_container_writer_begin(&commit->container, QN_SECTION_EXACT_LENGTHS, error);
    qn_packer packer = {.to = &commit->container.file};
    for (uint32_t doc = 0; status == QUERN_OK && doc < commit->n_docs; doc++)
        status = qn_packer_put(&packer, length[doc], width, error);
    if (status == QUERN_OK)
        status = qn_packer_end(&packer, error);
    return status == QUERN_OK ? qn_container_writer_end(&commit->container, error) : status;
}

static quern_status put_lengths(commit_state *commit, quern_error *error)
{
    qn_index_writer *writer = commit->writer;
    commit->codes = malloc((size_t)commit->n_docs + QN_PADDING);
    if (commit->codes == NULL)
        return qn_fail_memory(error);
    uint64_t n_tokens = 0;
    for (uint32_t doc = 0; doc < commit->n_docs; doc++) {
        commit->codes[doc] = qn_length_encode(writer->length[doc]);
        n_tokens += writer->length[doc];
    }
    commit->meta.n_tokens = n_tokens;
    commit->meta.average = commit->n_docs == 0 ? 0 : (double)n_tokens / (double)commit->n_docs;
    quern_status status = qn_container_writer_put(&commit->container, QN_SECTION_LENGTHS,
                                                  commit->codes, commit->n_docs, error);
    if (status == QUERN_OK)
        status = put_exact_lengths(commit, error);
    free(writer->length);
    writer->length = NULL;
    writer->length_cap = 0;
    return status;
}

static quern_status put_ids(commit_state *commit, quern_error *error)
{
    qn_index_writer *writer = commit->writer;
    qn_ids_writer *ids;
    quern_status status = qn_ids_writer_new(&ids, writer->dirfd, writer->path, error);
    if (status != QUERN_OK)
        return status;
    qn_registry_cursor cursor = {0};
    quern_span id;
    for (;;) {
        status = qn_registry_next(&writer->registry, &cursor, &id, error);
        if (status != QUERN_OK)
            break;
        if (commit->renumber != NULL && commit->renumber[cursor.doc - 1] == UINT32_MAX)
            continue;
        status = qn_ids_writer_add(ids, id.data, id.len, error);
        if (status != QUERN_OK)
            break;
    }
    qn_buffer_free(&cursor.chunk);
    if (status == QUERN_END)
        status = qn_ids_writer_finish(ids, &commit->container, error);
    qn_ids_writer_free(ids);
    return status;
}

static quern_status put_postings(commit_state *commit, quern_error *error)
{
    qn_index_writer *writer = commit->writer;
    const quern_build_options *options = &writer->options;
    commit->meta.tune = options->tune;
    qn_segment_borders(options->tune, commit->n_docs, &commit->meta.coded_df,
                       &commit->meta.dense_df);
    qn_postings_params params = {.n_docs = commit->n_docs,
                                 .lengths = commit->codes,
                                 .k1 = options->k1,
                                 .b = options->b,
                                 .average = commit->meta.average,
                                 .coded_df = commit->meta.coded_df,
                                 .dense_df = commit->meta.dense_df,
                                 .positions = !options->no_positions};
    qn_postings_writer *postings;
    quern_status status = qn_postings_writer_new(&postings, &commit->container, writer->dirfd,
                                                 writer->path, &params, error);
    if (status != QUERN_OK)
        return status;
    qn_merge_input input = {.spool = &writer->inverter.spool,
                            .run = writer->inverter.run,
                            .n_runs = writer->inverter.n_runs,
                            .positions = params.positions,
                            .renumber = commit->renumber,
                            .buffer_bytes = (size_t)(options->memory / 8),
                            .progress = options->progress,
                            .progress_arg = options->progress_arg};
    status = qn_merge_runs(&input, postings, error);
    qn_postings_totals totals = {0};
    if (status == QUERN_OK)
        status = qn_postings_writer_finish(postings, &totals, error);
    qn_postings_writer_free(postings);
    commit->meta.n_terms = totals.n_terms;
    commit->meta.n_postings = totals.n_postings;
    commit->meta.tf_bytes = totals.tf_bytes;
    commit->meta.bounds_bytes = totals.bounds_bytes;
    commit->meta.codes_bytes = totals.codes_bytes;
    commit->meta.bitmap_bytes = totals.bitmap_bytes;
    return status;
}

static quern_status put_meta(commit_state *commit, quern_error *error)
{
    qn_index_writer *writer = commit->writer;
    const qn_analyzer_settings *settings = qn_analyzer_get_settings(writer->analyzer);
    qn_segment_meta *meta = &commit->meta;
    meta->n_docs = commit->n_docs;
    meta->k1 = writer->options.k1;
    meta->b = writer->options.b;
    meta->positions = !writer->options.no_positions;
    meta->stored = writer->docs != NULL;
    meta->records = writer->options.store == QUERN_STORE_RECORD;
    meta->rules = QN_ANALYZER_RULES;
    meta->fingerprint = qn_analyzer_fingerprint(writer->analyzer);
    meta->stopwords = settings->stopwords;
    (void)snprintf(meta->language, sizeof meta->language, "%s", settings->language);
    (void)snprintf(meta->unicode, sizeof meta->unicode, "%s", qn_analyzer_unicode_version());
    return qn_meta_write(meta, &commit->container, error);
}

static quern_status write_segment(commit_state *commit, quern_error *error)
{
    qn_index_writer *writer = commit->writer;
    quern_status status = qn_container_writer_open(
        &commit->container, writer->dirfd, writer->index_name, writer->path, QN_FILE_INDEX, error);
    if (status == QUERN_OK)
        status = put_lengths(commit, error);
    if (status == QUERN_OK)
        status = put_ids(commit, error);
    qn_registry_free(&writer->registry); /* its memory is the merge's now */
    if (status == QUERN_OK)
        status = put_postings(commit, error);
    if (status == QUERN_OK)
        status = put_meta(commit, error);
    if (status == QUERN_OK)
        status = qn_container_writer_finish(&commit->container, error);
    commit->entry.documents = commit->n_docs;
    commit->entry.tokens = commit->meta.n_tokens;
    commit->entry.index_len = commit->container.file.offset;
    commit->entry.index_checksum = commit->container.header_checksum;
    return status;
}

/* ---- publishing ---- */

static quern_status rename_file(commit_state *commit, const char *from, const char *suffix,
                                quern_error *error)
{
    char to[QN_SEGMENT_NAME_MAX + 8];
    (void)snprintf(to, sizeof to, "%s%s", commit->entry.name, suffix);
    int dirfd = commit->writer->dirfd;
    if (renameat(dirfd, from, dirfd, to) != 0)
        return qn_fail_sys(error, errno, "rename a file in", commit->writer->path);
    return QUERN_OK;
}

/* Removes a segment that was not published. The directory itself says what that is: the manifest
 * may have been replaced before the failure (of the directory's sync), and another segment of the
 * same content, hence the same name, may be in use. */
static void withdraw(const qn_index_writer *writer)
{
    qn_manifest there;
    quern_status status = qn_manifest_read(&there, writer->dirfd, writer->path, NULL);
    if (status == QUERN_OK || status == QUERN_NOT_FOUND)
        qn_index_writer_clean(writer->dirfd, status == QUERN_OK ? &there : NULL);
    qn_manifest_free(&there);
}

/* Names the segment by its content, so that the same input gives the same directory, and a name is
 * never used for other bytes. */
static quern_status publish(commit_state *commit, quern_error *error)
{
    qn_index_writer *writer = commit->writer;
    qn_manifest_segment *entry = &commit->entry;
    uint64_t sums[2] = {entry->index_checksum, entry->store_checksum};
    (void)snprintf(entry->name, sizeof entry->name, "s-%016llx",
                   (unsigned long long)qn_checksum(sums, sizeof sums));
    qn_manifest next = {.rules = commit->meta.rules, .fingerprint = commit->meta.fingerprint};
    (void)snprintf(next.language, sizeof next.language, "%s", commit->meta.language);
    (void)snprintf(next.unicode, sizeof next.unicode, "%s", commit->meta.unicode);
    size_t n_old = writer->options.append ? writer->manifest.n_segments : 0;
    next.segment = calloc(n_old + 1, sizeof *next.segment);
    if (next.segment == NULL)
        return qn_fail_memory(error);
    uint64_t documents = entry->documents;
    for (size_t i = 0; i < n_old; i++) {
        next.segment[i] = writer->manifest.segment[i];
        documents += next.segment[i].documents;
    }
    next.n_segments = n_old;
    /* A segment of nothing adds nothing; two of them would have one name. (Others cannot, since no
     * id may come twice.) */
    bool add = n_old == 0 || entry->documents > 0;
    if (add)
        next.segment[next.n_segments++] = *entry;
    quern_status status =
        !add ? QUERN_OK
        : documents > QN_DOCS_MAX
            ? qn_fail(error, QUERN_E_ARGUMENT, "an index holds at most %u documents", QN_DOCS_MAX)
            : rename_file(commit, writer->index_name, ".qx", error);
    if (status == QUERN_OK && add && entry->store_len > 0)
        status = rename_file(commit, writer->docs_name, ".qs", error);
    if (status == QUERN_OK && add)
        status = qn_manifest_commit(&next, writer->dirfd, writer->path, error);
    if (status == QUERN_OK) {
        writer->made_dir = false; /* it stays */
        qn_index_writer_clean(writer->dirfd, &next);
        for (size_t i = 0; i < next.n_segments; i++)
            writer->report.index_bytes += next.segment[i].index_len + next.segment[i].store_len;
        writer->report.documents = documents;
    } else {
        withdraw(writer);
    }
    qn_manifest_free(&next);
    return status;
}

quern_status qn_index_writer_commit(qn_index_writer *writer, quern_build_report *report,
                                    quern_error *error)
{
    if (writer->failed)
        return qn_fail(error, QUERN_E_ARGUMENT, "the builder has failed before");
    writer->failed = true; /* whatever comes, it can only be closed */
    commit_state commit = {.writer = writer};
    quern_status status = qn_inverter_flush(&writer->inverter, error);
    writer->report.runs = (uint32_t)writer->inverter.n_runs;
    writer->report.long_words = qn_tokenizer_long_words(writer->tokenizer);
    writer->report.bad_utf8 = qn_tokenizer_bad_utf8(writer->tokenizer);
    qn_inverter_shrink(&writer->inverter);
    qn_vocabulary_free(&writer->vocabulary);
    if (status == QUERN_OK)
        status = renumber(&commit, error);
    if (status == QUERN_OK)
        status = finish_store(&commit, error);
    if (status == QUERN_OK)
        status = write_segment(&commit, error);
    writer->report.tokens = commit.meta.n_tokens;
    qn_container_writer_close(&commit.container);
    free(commit.renumber);
    free(commit.codes);
    if (status == QUERN_OK)
        status = publish(&commit, error);
    if (status == QUERN_OK && report != NULL)
        *report = writer->report;
    return status;
}
