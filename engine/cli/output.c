/* Text for people and programs, and its way to standard output. */
#include "engine/cli/output.h"

#include "index/base/status.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Pieces this large are written at once; a record may exceed it. */
#define PIECE (64u << 10)

static const char REPLACEMENT[] = "\xEF\xBF\xBD"; /* U+FFFD */

/* ---- text ---- */

void qn_text_put(qn_text *text, const char *bytes, size_t len)
{
    if (!qn_buffer_append(&text->bytes, bytes, len))
        text->failed = true;
}

void qn_text_puts(qn_text *text, const char *string)
{
    qn_text_put(text, string, strlen(string));
}

void qn_text_printf(qn_text *text, const char *format, ...)
{
    char small[256];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (len < 0) {
        text->failed = true;
    } else if ((size_t)len < sizeof small) {
        qn_text_put(text, small, (size_t)len);
    } else if (qn_buffer_reserve(&text->bytes, (size_t)len + 1)) {
        (void)vsnprintf((char *)text->bytes.data + text->bytes.len, (size_t)len + 1, format, again);
        text->bytes.len += (size_t)len;
    } else {
        text->failed = true;
    }
    va_end(again);
}

size_t qn_utf8_length(const char *p, const char *end)
{
    const unsigned char *s = (const unsigned char *)p;
    size_t room = (size_t)(end - p);
    if (room == 0)
        return 0;
    if (s[0] < 0x80)
        return 1;
    size_t len = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (s[0] < 0xC2 || s[0] > 0xF4 || room < len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    /* Overlong forms, surrogates, and what lies beyond U+10FFFF. */
    if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) ||
        (s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))
        return 0;
    return len;
}

void qn_text_json(qn_text *text, quern_span value)
{
    const char *p = value.data, *end = value.data == NULL ? NULL : value.data + value.len;
    qn_text_put(text, "\"", 1);
    while (p < end) {
        const char *run = p; /* bytes that need no change */
        size_t len = 1;
        while (p < end && (unsigned char)*p >= 0x20 && *p != '"' && *p != '\\' &&
               (len = qn_utf8_length(p, end)) != 0)
            p += len;
        qn_text_put(text, run, (size_t)(p - run));
        if (p == end)
            break;
        if (len == 0) {
            qn_text_puts(text, REPLACEMENT);
        } else if (*p == '"' || *p == '\\') {
            char escaped[2] = {'\\', *p};
            qn_text_put(text, escaped, 2);
        } else if (*p == '\n') {
            qn_text_put(text, "\\n", 2);
        } else if (*p == '\t') {
            qn_text_put(text, "\\t", 2);
        } else if (*p == '\r') {
            qn_text_put(text, "\\r", 2);
        } else {
            qn_text_printf(text, "\\u%04x", (unsigned)(unsigned char)*p);
        }
        p++;
    }
    qn_text_put(text, "\"", 1);
}

void qn_text_json_number(qn_text *text, double value)
{
    if (!isfinite(value)) {
        qn_text_puts(text, "null");
        return;
    }
    char digits[32];
    for (int precision = 1; precision <= 17; precision++) {
        (void)snprintf(digits, sizeof digits, "%.*g", precision, value);
        double back = strtod(digits, NULL);
        if (!(back < value) && !(back > value))
            break;
    }
    qn_text_puts(text, digits);
}

/* Length of the character at p if it may stand in a line of text as it is, else 0. */
static size_t clean_length(const char *p, const char *end)
{
    if ((unsigned char)*p < 0x20 || *p == 0x7F)
        return 0;
    if (*p == '\xC2' && end - p > 1 && (unsigned char)p[1] < 0xA0) /* U+0080 to U+009F */
        return 0;
    return qn_utf8_length(p, end);
}

void qn_text_clean(qn_text *text, quern_span value)
{
    const char *p = value.data, *end = value.data == NULL ? NULL : value.data + value.len;
    while (p < end) {
        const char *run = p;
        size_t len;
        while (p < end && (len = clean_length(p, end)) != 0)
            p += len;
        qn_text_put(text, run, (size_t)(p - run));
        if (p == end)
            break;
        size_t odd = qn_utf8_length(p, end);
        qn_text_puts(text, odd == 0 ? REPLACEMENT : " ");
        p += odd == 0 ? 1 : odd;
    }
}

void qn_text_percent(qn_text *text, quern_span value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char byte = (unsigned char)value.data[i];
        if (byte <= 0x20 || byte == 0x7F || byte == '%')
            qn_text_printf(text, "%%%02X", (unsigned)byte);
        else
            qn_text_put(text, value.data + i, 1);
    }
}

void qn_text_style(qn_text *text, qn_style style)
{
    static const char *const SEQUENCES[] = {
        [QN_PLAIN] = "\x1b[0m", [QN_BOLD] = "\x1b[1m",    [QN_FAINT] = "\x1b[2m",
        [QN_ID] = "\x1b[36m",   [QN_MARK] = "\x1b[1;33m",
    };
    if (text->colour)
        qn_text_puts(text, SEQUENCES[style]);
}

void qn_text_free(qn_text *text)
{
    qn_buffer_free(&text->bytes);
}

/* ---- standard output ---- */

static bool colour_wanted(int fd, int color)
{
    if (color != 0)
        return color == 1;
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return (no_color == NULL || *no_color == '\0') && isatty(fd) &&
           (term == NULL || strcmp(term, "dumb") != 0);
}

void qn_output_open(qn_output *output, int fd, int color)
{
    *output = (qn_output){.fd = fd, .text.colour = colour_wanted(fd, color)};
}

bool qn_output_alive(const qn_output *output)
{
    return !output->closed && output->sys_errno == 0 && !output->text.failed;
}

void qn_output_flush(qn_output *output)
{
    const uint8_t *at = output->text.bytes.data;
    size_t left = output->text.bytes.len;
    while (left > 0 && !output->closed && output->sys_errno == 0) {
        ssize_t n = write(output->fd, at, left);
        if (n >= 0) {
            at += n;
            left -= (size_t)n;
        } else if (errno == EPIPE) {
            output->closed = true;
        } else if (errno != EINTR) {
            output->sys_errno = errno;
        }
    }
    output->text.bytes.len = 0;
}

void qn_output_settle(qn_output *output)
{
    if (output->text.bytes.len >= PIECE)
        qn_output_flush(output);
}

quern_status qn_output_close(qn_output *output, quern_error *error)
{
    qn_output_flush(output);
    quern_status status = QUERN_OK;
    if (output->closed)
        status = QUERN_OK;
    else if (output->sys_errno != 0)
        status = qn_fail_sys(error, output->sys_errno, "write", "standard output");
    else if (output->text.failed)
        status = qn_fail_memory(error);
    qn_text_free(&output->text);
    return status;
}
