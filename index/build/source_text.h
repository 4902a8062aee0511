/*
 * Plain text: a whole file is one document, without a title. Files that are not text are refused: a
 * NUL byte in the first 8 KiB means binary, and a UTF-16 byte order mark is named as such.
 */
#ifndef QN_BUILD_SOURCE_TEXT_H
#define QN_BUILD_SOURCE_TEXT_H

#include "index/base/buffer.h"
#include "index/build/source.h"
#include "index/build/source_stream.h"

/* NULL, or why a file that starts with these bytes is no text. */
const char *qn_text_refusal(const uint8_t *data, size_t len);

/* NULL, or why no format can be made of a file that starts with these bytes. */
const char *qn_text_utf16(const uint8_t *data, size_t len);

/*
 * Reads the rest of the stream's file into `whole` (whose bytes the document points at).
 * QUERN_E_INPUT, named with its place: not text, over max_record (its rest is left unread), or
 * damaged. Others are fatal.
 */
quern_status qn_text_read(qn_stream *stream, qn_buffer *whole, uint64_t max_record, quern_span id,
                          const qn_place *place, quern_document *document, quern_error *error);

#endif
