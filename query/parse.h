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

/* From now on queries are of an index with these fields (which must stay), their weights those of
 * the query; bit i of `usual`, not 0, tells that a word which names no field is looked for in field
 * i. */
void qn_parser_set_fields(qn_parser *parser, const qn_fields *fields, uint32_t usual);

/*
 * Parses `text`; what follows holds for QUERN_SYNTAX_QUERY (for the others see quern_syntax, and
 * prose.h). `*query` and `*notice` (NULL if there is nothing to say; else sentences joined by
 * "; ", at most 400 bytes of UTF-8) are valid until the next call. Time is linear in the text.
 *
 * - A word right after + or - is must or not; so is a phrase. A sign counts at the start, after
 *   white space and after an opening parenthesis; one that stands alone is ignored with a notice,
 *   and several in a row are not understood.
 * - A word that the analyzer cuts into several terms (a hyphen, CJK bigrams, a dotted name) within
 *   +, - or quotes is a phrase; a plain one gives its terms as separate words. Stop words in a
 *   phrase leave gaps in its positions; a phrase of one term is that term.
 * - The quotes are " and U+201C and U+201D, each of which opens and closes. Right after a digit
 *   (12") the first and the last do not open. An unclosed quote is ignored: plain words follow it.
 * - With fields, title:word and title:"a phrase" look in one field. Other units are a clause for
 * each of the usual fields: a must unit a group, of which one clause must match.
 * - The same unit twice is one clause with qtf 2. Must beats should; if not meets either, not wins
 *   and the notice says so.
 * - Syntax of other engines is searched as the words in it, and the notice names it: AND, OR, NOT
 *   (in capitals), parentheses before a word, field:word (of a field that is not there), word*,
 * word~2, word^2.
 * - A query over the limits of query.h keeps its first words: the first unit that does not fit is
 *   cut (left out if it is a not, or stands for several fields), and nothing after it is read.
 * - A query of nots only, or of nothing that is indexed, has a notice and finds nothing.
 *
 * `strict`: QUERN_E_INPUT, with the byte position of the first of them, instead of notices about
 * syntax or limits; then *query is empty. Notices that depend on the analyzer's stop words ("holds
 * no word that is indexed") remain notices. QUERN_E_MEMORY.
 */
quern_status qn_parser_parse(qn_parser *parser, quern_span text, quern_syntax syntax, bool strict,
                             const qn_query **query, const char **notice, quern_error *error);

#endif
