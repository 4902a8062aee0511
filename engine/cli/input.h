/* Lines of a file or of standard input, one after the other, as they arrive. */
#ifndef QN_CLI_INPUT_H
#define QN_CLI_INPUT_H

#include "engine/quern.h"
#include "index/base/buffer.h"

/* Lines longer than this are refused (QUERN_E_INPUT), so that memory stays bounded. */
#define QN_INPUT_LINE_MAX ((size_t)16 << 20)

typedef struct qn_input {
    const char *path; /* for messages: "standard input" for - */
    int fd;
    qn_buffer buffer;
    size_t start; /* of what is not yet given out */
    bool at_end;
    uint64_t number; /* of the line given last, from 1 */
} qn_input;

/* Opens `path`, which must outlive the lines; - is standard input. */
quern_status qn_input_open(qn_input *input, const char *path, quern_error *error);

/* The next line without its end (LF or CRLF), valid until the next call; a byte order mark at the
 * start of the file is skipped. QUERN_END after the last, QUERN_E_CANCELLED if a signal that asks
 * to stop arrived while waiting. */
quern_status qn_input_next(qn_input *input, quern_span *line, quern_error *error);

void qn_input_close(qn_input *input);

/* Fails with "PATH:LINE: REASON" about the line given last. */
quern_status qn_input_fail(const qn_input *input, const char *reason, quern_error *error);

/* The next field of a line, fields being separated by white space; false at its end. `rest`
 * is moved behind it. */
bool qn_next_field(quern_span *rest, quern_span *field);

#endif
