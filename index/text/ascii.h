/*
 * ASCII, 64 bytes at a time: which bytes are letters or digits, which are apostrophes, which are
 * not ASCII, and the lower case of all.
 */
#ifndef QN_TEXT_ASCII_H
#define QN_TEXT_ASCII_H

#include "index/base/cpu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { QN_ASCII_BLOCK = 64 };

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

/* Whether all of `len` bytes are ASCII. */
bool qn_ascii_all(const char *text, size_t len);

static inline bool qn_ascii_is_word(char c)
{
    unsigned letter = ((unsigned)(unsigned char)c | 32u) - 'a';
    unsigned digit = (unsigned)(unsigned char)c - '0';
    return letter < 26 || digit < 10;
}

#endif
