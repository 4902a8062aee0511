/* The loops of count_kernels.h in plain C. The including file defines QN_KERNELS, the name of the
 * table, and OWN_SETS if it has count_any, count_all and filter of its own. */
#include "query/eval_kernels_groups.h"

#include <string.h>

#ifndef OWN_SETS

static inline uint64_t count_window(const uint64_t window[64])
{
    uint64_t count = 0;
    for (size_t i = 0; i < 64; i++)
        count += (uint64_t)__builtin_popcountll(window[i]);
    return count;
}

static uint64_t count_any(const uint8_t *const *sets, size_t n, size_t n_words)
{
    uint64_t count = 0, window[64];
    for (size_t at = 0; at < n_words; at += 64) {
        memcpy(window, sets[0] + 8 * at, sizeof window);
        for (size_t s = 1; s < n; s++)
            for (size_t i = 0; i < 64; i++)
                window[i] |= qn_load_u64(sets[s] + 8 * (at + i));
        count += count_window(window);
    }
    return count;
}

static uint64_t count_all(const uint8_t *const *sets, size_t n_all, size_t n, size_t n_words)
{
    uint64_t count = 0, window[64];
    for (size_t at = 0; at < n_words; at += 64) {
        memcpy(window, sets[0] + 8 * at, sizeof window);
        for (size_t s = 1; s < n_all; s++)
            for (size_t i = 0; i < 64; i++)
                window[i] &= qn_load_u64(sets[s] + 8 * (at + i));
        for (size_t s = n_all; s < n; s++)
            for (size_t i = 0; i < 64; i++)
                window[i] &= ~qn_load_u64(sets[s] + 8 * (at + i));
        count += count_window(window);
    }
    return count;
}

static size_t filter(const uint8_t *set, const uint32_t *docs, size_t n, bool wanted, uint32_t *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t doc = docs[i];
        out[kept] = doc;
        kept += (set[doc / 8] >> doc % 8 & 1) == (wanted ? 1 : 0);
    }
    return kept;
}

#endif

/* Sixteen at a time, those past a group's end to be overwritten: most groups have fewer, so that
 * how often this loops can be guessed. */
static size_t group_docs(const qn_group_window *window, uint32_t first, uint32_t *restrict docs)
{
    size_t n = 0;
    for (unsigned g = 0; g < 16; g++, first += 256) {
        uint32_t from, to;
        group_of(window, g, &from, &to);
        const uint8_t *low = window->low + from;
        for (uint32_t i = 0; i < to - from; i += 16)
            for (uint32_t j = i; j < i + 16; j++)
                docs[n + j] = first + low[j];
        n += to - from;
    }
    return n;
}

static void add(uint64_t *words, const uint8_t *set, size_t n_words)
{
    for (size_t i = 0; i < n_words; i++)
        words[i] |= qn_load_u64(set + 8 * i);
}

static void keep(uint64_t *words, const uint8_t *set, size_t n_words)
{
    for (size_t i = 0; i < n_words; i++)
        words[i] &= qn_load_u64(set + 8 * i);
}

static void drop(uint64_t *words, const uint8_t *set, size_t n_words)
{
    for (size_t i = 0; i < n_words; i++)
        words[i] &= ~qn_load_u64(set + 8 * i);
}

/* Byte by byte: a store seldom has to be waited for by the next load, as it does with words. */
static void mark(uint64_t *words, const uint32_t *docs, size_t n)
{
    uint8_t *bytes = (uint8_t *)words;
    for (size_t i = 0; i < n; i++)
        bytes[docs[i] / 8] |= (uint8_t)(1u << docs[i] % 8);
}

static size_t mark_new(uint64_t *words, const uint32_t *docs, size_t n)
{
    uint8_t *bytes = (uint8_t *)words;
    size_t added = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned byte = bytes[docs[i] / 8];
        added += ~byte >> docs[i] % 8 & 1;
        bytes[docs[i] / 8] = (uint8_t)(byte | 1u << docs[i] % 8);
    }
    return added;
}

static void unmark(uint64_t *words, const uint32_t *docs, size_t n)
{
    uint8_t *bytes = (uint8_t *)words;
    for (size_t i = 0; i < n; i++)
        bytes[docs[i] / 8] &= (uint8_t) ~(1u << docs[i] % 8);
}

const qn_count_kernels QN_KERNELS = {.count_any = count_any,
                                     .count_all = count_all,
                                     .add = add,
                                     .keep = keep,
                                     .drop = drop,
                                     .group_docs = group_docs,
                                     .filter = filter,
                                     .mark = mark,
                                     .mark_new = mark_new,
                                     .unmark = unmark};
