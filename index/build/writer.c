/* Taking documents: directory and lock, ids, analysis, inversion, store; runs when memory is full.
 */
#define _GNU_SOURCE
#include "index/build/writer.h"

#include "index/base/status.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Tokens after which a run is written even where memory is left: longer runs are no faster (2 to 80
 * million tokens a run: within 10 %, 16 million best) and cost eight bytes a token. */
enum { RUN_TOKENS = 16 << 20 };

/* What the builder holds beside the counted tables: zstd's state, spool and file buffers,
 * tokenizer. A run of less than RUN_LEAST is not worth its place in the merge: where the rest
 * leaves it no room, the limit's margin of 16 MiB bears it. */
enum { FIXED_BYTES = 20 << 20, RUN_LEAST = 4 << 20, WORDS = 256, DEFAULT_RANGE_LOG2 = 9 };

/* ---- opening ---- */

static quern_status open_dir(qn_index_writer *writer, quern_error *error)
{
    if (mkdir(writer->path, 0777) == 0)
        writer->made_dir = true;
    else if (errno != EEXIST)
        return qn_fail_sys(error, errno, "create", writer->path);
    writer->dirfd = open(writer->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (writer->dirfd < 0)
        return errno == ENOTDIR
                   ? qn_fail(error, QUERN_E_EXISTS, "%s is not a directory", writer->path)
                   : qn_fail_sys(error, errno, "open", writer->path);
    return QUERN_OK;
}

/* A second handle on the directory, for readdir; NULL on failure. */
static DIR *list_dir(int dirfd)
{
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL && fd >= 0)
        (void)close(fd);
    return dir;
}

static quern_status refuse_foreign(const qn_index_writer *writer, quern_error *error)
{
    DIR *dir = list_dir(writer->dirfd);
    if (dir == NULL)
        return qn_fail_sys(error, errno, "list", writer->path);
    quern_status status = QUERN_OK;
    const struct dirent *entry;
    while (status == QUERN_OK && (entry = readdir(dir)) != NULL) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !qn_manifest_owns(name))
            status = qn_fail(error, QUERN_E_EXISTS,
                             "%s holds other files than an index (%.80s): choose another directory",
                             writer->path, name);
    }
    (void)closedir(dir);
    return status;
}

void qn_index_writer_clean(int dirfd, const qn_manifest *manifest)
{
    DIR *dir = list_dir(dirfd);
    if (dir == NULL)
        return; /* leftovers cost space only; the next writer tries again */
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL)
        if (qn_manifest_is_orphan(manifest, entry->d_name))
            (void)unlinkat(dirfd, entry->d_name, 0);
    (void)closedir(dir);
}

/* Opens the segments that are there, whose ids new documents are held against, and takes over what
 * the index's analyzer must share. */
static quern_status open_old(qn_index_writer *writer, quern_error *error)
{
    size_t n = writer->manifest.n_segments;
    if (n >= QN_SEGMENTS_MAX)
        return qn_fail(error, QUERN_E_ARGUMENT, "%s has %d segments, and an index holds no more",
                       writer->path, QN_SEGMENTS_MAX);
    writer->old = calloc(n + 1, sizeof *writer->old);
    if (writer->old == NULL)
        return qn_fail_memory(error);
    quern_open_options options = QUERN_OPEN_OPTIONS;
    for (; writer->n_old < n; writer->n_old++) {
        quern_status status =
            qn_segment_open(&writer->old[writer->n_old], writer->dirfd,
                            &writer->manifest.segment[writer->n_old], &options, error);
        if (status != QUERN_OK)
            return status;
    }
    return QUERN_OK;
}

