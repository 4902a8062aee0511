/* Walking a posting list: see cursor.h. */
#include "query/cursor.h"

#include "index/segment/positions.h"

#include <stdlib.h>

void qn_cursor_start(qn_cursor *cursor, const qn_postings *list, quern_error *error)
{
    cursor->list = list;
    cursor->error = error;
    cursor->status = QUERN_OK;
    cursor->doc = 0;
    cursor->block = 0;
    cursor->i = cursor->n = 0;
    cursor->has_tfs = cursor->has_positions = false;
}

void qn_cursor_free(qn_cursor *cursor)
{
    free(cursor->position);
    *cursor = (qn_cursor){0};
}

/* The end is a state like a block of the one document QN_CURSOR_END. */
static uint32_t finish(qn_cursor *cursor, quern_status status)
{
    if (cursor->status == QUERN_OK)
        cursor->status = status;
    cursor->i = 0;
    cursor->n = 1;
    cursor->has_tfs = cursor->has_positions = false;
    cursor->docs[0] = QN_CURSOR_END;
    return cursor->doc = QN_CURSOR_END;
}

uint32_t qn_cursor_enter(qn_cursor *cursor, uint32_t target)
{
    const qn_postings *list = cursor->list;
    if (list == NULL || cursor->doc == QN_CURSOR_END)
        return finish(cursor, QUERN_OK);
    for (uint32_t block = cursor->n == 0 ? 0 : cursor->block + 1;; block++) {
        if (block < list->n_blocks)
            block = qn_postings_find_block(list, block, target);
        if (block >= list->n_blocks)
            return finish(cursor, QUERN_OK);
        quern_status status =
            qn_postings_docs(list, block, cursor->docs, &cursor->tf_at, cursor->error);
        if (status != QUERN_OK)
            return finish(cursor, status);
        cursor->block = block;
        cursor->n = qn_postings_block_n(list, block);
        cursor->has_tfs = cursor->has_positions = false;
        for (uint32_t i = cursor->n; i < QN_BLOCK; i++)
            cursor->docs[i] = QN_CURSOR_END;
        /* A list of one block has no table that says where it ends. */
        cursor->i = qn_cursor_find(cursor, 0, target);
        if (cursor->i < cursor->n)
            return cursor->doc = cursor->docs[cursor->i];
    }
}

bool qn_cursor_load_tfs(qn_cursor *cursor)
{
    if (cursor->list == NULL || cursor->doc == QN_CURSOR_END)
        return false;
    quern_status status =
        qn_postings_tfs(cursor->list, cursor->block, cursor->tf_at, cursor->tfs, cursor->error);
    if (status != QUERN_OK) {
        (void)finish(cursor, status);
        return false;
    }
    return cursor->has_tfs = true;
}

static quern_status load_positions(qn_cursor *cursor)
{
    quern_status status =
        qn_postings_positions(cursor->list, cursor->block, cursor->tfs, &cursor->position,
                              &cursor->position_cap, cursor->error);
    if (status != QUERN_OK)
        return status;
    uint32_t end = 0; /* the sum is what was allocated for one block; it fits by far */
    for (uint32_t i = 0; i < cursor->n; i++)
        cursor->position_end[i] = end += cursor->tfs[i];
    cursor->has_positions = true;
    return QUERN_OK;
}

const uint32_t *qn_cursor_positions(qn_cursor *cursor, uint32_t *n)
{
    *n = 0;
    if (!cursor->has_positions) {
        if (qn_cursor_tfs(cursor) == NULL)
            return NULL;
        quern_status status = load_positions(cursor);
        if (status != QUERN_OK) {
            (void)finish(cursor, status);
            return NULL;
        }
    }
    uint32_t start = cursor->i == 0 ? 0 : cursor->position_end[cursor->i - 1];
    *n = cursor->position_end[cursor->i] - start;
    return cursor->position + start;
}
