/* UTF-8: validation and decoding with replacement. */
#include "index/text/utf8.h"

#include "index/base/bytes.h"

/* Sequences that a first byte may start (The Unicode Standard 15.0, table 3-7): how many bytes, and
 * the range of the second byte, which is what excludes overlong forms, surrogates and values above
 * U+10FFFF. Later bytes are 80..BF always. */
typedef struct lead {
    uint8_t len; /* 0: cannot start a sequence */
    uint8_t low, high;
} lead;

static inline lead lead_of(uint8_t byte)
{
    if (byte < 0xC2)
        return (lead){0, 0, 0};
    if (byte < 0xE0)
        return (lead){2, 0x80, 0xBF};
    if (byte < 0xF0)
        return (lead){3, byte == 0xE0 ? 0xA0 : 0x80, byte == 0xED ? 0x9F : 0xBF};
    if (byte < 0xF5)
        return (lead){4, byte == 0xF0 ? 0x90 : 0x80, byte == 0xF4 ? 0x8F : 0xBF};
    return (lead){0, 0, 0};
}

qn_utf8_point qn_utf8_decode(const char *text, size_t len)
{
    const uint8_t *bytes = (const uint8_t *)text;
    uint8_t first = bytes[0];
    if (first < 0x80)
        return (qn_utf8_point){first, 1, false};
    lead form = lead_of(first);
    if (form.len == 0 || len < 2 || bytes[1] < form.low || bytes[1] > form.high)
        return (qn_utf8_point){QN_UTF8_REPLACEMENT, 1, true};
    uint32_t value = (first & (0x7Fu >> form.len)) << 6 | (bytes[1] & 0x3Fu);
    for (uint8_t i = 2; i < form.len; i++) {
        if (i >= len || (bytes[i] & 0xC0) != 0x80)
            return (qn_utf8_point){QN_UTF8_REPLACEMENT, i, true};
        value = value << 6 | (bytes[i] & 0x3Fu);
    }
    return (qn_utf8_point){value, form.len, false};
}

size_t qn_utf8_valid_prefix(const char *text, size_t len)
{
    size_t at = 0;
    while (at < len) {
        while (len - at >= 8 && (qn_load_u64(text + at) & 0x8080808080808080u) == 0)
            at += 8;
        if (at == len)
            break;
        qn_utf8_point point = qn_utf8_decode(text + at, len - at);
        if (point.bad)
            break;
        at += point.len;
    }
    return at;
}
