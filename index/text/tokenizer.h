/*
 * Words: cuts UTF-8 text into folded words with positions.
 *
 * Text that is not ASCII is normalised (NFKC) first. A word is [LN][LNM]*('[LN][LNM]*)* over
 * Unicode general categories (U+2019 counts as '), lower-cased one to one. Runs of Han, Kana,
 * Hangul and Thai become overlapping bigrams; a lone character stays. Words over 255 bytes are left
 * out and counted, their position stays. Invalid UTF-8 is replaced by U+FFFD and counted.
 *
 * A tokenizer belongs to one thread.
 */
#ifndef QN_TEXT_TOKENIZER_H
#define QN_TEXT_TOKENIZER_H

#include "engine/quern.h"

/* Longest word given, in bytes; bytes from a word's first on that may be read whatever its length.
 */
enum { QN_WORD_MAX = 255, QN_WORD_OVERREAD = 16 };

typedef struct qn_word {
    const char *text;  /* folded; valid until the next call of qn_tokenizer_next; QN_WORD_OVERREAD
                          bytes are readable */
    uint32_t len;      /* 1..QN_WORD_MAX bytes */
    uint32_t position; /* counted from the start given to qn_tokenizer_start */
    size_t start, end; /* where it stands in the source text, in bytes. Where normalisation
                          changed the text, the range may take in its neighbours up to spaces. */
} qn_word;

typedef struct qn_tokenizer qn_tokenizer;

/* NULL when memory is short. */
qn_tokenizer *qn_tokenizer_new(void);
void qn_tokenizer_free(qn_tokenizer *tokenizer);

/* Starts on a text, which must stay until its words have been read; the first word gets
 * `first_position`. */
void qn_tokenizer_start(qn_tokenizer *tokenizer, const char *text, size_t len,
                        uint32_t first_position);

/* Gives up to `max` (at least 64) words in order; *n = 0 at the end of the text. QUERN_E_MEMORY is
 * the only error. */
quern_status qn_tokenizer_next(qn_tokenizer *tokenizer, qn_word *words, size_t max, size_t *n,
                               quern_error *error);

/* The position that a word after all those given would have (words left out count). */
uint32_t qn_tokenizer_position(const qn_tokenizer *tokenizer);

/* Words are found in one of three ways, which give the same words and positions; tests hold them
 * against each other. From qn_tokenizer_set_path on, the tokenizer goes that way only. */
typedef enum qn_tokenizer_path {
    QN_TOKENIZER_ANY = 0,    /* the quickest for what comes next: the default */
    QN_TOKENIZER_POINTS = 1, /* code point by code point, also in ASCII; same offsets as ANY */
    QN_TOKENIZER_CHUNKS = 2  /* all is normalised, in chunks from one ASCII space to the next;
                                offsets  are those of the chunk */
} qn_tokenizer_path;

void qn_tokenizer_set_path(qn_tokenizer *tokenizer, qn_tokenizer_path path);

/* Totals since qn_tokenizer_new. */
uint64_t qn_tokenizer_long_words(const qn_tokenizer *tokenizer);
uint64_t qn_tokenizer_bad_utf8(const qn_tokenizer *tokenizer);

#endif
