/* Taking documents: ids, analysis, inversion, store; runs when memory is full. */
#define _GNU_SOURCE
#include "index/build/writer.h"

#include "index/base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Tokens after which a run is written even where memory is left: longer runs are no faster (2 to 80
 * million tokens a run: within 10 %, 16 million best) and cost eight bytes a token. */
enum { RUN_TOKENS = 16 << 20 };

/* What the builder holds beside the counted tables: zstd's state, spool and file buffers,
 * tokenizer. A run of less than RUN_LEAST is not worth its place in the merge: where the rest
 * leaves it no room, the limit's margin of 16 MiB bears it. */
enum { FIXED_BYTES = 20 << 20, RUN_LEAST = 4 << 20, WORDS = 256, DEFAULT_RANGE_LOG2 = 9 };

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
    options->no_positions = options->no_positions || !meta->positions;
    if (options->tune == QUERN_TUNE_BALANCED)
        options->tune = meta->tune;
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

/* Whether the document store is compressed beside the rest: that is what a second thread is for. */
bool qn_index_writer_has_second_thread(const quern_build_options *options)
{
    return options->threads == 0 ? sysconf(_SC_NPROCESSORS_ONLN) > 1 : options->threads > 1;
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

static quern_status open_parts(qn_index_writer *writer, quern_error *error)
{
    const quern_build_options *options = &writer->options;
    int dirfd = writer->directory.dirfd;
    const char *path = writer->directory.path;
    writer->tokenizer = qn_tokenizer_new();
    if (writer->tokenizer == NULL)
        return qn_fail_memory(error);
    quern_status status = qn_vocabulary_init(&writer->vocabulary, writer->analyzer, error);
    if (status == QUERN_OK)
        status = qn_inverter_init(&writer->inverter, &writer->vocabulary, !options->no_positions,
                                  dirfd, path, error);
    if (status == QUERN_OK)
        status = qn_registry_init(&writer->registry, dirfd, path, error);
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
    qn_inverter_free(&writer->inverter);
    qn_vocabulary_free(&writer->vocabulary);
    qn_tokenizer_free(writer->tokenizer);
    qn_analyzer_free(writer->analyzer);
    free(writer->length);
    qn_old_free(&writer->old);
    if (writer->directory.lockfd >= 0) { /* only then are the temporary files its own */
        (void)unlinkat(writer->directory.dirfd, writer->docs_name, 0);
        (void)unlinkat(writer->directory.dirfd, writer->index_name, 0);
    }
    qn_directory_close(&writer->directory);
    *writer = (qn_index_writer){.directory = {.dirfd = -1, .lockfd = -1}};
}

/* ---- documents ---- */

/* "PLACE: " for messages, empty where there is no place. */
static void place_prefix(const qn_place *place, char *out, size_t len)
{
    if (place == NULL)
        out[0] = 0;
    else if (place->line == 0)
        (void)snprintf(out, len, "%s: ", place->file);
    else
        (void)snprintf(out, len, "%s:%llu: ", place->file, (unsigned long long)place->line);
}

static quern_status check_document(const qn_index_writer *writer, const quern_document *document,
                                   const qn_place *place, quern_error *error)
{
    char where[256];
    place_prefix(place, where, sizeof where);
    if (document->id.len == 0)
        return qn_fail(error, QUERN_E_INPUT, "%sa document has an empty id", where);
    if (document->id.len > QN_ID_MAX)
        return qn_fail(error, QUERN_E_INPUT, "%sa document's id has %zu bytes, more than %d", where,
                       document->id.len, QN_ID_MAX);
    uint64_t limit = writer->options.memory / QN_DOCUMENT_SHARE;
    uint64_t len = (uint64_t)document->title.len + document->text.len;
    if (writer->options.store == QUERN_STORE_RECORD)
        len += document->record.len;
    if (len > limit || len > UINT32_MAX / 2)
        return qn_fail(
            error, QUERN_E_INPUT,
            "%sa document has %llu bytes, more than an eighth of the memory limit (%llu)", where,
            (unsigned long long)len, (unsigned long long)limit);
    return QUERN_OK;
}

static quern_status duplicate(const quern_document *document, const qn_place *place,
                              const char *first, quern_error *error)
{
    char where[256];
    place_prefix(place, where, sizeof where);
    int len = document->id.len > 200 ? 200 : (int)document->id.len;
    return qn_fail(error, QUERN_E_DUPLICATE, "%sthe id \"%.*s\" was given before, at %s", where,
                   len, document->id.data, first);
}

/* Of the document's id in the index that is added to. QUERN_OK: add it; QUERN_END: leave it out. */
static quern_status check_old(qn_index_writer *writer, const quern_document *document,
                              const qn_place *place, bool analysed, quern_error *error)
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
    if (options->skip_unchanged && analysed)
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
                                    const qn_place *place, bool analysed, quern_error *error)
{
    const char *id = document->id.data;
    size_t len = document->id.len;
    uint32_t doc;
    quern_on_duplicate rule = writer->options.on_duplicate;
    quern_status status = check_old(writer, document, place, analysed, error);
    if (status != QUERN_OK)
        return status;
    status = qn_registry_find(&writer->registry, id, len, &doc, error);
    if (status != QUERN_OK)
        return status == QUERN_NOT_FOUND ? QUERN_OK : status;
    if (rule == QUERN_DUPLICATE_ERROR) {
        char first[256];
        qn_registry_place(&writer->registry, doc, first, sizeof first);
        return duplicate(document, place, first, error);
    }
    writer->report.skipped++;
    return rule == QUERN_DUPLICATE_SKIP ? QUERN_END
                                        : qn_registry_drop(&writer->registry, doc, error);
}

