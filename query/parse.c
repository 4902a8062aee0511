/*
 * From what people type to a query: the text is read once, item by item: an optional sign, a
 * field's name, then a phrase in quotes or a token, which goes up to white space or an opening
 * quote.
 */
#include "query/parse.h"

#include "index/base/status.h"
#include "query/chars.h"
#include "query/notice.h"
#include "query/prose.h"
#include "query/units.h"

#include <stdlib.h>
#include <string.h>

/* Left and right double quotation marks; they and '"' open and close alike. */
enum { QUOTE_LEFT = 0x201C, QUOTE_RIGHT = 0x201D };

struct qn_parser {
    qn_analyzer *analyzer;
    qn_units units;
    uint32_t usual; /* bits of the fields in which words are looked for that name none */
    qn_query query;
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
    qn_units_free(&parser->units);
    free(parser);
}

void qn_parser_set_fields(qn_parser *parser, const qn_fields *fields, uint32_t usual)
{
    parser->units.fields = fields;
    parser->usual = usual;
}

/* ---- words ----------------------------------------------------------------------------------- */

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
    while (!p->units.full && p->units.n_new < QN_QUERY_TERMS_MAX) {
        status = qn_analyzer_next(p->analyzer, &word, r->error);
        if (status != QUERN_OK)
            break;
        if (!any)
            first = word.position;
        any = true;
        if (!qn_units_push(&p->units, &word, together ? word.position - first : 0))
            return qn_fail_memory(r->error);
        if (!together && !qn_units_take(&p->units, occur, true, at, words))
            return qn_fail_memory(r->error);
    }
    if (status != QUERN_OK && status != QUERN_END)
        return status;
    if (!any && together)
        qn_notice_add(&p->units.notice, QN_NOTICE_STOPPED, at, words);
    if (p->units.n_new == 0)
        return QUERN_OK;
    if (status == QUERN_OK)
        status = qn_analyzer_next(p->analyzer, &word, r->error);
    if ((status == QUERN_OK || status == QUERN_END) &&
        !qn_units_take(&p->units, occur, status == QUERN_END, at, words))
        return qn_fail_memory(r->error);
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
        qn_notice_add(&p->units.notice, QN_NOTICE_SYNTAX, at, (quern_span){token.data, field});
        return;
    }
    while (token.len > 0 && token.data[token.len - 1] == ')')
        token.len--;
    if ((!is_signed && is_one_of(token, operators)) || has_suffix(token, after_phrase) ||
        has_wildcard(token))
        qn_notice_add(&p->units.notice, QN_NOTICE_SYNTAX, at, token);
}

/* Takes the phrase that the quote at r->at opens. */
static quern_status take_phrase(qn_parser *p, reader *r, size_t quote_len, qn_occur occur)
{
    size_t open = r->at, begin = open + quote_len, end = 0, end_len = 0;
    r->at = begin;
    r->fresh = false;
    if (!closing_quote(r, begin, &end, &end_len)) {
        qn_notice_add(&p->units.notice, QN_NOTICE_QUOTE, open, (quern_span){0});
        return QUERN_OK;
    }
    r->at = end + end_len;
    quern_span words = {r->text + begin, end - begin};
    size_t i = begin;
    while (i < end && qn_chars_is_space(point_at(r, i).value))
        i += point_at(r, i).len;
    if (i == end) {
        qn_notice_add(&p->units.notice, QN_NOTICE_BLANK, open, (quern_span){0});
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
        qn_notice_add(&p->units.notice, QN_NOTICE_LONE, begin, (quern_span){r->text + begin, n});
        return false;
    }
    if (n == 1 && r->text[r->at] != '(') {
        *occur = r->text[begin] == '+' ? QN_MUST : QN_NOT;
    } else {
        quern_span shown = {r->text + begin, token_end(r, r->at) - begin};
        qn_notice_add(&p->units.notice, QN_NOTICE_SYNTAX, begin, shown);
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
    qn_notice_add(&p->units.notice, QN_NOTICE_SYNTAX, begin,
                  (quern_span){r->text + begin, end - begin});
}

/* Reads the name of a field, and its colon, at r->at: what follows is looked for there. */
static void take_field(qn_parser *p, reader *r)
{
    quern_span token = {r->text + r->at, token_end(r, r->at) - r->at};
    size_t len = p->units.fields == NULL ? 0 : field_len(r, token);
    if (len == 0 || r->text[r->at + len] == '(')
        return;
    unsigned field = qn_fields_find(p->units.fields, token.data, len - 1);
    if (field == p->units.fields->n)
        return;
    p->units.wanted = (uint32_t)1 << field;
    r->at += len;
}

/* Takes the item at r->at, which is not white space. */
static quern_status take_item(qn_parser *p, reader *r)
{
    qn_occur occur = QN_SHOULD;
    p->units.wanted = p->usual;
    bool after_phrase = !r->fresh;
    if (r->fresh) {
        skip_parentheses(p, r);
        if (!take_signs(p, r, &occur) || r->at == r->len)
            return QUERN_OK;
        take_field(p, r);
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
    qn_units_clear(&p->units);
    p->units.wanted = p->usual;
}

static quern_status read_query(qn_parser *p, reader *r)
{
    quern_status status = QUERN_OK;
    while (status == QUERN_OK && !p->units.full && r->at < r->len) {
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
    for (size_t i = 0; i < p->units.n_clauses; i++)
        n_not += p->units.clause[i].occur == QN_NOT;
    if (p->units.n_clauses > 0 && n_not == p->units.n_clauses)
        qn_notice_add(&p->units.notice, QN_NOTICE_ONLY_NOT, start, (quern_span){0});
    if (p->units.n_clauses == 0 && start < len)
        qn_notice_add(&p->units.notice, QN_NOTICE_NOTHING, start, (quern_span){0});
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
        qn_notice_add(&parser->units.notice, QN_NOTICE_PROSE, start, (quern_span){0});
    quern_status status = prose || syntax == QUERN_SYNTAX_WORDS
                              ? take_words(parser, &r, text, QN_SHOULD, false)
                              : read_query(parser, &r);
    if (status != QUERN_OK)
        return status;
    qn_units_settle(&parser->units);
    remark_on_all(parser, start, r.len);
    if (strict) {
        status = qn_notice_fail(&parser->units.notice, error);
        if (status != QUERN_OK)
            return status;
    }
    qn_units *units = &parser->units;
    for (size_t i = 0; i < units->n_terms; i++)
        units->term[i].text.data = (const char *)units->text.data + units->text_at[i];
    parser->query = (qn_query){.clause = units->clause,
                               .n_clauses = units->n_clauses,
                               .term = units->term,
                               .n_terms = units->n_terms,
                               .n_groups = units->n_groups,
                               .fields = units->fields};
    if (qn_notice_write(&parser->units.notice, parser->notice_text))
        *notice = parser->notice_text;
    return QUERN_OK;
}
