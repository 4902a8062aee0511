/* Whole lines of a stream, with their numbers: the records of JSONL and TSV. */
#ifndef QN_BUILD_SOURCE_LINES_H
#define QN_BUILD_SOURCE_LINES_H

#include "index/base/buffer.h"
#include "index/build/source.h"
#include "index/build/source_stream.h"

/* Zero-initialise, then qn_lines_start for each file. */
typedef struct qn_lines {
    qn_stream *stream;
    uint64_t max_record;
    qn_place place;  /* of the line given last */
    qn_buffer carry; /* a line that does not lie within one chunk */
} qn_lines;

/* Starts at the first line of a file that `stream` has opened; `file` names it. */
void qn_lines_start(qn_lines *lines, qn_stream *stream, const char *file, uint64_t max_record);

/*
 * The next line, without its LF or CRLF, and without a UTF-8 byte order mark before the first; an
 * unterminated last line is one. Valid until the next call. QUERN_OK; QUERN_END; QUERN_E_INPUT,
 * named with its place: a line over max_record, whose rest is skipped unread, or the place where a
 * compressed file broke, of which a part of a line is dropped. Others are fatal.
 */
quern_status qn_lines_next(qn_lines *lines, quern_span *line, quern_error *error);

/* Frees the buffer and zeroes the struct. */
void qn_lines_free(qn_lines *lines);

#endif
