/*
 * Codes: of a frequent term each posting has four bits that tell its class, a stretch of (tf,
 * document length). FORMAT.md, "Coded lists", has the bytes.
 *
 *     class := tf(u16) least_length(u8) exact(u8)
 *
 * No posting of a class has a tf above `tf` (65,535: any) or a length code under `least_length`, so
 * its tf-part at any k1, b and average length is at most tf / (tf + K(least_length)): one table of
 * 16 entries turns codes into bounds, and it is made anew for each query's parameters. In an exact
 * class every posting has just that tf; of the others tf stands apart (exceptions). Code 0 stands
 * for no posting.
 *
 * Which classes a term has is chosen from its postings: first one for each small tf, then, as long
 * as codes are left, the class is parted whose parting lowers the sum of all bounds most.
 */
#ifndef QN_SEGMENT_CODES_H
#define QN_SEGMENT_CODES_H

#include <stdbool.h>
#include <stdint.h>

enum {
    QN_CODES = 16,       /* with 0, which no posting has */
    QN_CODES_ROWS = 23,  /* kinds of tf: see qn_code_row */
    QN_CODES_EXACT = 12, /* rows up to this one are a tf each */
    QN_CODES_ANY = 65535 /* tf of a class that holds any */
};

typedef struct qn_code_class {
    uint16_t tf;
    uint8_t least_length;
    bool exact;
} qn_code_class;

/* The row of a tf >= 1: itself up to QN_CODES_EXACT, above in steps of a quarter. */
unsigned qn_code_row_above(uint32_t tf); /* of tf above QN_CODES_EXACT */
static inline unsigned qn_code_row(uint32_t tf)
{
    return tf <= QN_CODES_EXACT ? tf : qn_code_row_above(tf);
}

/* How many postings of a term have each tf, by row, and length code. */
typedef struct qn_code_histogram {
    uint32_t count[QN_CODES_ROWS][256];
    uint32_t tf_max[QN_CODES_ROWS]; /* the largest tf of each row; 0: none */
} qn_code_histogram;

static inline void qn_code_count(qn_code_histogram *histogram, uint32_t tf, uint8_t length)
{
    unsigned row = qn_code_row(tf);
    histogram->count[row][length]++;
    if (tf <= QN_CODES_EXACT || tf > histogram->tf_max[row])
        histogram->tf_max[row] = tf;
}

/* The classes of a term and the code of each kind of posting. */
typedef struct qn_codes {
    qn_code_class class[QN_CODES]; /* [0] and those not needed are all zero */
    uint8_t code[QN_CODES_ROWS][256];
} qn_codes;

/* Chooses classes; `norms` (K by length code) weigh what a wide class costs. Codes ascend with
 * bounds. The same histogram gives the same classes everywhere. */
void qn_codes_choose(qn_codes *codes, const qn_code_histogram *histogram, const float norms[256]);

/* The largest tf-part of a class at the given K; 0 of an empty one. */
float qn_code_part(const qn_code_class *class, const float norms[256]);

#endif
