/* What tests share: see support.h. */
#define _GNU_SOURCE
#include "tests/support/support.h"

#include "index/base/bytes.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void must(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        abort();
    }
}

char *test_dir_new(void)
{
    const char *base = getenv("TMPDIR");
    char *path;
    must(asprintf(&path, "%s/quern-test-XXXXXX", base == NULL ? "/tmp" : base) > 0, "asprintf");
    must(mkdtemp(path) != NULL, "mkdtemp");
    return path;
}

char *test_path(const char *dir, const char *name)
{
    char *path;
    must(asprintf(&path, "%s/%s", dir, name) > 0, "asprintf");
    return path;
}

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    if (dir == NULL)
        return;
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        char *child = test_path(path, entry->d_name);
        struct stat st;
        if (lstat(child, &st) == 0 && S_ISDIR(st.st_mode))
            remove_tree(child);
        else
            (void)unlink(child);
        free(child);
    }
    (void)closedir(dir);
    (void)rmdir(path);
}

void test_dir_free(char *path)
{
    remove_tree(path);
    free(path);
}

int test_dir_open(char **path)
{
    *path = test_dir_new();
    int dirfd = open(*path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(dirfd >= 0, *path);
    return dirfd;
}

void test_dir_close(int dirfd, char *path)
{
    (void)close(dirfd);
    test_dir_free(path);
}

void test_write_file(const char *path, const void *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");
    must(file != NULL, path);
    must(fwrite(bytes, 1, len, file) == len, path);
    must(fclose(file) == 0, path);
}

static uint8_t *read_whole(int fd, const char *name, size_t *len)
{
    struct stat st;
    must(fd >= 0 && fstat(fd, &st) == 0, name);
    uint8_t *bytes = calloc(1, (size_t)st.st_size + QN_PADDING);
    must(bytes != NULL, name);
    for (*len = 0; *len < (size_t)st.st_size;) {
        ssize_t n = read(fd, bytes + *len, (size_t)st.st_size - *len);
        must(n > 0, name);
        *len += (size_t)n;
    }
    (void)close(fd);
    return bytes;
}

uint8_t *test_read_file(const char *path, size_t *len)
{
    return read_whole(open(path, O_RDONLY | O_CLOEXEC), path, len);
}

uint8_t *test_read_at(int dirfd, const char *name, size_t *len)
{
    return read_whole(openat(dirfd, name, O_RDONLY | O_CLOEXEC), name, len);
}

uint8_t *test_copy(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = calloc(1, len + QN_PADDING);
    must(copy != NULL, "calloc");
    if (len > 0)
        memcpy(copy, bytes, len);
    return copy;
}

char *test_find_file(const char *path, const char *suffix)
{
    DIR *dir = opendir(path);
    must(dir != NULL, path);
    char *found = NULL;
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        size_t len = strlen(entry->d_name), tail = strlen(suffix);
        if (len >= tail && strcmp(entry->d_name + len - tail, suffix) == 0 && found == NULL)
            found = test_path(path, entry->d_name);
    }
    (void)closedir(dir);
    return found;
}

char *test_data(const char *name)
{
    const char *const folders[] = {getenv("QUERN_DATA"), "../shared/data", "../../shared/data"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (folders[i] == NULL)
            continue;
        char *path = test_path(folders[i], name);
        if (access(path, R_OK) == 0)
            return path;
        free(path);
    }
    (void)fprintf(stderr, "skipped: %s is not there (QUERN_DATA names the data folder)\n", name);
    return NULL;
}

test_corpus test_corpus_new(uint64_t seed, size_t n, uint32_t vocabulary, uint32_t max_words)
{
    test_random random = seed;
    test_corpus corpus = {calloc(n + 1, sizeof(quern_document)), n};
    must(corpus.document != NULL, "calloc");
    for (size_t i = 0; i < n; i++) {
        char *id, *text = NULL;
        size_t len = 0;
        must(asprintf(&id, "d%zu", i) > 0, "asprintf");
        FILE *out = open_memstream(&text, &len);
        must(out != NULL, "open_memstream");
        uint32_t words = test_below(&random, max_words + 1);
        for (uint32_t w = 0; w < words; w++) {
            /* The product of two uniform numbers favours small ones, as frequent words do. */
            uint64_t word = (uint64_t)test_below(&random, vocabulary) *
                            test_below(&random, vocabulary) / vocabulary;
            (void)fprintf(out, "w%llu ", (unsigned long long)word);
        }
        must(fclose(out) == 0, "fclose");
        corpus.document[i] = (quern_document){.id = {id, strlen(id)}, .text = {text, len}};
    }
    return corpus;
}

void test_corpus_free(test_corpus *corpus)
{
    for (size_t i = 0; i < corpus->n; i++) {
        free((void *)(uintptr_t)corpus->document[i].id.data);
        free((void *)(uintptr_t)corpus->document[i].text.data);
    }
    free(corpus->document);
    *corpus = (test_corpus){0};
}

void test_build(const char *path, const test_corpus *corpus, const quern_build_options *options)
{
    quern_error error;
    quern_builder *builder;
    cr_assert_eq(quern_builder_open(&builder, path, options, &error), QUERN_OK, "%s",
                 error.message);
    for (size_t i = 0; i < corpus->n; i++)
        cr_assert_eq(quern_builder_add(builder, &corpus->document[i], &error), QUERN_OK, "%s",
                     error.message);
    cr_assert_eq(quern_builder_commit(builder, NULL, &error), QUERN_OK, "%s", error.message);
    quern_builder_free(builder);
}
