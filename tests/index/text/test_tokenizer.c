/* Words, positions and places of texts of every kind. */
#include "index/text/tokenizer.h"

#include "tests/index/text/words.h"

typedef struct text_case {
    const char *text;
    const char *words; /* word@position:start-end, each followed by a space */
    unsigned bad;      /* invalid UTF-8 sequences */
} text_case;

static const text_case CASES[] = {
    {"", "", 0},
    {" \t\r\n.,;!?", "", 0},
    {"Hello, World", "hello@0:0-5 world@1:7-12 ", 0},
    {"x86_64 C++ 3.14 a-b", "x86@0:0-3 64@1:4-6 c@2:7-8 3@3:11-12 14@4:13-15 a@5:16-17 b@6:18-19 ",
     0},
    {"a\rb\r\nc\nd", "a@0:0-1 b@1:2-3 c@2:5-6 d@3:7-8 ", 0},
    /* apostrophes */
    {"don't DON'T", "don't@0:0-5 don't@1:6-11 ", 0},
    {"don’t DON’T", "don't@0:0-7 don't@1:8-15 ", 0},
    {"'quoted' ‘quoted’", "quoted@0:1-7 quoted@1:12-18 ", 0},
    {"rock'n'roll dogs' 'em a''b '",
     "rock'n'roll@0:0-11 dogs@1:12-16 em@2:19-21 a@3:22-23 "
     "b@4:25-26 ",
     0},
    {"l'été d’été", "l'été@0:0-7 d'été@1:8-17 ", 0},
    {"a'é", "a'é@0:0-4 ", 0},
    {"a'“b”", "a@0:0-1 b@1:5-6 ", 0},
    {"a'\u0301b", "a@0:0-1 b@1:4-5 ", 0},
    {"é''é", "é@0:0-2 é@1:4-6 ", 0},
    {"don＇t", "don't@0:0-7 ", 0},
    /* case and accents */
    {"ÉCOLE Straße STRAẞE", "école@0:0-6 straße@1:7-14 straße@2:15-23 ", 0},
    {"İstanbul Iı", "istanbul@0:0-9 iı@1:10-13 ", 0},
    {"ΟΔΟΣ ὈΔΥΣΣΕΎΣ", "οδοσ@0:0-8 ὀδυσσεύσ@1:9-26 ", 0},
    {"e\u0301te\u0301 été", "été@0:0-7 été@1:8-13 ", 0},
    {"q\u0301x", "q\u0301x@0:0-4 ", 0},
    {"\u0301a", "a@0:2-3 ", 0},
    {"a \u0301b", "a@0:0-1 b@1:4-5 ", 0},
    {"a\u0323\u0302 a\u0302\u0323", "ậ@0:0-5 ậ@1:6-11 ", 0},
    /* compatibility forms */
    {"ﬁne oﬃce", "fine@0:0-5 office@1:6-12 ", 0},
    {"ＡＢ１ｃ", "ab1c@0:0-12 ", 0},
    {"𝐇𝐢", "hi@0:0-8 ", 0},
    {"Ⅷ x² ½ ™", "viii@0:0-3 x2@1:4-7 1@2:8-10 2@3:8-10 tm@4:11-14 ", 0},
    {"a\u00A0b\u00ADc", "a@0:0-1 b@1:3-4 c@2:6-7 ", 0},
    {"\uFDFA", "صلى@0:0-3 الله@1:0-3 عليه@2:0-3 وسلم@3:0-3 ", 0},
    {"wait… no", "wait@0:0-4 no@1:8-10 ", 0},
    {"a<\u0338b a=\u0338", "a@0:0-1 b@1:4-5 a@2:6-7 ", 0},
    {"1\uFE0F\u20E3", "1\uFE0F\u20E3@0:0-7 ", 0},
    /* other scripts */
    {"हिन्दी भाषा", "हिन्दी@0:0-18 भाषा@1:19-31 ", 0},
    {"مُحَمَّد שָׁלוֹם", "مُحَمَّد@0:0-16 שָׁלוֹם@1:17-31 ", 0},
    {"٣٤ ४२ ៤", "٣٤@0:0-4 ४२@1:5-11 ៤@2:12-15 ", 0},
    {"Москва, ЙОД и\u0306од", "москва@0:0-12 йод@1:14-20 йод@2:21-29 ", 0},
    /* bigrams */
    {"中", "中@0:0-3 ", 0},
    {"中国人", "中国@0:0-6 国人@1:3-9 ", 0},
    {"中a国 1中", "中@0:0-3 a@1:3-4 国@2:4-7 1@3:8-9 中@4:9-12 ", 0},
    {"東京タワー", "東京@0:0-6 京タ@1:3-9 タワ@2:6-12 ワー@3:9-15 ", 0},
    {"한국어", "한국@0:0-6 국어@1:3-9 ", 0},
    {"\u1112\u1161\u11AB\u1100\u116E\u11A8", "한국@0:0-18 ", 0},
    {"\uAC00\u11A7", "가@0:0-3 \u11A7@1:3-6 ", 0},
    {"ｶﾞｷﾞ", "ガギ@0:0-12 ", 0},
    {"か\u3099き", "がき@0:0-9 ", 0},
    {"㌀", "アパ@0:0-3 パー@1:0-3 ート@2:0-3 ", 0},
    {"ไทย", "ไท@0:0-6 ทย@1:3-9 ", 0},
    {"ที่", "ที@0:0-6 ี่@1:3-9 ", 0},
    {"\u0E4B\u0E3A", "\u0E3A\u0E4B@0:0-6 ", 0}, /* marks without a base are ordered too */
    {"中'国", "中@0:0-3 国@1:4-7 ", 0},
    {"中\u0301国", "中@0:0-5 国@1:5-8 ", 0},
    {"𠀀𠀁 \U000323AF", "𠀀𠀁@0:0-8 \U000323AF@1:9-13 ", 0},
    {"中。国", "中@0:0-3 国@1:6-9 ", 0},
    /* invisible and odd */
    {"\uFEFFbom", "bom@0:3-6 ", 0},
    {"👩\u200D👩\u200D👧 ok", "ok@0:19-21 ", 0},
    {"abc\u202Edef", "abc@0:0-3 def@1:6-9 ", 0},
    {"zero\u200Bwidth", "zero@0:0-4 width@1:7-12 ", 0},
    /* not UTF-8 */
    {"a\x80z", "a@0:0-1 z@1:2-3 ", 1},
    {"caf\xC3 x", "caf@0:0-3 x@1:5-6 ", 1},
    {"caf\xC3", "caf@0:0-3 ", 1},
    {"\xE2\x82z", "z@0:2-3 ", 1},
    {"\xF0\x9F\x98z", "z@0:3-4 ", 1},
    {"\xC0\xAFz", "z@0:2-3 ", 2},
    {"\xE0\x80\xAFz", "z@0:3-4 ", 3},
    {"\xED\xA0\x80z", "z@0:3-4 ", 3},
    {"\xF4\x90\x80\x80z", "z@0:4-5 ", 4},
    {"\xF5z\xFE\xFFz", "z@0:1-2 z@1:4-5 ", 3},
    {"e\xCC", "e@0:0-1 ", 1},
};

