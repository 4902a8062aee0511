/* Forging segment files: after a test has changed bytes of a container, its checksums are made
 * right again, so that the readers behind the checksums meet the change. */
#ifndef QN_TESTS_RESEAL_H
#define QN_TESTS_RESEAL_H

#include "tests/support/support.h"

/* The files of the only segment of an index, in memory, with QN_PADDING bytes behind each. */
typedef struct test_files {
    uint8_t *index, *store; /* store NULL where nothing is stored */
    size_t index_len, store_len;
} test_files;

/* Builds an index of the documents (`options` as for test_build) and reads its files. */
void test_files_new(test_files *files, const test_corpus *corpus,
                    const quern_build_options *options);
void test_files_free(test_files *files);

/* Recomputes page sums, the sums' own checksum and the header page's of a container file in
 * bytes[0..len). Where the header's numbers make the sums unreachable only the header is resealed;
 * false (nothing done) if there is no whole header page. */
bool test_reseal(uint8_t *bytes, size_t len);

/* A section's place in the container file; false if it is not there. */
bool test_section(const uint8_t *bytes, size_t len, uint32_t kind, size_t *offset,
                  size_t *section_len);

#endif
