/* Writing positions: see positions.h for the grammar. */
#include "index/segment/positions_writer.h"

#include "index/base/bytes.h"
#include "index/base/status.h"
#include "index/codec/bitpack.h"
#include "index/segment/positions.h"

/* A hole starts at a byte's value at most and is looked for in words of eight positions: only one
 * that surely has an empty word is tried. */
enum { REACH = QN_POSITIONS_REACH, START_MAX = 255, WORD = 8, WORTH_TRYING = 2 * WORD - 1 };

static void clear_row(qn_positions_writer *writer)
{
    writer->n = 0;
    writer->mixed = false;
    writer->rest.len = 0;
    memset(writer->marks, 0, sizeof writer->marks);
}

void qn_positions_writer_begin(qn_positions_writer *writer)
{
    writer->start = writer->file->offset;
    writer->ends.len = 0;
    clear_row(writer);
}

/* Value i of a buffer of u32. */
static uint32_t value_at(const qn_buffer *buffer, size_t i)
{
    return qn_load_u32(buffer->data + i * sizeof(uint32_t));
}

/* Encodes n values of u32 in blocks, behind what `to` holds. */
static bool encode_blocks(const qn_block_kernels *kernels, const uint8_t *from, size_t n,
                          qn_buffer *to)
{
    if (!qn_buffer_reserve(to, (n / QN_BLOCK + 1) * QN_BLOCK_MAX_BYTES))
        return false;
    for (size_t done = 0; done < n; done += QN_BLOCK) {
        uint32_t values[QN_BLOCK];
        unsigned part = n - done < QN_BLOCK ? (unsigned)(n - done) : QN_BLOCK;
        memcpy(values, from + done * sizeof(uint32_t), part * sizeof(uint32_t));
        to->len += kernels->encode(values, part, false, to->data + to->len);
    }
    return true;
}

/* ---- long rows ---- */

/* Encodes what is held of a mixed row: whole blocks only, or all. */
static quern_status put_mixed(qn_positions_writer *writer, bool all, quern_error *error)
{
    qn_buffer *rest = &writer->rest, *coded = &writer->coded;
    size_t n = rest->len / sizeof(uint32_t);
    n -= all ? 0 : n % QN_BLOCK;
    coded->len = 0;
    if (!encode_blocks(writer->kernels, rest->data, n, coded))
        return qn_fail_memory(error);
    rest->len -= n * sizeof(uint32_t);
    if (rest->len > 0)
        memmove(rest->data, rest->data + n * sizeof(uint32_t), rest->len);
    return qn_writer_put(writer->file, coded->data, coded->len, error);
}

/* The row has grown too long to be held: puts its firsts before their gaps and starts to write. */
static quern_status start_mixed(qn_positions_writer *writer, quern_error *error)
{
    static const uint8_t head = QN_POSITIONS_MIXED;
    qn_buffer *mixed = &writer->spare;
    mixed->len = 0;
    if (!qn_buffer_reserve(mixed, writer->rest.len + writer->n * sizeof(uint32_t)))
        return qn_fail_memory(error);
    const uint8_t *gaps = writer->rest.data;
    for (uint32_t i = 0; i < writer->n; i++) {
        size_t len = (size_t)(writer->tfs[i] - 1) * sizeof(uint32_t);
        qn_store_u32(mixed->data + mixed->len, writer->firsts[i]);
        mixed->len += sizeof(uint32_t);
        if (len > 0)
            memcpy(mixed->data + mixed->len, gaps, len);
        mixed->len += len;
        gaps += len;
    }
    qn_buffer gone = writer->rest;
    writer->rest = *mixed;
    *mixed = gone;
    writer->mixed = true;
    quern_status status = qn_writer_put(writer->file, &head, 1, error);
    return status == QUERN_OK ? put_mixed(writer, false, error) : status;
}

/* Keeps a row of huge documents from filling the memory. It comes to be mixed if it has more than
 * QN_POSITIONS_ROW values, in whatever pieces they arrive. */
static __attribute__((noinline)) quern_status put_held(qn_positions_writer *writer,
                                                       quern_error *error)
{
    return writer->mixed ? put_mixed(writer, false, error) : start_mixed(writer, error);
}

static inline quern_status spill(qn_positions_writer *writer, quern_error *error)
{
    size_t held = writer->rest.len / sizeof(uint32_t) + (writer->mixed ? 0 : writer->n);
    return held > QN_POSITIONS_ROW ? put_held(writer, error) : QUERN_OK;
}

/* ---- taking postings ---- */

static void mark(qn_positions_writer *writer, uint32_t position)
{
    writer->marks[position < REACH ? position : REACH] = 1;
}

