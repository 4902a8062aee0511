/*
 * A scanner of JSON texts: the grammar of RFC 8259 to the letter, except that bytes of 0x80 and
 * above are not checked inside strings (the tokenizer replaces invalid UTF-8). Values are skipped
 * or read one by one; nothing is built. No call reads outside the text.
 */
#ifndef QN_BUILD_SOURCE_JSON_H
#define QN_BUILD_SOURCE_JSON_H

#include "engine/quern.h"

/* Arrays and objects within one another that are accepted. */
#define QN_JSON_DEPTH 1024

/* Bytes that an unescaped string may be over-written by. */
#define QN_JSON_SLACK 16

/* Start with {.at = text, .end = text + len}. After a call that returned false, `reason` says in a
 * few words why, and `at` is the byte at which the text stops being JSON. */
typedef struct qn_json {
    const uint8_t *at, *end;
    const char *reason;
} qn_json;

/* Skips white space. */
static inline void qn_json_white(qn_json *json)
{
    const uint8_t *at = json->at;
    while (at < json->end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    json->at = at;
}

/* The next byte, or 0 at the end of the text (as if a NUL byte stood there, which is no JSON). */
static inline uint8_t qn_json_peek(const qn_json *json)
{
    return json->at < json->end ? *json->at : 0;
}

/* Takes `byte` if it is next; else fails with `reason`. */
bool qn_json_take(qn_json *json, uint8_t byte, const char *reason);

/* Skips a value (white space before it as well) without recursion. */
bool qn_json_skip(qn_json *json);

/* Reads the number that starts at `at`: its literal text. */
bool qn_json_number(qn_json *json, quern_span *literal);

/*
 * Reads the string whose opening quote is at `at`. Without escapes, the span points into the text;
 * else into *room, which moves past. An unescaped string is no longer than its escaped form, so
 * room for all strings of a text is its length; QN_JSON_SLACK bytes beyond may be over-written.
 * Half of a surrogate pair without the other becomes U+FFFD.
 */
bool qn_json_string(qn_json *json, uint8_t **room, quern_span *value);

/* Whether a whole text is one JSON value between white space; if not, at which byte (from 0) it
 * stops being one, and why. */
bool qn_json_valid(const void *text, size_t len, size_t *position, const char **reason);

#endif