static const char *const PATHS[] = {"any", "points", "chunks"};

/* The words without their places. */
static void drop_places(char *line)
{
    char *out = line;
    for (const char *in = line; *in != '\0';) {
        if (*in == ':')
            in += strcspn(in, " ");
        *out++ = *in++;
    }
    *out = '\0';
}

/* Tokenises `text` with `pad` bytes of white space before and after, which bring the case to other
 * places in the blocks of the ASCII reader; places are counted from the text. */
static void check_case(size_t index, int path)
{
    const text_case *c = &CASES[index];
    qn_tokenizer *t = qn_tokenizer_new();
    cr_assert_not_null(t);
    qn_tokenizer_set_path(t, (qn_tokenizer_path)path);
    bool places = path != QN_TOKENIZER_CHUNKS;
    qn_buffer got = {0};
    size_t len = strlen(c->text);
    char *text = exact_copy(c->text, len), expected[400];
    collect(&got, t, text, len, 64, places);
    cr_assert(qn_buffer_push(&got, '\0'));
    cr_assert_lt(snprintf(expected, sizeof expected, "%s", c->words), (int)sizeof expected);
    if (!places)
        drop_places(expected);
    cr_assert_str_eq((const char *)got.data, expected, "case %zu, path %s: got %s, not %s", index,
                     PATHS[path], (const char *)got.data, expected);
    cr_assert_eq(qn_tokenizer_bad_utf8(t), c->bad, "case %zu, path %s: %u bad", index, PATHS[path],
                 (unsigned)qn_tokenizer_bad_utf8(t));
    cr_assert_eq(qn_tokenizer_long_words(t), 0);
    free(text);
    qn_buffer_free(&got);
    qn_tokenizer_free(t);
}

Test(tokenizer, cases)
{
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        for (int path = QN_TOKENIZER_ANY; path <= QN_TOKENIZER_CHUNKS; path++)
            check_case(i, path);
}

/* The same after ASCII of every length to two blocks, so that the readers take turns at every place
 * in a block: all words are as before, but 1 position and `pad` bytes later. */
Test(tokenizer, cases_at_every_offset)
{
    qn_tokenizer *t = qn_tokenizer_new();
    cr_assert_not_null(t);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        size_t len = strlen(CASES[i].text);
        for (size_t pad = 2; pad < 130; pad++) {
            char text[300], expected[4000] = "";
            memset(text, '.', sizeof text);
            text[pad % 7 == 0 ? 0 : pad - 2] = 'x';
            memcpy(text + pad, CASES[i].text, len);
            qn_word words[64];
            size_t n, n_expected = 0;
            qn_tokenizer_start(t, text, sizeof text, 0);
            cr_assert_eq(qn_tokenizer_next(t, words, 64, &n, NULL), QUERN_OK);
            for (const char *at = CASES[i].words; *at != '\0'; at++)
                n_expected += *at == ' ';
            cr_assert_eq(n, n_expected + 1, "case %zu after %zu bytes: %zu words", i, pad, n);
            size_t out = 0;
            for (size_t w = 1; w < n; w++)
                out += (size_t)snprintf(expected + out, sizeof expected - out, "%.*s@%u:%zu-%zu ",
                                        (int)words[w].len, words[w].text, words[w].position - 1,
                                        words[w].start - pad, words[w].end - pad);
            cr_assert_str_eq(expected, CASES[i].words, "after %zu bytes", pad);
        }
    }
    qn_tokenizer_free(t);
}

