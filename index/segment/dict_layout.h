/*
 * The bytes of the dictionary, for its reader (dict.c) and writer (dict_writer.c); FORMAT.md,
 * "Dictionary", gives the reasons.
 *
 *     DICT       := block*                                    of n = up to QN_DICT_BLOCK terms
 *     block      := len(u8) byte{len} base terms_len control(u8){n} front(u8){n-1} terms fields{n}
 *     base       := postings_off positions_off bounds_index   of the first term
 *     front      := prefix in bits 0..3, more in bits 4..7; 15 says: in a byte of its own
 *     terms      := ([prefix(u8)] [more(u8)] byte{more+1})*   terms_len bytes
 *     control    := width codes of four fields, two bits each, the first lowest
 *     fields     := df > 1:   df-2{-,1,2,4} cf-df{0,1,2,8} postings_len{1,2,3,8} [positions_len]
 *                   df 1:     {0} tf-1{0,1,2,4} doc{1,2,3,4} [position | positions_len]
 *                             or [gaps_len varint{tf}] where 1 < tf <= QN_INLINE_TF_MAX
 *     DICT_INDEX := key(u64){n_blocks} place(u40){n_blocks} level*
 *     level      := every 16th key(u64) of the level below, or of all; the last has at most 16
 *
 * Numbers of the block without a width are varints. In braces are the bytes that the four codes
 * stand for; a first code of 0 means df 1. The fourth field is there if the segment has positions,
 * {1,2,3,8} bytes long, else its code is 0 and it is absent. It is the position itself where cf is
 * 1, the length of the gaps that follow where the positions of a single document are held here, and
 * the length in POSITIONS otherwise.
 */
#ifndef QN_SEGMENT_DICT_LAYOUT_H
#define QN_SEGMENT_DICT_LAYOUT_H

#include "index/base/bytes.h"

enum {
    /* Terms a block. See the figures in dict.c. */
    QN_DICT_BLOCK = 16,
    QN_DICT_KEY = 8,
    QN_DICT_PLACE = 5,
    /* Keys of a node of the index: two cache lines. */
    QN_DICT_FAN = 16,
    QN_DICT_LEVELS = 8, /* 16^8 = 2^32 */
    /* A half of the front byte that says "in a byte of its own". */
    QN_DICT_ESCAPE = 15,
    /* Control, fields and gaps of a term. */
    QN_DICT_RECORD_MAX = 1 + 4 + 3 * 8 + 8 * 5
};

/* Widths of the four fields by code: hexadecimal digit `code` of one of these. */
#define QN_DICT_WIDTHS_DF       0x4210u /* df - 2; code 0 means df 1 */
#define QN_DICT_WIDTHS_TF       0x4210u /* df 1: tf - 1 */
#define QN_DICT_WIDTHS_DOC      0x4321u /* df 1 */
#define QN_DICT_WIDTHS_CF       0x8210u /* cf - df */
#define QN_DICT_WIDTHS_POSTINGS 0x8321u
#define QN_DICT_WIDTHS_POSITION 0x8321u

#define QN_DICT_WIDTH(widths, code) ((widths) >> (4 * (code)) & 15u)

/* The first eight bytes of a term, zero bytes appended, as a number that orders like the bytes. If
 * key(a) < key(b) then a < b; equal keys say nothing. Two loads that overlap, as copying a variable
 * length costs a call. */
static inline uint64_t qn_dict_key(const char *term, size_t len)
{
    if (len >= 8)
        return __builtin_bswap64(qn_load_u64(term));
    uint64_t key = 0;
    if (len >= 4) {
        uint64_t low = __builtin_bswap32(qn_load_u32(term + len - 4));
        key = (uint64_t)__builtin_bswap32(qn_load_u32(term)) << 32 | low << (64 - 8 * len);
    } else {
        for (size_t i = 0; i < len; i++)
            key |= (uint64_t)(uint8_t)term[i] << (56 - 8 * i);
    }
    return key;
}

/* A 40-bit number; reads 3 bytes more. */
static inline uint64_t qn_dict_place(const uint8_t *places, uint32_t block)
{
    return qn_load_u64(places + (size_t)block * QN_DICT_PLACE) & 0xFFFFFFFFFFu;
}

/* Keys of the level above one of `n` keys. */
static inline uint32_t qn_dict_level_above(uint32_t n)
{
    return n / QN_DICT_FAN + (n % QN_DICT_FAN != 0);
}

#endif
