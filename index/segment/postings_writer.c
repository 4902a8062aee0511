/* Writing postings, a block at a time: see postings.h for the grammar. */
#include "index/segment/postings_writer.h"

#include "index/base/status.h"
#include "index/codec/block.h"
#include "index/segment/coded_writer.h"
#include "index/segment/lengths.h"
#include "index/segment/postings.h"

#include <stdlib.h>
#include <string.h>

enum { HISTOGRAM = 4096, SPOOL_BUFFER = 256 * 1024 };

/* The best tf-part within one bound range. */
typedef struct range_part {
    uint32_t range;
    float part;
} range_part;

struct qn_postings_writer {
    qn_postings_params params;
    uint32_t n_windows;
    float norms[QN_FIELDS_MAX][256];
    qn_dict_writer *dict;
    qn_container_writer *container;
    qn_rows_writer rows;
    qn_writer postings, bounds;
    qn_postings_totals totals;

    /* the current term */
    char term[QN_TERM_MAX];
    size_t term_len;
    const uint8_t *lengths; /* of its field, */
    const float *norm;      /* and K by length code */
    uint32_t df, last_doc;
    uint64_t cf;
    uint64_t postings_start;
    uint32_t n_blocks;
    qn_buffer blocks; /* of a long list: docs and tf, as they come */
    uint64_t tf_len;  /* of them, what is tf */
    qn_buffer last_docs, ends;
    qn_buffer block_parts; /* f32 a block */
    range_part now;        /* the range that the last posting fell in; part 0: none yet */
    qn_buffer ranges;      /* range_part of those before, ascending */
    qn_buffer range_bytes; /* the range maxima, then levels, being made */
    float max_part;
    uint32_t histogram[HISTOGRAM + 1]; /* of tf-parts in 4096ths, for the seeds */
    qn_code_histogram cells;           /* of tf and length, for the codes */
    qn_coded_writer coded;
    qn_keys_split_fn split;

    /* the current block */
    uint32_t n;
    uint32_t docs[QN_BLOCK], tfs[QN_BLOCK];
    uint8_t encoded[2 * QN_BLOCK_MAX_BYTES + 1];
};

quern_status qn_postings_writer_new(qn_postings_writer **out, qn_container_writer *container,
                                    int dirfd, const char *path, const qn_postings_params *params,
                                    quern_error *error)
{
    *out = NULL;
    qn_postings_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return qn_fail_memory(error);
    writer->params = *params;
    writer->container = container;
    writer->n_windows = qn_segment_windows(params->n_docs);
    writer->coded.kernels = qn_block_kernels_for(qn_cpu_detect());
    writer->split = qn_keys_split_for(qn_cpu_detect());
    unsigned n_fields = params->n_fields == 0 ? 1 : params->n_fields;
    for (unsigned i = 0; i < n_fields; i++)
        qn_length_norms(params->k1, params->b, params->counts[i].average, writer->norms[i]);
    writer->params.counts = NULL;
    quern_status status =
        qn_dict_writer_new(&writer->dict, dirfd, path, params->positions, params->coded_df, error);
    if (status == QUERN_OK && params->positions)
        status = qn_rows_writer_init(&writer->rows, container, params->small, error);
    if (status == QUERN_OK)
        status = qn_writer_spool(&writer->postings, dirfd, path, SPOOL_BUFFER, error);
    if (status == QUERN_OK)
        status = qn_writer_spool(&writer->bounds, dirfd, path, SPOOL_BUFFER, error);
    if (status != QUERN_OK) {
        qn_postings_writer_free(writer);
        return status;
    }
    *out = writer;
    return QUERN_OK;
}

qn_rows_writer *qn_postings_writer_rows(qn_postings_writer *writer)
{
    return &writer->rows;
}

void qn_postings_writer_begin_list(qn_postings_writer *writer, const char *term, size_t len)
{
    memcpy(writer->term, term, len);
    writer->term_len = len;
    uint32_t field = writer->params.n_fields == 0 ? 0 : (uint32_t)(uint8_t)term[0] - 1;
    if (field >= writer->params.n_fields)
        field = 0;
    writer->lengths = writer->params.lengths + (size_t)field * writer->params.n_docs;
    writer->norm = writer->norms[field];
    writer->df = 0;
    writer->cf = 0;
    writer->n = 0;
    writer->n_blocks = 0;
    writer->max_part = 0;
    writer->now = (range_part){0, 0};
    writer->postings_start = writer->postings.offset;
    writer->last_docs.len = writer->ends.len = writer->blocks.len = 0;
    writer->tf_len = 0;
    writer->block_parts.len = writer->ranges.len = 0;
}

