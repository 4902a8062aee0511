/* Texts into runs, within a share of the memory limit: see mill.h. */
#include "index/build/mill.h"

#include "index/base/status.h"
#include "index/segment/fields.h"
#include "index/segment/format.h"

#include <string.h>

/* Tokens after which a run ends even where memory is left. Longer runs were no faster when each was
 * written (2 to 80 million tokens: within 10 %, 16 million best), and while one is made it takes
 * eight bytes a token, afterwards four. */
enum { RUN_TOKENS = 16 << 20 };

/*
 * What the builder holds beside the counted tables: the store's words, zstd's state, spool and file
 * buffers, tokenizer; and for each further mill. A run of less than RUN_LEAST is not worth its
 * place in the merge: where the rest leaves it no room, the limit's margin of 16 MiB bears it. A
 * mill that has less than MILL_LEAST is not worth its thread.
 */
enum {
    FIXED_BYTES = 20 << 20,
    MILL_BYTES = 4 << 20,
    RUN_LEAST = 4 << 20,
    MILL_LEAST = 64 << 20,
    WORDS = 256
};

quern_status qn_mill_init(qn_mill *mill, const qn_mill_room *room,
                          const qn_analyzer_settings *settings, unsigned n_fields, bool positions,
                          int dirfd, const char *path, quern_error *error)
{
    *mill = (qn_mill){.room = room, .n_fields = n_fields};
    quern_status status = qn_analyzer_new(&mill->analyzer, settings, error);
    if (status != QUERN_OK)
        return status;
    mill->tokenizer = qn_tokenizer_new();
    if (mill->tokenizer == NULL)
        return qn_fail_memory(error);
    status = qn_vocabulary_init(&mill->vocabulary, mill->analyzer, error);
    return status == QUERN_OK
               ? qn_inverter_init(&mill->inverter, &mill->vocabulary, positions, dirfd, path, error)
               : status;
}

void qn_mill_release(qn_mill *mill)
{
    qn_inverter_free(&mill->inverter);
    qn_vocabulary_free(&mill->vocabulary);
}

void qn_mill_free(qn_mill *mill)
{
    qn_mill_release(mill);
    qn_tokenizer_free(mill->tokenizer);
    qn_analyzer_free(mill->analyzer);
    *mill = (qn_mill){0};
}

unsigned qn_mill_most(uint64_t memory, unsigned threads)
{
    uint64_t most = memory / (MILL_BYTES + MILL_LEAST);
    return most < 1 ? 1 : most < threads ? (unsigned)most : threads;
}

/* Whether the next WORDS words fit the mill's share of the limit, and `more` bytes. */
static bool has_room(const qn_mill *mill, uint64_t more)
{
    const qn_mill_room *room = mill->room;
    uint64_t fixed = FIXED_BYTES + (uint64_t)(room->n_mills - 1) * MILL_BYTES + room->others;
    uint64_t share = room->memory > fixed ? (room->memory - fixed) / room->n_mills : 0;
    uint64_t used = (uint64_t)qn_vocabulary_bytes(&mill->vocabulary) +
                    qn_vocabulary_growth(&mill->vocabulary, WORDS) +
                    qn_inverter_bytes(&mill->inverter) + more;
    return used < share && mill->inverter.n_tokens < RUN_TOKENS;
}

/* Sees to it that the next WORDS words of the document fit the memory limit: ends the run, even in
 * the middle of the document, and if that is not enough writes all runs and gives back what they
 * take. */
static quern_status make_room(qn_mill *mill, quern_error *error)
{
    uint64_t words = qn_vocabulary_bytes(&mill->vocabulary);
    if (has_room(mill, 0) || words + qn_inverter_bytes(&mill->inverter) < RUN_LEAST)
        return QUERN_OK;
    quern_status status = qn_inverter_split(&mill->inverter, error);
    if (status != QUERN_OK || has_room(mill, RUN_LEAST))
        return status;
    status = qn_inverter_spill(&mill->inverter, error);
    if (status != QUERN_OK)
        return status;
    /* Rare words would crowd out postings in the end: start afresh with those of the next run. What
     * is kept must leave room for a run worth its place, or the next is full at once. */
    if (words > mill->room->memory / 4 / mill->room->n_mills || !has_room(mill, RUN_LEAST)) {
        qn_vocabulary_free(&mill->vocabulary);
        status = qn_vocabulary_init(&mill->vocabulary, mill->analyzer, error);
    }
    if (status == QUERN_OK && !has_room(mill, RUN_LEAST))
        qn_inverter_trim(&mill->inverter);
    return status;
}

/* Words that are too long with the prefix of their field; they are left out, but for the few that
 * their stem makes shorter. */
static uint64_t count_too_long(const qn_word *words, size_t n)
{
    uint64_t n_long = 0;
    for (size_t i = 0; i < n; i++)
        n_long += words[i].len + QN_FIELD_PREFIX > QN_TERM_MAX;
    return n_long;
}

