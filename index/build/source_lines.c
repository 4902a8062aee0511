/* Whole lines of a stream: see source_lines.h. A line within one chunk is not copied. */
#include "index/build/source_lines.h"

#include "index/base/status.h"
#include "index/build/source_record.h"

#include <string.h>

/* What may stand around a line that is just as long as allowed: a byte order mark and a CR. */
#define LINE_EXTRA 4u

void qn_lines_start(qn_lines *lines, qn_stream *stream, const char *file, uint64_t max_record)
{
    lines->stream = stream;
    lines->max_record = max_record;
    lines->place = (qn_place){.file = file, .line = 0};
    lines->carry.len = 0;
}

void qn_lines_free(qn_lines *lines)
{
    qn_buffer_free(&lines->carry);
    *lines = (qn_lines){0};
}

static quern_status too_long(const qn_lines *lines, quern_error *error)
{
    return qn_record_malformed(error, &lines->place, "record over the limit of %llu bytes",
                               (unsigned long long)lines->max_record);
}

/* Takes off what is no part of the line, and checks its length. */
static quern_status finish(const qn_lines *lines, const uint8_t *data, size_t len, quern_span *line,
                           quern_error *error)
{
    if (lines->place.line == 1 && len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
        data += 3;
        len -= 3;
    }
    if (len > 0 && data[len - 1] == '\r')
        len--;
    if (len > lines->max_record)
        return too_long(lines, error);
    *line = (quern_span){.data = (const char *)data, .len = len};
    return QUERN_OK;
}

/* Appends to the carry, unless the line is or becomes too long. False when memory is short. */
static bool carry_on(qn_lines *lines, size_t len, bool *skipping)
{
    qn_buffer *carry = &lines->carry;
    uint64_t cap =
        lines->max_record > SIZE_MAX - LINE_EXTRA ? SIZE_MAX : lines->max_record + LINE_EXTRA;
    if (*skipping || len > cap - carry->len) {
        *skipping = true;
        carry->len = 0;
        return true;
    }
    return qn_buffer_append(carry, lines->stream->data, len);
}

static quern_status broken(const qn_lines *lines, const quern_error *reason, quern_error *error)
{
    return qn_record_malformed(error, &lines->place, "%s, after %llu decompressed bytes",
                               reason->message, (unsigned long long)lines->stream->file_bytes);
}

quern_status qn_lines_next(qn_lines *lines, quern_span *line, quern_error *error)
{
    qn_stream *stream = lines->stream;
    bool skipping = false, started = false;
    qn_buffer_trim(&lines->carry);
    lines->place.line++;
    for (;;) {
        if (stream->len == 0) {
            quern_error inner = {0};
            quern_status status = qn_stream_fill(stream, &inner);
            if (status == QUERN_E_INPUT)
                return broken(lines, &inner, error);
            if (status == QUERN_END) {
                if (!started)
                    return QUERN_END;
                break;
            }
            if (status != QUERN_OK) {
                if (error != NULL)
                    *error = inner;
                return status;
            }
        }
        started = true;
        const uint8_t *data = stream->data;
        const uint8_t *feed = memchr(data, '\n', stream->len);
        size_t len = feed != NULL ? (size_t)(feed - data) : stream->len;
        bool whole = feed != NULL && lines->carry.len == 0 && !skipping;
        if (!whole && !carry_on(lines, len, &skipping))
            return qn_fail_memory(error);
        stream->data += len + (feed != NULL);
        stream->len -= len + (feed != NULL);
        if (whole)
            return finish(lines, data, len, line, error);
        if (feed != NULL)
            break;
    }
    return skipping ? too_long(lines, error)
                    : finish(lines, lines->carry.data, lines->carry.len, line, error);
}
