/* The evaluators' inner loops over windows of documents: every level gives what eval_kernels.h
 * says, whatever the bytes of a list are, and none reads further than it may. */
#define _GNU_SOURCE
#include "query/eval_kernels.h"

#include "tests/support/kernels.h"

#include <criterion/criterion.h>
#include <string.h>

enum { N = 4096, ROUNDS = 200, CODES = N / 2 + 128 };

/* ---- windows of bitmaps ---- */

typedef struct window_case {
    uint64_t words[64];
    uint32_t ranks[8], first;
    uint8_t *codes; /* ends before a guard page, 64 bytes past the last posting */
    uint8_t table[16], rest[64], sums[N], more[N];
    qn_coded_window window;
    uint64_t live;
    uint8_t least;
} window_case;

/* A window whose first posting is number `first` of the list. */
static void make_window(window_case *c, uint8_t *codes_end, test_random *random)
{
    unsigned mode = test_below(random, 5);
    uint32_t rank = c->first = test_below(random, 40);
    for (unsigned r = 0; r < 64; r++) {
        uint64_t word = test_next(random);
        c->words[r] = mode == 0   ? ~(uint64_t)0
                      : mode == 1 ? (uint64_t)1 << word % 64
                      : mode == 2 ? word & test_next(random) & test_next(random)
                      : mode == 3 ? (r % 3 == 0 ? 0 : word | test_next(random))
                                  : (word % 3 == 0 ? word : 0);
    }
    for (unsigned r = 0; r < 64; r++) {
        if (r % 8 == 0)
            c->ranks[r / 8] = rank;
        rank += (uint32_t)__builtin_popcountll(c->words[r]);
    }
    uint32_t df = rank;
    if (test_below(random, 6) == 0) { /* forged: more bits, or higher ranks, than the list has */
        df = 1 + test_below(random, rank + 1);
        c->ranks[test_below(random, 8)] = (uint32_t)test_next(random);
    }
    c->codes = codes_end - 64 - (df + 1) / 2;
    for (uint8_t *at = c->codes; at < codes_end; at++)
        *at = (uint8_t)test_next(random);
    fill_bytes(c->table, sizeof c->table, random);
    c->table[0] = 0;
    fill_bytes(c->rest, sizeof c->rest, random);
    fill_bytes(c->sums, sizeof c->sums, random);
    fill_bytes(c->more, sizeof c->more, random);
    c->live = draw_live(random);
    c->least = (uint8_t)(1 + test_below(random, 255));
    c->window = (qn_coded_window){.words = (const uint8_t *)c->words,
                                  .ranks = (const uint8_t *)c->ranks,
                                  .codes = c->codes,
                                  .df = df};
}

/* The number of the first posting at or after range r. */
static uint32_t rank_of(const window_case *c, unsigned r)
{
    uint64_t rank = c->ranks[r / 8];
    for (unsigned i = r / 8 * 8; i < r; i++)
        rank += (uint64_t)__builtin_popcountll(c->words[i]);
    return rank < c->window.df ? (uint32_t)rank : c->window.df;
}

/* Of ranges that are not live there is no rank. */
static void rank_ranges(window_case *c, qn_cpu cpu)
{
    for (unsigned r = 0; r < 64; r++)
        c->window.rank[r] = 0xDEAD;
    level(cpu)->rank_ranges(&c->window, c->live);
    for (unsigned r = 0; r < 64; r++)
        if (c->live >> r & 1)
            cr_assert_eq(c->window.rank[r], rank_of(c, r), "%s: range %u", qn_cpu_name(cpu), r);
}

/* Up to 64 documents of live ranges, ascending. */
static size_t draw_offsets(uint64_t live, uint16_t offsets[64], test_random *random)
{
    size_t n = 0, most = test_below(random, 65);
    uint32_t stride = 1 + test_below(random, 100);
    for (uint32_t at = test_below(random, stride); at < N && n < most;
         at += 1 + test_below(random, stride))
        if (live >> at / 64 & 1)
            offsets[n++] = (uint16_t)at;
    return n;
}

static void check_postings(const window_case *c, qn_cpu cpu, test_random *random)
{
    uint16_t offsets[64];
    uint32_t postings[64];
    size_t n = draw_offsets(c->live, offsets, random);
    uint64_t found = level(cpu)->find_postings(&c->window, offsets, n, postings), expected = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned r = offsets[i] / 64u, bit = offsets[i] % 64u;
        uint64_t below = c->words[r] & (((uint64_t)1 << bit) - 1);
        uint64_t posting = rank_of(c, r) + (uint64_t)__builtin_popcountll(below);
        bool here = (c->words[r] >> bit & 1) && posting < c->window.df;
        expected |= (uint64_t)here << i;
        if (here)
            cr_assert_eq(postings[i], posting);
    }
    cr_assert_eq(found, expected);
}

/* What the list adds to each document. */
static void expand(const window_case *c, uint8_t out[N])
{
    for (unsigned r = 0; r < 64; r++) {
        uint32_t rank = rank_of(c, r);
        for (unsigned i = 0; i < 64; i++) {
            bool here = c->words[r] >> i & 1;
            unsigned code = here ? (unsigned)c->codes[rank / 2] >> (rank % 2 * 4) & 15 : 0;
            out[64 * r + i] = c->table[code];
            rank += here;
        }
    }
}

