/*
 * Texts as codes of words: see word_codes.h.
 *
 * Encoding is most of what a store costs the build, and waiting for slots of the table is half of
 * encoding: 98,304 words take 3 MB, beside an analyzer's tables. Runs are found 64 bytes at a time,
 * by masks; each then takes a load of 16 bytes and a multiplication, and its slot is fetched from
 * memory while others are found, which took a sixth off in a build, and nothing where encoding is
 * alone.
 */
#include "index/segment/word_codes.h"

#include "index/codec/varint.h"

#include <stdlib.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

qn_word_bits qn_word_bits_portable(const uint8_t *bytes)
{
    qn_word_bits bits = {0, 0};
    for (unsigned i = 0; i < 64; i++) {
        bits.word |= (uint64_t)qn_word_byte(bytes[i]) << i;
        bits.space |= (uint64_t)(bytes[i] == ' ') << i;
    }
    return bits;
}

#ifdef __SSE2__

/* 0xFF in each byte of x that is in [first, first + span]. */
static inline __m128i within(__m128i x, char first, char span)
{
    __m128i above = _mm_sub_epi8(x, _mm_set1_epi8(first));
    return _mm_cmpeq_epi8(_mm_min_epu8(above, _mm_set1_epi8(span)), above);
}

static inline qn_word_bits word_bits(const uint8_t *bytes)
{
    qn_word_bits bits = {0, 0};
    for (unsigned i = 0; i < 64; i += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(bytes + i));
        __m128i letter = within(_mm_or_si128(x, _mm_set1_epi8(0x20)), 'a', 25);
        __m128i word = _mm_or_si128(_mm_or_si128(letter, within(x, '0', 9)), x);
        __m128i space = _mm_cmpeq_epi8(x, _mm_set1_epi8(' '));
        bits.word |= (uint64_t)(uint32_t)_mm_movemask_epi8(word) << i;
        bits.space |= (uint64_t)(uint32_t)_mm_movemask_epi8(space) << i;
    }
    return bits;
}

#else

static inline qn_word_bits word_bits(const uint8_t *bytes)
{
    return qn_word_bits_portable(bytes);
}

#endif

qn_word_bits qn_word_bits_of(const uint8_t *bytes)
{
    return word_bits(bytes);
}

/* What is done with each run of a text; false when memory is short. */
typedef bool run_fn(void *to, const uint8_t *run, size_t len);

/* Calls `each` for the runs of a text but single spaces between two words. */
static inline __attribute__((always_inline)) bool split(const uint8_t *text, size_t len,
                                                        run_fn *each, void *to)
{
    if (len == 0)
        return true;
    const uint64_t first = 1, last = (uint64_t)1 << 63;
    const uint8_t *start = text;
    qn_word_bits next = word_bits(text);
    uint64_t begin = first; /* where a run begins that ends nothing */
    uint64_t word_before = 0, single_before = 0;
    for (size_t at = 0; at <= len; at += 64) {
        qn_word_bits here = next;
        size_t left = len - at;
        uint64_t valid = left < 64 ? ((uint64_t)1 << left) - 1 : ~(uint64_t)0;
        next = left > 64 ? word_bits(text + at + 64) : (qn_word_bits){0, 0};
        if (left > 64 && left < 128)
            next.word &= ((uint64_t)1 << (left - 64)) - 1;
        uint64_t word = here.word & valid;
        uint64_t after = word << 1 | word_before;
        uint64_t single = here.space & valid & after & (word >> 1 | next.word << 63);
        /* A run ends where the kind of bytes changes, but after a single space, and at the end. */
        uint64_t ends = (word ^ after) & ~(single << 1 | single_before) & ~begin & valid;
        if (left < 64)
            ends |= (uint64_t)1 << left;
        word_before = (word & last) != 0;
        single_before = (single & last) != 0;
        begin = 0;
        for (; ends != 0; ends &= ends - 1) {
            unsigned bit = (unsigned)__builtin_ctzll(ends);
            const uint8_t *run = start, *end = text + at + bit;
            start = end + (single >> bit & 1);
            if (!each(to, run, (size_t)(end - run)))
                return false;
        }
    }
    return true;
}

/* ---- encoding ---- */

/* A run whose slot is on its way from memory. */
typedef struct ahead {
    qn_word_key key;
    const uint8_t *run;
    uint32_t len, home;
} ahead;

enum { AHEAD = 16 };

typedef struct encoding {
    qn_words *words;
    const qn_word_slot *slot; /* of `words` */
    unsigned shift;
    uint8_t *out;
    ahead *next; /* of `ahead`, which are those before it */
    ahead ahead[AHEAD];
} encoding;

static uint8_t *spell(uint8_t *out, const uint8_t *run, size_t len)
{
    *out++ = qn_word_byte(*run) ? QN_CODE_WORD : QN_CODE_OTHERS;
    out += qn_varint_put(out, len);
    memcpy(out, run, len);
    return out + len;
}

/* A run that is not the first word that it is looked for at. */
static __attribute__((noinline)) bool encode_rare(encoding *e, const uint8_t *run, size_t len)
{
    if (len <= QN_WORDS_LONGEST) {
        qn_word_key key = qn_word_key_of(run, len);
        const qn_word_slot *slot = qn_words_find(e->words, run, len, key);
        if (slot != NULL) {
            qn_store_u32(e->out, slot->code);
            e->out += slot->code >> 24;
            return true;
        }
        if (!qn_words_see(e->words, run, len, key))
            return false;
        e->slot = e->words->slot;
        e->shift = 64 - e->words->bits;
    }
    e->out = spell(e->out, run, len);
    return true;
}

