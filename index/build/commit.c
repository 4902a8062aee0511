/* Publishing: from what the writer gathered to a segment, and from a segment to a new manifest. */
#include "index/base/status.h"
#include "index/build/maintain.h"
#include "index/build/merge_runs.h"
#include "index/build/reorder_segment.h"
#include "index/build/segment_build.h"
#include "index/build/writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What the steps of a commit hand on to one another. */
typedef struct commit_state {
    qn_index_writer *writer;
    uint32_t n_docs;    /* without the dropped ones */
    uint32_t *renumber; /* NULL where none was dropped */
    qn_segment_build build;
    uint64_t store_len, store_checksum;
} commit_state;

/* ---- dropped documents ---- */

/* Numbers the documents that stay. */
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
        commit->renumber[doc] = qn_registry_is_dropped(registry, doc) ? UINT32_MAX : next++;
    }
    return QUERN_OK;
}

/* Copies the documents that stay from the store that was written to a new one. */
static quern_status copy_store(commit_state *commit, qn_docs_writer *to, quern_error *error)
{
    qn_index_writer *writer = commit->writer;
    qn_container container;
    quern_status status = qn_container_open(&container, writer->directory.dirfd, writer->docs_name,
                                            QN_FILE_STORE, false, false, error);
    if (status != QUERN_OK)
        return status;
    qn_container_sweep(&container);
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
    uint64_t *checksum = &commit->store_checksum, *len = &commit->store_len;
    quern_status status = qn_docs_writer_finish(writer->docs, checksum, len, error);
    if (status != QUERN_OK || commit->renumber == NULL)
        return status;
    char kept[sizeof writer->docs_name];
    (void)snprintf(kept, sizeof kept, "tmp-%ld-kept.qs", (long)getpid());
    qn_docs_writer *to;
    status = qn_docs_writer_new(&to, writer->directory.dirfd, kept, writer->directory.path,
                                writer->options.store == QUERN_STORE_RECORD, false, error);
    if (status != QUERN_OK)
        return status;
    status = copy_store(commit, to, error);
    if (status == QUERN_OK)
        status = qn_docs_writer_finish(to, checksum, len, error);
    qn_docs_writer_free(to);
    if (status == QUERN_OK &&
        renameat(writer->directory.dirfd, kept, writer->directory.dirfd, writer->docs_name) != 0)
        status = qn_fail_sys(error, errno, "rename a file in", writer->directory.path);
    if (status != QUERN_OK)
        (void)unlinkat(writer->directory.dirfd, kept, 0);
    return status;
}

/* ---- the segment ---- */

/* The lengths of the documents that stay, field by field. */
typedef struct kept_lengths {
    qn_index_writer *writer;
    uint32_t doc;   /* the next one that was added, */
    unsigned field; /* and the next field of it */
} kept_lengths;

static quern_status start_lengths(void *arg, quern_error *error)
{
    kept_lengths *kept = arg;
    kept->doc = 0;
    kept->field = 0;
    return qn_spooled_lengths_start(&kept->writer->lengths, error);
}

static quern_status next_length(void *arg, uint32_t *length, quern_error *error)
{
    kept_lengths *kept = arg;
    quern_status status;
    bool dropped;
    do {
        status = qn_spooled_lengths_next(&kept->writer->lengths, length, error);
        dropped = status == QUERN_OK && qn_registry_is_dropped(&kept->writer->registry, kept->doc);
        if (++kept->field == kept->writer->lengths.n_fields) {
            kept->field = 0;
            kept->doc++;
        }
    } while (dropped);
    return status == QUERN_END ? qn_fail(error, QUERN_E_IO, "lengths of documents are missing")
                               : status;
}

