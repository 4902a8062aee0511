/*
 * Finding units in a text.
 *
 * Each word's term is looked up in a hash table of the query's terms. A unit waits at its last
 * term: when that comes, the terms before it are looked for in a ring of the latest positions. The
 * ring holds up to RING positions, so a phrase that is longer (by stop words in it) is not found.
 */
#include "query/match.h"

#include "index/base/buffer.h"
#include "index/base/checksum.h"
#include "index/base/status.h"
#include "query/chars.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

enum {
    RING = 4096,
    BATCH = 64,       /* words taken from the tokenizer at once */
    KNOWN = 2048,     /* words whose terms are remembered; a power of two */
    KNOWN_BYTES = 30, /* of a word and of its term that are remembered */
};

#define NONE UINT32_MAX /* no term, no unit */

/* A position where a term of the query stands. */
typedef struct place {
    uint32_t position, term;
    size_t start;
    uint64_t folded_start;
} place;

/* What is known of a term of the query, by its number there. */
typedef struct term_info {
    uint32_t same;       /* the first term with this text */
    uint32_t first_unit; /* of the units that end in this text; NONE if there are none */
} term_info;

/* A word and its term: stemming takes more time than all else. */
typedef struct known {
    uint8_t len, term_len; /* len 0: nothing; term_len 0: a stop word */
    char word[KNOWN_BYTES], term[KNOWN_BYTES];
} known;

struct qn_matcher {
    qn_analyzer *analyzer;
    qn_tokenizer *tokenizer;
    qn_word words[BATCH];
    size_t next, n; /* of words */
    known known[KNOWN];
    const qn_query *query;

    qn_match_unit *unit;
    uint32_t *next_unit; /* after each: the next one that ends in the same text, or NONE */
    uint32_t n_units;
    size_t unit_cap, next_cap;
    term_info *info;
    size_t info_cap;
    uint32_t *slot;           /* number of a term + 1, by hash of its text; 0 is free */
    size_t slot_cap, n_slots; /* n_slots is a power of two above twice the terms, or 0 */
    bool has_phrases;
    uint32_t ring_len; /* a power of two above the span of every phrase, at most RING */

    const char *text;
    size_t from, len, until;
    uint64_t *work;
    qn_match_folder folder;
    uint32_t pending; /* unit to look at next for `word`, or NONE */
    uint32_t position;
    size_t start, end;
    uint64_t folded_start, folded_end;
    place ring[RING];
};

qn_matcher *qn_matcher_new(qn_analyzer *analyzer)
{
    qn_matcher *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    m->analyzer = analyzer;
    m->tokenizer = qn_tokenizer_new();
    if (m->tokenizer == NULL) {
        free(m);
        return NULL;
    }
    return m;
}

void qn_matcher_free(qn_matcher *m)
{
    if (m == NULL)
        return;
    qn_tokenizer_free(m->tokenizer);
    free(m->unit);
    free(m->next_unit);
    free(m->info);
    free(m->slot);
    free(m);
}

const qn_match_unit *qn_matcher_units(const qn_matcher *m, uint32_t *n)
{
    *n = m->n_units;
    return m->unit;
}

bool qn_matcher_has_phrases(const qn_matcher *m)
{
    return m->has_phrases;
}

void qn_match_fold(qn_match_folder *folder, const char *text, size_t len, size_t to)
{
    while (folder->at < to) {
        unsigned char byte = (unsigned char)text[folder->at];
        if (byte > 0x20 && byte < 0x7F) {
            folder->len++;
            folder->in_space = false;
            folder->at++;
            continue;
        }
        qn_utf8_point c = qn_utf8_decode(text + folder->at, len - folder->at);
        bool space = qn_chars_is_space(c.value);
        folder->len += space ? !folder->in_space : c.bad ? 3 : c.len;
        folder->in_space = space;
        folder->at += c.len;
    }
}

/* ---- the query ------------------------------------------------------------------------------- */

static bool make_room(qn_matcher *m, size_t n_terms, size_t n_units)
{
    size_t n_slots = 16;
    while (n_slots < 2 * n_terms)
        n_slots *= 2;
    void *unit = m->unit, *next = m->next_unit, *info = m->info, *slot = m->slot;
    bool ok = qn_array_grow(&unit, &m->unit_cap, n_units, sizeof *m->unit);
    m->unit = unit;
    ok = ok && qn_array_grow(&next, &m->next_cap, n_units, sizeof *m->next_unit);
    m->next_unit = next;
    ok = ok && qn_array_grow(&info, &m->info_cap, n_terms, sizeof *m->info);
    m->info = info;
    ok = ok && qn_array_grow(&slot, &m->slot_cap, n_slots, sizeof *m->slot);
    m->slot = slot;
    if (!ok)
        return false;
    m->n_slots = n_slots;
    memset(m->slot, 0, n_slots * sizeof *m->slot);
    return true;
}

