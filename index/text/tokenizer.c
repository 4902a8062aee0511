/*
 * Words: cuts UTF-8 text into folded words with positions.
 *
 * Three readers take turns. read_ascii cuts words out of ASCII with bit masks, 64 bytes at a time.
 * read_settled goes code point by code point where each is in normal form by itself, and
 * read_slowly through normalisation (see fold.h); both feed the grammar. A word of ASCII that goes
 * on with something else is begun again by read_settled, at its first byte; read_ascii gets its
 * turn between words only, and where it is worth it. That read_ascii does not look at what follows
 * the last ASCII byte between two words is harmless: the bytes there that compose with a following
 * mark are < = >, and what they make is no word character either.
 */
#include "index/text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "index/base/status.h"
#include "index/text/ascii.h"
#include "index/text/grammar.h"

enum {
    BLOCK_WORDS = 1 + QN_ASCII_WORDS, /* written for one block of ASCII: one may be open */
    ASCII_WORTH_IT = 16,              /* bytes of ASCII for which the other readers give way */
    TEXT_END = QN_FOLD_BOUNDARY       /* info of what follows the last character */
};

struct qn_tokenizer {
    qn_fold *fold;
    qn_ascii_classify_fn classify;
    qn_ascii_words_fn words;
    const char *text;
    size_t len;
    size_t at; /* first byte that has not been read: after `ahead`, if there is one */
    qn_tokenizer_path path;
    uint64_t bad_utf8;
    size_t ascii_from; /* read_ascii may begin here: it has been at what is before, and given up */
    bool has_ahead;
    qn_point ahead;              /* decoded, not yet taken */
    size_t span_at;              /* next code point of the normalised span in fold->span */
    size_t span_start, span_end; /* its place in the text */
    qn_grammar grammar;
};

qn_tokenizer *qn_tokenizer_new(void)
{
    qn_tokenizer *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->fold = qn_fold_new();
    if (t->fold == NULL) {
        free(t);
        return NULL;
    }
    t->classify = qn_ascii_classify_for(qn_cpu_detect());
    t->words = qn_ascii_words_for(qn_cpu_detect());
    return t;
}

void qn_tokenizer_free(qn_tokenizer *t)
{
    if (t == NULL)
        return;
    qn_fold_free(t->fold);
    free(t);
}

void qn_tokenizer_set_path(qn_tokenizer *t, qn_tokenizer_path path)
{
    t->path = path;
}

void qn_tokenizer_start(qn_tokenizer *t, const char *text, size_t len, uint32_t first_position)
{
    t->text = text;
    t->len = len;
    t->at = 0;
    t->ascii_from = 0;
    t->has_ahead = false;
    qn_fold_span_clear(t->fold);
    t->span_at = 0;
    qn_grammar_start(&t->grammar, first_position);
}

uint32_t qn_tokenizer_position(const qn_tokenizer *t)
{
    return t->grammar.position;
}

uint64_t qn_tokenizer_long_words(const qn_tokenizer *t)
{
    return t->grammar.long_words;
}

uint64_t qn_tokenizer_bad_utf8(const qn_tokenizer *t)
{
    return t->bad_utf8;
}

/* ---- ASCII ---- */

/* Masks of one block that begins `limit` bytes (at most 64) before something else. */
typedef struct block {
    uint64_t word, apostrophe;
    unsigned limit;
    bool ends; /* something that is not ASCII stands at limit */
} block;

/* Classifies the text from `at` on, writing its lower case to `out` (QN_ASCII_BLOCK bytes). */
static inline block classify(const qn_tokenizer *t, size_t at, char *out)
{
    char tail[QN_ASCII_BLOCK];
    const char *in = t->text + at;
    block b = {.limit = QN_ASCII_BLOCK};
    if (t->len - at < QN_ASCII_BLOCK) {
        b.limit = (unsigned)(t->len - at);
        memset(tail, 0, sizeof tail);
        memcpy(tail, in, b.limit);
        in = tail;
    }
    qn_ascii_masks masks = t->classify(in, out);
    b.word = masks.word;
    b.apostrophe = masks.apostrophe;
    if (masks.high != 0) {
        b.limit = (unsigned)__builtin_ctzll(masks.high);
        b.ends = true;
        uint64_t valid = ((uint64_t)1 << b.limit) - 1;
        b.word &= valid;
        b.apostrophe &= valid;
    }
    return b;
}

/* The bytes of words in a block: its letters and digits, and apostrophes between two of them.
 * `before` tells whether a letter or digit stands before the block. An apostrophe before something
 * that is not ASCII counts, as it may be in a word; read_points will know. */
