/* Reading positions: see positions.h for the grammar. */
#include "index/segment/positions.h"

#include "index/base/status.h"
#include "index/codec/bitpack.h"

/* A row, as its first bytes say. */
typedef struct position_row {
    const uint8_t *at, *end; /* its blocks */
    bool mixed;
    uint32_t hole_start, hole_len;
} position_row;

static quern_status damaged(const qn_postings *list, const char *what, quern_error *error)
{
    return qn_container_damaged(&list->segment->index, what, error);
}

/* ---- finding a row ---- */

/* The bytes of a block's row within the term's extent. */
static quern_status row_extent(const qn_postings *list, uint32_t block, position_row *out,
                               quern_error *error)
{
    out->at = list->pos_data;
    out->end = list->pos_data_end;
    if (list->n_blocks <= 1)
        return QUERN_OK;
    const qn_container *container = &list->segment->index;
    size_t len = (size_t)(out->end - out->at), n = list->n_blocks - 1;
    if (len == 0)
        return damaged(list, "a list of positions is shorter than its table", error);
    quern_status status = qn_container_touch_few(container, out->end - 1, 1, error);
    if (status != QUERN_OK)
        return status;
    unsigned width = out->end[-1];
    size_t table_len = width > 32 ? SIZE_MAX : qn_bitpack_bytes(n, width) + 1;
    if (table_len > len)
        return damaged(list, "a list of positions is shorter than its table", error);
    const uint8_t *table = out->end - table_len;
    status = qn_container_touch_few(container, table, table_len, error);
    if (status != QUERN_OK)
        return status;
    uint64_t from = block == 0 ? 0 : qn_bitpack_get(table, block - 1, width);
    uint64_t to = block == n ? len - table_len : qn_bitpack_get(table, block, width);
    if (from > to || to > len - table_len)
        return damaged(list, "a table of positions is out of order", error);
    out->end = out->at + to;
    out->at += from;
    return QUERN_OK;
}

static quern_status open_row(const qn_postings *list, uint32_t block, position_row *out,
                             quern_error *error)
{
    quern_status status = row_extent(list, block, out, error);
    if (status == QUERN_OK)
        status = qn_container_touch(&list->segment->index, out->at, (uint64_t)(out->end - out->at),
                                    error);
    if (status != QUERN_OK)
        return status;
    out->mixed = false;
    out->hole_start = out->hole_len = 0;
    size_t len = (size_t)(out->end - out->at);
    if (len > 0 && out->at[0] == QN_POSITIONS_MIXED) {
        out->mixed = true;
        out->at++;
    } else if (len > 0 && (out->at[0] & QN_POSITIONS_HOLE) != 0) {
        out->hole_len = out->at[0] & QN_POSITIONS_HOLE_LEN;
        if (len < 2 || out->hole_len == 0)
            return damaged(list, "a row of positions is malformed", error);
        out->hole_start = out->at[1];
        out->at += 2;
    }
    return QUERN_OK;
}

/* Room for `total` positions that a row is said to have, and for the gaps while it is decoded. A
 * block of 128 values takes a byte at least, so that a forged total cannot ask for much memory. */
static quern_status make_room(const qn_postings *list, const position_row *row, uint64_t total,
                              uint32_t **positions, size_t *cap, quern_error *error)
{
    if (total > (uint64_t)(row->end - row->at) * QN_BLOCK ||
        (total > QN_POSITIONS_ROW && !row->mixed))
        return damaged(list, "a list of positions is too short for its frequencies", error);
    void *array = *positions;
    size_t room = (size_t)total * (row->mixed ? 1 : 2) + QN_BLOCK_ROOM;
    if (!qn_array_grow(&array, cap, room, sizeof(uint32_t)))
        return qn_fail_memory(error);
    *positions = array;
    return QUERN_OK;
}

/* The positions of a term that stand in the dictionary. */
static quern_status take_inline(const qn_postings *list, uint32_t tf, uint32_t **positions,
                                size_t *cap, quern_error *error)
{
    if (list->info.n_inline != tf)
        return damaged(list, "a term's positions are missing", error);
    void *array = *positions;
    if (!qn_array_grow(&array, cap, QN_INLINE_TF_MAX, sizeof(uint32_t)))
        return qn_fail_memory(error);
    *positions = array;
    memcpy(*positions, list->info.position, tf * sizeof(uint32_t));
    return QUERN_OK;
}

static bool is_inline(const qn_postings *list)
{
    return list->df == 1 && list->info.positions_len == 0;
}

static quern_status no_positions(const qn_postings *list, quern_error *error)
{
    return qn_fail(error, QUERN_E_ARGUMENT, "%s has no positions", list->segment->index.name);
}