/* Appends gaps of the last posting, the first of them from its last position. */
static quern_status add_gaps(qn_positions_writer *writer, uint32_t first, const uint32_t *others,
                             uint32_t n, quern_error *error)
{
    qn_buffer *rest = &writer->rest;
    size_t len = (size_t)n * sizeof(uint32_t);
    if (len > rest->cap - rest->len && !qn_buffer_reserve(rest, len))
        return qn_fail_memory(error);
    uint8_t *to = rest->data + rest->len;
    uint32_t last = writer->last;
    for (uint32_t i = 0; i < n; i++, to += sizeof(uint32_t)) {
        uint32_t gap = i == 0 ? first : others[i - 1];
        last += gap;
        mark(writer, last);
        qn_store_u32(to, gap);
    }
    writer->last = last;
    rest->len += len;
    return spill(writer, error);
}

quern_status qn_positions_writer_add(qn_positions_writer *writer, uint32_t tf, const uint32_t *gaps,
                                     quern_error *error)
{
    if (writer->mixed) {
        writer->last = 0;
        return add_gaps(writer, gaps[0], gaps + 1, tf, error);
    }
    uint32_t i = writer->n++;
    writer->firsts[i] = writer->last = gaps[0];
    writer->tfs[i] = tf;
    mark(writer, gaps[0]);
    if (tf == 1)
        return spill(writer, error);
    return add_gaps(writer, gaps[1], gaps + 2, tf - 1, error);
}

/* Posting by posting: where the row is mixed, or may come to be. */
static __attribute__((noinline)) quern_status add_each(qn_positions_writer *writer,
                                                       const qn_keys_tile *tile, uint32_t from,
                                                       uint32_t n, quern_error *error)
{
    uint32_t gaps[QN_KEYS_TILE];
    quern_status status = QUERN_OK;
    for (uint32_t i = from; status == QUERN_OK && i < from + n; i++) {
        uint32_t tf = tile->tf[i];
        gaps[0] = tile->first[i];
        memcpy(gaps + 1, tile->gap + tile->start[i] - i, (tf - 1) * sizeof *gaps);
        status = qn_positions_writer_add(writer, tf, gaps, error);
    }
    return status;
}

quern_status qn_positions_writer_tile(qn_positions_writer *writer, const qn_keys_tile *tile,
                                      uint32_t from, uint32_t n, quern_error *error)
{
    qn_buffer *rest = &writer->rest;
    uint32_t first = tile->start[from], end = tile->start[from + n], n_gaps = end - first - n;
    if (writer->mixed ||
        writer->n + rest->len / sizeof(uint32_t) + (end - first) > QN_POSITIONS_ROW)
        return add_each(writer, tile, from, n, error);
    if (!qn_buffer_append(rest, tile->gap + first - from, n_gaps * sizeof(uint32_t)))
        return qn_fail_memory(error);
    memcpy(writer->firsts + writer->n, tile->first + from, n * sizeof(uint32_t));
    memcpy(writer->tfs + writer->n, tile->tf + from, n * sizeof(uint32_t));
    writer->n += n;
    for (uint32_t i = first; i < end; i++)
        mark(writer, tile->position[i]);
    writer->last = tile->position[end - 1];
    return QUERN_OK;
}

quern_status qn_positions_writer_more(qn_positions_writer *writer, uint32_t tf,
                                      const uint32_t *gaps, quern_error *error)
{
    if (!writer->mixed) {
        writer->tfs[writer->n - 1] += tf;
    }
    return add_gaps(writer, gaps[0] - writer->last, gaps + 1, tf, error);
}

/* ---- other rows ---- */

typedef struct row_hole {
    uint32_t start, len;
} row_hole;

/* The longest run of empty words with a position after it, the first of equals, and the positions
 * left empty beside it. */
static row_hole find_hole(const uint8_t marks[REACH + WORD])
{
    uint32_t best = 0, best_end = 0, run = 0;
    for (uint32_t at = 0; at <= REACH; at += WORD) {
        if (qn_load_u64(marks + at) == 0) {
            run += WORD;
            continue;
        }
        if (run > best && at - run <= START_MAX) {
            best = run;
            best_end = at;
        }
        run = 0;
    }
    if (best == 0)
        return (row_hole){0, 0};
    uint32_t start = best_end - best, end = best_end;
    while (start > 0 && marks[start - 1] == 0)
        start--;
    while (end < REACH && marks[end] == 0)
        end++;
    uint32_t len = end - start;
    return (row_hole){start, len < QN_POSITIONS_HOLE_LEN ? len : QN_POSITIONS_HOLE_LEN};
}

/* Takes the hole from the gaps that lead over it: one of a posting at most, and none if its first
 * position is above. */
