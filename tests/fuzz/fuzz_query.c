/*
 * What people type: any bytes give a query within the limits, whose clauses are well-formed, and a
 * snippet of any text for it that is valid UTF-8 with marks in order.
 *
 *     input := strict(u8) query 0 text
 */
#define _GNU_SOURCE
#include "query/parse.h"
#include "query/snippet.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void check_query(const qn_query *query)
{
    QN_FUZZ_CHECK(query->n_clauses <= QN_QUERY_CLAUSES_MAX);
    QN_FUZZ_CHECK(query->n_terms <= QN_QUERY_TERMS_MAX);
    for (size_t i = 0; i < query->n_clauses; i++) {
        const qn_clause *c = &query->clause[i];
        QN_FUZZ_CHECK(c->occur == QN_SHOULD || c->occur == QN_MUST || c->occur == QN_NOT);
        QN_FUZZ_CHECK(c->qtf >= 1 && c->n_terms >= 1);
        QN_FUZZ_CHECK(c->n_terms <= query->n_terms && c->first_term <= query->n_terms - c->n_terms);
        for (size_t t = c->first_term; t < c->first_term + c->n_terms; t++) {
            QN_FUZZ_CHECK(query->term[t].text.len >= 1 && query->term[t].text.len <= QN_WORD_MAX);
            QN_FUZZ_CHECK(t == c->first_term ||
                          query->term[t].position >= query->term[t - 1].position);
        }
    }
}

/* Strict UTF-8 by the table of the Unicode standard (3-7), without control characters. */
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

static void check_snippet(qn_analyzer *analyzer, const qn_query *query, quern_span text)
{
    static const float weight[QN_QUERY_CLAUSES_MAX]; /* zero is a weight, too */
    enum { MAX_BYTES = 80 };
    qn_snippeter *snippeter;
    quern_snippet snippet;
    QN_FUZZ_CHECK(qn_snippeter_new(&snippeter, analyzer, NULL) == QUERN_OK);
    QN_FUZZ_CHECK(qn_snippeter_make(snippeter, text, query, weight, MAX_BYTES, &snippet, NULL) ==
                  QUERN_OK);
    QN_FUZZ_CHECK(snippet.text.len <= MAX_BYTES);
    QN_FUZZ_CHECK(is_clean_text(snippet.text.data, snippet.text.len));
    size_t last = 0;
    for (size_t i = 0; i < snippet.n_marks; i++) {
        QN_FUZZ_CHECK(snippet.mark[i].start >= last && snippet.mark[i].start < snippet.mark[i].end);
        QN_FUZZ_CHECK(snippet.mark[i].end <= snippet.text.len);
        last = snippet.mark[i].end;
    }
    qn_snippeter_free(snippeter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 1)
        return 0;
    const char *typed = (const char *)data + 1;
    const char *gap = memchr(typed, '\0', len - 1);
    size_t typed_len = gap != NULL ? (size_t)(gap - typed) : len - 1;
    quern_span text = {0};
    if (gap != NULL)
        text = (quern_span){gap + 1, len - 2 - typed_len};

    const qn_analyzer_settings settings = {.language = "english"};
    qn_analyzer *analyzer, *other;
    qn_parser *parser;
    const qn_query *query;
    const char *notice;
    bool strict = data[0] % 2 == 1;
    QN_FUZZ_CHECK(qn_analyzer_new(&analyzer, &settings, NULL) == QUERN_OK);
    QN_FUZZ_CHECK(qn_analyzer_new(&other, &settings, NULL) == QUERN_OK);
    QN_FUZZ_CHECK(qn_parser_new(&parser, analyzer, NULL) == QUERN_OK);
    quern_error error = {0};
    quern_status status = qn_parser_parse(parser, (quern_span){typed, typed_len},
                                          QUERN_SYNTAX_QUERY, strict, &query, &notice, &error);
    if (status == QUERN_OK) {
        check_query(query);
        check_snippet(other, query, text);
    } else {
        QN_FUZZ_CHECK(strict && status == QUERN_E_INPUT && error.position <= typed_len);
    }
    qn_parser_free(parser);
    qn_analyzer_free(other);
    qn_analyzer_free(analyzer);
    return 0;
}