/* ---- bounds ---- */

/* The smallest v with part <= max_part * v / 255 in exact arithmetic. */
static uint8_t ceiling(float part, float max_part)
{
    double v = (double)part / (double)max_part * 255.0;
    unsigned up = (unsigned)v;
    while ((double)max_part * up < (double)part * 255.0)
        up++;
    return (uint8_t)(up > 255 ? 255 : up);
}

/* There is room: bound_block has reserved it. */
static void push_range(qn_buffer *ranges, range_part range)
{
    if (range.part == 0)
        return;
    memcpy(ranges->data + ranges->len, &range, sizeof range);
    ranges->len += sizeof range;
}

/* Parts are not negative, so their bits as numbers compare as they do. */
static uint32_t bits_of(float part)
{
    uint32_t bits;
    memcpy(&bits, &part, sizeof bits);
    return bits;
}

static float part_of(uint32_t bits)
{
    float part;
    memcpy(&part, &bits, sizeof part);
    return part;
}

/* The best of the block's parts; takes them to those of ranges, without a branch on whether a range
 * ends, which there is no telling. There is room. */
static float bound_ranges(qn_postings_writer *writer, const float *part)
{
    range_part *to = (range_part *)(void *)(writer->ranges.data + writer->ranges.len);
    const uint32_t none = writer->docs[0] / QN_RANGE;
    uint64_t now = (uint64_t)(writer->now.part == 0 ? none : writer->now.range) << 32 |
                   bits_of(writer->now.part);
    int32_t best = 0; /* signed ones compare in vectors of any level */
    for (uint32_t i = 0; i < writer->n; i++) {
        uint64_t here = (uint64_t)(writer->docs[i] / QN_RANGE) << 32 | bits_of(part[i]);
        *to = (range_part){(uint32_t)(now >> 32), part_of((uint32_t)now)};
        to += here >> 32 != now >> 32;
        now = here > now ? here : now; /* another range, or a better part */
    }
    for (uint32_t i = 0; i < writer->n; i++) {
        int32_t bits = (int32_t)bits_of(part[i]);
        best = bits > best ? bits : best;
    }
    writer->now = (range_part){(uint32_t)(now >> 32), part_of((uint32_t)now)};
    writer->ranges.len = (size_t)((uint8_t *)to - writer->ranges.data);
    return part_of((uint32_t)best);
}

/* Takes the block's tf-parts into block, range and term maxima and the histogram. */
static bool bound_block(qn_postings_writer *writer)
{
    float part[QN_BLOCK];
    uint8_t length[QN_BLOCK];
    int32_t bin[QN_BLOCK];
    const uint32_t n = writer->n;
    if (!qn_buffer_reserve(&writer->ranges, (QN_BLOCK + 1) * sizeof writer->now))
        return false;
    for (uint32_t i = 0; i < n; i++) { /* what has no vectors stands apart from what has */
        length[i] = writer->lengths[writer->docs[i]];
        part[i] = writer->norm[length[i]];
    }
    for (uint32_t i = 0; i < n; i++) {
        float tf = (float)writer->tfs[i];
        part[i] = tf / (tf + part[i]);
        bin[i] = (int32_t)(part[i] * HISTOGRAM);
    }
    for (uint32_t i = 0; i < n; i++) {
        qn_code_count(&writer->cells, writer->tfs[i], length[i]);
        writer->histogram[bin[i]]++;
    }
    float best = bound_ranges(writer, part);
    writer->max_part = best > writer->max_part ? best : writer->max_part;
    return qn_buffer_append(&writer->block_parts, &best, sizeof best);
}

/* ---- blocks ---- */

/* Encodes the block that has been gathered. `with_tf` false leaves the tf block out: only a short
 * list knows in time that no tf is over 1; a long one pays a byte a block for it. */
static quern_status flush_block(qn_postings_writer *writer, uint32_t before, bool with_tf,
                                quern_error *error)
{
    uint32_t values[QN_BLOCK];
    uint32_t previous = writer->docs[writer->n - 1];
    values[0] = writer->docs[0] - before - 1;
    for (uint32_t i = 1; i < writer->n; i++)
        values[i] = writer->docs[i] - writer->docs[i - 1] - 1;
    size_t docs_len = writer->coded.kernels->encode(values, writer->n, false, writer->encoded);
    size_t tf_len = 0;
    if (with_tf) {
        for (uint32_t i = 0; i < writer->n; i++)
            values[i] = writer->tfs[i] - 1;
        tf_len =
            writer->coded.kernels->encode(values, writer->n, false, writer->encoded + docs_len);
    }
    writer->tf_len += tf_len;
    if (!qn_buffer_append(&writer->blocks, writer->encoded, docs_len + tf_len))
        return qn_fail_memory(error);
    uint64_t end = writer->blocks.len;
    if (end > UINT32_MAX)
        return qn_fail(error, QUERN_E_ARGUMENT,
                       "the postings of one term pass 4 GiB: build several indexes instead");
    uint32_t end32 = (uint32_t)end;
    if (!qn_buffer_append(&writer->ends, &end32, sizeof end32) ||
        !qn_buffer_append(&writer->last_docs, &previous, sizeof previous))
        return qn_fail_memory(error);
    writer->n_blocks++;
    writer->n = 0;
    return QUERN_OK;
}

