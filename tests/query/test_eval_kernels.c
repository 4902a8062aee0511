/* The evaluators' inner loops: every level gives what portable code gives, which is held against
 * what eval_kernels.h says; and none reads further than it may. */
#define _GNU_SOURCE
#include "query/eval_kernels.h"

#include "index/base/bytes.h"
#include "query/bm25.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { N = 4096, ROUNDS = 200, CODES = N / 2 + 128 };

static const qn_eval_kernels *level(qn_cpu cpu)
{
    return qn_eval_kernels_for(cpu);
}

/* `len` bytes that end where memory ends. */
static uint8_t *before_guard(size_t len)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (len + page - 1) / page * page;
    uint8_t *all =
        mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq((void *)all, MAP_FAILED);
    cr_assert_eq(mprotect(all + room, page, PROT_NONE), 0);
    return all + room - len;
}

static void fill_bytes(uint8_t *bytes, size_t n, test_random *random)
{
    unsigned mode = test_below(random, 4);
    for (size_t i = 0; i < n; i++) {
        uint64_t value = test_next(random);
        bytes[i] = mode == 0   ? 0
                   : mode == 1 ? (uint8_t)(value % 3 == 0 ? 0 : value >> 8)
                   : mode == 2 ? (uint8_t)(value | 0xF0)
                               : (uint8_t)(value % 5);
    }
}

static void fill_sums(uint16_t *sums, size_t n, unsigned most, test_random *random)
{
    for (size_t i = 0; i < n; i++)
        sums[i] = test_below(random, 3) == 0 ? 0 : (uint16_t)test_below(random, most + 1);
}

static uint64_t draw_live(test_random *random)
{
    switch (test_below(random, 4)) {
    case 0:
        return ~(uint64_t)0;
    case 1:
        return (uint64_t)1 << test_below(random, 64);
    case 2:
        return test_next(random) & test_next(random) & test_next(random);
    default:
        return test_next(random);
    }
}

/* ---- scores ---- */

Test(eval_kernels, scores)
{
    static uint8_t lengths[1000 + QN_PADDING];
    static float norms[256], by_doc[130];
    static uint32_t docs[130], tfs[130];
    test_random random = 1;
    for (unsigned i = 0; i < sizeof lengths; i++)
        lengths[i] = (uint8_t)test_next(&random);
    for (unsigned round = 0; round < ROUNDS; round++) {
        bool flat = round % 5 == 0; /* k1 = 0 */
        for (unsigned i = 0; i < 256; i++)
            norms[i] = flat ? 0 : (float)(test_next(&random) >> 40) * 0x1p-20f;
        size_t n = test_below(&random, 130);
        for (size_t i = 0; i < n; i++) {
            docs[i] = test_below(&random, 1000);
            tfs[i] = test_below(&random, 9) == 0 ? UINT32_MAX - test_below(&random, 5)
                                                 : test_below(&random, 4);
            by_doc[i] = norms[lengths[docs[i]]];
        }
        float weight = (float)test_below(&random, 1000) / 7;
        for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
            float some[130] = {0}, all[130] = {0};
            level(cpu)->score_tfs(tfs, by_doc, n, weight, some);
            for (size_t i = 0; i < n; i++) {
                float one = tfs[i] == 0 ? 0 : qn_bm25_contribution(weight, tfs[i], by_doc[i]);
                cr_assert_eq(memcmp(&some[i], &one, sizeof one), 0);
                tfs[i] += tfs[i] == 0;
            }
            level(cpu)->score(docs, tfs, n, lengths, norms, weight, all);
            for (size_t i = 0; i < n; i++) {
                float one = qn_bm25_contribution(weight, tfs[i], by_doc[i]);
                cr_assert_eq(memcmp(&all[i], &one, sizeof one), 0);
            }
        }
    }
}

/* ---- sums of range bounds ---- */

static uint16_t scaled(uint8_t max, uint16_t factor)
{
    return (uint16_t)(max == 0 ? 0 : max * (uint32_t)factor / 256 + 1);
}

typedef struct sums_case {
    uint8_t maxima[N];
    uint16_t sums[N], more[N];
    uint16_t factor, least;
    size_t n;
} sums_case;

static void make_sums(sums_case *c, test_random *random)
{
    c->n = 64 * (size_t)(1 + test_below(random, N / 64));
    fill_bytes(c->maxima, c->n, random);
    unsigned most = test_below(random, 2) == 0 ? 30000 : 20;
    fill_sums(c->sums, c->n, most, random);
    fill_sums(c->more, c->n, most, random);
    c->factor = (uint16_t)test_below(random, test_below(random, 2) == 0 ? 300 : 30000);
    c->least = (uint16_t)test_below(random, most + 2);
}

/* What an operation makes of sums[i]. */
typedef enum sums_op { ADD_BOUNDS, SET, MIN_BOUNDS, MIN, ADD, REQUIRED, OPTIONAL, OPS } sums_op;

