/* Keys into postings: the portable kernel, see keys.h. */
#include "index/codec/keys.h"

/* `narrow` is constant in each instance. */
static inline __attribute__((always_inline)) void split(const qn_keys *keys, size_t from,
                                                        uint32_t n, bool narrow, qn_keys_tile *tile)
{
    const uint32_t *narrow_key = narrow ? keys->narrow + from : NULL;
    const uint64_t *wide_key = narrow ? NULL : keys->wide + from;
    const unsigned bits = keys->position_bits;
    const uint64_t mask = ((uint64_t)1 << bits) - 1;
    uint64_t before = narrow ? ~(uint64_t)narrow_key[0] : ~wide_key[0]; /* another document */
    uint32_t n_postings = 0, n_gaps = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t key = narrow ? narrow_key[i] : wide_key[i];
        uint32_t position = (uint32_t)(key & mask), begins = key >> bits != before >> bits;
        /* What is not wanted is written over by the next. */
        tile->position[i] = position;
        tile->doc[n_postings] = keys->first_doc + (uint32_t)(key >> bits);
        tile->first[n_postings] = position;
        tile->start[n_postings] = i;
        tile->gap[n_gaps] = (uint32_t)(key - before);
        n_postings += begins;
        n_gaps += 1 - begins;
        before = key;
    }
    tile->n = n_postings;
    tile->start[n_postings] = n;
    for (uint32_t i = 0; i < n_postings; i++)
        tile->tf[i] = tile->start[i + 1] - tile->start[i];
}

void qn_keys_split(const qn_keys *keys, size_t from, uint32_t n, qn_keys_tile *tile)
{
    if (keys->narrow != NULL)
        split(keys, from, n, true, tile);
    else
        split(keys, from, n, false, tile);
}

/* Shorter rests are not worth a tile. */
enum { FEW = 8 };

bool qn_keys_next(const qn_keys *keys, size_t at, size_t *end)
{
    size_t rest = keys->n - at, n = rest < QN_KEYS_TILE ? rest : QN_KEYS_TILE;
    while (n > 0 && n < rest && qn_keys_doc(keys, at + n) == qn_keys_doc(keys, at + n - 1))
        n--;
    *end = at + n;
    if (at > 0 && rest >= FEW && n > 0)
        return true;
    const uint64_t doc = qn_keys_doc(keys, at);
    for (*end = at + 1; *end < keys->n && qn_keys_doc(keys, *end) == doc;)
        ++*end;
    return false;
}

qn_keys_split_fn qn_keys_split_for(qn_cpu cpu)
{
    qn_keys_split_fn best = NULL;
    if (cpu >= QN_CPU_AVX512)
        best = qn_keys_split_avx512();
    return best != NULL ? best : qn_keys_split;
}
