/*
 * Arrays that may be larger than memory should be: one allocation or, where that is too much, a
 * temporary file that is mapped, whose pages are let go of as they have been used. What is done
 * with them is the same.
 */
#ifndef QN_BASE_SCRATCH_H
#define QN_BASE_SCRATCH_H

#include "engine/quern.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialise. */
typedef struct qn_scratch {
    uint8_t *data; /* zeros at first */
    size_t len;
    bool in_file;
} qn_scratch;

/* Where files are made, and how their folder is called in messages. */
typedef struct qn_scratch_place {
    int dirfd;
    const char *path;
} qn_scratch_place;

/* Makes room for `len` bytes, in a file of `place` if `in_file`; the file is gone when it is
 * closed. QUERN_E_MEMORY, QUERN_E_SPACE, QUERN_E_IO. */
quern_status qn_scratch_open(qn_scratch *out, size_t len, bool in_file,
                             const qn_scratch_place *place, quern_error *error);
void qn_scratch_close(qn_scratch *scratch);

/* Lets go of the pages of [from, from + len), which lie within it: they are no resident memory any
 * more until they are used again, and keep what they hold. Nothing where it is no file. Any thread.
 */
void qn_scratch_forget(const qn_scratch *scratch, const void *from, size_t len);

#endif
