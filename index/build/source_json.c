/*
 * A scanner of JSON texts: see source_json.h. Strings, which are nearly all of a corpus, are passed
 * over 16 bytes at a time, or eight.
 */
#include "index/build/source_json.h"

#include "index/base/bytes.h"

#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define EACH(byte) (0x0101010101010101u * (uint64_t)(byte))

static bool fail(qn_json *json, const char *reason)
{
    json->reason = reason;
    return false;
}

bool qn_json_take(qn_json *json, uint8_t byte, const char *reason)
{
    if (json->at == json->end)
        return fail(json, "it ends too early");
    if (*json->at != byte)
        return fail(json, reason);
    json->at++;
    return true;
}

/* ---- strings ---- */

/* A quote, a backslash or a control character ends a run of plain string bytes. */
static inline bool is_special(uint8_t byte)
{
    return byte == '"' || byte == '\\' || byte < 0x20;
}

#if defined(__SSE2__)

enum { STEP = 16 };

/* Where the first of STEP bytes that is special is; STEP if none is. Copies them all to `to`,
 * unless that is NULL. */
static inline unsigned first_special(const uint8_t *at, uint8_t *to)
{
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i quote = _mm_cmpeq_epi8(x, _mm_set1_epi8('"'));
    __m128i slash = _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'));
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1F)), x);
    if (to != NULL)
        _mm_storeu_si128((__m128i *)(void *)to, x);
    __m128i hits = _mm_or_si128(_mm_or_si128(quote, slash), control);
    return (unsigned)__builtin_ctz((unsigned)_mm_movemask_epi8(hits) | 1u << STEP);
}

#else

enum { STEP = 8 };

/* The same. Borrows can set the high bit of a byte falsely, but only above one set rightly, so the
 * lowest is right. */
static inline unsigned first_special(const uint8_t *at, uint8_t *to)
{
    uint64_t word = qn_load_u64(at);
    uint64_t quote = word ^ EACH('"');
    uint64_t slash = word ^ EACH('\\');
    uint64_t hits =
        ((quote - EACH(1)) & ~quote) | ((slash - EACH(1)) & ~slash) | ((word - EACH(0x20)) & ~word);
    if (to != NULL)
        qn_store_u64(to, word);
    hits &= EACH(0x80);
    return hits == 0 ? STEP : (unsigned)__builtin_ctzll(hits) >> 3;
}

#endif

/* The first special byte at or after `at`, or `end`. */
static inline const uint8_t *pass_plain(const uint8_t *at, const uint8_t *end)
{
    for (; end - at >= STEP; at += STEP) {
        unsigned n = first_special(at, NULL);
        if (n < STEP)
            return at + n;
    }
    while (at < end && !is_special(*at))
        at++;
    return at;
}

/* The same, copying what is passed to *to, which moves along; over-writes by less than
 * QN_JSON_SLACK bytes. */
static inline const uint8_t *copy_plain(const uint8_t *at, const uint8_t *end, uint8_t **to)
{
    uint8_t *out = *to;
    for (; end - at >= STEP; at += STEP, out += STEP) {
        unsigned n = first_special(at, out);
        if (n < STEP) {
            *to = out + n;
            return at + n;
        }
    }
    while (at < end && !is_special(*at))
        *out++ = *at++;
    *to = out;
    return at;
}

/* Four hexadecimal digits, or -1. */
static int32_t hex4(const uint8_t *at, const uint8_t *end)
{
    if (end - at < 4)
        return -1;
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        uint8_t byte = at[i], letter = byte | 0x20;
        if (byte >= '0' && byte <= '9')
            value = value * 16 + (byte - '0');
        else if (letter >= 'a' && letter <= 'f')
            value = value * 16 + (letter - 'a' + 10);
        else
            return -1;
    }
    return value;
}

/* What a one-letter escape stands for; 0 for none. */
static uint8_t short_escape(uint8_t letter)
{
    switch (letter) {
    case '"':
    case '\\':
    case '/':
        return letter;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return 0;
    }
}

