/*
 * From what people type to a query.
 *
 * The text is read once, item by item: an optional sign, then a phrase in quotes or a token, which
 * goes up to white space or an opening quote. The terms of an item are written behind those of the
 * query; if the unit they form is there already (a hash table tells), they are dropped again and
 * the older clause counts one more. So time is linear in the text, however often words repeat.
 */
#include "query/parse.h"

#include "index/base/buffer.h"
#include "index/base/checksum.h"
#include "index/base/status.h"
#include "query/chars.h"
#include "query/notice.h"
#include "query/prose.h"

#include <stdlib.h>
#include <string.h>

enum {
    TERMS = QN_QUERY_TERMS_MAX,
    SLOTS = 4 * QN_QUERY_CLAUSES_MAX, /* a power of two */
};

/* Left and right double quotation marks; they and '"' open and close alike. */
enum { QUOTE_LEFT = 0x201C, QUOTE_RIGHT = 0x201D };

struct qn_parser {
    qn_analyzer *analyzer;
    qn_query query;
    qn_clause clause[QN_QUERY_CLAUSES_MAX];
    /* Terms of the query, and behind them those of the item being read: as many again, so that it
     * can be compared before it is clear whether it fits. */
    qn_query_term term[2 * TERMS];
    uint32_t text_at[2 * TERMS]; /* where in `text` a term begins: spans are made at the end */
    qn_buffer text;
    size_t n_clauses, n_terms, n_new;
    uint16_t slot[SLOTS]; /* clause + 1 by hash of its unit, or 0 */
    bool full;            /* a limit was reached: the rest is left out */
    qn_notice notice;
    char notice_text[QN_NOTICE_MAX + 1];
};

/* Where the reading of a query's text is. */
typedef struct reader {
    const char *text;
    size_t len, at;
    bool fresh;       /* at the start, after white space or an opening parenthesis */
    bool more_quotes; /* false: it is known that no quote follows */
    quern_error *error;
} reader;

quern_status qn_parser_new(qn_parser **out, qn_analyzer *analyzer, quern_error *error)
{
    *out = calloc(1, sizeof **out);
    if (*out == NULL)
        return qn_fail_memory(error);
    (*out)->analyzer = analyzer;
    return QUERN_OK;
}

void qn_parser_free(qn_parser *parser)
{
    if (parser == NULL)
        return;
    qn_buffer_free(&parser->text);
    free(parser);
}

/* ---- units ----------------------------------------------------------------------------------- */

static uint64_t hash_new(const qn_parser *p)
{
    uint32_t first = p->text_at[p->n_terms];
    uint64_t hash = qn_checksum(p->text.data + first, p->text.len - first);
    for (size_t i = p->n_terms; i < p->n_terms + p->n_new; i++) {
        hash ^= (uint64_t)p->term[i].text.len << 32 | p->term[i].position;
        hash *= 0x9E3779B97F4A7C15u;
        hash ^= hash >> 32;
    }
    return hash;
}

/* Whether the terms being read are those of a clause. */
static bool is_same(const qn_parser *p, const qn_clause *clause)
{
    if (clause->n_terms != p->n_new)
        return false;
    for (size_t i = 0; i < p->n_new; i++) {
        size_t a = clause->first_term + i, b = p->n_terms + i;
        if (p->term[a].position != p->term[b].position ||
            p->term[a].text.len != p->term[b].text.len ||
            memcmp(p->text.data + p->text_at[a], p->text.data + p->text_at[b],
                   p->term[a].text.len) != 0)
            return false;
    }
    return true;
}

/* Drops new terms from the `keep`th on. */
static void drop_new(qn_parser *p, size_t keep)
{
    if (keep < p->n_new)
        p->text.len = p->text_at[p->n_terms + keep];
    p->n_new = keep;
}

/* The same unit once more. */
static void repeat(qn_parser *p, qn_clause *clause, qn_occur occur, uint64_t at, quern_span shown)
{
    clause->qtf += clause->qtf < UINT32_MAX;
    if ((clause->occur == QN_NOT) != (occur == QN_NOT)) {
        qn_notice_add(&p->notice, QN_NOTICE_BOTH, at, shown);
        clause->occur = QN_NOT;
    } else if (occur == QN_MUST) {
        clause->occur = QN_MUST;
    }
}

/* The slot of the clause that has the new terms, or a free one for it. */
static size_t find_slot(const qn_parser *p)
{
    size_t i = (size_t)hash_new(p) & (SLOTS - 1);
    while (p->slot[i] != 0 && !is_same(p, &p->clause[p->slot[i] - 1]))
        i = (i + 1) & (SLOTS - 1);
    return i;
}

