/*
 * Reading the dictionary: dict_layout.h has the bytes.
 *
 * A find descends through the levels of keys, counting 16 keys at a time without branches, and
 * compares strings only where keys are equal. In the block it compares suffixes without ever
 * building a term (a front-coded term that shares more with the one before than the wanted term
 * does is passed unseen); only then, knowing which term it is, it adds up the lengths of extents
 * before it, with a table in place of branches.
 *
 * 296,605 stemmed terms of 966,464 English passages, with positions, on a busy two-core virtual
 * machine (L2 2 MB at 12 ns, beyond it over 100 ns), median of batches:
 *     blocks of 16: 12.1 bytes a term; 260 ns for terms asked for as often as they occur in texts,
 *                   400 ns for any term, which is out of cache
 *     blocks of 32: 11.2 bytes a term; 330 ns and 480 ns
 */
#include "index/segment/dict.h"

#include "index/base/status.h"
#include "index/codec/varint.h"
#include "index/segment/dict_layout.h"

#include <string.h>

static quern_status damaged(const qn_dict *dict, quern_error *error)
{
    return qn_fail(error, QUERN_E_DAMAGED, "%s: the dictionary is malformed",
                   dict->container->name);
}

static quern_status disordered(const qn_dict *dict, quern_error *error)
{
    return qn_fail(error, QUERN_E_DAMAGED, "%s: terms of the dictionary do not ascend",
                   dict->container->name);
}

quern_status qn_dict_open(qn_dict *out, const qn_container *container, uint64_t n_terms,
                          uint32_t n_docs, bool positions, uint32_t bounds_df, quern_error *error)
{
    *out = (qn_dict){.container = container,
                     .blocks = container->section[QN_SECTION_DICT],
                     .index = container->section[QN_SECTION_DICT_INDEX],
                     .n_terms = n_terms,
                     .postings_len = container->section[QN_SECTION_POSTINGS].len,
                     .positions_len = container->section[QN_SECTION_POSITIONS].len,
                     .n_docs = n_docs,
                     .bounds_df = bounds_df,
                     .positions = positions};
    uint64_t n_blocks = n_terms / QN_DICT_BLOCK + (n_terms % QN_DICT_BLOCK != 0);
    if (out->blocks.data == NULL || out->index.data == NULL || n_blocks > UINT32_MAX ||
        (n_blocks == 0) != (out->blocks.len == 0))
        return damaged(out, error);
    out->n_blocks = (uint32_t)n_blocks;
    out->places = out->index.data + n_blocks * QN_DICT_KEY;
    out->keys[0] = out->index.data;
    out->n_keys[0] = out->n_blocks;
    uint64_t len = n_blocks * (QN_DICT_KEY + QN_DICT_PLACE);
    uint32_t level = 0;
    while (out->n_keys[level] > QN_DICT_FAN) {
        uint32_t above = qn_dict_level_above(out->n_keys[level]);
        level++;
        out->keys[level] = out->index.data + len;
        out->n_keys[level] = above;
        len += (uint64_t)above * QN_DICT_KEY;
    }
    out->n_levels = level + 1;
    return out->index.len == len ? QUERN_OK : damaged(out, error);
}

/* ---- fields ---- */

/* What a control byte says. A table, because a branch on "df is 1" would be mispredicted for every
 * other term. */
typedef struct shape {
    uint8_t len;                 /* of all fields */
    uint8_t df_width, df_more;   /* df is the first field + df_more */
    uint8_t at_third, at_fourth; /* where these start */
    uint8_t postings, positions; /* widths of lengths to add up: 0 where df is 1 */
    uint8_t repeated;            /* several times in one document, and there are positions */
} shape;

#define W1(c) QN_DICT_WIDTH(QN_DICT_WIDTHS_DF, (c)&3)
#define W2(c) QN_DICT_WIDTH((c)&3 ? QN_DICT_WIDTHS_CF : QN_DICT_WIDTHS_TF, (c) >> 2 & 3)
#define W3(c) QN_DICT_WIDTH((c)&3 ? QN_DICT_WIDTHS_POSTINGS : QN_DICT_WIDTHS_DOC, (c) >> 4 & 3)
#define W4(c) QN_DICT_WIDTH(QN_DICT_WIDTHS_POSITION, (c) >> 6 & 3)
#define SHAPE(c, w4, has)                                                                          \
    {                                                                                              \
        W1(c) + W2(c) + W3(c) + (w4), W1(c), (c)&3 ? 2 : 1, W1(c) + W2(c), W1(c) + W2(c) + W3(c),  \
            (c)&3 ? W3(c) : 0, (c)&3 ? (w4) : 0, (has) && !((c)&3) && ((c)&12)                     \
    }
