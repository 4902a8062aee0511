/* Writing positions: see positions.h for the grammar. */
#include "index/segment/positions_writer.h"

#include "index/base/bytes.h"
#include "index/base/status.h"
#include "index/codec/bitpack.h"
#include "index/codec/block.h"
#include "index/segment/positions.h"

/* A hole is looked for where it can start (in a byte) and as far as it can reach, in words of eight
 * positions: one of WORTH_TRYING has an empty word. */
enum { START_MAX = 255, REACH = START_MAX + 1 + 128, WORD = 8, WORTH_TRYING = 2 * WORD - 1 };

typedef struct row_hole {
    uint32_t start, len;
} row_hole;

void qn_positions_writer_begin(qn_positions_writer *writer)
{
    writer->start = writer->file->offset;
    writer->gaps.len = writer->ends.len = 0;
    writer->mixed = false;
}

/* ---- long rows ---- */

/* Encodes the gaps held in the mixed form: whole blocks only, or all. */
static quern_status put_mixed(qn_positions_writer *writer, bool all, quern_error *error)
{
    static const uint8_t head = QN_POSITIONS_MIXED;
    qn_buffer *gaps = &writer->gaps;
    size_t total = gaps->len / sizeof(uint32_t);
    quern_status status = writer->mixed ? QUERN_OK : qn_writer_put(writer->file, &head, 1, error);
    writer->mixed = true;
    if (!all)
        total -= total % QN_BLOCK;
    for (size_t done = 0; status == QUERN_OK && done < total; done += QN_BLOCK) {
        uint8_t encoded[QN_BLOCK_MAX_BYTES];
        uint32_t values[QN_BLOCK];
        unsigned part = total - done < QN_BLOCK ? (unsigned)(total - done) : QN_BLOCK;
        memcpy(values, gaps->data + done * sizeof(uint32_t), part * sizeof(uint32_t));
        size_t len = qn_block_encode(values, part, encoded);
        status = qn_writer_put(writer->file, encoded, len, error);
    }
    gaps->len -= total * sizeof(uint32_t);
    if (gaps->len > 0)
        memmove(gaps->data, gaps->data + total * sizeof(uint32_t), gaps->len);
    return status;
}

/* The last position of the last posting, of `tf` words. */
static uint32_t last_position(const qn_positions_writer *writer, uint32_t tf)
{
    if (writer->tail_known)
        return writer->tail;
    const uint8_t *at = writer->gaps.data + writer->gaps.len - (size_t)tf * sizeof(uint32_t);
    uint32_t position = 0;
    for (uint32_t i = 0; i < tf; i++)
        position += qn_load_u32(at + (size_t)i * sizeof(uint32_t));
    return position;
}

/* Keeps a row of huge documents from filling the memory; `tf` words were added last. A row comes to
 * be mixed if it has more than QN_POSITIONS_ROW values, in whatever pieces it arrives. */
static quern_status spill(qn_positions_writer *writer, uint32_t tf, quern_error *error)
{
    if (writer->gaps.len <= QN_POSITIONS_ROW * sizeof(uint32_t))
        return QUERN_OK;
    writer->tail = last_position(writer, tf);
    writer->tail_known = true;
    return put_mixed(writer, false, error);
}

quern_status qn_positions_writer_add(qn_positions_writer *writer, uint32_t tf, const uint32_t *gaps,
                                     quern_error *error)
{
    qn_buffer *to = &writer->gaps;
    writer->tail_known = false;
    size_t len = (size_t)tf * sizeof(uint32_t);
    if (len > to->cap - to->len && !qn_buffer_reserve(to, len))
        return qn_fail_memory(error);
    if (tf == 1) /* the commonest case: no call */
        qn_store_u32(to->data + to->len, gaps[0]);
    else
        memcpy(to->data + to->len, gaps, len);
    to->len += len;
    return spill(writer, tf, error);
}

quern_status qn_positions_writer_more(qn_positions_writer *writer, uint32_t before, uint32_t tf,
                                      const uint32_t *gaps, quern_error *error)
{
    uint32_t first = gaps[0] - last_position(writer, before);
    writer->tail = 0;
    for (uint32_t i = 0; i < tf; i++)
        writer->tail += gaps[i];
    writer->tail_known = true;
    if (!qn_buffer_append(&writer->gaps, &first, sizeof first) ||
        !qn_buffer_append(&writer->gaps, gaps + 1, (size_t)(tf - 1) * sizeof(uint32_t)))
        return qn_fail_memory(error);
    return spill(writer, tf, error);
}

/* ---- other rows ---- */

/* Marks the positions of the row below REACH, and whether there are others. */
static void mark(const qn_positions_writer *writer, const uint32_t *tfs, uint32_t n,
                 uint8_t marks[REACH + WORD])
{
    const uint8_t *gap = writer->gaps.data;
    memset(marks, 0, REACH + WORD);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t position = 0;
        for (uint32_t j = 0; j < tfs[i]; j++, gap += sizeof(uint32_t)) {
            position += qn_load_u32(gap);
            marks[position < REACH ? position : REACH] = 1;
        }
    }
}

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

