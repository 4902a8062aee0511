/* What tests of the segment layer share: a scratch folder, files read back with room to over-read,
 * and a seeded generator of pseudo-random numbers. */
#ifndef QN_TESTS_SEGMENT_FILES_H
#define QN_TESTS_SEGMENT_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A new empty folder under TMPDIR or /tmp; `path` has room for 256 bytes. Returns its descriptor;
 * fails the test if it cannot. */
int qn_test_dir_new(char path[256]);

/* Removes the folder with the files in it, and closes the descriptor. */
void qn_test_dir_remove(int dirfd, const char *path);

/* The bytes of a file, QN_PADDING zero bytes behind them; freed by the caller. */
uint8_t *qn_test_read_file(int dirfd, const char *name, size_t *len);

/* A copy of bytes[0..len), QN_PADDING zero bytes behind them and nothing else, so that
 * AddressSanitizer sees any further over-read; freed by the caller. */
uint8_t *qn_test_copy(const uint8_t *bytes, size_t len);

/* The next number of a splitmix64 sequence (Steele, Lea, Flood 2014). */
uint64_t qn_test_random(uint64_t *state);

#endif
