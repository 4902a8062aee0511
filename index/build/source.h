/*
 * Sources: corpus files and directories as a stream of documents. One source reads one path ("-" is
 * standard input) and looks through .gz and .zst. A malformed record is one error, after which the
 * source goes on with the next record; every good record of a bad file is kept.
 */
#ifndef QN_BUILD_SOURCE_H
#define QN_BUILD_SOURCE_H

#include "index/segment/fields.h"

typedef struct qn_source qn_source;

typedef struct qn_source_settings {
    quern_format format;     /* AUTO: by name, else by content */
    uint64_t max_record;     /* bytes; a longer record is malformed (it is skipped unread) */
    unsigned window_log_max; /* largest zstd window accepted, 10..31 */
    /* Fields that are kept apart, the caller's; NULL or n 0: title and text are read. Documents
     * come in these fields where the format has them. */
    const qn_fields *fields;
    /* Called, if not NULL, with an id as soon as it is read, before the rest of its record: what
     * will be looked up by it can be fetched meanwhile. Only by readers for which that is sooner
     * than the document; ids may be of records that are malformed. */
    void (*on_id)(void *arg, quern_span id);
    void *on_id_arg;
} qn_source_settings;

/* Where a document came from; `file` is valid while the source lives. */
typedef struct qn_place {
    const char *file; /* path as given, or of the file within a directory; "<stdin>" */
    uint64_t line;    /* from 1; 0 where the whole file is the document */
} qn_place;

/* Opens a path. QUERN_E_IO if it cannot be read; QUERN_E_INPUT for what is no corpus (binary);
 * QUERN_E_ARGUMENT for plain text where no field is called text. */
quern_status qn_source_open(qn_source **out, const char *path, const qn_source_settings *settings,
                            quern_error *error);

/*
 * The next document, whose spans are valid until the next call. QUERN_OK; QUERN_END; QUERN_E_INPUT
 * for one malformed record, named "file:line: reason" in the error: call again to go on. Anything
 * else is fatal (I/O, memory); a compressed file that is damaged or cut off is reported as one
 * malformed record at the place where it broke, then QUERN_END.
 */
quern_status qn_source_next(qn_source *source, quern_document *document, qn_place *place,
                            quern_error *error);

/* Decompressed bytes read so far. */
uint64_t qn_source_bytes(const qn_source *source);

/* Bytes of the path's file consumed and in all, for progress; total 0 where unknown. */
void qn_source_progress(const qn_source *source, uint64_t *done, uint64_t *total);

/* Bytes of memory held for decompression, for the builder's account. */
size_t qn_source_memory(const qn_source *source);

void qn_source_free(qn_source *source);

#endif
