/* Blocks of ASCII against the obvious. */
#include "index/text/ascii.h"

#include "tests/index/text/words.h"

static bool is_letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

Test(ascii, every_byte_at_every_place)
{
    for (unsigned value = 0; value < 256; value++) {
        unsigned char c = (unsigned char)value;
        bool word = is_letter(c) || (c >= '0' && c <= '9');
        if (c < 0x80)
            cr_assert_eq(qn_ascii_is_word((char)c), word, "%02X", value);
        for (unsigned at = 0; at < QN_ASCII_BLOCK; at++) {
            char in[QN_ASCII_BLOCK], out[QN_ASCII_BLOCK];
            memset(in, at % 2 == 0 ? 0x7F : 0, sizeof in);
            in[at] = (char)c;
            qn_ascii_masks masks = qn_ascii_classify(in, out);
            uint64_t bit = (uint64_t)1 << at;
            cr_assert_eq(masks.high, c >= 0x80 ? bit : 0);
            if (c >= 0x80)
                continue;
            cr_assert_eq(masks.word, word ? bit : 0, "%02X at %u", value, at);
            cr_assert_eq(masks.apostrophe, c == '\'' ? bit : 0);
            cr_assert_eq(out[at], is_letter(c) ? c | 0x20 : c);
            in[at] = at % 2 == 0 ? 0x7F : 0;
            out[at] = in[at];
            cr_assert_arr_eq(in, out, sizeof in);
        }
    }
}

Test(ascii, random_blocks)
{
    uint64_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        char in[QN_ASCII_BLOCK], out[QN_ASCII_BLOCK];
        uint32_t range = round % 2 == 0 ? 128 : 256;
        for (size_t i = 0; i < sizeof in; i++)
            in[i] = (char)test_below(&seed, range);
        qn_ascii_masks masks = qn_ascii_classify(in, out);
        for (size_t i = 0; i < sizeof in; i++) {
            cr_assert_eq(masks.high >> i & 1, (unsigned char)in[i] >= 0x80);
            if ((unsigned char)in[i] >= 0x80)
                continue;
            cr_assert_eq(masks.word >> i & 1, qn_ascii_is_word(in[i]));
            cr_assert_eq(masks.apostrophe >> i & 1, in[i] == '\'');
        }
    }
}

Test(ascii, all)
{
    char text[40];
    for (size_t len = 0; len < sizeof text; len++)
        for (size_t bad = 0; bad <= len; bad++) {
            memset(text, 0x7F, sizeof text);
            text[bad] = (char)0x80;
            cr_assert_eq(qn_ascii_all(text, len), bad >= len);
        }
}
