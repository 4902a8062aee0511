/* Joining the segments of one index or of several: see maintain.h. */
#define _GNU_SOURCE
#include "index/build/maintain.h"

#include "index/base/status.h"
#include "index/build/join.h"
#include "index/build/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Segments that were opened to be joined. */
typedef struct opened {
    qn_segment *segment;
    size_t n, cap;
} opened;

static void close_all(opened *o)
{
    for (size_t i = 0; i < o->n; i++)
        qn_segment_close(&o->segment[i]);
    free(o->segment);
    *o = (opened){0};
}

/* Opens segments [first, first + n) of a manifest. There must be room: open segments do not move.
 */
static quern_status open_some(opened *o, int dirfd, const qn_manifest *manifest, size_t first,
                              size_t n, quern_error *error)
{
    quern_open_options options = QUERN_OPEN_OPTIONS;
    options.paranoid = true; /* damage must not be copied under new checksums */
    for (size_t i = first; i < first + n; i++) {
        quern_status status =
            qn_segment_open(&o->segment[o->n], dirfd, &manifest->segment[i], &options, error);
        if (status != QUERN_OK)
            return status;
        qn_segment_sweep(&o->segment[o->n]);
        o->n++;
    }
    return QUERN_OK;
}

static quern_status reserve(opened *o, size_t n, quern_error *error)
{
    o->segment = calloc(n + 1, sizeof *o->segment);
    o->cap = n;
    return o->segment == NULL ? qn_fail_memory(error) : QUERN_OK;
}

/* Makes a manifest of `kept` in which the segment that was joined, unless it is empty and not the
 * only one, stands at `place`, and publishes it. */
static quern_status publish(qn_directory *directory, qn_manifest *kept, size_t place,
                            const qn_join_files *files, const qn_manifest_segment *joined,
                            quern_error *error)
{
    qn_manifest_segment named = *joined;
    quern_status status = QUERN_OK;
    if (joined->documents > 0 || kept->n_segments == 0) {
        status = qn_directory_name(directory, &named, kept, files->index,
                                   files->stored ? files->docs : NULL, error);
        memmove(kept->segment + place + 1, kept->segment + place,
                (kept->n_segments - place) * sizeof *kept->segment);
        kept->segment[place] = named;
        kept->n_segments++;
    }
    if (status == QUERN_OK)
        status = qn_directory_publish(directory, kept, error);
    if (status != QUERN_OK)
        qn_directory_withdraw(directory);
    return status;
}

static bool is_to_be_reordered(const qn_segment *first, const qn_maintain_options *options)
{
    return options->reorder == QUERN_REORDER_KEEP ? first->ordinals != NULL
                                                  : options->reorder == QUERN_REORDER_ON;
}

static qn_join_input input_of(const opened *o, const qn_maintain_options *options)
{
    const qn_segment_meta *first = &o->segment[0].meta;
    return (qn_join_input){.segment = o->segment,
                           .n = o->n,
                           .k1 = options->retune ? options->k1 : first->k1,
                           .b = options->retune ? options->b : first->b,
                           .tune = options->retune ? options->tune : first->tune,
                           .background = options->background,
                           .reorder = is_to_be_reordered(&o->segment[0], options),
                           .memory = options->memory,
                           .threads = options->threads,
                           .progress = options->progress,
                           .progress_arg = options->progress_arg};
}

/* Joins segments [first, first + n) of the index. */
static quern_status join_range(qn_directory *directory, size_t first, size_t n,
                               const qn_maintain_options *options, quern_error *error)
{
    opened o = {0};
    qn_join_files files;
    qn_manifest_segment joined;
    qn_manifest kept = {0};
    quern_status status = reserve(&o, n, error);
    if (status == QUERN_OK)
        status = open_some(&o, directory->dirfd, &directory->manifest, first, n, error);
    if (status == QUERN_OK)
        status = qn_manifest_copy(&kept, &directory->manifest, 1, error);
    if (status == QUERN_OK) {
        qn_join_input input = input_of(&o, options);
        status = qn_join(&input, directory->dirfd, directory->path, &files, &joined, error);
    }
    if (status == QUERN_OK) {
        memmove(kept.segment + first, kept.segment + first + n,
                (kept.n_segments - first - n) * sizeof *kept.segment);
        kept.n_segments -= n;
        status = publish(directory, &kept, first, &files, &joined, error);
    }
    close_all(&o);
    qn_manifest_free(&kept);
    return status;
}

