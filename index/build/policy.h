/*
 * Which segments are joined when a commit has added one, so that an index that grows by many small
 * commits stays an index of few segments, at a cost that is the logarithm of its size.
 *
 * A segment's tier is 0 below 1,024 live documents, 1 below 8,192, and one more with each factor of
 * eight. A stretch of tier t is neighbours of tiers up to t with no other such beside them. From t
 * = 0 on, the first stretch is joined
 *   - whose documents together make a segment of a tier above t; or
 *   - that has 8 (t + 1) segments or more.
 * By the first rule a document moves up a tier whenever it is copied. The second one makes few of
 * segments so small that there is no other reason to copy them, or that lie between larger ones:
 * an index has at most 8 (T + 1) segments, T being the highest tier. A segment of which more than
 * half was deleted is joined, too, alone if in no stretch. Only neighbours are joined, so documents
 * keep their order.
 */
#ifndef QN_BUILD_POLICY_H
#define QN_BUILD_POLICY_H

#include "index/segment/manifest.h"

/* The segments [first, first + n) are to be joined next; false: none are. What is joined is one
 * segment afterwards: asked again and again, it comes to an end. */
bool qn_policy_next(const qn_manifest *manifest, size_t *first, size_t *n);

#endif
