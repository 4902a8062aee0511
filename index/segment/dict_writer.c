/*
 * Writing the dictionary: dict_layout.h has the bytes. Blocks, keys and places go to spools as they
 * fill, so that memory does not grow with the number of terms.
 */
#include "index/base/status.h"
#include "index/codec/varint.h"
#include "index/segment/dict.h"
#include "index/segment/dict_layout.h"

#include <stdlib.h>
#include <string.h>

enum {
    BLOCKS_BUFFER = 256 * 1024,
    INDEX_BUFFER = 32 * 1024,
    TERMS_MAX = QN_DICT_BLOCK * (2 + QN_TERM_MAX),
    FIELDS_MAX = QN_DICT_BLOCK * QN_DICT_RECORD_MAX
};

/* The block at hand, its parts apart until it is full. */
typedef struct block_parts {
    uint8_t head[1 + QN_TERM_MAX + 3 * QN_VARINT64_MAX];
    uint8_t control[QN_DICT_BLOCK], front[QN_DICT_BLOCK];
    uint8_t terms[TERMS_MAX], fields[FIELDS_MAX];
    size_t head_len, terms_len, fields_len;
    uint32_t n;
} block_parts;

struct qn_dict_writer {
    qn_writer blocks, keys, places;
    bool positions;
    uint32_t bounds_df;
    block_parts parts;
    uint32_t n_blocks;
    uint64_t postings_off, positions_off, bounds_index; /* of the next term */
    uint32_t len;                                       /* of the last term */
    char term[QN_TERM_MAX];
};

quern_status qn_dict_writer_new(qn_dict_writer **out, int dirfd, const char *path, bool positions,
                                uint32_t bounds_df, quern_error *error)
{
    *out = NULL;
    qn_dict_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return qn_fail_memory(error);
    writer->positions = positions;
    writer->bounds_df = bounds_df;
    quern_status status = qn_writer_spool(&writer->blocks, dirfd, path, BLOCKS_BUFFER, error);
    if (status == QUERN_OK)
        status = qn_writer_spool(&writer->keys, dirfd, path, INDEX_BUFFER, error);
    if (status == QUERN_OK)
        status = qn_writer_spool(&writer->places, dirfd, path, INDEX_BUFFER, error);
    if (status != QUERN_OK) {
        qn_dict_writer_free(writer);
        return status;
    }
    *out = writer;
    return QUERN_OK;
}

void qn_dict_writer_free(qn_dict_writer *writer)
{
    if (writer == NULL)
        return;
    qn_writer_close(&writer->blocks);
    qn_writer_close(&writer->keys);
    qn_writer_close(&writer->places);
    free(writer);
}

/* Whether `info` says what a record can hold. */
static bool info_is_sound(const qn_dict_writer *writer, const qn_term_info *info)
{
    if (info->df == 0 || info->cf < info->df || info->cf - info->df > UINT64_MAX >> 1)
        return false;
    if (!writer->positions && (info->positions_len != 0 || info->n_inline != 0))
        return false;
    if (info->df > 1)
        return info->n_inline == 0;
    if (info->postings_len != 0 || info->cf > UINT32_MAX)
        return false;
    if (!writer->positions)
        return true;
    if (info->cf > QN_INLINE_TF_MAX)
        return info->n_inline == 0;
    if (info->n_inline != info->cf || info->positions_len != 0)
        return false;
    for (uint32_t i = 1; i < info->n_inline; i++) {
        if (info->position[i] < info->position[i - 1])
            return false;
    }
    return true;
}

static uint32_t common_prefix(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t most = a_len < b_len ? a_len : b_len;
    size_t n = 0;
    while (n < most && a[n] == b[n])
        n++;
    return (uint32_t)n;
}

