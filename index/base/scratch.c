/* Large arrays: see scratch.h. */
#define _GNU_SOURCE
#include "index/base/scratch.h"

#include "index/base/file.h"
#include "index/base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Blocks are reserved beforehand: a write to a page for which there is no space would be a signal.
 */
static quern_status map_file(qn_scratch *out, int fd, size_t len, const char *path,
                             quern_error *error)
{
    int failed;
    do
        failed = posix_fallocate(fd, 0, (off_t)len);
    while (failed == EINTR);
    if (failed != 0)
        return qn_fail_sys(error, failed, "make room for a temporary file in", path);
    void *data = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (data == MAP_FAILED)
        return qn_fail_sys(error, errno, "map a temporary file in", path);
    *out = (qn_scratch){.data = data, .len = len, .in_file = true};
    return QUERN_OK;
}

quern_status qn_scratch_open(qn_scratch *out, size_t len, bool in_file,
                             const qn_scratch_place *place, quern_error *error)
{
    *out = (qn_scratch){0};
    if (!in_file || len == 0) {
        out->data = calloc(len + 1, 1);
        out->len = len;
        return out->data == NULL ? qn_fail_memory(error) : QUERN_OK;
    }
    qn_writer file;
    quern_status status = qn_writer_spool(&file, place->dirfd, place->path, QN_PAGE, error);
    if (status != QUERN_OK)
        return status;
    status = map_file(out, file.fd, len, place->path, error);
    qn_writer_close(&file); /* the mapping keeps the file */
    return status;
}

void qn_scratch_close(qn_scratch *scratch)
{
    if (scratch->in_file)
        (void)munmap(scratch->data, scratch->len);
    else
        free(scratch->data);
    *scratch = (qn_scratch){0};
}

void qn_scratch_forget(const qn_scratch *scratch, const void *from, size_t len)
{
    if (!scratch->in_file)
        return;
    size_t begin = (size_t)((const uint8_t *)from - scratch->data), end = begin + len;
    begin -= begin % QN_PAGE;
    end += (QN_PAGE - end % QN_PAGE) % QN_PAGE;
    end = end < scratch->len ? end : scratch->len;
    if (begin < end) /* advice: that it is not taken does no harm */
        (void)madvise(scratch->data + begin, end - begin, MADV_DONTNEED);
}