/* The last document of the blocks written so far. */
static uint32_t last_before(const qn_postings_writer *writer)
{
    return writer->n_blocks == 0 ? UINT32_MAX
                                 : qn_load_u32(writer->last_docs.data + writer->last_docs.len - 4);
}

static inline void add(qn_postings_writer *writer, uint32_t doc, uint32_t tf)
{
    writer->docs[writer->n] = doc;
    writer->tfs[writer->n] = tf;
    writer->n++;
    writer->df++;
    writer->cf += tf;
}

/* Writes the block that is full. */
static __attribute__((noinline)) quern_status put_full(qn_postings_writer *writer,
                                                       quern_error *error)
{
    if (!bound_block(writer))
        return qn_fail_memory(error);
    return flush_block(writer, last_before(writer), true, error);
}

quern_status qn_postings_writer_add_to_list(qn_postings_writer *writer, uint32_t doc, uint32_t tf,
                                            quern_error *error)
{
    if (writer->n > 0 && writer->docs[writer->n - 1] == doc) { /* it was parted between runs */
        writer->tfs[writer->n - 1] += tf;
        writer->cf += tf;
        return QUERN_OK;
    }
    quern_status status = writer->n == QN_BLOCK ? put_full(writer, error) : QUERN_OK;
    if (status == QUERN_OK)
        add(writer, doc, tf);
    return status;
}

/* ---- keys ---- */

static quern_status add_tile(qn_postings_writer *writer, const qn_keys_tile *tile,
                             quern_error *error)
{
    quern_status status = QUERN_OK;
    for (uint32_t from = 0, n; status == QUERN_OK && from < tile->n; from += n) {
        if (writer->n == QN_BLOCK && (status = put_full(writer, error)) != QUERN_OK)
            return status;
        n = tile->n - from < QN_BLOCK - writer->n ? tile->n - from : QN_BLOCK - writer->n;
        memcpy(writer->docs + writer->n, tile->doc + from, n * sizeof *tile->doc);
        memcpy(writer->tfs + writer->n, tile->tf + from, n * sizeof *tile->tf);
        writer->n += n;
        writer->df += n;
    }
    writer->cf += tile->start[tile->n];
    return status;
}

/* To the list and, if `both`, to the rows: then keys are split for the two at once. */
static quern_status add_keys(qn_postings_writer *writer, const qn_keys *keys, bool both,
                             quern_error *error)
{
    qn_keys_tile tile;
    quern_status status = QUERN_OK;
    for (size_t at = 0, end; status == QUERN_OK && at < keys->n; at = end) {
        if (qn_keys_next(keys, at, &end)) {
            writer->split(keys, at, (uint32_t)(end - at), &tile);
            status = add_tile(writer, &tile, error);
            if (status == QUERN_OK && both)
                status = qn_rows_writer_tile(&writer->rows, &tile, error);
        } else {
            uint32_t doc = keys->first_doc + (uint32_t)qn_keys_doc(keys, at);
            status = qn_postings_writer_add_to_list(writer, doc, (uint32_t)(end - at), error);
            if (status == QUERN_OK && both)
                status = qn_rows_writer_posting(&writer->rows, keys, at, end, error);
        }
    }
    return status;
}

quern_status qn_postings_writer_keys_to_list(qn_postings_writer *writer, const qn_keys *keys,
                                             quern_error *error)
{
    return add_keys(writer, keys, false, error);
}

/* ---- ends of lists ---- */

static quern_status put_buffer(qn_writer *to, const qn_buffer *buffer, quern_error *error)
{
    return qn_writer_put(to, buffer->data, buffer->len, error);
}

