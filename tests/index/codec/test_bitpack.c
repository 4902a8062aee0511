/* Bit packing against a reader of single bits, at every level, between guard pages. */
#define _DEFAULT_SOURCE
#include "index/codec/bitpack.h"

#include "tests/index/codec/guard.h"

enum { MAX_N = 150 };

static uint32_t bit_by_bit(const uint8_t *in, size_t i, unsigned width)
{
    uint32_t value = 0;
    for (unsigned b = 0; b < width; b++) {
        size_t bit = i * width + b;
        value |= (uint32_t)(in[bit / 8] >> (bit % 8) & 1) << b;
    }
    return value;
}

static size_t whole_groups(size_t n)
{
    return (n + QN_BITPACK_GROUP - 1) / QN_BITPACK_GROUP * QN_BITPACK_GROUP;
}

static void check_pack(qn_bitpack_pack_fn pack)
{
    guarded g = guard_new();
    uint64_t state = 1;
    for (unsigned width = 0; width <= 32; width++) {
        for (size_t n = 0; n <= MAX_N; n++) {
            uint32_t values[MAX_N];
            for (size_t i = 0; i < n; i++)
                values[i] = (uint32_t)test_next(&state); /* bits above the width are ignored */
            size_t len = qn_bitpack_bytes(n, width);
            uint8_t *out = g.end - QN_BITPACK_SLACK - len;
            memset(out, 0xFF, len + QN_BITPACK_SLACK);
            cr_assert_eq(pack(values, n, width, out), out + len);
            for (size_t i = 0; i < n; i++) {
                cr_assert_eq(bit_by_bit(out, i, width), values[i] & qn_bitpack_mask(width));
                cr_assert_eq(qn_bitpack_get(out, i, width), values[i] & qn_bitpack_mask(width));
            }
            unsigned used = (unsigned)(n * width % 8);
            cr_assert(used == 0 || out[len - 1] >> used == 0, "bits left over are zero");
        }
    }
    guard_free(g);
}

Test(bitpack, packs_every_width_and_count)
{
    check_pack(qn_bitpack_pack);
    if (qn_cpu_machine() >= QN_CPU_AVX2 && qn_bitpack_pack_avx2() != NULL)
        check_pack(qn_bitpack_pack_avx2());
}

static void check_unpack(qn_bitpack_unpack_fn unpack, const uint8_t *in, size_t n, unsigned width,
                         uint32_t *out)
{
    memset(out, 0xA5, whole_groups(n) * sizeof *out);
    unpack(in, n, width, out);
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(out[i], bit_by_bit(in, i, width), "width %u, value %zu of %zu", width, i, n);
}

/* Input and output stand against the guard pages, first the ones after them and then the ones
 * before; the input may be over-read by QN_PADDING bytes, whatever they hold. */
static void unpack_between_guards(qn_bitpack_unpack_fn unpack, unsigned width, size_t n,
                                  guarded input, guarded output, uint8_t padding)
{
    uint64_t state = width * 1000 + n;
    size_t len = qn_bitpack_bytes(n, width), room = whole_groups(n) * sizeof(uint32_t);
    uint8_t *in = input.end - QN_PADDING - len;
    for (size_t i = 0; i < len; i++)
        in[i] = input.start[i] = (uint8_t)test_next(&state);
    memset(in + len, padding, QN_PADDING);
    memset(input.start + len, padding, QN_PADDING);
    check_unpack(unpack, in, n, width, (uint32_t *)(void *)(output.end - room));
    check_unpack(unpack, input.start, n, width, (uint32_t *)(void *)output.start);
    check_unpack(unpack, in, n, width, (uint32_t *)(void *)(output.start + 4));
}

Test(bitpack, unpacks_alike_at_every_level)
{
    guarded input = guard_new(), output = guard_new();
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= QN_CPU_AVX512; cpu++) {
        if (!level_here(cpu))
            continue;
        for (unsigned width = 0; width <= 32; width++)
            for (size_t n = 0; n <= MAX_N; n++)
                unpack_between_guards(qn_bitpack_unpack_for(cpu), width, n, input, output,
                                      n % 2 ? 0xFF : 0x00);
    }
    guard_free(input);
    guard_free(output);
}

Test(bitpack, each_level_has_its_own_kernel)
{
    cr_assert_eq(qn_bitpack_unpack_for(QN_CPU_SCALAR), qn_bitpack_unpack);
#if defined(__x86_64__)
    cr_assert_neq(qn_bitpack_unpack_for(QN_CPU_AVX2), qn_bitpack_unpack);
    cr_assert_neq(qn_bitpack_unpack_for(QN_CPU_AVX512), qn_bitpack_unpack_for(QN_CPU_AVX2));
#endif
}
