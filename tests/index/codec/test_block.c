/* Blocks: coding against definitions written out plainly, and every level against the same bytes,
 * good and bad, between guard pages. */
#define _DEFAULT_SOURCE
#include "index/codec/block.h"

#include "index/base/bytes.h"
#include "tests/index/codec/guard.h"

static guarded input, output;

static void open_guards(void)
{
    input = guard_new();
    output = guard_new();
}

static void close_guards(void)
{
    guard_free(input);
    guard_free(output);
}

TestSuite(block, .init = open_guards, .fini = close_guards);

/* ---- values ---- */

/* n values of up to `width` bits; with `n_large` of them of up to `large` bits. */
static void fill(uint32_t *values, unsigned n, unsigned width, unsigned n_large, unsigned large,
                 uint64_t *state)
{
    for (unsigned i = 0; i < n; i++)
        values[i] = (uint32_t)(test_next(state) & ((UINT64_C(1) << width) - 1));
    for (unsigned i = 0; i < n_large; i++)
        values[test_below(state, n)] = (uint32_t)(test_next(state) & ((UINT64_C(1) << large) - 1));
}

/* How often a coin falls that way, times 2^scale, and some. */
static uint32_t geometric(uint64_t *state, unsigned scale)
{
    uint32_t n = 0;
    while (test_below(state, 3) > 0)
        n++;
    return (n << scale) + test_below(state, 1u << scale);
}

/* ---- the definitions ---- */

static unsigned length_of(uint32_t value)
{
    unsigned bits = 0;
    for (; value > 0; value >>= 1)
        bits++;
    return bits;
}

/* Bytes with the given width, by the grammar. */
static size_t bytes_with(const uint32_t *values, unsigned n, unsigned width, unsigned *n_patches)
{
    unsigned longest = 0;
    *n_patches = 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned length = length_of(values[i]);
        *n_patches += length > width;
        if (length > longest)
            longest = length;
    }
    size_t bytes = 1 + (n * width + 7) / 8;
    if (*n_patches > 0)
        bytes += 2 + *n_patches + (*n_patches * (longest - width) + 7) / 8;
    return bytes;
}

/* The width that must be chosen: fewest bytes, the larger of equals. */
static unsigned best_width(const uint32_t *values, unsigned n, size_t *bytes)
{
    unsigned longest = 32, n_patches;
    while (longest > 0 && bytes_with(values, n, longest - 1, &n_patches) > 0 && n_patches == 0)
        longest--;
    unsigned best = longest;
    *bytes = bytes_with(values, n, longest, &n_patches);
    for (unsigned width = longest; width-- > 0;) {
        size_t these = bytes_with(values, n, width, &n_patches);
        if (these < *bytes) {
            *bytes = these;
            best = width;
        }
    }
    return best;
}

/* Bytes in unary with the width of the fewest bits, the larger of equals; SIZE_MAX if the high
 * parts are over 255. */
static size_t unary_bytes(const uint32_t *values, unsigned n, unsigned *width)
{
    uint64_t best = UINT64_MAX, best_highs = 0;
    for (unsigned w = 0; w <= 30; w++) {
        uint64_t highs = 0;
        for (unsigned i = 0; i < n; i++)
            highs += values[i] >> w;
        if (highs > 255 || (uint64_t)n * w + highs > best)
            continue;
        best = (uint64_t)n * w + highs;
        best_highs = highs;
        *width = w;
    }
    return best == UINT64_MAX ? SIZE_MAX
                              : 1 + (n * *width + 7) / 8 + (n + (size_t)best_highs + 7) / 8;
}

static uint32_t read_bits(const uint8_t *in, size_t bit, unsigned width)
{
    uint32_t value = 0;
    for (unsigned b = 0; b < width; b++)
        value |= (uint32_t)(in[(bit + b) / 8] >> ((bit + b) % 8) & 1) << b;
    return value;
}