/* Whether the next WORDS words fit the memory limit, and `more` bytes. */
static bool has_room(const qn_index_writer *writer, uint64_t more)
{
    uint64_t used =
        FIXED_BYTES + writer->reserved + (uint64_t)qn_vocabulary_bytes(&writer->vocabulary) +
        qn_vocabulary_growth(&writer->vocabulary, WORDS) + qn_inverter_bytes(&writer->inverter) +
        qn_registry_bytes(&writer->registry) + writer->length_cap * sizeof(uint32_t) +
        qn_old_bytes(&writer->old) + writer->document_bytes + more;
    return used < writer->options.memory && writer->inverter.n_tokens < RUN_TOKENS;
}

/* Sees to it that the next WORDS words of the document fit the memory limit: writes a run, even in
 * the middle of the document, and gives back what it takes. */
static quern_status make_room(qn_index_writer *writer, quern_error *error)
{
    uint64_t words = qn_vocabulary_bytes(&writer->vocabulary);
    if (has_room(writer, 0) || words + qn_inverter_bytes(&writer->inverter) < RUN_LEAST)
        return QUERN_OK;
    quern_status status = qn_inverter_split(&writer->inverter, error);
    if (status != QUERN_OK)
        return status;
    /* Rare words would crowd out postings in the end: start afresh with those of the next run. What
     * is kept must leave room for a run worth its place, or the next is full at once. */
    if (words > writer->options.memory / 4 || !has_room(writer, RUN_LEAST)) {
        qn_vocabulary_free(&writer->vocabulary);
        status = qn_vocabulary_init(&writer->vocabulary, writer->analyzer, error);
    }
    if (status == QUERN_OK && !has_room(writer, RUN_LEAST))
        qn_inverter_trim(&writer->inverter);
    return status;
}

static quern_status add_field(qn_index_writer *writer, quern_span text, uint32_t *position,
                              uint32_t *length, quern_error *error)
{
    qn_word words[WORDS];
    uint32_t terms[WORDS];
    size_t n;
    qn_tokenizer_start(writer->tokenizer, text.data, text.len, *position);
    for (;;) {
        quern_status status = qn_tokenizer_next(writer->tokenizer, words, WORDS, &n, error);
        if (status != QUERN_OK)
            return status;
        if (n == 0)
            break;
        status = make_room(writer, error);
        if (status == QUERN_OK)
            status = qn_vocabulary_words(&writer->vocabulary, words, n, terms, error);
        if (status == QUERN_OK)
            status = qn_inverter_words(&writer->inverter, terms, words, n, length, error);
        if (status != QUERN_OK)
            return status;
    }
    *position = qn_tokenizer_position(writer->tokenizer);
    return QUERN_OK;
}

static quern_status add_text(qn_index_writer *writer, const quern_document *document,
                             uint32_t *length, quern_error *error)
{
    /* At most a position a byte; CJK bigrams have fewer than their bytes. */
    uint64_t most = (uint64_t)document->title.len + document->text.len + QN_FIELD_GAP + 1;
    quern_status status = qn_inverter_document(
        &writer->inverter, most > QN_POSITIONS_MAX ? QN_POSITIONS_MAX : (uint32_t)most, error);
    uint32_t position = 0;
    if (status == QUERN_OK && document->title.len > 0) {
        status = add_field(writer, document->title, &position, length, error);
        position += QN_FIELD_GAP;
    }
    if (status == QUERN_OK)
        status = add_field(writer, document->text, &position, length, error);
    return status;
}