static inline uint64_t word_mask(const qn_tokenizer *t, block b, bool before, size_t at)
{
    if (b.apostrophe == 0 || b.limit == 0)
        return b.word;
    size_t after = at + b.limit;
    uint64_t next = b.word >> 1;
    if (after < t->len &&
        ((unsigned char)t->text[after] >= 0x80 || qn_ascii_is_word(t->text[after])))
        next |= (uint64_t)1 << (b.limit - 1);
    return b.word | (b.apostrophe & (b.word << 1 | before) & next);
}

/* The position that is n after another one, or the last there is (see qn_grammar_give_at). */
static inline uint32_t next_position(uint32_t position, size_t n)
{
    return n > UINT32_MAX - position ? UINT32_MAX : position + (uint32_t)n;
}

/* Gives the words from `starts` to `ends`; returns how many. */
static inline size_t give_block(const qn_tokenizer *t, uint64_t starts, uint64_t ends,
                                const qn_ascii_place *place, qn_word *words)
{
    size_t n = t->words(starts, ends, place, words);
    if (n > UINT32_MAX - place->position)
        for (size_t i = 0; i < n; i++)
            words[i].position = next_position(place->position, i);
    return n;
}

/*
 * Gives the words of ASCII text from t->at (or t->ahead) on, until the batch or the scratch is
 * full, or something that is not ASCII comes. Stands at the beginning of a word or between words
 * afterwards. If that word is where it began, it has no more to give before `ascii_from`.
 */
static void read_ascii(qn_tokenizer *t, qn_batch *b)
{
    qn_grammar *g = &t->grammar;
    const size_t first = t->has_ahead ? t->ahead.start : t->at;
    char *const folded = g->scratch + g->used;      /* folded[i]: lower case of text[first + i] */
    size_t at = first, word = first, given = first; /* given: end of the last word given */
    bool inside = false, before = false;
    t->has_ahead = false;
    qn_batch batch = *b;
    uint32_t position = g->position;
    uint64_t long_words = g->long_words;
    while (at < t->len && batch.max - batch.n >= BLOCK_WORDS &&
           g->used + (at - first) + QN_ASCII_BLOCK <= QN_GRAMMAR_SCRATCH) {
        block k = classify(t, at, folded + (at - first));
        uint64_t mask = word_mask(t, k, before, at);
        uint64_t shifted = mask << 1 | inside;
        uint64_t starts = mask & ~shifted;
        uint64_t ends = ~mask & shifted;
        if (k.ends) /* a word that goes up to there may go on */
            ends &= ((uint64_t)1 << k.limit) - 1;
        if (inside && ends != 0) {
            given = at + (size_t)__builtin_ctzll(ends);
            inside = false;
            ends &= ends - 1;
            qn_grammar_give_at(&position, &long_words, &batch, folded + (word - first),
                               given - word, word, given);
        }
        if (ends != 0) { /* of the rest none is too long */
            qn_ascii_place place = {folded + (at - first), at, position};
            size_t n = give_block(t, starts, ends, &place, batch.words + batch.n);
            batch.n += n;
            position = next_position(position, n);
            given = at + 63 - (size_t)__builtin_clzll(ends);
        }
        if (starts > ends) { /* behind the last word one has begun and not ended */
            word = at + 63 - (size_t)__builtin_clzll(starts);
            inside = true;
        }
        before = k.word >> 63;
        at += k.limit;
        if (k.ends) {
            t->ascii_from = at + 1;
            break;
        }
    }
    *b = batch;
    g->position = position;
    g->long_words = long_words;
    if (inside && at == t->len) {
        given = at;
        inside = false;
        qn_grammar_give(g, b, folded + (word - first), at - word, word, at);
    }
    if (inside && word == first && t->ascii_from <= first)
        t->ascii_from = at; /* a word longer than the scratch */
    t->at = inside ? word : at;
    g->used += given - first;
}

/* ---- code points ---- */

/* Reads the code point at t->at into t->ahead. False when memory is short. */
static bool look_ahead(qn_tokenizer *t)
{
    t->has_ahead = t->at < t->len;
    if (!t->has_ahead) {
        t->ahead.info = TEXT_END;
        return true;
    }
    qn_utf8_point decoded = {(unsigned char)t->text[t->at], 1, false};
    if (decoded.value >= 0x80)
        decoded = qn_utf8_decode(t->text + t->at, t->len - t->at);
    t->bad_utf8 += decoded.bad;
    t->ahead.value = decoded.value;
    t->ahead.start = t->at;
    t->at += decoded.len;
    t->ahead.end = t->at;
    qn_fold_info info = qn_fold_look(t->fold, decoded.value);
    bool space = decoded.value == ' ' || (decoded.value >= '\t' && decoded.value <= '\r');
    if (t->path == QN_TOKENIZER_CHUNKS && info != 0 && !space)
        info &= ~(QN_FOLD_STABLE | QN_FOLD_BOUNDARY | QN_FOLD_INERT);
    t->ahead.info = info;
    return info != 0;
}

