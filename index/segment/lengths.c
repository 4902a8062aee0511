/* Length codes: see lengths.h. */
#include "index/segment/lengths.h"

/* Lengths below 24 + 16 are their own codes; above, a float with three explicit mantissa bits of
 * length - 24 (Lucene's SmallFloat: 24 is the number of codes that the float form leaves free). */
enum { FREE = 24 };

uint8_t qn_length_encode(uint32_t length)
{
    if (length < FREE)
        return (uint8_t)length;
    if (length > INT32_MAX) /* the last code stands for all that is longer, as in Lucene */
        length = INT32_MAX;
    uint32_t rest = length - FREE;
    unsigned bits = rest == 0 ? 0 : 32u - (unsigned)__builtin_clz(rest);
    if (bits < 4)
        return (uint8_t)(FREE + rest);
    unsigned shift = bits - 4;
    return (uint8_t)(FREE + (((shift + 1) << 3) | ((rest >> shift) & 7)));
}

uint32_t qn_length_decode(uint8_t code)
{
    if (code < FREE)
        return code;
    uint32_t rest = (uint32_t)code - FREE;
    uint32_t mantissa = rest & 7, exponent = rest >> 3;
    if (exponent == 0)
        return FREE + mantissa;
    uint64_t length = FREE + ((uint64_t)(mantissa | 8) << (exponent - 1));
    return length > UINT32_MAX ? UINT32_MAX : (uint32_t)length;
}

void qn_length_norms(float k1, float b, double average, float norms[256])
{
    double mean = average > 0 ? average : 1.0;
    for (unsigned code = 0; code < 256; code++) {
        double length = (double)qn_length_decode((uint8_t)code);
        norms[code] = (float)((double)k1 * (1.0 - (double)b + (double)b * length / mean));
    }
}
