/*
 * Where documents were reordered: which document of the input each number of the lists stands for.
 *
 *     ORDINALS := ordinal{n_docs} of w bits each, bit-packed from the lowest bit on
 *
 * w is how many bits n_docs - 1 has (0 for up to one document). Ordinal i is the place, among the
 * segment's documents as they came, of the one that POSTINGS, POSITIONS, BOUNDS and LENGTHS call i;
 * each place once. Ids, exact lengths and the store are in the order of the input.
 *
 * The ordinals are checked by `verify` only: whoever uses one must see that it is below n_docs, and
 * that two may be equal in a forged file.
 */
#ifndef QN_SEGMENT_ORDINALS_H
#define QN_SEGMENT_ORDINALS_H

#include "index/base/scratch.h"
#include "index/codec/bitpack.h"
#include "index/segment/container.h"

static inline unsigned qn_ordinals_width(uint32_t n_docs)
{
    return n_docs < 2 ? 0 : 32 - (unsigned)__builtin_clz(n_docs - 1);
}

/* Appends the section: `order` has u32 a document, ordinal i at place i; it is let go of on the
 * way.
 */
quern_status qn_ordinals_write(qn_container_writer *container, const qn_scratch *order,
                               uint32_t n_docs, quern_error *error);

/* Sets *ordinals to the section's bytes, NULL where there is none, and holds its length against
 * n_docs. */
quern_status qn_ordinals_open(const uint8_t **ordinals, const qn_container *container,
                              uint32_t n_docs, quern_error *error);

#endif
