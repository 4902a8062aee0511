/* Stemming: the list of languages, their codes, and known stems. */
#include "index/text/stem.h"

#include <libstemmer.h>
#include <stdlib.h>
#include <string.h>

#include "index/text/probe.h"
#include "index/text/tokenizer.h"
#include "tests/index/text/words.h"

static qn_stem *stem_of(const char *language)
{
    qn_stem *stem;
    quern_error error;
    cr_assert_eq(qn_stem_new(&stem, language, &error), QUERN_OK, "%s: %s", language, error.message);
    return stem;
}

static void check_stem(qn_stem *stem, const char *word, const char *expected)
{
    const char *out;
    size_t len;
    cr_assert_eq(qn_stem_word(stem, word, strlen(word), &out, &len, NULL), QUERN_OK);
    cr_assert(len == strlen(expected) && memcmp(out, expected, len) == 0, "%s: %.*s, not %s", word,
              (int)len, out, expected);
}

/* If this fails, libstemmer has languages that stem.c does not list: add them and their codes. */
Test(stem, languages_are_those_of_libstemmer)
{
    const char *const *languages = qn_stem_languages();
    const char **theirs = sb_stemmer_list();
    size_t n = 0;
    for (; theirs[n] != NULL; n++) {
        cr_assert_str_eq(languages[n], theirs[n]);
        cr_assert(n == 0 || strcmp(languages[n - 1], languages[n]) < 0, "sorted");
        qn_stem *stem = stem_of(languages[n]);
        cr_assert_str_eq(qn_stem_language(stem), languages[n]);
        qn_stem_free(stem);
    }
    cr_assert_str_eq(languages[n], "none");
    cr_assert_null(languages[n + 1]);
}

/* libstemmer takes the codes too, and must mean the same language by them: every code of two or
 * three letters that it knows, and no other, gets a name, and all probe words get equal stems. */
Test(stem, codes_are_those_of_libstemmer)
{
    size_t n = 0;
    for (int i = 0; i < 27 * 27 * 27; i++) {
        char code[4] = {(char)('a' + i / 729), (char)('a' + i / 27 % 27), (char)('a' + i % 27), 0};
        if (code[2] == 'z' + 1)
            code[2] = '\0';
        if (code[1] == 'z' + 1)
            continue;
        struct sb_stemmer *theirs = sb_stemmer_new(code, NULL);
        qn_stem *stem = NULL;
        cr_assert_eq(qn_stem_new(&stem, code, NULL), theirs != NULL ? QUERN_OK : QUERN_E_ARGUMENT,
                     "%s", code);
        for (const char *const *word = qn_probe_words; theirs != NULL && *word != NULL; word++) {
            int len = (int)strlen(*word);
            const sb_symbol *expected = sb_stemmer_stem(theirs, (const sb_symbol *)*word, len);
            char copy[QN_WORD_MAX + 1];
            len = sb_stemmer_length(theirs);
            if (len == 0)
                continue;
            memcpy(copy, expected, (size_t)len);
            copy[len] = '\0';
            check_stem(stem, *word, copy);
        }
        n += theirs != NULL;
        sb_stemmer_delete(theirs);
        qn_stem_free(stem);
    }
    cr_assert_gt(n, 60);
}

Test(stem, known_stems)
{
    qn_stem *stem = stem_of("english");
    check_stem(stem, "running", "run");
    check_stem(stem, "generously", "generous");
    check_stem(stem, "don't", "don't");
    check_stem(stem, "dog's", "dog");
    check_stem(stem, "a", "a");
    check_stem(stem, "日本", "日本");
    qn_stem_free(stem);
    stem = stem_of("de");
    cr_assert_str_eq(qn_stem_language(stem), "german");
    check_stem(stem, "häuser", "haus");
    qn_stem_free(stem);
    stem = stem_of("none");
    check_stem(stem, "running", "running");
    qn_stem_free(stem);
}

Test(stem, unknown_languages_are_refused)
{
    static const char *const bad[] = {"", "klingon", "English", "english ", "xx", "NONE"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        qn_stem *stem = (qn_stem *)&stem;
        quern_error error;
        cr_assert_eq(qn_stem_new(&stem, bad[i], &error), QUERN_E_ARGUMENT);
        cr_assert_null(stem);
        cr_assert_eq(error.status, QUERN_E_ARGUMENT);
        cr_assert_not_null(strstr(error.message, "arabic, "), "%s", error.message);
        cr_assert_not_null(strstr(error.message, "yiddish, none"), "%s", error.message);
    }
    qn_stem *stem;
    cr_assert_eq(qn_stem_new(&stem, NULL, NULL), QUERN_E_ARGUMENT);
    qn_stem_free(NULL);
}

/* Any folded word gives a term of 1..QN_WORD_MAX bytes, in every language. */
Test(stem, terms_have_valid_lengths)
{
    uint64_t seed = 5;
    size_t n_probe = 0;
    while (qn_probe_words[n_probe] != NULL)
        n_probe++;
    for (const char *const *language = qn_stem_languages(); *language != NULL; language++) {
        qn_stem *stem = stem_of(*language);
        for (int round = 0; round < 2000; round++) {
            /* the beginning of one probe word and the whole of others, up to the longest */
            char word[2 * QN_WORD_MAX];
            size_t len = 0, limit = round % 4 == 0 ? QN_WORD_MAX : 20;
            const char *next = qn_probe_words[test_below(&seed, (uint32_t)n_probe)];
            while (len + strlen(next) <= limit) {
                memcpy(word + len, next, strlen(next));
                len += strlen(next);
                next = qn_probe_words[test_below(&seed, (uint32_t)n_probe)];
            }
            const char *out;
            size_t out_len;
            if (len == 0)
                continue;
            cr_assert_eq(qn_stem_word(stem, word, len, &out, &out_len, NULL), QUERN_OK);
            cr_assert(out_len >= 1 && out_len <= QN_WORD_MAX, "%s", *language);
            cr_assert_eq(qn_utf8_valid_prefix(out, out_len), out_len, "%s: %.*s", *language,
                         (int)len, word);
        }
        qn_stem_free(stem);
    }
}
