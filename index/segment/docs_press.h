/*
 * The press: takes blocks of documents in order and has them packed (docs_packer.h) - in the
 * caller's thread or, so that building goes on meanwhile, in one of its own. The bytes are the
 * same.
 */
#ifndef QN_SEGMENT_DOCS_PRESS_H
#define QN_SEGMENT_DOCS_PRESS_H

#include "index/base/file.h"
#include "index/segment/words.h"

typedef struct qn_docs_press qn_docs_press;

/* Writes to `file` at its end, which is the press's alone until qn_docs_press_finish. `background`:
 * with a thread of its own; if none can be had, without. */
quern_status qn_docs_press_new(qn_docs_press **out, qn_writer *file, bool background,
                               quern_error *error);

/* Takes over the bytes of a block, leaving `raw` empty, with the number of its first document. May
 * wait for earlier blocks. An error may be an earlier block's. */
quern_status qn_docs_press_put(qn_docs_press *press, qn_buffer *raw, uint32_t first_doc,
                               quern_error *error);

/* Waits for the last block. After it: the index entries of all blocks, and the words that they have
 * codes for; both are the press's. */
quern_status qn_docs_press_finish(qn_docs_press *press, const qn_buffer **entries,
                                  const qn_words **words, quern_error *error);

/* Ends the thread, whatever it was doing; NULL is fine. */
void qn_docs_press_free(qn_docs_press *press);

#endif
