/* TSV: id TAB text, or id TAB title TAB text. Further TABs belong to the text; there is no quoting.
 * With fields: id and then a column for each of them, further TABs belonging to the last. */
#ifndef QN_BUILD_SOURCE_TSV_H
#define QN_BUILD_SOURCE_TSV_H

#include "index/build/source.h"

/* Spaces alone, or nothing: no record. */
bool qn_tsv_blank(quern_span line);

/* Zero-initialise. */
typedef struct qn_tsv {
    const qn_fields *fields; /* as in qn_source_settings */
    quern_span text[QN_FIELDS_MAX];
} qn_tsv;

/* Splits one line; the spans point into it, and the document into *tsv. QUERN_E_INPUT: malformed.
 */
quern_status qn_tsv_parse(qn_tsv *tsv, quern_span line, const qn_place *place,
                          quern_document *document, quern_error *error);

#endif