static quern_status hold_against_old(const qn_index_writer *writer, quern_error *error)
{
    const qn_analyzer_settings *own = qn_analyzer_get_settings(writer->analyzer);
    if (strcmp(writer->manifest.language, own->language) != 0)
        return qn_fail(error, QUERN_E_ARGUMENT,
                       "%s was built for the language %s, not %s: append in the same language",
                       writer->path, writer->manifest.language, own->language);
    if (writer->manifest.fingerprint != qn_analyzer_fingerprint(writer->analyzer))
        return qn_fail(error, QUERN_E_ANALYZER, "%s was built with another stemmer", writer->path);
    for (size_t i = 0; i < writer->n_old; i++) {
        const qn_segment_meta *meta = &writer->old[i].meta;
        if (meta->stopwords.len != own->stopwords.len ||
            (own->stopwords.len > 0 &&
             memcmp(meta->stopwords.data, own->stopwords.data, own->stopwords.len) != 0))
            return qn_fail(error, QUERN_E_ARGUMENT, "%s was built with other stop words",
                           writer->path);
        if (meta->positions == writer->options.no_positions)
            return qn_fail(error, QUERN_E_ARGUMENT, "%s was built %s positions: append alike",
                           writer->path, meta->positions ? "with" : "without");
    }
    return QUERN_OK;
}

static quern_status open_index(qn_index_writer *writer, quern_error *error)
{
    quern_status status = refuse_foreign(writer, error);
    if (status == QUERN_OK)
        status = qn_manifest_lock(&writer->lockfd, writer->dirfd, writer->path, error);
    if (status != QUERN_OK)
        return status;
    quern_error ignored;
    status = qn_manifest_read(&writer->manifest, writer->dirfd, writer->path, &ignored);
    bool there = status != QUERN_NOT_FOUND;
    if (there && !writer->options.force && !writer->options.append)
        return qn_fail(error, QUERN_E_EXISTS, "%s is an index already", writer->path);
    if (status != QUERN_OK && there && !writer->options.force) {
        if (error != NULL)
            *error = ignored; /* a damaged manifest can be replaced, not appended to */
        return status;
    }
    /* A reader may still name the files of a damaged manifest: they go at the commit. */
    if (status == QUERN_OK || !there)
        qn_index_writer_clean(writer->dirfd, there ? &writer->manifest : NULL);
    return there && writer->options.append ? open_old(writer, error) : QUERN_OK;
}

static quern_status check_options(quern_build_options *options, quern_error *error)
{
    if (options->language == NULL)
        options->language = "english";
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
    if (options->append && options->on_duplicate == QUERN_DUPLICATE_REPLACE)
        return qn_fail(error, QUERN_E_ARGUMENT,
                       "append cannot replace documents of the index that is there");
    return QUERN_OK;
}

/* Whether the document store is compressed beside the rest: that is what a second thread is for. */
static bool has_second_thread(const quern_build_options *options)
{
    return options->threads == 0 ? sysconf(_SC_NPROCESSORS_ONLN) > 1 : options->threads > 1;
}

static quern_status open_parts(qn_index_writer *writer, quern_error *error)
{
    const quern_build_options *options = &writer->options;
    qn_analyzer_settings settings = {options->language, options->stopwords};
    quern_status status = qn_analyzer_new(&writer->analyzer, &settings, error);
    if (status == QUERN_OK && writer->n_old > 0)
        status = hold_against_old(writer, error);
    if (status != QUERN_OK)
        return status;
    writer->tokenizer = qn_tokenizer_new();
    if (writer->tokenizer == NULL)
        return qn_fail_memory(error);
    status = qn_vocabulary_init(&writer->vocabulary, writer->analyzer, error);
    if (status == QUERN_OK)
        status = qn_inverter_init(&writer->inverter, &writer->vocabulary, !options->no_positions,
                                  writer->dirfd, writer->path, error);
    if (status == QUERN_OK)
        status = qn_registry_init(&writer->registry, writer->dirfd, writer->path, error);
    (void)snprintf(writer->docs_name, sizeof writer->docs_name, "tmp-%ld.qs", (long)getpid());
    (void)snprintf(writer->index_name, sizeof writer->index_name, "tmp-%ld.qx", (long)getpid());
    /* Under a damaged manifest nothing was cleaned, and in a container numbers of processes recur.
     */
    (void)unlinkat(writer->dirfd, writer->docs_name, 0);
    (void)unlinkat(writer->dirfd, writer->index_name, 0);
    if (status == QUERN_OK && options->store != QUERN_STORE_NONE)
        status = qn_docs_writer_new(&writer->docs, writer->dirfd, writer->docs_name, writer->path,
                                    options->store == QUERN_STORE_RECORD,
                                    has_second_thread(options), error);
    return status;
}

