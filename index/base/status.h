/*
 * Failing: how every layer reports an error. A failed call fills the caller's quern_error (which
 * may be NULL) and returns its status, so that `return qn_fail(error, ...)` is one line.
 */
#ifndef QN_BASE_STATUS_H
#define QN_BASE_STATUS_H

#include "engine/quern.h"

/* Fills `error` (may be NULL) with a formatted message and returns `status`. */
__attribute__((format(printf, 3, 4))) quern_status qn_fail(quern_error *error, quern_status status,
                                                           const char *format, ...);

/* Like qn_fail, with a byte or line number for error->position. */
__attribute__((format(printf, 4, 5))) quern_status
qn_fail_at(quern_error *error, quern_status status, uint64_t position, const char *format, ...);

/* A system call on `path` failed with `sys_errno`: "cannot WHAT PATH: REASON". The status follows
 * from the number: QUERN_E_SPACE, QUERN_E_MEMORY or QUERN_E_IO. */
quern_status qn_fail_sys(quern_error *error, int sys_errno, const char *what, const char *path);

/* An allocation failed. */
quern_status qn_fail_memory(quern_error *error);

#endif
