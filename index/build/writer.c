/* Taking documents: ids, analysis, inversion, store; runs when memory is full. */
#define _GNU_SOURCE
#include "index/build/writer.h"

#include "index/base/status.h"
#include "index/base/thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Several mills start to work when so many bytes have been added: few documents are done before
 * threads have started. */
enum { CREW_FROM = 4 << 20 };

/* The share of the memory limit that the table of ids may take. */
enum { REGISTRY_SHARE = 8 };

/* ---- opening ---- */

/* What is not asked for otherwise is as in the index that is added to. */
static void take_over(qn_index_writer *writer)
{
    const qn_segment_meta *meta = &writer->old.one[0].segment.meta;
    quern_build_options *options = &writer->options;
    if (options->language == NULL)
        options->language = meta->language;
    if (options->stopwords.len == 0)
        options->stopwords = meta->stopwords;
    if (options->store == QUERN_STORE_TEXT)
        options->store = !meta->stored   ? QUERN_STORE_NONE
                         : meta->records ? QUERN_STORE_RECORD
                                         : QUERN_STORE_TEXT;
    if (writer->fields.n == 0)
        writer->fields = meta->fields;
    options->no_positions = options->no_positions || !meta->positions;
    if (options->tune == QUERN_TUNE_BALANCED)
        options->tune = meta->tune;
    options->reorder = options->reorder || writer->old.one[0].segment.ordinals != NULL;
    const quern_build_options defaults = QUERN_BUILD_OPTIONS;
    if (options->k1 == defaults.k1 && options->b == defaults.b) {
        options->k1 = meta->k1;
        options->b = meta->b;
    }
}

static quern_status hold_against_old(const qn_index_writer *writer, quern_error *error)
{
    const qn_analyzer_settings *own = qn_analyzer_get_settings(writer->analyzer);
    const qn_manifest *manifest = &writer->directory.manifest;
    const quern_build_options *options = &writer->options;
    const char *path = writer->directory.path;
    if (strcmp(manifest->language, own->language) != 0)
        return qn_fail(error, QUERN_E_ARGUMENT,
                       "%s was built for the language %s, not %s: append in the same language",
                       path, manifest->language, own->language);
    if (manifest->fingerprint != qn_analyzer_fingerprint(writer->analyzer))
        return qn_fail(error, QUERN_E_ANALYZER, "%s was built with another stemmer", path);
    for (size_t i = 0; i < writer->old.n; i++) {
        const qn_segment_meta *meta = &writer->old.one[i].segment.meta;
        if (meta->stopwords.len != own->stopwords.len ||
            (own->stopwords.len > 0 &&
             memcmp(meta->stopwords.data, own->stopwords.data, own->stopwords.len) != 0))
            return qn_fail(error, QUERN_E_ARGUMENT, "%s was built with other stop words", path);
        if (!qn_fields_same_names(&meta->fields, &writer->fields))
            return qn_fail(error, QUERN_E_ARGUMENT,
                           "%s keeps other fields apart than were asked for: append alike", path);
        if (meta->positions == options->no_positions)
            return qn_fail(error, QUERN_E_ARGUMENT, "%s was built %s positions: append alike", path,
                           meta->positions ? "with" : "without");
        if (meta->stored != (options->store != QUERN_STORE_NONE) ||
            meta->records != (options->store == QUERN_STORE_RECORD))
            return qn_fail(error, QUERN_E_ARGUMENT, "%s keeps %s of its documents: append alike",
                           path,
                           meta->records  ? "the whole records"
                           : meta->stored ? "title and text"
                                          : "nothing but the ids");
    }
    return QUERN_OK;
}

static quern_status check_options(quern_build_options *options, quern_error *error)
{
    if (options->memory < (uint64_t)32 << 20)
        return qn_fail(error, QUERN_E_ARGUMENT, "the memory limit must be at least 32 MiB");
    if (!(options->k1 >= 0 && options->k1 <= 3))
        return qn_fail(error, QUERN_E_ARGUMENT, "k1 must be within 0..3");
    if (!(options->b >= 0 && options->b <= 1))
        return qn_fail(error, QUERN_E_ARGUMENT, "b must be within 0..1");
    if (options->tune > QUERN_TUNE_SPEED)
        return qn_fail(error, QUERN_E_ARGUMENT, "there is no such tuning");
    if (options->force && options->append)
        return qn_fail(error, QUERN_E_ARGUMENT, "force and append exclude each other");
    if (options->prune && (!options->append || options->on_duplicate == QUERN_DUPLICATE_ERROR))
        return qn_fail(error, QUERN_E_ARGUMENT,
                       "prune is for documents that are given again: append, and replace or skip");
    return QUERN_OK;
}

