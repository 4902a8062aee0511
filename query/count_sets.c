/* Sets of documents: see count_sets.h. Documents of decoded lists are below n_docs, whatever the
 * bytes of a list say, and so within every bitmap. */
#include "query/count_sets.h"

#include "index/base/buffer.h"
#include "index/base/status.h"
#include "index/segment/coded.h"

#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

/* An array of whose new part every word is zero. */
static bool grow_bitmap(uint64_t **words, size_t *cap, size_t need)
{
    size_t before = *cap;
    void *array = *words;
    if (!qn_array_grow(&array, cap, need, sizeof **words))
        return false;
    *words = array;
    if (*cap > before)
        memset(*words + before, 0, (*cap - before) * sizeof **words);
    return true;
}

static bool grow_docs(uint32_t **docs, size_t *cap, size_t need)
{
    void *array = *docs;
    bool ok = qn_array_grow(&array, cap, need + QN_BLOCK_ROOM, sizeof **docs);
    *docs = array;
    return ok;
}

bool qn_count_sets_start(qn_count_sets *sets, const qn_segment *segment, size_t n_lists)
{
    sets->n_words = (size_t)segment->n_windows * (QN_WINDOW / 64);
    sets->n_docs = 0;
    void *lists = sets->list, *bitmaps = sets->bitmap;
    bool ok = qn_array_grow(&lists, &sets->list_cap, n_lists, sizeof(qn_postings *));
    sets->list = lists;
    ok = ok && qn_array_grow(&bitmaps, &sets->bitmap_cap, n_lists + 1, sizeof(uint8_t *));
    sets->bitmap = bitmaps;
    return ok && grow_bitmap(&sets->set, &sets->set_cap, sets->n_words) &&
           grow_bitmap(&sets->other, &sets->other_cap, sets->n_words);
}

void qn_count_sets_free(qn_count_sets *sets)
{
    free(sets->set);
    free(sets->other);
    free(sets->all);
    free(sets->doc);
    free(sets->spare);
    free(sets->list);
    free(sets->bitmap);
    *sets = (qn_count_sets){0};
}

void qn_count_sets_clear(qn_count_sets *sets)
{
    if (sets->set != NULL)
        memset(sets->set, 0, sets->set_cap * sizeof *sets->set);
    if (sets->other != NULL)
        memset(sets->other, 0, sets->other_cap * sizeof *sets->other);
}

bool qn_count_sets_keep(qn_count_sets *sets, bool first)
{
    void *all = sets->all;
    bool ok = qn_array_grow(&all, &sets->all_cap, sets->n_words, sizeof *sets->all);
    sets->all = all;
    if (!ok)
        return false;
    if (first)
        memcpy(sets->all, sets->set, sets->n_words * sizeof *sets->set);
    else
        sets->kernels->keep(sets->all, (const uint8_t *)sets->set, sets->n_words);
    memset(sets->set, 0, sets->n_words * sizeof *sets->set);
    return true;
}

void qn_count_sets_take_back(qn_count_sets *sets)
{
    sets->kernels->add(sets->set, (const uint8_t *)sets->all, sets->n_words);
}

uint64_t qn_count_sets_finish(qn_count_sets *sets)
{
    const uint8_t *set = (const uint8_t *)sets->set;
    uint64_t n = sets->kernels->count_any(&set, 1, sets->n_words);
    memset(sets->set, 0, sets->n_words * sizeof *sets->set);
    return n;
}

/* ---- lists that are no bitmaps, part by part ---- */

/* A part is a block or, of a coded list, a window: this many documents, and room to write more. */
enum { PART_ROOM = QN_WINDOW + 64 };

static uint32_t n_parts(const qn_postings *list)
{
    return list->coded ? list->segment->n_windows : list->n_blocks;
}

static size_t window_docs(const qn_count_sets *sets, const qn_postings *list, uint32_t window,
                          uint32_t *docs)
{
    const uint8_t *base = list->rank + 4 * (size_t)window;
    qn_group_window groups = {.starts = list->start + (size_t)window * (2 * QN_GROUPS),
                              .base = qn_load_u32(base),
                              .df = list->df,
                              .low = list->low,
                              .codes = list->codes};
    groups.end = window + 1 < list->segment->n_windows ? qn_load_u32(base + 4) : list->df;
    return sets->kernels->group_docs(&groups, window * QN_WINDOW, docs);
}

static quern_status part_docs(const qn_count_sets *sets, const qn_postings *list, uint32_t part,
                              uint32_t *docs, size_t *n, quern_error *error)
{
    const uint8_t *tf_at;
    *n = list->coded ? window_docs(sets, list, part, docs) : qn_postings_block_n(list, part);
    return list->coded ? QUERN_OK : qn_postings_docs(list, part, docs, &tf_at, error);
}

