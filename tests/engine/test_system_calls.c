/*
 * A build, an update or a compaction that is killed at each of its system calls, or that each of
 * them fails in turn: the old index, or none, or the whole new one is left, and nothing else once
 * the next build is through. The calls are this program's own functions of the same names, which
 * count and hand on.
 */
#define _GNU_SOURCE
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the calls ---- */

enum { KILLED = 77 };

static atomic_int countdown; /* the call that reaches 0 is hit; negative: none */
static int hit_errno;        /* what the call that is hit fails with; 0: the process ends there */
static bool hit_stays;       /* all later calls that write fail too, as on a full disk */
static atomic_bool armed, was_hit; /* builds have threads */

/* Whether this call is to fail; errno says how. */
static bool hit(bool writes)
{
    if (!armed)
        return false;
    if (was_hit && hit_stays && writes) {
        errno = hit_errno;
        return true;
    }
    if (was_hit || atomic_fetch_sub(&countdown, 1) > 0)
        return false;
    was_hit = true;
    if (hit_errno == 0)
        _exit(KILLED);
    errno = hit_errno;
    return true;
}

#define NEXT(name) ((__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t len)
{
    if (!hit(true))
        return NEXT(write)(fd, bytes, len);
    /* A full disk takes what it can. */
    return len > 1 && countdown % 2 != 0 ? NEXT(write)(fd, bytes, len / 2) : -1;
}

ssize_t pread(int fd, void *out, size_t len, off_t offset)
{
    return hit(false) ? -1 : NEXT(pread)(fd, out, len, offset);
}

int fsync(int fd)
{
    return hit(true) ? -1 : NEXT(fsync)(fd);
}

int renameat(int from, const char *name, int to, const char *other)
{
    return hit(true) ? -1 : NEXT(renameat)(from, name, to, other);
}

int mkdir(const char *path, mode_t mode)
{
    return hit(true) ? -1 : NEXT(mkdir)(path, mode);
}

int unlinkat(int fd, const char *name, int flags)
{
    /* Cleaning up is never made to fail, only to be the last thing that happens. */
    if (hit_errno == 0 && hit(false))
        return -1;
    return NEXT(unlinkat)(fd, name, flags);
}

int openat(int fd, const char *name, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    return hit((flags & O_CREAT) != 0) ? -1 : NEXT(openat)(fd, name, flags, mode);
}

/* ---- what is built ---- */

static char *dir, *path;
static test_corpus old_corpus, new_corpus;

static void setup(void)
{
    dir = test_dir_new();
    path = test_path(dir, "x.idx");
    old_corpus = test_corpus_new(1, 20, 30, 20);
    new_corpus = test_corpus_new(2, 50, 60, 20);
}

static void teardown(void)
{
    test_corpus_free(&old_corpus);
    test_corpus_free(&new_corpus);
    free(path);
    test_dir_free(dir);
}

/* How an index that is there is treated; what is there before. An update replaces all documents, so
 * that their segment is joined with the new one after the commit; what is compacted has two
 * segments and deletions. */
typedef enum way { FIRST, FORCE, APPEND, UPDATE, COMPACT, N_WAYS } way;

static unsigned threads = 1;
static bool reorder; /* all that is built */

static quern_status build(way how, quern_error *error)
{
    if (how == COMPACT) {
        quern_merge_options merge = QUERN_MERGE_OPTIONS;
        merge.threads = threads;
        return quern_compact(path, &merge, NULL, error);
    }
    quern_build_options options = QUERN_BUILD_OPTIONS;
    options.threads = threads;
    options.force = how == FORCE;
    options.append = how == APPEND || how == UPDATE;
    options.reorder = reorder;
    options.on_duplicate = how == UPDATE ? QUERN_DUPLICATE_REPLACE : QUERN_DUPLICATE_SKIP;
    quern_builder *builder = NULL;
    quern_status status = quern_builder_open(&builder, path, &options, error);
    for (size_t i = 0; status == QUERN_OK && i < new_corpus.n; i++)
        status = quern_builder_add(builder, &new_corpus.document[i], error);
    if (status == QUERN_OK)
        status = quern_builder_commit(builder, NULL, error);
    quern_builder_free(builder);
    return status;
}