static __attribute__((noinline)) bool encode_ahead(encoding *e)
{
    const qn_word_slot *slots = e->slot;
    uint8_t *out = e->out;
    for (const ahead *at = e->ahead; at < e->next; at++) {
        const qn_word_slot *slot = &slots[at->home];
        if (qn_word_key_is(&slot->key, at->key)) {
            qn_store_u32(out, slot->code); /* its fourth byte is written over */
            out += slot->code >> 24;
            continue;
        }
        e->out = out;
        if (!encode_rare(e, at->run, at->len))
            return false;
        out = e->out;
        slots = e->slot;
    }
    e->out = out;
    e->next = e->ahead;
    return true;
}

static inline __attribute__((always_inline)) bool encode_run(void *to, const uint8_t *run,
                                                             size_t len)
{
    encoding *e = to;
    if (len > QN_WORDS_SHORT)
        return encode_ahead(e) && encode_rare(e, run, len);
    qn_word_key key = qn_word_key_of(run, len);
    ahead *here = e->next;
    here->key = key;
    here->run = run;
    here->len = (uint32_t)len;
    here->home = qn_word_home(key, e->shift);
    __builtin_prefetch(&e->slot[here->home]);
    e->next = here + 1;
    return here + 1 < e->ahead + AHEAD || encode_ahead(e);
}

bool qn_word_codes_encode(qn_words *words, const uint8_t *text, size_t len, qn_buffer *out)
{
    /* At worst each byte is a run that is spelled out. */
    if (len > SIZE_MAX / 4 || !qn_buffer_reserve(out, 3 * len + QN_PADDING))
        return false;
    encoding e;
    e.words = words;
    e.slot = words->slot;
    e.shift = 64 - words->bits;
    e.out = out->data + out->len;
    e.next = e.ahead;
    if (!split(text, len, encode_run, &e) || !encode_ahead(&e))
        return false;
    out->len = (size_t)(e.out - out->data);
    return true;
}

/* ---- counting ---- */

typedef struct counting {
    qn_words *words;
    uint32_t *count;
} counting;

static bool count_run(void *to, const uint8_t *run, size_t len)
{
    counting *c = to;
    if (len > QN_WORDS_LONGEST)
        return true;
    qn_word_key key = qn_word_key_of(run, len);
    const qn_word_slot *slot = qn_words_find(c->words, run, len, key);
    if (slot != NULL) {
        c->count[slot->id]++;
        return true;
    }
    uint32_t n = c->words->n;
    if (!qn_words_add(c->words, run, len, key))
        return false;
    if (c->words->n > n)
        c->count[n] = 1;
    return true;
}

bool qn_word_codes_count(qn_words *words, const uint8_t *text, size_t len,
                         uint32_t count[QN_WORDS_MAX])
{
    counting c = {words, count};
    return split(text, len, count_run, &c);
}

/* ---- decoding ---- */

/* Room that a code of WORDS needs, whatever its word: copies are of 16 bytes. */
enum { ROOM = QN_CODE_EXPANDS + 16 };

/* The bytes of a run that is spelled out; NULL if it is cut off or empty. */
static const uint8_t *take_spelled(const uint8_t *at, const uint8_t *end, uint64_t *len)
{
    at = qn_varint_get64(at, end, len);
    return at == NULL || *len == 0 || *len > (uint64_t)(end - at) ? NULL : at;
}

quern_status qn_word_codes_decode(const qn_words_view *words, const uint8_t *codes, size_t len,
                                  qn_buffer *out)
{
    const uint8_t *at = codes, *end = codes + len;
    bool word_before = false;
    if (!qn_buffer_reserve(out, 2 * len + ROOM))
        return QUERN_E_MEMORY;
    while (at < end) {
        if (out->cap - out->len < ROOM && !qn_buffer_reserve(out, ROOM))
            return QUERN_E_MEMORY;
        unsigned head = *at++;
        if (head >= QN_CODE_OTHERS) {
            uint64_t n;
            at = take_spelled(at, end, &n);
            if (at == NULL)
                return QUERN_E_DAMAGED;
            if (!qn_buffer_reserve(out, (size_t)n + ROOM))
                return QUERN_E_MEMORY;
            bool word = head == QN_CODE_WORD;
            out->data[out->len] = ' ';
            out->len += word && word_before;
            memcpy(out->data + out->len, at, (size_t)n);
            out->len += (size_t)n;
            at += n;
            word_before = word;
            continue;
        }
        /* Without a branch between one, two and three bytes, which nobody could predict. */
        unsigned more = (head >= QN_CODE_TWO) + (unsigned)(head >= QN_CODE_THREE);
        uint32_t low = ((uint32_t)at[0] << 8 | at[1]) >> (16 - 8 * more);
        uint32_t high = head < QN_CODE_TWO ? head : QN_CODE_TWO + ((head - QN_CODE_TWO) << 8);
        at += more;
        size_t n;
        const uint8_t *bytes = qn_words_view_at(words, high + low, &n);
        if (bytes == NULL || at > end)
            return QUERN_E_DAMAGED;
        bool word = qn_word_byte(*bytes);
        out->data[out->len] = ' ';
        out->len += word && word_before;
        uint8_t *to = out->data + out->len;
        memcpy(to, bytes, 16);
        for (size_t i = 16; i < n; i += 16)
            memcpy(to + i, bytes + i, 16);
        out->len += n;
        word_before = word;
    }
    return QUERN_OK;
}
