/* The public searcher: parser, search and snippets of the query layer, and fetching of documents.
 */
#include "engine/index.h"

#include "index/base/status.h"
#include "query/parse.h"
#include "query/search.h"
#include "query/snippet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct quern_searcher {
    const quern_index *index;
    quern_syntax syntax;
    bool strict;
    qn_analyzer *analyzer; /* of the parser and the snippets in turn */
    qn_parser *parser;
    qn_search *search;
    qn_snippeter *snippeter;
    const qn_query *query; /* the last one, for snippets; NULL before the first */
    quern_explained_term *explained;
    size_t explained_cap;
    float k1, b;
    qn_fields fields; /* with the weights of this searcher */
    qn_docs_reader reader;
    char id[QN_ID_MAX];
};

const char *const *quern_evaluators(void)
{
    return qn_search_evaluators();
}

/* Reads what is asked for in place of the index's fields and weights. */
static quern_status take_fields(quern_searcher *searcher, const char *text, quern_error *error)
{
    qn_fields asked;
    uint32_t usual = 0;
    searcher->fields = searcher->index->segment[0].meta.fields;
    unsigned n = searcher->fields.n;
    quern_status status = qn_fields_parse(&asked, text, error);
    if (status != QUERN_OK)
        return status;
    if (asked.n > 0 && n == 0)
        return qn_fail(error, QUERN_E_ARGUMENT,
                       "the index keeps no fields apart: they are made when it is built");
    for (unsigned i = 0; i < asked.n; i++) {
        const char *name = asked.field[i].name;
        unsigned field = qn_fields_find(&searcher->fields, name, strlen(name));
        if (field == n)
            return qn_fail(error, QUERN_E_ARGUMENT, "the index has no field \"%s\"", name);
        searcher->fields.field[field].weight = asked.field[i].weight;
        usual |= (uint32_t)1 << field;
    }
    if (n > 0)
        qn_parser_set_fields(searcher->parser, &searcher->fields,
                             usual != 0 ? usual : ((uint32_t)1 << n) - 1);
    return QUERN_OK;
}

quern_status quern_searcher_new(quern_searcher **out, const quern_index *index,
                                const quern_search_options *options, quern_error *error)
{
    if (out == NULL || index == NULL)
        return qn_fail(error, QUERN_E_ARGUMENT, "out and index must not be NULL");
    *out = NULL;
    quern_search_options defaults = QUERN_SEARCH_OPTIONS;
    if (options == NULL)
        options = &defaults;
    if (options->size != sizeof *options)
        return qn_fail(error, QUERN_E_ARGUMENT, "the search options have an unknown size");
    quern_searcher *searcher = calloc(1, sizeof *searcher);
    if (searcher == NULL)
        return qn_fail_memory(error);
    searcher->index = index;
    searcher->syntax = options->syntax;
    searcher->strict = options->strict;
    searcher->k1 = options->k1;
    searcher->b = options->b;
    quern_status status = qn_analyzer_new(&searcher->analyzer, &index->settings, error);
    if (status == QUERN_OK)
        status = qn_parser_new(&searcher->parser, searcher->analyzer, error);
    if (status == QUERN_OK)
        status = take_fields(searcher, options->fields, error);
    if (status == QUERN_OK)
        status = qn_snippeter_new(&searcher->snippeter, searcher->analyzer, error);
    if (status == QUERN_OK)
        status =
            qn_search_new(&searcher->search, index->segment, index->n_segments, options, error);
    if (status != QUERN_OK) {
        quern_searcher_free(searcher);
        return status;
    }
    *out = searcher;
    return QUERN_OK;
}

void quern_searcher_free(quern_searcher *searcher)
{
    if (searcher == NULL)
        return;
    qn_search_free(searcher->search);
    qn_snippeter_free(searcher->snippeter);
    qn_parser_free(searcher->parser);
    qn_analyzer_free(searcher->analyzer);
    qn_docs_reader_free(&searcher->reader);
    free(searcher->explained);
    free(searcher);
}

quern_status quern_search(quern_searcher *searcher, quern_span query, size_t k, quern_hits *hits,
                          quern_error *error)
{
    *hits = (quern_hits){0};
    searcher->query = NULL;
    if (k == 0 || k > 1000000)
        return qn_fail(error, QUERN_E_ARGUMENT, "k must be within 1..1000000");
    const qn_query *parsed;
    const char *notice;
    quern_status status = qn_parser_parse(searcher->parser, query, searcher->syntax,
                                          searcher->strict, &parsed, &notice, error);
    if (status != QUERN_OK)
        return status;
    status = qn_search_run(searcher->search, parsed, k, &hits->hit, &hits->n, error);
    if (status != QUERN_OK)
        return status;
    searcher->query = parsed;
    hits->notice = notice;
    hits->evaluator = qn_search_evaluator(searcher->search);
    hits->work = qn_search_work(searcher->search);
    return QUERN_OK;
}

