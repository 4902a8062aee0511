/*
 * Groups in windows: of each group of a query (QN_ANY) a document must match one clause at least.
 * The clauses' documents make a mask, which cuts the candidates; for bounds and scores these
 * clauses are as should clauses. That a phrase stands in a document only positions tell, so
 * window_phrase.c looks at groups again where there are phrases.
 */
#ifndef QN_QUERY_WINDOW_GROUP_H
#define QN_QUERY_WINDOW_GROUP_H

#include "query/window_run.h"

/* Whether the segment has a clause of each group. */
bool qn_window_groups_can_match(const qn_window_run *run);

/* Narrows the candidates of the window that was entered to documents that may match a clause of
 * each group; returns the ranges of `live` that still have some. */
uint64_t qn_window_groups_apply(qn_window_run *run, uint64_t live);

#endif
