/* Codes of words: every text comes back; masks equal the portable ones; forged codes are refused.
 */
#include "index/segment/word_codes.h"

#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

Test(word_codes, bits_equal_the_portable_ones)
{
    test_random random = 1;
    uint8_t bytes[64];
    for (unsigned round = 0; round < 2000; round++) {
        for (unsigned i = 0; i < 64; i++)
            bytes[i] = round < 256 && i % 3 == 0 ? (uint8_t)round : (uint8_t)test_next(&random);
        qn_word_bits want = qn_word_bits_portable(bytes), got = qn_word_bits_of(bytes);
        cr_assert(got.word == want.word && got.space == want.space);
    }
}

/* A vocabulary's section, open. */
typedef struct opened {
    qn_buffer section;
    qn_words_view view;
} opened;

static opened open_words(const qn_words *words)
{
    opened o = {0};
    cr_assert(qn_words_put(words, &o.section));
    uint8_t *copy = test_copy(o.section.data, o.section.len);
    size_t len = o.section.len;
    qn_buffer_free(&o.section);
    o.section = (qn_buffer){copy, len, len};
    cr_assert(qn_words_open(&o.view, copy, len));
    return o;
}

/* Codes the texts one after another, then decodes all: words that came later change nothing. */
static size_t round_trip(const quern_span *text, size_t n)
{
    qn_words words = {0};
    cr_assert(qn_words_init(&words));
    qn_buffer codes = {0};
    size_t *end = calloc(n + 1, sizeof *end);
    for (size_t i = 0; i < n; i++) {
        uint8_t *copy = test_copy((const uint8_t *)text[i].data, text[i].len);
        cr_assert(qn_word_codes_encode(&words, copy, text[i].len, &codes));
        end[i] = codes.len;
        free(copy);
    }
    opened o = open_words(&words);
    cr_assert(qn_words_check(&o.view));
    size_t from = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t *copy = test_copy(codes.data + from, end[i] - from);
        qn_buffer out = {0};
        cr_assert_eq(qn_word_codes_decode(&o.view, copy, end[i] - from, &out), QUERN_OK);
        cr_assert(out.len == text[i].len &&
                      (out.len == 0 || memcmp(out.data, text[i].data, out.len) == 0),
                  "text %zu", i);
        cr_assert_leq(text[i].len, (end[i] - from) * QN_CODE_EXPANDS);
        qn_buffer_free(&out);
        free(copy);
        from = end[i];
    }
    size_t len = codes.len;
    qn_buffer_free(&o.section);
    qn_buffer_free(&codes);
    qn_words_free(&words);
    free(end);
    return len;
}

/* Texts of a few bytes, so that all that can stand at the ends of 64 bytes does. */
Test(word_codes, random_texts)
{
    static const char *alphabet[] = {"a ", "ab .", "a  \n", "xyz, .", "a\xC3 \0."};
    enum { N = 3000, MOST = 300 };
    quern_span *text = calloc(N, sizeof *text);
    test_random random = 2;
    for (size_t i = 0; i < N; i++) {
        const char *letters = alphabet[i % 5];
        uint32_t n = i % 5 == 4 ? 5 : (uint32_t)strlen(letters);
        text[i].len = i < MOST ? i : test_below(&random, MOST);
        char *data = malloc(text[i].len + 1);
        for (size_t j = 0; j < text[i].len; j++) {
            /* Now and then a long run. */
            bool again = j > 0 && test_below(&random, 8) > (i % 7 == 0 ? 0 : 3);
            data[j] = again ? data[j - 1] : letters[test_below(&random, n)];
        }
        text[i].data = data;
    }
    (void)round_trip(text, N);
    for (size_t i = 0; i < N; i++)
        free((void *)(uintptr_t)text[i].data);
    free(text);
}