/* Makes the new terms (all of the unit if `whole`) a clause, or adds them to the one that has them
 * already. `shown` is what was typed, at byte `at`. */
static void take_unit(qn_parser *p, qn_occur occur, bool whole, uint64_t at, quern_span shown)
{
    size_t room = TERMS - p->n_terms;
    size_t i = find_slot(p);
    if (!whole || (p->slot[i] == 0 && p->n_new > room)) {
        qn_notice_add(&p->notice, QN_NOTICE_LIMIT, at, (quern_span){0});
        p->full = true;
        /* Part of a phrase is found wherever all of it is, but to exclude by a part is too much. */
        drop_new(p, occur == QN_NOT ? 0 : p->n_new < room ? p->n_new : room);
        if (p->n_new == 0)
            return;
        i = find_slot(p);
    }
    if (p->slot[i] != 0) {
        repeat(p, &p->clause[p->slot[i] - 1], occur, at, shown);
        drop_new(p, 0);
        return;
    }
    p->clause[p->n_clauses] = (qn_clause){occur, 1, (uint32_t)p->n_terms, (uint32_t)p->n_new};
    p->slot[i] = (uint16_t)++p->n_clauses;
    p->n_terms += p->n_new;
    p->n_new = 0;
}

/* Adds an analysed word to the new terms. */
static bool push_term(qn_parser *p, const qn_word *word, uint32_t position)
{
    size_t i = p->n_terms + p->n_new;
    p->text_at[i] = (uint32_t)p->text.len;
    p->term[i] = (qn_query_term){{NULL, word->len}, position};
    if (!qn_buffer_append(&p->text, word->text, word->len))
        return false;
    p->n_new++;
    return true;
}

/* Analyses a stretch of the query: as one unit (`together`), or each term as one. */
static quern_status take_words(qn_parser *p, const reader *r, quern_span words, qn_occur occur,
                               bool together)
{
    uint64_t at = (uint64_t)(words.data - r->text);
    uint32_t first = 0;
    bool any = false;
    qn_word word;
    quern_status status = QUERN_OK;
    qn_analyzer_start(p->analyzer, words.data, words.len);
    while (!p->full && p->n_new < TERMS) {
        status = qn_analyzer_next(p->analyzer, &word, r->error);
        if (status != QUERN_OK)
            break;
        if (!any)
            first = word.position;
        any = true;
        if (!push_term(p, &word, together ? word.position - first : 0))
            return qn_fail_memory(r->error);
        if (!together)
            take_unit(p, occur, true, at, words);
    }
    if (status != QUERN_OK && status != QUERN_END)
        return status;
    if (!any && together)
        qn_notice_add(&p->notice, QN_NOTICE_STOPPED, at, words);
    if (p->n_new == 0)
        return QUERN_OK;
    if (status == QUERN_OK)
        status = qn_analyzer_next(p->analyzer, &word, r->error);
    if (status == QUERN_OK || status == QUERN_END)
        take_unit(p, occur, status == QUERN_END, at, words);
    return status == QUERN_END ? QUERN_OK : status;
}

/* ---- reading --------------------------------------------------------------------------------- */

static inline qn_utf8_point point_at(const reader *r, size_t at)
{
    return qn_utf8_decode(r->text + at, r->len - at);
}

static inline bool is_quote(uint32_t c)
{
    return c == '"' || c == QUOTE_LEFT || c == QUOTE_RIGHT;
}

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool is_letter(char c)
{
    unsigned lower = ((unsigned)(unsigned char)c | 32u) - 'a';
    return lower < 26;
}

/* A byte that is likely part of a word. */
static inline bool is_wordy(char c)
{
    return is_letter(c) || is_digit(c) || (unsigned char)c >= 0x80;
}

/* Whether a quote within a token opens a phrase: 12" does not. */
static bool opens(const reader *r, size_t at, uint32_t quote)
{
    return quote == QUOTE_LEFT || !is_digit(r->text[at - 1]);
}

/* Where the token at `at` (not empty) ends. */
static size_t token_end(const reader *r, size_t at)
{
    size_t end = at;
    while (end < r->len) {
        qn_utf8_point c = point_at(r, end);
        if (qn_chars_is_space(c.value))
            break;
        if (end > at && is_quote(c.value) && opens(r, end, c.value))
            break;
        end += c.len;
    }
    return end;
}

/* Where the quote is that closes a phrase which begins at `at`, and its length; false if there is
 * none. */
