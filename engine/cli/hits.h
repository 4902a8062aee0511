/*
 * How answers are printed.
 *   text  for people: rank, title, id and score, and a snippet with the query's words marked
 *   tsv   [qid TAB] rank TAB score TAB id TAB title; control characters become spaces
 *   json  an object a line: {"v":1,["qid",]"rank","score","id","title"[,"snippet"]}
 *   trec  qid Q0 id rank score tag; white space, controls and % in ids percent-encoded
 * Scores of the last three have nine digits, which is enough to get the same float back.
 */
#ifndef QN_CLI_HITS_H
#define QN_CLI_HITS_H

#include "engine/cli/output.h"
#include "engine/quern.h"

#define QN_HITS_FORMATS "text|tsv|json|trec"
typedef enum qn_hits_format {
    QN_HITS_TEXT,
    QN_HITS_TSV,
    QN_HITS_JSON,
    QN_HITS_TREC
} qn_hits_format;

typedef struct qn_hits_style {
    qn_hits_format format;
    const char *tag; /* of trec */
    size_t snippet;  /* bytes of a snippet at most (40..100000); 0: none */
    bool stored;     /* whether the index keeps titles and texts */
} qn_hits_style;

/* Appends the answers to one query. `qid` is that of the topic, or NULL for a single query. `hit`
 * must be a copy: hits of the library do not outlive the fetching of documents. */
quern_status qn_hits_put(qn_text *text, const qn_hits_style *style, quern_searcher *searcher,
                         const quern_span *qid, const quern_hit *hit, size_t n, quern_error *error);

/* Appends the number of documents that match: alone, behind a topic's id and a TAB, or as
 * {"v":1,["qid",]"query","count"}. */
void qn_hits_put_count(qn_text *text, const qn_hits_style *style, const quern_span *qid,
                       quern_span query, uint64_t n);

/* Appends an explanation of the last query: lines for people, or for json an object
 * {"v":1,["qid",]"evaluator","k1","b","ranges","postings","documents","terms":[{"term","clause",
 * "occur","df","list","weight"}]}. */
void qn_hits_put_explanation(qn_text *text, const qn_hits_style *style, const quern_span *qid,
                             const quern_explanation *explanation);

/* Appends a snippet: its text with the marked stretches in colour or, without colours, between
 * asterisks. */
void qn_snippet_put(qn_text *text, const quern_snippet *snippet);

#endif
