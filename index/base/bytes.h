/* Little-endian loads and stores at any alignment, and overflow-safe ranges: the only way in which
 * numbers are read from files. */
#ifndef QN_BASE_BYTES_H
#define QN_BASE_BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "quern's loads and stores assume a little-endian machine"
#endif

/* Bytes that every in-memory or mapped file region may be over-read by, so that SIMD loads need no
 * tail loops. Writers pad with as many zero bytes. */
#define QN_PADDING 64

static inline uint16_t qn_load_u16(const void *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint32_t qn_load_u32(const void *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint64_t qn_load_u64(const void *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline float qn_load_f32(const void *p)
{
    float v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void qn_store_u16(void *p, uint16_t v)
{
    memcpy(p, &v, sizeof v);
}

static inline void qn_store_u32(void *p, uint32_t v)
{
    memcpy(p, &v, sizeof v);
}

static inline void qn_store_u64(void *p, uint64_t v)
{
    memcpy(p, &v, sizeof v);
}

static inline void qn_store_f32(void *p, float v)
{
    memcpy(p, &v, sizeof v);
}

/* The first eight bytes of a string as a number, zeros where it has none: of two strings the
 * numbers compare as they do bytewise, unless they are equal. */
static inline uint64_t qn_prefix(const char *bytes, size_t len)
{
    uint64_t prefix = 0;
    if (len >= sizeof prefix)
        return __builtin_bswap64(qn_load_u64(bytes));
    for (size_t i = 0; i < len; i++)
        prefix |= (uint64_t)(uint8_t)bytes[i] << (56 - 8 * i);
    return prefix;
}

/* Whether [offset, offset + len) lies within [0, size), whatever the numbers are. */
static inline bool qn_in_range(uint64_t offset, uint64_t len, uint64_t size)
{
    return offset <= size && len <= size - offset;
}

#endif
