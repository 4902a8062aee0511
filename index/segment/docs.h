/*
 * The document store: title, text and perhaps the whole record of each document, as codes of words
 * in zstd blocks, in input order, written as documents stream by. Cold: a file of its own, read
 * only to show results.
 */
#ifndef QN_SEGMENT_DOCS_H
#define QN_SEGMENT_DOCS_H

#include "index/codec/zblock.h"
#include "index/segment/container.h"
#include "index/segment/format.h"
#include "index/segment/words.h"

enum {
    QN_STORE_BLOCK = 32 * 1024,   /* raw bytes of a block at most; a larger document stands alone */
    QN_STORE_CODED_MAX = 1 << 20, /* of a block of codes; a larger document is kept raw */
    QN_STORE_LEVEL = 1            /* zstd level */
};

/* In an entry's raw length: the block holds codes of words. */
#define QN_STORE_CODED 0x80000000u

/* ---- writing ---- */

typedef struct qn_docs_writer qn_docs_writer;

/* Writes the store file `name` in `dirfd`; `background`: compresses in a thread of its own, which
 * changes no byte. */
quern_status qn_docs_writer_new(qn_docs_writer **out, int dirfd, const char *name, const char *path,
                                bool records, bool background, quern_error *error);

/* Adds the next document's title, text and (if `records`) record; the id is not stored here. */
quern_status qn_docs_writer_add(qn_docs_writer *writer, const quern_document *document,
                                quern_error *error);

/* Finishes and fsyncs the file; *header_checksum is for the manifest. */
quern_status qn_docs_writer_finish(qn_docs_writer *writer, uint64_t *header_checksum,
                                   uint64_t *file_len, quern_error *error);
void qn_docs_writer_free(qn_docs_writer *writer);

/* ---- reading ---- */

typedef struct qn_docs {
    const qn_container *container;
    qn_section blocks, index, words_section;
    qn_words_view words;
    uint32_t n_docs, n_blocks;
    bool records;
} qn_docs;

quern_status qn_docs_open(qn_docs *out, const qn_container *container, uint32_t n_docs,
                          quern_error *error);

/* Holds the decoder, the block that was decompressed last and, if that is of codes, the text of the
 * document fetched last; one thread at a time. Zero-initialise. */
typedef struct qn_docs_reader {
    qn_zblock_decoder *decoder;
    qn_buffer raw, text;
    const qn_docs *docs; /* whose block `raw` holds, or NULL */
    uint32_t block;
    uint32_t next; /* the document that starts at `at` of raw */
    size_t at;
} qn_docs_reader;

/* Title, text and record of `doc` (< n_docs); the spans are valid until the next call on `reader`.
 * document->id is left alone. A forged length makes it allocate at most 64 MiB more than the block
 * really holds, and codes make it allocate at most half as much again as their text.
 * QUERN_E_DAMAGED, QUERN_E_MEMORY. */
quern_status qn_docs_fetch(const qn_docs *docs, qn_docs_reader *reader, uint32_t doc,
                           quern_document *document, quern_error *error);
void qn_docs_reader_free(qn_docs_reader *reader);

#endif