#define WITHOUT(c) SHAPE(c, 0, 0)
#define WITH(c)    SHAPE(c, W4(c), 1)
#define X4(f, c)   f(c), f((c) + 1), f((c) + 2), f((c) + 3)
#define X16(f, c)  X4(f, c), X4(f, (c) + 4), X4(f, (c) + 8), X4(f, (c) + 12)
#define X64(f, c)  X16(f, c), X16(f, (c) + 16), X16(f, (c) + 32), X16(f, (c) + 48)
#define X256(f)    X64(f, 0u), X64(f, 64u), X64(f, 128u), X64(f, 192u)

/* By [whether there are positions][control byte]. */
static const shape SHAPES[2][256] = {{X256(WITHOUT)}, {X256(WITH)}};

/* A field of `width` bytes, 0..8; `at` may be over-read by 8. */
static inline uint64_t read_field(const uint8_t *at, uint32_t width)
{
    static const uint64_t mask[9] = {0,
                                     0xFF,
                                     0xFFFF,
                                     0xFFFFFF,
                                     0xFFFFFFFF,
                                     0xFFFFFFFFFF,
                                     0xFFFFFFFFFFFF,
                                     0xFFFFFFFFFFFFFF,
                                     0xFFFFFFFFFFFFFFFF};
    return qn_load_u64(at) & mask[width];
}

/* ---- blocks ---- */

/* An entered block, and what is added up to the term whose fields come next. */
typedef struct block_view {
    const uint8_t *first; /* the first term */
    uint32_t first_len, n;
    const uint8_t *controls, *fronts, *terms, *terms_end;
    const uint8_t *fields, *end;
    uint64_t postings_off, positions_off, bounds_index;
} block_view;

/* Finds the bytes of a block: *at up to *end, not empty. */
static inline quern_status block_bytes(const qn_dict *dict, uint32_t block, const uint8_t **at,
                                       const uint8_t **end, quern_error *error)
{
    bool last = block + 1 == dict->n_blocks;
    const uint8_t *place = dict->places + (size_t)block * QN_DICT_PLACE;
    quern_status status =
        qn_container_touch(dict->container, place, (last ? 1 : 2) * QN_DICT_PLACE, error);
    if (status != QUERN_OK)
        return status;
    uint64_t from = qn_dict_place(dict->places, block);
    uint64_t to = last ? dict->blocks.len : qn_dict_place(dict->places, block + 1);
    if (from >= to || to > dict->blocks.len)
        return damaged(dict, error);
    *at = dict->blocks.data + from;
    *end = dict->blocks.data + to;
    return qn_container_touch(dict->container, *at, to - from, error);
}

/* Enters a block: its parts, checked to lie within it. */
static inline quern_status enter_block(const qn_dict *dict, uint32_t block, block_view *v,
                                       quern_error *error)
{
    const uint8_t *at = NULL;
    quern_status status = block_bytes(dict, block, &at, &v->end, error);
    if (status != QUERN_OK)
        return status;
    /* A block spans three or four lines: fetched at once, not one after another. */
    for (size_t line = 64; line < 256; line += 64)
        __builtin_prefetch(at + line);
    v->first_len = *at;
    v->first = at + 1;
    if (v->first_len == 0 || v->first_len >= v->end - at)
        return damaged(dict, error);
    uint64_t terms_len;
    at = qn_varint_get64(v->first + v->first_len, v->end, &v->postings_off);
    at = qn_varint_get64(at, v->end, &v->positions_off);
    at = qn_varint_get64(at, v->end, &v->bounds_index);
    at = qn_varint_get64(at, v->end, &terms_len);
    v->n = block + 1 < dict->n_blocks ? QN_DICT_BLOCK
                                      : (uint32_t)(dict->n_terms - (uint64_t)block * QN_DICT_BLOCK);
    if (at == NULL || (size_t)(v->end - at) < 2 * v->n - 1)
        return damaged(dict, error);
    v->controls = at;
    v->fronts = at + v->n;
    v->terms = at + 2 * v->n - 1;
    if (terms_len > (uint64_t)(v->end - v->terms))
        return damaged(dict, error);
    v->terms_end = v->fields = v->terms + terms_len;
    return QUERN_OK;
}

