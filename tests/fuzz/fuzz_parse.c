/*
 * Parser and snippets: the input is a query up to its first newline, and a text after it. Any bytes
 * give a query that keeps its limits, a readable notice, and snippets of clean UTF-8 with marks in
 * order. Parser, analyzer and snippeter serve one input after the other, as a searcher's do.
 */
#include "index/text/utf8.h"
#include "query/parse.h"
#include "query/snippet.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void check_query(const qn_query *query, const char *notice)
{
    size_t n_terms = 0;
    QN_FUZZ_CHECK(query->n_clauses <= QN_QUERY_CLAUSES_MAX && query->n_terms <= QN_QUERY_TERMS_MAX);
    for (size_t i = 0; i < query->n_clauses; i++) {
        const qn_clause *c = &query->clause[i];
        QN_FUZZ_CHECK(c->occur == QN_SHOULD || c->occur == QN_MUST || c->occur == QN_NOT);
        QN_FUZZ_CHECK(c->first_term == n_terms && c->n_terms > 0 && c->qtf > 0);
        QN_FUZZ_CHECK(query->term[n_terms].position == 0);
        for (size_t t = n_terms + 1; t < n_terms + c->n_terms; t++)
            QN_FUZZ_CHECK(query->term[t].position >= query->term[t - 1].position);
        n_terms += c->n_terms;
    }
    QN_FUZZ_CHECK(n_terms == query->n_terms);
    for (size_t i = 0; i < n_terms; i++)
        QN_FUZZ_CHECK(query->term[i].text.len > 0 && query->term[i].text.len <= QN_WORD_MAX);
    if (notice != NULL) {
        QN_FUZZ_CHECK(notice[0] != '\0' && strlen(notice) <= 400);
        QN_FUZZ_CHECK(qn_utf8_valid_prefix(notice, strlen(notice)) == strlen(notice));
    }
}

/* Strict UTF-8 by the table of the Unicode standard (3-7), without control characters: an opinion
 * of its own on what qn_utf8_valid_prefix accepts. */
static bool is_clean_text(const char *text, size_t len)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + len;
    while (p < end) {
        unsigned char lead = *p++;
        unsigned more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC2 ? 1 : 0;
        if (lead < 0x20 || lead == 0x7F || (lead >= 0x80 && more == 0) || lead > 0xF4 ||
            (size_t)(end - p) < more)
            return false;
        if ((lead == 0xE0 && p[0] < 0xA0) || (lead == 0xED && p[0] > 0x9F) ||
            (lead == 0xF0 && p[0] < 0x90) || (lead == 0xF4 && p[0] > 0x8F))
            return false;
        for (; more > 0; more--)
            if ((*p++ & 0xC0) != 0x80)
                return false;
    }
    return true;
}

static void check_snippet(const quern_snippet *s, size_t max)
{
    size_t last = 0;
    QN_FUZZ_CHECK(s->text.len <= max);
    QN_FUZZ_CHECK(is_clean_text(s->text.data, s->text.len));
    for (size_t i = 0; i < s->n_marks; i++) {
        quern_mark m = s->mark[i];
        QN_FUZZ_CHECK(m.start >= last && m.start < m.end && m.end <= s->text.len);
        QN_FUZZ_CHECK(((unsigned char)s->text.data[m.start] & 0xC0) != 0x80);
        QN_FUZZ_CHECK(m.end == s->text.len || ((unsigned char)s->text.data[m.end] & 0xC0) != 0x80);
        last = m.end;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const size_t sizes[] = {0, 3, 40, 80, 200};
    static const float weightless[QN_QUERY_CLAUSES_MAX]; /* zero is a weight, too */
    const char *text = (const char *)data;
    const char *line = len > 0 ? memchr(text, '\n', len) : NULL;
    quern_span typed = {text, line == NULL ? len : (size_t)(line - text)};
    quern_span shown = line == NULL ? typed : (quern_span){line + 1, len - typed.len - 1};

    /* Kept from input to input: making them takes longer than what is tested. */
    static qn_analyzer *analyzer;
    static qn_parser *parser;
    static qn_snippeter *snippeter;
    if (analyzer == NULL) {
        qn_analyzer_settings settings = {"english", QUERN_STR("the\n")};
        QN_FUZZ_CHECK(qn_analyzer_new(&analyzer, &settings, NULL) == QUERN_OK);
        QN_FUZZ_CHECK(qn_parser_new(&parser, analyzer, NULL) == QUERN_OK);
        QN_FUZZ_CHECK(qn_snippeter_new(&snippeter, analyzer, NULL) == QUERN_OK);
    }

    const qn_query *query;
    const char *notice;
    quern_error error = {0};
    quern_status strict =
        qn_parser_parse(parser, typed, QUERN_SYNTAX_QUERY, true, &query, &notice, &error);
    if (strict == QUERN_OK)
        check_query(query, notice);
    else
        QN_FUZZ_CHECK(strict == QUERN_E_INPUT && error.position <= typed.len);
    QN_FUZZ_CHECK(qn_parser_parse(parser, typed, QUERN_SYNTAX_QUERY, false, &query, &notice,
                                  NULL) == QUERN_OK);
    QN_FUZZ_CHECK(strict == QUERN_OK || notice != NULL);
    check_query(query, notice);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        quern_snippet s;
        QN_FUZZ_CHECK(qn_snippeter_make(snippeter, shown, query, i % 2 == 0 ? NULL : weightless,
                                        sizes[i], &s, NULL) == QUERN_OK);
        check_snippet(&s, sizes[i]);
    }
    return 0;
}
