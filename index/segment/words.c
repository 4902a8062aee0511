/* The words of a document store, written and read: see words.h. */
#include "index/segment/words.h"

#include "index/base/zeros.h"
#include "index/segment/word_codes.h"

#include <stdlib.h>

enum {
    FIRST_BITS = 12,     /* slots at first */
    CANDIDATE_BITS = 16, /* 256 KB: a quarter of it costs 0.6 % of the store, four times gain 0.2 */
    SEEN = 4             /* times until a word gets a code; 3 and 6 give the same within 0.5 % */
};

#define B(n) ((n) >= 8 ? ~UINT64_C(0) : (UINT64_C(1) << 8 * ((n)&7)) - 1)
#define M(n)                                                                                       \
    {                                                                                              \
        B(n), B((n) < 8 ? 0 : (n)-8)                                                               \
    }
const uint64_t qn_word_mask[QN_WORDS_SHORT + 1][2] = {M(0),  M(1),  M(2),  M(3), M(4),  M(5),
                                                      M(6),  M(7),  M(8),  M(9), M(10), M(11),
                                                      M(12), M(13), M(14), M(15)};
#undef M
#undef B

uint64_t qn_word_long_hash(const uint8_t *word, size_t len)
{
    uint64_t hash = len;
    for (size_t i = 0; i + 8 < len; i += 8) {
        hash = (hash ^ qn_load_u64(word + i)) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 31;
    }
    hash = (hash ^ qn_load_u64(word + len - 8)) * 0xC2B2AE3D27D4EB4Fu;
    return hash ^ hash >> 29;
}

uint32_t qn_word_code(uint32_t id)
{
    if (id < QN_CODE_TWO)
        return 1u << 24 | id;
    uint32_t rest = id - QN_CODE_TWO;
    uint32_t head = QN_CODE_TWO + (rest >> 8);
    if (head < QN_CODE_THREE)
        return 2u << 24 | (rest & 0xFF) << 8 | head;
    rest -= (QN_CODE_THREE - QN_CODE_TWO) << 8;
    return 3u << 24 | (rest & 0xFF) << 16 | rest >> 8 << 8 | QN_CODE_THREE;
}

bool qn_words_init(qn_words *words)
{
    words->bits = FIRST_BITS;
    words->slot = qn_zeros((size_t)1 << FIRST_BITS, sizeof *words->slot);
    words->candidate = qn_zeros((size_t)1 << CANDIDATE_BITS, sizeof *words->candidate);
    return words->slot != NULL && words->candidate != NULL;
}

void qn_words_free(qn_words *words)
{
    free(words->slot);
    free(words->candidate);
    free(words->end);
    qn_buffer_free(&words->bytes);
    *words = (qn_words){0};
}

bool qn_words_is(const qn_words *words, uint32_t id, const uint8_t *word, size_t len)
{
    size_t have;
    const uint8_t *bytes = qn_words_at(words, id, &have);
    return have == len && memcmp(bytes, word, len) == 0;
}

/* The i-th slot that is looked at: triangular numbers do not pile words up as neighbours do, which
 * would be lost at three quarters full. */
static uint32_t probe(uint32_t home, unsigned i)
{
    return home + i * (i + 1) / 2;
}

const qn_word_slot *qn_words_find(const qn_words *words, const uint8_t *word, size_t len,
                                  qn_word_key key)
{
    uint32_t mask = (1u << words->bits) - 1, home = qn_word_home(key, 64 - words->bits);
    for (unsigned i = 0; i < QN_WORDS_PROBES; i++) {
        const qn_word_slot *slot = &words->slot[probe(home, i) & mask];
        if (qn_word_key_is(&slot->key, key) &&
            (len <= QN_WORDS_SHORT || qn_words_is(words, slot->id, word, len)))
            return slot;
        if (slot->code == 0)
            return NULL;
    }
    return NULL;
}

/* Puts a word into the table; false if too many that collide with it are there. */
static bool enter(qn_words *words, qn_word_key key, uint32_t id)
{
    uint32_t mask = (1u << words->bits) - 1, home = qn_word_home(key, 64 - words->bits);
    for (unsigned i = 0; i < QN_WORDS_PROBES; i++) {
        qn_word_slot *slot = &words->slot[probe(home, i) & mask];
        if (slot->code == 0) {
            *slot = (qn_word_slot){key, id, qn_word_code(id)};
            return true;
        }
    }
    return false;
}

/* Twice as many slots. Words are entered by their numbers, so that frequent ones lie where they are
 * looked for first. One that finds no place (made to collide, with others) has a code that is not
 * used any more. */
static bool grow(qn_words *words)
{
    uint32_t n_old = 1u << words->bits;
    qn_word_key *key = malloc(words->n * sizeof *key + 1);
    bool *there = calloc(words->n + (size_t)1, 1);
    bool good = key != NULL && there != NULL;
    for (uint32_t i = 0; good && i < n_old; i++) {
        const qn_word_slot *slot = &words->slot[i];
        if (slot->code != 0) {
            key[slot->id] = slot->key;
            there[slot->id] = true;
        }
    }
    qn_word_slot *slots = good ? qn_zeros((size_t)2 << words->bits, sizeof *slots) : NULL;
    if (slots != NULL) {
        free(words->slot);
        words->slot = slots;
        words->bits++;
        for (uint32_t id = 0; id < words->n; id++)
            if (there[id])
                (void)enter(words, key[id], id);
    }
    free(key);
    free(there);
    return slots != NULL;
}