/* Passes `n` terms, adding up what their fields hold. */
static inline bool pass_fields(const qn_dict *dict, block_view *v, uint32_t n)
{
    const shape *shapes = SHAPES[dict->positions];
    const uint8_t *at = v->fields;
    for (uint32_t i = 0; i < n; i++) {
        const shape *s = &shapes[v->controls[i]];
        const uint8_t *next = at + s->len;
        if (next > v->end)
            return false;
        v->postings_off += read_field(at + s->at_third, s->postings);
        v->positions_off += read_field(at + s->at_fourth, s->positions);
        v->bounds_index += read_field(at, s->df_width) + s->df_more >= dict->bounds_df;
        if (__builtin_expect(s->repeated, 0)) {
            /* The last field is a length in POSITIONS, or of gaps that follow it here; a tf of 1 in
             * a wider field than it needs is met in forged bytes only. */
            uint64_t more = read_field(at, s->at_third);
            uint64_t last = read_field(at + s->at_fourth, (uint32_t)(s->len - s->at_fourth));
            if (more >= QN_INLINE_TF_MAX)
                v->positions_off += last;
            else if (more > 0 && last > (uint64_t)(v->end - next))
                return false;
            else if (more > 0)
                next += last;
        }
        at = next;
    }
    v->fields = at;
    return true;
}

/* The positions of a term with a single document, as far as they are held here: `last` is its
 * fourth field, *at where gaps would follow. */
static bool read_positions(const uint8_t **at, const uint8_t *end, uint64_t last,
                           qn_term_info *info)
{
    if (info->cf > QN_INLINE_TF_MAX) {
        info->positions_len = last;
        return true;
    }
    info->n_inline = (uint32_t)info->cf;
    if (info->cf == 1) {
        info->position[0] = (uint32_t)last;
        return last <= UINT32_MAX;
    }
    if (last > (uint64_t)(end - *at))
        return false;
    const uint8_t *in = *at;
    *at += last;
    uint64_t position = 0;
    for (uint32_t i = 0; i < info->n_inline; i++) {
        uint32_t gap;
        in = qn_varint_get32(in, *at, &gap);
        if (in == NULL || gap > UINT32_MAX - position)
            return false;
        position += gap;
        info->position[i] = (uint32_t)position;
    }
    return in == *at;
}

/* Reads the record at *at, whose control byte is given, and steps over it; info->postings_off,
 * positions_off and bounds_index are set already. False if it does not fit the segment. */
static bool read_record(const qn_dict *dict, uint8_t control, const uint8_t **at,
                        const uint8_t *end, qn_term_info *info)
{
    const shape *s = &SHAPES[dict->positions][control];
    const uint8_t *fields = *at;
    if (s->len > end - fields)
        return false;
    *at += s->len;
    uint64_t first = read_field(fields, s->df_width);
    uint64_t second = read_field(fields + s->df_width, (uint32_t)(s->at_third - s->df_width));
    uint64_t third = read_field(fields + s->at_third, (uint32_t)(s->at_fourth - s->at_third));
    uint64_t fourth = read_field(fields + s->at_fourth, (uint32_t)(s->len - s->at_fourth));
    info->postings_len = info->positions_len = 0;
    info->doc = info->n_inline = 0;
    if (s->df_width == 0) {
        info->df = 1;
        info->cf = second + 1;
        info->doc = (uint32_t)third;
        if (third >= dict->n_docs || info->cf > UINT32_MAX ||
            (dict->positions && !read_positions(at, end, fourth, info)))
            return false;
    } else {
        if (dict->n_docs < 2 || first > dict->n_docs - 2)
            return false;
        info->df = (uint32_t)first + 2;
        if (second > UINT64_MAX - info->df)
            return false;
        info->cf = info->df + second;
        info->postings_len = third;
        info->positions_len = fourth;
    }
    return qn_in_range(info->postings_off, info->postings_len, dict->postings_len) &&
           qn_in_range(info->positions_off, info->positions_len, dict->positions_len);
}