quern_status qn_maintain_by_policy(qn_directory *directory, const qn_maintain_options *options,
                                   uint64_t *n_joined, quern_error *error)
{
    size_t first, n;
    quern_status status = QUERN_OK;
    while (status == QUERN_OK && qn_policy_next(&directory->manifest, &first, &n)) {
        status = join_range(directory, first, n, options, error);
        *n_joined += status == QUERN_OK ? n : 0;
    }
    return status;
}

/* Whether the one segment of an index is tuned and ordered as it is to be. */
static quern_status is_tuned(qn_directory *directory, const qn_maintain_options *options,
                             bool *tuned, quern_error *error)
{
    opened o = {0};
    quern_status status = reserve(&o, 1, error);
    if (status == QUERN_OK)
        status = open_some(&o, directory->dirfd, &directory->manifest, 0, 1, error);
    if (status == QUERN_OK) {
        const qn_segment_meta *meta = &o.segment[0].meta;
        *tuned = !options->retune ||
                 (meta->tune == options->tune && meta->k1 == options->k1 && meta->b == options->b);
        *tuned =
            *tuned && is_to_be_reordered(&o.segment[0], options) == (o.segment[0].ordinals != NULL);
    }
    close_all(&o);
    return status;
}

quern_status qn_maintain_compact(qn_directory *directory, const qn_maintain_options *options,
                                 uint64_t *n_joined, quern_error *error)
{
    const qn_manifest *manifest = &directory->manifest;
    size_t n = manifest->n_segments;
    bool done = n == 0 || (n == 1 && manifest->segment[0].deleted == 0);
    if (n == 1 && done && (options->retune || options->reorder != QUERN_REORDER_KEEP)) {
        quern_status status = is_tuned(directory, options, &done, error);
        if (status != QUERN_OK)
            return status;
    }
    if (done)
        return QUERN_OK;
    quern_status status = join_range(directory, 0, n, options, error);
    *n_joined += status == QUERN_OK ? n : 0;
    return status;
}

/* ---- several indexes ---- */

/* What is read of the indexes that are merged. */
typedef struct sources {
    size_t n;
    int *dirfd;
    qn_manifest *manifest;
    size_t *end; /* of each: its segments are those before, from the last one's end on */
    opened o;
} sources;

static void close_sources(sources *s)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->dirfd != NULL && s->dirfd[i] >= 0)
            (void)close(s->dirfd[i]);
        if (s->manifest != NULL)
            qn_manifest_free(&s->manifest[i]);
    }
    close_all(&s->o);
    free(s->dirfd);
    free(s->manifest);
    free(s->end);
}

static quern_status read_source(sources *s, size_t i, const char *path, quern_error *error)
{
    int dirfd = s->dirfd[i] = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0)
        return qn_fail_sys(error, errno, "open", path);
    quern_status status = qn_manifest_read(&s->manifest[i], dirfd, path, error);
    return status == QUERN_NOT_FOUND ? qn_fail(error, QUERN_E_ARGUMENT, "%s holds no index", path)
                                     : status;
}

static quern_status try_sources(sources *s, const char *const *paths, size_t n, quern_error *error)
{
    *s = (sources){.n = n};
    s->dirfd = malloc((n + 1) * sizeof *s->dirfd);
    s->manifest = calloc(n + 1, sizeof *s->manifest);
    s->end = calloc(n + 1, sizeof *s->end);
    for (size_t i = 0; s->dirfd != NULL && i < n; i++)
        s->dirfd[i] = -1;
    if (s->dirfd == NULL || s->manifest == NULL || s->end == NULL)
        return qn_fail_memory(error);
    size_t n_segments = 0;
    for (size_t i = 0; i < n; i++) {
        quern_status status = read_source(s, i, paths[i], error);
        if (status != QUERN_OK)
            return status;
        s->end[i] = n_segments += s->manifest[i].n_segments;
    }
    quern_status status = reserve(&s->o, n_segments, error);
    for (size_t i = 0; status == QUERN_OK && i < n; i++)
        status =
            open_some(&s->o, s->dirfd[i], &s->manifest[i], 0, s->manifest[i].n_segments, error);
    return status;
}

/* A commit to one of them, between reading its manifest and opening a file, may have removed that:
 * then all are opened anew. */
static quern_status open_sources(sources *s, const char *const *paths, size_t n, quern_error *error)
{
    enum { TRIES = 8 };
    for (int i = 1;; i++) {
        quern_error local = {0};
        quern_status status = try_sources(s, paths, n, &local);
        if (status == QUERN_OK)
            return status;
        if (error != NULL)
            *error = local;
        if (status != QUERN_E_IO || local.sys_errno != ENOENT || i == TRIES)
            return status;
        close_sources(s);
    }
}

