/*
 * In-order bit packing of numbers on their way to a file, one at a time: the form is that of
 * bitpack.h, for numbers of up to 41 bits and rows too long to stand in memory.
 */
#ifndef QN_CODEC_PACKER_H
#define QN_CODEC_PACKER_H

#include "index/base/file.h"

enum { QN_PACKER_WIDTH_MAX = 41 };

/* Start with {.to = file}. */
typedef struct qn_packer {
    qn_writer *to;
    uint64_t bits;   /* not written yet, from the lowest on */
    unsigned n_bits; /* below 24 between calls */
} qn_packer;

/* Appends `value`, which must be below 2^width; width 0..QN_PACKER_WIDTH_MAX. */
quern_status qn_packer_put(qn_packer *packer, uint64_t value, unsigned width, quern_error *error);

/* Fills the last byte up with zero bits and writes it. The next number starts a new row. */
quern_status qn_packer_end(qn_packer *packer, quern_error *error);

#endif