/* ---- from a term to its block ---- */

/* How many of the n <= 16 keys at `keys` are not above `key`. A full node is counted without
 * branches: 16 independent comparisons are done before four dependent ones would be. */
static inline uint32_t count_node(const uint8_t *keys, uint32_t n, uint64_t key)
{
    uint32_t count = 0;
    if (__builtin_expect(n == QN_DICT_FAN, 1)) {
        for (uint32_t i = 0; i < QN_DICT_FAN; i++)
            count += qn_load_u64(keys + (size_t)i * QN_DICT_KEY) <= key;
    } else {
        for (uint32_t i = 0; i < n; i++)
            count += qn_load_u64(keys + (size_t)i * QN_DICT_KEY) <= key;
    }
    return count;
}

/* How many blocks have a key that is not above `key`, if keys ascend; some number of blocks if they
 * do not. */
static inline quern_status count_blocks(const qn_dict *dict, uint64_t key, uint32_t *count,
                                        quern_error *error)
{
    uint32_t node = 0; /* of the level at hand */
    for (uint32_t level = dict->n_levels; level-- > 0;) {
        uint32_t from = node * QN_DICT_FAN;
        uint32_t n = dict->n_keys[level] - from;
        n = n < QN_DICT_FAN ? n : QN_DICT_FAN;
        const uint8_t *keys = dict->keys[level] + (size_t)from * QN_DICT_KEY;
        quern_status status =
            qn_container_touch(dict->container, keys, (uint64_t)n * QN_DICT_KEY, error);
        if (status != QUERN_OK)
            return status;
        if (level == 0) {
            __builtin_prefetch(dict->places + (size_t)from * QN_DICT_PLACE);
            __builtin_prefetch(dict->places + (size_t)from * QN_DICT_PLACE + 64);
        }
        uint32_t below = count_node(keys, n, key);
        if (below == 0 && level > 0) {
            /* Smaller than all there is; or levels contradict each other, which forged ones may. */
            *count = 0;
            return QUERN_OK;
        }
        *count = from + below;
        node = *count - 1;
    }
    return QUERN_OK;
}