/* The unary form by the letter. */
static const uint8_t *decode_unary_plainly(const uint8_t *in, const uint8_t *end, unsigned n,
                                           uint32_t *out)
{
    unsigned width = in[0] - 33u, zeros = 0, total = 0;
    size_t packed = (n * width + 7) / 8, room = (size_t)(end - in);
    if (room < 1 + packed)
        return NULL;
    const uint8_t *unary = in + 1 + packed;
    size_t n_bits = 8 * (size_t)(end - unary), bit = 0;
    for (unsigned i = 0; i < n; i++, zeros = 0) {
        for (; bit < n_bits && read_bits(unary, bit, 1) == 0; bit++)
            zeros++;
        total += zeros;
        if (bit++ == n_bits || total > 255)
            return NULL;
        out[i] = read_bits(in + 1, (size_t)i * width, width) | zeros << width;
    }
    return unary + (bit + 7) / 8;
}

/* A decoder by the letter of the grammar: the end of the block, or NULL. */
static const uint8_t *decode_plainly(const uint8_t *in, const uint8_t *end, unsigned n,
                                     uint32_t *out)
{
    size_t room = (size_t)(end - in);
    if (room >= 1 && in[0] >= 33 && in[0] <= 63)
        return decode_unary_plainly(in, end, n, out);
    if (room < 1 || in[0] & 0x80 || (in[0] & 63) > 32)
        return NULL;
    unsigned width = in[0] & 63, count = 0, high_width = 0;
    size_t at = 1;
    if (in[0] & 0x40) {
        if (room < 3)
            return NULL;
        count = in[1];
        high_width = in[2];
        at = 3;
        if (count == 0 || high_width == 0 || width + high_width > 32)
            return NULL;
    }
    size_t packed = (n * width + 7) / 8;
    size_t high = (count * high_width + 7) / 8;
    if (at + packed + count + high > room)
        return NULL;
    for (unsigned i = 0; i < n; i++)
        out[i] = read_bits(in + at, (size_t)i * width, width);
    const uint8_t *indexes = in + at + packed;
    for (unsigned i = 0; i < count; i++) {
        if (indexes[i] >= n || (i > 0 && indexes[i] <= indexes[i - 1]))
            return NULL;
        out[indexes[i]] |= read_bits(indexes + count, (size_t)i * high_width, high_width) << width;
    }
    return indexes + count + high;
}

/* What ascending values must come out as; false if they must be refused. */
static bool sum_plainly(const uint32_t *gaps, unsigned n, uint32_t base, uint32_t limit,
                        uint32_t *out)
{
    int64_t at = base == UINT32_MAX ? -1 : (int64_t)base;
    for (unsigned i = 0; i < n; i++) {
        at += (int64_t)gaps[i] + 1;
        if (at >= (int64_t)limit)
            return false;
        out[i] = (uint32_t)at;
    }
    return true;
}

/* ---- comparing ---- */

/* Room for a result: against the guard page after it, or after the one before it. */
static uint32_t *result_room(bool at_end)
{
    size_t bytes = QN_BLOCK_ROOM * sizeof(uint32_t);
    uint8_t *room = at_end ? output.end - bytes : output.start;
    memset(room, 0xA5, bytes);
    return (uint32_t *)(void *)room;
}

/* Decodes at a level and compares with the definition. */
static void check_decode(const qn_block_kernels *kernels, const uint8_t *in, const uint8_t *end,
                         unsigned n, bool at_end)
{
    uint32_t expected[QN_BLOCK];
    const uint8_t *after = decode_plainly(in, end, n, expected);
    uint32_t *out = result_room(at_end);
    cr_assert_eq(kernels->decode(in, end, n, out), after, "%s, n %u", kernels->name, n);
    if (after == NULL)
        return;
    cr_assert_arr_eq(out, expected, n * sizeof *out, "%s, n %u, head %02x", kernels->name, n,
                     in[0]);
    cr_assert_eq(kernels->skip(in, end, n), after);
}