quern_status quern_count(quern_searcher *searcher, quern_span query, quern_matches *matches,
                         quern_error *error)
{
    *matches = (quern_matches){0};
    searcher->query = NULL;
    const qn_query *parsed;
    const char *notice;
    quern_status status = qn_parser_parse(searcher->parser, query, searcher->syntax,
                                          searcher->strict, &parsed, &notice, error);
    if (status == QUERN_OK)
        status = qn_search_count(searcher->search, parsed, &matches->n, error);
    if (status != QUERN_OK) {
        matches->n = 0;
        return status;
    }
    searcher->query = parsed;
    matches->notice = notice;
    return QUERN_OK;
}

quern_status quern_explain(quern_searcher *searcher, quern_explanation *explanation,
                           quern_error *error)
{
    *explanation = (quern_explanation){.k1 = searcher->k1, .b = searcher->b};
    const qn_query *query = searcher->query;
    if (query == NULL)
        return QUERN_OK;
    void *array = searcher->explained;
    if (!qn_array_grow(&array, &searcher->explained_cap, query->n_terms,
                       sizeof *searcher->explained))
        return qn_fail_memory(error);
    searcher->explained = array;
    for (size_t i = 0; i < query->n_terms; i++)
        searcher->explained[i] = qn_search_explain(searcher->search, query, i);
    explanation->term = searcher->explained;
    explanation->n_terms = query->n_terms;
    explanation->evaluator = qn_search_evaluator(searcher->search);
    explanation->work = qn_search_work(searcher->search);
    return QUERN_OK;
}

/* The segment of a document and its number there. */
static quern_status locate(const quern_searcher *searcher, uint32_t doc, const qn_segment **segment,
                           uint32_t *local, quern_error *error)
{
    if (doc >= searcher->index->n_docs)
        return qn_fail(error, QUERN_E_ARGUMENT, "there is no document %lu", (unsigned long)doc);
    *segment = qn_index_segment_of(searcher->index, doc);
    *local = doc - (*segment)->base;
    return QUERN_OK;
}

quern_status quern_fetch_id(quern_searcher *searcher, uint32_t doc, quern_span *id,
                            quern_error *error)
{
    const qn_segment *segment = NULL;
    size_t len = 0;
    quern_status status = locate(searcher, doc, &segment, &doc, error);
    if (status == QUERN_OK)
        status = qn_ids_get(&segment->ids, doc, searcher->id, &len, error);
    *id = (quern_span){searcher->id, len};
    return status;
}

quern_status quern_fetch(quern_searcher *searcher, uint32_t doc, quern_document *document,
                         quern_error *error)
{
    *document = (quern_document){0};
    quern_status status = quern_fetch_id(searcher, doc, &document->id, error);
    const qn_segment *segment = NULL;
    if (status == QUERN_OK)
        status = locate(searcher, doc, &segment, &doc, error);
    if (status == QUERN_OK && segment->meta.stored)
        status = qn_docs_fetch(&segment->docs, &searcher->reader, doc, document, error);
    return status;
}

quern_status quern_find_id(quern_searcher *searcher, quern_span id, uint32_t *doc,
                           quern_error *error)
{
    const quern_index *index = searcher->index;
    for (size_t i = 0; i < index->n_segments; i++) {
        quern_status status = qn_ids_find(&index->segment[i].ids, id.data, id.len, doc, error);
        if (status == QUERN_OK && qn_segment_is_gone(&index->segment[i], *doc))
            continue; /* it may have been added again */
        if (status == QUERN_OK)
            *doc += index->segment[i].base;
        if (status != QUERN_NOT_FOUND)
            return status;
    }
    return QUERN_NOT_FOUND;
}

quern_status quern_document_length(quern_searcher *searcher, uint32_t doc, uint32_t *length,
                                   quern_error *error)
{
    const qn_segment *segment = NULL;
    quern_status status = locate(searcher, doc, &segment, &doc, error);
    *length = 0;
    for (unsigned i = 0; status == QUERN_OK && i < qn_fields_count(&searcher->fields); i++) {
        uint32_t of_field = 0;
        status = qn_segment_exact_length(segment, i, doc, &of_field, error);
        *length += of_field;
    }
    return status;
}

quern_status quern_snippet_of(quern_searcher *searcher, uint32_t doc, size_t max_bytes,
                              quern_snippet *snippet, quern_error *error)
{
    *snippet = (quern_snippet){0};
    if (max_bytes < 40 || max_bytes > 100000)
        return qn_fail(error, QUERN_E_ARGUMENT, "a snippet has 40..100000 bytes");
    quern_document document;
    quern_status status = quern_fetch(searcher, doc, &document, error);
    if (status != QUERN_OK)
        return status;
    static const qn_query none;
    const qn_query *query = searcher->query == NULL ? &none : searcher->query;
    return qn_snippeter_make(searcher->snippeter, document.text, query,
                             qn_search_weights(searcher->search), max_bytes, snippet, error);
}
