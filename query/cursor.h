/*
 * A walk through one posting list in document order, block by block: documents are decoded when
 * the walk enters a block, tf when the first is asked for in it, positions likewise.
 *
 * Damage is sticky: the cursor then stands at the end, and `status` says why, so that loops need
 * not check each step but must check the status of every cursor when they are done. A forged list
 * makes a cursor end early or fail, never step backwards: each seek returns a document >= its
 * target, and blocks are entered in ascending order only.
 */
#ifndef QN_QUERY_CURSOR_H
#define QN_QUERY_CURSOR_H

#include "index/segment/postings.h"

/* The document at which every list ends; larger than any document. */
#define QN_CURSOR_END UINT32_MAX

/* Zero-initialise once; start with qn_cursor_start. Its memory (positions) is kept from list to
 * list until qn_cursor_free; struct copies must not be freed twice. */
typedef struct qn_cursor {
    const qn_postings *list; /* NULL: an empty list */
    quern_error *error;      /* where the message goes, or NULL */
    quern_status status;
    uint32_t doc;   /* the current document; QN_CURSOR_END at the end; valid after a first seek */
    uint32_t block; /* decoded in docs; list->n_blocks: none yet */
    uint32_t i, n;  /* docs[i] is the current document, of n; n 0: nothing decoded yet */
    bool has_tfs, has_positions; /* of the block */
    const uint8_t *tf_at;
    uint32_t *position;           /* of the whole block */
    size_t position_cap;          /* of the allocation */
    uint32_t docs[QN_BLOCK_ROOM]; /* QN_CURSOR_END behind the last */
    uint32_t tfs[QN_BLOCK_ROOM];
    uint32_t position_end[QN_BLOCK_ROOM]; /* of document i: [position_end[i - 1], ..[i]) */
} qn_cursor;

/* Starts a walk; seek before anything else. `list` (may be NULL) must stay. */
void qn_cursor_start(qn_cursor *cursor, const qn_postings *list, quern_error *error);
void qn_cursor_free(qn_cursor *cursor);

/* For the inline functions below: the walk leaves the block or enters its first. */
uint32_t qn_cursor_enter(qn_cursor *cursor, uint32_t target);
bool qn_cursor_load_tfs(qn_cursor *cursor);

/* The first i >= from with docs[i] >= target in the decoded block; at most QN_BLOCK. */
static inline uint32_t qn_cursor_find(const qn_cursor *cursor, uint32_t from, uint32_t target)
{
    /* Without branches: docs[n..QN_BLOCK) are QN_CURSOR_END. The steps add up to QN_BLOCK - 1; the
     * last comparison makes it QN_BLOCK. */
    const uint32_t *docs = cursor->docs;
    if (docs[from] >= target)
        return from;
    uint32_t at = 0;
    for (uint32_t step = QN_BLOCK / 2; step > 0; step /= 2)
        at += docs[at + step - 1] < target ? step : 0;
    return at + (docs[at] < target);
}

/* Goes to the first document >= target, from the current one on (never back); returns it. */
static inline uint32_t qn_cursor_seek(qn_cursor *cursor, uint32_t target)
{
    if (cursor->n != 0) {
        if (cursor->doc >= target)
            return cursor->doc;
        if (cursor->docs[cursor->n - 1] >= target) {
            cursor->i = qn_cursor_find(cursor, cursor->i, target);
            return cursor->doc = cursor->docs[cursor->i];
        }
    }
    return qn_cursor_enter(cursor, target);
}

/* Steps to the next document; only while not at the end. */
static inline uint32_t qn_cursor_next(qn_cursor *cursor)
{
    if (++cursor->i < cursor->n)
        return cursor->doc = cursor->docs[cursor->i];
    return qn_cursor_enter(cursor, cursor->doc + 1);
}

/* tf of all documents of the block, or NULL after damage (the cursor is then at the end). */
static inline const uint32_t *qn_cursor_tfs(qn_cursor *cursor)
{
    return cursor->has_tfs || qn_cursor_load_tfs(cursor) ? cursor->tfs : NULL;
}

/* tf of the current document; 0 after damage. */
static inline uint32_t qn_cursor_tf(qn_cursor *cursor)
{
    uint32_t i = cursor->i;
    return cursor->has_tfs || qn_cursor_load_tfs(cursor) ? cursor->tfs[i] : 0;
}

/* The positions of the current document, ascending (equal ones may follow each other); valid until
 * the walk leaves the block. NULL and *n 0 after damage or when memory is short. */
const uint32_t *qn_cursor_positions(qn_cursor *cursor, uint32_t *n);

#endif