static uint8_t sum_of(unsigned a, unsigned b)
{
    return (uint8_t)(a + b < 255 ? a + b : 255);
}

/* Untouched where a range is not live. */
static void check_codes(const window_case *c, qn_cpu cpu)
{
    static uint8_t values[N], sums[N], set[N];
    uint64_t alive = 0;
    expand(c, values);
    memcpy(sums, c->sums, N);
    memcpy(set, c->sums, N);
    uint64_t left = level(cpu)->add_codes(sums, c->live, &c->window, c->table, c->rest, c->least);
    level(cpu)->set_codes(set, c->live, &c->window, c->table);
    for (unsigned i = 0; i < N; i++) {
        bool live = c->live >> i / 64 & 1;
        uint8_t sum = live ? sum_of(c->sums[i], values[i]) : c->sums[i];
        cr_assert_eq(sums[i], sum, "%s: document %u", qn_cpu_name(cpu), i);
        cr_assert_eq(set[i], live ? values[i] : c->sums[i], "%s: document %u", qn_cpu_name(cpu), i);
        alive |= (uint64_t)(live && sum + c->rest[i / 64] >= c->least) << i / 64;
    }
    cr_assert_eq(left, alive);
}

static void check_bytes(const window_case *c, qn_cpu cpu)
{
    static uint8_t least[N], sum[N];
    static uint64_t masks[64];
    memcpy(least, c->sums, N);
    memcpy(sum, c->sums, N);
    memset(masks, 0x5A, sizeof masks);
    level(cpu)->min_bytes(least, c->live, c->more);
    level(cpu)->add_bytes(sum, c->live, c->more);
    level(cpu)->find_bytes(c->sums, c->live, c->least, masks);
    for (unsigned i = 0; i < N; i++) {
        uint8_t a = c->sums[i], b = c->more[i];
        bool live = c->live >> i / 64 & 1;
        cr_assert_eq(least[i], live && b < a ? b : a);
        cr_assert_eq(sum[i], live ? sum_of(a, b) : a);
        if (live)
            cr_assert_eq(masks[i / 64] >> i % 64 & 1, a >= c->least);
    }
    uint8_t out[64];
    uint16_t factor = (uint16_t)(c->first * 900);
    level(cpu)->range_bytes(out, c->more, factor, c->rest);
    for (unsigned i = 0; i < 64; i++)
        cr_assert_eq(out[i], sum_of(scaled(c->more[i], factor), c->rest[i]));
}

Test(eval_kernels, windows)
{
    static window_case c;
    uint8_t *codes_end = before_guard(CODES) + CODES;
    test_random random = 4;
    for (unsigned round = 0; round < 3 * ROUNDS; round++) {
        make_window(&c, codes_end, &random);
        for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
            rank_ranges(&c, cpu);
            check_codes(&c, cpu);
            check_bytes(&c, cpu);
            check_postings(&c, cpu, &random);
        }
    }
}

/* ---- windows of groups ---- */

typedef struct group_case {
    uint16_t starts[16];
    uint8_t *low, *codes; /* end before guard pages, 64 bytes past the last posting */
    uint8_t table[16], sums[N];
    qn_group_window window;
    uint32_t from[16], to[16]; /* what counts of each group */
    uint64_t live;
} group_case;

/* The documents of group g, of which there are so many. */
static void make_group(uint8_t *low, unsigned n, test_random *random)
{
    uint64_t set[4] = {0};
    for (unsigned left = n; left > 0;) {
        unsigned doc = test_below(random, 256);
        left -= !(set[doc / 64] >> doc % 64 & 1);
        set[doc / 64] |= (uint64_t)1 << doc % 64;
    }
    for (unsigned doc = 0; doc < 256; doc++)
        if (set[doc / 64] >> doc % 64 & 1)
            *low++ = (uint8_t)doc;
}

/* A good window; sometimes forged: of a list that ends sooner, with starts of any value, with
 * documents that do not ascend. */
