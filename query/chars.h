/* Characters as queries and snippets see them: white space, and where text may be cut. (What a word
 * is, is the analyzer's business.) */
#ifndef QN_QUERY_CHARS_H
#define QN_QUERY_CHARS_H

#include "index/text/utf8.h"

/* White space and control characters (C0, DEL, C1); the first for those from U+007F on. */
bool qn_chars_is_wide_space(uint32_t c);

static inline bool qn_chars_is_space(uint32_t c)
{
    return c <= 0x20 || (c >= 0x7F && qn_chars_is_wide_space(c));
}

/* A mark or joiner that belongs to the character before it. A short list of blocks: what it misses
 * is cut less prettily, no more. */
bool qn_chars_is_mark(uint32_t c);

/* Whether text may be cut between two neighbours: at white space, and around the characters of
 * scripts that do not write spaces (Han, Kana, Thai). */
bool qn_chars_may_cut(uint32_t before, uint32_t after);

/* The character that ends at text[at], at > 0. Valid characters are those that decoding forward
 * gives; of a bad sequence each byte counts by itself, so that there are at least as many. */
qn_utf8_point qn_chars_before(const char *text, size_t at);

#endif
