/*
 * Stop words: a fixed set of folded words that are not indexed.
 *
 * A qn_stopwords is immutable once made, and may be shared by threads.
 */
#ifndef QN_TEXT_STOPWORDS_H
#define QN_TEXT_STOPWORDS_H

#include "engine/quern.h"

/* Zero-initialise ({0}): the empty set. */
typedef struct qn_stopwords {
    char *text; /* the words, sorted bytewise, unique, each followed by '\n' */
    size_t len;
    size_t *start; /* offset in `text` of each word, and `len` after the last */
    size_t n;
} qn_stopwords;

/* The words of any text, split and folded as documents are. A text in the form of qn_stopwords.text
 * gives the same set, save for words in which a lower-cased letter composes with its mark while the
 * capital does not (J with caron). QUERN_E_MEMORY is the only error. */
quern_status qn_stopwords_make(qn_stopwords *out, quern_span text, quern_error *error);

/* Frees the words and leaves the empty set. */
void qn_stopwords_free(qn_stopwords *words);

/* Whether a folded word is in the set. */
bool qn_stopwords_has(const qn_stopwords *words, const char *word, size_t len);

#endif
