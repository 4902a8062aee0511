/* Analysis: settings, terms, whole texts, fingerprints. */
#include "index/text/analyzer.h"

#include "index/text/probe.h"
#include "tests/index/text/words.h"

static qn_analyzer *analyzer_of(const char *language, const char *stopwords)
{
    qn_analyzer *analyzer;
    quern_error error;
    qn_analyzer_settings settings = {language, {stopwords, strlen(stopwords)}};
    cr_assert_eq(qn_analyzer_new(&analyzer, &settings, &error), QUERN_OK, "%s", error.message);
    return analyzer;
}

/* The terms of a text as "term@position:start-end ". */
static void check_terms(qn_analyzer *analyzer, const char *text, const char *expected)
{
    qn_buffer got = {0};
    qn_word term;
    quern_status status;
    qn_analyzer_start(analyzer, text, strlen(text));
    while ((status = qn_analyzer_next(analyzer, &term, NULL)) == QUERN_OK) {
        char line[QN_WORD_MAX + 80];
        int len = snprintf(line, sizeof line, "%.*s@%u:%zu-%zu ", (int)term.len, term.text,
                           term.position, term.start, term.end);
        cr_assert(qn_buffer_append(&got, line, (size_t)len));
    }
    cr_assert_eq(status, QUERN_END);
    cr_assert_eq(qn_analyzer_next(analyzer, &term, NULL), QUERN_END);
    cr_assert(qn_buffer_push(&got, '\0'));
    cr_assert_str_eq((const char *)got.data, expected);
    qn_buffer_free(&got);
}

Test(analyzer, texts)
{
    qn_analyzer *analyzer = analyzer_of("english", "the of");
    qn_word term;
    cr_assert_eq(qn_analyzer_next(analyzer, &term, NULL), QUERN_END, "before any text");
    check_terms(analyzer, "The running of the bulls", "run@1:4-11 bull@4:19-24 ");
    check_terms(analyzer, "", "");
    check_terms(analyzer, "the OF the", "");
    check_terms(analyzer, "caf\xC3\xA9s \xFF", "café@0:0-6 ");
    cr_assert_eq(qn_analyzer_bad_utf8(analyzer), 1);
    cr_assert_eq(qn_analyzer_long_words(analyzer), 0);
    qn_analyzer_free(analyzer);
}

/* More words than a batch holds, stop words throughout, and a text left half-read. */
Test(analyzer, long_texts)
{
    qn_analyzer *analyzer = analyzer_of("none", "b");
    char text[3000];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 2 != 0 ? ' ' : i % 3 == 0 ? 'a' : 'b';
    for (int round = 0; round < 2; round++) {
        qn_word term;
        uint32_t n = 0;
        qn_analyzer_start(analyzer, text, sizeof text);
        while (qn_analyzer_next(analyzer, &term, NULL) == QUERN_OK) {
            cr_assert_eq(term.position, 3 * n);
            cr_assert_eq(term.start, 6 * n);
            n++;
        }
        cr_assert_eq(n, 500);
        qn_analyzer_start(analyzer, text, sizeof text);
        cr_assert_eq(qn_analyzer_next(analyzer, &term, NULL), QUERN_OK);
    }
    qn_analyzer_free(analyzer);
}

Test(analyzer, single_words)
{
    qn_analyzer *analyzer = analyzer_of("english", "The");
    const char *term;
    size_t len;
    cr_assert_eq(qn_analyzer_term(analyzer, "the", 3, &term, &len, NULL), QUERN_OK);
    cr_assert_eq(len, 0);
    cr_assert_eq(qn_analyzer_term(analyzer, "flies", 5, &term, &len, NULL), QUERN_OK);
    cr_assert(len == 3 && memcmp(term, "fli", 3) == 0);
    qn_analyzer_free(analyzer);
}

/* Stop words are compared before stemming: "news" is not "new". */
Test(analyzer, stop_words_are_surface_words)
{
    qn_analyzer *analyzer = analyzer_of("english", "cats");
    check_terms(analyzer, "cats cat", "cat@1:5-8 ");
    qn_analyzer_free(analyzer);
}

