/* What tests share: a seeded random generator, temporary directories, the data folder, small
 * corpora. */
#ifndef QN_TESTS_SUPPORT_H
#define QN_TESTS_SUPPORT_H

#include "engine/quern.h"

/* SplitMix64 (Steele et al. 2014): deterministic, good enough for tests. */
typedef struct test_random {
    uint64_t state;
} test_random;
uint64_t test_next(test_random *random);
/* Uniform in [0, n), n > 0. */
uint32_t test_below(test_random *random, uint32_t n);

/* Makes an empty directory and returns its path (to be freed); aborts on failure. */
char *test_dir_new(void);
/* Removes a directory and everything in it, and frees the path. */
void test_dir_free(char *path);
/* "DIR/NAME", to be freed. */
char *test_path(const char *dir, const char *name);
void test_write_file(const char *path, const void *bytes, size_t len);
/* The whole file, to be freed, with 64 readable bytes after it. */
uint8_t *test_read_file(const char *path, size_t *len);
/* The only entry of `dir` that ends in `suffix`, as a path to be freed; NULL if none. */
char *test_find_file(const char *dir, const char *suffix);

/* "DATA/NAME" where DATA is QUERN_DATA or ../shared/data, to be freed; NULL (after saying
 * "skipped") where it does not exist. */
char *test_data(const char *name);

/* Random documents over a small vocabulary ("w0".."w<n>"), skewed as words are. To be freed with
 * test_corpus_free. Ids are "d0", "d1", ... */
typedef struct test_corpus {
    quern_document *document;
    size_t n;
} test_corpus;
test_corpus test_corpus_new(uint64_t seed, size_t n, uint32_t vocabulary, uint32_t max_words);
void test_corpus_free(test_corpus *corpus);

/* Builds an index of the documents; fails the test if that fails. `options` may be NULL. */
void test_build(const char *path, const test_corpus *corpus, const quern_build_options *options);

#endif
