/*
 * A document on its way into an index: whether it may come, which of its texts are analysed, and
 * what is kept of it. With fields (qn_fields.n > 0) the texts are those of the fields.
 */
#ifndef QN_BUILD_DOCUMENT_H
#define QN_BUILD_DOCUMENT_H

#include "index/base/buffer.h"
#include "index/build/source.h"
#include "index/segment/fields.h"

/* A document's texts together are at most this share of the memory limit. */
enum { QN_DOCUMENT_SHARE = 8 };

/* "PLACE: " for messages; empty where there is no place (NULL). */
void qn_document_place(const qn_place *place, char *out, size_t len);

/* Bytes of the texts. */
uint64_t qn_document_len(const qn_fields *fields, const quern_document *document);

/* QUERN_E_INPUT: the id is empty or too long, or the texts (and, if `records` are kept, the record)
 * are too large for the memory limit. */
quern_status qn_document_check(const qn_fields *fields, const quern_document *document,
                               const qn_place *place, bool records, uint64_t memory,
                               quern_error *error);

/* QUERN_E_INPUT: a word that is given is empty or too long, or out of order. */
quern_status qn_document_check_tokens(const qn_fields *fields, const quern_token *tokens, size_t n,
                                      quern_error *error);

/* The texts that are analysed, as qn_mill_document takes them. */
void qn_document_texts(const qn_fields *fields, const quern_document *document,
                       quern_span text[QN_FIELDS_MAX]);

/* What is kept: of a document that came in fields their texts but the title's, line by line, which
 * may be in `joined` then. False if memory is short. */
bool qn_document_kept(const qn_fields *fields, const quern_document *document, qn_buffer *joined,
                      quern_document *kept);

/* Whether two documents of which the same is kept have the same words in the same fields. */
bool qn_document_kept_tells_all(const qn_fields *fields, const quern_document *document,
                                bool records);

#endif
