/* Varints: every boundary, every truncation, every malformed form. */
#include "index/codec/varint.h"

#include <criterion/criterion.h>
#include <string.h>

/* Values around every change of length. */
static size_t boundaries(uint64_t *values)
{
    size_t n = 0;
    for (unsigned bits = 0; bits <= 64; bits++) {
        uint64_t edge = bits == 64 ? 0 : UINT64_C(1) << bits;
        values[n++] = edge - 1;
        values[n++] = edge;
        values[n++] = edge + 1;
    }
    return n;
}

static size_t length_of(uint64_t value)
{
    size_t n = 1;
    while (value >>= 7)
        n++;
    return n;
}

Test(varint, round_trip_and_every_truncation)
{
    uint64_t values[200];
    size_t n_values = boundaries(values);
    for (size_t i = 0; i < n_values; i++) {
        uint8_t bytes[QN_VARINT64_MAX];
        size_t len = qn_varint_put(bytes, values[i]);
        cr_assert_eq(len, length_of(values[i]));
        uint64_t got64 = ~values[i];
        cr_assert_eq(qn_varint_get64(bytes, bytes + len, &got64), bytes + len);
        cr_assert_eq(got64, values[i]);
        uint32_t got32 = 0;
        if (values[i] <= UINT32_MAX) {
            cr_assert_eq(qn_varint_get32(bytes, bytes + len, &got32), bytes + len);
            cr_assert_eq(got32, values[i]);
        } else {
            cr_assert_null(qn_varint_get32(bytes, bytes + len, &got32));
        }
        for (size_t cut = 0; cut < len; cut++) {
            cr_assert_null(qn_varint_get64(bytes, bytes + cut, &got64));
            cr_assert_null(qn_varint_get32(bytes, bytes + cut, &got32));
        }
    }
}

Test(varint, stops_after_its_own_bytes)
{
    uint8_t bytes[] = {0xAC, 0x02, 0xFF, 0xFF};
    uint32_t got;
    cr_assert_eq(qn_varint_get32(bytes, bytes + sizeof bytes, &got), bytes + 2);
    cr_assert_eq(got, 300);
}

Test(varint, refuses_what_is_too_large)
{
    static const uint8_t over32[] = {0xFF, 0xFF, 0xFF, 0xFF, 0x10};
    static const uint8_t six[] = {0xFF, 0xFF, 0xFF, 0xFF, 0x8F, 0x01};
    static const uint8_t over64[] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02};
    static const uint8_t eleven[] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                     0xFF, 0xFF, 0xFF, 0x81, 0x01};
    uint32_t got32;
    uint64_t got64;
    cr_assert_null(qn_varint_get32(over32, over32 + sizeof over32, &got32));
    cr_assert_null(qn_varint_get32(six, six + sizeof six, &got32));
    cr_assert_null(qn_varint_get64(over64, over64 + sizeof over64, &got64));
    cr_assert_null(qn_varint_get64(eleven, eleven + sizeof eleven, &got64));
}

Test(varint, refuses_over_long_forms)
{
    uint64_t values[200];
    size_t n_values = boundaries(values);
    for (size_t i = 0; i < n_values; i++) {
        uint8_t bytes[QN_VARINT64_MAX + QN_VARINT64_MAX];
        size_t len = qn_varint_put(bytes, values[i]);
        for (size_t more = 1; len + more <= QN_VARINT64_MAX; more++) {
            bytes[len - 1] |= 0x80;
            memset(bytes + len, 0x80, more);
            bytes[len + more - 1] = 0;
            uint32_t got32;
            uint64_t got64;
            cr_assert_null(qn_varint_get32(bytes, bytes + len + more, &got32));
            cr_assert_null(qn_varint_get64(bytes, bytes + len + more, &got64));
        }
    }
}

Test(varint, chains_through_null)
{
    uint8_t bytes[] = {1};
    uint32_t got32;
    uint64_t got64;
    cr_assert_null(qn_varint_get32(NULL, bytes + 1, &got32));
    cr_assert_null(qn_varint_get64(NULL, bytes + 1, &got64));
}