/* Writes a code point (below 0x110000, no surrogate) as UTF-8. */
static uint8_t *put_utf8(uint8_t *to, uint32_t code)
{
    if (code < 0x80) {
        *to++ = (uint8_t)code;
        return to;
    }
    if (code < 0x800) {
        *to++ = (uint8_t)(0xc0 | code >> 6);
    } else {
        if (code < 0x10000) {
            *to++ = (uint8_t)(0xe0 | code >> 12);
        } else {
            *to++ = (uint8_t)(0xf0 | code >> 18);
            *to++ = (uint8_t)(0x80 | (code >> 12 & 0x3f));
        }
        *to++ = (uint8_t)(0x80 | (code >> 6 & 0x3f));
    }
    *to++ = (uint8_t)(0x80 | (code & 0x3f));
    return to;
}

/* Reads \uXXXX at json->at, and the other half of a surrogate pair. */
static bool unicode_escape(qn_json *json, uint8_t **to)
{
    int32_t code = hex4(json->at + 2, json->end);
    if (code < 0)
        return fail(json, "bad \\u escape in a string");
    json->at += 6;
    if (code >= 0xd800 && code < 0xe000) {
        int32_t low = -1;
        if (code < 0xdc00 && json->end - json->at >= 6 && memcmp(json->at, "\\u", 2) == 0)
            low = hex4(json->at + 2, json->end);
        if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            json->at += 6;
        } else {
            code = 0xfffd;
        }
    }
    *to = put_utf8(*to, (uint32_t)code);
    return true;
}

/* Reads the escape whose backslash is at json->at. */
static bool escape(qn_json *json, uint8_t **to)
{
    if (json->end - json->at < 2)
        return fail(json, "a string is not closed");
    if (json->at[1] == 'u')
        return unicode_escape(json, to);
    uint8_t byte = short_escape(json->at[1]);
    if (byte == 0)
        return fail(json, "bad escape in a string");
    json->at += 2;
    *(*to)++ = byte;
    return true;
}

/* Takes the closing quote that must be at json->at, where the string's plain bytes have ended. */
static inline bool close_string(qn_json *json)
{
    if (json->at == json->end)
        return fail(json, "a string is not closed");
    if (*json->at != '"')
        return fail(json, "control character in a string");
    json->at++;
    return true;
}

bool qn_json_string(qn_json *json, uint8_t **room, quern_span *value)
{
    const uint8_t *from = json->at + 1;
    json->at = pass_plain(from, json->end);
    size_t len = (size_t)(json->at - from);
    if (qn_json_peek(json) != '\\') {
        *value = (quern_span){.data = (const char *)from, .len = len};
        return close_string(json);
    }
    uint8_t *start = *room, *to = start + len;
    memcpy(start, from, len);
    while (qn_json_peek(json) == '\\') {
        if (!escape(json, &to))
            return false;
        json->at = copy_plain(json->at, json->end, &to);
    }
    *value = (quern_span){.data = (const char *)start, .len = (size_t)(to - start)};
    *room = to;
    return close_string(json);
}

static bool skip_string(qn_json *json)
{
    json->at = pass_plain(json->at + 1, json->end);
    while (qn_json_peek(json) == '\\') {
        uint8_t code_point[4], *to = code_point;
        if (!escape(json, &to))
            return false;
        json->at = pass_plain(json->at, json->end);
    }
    return close_string(json);
}

/* ---- numbers and names ---- */

static bool digits(qn_json *json)
{
    const uint8_t *start = json->at;
    while (qn_json_peek(json) >= '0' && *json->at <= '9')
        json->at++;
    return json->at > start || fail(json, "bad number");
}

bool qn_json_number(qn_json *json, quern_span *literal)
{
    const uint8_t *start = json->at;
    if (qn_json_peek(json) == '-')
        json->at++;
    if (qn_json_peek(json) == '0')
        json->at++; /* no digit may follow: the caller meets it where a comma must stand */
    else if (!digits(json))
        return false;
    if (qn_json_peek(json) == '.') {
        json->at++;
        if (!digits(json))
            return false;
    }
    if ((qn_json_peek(json) | 0x20) == 'e') {
        json->at++;
        uint8_t sign = qn_json_peek(json);
        if (sign == '+' || sign == '-')
            json->at++;
        if (!digits(json))
            return false;
    }
    *literal = (quern_span){.data = (const char *)start, .len = (size_t)(json->at - start)};
    return true;
}

