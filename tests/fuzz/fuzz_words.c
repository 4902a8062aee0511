/*
 * Codes of words: forged words and codes are refused or decoded within bounds, and any text comes
 * back from its codes.
 *
 *     input := section_len(u16) section codes     as WORDS and the codes of a text; then all as a
 * text
 */
#include "index/base/bytes.h"
#include "index/segment/word_codes.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

static uint8_t *padded(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = calloc(len + QN_PADDING, 1);
    QN_FUZZ_CHECK(copy != NULL);
    if (len > 0)
        memcpy(copy, bytes, len);
    return copy;
}

static void check_forged(const uint8_t *section, size_t section_len, const uint8_t *codes,
                         size_t len)
{
    uint8_t *words = padded(section, section_len), *copy = padded(codes, len);
    qn_words_view view;
    qn_buffer out = {0};
    if (qn_words_open(&view, words, section_len)) {
        (void)qn_words_check(&view);
        quern_status status = qn_word_codes_decode(&view, copy, len, &out);
        QN_FUZZ_CHECK(status == QUERN_OK || status == QUERN_E_DAMAGED);
        QN_FUZZ_CHECK(out.len <= len * QN_CODE_EXPANDS);
    }
    qn_buffer_free(&out);
    free(words);
    free(copy);
}

/* Coded five times, so that words get codes on the way, and decoded with all of them. */
static void check_text(const uint8_t *text, size_t len)
{
    enum { TIMES = 5 };
    uint8_t *copy = padded(text, len);
    qn_words words = {0};
    qn_buffer codes = {0}, section = {0};
    size_t end[TIMES], from = 0;
    QN_FUZZ_CHECK(qn_words_init(&words));
    for (unsigned i = 0; i < TIMES; i++) {
        QN_FUZZ_CHECK(qn_word_codes_encode(&words, copy, len, &codes));
        end[i] = codes.len;
    }
    QN_FUZZ_CHECK(qn_words_put(&words, &section) && qn_buffer_reserve(&section, QN_PADDING) &&
                  qn_buffer_reserve(&codes, QN_PADDING));
    qn_words_view view;
    QN_FUZZ_CHECK(qn_words_open(&view, section.data, section.len) && qn_words_check(&view));
    for (unsigned i = 0; i < TIMES; i++) {
        qn_buffer out = {0};
        QN_FUZZ_CHECK(qn_word_codes_decode(&view, codes.data + from, end[i] - from, &out) ==
                      QUERN_OK);
        QN_FUZZ_CHECK(out.len == len && (len == 0 || memcmp(out.data, text, len) == 0));
        qn_buffer_free(&out);
        from = end[i];
    }
    qn_buffer_free(&codes);
    qn_buffer_free(&section);
    qn_words_free(&words);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len >= 2) {
        size_t section_len = qn_load_u16(data);
        if (section_len > len - 2)
            section_len = len - 2;
        check_forged(data + 2, section_len, data + 2 + section_len, len - 2 - section_len);
    }
    check_text(data, len);
    return 0;
}