static void check_ascending(const qn_block_kernels *kernels, const uint8_t *in, const uint8_t *end,
                            unsigned n, uint32_t base, uint32_t limit)
{
    uint32_t gaps[QN_BLOCK], expected[QN_BLOCK];
    const uint8_t *after = decode_plainly(in, end, n, gaps);
    if (after != NULL && !sum_plainly(gaps, n, base, limit, expected))
        after = NULL;
    uint32_t *out = result_room(true);
    cr_assert_eq(kernels->decode_ascending(in, end, n, base, limit, out), after,
                 "%s, n %u, base %u, limit %u", kernels->name, n, base, limit);
    if (after != NULL)
        cr_assert_arr_eq(out, expected, n * sizeof *out, "%s, n %u", kernels->name, n);
}

/* Copies a block so that its padding ends where the guard page starts. */
static const uint8_t *place_at_end(const uint8_t *bytes, size_t len, uint8_t padding)
{
    uint8_t *in = input.end - QN_PADDING - len;
    memcpy(in, bytes, len);
    memset(in + len, padding, QN_PADDING);
    return in;
}

static const uint8_t *place_at_start(const uint8_t *bytes, size_t len)
{
    memcpy(input.start, bytes, len);
    return input.start;
}

/* Everything about one list of values, at one level. */
static void check_values(const qn_block_kernels *kernels, const uint32_t *values, unsigned n)
{
    uint8_t bytes[QN_BLOCK_MAX_BYTES];
    size_t len = qn_block_encode(values, n, bytes);
    const uint8_t *in = place_at_end(bytes, len, n % 2 ? 0xFF : 0);
    uint32_t *out = result_room(true);
    cr_assert_eq(kernels->decode(in, in + len, n, out), in + len);
    cr_assert_arr_eq(out, values, n * sizeof *out, "%s, n %u, head %02x", kernels->name, n, in[0]);
    check_decode(kernels, in, in + len, n, true);
    check_ascending(kernels, in, in + len, n, UINT32_MAX, UINT32_MAX);
    check_ascending(kernels, in, in + len, n, 12345, UINT32_MAX);
    const uint8_t *start = place_at_start(bytes, len);
    check_decode(kernels, start, start + len, n, false);
}

/* ---- encoding ---- */

Test(block, takes_the_fewest_bytes)
{
    uint64_t state = 2;
    unsigned n_unary = 0;
    for (unsigned round = 0; round < 4000; round++) {
        uint32_t values[QN_BLOCK];
        unsigned n = round % 4 == 0 ? QN_BLOCK : 1 + test_below(&state, QN_BLOCK);
        fill(values, n, test_below(&state, 33), test_below(&state, n + 1), test_below(&state, 33),
             &state);
        if (round % 3 == 0) /* lengths spread as those of gaps are */
            for (unsigned i = 0; i < n; i++)
                values[i] >>= test_below(&state, 32);
        if (round % 5 == 0) /* or geometric ones */
            for (unsigned i = 0; i < n; i++)
                values[i] = geometric(&state, round % 25);
        uint8_t bytes[QN_BLOCK_MAX_BYTES];
        size_t expected;
        unsigned width = best_width(values, n, &expected), unary_width = 0;
        size_t unary = unary_bytes(values, n, &unary_width);
        bool saves = unary != SIZE_MAX && unary + expected / 20 < expected;
        cr_assert_eq(qn_block_kernels_for(QN_CPU_SCALAR)->encode(values, n, true, bytes),
                     saves ? unary : expected);
        cr_assert_eq(bytes[0] & 63u, saves ? 33 + unary_width : width);
        cr_assert_eq(qn_block_encode(values, n, bytes), unary < expected ? unary : expected);
        cr_assert_eq(bytes[0] & 63u, unary < expected ? 33 + unary_width : width);
        n_unary += unary < expected;
    }
    cr_assert(n_unary > 200 && n_unary < 3800, "%u", n_unary);
}

