/* Writing coded lists: see coded_writer.h. */
#include "index/segment/coded_writer.h"

#include "index/base/status.h"

#include <string.h>

void qn_coded_writer_free(qn_coded_writer *writer)
{
    qn_buffer_free(&writer->code);
    qn_buffer_free(&writer->table);
    qn_buffer_free(&writer->exception);
    qn_buffer_free(&writer->tf);
    qn_buffer_free(&writer->low);
    qn_buffer_free(&writer->starts);
}

/* Makes `len` zero bytes of a buffer. */
static bool zeros(qn_buffer *buffer, size_t len)
{
    buffer->len = 0;
    if (!qn_buffer_reserve(buffer, len))
        return false;
    if (len > 0)
        memset(buffer->data, 0, len);
    buffer->len = len;
    return true;
}

static void put_bits(uint8_t *bitmap, const uint32_t *docs, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        bitmap[docs[i] / 8] |= (uint8_t)(1u << docs[i] % 8);
}

/* Counts documents where their group's and window's end will be told from, for sum_groups. */
static void put_groups(qn_coded_writer *writer, const qn_coded_input *input, uint32_t first,
                       const uint32_t *docs, uint32_t n)
{
    uint8_t *counts = writer->table.data + 4 * (size_t)input->n_windows;
    for (uint32_t i = 0; i < n; i++) {
        uint8_t *count = counts + 2 * (size_t)(docs[i] / QN_GROUP);
        qn_store_u16(count, (uint16_t)(qn_load_u16(count) + 1));
        writer->low.data[first + i] = (uint8_t)docs[i];
    }
}

/* Turns counts to starts. */
static void sum_groups(const qn_coded_input *input, uint8_t *table)
{
    uint8_t *starts = table + 4 * (size_t)input->n_windows;
    uint32_t base = 0, sum = 0;
    for (size_t group = 0; group < (size_t)input->n_windows * QN_GROUPS; group++) {
        if (group % QN_GROUPS == 0) {
            base += sum;
            sum = 0;
            qn_store_u32(table + 4 * (group / QN_GROUPS), base);
        }
        uint32_t count = qn_load_u16(starts + 2 * group);
        qn_store_u16(starts + 2 * group, (uint16_t)sum);
        sum += count;
    }
}

static bool put_exceptions(qn_coded_writer *writer, uint32_t first, const uint8_t *code,
                           const uint32_t *tfs, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = first + i;
        if (!writer->codes.class[code[i]].exact &&
            (!qn_buffer_append(&writer->exception, &at, sizeof at) ||
             !qn_buffer_append(&writer->tf, &tfs[i], sizeof tfs[i])))
            return false;
    }
    return true;
}

/* The codes of a block, and what its classes do not tell. `first` is even. */
static bool put_codes(qn_coded_writer *writer, const qn_coded_input *input, uint32_t first,
                      const uint32_t *docs, const uint32_t *tfs, uint32_t n)
{
    const qn_codes *codes = &writer->codes;
    uint8_t code[QN_BLOCK + 1], *out = writer->code.data + first / 2;
    bool exact = true;
    for (uint32_t i = 0; i < n; i++) {
        code[i] = codes->code[qn_code_row(tfs[i])][input->lengths[docs[i]]];
        exact = exact && codes->class[code[i]].exact;
    }
    code[n] = 0; /* beside the last of an odd number */
    for (uint32_t i = 0; i < n; i += 2)
        *out++ = (uint8_t)(code[i] | code[i + 1] << 4);
    return exact || put_exceptions(writer, first, code, tfs, n);
}

static bool put_blocks(qn_coded_writer *writer, const qn_coded_input *input)
{
    uint32_t docs[QN_BLOCK_ROOM], tfs[QN_BLOCK_ROOM], before = UINT32_MAX, end = 0;
    for (uint32_t first = 0, block = 0; first < input->df; first += QN_BLOCK, block++) {
        uint32_t n = input->df - first < QN_BLOCK ? input->df - first : QN_BLOCK;
        const uint8_t *at = input->blocks + end;
        end = qn_load_u32(input->end + 4 * (size_t)block);
        const uint8_t *stop = input->blocks + end;
        const uint8_t *tf =
            writer->kernels->decode_ascending(at, stop, n, before, input->n_docs, docs);
        if (writer->kernels->decode(tf, stop, n, tfs) == NULL)
            return false;
        before = docs[n - 1];
        for (uint32_t i = 0; i < n; i++)
            tfs[i]++;
        if (!put_codes(writer, input, first, docs, tfs, n))
            return false;
        if (input->dense)
            put_bits(writer->table.data, docs, n);
        else
            put_groups(writer, input, first, docs, n);
    }
    return true;
}

/* How many exceptions come before each QN_EXCEPTIONS_STEP postings. */
static bool put_exception_starts(qn_coded_writer *writer, uint32_t df)
{
    size_t n = writer->exception.len / 4, i = 0;
    writer->starts.len = 0;
    for (uint64_t posting = 0; posting < df; posting += QN_EXCEPTIONS_STEP) {
        while (i < n && qn_load_u32(writer->exception.data + 4 * i) < posting)
            i++;
        uint32_t before = (uint32_t)i;
        if (!qn_buffer_append(&writer->starts, &before, sizeof before))
            return false;
    }
    return true;
}