/* Adds a text at *position; `prefix` as qn_vocabulary_words has it. */
static quern_status add_text(qn_mill *mill, quern_span text, uint8_t prefix, uint32_t *position,
                             uint32_t *length, quern_error *error)
{
    qn_word words[WORDS];
    uint32_t terms[WORDS];
    size_t n;
    qn_tokenizer_start(mill->tokenizer, text.data, text.len, *position);
    for (;;) {
        quern_status status = qn_tokenizer_next(mill->tokenizer, words, WORDS, &n, error);
        if (status != QUERN_OK)
            return status;
        if (n == 0)
            break;
        if (prefix != 0)
            mill->n_too_long += count_too_long(words, n);
        status = make_room(mill, error);
        if (status == QUERN_OK)
            status = qn_vocabulary_words(&mill->vocabulary, prefix, words, n, terms, error);
        if (status == QUERN_OK)
            status = qn_inverter_words(&mill->inverter, terms, words, n, length, error);
        if (status != QUERN_OK)
            return status;
    }
    *position = qn_tokenizer_position(mill->tokenizer);
    return QUERN_OK;
}

/* Title and text, as one field. */
static quern_status add_both(qn_mill *mill, const quern_span *text, uint32_t *length,
                             quern_error *error)
{
    uint32_t position = 0;
    quern_status status = QUERN_OK;
    if (text[0].len > 0) {
        status = add_text(mill, text[0], 0, &position, length, error);
        position += QN_FIELD_GAP;
    }
    return status == QUERN_OK ? add_text(mill, text[1], 0, &position, length, error) : status;
}

quern_status qn_mill_document(qn_mill *mill, uint32_t doc, const quern_span *text, uint32_t *length,
                              quern_error *error)
{
    /* At most a position a byte; CJK bigrams have fewer than their bytes. */
    unsigned n_fields = mill->n_fields;
    uint64_t most = QN_FIELD_GAP + 1;
    for (unsigned i = 0; i < qn_mill_n_texts(n_fields); i++)
        most += text[i].len;
    quern_status status = qn_inverter_go_to(&mill->inverter, doc, error);
    if (status == QUERN_OK)
        status = qn_inverter_document(
            &mill->inverter, most > QN_POSITIONS_MAX ? QN_POSITIONS_MAX : (uint32_t)most, error);
    memset(length, 0, (n_fields == 0 ? 1 : n_fields) * sizeof *length);
    if (status == QUERN_OK && n_fields == 0)
        return add_both(mill, text, length, error);
    for (unsigned i = 0; status == QUERN_OK && i < n_fields; i++) {
        uint32_t position = 0;
        status = add_text(mill, text[i], (uint8_t)(i + 1), &position, &length[i], error);
    }
    return status;
}

/* The number of a term that is given. */
static quern_status take_token(qn_mill *mill, const quern_token *token, uint32_t *number,
                               quern_error *error)
{
    char term[QN_TERM_MAX];
    if (mill->n_fields == 0)
        return qn_vocabulary_term(&mill->vocabulary, token->term.data, token->term.len, number,
                                  error);
    term[0] = (char)(token->field + 1);
    memcpy(term + QN_FIELD_PREFIX, token->term.data, token->term.len);
    return qn_vocabulary_term(&mill->vocabulary, term, token->term.len + QN_FIELD_PREFIX, number,
                              error);
}

quern_status qn_mill_tokens(qn_mill *mill, uint32_t doc, const quern_token *tokens, size_t n,
                            uint32_t *length, quern_error *error)
{
    uint32_t last = 0; /* position */
    for (size_t i = 0; i < n; i++)
        last = tokens[i].position > last ? tokens[i].position : last;
    memset(length, 0, (mill->n_fields == 0 ? 1 : mill->n_fields) * sizeof *length);
    quern_status status = qn_inverter_go_to(&mill->inverter, doc, error);
    if (status == QUERN_OK)
        status = qn_inverter_document(&mill->inverter, last + 1, error);
    for (size_t i = 0; status == QUERN_OK && i < n; i++) {
        uint32_t term = 0;
        if (i % WORDS == 0)
            status = make_room(mill, error);
        if (status == QUERN_OK)
            status = take_token(mill, &tokens[i], &term, error);
        if (status == QUERN_OK)
            status = qn_inverter_token(&mill->inverter, term, tokens[i].position, error);
        length[tokens[i].field]++;
    }
    return status;
}

quern_status qn_mill_finish(qn_mill *mill, quern_error *error)
{
    const qn_mill_room *room = mill->room;
    quern_status status = qn_inverter_flush(&mill->inverter, error);
    qn_inverter_shrink(&mill->inverter);
    uint64_t held = qn_inverter_bytes(&mill->inverter) + qn_vocabulary_bytes(&mill->vocabulary);
    if (status == QUERN_OK && held > room->memory / 2 / room->n_mills) {
        status = qn_inverter_spill(&mill->inverter, error);
        qn_vocabulary_free(&mill->vocabulary);
    }
    return status;
}
