/*
 * The words of a document store: those for which its texts hold codes, ascending by how soon they
 * earned one. Section WORDS of FORMAT.md; the codes are in word_codes.h.
 *
 * A word here is what splitting knows: a run of letters, digits and bytes over 7F, or a run of
 * anything else. What an analyzer calls a word is something different, and not known here.
 */
#ifndef QN_SEGMENT_WORDS_H
#define QN_SEGMENT_WORDS_H

#include "engine/quern.h"
#include "index/base/buffer.h"
#include "index/base/bytes.h"

#include <stddef.h>

enum {
    QN_WORDS_LONGEST = 63,   /* bytes of a word; longer runs are spelled out */
    QN_WORDS_SHORT = 15,     /* bytes of a word that a key holds whole */
    QN_WORDS_MAX = 96 << 10, /* words of a store: 2^17 slots, three quarters full */
    QN_WORDS_PROBES = 32     /* slots that are looked at, at most */
};

/* Whether the byte belongs to runs of letters, digits and bytes over 7F. */
static inline bool qn_word_byte(uint8_t c)
{
    return (uint8_t)((c | 0x20) - 'a') < 26 || (uint8_t)(c - '0') < 10 || c > 0x7F;
}

/* ---- writing ---- */

/* A word of up to QN_WORDS_SHORT bytes is its key, with zeros and the length behind; of a longer
 * one `low` is a hash. */
typedef struct qn_word_key {
    uint64_t low, high;
} qn_word_key;

typedef struct qn_word_slot {
    qn_word_key key;
    uint32_t id;
    uint32_t code; /* as qn_word_code makes it; 0: the slot is free */
} qn_word_slot;

/* Words by number, and a table that leads to them. */
typedef struct qn_words {
    qn_word_slot *slot;
    unsigned bits; /* of the number of slots */
    uint32_t n;
    qn_buffer bytes; /* of all words */
    uint32_t *end;   /* where each word's bytes end */
    size_t end_cap;
    uint32_t *candidate; /* how often a hash was seen, and some bits of it */
} qn_words;

/* Zero-initialise; false when memory is short (free it all the same). */
bool qn_words_init(qn_words *words);
void qn_words_free(qn_words *words);

/* Bytes that are loaded beyond a word's end, whatever its length. */
enum { QN_WORDS_OVERREAD = 16 };

/* The bytes of a code in the lowest three, and how many they are in the highest. */
uint32_t qn_word_code(uint32_t id);

uint64_t qn_word_long_hash(const uint8_t *word, size_t len);

/* For each length up to QN_WORDS_SHORT, which bits of a key's halves belong to the word. */
extern const uint64_t qn_word_mask[QN_WORDS_SHORT + 1][2];

/* The key of a word of 1 to QN_WORDS_LONGEST bytes. */
static inline qn_word_key qn_word_key_of(const uint8_t *word, size_t len)
{
    if (len > QN_WORDS_SHORT)
        return (qn_word_key){qn_word_long_hash(word, len), (uint64_t)len << 56};
    return (qn_word_key){qn_load_u64(word) & qn_word_mask[len][0],
                         (qn_load_u64(word + 8) & qn_word_mask[len][1]) | (uint64_t)len << 56};
}

/* The upper bits are good ones. */
static inline uint64_t qn_word_hash(qn_word_key key)
{
    return (key.low ^ (key.high * 0xC2B2AE3D27D4EB4Fu >> 9)) * 0x9E3779B97F4A7C15u;
}

static inline const uint8_t *qn_words_at(const qn_words *words, uint32_t id, size_t *len)
{
    uint32_t from = id == 0 ? 0 : words->end[id - 1];
    *len = words->end[id] - from;
    return words->bytes.data + from;
}

bool qn_words_is(const qn_words *words, uint32_t id, const uint8_t *word, size_t len);

/* Where a key is looked for first; `shift` is 64 less the bits of the table. */
static inline uint32_t qn_word_home(qn_word_key key, unsigned shift)
{
    return (uint32_t)(qn_word_hash(key) >> shift);
}

static inline bool qn_word_key_is(const qn_word_key *a, qn_word_key b)
{
    return ((a->low ^ b.low) | (a->high ^ b.high)) == 0;
}

/* The slot of a word, or NULL. Words that were made to collide are found to be unknown after
 * QN_WORDS_PROBES slots, rather than cost each text that holds them a walk. */
const qn_word_slot *qn_words_find(const qn_words *words, const uint8_t *word, size_t len,
                                  qn_word_key key);

/* Adds a word that is not there; nothing if there are QN_WORDS_MAX, or too many that collide with
 * it. False when memory is short. */
bool qn_words_add(qn_words *words, const uint8_t *word, size_t len, qn_word_key key);

/* A word that is not there was seen: adds it if it was seen often enough. The count is kept by hash
 * in a table of fixed size and decays, so now and then one that was not seen so often is added. */
bool qn_words_see(qn_words *words, const uint8_t *word, size_t len, qn_word_key key);

/* Leaves the words with count[id] >= least, the most frequent first, of equal ones the first. */
bool qn_words_rank(qn_words *words, const uint32_t *count, uint32_t least);

/* Bytes of the section, and the section appended to `out`. */
size_t qn_words_section_len(const qn_words *words);
bool qn_words_put(const qn_words *words, qn_buffer *out);

/* ---- reading ---- */

/* The section as it lies in the file: nothing of it is believed. */
typedef struct qn_words_view {
    const uint8_t *groups; /* NULL without words */
    const uint8_t *bytes;  /* may be over-read by QN_PADDING */
    uint32_t n;
    size_t len; /* of bytes */
} qn_words_view;

enum { QN_WORDS_HEAD = 8 };

/* False if the section's length is not what its head says; `len` 0: no words. */
bool qn_words_open(qn_words_view *view, const uint8_t *section, size_t len);

/* Words of a group: their lengths are a load, and the place of the first tells that of the others.
 */
enum { QN_WORDS_GROUP = 8, QN_WORDS_GROUP_LEN = 12 };

/* A word's bytes, which may be over-read by QN_PADDING; NULL if the place is out of range. */
static inline const uint8_t *qn_words_view_at(const qn_words_view *view, uint32_t id, size_t *len)
{
    if (id >= view->n)
        return NULL;
    const uint8_t *group = view->groups + (size_t)(id / QN_WORDS_GROUP) * QN_WORDS_GROUP_LEN;
    uint64_t lens = qn_load_u64(group + 4);
    unsigned shift = id % QN_WORDS_GROUP * 8;
    uint64_t before = lens & (((uint64_t)1 << shift) - 1);
    before = (before & 0x00FF00FF00FF00FFu) + (before >> 8 & 0x00FF00FF00FF00FFu);
    uint64_t from = qn_load_u32(group) + (before * 0x0001000100010001u >> 48);
    *len = lens >> shift & 0xFF;
    if (*len == 0 || *len > QN_WORDS_LONGEST || from + *len > view->len)
        return NULL;
    return view->bytes + from;
}

/* Whether all places are right and each word is one run. */
bool qn_words_check(const qn_words_view *view);

#endif
