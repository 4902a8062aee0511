/*
 * The block codec: a forged block is refused or decoded alike at every SIMD level, within bounds;
 * what the encoder wrote comes back.
 *
 *     input := n(u8) base(u32) limit(u32) bytes     the bytes as a block, then as values
 */
#include "index/base/bytes.h"
#include "index/codec/block.h"
#include "tests/fuzz/fuzz.h"

enum { HEADER = 9 };

/* Picks some values from `from` on; they are those of `whole`, if it could be decoded. */
static void check_pick(const qn_block_kernels *kernels, const uint8_t *in, const uint8_t *end,
                       unsigned n, unsigned from, const uint32_t *whole)
{
    uint32_t picked[QN_BLOCK];
    unsigned count = 1 + (n - from - 1) / 2;
    const uint8_t *next = kernels->pick(in, end, n, from, count, picked);
    QN_FUZZ_CHECK(next == NULL || (in < next && next <= end));
    if (whole != NULL)
        QN_FUZZ_CHECK(next != NULL && memcmp(picked, whole + from, count * sizeof *picked) == 0);
}

/* Decodes at every level of the machine and compares with the portable kernels. */
static void check_levels(const uint8_t *in, const uint8_t *end, unsigned n, uint32_t base,
                         uint32_t limit)
{
    const qn_block_kernels *scalar = qn_block_kernels_for(QN_CPU_SCALAR);
    uint32_t want[QN_BLOCK_ROOM], got[QN_BLOCK_ROOM];
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
        const qn_block_kernels *kernels = qn_block_kernels_for(cpu);
        const uint8_t *want_end = scalar->decode(in, end, n, want);
        const uint8_t *got_end = kernels->decode(in, end, n, got);
        QN_FUZZ_CHECK(want_end == got_end);
        if (got_end != NULL) {
            QN_FUZZ_CHECK(in < got_end && got_end <= end);
            QN_FUZZ_CHECK(memcmp(want, got, n * sizeof *got) == 0);
            QN_FUZZ_CHECK(kernels->skip(in, end, n) == got_end);
        }
        check_pick(kernels, in, end, n, base % n, got_end == NULL ? NULL : got);
        want_end = scalar->decode_ascending(in, end, n, base, limit, want);
        got_end = kernels->decode_ascending(in, end, n, base, limit, got);
        QN_FUZZ_CHECK(want_end == got_end);
        if (got_end == NULL)
            continue;
        QN_FUZZ_CHECK(memcmp(want, got, n * sizeof *got) == 0);
        for (unsigned i = 0; i < n; i++) {
            QN_FUZZ_CHECK(got[i] < limit);
            QN_FUZZ_CHECK(i == 0 ? base == UINT32_MAX || got[0] > base : got[i] > got[i - 1]);
        }
    }
}

static void check_forged(const uint8_t *bytes, size_t len, unsigned n, uint32_t base,
                         uint32_t limit)
{
    uint8_t *padded = calloc(1, len + QN_PADDING);
    QN_FUZZ_CHECK(padded != NULL);
    if (len > 0)
        memcpy(padded, bytes, len);
    check_levels(padded, padded + len, n, base, limit);
    free(padded);
}

static void check_round_trip(const uint8_t *bytes, size_t len)
{
    uint32_t values[QN_BLOCK] = {0}, got[QN_BLOCK_ROOM];
    uint8_t coded[QN_BLOCK_MAX_BYTES + QN_PADDING] = {0};
    if (len > sizeof values)
        len = sizeof values;
    unsigned n = (unsigned)((len + 3) / 4);
    if (n == 0)
        return;
    memcpy(values, bytes, len);
    size_t size = qn_block_encode(values, n, coded);
    QN_FUZZ_CHECK(size > 0 && size <= QN_BLOCK_MAX_BYTES);
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
        const qn_block_kernels *kernels = qn_block_kernels_for(cpu);
        QN_FUZZ_CHECK(kernels->decode(coded, coded + size, n, got) == coded + size);
        QN_FUZZ_CHECK(memcmp(values, got, n * sizeof *got) == 0);
        QN_FUZZ_CHECK(kernels->decode(coded, coded + size - 1, n, got) == NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < HEADER)
        return 0;
    unsigned n = 1 + data[0] % QN_BLOCK;
    check_forged(data + HEADER, len - HEADER, n, qn_load_u32(data + 1), qn_load_u32(data + 5));
    check_forged(data + HEADER, len - HEADER, n, UINT32_MAX, UINT32_MAX);
    check_round_trip(data + HEADER, len - HEADER);
    return 0;
}
