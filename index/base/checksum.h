/* XXH3-64 (Collet 2019): the checksum of every page and the hash of every table. Seed 0; the value
 * is part of the file format. The only place that includes xxHash. */
#ifndef QN_BASE_CHECKSUM_H
#define QN_BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

uint64_t qn_checksum(const void *bytes, size_t len);

/* Where something is looked for first in a hash table of `cap` slots, by the upper half of its
 * checksum: tables that keep this grow without reading what they hold. */
static inline size_t qn_checksum_slot(uint32_t upper, size_t cap)
{
    return (size_t)((uint64_t)upper * cap >> 32);
}

#endif
