/*
 * JSON Lines: one object a line. Of each the first present of these keys is used:
 *
 *   id     id, _id, docid, docno              a string, or a number (its literal text)
 *   title  title                              a string, or strings in an array
 *   text   text, contents, body, abstract     likewise; the strings are joined by line feeds
 *
 * null counts as absent, of equal keys the last one counts, other keys are checked and skipped.
 * An id must be there; a document may be empty.
 *
 * With fields each is read from the key of its name (a string or strings in an array, or but
 * for title and text a number's literal text); "text" from the others of its row, too, unless they
 * are fields themselves.
 */
#ifndef QN_BUILD_SOURCE_JSONL_H
#define QN_BUILD_SOURCE_JSONL_H

#include "index/base/buffer.h"
#include "index/build/source.h"

/* Zero-initialise. */
typedef struct qn_jsonl {
    const qn_fields *fields; /* as in qn_source_settings, */
    void (*on_id)(void *arg, quern_span id);
    void *on_id_arg; /* all three */
    qn_buffer room;  /* unescaped strings of the last line */
    quern_span text[QN_FIELDS_MAX];
} qn_jsonl;

/* White space alone, which is no record. */
bool qn_jsonl_blank(quern_span line);

/* Reads one line as a document, whose spans point into the line and into *jsonl until the next
 * call. QUERN_E_INPUT: malformed ("file:line: reason at byte N", N from 1); QUERN_E_MEMORY. */
quern_status qn_jsonl_parse(qn_jsonl *jsonl, quern_span line, const qn_place *place,
                            quern_document *document, quern_error *error);

/* Frees the buffer. */
void qn_jsonl_free(qn_jsonl *jsonl);

#endif
