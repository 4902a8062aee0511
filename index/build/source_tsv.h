/* TSV: id TAB text, or id TAB title TAB text. Further TABs belong to the text; there is no quoting.
 */
#ifndef QN_BUILD_SOURCE_TSV_H
#define QN_BUILD_SOURCE_TSV_H

#include "index/build/source.h"

/* Spaces alone, or nothing: no record. */
bool qn_tsv_blank(quern_span line);

/* Splits one line; the spans point into it. QUERN_E_INPUT: malformed. */
quern_status qn_tsv_parse(quern_span line, const qn_place *place, quern_document *document,
                          quern_error *error);

#endif
