/* Files: see file.h. Only POSIX calls and Linux's O_TMPFILE (with a fallback) are used. */
#define _GNU_SOURCE
#include "index/base/file.h"

#include "index/base/bytes.h"
#include "index/base/checksum.h"
#include "index/base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- whole files ---- */

static quern_status read_whole(qn_mapping *out, int fd, size_t len, const char *path,
                               quern_error *error)
{
    uint8_t *data = malloc(len + QN_PADDING);
    if (data == NULL)
        return qn_fail_memory(error);
    quern_status status = qn_pread_all(fd, data, len, 0, path, error);
    if (status != QUERN_OK) {
        free(data);
        return status;
    }
    memset(data + len, 0, QN_PADDING);
    *out = (qn_mapping){.data = data, .len = len};
    return QUERN_OK;
}

static quern_status map_whole(qn_mapping *out, int fd, size_t len, const char *path,
                              quern_error *error)
{
    void *data = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
    if (data == MAP_FAILED)
        return qn_fail_sys(error, errno, "map", path);
    *out = (qn_mapping){.data = data, .len = len, .mapped_len = len};
    return QUERN_OK;
}

quern_status qn_mapping_open(qn_mapping *out, int dirfd, const char *name, const char *path,
                             bool in_memory, quern_error *error)
{
    *out = (qn_mapping){0};
    /* Without O_NONBLOCK a FIFO of that name would block until someone writes to it. */
    int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return qn_fail_sys(error, errno, "open", path);
    struct stat st;
    quern_status status = QUERN_OK;
    if (fstat(fd, &st) != 0)
        status = qn_fail_sys(error, errno, "examine", path);
    else if (!S_ISREG(st.st_mode))
        status = qn_fail(error, QUERN_E_DAMAGED, "%s is not a regular file", path);
    else if ((uint64_t)st.st_size > SIZE_MAX - QN_PADDING)
        status = qn_fail_memory(error);
    else {
        size_t len = (size_t)st.st_size;
        status = in_memory || len == 0 ? read_whole(out, fd, len, path, error)
                                       : map_whole(out, fd, len, path, error);
    }
    (void)close(fd); /* opened for reading: nothing can be lost */
    return status;
}

void qn_mapping_close(qn_mapping *mapping)
{
    if (mapping->mapped_len > 0)
        (void)munmap((void *)(uintptr_t)mapping->data, mapping->mapped_len);
    else
        free((void *)(uintptr_t)mapping->data);
    *mapping = (qn_mapping){0};
}

void qn_mapping_forget(const qn_mapping *mapping)
{
    if (mapping->mapped_len > 0) /* advice: that it is not taken does no harm */
        (void)madvise((void *)(uintptr_t)mapping->data, mapping->mapped_len, MADV_DONTNEED);
}

void qn_mapping_pick(const qn_mapping *mapping, bool here_and_there)
{
    if (mapping->mapped_len > 0) /* as the next: advice */
        (void)madvise((void *)(uintptr_t)mapping->data, mapping->mapped_len,
                      here_and_there ? MADV_RANDOM : MADV_NORMAL);
}

void qn_mapping_expect(const qn_mapping *mapping, size_t from, size_t len)
{
    size_t page = from - from % QN_PAGE;
    if (mapping->mapped_len > 0)
        (void)madvise((void *)(uintptr_t)(mapping->data + page), from + len - page, MADV_WILLNEED);
}

/* ---- buffered writing ---- */

enum { WRITE_AHEAD = 8 << 20 };

static quern_status writer_start(qn_writer *writer, int fd, const char *path, size_t buffer_bytes,
                                 bool page_sums, quern_error *error)
{
    *writer = (qn_writer){.fd = fd, .open = true, .page_sums = page_sums};
    (void)snprintf(writer->path, sizeof writer->path, "%s", path);
    size_t n_pages = buffer_bytes / QN_PAGE + (buffer_bytes % QN_PAGE > 0);
    writer->buffer_cap = n_pages > 0 ? n_pages * QN_PAGE : QN_PAGE;
    if (n_pages > SIZE_MAX / QN_PAGE || !qn_buffer_reserve(&writer->buffer, writer->buffer_cap)) {
        qn_writer_close(writer);
        return qn_fail_memory(error);
    }
    return QUERN_OK;
}