/* The slot of a text: of the term that has it, or a free one. */
static size_t find_slot(const qn_matcher *m, const char *text, size_t len)
{
    size_t i = (size_t)qn_checksum(text, len) & (m->n_slots - 1);
    while (m->slot[i] != 0) {
        quern_span other = qn_query_word(m->query, m->slot[i] - 1);
        if (other.len == len && memcmp(other.data, text, len) == 0)
            break;
        i = (i + 1) & (m->n_slots - 1);
    }
    return i;
}

/* Enters a term into the table. */
static void add_term(qn_matcher *m, uint32_t term)
{
    quern_span text = qn_query_word(m->query, term);
    size_t i = find_slot(m, text.data, text.len);
    if (m->slot[i] == 0)
        m->slot[i] = term + 1;
    m->info[term] = (term_info){m->slot[i] - 1, NONE};
}

static void add_unit(qn_matcher *m, double weight, uint32_t first_term, uint32_t n_terms)
{
    const qn_query_term *term = m->query->term + first_term;
    term_info *last = &m->info[m->info[first_term + n_terms - 1].same];
    m->unit[m->n_units] = (qn_match_unit){weight, first_term, n_terms};
    m->next_unit[m->n_units] = last->first_unit;
    last->first_unit = m->n_units++;
    m->has_phrases = m->has_phrases || n_terms > 1;
    uint32_t span = term[n_terms - 1].position - term[0].position;
    while (m->ring_len <= span && m->ring_len < RING)
        m->ring_len *= 2;
}

/* Adds the units of a clause: itself, or the terms that are no unit yet. */
static void add_clause(qn_matcher *m, const qn_clause *clause, float clause_weight, bool apart)
{
    double weight = 0;
    if (clause_weight > 0) /* not a NaN either */
        weight = clause_weight < FLT_MAX ? clause_weight : FLT_MAX;
    for (uint32_t i = 0; i < clause->n_terms; i++)
        add_term(m, clause->first_term + i);
    if (!apart) {
        add_unit(m, weight, clause->first_term, clause->n_terms);
        return;
    }
    for (uint32_t i = 0; i < clause->n_terms; i++) {
        uint32_t term = clause->first_term + i;
        if (m->info[m->info[term].same].first_unit == NONE)
            add_unit(m, weight, term, 1);
    }
}

quern_status qn_matcher_prepare(qn_matcher *m, const qn_query *query, const float *weight,
                                bool apart, quern_error *error)
{
    m->query = query;
    m->n_units = 0;
    m->n_slots = 0;
    m->has_phrases = false;
    m->ring_len = 1;
    if (query->n_terms >= NONE)
        return qn_fail(error, QUERN_E_ARGUMENT, "the query has too many terms");
    size_t n_units = query->n_terms > query->n_clauses ? query->n_terms : query->n_clauses;
    if (!make_room(m, query->n_terms, n_units))
        return qn_fail_memory(error);
    for (size_t i = 0; i < query->n_clauses; i++) {
        const qn_clause *clause = &query->clause[i];
        if (clause->occur != QN_NOT && clause->n_terms > 0)
            add_clause(m, clause, weight == NULL ? 1.0f : weight[i], apart);
    }
    return QUERN_OK;
}

/* ---- the text -------------------------------------------------------------------------------- */

void qn_matcher_start(qn_matcher *m, const char *text, size_t from, size_t len, size_t until,
                      uint64_t *work)
{
    m->text = text;
    m->from = from;
    m->len = len;
    m->until = until;
    m->work = work;
    m->folder = (qn_match_folder){.at = from, .in_space = from == 0};
    m->pending = NONE;
    for (size_t i = 0; i < m->ring_len; i++)
        m->ring[i].term = NONE;
    qn_tokenizer_start(m->tokenizer, len > from ? text + from : "", len - from, 0);
    m->next = m->n = 0;
}

/* Takes steps from what is left; false if that is used up. */
static bool spend(qn_matcher *m, uint64_t steps)
{
    *m->work -= *m->work < steps ? *m->work : steps;
    return *m->work > 0;
}

