/*
 * The random numbers of the synthetic corpus: SplitMix64 (Steele, Lea, Flood 2014), as a stream and
 * as a hash, so that anything can be drawn again from its name alone. Integers only: the same on
 * every machine.
 */
#ifndef QN_CLI_SYNTH_RANDOM_H
#define QN_CLI_SYNTH_RANDOM_H

#include <stdint.h>

/* The state of a stream; any number will do. */
typedef uint64_t qn_synth_random;

static inline uint64_t qn_synth_mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static inline uint64_t qn_synth_next(qn_synth_random *random)
{
    return qn_synth_mix(*random += UINT64_C(0x9E3779B97F4A7C15));
}

/* A number for a pair of numbers. */
static inline uint64_t qn_synth_hash(uint64_t a, uint64_t b)
{
    return qn_synth_mix(qn_synth_mix(a + UINT64_C(0x9E3779B97F4A7C15)) ^
                        (b + UINT64_C(0xD1B54A32D192ED03)));
}

/* A number below n (1..2^32) from the upper half of `bits`, even to within n / 2^32. */
static inline uint64_t qn_synth_below(uint64_t bits, uint64_t n)
{
    return (bits >> 32) * n >> 32;
}

#endif
