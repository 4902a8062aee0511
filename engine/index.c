/* Opening index directories: manifest, segments, the analyzer they agree on; statistics; verify. */
#define _GNU_SOURCE
#include "engine/index.h"

#include "index/base/status.h"
#include "index/segment/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { OPEN_TRIES = 8 };

_Static_assert((int)QUERN_FIELDS_MAX == (int)QN_FIELDS_MAX, "all fields can be listed");

static bool reserve_segments(quern_index *index, size_t extra)
{
    qn_segment *grown = realloc(index->segment, (index->n_segments + extra + 1) * sizeof *grown);
    if (grown == NULL)
        return false;
    index->segment = grown;
    return true;
}

/* The parts of a segment point into the segment itself, so the array must not move any more: this
 * sets them right after the last growth. */
static void settle(quern_index *index)
{
    uint64_t base = 0;
    for (size_t i = 0; i < index->n_segments; i++) {
        qn_segment *segment = &index->segment[i];
        segment->dict.container = segment->ids.container = &segment->index;
        segment->docs.container = &segment->store;
        segment->base = (uint32_t)base;
        base += segment->meta.n_docs;
        index->n_deleted += segment->n_deleted;
    }
    index->n_docs = (uint32_t)base;
}

static quern_status open_segments(quern_index *index, int dirfd, const qn_manifest *manifest,
                                  const quern_open_options *options, quern_error *error)
{
    if (!reserve_segments(index, manifest->n_segments))
        return qn_fail_memory(error);
    size_t before = index->n_segments;
    for (size_t i = 0; i < manifest->n_segments; i++) {
        quern_status status = qn_segment_open(&index->segment[index->n_segments], dirfd,
                                              &manifest->segment[i], options, error);
        if (status != QUERN_OK) {
            while (index->n_segments > before)
                qn_segment_close(&index->segment[--index->n_segments]);
            return status;
        }
        index->n_segments++;
    }
    return QUERN_OK;
}

/* Opens one directory. A commit between reading the manifest and opening a file may have removed
 * it: then the new manifest is read. */
static quern_status open_dir(quern_index *index, const char *path,
                             const quern_open_options *options, quern_error *error)
{
    int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0)
        return errno == ENOTDIR
                   ? qn_fail(error, QUERN_E_ARGUMENT, "%s is not an index directory", path)
                   : qn_fail_sys(error, errno, "open", path);
    quern_status status = QUERN_OK;
    for (int tries = 0; tries < OPEN_TRIES; tries++) {
        quern_error local = {0};
        qn_manifest manifest;
        status = qn_manifest_read(&manifest, dirfd, path, &local);
        if (status == QUERN_OK) {
            status = open_segments(index, dirfd, &manifest, options, &local);
            qn_manifest_free(&manifest);
        } else if (status == QUERN_NOT_FOUND) {
            status = qn_fail(&local, QUERN_E_ARGUMENT, "%s holds no index", path);
        }
        if (error != NULL && status != QUERN_OK)
            *error = local;
        if (status != QUERN_E_IO || local.sys_errno != ENOENT)
            break;
    }
    (void)close(dirfd);
    return status;
}

static quern_status refuse_analyzer(quern_index *index, const quern_open_options *options,
                                    quern_error *error)
{
    const qn_segment_meta *first = &index->segment[0].meta;
    for (size_t i = 1; i < index->n_segments; i++)
        if (!qn_meta_same_analyzer(first, &index->segment[i].meta))
            return qn_fail(error, QUERN_E_ARGUMENT,
                           "the segments were built with different analyzers or fields");
    index->settings = (qn_analyzer_settings){first->language, first->stopwords};
    qn_analyzer *analyzer;
    quern_status status = qn_analyzer_new(&analyzer, &index->settings, error);
    if (status == QUERN_E_ARGUMENT) /* from the file, so not the caller's doing */
        return qn_fail(error, QUERN_E_ANALYZER,
                       "the index was built for the language \"%s\", "
                       "which this library does not stem",
                       first->language);
    if (status != QUERN_OK)
        return status;
    bool same = first->rules == QN_ANALYZER_RULES &&
                first->fingerprint == qn_analyzer_fingerprint(analyzer);
    qn_analyzer_free(analyzer);
    if (same || options->any_analyzer)
        return QUERN_OK;
    return qn_fail(error, QUERN_E_ANALYZER,
                   "the index was built with a stemmer or word rules that behave differently");
}