bool qn_words_add(qn_words *words, const uint8_t *word, size_t len, qn_word_key key)
{
    if (words->n == QN_WORDS_MAX)
        return true;
    if (words->n >= (3u << words->bits) / 4 && !grow(words))
        return false;
    void *end = words->end;
    if (!qn_array_grow(&end, &words->end_cap, words->n + (size_t)1, sizeof *words->end))
        return false;
    words->end = end;
    if (!qn_buffer_reserve(&words->bytes, len))
        return false;
    if (enter(words, key, words->n)) {
        (void)qn_buffer_append(&words->bytes, word, len);
        words->end[words->n++] = (uint32_t)words->bytes.len;
    }
    return true;
}

/* An entry has 24 bits of a hash and how often it was seen; another hash takes one away before it
 * takes the place. */
bool qn_words_see(qn_words *words, const uint8_t *word, size_t len, qn_word_key key)
{
    if (words->n == QN_WORDS_MAX)
        return true;
    uint64_t hash = qn_word_hash(key);
    uint32_t *entry = &words->candidate[(hash ^ hash >> 29) & ((1u << CANDIDATE_BITS) - 1)];
    uint32_t tag = (uint32_t)(hash >> 40) << 8, count = *entry & 0xFF;
    if ((*entry ^ tag) >> 8 != 0) {
        *entry = count > 1 ? *entry - 1 : tag | 1;
        return true;
    }
    *entry = tag | (count + 1);
    if (count + 1 < SEEN)
        return true;
    *entry = 0;
    return qn_words_add(words, word, len, key);
}

typedef struct ranked {
    uint32_t count, id;
} ranked;

static int by_rank(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

bool qn_words_rank(qn_words *words, const uint32_t *count, uint32_t least)
{
    qn_words fresh = {0};
    ranked *order = malloc(words->n * sizeof *order + 1);
    bool good = order != NULL && qn_words_init(&fresh);
    uint32_t n = 0;
    for (uint32_t id = 0; good && id < words->n; id++)
        if (count[id] >= least)
            order[n++] = (ranked){count[id], id};
    if (good)
        qsort(order, n, sizeof *order, by_rank);
    for (uint32_t i = 0; good && i < n; i++) {
        uint8_t padded[QN_WORDS_LONGEST + QN_WORDS_OVERREAD] = {0};
        size_t len;
        const uint8_t *word = qn_words_at(words, order[i].id, &len);
        memcpy(padded, word, len);
        good = qn_words_add(&fresh, padded, len, qn_word_key_of(padded, len));
    }
    free(order);
    if (!good) {
        qn_words_free(&fresh);
        return false;
    }
    qn_words_free(words);
    *words = fresh;
    return true;
}

static size_t groups_len(uint32_t n)
{
    return (size_t)((n + QN_WORDS_GROUP - 1) / QN_WORDS_GROUP) * QN_WORDS_GROUP_LEN;
}

size_t qn_words_section_len(const qn_words *words)
{
    return QN_WORDS_HEAD + groups_len(words->n) + words->bytes.len;
}

bool qn_words_put(const qn_words *words, qn_buffer *out)
{
    uint8_t head[QN_WORDS_HEAD] = {0};
    qn_store_u32(head, words->n);
    bool good = qn_buffer_append(out, head, sizeof head);
    for (uint32_t first = 0; good && first < words->n; first += QN_WORDS_GROUP) {
        uint8_t group[QN_WORDS_GROUP_LEN] = {0};
        qn_store_u32(group, first == 0 ? 0 : words->end[first - 1]);
        for (uint32_t i = 0; i < QN_WORDS_GROUP && first + i < words->n; i++) {
            size_t len;
            (void)qn_words_at(words, first + i, &len);
            group[4 + i] = (uint8_t)len;
        }
        good = qn_buffer_append(out, group, sizeof group);
    }
    return good && qn_buffer_append(out, words->bytes.data, words->bytes.len);
}

bool qn_words_open(qn_words_view *view, const uint8_t *section, size_t len)
{
    *view = (qn_words_view){0};
    if (len == 0)
        return true;
    if (len < QN_WORDS_HEAD)
        return false;
    uint32_t n = qn_load_u32(section);
    if (n > QN_WORDS_MAX || qn_load_u32(section + 4) != 0 || groups_len(n) > len - QN_WORDS_HEAD)
        return false;
    const uint8_t *bytes = section + QN_WORDS_HEAD + groups_len(n);
    *view = (qn_words_view){section + QN_WORDS_HEAD, bytes, n, len - QN_WORDS_HEAD - groups_len(n)};
    return true;
}

bool qn_words_check(const qn_words_view *view)
{
    size_t end = 0;
    for (uint32_t id = 0; id < view->n; id++) {
        size_t len;
        const uint8_t *word = qn_words_view_at(view, id, &len);
        if (word == NULL || word != view->bytes + end)
            return false;
        for (size_t i = 1; i < len; i++)
            if (qn_word_byte(word[i]) != qn_word_byte(word[0]))
                return false;
        end += len;
    }
    /* Lengths of a last group that are no word's. */
    for (uint32_t id = view->n; id % QN_WORDS_GROUP != 0; id++)
        if (view->groups[id / QN_WORDS_GROUP * QN_WORDS_GROUP_LEN + 4 + id % QN_WORDS_GROUP] != 0)
            return false;
    return end == view->len;
}
