/* Choosing segments to join: see policy.h. */
#include "index/build/policy.h"

enum { SMALL = 1024, FACTOR = 8, FEW = 8, TIERS = 9 /* 1,024 * 8^8 is over 2^32 */ };

static uint64_t live(const qn_manifest_segment *segment)
{
    return segment->documents - segment->deleted;
}

static unsigned tier(uint64_t documents)
{
    unsigned t = 0;
    for (uint64_t limit = SMALL; documents >= limit; limit *= FACTOR)
        t++;
    return t;
}

static bool stretch_is_due(const qn_manifest *manifest, size_t first, size_t n, unsigned t)
{
    uint64_t documents = 0;
    for (size_t i = first; i < first + n; i++)
        documents += live(&manifest->segment[i]);
    return n > 1 && (n >= FEW * ((size_t)t + 1) || tier(documents) > t);
}

bool qn_policy_next(const qn_manifest *manifest, size_t *first, size_t *n)
{
    for (unsigned t = 0; t < TIERS; t++) {
        for (size_t i = 0; i < manifest->n_segments; i++) {
            size_t end = i;
            while (end < manifest->n_segments && tier(live(&manifest->segment[end])) <= t)
                end++;
            if (stretch_is_due(manifest, i, end - i, t)) {
                *first = i;
                *n = end - i;
                return true;
            }
            i = end;
        }
    }
    for (size_t i = 0; i < manifest->n_segments; i++) {
        const qn_manifest_segment *segment = &manifest->segment[i];
        if (segment->deleted > segment->documents / 2) {
            *first = i;
            *n = 1;
            return true;
        }
    }
    return false;
}