static int compare(const uint8_t *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

/* Of the blocks [*from, to), whose first terms have the same key as `term`: *from becomes the first
 * whose first term is above it. */
static quern_status tell_apart(const qn_dict *dict, const char *term, size_t len, uint32_t *from,
                               uint32_t to, quern_error *error)
{
    while (*from < to) {
        uint32_t middle = to - 1 - (to - 1 - *from) / 2;
        const uint8_t *at = NULL, *end = NULL;
        quern_status status = block_bytes(dict, middle, &at, &end, error);
        if (status != QUERN_OK)
            return status;
        if (at[0] >= end - at)
            return damaged(dict, error);
        if (compare(at + 1, at[0], term, len) <= 0)
            *from = middle + 1;
        else
            to = middle;
    }
    return QUERN_OK;
}

/* The last block whose first term is <= `term`: *block, or QUERN_NOT_FOUND if there is none. */
static inline quern_status find_block(const qn_dict *dict, const char *term, size_t len,
                                      uint32_t *block, quern_error *error)
{
    uint64_t key = qn_dict_key(term, len);
    uint32_t count = 0; /* blocks that may start at or before the term */
    quern_status status = count_blocks(dict, key, &count, error);
    if (status != QUERN_OK)
        return status;
    if (count > 0 && qn_load_u64(dict->keys[0] + (size_t)(count - 1) * QN_DICT_KEY) == key) {
        uint32_t to = count;
        count = 0;
        if (key > 0)
            status = count_blocks(dict, key - 1, &count, error);
        if (status == QUERN_OK)
            status = tell_apart(dict, term, len, &count, to, error);
        if (status != QUERN_OK)
            return status;
    }
    *block = count - 1;
    return count == 0 ? QUERN_NOT_FOUND : QUERN_OK;
}

/* ---- finding ---- */

/* Finds which term of a block is `term`: *index. */
static inline quern_status find_in_block(const qn_dict *dict, const block_view *v,
                                         const uint8_t *term, uint32_t len, uint32_t *index,
                                         quern_error *error)
{
    /* `match` bytes are common to `term` and the term before, which is smaller (so that `term` has
     * a byte there). */
    uint32_t match = 0, most = v->first_len < len ? v->first_len : len;
    while (match < most && v->first[match] == term[match])
        match++;
    *index = 0;
    if (match == len)
        return match == v->first_len ? QUERN_OK : QUERN_NOT_FOUND;
    const uint8_t *at = v->terms;
    for (uint32_t i = 1; i < v->n; i++) {
        uint32_t prefix = v->fronts[i - 1] & 15, suffix_len = (v->fronts[i - 1] >> 4) + 1u;
        if (__builtin_expect(at >= v->terms_end, 0))
            return damaged(dict, error);
        if (__builtin_expect(prefix == QN_DICT_ESCAPE, 0))
            prefix = *at++;
        if (__builtin_expect(suffix_len == QN_DICT_ESCAPE + 1, 0))
            suffix_len = *at++ + 1u;
        /* One that shares more with the one before than `term` does is below it as that was. The
         * two conditions are one branch: apart they would be mispredicted. */
        if ((prefix > match) | ((prefix == match) & (*at < term[match]))) {
            at += suffix_len;
            continue;
        }
        /* One that shares less is above it: there is no such term. */
        if (prefix < match || *at > term[match])
            return QUERN_NOT_FOUND;
        if (suffix_len > v->terms_end - at)
            return damaged(dict, error);
        uint32_t same = 1;
        most = suffix_len < len - match ? suffix_len : len - match;
        while (same < most && at[same] == term[match + same])
            same++;
        match += same;
        *index = i;
        if (match == len)
            return same == suffix_len ? QUERN_OK : QUERN_NOT_FOUND;
        if (same < suffix_len && at[same] > term[match])
            return QUERN_NOT_FOUND;
        at += suffix_len;
    }
    return QUERN_NOT_FOUND;
}

/* The field of a term (not empty); what is none is found out when its list is opened. */
static inline uint32_t field_of(const qn_dict *dict, const char *term)
{
    return dict->n_fields == 0 ? 0 : (uint32_t)(uint8_t)term[0] - 1;
}

quern_status qn_dict_find(const qn_dict *dict, const char *term, size_t len, qn_term_info *info,
                          quern_error *error)
{
    if (len == 0 || len > QN_TERM_MAX)
        return QUERN_NOT_FOUND;
    uint32_t block, index;
    quern_status status = find_block(dict, term, len, &block, error);
    if (status != QUERN_OK)
        return status;
    block_view v;
    status = enter_block(dict, block, &v, error);
    if (status != QUERN_OK)
        return status;
    status = find_in_block(dict, &v, (const uint8_t *)term, (uint32_t)len, &index, error);
    if (status != QUERN_OK)
        return status;
    if (!pass_fields(dict, &v, index))
        return damaged(dict, error);
    info->postings_off = v.postings_off;
    info->positions_off = v.positions_off;
    info->bounds_index = v.bounds_index;
    info->field = field_of(dict, term);
    return read_record(dict, v.controls[index], &v.fields, v.end, info) ? QUERN_OK
                                                                        : damaged(dict, error);
}

/* ---- walking ---- */

/* Where the extents of the term after cursor->info start. */
static void advance(const qn_dict *dict, qn_term_info *info)
{
    info->postings_off += info->postings_len;
    info->positions_off += info->positions_len;
    info->bounds_index += info->df >= dict->bounds_df;
}

/* Enters cursor->block: its first term becomes the current one. What the block before ended with,
 * if the cursor was there, must agree with where this one starts. */
static quern_status cursor_enter(qn_dict_cursor *cursor, quern_error *error)
{
    const qn_dict *dict = cursor->dict;
    block_view v;
    quern_status status = enter_block(dict, cursor->block, &v, error);
    if (status != QUERN_OK)
        return status;
    const uint8_t *key = dict->keys[0] + (size_t)cursor->block * QN_DICT_KEY;
    status = qn_container_touch(dict->container, key, QN_DICT_KEY, error);
    if (status != QUERN_OK)
        return status;
    if (qn_load_u64(key) != qn_dict_key((const char *)v.first, v.first_len))
        return disordered(dict, error);
    qn_term_info *info = &cursor->info;
    if (cursor->len > 0) {
        if (compare(v.first, v.first_len, cursor->term, cursor->len) <= 0)
            return disordered(dict, error);
        advance(dict, info);
        if (v.postings_off != info->postings_off || v.positions_off != info->positions_off ||
            v.bounds_index != info->bounds_index)
            return damaged(dict, error);
    }
    info->postings_off = v.postings_off;
    info->positions_off = v.positions_off;
    info->bounds_index = v.bounds_index;
    memcpy(cursor->term, v.first, v.first_len);
    cursor->len = v.first_len;
    info->field = field_of(dict, cursor->term);
    if (!read_record(dict, v.controls[0], &v.fields, v.end, info))
        return damaged(dict, error);
    cursor->n = v.n;
    cursor->next = 1;
    cursor->controls = v.controls;
    cursor->fronts = v.fronts;
    cursor->term_at = v.terms;
    cursor->terms_end = v.terms_end;
    cursor->fields_at = v.fields;
    cursor->end = v.end;
    return QUERN_OK;
}

/* Steps within a block. */
static quern_status cursor_step(qn_dict_cursor *cursor, quern_error *error)
{
    const qn_dict *dict = cursor->dict;
    uint32_t front = cursor->fronts[cursor->next - 1];
    uint32_t prefix = front & 15, suffix_len = (front >> 4) + 1;
    const uint8_t *at = cursor->term_at;
    if (at >= cursor->terms_end)
        return damaged(dict, error);
    if (prefix == QN_DICT_ESCAPE)
        prefix = *at++;
    if (suffix_len == QN_DICT_ESCAPE + 1)
        suffix_len = *at++ + 1u;
    if (at >= cursor->terms_end || suffix_len > cursor->terms_end - at || prefix > cursor->len ||
        suffix_len > QN_TERM_MAX - prefix)
        return damaged(dict, error);
    if (prefix < cursor->len && *at <= (uint8_t)cursor->term[prefix])
        return disordered(dict, error);
    memcpy(cursor->term + prefix, at, suffix_len);
    cursor->len = prefix + suffix_len;
    cursor->info.field = field_of(dict, cursor->term);
    cursor->term_at = at + suffix_len;
    advance(dict, &cursor->info);
    if (!read_record(dict, cursor->controls[cursor->next], &cursor->fields_at, cursor->end,
                     &cursor->info))
        return damaged(dict, error);
    cursor->next++;
    return QUERN_OK;
}

quern_status qn_dict_next(qn_dict_cursor *cursor, quern_error *error)
{
    const qn_dict *dict = cursor->dict;
    quern_status status;
    if (cursor->next < cursor->n) {
        status = cursor_step(cursor, error);
    } else {
        if (cursor->n > 0) {
            if (cursor->term_at != cursor->terms_end || cursor->fields_at != cursor->end)
                return damaged(dict, error);
            if (cursor->block + 1 >= dict->n_blocks)
                return QUERN_END;
            cursor->block++;
        } else if (dict->n_blocks == 0) {
            return QUERN_END;
        }
        status = cursor_enter(cursor, error);
    }
    cursor->term[status == QUERN_OK ? cursor->len : 0] = '\0';
    return status;
}

quern_status qn_dict_seek(qn_dict_cursor *cursor, const qn_dict *dict, const char *from, size_t len,
                          quern_error *error)
{
    *cursor = (qn_dict_cursor){.dict = dict};
    if (len == 0)
        return QUERN_OK;
    quern_status status = find_block(dict, from, len, &cursor->block, error);
    if (status == QUERN_NOT_FOUND) {
        cursor->block = 0;
        return QUERN_OK;
    }
    if (status != QUERN_OK)
        return status;
    /* The first term >= `from` is in this block, or it starts the next. */
    for (uint32_t i = 0; i <= QN_DICT_BLOCK; i++) {
        qn_dict_cursor before = *cursor;
        status = qn_dict_next(cursor, error);
        if (status == QUERN_END)
            return QUERN_OK;
        if (status != QUERN_OK)
            return status;
        if (compare((const uint8_t *)cursor->term, cursor->len, from, len) >= 0) {
            *cursor = before;
            return QUERN_OK;
        }
    }
    return disordered(dict, error);
}
