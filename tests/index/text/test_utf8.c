/* UTF-8: every code point, every kind of ill-formed sequence. */
#include "index/text/utf8.h"

#include <criterion/criterion.h>
#include <string.h>

static bool is_scalar(uint32_t value)
{
    return value < 0xD800 || (value >= 0xE000 && value < 0x110000);
}

Test(utf8, every_code_point_goes_round)
{
    for (uint32_t value = 0; value < 0x110000; value++) {
        char bytes[QN_UTF8_MAX + 1] = {0};
        if (!is_scalar(value))
            continue;
        size_t len = qn_utf8_encode(value, bytes);
        qn_utf8_point point = qn_utf8_decode(bytes, len);
        cr_assert(!point.bad && point.value == value && point.len == len, "U+%04X", value);
        cr_assert_eq(qn_utf8_valid_prefix(bytes, len), len);
        for (size_t cut = 1; cut < len; cut++) {
            qn_utf8_point part = qn_utf8_decode(bytes, cut);
            cr_assert(part.bad && part.len == cut, "U+%04X cut to %zu", value, cut);
        }
    }
}

/* The values that three or four bytes of the right shape stand for, unless they are overlong,
 * surrogates or too large: then the first byte or two are bad by themselves. */
Test(utf8, every_shape_of_three_and_four)
{
    for (uint32_t value = 0; value < 0x200000; value++) {
        const char four[4] = {(char)(0xF0 | value >> 18), (char)(0x80 | (value >> 12 & 63)),
                              (char)(0x80 | (value >> 6 & 63)), (char)(0x80 | (value & 63))};
        qn_utf8_point point = qn_utf8_decode(four, 4);
        bool good = value >= 0x10000 && value < 0x110000;
        cr_assert_eq(point.bad, !good);
        cr_assert_eq(point.len, good ? 4 : 1, "%X", value);
        cr_assert_eq(point.value, good ? value : QN_UTF8_REPLACEMENT);
        if (value >= 0x10000)
            continue;
        const char three[3] = {(char)(0xE0 | value >> 12), four[2], four[3]};
        point = qn_utf8_decode(three, 3);
        good = value >= 0x800 && is_scalar(value);
        cr_assert_eq(point.bad, !good);
        cr_assert_eq(point.len, good ? 3 : 1, "%X", value);
    }
}

/* The Unicode Standard 15.0, tables 3-8 to 3-11, and others: lengths of the pieces. */
Test(utf8, maximal_subparts)
{
    static const struct {
        const char *bytes;
        const char *lens; /* of each piece; upper case letter: good, of length 1 + letter - 'A' */
    } cases[] = {
        {"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", "11111111A"},
        {"\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41", "11111111A"},
        {"\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", "11111A11A"},
        {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", "2132A"},
        {"\x80", "1"},
        {"\xBF\xBF", "11"},
        {"\xC2", "1"},
        {"\xC2\x41", "1A"},
        {"\xE2\x82", "2"},
        {"\xF0\x9F\x98", "3"},
        {"\xF0\x9F\x98\x80\xF0\x9F\x98\x41", "D3A"},
        {"\xF8\x88\x80\x80\x80", "11111"},
        {"\xFE\xFF\xC3\xA9", "11B"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len = strlen(cases[i].bytes), at = 0;
        for (const char *expected = cases[i].lens; *expected != '\0'; expected++) {
            cr_assert_lt(at, len);
            qn_utf8_point point = qn_utf8_decode(cases[i].bytes + at, len - at);
            bool good = *expected >= 'A';
            cr_assert_eq(point.bad, !good, "case %zu at %zu", i, at);
            cr_assert_eq(point.len, good ? *expected - 'A' + 1 : *expected - '0', "case %zu at %zu",
                         i, at);
            at += point.len;
        }
        cr_assert_eq(at, len, "case %zu", i);
    }
}

Test(utf8, valid_prefix)
{
    char text[40];
    for (size_t bad = 0; bad < sizeof text; bad++) {
        memset(text, 'a', sizeof text);
        cr_assert_eq(qn_utf8_valid_prefix(text, bad), bad);
        text[bad] = (char)0x80;
        cr_assert_eq(qn_utf8_valid_prefix(text, sizeof text), bad);
        text[bad] = (char)0xC3;
        cr_assert_eq(qn_utf8_valid_prefix(text, sizeof text), bad);
    }
    cr_assert_eq(qn_utf8_valid_prefix("", 0), 0);
    cr_assert_eq(qn_utf8_valid_prefix("Zo\xC3\xAB 12345678 \xE2\x82", 16), 14);
}
