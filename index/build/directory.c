/* Entering, locking and changing an index directory: see directory.h. */
#define _GNU_SOURCE
#include "index/build/directory.h"

#include "index/base/checksum.h"
#include "index/base/status.h"
#include "index/segment/deletes.h"
#include "index/segment/format.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- entering ---- */

static quern_status enter(qn_directory *directory, qn_directory_use use, quern_error *error)
{
    const char *path = directory->path;
    if (use != QN_DIRECTORY_CHANGE) {
        if (mkdir(path, 0777) == 0)
            directory->made = true;
        else if (errno != EEXIST)
            return qn_fail_sys(error, errno, "create", path);
    }
    directory->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory->dirfd < 0)
        return errno == ENOTDIR ? qn_fail(error, QUERN_E_EXISTS, "%s is not a directory", path)
                                : qn_fail_sys(error, errno, "open", path);
    return QUERN_OK;
}

/* A second handle on the directory, for readdir; NULL on failure. */
static DIR *list(int dirfd)
{
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL && fd >= 0)
        (void)close(fd);
    return dir;
}

static quern_status refuse_foreign(const qn_directory *directory, quern_error *error)
{
    DIR *dir = list(directory->dirfd);
    if (dir == NULL)
        return qn_fail_sys(error, errno, "list", directory->path);
    quern_status status = QUERN_OK;
    const struct dirent *entry;
    while (status == QUERN_OK && (entry = readdir(dir)) != NULL) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !qn_manifest_owns(name))
            status = qn_fail(error, QUERN_E_EXISTS,
                             "%s holds other files than an index (%.80s): choose another directory",
                             directory->path, name);
    }
    (void)closedir(dir);
    return status;
}

/* Removes what the manifest (NULL: there is none) does not name. */
static void clean(int dirfd, const qn_manifest *manifest)
{
    DIR *dir = list(dirfd);
    if (dir == NULL)
        return; /* leftovers cost space only; the next writer tries again */
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL)
        if (qn_manifest_is_orphan(manifest, entry->d_name))
            (void)unlinkat(dirfd, entry->d_name, 0);
    (void)closedir(dir);
}

/* A directory without an index must not get a lock file for that it was asked about. */
static quern_status refuse_missing(const qn_directory *directory, quern_error *error)
{
    if (faccessat(directory->dirfd, QN_MANIFEST_NAME, F_OK, 0) == 0 || errno != ENOENT)
        return QUERN_OK;
    return qn_fail(error, QUERN_E_ARGUMENT, "%s holds no index", directory->path);
}

static quern_status read_manifest(qn_directory *directory, qn_directory_use use, quern_error *error)
{
    quern_error about;
    quern_status status =
        qn_manifest_read(&directory->manifest, directory->dirfd, directory->path, &about);
    directory->there = status != QUERN_NOT_FOUND;
    if (directory->there && use == QN_DIRECTORY_NEW)
        return qn_fail(error, QUERN_E_EXISTS, "%s is an index already", directory->path);
    if (!directory->there && use == QN_DIRECTORY_CHANGE)
        return qn_fail(error, QUERN_E_ARGUMENT, "%s holds no index", directory->path);
    if (status != QUERN_OK && directory->there) {
        /* A damaged manifest can be replaced, not added to. A reader may still name its files: they
         * go at the commit. */
        if (use == QN_DIRECTORY_REPLACE)
            return QUERN_OK;
        if (error != NULL)
            *error = about;
        return status;
    }
    clean(directory->dirfd, directory->there ? &directory->manifest : NULL);
    return QUERN_OK;
}

quern_status qn_directory_open(qn_directory *directory, const char *path, qn_directory_use use,
                               quern_error *error)
{
    *directory = (qn_directory){.dirfd = -1, .lockfd = -1};
    directory->path = strdup(path);
    if (directory->path == NULL)
        return qn_fail_memory(error);
    quern_status status = enter(directory, use, error);
    if (status == QUERN_OK)
        status = refuse_foreign(directory, error);
    if (status == QUERN_OK && use == QN_DIRECTORY_CHANGE)
        status = refuse_missing(directory, error);
    if (status == QUERN_OK)
        status = qn_manifest_lock(&directory->lockfd, directory->dirfd, directory->path, error);
    if (status == QUERN_OK)
        status = read_manifest(directory, use, error);
    if (status != QUERN_OK)
        qn_directory_close(directory);
    return status;
}

void qn_directory_close(qn_directory *directory)
{
    qn_manifest_free(&directory->manifest);
    if (directory->lockfd >= 0) {
        if (directory->made)
            (void)unlinkat(directory->dirfd, QN_LOCK_NAME, 0);
        (void)close(directory->lockfd);
    }
    if (directory->dirfd >= 0)
        (void)close(directory->dirfd);
    if (directory->made)
        (void)rmdir(directory->path);
    free(directory->path);
    *directory = (qn_directory){.dirfd = -1, .lockfd = -1};
}

