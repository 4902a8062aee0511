/*
 * Document lengths. The score uses a one-byte code with four significant bits (Lucene's SmallFloat,
 * intToByte4: exact up to 39); exact lengths are kept beside, bit-packed at a fixed width.
 */
#ifndef QN_SEGMENT_LENGTHS_H
#define QN_SEGMENT_LENGTHS_H

#include <stdint.h>

/* The code of a length; codes ascend with lengths. */
uint8_t qn_length_encode(uint32_t length);

/* The smallest length that has this code. */
uint32_t qn_length_decode(uint8_t code);

/* K of the score for each code: (float)(k1 * (1 - b + b * length / average)), computed in double;
 * `average` 0 (no documents, or only empty ones) counts as 1. */
void qn_length_norms(float k1, float b, double average, float norms[256]);

#endif
