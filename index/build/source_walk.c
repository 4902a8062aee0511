/*
 * A walk of the files below a directory: see source_walk.h.
 *
 * A directory compares as its name with a slash behind, which is what it contributes to the paths
 * below it; so the order of each directory's entries makes the order of all paths.
 */
#define _DEFAULT_SOURCE /* d_type */
#include "index/build/source_walk.h"

#include "index/base/arena.h"
#include "index/base/buffer.h"
#include "index/base/status.h"
#include "index/build/source_record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory that is being walked. */
typedef struct level {
    qn_arena arena;
    char **names; /* of a directory with its slash */
    size_t n_names, cap, next;
    size_t path_len; /* of the walk's path, for the entries here */
} level;

struct qn_walk {
    qn_buffer path; /* of the entry at hand, not terminated */
    size_t root_len;
    level *levels;
    size_t n_levels, cap;
    qn_arena paths; /* given out: they live as long as the walk */
};

static void free_level(level *of)
{
    free(of->names);
    qn_arena_free(&of->arena);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Whether an entry is to be walked itself, rather than opened as a file. */
static bool is_directory(int dirfd_, const struct dirent *entry)
{
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    struct stat st;
    return fstatat(dirfd_, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* Adds an entry to a level. False when memory is short. */
static bool add_name(level *to, const char *name, bool directory)
{
    void *names = to->names;
    if (!qn_array_grow(&names, &to->cap, to->n_names + 1, sizeof *to->names))
        return false;
    to->names = names;
    size_t len = strlen(name);
    char *copy = qn_arena_alloc(&to->arena, len + 2, 1);
    if (copy == NULL)
        return false;
    memcpy(copy, name, len);
    memcpy(copy + len, directory ? "/" : "", directory ? 2 : 1);
    to->names[to->n_names++] = copy;
    return true;
}

/* Lists an open directory into a level. Returns 0 or an errno. */
static int list(DIR *dir, level *to)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (entry == NULL)
            return errno;
        if (entry->d_name[0] == '.')
            continue;
        if (!add_name(to, entry->d_name, is_directory(dirfd(dir), entry)))
            return ENOMEM;
    }
}

/* Opens a directory for listing; below the root no link is followed. NULL with errno set. */
static DIR *open_dir(const char *path, bool is_root)
{
    int flags = O_RDONLY | O_CLOEXEC | O_DIRECTORY | (is_root ? 0 : O_NOFOLLOW);
    int fd = open(path, flags);
    if (fd < 0)
        return NULL;
    DIR *dir = fdopendir(fd);
    if (dir == NULL) {
        int saved = errno;
        (void)close(fd);
        errno = saved;
    }
    return dir;
}

/* Descends into the directory at walk->path, which is terminated. Returns 0 or an errno. */
static int descend(qn_walk *walk)
{
    const char *path = (const char *)walk->path.data;
    void *levels = walk->levels;
    if (!qn_array_grow(&levels, &walk->cap, walk->n_levels + 1, sizeof *walk->levels))
        return ENOMEM;
    walk->levels = levels;
    DIR *dir = open_dir(path, walk->n_levels == 0);
    if (dir == NULL)
        return errno;
    uint8_t *end = walk->path.data + walk->path.len;
    if (walk->path.len == 0 || end[-1] != '/') { /* in the place of the terminator */
        *end = '/';
        walk->path.len++;
    }
    level below = {.path_len = walk->path.len};
    int failed = list(dir, &below);
    (void)closedir(dir); /* opened for reading */
    if (failed != 0) {
        free_level(&below);
        return failed;
    }
    if (below.n_names > 1)
        qsort(below.names, below.n_names, sizeof *below.names, by_bytes);
    walk->levels[walk->n_levels++] = below;
    return 0;
}

quern_status qn_walk_open(qn_walk **out, const char *path, quern_error *error)
{
    *out = NULL;
    qn_walk *walk = calloc(1, sizeof *walk);
    if (walk == NULL || !qn_buffer_append(&walk->path, path, strlen(path) + 1)) {
        qn_walk_free(walk);
        return qn_fail_memory(error);
    }
    walk->path.len--; /* the terminator stays behind the end */
    int failed = descend(walk);
    if (failed != 0) {
        qn_walk_free(walk);
        return qn_fail_sys(error, failed, "read directory", path);
    }
    walk->root_len = walk->path.len;
    *out = walk;
    return QUERN_OK;
}

/* The next entry in order, its path made in walk->path; NULL at the end. */
static const char *next_name(qn_walk *walk)
{
    while (walk->n_levels > 0) {
        level *top = &walk->levels[walk->n_levels - 1];
        if (top->next < top->n_names) {
            walk->path.len = top->path_len;
            return top->names[top->next++];
        }
        free_level(top);
        walk->n_levels--;
    }
    return NULL;
}

/* Opens a file if it is regular, itself or behind a link. -1 with errno set; errno 0: to be
 * skipped. O_NONBLOCK keeps a pipe from stopping the walk. */
static int open_regular(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return -1;
    errno = 0;
    if (!S_ISREG(st.st_mode))
        return -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return fd;
    (void)close(fd);
    errno = 0; /* it was exchanged just now */
    return -1;
}

/* Enters the entry at walk->path: a directory, or a file, whose descriptor becomes *fd (-1: nothing
 * to be told of). Returns 0 or an errno. */
static int enter(qn_walk *walk, bool directory, int *fd)
{
    *fd = -1;
    if (directory)
        return descend(walk);
    *fd = open_regular((const char *)walk->path.data);
    return *fd < 0 ? errno : 0;
}

quern_status qn_walk_next(qn_walk *walk, int *fd, const char **path, const char **relative,
                          quern_error *error)
{
    const char *name;
    while ((name = next_name(walk)) != NULL) {
        size_t len = strlen(name);
        bool directory = name[len - 1] == '/';
        if (!qn_buffer_append(&walk->path, name, len - directory) ||
            !qn_buffer_push(&walk->path, '\0'))
            return qn_fail_memory(error);
        walk->path.len--; /* the terminator stays behind the end */
        int failed = enter(walk, directory, fd);
        if (failed == ENOMEM)
            return qn_fail_memory(error);
        if (failed == 0 && *fd < 0)
            continue;
        char *kept = qn_arena_copy(&walk->paths, walk->path.data, walk->path.len + 1);
        if (kept == NULL) {
            if (*fd >= 0)
                (void)close(*fd);
            return qn_fail_memory(error);
        }
        kept[walk->path.len] = '\0'; /* where a directory has got its slash */
        *path = kept;
        *relative = kept + walk->root_len;
        qn_place place = {.file = kept, .line = 0};
        return failed == 0 ? QUERN_OK : qn_record_unreadable(error, &place, failed);
    }
    return QUERN_END;
}

void qn_walk_free(qn_walk *walk)
{
    if (walk == NULL)
        return;
    while (walk->n_levels > 0)
        free_level(&walk->levels[--walk->n_levels]);
    free(walk->levels);
    qn_buffer_free(&walk->path);
    qn_arena_free(&walk->paths);
    free(walk);
}
