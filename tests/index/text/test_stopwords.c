/* Stop words: any text becomes a sorted set of folded words. */
#include "index/text/stopwords.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static void check_form(const char *text, const char *form)
{
    qn_stopwords words;
    cr_assert_eq(qn_stopwords_make(&words, (quern_span){text, strlen(text)}, NULL), QUERN_OK);
    cr_assert_eq(words.len, strlen(form));
    cr_assert(words.len == 0 || memcmp(words.text, form, words.len) == 0, "%s: %.*s", text,
              (int)words.len, words.text);
    qn_stopwords again;
    cr_assert_eq(qn_stopwords_make(&again, (quern_span){words.text, words.len}, NULL), QUERN_OK);
    cr_assert(again.len == words.len && again.n == words.n);
    cr_assert(words.len == 0 || memcmp(again.text, words.text, words.len) == 0);
    qn_stopwords_free(&words);
    qn_stopwords_free(&again);
}

Test(stopwords, normal_form)
{
    check_form("", "");
    check_form(" ,.\n", "");
    check_form("The the THE", "the\n");
    check_form("of, and\nthe # a", "a\nand\nof\nthe\n");
    check_form("be bee b bean", "b\nbe\nbean\nbee\n");
    check_form("don’t l'", "don't\nl\n");
    check_form("über ÉTÉ e\u0301te\u0301 zu", "zu\nété\nüber\n");
    check_form("の です 日本語", "です\nの\n日本\n本語\n");
}

Test(stopwords, has_each_and_nothing_else)
{
    char text[20000];
    size_t len = 0;
    for (int i = 0; i < 2000; i += 2)
        len += (size_t)snprintf(text + len, sizeof text - len, "w%d ", i * 7919 % 2000);
    qn_stopwords words;
    cr_assert_eq(qn_stopwords_make(&words, (quern_span){text, len}, NULL), QUERN_OK);
    cr_assert_eq(words.n, 1000);
    for (int i = 0; i < 2000; i++) {
        char word[16];
        int word_len = snprintf(word, sizeof word, "w%d", i);
        cr_assert_eq(qn_stopwords_has(&words, word, (size_t)word_len), i % 2 == 0, "%s", word);
    }
    cr_assert_not(qn_stopwords_has(&words, "w", 1));
    cr_assert_not(qn_stopwords_has(&words, "", 0));
    cr_assert_not(qn_stopwords_has(&words, "w10\n", 4));
    cr_assert_not(qn_stopwords_has(&words, "x", 1));
    qn_stopwords_free(&words);
    cr_assert_not(qn_stopwords_has(&words, "w10", 3));
    qn_stopwords_free(&words);
}

Test(stopwords, the_empty_set)
{
    qn_stopwords words = {0};
    cr_assert_not(qn_stopwords_has(&words, "the", 3));
    cr_assert_eq(qn_stopwords_make(&words, (quern_span){NULL, 0}, NULL), QUERN_OK);
    cr_assert_not(qn_stopwords_has(&words, "the", 3));
    qn_stopwords_free(&words);
}
