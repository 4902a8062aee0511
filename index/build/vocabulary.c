/* The builder's word and term tables: see vocabulary.h. */
#include "index/build/vocabulary.h"

#include "index/base/buffer.h"
#include "index/base/bytes.h"
#include "index/base/checksum.h"
#include "index/base/status.h"
#include "index/base/zeros.h"
#include "index/segment/fields.h"
#include "index/segment/format.h"

#include <stdlib.h>

/* Words of up to 16 bytes (99.99 % of all) stand in the slot itself, zero-padded; of longer ones
 * the slot holds the hash and the address of the bytes. */
typedef struct qn_word_slot {
    uint64_t key[2];
    uint32_t tag; /* its length and, 16 bits up, the prefix of its term; 0: empty */
    uint32_t term;
} word_slot;

/* The hash of a term saves most looks at others, and the terms themselves when the table grows. */
typedef struct qn_term_slot {
    uint32_t tag;    /* the high bits of the hash, the highest of which lead to the slot */
    uint32_t number; /* + 1; 0: empty */
} term_slot;

enum { INLINE = 16, FIRST_CAP = 1 << 14, AHEAD = 128 };

_Static_assert((int)QN_WORD_OVERREAD >= (int)INLINE, "keys are loaded whole");

quern_status qn_vocabulary_init(qn_vocabulary *vocabulary, qn_analyzer *analyzer,
                                quern_error *error)
{
    *vocabulary = (qn_vocabulary){.analyzer = analyzer};
    vocabulary->word_cap = vocabulary->term_cap = FIRST_CAP;
    vocabulary->words = qn_zeros(FIRST_CAP, sizeof(word_slot));
    vocabulary->terms = qn_zeros(FIRST_CAP, sizeof(term_slot));
    if (vocabulary->words == NULL || vocabulary->terms == NULL) {
        qn_vocabulary_free(vocabulary);
        return qn_fail_memory(error);
    }
    return QUERN_OK;
}

void qn_vocabulary_free(qn_vocabulary *vocabulary)
{
    free(vocabulary->words);
    free(vocabulary->terms);
    free(vocabulary->term);
    free(vocabulary->count);
    qn_arena_free(&vocabulary->arena);
    *vocabulary = (qn_vocabulary){0};
}

size_t qn_vocabulary_bytes(const qn_vocabulary *vocabulary)
{
    return vocabulary->word_cap * sizeof(word_slot) + vocabulary->term_cap * sizeof(term_slot) +
           vocabulary->term_room * sizeof(quern_span) + vocabulary->count_room * sizeof(uint32_t) +
           vocabulary->arena.total;
}

size_t qn_vocabulary_growth(const qn_vocabulary *vocabulary, size_t n)
{
    size_t bytes = 0;
    /* The old table goes when the new one is filled. */
    if ((vocabulary->n_words + n) * 3 > vocabulary->word_cap * 2)
        bytes += 2 * vocabulary->word_cap * sizeof(word_slot);
    if ((vocabulary->n_terms + n) * 3 > vocabulary->term_cap * 2)
        bytes += 2 * vocabulary->term_cap * sizeof(term_slot);
    if (vocabulary->n_terms + n > vocabulary->term_room)
        bytes += vocabulary->term_room / 2 * (sizeof(quern_span) + sizeof(uint32_t));
    return bytes;
}

/* Folded 64x64 -> 128 bit multiplication: mixes two words in three instructions. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)(a ^ 0x9E3779B97F4A7C15u) * (b ^ 0xC2B2AE3D27D4EB4Fu);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline size_t slot_len(const word_slot *slot)
{
    return slot->tag & 0xFFFF;
}

static inline uint64_t slot_hash(const word_slot *slot)
{
    return slot_len(slot) <= INLINE ? mix(slot->key[0], slot->key[1] ^ slot->tag) : slot->key[0];
}

/* From 16 - len on, the mask of len bytes. */
static const uint8_t masks[2 * INLINE] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                          0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