quern_status qn_writer_open(qn_writer *writer, int dirfd, const char *name, const char *path,
                            size_t buffer_bytes, bool page_sums, quern_error *error)
{
    *writer = (qn_writer){0};
    int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return qn_fail_sys(error, errno, "create", path);
    quern_status status = writer_start(writer, fd, path, buffer_bytes, page_sums, error);
    if (status != QUERN_OK)
        (void)unlinkat(dirfd, name, 0); /* created a moment ago, so ours */
    return status;
}

/* An unnamed file where the file system knows O_TMPFILE, else a named one unlinked at once. */
static int open_unnamed(int dirfd)
{
    int fd = openat(dirfd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
        return fd;
    for (unsigned i = 0; i < 1000; i++) {
        char name[48];
        (void)snprintf(name, sizeof name, "tmp-spool-%ld-%u", (long)getpid(), i);
        fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0) {
            if (unlinkat(dirfd, name, 0) != 0) {
                int saved = errno;
                (void)close(fd);
                errno = saved;
                return -1;
            }
            return fd;
        }
        if (errno != EEXIST)
            return -1;
    }
    return -1;
}

quern_status qn_writer_spool(qn_writer *writer, int dirfd, const char *path, size_t buffer_bytes,
                             quern_error *error)
{
    *writer = (qn_writer){0};
    int fd = open_unnamed(dirfd);
    if (fd < 0)
        return qn_fail_sys(error, errno, "create a temporary file in", path);
    return writer_start(writer, fd, path, buffer_bytes, false, error);
}

/* Of a file that will be synced, has the system begin to write what it was handed, so that there is
 * less to wait for in the end. Advice: that it fails does no harm, the sync will tell. */
static void start_writing(qn_writer *writer)
{
#if defined(__linux__)
    uint64_t end = writer->offset - writer->buffer.len; /* of what was handed before */
    if (!writer->page_sums || end - writer->writing < WRITE_AHEAD)
        return;
    (void)sync_file_range(writer->fd, (off_t)writer->writing, (off_t)(end - writer->writing),
                          SYNC_FILE_RANGE_WRITE);
    writer->writing = end;
#else
    (void)writer;
#endif
}

static quern_status writer_drain(qn_writer *writer, quern_error *error)
{
    qn_buffer *buffer = &writer->buffer;
    quern_status status = qn_write_all(writer->fd, buffer->data + writer->handed,
                                       buffer->len - writer->handed, writer->path, error);
    if (status != QUERN_OK)
        return status;
    start_writing(writer);
    size_t at = writer->page_sums ? 0 : buffer->len;
    for (; at + QN_PAGE <= buffer->len; at += QN_PAGE) {
        uint64_t sum = qn_checksum(buffer->data + at, QN_PAGE);
        if (!qn_buffer_append(&writer->sums, &sum, sizeof sum))
            return qn_fail_memory(error);
    }
    /* The start of an unfinished page stays for its sum, so the buffer always starts on a page. */
    writer->handed = buffer->len - at;
    memmove(buffer->data, buffer->data + at, writer->handed);
    buffer->len = writer->handed;
    return QUERN_OK;
}

quern_status qn_writer_put(qn_writer *writer, const void *bytes, size_t len, quern_error *error)
{
    const uint8_t *from = bytes;
    while (len > 0) {
        size_t room = writer->buffer_cap - writer->buffer.len;
        size_t part = len < room ? len : room;
        memcpy(writer->buffer.data + writer->buffer.len, from, part);
        writer->buffer.len += part;
        writer->offset += part;
        from += part;
        len -= part;
        if (writer->buffer.len == writer->buffer_cap) {
            quern_status status = writer_drain(writer, error);
            if (status != QUERN_OK)
                return status;
        }
    }
    return QUERN_OK;
}