static uint16_t expected_sum(const sums_case *c, sums_op op, size_t i)
{
    uint16_t value = scaled(c->maxima[i], c->factor), sum = c->sums[i], more = c->more[i];
    switch (op) {
    case ADD_BOUNDS:
        return (uint16_t)(sum + value);
    case SET:
        return value;
    case MIN_BOUNDS:
        return value < sum ? value : sum;
    case MIN:
        return more < sum ? more : sum;
    case ADD:
        return (uint16_t)(sum + more);
    case REQUIRED:
        return sum == 0 || more == 0 ? 0 : (uint16_t)(sum + more);
    default:
        return sum == 0 ? 0 : (uint16_t)(sum + more);
    }
}

static void run_op(const qn_eval_kernels *kernels, const sums_case *c, sums_op op, uint16_t *sums)
{
    switch (op) {
    case ADD_BOUNDS:
        kernels->add_bounds(sums, c->maxima, c->n, c->factor);
        break;
    case SET:
        kernels->set_bounds(sums, c->maxima, c->n, c->factor);
        break;
    case MIN_BOUNDS:
        kernels->min_bounds(sums, c->maxima, c->n, c->factor);
        break;
    case MIN:
        kernels->min_sums(sums, c->more, c->n);
        break;
    case ADD:
        kernels->add_sums(sums, c->more, c->n);
        break;
    case REQUIRED:
        kernels->add_required(sums, c->more, c->n);
        break;
    default:
        kernels->add_optional(sums, c->more, c->n);
        break;
    }
}

Test(eval_kernels, sums_of_bounds)
{
    static sums_case c;
    static uint16_t sums[N];
    test_random random = 2;
    for (unsigned round = 0; round < ROUNDS; round++) {
        make_sums(&c, &random);
        for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
            for (sums_op op = ADD_BOUNDS; op < OPS; op++) {
                memcpy(sums, c.sums, sizeof sums);
                run_op(level(cpu), &c, op, sums);
                for (size_t i = 0; i < c.n; i++)
                    cr_assert_eq(sums[i], expected_sum(&c, op, i), "%s, operation %d",
                                 qn_cpu_name(cpu), (int)op);
            }
        }
    }
}

Test(eval_kernels, sums_are_counted_and_found)
{
    static sums_case c;
    test_random random = 3;
    for (unsigned round = 0; round < ROUNDS; round++) {
        make_sums(&c, &random);
        size_t count = 0;
        uint16_t max = 0;
        uint64_t first = 0;
        for (size_t i = 0; i < c.n; i++) {
            count += c.sums[i] >= c.least;
            max = c.sums[i] > max ? c.sums[i] : max;
            first |= i < 64 ? (uint64_t)(c.sums[i] >= c.least) << i : 0;
        }
        for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
            cr_assert_eq(level(cpu)->count_bounds(c.sums, c.n, c.least), count);
            cr_assert_eq(level(cpu)->max_bound(c.sums, c.n), max);
            cr_assert_eq(level(cpu)->find_bounds(c.sums, c.least), first);
            cr_assert_eq(level(cpu)->max_bound(c.sums, 0), 0);
        }
    }
}

/* More than 16 bits count. */
Test(eval_kernels, a_hundred_thousand_sums_are_counted)
{
    static uint16_t sums[64 * 1600];
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
        sums[i] = 65535;
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++)
        cr_assert_eq(level(cpu)->count_bounds(sums, 64 * 1600, 65535), (size_t)64 * 1600);
}

/* ---- windows ---- */

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
    c->window =
        (qn_coded_window){(const uint8_t *)c->words, (const uint8_t *)c->ranks, c->codes, df};
}

/* What the list adds to each document. */
static void expand(const window_case *c, uint8_t out[N])
{
    for (unsigned r = 0; r < 64; r++) {
        uint64_t rank = c->ranks[r / 8];
        for (unsigned i = r / 8 * 8; i < r; i++)
            rank += (uint64_t)__builtin_popcountll(c->words[i]);
        rank = rank < c->window.df ? rank : c->window.df;
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
            check_codes(&c, cpu);
            check_bytes(&c, cpu);
        }
    }
}

/* A bound that is a byte too low loses an answer: what is added is never less than real numbers. */
Test(eval_kernels, scaled_maxima_are_ceilings)
{
    for (unsigned factor = 0; factor < 65536; factor += 257) {
        uint8_t maxima[64];
        uint16_t out[64];
        for (unsigned i = 0; i < 64; i++)
            maxima[i] = (uint8_t)(4 * i + factor % 4);
        for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
            level(cpu)->set_bounds(out, maxima, 64, (uint16_t)factor);
            for (unsigned i = 0; i < 64; i++)
                cr_assert(out[i] * 256u >= maxima[i] * factor && (maxima[i] != 0 || out[i] == 0));
        }
    }
}
