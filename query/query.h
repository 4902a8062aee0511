/*
 * A query as the evaluators see it: clauses over distinct analysed terms. Made by parse.c from what
 * people type, or by a program.
 */
#ifndef QN_QUERY_QUERY_H
#define QN_QUERY_QUERY_H

#include "index/segment/fields.h"

enum {
    QN_QUERY_TERMS_MAX = 1024, /* term occurrences in all clauses together */
    QN_QUERY_CLAUSES_MAX = 1024
};

typedef enum qn_occur {
    QN_SHOULD = 0, /* adds to the score */
    QN_MUST = 1,   /* must match, and adds to the score */
    QN_NOT = 2,    /* must not match */
    QN_ANY = 3     /* one at least of its group must match; adds to the score */
} qn_occur;

/* One scoring unit: a term (n_terms 1) or a phrase, in one field. Units are distinct: a repeated
 * word or phrase is one clause with a higher qtf, at the place of its first appearance. A word that
 * may stand in several fields is a clause for each; where it must be there, they are a group. */
typedef struct qn_clause {
    qn_occur occur;
    uint32_t qtf;        /* times it stands in the query, at least 1 */
    uint32_t first_term; /* index into qn_query.term */
    uint32_t n_terms;
    uint32_t group; /* of QN_ANY: 1..n_groups; else 0 */
} qn_clause;

typedef struct qn_query_term {
    quern_span text;   /* as the index has it: folded, stemmed, with the prefix of its field */
    uint32_t position; /* within its phrase, from 0; stop words leave gaps */
} qn_query_term;

typedef struct qn_query {
    const qn_clause *clause;
    size_t n_clauses;
    const qn_query_term *term;
    size_t n_terms;
    size_t n_groups; /* each has a clause */
    const qn_fields
        *fields; /* of the index; their weights are the query's. NULL: terms have no prefix */
} qn_query;

/* A term without the prefix of its field. */
static inline quern_span qn_query_word(const qn_query *query, size_t term)
{
    quern_span text = query->term[term].text;
    if (query->fields == NULL || text.len < QN_FIELD_PREFIX)
        return text;
    return (quern_span){text.data + QN_FIELD_PREFIX, text.len - QN_FIELD_PREFIX};
}

/* The field of a term; NULL: there are none. */
static inline const qn_field_name *qn_query_field(const qn_query *query, size_t term)
{
    quern_span text = query->term[term].text;
    if (query->fields == NULL || text.len < QN_FIELD_PREFIX)
        return NULL;
    unsigned field = (unsigned)(uint8_t)text.data[0] - 1;
    return field < query->fields->n ? &query->fields->field[field] : NULL;
}

/* Which groups a document has met. */
typedef struct qn_groups {
    uint64_t met[QN_QUERY_CLAUSES_MAX / 64 + 1];
    size_t n_met;
} qn_groups;

static inline void qn_groups_clear(qn_groups *groups, const qn_query *query)
{
    for (size_t i = 0; query->n_groups > 0 && i <= query->n_groups / 64; i++)
        groups->met[i] = 0;
    groups->n_met = 0;
}

static inline void qn_groups_meet(qn_groups *groups, const qn_clause *clause)
{
    uint64_t bit = (uint64_t)(clause->group > 0) << clause->group % 64;
    uint64_t *word = &groups->met[clause->group / 64];
    groups->n_met += (*word & bit) == 0 && bit != 0;
    *word |= bit;
}

#endif
