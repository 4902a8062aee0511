/* Scratch folders and files for tests of the segment layer. */
#include "tests/support/segment_files.h"

#include "index/base/bytes.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int qn_test_dir_new(char path[256])
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(path, 256, "%s/quern-test-XXXXXX", base != NULL && *base ? base : "/tmp");
    cr_assert(mkdtemp(path) != NULL, "cannot make %s", path);
    int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert(dirfd >= 0, "cannot open %s", path);
    return dirfd;
}

void qn_test_dir_remove(int dirfd, const char *path)
{
    DIR *dir = opendir(path);
    cr_assert(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            (void)unlinkat(dirfd, entry->d_name, 0);
    }
    (void)closedir(dir);
    (void)close(dirfd);
    cr_assert(rmdir(path) == 0, "cannot remove %s", path);
}

uint8_t *qn_test_copy(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = calloc(1, len + QN_PADDING);
    cr_assert(copy != NULL);
    if (len > 0)
        memcpy(copy, bytes, len);
    return copy;
}

uint8_t *qn_test_read_file(int dirfd, const char *name, size_t *len)
{
    int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
    cr_assert(fd >= 0, "cannot open %s", name);
    struct stat st;
    cr_assert(fstat(fd, &st) == 0);
    uint8_t *bytes = calloc(1, (size_t)st.st_size + QN_PADDING);
    cr_assert(bytes != NULL);
    for (*len = 0; *len < (size_t)st.st_size;) {
        ssize_t n = read(fd, bytes + *len, (size_t)st.st_size - *len);
        cr_assert(n > 0, "cannot read %s", name);
        *len += (size_t)n;
    }
    (void)close(fd);
    return bytes;
}

uint64_t qn_test_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}
