/* Arrays in memory or in a file: what is written stays, whatever is let go of, and nothing is left
 * behind. */
#define _GNU_SOURCE
#include "index/base/scratch.h"

#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

/* ---- calls that fail ---- */

static int fallocate_errno;
static bool mmap_fails;

int posix_fallocate(int fd, off_t offset, off_t len)
{
    static unsigned interrupted;
    if (fallocate_errno == EINTR && interrupted++ == 0)
        return EINTR;
    if (fallocate_errno != 0 && fallocate_errno != EINTR)
        return fallocate_errno;
    return ((int (*)(int, off_t, off_t))(uintptr_t)dlsym(RTLD_NEXT, "posix_fallocate"))(fd, offset,
                                                                                        len);
}

void *mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
    if (mmap_fails && fd >= 0) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return ((void *(*)(void *, size_t, int, int, int, off_t))(uintptr_t)dlsym(RTLD_NEXT, "mmap"))(
        at, len, protection, flags, fd, offset);
}

/* ---- tests ---- */

static unsigned files_in(const char *path)
{
    DIR *list = opendir(path);
    unsigned n = 0;
    cr_assert_not_null(list);
    for (const struct dirent *entry; (entry = readdir(list)) != NULL;)
        n += entry->d_name[0] != '.';
    (void)closedir(list);
    return n;
}

Test(scratch, keeps_what_is_written)
{
    enum { N = 300000 };
    char *path;
    int dirfd = test_dir_open(&path);
    const qn_scratch_place place = {dirfd, path};
    for (int in_file = 0; in_file < 2; in_file++) {
        qn_scratch scratch;
        quern_error error;
        cr_assert_eq(qn_scratch_open(&scratch, N, in_file == 1, &place, &error), QUERN_OK, "%s",
                     error.message);
        cr_assert_eq(scratch.in_file, in_file == 1);
        cr_assert_eq(scratch.len, (size_t)N);
        for (size_t i = 0; i < N; i++) {
            cr_assert_eq(scratch.data[i], 0);
            scratch.data[i] = (uint8_t)(i * 31 >> 3);
        }
        /* Of pages and of parts of them, at both ends, and nothing. */
        qn_scratch_forget(&scratch, scratch.data, N);
        qn_scratch_forget(&scratch, scratch.data + 5000, 3);
        qn_scratch_forget(&scratch, scratch.data + N - 1, 1);
        qn_scratch_forget(&scratch, scratch.data + N, 0);
        for (size_t i = 0; i < N; i++)
            cr_assert_eq(scratch.data[i], (uint8_t)(i * 31 >> 3), "byte %zu", i);
        cr_assert_eq(files_in(path), 0u); /* a file has no name */
        qn_scratch_close(&scratch);
        cr_assert_null(scratch.data);
        cr_assert_eq(qn_scratch_open(&scratch, 0, in_file == 1, &place, &error), QUERN_OK);
        cr_assert_not_null(scratch.data);
        qn_scratch_close(&scratch);
    }
    test_dir_close(dirfd, path);
}

Test(scratch, says_what_failed)
{
    static const struct {
        int reason;
        quern_status status;
    } cases[] = {{ENOSPC, QUERN_E_SPACE}, {EIO, QUERN_E_IO}};
    char *path;
    int dirfd = test_dir_open(&path);
    const qn_scratch_place place = {dirfd, path};
    qn_scratch scratch;
    quern_error error;
    for (unsigned i = 0; i < 2; i++) {
        fallocate_errno = cases[i].reason;
        cr_assert_eq(qn_scratch_open(&scratch, 9999, true, &place, &error), cases[i].status);
        cr_assert_not_null(strstr(error.message, path), "%s", error.message);
        cr_assert_eq(files_in(path), 0u);
        qn_scratch_close(&scratch);
    }
    fallocate_errno = EINTR;
    cr_assert_eq(qn_scratch_open(&scratch, 9999, true, &place, &error), QUERN_OK);
    qn_scratch_close(&scratch);
    fallocate_errno = 0;
    mmap_fails = true;
    cr_assert_eq(qn_scratch_open(&scratch, 9999, true, &place, &error), QUERN_E_MEMORY);
    mmap_fails = false;
    qn_scratch_close(&scratch);
    const qn_scratch_place nowhere = {-1, "nowhere"};
    cr_assert_eq(qn_scratch_open(&scratch, 9999, true, &nowhere, &error), QUERN_E_IO);
    cr_assert_eq(qn_scratch_open(&scratch, 9999, false, &nowhere, &error), QUERN_OK);
    qn_scratch_close(&scratch);
    test_dir_close(dirfd, path);
}