static void start_over(way how)
{
    test_dir_free(path);
    path = test_path(dir, "x.idx");
    quern_build_options options = QUERN_BUILD_OPTIONS;
    options.reorder = reorder;
    if (how != FIRST)
        test_build(path, &old_corpus, &options);
    if (how != COMPACT)
        return;
    quern_builder *builder;
    options.append = options.no_join = true;
    options.on_duplicate = QUERN_DUPLICATE_REPLACE;
    cr_assert_eq(quern_builder_open(&builder, path, &options, NULL), QUERN_OK);
    for (size_t i = 15; i < new_corpus.n; i++)
        cr_assert_eq(quern_builder_add(builder, &new_corpus.document[i], NULL), QUERN_OK);
    cr_assert_eq(quern_builder_commit(builder, NULL, NULL), QUERN_OK);
    quern_builder_free(builder);
}

/* What tells the index before from that after: the documents, or, as compacting leaves all there,
 * the segments. UINT64_MAX: there is no index. */
static uint64_t n_documents(way how, int n)
{
    quern_error error;
    quern_index *index = NULL;
    quern_status status = quern_index_open(&index, path, NULL, &error);
    if (how == FIRST && status != QUERN_OK) {
        struct stat st;
        cr_assert(strstr(error.message, "holds no index") != NULL || lstat(path, &st) != 0,
                  "call %d: %s", n, error.message);
        return UINT64_MAX;
    }
    cr_assert_eq(status, QUERN_OK, "way %d, call %d: %s", (int)how, n, error.message);
    cr_assert_eq(quern_verify(path, NULL, NULL, &error), QUERN_OK, "way %d, call %d: %s", (int)how,
                 n, error.message);
    quern_stats stats;
    quern_index_stats(index, &stats);
    quern_index_close(index);
    if (how != COMPACT)
        return stats.documents;
    cr_assert_eq(stats.documents, new_corpus.n);
    return stats.segments;
}

/* Files of segments: index and store, and deletions. */
static unsigned files_before(way how)
{
    return how == FIRST ? 0 : how == COMPACT ? 5 : 2;
}

static unsigned files_after(way how)
{
    return how == APPEND ? 4 : how == UPDATE ? 5 : 2;
}

/* Nothing lies in the directory but the manifest, the lock and `n` files of segments. */
static void check_files(way how, int call, unsigned n)
{
    DIR *list = opendir(path);
    cr_assert_not_null(list);
    unsigned segments = 0;
    const struct dirent *entry;
    while ((entry = readdir(list)) != NULL) {
        const char *name = entry->d_name;
        if (name[0] == '.' || strcmp(name, "MANIFEST") == 0 || strcmp(name, "LOCK") == 0)
            continue;
        cr_assert_eq(strncmp(name, "s-", 2), 0, "way %d, call %d left %s", (int)how, call, name);
        segments++;
    }
    (void)closedir(list);
    cr_assert_eq(segments, n, "way %d, call %d: %u segment files, not %u", (int)how, call, segments,
                 n);
}

static uint64_t documents_before(way how)
{
    return how == FIRST ? UINT64_MAX : how == COMPACT ? 2 : old_corpus.n;
}

/* The appended corpus has ids 0..49, of which the first 20 are there. */
static uint64_t documents_after(way how)
{
    return how == COMPACT ? 1 : new_corpus.n;
}

/* ---- killed ---- */

/* Whether the build was killed at call n; else it had fewer. */
static bool killed_at(way how, int n)
{
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        countdown = n;
        hit_errno = 0;
        armed = true;
        quern_error error;
        _exit(build(how, &error) == QUERN_OK ? 0 : 1);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && (WEXITSTATUS(status) == KILLED || WEXITSTATUS(status) == 0),
              "way %d, call %d: status %d", (int)how, n, status);
    return WEXITSTATUS(status) == KILLED;
}