/* Whether the code point after t->ahead is a boundary. */
static bool boundary_after_ahead(qn_tokenizer *t)
{
    if (t->at >= t->len)
        return true;
    qn_utf8_point next = qn_utf8_decode(t->text + t->at, t->len - t->at);
    return (qn_fold_look(t->fold, next.value) & QN_FOLD_BOUNDARY) != 0;
}

/* Whether the span that begins with `p` (taken; t->ahead comes next) may be taken as it stands: `p`
 * is stable, and is all of the span; or it is ASCII between words, so that what it may compose with
 * makes no word; or it is a starter with one mark that never composes, as in pointed Arabic and
 * Thai. In the last two cases what follows is taken as a span by itself. */
static inline bool is_settled(qn_tokenizer *t, const qn_point *p)
{
    if ((p->info & QN_FOLD_STABLE) == 0)
        return false;
    if ((t->ahead.info & QN_FOLD_BOUNDARY) != 0)
        return true;
    if (p->value < 0x80 && !qn_ascii_is_word((char)p->value))
        return true;
    return (t->ahead.info & QN_FOLD_INERT) != 0 && (p->info & QN_FOLD_BOUNDARY) != 0 &&
           boundary_after_ahead(t);
}

/* Normalises the span that begins with `first`, already taken. False when memory is short. */
static bool read_span(qn_tokenizer *t, const qn_point *first)
{
    qn_fold_span_clear(t->fold);
    t->span_at = 0;
    t->span_start = first->start;
    t->span_end = first->end;
    if (!qn_fold_span_add(t->fold, first->value))
        return false;
    while ((t->ahead.info & QN_FOLD_BOUNDARY) == 0 && t->fold->n < QN_FOLD_SPAN_MAX) {
        t->span_end = t->ahead.end;
        if (!qn_fold_span_add(t->fold, t->ahead.value) || !look_ahead(t))
            return false;
    }
    return qn_fold_span_finish(t->fold);
}

/* The next code point of the normalised text. QUERN_END after the last. */
static quern_status next_point(qn_tokenizer *t, qn_point *out)
{
    if (t->span_at == t->fold->n) {
        if (!t->has_ahead) {
            if (!look_ahead(t))
                return QUERN_E_MEMORY;
            if (!t->has_ahead)
                return QUERN_END;
        }
        *out = t->ahead;
        if (!look_ahead(t))
            return QUERN_E_MEMORY;
        if (is_settled(t, out))
            return QUERN_OK;
        if (!read_span(t, out))
            return QUERN_E_MEMORY;
    }
    out->value = (uint32_t)t->fold->span[t->span_at++];
    out->info = qn_fold_look(t->fold, out->value);
    out->start = t->span_start;
    out->end = t->span_end;
    return out->info != 0 ? QUERN_OK : QUERN_E_MEMORY;
}

/* ---- turns ---- */

/* Whether read_ascii should take over: between words, before a good stretch of ASCII. */
static bool ascii_ahead(const qn_tokenizer *t)
{
    if (t->grammar.state != QN_OUTSIDE || t->span_at != t->fold->n || t->path != QN_TOKENIZER_ANY)
        return false;
    size_t at = t->has_ahead ? t->ahead.start : t->at;
    return at >= t->ascii_from && t->len - at >= ASCII_WORTH_IT &&
           qn_ascii_all(t->text + at, ASCII_WORTH_IT);
}

/* Reads the code point at `at` without side effects. False where that needs more care: outside the
 * Basic Multilingual Plane, invalid, cut off by the end, or of a page not yet loaded. */
static inline bool glance(const qn_tokenizer *t, size_t at, uint32_t *value, qn_fold_info *info,
                          size_t *end)
{
    const uint8_t *bytes = (const uint8_t *)t->text + at;
    size_t left = t->len - at;
    if (left == 0)
        return false;
    uint32_t v = bytes[0];
    if (v < 0x80) {
        *end = at + 1;
    } else if (v >= 0xC2 && v < 0xE0 && left >= 2 && (bytes[1] & 0xC0) == 0x80) {
        v = (v & 0x1F) << 6 | (bytes[1] & 0x3Fu);
        *end = at + 2;
    } else if (v >= 0xE0 && v < 0xF0 && left >= 3 && (bytes[1] & 0xC0) == 0x80 &&
               (bytes[2] & 0xC0) == 0x80) {
        v = (v & 0x0F) << 12 | (bytes[1] & 0x3Fu) << 6 | (bytes[2] & 0x3Fu);
        *end = at + 3;
        if (v < 0x800 || (v >= 0xD800 && v < 0xE000))
            return false;
    } else {
        return false;
    }
    const qn_fold_info *page = t->fold->page[v >> 8];
    if (page == NULL)
        return false;
    *value = v;
    *info = page[v & 255];
    return true;
}

