/* Writing the document store: the grammar is in docs.c. */
#include "index/base/status.h"
#include "index/codec/varint.h"
#include "index/segment/docs.h"
#include "index/segment/docs_press.h"

#include <stdlib.h>

enum { FLAG_RECORDS = 1 };

struct qn_docs_writer {
    qn_container_writer container;
    qn_docs_press *press;
    bool records;
    qn_buffer raw;
    uint32_t n_docs, first_doc; /* first_doc: of the block being gathered */
    uint64_t section_start;
};

quern_status qn_docs_writer_new(qn_docs_writer **out, int dirfd, const char *name, const char *path,
                                bool records, bool background, quern_error *error)
{
    *out = NULL;
    qn_docs_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return qn_fail_memory(error);
    writer->records = records;
    quern_status status =
        qn_container_writer_open(&writer->container, dirfd, name, path, QN_FILE_STORE, error);
    if (status == QUERN_OK)
        status = qn_container_writer_begin(&writer->container, QN_SECTION_STORE, error);
    writer->section_start = writer->container.file.offset;
    if (status == QUERN_OK)
        status = qn_docs_press_new(&writer->press, &writer->container.file, background, error);
    if (status != QUERN_OK) {
        qn_docs_writer_free(writer);
        return status;
    }
    *out = writer;
    return QUERN_OK;
}

static quern_status flush_block(qn_docs_writer *writer, quern_error *error)
{
    if (writer->raw.len == 0)
        return QUERN_OK;
    quern_status status = qn_docs_press_put(writer->press, &writer->raw, writer->first_doc, error);
    writer->first_doc = writer->n_docs;
    return status;
}

static bool put_span(qn_buffer *raw, quern_span span)
{
    uint8_t head[QN_VARINT64_MAX];
    return qn_buffer_append(raw, head, qn_varint_put(head, span.len)) &&
           qn_buffer_append(raw, span.data, span.len);
}

quern_status qn_docs_writer_add(qn_docs_writer *writer, const quern_document *document,
                                quern_error *error)
{
    uint64_t len = (uint64_t)document->title.len + document->text.len + 3 * QN_VARINT64_MAX +
                   (writer->records ? document->record.len : 0);
    if (len > UINT32_MAX / 2)
        return qn_fail(error, QUERN_E_INPUT, "a document is too large to be stored");
    /* A block holds whole documents; a large one stands alone. */
    if (writer->raw.len > 0 && writer->raw.len + len > QN_STORE_BLOCK) {
        quern_status status = flush_block(writer, error);
        if (status != QUERN_OK)
            return status;
    }
    if (!put_span(&writer->raw, document->title) || !put_span(&writer->raw, document->text) ||
        (writer->records && !put_span(&writer->raw, document->record)))
        return qn_fail_memory(error);
    writer->n_docs++;
    return QUERN_OK;
}

/* The section is not there where no block is of codes. */
static quern_status put_words(qn_docs_writer *writer, const qn_words *words, quern_error *error)
{
    if (words->n == 0)
        return QUERN_OK;
    qn_buffer bytes = {0};
    quern_status status = qn_words_put(words, &bytes) ? QUERN_OK : qn_fail_memory(error);
    if (status == QUERN_OK)
        status = qn_container_writer_put(&writer->container, QN_SECTION_WORDS, bytes.data,
                                         bytes.len, error);
    qn_buffer_free(&bytes);
    return status;
}

static quern_status put_index(qn_docs_writer *writer, const qn_buffer *entries, uint64_t store_len,
                              quern_error *error)
{
    qn_container_writer *container = &writer->container;
    uint8_t head[8], last[16];
    qn_store_u32(head, (uint32_t)(entries->len / sizeof last));
    qn_store_u32(head + 4, writer->records ? FLAG_RECORDS : 0);
    qn_store_u32(last, writer->n_docs);
    qn_store_u32(last + 4, 0);
    qn_store_u64(last + 8, store_len);
    quern_status status = qn_container_writer_begin(container, QN_SECTION_STORE_INDEX, error);
    if (status == QUERN_OK)
        status = qn_writer_put(&container->file, head, sizeof head, error);
    if (status == QUERN_OK)
        status = qn_writer_put(&container->file, entries->data, entries->len, error);
    if (status == QUERN_OK)
        status = qn_writer_put(&container->file, last, sizeof last, error);
    return status == QUERN_OK ? qn_container_writer_end(container, error) : status;
}

quern_status qn_docs_writer_finish(qn_docs_writer *writer, uint64_t *header_checksum,
                                   uint64_t *file_len, quern_error *error)
{
    const qn_buffer *entries;
    const qn_words *words;
    quern_status status = flush_block(writer, error);
    if (status == QUERN_OK)
        status = qn_docs_press_finish(writer->press, &entries, &words, error);
    if (status != QUERN_OK)
        return status;
    uint64_t store_len = writer->container.file.offset - writer->section_start;
    status = qn_container_writer_end(&writer->container, error);
    if (status == QUERN_OK)
        status = put_words(writer, words, error);
    if (status == QUERN_OK)
        status = put_index(writer, entries, store_len, error);
    if (status == QUERN_OK)
        status = qn_container_writer_finish(&writer->container, error);
    *header_checksum = writer->container.header_checksum;
    *file_len = writer->container.file.offset;
    return status;
}

void qn_docs_writer_free(qn_docs_writer *writer)
{
    if (writer == NULL)
        return;
    qn_docs_press_free(writer->press); /* before the file that its thread writes to */
    qn_container_writer_close(&writer->container);
    qn_buffer_free(&writer->raw);
    free(writer);
}
