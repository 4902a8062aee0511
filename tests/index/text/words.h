/* What tests of the tokenizer share: words as one line of text, random numbers. */
#ifndef TEST_WORDS_H
#define TEST_WORDS_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "index/base/buffer.h"
#include "index/text/tokenizer.h"
#include "index/text/utf8.h"
#include "tests/support/random.h"

/* Appends "word@position:start-end " of every word of a text to `out`, or only "word@position "
 * without `places`, in batches of `max`. Checks what holds for every text. */
static inline void collect(qn_buffer *out, qn_tokenizer *t, const char *text, size_t len,
                           size_t max, bool places)
{
    qn_word *words = malloc(max * sizeof *words);
    cr_assert_not_null(words);
    uint32_t next = 0;
    size_t n, end = 0;
    qn_tokenizer_start(t, text, len, 0);
    do {
        cr_assert_eq(qn_tokenizer_next(t, words, max, &n, NULL), QUERN_OK);
        cr_assert_leq(n, max);
        for (size_t i = 0; i < n; i++) {
            qn_word w = words[i];
            char line[QN_WORD_MAX + 80];
            cr_assert(w.len >= 1 && w.len <= QN_WORD_MAX);
            cr_assert(w.start < w.end && w.end <= len, "%zu-%zu of %zu", w.start, w.end, len);
            cr_assert_geq(w.position, next, "positions ascend");
            cr_assert_geq(w.end, end, "places ascend");
            cr_assert_eq(qn_utf8_valid_prefix(w.text, w.len), w.len);
            next = w.position + 1;
            end = w.end;
            int n_line = snprintf(line, sizeof line, "%.*s@%u", (int)w.len, w.text, w.position);
            if (places)
                n_line += snprintf(line + n_line, sizeof line - (size_t)n_line, ":%zu-%zu", w.start,
                                   w.end);
            line[n_line] = ' ';
            cr_assert(qn_buffer_append(out, line, (size_t)n_line + 1));
        }
    } while (n > 0);
    cr_assert_geq(qn_tokenizer_position(t), next);
    free(words);
}

/* A heap copy of exactly `len` bytes, so that a read beyond the text is seen. */
static inline char *exact_copy(const char *text, size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);
    cr_assert_not_null(copy);
    if (len > 0)
        memcpy(copy, text, len);
    return copy;
}

#endif