static quern_status add_ids(const commit_state *commit, qn_ids_writer *ids, quern_error *error)
{
    qn_registry *registry = &commit->writer->registry;
    qn_registry_cursor cursor = {0};
    quern_span id;
    quern_status status;
    while ((status = qn_registry_next(registry, &cursor, &id, error)) == QUERN_OK) {
        if (commit->renumber != NULL && commit->renumber[cursor.doc - 1] == UINT32_MAX)
            continue;
        status = qn_ids_writer_add(ids, id.data, id.len, error);
        if (status != QUERN_OK)
            break;
    }
    qn_buffer_free(&cursor.chunk);
    return status == QUERN_END ? QUERN_OK : status;
}

static quern_status put_ids(commit_state *commit, quern_error *error)
{
    const qn_directory *directory = &commit->writer->directory;
    qn_ids_writer *ids;
    quern_status status = qn_ids_writer_new(&ids, directory->dirfd, directory->path, error);
    if (status != QUERN_OK)
        return status;
    status = add_ids(commit, ids, error);
    if (status == QUERN_OK)
        status = qn_ids_writer_finish(ids, &commit->build.container, error);
    qn_ids_writer_free(ids);
    return status;
}

/* Runs in document order; those that part a document in the order in which they were made. */
static int compare_runs(const void *left, const void *right)
{
    const qn_run *a = left, *b = right;
    if (a->first_doc != b->first_doc)
        return a->first_doc < b->first_doc ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* The runs of all mills; to be freed. */
static qn_run *gather_runs(const qn_index_writer *writer, size_t *n)
{
    *n = 0;
    for (unsigned i = 0; i < writer->room.n_mills; i++)
        *n += writer->mill[i].inverter.n_runs;
    qn_run *runs = malloc((*n + 1) * sizeof *runs);
    size_t at = 0;
    for (unsigned i = 0; runs != NULL && i < writer->room.n_mills; i++)
        for (size_t j = 0; j < writer->mill[i].inverter.n_runs; j++)
            runs[at++] = writer->mill[i].inverter.run[j];
    if (runs != NULL)
        qsort(runs, *n, sizeof *runs, compare_runs);
    return runs;
}

static quern_status put_postings(commit_state *commit, quern_error *error)
{
    qn_index_writer *writer = commit->writer;
    const quern_build_options *options = &writer->options;
    qn_postings_writer *postings;
    quern_status status = qn_segment_build_postings(&commit->build, &postings, error);
    if (status != QUERN_OK)
        return status;
    size_t n_runs;
    qn_run *runs = gather_runs(writer, &n_runs);
    if (runs == NULL) {
        qn_postings_writer_free(postings);
        return qn_fail_memory(error);
    }
    qn_merge_input input = {.run = runs,
                            .n_runs = n_runs,
                            .renumber = commit->renumber,
                            .buffer_bytes = (size_t)(options->memory / 8)};
    qn_merge_output output = {postings, qn_index_writer_has_second_thread(options),
                              options->progress, options->progress_arg};
    status = qn_merge_runs(&input, &output, error);
    free(runs);
    return qn_segment_build_postings_end(&commit->build, postings, status, error);
}

/* What the segment says of itself. */
static void describe(commit_state *commit)
{
    const qn_index_writer *writer = commit->writer;
    const qn_analyzer_settings *settings = qn_analyzer_get_settings(writer->analyzer);
    qn_segment_meta *meta = &commit->build.meta;
    meta->k1 = writer->options.k1;
    meta->b = writer->options.b;
    meta->tune = writer->options.tune;
    meta->positions = !writer->options.no_positions;
    meta->stored = writer->docs != NULL;
    meta->records = writer->options.store == QUERN_STORE_RECORD;
    meta->rules = QN_ANALYZER_RULES;
    meta->fingerprint = qn_analyzer_fingerprint(writer->analyzer);
    meta->stopwords = settings->stopwords;
    meta->fields = writer->fields;
    (void)snprintf(meta->language, sizeof meta->language, "%s", settings->language);
    (void)snprintf(meta->unicode, sizeof meta->unicode, "%s", qn_analyzer_unicode_version());
}

/* Begins the segment, with its ids. */
static quern_status begin_segment(commit_state *commit, quern_error *error)
{
    qn_index_writer *writer = commit->writer;
    quern_status status = qn_segment_build_open(&commit->build, writer->directory.dirfd,
                                                writer->directory.path, writer->index_name, error);
    describe(commit);
    return status == QUERN_OK ? put_ids(commit, error) : status;
}

static quern_status finish_mills(qn_index_writer *writer, quern_error *error)
{
    quern_status status = QUERN_OK;
    if (writer->crew != NULL)
        status = qn_crew_finish(writer->crew, &writer->lengths, error);
    for (unsigned i = 0; status == QUERN_OK && i < writer->room.n_mills; i++) {
        status = qn_mill_finish(&writer->mill[i], error);
        writer->report.runs += (uint32_t)writer->mill[i].inverter.n_runs;
    }
    return status;
}

/* What comes behind the ids. */
static quern_status write_segment(commit_state *commit, quern_error *error)
{
    qn_index_writer *writer = commit->writer;
    qn_segment_build *build = &commit->build;
    kept_lengths kept = {.writer = writer};
    const qn_length_source lengths = {&kept, start_lengths, next_length};
    quern_status status = qn_segment_build_lengths(build, &lengths, commit->n_docs, error);
    qn_spooled_lengths_free(&writer->lengths);
    qn_registry_free(&writer->registry); /* its memory is the merge's now */
    if (status == QUERN_OK)
        status = put_postings(commit, error);
    if (status == QUERN_OK)
        status = qn_segment_build_finish(build, error);
    build->entry.store_len = commit->store_len;
    build->entry.store_checksum = commit->store_checksum;
    return status;
}

/* Has the segment's lists reordered; what the build gathered is not needed any more. */
static quern_status reorder(commit_state *commit, quern_error *error)
{
    qn_index_writer *writer = commit->writer;
    const quern_build_options *options = &writer->options;
    const qn_reorder_room room = {options->memory, options->threads, options->progress,
                                  options->progress_arg};
    for (unsigned i = 0; i < writer->room.n_mills; i++)
        qn_mill_release(&writer->mill[i]);
    qn_segment_build_close(&commit->build);
    return qn_reorder_segment(writer->directory.dirfd, writer->directory.path, writer->index_name,
                              &commit->build.entry, &room, error);
}

/* Everything of the new segment but its name. Ids are written while the mills of a crew finish. */
static quern_status make_segment(commit_state *commit, quern_error *error)
{
    qn_index_writer *writer = commit->writer;
    quern_status status = renumber(commit, error);
    if (writer->crew != NULL)
        qn_crew_close(writer->crew);
    else if (status == QUERN_OK)
        status = finish_mills(writer, error);
    if (status == QUERN_OK)
        status = begin_segment(commit, error);
    if (status == QUERN_OK && writer->crew != NULL)
        status = finish_mills(writer, error);
    qn_crew_free(writer->crew);
    writer->crew = NULL;
    if (status == QUERN_OK)
        status = finish_store(commit, error);
    if (status == QUERN_OK)
        status = write_segment(commit, error);
    if (status == QUERN_OK && writer->options.reorder)
        status = reorder(commit, error);
    writer->report.tokens = commit->build.meta.n_tokens;
    return status;
}

/* ---- publishing ---- */

/* The manifest as it is to become, but for a new segment, for which there is room. */
static quern_status start_manifest(const qn_index_writer *writer, qn_manifest *next,
                                   quern_error *error)
{
    if (writer->old.n > 0) {
        quern_status status = qn_manifest_copy(next, &writer->directory.manifest, 1, error);
        return status == QUERN_OK ? qn_old_write(&writer->old, &writer->directory, next, error)
                                  : status;
    }
    const qn_analyzer_settings *settings = qn_analyzer_get_settings(writer->analyzer);
    *next = (qn_manifest){.rules = QN_ANALYZER_RULES,
                          .fingerprint = qn_analyzer_fingerprint(writer->analyzer)};
    (void)snprintf(next->language, sizeof next->language, "%s", settings->language);
    (void)snprintf(next->unicode, sizeof next->unicode, "%s", qn_analyzer_unicode_version());
    next->segment = calloc(1, sizeof *next->segment);
    return next->segment == NULL ? qn_fail_memory(error) : QUERN_OK;
}

/* `segment` NULL: no document was added. */
static quern_status publish(qn_index_writer *writer, const qn_manifest_segment *segment,
                            quern_error *error)
{
    qn_directory *directory = &writer->directory;
    qn_manifest next = {0};
    quern_status status = start_manifest(writer, &next, error);
    if (status == QUERN_OK && segment != NULL) {
        qn_manifest_segment named = *segment;
        const char *docs_name = segment->store_len > 0 ? writer->docs_name : NULL;
        status = qn_directory_name(directory, &named, &next, writer->index_name, docs_name, error);
        next.segment[next.n_segments++] = named;
    }
    if (status == QUERN_OK)
        status = qn_directory_publish(directory, &next, error);
    if (status != QUERN_OK)
        qn_directory_withdraw(directory);
    qn_manifest_free(&next);
    return status;
}

/* The new documents are in the index, whatever becomes of joining: that is tried again at the next
 * commit. */
static void join_by_policy(qn_index_writer *writer)
{
    const quern_build_options *options = &writer->options;
    qn_maintain_options maintain = {.background = qn_index_writer_has_second_thread(options),
                                    .memory = options->memory,
                                    .threads = options->threads,
                                    .progress = options->progress,
                                    .progress_arg = options->progress_arg};
    quern_build_report *report = &writer->report;
    qn_old_free(&writer->old); /* files that are joined need not stay open */
    if (qn_maintain_by_policy(&writer->directory, &maintain, &report->joined,
                              &report->join_error) == QUERN_OK)
        report->join_error = (quern_error){0};
}

static quern_status commit_all(qn_index_writer *writer, quern_error *error)
{
    commit_state commit = {.writer = writer};
    quern_build_report *report = &writer->report;
    quern_status status = qn_registry_settle(&writer->registry, writer->options.on_duplicate,
                                             &report->skipped, error);
    bool adds = writer->registry.n_docs > writer->registry.n_dropped || writer->old.n == 0;
    /* A record that could not be read is not one that is gone. */
    if (status == QUERN_OK && writer->options.prune && report->malformed == 0)
        status = qn_old_prune(&writer->old, &report->deleted, error);
    if (status == QUERN_OK && adds)
        status = make_segment(&commit, error);
    for (unsigned i = 0; i < writer->room.n_mills; i++) {
        report->long_words +=
            qn_tokenizer_long_words(writer->mill[i].tokenizer) + writer->mill[i].n_too_long;
        report->bad_utf8 += qn_tokenizer_bad_utf8(writer->mill[i].tokenizer);
    }
    if (status == QUERN_OK && (adds || report->deleted > 0 || report->replaced > 0))
        status = publish(writer, adds ? &commit.build.entry : NULL, error);
    qn_segment_build_close(&commit.build);
    free(commit.renumber);
    return status;
}

quern_status qn_index_writer_commit(qn_index_writer *writer, quern_build_report *report,
                                    quern_error *error)
{
    if (writer->failed)
        return qn_fail(error, QUERN_E_ARGUMENT, "the builder has failed before");
    writer->failed = true; /* whatever comes, it can only be closed */
    quern_status status = commit_all(writer, error);
    if (status != QUERN_OK)
        return status;
    if (writer->old.n > 0 && !writer->options.no_join)
        join_by_policy(writer);
    qn_directory_totals(&writer->directory, &writer->report.documents, &writer->report.index_bytes);
    if (report != NULL)
        *report = writer->report;
    return QUERN_OK;
}