/* Reads on in the open word from t->ahead: letters, numbers and marks that are in normal form each
 * by itself. In registers, as this is where text that is not ASCII spends its time. */
static void read_letters(qn_tokenizer *t)
{
    static const qn_fold_info mask = (qn_fold_info)7 << 21 | QN_FOLD_STABLE;
    static const qn_fold_info letter = (qn_fold_info)QN_FOLD_WORD << 21 | QN_FOLD_STABLE;
    static const qn_fold_info mark = (qn_fold_info)QN_FOLD_MARK << 21 | QN_FOLD_STABLE;
    qn_grammar *g = &t->grammar;
    char *const text = g->scratch + g->used;
    size_t len = g->word_len, start = t->ahead.start, end = t->ahead.end, next_end;
    uint32_t value = t->ahead.value, next;
    qn_fold_info info = t->ahead.info, next_info;
    while (len + QN_UTF8_MAX <= QN_WORD_MAX && ((info & mask) == letter || (info & mask) == mark) &&
           glance(t, end, &next, &next_info, &next_end) && (next_info & QN_FOLD_BOUNDARY) != 0) {
        len += qn_utf8_encode(qn_fold_lower(info, value), text + len);
        value = next;
        info = next_info;
        start = end;
        end = next_end;
        if (value >= 0x80)
            continue;
        /* The same for ASCII before ASCII, of which all is stable and a boundary. */
        while (len < QN_WORD_MAX && qn_ascii_is_word((char)value) && end < t->len &&
               (unsigned char)t->text[end] < 0x80) {
            text[len++] = (char)(value - 'A' < 26 ? value + 32 : value);
            value = (unsigned char)t->text[end];
            start = end++;
        }
        info = t->fold->page[0][value];
    }
    if (len > g->word_len)
        g->word_end = start;
    g->word_len = len;
    t->ahead = (qn_point){value, info, start, end};
    t->at = end;
}

/* Takes code points from t->ahead on as long as each is in normal form by itself, until read_ascii
 * may take over or the batch is full. */
static void read_settled(qn_tokenizer *t, qn_batch *b)
{
    qn_grammar *g = &t->grammar;
    while (qn_grammar_has_room(g, b)) {
        if (g->state == QN_IN_WORD && !g->word_long)
            read_letters(t);
        /* t->ahead is used where it is: copying it as a whole just after its parts were written
         * stalls the processor (40 % of the time here). */
        qn_point next = {.start = t->ahead.end};
        if ((t->ahead.info & QN_FOLD_STABLE) == 0 ||
            !glance(t, next.start, &next.value, &next.info, &next.end) ||
            (next.info & QN_FOLD_BOUNDARY) == 0)
            break;
        qn_grammar_take(g, b, &t->ahead);
        t->ahead = next;
        t->at = next.end;
        if (next.value < 0x80 && ascii_ahead(t))
            break;
    }
}

/* Takes one code point of normalised text. QUERN_END after the last. */
static quern_status read_slowly(qn_tokenizer *t, qn_batch *b)
{
    qn_point point;
    quern_status status = next_point(t, &point);
    if (status == QUERN_OK)
        qn_grammar_take(&t->grammar, b, &point);
    else if (status == QUERN_END)
        qn_grammar_close(&t->grammar, b);
    return status;
}

quern_status qn_tokenizer_next(qn_tokenizer *t, qn_word *words, size_t max, size_t *n,
                               quern_error *error)
{
    qn_batch b = {words, 0, max};
    qn_grammar_next_batch(&t->grammar);
    quern_status status = QUERN_OK;
    while (status == QUERN_OK && qn_grammar_has_room(&t->grammar, &b)) {
        if (ascii_ahead(t)) {
            if (b.max - b.n < BLOCK_WORDS)
                break;
            read_ascii(t, &b);
            continue;
        }
        if (t->has_ahead && t->span_at == t->fold->n && t->path != QN_TOKENIZER_CHUNKS) {
            read_settled(t, &b);
            if (!qn_grammar_has_room(&t->grammar, &b) || ascii_ahead(t))
                continue;
        }
        status = read_slowly(t, &b);
    }
    *n = b.n;
    return status == QUERN_E_MEMORY ? qn_fail_memory(error) : QUERN_OK;
}
