/* The pseudo-random numbers of all tests: SplitMix64 (Steele, Lea, Flood 2014). Deterministic; the
 * state is the seed at first, and any number will do. */
#ifndef QN_TESTS_RANDOM_H
#define QN_TESTS_RANDOM_H

#include <stdint.h>

typedef uint64_t test_random;

static inline uint64_t test_next(test_random *random)
{
    uint64_t z = *random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* Uniform in [0, n), n > 0. */
static inline uint32_t test_below(test_random *random, uint32_t n)
{
    return (uint32_t)(test_next(random) % n);
}

#endif