/* The key of a word; for a long one the address is filled in when it is stored. */
static inline word_slot make_key(const char *word, size_t len, uint8_t prefix)
{
    word_slot key = {.tag = (uint32_t)prefix << 16 | (uint32_t)len};
    if (len <= INLINE) {
        const uint8_t *mask = masks + INLINE - len;
        key.key[0] = qn_load_u64(word) & qn_load_u64(mask);
        key.key[1] = qn_load_u64(word + 8) & qn_load_u64(mask + 8);
    } else {
        key.key[0] = qn_checksum(word, len);
    }
    return key;
}

static inline bool same_word(const word_slot *slot, const word_slot *key, const char *word)
{
    if (slot->tag != key->tag || slot->key[0] != key->key[0])
        return false;
    if (slot_len(key) <= INLINE)
        return slot->key[1] == key->key[1];
    return memcmp((const char *)(uintptr_t)slot->key[1], word, slot_len(key)) == 0;
}

static bool grow_words(qn_vocabulary *vocabulary)
{
    size_t cap = vocabulary->word_cap * 2;
    word_slot *grown = qn_zeros(cap, sizeof *grown);
    if (grown == NULL)
        return false;
    for (size_t i = 0; i < vocabulary->word_cap; i++) {
        const word_slot *slot = &vocabulary->words[i];
        if (slot->tag == 0)
            continue;
        size_t at = slot_hash(slot) & (cap - 1);
        while (grown[at].tag != 0)
            at = (at + 1) & (cap - 1);
        grown[at] = *slot;
    }
    free(vocabulary->words);
    vocabulary->words = grown;
    vocabulary->word_cap = cap;
    return true;
}

static bool grow_terms(qn_vocabulary *vocabulary)
{
    size_t cap = vocabulary->term_cap * 2;
    term_slot *grown = qn_zeros(cap, sizeof *grown);
    if (grown == NULL)
        return false;
    for (size_t i = 0; i < vocabulary->term_cap; i++) {
        const term_slot *slot = &vocabulary->terms[i];
        if (slot->number == 0)
            continue;
        size_t at = qn_checksum_slot(slot->tag, cap);
        while (grown[at].number != 0)
            at = (at + 1) & (cap - 1);
        grown[at] = *slot;
    }
    free(vocabulary->terms);
    vocabulary->terms = grown;
    vocabulary->term_cap = cap;
    return true;
}

static quern_status new_term(qn_vocabulary *vocabulary, const char *term, size_t len, size_t at,
                             uint32_t tag, uint32_t *number, quern_error *error)
{
    if (vocabulary->n_terms >= QN_STOP_WORD - 1)
        return qn_fail(error, QUERN_E_ARGUMENT, "more than 2^32 distinct terms");
    void *spans = vocabulary->term, *counts = vocabulary->count;
    bool ok =
        qn_array_grow(&spans, &vocabulary->term_room, vocabulary->n_terms + 1, sizeof(quern_span));
    vocabulary->term = spans;
    ok = ok &&
         qn_array_grow(&counts, &vocabulary->count_room, vocabulary->n_terms + 1, sizeof(uint32_t));
    vocabulary->count = counts;
    char *copy = ok ? qn_arena_copy(&vocabulary->arena, term, len) : NULL;
    if (copy == NULL)
        return qn_fail_memory(error);
    *number = (uint32_t)vocabulary->n_terms++;
    vocabulary->term[*number] = (quern_span){copy, len};
    vocabulary->count[*number] = 0;
    vocabulary->terms[at] = (term_slot){tag, *number + 1};
    if (vocabulary->n_terms * 3 > vocabulary->term_cap * 2 && !grow_terms(vocabulary))
        return qn_fail_memory(error);
    return QUERN_OK;
}

quern_status qn_vocabulary_term(qn_vocabulary *vocabulary, const char *term, size_t len,
                                uint32_t *number, quern_error *error)
{
    size_t mask = vocabulary->term_cap - 1;
    uint32_t tag = (uint32_t)(qn_checksum(term, len) >> 32);
    size_t at = qn_checksum_slot(tag, vocabulary->term_cap);
    for (; vocabulary->terms[at].number != 0; at = (at + 1) & mask) {
        const term_slot *slot = &vocabulary->terms[at];
        if (slot->tag != tag)
            continue;
        quern_span known = vocabulary->term[slot->number - 1];
        if (known.len == len && memcmp(known.data, term, len) == 0) {
            *number = slot->number - 1;
            return QUERN_OK;
        }
    }
    return new_term(vocabulary, term, len, at, tag, number, error);
}

