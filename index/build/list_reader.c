/* Walking a list: see list_reader.h. */
#include "index/build/list_reader.h"

#include "index/base/status.h"

#include <stdlib.h>

/* Blocks of a list after which pages are let go of. */
enum { FORGET_EVERY = 1 << 13 };

static quern_status damaged(const qn_list_reader *reader, const char *what, quern_error *error)
{
    return qn_container_damaged(&reader->list.segment->index, what, error);
}

quern_status qn_list_reader_open(qn_list_reader *reader, const qn_segment *segment,
                                 const qn_term_info *info, quern_error *error)
{
    reader->next_block = reader->i = reader->n = 0;
    reader->cf = 0;
    return qn_postings_open(&reader->list, segment, info, error);
}

/* Decodes documents and tf of the next block. */
static quern_status read_block(qn_list_reader *reader, quern_error *error)
{
    const uint8_t *tf_at;
    const qn_postings *list = &reader->list;
    uint32_t block = reader->next_block++, last = reader->n > 0 ? reader->docs[reader->n - 1] : 0;
    if ((block + 1) % FORGET_EVERY == 0)
        qn_container_forget(&list->segment->index);
    reader->i = 0;
    reader->n = qn_postings_block_n(list, block);
    reader->at = 0;
    reader->read = false;
    reader->sum = 0;
    quern_status status = qn_postings_docs(list, block, reader->docs, &tf_at, error);
    if (status == QUERN_OK && block > 0 && reader->docs[0] <= last)
        return damaged(reader, "documents of a list do not ascend", error);
    if (status == QUERN_OK)
        status = qn_postings_tfs(list, block, tf_at, reader->tfs, error);
    for (uint32_t i = 0; status == QUERN_OK && i < reader->n; i++)
        reader->sum += reader->tfs[i];
    reader->cf += reader->sum;
    bool last_block = reader->next_block == list->n_blocks;
    if (status == QUERN_OK &&
        (reader->cf > list->info.cf || (last_block && reader->cf != list->info.cf)))
        return damaged(reader, "a term does not stand as often as its record says", error);
    return status;
}

quern_status qn_list_reader_next(qn_list_reader *reader, uint32_t *doc, uint32_t *tf,
                                 quern_error *error)
{
    if (reader->n > 0 && reader->i + 1 < reader->n) {
        reader->at += reader->tfs[reader->i++];
    } else {
        if (reader->next_block == reader->list.n_blocks)
            return QUERN_END;
        quern_status status = read_block(reader, error);
        if (status != QUERN_OK)
            return status;
    }
    *doc = reader->docs[reader->i];
    *tf = reader->tfs[reader->i];
    return QUERN_OK;
}

/* A block's positions are read at once, unless they are so many that only those of one document
 * should be held. */
quern_status qn_list_reader_gaps(qn_list_reader *reader, uint32_t **gaps, quern_error *error)
{
    const qn_postings *list = &reader->list;
    uint32_t block = reader->next_block - 1, i = reader->i;
    bool whole = reader->sum <= QN_POSITIONS_ROW;
    quern_status status = QUERN_OK;
    *gaps = NULL;
    if (!list->segment->meta.positions)
        return QUERN_OK;
    if (whole && !reader->read)
        status = qn_postings_positions(list, block, reader->tfs, &reader->position,
                                       &reader->position_cap, error);
    else if (!whole)
        status = qn_postings_positions_of(list, block, reader->tfs, i, &reader->position,
                                          &reader->position_cap, error);
    if (status != QUERN_OK)
        return status;
    reader->read = whole;
    uint32_t *position = reader->position + (whole ? reader->at : 0);
    for (uint32_t j = reader->tfs[i]; j-- > 1;) {
        if (position[j] < position[j - 1])
            return damaged(reader, "positions do not ascend", error);
        position[j] -= position[j - 1];
    }
    *gaps = position;
    return QUERN_OK;
}

void qn_list_reader_free(qn_list_reader *reader)
{
    free(reader->position);
    *reader = (qn_list_reader){0};
}
