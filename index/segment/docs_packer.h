/*
 * The packer of the document store: takes blocks of raw records in order, decides whether they are
 * kept as they are or as codes of words, compresses and writes them. (The decision is FORMAT.md's
 * business only in that a reader takes either.)
 */
#ifndef QN_SEGMENT_DOCS_PACKER_H
#define QN_SEGMENT_DOCS_PACKER_H

#include "index/base/file.h"
#include "index/segment/words.h"

typedef struct qn_docs_packer qn_docs_packer;

/* Writes to `file` at its end. */
quern_status qn_docs_packer_new(qn_docs_packer **out, qn_writer *file, quern_error *error);
void qn_docs_packer_free(qn_docs_packer *packer);

/* Packs a block of spans {len(varint) byte{len}}*, to which it may add padding behind `len`, but
 * which it does not keep. It may be written later, with others. */
quern_status qn_docs_packer_put(qn_docs_packer *packer, qn_buffer *raw, uint32_t first_doc,
                                quern_error *error);

/* Writes what was held back. */
quern_status qn_docs_packer_finish(qn_docs_packer *packer, quern_error *error);

/* After it: the index entries of all blocks, and the words of those that are codes. */
const qn_buffer *qn_docs_packer_entries(const qn_docs_packer *packer);
const qn_words *qn_docs_packer_words(const qn_docs_packer *packer);

#endif