/* After a walk over all parts, in which so many documents were found. */
static quern_status check_total(const qn_postings *list, uint64_t n, quern_error *error)
{
    return n == list->df ? QUERN_OK
                         : qn_container_damaged(&list->segment->index,
                                                "groups have other documents than df", error);
}

/* ---- a list and a bitmap ---- */

/* Applies `change` to the documents of a list that is no bitmap. */
static quern_status each_part(const qn_count_sets *sets, const qn_postings *list, uint64_t *words,
                              void (*change)(uint64_t *, const uint32_t *, size_t),
                              quern_error *error)
{
    uint32_t docs[PART_ROOM];
    uint64_t total = 0;
    for (uint32_t part = 0; part < n_parts(list); part++) {
        size_t n;
        quern_status status = part_docs(sets, list, part, docs, &n, error);
        if (status != QUERN_OK)
            return status;
        change(words, docs, n);
        total += n;
    }
    return check_total(list, total, error);
}

quern_status qn_count_sets_add(qn_count_sets *sets, uint64_t *words, const qn_postings *list,
                               quern_error *error)
{
    if (!list->dense)
        return each_part(sets, list, words, sets->kernels->mark, error);
    sets->kernels->add(words, list->bitmap, sets->n_words);
    return QUERN_OK;
}

quern_status qn_count_sets_drop(qn_count_sets *sets, uint64_t *words, const qn_postings *list,
                                quern_error *error)
{
    if (!list->dense)
        return each_part(sets, list, words, sets->kernels->unmark, error);
    sets->kernels->drop(words, list->bitmap, sets->n_words);
    return QUERN_OK;
}

/* Leaves those of n documents that are in none of without[0..n_sets); returns how many. */
static size_t leave(const qn_count_sets *sets, const uint8_t *const *without, size_t n_sets,
                    uint32_t *docs, size_t n)
{
    for (size_t i = 0; n > 0 && i < n_sets; i++)
        n = sets->kernels->filter(without[i], docs, n, false, docs);
    return n;
}

quern_status qn_count_sets_without(qn_count_sets *sets, const qn_postings *list,
                                   const uint8_t *const *without, size_t n, uint64_t *count,
                                   quern_error *error)
{
    uint32_t docs[PART_ROOM];
    uint64_t total = 0;
    *count = 0;
    for (uint32_t part = 0; part < n_parts(list); part++) {
        size_t found;
        quern_status status = part_docs(sets, list, part, docs, &found, error);
        if (status != QUERN_OK)
            return status;
        *count += leave(sets, without, n, docs, found);
        total += found;
    }
    return check_total(list, total, error);
}

/* ---- a list and an array ---- */

quern_status qn_count_sets_decode(qn_count_sets *sets, const qn_postings *list,
                                  const uint8_t *const *without, size_t n, quern_error *error)
{
    uint64_t total = 0;
    for (uint32_t part = 0; part < n_parts(list); part++) {
        /* Forged groups may have more documents than df. */
        if (!grow_docs(&sets->doc, &sets->doc_cap, sets->n_docs + PART_ROOM))
            return qn_fail_memory(error);
        uint32_t *docs = sets->doc + sets->n_docs;
        size_t found;
        quern_status status = part_docs(sets, list, part, docs, &found, error);
        if (status != QUERN_OK)
            return status;
        sets->n_docs += leave(sets, without, n, docs, found);
        total += found;
    }
    return check_total(list, total, error);
}

