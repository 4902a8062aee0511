/*
 * From what people type to a query: words, "phrases", +must, -not. Nothing a person types is an
 * error: unknown syntax becomes words, and a notice says what was dropped or reinterpreted.
 */
#ifndef QN_QUERY_PARSE_H
#define QN_QUERY_PARSE_H

#include "index/text/analyzer.h"
#include "query/query.h"

/* Holds the query made last, and its memory; one thread at a time. */
typedef struct qn_parser qn_parser;

quern_status qn_parser_new(qn_parser **out, qn_analyzer *analyzer, quern_error *error);
void qn_parser_free(qn_parser *parser);

/*
 * Parses `text`. `*query` and `*notice` (NULL if there is nothing to say) are valid until the next
 * call. `strict`: QUERN_E_INPUT with the byte position instead of a notice. A query over the limits
 * of query.h keeps its first words, with a notice.
 *
 * - a word right after + or - (at the start or after white space) is must or not; so is a phrase
 * - a word that the analyzer cuts into several terms (a hyphen, CJK bigrams, a dotted name) within
 *   +, - or quotes is a phrase; a plain one gives its terms as separate words
 * - an unclosed quote: its words are plain words
 * - the same unit twice is one clause with qtf 2; must beats should; if not meets either, not wins
 *   and the notice says so
 */
quern_status qn_parser_parse(qn_parser *parser, quern_span text, bool strict,
                             const qn_query **query, const char **notice, quern_error *error);

#endif
