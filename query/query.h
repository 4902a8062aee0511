/*
 * A query as the evaluators see it: clauses over distinct analysed terms. Made by parse.c from what
 * people type, or by a program.
 */
#ifndef QN_QUERY_QUERY_H
#define QN_QUERY_QUERY_H

#include "engine/quern.h"

enum {
    QN_QUERY_TERMS_MAX = 1024, /* term occurrences in all clauses together */
    QN_QUERY_CLAUSES_MAX = 1024
};

typedef enum qn_occur {
    QN_SHOULD = 0, /* adds to the score */
    QN_MUST = 1,   /* must match, and adds to the score */
    QN_NOT = 2     /* must not match */
} qn_occur;

/* One scoring unit: a term (n_terms 1) or a phrase. Units are distinct: a repeated word or phrase
 * is one clause with a higher qtf, at the place of its first appearance. */
typedef struct qn_clause {
    qn_occur occur;
    uint32_t qtf;        /* times it stands in the query, at least 1 */
    uint32_t first_term; /* index into qn_query.term */
    uint32_t n_terms;
} qn_clause;

typedef struct qn_query_term {
    quern_span text;   /* as the index has it: folded, stemmed */
    uint32_t position; /* within its phrase, from 0; stop words leave gaps */
} qn_query_term;

typedef struct qn_query {
    const qn_clause *clause;
    size_t n_clauses;
    const qn_query_term *term;
    size_t n_terms;
} qn_query;

#endif
