/*
 * The grammar of words: takes the code points of normalised text one by one and gives words.
 *
 *     word = W (W | M)* (apostrophe W (W | M)*)*       lower-cased
 *     run  = B+                                        as overlapping pairs; a lone B stays
 *
 * W, M, B and the apostrophe are kinds of code points (qn_fold_kind). Whatever else comes, and a
 * mark or apostrophe that does not continue a word, lies between words.
 */
#ifndef QN_TEXT_GRAMMAR_H
#define QN_TEXT_GRAMMAR_H

#include "index/text/fold.h"
#include "index/text/tokenizer.h"
#include "index/text/utf8.h"

enum {
    QN_GRAMMAR_SCRATCH = 16384, /* bytes of word text in one batch: stays in first-level cache */
    QN_GRAMMAR_ROOM = 512       /* what qn_grammar_take may need of it: an open word and a pair */
};

/* A code point with its properties and the bytes of the source text that it comes from. */
typedef struct qn_point {
    uint32_t value;
    qn_fold_info info;
    size_t start, end;
} qn_point;

/* The words being given, in the caller's array. */
typedef struct qn_batch {
    qn_word *words;
    size_t n, max;
} qn_batch;

typedef enum qn_grammar_state {
    QN_OUTSIDE = 0,
    QN_IN_WORD,
    QN_AFTER_APOSTROPHE, /* in a word, which an apostrophe has followed */
    QN_IN_RUN
} qn_grammar_state;

typedef struct qn_grammar {
    qn_grammar_state state;
    uint32_t position; /* of the next word */
    uint64_t long_words;

    /* The open word (QN_IN_WORD, QN_AFTER_APOSTROPHE), its text at scratch + used. */
    size_t word_len;
    bool word_long; /* it has more than QN_WORD_MAX bytes, of which the first are kept */
    size_t word_start, word_end;

    /* The last character of the open run (QN_IN_RUN). */
    char last[QN_UTF8_MAX];
    size_t last_len, last_start, last_end;
    bool last_paired; /* it is part of a pair already */

    size_t used; /* bytes of scratch that hold the words given */
    char scratch[QN_GRAMMAR_SCRATCH + QN_WORD_OVERREAD];
} qn_grammar;

/* Begins a text. The count of long words goes on. */
void qn_grammar_start(qn_grammar *grammar, uint32_t first_position);

/* Begins a batch: the words given before are gone, an open word stays. */
void qn_grammar_next_batch(qn_grammar *grammar);

/* Whether qn_grammar_take may be called. */
static inline bool qn_grammar_has_room(const qn_grammar *grammar, const qn_batch *batch)
{
    return batch->n < batch->max && grammar->used + QN_GRAMMAR_ROOM <= QN_GRAMMAR_SCRATCH;
}

/* Gives a word whose text stands in scratch, or counts it as left out if it is too long. Positions
 * stop at the last one rather than begin anew: a few code points normalise to more words than they
 * have bytes. (What it changes is named one by one, so that a loop can hold it in registers.) */
static inline void qn_grammar_give_at(uint32_t *position, uint64_t *long_words, qn_batch *batch,
                                      const char *text, size_t len, size_t start, size_t end)
{
    if (len <= QN_WORD_MAX)
        batch->words[batch->n++] = (qn_word){text, (uint32_t)len, *position, start, end};
    else
        ++*long_words;
    *position += *position != UINT32_MAX;
}

static inline void qn_grammar_give(qn_grammar *grammar, qn_batch *batch, const char *text,
                                   size_t len, size_t start, size_t end)
{
    qn_grammar_give_at(&grammar->position, &grammar->long_words, batch, text, len, start, end);
}

/* Ends the open word or run, if there is one; gives at most one word. */
void qn_grammar_close(qn_grammar *grammar, qn_batch *batch);

/* Takes the next code point; gives at most one word. The batch must have room. */
void qn_grammar_take(qn_grammar *grammar, qn_batch *batch, const qn_point *point);

/* qn_grammar_take for the commonest case, a letter or number within a word: adds it. */
static inline void qn_grammar_append(qn_grammar *grammar, uint32_t value, qn_fold_info info,
                                     size_t end)
{
    char *out = grammar->scratch + grammar->used + grammar->word_len;
    uint32_t lower = qn_fold_lower(info, value);
    size_t len = qn_utf8_encode(lower, out);
    grammar->word_end = end;
    if (grammar->word_len + len > QN_WORD_MAX)
        grammar->word_long = true;
    if (!grammar->word_long)
        grammar->word_len += len;
}

#endif