static bool closing_quote(reader *r, size_t at, size_t *end, size_t *quote_len)
{
    while (r->more_quotes && at < r->len) {
        qn_utf8_point c = point_at(r, at);
        if (is_quote(c.value)) {
            *end = at;
            *quote_len = c.len;
            return true;
        }
        at += c.len;
    }
    r->more_quotes = false;
    return false;
}

/* The length of "name:" at the start of a token, if it looks like a field and something follows: no
 * time of day, no URL, no C++ name; else 0. */
static size_t field_len(const reader *r, quern_span token)
{
    size_t i = 0;
    while (i < token.len &&
           (is_letter(token.data[i]) || token.data[i] == '_' ||
            (i > 0 && (is_digit(token.data[i]) || token.data[i] == '.' || token.data[i] == '-'))))
        i++;
    if (i == 0 || i == token.len || token.data[i] != ':')
        return 0;
    size_t next = (size_t)(token.data - r->text) + i + 1;
    if (next == r->len || strchr("/\\:)", r->text[next]) != NULL ||
        qn_chars_is_space(point_at(r, next).value))
        return 0;
    return i + 1;
}

/* Whether a token ends in ~ or ^ and a number (or nothing), after a word or a phrase. */
static bool has_suffix(quern_span token, bool after_phrase)
{
    size_t i = token.len;
    while (i > 0 && (is_digit(token.data[i - 1]) || token.data[i - 1] == '.'))
        i--;
    if (i == 0 || (token.data[i - 1] != '~' && token.data[i - 1] != '^'))
        return false;
    return i == 1 ? after_phrase : is_wordy(token.data[i - 2]);
}

/* Whether a * stands at a word. */
static bool has_wildcard(quern_span token)
{
    for (size_t i = 0; i < token.len; i++) {
        if (token.data[i] == '*' && ((i > 0 && is_wordy(token.data[i - 1])) ||
                                     (i + 1 < token.len && is_wordy(token.data[i + 1]))))
            return true;
    }
    return false;
}

static bool is_one_of(quern_span token, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (token.len == strlen(*words) && memcmp(token.data, *words, token.len) == 0)
            return true;
    }
    return false;
}

/* Remarks on what other engines would understand in a token. */
static void remark(qn_parser *p, const reader *r, quern_span token, bool is_signed,
                   bool after_phrase)
{
    static const char *const operators[] = {"AND", "OR", "NOT", NULL};
    uint64_t at = (uint64_t)(token.data - r->text);
    size_t field = field_len(r, token);
    if (field > 0) {
        qn_notice_add(&p->notice, QN_NOTICE_SYNTAX, at, (quern_span){token.data, field});
        return;
    }
    while (token.len > 0 && token.data[token.len - 1] == ')')
        token.len--;
    if ((!is_signed && is_one_of(token, operators)) || has_suffix(token, after_phrase) ||
        has_wildcard(token))
        qn_notice_add(&p->notice, QN_NOTICE_SYNTAX, at, token);
}

/* Takes the phrase that the quote at r->at opens. */
static quern_status take_phrase(qn_parser *p, reader *r, size_t quote_len, qn_occur occur)
{
    size_t open = r->at, begin = open + quote_len, end = 0, end_len = 0;
    r->at = begin;
    r->fresh = false;
    if (!closing_quote(r, begin, &end, &end_len)) {
        qn_notice_add(&p->notice, QN_NOTICE_QUOTE, open, (quern_span){0});
        return QUERN_OK;
    }
    r->at = end + end_len;
    quern_span words = {r->text + begin, end - begin};
    size_t i = begin;
    while (i < end && qn_chars_is_space(point_at(r, i).value))
        i += point_at(r, i).len;
    if (i == end) {
        qn_notice_add(&p->notice, QN_NOTICE_BLANK, open, (quern_span){0});
        return QUERN_OK;
    }
    return take_words(p, r, words, occur, true);
}

/* Reads the signs at r->at. Several mean nothing, nor does one that stands alone or before a
 * parenthesis. False if there was nothing but signs. */
static bool take_signs(qn_parser *p, reader *r, qn_occur *occur)
{
    size_t begin = r->at;
    while (r->at < r->len && (r->text[r->at] == '+' || r->text[r->at] == '-'))
        r->at++;
    size_t n = r->at - begin;
    if (n == 0)
        return true;
    r->fresh = false;
    if (r->at == r->len || qn_chars_is_space(point_at(r, r->at).value)) {
        qn_notice_add(&p->notice, QN_NOTICE_LONE, begin, (quern_span){r->text + begin, n});
        return false;
    }
    if (n == 1 && r->text[r->at] != '(') {
        *occur = r->text[begin] == '+' ? QN_MUST : QN_NOT;
    } else {
        quern_span shown = {r->text + begin, token_end(r, r->at) - begin};
        qn_notice_add(&p->notice, QN_NOTICE_SYNTAX, begin, shown);
    }
    return true;
}

