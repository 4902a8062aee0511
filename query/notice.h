/*
 * What the parser has to say of a query: remarks by kind, each with the pieces of the query it
 * speaks of, made into sentences at the end.
 */
#ifndef QN_QUERY_NOTICE_H
#define QN_QUERY_NOTICE_H

#include "engine/quern.h"

enum {
    QN_NOTICE_MAX = 400,    /* bytes of all sentences */
    QN_NOTICE_NAMES = 3,    /* pieces that one sentence names */
    QN_NOTICE_NAME_MAX = 24 /* bytes of one piece, before it is cut */
};

/* In the order in which they are said; those that do not fit are left out. */
typedef enum qn_notice_kind {
    QN_NOTICE_LIMIT,    /* terms over QN_QUERY_TERMS_MAX were dropped */
    QN_NOTICE_PROSE,    /* operators in prose, taken as words */
    QN_NOTICE_ONLY_NOT, /* every clause is a not */
    QN_NOTICE_BOTH,     /* not met must or should */
    QN_NOTICE_SYNTAX,   /* syntax of other engines, taken as words */
    QN_NOTICE_QUOTE,    /* a quote that is not closed */
    QN_NOTICE_LONE,     /* a sign without a word */
    QN_NOTICE_BLANK,    /* quotes without anything in them */
    QN_NOTICE_STOPPED,  /* a signed word or a phrase of which nothing is indexed */
    QN_NOTICE_NOTHING,  /* a query of which nothing is indexed */
    QN_NOTICE_KINDS
} qn_notice_kind;

typedef struct qn_notice {
    struct {
        bool said;
        bool more; /* there are others than those named */
        uint32_t n_names;
        quern_span name[QN_NOTICE_NAMES]; /* pieces of the query */
        uint64_t at;                      /* byte of the query where it was said first */
    } kind[QN_NOTICE_KINDS];
} qn_notice;

/* Adds a remark on `name` (may be empty: none is named) at byte `at`. The bytes of the name must
 * stay until qn_notice_write. */
void qn_notice_add(qn_notice *notice, qn_notice_kind kind, uint64_t at, quern_span name);

/* Writes the sentences, joined by "; ", as NUL-terminated UTF-8; false if there are none. */
bool qn_notice_write(const qn_notice *notice, char out[QN_NOTICE_MAX + 1]);

/* For strict parsing: the remark that stands first as QUERN_E_INPUT. QUERN_OK if there is none that
 * is about syntax or limits: what an index leaves out (stop words) is no fault of a query. */
quern_status qn_notice_fail(const qn_notice *notice, quern_error *error);

#endif
