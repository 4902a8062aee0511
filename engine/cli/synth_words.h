/*
 * The words of the synthetic corpus, numbered from the most frequent: first English function words,
 * then made-up ones of one, two, three ... syllables, so that a rarer word is longer on the whole.
 * No two are equal, and none of the made-up ones is changed by the English stemmer (their endings
 * are chosen so; a test stems a million of them), so that the document frequencies of an index are
 * those of the model, stemmed or not.
 */
#ifndef QN_CLI_SYNTH_WORDS_H
#define QN_CLI_SYNTH_WORDS_H

#include <stddef.h>
#include <stdint.h>

enum {
    QN_SYNTH_FUNCTION_WORDS = 128, /* of the first ranks */
    QN_SYNTH_WORD_ROOM = 40        /* bytes that qn_synth_word may write */
};

typedef struct qn_synth_piece {
    char text[7];
    uint8_t len;
} qn_synth_piece;

/* The pieces that words are made of; constant once made. */
typedef struct qn_synth_words {
    qn_synth_piece syllable[160]; /* an onset and a vowel */
    qn_synth_piece last[1024];    /* an onset, a vowel and a consonant */
    qn_synth_piece single[1024];  /* those of `last` that are no function word, short ones first */
    uint32_t n_single;
} qn_synth_words;

void qn_synth_words_make(qn_synth_words *words);

/* Writes the word of a rank (below 2^40) to `out`, which has QN_SYNTH_WORD_ROOM bytes, and returns
 * its length. The bytes behind it are undefined. */
size_t qn_synth_word(const qn_synth_words *words, uint64_t rank, char *out);

#endif