static quern_status end_short(qn_postings_writer *writer, quern_error *error)
{
    float best = 0;
    for (uint32_t i = 0; i < writer->n; i++) {
        float tf = (float)writer->tfs[i];
        float part = tf / (tf + writer->norm[writer->lengths[writer->docs[i]]]);
        best = part > best ? part : best;
    }
    uint8_t max = ceiling(best, 1);
    quern_status status = qn_writer_put(&writer->postings, &max, 1, error);
    if (status != QUERN_OK)
        return status;
    writer->totals.bounds_bytes += 1;
    status = flush_block(writer, UINT32_MAX, writer->cf != writer->df, error);
    writer->totals.tf_bytes += writer->tf_len;
    return status == QUERN_OK ? put_buffer(&writer->postings, &writer->blocks, error) : status;
}

/* Seeds in 4096ths: floors of the parts at the ranks of qn_seed_rank; empties the histogram. */
static void take_seeds(qn_postings_writer *writer, uint16_t seeds[QN_SEEDS])
{
    uint64_t above = 0;
    unsigned next = 0;
    memset(seeds, 0, QN_SEEDS * sizeof *seeds);
    unsigned bin = (unsigned)(writer->max_part * HISTOGRAM) + 1; /* there is none from here on */
    while (next < QN_SEEDS && above < writer->df && bin-- > 0) {
        above += writer->histogram[bin];
        while (next < QN_SEEDS && above >= qn_seed_rank[next])
            seeds[next++] = (uint16_t)bin;
    }
    memset(writer->histogram, 0, sizeof writer->histogram);
}

/* Makes the range maxima, rounds them up to levels, and puts the levels' numbers into range_bytes,
 * two in a byte. */
static bool make_range_levels(qn_postings_writer *writer, uint8_t level[QN_LEVELS])
{
    qn_buffer *bytes = &writer->range_bytes;
    size_t n_ranges = (size_t)writer->n_windows * (QN_WINDOW / QN_RANGE);
    uint32_t count[256] = {0};
    uint8_t number[256];
    bytes->len = 0;
    push_range(&writer->ranges, writer->now);
    if (!qn_buffer_reserve(bytes, n_ranges))
        return false;
    memset(bytes->data, 0, n_ranges);
    for (size_t at = 0; at < writer->ranges.len; at += sizeof(range_part)) {
        range_part entry;
        memcpy(&entry, writer->ranges.data + at, sizeof entry);
        uint8_t max = ceiling(entry.part, writer->max_part);
        bytes->data[entry.range] = max;
        count[max]++;
    }
    qn_levels_choose(count, level);
    qn_levels_number(level, number);
    for (size_t i = 0; i < n_ranges; i += 2)
        bytes->data[i / 2] = (uint8_t)(number[bytes->data[i]] | number[bytes->data[i + 1]] << 4);
    bytes->len = n_ranges / 2;
    return true;
}

/* What stands behind the blocks of a list, or in the header of a coded one. */
static void make_trailer(qn_postings_writer *writer, uint8_t trailer[4 + 2 * QN_SEEDS])
{
    uint16_t seeds[QN_SEEDS];
    take_seeds(writer, seeds);
    qn_store_f32(trailer, writer->max_part);
    for (unsigned i = 0; i < QN_SEEDS; i++)
        qn_store_u16(trailer + 4 + 2 * (size_t)i, seeds[i]);
}

static quern_status end_coded(qn_postings_writer *writer, quern_error *error)
{
    if (!qn_buffer_reserve(&writer->blocks, QN_PADDING))
        return qn_fail_memory(error);
    qn_coded_input input = {.blocks = writer->blocks.data,
                            .end = writer->ends.data,
                            .df = writer->df,
                            .n_docs = writer->params.n_docs,
                            .n_windows = writer->n_windows,
                            .dense = writer->df >= writer->params.dense_df,
                            .histogram = &writer->cells,
                            .lengths = writer->lengths,
                            .norms = writer->norm};
    make_trailer(writer, input.trailer);
    if (!make_range_levels(writer, input.level))
        return qn_fail_memory(error);
    qn_coded_totals totals = {0};
    quern_status status = qn_coded_write(&writer->coded, &input, &writer->postings, &totals, error);
    writer->totals.tf_bytes += totals.codes;
    writer->totals.codes_bytes += totals.codes;
    writer->totals.bitmap_bytes += totals.bitmap;
    writer->totals.bounds_bytes += totals.bounds;
    return status == QUERN_OK ? put_buffer(&writer->bounds, &writer->range_bytes, error) : status;
}

