/* Reading lines with read(2): what has arrived is given out before more is waited for. */
#include "engine/cli/lines.h"

#include "engine/cli/cli.h"
#include "index/base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Read at once. */
enum { PIECE = 64 << 10 };

quern_status qn_lines_open(qn_lines *lines, const char *path, quern_error *error)
{
    *lines = (qn_lines){.path = path, .fd = -1};
    if (!qn_buffer_reserve(&lines->buffer, PIECE))
        return qn_fail_memory(error);
    if (strcmp(path, "-") == 0) {
        lines->path = "standard input";
        lines->fd = STDIN_FILENO;
        return QUERN_OK;
    }
    lines->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (lines->fd < 0) {
        quern_status status = qn_fail_sys(error, errno, "open", path);
        qn_lines_close(lines);
        return status;
    }
    return QUERN_OK;
}

/* Reads more bytes behind those that are there. */
static quern_status fill(qn_lines *lines, quern_error *error)
{
    if (lines->start > 0) {
        memmove(lines->buffer.data, lines->buffer.data + lines->start,
                lines->buffer.len - lines->start);
        lines->buffer.len -= lines->start;
        lines->start = 0;
    }
    if (!qn_buffer_reserve(&lines->buffer, PIECE))
        return qn_fail_memory(error);
    for (;;) {
        ssize_t n = read(lines->fd, lines->buffer.data + lines->buffer.len, PIECE);
        if (n > 0) {
            lines->buffer.len += (size_t)n;
            return QUERN_OK;
        }
        if (n == 0) {
            lines->at_end = true;
            return QUERN_OK;
        }
        if (errno != EINTR)
            return qn_fail_sys(error, errno, "read", lines->path);
        if (qn_interrupted() != 0)
            return qn_fail(error, QUERN_E_CANCELLED, "interrupted");
    }
}

bool qn_lines_ready(const qn_lines *lines)
{
    size_t len = lines->buffer.len - lines->start;
    return lines->at_end ||
           (len > 0 && memchr(lines->buffer.data + lines->start, '\n', len) != NULL);
}

quern_status qn_lines_next(qn_lines *lines, quern_span *line, quern_error *error)
{
    size_t seen = 0; /* bytes known to hold no line end */
    for (;;) {
        const char *data = (const char *)lines->buffer.data + lines->start;
        size_t len = lines->buffer.len - lines->start;
        const char *end = len > seen ? memchr(data + seen, '\n', len - seen) : NULL;
        if (end == NULL && !lines->at_end) {
            seen = len;
            if (len > QN_LINE_MAX) {
                lines->number++;
                return qn_lines_fail(lines, "the line is longer than 16 MiB", error);
            }
            quern_status status = fill(lines, error);
            if (status != QUERN_OK)
                return status;
            continue;
        }
        if (end == NULL && len == 0)
            return QUERN_END;
        *line = (quern_span){data, end != NULL ? (size_t)(end - data) : len};
        lines->start += line->len + (end != NULL);
        if (line->len > 0 && line->data[line->len - 1] == '\r')
            line->len--;
        if (++lines->number == 1 && line->len >= 3 && memcmp(line->data, "\xEF\xBB\xBF", 3) == 0) {
            line->data += 3;
            line->len -= 3;
        }
        return QUERN_OK;
    }
}

void qn_lines_close(qn_lines *lines)
{
    if (lines->fd >= 0 && lines->fd != STDIN_FILENO)
        (void)close(lines->fd);
    qn_buffer_free(&lines->buffer);
    *lines = (qn_lines){.fd = -1};
}

quern_status qn_lines_fail(const qn_lines *lines, const char *reason, quern_error *error)
{
    return qn_fail_at(error, QUERN_E_INPUT, lines->number, "%s:%llu: %s", lines->path,
                      (unsigned long long)lines->number, reason);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool qn_next_field(quern_span *rest, quern_span *field)
{
    const char *p = rest->data, *end = p == NULL ? NULL : p + rest->len;
    while (p < end && is_space(*p))
        p++;
    const char *start = p;
    while (p < end && !is_space(*p))
        p++;
    *field = (quern_span){start, (size_t)(p - start)};
    *rest = (quern_span){p, (size_t)(end - p)};
    return field->len > 0;
}