/* Skips opening parentheses at the start of a token. */
static void skip_parentheses(qn_parser *p, reader *r)
{
    size_t begin = r->at;
    while (r->at < r->len && r->text[r->at] == '(')
        r->at++;
    if (r->at == begin)
        return;
    size_t end = r->at < r->len ? token_end(r, r->at) : r->at;
    qn_notice_add(&p->notice, QN_NOTICE_SYNTAX, begin, (quern_span){r->text + begin, end - begin});
}

/* Takes the item at r->at, which is not white space. */
static quern_status take_item(qn_parser *p, reader *r)
{
    qn_occur occur = QN_SHOULD;
    bool after_phrase = !r->fresh;
    if (r->fresh) {
        skip_parentheses(p, r);
        if (!take_signs(p, r, &occur) || r->at == r->len)
            return QUERN_OK;
    }
    qn_utf8_point c = point_at(r, r->at);
    if (is_quote(c.value))
        return take_phrase(p, r, c.len, occur);
    size_t end = token_end(r, r->at);
    quern_span token = {r->text + r->at, end - r->at};
    r->at = end;
    r->fresh = false;
    if (token.len == 0)
        return QUERN_OK;
    remark(p, r, token, occur != QN_SHOULD, after_phrase);
    return take_words(p, r, token, occur, occur != QN_SHOULD);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void clear(qn_parser *p)
{
    p->query = (qn_query){0};
    p->text.len = 0;
    p->n_clauses = p->n_terms = p->n_new = 0;
    memset(p->slot, 0, sizeof p->slot);
    p->full = false;
    p->notice = (qn_notice){0};
}

static quern_status read_query(qn_parser *p, reader *r)
{
    quern_status status = QUERN_OK;
    while (status == QUERN_OK && !p->full && r->at < r->len) {
        qn_utf8_point c = point_at(r, r->at);
        if (qn_chars_is_space(c.value)) {
            r->fresh = true;
            r->at += c.len;
        } else {
            status = take_item(p, r);
        }
    }
    return status;
}

/* Remarks on the query as a whole. `start`: its first byte that is not white space. */
static void remark_on_all(qn_parser *p, size_t start, size_t len)
{
    size_t n_not = 0;
    for (size_t i = 0; i < p->n_clauses; i++)
        n_not += p->clause[i].occur == QN_NOT;
    if (p->n_clauses > 0 && n_not == p->n_clauses)
        qn_notice_add(&p->notice, QN_NOTICE_ONLY_NOT, start, (quern_span){0});
    if (p->n_clauses == 0 && start < len)
        qn_notice_add(&p->notice, QN_NOTICE_NOTHING, start, (quern_span){0});
}

quern_status qn_parser_parse(qn_parser *parser, quern_span text, quern_syntax syntax, bool strict,
                             const qn_query **query, const char **notice, quern_error *error)
{
    clear(parser);
    *query = &parser->query;
    *notice = NULL;
    reader r = {
        .text = text.data, .len = text.len, .fresh = true, .more_quotes = true, .error = error};
    size_t start = 0;
    while (start < r.len && qn_chars_is_space(point_at(&r, start).value))
        start += point_at(&r, start).len;
    r.at = start;
    bool prose = syntax == QUERN_SYNTAX_TOPIC && qn_prose_is(text);
    if (prose && qn_prose_has_operators(text))
        qn_notice_add(&parser->notice, QN_NOTICE_PROSE, start, (quern_span){0});
    quern_status status = prose || syntax == QUERN_SYNTAX_WORDS
                              ? take_words(parser, &r, text, QN_SHOULD, false)
                              : read_query(parser, &r);
    if (status != QUERN_OK)
        return status;
    remark_on_all(parser, start, r.len);
    if (strict) {
        status = qn_notice_fail(&parser->notice, error);
        if (status != QUERN_OK)
            return status;
    }
    for (size_t i = 0; i < parser->n_terms; i++)
        parser->term[i].text.data = (const char *)parser->text.data + parser->text_at[i];
    parser->query = (qn_query){parser->clause, parser->n_clauses, parser->term, parser->n_terms};
    if (qn_notice_write(&parser->notice, parser->notice_text))
        *notice = parser->notice_text;
    return QUERN_OK;
}
