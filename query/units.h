/*
 * The units of a query in the making, for parse.c: words and phrases that have been analysed become
 * clauses, each unit one; one that comes again counts once more. With fields a unit is a clause for
 * each of those it is looked for in.
 */
#ifndef QN_QUERY_UNITS_H
#define QN_QUERY_UNITS_H

#include "index/base/buffer.h"
#include "index/text/tokenizer.h"
#include "query/notice.h"
#include "query/query.h"

enum { QN_UNITS_SLOTS = 4 * QN_QUERY_CLAUSES_MAX /* a power of two */ };

/* The unit that is being taken, while it becomes a clause for each of several fields. */
typedef struct qn_unit_copy {
    qn_buffer text; /* its terms, without prefixes */
    uint32_t len[QN_QUERY_TERMS_MAX], position[QN_QUERY_TERMS_MAX];
    size_t n;
} qn_unit_copy;

/* Zero-initialise. */
typedef struct qn_units {
    const qn_fields *fields; /* NULL: there is but one, and terms have no prefix */
    uint32_t wanted;         /* bits of the fields in which the unit at hand is looked for */
    qn_clause clause[QN_QUERY_CLAUSES_MAX];
    /* Terms of the query, and behind them those of the unit being read: as many again, so that it
     * can be compared before it is clear whether it fits. */
    qn_query_term term[2 * QN_QUERY_TERMS_MAX];
    uint32_t text_at[2 * QN_QUERY_TERMS_MAX]; /* where in `text` a term begins */
    qn_buffer text;
    size_t n_clauses, n_terms, n_new;
    uint32_t n_groups;
    uint16_t slot[QN_UNITS_SLOTS]; /* clause + 1 by hash of its unit, or 0 */
    bool full;                     /* a limit was reached: the rest is to be left out */
    qn_notice notice;
    qn_unit_copy copy;
} qn_units;

void qn_units_free(qn_units *units);

/* Starts a new query. */
void qn_units_clear(qn_units *units);

/* Adds an analysed word to the unit being read: there is room for QN_QUERY_TERMS_MAX. False if
 * memory is short. */
bool qn_units_push(qn_units *units, const qn_word *word, uint32_t position);

/* Takes the unit that was read; not `whole`: it was longer than there is room for. `shown` is what
 * was typed, at byte `at`, for notices. False if memory is short. */
bool qn_units_take(qn_units *units, qn_occur occur, bool whole, uint64_t at, quern_span shown);

/* After the last one: groups of which later units have left one clause, or of which one must match
 * anyway, are none; the others are numbered from 1 on. */
void qn_units_settle(qn_units *units);

#endif
