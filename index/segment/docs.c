/*
 * Reading the document store: see docs.h. (docs_writer.c writes it.)
 *
 *     STORE       := block*                         zstd frames, one after another
 *     block       := zstd of record*                at most QN_STORE_BLOCK raw bytes, or a document
 *     record      := title_len(varint) title text_len(varint) text [record_len(varint) record]
 *     STORE_INDEX := n_blocks(u32) flags(u32) entry*(n_blocks + 1)
 *     entry       := first_doc(u32) raw_len(u31) coded(u1) offset(u64)
 *
 * An entry tells a block's first document, raw length and place in STORE; the last one closes with
 * the number of documents, 0, and the length of STORE. coded: title, text and record are codes
 * (word_codes.h), and the lengths are theirs. flags: bit 0, records are there.
 */
#include "index/segment/docs.h"

#include "index/base/status.h"
#include "index/codec/varint.h"
#include "index/segment/word_codes.h"

#include <stdlib.h>
#include <string.h>

enum { ENTRY = 16, HEAD = 8, FLAG_RECORDS = 1 };

/* zstd codes at best 128 KiB in about 4 bytes (an RLE block), so a forged raw length of more than
 * this many times the compressed one is refused before anything is allocated. */
enum { RATIO_MAX = 40000 };

/* A longer block is decoded as a stream into memory that grows as bytes come, since the ratio alone
 * would let 100 KB claim 4 GiB. */
static const uint64_t TRUSTED_LEN = (uint64_t)64 << 20;
enum { STREAM_WINDOW_LOG = 23 }; /* as zblock.c allows a block */

static quern_status damaged(const qn_docs *docs, const char *what, quern_error *error)
{
    return qn_fail(error, QUERN_E_DAMAGED, "%s: %s", docs->container->name, what);
}

quern_status qn_docs_open(qn_docs *out, const qn_container *container, uint32_t n_docs,
                          quern_error *error)
{
    *out = (qn_docs){.container = container,
                     .blocks = container->section[QN_SECTION_STORE],
                     .index = container->section[QN_SECTION_STORE_INDEX],
                     .words_section = container->section[QN_SECTION_WORDS],
                     .n_docs = n_docs};
    if (out->blocks.data == NULL || out->index.data == NULL || out->index.len < HEAD)
        return damaged(out, "a section of the store is missing", error);
    quern_status status = qn_container_touch(container, out->index.data, HEAD, error);
    if (status != QUERN_OK)
        return status;
    out->n_blocks = qn_load_u32(out->index.data);
    uint32_t flags = qn_load_u32(out->index.data + 4);
    if (flags > FLAG_RECORDS)
        return qn_fail(error, QUERN_E_VERSION, "%s: unknown store flags %#x", container->name,
                       flags);
    out->records = flags == FLAG_RECORDS;
    if (out->n_blocks > n_docs || out->index.len != HEAD + ((uint64_t)out->n_blocks + 1) * ENTRY)
        return damaged(out, "the store's index has a wrong size", error);
    const qn_section *words = &out->words_section;
    status = words->len < QN_WORDS_HEAD
                 ? QUERN_OK
                 : qn_container_touch(container, words->data, QN_WORDS_HEAD, error);
    if (status == QUERN_OK && !qn_words_open(&out->words, words->data, words->len))
        return damaged(out, "the store's words have a wrong size", error);
    return status;
}

static const uint8_t *entry_at(const qn_docs *docs, uint32_t block)
{
    return docs->index.data + HEAD + (size_t)block * ENTRY;
}

/* The block whose documents take in `doc`, by bisection of the first documents. */
static quern_status find_block(const qn_docs *docs, uint32_t doc, uint32_t *block,
                               quern_error *error)
{
    uint32_t low = 0, high = docs->n_blocks;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        quern_status status =
            qn_container_touch(docs->container, entry_at(docs, middle), ENTRY, error);
        if (status != QUERN_OK)
            return status;
        if (qn_load_u32(entry_at(docs, middle)) <= doc)
            low = middle;
        else
            high = middle;
    }
    *block = low;
    if (docs->n_blocks == 0)
        return damaged(docs, "the store is empty", error);
    return qn_container_touch(docs->container, entry_at(docs, low), 2 * ENTRY, error);
}