quern_status qn_index_writer_open(qn_index_writer *writer, const char *path,
                                  const quern_build_options *options, quern_error *error)
{
    *writer = (qn_index_writer){.options = *options, .dirfd = -1, .lockfd = -1};
    quern_status status = check_options(&writer->options, error);
    if (status != QUERN_OK)
        return status;
    writer->path = strdup(path);
    if (writer->path == NULL)
        return qn_fail_memory(error);
    status = open_dir(writer, error);
    if (status == QUERN_OK)
        status = open_index(writer, error);
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
    for (size_t i = 0; i < writer->n_old; i++)
        qn_segment_close(&writer->old[i]);
    free(writer->old);
    qn_manifest_free(&writer->manifest);
    if (writer->lockfd >= 0) { /* only then are the temporary files its own */
        (void)unlinkat(writer->dirfd, writer->docs_name, 0);
        (void)unlinkat(writer->dirfd, writer->index_name, 0);
        if (writer->made_dir)
            (void)unlinkat(writer->dirfd, QN_LOCK_NAME, 0);
        (void)close(writer->lockfd);
    }
    if (writer->dirfd >= 0)
        (void)close(writer->dirfd);
    if (writer->made_dir)
        (void)rmdir(writer->path);
    free(writer->path);
    *writer = (qn_index_writer){.dirfd = -1, .lockfd = -1};
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

static quern_status duplicate(const qn_index_writer *writer, const quern_document *document,
                              const qn_place *place, const char *first, quern_error *error)
{
    (void)writer;
    char where[256];
    place_prefix(place, where, sizeof where);
    int len = document->id.len > 200 ? 200 : (int)document->id.len;
    return qn_fail(error, QUERN_E_DUPLICATE, "%sthe id \"%.*s\" was given before, at %s", where,
                   len, document->id.data, first);
}

/* QUERN_OK: add it; QUERN_END: skip it. */
static quern_status check_duplicate(qn_index_writer *writer, const quern_document *document,
                                    const qn_place *place, quern_error *error)
{
    const char *id = document->id.data;
    size_t len = document->id.len;
    uint32_t doc;
    quern_on_duplicate rule = writer->options.on_duplicate;
    for (size_t i = 0; i < writer->n_old; i++) {
        quern_status status = qn_ids_find(&writer->old[i].ids, id, len, &doc, error);
        if (status == QUERN_NOT_FOUND)
            continue;
        if (status != QUERN_OK)
            return status;
        return rule == QUERN_DUPLICATE_SKIP
                   ? QUERN_END
                   : duplicate(writer, document, place, "the index that is appended to", error);
    }
    quern_status status = qn_registry_find(&writer->registry, id, len, &doc, error);
    if (status != QUERN_OK)
        return status == QUERN_NOT_FOUND ? QUERN_OK : status;
    if (rule == QUERN_DUPLICATE_SKIP)
        return QUERN_END;
    if (rule == QUERN_DUPLICATE_REPLACE) {
        writer->report.skipped++;
        return qn_registry_drop(&writer->registry, doc, error);
    }
    char first[256];
    qn_registry_place(&writer->registry, doc, first, sizeof first);
    return duplicate(writer, document, place, first, error);
}

/* Whether the next WORDS words fit the memory limit, and `more` bytes. */
static bool has_room(const qn_index_writer *writer, uint64_t more)
{
    uint64_t used = FIXED_BYTES + writer->reserved +
                    (uint64_t)qn_vocabulary_bytes(&writer->vocabulary) +
                    qn_vocabulary_growth(&writer->vocabulary, WORDS) +
                    qn_inverter_bytes(&writer->inverter) + qn_registry_bytes(&writer->registry) +
                    writer->length_cap * sizeof(uint32_t) + writer->document_bytes + more;
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
        status = check_duplicate(writer, document, place, error);
    if (status == QUERN_END) {
        writer->report.skipped++;
        return QUERN_OK;
    }
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
