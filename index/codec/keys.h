/*
 * Lists of a run in memory, as keys: a document's number above the position in it, ascending; equal
 * keys are words at the same place (index/build/resident.h makes them). What a writer of postings
 * wants of them is told here a tile at a time, without a branch that depends on a key: most
 * postings have one or two.
 */
#ifndef QN_CODEC_KEYS_H
#define QN_CODEC_KEYS_H

#include "index/base/cpu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A list, or the rest of one: its keys stand in one of the two arrays. */
typedef struct qn_keys {
    const uint32_t *narrow;
    const uint64_t *wide;
    size_t n;
    unsigned position_bits; /* below 32 */
    uint32_t first_doc;     /* what the documents' numbers in keys are counted from */
} qn_keys;

enum {
    QN_KEYS_TILE = 512,              /* keys, at most */
    QN_KEYS_ROOM = QN_KEYS_TILE + 32 /* kernels read and write whole vectors */
};

typedef struct qn_keys_tile {
    uint32_t n; /* postings */
    uint32_t doc[QN_KEYS_ROOM], tf[QN_KEYS_ROOM], first[QN_KEYS_ROOM];
    uint32_t start[QN_KEYS_ROOM];    /* the key that each posting begins with; one more: n_keys */
    uint32_t gap[QN_KEYS_ROOM];      /* of the positions after the first: of posting i from
                                        start[i] - i on, tf[i] - 1 */
    uint32_t position[QN_KEYS_ROOM]; /* of each key */
} qn_keys_tile;

/* Splits the keys [from, from + n), 1 <= n <= QN_KEYS_TILE: the first must begin a posting, and the
 * one after the last, if there is one, too. */
typedef void (*qn_keys_split_fn)(const qn_keys *keys, size_t from, uint32_t n, qn_keys_tile *tile);

/* The portable kernel, which all others equal. */
void qn_keys_split(const qn_keys *keys, size_t from, uint32_t n, qn_keys_tile *tile);

/* The kernel for a level; falls back to the best compiled one below it. Never NULL. */
qn_keys_split_fn qn_keys_split_for(qn_cpu cpu);

/* The kernel of a level; NULL where the compiler did not target it. */
qn_keys_split_fn qn_keys_split_avx512(void);

/* What is taken next of a list from key `at` on, which begins a posting: keys up to *end, at least
 * one. True: a tile; false: one posting, because the rest is not worth a tile, or it has too many
 * keys, or is the list's first, which may be of the document before. */
bool qn_keys_next(const qn_keys *keys, size_t at, size_t *end);

/* Key i, and its document as it stands in keys. */
static inline uint64_t qn_keys_at(const qn_keys *keys, size_t i)
{
    return keys->narrow != NULL ? keys->narrow[i] : keys->wide[i];
}

static inline uint64_t qn_keys_doc(const qn_keys *keys, size_t i)
{
    return qn_keys_at(keys, i) >> keys->position_bits;
}

#endif
