/* What fuzz targets share: the entry that libFuzzer and replay.c call, and a check that stays in
 * optimised builds. */
#ifndef QN_TESTS_FUZZ_H
#define QN_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Checks one input; always 0. A defect aborts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define QN_FUZZ_CHECK(condition)                                                                   \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