/* The first term of a block in full, with its key and place. */
static quern_status start_block(qn_dict_writer *writer, const char *term, size_t len,
                                quern_error *error)
{
    if (writer->blocks.offset >> (8 * QN_DICT_PLACE) != 0 || writer->n_blocks == UINT32_MAX)
        return qn_fail(error, QUERN_E_INPUT, "the dictionary is too large");
    uint8_t key[8], place[8];
    qn_store_u64(key, qn_dict_key(term, len));
    qn_store_u64(place, writer->blocks.offset);
    uint8_t *head = writer->parts.head;
    size_t n = 0;
    head[n++] = (uint8_t)len;
    memcpy(head + n, term, len);
    n += len;
    n += qn_varint_put(head + n, writer->postings_off);
    n += qn_varint_put(head + n, writer->positions_off);
    n += qn_varint_put(head + n, writer->bounds_index);
    writer->parts.head_len = n;
    writer->n_blocks++;
    quern_status status = qn_writer_put(&writer->keys, key, QN_DICT_KEY, error);
    return status == QUERN_OK ? qn_writer_put(&writer->places, place, QN_DICT_PLACE, error)
                              : status;
}

static void add_front_coded(block_parts *parts, uint32_t prefix, const char *term, size_t len)
{
    uint32_t more = (uint32_t)len - prefix - 1;
    uint32_t low = prefix < QN_DICT_ESCAPE ? prefix : QN_DICT_ESCAPE;
    uint32_t high = more < QN_DICT_ESCAPE ? more : QN_DICT_ESCAPE;
    parts->front[parts->n - 1] = (uint8_t)(low | high << 4);
    if (low == QN_DICT_ESCAPE)
        parts->terms[parts->terms_len++] = (uint8_t)prefix;
    if (high == QN_DICT_ESCAPE)
        parts->terms[parts->terms_len++] = (uint8_t)more;
    memcpy(parts->terms + parts->terms_len, term + prefix, more + 1);
    parts->terms_len += more + 1;
}

/* Writes the block at hand, if there is one. */
static quern_status close_block(qn_dict_writer *writer, quern_error *error)
{
    block_parts *parts = &writer->parts;
    if (parts->n == 0)
        return QUERN_OK;
    uint8_t terms_len[QN_VARINT64_MAX];
    qn_writer *to = &writer->blocks;
    quern_status status = qn_writer_put(to, parts->head, parts->head_len, error);
    if (status == QUERN_OK)
        status = qn_writer_put(to, terms_len, qn_varint_put(terms_len, parts->terms_len), error);
    if (status == QUERN_OK)
        status = qn_writer_put(to, parts->control, parts->n, error);
    if (status == QUERN_OK)
        status = qn_writer_put(to, parts->front, parts->n - 1, error);
    if (status == QUERN_OK)
        status = qn_writer_put(to, parts->terms, parts->terms_len, error);
    if (status == QUERN_OK)
        status = qn_writer_put(to, parts->fields, parts->fields_len, error);
    parts->n = 0;
    parts->terms_len = parts->fields_len = 0;
    return status;
}

/* Appends `value` in the fewest bytes that one of the four codes of `widths` stands for; returns
 * the code. */
static uint32_t put_field(uint8_t *out, size_t *n, uint64_t value, uint32_t widths,
                          uint32_t first_code)
{
    uint32_t code = first_code;
    uint32_t width = QN_DICT_WIDTH(widths, code);
    while (width < 8 && value >> (8 * width) != 0)
        width = QN_DICT_WIDTH(widths, ++code);
    memcpy(out + *n, &value, width);
    *n += width;
    return code;
}

