/* The evaluators' inner loops over scores, postings and sums of bounds: every level gives what
 * eval_kernels.h says. Those over windows are in test_eval_kernels_windows.c. */
#define _GNU_SOURCE
#include "query/eval_kernels.h"

#include "index/base/bytes.h"
#include "query/bm25.h"
#include "tests/support/kernels.h"

#include <criterion/criterion.h>
#include <string.h>

enum { N = 4096, ROUNDS = 200 };

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
            float some[130] = {0}, all[130] = {0}, sums[130];
            for (size_t i = 0; i < n; i++)
                sums[i] = (float)i / 3;
            level(cpu)->score_tfs(tfs, by_doc, n, weight, some);
            level(cpu)->add_scores(tfs, by_doc, n, weight, sums);
            for (size_t i = 0; i < n; i++) {
                float one = tfs[i] == 0 ? 0 : qn_bm25_contribution(weight, tfs[i], by_doc[i]);
                float sum = (float)i / 3 + one;
                cr_assert_eq(memcmp(&some[i], &one, sizeof one), 0);
                cr_assert_eq(memcmp(&sums[i], &sum, sizeof sum), 0);
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

/* ---- postings of sparse lists ---- */

/* Documents ascend; some stand together in runs, which fill ranges. */
static size_t draw_postings(uint32_t *docs, float *values, size_t room, uint32_t n_docs,
                            test_random *random)
{
    size_t n = 0;
    uint32_t stride = 1 + test_below(random, test_below(random, 2) == 0 ? 4 : 900), run = 0;
    for (uint32_t doc = test_below(random, stride);
         doc < n_docs && n<room; doc += run> 0 ? 1 : 1 + test_below(random, stride)) {
        run = run > 0 ? run - 1 : test_below(random, 20) == 0 ? test_below(random, 200) : 0;
        docs[n] = doc;
        values[n++] =
            test_below(random, 30) == 0 ? 0.0f : (float)(test_next(random) >> 40) * 0x1p-23f;
    }
    return n;
}

static unsigned units_of(float value, float scale)
{
    float units = value * scale;
    return units < 254 ? (unsigned)units + 1 : 255;
}

static void check_maxima(const uint32_t *docs, const float *values, size_t n, float scale)
{
    static uint8_t expected[1024], maxima[1024];
    memset(expected, 0, sizeof expected);
    size_t cut = n - n / 3; /* in two calls, as blocks come: a range may go on in the second */
    for (size_t i = 0; i < n; i++) {
        unsigned units = units_of(values[i], scale);
        uint8_t *at = &expected[docs[i] / 64];
        *at = units > *at ? (uint8_t)units : *at;
    }
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
        memset(maxima, 0, sizeof maxima);
        level(cpu)->range_maxima(docs, values, cut, scale, maxima);
        level(cpu)->range_maxima(docs + cut, values + cut, n - cut, scale, maxima);
        cr_assert_eq(memcmp(maxima, expected, sizeof maxima), 0, "%s", qn_cpu_name(cpu));
    }
}

Test(eval_kernels, range_maxima)
{
    static uint32_t docs[N];
    static float values[N];
    test_random random = 11;
    for (unsigned round = 0; round < 3 * ROUNDS; round++) {
        size_t n = draw_postings(docs, values, test_below(&random, N), 65536, &random);
        check_maxima(docs, values, n, (float)test_below(&random, 1000) / 7);
    }
}

/* A range may hold more than 16 consecutive documents: what AVX-512 carries from one 16 of them to
 * the next was once dropped, so that the best of a long run did not count. Each place of the best
 * in a run from each place on is tried. */
Test(eval_kernels, range_maxima_of_runs)
{
    uint32_t docs[64];
    float values[64];
    for (unsigned first = 0; first < 48; first++) {
        for (unsigned best = first; best < 64; best++) {
            size_t n = 64 - first;
            for (size_t i = 0; i < n; i++) {
                docs[i] = 640 + first + (uint32_t)i;
                values[i] = first + i == best ? 0.9f : 0.1f;
            }
            check_maxima(docs, values, n, 255);
        }
    }
}

