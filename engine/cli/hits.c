/* Printing answers in four formats. */
#include "engine/cli/hits.h"

#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The first words of a text: at most `most` bytes, without the start of a cut-off word. */
static quern_span first_words(quern_span text, size_t most)
{
    while (text.len > 0 && is_space(*text.data)) {
        text.data++;
        text.len--;
    }
    size_t len = text.len;
    if (len > most) {
        len = most;
        while (len > 0 && !is_space(text.data[len]))
            len--;
        if (len == 0) /* one long word: cut between characters */
            for (len = most; len > 0 && ((unsigned char)text.data[len] & 0xC0) == 0x80;)
                len--;
    }
    while (len > 0 && is_space(text.data[len - 1]))
        len--;
    return (quern_span){text.data, len};
}

/* Titles longer than this are cut in the text format. */
enum { TITLE_MAX = 160, WORDS_MAX = 72 };

static void put_heading(qn_text *text, const quern_document *document)
{
    bool titled = document->title.len > 0;
    quern_span all = titled ? document->title : document->text;
    quern_span shown = first_words(all, titled ? TITLE_MAX : WORDS_MAX);
    if (shown.len == 0)
        return;
    qn_text_style(text, QN_BOLD);
    qn_text_clean(text, shown);
    if (shown.data + shown.len < all.data + all.len)
        qn_text_puts(text, "...");
    qn_text_style(text, QN_PLAIN);
    qn_text_puts(text, "  ");
}

void qn_snippet_put(qn_text *text, const quern_snippet *snippet)
{
    size_t at = 0;
    if (snippet->starts_inside)
        qn_text_puts(text, "...");
    for (size_t i = 0; i < snippet->n_marks; i++) {
        quern_mark mark = snippet->mark[i];
        if (mark.start < at || mark.end < mark.start || mark.end > snippet->text.len)
            continue;
        qn_text_clean(text, (quern_span){snippet->text.data + at, mark.start - at});
        if (!text->colour)
            qn_text_puts(text, "*");
        qn_text_style(text, QN_MARK);
        qn_text_clean(text, (quern_span){snippet->text.data + mark.start, mark.end - mark.start});
        qn_text_style(text, QN_PLAIN);
        if (!text->colour)
            qn_text_puts(text, "*");
        at = mark.end;
    }
    qn_text_clean(text, (quern_span){snippet->text.data + at, snippet->text.len - at});
    if (snippet->ends_inside)
        qn_text_puts(text, "...");
}

static void put_text_hit(qn_text *text, size_t rank, const quern_hit *hit,
                         const quern_document *document)
{
    qn_text_printf(text, "%2zu  ", rank);
    put_heading(text, document);
    qn_text_style(text, QN_ID);
    qn_text_puts(text, "[");
    qn_text_clean(text, document->id);
    qn_text_puts(text, "]");
    qn_text_style(text, QN_PLAIN);
    qn_text_puts(text, "  ");
    qn_text_style(text, QN_FAINT);
    qn_text_printf(text, "%.4f", (double)hit->score);
    qn_text_style(text, QN_PLAIN);
    qn_text_puts(text, "\n");
}

static void put_tsv_hit(qn_text *text, const quern_span *qid, size_t rank, const quern_hit *hit,
                        const quern_document *document)
{
    if (qid != NULL) {
        qn_text_clean(text, *qid);
        qn_text_puts(text, "\t");
    }
    qn_text_printf(text, "%zu\t%.9g\t", rank, (double)hit->score);
    qn_text_clean(text, document->id);
    qn_text_puts(text, "\t");
    qn_text_clean(text, document->title);
    qn_text_puts(text, "\n");
}

/* The start of a JSON object. */
static void put_json_start(qn_text *text, const quern_span *qid)
{
    qn_text_puts(text, "{\"v\":1,");
    if (qid != NULL) {
        qn_text_puts(text, "\"qid\":");
        qn_text_json(text, *qid);
        qn_text_puts(text, ",");
    }
}

static void put_json_hit(qn_text *text, const quern_span *qid, size_t rank, const quern_hit *hit,
                         const quern_document *document)
{
    put_json_start(text, qid);
    qn_text_printf(text, "\"rank\":%zu,\"score\":%.9g,\"id\":", rank, (double)hit->score);
    qn_text_json(text, document->id);
    qn_text_puts(text, ",\"title\":");
    qn_text_json(text, document->title);
}

static void put_trec_hit(qn_text *text, const qn_hits_style *style, const quern_span *qid,
                         size_t rank, const quern_hit *hit, const quern_document *document)
{
    qn_text_percent(text, qid != NULL ? *qid : QUERN_STR("1"));
    qn_text_puts(text, " Q0 ");
    qn_text_percent(text, document->id);
    qn_text_printf(text, " %zu %.9g %s\n", rank, (double)hit->score, style->tag);
}