/* Sums of 32 bits and of more, of values up to the largest. */
Test(block, encodes_the_same_at_every_level)
{
    uint64_t state = 16;
    for (unsigned round = 0; round < 6000; round++) {
        uint32_t values[QN_BLOCK];
        unsigned n = round % 3 == 0 ? QN_BLOCK : 1 + test_below(&state, QN_BLOCK);
        fill(values, n, test_below(&state, 33), test_below(&state, n + 1), test_below(&state, 33),
             &state);
        if (round % 2 == 0)
            for (unsigned i = 0; i < n; i++)
                values[i] = geometric(&state, round % 29);
        for (unsigned picked = 0; picked < 2; picked++) {
            uint8_t expected[QN_BLOCK_MAX_BYTES], bytes[QN_BLOCK_MAX_BYTES];
            size_t len = qn_block_kernels_for(QN_CPU_SCALAR)->encode(values, n, picked, expected);
            for (qn_cpu cpu = QN_CPU_AVX2; cpu <= qn_cpu_machine(); cpu++) {
                const qn_block_kernels *kernels = qn_block_kernels_for(cpu);
                cr_assert_eq(kernels->encode(values, n, picked, bytes), len, "%s", kernels->name);
                cr_assert_arr_eq(bytes, expected, len, "%s", kernels->name);
            }
        }
    }
}

Test(block, bytes_follow_from_the_values_alone)
{
    uint64_t state = 3;
    for (unsigned round = 0; round < 500; round++) {
        uint32_t values[QN_BLOCK];
        unsigned n = 1 + test_below(&state, QN_BLOCK);
        fill(values, n, test_below(&state, 20), test_below(&state, 12), 32, &state);
        uint8_t *first = output.end - QN_BLOCK_MAX_BYTES, second[QN_BLOCK_MAX_BYTES];
        memset(first, 0, QN_BLOCK_MAX_BYTES);
        memset(second, 0xFF, QN_BLOCK_MAX_BYTES);
        size_t len = qn_block_encode(values, n, first);
        cr_assert_eq(qn_block_encode(values, n, second), len);
        cr_assert_arr_eq(first, second, len);
    }
}

Test(block, known_bytes)
{
    uint8_t bytes[QN_BLOCK_MAX_BYTES];
    static const uint32_t plain[] = {1, 2, 3, 0};
    static const uint8_t plain_bytes[] = {2, 0x39};
    cr_assert_eq(qn_block_encode(plain, 4, bytes), sizeof plain_bytes);
    cr_assert_arr_eq(bytes, plain_bytes, sizeof plain_bytes);

    uint32_t zeros[QN_BLOCK] = {0};
    cr_assert_eq(qn_block_encode(zeros, QN_BLOCK, bytes), 1);
    cr_assert_eq(bytes[0], 0);

    zeros[5] = 3;
    zeros[127] = 1;
    static const uint8_t patched[] = {0x40, 2, 2, 5, 127, 0x07};
    cr_assert_eq(qn_block_encode(zeros, QN_BLOCK, bytes), sizeof patched);
    cr_assert_arr_eq(bytes, patched, sizeof patched);

    static const uint32_t spread[] = {0, 0, 1, 0, 0, 0, 2, 0, 0, 5, 0, 0, 0, 1, 0, 0};
    static const uint8_t unary[] = {33, 0x7B, 0x0E, 0xDE,
                                    0x01}; /* 1 1 01 1 1 1 001 1 1 000001... */
    cr_assert_eq(qn_block_encode(spread, 16, bytes), sizeof unary);
    cr_assert_arr_eq(bytes, unary, sizeof unary);

    uint32_t large[] = {UINT32_MAX};
    static const uint8_t large_bytes[] = {32, 0xFF, 0xFF, 0xFF, 0xFF};
    cr_assert_eq(qn_block_encode(large, 1, bytes), sizeof large_bytes);
    cr_assert_arr_eq(bytes, large_bytes, sizeof large_bytes);
}

/* ---- decoding ---- */