static uint64_t sum_tfs(const uint32_t *tfs, uint32_t n)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += tfs[i];
    return sum;
}

/* ---- whole rows ---- */

/* Decodes `total` values in blocks; false if one is malformed. */
static bool decode_blocks(const qn_block_kernels *kernels, const position_row *row,
                          const uint8_t *at, uint64_t total, uint32_t *out)
{
    for (uint64_t done = 0; done < total; done += QN_BLOCK) {
        unsigned part = total - done < QN_BLOCK ? (unsigned)(total - done) : QN_BLOCK;
        at = kernels->decode(at, row->end, part, out + done);
        if (at == NULL)
            return false;
    }
    return true;
}

/* Sums the gaps of each posting in place; false if a position passes 32 bits. */
static bool sum_mixed(const uint32_t *tfs, uint32_t n, uint32_t *p)
{
    uint32_t over = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t position = 0;
        for (uint32_t j = 0; j < tfs[i]; j++) {
            position += *p;
            over |= position < *p;
            *p++ = position;
        }
    }
    return over == 0;
}

/* Opens the hole again: the position that was stored as `closed`. */
static uint64_t open_hole(const position_row *row, uint64_t closed)
{
    return closed + (row->hole_len & (0u - (uint32_t)(closed >= row->hole_start)));
}

/* The firsts as positions; false if one passes 32 bits. */
static bool open_firsts(const position_row *row, const uint32_t *firsts, uint32_t n, uint32_t *out)
{
    uint32_t over = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t first = firsts[i];
        out[i] = first + (first >= row->hole_start ? row->hole_len : 0);
        over |= out[i] < first;
    }
    return over == 0;
}

/* Joins firsts and gaps to positions, and opens the hole. The firsts are dealt to their places
 * without a branch, and those with gaps noted: one in four, which a branch would often mistake (405
 * ns a row of passages in place of 515). False if a position passes 32 bits. */
static bool join_row(const position_row *given, const uint32_t *tfs, uint32_t n,
                     const uint32_t *firsts, const uint32_t *gap, uint32_t *out)
{
    const position_row row = *given; /* which `out` cannot point into */
    uint32_t opened[QN_BLOCK], places[QN_BLOCK + 1];
    uint8_t noted[QN_BLOCK + 1];
    uint32_t place = 0, n_noted = 0;
    bool fits = open_firsts(&row, firsts, n, opened);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t tf = tfs[i];
        out[place] = opened[i];
        places[n_noted] = place;
        noted[n_noted] = (uint8_t)i;
        n_noted += tf > 1;
        place += tf;
    }
    uint64_t over = 0; /* of fewer than 2^18 gaps the sum fits by far */
    for (uint32_t k = 0; k < n_noted; k++) {
        uint64_t closed = firsts[noted[k]];
        uint32_t *to = out + places[k], *end = to + tfs[noted[k]];
        while (++to < end) {
            closed += *gap++;
            uint64_t position = open_hole(&row, closed);
            over |= position;
            *to = (uint32_t)position;
        }
    }
    return fits && over <= UINT32_MAX;
}

quern_status qn_postings_positions(const qn_postings *list, uint32_t block, const uint32_t *tfs,
                                   uint32_t **positions, size_t *cap, quern_error *error)
{
    const qn_segment *segment = list->segment;
    if (!segment->meta.positions)
        return no_positions(list, error);
    if (is_inline(list))
        return take_inline(list, tfs[0], positions, cap, error);
    uint32_t n = qn_postings_block_n(list, block);
    uint64_t total = sum_tfs(tfs, n);
    position_row row;
    quern_status status = open_row(list, block, &row, error);
    if (status == QUERN_OK)
        status = make_room(list, &row, total, positions, cap, error);
    if (status != QUERN_OK)
        return status;
    bool fits;
    if (row.mixed) {
        if (!decode_blocks(segment->kernels, &row, row.at, total, *positions))
            return damaged(list, "a block of positions is malformed", error);
        fits = sum_mixed(tfs, n, *positions);
    } else {
        uint32_t firsts[QN_BLOCK_ROOM];
        uint32_t *gaps = *positions + total; /* beside the positions, which are dealt at once */
        const uint8_t *at = segment->kernels->decode(row.at, row.end, n, firsts);
        if (at == NULL || !decode_blocks(segment->kernels, &row, at, total - n, gaps))
            return damaged(list, "a block of positions is malformed", error);
        fits = total == n ? open_firsts(&row, firsts, n, *positions)
                          : join_row(&row, tfs, n, firsts, gaps, *positions);
    }
    return fits ? QUERN_OK : damaged(list, "a position is out of range", error);
}