Test(analyzer, settings_in_normal_form)
{
    qn_analyzer *analyzer = analyzer_of("en", "The, of\nthe A");
    const qn_analyzer_settings *settings = qn_analyzer_get_settings(analyzer);
    cr_assert_str_eq(settings->language, "english");
    cr_assert_eq(settings->stopwords.len, 9);
    cr_assert_eq(memcmp(settings->stopwords.data, "a\nof\nthe\n", 9), 0);
    qn_analyzer *again;
    cr_assert_eq(qn_analyzer_new(&again, settings, NULL), QUERN_OK);
    const qn_analyzer_settings *same = qn_analyzer_get_settings(again);
    cr_assert_str_eq(same->language, "english");
    cr_assert_eq(same->stopwords.len, 9);
    cr_assert_eq(memcmp(same->stopwords.data, "a\nof\nthe\n", 9), 0);
    cr_assert_eq(qn_analyzer_fingerprint(again), qn_analyzer_fingerprint(analyzer));
    qn_analyzer_free(analyzer);
    qn_analyzer_free(again);
}

Test(analyzer, unknown_language)
{
    qn_analyzer *analyzer = (qn_analyzer *)&analyzer;
    quern_error error;
    qn_analyzer_settings settings = {"klingon", {NULL, 0}};
    cr_assert_eq(qn_analyzer_new(&analyzer, &settings, &error), QUERN_E_ARGUMENT);
    cr_assert_null(analyzer);
    cr_assert_not_null(strstr(error.message, "swedish"));
    settings.language = NULL;
    cr_assert_eq(qn_analyzer_new(&analyzer, &settings, NULL), QUERN_E_ARGUMENT);
    qn_analyzer_free(NULL);
}

/* Every two languages stem some probe word differently; the same language always gives the same. */
Test(analyzer, fingerprints_tell_languages_apart)
{
    uint64_t prints[64];
    size_t n = 0;
    for (const char *const *language = qn_analyzer_languages(); *language != NULL; language++) {
        qn_analyzer *analyzer = analyzer_of(*language, "");
        qn_analyzer *other = analyzer_of(*language, "stop words do not matter");
        cr_assert_lt(n, 64);
        prints[n] = qn_analyzer_fingerprint(analyzer);
        check_terms(analyzer, "1997", "1997@0:0-4 ");
        cr_assert_eq(qn_analyzer_fingerprint(analyzer), prints[n]);
        cr_assert_eq(qn_analyzer_fingerprint(other), prints[n]);
        for (size_t i = 0; i < n; i++)
            cr_assert_neq(prints[i], prints[n], "%s and %s", *language, qn_analyzer_languages()[i]);
        n++;
        qn_analyzer_free(analyzer);
        qn_analyzer_free(other);
    }
}

/* The fingerprint without a stemmer depends on nothing but the probe list and the way it is hashed;
 * both are part of every index, so this number must never change. */
Test(analyzer, fingerprint_of_none_is_fixed)
{
    qn_analyzer *analyzer = analyzer_of("none", "");
    cr_assert_eq(qn_analyzer_fingerprint(analyzer), 0xf9629e6c4a638109u, "%llx",
                 (unsigned long long)qn_analyzer_fingerprint(analyzer));
    qn_analyzer_free(analyzer);
}

/* Probe words are valid, distinct, and many. */
Test(analyzer, probe_words_are_valid)
{
    size_t n = 0;
    for (; qn_probe_words[n] != NULL; n++) {
        size_t len = strlen(qn_probe_words[n]);
        cr_assert(len >= 1 && len <= QN_WORD_MAX);
        cr_assert_eq(qn_utf8_valid_prefix(qn_probe_words[n], len), len);
        for (size_t i = 0; i < n; i++)
            cr_assert_str_neq(qn_probe_words[i], qn_probe_words[n]);
    }
    cr_assert_geq(n, 190);
}

Test(analyzer, unicode_version)
{
    cr_assert_geq(atoi(qn_analyzer_unicode_version()), 14);
}
