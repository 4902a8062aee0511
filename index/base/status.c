/* Failing: messages, and the English names of the status codes. */
#include "index/base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void fill(quern_error *error, quern_status status, int sys_errno, uint64_t position,
                 const char *format, va_list args)
{
    if (error == NULL)
        return;
    error->status = status;
    error->sys_errno = sys_errno;
    error->position = position;
    (void)vsnprintf(error->message, sizeof error->message, format, args);
}

quern_status qn_fail(quern_error *error, quern_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(error, status, 0, 0, format, args);
    va_end(args);
    return status;
}

quern_status qn_fail_at(quern_error *error, quern_status status, uint64_t position,
                        const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(error, status, 0, position, format, args);
    va_end(args);
    return status;
}

quern_status qn_fail_sys(quern_error *error, int sys_errno, const char *what, const char *path)
{
    quern_status status = sys_errno == ENOSPC || sys_errno == EDQUOT ? QUERN_E_SPACE
                          : sys_errno == ENOMEM                      ? QUERN_E_MEMORY
                                                                     : QUERN_E_IO;
    char reason[128];
    /* The POSIX variant of strerror_r; _GNU_SOURCE is not defined in this file. */
    if (strerror_r(sys_errno, reason, sizeof reason) != 0)
        (void)snprintf(reason, sizeof reason, "error %d", sys_errno);
    (void)qn_fail(error, status, "cannot %s %s: %s", what, path, reason);
    if (error != NULL)
        error->sys_errno = sys_errno;
    return status;
}

quern_status qn_fail_memory(quern_error *error)
{
    return qn_fail(error, QUERN_E_MEMORY, "out of memory");
}

const char *quern_status_text(quern_status status)
{
    switch (status) {
    case QUERN_OK:
        return "ok";
    case QUERN_END:
        return "end";
    case QUERN_NOT_FOUND:
        return "not found";
    case QUERN_E_ARGUMENT:
        return "bad argument";
    case QUERN_E_INPUT:
        return "malformed input";
    case QUERN_E_DUPLICATE:
        return "duplicate id";
    case QUERN_E_EXISTS:
        return "exists already";
    case QUERN_E_DAMAGED:
        return "damaged index";
    case QUERN_E_VERSION:
        return "unknown index version";
    case QUERN_E_ANALYZER:
        return "different stemmer";
    case QUERN_E_IO:
        return "input/output error";
    case QUERN_E_SPACE:
        return "no space left";
    case QUERN_E_MEMORY:
        return "out of memory";
    case QUERN_E_LOCKED:
        return "index is locked";
    case QUERN_E_CANCELLED:
        return "cancelled";
    }
    return "unknown status";
}