/* One word made of `n` times `piece`, between two others. */
static void check_length(const char *piece, size_t n, bool given)
{
    qn_buffer text = {0}, got = {0};
    cr_assert(qn_buffer_append(&text, "x ", 2));
    for (size_t i = 0; i < n; i++)
        cr_assert(qn_buffer_append(&text, piece, strlen(piece)));
    cr_assert(qn_buffer_append(&text, " y", 2));
    for (int path = QN_TOKENIZER_ANY; path <= QN_TOKENIZER_CHUNKS; path++) {
        qn_tokenizer *t = qn_tokenizer_new();
        cr_assert_not_null(t);
        qn_tokenizer_set_path(t, (qn_tokenizer_path)path);
        got.len = 0;
        collect(&got, t, (const char *)text.data, text.len, 64, false);
        cr_assert(qn_buffer_push(&got, '\0'));
        size_t words = 0;
        for (const uint8_t *at = got.data; *at != '\0'; at++)
            words += *at == ' ';
        cr_assert_eq(words, given ? 3 : 2, "%zu times %s, path %s", n, piece, PATHS[path]);
        cr_assert_eq(qn_tokenizer_long_words(t), given ? 0 : 1);
        cr_assert_not_null(strstr((const char *)got.data, "y@2 "));
        cr_assert_eq(qn_tokenizer_position(t), 3);
        qn_tokenizer_free(t);
    }
    qn_buffer_free(&text);
    qn_buffer_free(&got);
}

Test(tokenizer, words_over_255_bytes_are_left_out)
{
    check_length("a", 255, true);
    check_length("a", 256, false);
    check_length("a", 257, false);
    check_length("a", 100000, false);
    check_length("é", 127, true);
    check_length("é", 128, false);
    check_length("d'", 128, true); /* the last apostrophe is not part of it */
    check_length("d'", 129, false);
    check_length("Ⱥ", 85, true); /* grows from two to three bytes */
    check_length("Ⱥ", 86, false);
    check_length("ﬃ", 85, true);
    check_length("ﬃ", 86, false);
    check_length("e\u0301", 127, true); /* shrinks */
    check_length("e\u0301", 128, false);
}

Test(tokenizer, positions_stop_at_the_last)
{
    qn_tokenizer *t = qn_tokenizer_new();
    cr_assert_not_null(t);
    qn_word words[64];
    size_t n;
    qn_tokenizer_start(t, "a b c d", 7, UINT32_MAX - 2);
    cr_assert_eq(qn_tokenizer_next(t, words, 64, &n, NULL), QUERN_OK);
    cr_assert_eq(n, 4);
    cr_assert_eq(words[0].position, UINT32_MAX - 2);
    cr_assert_eq(words[1].position, UINT32_MAX - 1);
    cr_assert_eq(words[2].position, UINT32_MAX);
    cr_assert_eq(words[3].position, UINT32_MAX);
    cr_assert_eq(qn_tokenizer_position(t), UINT32_MAX);
    qn_tokenizer_free(t);
}

Test(tokenizer, starts_afresh_and_goes_on_counting)
{
    qn_tokenizer *t = qn_tokenizer_new();
    cr_assert_not_null(t);
    qn_word words[64];
    size_t n;
    char many[1000];
    for (size_t i = 0; i < sizeof many; i++)
        many[i] = i % 2 == 0 ? 'a' : ' ';
    /* left in the middle of ASCII, of a word, of a run and of a span */
    static const char *const texts[] = {"caf\xC3\xA9 \xFF", "中国人中国人", "e\u0301\u0301", ""};
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < 4; i++) {
            qn_tokenizer_start(t, many, sizeof many, 7);
            cr_assert_eq(qn_tokenizer_next(t, words, 64, &n, NULL), QUERN_OK);
            cr_assert(n > 0 && words[0].position == 7);
            qn_tokenizer_start(t, texts[i], strlen(texts[i]), 5);
            cr_assert_eq(qn_tokenizer_position(t), 5);
            cr_assert_eq(qn_tokenizer_next(t, words, 64, &n, NULL), QUERN_OK);
            cr_assert_eq(n, i == 0 ? 1 : i == 1 ? 5 : i == 2 ? 1 : 0);
            cr_assert(n == 0 || (words[0].position == 5 && words[0].start == 0));
            cr_assert_eq(qn_tokenizer_next(t, words, 64, &n, NULL), QUERN_OK);
            cr_assert_eq(n, 0);
        }
        cr_assert_eq(qn_tokenizer_bad_utf8(t), (uint64_t)round + 1);
    }
    qn_tokenizer_free(t);
}

Test(tokenizer, free_accepts_null)
{
    qn_tokenizer_free(NULL);
}
