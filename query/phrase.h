/*
 * How often a phrase stands in a document whose cursors agree on it. A phrase starts at p if every
 * term has the position p + (its position in the query - that of the first term); gaps where stop
 * words were left out therefore must be gaps in the document too. The frequency is the number of
 * distinct starts, which is Lucene's frequency of an exact phrase.
 *
 * In a segment without positions a phrase means AND, and its frequency is the smallest tf of its
 * terms: an upper limit of what it can be.
 */
#ifndef QN_QUERY_PHRASE_H
#define QN_QUERY_PHRASE_H

#include "query/cursor.h"
#include "query/query.h"

/* Zero-initialise; memory is kept until qn_phrase_free. */
typedef struct qn_phrase {
    struct qn_phrase_part *part;
    size_t part_cap;
} qn_phrase;

/* *freq of the phrase of n >= 1 terms in the document on which all cursors stand; 0 if it is not
 * there. The positions of terms are those of their phrase and ascend (equal ones allowed). Damage
 * is a cursor's sticky status, and freq 0. QUERN_E_MEMORY. */
quern_status qn_phrase_freq(qn_phrase *phrase, qn_cursor *cursors, const qn_query_term *terms,
                            size_t n, uint32_t *freq, quern_error *error);
void qn_phrase_free(qn_phrase *phrase);

#endif