static void check_every_shape(const qn_block_kernels *kernels)
{
    uint64_t state = 4;
    uint32_t values[QN_BLOCK];
    for (unsigned width = 0; width <= 32; width++) {
        for (unsigned n = 1; n <= QN_BLOCK; n++) {
            fill(values, n, width, 0, 0, &state);
            check_values(kernels, values, n);
            unsigned large = width + test_below(&state, 33 - width);
            fill(values, n, width, test_below(&state, n / 4 + 2), large, &state);
            check_values(kernels, values, n);
        }
    }
}

Test(block, decodes_every_width_and_count_at_every_level)
{
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= QN_CPU_AVX512; cpu++)
        if (level_here(cpu))
            check_every_shape(qn_block_kernels_for(cpu));
}

/* Blocks written by hand reach what the encoder never chooses: any width with any number of patches
 * of any width, which need not be high parts of anything. */
static size_t write_patched(uint8_t *out, unsigned n, unsigned width, unsigned count,
                            unsigned high_width, uint64_t *state)
{
    size_t packed = (n * width + 7) / 8, high = (count * high_width + 7) / 8;
    out[0] = (uint8_t)(0x40 | width);
    out[1] = (uint8_t)count;
    out[2] = (uint8_t)high_width;
    for (size_t i = 0; i < packed + count + high; i++)
        out[3 + i] = (uint8_t)test_next(state);
    /* Selection sampling (Knuth 3.4.2 S): `count` of n, ascending. */
    uint8_t *index = out + 3 + packed;
    for (unsigned i = 0, left = count; left > 0; i++)
        if (test_below(state, n - i) < left) {
            *index++ = (uint8_t)i;
            left--;
        }
    return 3 + packed + count + high;
}

static void check_patched_shapes(const qn_block_kernels *kernels)
{
    uint64_t state = 5;
    for (unsigned high_width = 1; high_width <= 32; high_width++) {
        for (unsigned count = 1; count <= QN_BLOCK; count++) {
            uint8_t bytes[QN_BLOCK_MAX_BYTES];
            unsigned n = count + test_below(&state, QN_BLOCK + 1 - count);
            unsigned width = test_below(&state, 33 - high_width);
            size_t len = write_patched(bytes, n, width, count, high_width, &state);
            const uint8_t *in = place_at_end(bytes, len, 0xFF);
            cr_assert_not_null(kernels->skip(in, in + len, n));
            check_decode(kernels, in, in + len, n, true);
            check_ascending(kernels, in, in + len, n, UINT32_MAX, UINT32_MAX);
            check_decode(kernels, place_at_start(bytes, len), input.start + len, n, false);
        }
    }
}

Test(block, decodes_every_shape_of_patches_at_every_level)
{
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= QN_CPU_AVX512; cpu++)
        if (level_here(cpu))
            check_patched_shapes(qn_block_kernels_for(cpu));
}

/* Unary parts by hand: any width, high parts that are up to 255 in all, or one more. */
static size_t write_unary(uint8_t *out, unsigned n, unsigned width, unsigned highs, uint64_t *state)
{
    size_t packed = (n * width + 7) / 8;
    memset(out, 0, QN_BLOCK_MAX_BYTES);
    out[0] = (uint8_t)(33 + width);
    for (size_t i = 0; i < packed; i++)
        out[1 + i] = (uint8_t)test_next(state);
    unsigned at = 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned here = i + 1 == n ? highs : test_below(state, highs * 2 / (n - i) + 1);
        here = here < highs ? here : highs;
        highs -= here;
        at += here;
        out[1 + packed + at / 8] |= (uint8_t)(1u << at % 8);
        at++;
    }
    return 1 + packed + (at + 7) / 8;
}

