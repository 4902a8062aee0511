/*
 * UTF-8: validation, decoding and encoding.
 *
 * Bytes that are not UTF-8 are replaced by U+FFFD, one for each maximal subpart of an ill-formed
 * sequence (The Unicode Standard 15.0, section 3.9, "U+FFFD Substitution of Maximal Subparts"):
 * what browsers, Python and Java do. Overlong forms, surrogates and values above U+10FFFF are
 * ill-formed.
 */
#ifndef QN_TEXT_UTF8_H
#define QN_TEXT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    QN_UTF8_REPLACEMENT = 0xFFFD,
    QN_UTF8_MAX = 4 /* bytes of one code point at most */
};

/* One decoded code point. */
typedef struct qn_utf8_point {
    uint32_t value; /* QN_UTF8_REPLACEMENT if bad */
    uint8_t len;    /* bytes it took, 1..4; a bad one takes 1..3 */
    bool bad;       /* the bytes were not UTF-8 */
} qn_utf8_point;

/* Decodes the code point that starts at text[0]; len >= 1. */
qn_utf8_point qn_utf8_decode(const char *text, size_t len);

/* Bytes of the longest prefix of `text` that is valid UTF-8: `len` if all of it is. */
size_t qn_utf8_valid_prefix(const char *text, size_t len);

/* Writes a code point (at most U+10FFFF, no surrogate) to `out`; returns its bytes, 1..4. */
static inline size_t qn_utf8_encode(uint32_t value, char out[QN_UTF8_MAX])
{
    if (value < 0x80) {
        out[0] = (char)value;
        return 1;
    }
    if (value < 0x800) {
        out[0] = (char)(0xC0 | value >> 6);
        out[1] = (char)(0x80 | (value & 0x3F));
        return 2;
    }
    if (value < 0x10000) {
        out[0] = (char)(0xE0 | value >> 12);
        out[1] = (char)(0x80 | (value >> 6 & 0x3F));
        out[2] = (char)(0x80 | (value & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | value >> 18);
    out[1] = (char)(0x80 | (value >> 12 & 0x3F));
    out[2] = (char)(0x80 | (value >> 6 & 0x3F));
    out[3] = (char)(0x80 | (value & 0x3F));
    return 4;
}

#endif