/* Replaces a word by its term (length 0: a stop word). */
static quern_status to_term(qn_matcher *m, qn_word *word, quern_error *error)
{
    if (word->len > KNOWN_BYTES) {
        size_t len = 0;
        quern_status status =
            qn_analyzer_term(m->analyzer, word->text, word->len, &word->text, &len, error);
        word->len = (uint32_t)len;
        return status;
    }
    known *k = &m->known[(size_t)qn_checksum(word->text, word->len) & (KNOWN - 1)];
    if (k->len != word->len || memcmp(k->word, word->text, word->len) != 0) {
        const char *term;
        size_t len;
        quern_status status =
            qn_analyzer_term(m->analyzer, word->text, word->len, &term, &len, error);
        if (status != QUERN_OK)
            return status;
        if (len > KNOWN_BYTES) {
            word->text = term;
            word->len = (uint32_t)len;
            return QUERN_OK;
        }
        memcpy(k->word, word->text, word->len);
        memcpy(k->term, term, len);
        k->len = (uint8_t)word->len;
        k->term_len = (uint8_t)len;
    }
    word->text = k->term;
    word->len = k->term_len;
    return QUERN_OK;
}

/* The next word that is no stop word, as its term. */
static quern_status next_term(qn_matcher *m, qn_word *word, quern_error *error)
{
    do {
        if (m->next == m->n) {
            m->next = 0;
            quern_status status = qn_tokenizer_next(m->tokenizer, m->words, BATCH, &m->n, error);
            if (status != QUERN_OK)
                return status;
            if (m->n == 0)
                return QUERN_END;
        }
        *word = m->words[m->next++];
        quern_status status = to_term(m, word, error);
        if (status != QUERN_OK)
            return status;
    } while (word->len == 0);
    return QUERN_OK;
}

/* Reads on to the next word that is a term of the query. */
static quern_status next_word(qn_matcher *m, quern_error *error)
{
    for (;;) {
        qn_word word;
        quern_status status = next_term(m, &word, error);
        if (status != QUERN_OK)
            return status;
        if (word.start >= m->until - m->from)
            return QUERN_END;
        size_t i = find_slot(m, word.text, word.len);
        if (m->slot[i] == 0)
            continue;
        uint32_t term = m->slot[i] - 1;
        m->position = word.position;
        m->start = m->from + word.start;
        m->end = m->from + word.end;
        if (!spend(m, 1 + (word.end - word.start) / 64))
            return QUERN_END;
        qn_match_fold(&m->folder, m->text, m->len, m->start);
        m->folded_start = m->folder.len;
        qn_match_folder within = {.at = m->start};
        qn_match_fold(&within, m->text, m->len, m->end);
        m->folded_end = m->folded_start + within.len;
        m->ring[m->position & (m->ring_len - 1)] =
            (place){m->position, term, m->start, m->folded_start};
        m->pending = m->info[term].first_unit;
        return QUERN_OK;
    }
}

/* Whether a unit that ends in the word at hand is complete; sets the start of the match. */
static bool is_complete(qn_matcher *m, const qn_match_unit *unit, qn_match *match)
{
    const qn_query_term *term = m->query->term + unit->first_term;
    uint32_t last = unit->n_terms - 1;
    uint32_t span = term[last].position - term[0].position;
    if (unit->n_terms == 1)
        return true;
    if (span >= m->ring_len || span > m->position)
        return false;
    for (uint32_t i = last; i-- > 0;) {
        uint32_t position = m->position - (term[last].position - term[i].position);
        const place *found = &m->ring[position & (m->ring_len - 1)];
        (void)spend(m, 1);
        if (found->term == NONE || found->position != position ||
            found->term != m->info[unit->first_term + i].same)
            return false;
        match->start = found->start;
        match->folded_start = found->folded_start;
    }
    return true;
}

quern_status qn_matcher_next(qn_matcher *m, qn_match *match, quern_error *error)
{
    if (m->n_units == 0)
        return QUERN_END;
    for (;;) {
        while (m->pending != NONE) {
            uint32_t unit = m->pending;
            m->pending = m->next_unit[unit];
            *match = (qn_match){unit, m->start, m->end, m->folded_start, m->folded_end};
            if (is_complete(m, &m->unit[unit], match))
                return QUERN_OK;
        }
        quern_status status = next_word(m, error);
        if (status != QUERN_OK)
            return status;
    }
}
