/*
 * Writing coded lists (coded.h): from the blocks that a writer has gathered of a term, once all of
 * them are known. Memory: one and a half bytes a posting, or half a byte and the term's bitmap.
 */
#ifndef QN_SEGMENT_CODED_WRITER_H
#define QN_SEGMENT_CODED_WRITER_H

#include "index/base/buffer.h"
#include "index/base/file.h"
#include "index/segment/coded.h"

/* Buffers, kept from term to term; zero-initialise. */
typedef struct qn_coded_writer {
    const qn_block_kernels *kernels;
    qn_codes codes;
    qn_buffer code, table, low, starts, exception, tf;
} qn_coded_writer;

void qn_coded_writer_free(qn_coded_writer *writer);

/* A list as it was gathered: blocks of docs and tf (block.h). */
typedef struct qn_coded_input {
    const uint8_t *blocks; /* over-readable by QN_PADDING */
    const uint8_t *end;    /* u32 a block: where it ends */
    uint32_t df, n_docs, n_windows;
    bool dense;
    const qn_code_histogram *histogram;
    const uint8_t *lengths;
    const float *norms;
    uint8_t trailer[4 + 2 * QN_SEEDS]; /* max_part and seeds */
    uint8_t level[QN_LEVELS];          /* of the range maxima */
} qn_coded_input;

/* Bytes by what they hold. */
typedef struct qn_coded_totals {
    uint64_t codes, bitmap, bounds;
} qn_coded_totals;

/* Writes the extent at to->offset (counted from the section's start) and adds to `totals`. */
quern_status qn_coded_write(qn_coded_writer *writer, const qn_coded_input *input, qn_writer *to,
                            qn_coded_totals *totals, quern_error *error);

#endif
