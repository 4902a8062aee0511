/*
 * Writing an index: documents in, a committed directory out. writer.c takes documents up to the
 * memory limit, again and again; commit.c turns what was gathered into a segment and publishes it.
 */
#ifndef QN_BUILD_WRITER_H
#define QN_BUILD_WRITER_H

#include "index/build/crew.h"
#include "index/build/directory.h"
#include "index/build/document.h"
#include "index/build/old.h"
#include "index/build/registry.h"
#include "index/segment/segment.h"
#include "index/text/analyzer.h"

typedef struct qn_index_writer {
    quern_build_options options; /* defaults filled in */
    qn_fields fields;
    qn_directory directory;
    bool failed; /* after an error that left it inconsistent */
    qn_old old;  /* what is there, if documents are added to an index */

    qn_analyzer *analyzer;
    qn_mill_room room; /* has the number of mills that work: one until there is a crew */
    qn_mill *mill;
    unsigned n_mills; /* that there is room for in `mill` */
    qn_crew *crew;    /* NULL: no threads yet */
    uint64_t added_bytes;
    uint64_t crew_from;  /* after so many bytes the crew starts; */
    size_t crew_stretch; /* see crew.h; tests change both */
    qn_registry registry;
    qn_spooled_lengths lengths;
    qn_docs_writer *docs;               /* NULL with QUERN_STORE_NONE */
    char docs_name[48], index_name[48]; /* temporary names */

    uint64_t reserved; /* bytes that the caller holds on the builder's account */
    qn_buffer joined;  /* what is kept of the document at hand, if several fields are */

    quern_build_report report;
} qn_index_writer;

/* As quern_builder_open: `options` whole (size checked by the caller). */
quern_status qn_index_writer_open(qn_index_writer *writer, const char *path,
                                  const quern_build_options *options, quern_error *error);

/* Adds a document; `place` (may be NULL) is for messages. As quern_builder_add. */
quern_status qn_index_writer_add(qn_index_writer *writer, const quern_document *document,
                                 const qn_place *place, quern_error *error);
quern_status qn_index_writer_add_tokens(qn_index_writer *writer, const quern_document *document,
                                        const quern_token *tokens, size_t n_tokens,
                                        quern_error *error);

/* Deletes the document with this id, that is there or was added. QUERN_NOT_FOUND. */
quern_status qn_index_writer_delete(qn_index_writer *writer, quern_span id, quern_error *error);

quern_status qn_index_writer_commit(qn_index_writer *writer, quern_build_report *report,
                                    quern_error *error);

/* Releases everything; without a commit nothing is left behind. */
void qn_index_writer_close(qn_index_writer *writer);

/* Whether there may be a second thread: for compressing texts, and for encoding in the merge. */
bool qn_index_writer_has_second_thread(const quern_build_options *options);

#endif