bool qn_index_writer_has_second_thread(const quern_build_options *options)
{
    return qn_thread_count(options->threads) > 1;
}

static quern_status open_analyzer(qn_index_writer *writer, quern_error *error)
{
    quern_build_options *options = &writer->options;
    if (writer->old.n > 0)
        take_over(writer);
    if (options->language == NULL)
        options->language = "english";
    qn_analyzer_settings settings = {options->language, options->stopwords};
    quern_status status = qn_analyzer_new(&writer->analyzer, &settings, error);
    return status == QUERN_OK && writer->old.n > 0 ? hold_against_old(writer, error) : status;
}

static quern_status init_mill(qn_index_writer *writer, unsigned number, quern_error *error)
{
    return qn_mill_init(&writer->mill[number], &writer->room,
                        qn_analyzer_get_settings(writer->analyzer), writer->fields.n,
                        !writer->options.no_positions, writer->directory.dirfd,
                        writer->directory.path, error);
}

static quern_status open_parts(qn_index_writer *writer, quern_error *error)
{
    const quern_build_options *options = &writer->options;
    int dirfd = writer->directory.dirfd;
    const char *path = writer->directory.path;
    writer->n_mills = qn_mill_most(options->memory, qn_thread_count(options->threads));
    writer->crew_from = CREW_FROM;
    writer->crew_stretch = QN_CREW_STRETCH;
    writer->room = (qn_mill_room){.memory = options->memory, .n_mills = 1};
    writer->mill = calloc(writer->n_mills, sizeof *writer->mill);
    if (writer->mill == NULL)
        return qn_fail_memory(error);
    quern_status status = init_mill(writer, 0, error);
    if (status == QUERN_OK)
        status = qn_spooled_lengths_init(&writer->lengths, qn_fields_count(&writer->fields), dirfd,
                                         path, error);
    if (status == QUERN_OK)
        status = qn_registry_init(&writer->registry, (size_t)(options->memory / REGISTRY_SHARE),
                                  dirfd, path, error);
    (void)snprintf(writer->docs_name, sizeof writer->docs_name, "tmp-%ld.qs", (long)getpid());
    (void)snprintf(writer->index_name, sizeof writer->index_name, "tmp-%ld.qx", (long)getpid());
    /* Under a damaged manifest nothing was cleaned, and in a container numbers of processes recur.
     */
    (void)unlinkat(dirfd, writer->docs_name, 0);
    (void)unlinkat(dirfd, writer->index_name, 0);
    if (status == QUERN_OK && options->store != QUERN_STORE_NONE)
        status = qn_docs_writer_new(&writer->docs, dirfd, writer->docs_name, path,
                                    options->store == QUERN_STORE_RECORD,
                                    qn_index_writer_has_second_thread(options), error);
    return status;
}

quern_status qn_index_writer_open(qn_index_writer *writer, const char *path,
                                  const quern_build_options *options, quern_error *error)
{
    *writer = (qn_index_writer){.options = *options, .directory = {.dirfd = -1, .lockfd = -1}};
    quern_status status = check_options(&writer->options, error);
    if (status == QUERN_OK)
        status = qn_fields_parse(&writer->fields, options->fields, error);
    if (status != QUERN_OK)
        return status;
    status = qn_directory_open(&writer->directory, path,
                               options->append  ? QN_DIRECTORY_ADD
                               : options->force ? QN_DIRECTORY_REPLACE
                                                : QN_DIRECTORY_NEW,
                               error);
    if (status == QUERN_OK && options->append && writer->directory.there)
        status = qn_old_open(&writer->old, &writer->directory, error);
    if (status == QUERN_OK)
        status = open_analyzer(writer, error);
    if (status == QUERN_OK)
        status = open_parts(writer, error);
    if (status != QUERN_OK)
        qn_index_writer_close(writer);
    return status;
}

void qn_index_writer_close(qn_index_writer *writer)
{
    qn_docs_writer_free(writer->docs);
    qn_registry_free(&writer->registry);
    qn_crew_free(writer->crew);
    for (unsigned i = 0; writer->mill != NULL && i < writer->n_mills; i++)
        qn_mill_free(&writer->mill[i]);
    free(writer->mill);
    qn_analyzer_free(writer->analyzer);
    qn_spooled_lengths_free(&writer->lengths);
    qn_old_free(&writer->old);
    qn_buffer_free(&writer->joined);
    if (writer->directory.lockfd >= 0) { /* only then are the temporary files its own */
        (void)unlinkat(writer->directory.dirfd, writer->docs_name, 0);
        (void)unlinkat(writer->directory.dirfd, writer->index_name, 0);
    }
    qn_directory_close(&writer->directory);
    *writer = (qn_index_writer){.directory = {.dirfd = -1, .lockfd = -1}};
}