static bool skip_name(qn_json *json, const char *name, size_t len)
{
    if ((size_t)(json->end - json->at) < len || memcmp(json->at, name, len) != 0)
        return fail(json, "unexpected character");
    json->at += len;
    return true;
}

/* A value that is neither array nor object. */
static bool skip_scalar(qn_json *json)
{
    quern_span literal;
    uint8_t byte = qn_json_peek(json);
    switch (byte) {
    case '"':
        return skip_string(json);
    case 't':
        return skip_name(json, "true", 4);
    case 'f':
        return skip_name(json, "false", 5);
    case 'n':
        return skip_name(json, "null", 4);
    default:
        if (byte == '-' || (byte >= '0' && byte <= '9'))
            return qn_json_number(json, &literal);
        return fail(json, json->at == json->end ? "it ends too early" : "unexpected character");
    }
}

/* ---- arrays and objects ---- */

/* The arrays and objects that are open: a bit each, set for an object. */
typedef struct nest {
    uint64_t object[QN_JSON_DEPTH / 64];
    unsigned depth;
} nest;

static bool nest_push(nest *open, bool object)
{
    if (open->depth == QN_JSON_DEPTH)
        return false;
    uint64_t bit = (uint64_t)1 << open->depth % 64;
    uint64_t *word = &open->object[open->depth / 64];
    *word = object ? *word | bit : *word & ~bit;
    open->depth++;
    return true;
}

static bool nest_in_object(const nest *open)
{
    unsigned top = open->depth - 1;
    return open->object[top / 64] >> top % 64 & 1;
}

static bool skip_key(qn_json *json)
{
    qn_json_white(json);
    if (qn_json_peek(json) != '"')
        return fail(json, json->at == json->end ? "it ends too early" : "a key must be a string");
    if (!skip_string(json))
        return false;
    qn_json_white(json);
    return qn_json_take(json, ':', "a colon must follow a key");
}

/* Opens the array or object at json->at, up to its first value. An empty one is closed again. */
static bool skip_open(qn_json *json, nest *open, bool *closed)
{
    bool object = *json->at == '{';
    if (!nest_push(open, object)) {
        json->reason = "nested deeper than 1024";
        return false;
    }
    json->at++;
    qn_json_white(json);
    *closed = qn_json_peek(json) == (object ? '}' : ']');
    if (*closed) {
        json->at++;
        open->depth--;
        return true;
    }
    return !object || skip_key(json);
}

/* After a value: closes what ends here. More values follow unless open->depth is 0 then. */
static bool skip_after(qn_json *json, nest *open)
{
    while (open->depth > 0) {
        bool object = nest_in_object(open);
        qn_json_white(json);
        uint8_t byte = qn_json_peek(json);
        if (byte == ',') {
            json->at++;
            return !object || skip_key(json);
        }
        if (!qn_json_take(json, object ? '}' : ']', "a comma or the end must follow a value"))
            return false;
        open->depth--;
    }
    return true;
}

bool qn_json_skip(qn_json *json)
{
    nest open;
    open.depth = 0;
    do {
        bool ended = true; /* the value */
        qn_json_white(json);
        uint8_t byte = qn_json_peek(json);
        if (byte == '{' || byte == '[') {
            if (!skip_open(json, &open, &ended))
                return false;
        } else if (!skip_scalar(json)) {
            return false;
        }
        if (ended && !skip_after(json, &open))
            return false;
    } while (open.depth > 0);
    return true;
}

bool qn_json_valid(const void *text, size_t len, size_t *position, const char **reason)
{
    const uint8_t *start = text;
    qn_json json = {.at = start, .end = start + len};
    bool valid = qn_json_skip(&json);
    if (valid) {
        qn_json_white(&json);
        valid = json.at == json.end || fail(&json, "unexpected bytes after the end");
    }
    *position = (size_t)(json.at - start);
    *reason = json.reason;
    return valid;
}
