/*
 * ASCII, 64 bytes at a time: which bytes are letters or digits, which are apostrophes, which are
 * not ASCII, the lower case of all; and the words of such a block.
 */
#ifndef QN_TEXT_ASCII_H
#define QN_TEXT_ASCII_H

#include "index/base/cpu.h"
#include "index/text/tokenizer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a block, and how many words qn_ascii_words_fn may write. */
enum { QN_ASCII_BLOCK = 64, QN_ASCII_WORDS = 32 };

/* Bit i speaks of byte i. `word` and `apostrophe` mean nothing at bytes that are not ASCII. */
typedef struct qn_ascii_masks {
    uint64_t word;       /* [A-Za-z0-9] */
    uint64_t apostrophe; /* ' */
    uint64_t high;       /* 80..FF */
} qn_ascii_masks;

/* Reads QN_ASCII_BLOCK bytes of `in` and writes as many to `out`: letters in lower case, other
 * ASCII unchanged, bytes 80..FF in no useful way. */
typedef qn_ascii_masks (*qn_ascii_classify_fn)(const char *in, char *out);

/* The portable kernel, which all others equal in all that means something. */
qn_ascii_masks qn_ascii_classify(const char *in, char *out);

/* The kernel for a level; falls back to the best compiled one below it. Never NULL. */
qn_ascii_classify_fn qn_ascii_classify_for(qn_cpu cpu);

/* The kernels of the levels; NULL where the compiler did not target them. */
qn_ascii_classify_fn qn_ascii_classify_avx2(void);
qn_ascii_classify_fn qn_ascii_classify_avx512(void);

/* Where a block stands: its lower case at `text`, its first byte at `at` of the source, and the
 * position of its first word. */
typedef struct qn_ascii_place {
    const char *text;
    size_t at;
    uint32_t position;
} qn_ascii_place;

/* Gives the words of a block that begin and end in it: one from the i-th bit of `starts` up to the
 * i-th of `ends`, for each bit of `ends`; `starts` may have a further bit behind them. Positions
 * ascend by one, modulo 2^32. Returns how many there are; what `out` holds behind them, up to
 * QN_ASCII_WORDS, is unspecified. */
typedef size_t (*qn_ascii_words_fn)(uint64_t starts, uint64_t ends, const qn_ascii_place *place,
                                    qn_word *out);

/* As with classifying: the portable kernel, that of a level (never NULL), and those there are. */
size_t qn_ascii_words(uint64_t starts, uint64_t ends, const qn_ascii_place *place, qn_word *out);
qn_ascii_words_fn qn_ascii_words_for(qn_cpu cpu);
qn_ascii_words_fn qn_ascii_words_avx512(void);

/* Whether all of `len` bytes are ASCII. */
bool qn_ascii_all(const char *text, size_t len);

static inline bool qn_ascii_is_word(char c)
{
    unsigned letter = ((unsigned)(unsigned char)c | 32u) - 'a';
    unsigned digit = (unsigned)(unsigned char)c - '0';
    return letter < 26 || digit < 10;
}

#endif
