/*
 * Verifying a segment: every byte against its checksum, then everything it holds against everything
 * else - each list decoded, each bound recomputed, each id found again, each document fetched.
 */
#ifndef QN_SEGMENT_VERIFY_H
#define QN_SEGMENT_VERIFY_H

#include "index/segment/segment.h"

typedef void (*qn_verify_told)(void *arg, const char *file, const char *defect);

/* QUERN_OK, QUERN_E_DAMAGED with the first defect, or QUERN_E_MEMORY. `told` may be NULL. */
quern_status qn_verify_segment(const qn_segment *segment, qn_verify_told told, void *arg,
                               quern_error *error);

#endif
