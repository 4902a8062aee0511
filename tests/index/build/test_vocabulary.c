/* The builder's word table: words keep their terms through growth, whatever their length. */
#include "index/build/vocabulary.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static qn_analyzer *analyzer_for(const char *language, const char *stopwords)
{
    qn_analyzer *analyzer;
    quern_error error;
    qn_analyzer_settings settings = {language, {stopwords, strlen(stopwords)}};
    cr_assert_eq(qn_analyzer_new(&analyzer, &settings, &error), QUERN_OK, "%s", error.message);
    return analyzer;
}

/* Looks a word up from a buffer with 16 readable bytes, as the tokenizer's is. */
static uint32_t term_of(qn_vocabulary *vocabulary, const char *word)
{
    char padded[300] = {0};
    memset(padded, 'x', sizeof padded); /* what stands behind a word must not matter */
    memcpy(padded, word, strlen(word));
    uint32_t term;
    qn_word folded = {.text = padded, .len = (uint32_t)strlen(word)};
    cr_assert_eq(qn_vocabulary_words(vocabulary, 0, &folded, 1, &term, NULL), QUERN_OK);
    return term;
}

Test(vocabulary, words_with_one_stem_share_a_term)
{
    qn_analyzer *analyzer = analyzer_for("english", "the");
    qn_vocabulary vocabulary;
    cr_assert_eq(qn_vocabulary_init(&vocabulary, analyzer, NULL), QUERN_OK);
    uint32_t run = term_of(&vocabulary, "running");
    cr_assert_eq(term_of(&vocabulary, "runs"), run);
    cr_assert_eq(term_of(&vocabulary, "run"), run);
    cr_assert_neq(term_of(&vocabulary, "walk"), run);
    cr_assert_eq(term_of(&vocabulary, "the"), QN_STOP_WORD);
    cr_assert_eq(vocabulary.n_terms, 2u);
    cr_assert_eq(memcmp(vocabulary.term[run].data, "run", 3), 0);
    qn_vocabulary_free(&vocabulary);
    qn_analyzer_free(analyzer);
}

Test(vocabulary, lengths_around_the_inline_key)
{
    qn_analyzer *analyzer = analyzer_for("none", "");
    qn_vocabulary vocabulary;
    cr_assert_eq(qn_vocabulary_init(&vocabulary, analyzer, NULL), QUERN_OK);
    char word[256];
    for (size_t len = 1; len <= 255; len++) {
        memset(word, 'a', len);
        word[len] = 0;
        cr_assert_eq(term_of(&vocabulary, word), len - 1, "length %zu", len);
    }
    for (size_t len = 1; len <= 255; len++) {
        memset(word, 'a', len);
        word[len] = 0;
        cr_assert_eq(term_of(&vocabulary, word), len - 1);
        cr_assert_eq(vocabulary.term[len - 1].len, len);
    }
    qn_vocabulary_free(&vocabulary);
    qn_analyzer_free(analyzer);
}

Test(vocabulary, grows)
{
    enum { WORDS = 100000 };
    qn_analyzer *analyzer = analyzer_for("none", "");
    qn_vocabulary vocabulary;
    cr_assert_eq(qn_vocabulary_init(&vocabulary, analyzer, NULL), QUERN_OK);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < WORDS; i++) {
            char word[64];
            (void)snprintf(word, sizeof word, i % 3 == 0 ? "word%u" : "a-rather-long-word-%u", i);
            cr_assert_eq(term_of(&vocabulary, word), i);
        }
    }
    cr_assert_eq(vocabulary.n_terms, (size_t)WORDS);
    cr_assert_gt(qn_vocabulary_bytes(&vocabulary), (size_t)WORDS * 20);
    qn_vocabulary_free(&vocabulary);
    qn_analyzer_free(analyzer);
}