/* The index that a segment is of. */
static size_t source_of(const sources *s, size_t segment)
{
    size_t i = 0;
    while (s->end[i] <= segment)
        i++;
    return i;
}

static const char *difference(const qn_segment_meta *a, const qn_segment_meta *b)
{
    if (!qn_meta_same_analyzer(a, b))
        return "were built with different analyzers";
    if (a->positions != b->positions)
        return "differ: one has positions, one has none";
    if (a->stored != b->stored || a->records != b->records)
        return "differ in what they keep of documents";
    return NULL;
}

static quern_status hold_together(const sources *s, const char *const *paths, quern_error *error)
{
    uint64_t documents = 0;
    if (s->o.n == 0 || s->o.segment == NULL)
        return qn_fail(error, QUERN_E_DAMAGED, "%s names no segment", paths[0]);
    for (size_t i = 0; i < s->o.n; i++) {
        const char *differ = difference(&s->o.segment[0].meta, &s->o.segment[i].meta);
        documents += s->o.segment[i].meta.n_docs - s->o.segment[i].n_deleted;
        if (differ != NULL)
            return qn_fail(error, QUERN_E_ARGUMENT, "%s and %s %s", paths[source_of(s, 0)],
                           paths[source_of(s, i)], differ);
    }
    return documents <= QN_DOCS_MAX ? QUERN_OK
                                    : qn_fail(error, QUERN_E_ARGUMENT,
                                              "an index holds at most %u documents", QN_DOCS_MAX);
}

/* Looks for an id of segment `from` in the segments of the indexes before its own. */
static quern_status refuse_id(const sources *s, const char *const *paths, size_t from,
                              const char *id, size_t len, quern_error *error)
{
    size_t own = source_of(s, from);
    for (size_t i = 0; source_of(s, i) < own; i++) {
        const qn_segment *segment = &s->o.segment[i];
        uint32_t doc;
        quern_status status = qn_ids_find(&segment->ids, id, len, &doc, error);
        if (status == QUERN_OK && !qn_segment_is_gone(segment, doc))
            return qn_fail(error, QUERN_E_DUPLICATE, "the id \"%.*s\" is in %s and in %s",
                           (int)(len > 200 ? 200 : len), id, paths[source_of(s, i)], paths[own]);
        if (status != QUERN_OK && status != QUERN_NOT_FOUND)
            return status;
    }
    return QUERN_OK;
}

static quern_status refuse_doubles(const sources *s, const char *const *paths, quern_error *error)
{
    char id[QN_ID_MAX];
    for (size_t i = 0; i < s->o.n; i++) {
        const qn_segment *segment = &s->o.segment[i];
        if (source_of(s, i) == source_of(s, 0))
            continue;
        for (uint32_t doc = 0; doc < segment->meta.n_docs; doc++) {
            size_t len;
            if (qn_segment_is_gone(segment, doc))
                continue;
            quern_status status = qn_ids_get(&segment->ids, doc, id, &len, error);
            if (status == QUERN_OK)
                status = refuse_id(s, paths, i, id, len, error);
            if (status != QUERN_OK)
                return status;
        }
    }
    return QUERN_OK;
}

quern_status qn_maintain_merge(qn_directory *directory, const char *const *paths, size_t n,
                               const qn_maintain_options *options, uint64_t *n_joined,
                               quern_error *error)
{
    sources s = {0};
    qn_join_files files;
    qn_manifest_segment joined;
    quern_status status = open_sources(&s, paths, n, error);
    if (status == QUERN_OK)
        status = hold_together(&s, paths, error);
    if (status == QUERN_OK)
        status = refuse_doubles(&s, paths, error);
    if (status == QUERN_OK) {
        qn_join_input input = input_of(&s.o, options);
        status = qn_join(&input, directory->dirfd, directory->path, &files, &joined, error);
    }
    qn_manifest next = {0};
    if (status == QUERN_OK)
        status = qn_manifest_copy(&next, &s.manifest[source_of(&s, 0)], 1, error);
    next.n_segments = 0;
    if (status == QUERN_OK)
        status = publish(directory, &next, 0, &files, &joined, error);
    *n_joined += status == QUERN_OK ? s.o.n : 0;
    qn_manifest_free(&next);
    close_sources(&s);
    return status;
}