static void make_groups(group_case *c, uint8_t *low_end, uint8_t *codes_end, test_random *random)
{
    unsigned count[16], mode = test_below(random, 4), forged = test_below(random, 9);
    uint32_t base = test_below(random, 100), end = base;
    for (unsigned g = 0; g < 16; g++) {
        count[g] = mode == 0   ? test_below(random, 16)
                   : mode == 1 ? test_below(random, 257)
                   : mode == 2 ? (test_below(random, 2) == 0 ? 256 : 0)
                               : test_below(random, 2);
        c->starts[g] = (uint16_t)(end - base);
        end += count[g];
    }
    uint32_t df = end;
    c->low = low_end - 64 - df;
    for (uint8_t *at = c->low; at < low_end; at++)
        *at = (uint8_t)test_next(random);
    for (unsigned g = 0; g < 16 && forged != 0; g++)
        make_group(c->low + base + c->starts[g], count[g], random);
    if (forged == 1)
        for (unsigned i = 1 + test_below(random, 4); i > 0; i--)
            c->starts[test_below(random, 16)] = (uint16_t)test_next(random);
    if (forged == 2)
        base = (uint32_t)test_next(random);
    if (forged == 3)
        end = (uint32_t)test_next(random);
    if (forged == 4) { /* the arrays end sooner, too */
        uint32_t less = test_below(random, df + 1);
        memmove(c->low + less, c->low, df - less);
        c->low += less;
        df -= less;
    }
    c->codes = codes_end - 64 - (df + 1) / 2;
    for (uint8_t *at = c->codes; at < codes_end; at++)
        *at = (uint8_t)test_next(random);
    fill_bytes(c->table, sizeof c->table, random);
    fill_bytes(c->sums, sizeof c->sums, random);
    c->live = draw_live(random);
    c->window = (qn_group_window){(const uint8_t *)c->starts, base, end, df, c->low, c->codes};
    for (unsigned g = 0; g < 16; g++) {
        uint64_t from = (uint64_t)base + c->starts[g];
        uint64_t to = g < 15 ? (uint64_t)base + c->starts[g + 1] : end;
        bool good = from <= to && to <= df && to - from <= 256;
        c->from[g] = good ? (uint32_t)from : 0;
        c->to[g] = good ? (uint32_t)to : 0;
    }
}

static bool ascends(const group_case *c, unsigned g)
{
    for (uint32_t i = c->from[g]; i + 1 < c->to[g]; i++)
        if (c->low[i] >= c->low[i + 1])
            return false;
    return true;
}

/* Groups whose documents do not ascend are only seen to stay within the arrays. */
static void check_added(const group_case *c, qn_cpu cpu)
{
    static uint8_t sums[N], expected[N];
    memcpy(sums, c->sums, N);
    memcpy(expected, c->sums, N);
    for (unsigned g = 0; g < 16; g++)
        for (uint32_t i = c->from[g]; i < c->to[g]; i++) {
            uint8_t *at = &expected[256 * g + c->low[i]];
            *at = sum_of(*at, c->table[c->codes[i / 2] >> (i % 2 * 4) & 15]);
        }
    level(cpu)->fetch_groups(&c->window, c->live);
    level(cpu)->add_groups(sums, c->live, &c->window, c->table);
    for (unsigned at = 0; at < N; at++)
        if ((c->live >> at / 64 & 1) && ascends(c, at / 256))
            cr_assert_eq(sums[at], expected[at], "%s: document %u", qn_cpu_name(cpu), at);
}

static void check_found(const group_case *c, qn_cpu cpu, test_random *random)
{
    uint64_t words[64] = {0}, expected[64] = {0};
    for (unsigned g = 0; g < 16; g++)
        for (uint32_t i = c->from[g]; i < c->to[g]; i++)
            expected[4 * g + c->low[i] / 64] |= (uint64_t)1 << c->low[i] % 64;
    level(cpu)->group_words(&c->window, words);
    cr_assert_eq(memcmp(words, expected, sizeof words), 0, "%s", qn_cpu_name(cpu));
    uint16_t offsets[64];
    uint32_t postings[64];
    size_t n = draw_offsets(~(uint64_t)0, offsets, random);
    uint64_t found = level(cpu)->find_grouped(&c->window, offsets, n, postings);
    cr_assert(n == 64 || found >> n == 0);
    for (size_t i = 0; i < n; i++) {
        bool here = words[offsets[i] / 64] >> offsets[i] % 64 & 1;
        cr_assert_eq(found >> i & 1, here, "%s", qn_cpu_name(cpu));
        if (!here)
            continue;
        uint32_t first = c->from[offsets[i] / 256];
        while (c->low[first] != (uint8_t)offsets[i])
            first++;
        cr_assert_eq(postings[i], first);
    }
}

Test(eval_kernels, windows_of_groups)
{
    static group_case c;
    enum { LOW = N + 256 };
    uint8_t *low_end = before_guard(LOW) + LOW, *codes_end = before_guard(LOW) + LOW;
    test_random random = 15;
    for (unsigned round = 0; round < 4 * ROUNDS; round++) {
        make_groups(&c, low_end, codes_end, &random);
        for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
            check_added(&c, cpu);
            check_found(&c, cpu, &random);
        }
    }
}

Test(eval_kernels, live_ranges_stay_where_a_sum_may_do)
{
    static uint8_t sums[N], rest[64];
    test_random random = 16;
    for (unsigned round = 0; round < ROUNDS; round++) {
        fill_bytes(sums, sizeof sums, &random);
        fill_bytes(rest, sizeof rest, &random);
        uint64_t live = draw_live(&random), alive = 0;
        uint8_t least = (uint8_t)(1 + test_below(&random, 255));
        for (unsigned at = 0; at < N; at++)
            if (live >> at / 64 & 1 && sums[at] + rest[at / 64] >= least)
                alive |= (uint64_t)1 << at / 64;
        for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++)
            cr_assert_eq(level(cpu)->keep_live(sums, live, rest, least), alive);
    }
}