static void put_ranks(const qn_coded_input *input, uint8_t *bitmap)
{
    uint8_t *ranks = bitmap + (size_t)input->n_windows * 64 * 8;
    uint32_t rank = 0;
    for (size_t line = 0; line < (size_t)input->n_windows * 8; line++) {
        qn_store_u32(ranks + 4 * line, rank);
        for (size_t word = 8 * line; word < 8 * line + 8; word++)
            rank += (uint32_t)__builtin_popcountll(qn_load_u64(bitmap + 8 * word));
    }
}

static uint32_t largest_tf(const qn_code_histogram *histogram)
{
    uint32_t most = 0;
    for (unsigned row = 0; row < QN_CODES_ROWS; row++)
        most = histogram->tf_max[row] > most ? histogram->tf_max[row] : most;
    return most;
}

/* Packs exceptions' tf, held as u32, to the fewest bytes that hold the largest. */
static uint32_t pack_tfs(qn_buffer *tf, uint32_t tf_max)
{
    uint32_t width = tf_max <= UINT8_MAX ? 1 : tf_max <= UINT16_MAX ? 2 : 4;
    size_t n = tf->len / 4;
    for (size_t i = 0; i < n; i++) /* the low bytes come first */
        memmove(tf->data + i * width, tf->data + 4 * i, width);
    tf->len = n * width;
    return width;
}

static void fill_header(const qn_coded_writer *writer, const qn_coded_input *input,
                        uint32_t n_exceptions, uint32_t tf_width, uint8_t header[QN_CODED_HEADER])
{
    memset(header, 0, QN_CODED_HEADER);
    for (unsigned i = 0; i < QN_CODES; i++) {
        const qn_code_class *class = &writer->codes.class[i];
        uint8_t *at = header + QN_CODED_CLASSES + 4 * (size_t)i;
        qn_store_u16(at, class->tf);
        at[2] = class->least_length;
        at[3] = class->exact;
    }
    memcpy(header + QN_CODED_MAX_PART, input->trailer, sizeof input->trailer);
    qn_store_u32(header + QN_CODED_N_EXCEPTIONS, n_exceptions);
    header[QN_CODED_TF_WIDTH] = (uint8_t)tf_width;
    memcpy(header + QN_CODED_LEVELS, input->level, sizeof input->level);
}

static quern_status put(qn_writer *to, const qn_buffer *buffer, quern_error *error)
{
    return qn_writer_put(to, buffer->data, buffer->len, error);
}

static quern_status put_zeros(qn_writer *to, uint64_t until, quern_error *error)
{
    static const uint8_t none[64];
    return qn_writer_put(to, none, (size_t)(until - to->offset), error);
}

quern_status qn_coded_write(qn_coded_writer *writer, const qn_coded_input *input, qn_writer *to,
                            qn_coded_totals *totals, quern_error *error)
{
    size_t table = (size_t)input->n_windows * (input->dense ? 64 * 8 + 8 * 4 : 4 + 2 * QN_GROUPS);
    writer->exception.len = writer->tf.len = 0;
    qn_codes_choose(&writer->codes, input->histogram, input->norms);
    if (!zeros(&writer->code, ((size_t)input->df + 1) / 2) || !zeros(&writer->table, table) ||
        !zeros(&writer->low, input->dense ? 0 : input->df) || !put_blocks(writer, input))
        return qn_fail_memory(error);
    if (input->dense)
        put_ranks(input, writer->table.data);
    else
        sum_groups(input, writer->table.data);
    uint32_t n_exceptions = (uint32_t)(writer->exception.len / 4);
    uint32_t width = pack_tfs(&writer->tf, largest_tf(input->histogram));
    uint64_t start = to->offset;
    if (!put_exception_starts(writer, input->df))
        return qn_fail_memory(error);
    qn_coded_layout at =
        qn_coded_layout_of(start, input->df, input->n_windows, input->dense, n_exceptions, width);
    uint8_t header[QN_CODED_HEADER];
    fill_header(writer, input, n_exceptions, width, header);
    quern_status status = put_zeros(to, start + at.header, error);
    if (status == QUERN_OK)
        status = qn_writer_put(to, header, sizeof header, error);
    if (status == QUERN_OK)
        status = put(to, &writer->code, error);
    if (status == QUERN_OK)
        status = put_zeros(to, start + at.tables, error);
    if (status == QUERN_OK)
        status = put(to, &writer->table, error);
    if (status == QUERN_OK)
        status = put(to, &writer->low, error);
    if (status == QUERN_OK)
        status = put(to, &writer->starts, error);
    if (status == QUERN_OK)
        status = put(to, &writer->exception, error);
    if (status == QUERN_OK)
        status = put(to, &writer->tf, error);
    totals->codes += at.tables - at.codes + at.end - at.exceptions;
    totals->bitmap += input->dense ? table : 0;
    totals->bounds += at.codes; /* the header */
    return status;
}