static void close_gaps(qn_positions_writer *writer, row_hole hole)
{
    uint8_t *gap = writer->rest.data, noted[QN_BLOCK]; /* the postings that have gaps */
    uint32_t n_noted = 0;
    for (uint32_t i = 0; i < writer->n; i++) {
        noted[n_noted] = (uint8_t)i;
        n_noted += writer->tfs[i] > 1;
    }
    for (uint32_t k = 0; k < n_noted; k++) {
        uint32_t i = noted[k], left = writer->tfs[i] - 1;
        uint8_t *next = gap + (size_t)left * sizeof(uint32_t);
        uint32_t position = writer->firsts[i];
        for (; position < hole.start && left > 0; left--, gap += sizeof(uint32_t)) {
            uint32_t step = qn_load_u32(gap);
            position += step;
            if (position >= hole.start)
                qn_store_u32(gap, step - hole.len);
        }
        gap = next;
    }
}

/* Starts `to` with the firsts, and with the hole before them if it has a length. */
static bool encode_firsts(const qn_positions_writer *writer, row_hole hole, qn_buffer *to)
{
    uint32_t values[QN_BLOCK];
    to->len = 0;
    if (!qn_buffer_reserve(to, 2 + QN_BLOCK_MAX_BYTES))
        return false;
    if (hole.len > 0) {
        to->data[to->len++] = (uint8_t)(QN_POSITIONS_HOLE | hole.len);
        to->data[to->len++] = (uint8_t)hole.start;
    }
    for (uint32_t i = 0; i < writer->n; i++) {
        uint32_t first = writer->firsts[i];
        values[i] = first - (first >= hole.start ? hole.len : 0);
    }
    to->len += writer->kernels->encode(values, writer->n, !writer->small, to->data + to->len);
    return true;
}

static bool encode_rest(const qn_positions_writer *writer, qn_buffer *to)
{
    return encode_blocks(writer->kernels, writer->rest.data, writer->rest.len / sizeof(uint32_t),
                         to);
}

/* Writes a row, with a hole if it then takes fewer bytes. Smaller values never take more, so that
 * where the firsts alone save what the hole costs, the gaps need not be tried without it. */
static quern_status put_row(qn_positions_writer *writer, quern_error *error)
{
    qn_buffer *plain = &writer->coded, *holed = &writer->spare;
    row_hole hole = find_hole(writer->marks);
    bool tried = hole.len >= WORTH_TRYING, saves = false;
    if (!encode_firsts(writer, (row_hole){0, 0}, plain) ||
        (tried && !encode_firsts(writer, hole, holed)))
        return qn_fail_memory(error);
    if (tried)
        saves = holed->len < plain->len;
    if (!saves && !encode_rest(writer, plain))
        return qn_fail_memory(error);
    if (tried) {
        close_gaps(writer, hole);
        if (!encode_rest(writer, holed))
            return qn_fail_memory(error);
    }
    const qn_buffer *best = tried && (saves || holed->len < plain->len) ? holed : plain;
    return qn_writer_put(writer->file, best->data, best->len, error);
}

quern_status qn_positions_writer_row(qn_positions_writer *writer, quern_error *error)
{
    quern_status status = writer->mixed ? put_mixed(writer, true, error) : put_row(writer, error);
    if (status != QUERN_OK)
        return status;
    clear_row(writer);
    uint64_t end = writer->file->offset - writer->start;
    if (end > UINT32_MAX)
        return qn_fail(error, QUERN_E_ARGUMENT,
                       "the positions of one term pass 4 GiB: build several indexes instead");
    uint32_t end32 = (uint32_t)end;
    return qn_buffer_append(&writer->ends, &end32, sizeof end32) ? QUERN_OK : qn_fail_memory(error);
}

/* ---- ends of terms ---- */

void qn_positions_writer_take(const qn_positions_writer *writer, uint32_t *out)
{
    uint32_t position = out[0] = writer->firsts[0];
    for (uint32_t i = 1; i < writer->tfs[0]; i++)
        out[i] = position += value_at(&writer->rest, i - 1);
}

quern_status qn_positions_writer_end(qn_positions_writer *writer, quern_error *error)
{
    size_t n = writer->ends.len / sizeof(uint32_t);
    if (n <= 1)
        return QUERN_OK;
    uint32_t last = value_at(&writer->ends, n - 2); /* the last row's end is the table's start */
    unsigned width = 32 - (unsigned)__builtin_clz(last | 1);
    size_t len = qn_bitpack_bytes(n - 1, width);
    qn_buffer *table = &writer->coded;
    table->len = 0;
    if (!qn_buffer_reserve(table, len + 1 + QN_BITPACK_SLACK))
        return qn_fail_memory(error);
    /* A buffer's bytes come from malloc, aligned for any type. */
    const uint32_t *ends = (const uint32_t *)(const void *)writer->ends.data;
    (void)qn_bitpack_pack(ends, n - 1, width, table->data);
    table->data[len] = (uint8_t)width;
    return qn_writer_put(writer->file, table->data, len + 1, error);
}

void qn_positions_writer_free(qn_positions_writer *writer)
{
    qn_buffer_free(&writer->ends);
    qn_buffer_free(&writer->rest);
    qn_buffer_free(&writer->coded);
    qn_buffer_free(&writer->spare);
}
