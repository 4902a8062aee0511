/* Walking the terms of an index: the dictionaries of all segments merged, filtered by a pattern. */
#include "engine/index.h"

#include "index/base/status.h"

#include <stdlib.h>

struct quern_terms {
    size_t n_cursors;
    qn_dict_cursor *cursor;
    bool *open; /* whether the cursor stands on a term */
    const quern_index *index;
    const qn_fields *fields; /* of the index; their terms have a byte before them */
    unsigned field, end;     /* the field at hand, and the first that is not wanted */
    char *pattern;
    size_t pattern_len, prefix_len; /* prefix: up to the first wildcard */
    char term[QN_TERM_MAX];
};

/* Bytes before each term. */
static size_t before_term(const quern_terms *terms)
{
    return terms->fields->n > 0 ? QN_FIELD_PREFIX : 0;
}

static quern_status step(quern_terms *terms, size_t i, quern_error *error)
{
    quern_status status = qn_dict_next(&terms->cursor[i], error);
    terms->open[i] = status == QUERN_OK;
    return status == QUERN_END ? QUERN_OK : status;
}

/* Goes to the first term of the field at hand that may match. */
static quern_status seek(quern_terms *terms, quern_error *error)
{
    char from[QN_TERM_MAX];
    size_t before = before_term(terms), len = terms->prefix_len;
    len = len > sizeof from - before ? sizeof from - before : len;
    from[0] = (char)(terms->field + 1);
    memcpy(from + before, terms->pattern, len);
    for (size_t i = 0; i < terms->n_cursors; i++) {
        quern_status status = qn_dict_seek(&terms->cursor[i], &terms->index->segment[i].dict, from,
                                           before + len, error);
        if (status == QUERN_OK)
            status = step(terms, i, error);
        if (status != QUERN_OK)
            return status;
    }
    return QUERN_OK;
}

/* Takes the name of a field off the pattern. */
static void take_field(quern_terms *terms, quern_span *pattern)
{
    const char *colon = pattern->len == 0 ? NULL : memchr(pattern->data, ':', pattern->len);
    terms->end = terms->fields->n;
    if (colon == NULL)
        return;
    size_t len = (size_t)(colon - pattern->data);
    unsigned field = qn_fields_find(terms->fields, pattern->data, len);
    if (field == terms->fields->n)
        return;
    terms->field = field;
    terms->end = field + 1;
    *pattern = (quern_span){colon + 1, pattern->len - len - 1};
}

quern_status quern_terms_new(quern_terms **out, const quern_index *index, quern_span pattern,
                             quern_error *error)
{
    *out = NULL;
    quern_terms *terms = calloc(1, sizeof *terms);
    if (terms == NULL)
        return qn_fail_memory(error);
    terms->index = index;
    terms->fields = &index->segment[0].meta.fields;
    take_field(terms, &pattern);
    terms->cursor = calloc(index->n_segments + 1, sizeof *terms->cursor);
    terms->open = calloc(index->n_segments + 1, sizeof *terms->open);
    terms->pattern = malloc(pattern.len + 1);
    if (terms->cursor == NULL || terms->open == NULL || terms->pattern == NULL) {
        quern_terms_free(terms);
        return qn_fail_memory(error);
    }
    if (pattern.len > 0)
        memcpy(terms->pattern, pattern.data, pattern.len);
    terms->pattern_len = pattern.len;
    while (terms->prefix_len < pattern.len && terms->pattern[terms->prefix_len] != '*' &&
           terms->pattern[terms->prefix_len] != '?')
        terms->prefix_len++;
    terms->n_cursors = index->n_segments;
    quern_status status = seek(terms, error);
    if (status != QUERN_OK) {
        quern_terms_free(terms);
        return status;
    }
    *out = terms;
    return QUERN_OK;
}

/* Bytes of the UTF-8 character at `at`; one for a stray byte. */
static size_t character(const char *at, size_t left)
{
    unsigned char c = (unsigned char)*at;
    size_t len = c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    return len < left ? len : left;
}

/* Glob match with one level of backtracking to the last `*`: linear but for repeated stars. */
static bool matches(const char *pattern, size_t pattern_len, const char *term, size_t len)
{
    size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;
    while (t < len) {
        if (p < pattern_len && pattern[p] == '*') {
            star = ++p;
            mark = t;
        } else if (p < pattern_len && pattern[p] == '?') {
            p++;
            t += character(term + t, len - t);
        } else if (p < pattern_len && pattern[p] == term[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern_len && pattern[p] == '*')
        p++;
    return p == pattern_len;
}

static int order(const qn_dict_cursor *a, const qn_dict_cursor *b)
{
    size_t len = a->len < b->len ? a->len : b->len;
    int first = memcmp(a->term, b->term, len);
    return first != 0 ? first : a->len < b->len ? -1 : a->len > b->len;
}

/* The least term of all cursors, its statistics summed, its cursors stepped on. */
static quern_status next_of_all(quern_terms *terms, quern_term *term, quern_error *error)
{
    const qn_dict_cursor *least = NULL;
    for (size_t i = 0; i < terms->n_cursors; i++)
        if (terms->open[i] && (least == NULL || order(&terms->cursor[i], least) < 0))
            least = &terms->cursor[i];
    if (least == NULL)
        return QUERN_END;
    size_t len = least->len;
    memcpy(terms->term, least->term, len);
    *term = (quern_term){.term = {terms->term, len}};
    for (size_t i = 0; i < terms->n_cursors; i++) {
        const qn_dict_cursor *cursor = &terms->cursor[i];
        if (!terms->open[i] || cursor->len != len || memcmp(cursor->term, terms->term, len) != 0)
            continue;
        term->df += cursor->info.df;
        term->cf += cursor->info.cf;
        quern_status status = step(terms, i, error);
        if (status != QUERN_OK)
            return status;
    }
    return QUERN_OK;
}

/* The next term of the field at hand that matches; QUERN_END after the last. */
static quern_status next_of_field(quern_terms *terms, quern_term *term, quern_error *error)
{
    size_t before = before_term(terms);
    for (;;) {
        quern_status status = next_of_all(terms, term, error);
        if (status != QUERN_OK)
            return status;
        if (before > 0 && (uint8_t)term->term.data[0] != terms->field + 1)
            return QUERN_END;
        term->term = (quern_span){term->term.data + before, term->term.len - before};
        if (term->term.len < terms->prefix_len ||
            memcmp(term->term.data, terms->pattern, terms->prefix_len) != 0)
            return QUERN_END; /* past every term with the pattern's prefix */
        if (terms->pattern_len == 0 ||
            matches(terms->pattern, terms->pattern_len, term->term.data, term->term.len))
            return QUERN_OK;
    }
}

quern_status quern_terms_next(quern_terms *terms, quern_term *term, quern_error *error)
{
    quern_status status = next_of_field(terms, term, error);
    while (status == QUERN_END && terms->field + 1 < terms->end) {
        terms->field++;
        status = seek(terms, error);
        if (status == QUERN_OK)
            status = next_of_field(terms, term, error);
    }
    if (status == QUERN_OK && terms->fields->n > 0) {
        const char *name = terms->fields->field[terms->field].name;
        term->field = (quern_span){name, strlen(name)};
    }
    return status;
}

void quern_terms_free(quern_terms *terms)
{
    if (terms == NULL)
        return;
    free(terms->cursor);
    free(terms->open);
    free(terms->pattern);
    free(terms);
}
