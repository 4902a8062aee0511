/* XXH3-64 (Collet 2019): the checksum of every page and the hash of every table. Seed 0; the value
 * is part of the file format. The only place that includes xxHash. */
#ifndef QN_BASE_CHECKSUM_H
#define QN_BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

uint64_t qn_checksum(const void *bytes, size_t len);

#endif