/* Decodes a block that is said to have raw_len bytes, allocating at most TRUSTED_LEN more than it
 * turns out to have. */
static quern_status decode_stream(const uint8_t *in, size_t len, uint64_t raw_len, qn_buffer *raw,
                                  quern_error *error)
{
    qn_zstream *stream = qn_zstream_new(STREAM_WINDOW_LOG);
    if (stream == NULL)
        return qn_fail_memory(error);
    quern_status status = QUERN_OK;
    bool open = true;
    raw->len = 0;
    while (status == QUERN_OK && open) {
        if (raw->len == raw->cap && raw->cap < raw_len) {
            uint64_t left = raw_len - raw->cap;
            size_t cap = raw->cap + (size_t)(left < TRUSTED_LEN ? left : TRUSTED_LEN);
            uint8_t *moved = realloc(raw->data, cap);
            if (moved == NULL) {
                status = qn_fail_memory(error);
                break;
            }
            raw->data = moved;
            raw->cap = cap;
        }
        size_t used = len;
        size_t made = (raw->cap < raw_len ? raw->cap : (size_t)raw_len) - raw->len;
        status = qn_zstream_read(stream, in, &used, raw->data + raw->len, &made, &open, error);
        if (status == QUERN_OK && used == 0 && made == 0)
            break;
        in += used;
        len -= used;
        raw->len += made;
    }
    qn_zstream_free(stream);
    if (status == QUERN_E_MEMORY)
        return status;
    return status == QUERN_OK && !open && len == 0 && raw->len == raw_len
               ? QUERN_OK
               : qn_fail(error, QUERN_E_DAMAGED, "it has another length than its index says");
}

static quern_status decode_block(qn_docs_reader *reader, const uint8_t *in, size_t len,
                                 uint64_t raw_len, quern_error *error)
{
    reader->raw.len = 0;
    if (raw_len > TRUSTED_LEN)
        return decode_stream(in, len, raw_len, &reader->raw, error);
    if (reader->decoder == NULL)
        reader->decoder = qn_zblock_decoder_new();
    if (reader->decoder == NULL || !qn_buffer_reserve(&reader->raw, (size_t)raw_len + QN_PADDING))
        return qn_fail_memory(error);
    return qn_zblock_decode(reader->decoder, in, len, reader->raw.data, (size_t)raw_len, error);
}

static bool block_is_coded(const qn_docs *docs, uint32_t block)
{
    return (qn_load_u32(entry_at(docs, block) + 4) & QN_STORE_CODED) != 0;
}

static quern_status load_block(const qn_docs *docs, qn_docs_reader *reader, uint32_t block,
                               quern_error *error)
{
    const uint8_t *entry = entry_at(docs, block);
    uint64_t raw_len = qn_load_u32(entry + 4) & ~QN_STORE_CODED, from = qn_load_u64(entry + 8),
             to = qn_load_u64(entry + ENTRY + 8);
    bool coded = block_is_coded(docs, block);
    if (from > to || to > docs->blocks.len || raw_len == 0 ||
        (coded && raw_len > QN_STORE_CODED_MAX) ||
        (to - from < UINT32_MAX && raw_len > (to - from) * RATIO_MAX))
        return damaged(docs, "the place of a block of documents is out of range", error);
    quern_status status =
        qn_container_touch(docs->container, docs->blocks.data + from, to - from, error);
    if (status == QUERN_OK && coded)
        status = qn_container_touch(docs->container, docs->words_section.data,
                                    docs->words_section.len, error);
    if (status != QUERN_OK)
        return status;
    reader->docs = NULL;
    quern_error why = {0};
    status = decode_block(reader, docs->blocks.data + from, (size_t)(to - from), raw_len, &why);
    if (status == QUERN_E_DAMAGED)
        return qn_fail(error, status, "%s: a block of documents: %.300s", docs->container->name,
                       why.message);
    if (status != QUERN_OK) {
        if (error != NULL)
            *error = why;
        return status;
    }
    reader->raw.len = (size_t)raw_len;
    reader->docs = docs;
    reader->block = block;
    reader->next = qn_load_u32(entry);
    reader->at = 0;
    return QUERN_OK;
}

