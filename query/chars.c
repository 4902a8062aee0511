/* White space, marks, and where text may be cut: by blocks of Unicode 15. */
#include "query/chars.h"

bool qn_chars_is_wide_space(uint32_t c)
{
    return c <= 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

bool qn_chars_is_mark(uint32_t c)
{
    if (c < 0x300)
        return false;
    return c <= 0x36F || c == 0xE31 || (c >= 0xE34 && c <= 0xE3A) || (c >= 0xE47 && c <= 0xE4E) ||
           (c >= 0x1AB0 && c <= 0x1AFF) || (c >= 0x1DC0 && c <= 0x1DFF) || c == 0x200C ||
           c == 0x200D || (c >= 0x20D0 && c <= 0x20FF) || c == 0x3099 || c == 0x309A ||
           (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xFE20 && c <= 0xFE2F) ||
           (c >= 0x1F3FB && c <= 0x1F3FF) || (c >= 0xE0020 && c <= 0xE01EF);
}

/* A script in which words are not set apart by spaces. Hangul is not one of them. */
static bool is_unspaced(uint32_t c)
{
    if (c < 0xE00)
        return false;
    return c <= 0xE7F || (c >= 0x2E80 && c <= 0x312F) || (c >= 0x3190 && c <= 0x9FFF) ||
           (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFF01 && c <= 0xFF9F) ||
           (c >= 0x20000 && c <= 0x3FFFF);
}

bool qn_chars_may_cut(uint32_t before, uint32_t after)
{
    if (qn_chars_is_space(before) || qn_chars_is_space(after))
        return true;
    return (is_unspaced(before) || is_unspaced(after)) && !qn_chars_is_mark(after) &&
           before != 0x200D;
}

qn_utf8_point qn_chars_before(const char *text, size_t at)
{
    for (size_t len = 1; len <= QN_UTF8_MAX && len <= at; len++) {
        qn_utf8_point point = qn_utf8_decode(text + at - len, len);
        if (!point.bad && point.len == len)
            return point;
        if (((unsigned char)text[at - len] & 0xC0) != 0x80)
            break;
    }
    return (qn_utf8_point){QN_UTF8_REPLACEMENT, 1, true};
}
