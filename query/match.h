/*
 * Where the clauses of a query stand in a text: what snippets are made from.
 */
#ifndef QN_QUERY_MATCH_H
#define QN_QUERY_MATCH_H

#include "index/text/analyzer.h"
#include "query/query.h"

#include <stdbool.h>
#include <stdint.h>

/* What is looked for: a should or must clause, or one of its terms. */
typedef struct qn_match_unit {
    double weight;
    uint32_t first_term, n_terms; /* in the query */
} qn_match_unit;

/* A unit found. Folded places count bytes of the text as a snippet would show it from its start. */
typedef struct qn_match {
    uint32_t unit;
    size_t start, end; /* bytes of the text */
    uint64_t folded_start, folded_end;
} qn_match;

/* Counts the bytes that text takes in a snippet: runs of white space are one, a bad byte is three.
 * Zero-initialise, with the place to start at; in_space leaves out white space at the start. */
typedef struct qn_match_folder {
    size_t at;
    uint64_t len;
    bool in_space;
} qn_match_folder;

/* Goes on to byte `to` (at most `len`), which is a character's start. */
void qn_match_fold(qn_match_folder *folder, const char *text, size_t len, size_t to);

typedef struct qn_matcher qn_matcher;

/* NULL when memory is short. The analyzer must outlive it. */
qn_matcher *qn_matcher_new(qn_analyzer *analyzer);
void qn_matcher_free(qn_matcher *matcher);

/* Takes the query, which must stay: its should and must clauses become units, or, with `apart`,
 * their distinct terms one by one. `weight` of each clause; NULL: all 1. */
quern_status qn_matcher_prepare(qn_matcher *matcher, const qn_query *query, const float *weight,
                                bool apart, quern_error *error);

const qn_match_unit *qn_matcher_units(const qn_matcher *matcher, uint32_t *n);

/* Whether a unit has several terms. */
bool qn_matcher_has_phrases(const qn_matcher *matcher);

/*
 * Starts on text[from, len), from being the start of a character; words that start at `until` or
 * later are not looked at. `work` bounds the steps taken besides analysis, which hostile queries
 * (thousands of overlapping phrases) could otherwise multiply with the text's length: when it is
 * used up, the text ends. The caller may take from it, too.
 */
void qn_matcher_start(qn_matcher *matcher, const char *text, size_t from, size_t len, size_t until,
                      uint64_t *work);

/* The next match, in order of the end; QUERN_END after the last. */
quern_status qn_matcher_next(qn_matcher *matcher, qn_match *match, quern_error *error);

#endif
