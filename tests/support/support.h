/* What tests share: temporary directories, the data folder, small corpora. */
#ifndef QN_TESTS_SUPPORT_H
#define QN_TESTS_SUPPORT_H

#include "engine/quern.h"
#include "tests/support/random.h"

/* Makes an empty directory and returns its path (to be freed); aborts on failure. */
char *test_dir_new(void);
/* Removes a directory and everything in it, and frees the path. */
void test_dir_free(char *path);
/* The same for those who work with a descriptor of the directory: test_dir_close closes it too. */
int test_dir_open(char **path);
void test_dir_close(int dirfd, char *path);
/* "DIR/NAME", to be freed. */
char *test_path(const char *dir, const char *name);
void test_write_file(const char *path, const void *bytes, size_t len);
/* The whole file, to be freed, with QN_PADDING zero bytes behind it. */
uint8_t *test_read_file(const char *path, size_t *len);
uint8_t *test_read_at(int dirfd, const char *name, size_t *len);
/* A copy of bytes[0..len), to be freed, with QN_PADDING zero bytes behind them and nothing else, so
 * that AddressSanitizer sees any further over-read. */
uint8_t *test_copy(const uint8_t *bytes, size_t len);
/* The only entry of `dir` that ends in `suffix`, as a path to be freed; NULL if none. */
char *test_find_file(const char *dir, const char *suffix);

/* "DATA/NAME", to be freed, where DATA is QUERN_DATA, ../shared/data or ../../shared/data; NULL
 * (after saying "skipped") where none has it. */
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
