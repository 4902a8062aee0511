/* Parsing topics: a tab-separated line, or a flat reading of one JSON object (RFC 8259). */
#include "engine/cli/topics.h"

#include "index/base/status.h"

#include <string.h>

/* ---- JSON ---- */

/* Values may be nested this deep; a topic needs none of it. */
#define DEPTH_MAX 64

static const char OUT_OF_MEMORY[] = "out of memory";

typedef struct scanner {
    const char *at, *end;
    const char *wrong; /* the first reason, or NULL */
} scanner;

static bool fail(scanner *scan, const char *reason)
{
    if (scan->wrong == NULL)
        scan->wrong = reason;
    return false;
}

static void skip_space(scanner *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r'))
        scan->at++;
}

static bool accept(scanner *scan, char c)
{
    skip_space(scan);
    if (scan->at >= scan->end || *scan->at != c)
        return false;
    scan->at++;
    return true;
}

/* Four hexadecimal digits; -1 if they are not. */
static int32_t hex4(scanner *scan)
{
    int32_t value = 0;
    if (scan->end - scan->at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = *scan->at++;
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static bool put_utf8(qn_buffer *out, uint32_t c)
{
    uint8_t bytes[4];
    size_t len;
    if (c < 0x80) {
        bytes[0] = (uint8_t)c;
        len = 1;
    } else if (c < 0x800) {
        bytes[0] = (uint8_t)(0xC0 | c >> 6);
        len = 2;
    } else if (c < 0x10000) {
        bytes[0] = (uint8_t)(0xE0 | c >> 12);
        len = 3;
    } else {
        bytes[0] = (uint8_t)(0xF0 | c >> 18);
        len = 4;
    }
    for (size_t i = 1; i < len; i++)
        bytes[i] = (uint8_t)(0x80 | ((c >> (6 * (len - 1 - i))) & 0x3F));
    return qn_buffer_append(out, bytes, len);
}

/* What follows \u; a lone surrogate becomes U+FFFD. */
static bool scan_unicode(scanner *scan, qn_buffer *out)
{
    int32_t unit = hex4(scan);
    if (unit < 0)
        return fail(scan, "bad \\u escape in a JSON string");
    uint32_t c = (uint32_t)unit;
    if (c >= 0xD800 && c < 0xDC00 && scan->end - scan->at >= 6 && scan->at[0] == '\\' &&
        scan->at[1] == 'u') {
        const char *before = scan->at;
        scan->at += 2;
        int32_t low = hex4(scan);
        if (low >= 0xDC00 && low < 0xE000)
            c = 0x10000 + ((c - 0xD800) << 10) + ((uint32_t)low - 0xDC00);
        else
            scan->at = before;
    }
    if (c >= 0xD800 && c < 0xE000)
        c = 0xFFFD;
    return put_utf8(out, c) || fail(scan, OUT_OF_MEMORY);
}

static bool scan_escape(scanner *scan, qn_buffer *out)
{
    static const char NAMES[] = "\"\\/bfnrt", VALUES[] = "\"\\/\b\f\n\r\t";
    if (scan->at >= scan->end)
        return fail(scan, "a JSON string does not end");
    char c = *scan->at++;
    if (c == 'u')
        return scan_unicode(scan, out);
    const char *found = memchr(NAMES, c, sizeof NAMES - 1);
    if (found == NULL)
        return fail(scan, "unknown escape in a JSON string");
    return qn_buffer_push(out, (uint8_t)VALUES[found - NAMES]) || fail(scan, OUT_OF_MEMORY);
}

/* A string, decoded into `out` (emptied first). */
static bool scan_string(scanner *scan, qn_buffer *out)
{
    out->len = 0;
    if (!accept(scan, '"'))
        return fail(scan, "a JSON string is expected");
    while (scan->at < scan->end && *scan->at != '"') {
        const char *run = scan->at;
        while (scan->at < scan->end && *scan->at != '"' && *scan->at != '\\' &&
               (unsigned char)*scan->at >= 0x20)
            scan->at++;
        if (!qn_buffer_append(out, run, (size_t)(scan->at - run)))
            return fail(scan, OUT_OF_MEMORY);
        if (scan->at < scan->end && (unsigned char)*scan->at < 0x20)
            return fail(scan, "control character in a JSON string");
        if (scan->at < scan->end && *scan->at == '\\') {
            scan->at++;
            if (!scan_escape(scan, out))
                return false;
        }
    }
    if (scan->at >= scan->end)
        return fail(scan, "a JSON string does not end");
    scan->at++;
    return true;
}

static size_t scan_digits(scanner *scan)
{
    const char *start = scan->at;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
        scan->at++;
    return (size_t)(scan->at - start);
}

static bool scan_number(scanner *scan)
{
    if (*scan->at == '-')
        scan->at++;
    bool zero = scan->at < scan->end && *scan->at == '0';
    size_t digits = scan_digits(scan);
    bool valid = digits == 1 || (digits > 1 && !zero);
    if (valid && scan->at < scan->end && *scan->at == '.') {
        scan->at++;
        valid = scan_digits(scan) > 0;
    }
    if (valid && scan->at < scan->end && (*scan->at == 'e' || *scan->at == 'E')) {
        scan->at++;
        if (scan->at < scan->end && (*scan->at == '+' || *scan->at == '-'))
            scan->at++;
        valid = scan_digits(scan) > 0;
    }
    return valid || fail(scan, "malformed JSON");
}

/* A scalar other than a string. */
static bool scan_scalar(scanner *scan)
{
    static const char *const WORDS[] = {"true", "false", "null"};
    skip_space(scan);
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        size_t len = strlen(WORDS[i]);
        if ((size_t)(scan->end - scan->at) >= len && memcmp(scan->at, WORDS[i], len) == 0) {
            scan->at += len;
            return true;
        }
    }
    if (scan->at < scan->end && (*scan->at == '-' || (*scan->at >= '0' && *scan->at <= '9')))
        return scan_number(scan);
    return fail(scan, "malformed JSON");
}

/* Skips a value of any kind, without recursion: `open` remembers what must be closed. */
static bool skip_value(scanner *scan, qn_buffer *scratch)
{
    char open[DEPTH_MAX];
    size_t depth = 0;
    for (;;) {
        skip_space(scan);
        char c = scan->at < scan->end ? *scan->at : '\0';
        bool complete = false; /* a value has ended */
        if (c == '{' || c == '[') {
            if (depth == DEPTH_MAX)
                return fail(scan, "JSON nested more than 64 deep");
            scan->at++;
            open[depth++] = c == '{' ? '}' : ']';
            if (accept(scan, open[depth - 1])) {
                depth--;
                complete = true;
            }
        } else if (c == '"' ? !scan_string(scan, scratch) : !scan_scalar(scan)) {
            return false;
        } else {
            complete = true;
        }
        while (complete && depth > 0 && !accept(scan, ',')) {
            if (!accept(scan, open[depth - 1]))
                return fail(scan, "malformed JSON");
            depth--;
        }
        if (depth == 0)
            return true;
        if (open[depth - 1] == '}' && (!scan_string(scan, scratch) || !accept(scan, ':')))
            return fail(scan, "malformed JSON");
    }
}

static bool is_name(const qn_buffer *name, const char *word)
{
    return name->len == strlen(word) && memcmp(name->data, word, name->len) == 0;
}

/* One member's value, behind the colon. */
static bool scan_member(scanner *scan, const qn_buffer *name, qn_topic *topic, bool *has_id,
                        bool *has_text, qn_buffer *scratch)
{
    skip_space(scan);
    bool string = scan->at < scan->end && *scan->at == '"';
    if (is_name(name, "_id") || is_name(name, "id") || is_name(name, "qid")) {
        *has_id = true;
        if (string)
            return scan_string(scan, &topic->id);
        const char *start = scan->at; /* a number is taken as it is written */
        if (start >= scan->end || *start < '0' || *start > '9')
            return fail(scan, "the topic's \"_id\" is no string");
        if (!scan_number(scan))
            return false;
        topic->id.len = 0;
        return qn_buffer_append(&topic->id, start, (size_t)(scan->at - start)) ||
               fail(scan, OUT_OF_MEMORY);
    }
    if (is_name(name, "text") || is_name(name, "query")) {
        *has_text = true;
        if (!string)
            return fail(scan, "the topic's \"text\" is no string");
        return scan_string(scan, &topic->text);
    }
    return skip_value(scan, scratch);
}

static const char *parse_json(quern_span line, qn_topic *topic)
{
    scanner scan = {line.data, line.data + line.len, NULL};
    qn_buffer name = {0}, scratch = {0};
    bool has_id = false, has_text = false;
    bool good = accept(&scan, '{');
    if (good && !accept(&scan, '}')) {
        do {
            good = scan_string(&scan, &name) &&
                   (accept(&scan, ':') || fail(&scan, "malformed JSON")) &&
                   scan_member(&scan, &name, topic, &has_id, &has_text, &scratch);
        } while (good && accept(&scan, ','));
        if (good && !accept(&scan, '}'))
            (void)fail(&scan, "malformed JSON");
    }
    skip_space(&scan);
    if (scan.at != scan.end)
        (void)fail(&scan, "something follows the JSON object");
    if (!has_id)
        (void)fail(&scan, "the topic has no \"_id\"");
    if (!has_text)
        (void)fail(&scan, "the topic has no \"text\"");
    qn_buffer_free(&name);
    qn_buffer_free(&scratch);
    return scan.wrong;
}

/* ---- lines ---- */

const char *qn_topic_parse(quern_span line, qn_topic *topic)
{
    topic->id.len = 0;
    topic->text.len = 0;
    if (line.len > 0 && line.data[0] == '{') {
        const char *wrong = parse_json(line, topic);
        if (wrong != NULL)
            return wrong;
    } else {
        const char *tab = memchr(line.data, '\t', line.len);
        if (tab == NULL)
            return "no tab: a topic is qid<TAB>text";
        size_t id_len = (size_t)(tab - line.data);
        if (!qn_buffer_append(&topic->id, line.data, id_len) ||
            !qn_buffer_append(&topic->text, tab + 1, line.len - id_len - 1))
            return OUT_OF_MEMORY;
    }
    return topic->id.len == 0 ? "the topic's id is empty" : NULL;
}

quern_status qn_topics_next(qn_input *input, qn_topic *topic, quern_error *error)
{
    quern_span line;
    quern_status status;
    do {
        status = qn_input_next(input, &line, error);
        if (status != QUERN_OK)
            return status;
    } while (line.len == 0);
    const char *wrong = qn_topic_parse(line, topic);
    if (wrong == OUT_OF_MEMORY)
        return qn_fail_memory(error);
    return wrong == NULL ? QUERN_OK : qn_input_fail(input, wrong, error);
}

void qn_topic_free(qn_topic *topic)
{
    qn_buffer_free(&topic->id);
    qn_buffer_free(&topic->text);
}