Test(word_codes, hostile_texts)
{
    enum { LONG = 5 << 20 };
    char *token = malloc(LONG), *spaces = malloc(1 << 20), *mixed = malloc(1 << 20),
         *noise = malloc(1 << 16);
    memset(token, 'x', LONG);
    memset(spaces, ' ', 1 << 20);
    for (size_t i = 0; i < 1 << 20; i++)
        mixed[i] = i % 2 == 0 ? (char)('a' + i % 25) : '-';
    test_random random = 4;
    for (size_t i = 0; i < 1 << 16; i++)
        noise[i] = (char)test_next(&random);
    const quern_span text[] = {{"", 0},          {token, LONG}, {spaces, 1 << 20},
                               {spaces, 1},      {spaces, 2},   {mixed, 1 << 20},
                               {noise, 1 << 16}, {"\0", 1},     {"\0\0a", 3},
                               {" a", 2},        {"a ", 2},     {"a b", 3},
                               {token, 63},      {token, 64},   {token, 65},
                               {token, 15},      {token, 16},   {"\xFF\xFE \x80", 4},
                               {"a b ", 4},      {" a b", 4},   {"a  b", 4},
                               {spaces, 64},     {token, 128},  {"a\nb", 3}};
    (void)round_trip(text, sizeof text / sizeof text[0]);
    free(token);
    free(spaces);
    free(mixed);
    free(noise);
}

Test(word_codes, prose_gets_shorter)
{
    size_t len;
    char *prose = (char *)test_read_file("bench/sample/corpus.jsonl", &len);
    enum { TIMES = 8 };
    quern_span text[64];
    size_t n = 0;
    for (char *at = prose; n < 64 && at < prose + len; n++) {
        char *end = memchr(at, '\n', (size_t)(prose + len - at));
        size_t line = end == NULL ? (size_t)(prose + len - at) : (size_t)(end - at) + 1;
        text[n] = (quern_span){at, line};
        at += line;
    }
    quern_span again[TIMES * 64];
    size_t total = 0;
    for (size_t i = 0; i < TIMES * n; i++) {
        again[i] = text[i % n];
        total += again[i].len;
    }
    cr_assert_lt(round_trip(again, TIMES * n), total / 3 * 2);
    free(prose);
}

Test(word_codes, counts)
{
    qn_words words = {0};
    uint32_t *count = calloc(QN_WORDS_MAX, sizeof *count);
    cr_assert(count != NULL && qn_words_init(&words));
    const char *text = "to be or not to be, that is - to be, or";
    uint8_t *copy = test_copy((const uint8_t *)text, strlen(text));
    cr_assert(qn_word_codes_count(&words, copy, strlen(text), count));
    static const struct {
        const char *word;
        uint32_t count;
    } want[] = {{"to", 3}, {"be", 3}, {"or", 2},  {"not", 1},
                {", ", 2}, {"is", 1}, {" - ", 1}, {"that", 1}};
    cr_assert_eq(words.n, sizeof want / sizeof want[0]);
    for (size_t i = 0; i < words.n; i++) {
        size_t len = strlen(want[i].word);
        uint8_t *word = test_copy((const uint8_t *)want[i].word, len);
        const qn_word_slot *slot = qn_words_find(&words, word, len, qn_word_key_of(word, len));
        cr_assert(slot != NULL && count[slot->id] == want[i].count, "%s", want[i].word);
        free(word);
    }
    free(copy);
    free(count);
    qn_words_free(&words);
}

/* The worked bytes of FORMAT.md. */
Test(word_codes, worked_bytes)
{
    static const uint8_t want_section[] = {3, 0, 0, 0, 0, 0, 0, 0,   0,   0,   0,   0,   2,
                                           2, 2, 0, 0, 0, 0, 0, 't', 'o', 'b', 'e', ',', ' '};
    static const uint8_t want_codes[] = {0x00, 0x01, 0x02, 0xFF, 0x02, 'o',  'r',
                                         0xFF, 0x03, 'n',  'o',  't',  0x00, 0x01};
    static const char *const word[] = {"to", "be", ", "};
    qn_words words = {0};
    cr_assert(qn_words_init(&words));
    for (unsigned i = 0; i < 3; i++) {
        uint8_t *copy = test_copy((const uint8_t *)word[i], 2);
        cr_assert(qn_words_add(&words, copy, 2, qn_word_key_of(copy, 2)));
        free(copy);
    }
    qn_buffer section = {0}, codes = {0};
    cr_assert(qn_words_put(&words, &section));
    cr_assert(section.len == sizeof want_section &&
              memcmp(section.data, want_section, section.len) == 0);
    uint8_t *copy = test_copy((const uint8_t *)"to be, or not to be", 19);
    cr_assert(qn_word_codes_encode(&words, copy, 19, &codes));
    cr_assert(codes.len == sizeof want_codes && memcmp(codes.data, want_codes, codes.len) == 0);
    free(copy);
    qn_buffer_free(&section);
    qn_buffer_free(&codes);
    qn_words_free(&words);
}

