/* Reading postings: see postings.h for the grammar. */
#include "index/segment/postings.h"

#include "index/base/status.h"
#include "index/segment/coded.h"
#include "index/segment/lengths.h"

/* Bytes of the tables behind the blocks of a long list: last_doc, end and max of each block... */
enum { TABLE_ENTRY = 4 + 4 + 1 };
/* ...and max_part and seeds. */
enum { TRAILER = 4 + 2 * QN_SEEDS };

static quern_status open_long(qn_postings *list, const uint8_t *at, uint64_t len,
                              quern_error *error)
{
    uint64_t tables = (uint64_t)list->n_blocks * TABLE_ENTRY + TRAILER;
    if (len < tables)
        return qn_container_damaged(&list->segment->index,
                                    "a posting list is shorter than its tables", error);
    list->data = at;
    list->data_end = at + (len - tables);
    list->last_doc = list->data_end;
    list->block_end = list->last_doc + 4 * (size_t)list->n_blocks;
    list->block_max = list->block_end + 4 * (size_t)list->n_blocks;
    return qn_postings_open_trailer(list, list->block_max + list->n_blocks, error);
}

quern_status qn_postings_open_trailer(qn_postings *list, const uint8_t *trailer, quern_error *error)
{
    list->max_part = qn_load_f32(trailer);
    if (!(list->max_part > 0 && list->max_part <= 1)) /* refuses NaN too */
        return qn_container_damaged(&list->segment->index, "a posting list's bound is out of range",
                                    error);
    for (unsigned i = 0; i < QN_SEEDS; i++) {
        uint16_t seed = qn_load_u16(trailer + 4 + 2 * i);
        if (seed > 4096)
            return qn_container_damaged(&list->segment->index,
                                        "a posting list's seed is out of range", error);
        list->seed[i] = (float)seed * (1.0f / 4096);
    }
    return QUERN_OK;
}

static quern_status open_bounds(qn_postings *list, quern_error *error)
{
    const qn_segment *segment = list->segment;
    uint64_t len = (uint64_t)segment->n_windows * QN_WINDOW_LEVELS;
    if (list->info.bounds_index > segment->bounds.len / len ||
        !qn_in_range(list->info.bounds_index * len, len, segment->bounds.len))
        return qn_container_damaged(
            &segment->index, "a posting list's range maxima lie outside their section", error);
    list->range_level = segment->bounds.data + list->info.bounds_index * len;
    return qn_container_touch(&segment->index, list->range_level, len, error);
}

quern_status qn_postings_open(qn_postings *out, const qn_segment *segment, const qn_term_info *info,
                              quern_error *error)
{
    if (info->field >= qn_fields_count(&segment->meta.fields))
        return qn_container_damaged(&segment->index, "a term is of a field that is not there",
                                    error);
    *out = (qn_postings){.segment = segment,
                         .info = *info,
                         .field = info->field,
                         .lengths = segment->lengths[info->field],
                         .df = info->df,
                         .n_blocks = (info->df + QN_BLOCK - 1) / QN_BLOCK,
                         .has_tf = info->df > QN_BLOCK || info->cf != info->df,
                         .max_part = 1};
    if (info->df > 1) {
        if (!qn_in_range(info->postings_off, info->postings_len, segment->postings.len))
            return qn_container_damaged(&segment->index, "a posting list lies outside its section",
                                        error);
        const uint8_t *at = segment->postings.data + info->postings_off;
        quern_status status = qn_container_touch(&segment->index, at, info->postings_len, error);
        if (status != QUERN_OK)
            return status;
        if (info->df >= segment->meta.coded_df) {
            status = qn_coded_open(out, error);
            if (status == QUERN_OK)
                status = open_bounds(out, error);
        } else if (out->n_blocks > 1) {
            status = open_long(out, at, info->postings_len, error);
        } else {
            if (info->postings_len < 2)
                return qn_container_damaged(&segment->index, "a posting list is empty", error);
            out->block_max = at;
            out->data = at + 1;
            out->data_end = at + info->postings_len;
        }
        if (status != QUERN_OK)
            return status;
    }
    if (segment->meta.positions && (info->df > 1 || info->positions_len > 0)) {
        if (!qn_in_range(info->positions_off, info->positions_len, segment->positions.len))
            return qn_container_damaged(&segment->index,
                                        "a list of positions lies outside its section", error);
        out->pos_data = segment->positions.data + info->positions_off;
        out->pos_data_end = out->pos_data + info->positions_len;
    }
    return QUERN_OK;
}

uint32_t qn_postings_find_block(const qn_postings *list, uint32_t from, uint32_t doc)
{
    if (list->coded) {
        uint32_t block = qn_coded_find_block(list, doc);
        return block > from ? block : from;
    }
    if (list->last_doc == NULL)
        return from;
    /* Gallop from the current block, then bisect: seeks are mostly short. */
    uint32_t low = from, step = 1;
    while (low < list->n_blocks && qn_load_u32(list->last_doc + 4 * (size_t)low) < doc) {
        uint32_t next = low + step;
        if (next >= list->n_blocks || qn_load_u32(list->last_doc + 4 * (size_t)next) >= doc) {
            uint32_t high = next < list->n_blocks ? next : list->n_blocks;
            low++;
            while (low < high) {
                uint32_t middle = low + (high - low) / 2;
                if (qn_load_u32(list->last_doc + 4 * (size_t)middle) < doc)
                    low = middle + 1;
                else
                    high = middle;
            }
            return low;
        }
        low = next;
        step *= 2;
    }
    return low;
}

