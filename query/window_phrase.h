/*
 * Phrases in windows. Where a phrase is required, the bitmaps of its frequent terms are cut with
 * each other first, so that ranges without a document that has them all die before any code is
 * looked at. A document's bound is what the phrase would add if it stood as often as its
 * rarest-standing term; positions are read only of documents for which that is enough.
 */
#ifndef QN_QUERY_WINDOW_PHRASE_H
#define QN_QUERY_WINDOW_PHRASE_H

#include "query/window_run.h"

/* Prepares the phrases among the run's clauses. QUERN_E_MEMORY. */
quern_status qn_window_phrases_open(qn_window_run *run, quern_error *error);

/* A clause of several terms: adds bounds of it to the sums of the window's documents in the ranges
 * of `live`, and narrows the candidates; returns the ranges that may still hold an answer. */
uint64_t qn_window_phrase_apply(qn_window_run *run, const qn_window_clause *clause, uint64_t live);

/* Scores a batch of n <= QN_WINDOW_BATCH documents of a query that has a phrase, and offers those
 * that match. QUERN_E_DAMAGED, QUERN_E_MEMORY. */
quern_status qn_window_phrase_score(qn_window_run *run, uint32_t window, size_t n,
                                    quern_error *error);

#endif
