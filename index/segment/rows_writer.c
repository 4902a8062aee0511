/* Positions of terms: see rows_writer.h. */
#include "index/segment/rows_writer.h"

#include "index/base/status.h"

#include <string.h>

quern_status qn_rows_writer_init(qn_rows_writer *writer, qn_container_writer *container, bool small,
                                 quern_error *error)
{
    const qn_cpu cpu = qn_cpu_detect();
    *writer = (qn_rows_writer){.on = true,
                               .split = qn_keys_split_for(cpu),
                               .positions = {.file = &container->file,
                                             .small = small,
                                             .kernels = qn_block_kernels_for(cpu)}};
    return qn_container_writer_begin(container, QN_SECTION_POSITIONS, error);
}

void qn_rows_writer_begin(qn_rows_writer *writer)
{
    if (!writer->on)
        return;
    writer->n = writer->df = 0;
    writer->cf = 0;
    qn_positions_writer_begin(&writer->positions);
}

/* Ends the row before, if it is full. */
static inline quern_status make_room(qn_rows_writer *writer, quern_error *error)
{
    if (writer->n < QN_BLOCK)
        return QUERN_OK;
    writer->n = 0;
    return qn_positions_writer_row(&writer->positions, error);
}

quern_status qn_rows_writer_add(qn_rows_writer *writer, uint32_t doc, uint32_t tf,
                                const uint32_t *gaps, quern_error *error)
{
    if (!writer->on)
        return QUERN_OK;
    writer->cf += tf;
    if (writer->df > 0 && writer->doc == doc) /* it was parted between runs */
        return qn_positions_writer_more(&writer->positions, tf, gaps, error);
    quern_status status = make_room(writer, error);
    if (status != QUERN_OK)
        return status;
    writer->n++;
    writer->df++;
    writer->doc = doc;
    return qn_positions_writer_add(&writer->positions, tf, gaps, error);
}

/* ---- keys ---- */

quern_status qn_rows_writer_posting(qn_rows_writer *writer, const qn_keys *keys, size_t at,
                                    size_t end, quern_error *error)
{
    const uint64_t doc = qn_keys_doc(keys, at);
    const uint32_t tf = (uint32_t)(end - at);
    uint64_t before = doc << keys->position_bits;
    if (!writer->on)
        return QUERN_OK;
    writer->gaps.len = 0;
    if (!qn_buffer_reserve(&writer->gaps, tf * sizeof(uint32_t)))
        return qn_fail_memory(error);
    /* A buffer's bytes come from malloc, aligned for any type. */
    uint32_t *gaps = (uint32_t *)(void *)writer->gaps.data;
    for (uint32_t i = 0; i < tf; i++) {
        uint64_t key = qn_keys_at(keys, at + i);
        gaps[i] = (uint32_t)(key - before);
        before = key;
    }
    return qn_rows_writer_add(writer, keys->first_doc + (uint32_t)doc, tf, gaps, error);
}

quern_status qn_rows_writer_tile(qn_rows_writer *writer, const qn_keys_tile *tile,
                                 quern_error *error)
{
    quern_status status = QUERN_OK;
    if (!writer->on)
        return QUERN_OK;
    for (uint32_t from = 0, n; status == QUERN_OK && from < tile->n; from += n) {
        status = make_room(writer, error);
        n = tile->n - from < QN_BLOCK - writer->n ? tile->n - from : QN_BLOCK - writer->n;
        if (status == QUERN_OK)
            status = qn_positions_writer_tile(&writer->positions, tile, from, n, error);
        writer->n += n;
    }
    writer->doc = tile->doc[tile->n - 1];
    writer->df += tile->n;
    writer->cf += tile->start[tile->n];
    return status;
}

quern_status qn_rows_writer_keys(qn_rows_writer *writer, const qn_keys *keys, quern_error *error)
{
    qn_keys_tile tile;
    quern_status status = QUERN_OK;
    if (!writer->on)
        return QUERN_OK;
    for (size_t at = 0, end; status == QUERN_OK && at < keys->n; at = end) {
        if (qn_keys_next(keys, at, &end)) {
            writer->split(keys, at, (uint32_t)(end - at), &tile);
            status = qn_rows_writer_tile(writer, &tile, error);
        } else {
            status = qn_rows_writer_posting(writer, keys, at, end, error);
        }
    }
    return status;
}

/* ---- ends ---- */

quern_status qn_rows_writer_end(qn_rows_writer *writer, qn_term_info *info, quern_error *error)
{
    if (!writer->on || writer->df == 0)
        return QUERN_OK;
    if (writer->df == 1 && writer->cf <= QN_INLINE_TF_MAX) {
        qn_positions_writer_take(&writer->positions, info->position);
        info->n_inline = (uint32_t)writer->cf;
        return QUERN_OK;
    }
    quern_status status = qn_positions_writer_row(&writer->positions, error);
    if (status == QUERN_OK)
        status = qn_positions_writer_end(&writer->positions, error);
    info->positions_len = writer->positions.file->offset - writer->positions.start;
    return status;
}

void qn_rows_writer_free(qn_rows_writer *writer)
{
    qn_positions_writer_free(&writer->positions);
    qn_buffer_free(&writer->gaps);
    *writer = (qn_rows_writer){0};
}