/* A store of `n` words of one kind, all of the longest. */
static opened long_words(uint32_t n)
{
    qn_words words = {0};
    cr_assert(qn_words_init(&words));
    for (uint32_t i = 0; i < n; i++) {
        uint8_t word[QN_WORDS_LONGEST + 1 + QN_WORDS_OVERREAD] = {0};
        (void)snprintf((char *)word, QN_WORDS_LONGEST + 1, "%063u", i);
        cr_assert(
            qn_words_add(&words, word, QN_WORDS_LONGEST, qn_word_key_of(word, QN_WORDS_LONGEST)));
    }
    opened o = open_words(&words);
    qn_words_free(&words);
    return o;
}

static quern_status decode(const qn_words_view *view, const void *codes, size_t len,
                           size_t *out_len)
{
    uint8_t *copy = test_copy(codes, len);
    qn_buffer out = {0};
    quern_status status = qn_word_codes_decode(view, copy, len, &out);
    cr_assert_leq(out.cap, 2 * len + 3 * out.len / 2 + 1000);
    *out_len = out.len;
    qn_buffer_free(&out);
    free(copy);
    return status;
}

Test(word_codes, forged_codes)
{
    opened o = long_words(500);
    static const struct {
        const char *codes;
        size_t len, out; /* out 0: refused */
    } try[] = {
        {"\x00", 1, 63},
        {"\x00\x6F", 2, 127},                                     /* with the space between */
        {"\x70\x00", 2, 63},                                      /* the first of two bytes */
        {"\x71\x83", 2, 63},                                      /* the last one, 499 */
        {"\x71\x84", 2, 0},                                       /* one too far */
        {"\xFC\xFF", 2, 0},                                       /* far too far */
        {"\xFD\x00\x00", 3, 0},                                   /* of three bytes there is none */
        {"\x70", 1, 0},                                           /* cut off */
        {"\x00\xFD\x00", 3, 0},                                   /* likewise */
        {"\xFF\x03xyz", 5, 3},                                    /* spelled out */
        {"\xFF\x03xyz\xFF\x01w", 8, 5},                           /* twice */
        {"\xFE\x03xyz\xFF\x01w", 8, 4},                           /* no word before */
        {"\xFF\x04xyz", 5, 0},                                    /* cut off */
        {"\xFF", 1, 0},                                           /* likewise */
        {"\xFF\x80", 2, 0},                                       /* likewise */
        {"\xFE\x00", 2, 0},                                       /* nothing is no run */
        {"\xFE\x81\x00z", 4, 0},                                  /* a longer length than needed */
        {"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01z", 12, 0}, /* all of memory */
    };
    for (size_t i = 0; i < sizeof try / sizeof try[0]; i++) {
        size_t len;
        quern_status status = decode(&o.view, try[i].codes, try[i].len, &len);
        cr_assert_eq(status, try[i].out == 0 ? QUERN_E_DAMAGED : QUERN_OK, "codes %zu", i);
        if (try[i].out > 0)
            cr_assert_eq(len, try[i].out, "codes %zu: %zu", i, len);
    }
    qn_words_view none = {0};
    size_t len;
    cr_assert_eq(decode(&none, "\x00", 1, &len), QUERN_E_DAMAGED);
    test_random random = 5;
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t codes[40];
        for (size_t i = 0; i < sizeof codes; i++)
            codes[i] = test_below(&random, 3) == 0 ? (uint8_t)test_next(&random)
                                                   : (uint8_t)test_below(&random, 0x72);
        quern_status status = decode(&o.view, codes, round % 41, &len);
        cr_assert(status == QUERN_OK || status == QUERN_E_DAMAGED);
    }
    qn_buffer_free(&o.section);
}

/* As much as a block of codes can become. */
Test(word_codes, a_bomb_is_bounded)
{
    opened o = long_words(1);
    enum { N = 1 << 20 };
    uint8_t *codes = calloc(N, 1);
    size_t len;
    cr_assert_eq(decode(&o.view, codes, N, &len), QUERN_OK);
    cr_assert_eq(len, (size_t)N * QN_CODE_EXPANDS - 1);
    free(codes);
    qn_buffer_free(&o.section);
}
