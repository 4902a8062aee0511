/*
 * Analysis: words to terms (stop words, stemming), and what an index must remember of it so that
 * queries are analysed alike. The same settings and the same libstemmer give the same terms.
 *
 * An analyzer belongs to one thread.
 */
#ifndef QN_TEXT_ANALYZER_H
#define QN_TEXT_ANALYZER_H

#include "engine/quern.h"
#include "index/text/tokenizer.h"

/* What an index records of its analyzer. */
typedef struct qn_analyzer_settings {
    const char *language; /* libstemmer's algorithm name, or "none" */
    quern_span stopwords; /* folded words, sorted bytewise, each followed by '\n'; may be empty */
} qn_analyzer_settings;

typedef struct qn_analyzer qn_analyzer;

/* Settings are copied. `stopwords` here may be any text: its words are folded, sorted and made
 * unique. QUERN_E_ARGUMENT for an unknown language: the message lists the known ones. */
quern_status qn_analyzer_new(qn_analyzer **out, const qn_analyzer_settings *settings,
                             quern_error *error);
void qn_analyzer_free(qn_analyzer *analyzer);

/* The settings in normal form, as the index stores them; valid while the analyzer lives. */
const qn_analyzer_settings *qn_analyzer_get_settings(const qn_analyzer *analyzer);

/* XXH3 over the stems of a fixed probe list of words: two libstemmers that stem alike give the same
 * (the algorithms carry no version of their own). */
uint64_t qn_analyzer_fingerprint(qn_analyzer *analyzer);

/* Version of the tokenisation rules in this file's sense; part of the index header. */
enum { QN_ANALYZER_RULES = 1 };

/* "15.0.0": the Unicode version of the tables; valid forever. */
const char *qn_analyzer_unicode_version(void);

/* The term of one folded word: *term_len = 0 if it is a stop word, else the stem (never empty, at
 * most QN_WORD_MAX bytes). Valid until the next call. No cache: callers that see many words keep
 * their own. QUERN_E_MEMORY is the only error. */
quern_status qn_analyzer_term(qn_analyzer *analyzer, const char *word, size_t len,
                              const char **term, size_t *term_len, quern_error *error);

/* ---- whole texts, for queries and snippets ---- */

/* Starts on a text; then qn_analyzer_next gives its terms one by one with position and place in the
 * source, QUERN_END after the last. Stop words are left out, their positions stay. */
void qn_analyzer_start(qn_analyzer *analyzer, const char *text, size_t len);
quern_status qn_analyzer_next(qn_analyzer *analyzer, qn_word *term, quern_error *error);

/* NULL-terminated list of libstemmer's algorithm names, sorted, then "none". Valid forever. */
const char *const *qn_analyzer_languages(void);

/* Invalid UTF-8 replaced and words left out since the analyzer was made. */
uint64_t qn_analyzer_bad_utf8(const qn_analyzer *analyzer);
uint64_t qn_analyzer_long_words(const qn_analyzer *analyzer);

#endif
