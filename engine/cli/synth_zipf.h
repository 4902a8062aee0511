/*
 * How often words are used: the law of Zipf and Mandelbrot with a second, steeper slope for rare
 * words (Ferrer i Cancho and Sole 2001), without an end to the vocabulary, drawn from in constant
 * time by the method of aliases (Walker 1974, Vose 1991).
 *
 * Frequencies are computed by correctly rounded operations only (+, *, / and square roots), and
 * drawn by integers, so that every machine draws the same words.
 */
#ifndef QN_CLI_SYNTH_ZIPF_H
#define QN_CLI_SYNTH_ZIPF_H

#include "engine/cli/synth_random.h"
#include "engine/quern.h"

enum {
    QN_SYNTH_COLUMNS = 8192, /* of a table; a power of two */
    QN_SYNTH_EXACT = 4096,   /* ranks with a frequency of their own */
    QN_SYNTH_STEPS = 64      /* of each octave of ranks beyond, within which all are as frequent */
};

/* f(r) = 1 / ((r + shift) ^ (slope / 16) * (1 + (r / knee) ^ (tail_slope / 16))), r = 1, 2, ... */
typedef struct qn_synth_law {
    double shift, knee;
    unsigned slope, tail_slope;
} qn_synth_law;

/* What may be drawn: ranks below QN_SYNTH_EXACT one by one, then steps of ranks. */
typedef struct qn_synth_zipf {
    uint32_t threshold[QN_SYNTH_COLUMNS]; /* of 2^32: below it the column itself, else its alias */
    uint16_t alias[QN_SYNTH_COLUMNS];
} qn_synth_zipf;

/* x to the power of n / 16, for x >= 0. */
double qn_synth_power(double x, unsigned n);

/* Makes a table of the law; `accent` (may be NULL) holds a factor for each of the exact ranks.
 * QUERN_E_MEMORY. */
quern_status qn_synth_zipf_make(qn_synth_zipf *zipf, const qn_synth_law *law,
                                const double accent[QN_SYNTH_EXACT], quern_error *error);

/* A rank (0 is the most frequent word) from 64 random bits, and for rare words from the next number
 * of the stream. */
uint64_t qn_synth_zipf_draw(const qn_synth_zipf *zipf, qn_synth_random *random);

#endif
