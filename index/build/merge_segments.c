/* Segments as parts of a merge: see merge_segments.h. */
#include "index/build/merge_segments.h"

#include "index/base/status.h"
#include "index/build/merge.h"
#include "index/segment/deletes.h"
#include "index/segment/positions.h"

#include <stdlib.h>
#include <string.h>

/* Pages are let go of after so many bytes of lists. */
enum { FORGET_EVERY = 8 << 20 };

typedef struct segment_part {
    qn_merge_part part;
    const qn_segment *segment;
    qn_dict_cursor cursor;
    char before[QN_TERM_MAX + 1]; /* the term before */
    uint32_t before_len;
    uint32_t first;           /* new number of its first document */
    uint32_t *deleted_before; /* documents below 64 i; NULL if none was deleted */
    uint64_t forgotten;       /* what had been read when pages were let go of */
    uint32_t docs[QN_BLOCK_ROOM], tfs[QN_BLOCK_ROOM];
    uint32_t *position;
    size_t position_cap;
} segment_part;

static quern_status damaged(const segment_part *part, const char *what, quern_error *error)
{
    return qn_container_damaged(&part->segment->index, what, error);
}

static uint64_t done(const qn_merge_part *base)
{
    const qn_term_info *info = &((const segment_part *)base)->cursor.info;
    return info->postings_off + info->positions_off;
}

/* The dictionary gives terms that ascend within a block; across blocks nobody has looked. */
static bool ascends(const segment_part *part)
{
    uint32_t len = part->cursor.len < part->before_len ? part->cursor.len : part->before_len;
    int order = memcmp(part->before, part->cursor.term, len);
    return order < 0 || (order == 0 && part->before_len < part->cursor.len);
}

static quern_status next(qn_merge_part *base, quern_error *error)
{
    segment_part *part = (segment_part *)base;
    if (done(base) - part->forgotten >= FORGET_EVERY) {
        qn_container_forget(&part->segment->index);
        part->forgotten = done(base);
    }
    memcpy(part->before, part->cursor.term, part->cursor.len);
    part->before_len = part->cursor.len;
    quern_status status = qn_dict_next(&part->cursor, error);
    if (status == QUERN_OK && !ascends(part))
        return damaged(part, "terms of the dictionary do not ascend", error);
    base->term = part->cursor.term;
    base->term_len = part->cursor.len;
    return status;
}

/* The new number of a document; UINT32_MAX if it was deleted. */
static uint32_t renumber(const segment_part *part, uint32_t doc)
{
    if (part->deleted_before == NULL)
        return part->first + doc;
    uint64_t word = qn_load_u64(part->segment->deleted + doc / 64 * 8);
    if ((word >> doc % 64 & 1) != 0)
        return UINT32_MAX;
    uint64_t below = word & (((uint64_t)1 << doc % 64) - 1);
    return part->first + doc - part->deleted_before[doc / 64] -
           (uint32_t)__builtin_popcountll(below);
}

/* Positions become the gaps between them. */
static quern_status to_gaps(const segment_part *part, uint32_t *position, uint32_t n,
                            quern_error *error)
{
    for (uint32_t i = n; i-- > 1;) {
        if (position[i] < position[i - 1])
            return damaged(part, "positions do not ascend", error);
        position[i] -= position[i - 1];
    }
    return QUERN_OK;
}

/* Decodes documents and tf of a block; *sum becomes the sum of its tf. `last` is the document
 * before it, if it is not the first. */
static quern_status read_block(segment_part *part, const qn_postings *list, uint32_t block,
                               uint32_t last, uint64_t *sum, quern_error *error)
{
    const uint8_t *tf_at;
    uint32_t n = qn_postings_block_n(list, block);
    *sum = 0;
    quern_status status = qn_postings_docs(list, block, part->docs, &tf_at, error);
    if (status == QUERN_OK && block > 0 && part->docs[0] <= last)
        return damaged(part, "documents of a list do not ascend", error);
    if (status == QUERN_OK)
        status = qn_postings_tfs(list, block, tf_at, part->tfs, error);
    for (uint32_t i = 0; status == QUERN_OK && i < n; i++)
        *sum += part->tfs[i];
    return status;
}

static quern_status put(const segment_part *part, uint32_t doc, uint32_t tf, uint32_t *position,
                        qn_pipe *pipe, quern_error *error)
{
    quern_status status = position == NULL ? QUERN_OK : to_gaps(part, position, tf, error);
    return status == QUERN_OK ? qn_pipe_add(pipe, doc, tf, position, error) : status;
}