/* The snippet goes behind what was printed of the document, whose bytes it invalidates. */
static quern_status put_snippet(qn_text *text, const qn_hits_style *style, quern_searcher *searcher,
                                uint32_t doc, quern_error *error)
{
    quern_snippet snippet = {0};
    if (style->snippet > 0 && style->stored) {
        quern_status status = quern_snippet_of(searcher, doc, style->snippet, &snippet, error);
        if (status != QUERN_OK)
            return status;
    }
    if (style->format == QN_HITS_JSON) {
        if (style->snippet > 0) {
            qn_text_puts(text, ",\"snippet\":");
            qn_text_json(text, snippet.text);
        }
        qn_text_puts(text, "}\n");
    } else if (style->format == QN_HITS_TEXT && snippet.text.len > 0) {
        qn_text_puts(text, "    ");
        qn_snippet_put(text, &snippet);
        qn_text_puts(text, "\n");
    }
    return QUERN_OK;
}

quern_status qn_hits_put(qn_text *text, const qn_hits_style *style, quern_searcher *searcher,
                         const quern_span *qid, const quern_hit *hit, size_t n, quern_error *error)
{
    for (size_t i = 0; i < n; i++) {
        quern_document document = {0};
        quern_status status = style->stored && style->format != QN_HITS_TREC
                                  ? quern_fetch(searcher, hit[i].doc, &document, error)
                                  : quern_fetch_id(searcher, hit[i].doc, &document.id, error);
        if (status != QUERN_OK)
            return status;
        switch (style->format) {
        case QN_HITS_TEXT:
            put_text_hit(text, i + 1, &hit[i], &document);
            break;
        case QN_HITS_TSV:
            put_tsv_hit(text, qid, i + 1, &hit[i], &document);
            break;
        case QN_HITS_JSON:
            put_json_hit(text, qid, i + 1, &hit[i], &document);
            break;
        case QN_HITS_TREC:
            put_trec_hit(text, style, qid, i + 1, &hit[i], &document);
            break;
        }
        status = put_snippet(text, style, searcher, hit[i].doc, error);
        if (status != QUERN_OK)
            return status;
    }
    return QUERN_OK;
}

/* ---- counts and explanations ---- */

void qn_hits_put_count(qn_text *text, const qn_hits_style *style, const quern_span *qid,
                       quern_span query, uint64_t n)
{
    if (style->format == QN_HITS_JSON) {
        put_json_start(text, qid);
        qn_text_puts(text, "\"query\":");
        qn_text_json(text, query);
        qn_text_printf(text, ",\"count\":%llu}\n", (unsigned long long)n);
        return;
    }
    if (qid != NULL) {
        qn_text_clean(text, *qid);
        qn_text_puts(text, "\t");
    }
    qn_text_printf(text, "%llu\n", (unsigned long long)n);
}

static const char *const OCCUR[] = {"should", "must", "not", "any"};
static const char *const FORM[] = {"none", "sparse", "coded", "bitmap"};

static void put_json_explanation(qn_text *text, const quern_span *qid,
                                 const quern_explanation *about)
{
    put_json_start(text, qid);
    qn_text_printf(text, "\"evaluator\":\"%s\",\"k1\":%.9g,\"b\":%.9g,", about->evaluator,
                   (double)about->k1, (double)about->b);
    qn_text_printf(text, "\"ranges\":%llu,\"postings\":%llu,\"documents\":%llu,\"terms\":[",
                   (unsigned long long)about->work.ranges, (unsigned long long)about->work.postings,
                   (unsigned long long)about->work.documents);
    for (size_t i = 0; i < about->n_terms; i++) {
        const quern_explained_term *term = &about->term[i];
        qn_text_puts(text, i == 0 ? "{\"term\":" : ",{\"term\":");
        qn_text_json(text, term->term);
        if (term->field.len > 0) {
            qn_text_puts(text, ",\"field\":");
            qn_text_json(text, term->field);
        }
        qn_text_printf(text,
                       ",\"clause\":%lu,\"occur\":\"%s\",\"df\":%llu,\"list\":\"%s\","
                       "\"weight\":%.9g}",
                       (unsigned long)term->clause, OCCUR[term->occur],
                       (unsigned long long)term->df, FORM[term->form], (double)term->weight);
    }
    qn_text_puts(text, "]}\n");
}

void qn_hits_put_explanation(qn_text *text, const qn_hits_style *style, const quern_span *qid,
                             const quern_explanation *about)
{
    if (style->format == QN_HITS_JSON) {
        put_json_explanation(text, qid, about);
        return;
    }
    if (qid != NULL) {
        qn_text_puts(text, "topic ");
        qn_text_clean(text, *qid);
        qn_text_puts(text, ": ");
    }
    qn_text_printf(text, "evaluator %s, k1 = %g, b = %g", about->evaluator, (double)about->k1,
                   (double)about->b);
    if (strcmp(about->evaluator, "count") != 0)
        qn_text_printf(text, "; visited %llu ranges, %llu postings, scored %llu documents",
                       (unsigned long long)about->work.ranges,
                       (unsigned long long)about->work.postings,
                       (unsigned long long)about->work.documents);
    qn_text_puts(text, "\n");
    for (size_t i = 0; i < about->n_terms; i++) {
        const quern_explained_term *term = &about->term[i];
        qn_text_printf(text, "  clause %lu %-6s  df %10llu  %-6s  weight %9.6f  ",
                       (unsigned long)term->clause, OCCUR[term->occur],
                       (unsigned long long)term->df, FORM[term->form], (double)term->weight);
        if (term->field.len > 0) {
            qn_text_clean(text, term->field);
            qn_text_puts(text, ":");
        }
        qn_text_clean(text, term->term);
        qn_text_puts(text, "\n");
    }
}
