/*
 * Texts as codes of words. The grammar is FORMAT.md's:
 *
 *     codes   := code*
 *     code    := one(u8) | two(u8) low(u8) | QN_CODE_THREE high(u8) low(u8)      a word of WORDS
 *              | QN_CODE_OTHERS len(varint) byte{len} | QN_CODE_WORD len(varint) byte{len}
 *
 * Between two words of letters stands a space that has no code.
 */
#ifndef QN_SEGMENT_WORD_CODES_H
#define QN_SEGMENT_WORD_CODES_H

#include "index/segment/words.h"

/* First bytes: those below QN_CODE_TWO are a word each, from there on each has 256 words. */
enum {
    QN_CODE_TWO = 112,
    QN_CODE_THREE = 253,
    QN_CODE_OTHERS = 254, /* a run of other bytes is spelled out */
    QN_CODE_WORD = 255    /* a run of word bytes is */
};

/* A code is at least a byte and at most a space and a word. */
enum { QN_CODE_EXPANDS = QN_WORDS_LONGEST + 1 };

/* Bit i: whether byte i of 64 is a word byte, and whether it is a space. */
typedef struct qn_word_bits {
    uint64_t word, space;
} qn_word_bits;

qn_word_bits qn_word_bits_of(const uint8_t *bytes);

/* The portable form, which the other equals. */
qn_word_bits qn_word_bits_portable(const uint8_t *bytes);

/* Appends the codes of a text, which may be over-read by QN_PADDING bytes, to `out`; words that
 * were seen often enough are added to `words` on the way. The same words and text give the same
 * bytes. False when memory is short. */
bool qn_word_codes_encode(qn_words *words, const uint8_t *text, size_t len, qn_buffer *out);

/* Counts the words of a text, which may be over-read likewise: adds those that are not there, as
 * long as there is room for them, and 1 to count[id] of each. */
bool qn_word_codes_count(qn_words *words, const uint8_t *text, size_t len,
                         uint32_t count[QN_WORDS_MAX]);

/* Appends the text of codes, which may be over-read by QN_PADDING bytes, to `out`, allocating at
 * most half as much again as they stand for. QUERN_E_DAMAGED (without a message) if they are no
 * codes, QUERN_E_MEMORY. */
quern_status qn_word_codes_decode(const qn_words_view *words, const uint8_t *codes, size_t len,
                                  qn_buffer *out);

#endif
