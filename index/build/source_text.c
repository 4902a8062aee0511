/* Plain text: see source_text.h. */
#include "index/build/source_text.h"

#include "index/base/status.h"
#include "index/build/source_record.h"

#include <string.h>

/* Bytes looked at for NUL; the first chunk always holds as many, or the whole file. */
#define BINARY_PREFIX 8192u
_Static_assert(BINARY_PREFIX <= QN_STREAM_CHUNK, "the prefix lies within the first chunk");

const char *qn_text_utf16(const uint8_t *data, size_t len)
{
    bool marked =
        len >= 2 && ((data[0] == 0xff && data[1] == 0xfe) || (data[0] == 0xfe && data[1] == 0xff));
    return marked ? "looks like UTF-16, not UTF-8" : NULL;
}

const char *qn_text_refusal(const uint8_t *data, size_t len)
{
    const char *reason = qn_text_utf16(data, len);
    size_t prefix = len < BINARY_PREFIX ? len : BINARY_PREFIX;
    if (reason == NULL && prefix > 0 && memchr(data, 0, prefix) != NULL)
        reason = "looks like a binary file (it holds NUL bytes)";
    return reason;
}

quern_status qn_text_read(qn_stream *stream, qn_buffer *whole, uint64_t max_record, quern_span id,
                          const qn_place *place, quern_document *document, quern_error *error)
{
    quern_status status = qn_record_check_id(id, place, error);
    qn_buffer_trim(whole);
    while (status == QUERN_OK) {
        if (stream->len == 0) {
            quern_error inner = {0};
            status = qn_stream_fill(stream, &inner);
            if (status == QUERN_E_INPUT)
                return qn_record_malformed(error, place, "%s, after %llu decompressed bytes",
                                           inner.message, (unsigned long long)stream->file_bytes);
            if (status != QUERN_OK) {
                if (status != QUERN_END && error != NULL)
                    *error = inner;
                continue;
            }
        }
        const char *refusal = whole->len == 0 ? qn_text_refusal(stream->data, stream->len) : NULL;
        if (refusal != NULL)
            return qn_record_malformed(error, place, "%s", refusal);
        if (stream->len > max_record - whole->len)
            return qn_record_malformed(error, place, "file over the limit of %llu bytes",
                                       (unsigned long long)max_record);
        if (!qn_buffer_append(whole, stream->data, stream->len))
            return qn_fail_memory(error);
        stream->len = 0;
    }
    if (status != QUERN_END)
        return status;
    quern_span text = {.data = (const char *)whole->data, .len = whole->len};
    *document = (quern_document){.id = id, .title = QUERN_STR(""), .text = text, .record = text};
    return QUERN_OK;
}
