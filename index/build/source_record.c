/* What the readers of all formats share: see source_record.h. */
#include "index/build/source_record.h"

#include "index/base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Bytes of a path that a message names, out of the 512 of a message. */
#define PATH_SHOWN 300u

/* The path, or of one over PATH_SHOWN bytes its end, from a character's first byte on. */
static const char *path_end(const char *path)
{
    size_t len = strlen(path);
    if (len <= PATH_SHOWN)
        return path;
    path += len - PATH_SHOWN;
    while (((unsigned char)*path & 0xc0) == 0x80)
        path++;
    return path;
}

quern_status qn_record_malformed(quern_error *error, const qn_place *place, const char *format, ...)
{
    if (error == NULL)
        return QUERN_E_INPUT;
    char reason[sizeof error->message - PATH_SHOWN - 32];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(reason, sizeof reason, format, args);
    va_end(args);

    const char *shown = path_end(place->file);
    const char *dots = shown == place->file ? "" : "...";
    if (place->line == 0)
        return qn_fail(error, QUERN_E_INPUT, "%s%s: %s", dots, shown, reason);
    return qn_fail_at(error, QUERN_E_INPUT, place->line, "%s%s:%llu: %s", dots, shown,
                      (unsigned long long)place->line, reason);
}

quern_status qn_record_unreadable(quern_error *error, const qn_place *place, int sys_errno)
{
    char reason[128];
    if (strerror_r(sys_errno, reason, sizeof reason) != 0)
        (void)snprintf(reason, sizeof reason, "error %d", sys_errno);
    (void)qn_record_malformed(error, place, "cannot read it: %s", reason);
    if (error != NULL)
        error->sys_errno = sys_errno;
    return QUERN_E_INPUT;
}

quern_status qn_record_check_id(quern_span id, const qn_place *place, quern_error *error)
{
    if (id.len == 0)
        return qn_record_malformed(error, place, "empty id");
    if (id.len > QN_ID_MAX)
        return qn_record_malformed(error, place, "id of %zu bytes, over the limit of %u", id.len,
                                   QN_ID_MAX);
    if (memchr(id.data, 0, id.len) != NULL)
        return qn_record_malformed(error, place, "id holds a NUL byte");
    return QUERN_OK;
}