static quern_status add_tokens(qn_index_writer *writer, const quern_token *tokens, size_t n,
                               uint32_t *length, quern_error *error)
{
    uint32_t last = n == 0 ? 0 : tokens[n - 1].position;
    quern_status status = qn_inverter_document(&writer->inverter, last + 1, error);
    for (size_t i = 0; status == QUERN_OK && i < n; i++) {
        uint32_t term = 0;
        if (i % WORDS == 0)
            status = make_room(writer, error);
        if (status == QUERN_OK)
            status = qn_vocabulary_term(&writer->vocabulary, tokens[i].term.data,
                                        tokens[i].term.len, &term, error);
        if (status == QUERN_OK)
            status = qn_inverter_token(&writer->inverter, term, tokens[i].position, error);
    }
    *length = (uint32_t)n;
    return status;
}

static quern_status check_tokens(const quern_token *tokens, size_t n, quern_error *error)
{
    if (n > QN_POSITIONS_MAX)
        return qn_fail(error, QUERN_E_INPUT, "a document has more than %u tokens",
                       QN_POSITIONS_MAX);
    for (size_t i = 0; i < n; i++) {
        if (tokens[i].term.len == 0 || tokens[i].term.len > QN_TERM_MAX)
            return qn_fail(error, QUERN_E_INPUT, "token %zu is empty or over %d bytes", i,
                           QN_TERM_MAX);
        if (tokens[i].position >= QN_POSITIONS_MAX ||
            (i > 0 && tokens[i].position < tokens[i - 1].position))
            return qn_fail(error, QUERN_E_INPUT, "the position of token %zu is out of range", i);
    }
    return QUERN_OK;
}

/* What a document takes while it is added: its source holds the record and an unescaped copy, the
 * store what it keeps and, at worst as large, what it makes of it. */
static uint64_t bytes_of(const qn_index_writer *writer, const quern_document *document)
{
    uint64_t len = (uint64_t)document->title.len + document->text.len;
    uint64_t record = document->record.len;
    uint64_t kept = writer->options.store == QUERN_STORE_NONE     ? 0
                    : writer->options.store == QUERN_STORE_RECORD ? len + record
                                                                  : len;
    return 2 * record + 2 * kept;
}

/* Everything of adding but the checks of tokens; `tokens` NULL: analyse title and text. */
static quern_status add(qn_index_writer *writer, const quern_document *document,
                        const qn_place *place, const quern_token *tokens, size_t n_tokens,
                        quern_error *error)
{
    if (writer->failed)
        return qn_fail(error, QUERN_E_ARGUMENT, "the builder has failed before");
    quern_status status = check_document(writer, document, place, error);
    if (status == QUERN_OK)
        status = check_duplicate(writer, document, place, tokens == NULL, error);
    if (status == QUERN_END)
        return QUERN_OK;
    if (status == QUERN_E_INPUT || status == QUERN_E_DUPLICATE)
        return status;
    writer->failed = true; /* until all has gone well */
    uint64_t len = (uint64_t)document->title.len + document->text.len;
    writer->document_bytes = bytes_of(writer, document);
    if (status == QUERN_OK) {
        void *lengths = writer->length;
        if (!qn_array_grow(&lengths, &writer->length_cap, (size_t)writer->registry.n_docs + 1,
                           sizeof(uint32_t)))
            return qn_fail_memory(error);
        writer->length = lengths;
    }
    uint32_t length = 0;
    if (status == QUERN_OK)
        status = tokens == NULL ? add_text(writer, document, &length, error)
                                : add_tokens(writer, tokens, n_tokens, &length, error);
    if (status == QUERN_OK)
        writer->length[writer->registry.n_docs] = length;
    if (status == QUERN_OK)
        status =
            qn_registry_add(&writer->registry, document->id.data, document->id.len, place, error);
    if (status == QUERN_OK && writer->docs != NULL)
        status = qn_docs_writer_add(writer->docs, document, error);
    if (status != QUERN_OK)
        return status;
    writer->report.input_bytes += len;
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
    quern_status status = check_tokens(tokens, n_tokens, error);
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
    quern_status status = qn_registry_find(&writer->registry, id.data, id.len, &doc, error);
    if (status == QUERN_OK) {
        status = qn_registry_drop(&writer->registry, doc, error);
    } else if (status == QUERN_NOT_FOUND) {
        status = qn_old_find(&writer->old, id.data, id.len, &at, error);
        if (status == QUERN_OK)
            status = qn_old_delete(&writer->old, &at, error);
    }
    writer->report.deleted += status == QUERN_OK;
    writer->failed = status != QUERN_OK && status != QUERN_NOT_FOUND;
    return status;
}