/* Where all is reordered, those that differ in what is built and joined. */
static bool is_tried(way how)
{
    return !reorder || how == FIRST || how == UPDATE || how == COMPACT;
}

static void kill_each(void)
{
    for (way how = FIRST; how < N_WAYS; how++) {
        if (!is_tried(how))
            continue;
        bool was_old = false, was_new = false;
        for (int n = 0;; n++) {
            start_over(how);
            if (!killed_at(how, n))
                break;
            uint64_t documents = n_documents(how, n);
            was_old |= documents == documents_before(how);
            was_new |= documents == documents_after(how);
            cr_assert(documents == documents_before(how) || documents == documents_after(how));
            /* Once it stands, a later kill must not bring the old one back. */
            cr_assert(!was_new || documents == documents_after(how));
            quern_error error;
            bool first = documents == UINT64_MAX;
            cr_assert_eq(build(first ? FIRST : FORCE, &error), QUERN_OK, "%s", error.message);
            check_files(how, n, 2);
            cr_assert_eq(n_documents(FORCE, n), documents_after(FORCE));
        }
        cr_assert(was_old && was_new, "way %d was not killed both before and after", (int)how);
    }
}

Test(system_calls, killed_at_each, .init = setup, .fini = teardown, .timeout = 120)
{
    for (threads = 1; threads <= 2; threads++)
        kill_each();
}

Test(system_calls, killed_at_each_of_reordering, .init = setup, .fini = teardown, .timeout = 120)
{
    reorder = true;
    kill_each();
}

/* ---- failing ---- */

static void fail_each(way how, int reason, bool stays, quern_status expected)
{
    for (int n = 0;; n++) {
        start_over(how);
        quern_error error = {0};
        countdown = n;
        hit_errno = reason;
        hit_stays = stays;
        was_hit = false;
        armed = true;
        quern_status status = build(how, &error);
        armed = false;
        if (!was_hit)
            break;
        uint64_t documents = n_documents(how, n);
        if (status == QUERN_OK) { /* the call was not needed */
            cr_assert_eq(documents, documents_after(how), "way %d, call %d", (int)how, n);
            continue;
        }
        cr_assert(status == expected || (how != FIRST && status == QUERN_E_EXISTS),
                  "way %d, call %d: %s (%s)", (int)how, n, quern_status_text(status),
                  error.message);
        cr_assert_not_null(strstr(error.message, strerror(reason)), "way %d, call %d: %s", (int)how,
                           n, error.message);
        /* The last sync comes after the manifest was replaced. */
        cr_assert(documents == documents_before(how) || documents == documents_after(how));
        struct stat st;
        if (documents != UINT64_MAX)
            check_files(how, n,
                        documents == documents_after(how) ? files_after(how) : files_before(how));
        else
            cr_assert(lstat(path, &st) != 0, "way %d, call %d left a directory", (int)how, n);
    }
}

Test(system_calls, full_disk_at_each, .init = setup, .fini = teardown, .timeout = 120)
{
    for (threads = 1; threads <= 2; threads++)
        for (way how = FIRST; how < N_WAYS; how++)
            fail_each(how, ENOSPC, true, QUERN_E_SPACE);
}

Test(system_calls, error_at_each, .init = setup, .fini = teardown, .timeout = 120)
{
    for (threads = 1; threads <= 2; threads++)
        for (way how = FIRST; how < N_WAYS; how++)
            fail_each(how, EIO, false, QUERN_E_IO);
}

Test(system_calls, each_of_reordering, .init = setup, .fini = teardown, .timeout = 120)
{
    reorder = true;
    for (way how = FIRST; how < N_WAYS; how++) {
        if (!is_tried(how))
            continue;
        fail_each(how, ENOSPC, true, QUERN_E_SPACE);
        fail_each(how, EIO, false, QUERN_E_IO);
    }
}
