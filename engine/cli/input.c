/* Reading lines with read(2): what has arrived is given out before more is waited for. */
#include "engine/cli/input.h"

#include "engine/cli/cli.h"
#include "index/base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Read at once. */
enum { PIECE = 64 << 10 };

quern_status qn_input_open(qn_input *input, const char *path, quern_error *error)
{
    *input = (qn_input){.path = path, .fd = -1};
    if (!qn_buffer_reserve(&input->buffer, PIECE))
        return qn_fail_memory(error);
    if (strcmp(path, "-") == 0) {
        input->path = "standard input";
        input->fd = STDIN_FILENO;
        return QUERN_OK;
    }
    input->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (input->fd < 0) {
        quern_status status = qn_fail_sys(error, errno, "open", path);
        qn_input_close(input);
        return status;
    }
    return QUERN_OK;
}

/* Reads more bytes behind those that are there. */
static quern_status fill(qn_input *input, quern_error *error)
{
    if (input->start > 0) {
        memmove(input->buffer.data, input->buffer.data + input->start,
                input->buffer.len - input->start);
        input->buffer.len -= input->start;
        input->start = 0;
    }
    if (!qn_buffer_reserve(&input->buffer, PIECE))
        return qn_fail_memory(error);
    for (;;) {
        ssize_t n = read(input->fd, input->buffer.data + input->buffer.len, PIECE);
        if (n > 0) {
            input->buffer.len += (size_t)n;
            return QUERN_OK;
        }
        if (n == 0) {
            input->at_end = true;
            return QUERN_OK;
        }
        if (errno != EINTR)
            return qn_fail_sys(error, errno, "read", input->path);
        if (qn_interrupted() != 0)
            return qn_fail(error, QUERN_E_CANCELLED, "interrupted");
    }
}

quern_status qn_input_next(qn_input *input, quern_span *line, quern_error *error)
{
    size_t seen = 0; /* bytes known to hold no line end */
    for (;;) {
        const char *data = (const char *)input->buffer.data + input->start;
        size_t len = input->buffer.len - input->start;
        const char *end = len > seen ? memchr(data + seen, '\n', len - seen) : NULL;
        if (end == NULL && !input->at_end) {
            seen = len;
            if (len > QN_INPUT_LINE_MAX) {
                input->number++;
                return qn_input_fail(input, "the line is longer than 16 MiB", error);
            }
            quern_status status = fill(input, error);
            if (status != QUERN_OK)
                return status;
            continue;
        }
        if (end == NULL && len == 0)
            return QUERN_END;
        *line = (quern_span){data, end != NULL ? (size_t)(end - data) : len};
        input->start += line->len + (end != NULL);
        if (line->len > 0 && line->data[line->len - 1] == '\r')
            line->len--;
        if (++input->number == 1 && line->len >= 3 && memcmp(line->data, "\xEF\xBB\xBF", 3) == 0) {
            line->data += 3;
            line->len -= 3;
        }
        return QUERN_OK;
    }
}

void qn_input_close(qn_input *input)
{
    if (input->fd >= 0 && input->fd != STDIN_FILENO)
        (void)close(input->fd);
    qn_buffer_free(&input->buffer);
    *input = (qn_input){.fd = -1};
}

quern_status qn_input_fail(const qn_input *input, const char *reason, quern_error *error)
{
    return qn_fail_at(error, QUERN_E_INPUT, input->number, "%s:%llu: %s", input->path,
                      (unsigned long long)input->number, reason);
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
