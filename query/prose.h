/*
 * Telling prose from queries. The topics of test collections are often written as sentences, whose
 * quotes and dashes are not operators ("... systems, including "what you see" systems."); a file of
 * queries holds operators that are meant ("+mercury -planet"). A text is prose if a word outside of
 * quotes ends in . , ; : ? or !, or one of these stands alone.
 */
#ifndef QN_QUERY_PROSE_H
#define QN_QUERY_PROSE_H

#include "engine/quern.h"

bool qn_prose_is(quern_span text);

/* Whether the text holds what a query would read as an operator: a quote, or a + or - that begins a
 * word. */
bool qn_prose_has_operators(quern_span text);

#endif
