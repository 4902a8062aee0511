/*
 * What commands print: text built in memory, then written to standard output in large pieces.
 * A reader that closes the pipe early is a success; a full disk is not.
 */
#ifndef QN_CLI_OUTPUT_H
#define QN_CLI_OUTPUT_H

#include "engine/quern.h"
#include "index/base/buffer.h"

/* Text under construction. Zero-initialise; free with qn_text_free. A failed allocation sets
 * `failed` and the text stays as it was, so that callers check once, at the end. */
typedef struct qn_text {
    qn_buffer bytes;
    bool colour; /* whether qn_text_style does anything */
    bool failed;
} qn_text;

void qn_text_put(qn_text *text, const char *bytes, size_t len);
void qn_text_puts(qn_text *text, const char *string);
__attribute__((format(printf, 2, 3))) void qn_text_printf(qn_text *text, const char *format, ...);

/* A JSON string with its quotes: controls, quotes and backslashes escaped, invalid UTF-8 replaced
 * by U+FFFD. */
void qn_text_json(qn_text *text, quern_span value);

/* A double as the shortest JSON number that reads back as the same; NaN and infinities as null. */
void qn_text_json_number(qn_text *text, double value);

/* Bytes fit for a line of text: control characters (a terminal's escapes too) become spaces,
 * invalid UTF-8 becomes U+FFFD. */
void qn_text_clean(qn_text *text, quern_span value);

/* Percent-encoded white space, control characters and % signs: a field of a TREC file. */
void qn_text_percent(qn_text *text, quern_span value);

typedef enum qn_style { QN_PLAIN, QN_BOLD, QN_FAINT, QN_ID, QN_MARK } qn_style;

/* The terminal sequence of a style, if the text is coloured. */
void qn_text_style(qn_text *text, qn_style style);

void qn_text_free(qn_text *text);

/* Length in bytes of the UTF-8 character at p, before end, or 0 if it is not one. */
size_t qn_utf8_length(const char *p, const char *end);

/* Standard output. */
typedef struct qn_output {
    qn_text text;
    int fd;
    bool closed;   /* the reader has gone; nothing more is written */
    int sys_errno; /* of the first write that failed for another reason */
} qn_output;

/* `color`: 0 auto (a terminal, NO_COLOR unset or empty, TERM not dumb), 1 always, 2 never. */
void qn_output_open(qn_output *output, int fd, int color);

/* Whether more output still matters. */
bool qn_output_alive(const qn_output *output);

/* Writes what is there if it is a large piece; call after each record. */
void qn_output_settle(qn_output *output);

/* Writes all that is there. */
void qn_output_flush(qn_output *output);

/* Writes the rest and frees. Returns QUERN_OK (also if the reader went away) or the error. */
quern_status qn_output_close(qn_output *output, quern_error *error);

#endif
