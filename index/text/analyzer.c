/* Analysis: tokenizer, stop words and stemmer put together. */
#include "index/text/analyzer.h"

#include <stdlib.h>
#include <string.h>

#include "index/base/bytes.h"
#include "index/base/checksum.h"
#include "index/base/status.h"
#include "index/text/fold.h"
#include "index/text/probe.h"
#include "index/text/stem.h"
#include "index/text/stopwords.h"

enum { BATCH = 64 };

struct qn_analyzer {
    qn_analyzer_settings settings;
    qn_stem *stem;
    qn_stopwords stopwords;
    qn_tokenizer *tokenizer;
    uint64_t fingerprint;
    size_t next, n; /* of words: those not yet given by qn_analyzer_next */
    qn_word words[BATCH];
};

/* A chain, each link the checksum of the one before and a stem: the lengths of the hashed pieces
 * and the order of the words are part of it, so no separators are needed. */
static quern_status take_fingerprint(qn_analyzer *analyzer, quern_error *error)
{
    char link[8 + QN_WORD_MAX];
    uint64_t hash = 0;
    for (const char *const *word = qn_probe_words; *word != NULL; word++) {
        const char *stem;
        size_t len;
        quern_status status =
            qn_stem_word(analyzer->stem, *word, strlen(*word), &stem, &len, error);
        if (status != QUERN_OK)
            return status;
        qn_store_u64(link, hash);
        memcpy(link + 8, stem, len);
        hash = qn_checksum(link, 8 + len);
    }
    analyzer->fingerprint = hash;
    return QUERN_OK;
}

quern_status qn_analyzer_new(qn_analyzer **out, const qn_analyzer_settings *settings,
                             quern_error *error)
{
    *out = NULL;
    qn_analyzer *analyzer = calloc(1, sizeof *analyzer);
    if (analyzer == NULL)
        return qn_fail_memory(error);
    quern_status status = qn_stem_new(&analyzer->stem, settings->language, error);
    if (status == QUERN_OK)
        status = qn_stopwords_make(&analyzer->stopwords, settings->stopwords, error);
    if (status == QUERN_OK) {
        analyzer->tokenizer = qn_tokenizer_new();
        if (analyzer->tokenizer == NULL)
            status = qn_fail_memory(error);
    }
    if (status == QUERN_OK)
        status = take_fingerprint(analyzer, error);
    if (status != QUERN_OK) {
        qn_analyzer_free(analyzer);
        return status;
    }
    analyzer->settings.language = qn_stem_language(analyzer->stem);
    analyzer->settings.stopwords = (quern_span){analyzer->stopwords.text, analyzer->stopwords.len};
    *out = analyzer;
    return QUERN_OK;
}

void qn_analyzer_free(qn_analyzer *analyzer)
{
    if (analyzer == NULL)
        return;
    qn_stem_free(analyzer->stem);
    qn_stopwords_free(&analyzer->stopwords);
    qn_tokenizer_free(analyzer->tokenizer);
    free(analyzer);
}

const qn_analyzer_settings *qn_analyzer_get_settings(const qn_analyzer *analyzer)
{
    return &analyzer->settings;
}

uint64_t qn_analyzer_fingerprint(qn_analyzer *analyzer)
{
    return analyzer->fingerprint;
}

const char *qn_analyzer_unicode_version(void)
{
    return qn_fold_unicode_version();
}

quern_status qn_analyzer_term(qn_analyzer *analyzer, const char *word, size_t len,
                              const char **term, size_t *term_len, quern_error *error)
{
    if (qn_stopwords_has(&analyzer->stopwords, word, len)) {
        *term = word;
        *term_len = 0;
        return QUERN_OK;
    }
    return qn_stem_word(analyzer->stem, word, len, term, term_len, error);
}

void qn_analyzer_start(qn_analyzer *analyzer, const char *text, size_t len)
{
    qn_tokenizer_start(analyzer->tokenizer, text, len, 0);
    analyzer->next = analyzer->n = 0;
}

quern_status qn_analyzer_next(qn_analyzer *analyzer, qn_word *term, quern_error *error)
{
    for (;;) {
        if (analyzer->next == analyzer->n) {
            analyzer->next = analyzer->n = 0; /* also if the call fails */
            quern_status status =
                qn_tokenizer_next(analyzer->tokenizer, analyzer->words, BATCH, &analyzer->n, error);
            if (status != QUERN_OK || analyzer->n == 0)
                return status != QUERN_OK ? status : QUERN_END;
        }
        qn_word word = analyzer->words[analyzer->next++];
        const char *text;
        size_t len;
        quern_status status = qn_analyzer_term(analyzer, word.text, word.len, &text, &len, error);
        if (status != QUERN_OK)
            return status;
        if (len == 0)
            continue;
        *term = word;
        term->text = text;
        term->len = (uint32_t)len;
        return QUERN_OK;
    }
}

const char *const *qn_analyzer_languages(void)
{
    return qn_stem_languages();
}

uint64_t qn_analyzer_bad_utf8(const qn_analyzer *analyzer)
{
    return qn_tokenizer_bad_utf8(analyzer->tokenizer);
}

uint64_t qn_analyzer_long_words(const qn_analyzer *analyzer)
{
    return qn_tokenizer_long_words(analyzer->tokenizer);
}