/* The number of a stem with the prefix before it. */
static quern_status prefixed_term(qn_vocabulary *vocabulary, uint8_t prefix, const char *stem,
                                  size_t len, uint32_t *number, quern_error *error)
{
    char term[QN_TERM_MAX];
    if (prefix == 0)
        return qn_vocabulary_term(vocabulary, stem, len, number, error);
    if (len + QN_FIELD_PREFIX > sizeof term)
        return QUERN_OK;
    term[0] = (char)prefix;
    memcpy(term + QN_FIELD_PREFIX, stem, len);
    return qn_vocabulary_term(vocabulary, term, len + QN_FIELD_PREFIX, number, error);
}

static quern_status new_word(qn_vocabulary *vocabulary, word_slot key, const char *word, size_t at,
                             uint32_t *term, quern_error *error)
{
    const char *stem;
    size_t stem_len, len = slot_len(&key);
    quern_status status =
        qn_analyzer_term(vocabulary->analyzer, word, len, &stem, &stem_len, error);
    if (status != QUERN_OK)
        return status;
    key.term = QN_STOP_WORD;
    if (stem_len > 0) {
        status =
            prefixed_term(vocabulary, (uint8_t)(key.tag >> 16), stem, stem_len, &key.term, error);
        if (status != QUERN_OK)
            return status;
    }
    if (len > INLINE) {
        const char *copy = qn_arena_copy(&vocabulary->arena, word, len);
        if (copy == NULL)
            return qn_fail_memory(error);
        key.key[1] = (uint64_t)(uintptr_t)copy;
    }
    vocabulary->words[at] = key;
    *term = key.term;
    if (++vocabulary->n_words * 3 > vocabulary->word_cap * 2 && !grow_words(vocabulary))
        return qn_fail_memory(error);
    return QUERN_OK;
}

/* Where the word is not in its first slot: it is farther on, long, or new. */
static __attribute__((noinline)) quern_status look_farther(qn_vocabulary *vocabulary,
                                                           const word_slot *key, uint64_t hash,
                                                           const char *word, uint32_t *term,
                                                           quern_error *error)
{
    size_t mask = vocabulary->word_cap - 1, at = hash & mask;
    for (; vocabulary->words[at].tag != 0; at = (at + 1) & mask) {
        if (same_word(&vocabulary->words[at], key, word)) {
            *term = vocabulary->words[at].term;
            return QUERN_OK;
        }
    }
    return new_word(vocabulary, *key, word, at, term, error);
}

quern_status qn_vocabulary_words(qn_vocabulary *vocabulary, uint8_t prefix, const qn_word *words,
                                 size_t n, uint32_t *terms, quern_error *error)
{
    word_slot key[AHEAD];
    uint64_t hash[AHEAD];
    for (size_t from = 0; from < n; from += AHEAD) {
        size_t part = n - from < AHEAD ? n - from : AHEAD, mask = vocabulary->word_cap - 1;
        const word_slot *slots = vocabulary->words;
        for (size_t i = 0; i < part; i++) {
            key[i] = make_key(words[from + i].text, words[from + i].len, prefix);
            hash[i] = slot_hash(&key[i]);
            __builtin_prefetch(&slots[hash[i] & mask]);
            __builtin_prefetch(&slots[hash[i] & mask].tag); /* of one in four on the next line */
        }
        for (size_t i = 0; i < part; i++) {
            /* A slot of a long word has an address where its key has 0. */
            const word_slot *slot = &slots[hash[i] & mask];
            if (slot->tag == key[i].tag && slot->key[0] == key[i].key[0] &&
                slot->key[1] == key[i].key[1]) {
                terms[from + i] = slot->term;
                if (slot->term != QN_STOP_WORD) /* it is counted soon */
                    __builtin_prefetch(&vocabulary->count[slot->term], 1);
                continue;
            }
            quern_status status = look_farther(vocabulary, &key[i], hash[i], words[from + i].text,
                                               &terms[from + i], error);
            if (status != QUERN_OK)
                return status;
            slots = vocabulary->words; /* the table may have grown */
            mask = vocabulary->word_cap - 1;
        }
    }
    return QUERN_OK;
}
