/*
 * Stemming: Snowball's algorithms (Porter 2001). The only file that includes libstemmer.
 *
 * A qn_stem belongs to one thread.
 */
#ifndef QN_TEXT_STEM_H
#define QN_TEXT_STEM_H

#include "engine/quern.h"

typedef struct qn_stem qn_stem;

/* A stemmer for `language`: a name of libstemmer ("english"), an ISO 639 code of one ("en", "eng"),
 * or "none", which leaves words as they are. QUERN_E_ARGUMENT for another: the message lists the
 * names. */
quern_status qn_stem_new(qn_stem **out, const char *language, quern_error *error);
void qn_stem_free(qn_stem *stem);

/* The language by its name, never a code. Valid forever. */
const char *qn_stem_language(const qn_stem *stem);

/* The stem of a folded word of 1..QN_WORD_MAX bytes, valid until the next call; the word itself if
 * its stem would be empty or over QN_WORD_MAX bytes. QUERN_E_MEMORY is the only error. */
quern_status qn_stem_word(qn_stem *stem, const char *word, size_t len, const char **out,
                          size_t *out_len, quern_error *error);

/* Names of languages, sorted, then "none"; NULL-terminated. Valid forever. */
const char *const *qn_stem_languages(void);

#endif