/* The bytes of a block within [list->data, list->data_end); false if the table is out of order. */
static bool block_extent(const uint8_t *table, uint32_t block, uint32_t n_blocks,
                         const uint8_t *data, const uint8_t *data_end, const uint8_t **start,
                         const uint8_t **end)
{
    *start = data;
    *end = data_end;
    if (n_blocks <= 1)
        return true;
    uint64_t len = (uint64_t)(data_end - data);
    uint64_t from = block == 0 ? 0 : qn_load_u32(table + 4 * (size_t)(block - 1));
    uint64_t to = qn_load_u32(table + 4 * (size_t)block);
    if (from > to || to > len)
        return false;
    *start = data + from;
    *end = data + to;
    return true;
}

quern_status qn_postings_docs(const qn_postings *list, uint32_t block, uint32_t *docs,
                              const uint8_t **tf_at, quern_error *error)
{
    const qn_segment *segment = list->segment;
    if (list->df == 1) {
        docs[0] = list->info.doc;
        *tf_at = NULL;
        return QUERN_OK;
    }
    if (list->coded) {
        *tf_at = NULL;
        return qn_coded_docs(list, block, docs, error);
    }
    const uint8_t *start, *end;
    if (!block_extent(list->block_end, block, list->n_blocks, list->data, list->data_end, &start,
                      &end))
        return qn_container_damaged(&segment->index, "a posting list's table is out of order",
                                    error);
    uint32_t base = block == 0 ? UINT32_MAX : qn_postings_block_last(list, block - 1);
    uint32_t last = qn_postings_block_last(list, block);
    if (last >= segment->meta.n_docs)
        return qn_container_damaged(&segment->index, "a posting block ends past the last document",
                                    error);
    uint32_t n = qn_postings_block_n(list, block);
    *tf_at = segment->kernels->decode_ascending(start, end, n, base, last + 1, docs);
    if (*tf_at == NULL || (list->n_blocks > 1 && docs[n - 1] != last))
        return qn_container_damaged(&segment->index, "a posting block is malformed", error);
    return QUERN_OK;
}

quern_status qn_postings_tfs(const qn_postings *list, uint32_t block, const uint8_t *tf_at,
                             uint32_t *tfs, quern_error *error)
{
    uint32_t n = qn_postings_block_n(list, block);
    if (list->df == 1) {
        tfs[0] = list->info.cf > UINT32_MAX ? UINT32_MAX : (uint32_t)list->info.cf;
        return QUERN_OK;
    }
    if (list->coded)
        return qn_coded_tfs(list, block, tfs, error);
    if (!list->has_tf) {
        for (uint32_t i = 0; i < n; i++)
            tfs[i] = 1;
        return QUERN_OK;
    }
    const uint8_t *start, *end;
    (void)block_extent(list->block_end, block, list->n_blocks, list->data, list->data_end, &start,
                       &end); /* qn_postings_docs has checked it */
    if (list->segment->kernels->decode(tf_at, end, n, tfs) == NULL)
        return qn_container_damaged(&list->segment->index,
                                    "a block of term frequencies is malformed", error);
    uint32_t overflow = 0;
    for (uint32_t i = 0; i < n; i++) {
        tfs[i] += 1;
        overflow |= tfs[i] == 0;
    }
    if (overflow != 0)
        return qn_container_damaged(&list->segment->index, "a term frequency is out of range",
                                    error);
    return QUERN_OK;
}

/* The extremes over all codes of (1 + K_segment) / (1 + K_query): the tf-part's ratio
 * (tf + K_segment) / (tf + K_query) lies between this and 1, as it moves towards 1 with larger tf.
 */
static void part_ratio(const qn_segment *segment, unsigned field, const float norms[256],
                       double *low, double *high)
{
    float own[256];
    qn_length_norms(segment->meta.k1, segment->meta.b, segment->meta.counts[field].average, own);
    *low = *high = 1;
    for (unsigned code = 0; code < 256; code++) {
        double ratio = (1.0 + (double)own[code]) / (1.0 + (double)norms[code]);
        if (ratio < *low)
            *low = ratio;
        if (ratio > *high)
            *high = ratio;
    }
}

float qn_postings_inflation(const qn_segment *segment, unsigned field, const float norms[256])
{
    double low, high;
    part_ratio(segment, field, norms, &low, &high);
    return high == 1 ? 1.0f : (float)(high * (1 + 1e-6)); /* room for rounding */
}

float qn_postings_deflation(const qn_segment *segment, unsigned field, const float norms[256])
{
    double low, high;
    part_ratio(segment, field, norms, &low, &high);
    return low == 1 ? 1.0f : (float)(low * (1 - 1e-6));
}