/* Parts the row into firsts[n] and writer->rest, whose number is returned, closing the hole. */
static uint32_t part_row(qn_positions_writer *writer, const uint32_t *tfs, uint32_t n,
                         row_hole hole, uint32_t *firsts)
{
    const uint8_t *gap = writer->gaps.data;
    uint8_t *rest = writer->rest.data;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t position = qn_load_u32(gap);
        uint32_t closed = position >= hole.start ? hole.len : 0; /* of the hole, so far */
        firsts[i] = position - closed;
        gap += sizeof(uint32_t);
        for (uint32_t j = 1; j < tfs[i]; j++) {
            uint32_t step = qn_load_u32(gap), before = closed;
            position += step;
            closed = position >= hole.start ? hole.len : 0;
            qn_store_u32(rest, step - (closed - before));
            gap += sizeof(uint32_t);
            rest += sizeof(uint32_t);
        }
    }
    return (uint32_t)((size_t)(rest - writer->rest.data) / sizeof(uint32_t));
}

/* Encodes a row to `to`, with the hole if it has a length. */
static bool encode_row(qn_positions_writer *writer, const uint32_t *tfs, uint32_t n, row_hole hole,
                       qn_buffer *to)
{
    uint32_t values[QN_BLOCK];
    uint32_t total = part_row(writer, tfs, n, hole, values);
    to->len = 0;
    if (!qn_buffer_reserve(to, 2 + (2 + (size_t)total / QN_BLOCK) * QN_BLOCK_MAX_BYTES))
        return false;
    uint8_t *at = to->data;
    if (hole.len > 0) {
        *at++ = (uint8_t)(QN_POSITIONS_HOLE | hole.len);
        *at++ = (uint8_t)hole.start;
    }
    at += qn_block_encode(values, n, at);
    for (uint32_t done = 0; done < total; done += QN_BLOCK) {
        unsigned part = total - done < QN_BLOCK ? total - done : QN_BLOCK;
        memcpy(values, writer->rest.data + done * sizeof(uint32_t), part * sizeof(uint32_t));
        at += qn_block_encode(values, part, at);
    }
    to->len = (size_t)(at - to->data);
    return true;
}

/* Writes a row with the hole that was found in it, or without if that takes no more bytes. */
static quern_status put_row(qn_positions_writer *writer, const uint32_t *tfs, uint32_t n,
                            quern_error *error)
{
    uint8_t marks[REACH + WORD];
    writer->rest.len = 0;
    if (!qn_buffer_reserve(&writer->rest, writer->gaps.len) ||
        !encode_row(writer, tfs, n, (row_hole){0, 0}, &writer->plain))
        return qn_fail_memory(error);
    mark(writer, tfs, n, marks);
    row_hole hole = find_hole(marks);
    const qn_buffer *best = &writer->plain;
    if (hole.len >= WORTH_TRYING) {
        if (!encode_row(writer, tfs, n, hole, &writer->holed))
            return qn_fail_memory(error);
        if (writer->holed.len < writer->plain.len)
            best = &writer->holed;
    }
    return qn_writer_put(writer->file, best->data, best->len, error);
}

quern_status qn_positions_writer_row(qn_positions_writer *writer, const uint32_t *tfs, uint32_t n,
                                     quern_error *error)
{
    quern_status status =
        writer->mixed ? put_mixed(writer, true, error) : put_row(writer, tfs, n, error);
    if (status != QUERN_OK)
        return status;
    writer->gaps.len = 0;
    writer->mixed = false;
    uint64_t end = writer->file->offset - writer->start;
    if (end > UINT32_MAX)
        return qn_fail(error, QUERN_E_ARGUMENT,
                       "the positions of one term pass 4 GiB: build several indexes instead");
    uint32_t end32 = (uint32_t)end;
    return qn_buffer_append(&writer->ends, &end32, sizeof end32) ? QUERN_OK : qn_fail_memory(error);
}

/* ---- ends of terms ---- */

void qn_positions_writer_take(const qn_positions_writer *writer, uint32_t tf, uint32_t *out)
{
    uint32_t position = 0;
    for (uint32_t i = 0; i < tf; i++) {
        position += qn_load_u32(writer->gaps.data + (size_t)i * sizeof(uint32_t));
        out[i] = position;
    }
}

quern_status qn_positions_writer_end(qn_positions_writer *writer, quern_error *error)
{
    size_t n = writer->ends.len / sizeof(uint32_t);
    if (n <= 1)
        return QUERN_OK;
    const uint8_t *ends = writer->ends.data;
    uint32_t last = qn_load_u32(ends + (n - 2) * sizeof(uint32_t));
    unsigned width = 32 - (unsigned)__builtin_clz(last | 1);
    size_t len = qn_bitpack_bytes(n - 1, width);
    qn_buffer *table = &writer->plain;
    table->len = 0;
    if (!qn_buffer_reserve(table, len + 1 + QN_BITPACK_SLACK))
        return qn_fail_memory(error);
    /* A buffer's bytes come from malloc, aligned for any type. */
    (void)qn_bitpack_pack((const uint32_t *)(const void *)ends, n - 1, width, table->data);
    table->data[len] = (uint8_t)width;
    return qn_writer_put(writer->file, table->data, len + 1, error);
}

void qn_positions_writer_free(qn_positions_writer *writer)
{
    qn_buffer_free(&writer->gaps);
    qn_buffer_free(&writer->ends);
    qn_buffer_free(&writer->rest);
    qn_buffer_free(&writer->plain);
    qn_buffer_free(&writer->holed);
}
