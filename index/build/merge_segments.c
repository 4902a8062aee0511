/* Segments as parts of a merge: see merge_segments.h. */
#include "index/build/merge_segments.h"

#include "index/base/bytes.h"
#include "index/base/status.h"
#include "index/build/list_order.h"
#include "index/build/merge.h"
#include "index/segment/deletes.h"

#include <stdlib.h>
#include <string.h>

enum {
    FORGET_EVERY = 8 << 20, /* pages are let go of after so many bytes of lists */
    LIST_SHARE = 8,         /* of the memory limit, what may be held of a list */
    NUMBERS_SHARE = 4,      /* and what new numbers may take before they go to a file */
    NUMBERS_STEP = 1 << 20  /* of those, how many are written before their pages are let go of */
};

typedef struct segment_part {
    qn_merge_part part;
    const qn_segment *segment;
    qn_dict_cursor cursor;
    char before[QN_TERM_MAX + 1]; /* the term before */
    uint32_t before_len;
    uint32_t first;           /* new number of its first document */
    uint32_t *deleted_before; /* documents below 64 i; NULL if none was deleted */
    uint64_t forgotten;       /* what had been read when pages were let go of */
    qn_list_reader reader;
    qn_scratch to;        /* of a reordered segment: the new number (u32) of each one */
    qn_list_order *order; /* which all parts share */
    uint32_t n_to;
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
        qn_scratch_forget(&part->to, part->to.data, part->to.len);
        part->forgotten = done(base);
    }
    memcpy(part->before, part->cursor.term, part->cursor.len);
    part->before_len = part->cursor.len;
    quern_status status = qn_dict_next(&part->cursor, error);
    if (status == QUERN_OK && !ascends(part))
        return damaged(part, "terms of the dictionary do not ascend", error);
    base->term = part->cursor.term;
    base->term_len = part->cursor.len;
    if (status == QUERN_OK)
        base->prefix = qn_prefix(base->term, base->term_len);
    return status;
}

/* The new number of a document by its ordinal; UINT32_MAX if it was deleted. */
static uint32_t renumber(const segment_part *part, uint32_t doc)
{
    if (part->deleted_before == NULL)
        return part->first + doc;
    uint64_t word = qn_load_u64(part->segment->gone + doc / 64 * 8);
    if ((word >> doc % 64 & 1) != 0)
        return UINT32_MAX;
    uint64_t below = word & (((uint64_t)1 << doc % 64) - 1);
    return part->first + doc - part->deleted_before[doc / 64] -
           (uint32_t)__builtin_popcountll(below);
}

static quern_status copy(qn_merge_part *base, qn_pipe *pipe, quern_error *error)
{
    segment_part *part = (segment_part *)base;
    qn_list_reader *reader = &part->reader;
    uint32_t doc, tf, *gaps;
    quern_status status = qn_list_reader_open(reader, part->segment, &part->cursor.info, error);
    while (status == QUERN_OK &&
           (status = qn_list_reader_next(reader, &doc, &tf, error)) == QUERN_OK) {
        doc = renumber(part, doc);
        if (doc == UINT32_MAX)
            continue;
        status = qn_list_reader_gaps(reader, &gaps, error);
        if (status == QUERN_OK)
            status = qn_pipe_add(pipe, doc, tf, gaps, error);
    }
    return status == QUERN_END ? QUERN_OK : status;
}

static quern_status copy_reordered(qn_merge_part *base, qn_pipe *pipe, quern_error *error)
{
    segment_part *part = (segment_part *)base;
    part->order->to = &part->to;
    part->order->n_to = part->n_to;
    return qn_list_order_copy(part->order, part->segment, &part->cursor.info, pipe, error);
}