/* Steps over a span; NULL if it is cut off. */
static const uint8_t *take_span(const uint8_t *at, const uint8_t *end, quern_span *span)
{
    uint64_t len;
    at = qn_varint_get64(at, end, &len);
    if (at == NULL || len > (uint64_t)(end - at))
        return NULL;
    *span = (quern_span){(const char *)at, (size_t)len};
    return at + len;
}

/* What a record is made of, in order. */
enum { TITLE, TEXT, RECORD, N_FIELDS };

/* Steps to a document of the block that is loaded, from the one after that fetched last if it
 * stands behind it. */
static bool find_record(const qn_docs *docs, qn_docs_reader *reader, uint32_t first, uint32_t doc,
                        quern_span field[N_FIELDS])
{
    if (reader->next > doc) {
        reader->next = first;
        reader->at = 0;
    }
    const uint8_t *at = reader->raw.data + reader->at, *end = reader->raw.data + reader->raw.len;
    for (uint32_t i = reader->next; at != NULL && i <= doc; i++)
        for (unsigned f = 0; at != NULL && f < (docs->records ? N_FIELDS : RECORD); f++)
            at = take_span(at, end, &field[f]);
    if (at == NULL)
        return false;
    reader->next = doc + 1;
    reader->at = (size_t)(at - reader->raw.data);
    return true;
}

/* Puts the text of the fields' codes in their place. */
static quern_status decode_fields(const qn_docs *docs, qn_docs_reader *reader,
                                  quern_span field[N_FIELDS], quern_error *error)
{
    qn_buffer *text = &reader->text;
    size_t end[N_FIELDS];
    qn_buffer_trim(text);
    for (unsigned f = 0; f < N_FIELDS; f++) {
        const uint8_t *codes = (const uint8_t *)field[f].data;
        quern_status status = codes == NULL ? QUERN_OK : /* no records are kept */
                                  qn_word_codes_decode(&docs->words, codes, field[f].len, text);
        if (status == QUERN_E_MEMORY)
            return qn_fail_memory(error);
        if (status != QUERN_OK)
            return damaged(docs, "a document's codes are malformed", error);
        end[f] = text->len;
    }
    for (unsigned f = 0; f < N_FIELDS; f++) {
        size_t from = f == 0 ? 0 : end[f - 1];
        field[f] = (quern_span){(const char *)text->data + from, end[f] - from};
    }
    return QUERN_OK;
}

quern_status qn_docs_fetch(const qn_docs *docs, qn_docs_reader *reader, uint32_t doc,
                           quern_document *document, quern_error *error)
{
    uint32_t block;
    quern_status status = find_block(docs, doc, &block, error);
    if (status == QUERN_OK && (reader->docs != docs || reader->block != block))
        status = load_block(docs, reader, block, error);
    if (status != QUERN_OK)
        return status;
    uint32_t first = qn_load_u32(entry_at(docs, block)),
             next = qn_load_u32(entry_at(docs, block + 1));
    if (doc < first || doc >= next)
        return damaged(docs, "the store's index is out of order", error);
    quern_span field[N_FIELDS] = {{0}};
    if (!find_record(docs, reader, first, doc, field))
        status = damaged(docs, "a block of documents is malformed", error);
    else if (block_is_coded(docs, block))
        status = decode_fields(docs, reader, field, error);
    if (status != QUERN_OK) {
        *document = (quern_document){.id = document->id};
        return status;
    }
    document->title = field[TITLE];
    document->text = field[TEXT];
    if (docs->records)
        document->record = field[RECORD];
    return QUERN_OK;
}

void qn_docs_reader_free(qn_docs_reader *reader)
{
    qn_zblock_decoder_free(reader->decoder);
    qn_buffer_free(&reader->raw);
    qn_buffer_free(&reader->text);
    *reader = (qn_docs_reader){0};
}