/* The fields of a term's record and, at the end, its gaps. */
static size_t make_fields(const qn_dict_writer *writer, const qn_term_info *info, uint8_t *out,
                          uint8_t *control)
{
    uint32_t code[4] = {0};
    size_t n = 0;
    if (info->df > 1) {
        code[0] = put_field(out, &n, info->df - 2, QN_DICT_WIDTHS_DF, 1);
        code[1] = put_field(out, &n, info->cf - info->df, QN_DICT_WIDTHS_CF, 0);
        code[2] = put_field(out, &n, info->postings_len, QN_DICT_WIDTHS_POSTINGS, 0);
    } else {
        code[1] = put_field(out, &n, info->cf - 1, QN_DICT_WIDTHS_TF, 0);
        code[2] = put_field(out, &n, info->doc, QN_DICT_WIDTHS_DOC, 0);
    }
    uint8_t gaps[QN_INLINE_TF_MAX * QN_VARINT64_MAX];
    size_t gaps_len = 0;
    uint32_t before = 0;
    for (uint32_t i = 0; info->n_inline > 1 && i < info->n_inline; i++) {
        gaps_len += qn_varint_put(gaps + gaps_len, info->position[i] - before);
        before = info->position[i];
    }
    if (writer->positions) {
        uint64_t last = info->n_inline == 1  ? info->position[0]
                        : info->n_inline > 1 ? gaps_len
                                             : info->positions_len;
        code[3] = put_field(out, &n, last, QN_DICT_WIDTHS_POSITION, 0);
    }
    memcpy(out + n, gaps, gaps_len);
    *control = (uint8_t)(code[0] | code[1] << 2 | code[2] << 4 | code[3] << 6);
    return n + gaps_len;
}

quern_status qn_dict_writer_add(qn_dict_writer *writer, const char *term, size_t len,
                                const qn_term_info *info, quern_error *error)
{
    if (len == 0 || len > QN_TERM_MAX || !info_is_sound(writer, info))
        return qn_fail(error, QUERN_E_ARGUMENT, "a term or its record is malformed");
    uint32_t prefix = common_prefix(writer->term, writer->len, term, len);
    if (prefix == len ||
        (prefix < writer->len && (uint8_t)term[prefix] < (uint8_t)writer->term[prefix]))
        return qn_fail(error, QUERN_E_ARGUMENT, "terms do not ascend");
    block_parts *parts = &writer->parts;
    quern_status status = QUERN_OK;
    if (parts->n == QN_DICT_BLOCK)
        status = close_block(writer, error);
    if (status == QUERN_OK && parts->n == 0)
        status = start_block(writer, term, len, error);
    else if (status == QUERN_OK)
        add_front_coded(parts, prefix, term, len);
    if (status != QUERN_OK)
        return status;
    parts->fields_len +=
        make_fields(writer, info, parts->fields + parts->fields_len, &parts->control[parts->n]);
    parts->n++;
    memcpy(writer->term, term, len);
    writer->len = (uint32_t)len;
    writer->postings_off += info->postings_len;
    writer->positions_off += info->positions_len;
    writer->bounds_index += info->df >= writer->bounds_df;
    return QUERN_OK;
}

/* The sampled levels above the keys: read back from the spool, as an array of all keys would grow
 * with the dictionary. */
static quern_status put_levels(qn_dict_writer *writer, qn_writer *to, quern_error *error)
{
    uint64_t step = QN_DICT_FAN;
    for (uint32_t n = writer->n_blocks; n > QN_DICT_FAN; n = qn_dict_level_above(n)) {
        for (uint64_t at = 0; at < writer->n_blocks; at += step) {
            uint8_t key[QN_DICT_KEY];
            quern_status status =
                qn_writer_read(&writer->keys, at * QN_DICT_KEY, key, QN_DICT_KEY, error);
            if (status == QUERN_OK)
                status = qn_writer_put(to, key, QN_DICT_KEY, error);
            if (status != QUERN_OK)
                return status;
        }
        step *= QN_DICT_FAN;
    }
    return QUERN_OK;
}

quern_status qn_dict_writer_finish(qn_dict_writer *writer, qn_container_writer *container,
                                   quern_error *error)
{
    quern_status status = close_block(writer, error);
    if (status == QUERN_OK)
        status = qn_container_writer_put_spool(container, QN_SECTION_DICT, &writer->blocks, error);
    if (status == QUERN_OK)
        status = qn_container_writer_begin(container, QN_SECTION_DICT_INDEX, error);
    if (status == QUERN_OK)
        status = qn_writer_put_spool(&container->file, &writer->keys, error);
    if (status == QUERN_OK)
        status = qn_writer_put_spool(&container->file, &writer->places, error);
    if (status == QUERN_OK)
        status = put_levels(writer, &container->file, error);
    return status == QUERN_OK ? qn_container_writer_end(container, error) : status;
}