Test(eval_kernels, expand_levels)
{
    static uint8_t numbers[N / 2 + 64], out[N], level_of[16];
    test_random random = 31;
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t n = 64 * (size_t)test_below(&random, N / 64 + 1);
        for (size_t i = 0; i < sizeof numbers; i++)
            numbers[i] = (uint8_t)test_next(&random);
        for (unsigned i = 1; i < 16; i++)
            level_of[i] = (uint8_t)test_next(&random);
        for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
            memset(out, 0xA5, sizeof out);
            level(cpu)->expand_levels(numbers, n, level_of, out);
            for (size_t i = 0; i < n; i++)
                cr_assert_eq(out[i], level_of[numbers[i / 2] >> (i % 2 * 4) & 15], "%s",
                             qn_cpu_name(cpu));
            cr_assert(n == sizeof out || out[n] == 0xA5);
        }
    }
}

Test(eval_kernels, add_values)
{
    static uint32_t docs[N];
    static float values[N];
    static uint8_t sums[N], before[N];
    test_random random = 12;
    for (unsigned round = 0; round < 3 * ROUNDS; round++) {
        size_t n = draw_postings(docs, values, N, N, &random);
        uint32_t base = 4096 * test_below(&random, 100);
        uint64_t live = draw_live(&random);
        float scale = (float)test_below(&random, 1000) / 3;
        fill_bytes(before, sizeof before, &random);
        for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
            memcpy(sums, before, sizeof sums);
            for (size_t i = 0; i < n; i++)
                docs[i] += base;
            level(cpu)->add_values(sums, live, docs, values, n, scale);
            for (size_t i = 0; i < n; i++)
                docs[i] -= base;
            for (size_t at = 0, i = 0; at < N; at++) {
                bool here = i < n && docs[i] == at;
                unsigned sum = before[at] + (here ? units_of(values[i], scale) : 0);
                i += here;
                if (live >> at / 64 & 1)
                    cr_assert_eq(sums[at], sum < 255 ? sum : 255, "%s", qn_cpu_name(cpu));
            }
        }
    }
}

Test(eval_kernels, keep)
{
    static uint32_t docs[N + 1], kept[N + 1];
    static float values[N + 1], kept_values[N + 1];
    test_random random = 13;
    for (unsigned round = 0; round < 3 * ROUNDS; round++) {
        size_t n = draw_postings(docs, values, test_below(&random, 200), 65536, &random);
        float least = (float)test_below(&random, 100) / 50;
        if (n > 0 && round % 3 == 0)
            least = values[n / 2]; /* what is just enough stays */
        for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
            memcpy(kept, docs, sizeof kept);
            memcpy(kept_values, values, sizeof kept_values);
            kept[n] = 77; /* not a posting's */
            kept_values[n] = 7;
            size_t n_kept = level(cpu)->keep(kept, kept_values, n, least), found = 0;
            for (size_t i = 0; i < n; i++) {
                if (values[i] < least)
                    continue;
                cr_assert(found < n_kept && kept[found] == docs[i]);
                cr_assert_eq(memcmp(&kept_values[found++], &values[i], sizeof *values), 0);
            }
            cr_assert_eq(n_kept, found);
            cr_assert(kept[n] == 77 && kept_values[n] == 7);
        }
    }
}

Test(eval_kernels, ends_of_windows)
{
    static uint32_t docs[N], ends[16], expected[16];
    static float values[N];
    test_random random = 14;
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t n = draw_postings(docs, values, N, 65536, &random);
        uint32_t first = test_below(&random, 100000);
        for (unsigned w = 0; w < 16; w++) {
            expected[w] = 5; /* stays where there are none */
            for (size_t i = 0; i < n; i++)
                expected[w] = docs[i] / 4096 == w ? first + (uint32_t)i + 1 : expected[w];
        }
        for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
            for (unsigned w = 0; w < 16; w++)
                ends[w] = 5;
            level(cpu)->window_ends(docs, n, first, ends);
            cr_assert_eq(memcmp(ends, expected, sizeof ends), 0);
        }
    }
}

Test(eval_kernels, clear)
{
    static uint8_t bytes[N + 2];
    for (size_t n = 0; n <= N; n += 64 * (1 + n / 640)) {
        for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
            memset(bytes, 0xA5, sizeof bytes);
            level(cpu)->clear(bytes + 1, n);
            for (size_t i = 0; i < sizeof bytes; i++)
                cr_assert_eq(bytes[i], i >= 1 && i < n + 1 ? 0 : 0xA5);
        }
    }
}

/* ---- sums of range bounds ---- */

static void fill_sums(uint16_t *sums, size_t n, unsigned most, test_random *random)
{
    for (size_t i = 0; i < n; i++)
        sums[i] = test_below(random, 3) == 0 ? 0 : (uint16_t)test_below(random, most + 1);
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