static void check_unary_shapes(const qn_block_kernels *kernels)
{
    static const unsigned sums[] = {0, 1, 63, 64, 65, 128, 200, 254, 255, 256, 257};
    uint64_t state = 15;
    for (unsigned n = 1; n <= QN_BLOCK; n++) {
        for (size_t s = 0; s < sizeof sums / sizeof *sums; s++) {
            uint8_t bytes[QN_BLOCK_MAX_BYTES];
            size_t len = write_unary(bytes, n, test_below(&state, 31), sums[s], &state);
            const uint8_t *in = place_at_end(bytes, len, 0xFF);
            cr_assert_eq(kernels->skip(in, in + len, n), sums[s] <= 255 ? in + len : NULL);
            check_decode(kernels, in, in + len, n, true);
            check_ascending(kernels, in, in + len, n, UINT32_MAX, UINT32_MAX);
            check_ascending(kernels, in, in + len, n, 77, UINT32_MAX);
            for (size_t cut = sums[s] <= 255 ? len : 0; cut-- > 0;) {
                const uint8_t *part = place_at_end(bytes, cut, 0xFF);
                cr_assert_null(kernels->decode(part, part + cut, n, result_room(true)));
                cr_assert_null(kernels->skip(part, part + cut, n));
                cut -= cut > 9 ? 7 : 0;
            }
            check_decode(kernels, place_at_start(bytes, len), input.start + len, n, false);
        }
    }
}

Test(block, decodes_every_shape_of_unary_at_every_level)
{
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= QN_CPU_AVX512; cpu++)
        if (level_here(cpu))
            check_unary_shapes(qn_block_kernels_for(cpu));
}

Test(block, refuses_every_truncation)
{
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= QN_CPU_AVX512; cpu++) {
        if (!level_here(cpu))
            continue;
        const qn_block_kernels *kernels = qn_block_kernels_for(cpu);
        uint64_t state = 6;
        for (unsigned round = 0; round < 40; round++) {
            uint8_t bytes[QN_BLOCK_MAX_BYTES];
            unsigned n = 1 + test_below(&state, QN_BLOCK);
            size_t len = write_patched(bytes, n, test_below(&state, 16), 1 + test_below(&state, n),
                                       1 + test_below(&state, 16), &state);
            for (size_t cut = 0; cut < len; cut++) {
                const uint8_t *in = place_at_end(bytes, cut, 0);
                cr_assert_null(kernels->decode(in, in + cut, n, result_room(true)));
                cr_assert_null(
                    kernels->decode_ascending(in, in + cut, n, 0, UINT32_MAX, result_room(true)));
                cr_assert_null(kernels->skip(in, in + cut, n));
            }
        }
    }
}

Test(block, refuses_malformed_headers)
{
    static const struct {
        uint8_t bytes[8];
        unsigned n;
    } bad[] = {
        {{33, 0, 0, 0, 0, 0, 0, 0}, 1},       /* no one in unary */
        {{63, 0, 0, 0, 0, 0, 0, 0}, 1},       /* likewise */
        {{33, 0x7F, 0, 0, 0, 0, 0, 0}, 8},    /* one too few */
        {{0x80, 0, 0, 0, 0, 0, 0, 0}, 1},     /* the zero bit */
        {{0xC0, 1, 1, 0, 1, 0, 0, 0}, 1},     /* the zero bit beside patches */
        {{0x40, 0, 1, 0, 1, 0, 0, 0}, 2},     /* no patches */
        {{0x40, 1, 0, 0, 1, 0, 0, 0}, 2},     /* patches of no bits */
        {{0x40, 1, 33, 0, 1, 0, 0, 0}, 2},    /* patches of too many bits */
        {{0x41, 1, 32, 0, 0, 1, 0, 0}, 2},    /* together over 32 bits */
        {{0x60, 1, 1, 0, 0, 0, 0, 0}, 1},     /* no bit left to patch */
        {{0x40, 1, 1, 2, 1, 0, 0, 0}, 2},     /* index n */
        {{0x40, 1, 1, 255, 1, 0, 0, 0}, 2},   /* index far out */
        {{0x40, 2, 1, 1, 1, 3, 0, 0}, 2},     /* indexes equal */
        {{0x40, 2, 1, 1, 0, 3, 0, 0}, 2},     /* indexes descend */
        {{0x40, 3, 1, 0, 1, 1, 7, 0}, 2},     /* more patches than values */
        {{0x40, 2, 1, 200, 100, 3, 0, 0}, 2}, /* out and descending */
        {{0, 0, 0, 0, 0, 0, 0, 0}, 0},        /* n out of range */
        {{0, 0, 0, 0, 0, 0, 0, 0}, 129},      /* likewise */
    };
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= QN_CPU_AVX512; cpu++) {
        if (!level_here(cpu))
            continue;
        const qn_block_kernels *kernels = qn_block_kernels_for(cpu);
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            const uint8_t *in = place_at_end(bad[i].bytes, 8, 0);
            cr_assert_null(kernels->decode(in, in + 8, bad[i].n, result_room(true)), "case %zu", i);
            cr_assert_null(
                kernels->decode_ascending(in, in + 8, bad[i].n, 0, UINT32_MAX, result_room(true)),
                "case %zu", i);
        }
        const uint8_t *end = input.end;
        cr_assert_null(kernels->decode(NULL, end, 1, result_room(true)));
        cr_assert_null(kernels->decode_ascending(NULL, end, 1, 0, 9, result_room(true)));
        cr_assert_null(kernels->skip(NULL, end, 1));
    }
}