quern_status quern_index_open_many(quern_index **out, const char *const *paths, size_t n_paths,
                                   const quern_open_options *options, quern_error *error)
{
    if (out == NULL || paths == NULL || n_paths == 0 || n_paths > QN_PATHS_MAX)
        return qn_fail(error, QUERN_E_ARGUMENT, "between 1 and %d paths must be given",
                       QN_PATHS_MAX);
    *out = NULL;
    quern_open_options defaults = QUERN_OPEN_OPTIONS;
    if (options == NULL)
        options = &defaults;
    if (options->size != sizeof *options)
        return qn_fail(error, QUERN_E_ARGUMENT, "the open options have an unknown size");
    quern_index *index = calloc(1, sizeof *index);
    if (index == NULL)
        return qn_fail_memory(error);
    quern_status status = QUERN_OK;
    for (size_t i = 0; status == QUERN_OK && i < n_paths; i++)
        status = open_dir(index, paths[i], options, error);
    uint64_t documents = 0;
    for (size_t i = 0; i < index->n_segments; i++)
        documents += index->segment[i].meta.n_docs;
    if (status == QUERN_OK && documents > QN_DOCS_MAX)
        status = qn_fail(error, QUERN_E_ARGUMENT, "the indexes hold more than %u documents",
                         QN_DOCS_MAX);
    if (status == QUERN_OK && index->n_segments == 0)
        status = qn_fail(error, QUERN_E_DAMAGED, "%s names no segment", paths[0]);
    if (status == QUERN_OK) {
        settle(index);
        status = refuse_analyzer(index, options, error);
    }
    if (status != QUERN_OK) {
        quern_index_close(index);
        return status;
    }
    *out = index;
    return QUERN_OK;
}

quern_status quern_index_open(quern_index **out, const char *path,
                              const quern_open_options *options, quern_error *error)
{
    return quern_index_open_many(out, &path, path == NULL ? 0 : 1, options, error);
}

void quern_index_close(quern_index *index)
{
    if (index == NULL)
        return;
    for (size_t i = 0; i < index->n_segments; i++)
        qn_segment_close(&index->segment[i]);
    free(index->segment);
    free(index);
}

const qn_segment *qn_index_segment_of(const quern_index *index, uint32_t doc)
{
    size_t low = 0, high = index->n_segments;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (index->segment[middle].base <= doc)
            low = middle;
        else
            high = middle;
    }
    return &index->segment[low];
}

size_t quern_index_fields(const quern_index *index, quern_field fields[QUERN_FIELDS_MAX])
{
    const qn_fields *first = &index->segment[0].meta.fields;
    for (unsigned f = 0; f < first->n; f++) {
        fields[f] = (quern_field){.name = first->field[f].name, .weight = first->field[f].weight};
        for (size_t i = 0; i < index->n_segments; i++)
            fields[f].tokens += index->segment[i].meta.counts[f].n_tokens;
        fields[f].average_length =
            index->n_docs == 0 ? 0 : (double)fields[f].tokens / (double)index->n_docs;
    }
    return first->n;
}

void quern_index_stats(const quern_index *index, quern_stats *stats)
{
    const qn_segment_meta *first = &index->segment[0].meta;
    *stats = (quern_stats){.documents = index->n_docs - index->n_deleted,
                           .deleted = index->n_deleted,
                           .segments = index->n_segments,
                           .k1 = first->k1,
                           .b = first->b,
                           .tune = first->tune,
                           .reordered = index->segment[0].ordinals != NULL,
                           .positions = true,
                           .stored = true,
                           .language = first->language};
    for (size_t i = 0; i < index->n_segments; i++) {
        const qn_segment_meta *meta = &index->segment[i].meta;
        stats->tokens += meta->n_tokens;
        stats->terms += meta->n_terms; /* a term counts once a segment */
        stats->postings += meta->n_postings;
        stats->positions = stats->positions && meta->positions;
        stats->stored = stats->stored && meta->stored;
        qn_segment_bytes(&index->segment[i], &stats->bytes);
    }
    stats->average_length = index->n_docs == 0 ? 0 : (double)stats->tokens / (double)index->n_docs;
}

quern_status quern_verify(const char *path,
                          void (*told)(void *arg, const char *file, const char *defect), void *arg,
                          quern_error *error)
{
    quern_open_options options = QUERN_OPEN_OPTIONS;
    options.any_analyzer = true;
    quern_index *index;
    quern_error local = {0};
    quern_status status = quern_index_open(&index, path, &options, &local);
    if (status != QUERN_OK) {
        if (told != NULL && (status == QUERN_E_DAMAGED || status == QUERN_E_VERSION))
            told(arg, path, local.message);
        if (error != NULL)
            *error = local;
        return status;
    }
    quern_status worst = QUERN_OK;
    for (size_t i = 0; i < index->n_segments; i++) {
        qn_segment_sweep(&index->segment[i]);
        status = qn_verify_segment(&index->segment[i], told, arg, &local);
        if (status != QUERN_OK && worst == QUERN_OK) {
            worst = status;
            if (error != NULL)
                *error = local;
        }
    }
    quern_index_close(index);
    return worst;
}