/* Fills `to` of a reordered segment; no two documents may become one. */
static quern_status number_documents(segment_part *part, const qn_merge_room *room, bool in_file,
                                     quern_error *error)
{
    const qn_segment *segment = part->segment;
    uint32_t n_docs = segment->meta.n_docs;
    size_t len = (size_t)n_docs * sizeof(uint32_t);
    uint8_t *seen = calloc((size_t)n_docs / 8 + 1, 1);
    quern_status status = seen == NULL
                              ? qn_fail_memory(error)
                              : qn_scratch_open(&part->to, len, in_file, &room->place, error);
    if (status == QUERN_OK)
        status = qn_segment_touch_lengths(segment, error);
    uint32_t *to = (uint32_t *)part->to.data;
    for (uint32_t doc = 0; status == QUERN_OK && doc < n_docs; doc++) {
        uint32_t ordinal = qn_segment_ordinal(segment, doc);
        if (ordinal >= n_docs || (seen[ordinal / 8] >> ordinal % 8 & 1) != 0) {
            status = damaged(part, "an ordinal is out of range or occurs twice", error);
            break;
        }
        seen[ordinal / 8] |= (uint8_t)(1u << ordinal % 8);
        to[doc] = renumber(part, ordinal);
        if ((doc + 1) % NUMBERS_STEP == 0)
            qn_scratch_forget(&part->to, to, len);
    }
    part->n_to = part->first + n_docs - segment->n_deleted;
    part->part.copy = copy_reordered;
    free(seen);
    return status;
}

static quern_status count_deleted(segment_part *part, quern_error *error)
{
    const qn_segment *segment = part->segment;
    size_t n_words = (size_t)segment->n_windows * (QN_WINDOW / 64);
    uint64_t n_deleted;
    if (segment->gone == NULL)
        return QUERN_OK;
    /* New numbers would reach past the last document. */
    if (!qn_deletes_count(segment->gone, segment->meta.n_docs, &n_deleted) ||
        n_deleted != segment->n_deleted)
        return qn_container_damaged(&segment->deletes,
                                    "not as many documents are deleted as it says", error);
    part->deleted_before = malloc((n_words + 1) * sizeof *part->deleted_before);
    if (part->deleted_before == NULL)
        return qn_fail_memory(error);
    uint32_t n = 0;
    for (size_t i = 0; i < n_words; i++) {
        part->deleted_before[i] = n;
        n += (uint32_t)__builtin_popcountll(qn_load_u64(segment->gone + 8 * i));
    }
    return QUERN_OK;
}

static quern_status open_parts(const qn_segment *segment, size_t n, segment_part *parts,
                               qn_list_order *order, qn_merge_part **list,
                               const qn_merge_room *room, quern_error *error)
{
    uint32_t first = 0;
    uint64_t numbers = 0; /* bytes of all */
    for (size_t i = 0; i < n; i++)
        numbers += segment[i].ordinals == NULL ? 0 : 4 * (uint64_t)segment[i].meta.n_docs;
    for (size_t i = 0; i < n; i++) {
        segment_part *part = &parts[i];
        part->part = (qn_merge_part){.next = next,
                                     .copy = copy,
                                     .done = done,
                                     .total = segment[i].postings.len + segment[i].positions.len};
        part->segment = &segment[i];
        part->order = order;
        part->first = first;
        first += segment[i].meta.n_docs - segment[i].n_deleted;
        list[i] = &part->part;
        quern_status status = count_deleted(part, error);
        if (status == QUERN_OK && segment[i].ordinals != NULL)
            status = number_documents(part, room, numbers > room->memory / NUMBERS_SHARE, error);
        if (status == QUERN_OK)
            status = qn_dict_seek(&part->cursor, &segment[i].dict, "", 0, error);
        if (status != QUERN_OK)
            return status;
    }
    return QUERN_OK;
}

quern_status qn_merge_segments(const qn_segment *segment, size_t n, const qn_merge_output *output,
                               const qn_merge_room *room, quern_error *error)
{
    qn_list_order order = {.memory = room->memory / LIST_SHARE};
    segment_part *parts = calloc(n + 1, sizeof *parts);
    qn_merge_part **list = calloc(n + 1, sizeof *list);
    quern_status status = parts == NULL || list == NULL
                              ? qn_fail_memory(error)
                              : open_parts(segment, n, parts, &order, list, room, error);
    if (status == QUERN_OK)
        status = qn_merge_parts(list, n, output, error);
    for (size_t i = 0; parts != NULL && i < n; i++) {
        qn_list_reader_free(&parts[i].reader);
        qn_scratch_close(&parts[i].to);
        free(parts[i].deleted_before);
    }
    qn_list_order_free(&order);
    free(parts);
    free(list);
    return status;
}