/* The first i >= from with doc[i] > last: gallops. */
static size_t pass(const uint32_t *doc, size_t from, size_t n, uint32_t last)
{
    size_t step = 8, low = from, high = from;
    while (high < n && doc[high] <= last) {
        low = high + 1;
        high = n - high > step ? high + step : n;
        step *= 2;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (doc[middle] <= last)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* What meet_blocks does, of a coded list, by windows. */
static quern_status meet_windows(qn_count_sets *sets, const qn_postings *list, bool wanted,
                                 size_t *n_met, quern_error *error)
{
    const qn_count_kernels *kernels = sets->kernels;
    uint32_t docs[PART_ROOM];
    *n_met = 0;
    for (size_t at = 0; at < sets->n_docs;) {
        uint32_t window = sets->doc[at] / QN_WINDOW;
        size_t n = window_docs(sets, list, window, docs);
        if (wanted) {
            n = kernels->filter((const uint8_t *)sets->other, docs, n, true, docs);
            if (n > sets->n_docs - *n_met)
                return qn_container_damaged(&list->segment->index,
                                            "a group has a document more than once", error);
            memcpy(sets->spare + *n_met, docs, n * sizeof *docs);
            *n_met += n;
        } else {
            kernels->unmark(sets->other, docs, n);
        }
        at = pass(sets->doc, at, sets->n_docs, window * QN_WINDOW + (QN_WINDOW - 1));
    }
    return QUERN_OK;
}

/* Goes over the blocks of a list in which a document of `doc` can be, all of which are marked in
 * `other`. Those met are put into `spare`, or with `wanted` false unmarked. */
static quern_status meet_blocks(qn_count_sets *sets, const qn_postings *list, bool wanted,
                                size_t *n_met, quern_error *error)
{
    const qn_count_kernels *kernels = sets->kernels;
    uint32_t docs[QN_BLOCK_ROOM];
    uint32_t passed = 0; /* all documents of the blocks so far are below it */
    size_t at = 0;
    *n_met = 0;
    for (uint32_t block = 0; at < sets->n_docs; block++) {
        if (block < list->n_blocks)
            block = qn_postings_find_block(list, block, sets->doc[at]);
        if (block >= list->n_blocks)
            break;
        const uint8_t *tf_at;
        quern_status status = qn_postings_docs(list, block, docs, &tf_at, error);
        if (status != QUERN_OK)
            return status;
        size_t n = qn_postings_block_n(list, block);
        /* Blocks were left out, so that decoding alone does not see to it. */
        if (docs[0] < passed)
            return qn_container_damaged(&list->segment->index, "posting blocks are out of order",
                                        error);
        passed = docs[n - 1] + 1;
        if (wanted)
            *n_met +=
                kernels->filter((const uint8_t *)sets->other, docs, n, true, sets->spare + *n_met);
        else
            kernels->unmark(sets->other, docs, n);
        at = pass(sets->doc, at, sets->n_docs, docs[n - 1]);
    }
    return QUERN_OK;
}

quern_status qn_count_sets_filter(qn_count_sets *sets, const qn_postings *list, bool wanted,
                                  quern_error *error)
{
    const qn_count_kernels *kernels = sets->kernels;
    if (list->dense) {
        sets->n_docs = kernels->filter(list->bitmap, sets->doc, sets->n_docs, wanted, sets->doc);
        return QUERN_OK;
    }
    if (!grow_docs(&sets->spare, &sets->spare_cap, sets->n_docs))
        return qn_fail_memory(error);
    size_t n = 0;
    kernels->mark(sets->other, sets->doc, sets->n_docs);
    quern_status status = (list->coded ? meet_windows : meet_blocks)(sets, list, wanted, &n, error);
    if (!wanted)
        n = kernels->filter((const uint8_t *)sets->other, sets->doc, sets->n_docs, true,
                            sets->spare);
    kernels->unmark(sets->other, sets->doc, sets->n_docs);
    uint32_t *docs = sets->doc;
    size_t cap = sets->doc_cap;
    sets->doc = sets->spare;
    sets->doc_cap = sets->spare_cap;
    sets->n_docs = n;
    sets->spare = docs;
    sets->spare_cap = cap;
    return status;
}

/* ---- intersections ---- */

/* The shortest list that is no bitmap first, then bitmaps, then the others; the shorter first. */
static bool goes_before(const qn_postings *a, const qn_postings *b)
{
    return a->dense != b->dense ? a->dense : a->df < b->df;
}

static void order(const qn_postings **list, size_t n)
{
    size_t first = 0;
    for (size_t i = 1; i < n; i++)
        if (list[first]->dense ? !list[i]->dense || list[i]->df < list[first]->df
                               : !list[i]->dense && list[i]->df < list[first]->df)
            first = i;
    const qn_postings *lead = list[first];
    list[first] = list[0];
    list[0] = lead;
    for (size_t i = 2; i < n; i++) {
        const qn_postings *moved = list[i];
        size_t at = i;
        for (; at > 1 && goes_before(moved, list[at - 1]); at--)
            list[at] = list[at - 1];
        list[at] = moved;
    }
}

quern_status qn_count_sets_intersect(qn_count_sets *sets, const qn_postings **list, size_t n,
                                     bool *words, quern_error *error)
{
    order(list, n);
    *words = list[0]->dense;
    if (*words) {
        sets->kernels->add(sets->other, list[0]->bitmap, sets->n_words);
        for (size_t i = 1; i < n; i++)
            sets->kernels->keep(sets->other, list[i]->bitmap, sets->n_words);
        return QUERN_OK;
    }
    sets->n_docs = 0;
    quern_status status = qn_count_sets_decode(sets, list[0], NULL, 0, error);
    for (size_t i = 1; status == QUERN_OK && sets->n_docs > 0 && i < n; i++)
        status = qn_count_sets_filter(sets, list[i], true, error);
    return status;
}