/* Bytes at random, headers more plausible than chance would make them. */
static void random_block(uint8_t *bytes, size_t len, unsigned n, uint64_t *state)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)test_next(state);
    if (len > 0 && test_below(state, 8) > 0)
        bytes[0] =
            (uint8_t)(test_below(state, 3) > 0 ? bytes[0] & 0x4F : 33 + test_below(state, 31));
    if (len > 2 && test_below(state, 4) > 0) {
        bytes[1] = (uint8_t)(1 + test_below(state, 6));
        bytes[2] = (uint8_t)(1 + test_below(state, 10));
    }
    /* Indexes that ascend, mostly. */
    size_t at = 3 + (n * (len > 0 ? bytes[0] & 63u : 0) + 7) / 8;
    unsigned index = test_below(state, 6);
    for (unsigned i = 0; len > 2 && i < bytes[1] && at + i < len; i++) {
        bytes[at + i] = (uint8_t)index;
        index += test_below(state, 20);
    }
}

Test(block, agrees_on_random_bytes_at_every_level)
{
    unsigned n_good = 0, n_bad = 0;
    uint64_t state = 7;
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t bytes[600];
        unsigned n = test_below(&state, 2) ? QN_BLOCK : 1 + test_below(&state, QN_BLOCK);
        size_t len = test_below(&state, sizeof bytes);
        random_block(bytes, len, n, &state);
        const uint8_t *in = place_at_end(bytes, len, (uint8_t)test_next(&state));
        uint32_t base = (uint32_t)test_next(&state) >> test_below(&state, 32);
        uint32_t limit = (uint32_t)test_next(&state) | 0x80000000;
        for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
            const qn_block_kernels *kernels = qn_block_kernels_for(cpu);
            check_decode(kernels, in, in + len, n, true);
            check_ascending(kernels, in, in + len, n, base, limit);
        }
        uint32_t out[QN_BLOCK];
        *(decode_plainly(in, in + len, n, out) != NULL ? &n_good : &n_bad) += 1;
    }
    cr_assert(n_good > 2000 && n_bad > 2000, "%u accepted, %u refused", n_good, n_bad);
}

/* ---- ascending ---- */

/* Encodes gaps and checks them around the limits that matter to them, at every level. */
static void check_gaps(const uint32_t *gaps, unsigned n, uint32_t base)
{
    uint8_t bytes[QN_BLOCK_MAX_BYTES];
    size_t len = qn_block_encode(gaps, n, bytes);
    const uint8_t *in = place_at_end(bytes, len, 0xFF);
    uint64_t last = base == UINT32_MAX ? UINT64_MAX : base;
    for (unsigned i = 0; i < n; i++)
        last += (uint64_t)gaps[i] + 1;
    uint32_t low = (uint32_t)last;
    const uint32_t limits[] = {0,    1,        low - 1,        low,       low + 1, 100,
                               base, base + 1, UINT32_MAX - 1, UINT32_MAX};
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++)
        for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
            check_ascending(qn_block_kernels_for(cpu), in, in + len, n, base, limits[i]);
}

