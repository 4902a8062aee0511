/* Length codes against Lucene's SmallFloat rule written independently, and the norms' formula. */
#include "index/segment/lengths.h"

#include <criterion/criterion.h>

/* The reference rule: exact below 40; above, four significant bits of length - 24. */
static uint32_t rounded(uint32_t n)
{
    if (n < 40)
        return n;
    uint32_t m = n - 24;
    unsigned bits = 0;
    while (bits < 32 && m >> bits != 0)
        bits++;
    unsigned shift = bits - 4;
    return ((m >> shift) << shift) + 24;
}

Test(lengths, decode_of_encode_rounds_as_lucene)
{
    for (uint32_t n = 0; n < 3000000; n += n < 100000 ? 1 : 997)
        cr_assert_eq(qn_length_decode(qn_length_encode(n)), rounded(n), "length %u", n);
    cr_assert_eq(qn_length_decode(qn_length_encode(INT32_MAX)), rounded(INT32_MAX));
    cr_assert_eq(qn_length_encode(UINT32_MAX), 255, "longer ones share the last code");
}

Test(lengths, codes_ascend)
{
    for (unsigned code = 1; code < 256; code++)
        cr_assert_geq(qn_length_decode((uint8_t)code), qn_length_decode((uint8_t)(code - 1)));
    /* Every code up to that of the longest length decodes to a length that encodes back to it. */
    for (unsigned code = 0; code <= qn_length_encode(UINT32_MAX); code++)
        cr_assert_eq(qn_length_encode(qn_length_decode((uint8_t)code)), code);
}

Test(lengths, norms)
{
    float norms[256];
    qn_length_norms(0.9f, 0.4f, 100.0, norms);
    cr_assert_float_eq(norms[0], 0.54f, 1e-6f);
    double expected = (double)0.9f * (1 - (double)0.4f + (double)0.4f * 30.0 / 100.0);
    cr_assert_eq(norms[30], (float)expected);
    qn_length_norms(0.9f, 0.4f, 0, norms); /* no documents: still finite */
    cr_assert_float_eq(norms[1], 0.9f, 1e-6f);
}