quern_status qn_writer_align(qn_writer *writer, uint32_t align, quern_error *error)
{
    static const uint8_t zeros[64];
    uint32_t need = (uint32_t)(-writer->offset & (align - 1));
    while (need > 0) {
        uint32_t part = need < sizeof zeros ? need : (uint32_t)sizeof zeros;
        quern_status status = qn_writer_put(writer, zeros, part, error);
        if (status != QUERN_OK)
            return status;
        need -= part;
    }
    return QUERN_OK;
}

quern_status qn_writer_put_spool(qn_writer *writer, qn_writer *spool, quern_error *error)
{
    quern_status status = qn_writer_flush(spool, error);
    /* The spool's own buffer, now empty, carries the bytes across. */
    for (uint64_t at = 0; status == QUERN_OK && at < spool->offset;) {
        uint64_t left = spool->offset - at;
        size_t part = left < spool->buffer_cap ? (size_t)left : spool->buffer_cap;
        status = qn_pread_all(spool->fd, spool->buffer.data, part, at, spool->path, error);
        if (status == QUERN_OK)
            status = qn_writer_put(writer, spool->buffer.data, part, error);
        at += part;
    }
    return status;
}

quern_status qn_writer_flush(qn_writer *writer, quern_error *error)
{
    return writer_drain(writer, error);
}

quern_status qn_writer_read(qn_writer *writer, uint64_t offset, void *out, size_t len,
                            quern_error *error)
{
    if (!qn_in_range(offset, len, writer->offset))
        return qn_fail(error, QUERN_E_IO, "read past the end of %s", writer->path);
    uint64_t flushed = writer->offset - writer->buffer.len;
    uint8_t *to = out;
    if (offset < flushed) {
        size_t part = len < flushed - offset ? len : (size_t)(flushed - offset);
        quern_status status = qn_pread_all(writer->fd, to, part, offset, writer->path, error);
        if (status != QUERN_OK)
            return status;
        to += part;
        offset += part;
        len -= part;
    }
    if (len > 0)
        memcpy(to, writer->buffer.data + (offset - flushed), len);
    return QUERN_OK;
}

quern_status qn_writer_sync(qn_writer *writer, quern_error *error)
{
    quern_status status = qn_writer_flush(writer, error);
    if (status == QUERN_OK && fsync(writer->fd) != 0)
        status = qn_fail_sys(error, errno, "sync", writer->path);
    return status;
}

void qn_writer_close(qn_writer *writer)
{
    if (writer->open)
        (void)close(writer->fd); /* qn_writer_sync has reported what could fail */
    qn_buffer_free(&writer->buffer);
    qn_buffer_free(&writer->sums);
    *writer = (qn_writer){0};
}

/* ---- small helpers ---- */

quern_status qn_pread_all(int fd, void *out, size_t len, uint64_t offset, const char *path,
                          quern_error *error)
{
    uint8_t *to = out;
    while (len > 0) {
        ssize_t n = pread(fd, to, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return qn_fail_sys(error, errno, "read", path);
        if (n == 0)
            return qn_fail(error, QUERN_E_DAMAGED, "%s ends early, at byte %llu", path,
                           (unsigned long long)offset);
        to += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return QUERN_OK;
}

quern_status qn_write_all(int fd, const void *bytes, size_t len, const char *path,
                          quern_error *error)
{
    const uint8_t *from = bytes;
    while (len > 0) {
        ssize_t n = write(fd, from, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return qn_fail_sys(error, errno, "write", path);
        from += n;
        len -= (size_t)n;
    }
    return QUERN_OK;
}

quern_status qn_sync_dir(int dirfd, const char *path, quern_error *error)
{
    if (fsync(dirfd) != 0)
        return qn_fail_sys(error, errno, "sync", path);
    return QUERN_OK;
}
