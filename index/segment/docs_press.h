/*
 * The press: takes blocks of documents in order, compresses and writes them - in the caller's
 * thread or, so that building goes on meanwhile, in one of its own. The bytes are the same.
 */
#ifndef QN_SEGMENT_DOCS_PRESS_H
#define QN_SEGMENT_DOCS_PRESS_H

#include "index/base/file.h"

typedef struct qn_docs_press qn_docs_press;

/* Writes to `file` at its end, which is the press's alone until qn_docs_press_finish. `background`:
 * with a thread of its own; if none can be had, without. */
quern_status qn_docs_press_new(qn_docs_press **out, qn_writer *file, bool background,
                               quern_error *error);

/* Takes over the bytes of a block, leaving `raw` empty, with the number of its first document. May
 * wait for earlier blocks. An error may be an earlier block's. */
quern_status qn_docs_press_put(qn_docs_press *press, qn_buffer *raw, uint32_t first_doc,
                               quern_error *error);

/* Waits for the last block. After it: the index entries {first_doc(u32) raw_len(u32) offset(u64)}
 * of all blocks, and their number; the entries are the press's. */
quern_status qn_docs_press_finish(qn_docs_press *press, const qn_buffer **entries,
                                  uint32_t *n_blocks, quern_error *error);

/* Ends the thread, whatever it was doing; NULL is fine. */
void qn_docs_press_free(qn_docs_press *press);

#endif