/* Bytes of a file of deletions; 0 where it is gone. */
static uint64_t deletes_len(const qn_directory *directory, const qn_manifest_segment *segment)
{
    char name[QN_MANIFEST_FILE_MAX];
    struct stat st;
    qn_manifest_deletes_name(segment, name);
    return fstatat(directory->dirfd, name, &st, 0) == 0 ? (uint64_t)st.st_size : 0;
}

void qn_directory_totals(const qn_directory *directory, uint64_t *documents, uint64_t *bytes)
{
    *documents = *bytes = 0;
    for (size_t i = 0; i < directory->manifest.n_segments; i++) {
        const qn_manifest_segment *segment = &directory->manifest.segment[i];
        *documents += segment->documents - segment->deleted;
        *bytes += segment->index_len + segment->store_len;
        if (segment->deleted > 0)
            *bytes += deletes_len(directory, segment);
    }
}

/* ---- changing ---- */

static bool is_named(const qn_manifest *manifest, const char *name)
{
    for (size_t i = 0; i < manifest->n_segments; i++)
        if (strcmp(manifest->segment[i].name, name) == 0)
            return true;
    return false;
}

static quern_status rename_file(const qn_directory *directory, const char *from,
                                const qn_manifest_segment *segment, const char *suffix,
                                quern_error *error)
{
    char to[QN_MANIFEST_FILE_MAX];
    (void)snprintf(to, sizeof to, "%s%s", segment->name, suffix);
    if (renameat(directory->dirfd, from, directory->dirfd, to) != 0)
        return qn_fail_sys(error, errno, "rename a file in", directory->path);
    return QUERN_OK;
}

quern_status qn_directory_name(const qn_directory *directory, qn_manifest_segment *segment,
                               const qn_manifest *beside, const char *index_name,
                               const char *docs_name, quern_error *error)
{
    uint64_t sums[2] = {segment->index_checksum, segment->store_checksum};
    unsigned long long sum = qn_checksum(sums, sizeof sums);
    (void)snprintf(segment->name, sizeof segment->name, "s-%016llx", sum);
    for (unsigned i = 1; is_named(beside, segment->name); i++)
        (void)snprintf(segment->name, sizeof segment->name, "s-%016llx-%u", sum, i);
    quern_status status = rename_file(directory, index_name, segment, ".qx", error);
    if (status == QUERN_OK && docs_name != NULL)
        status = rename_file(directory, docs_name, segment, ".qs", error);
    return status;
}

quern_status qn_manifest_copy(qn_manifest *out, const qn_manifest *manifest, size_t extra,
                              quern_error *error)
{
    *out = *manifest;
    out->segment = calloc(manifest->n_segments + extra + 1, sizeof *out->segment);
    if (out->segment == NULL) {
        *out = (qn_manifest){0};
        return qn_fail_memory(error);
    }
    for (size_t i = 0; i < manifest->n_segments; i++)
        out->segment[i] = manifest->segment[i];
    return QUERN_OK;
}

quern_status qn_directory_publish(qn_directory *directory, const qn_manifest *next,
                                  quern_error *error)
{
    uint64_t documents = 0;
    for (size_t i = 0; i < next->n_segments; i++)
        documents += next->segment[i].documents;
    if (documents > QN_DOCS_MAX)
        return qn_fail(error, QUERN_E_ARGUMENT, "an index holds at most %u documents", QN_DOCS_MAX);
    qn_manifest copy;
    quern_status status = qn_manifest_copy(&copy, next, 0, error);
    if (status == QUERN_OK)
        status = qn_manifest_commit(next, directory->dirfd, directory->path, error);
    if (status != QUERN_OK) {
        qn_manifest_free(&copy);
        return status;
    }
    directory->made = false; /* it stays */
    directory->there = true;
    qn_manifest_free(&directory->manifest);
    directory->manifest = copy;
    clean(directory->dirfd, next);
    return QUERN_OK;
}

/* The directory itself says what is in use: the manifest may have been replaced before the failure
 * (of the directory's sync), and another segment of the same content, hence the same name, may be
 * there. */
void qn_directory_withdraw(const qn_directory *directory)
{
    qn_manifest there;
    quern_status status = qn_manifest_read(&there, directory->dirfd, directory->path, NULL);
    if (status == QUERN_OK || status == QUERN_NOT_FOUND)
        clean(directory->dirfd, status == QUERN_OK ? &there : NULL);
    qn_manifest_free(&there);
}
