/*
 * Parser and snippets: the input is a query up to its first newline, and a text after it. Any bytes
 * give a query that keeps its limits, a readable notice, and snippets of valid UTF-8 with marks in
 * order, the same each time.
 */
#include "index/text/utf8.h"
#include "query/parse.h"
#include "query/snippet.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Also in optimised builds. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static void check_query(const qn_query *query, const char *notice)
{
    size_t n_terms = 0;
    CHECK(query->n_clauses <= QN_QUERY_CLAUSES_MAX && query->n_terms <= QN_QUERY_TERMS_MAX);
    for (size_t i = 0; i < query->n_clauses; i++) {
        const qn_clause *c = &query->clause[i];
        CHECK(c->first_term == n_terms && c->n_terms > 0 && c->qtf > 0);
        CHECK(query->term[n_terms].position == 0);
        n_terms += c->n_terms;
    }
    CHECK(n_terms == query->n_terms);
    for (size_t i = 0; i < n_terms; i++)
        CHECK(query->term[i].text.len > 0 && query->term[i].text.len <= QN_WORD_MAX);
    if (notice != NULL) {
        CHECK(notice[0] != '\0' && strlen(notice) <= 400);
        CHECK(qn_utf8_valid_prefix(notice, strlen(notice)) == strlen(notice));
    }
}

static void check_snippet(const quern_snippet *s, size_t max)
{
    size_t last = 0;
    CHECK(s->text.len <= max);
    CHECK(qn_utf8_valid_prefix(s->text.data, s->text.len) == s->text.len);
    for (size_t i = 0; i < s->n_marks; i++) {
        quern_mark m = s->mark[i];
        CHECK(m.start >= last && m.start < m.end && m.end <= s->text.len);
        CHECK(((unsigned char)s->text.data[m.start] & 0xC0) != 0x80);
        CHECK(m.end == s->text.len || ((unsigned char)s->text.data[m.end] & 0xC0) != 0x80);
        last = m.end;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const size_t sizes[] = {0, 3, 40, 200};
    const char *text = (const char *)data;
    const char *line = len > 0 ? memchr(text, '\n', len) : NULL;
    quern_span typed = {text, line == NULL ? len : (size_t)(line - text)};
    quern_span shown = line == NULL ? typed : (quern_span){line + 1, len - typed.len - 1};

    qn_analyzer_settings settings = {"english", QUERN_STR("the\n")};
    qn_analyzer *analyzer;
    qn_parser *parser;
    qn_snippeter *snippeter;
    CHECK(qn_analyzer_new(&analyzer, &settings, NULL) == QUERN_OK);
    CHECK(qn_parser_new(&parser, analyzer, NULL) == QUERN_OK);
    CHECK(qn_snippeter_new(&snippeter, analyzer, NULL) == QUERN_OK);

    const qn_query *query;
    const char *notice;
    quern_status strict = qn_parser_parse(parser, typed, true, &query, &notice, NULL);
    CHECK(strict == QUERN_OK || strict == QUERN_E_INPUT);
    CHECK(qn_parser_parse(parser, typed, false, &query, &notice, NULL) == QUERN_OK);
    CHECK(strict == QUERN_OK || notice != NULL);
    check_query(query, notice);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        quern_snippet s;
        CHECK(qn_snippeter_make(snippeter, shown, query, NULL, sizes[i], &s, NULL) == QUERN_OK);
        check_snippet(&s, sizes[i]);
    }
    qn_snippeter_free(snippeter);
    qn_parser_free(parser);
    qn_analyzer_free(analyzer);
    return 0;
}