/* Hands on the block that was read. Its positions are read at once, unless they are so many that
 * only those of one document should be held. */
static quern_status copy_block(segment_part *part, const qn_postings *list, uint32_t block,
                               uint64_t sum, qn_pipe *pipe, quern_error *error)
{
    uint32_t n = qn_postings_block_n(list, block);
    bool positions = part->segment->meta.positions, whole = positions && sum <= QN_POSITIONS_ROW;
    quern_status status = QUERN_OK;
    if (whole)
        status = qn_postings_positions(list, block, part->tfs, &part->position, &part->position_cap,
                                       error);
    uint32_t *at = whole ? part->position : NULL;
    for (uint32_t i = 0; status == QUERN_OK && i < n; i++) {
        uint32_t doc = renumber(part, part->docs[i]);
        if (positions && !whole && doc != UINT32_MAX) {
            status = qn_postings_positions_of(list, block, part->tfs, i, &part->position,
                                              &part->position_cap, error);
            at = part->position;
        }
        if (status == QUERN_OK && doc != UINT32_MAX)
            status = put(part, doc, part->tfs[i], at, pipe, error);
        at += whole ? part->tfs[i] : 0;
    }
    return status;
}

static quern_status copy(qn_merge_part *base, qn_pipe *pipe, quern_error *error)
{
    segment_part *part = (segment_part *)base;
    qn_postings list;
    uint64_t cf = 0, sum;
    uint32_t last = 0;
    quern_status status = qn_postings_open(&list, part->segment, &part->cursor.info, error);
    for (uint32_t block = 0; status == QUERN_OK && block < list.n_blocks; block++) {
        status = read_block(part, &list, block, last, &sum, error);
        cf += sum;
        if (status == QUERN_OK && cf > list.info.cf)
            break;
        if (status == QUERN_OK)
            status = copy_block(part, &list, block, sum, pipe, error);
        last = part->docs[qn_postings_block_n(&list, block) - 1];
    }
    if (status == QUERN_OK && cf != list.info.cf)
        status = damaged(part, "a term does not stand as often as its record says", error);
    return status;
}

static quern_status count_deleted(segment_part *part, quern_error *error)
{
    const qn_segment *segment = part->segment;
    size_t n_words = (size_t)segment->n_windows * (QN_WINDOW / 64);
    uint64_t n_deleted;
    if (segment->deleted == NULL)
        return QUERN_OK;
    /* New numbers would reach past the last document. */
    if (!qn_deletes_count(segment->deleted, segment->meta.n_docs, &n_deleted) ||
        n_deleted != segment->n_deleted)
        return qn_container_damaged(&segment->deletes,
                                    "not as many documents are deleted as it says", error);
    part->deleted_before = malloc((n_words + 1) * sizeof *part->deleted_before);
    if (part->deleted_before == NULL)
        return qn_fail_memory(error);
    uint32_t n = 0;
    for (size_t i = 0; i < n_words; i++) {
        part->deleted_before[i] = n;
        n += (uint32_t)__builtin_popcountll(qn_load_u64(segment->deleted + 8 * i));
    }
    return QUERN_OK;
}

static quern_status open_parts(const qn_segment *segment, size_t n, segment_part *parts,
                               qn_merge_part **list, quern_error *error)
{
    uint32_t first = 0;
    for (size_t i = 0; i < n; i++) {
        segment_part *part = &parts[i];
        part->part = (qn_merge_part){.next = next,
                                     .copy = copy,
                                     .done = done,
                                     .total = segment[i].postings.len + segment[i].positions.len};
        part->segment = &segment[i];
        part->first = first;
        first += segment[i].meta.n_docs - segment[i].n_deleted;
        list[i] = &part->part;
        quern_status status = count_deleted(part, error);
        if (status == QUERN_OK)
            status = qn_dict_seek(&part->cursor, &segment[i].dict, "", 0, error);
        if (status != QUERN_OK)
            return status;
    }
    return QUERN_OK;
}

quern_status qn_merge_segments(const qn_segment *segment, size_t n, const qn_merge_output *output,
                               quern_error *error)
{
    segment_part *parts = calloc(n + 1, sizeof *parts);
    qn_merge_part **list = calloc(n + 1, sizeof *list);
    quern_status status = parts == NULL || list == NULL
                              ? qn_fail_memory(error)
                              : open_parts(segment, n, parts, list, error);
    if (status == QUERN_OK)
        status = qn_merge_parts(list, n, output, error);
    for (size_t i = 0; parts != NULL && i < n; i++) {
        free(parts[i].position);
        free(parts[i].deleted_before);
    }
    free(parts);
    free(list);
    return status;
}