Test(block, ascending_values_stay_below_the_limit)
{
    static const uint32_t bases[] = {
        UINT32_MAX,    0, 1, 0x7FFFFFFE, 0x7FFFFFFF, 0x80000000, UINT32_MAX - 128, UINT32_MAX - 2,
        UINT32_MAX - 1};
    uint64_t state = 8;
    for (size_t b = 0; b < sizeof bases / sizeof bases[0]; b++) {
        for (unsigned width = 0; width <= 32; width++) {
            for (unsigned i = 0; i < 8; i++) {
                uint32_t gaps[QN_BLOCK];
                unsigned n = i % 2 ? QN_BLOCK : 1 + test_below(&state, QN_BLOCK);
                fill(gaps, n, width, i / 2, 32, &state);
                check_gaps(gaps, n, bases[b]);
            }
        }
    }
}

/* Sums that come back to where they were, or a little above, after wrapping. */
Test(block, wrapping_sums_are_refused)
{
    uint32_t gaps[QN_BLOCK];
    for (unsigned n = 1; n <= QN_BLOCK; n++) {
        for (unsigned at = 0; at < n; at += 1 + n / 7) {
            memset(gaps, 0, sizeof gaps);
            static const uint32_t steps[] = {UINT32_MAX, UINT32_MAX - 1, UINT32_MAX - 127,
                                             0x80000000, 0x7FFFFFFF};
            for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
                gaps[at] = steps[s];
                check_gaps(gaps, n, 5);
                check_gaps(gaps, n, UINT32_MAX);
                gaps[n - 1] = steps[s]; /* twice: wraps to above the start */
                check_gaps(gaps, n, 5);
                gaps[n - 1] = 0;
            }
        }
    }
    /* 128 gaps of just under 2^25 pass 2^32 together although each is far below it. */
    for (unsigned i = 0; i < QN_BLOCK; i++)
        gaps[i] = (1u << 25) - 1;
    check_gaps(gaps, QN_BLOCK, UINT32_MAX);
    check_gaps(gaps, QN_BLOCK, 0);
    check_gaps(gaps, QN_BLOCK - 1, 0);
}

Test(block, the_first_value_can_be_anything_below_the_limit)
{
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
        const qn_block_kernels *kernels = qn_block_kernels_for(cpu);
        uint8_t bytes[QN_BLOCK_MAX_BYTES];
        uint32_t *out = result_room(true), largest = UINT32_MAX - 1, zero = 0;
        size_t len = qn_block_encode(&largest, 1, bytes);
        const uint8_t *in = place_at_end(bytes, len, 0);
        cr_assert_not_null(kernels->decode_ascending(in, in + len, 1, UINT32_MAX, UINT32_MAX, out));
        cr_assert_eq(out[0], UINT32_MAX - 1);
        len = qn_block_encode(&zero, 1, bytes);
        in = place_at_end(bytes, len, 0);
        cr_assert_not_null(kernels->decode_ascending(in, in + len, 1, UINT32_MAX, 1, out));
        cr_assert_eq(out[0], 0);
    }
}

/* ---- levels ---- */

Test(block, tables_are_named_by_level)
{
    cr_assert_str_eq(qn_block_kernels_for(QN_CPU_SCALAR)->name, "scalar");
#if defined(__x86_64__)
    cr_assert_str_eq(qn_block_kernels_for(QN_CPU_AVX2)->name, "avx2");
    cr_assert_str_eq(qn_block_kernels_for(QN_CPU_AVX512)->name, "avx512");
#endif
}