static quern_status end_plain(qn_postings_writer *writer, quern_error *error)
{
    uint8_t trailer[4 + 2 * QN_SEEDS];
    make_trailer(writer, trailer);
    /* The block maxima replace their floats in place. */
    for (uint32_t i = 0; i < writer->n_blocks; i++) {
        float part = qn_load_f32(writer->block_parts.data + 4 * (size_t)i);
        writer->block_parts.data[i] = ceiling(part, writer->max_part);
    }
    qn_writer *to = &writer->postings;
    quern_status status = put_buffer(to, &writer->blocks, error);
    if (status == QUERN_OK)
        status = put_buffer(to, &writer->last_docs, error);
    if (status == QUERN_OK)
        status = put_buffer(to, &writer->ends, error);
    if (status == QUERN_OK)
        status = qn_writer_put(to, writer->block_parts.data, writer->n_blocks, error);
    if (status == QUERN_OK)
        status = qn_writer_put(to, trailer, sizeof trailer, error);
    writer->totals.tf_bytes += writer->tf_len;
    writer->totals.bounds_bytes += writer->n_blocks + sizeof trailer;
    return status;
}

static quern_status end_long(qn_postings_writer *writer, quern_error *error)
{
    if (!bound_block(writer))
        return qn_fail_memory(error);
    quern_status status = flush_block(writer, last_before(writer), true, error);
    if (status == QUERN_OK)
        status = writer->df >= writer->params.coded_df ? end_coded(writer, error)
                                                       : end_plain(writer, error);
    memset(&writer->cells, 0, sizeof writer->cells);
    return status;
}

quern_status qn_postings_writer_end_list(qn_postings_writer *writer, qn_term_info *info,
                                         quern_error *error)
{
    info->df = writer->df;
    info->cf = writer->cf;
    if (writer->df == 0)
        return QUERN_OK;
    quern_status status = QUERN_OK;
    if (writer->df == 1)
        info->doc = writer->docs[0];
    else
        status = writer->df <= QN_BLOCK ? end_short(writer, error) : end_long(writer, error);
    if (status != QUERN_OK)
        return status;
    info->postings_len = writer->postings.offset - writer->postings_start;
    writer->totals.n_terms++;
    writer->totals.n_postings += writer->df;
    return qn_dict_writer_add(writer->dict, writer->term, writer->term_len, info, error);
}

/* ---- both halves ---- */

void qn_postings_writer_begin(qn_postings_writer *writer, const char *term, size_t len)
{
    qn_postings_writer_begin_list(writer, term, len);
    qn_rows_writer_begin(&writer->rows);
}

quern_status qn_postings_writer_add(qn_postings_writer *writer, uint32_t doc, uint32_t tf,
                                    const uint32_t *gaps, quern_error *error)
{
    quern_status status = qn_postings_writer_add_to_list(writer, doc, tf, error);
    return status == QUERN_OK ? qn_rows_writer_add(&writer->rows, doc, tf, gaps, error) : status;
}

quern_status qn_postings_writer_keys(qn_postings_writer *writer, const qn_keys *keys,
                                     quern_error *error)
{
    return add_keys(writer, keys, true, error);
}

quern_status qn_postings_writer_end(qn_postings_writer *writer, quern_error *error)
{
    qn_term_info info = {0};
    quern_status status = qn_rows_writer_end(&writer->rows, &info, error);
    return status == QUERN_OK ? qn_postings_writer_end_list(writer, &info, error) : status;
}

quern_status qn_postings_writer_finish(qn_postings_writer *writer, qn_postings_totals *totals,
                                       quern_error *error)
{
    qn_container_writer *container = writer->container;
    quern_status status =
        writer->params.positions ? qn_container_writer_end(container, error) : QUERN_OK;
    if (status == QUERN_OK)
        status = qn_dict_writer_finish(writer->dict, container, error);
    if (status == QUERN_OK)
        status =
            qn_container_writer_put_spool(container, QN_SECTION_BOUNDS, &writer->bounds, error);
    if (status == QUERN_OK)
        status =
            qn_container_writer_put_spool(container, QN_SECTION_POSTINGS, &writer->postings, error);
    *totals = writer->totals;
    return status;
}

void qn_postings_writer_free(qn_postings_writer *writer)
{
    if (writer == NULL)
        return;
    qn_dict_writer_free(writer->dict);
    qn_rows_writer_free(&writer->rows);
    qn_writer_close(&writer->postings);
    qn_writer_close(&writer->bounds);
    qn_coded_writer_free(&writer->coded);
    qn_buffer_free(&writer->blocks);
    qn_buffer_free(&writer->last_docs);
    qn_buffer_free(&writer->ends);
    qn_buffer_free(&writer->block_parts);
    qn_buffer_free(&writer->ranges);
    qn_buffer_free(&writer->range_bytes);
    free(writer);
}
