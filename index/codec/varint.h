/* Variable-length integers: seven bits a byte, least significant first, the high bit set on all but
 * the last byte (LEB128). Only the shortest form of a value is read, so that equal values have
 * equal bytes. */
#ifndef QN_CODEC_VARINT_H
#define QN_CODEC_VARINT_H

#include <stddef.h>
#include <stdint.h>

enum { QN_VARINT32_MAX = 5, QN_VARINT64_MAX = 10 };

/* Writes `value` at `out`, which has room for QN_VARINT64_MAX bytes; returns the bytes written. */
static inline size_t qn_varint_put(uint8_t *out, uint64_t value)
{
    size_t n = 0;
    while (value >= 0x80) {
        out[n++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    out[n++] = (uint8_t)value;
    return n;
}

/* Reads a value from [in, end); returns the byte after it, or NULL if it is cut off, does not fit
 * 32 bits, or ends in a needless zero. `in` may be NULL, so that reads can be chained. */
static inline const uint8_t *qn_varint_get32(const uint8_t *in, const uint8_t *end, uint32_t *value)
{
    uint32_t v = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        if (in == NULL || in >= end)
            return NULL;
        uint8_t byte = *in++;
        if (shift == 28 && byte > 0x0F)
            return NULL;
        if (byte == 0 && shift > 0)
            return NULL;
        v |= (uint32_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *value = v;
            return in;
        }
    }
    return NULL;
}

/* Likewise for 64 bits. */
static inline const uint8_t *qn_varint_get64(const uint8_t *in, const uint8_t *end, uint64_t *value)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (in == NULL || in >= end)
            return NULL;
        uint8_t byte = *in++;
        if (shift == 63 && byte > 0x01)
            return NULL;
        if (byte == 0 && shift > 0)
            return NULL;
        v |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *value = v;
            return in;
        }
    }
    return NULL;
}

#endif