/* ---- one posting ---- */

/* So many values are picked out of a block one by one (14.6 ns); of more, the block is decoded
 * (12.5 ns with AVX-512, 13.3 with AVX2, 33 in portable C). */
enum { PICKED = 16 };

/* Decodes the values [from, from + count) of `total` values in blocks from `at` on. */
static bool decode_some(const qn_block_kernels *kernels, const position_row *row, const uint8_t *at,
                        uint64_t total, uint64_t from, uint64_t count, uint32_t *out)
{
    if (from > total || count > total - from)
        return false;
    for (; count > 0; total -= QN_BLOCK) {
        unsigned n = total < QN_BLOCK ? (unsigned)total : QN_BLOCK;
        if (from >= n) {
            at = kernels->skip(at, row->end, n);
            if (at == NULL)
                return false;
            from -= n;
            continue;
        }
        unsigned part = count < n - from ? (unsigned)count : n - (unsigned)from;
        if (part <= PICKED) {
            at = kernels->pick(at, row->end, n, (unsigned)from, part, out);
        } else {
            uint32_t values[QN_BLOCK_ROOM];
            at = kernels->decode(at, row->end, n, values);
            if (at != NULL)
                memcpy(out, values + from, part * sizeof(uint32_t));
        }
        if (at == NULL)
            return false;
        out += part;
        count -= part;
        from = 0;
    }
    return true;
}

static bool decode_posting(const qn_postings *list, const position_row *row, uint32_t n,
                           const qn_positions_place *place, uint32_t *out)
{
    const qn_block_kernels *kernels = list->segment->kernels;
    if (row->mixed)
        return decode_some(kernels, row, row->at, place->total, place->before, place->tf, out);
    const uint8_t *at = kernels->pick(row->at, row->end, n, place->i, 1, out);
    if (at == NULL || place->tf <= 1)
        return at != NULL;
    return place->before >= place->i && place->total >= n &&
           decode_some(kernels, row, at, place->total - n, place->before - place->i, place->tf - 1,
                       out + 1);
}

quern_status qn_postings_positions_at(const qn_postings *list, uint32_t block,
                                      const qn_positions_place *place, uint32_t **positions,
                                      size_t *cap, quern_error *error)
{
    const qn_segment *segment = list->segment;
    if (!segment->meta.positions)
        return no_positions(list, error);
    uint32_t n = qn_postings_block_n(list, block), tf = place->tf;
    if (is_inline(list))
        return take_inline(list, tf, positions, cap, error);
    position_row row;
    quern_status status = open_row(list, block, &row, error);
    if (status == QUERN_OK)
        status = make_room(list, &row, tf, positions, cap, error);
    if (status != QUERN_OK)
        return status;
    if (!decode_posting(list, &row, n, place, *positions))
        return damaged(list, "a block of positions is malformed", error);
    uint32_t *p = *positions;
    uint64_t closed = 0, over = 0;
    for (uint32_t j = 0; j < tf; j++) {
        closed += p[j];
        uint64_t position = open_hole(&row, closed);
        over |= position;
        p[j] = (uint32_t)position;
    }
    return over <= UINT32_MAX ? QUERN_OK : damaged(list, "a position is out of range", error);
}

quern_status qn_postings_positions_of(const qn_postings *list, uint32_t block, const uint32_t *tfs,
                                      uint32_t i, uint32_t **positions, size_t *cap,
                                      quern_error *error)
{
    qn_positions_place place = {.i = i, .tf = tfs[i]};
    uint32_t n = qn_postings_block_n(list, block);
    for (uint32_t j = 0; j < n; j++) { /* without branches, for vectors */
        place.before += tfs[j] & (0u - (uint32_t)(j < i));
        place.total += tfs[j];
    }
    return qn_postings_positions_at(list, block, &place, positions, cap, error);
}

quern_status qn_postings_first_position(const qn_postings *list, uint32_t block, uint32_t i,
                                        uint32_t *first, bool *known, quern_error *error)
{
    *known = false;
    if (!list->segment->meta.positions || is_inline(list))
        return QUERN_OK;
    position_row row;
    quern_status status = open_row(list, block, &row, error);
    if (status != QUERN_OK || row.mixed)
        return status;
    uint32_t closed;
    if (list->segment->kernels->pick(row.at, row.end, qn_postings_block_n(list, block), i, 1,
                                     &closed) == NULL)
        return damaged(list, "a block of positions is malformed", error);
    uint64_t position = open_hole(&row, closed);
    *first = (uint32_t)position;
    *known = true;
    return position <= UINT32_MAX ? QUERN_OK : damaged(list, "a position is out of range", error);
}