/* ---- documents ---- */

static quern_status duplicate(const quern_document *document, const qn_place *place,
                              const char *first, quern_error *error)
{
    char where[256];
    qn_document_place(place, where, sizeof where);
    int len = document->id.len > 200 ? 200 : (int)document->id.len;
    return qn_fail(error, QUERN_E_DUPLICATE, "%sthe id \"%.*s\" was given before, at %s", where,
                   len, document->id.data, first);
}

/* Of the document's id in the index that is added to. QUERN_OK: add it; QUERN_END: leave it out. */
static quern_status check_old(qn_index_writer *writer, const quern_document *document,
                              const qn_place *place, bool comparable, quern_error *error)
{
    const quern_build_options *options = &writer->options;
    qn_old_place at;
    bool equal = false;
    quern_status status =
        qn_old_find(&writer->old, document->id.data, document->id.len, &at, error);
    if (status != QUERN_OK)
        return status == QUERN_NOT_FOUND ? QUERN_OK : status;
    if (options->on_duplicate == QUERN_DUPLICATE_ERROR)
        return duplicate(document, place, "the index that is appended to", error);
    if (options->prune)
        status = qn_old_see(&writer->old, &at, error);
    if (status != QUERN_OK)
        return status;
    if (options->on_duplicate == QUERN_DUPLICATE_SKIP) {
        writer->report.skipped++;
        return QUERN_END;
    }
    if (options->skip_unchanged && comparable)
        status = qn_old_equals(&writer->old, &at, document, &equal, error);
    if (status != QUERN_OK)
        return status;
    if (equal) {
        writer->report.unchanged++;
        return QUERN_END;
    }
    writer->report.replaced++;
    return qn_old_delete(&writer->old, &at, error);
}

/* Likewise in the index and among the documents that were added. */
static quern_status check_duplicate(qn_index_writer *writer, const quern_document *document,
                                    const qn_place *place, bool comparable, quern_error *error)
{
    const char *id = document->id.data;
    size_t len = document->id.len;
    uint32_t doc;
    quern_on_duplicate rule = writer->options.on_duplicate;
    quern_status status = check_old(writer, document, place, comparable, error);
    if (status != QUERN_OK)
        return status;
    status = qn_registry_find(&writer->registry, id, len, &doc, error);
    if (status != QUERN_OK)
        return status == QUERN_NOT_FOUND ? QUERN_OK : status;
    if (rule == QUERN_DUPLICATE_ERROR) {
        char first[256];
        status = qn_registry_place(&writer->registry, doc, first, sizeof first, error);
        return status != QUERN_OK ? status : duplicate(document, place, first, error);
    }
    writer->report.skipped++;
    return rule == QUERN_DUPLICATE_SKIP ? QUERN_END
                                        : qn_registry_drop(&writer->registry, doc, error);
}

/* What a document takes while it is added: its source holds the record and an unescaped copy, the
 * store what it keeps and, at worst as large, what it makes of it; and what is kept may have been
 * joined. */
static uint64_t bytes_of(const qn_index_writer *writer, const quern_document *document)
{
    uint64_t len = qn_document_len(&writer->fields, document);
    uint64_t record = document->record.len, joined = writer->joined.cap;
    uint64_t kept = writer->options.store == QUERN_STORE_NONE     ? 0
                    : writer->options.store == QUERN_STORE_RECORD ? len + record
                                                                  : len;
    return 2 * record + 2 * kept + joined;
}

static quern_status start_crew(qn_index_writer *writer, quern_error *error)
{
    writer->room.n_mills = writer->n_mills;
    for (unsigned i = 1; i < writer->n_mills; i++) {
        quern_status status = init_mill(writer, i, error);
        if (status != QUERN_OK)
            return status;
    }
    quern_status status = qn_crew_new(&writer->crew, writer->mill, writer->n_mills,
                                      writer->options.memory, writer->crew_stretch, error);
    if (status == QUERN_OK && writer->crew == NULL)
        writer->room.n_mills = writer->n_mills = 1; /* without threads it goes, too */
    return status;
}

