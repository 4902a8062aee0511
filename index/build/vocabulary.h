/*
 * The builder's words: from a folded surface form to the number of its term, so that the analyzer
 * (stop words, Snowball) runs once per distinct word instead of once per token (measured: 0.4 % of
 * the tokens). Terms are numbered in first-seen order, which keeps the numbers of frequent terms
 * small and whatever they index dense in cache. The same word of two fields is two terms.
 */
#ifndef QN_BUILD_VOCABULARY_H
#define QN_BUILD_VOCABULARY_H

#include "index/base/arena.h"
#include "index/text/analyzer.h"

/* The term number of a stop word. */
#define QN_STOP_WORD UINT32_MAX

typedef struct qn_vocabulary {
    qn_analyzer *analyzer;      /* not owned */
    struct qn_word_slot *words; /* by surface form, open addressing */
    size_t word_cap, n_words;
    struct qn_term_slot *terms; /* by term, open addressing */
    size_t term_cap;
    quern_span *term; /* of each number, in the arena */
    uint32_t *count;  /* of each number: occurrences, the inverter's to use; 0 at first */
    size_t n_terms, term_room, count_room;
    qn_arena arena;
} qn_vocabulary;

/* `analyzer` must outlive it. */
quern_status qn_vocabulary_init(qn_vocabulary *vocabulary, qn_analyzer *analyzer,
                                quern_error *error);
void qn_vocabulary_free(qn_vocabulary *vocabulary);

/* The term number of each of n folded words, or QN_STOP_WORD. Many at once, so that the table's
 * cache lines are on their way before they are needed. `prefix` is what terms have before them
 * (QN_FIELD_PREFIX), or 0: nothing; what becomes too long by it is a stop word. */
quern_status qn_vocabulary_words(qn_vocabulary *vocabulary, uint8_t prefix, const qn_word *words,
                                 size_t n, uint32_t *terms, quern_error *error);

/* The number of a term that is given as such (no analysis, no prefix). */
quern_status qn_vocabulary_term(qn_vocabulary *vocabulary, const char *term, size_t len,
                                uint32_t *number, quern_error *error);

/* Bytes of memory held. */
size_t qn_vocabulary_bytes(const qn_vocabulary *vocabulary);

/* Bytes that it would take more, at its most, while its tables grow for n words not seen before. */
size_t qn_vocabulary_growth(const qn_vocabulary *vocabulary, size_t n);

#endif