/* Inverts the document, here or in a thread; its number is that of the registry's next. */
static quern_status invert(qn_index_writer *writer, const quern_document *document,
                           const quern_token *tokens, size_t n_tokens, quern_error *error)
{
    uint32_t doc = writer->registry.n_docs;
    writer->room.others = writer->reserved + qn_registry_bytes(&writer->registry) +
                          qn_spooled_lengths_bytes(&writer->lengths) + qn_old_bytes(&writer->old) +
                          (writer->crew == NULL ? 0 : qn_crew_bytes(writer->crew)) +
                          bytes_of(writer, document);
    if (writer->crew == NULL && writer->n_mills > 1 && writer->added_bytes >= writer->crew_from) {
        quern_status status = start_crew(writer, error);
        if (status != QUERN_OK)
            return status;
    }
    writer->added_bytes += qn_document_len(&writer->fields, document);
    quern_span text[QN_FIELDS_MAX];
    uint32_t length[QN_FIELDS_MAX];
    qn_document_texts(&writer->fields, document, text);
    if (writer->crew != NULL)
        return qn_crew_add(writer->crew, doc, text, tokens, n_tokens, &writer->lengths, error);
    quern_status status = tokens == NULL
                              ? qn_mill_document(writer->mill, doc, text, length, error)
                              : qn_mill_tokens(writer->mill, doc, tokens, n_tokens, length, error);
    return status == QUERN_OK ? qn_spooled_lengths_add(&writer->lengths, doc, length, error)
                              : status;
}

/* Everything of adding but the checks of tokens; `tokens` NULL: analyse title and text. */
static quern_status add(qn_index_writer *writer, const quern_document *document,
                        const qn_place *place, const quern_token *tokens, size_t n_tokens,
                        quern_error *error)
{
    if (writer->failed)
        return qn_fail(error, QUERN_E_ARGUMENT, "the builder has failed before");
    quern_document kept;
    bool records = writer->options.store == QUERN_STORE_RECORD;
    quern_status status =
        qn_document_check(&writer->fields, document, place, records, writer->options.memory, error);
    if (status == QUERN_OK && !qn_document_kept(&writer->fields, document, &writer->joined, &kept))
        return qn_fail_memory(error);
    bool comparable =
        tokens == NULL && qn_document_kept_tells_all(&writer->fields, document, records);
    if (status == QUERN_OK)
        status = check_duplicate(writer, &kept, place, comparable, error);
    if (status == QUERN_END)
        return QUERN_OK;
    if (status == QUERN_E_INPUT || status == QUERN_E_DUPLICATE)
        return status;
    writer->failed = true; /* until all has gone well */
    if (status == QUERN_OK)
        status = invert(writer, document, tokens, n_tokens, error);
    if (status == QUERN_OK)
        status =
            qn_registry_add(&writer->registry, document->id.data, document->id.len, place, error);
    if (status == QUERN_OK && writer->docs != NULL)
        status = qn_docs_writer_add(writer->docs, &kept, error);
    if (status != QUERN_OK)
        return status;
    writer->report.input_bytes += qn_document_len(&writer->fields, document);
    writer->failed = false;
    return QUERN_OK;
}

quern_status qn_index_writer_add(qn_index_writer *writer, const quern_document *document,
                                 const qn_place *place, quern_error *error)
{
    return add(writer, document, place, NULL, 0, error);
}

quern_status qn_index_writer_add_tokens(qn_index_writer *writer, const quern_document *document,
                                        const quern_token *tokens, size_t n_tokens,
                                        quern_error *error)
{
    static const quern_token none;
    quern_status status = qn_document_check_tokens(&writer->fields, tokens, n_tokens, error);
    if (status != QUERN_OK)
        return status;
    return add(writer, document, NULL, n_tokens == 0 ? &none : tokens, n_tokens, error);
}

quern_status qn_index_writer_delete(qn_index_writer *writer, quern_span id, quern_error *error)
{
    uint32_t doc;
    qn_old_place at;
    if (writer->failed)
        return qn_fail(error, QUERN_E_ARGUMENT, "the builder has failed before");
    bool found = false;
    quern_status status = QUERN_OK;
    while (status == QUERN_OK) { /* each window may have one */
        status = qn_registry_find_any(&writer->registry, id.data, id.len, &doc, error);
        found = found || status == QUERN_OK;
        if (status == QUERN_OK)
            status = qn_registry_drop(&writer->registry, doc, error);
    }
    if (status == QUERN_NOT_FOUND && found) {
        status = QUERN_OK;
    } else if (status == QUERN_NOT_FOUND) {
        status = qn_old_find(&writer->old, id.data, id.len, &at, error);
        if (status == QUERN_OK)
            status = qn_old_delete(&writer->old, &at, error);
    }
    writer->report.deleted += status == QUERN_OK;
    writer->failed = status != QUERN_OK && status != QUERN_NOT_FOUND;
    return status;
}
