/* Reading coded lists: see coded.h. Nothing read is trusted: a rank is never taken past df, a bit
 * never past the last document, and a malformed list gives QUERN_E_DAMAGED or wrong answers, no
 * access out of bounds. */
#include "index/segment/coded.h"

#include "index/base/status.h"

static uint64_t align(uint64_t at)
{
    return (at + 63) & ~(uint64_t)63;
}

qn_coded_layout qn_coded_layout_of(uint64_t offset, uint32_t df, uint32_t n_windows, bool dense,
                                   uint32_t n_exceptions, uint32_t tf_width)
{
    qn_coded_layout at;
    at.header = align(offset) - offset;
    at.codes = at.header + QN_CODED_HEADER;
    at.tables = align(offset + at.codes + ((uint64_t)df + 1) / 2) - offset;
    at.low = at.tables + (uint64_t)n_windows * (dense ? 64 * 8 + 8 * 4 : 4 + 2 * QN_GROUPS);
    at.starts = at.low + (dense ? 0 : df);
    at.exceptions = at.starts + 4 * (((uint64_t)df + QN_EXCEPTIONS_STEP - 1) / QN_EXCEPTIONS_STEP);
    at.tfs = at.exceptions + 4 * (uint64_t)n_exceptions;
    at.end = at.tfs + (uint64_t)tf_width * n_exceptions;
    return at;
}

static quern_status damaged(const qn_postings *list, const char *what, quern_error *error)
{
    return qn_container_damaged(&list->segment->index, what, error);
}

static quern_status open_classes(qn_postings *list, const uint8_t *header, quern_error *error)
{
    for (unsigned i = 0; i < QN_CODES; i++) {
        const uint8_t *at = header + QN_CODED_CLASSES + 4 * (size_t)i;
        list->class[i] = (qn_code_class){qn_load_u16(at), at[2], at[3] == 1};
        if (at[3] > 1 || (i == 0 && qn_load_u32(at) != 0) || (at[3] == 1 && qn_load_u16(at) == 0))
            return damaged(list, "a list's classes are malformed", error);
    }
    return QUERN_OK;
}

/* No bit may stand for a document that there is not. */
static bool ends_clean(const qn_postings *list)
{
    uint32_t n_docs = list->segment->meta.n_docs, word = n_docs / 64;
    uint32_t n_words = list->segment->n_windows * 64;
    uint64_t wrong = 0;
    if (word < n_words)
        wrong = qn_load_u64(list->bitmap + 8 * (size_t)word) >> (n_docs % 64);
    while (++word < n_words)
        wrong |= qn_load_u64(list->bitmap + 8 * (size_t)word);
    return wrong == 0;
}

/* Likewise of groups: those of the last window from the last document's on. */
static bool groups_end_clean(const qn_postings *list)
{
    uint32_t n_docs = list->segment->meta.n_docs, from, to;
    for (uint32_t g = n_docs / QN_GROUP; g < list->segment->n_windows * QN_GROUPS; g++) {
        qn_coded_group(list, g, &from, &to);
        for (; from < to; from++)
            if (g * QN_GROUP + list->low[from] >= n_docs)
                return false;
    }
    return true;
}

quern_status qn_coded_open(qn_postings *list, quern_error *error)
{
    const qn_segment *segment = list->segment;
    const qn_term_info *info = &list->info;
    const uint8_t *at = segment->postings.data + info->postings_off;
    list->coded = true;
    list->dense = list->df >= segment->meta.dense_df;
    qn_coded_layout layout =
        qn_coded_layout_of(info->postings_off, list->df, segment->n_windows, list->dense, 0, 1);
    if (info->postings_len < layout.end)
        return damaged(list, "a coded list is shorter than its tables", error);
    const uint8_t *header = at + layout.header;
    list->n_exceptions = qn_load_u32(header + QN_CODED_N_EXCEPTIONS);
    list->tf_width = header[QN_CODED_TF_WIDTH];
    if (list->tf_width != 1 && list->tf_width != 2 && list->tf_width != 4)
        return damaged(list, "a coded list's header is malformed", error);
    layout = qn_coded_layout_of(info->postings_off, list->df, segment->n_windows, list->dense,
                                list->n_exceptions, list->tf_width);
    if (info->postings_len != layout.end)
        return damaged(list, "a coded list has another length than its parts", error);
    list->codes = at + layout.codes;
    list->exception_start = at + layout.starts;
    list->exception = at + layout.exceptions;
    list->exception_tf = at + layout.tfs;
    list->low = at + layout.low;
    memcpy(list->level, header + QN_CODED_LEVELS, sizeof list->level);
    if (!qn_levels_sound(list->level))
        return damaged(list, "a coded list's levels do not ascend", error);
    quern_status status = qn_postings_open_trailer(list, header + QN_CODED_MAX_PART, error);
    if (status == QUERN_OK)
        status = open_classes(list, header, error);
    if (status != QUERN_OK)
        return status;
    const uint8_t *tables = at + layout.tables;
    size_t n_windows = segment->n_windows;
    if (list->dense) {
        list->bitmap = tables;
        list->rank = tables + n_windows * 64 * 8;
    } else {
        list->rank = tables;
        list->start = tables + n_windows * 4;
    }
    return (list->dense ? ends_clean(list) : groups_end_clean(list))
               ? QUERN_OK
               : damaged(list, "a coded list goes past the last document", error);
}

/* ---- documents of a bitmap ---- */

/* The last of n numbers of the list's ranks that is at most `rank`. */
static uint32_t find_rank(const qn_postings *list, uint32_t n, uint32_t rank)
{
    uint32_t low = 0, high = n;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (qn_load_u32(list->rank + 4 * (size_t)middle) <= rank)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static quern_status dense_docs(const qn_postings *list, uint32_t block, uint32_t *docs,
                               quern_error *error)
{
    uint32_t first = block * QN_BLOCK, n = qn_postings_block_n(list, block);
    uint32_t line = find_rank(list, list->segment->n_windows * 8, first);
    uint32_t n_words = list->segment->n_windows * 64;
    uint32_t at = qn_load_u32(list->rank + 4 * (size_t)line), found = 0;
    if (at > first || first - at > 512)
        return damaged(list, "a bitmap's ranks are out of order", error);
    uint32_t skip = first - at;
    for (uint32_t word = line * 8; word < n_words && found < n; word++) {
        uint64_t bits = qn_load_u64(list->bitmap + 8 * (size_t)word);
        uint32_t count = (uint32_t)__builtin_popcountll(bits);
        /* Held against the ranks, so that a forged bitmap cannot be walked again and again. */
        if (word % 8 == 0 && qn_load_u32(list->rank + 4 * (size_t)(word / 8)) != at)
            return damaged(list, "a bitmap and its ranks differ", error);
        at += count;
        if (skip >= count) {
            skip -= count;
            continue;
        }
        for (; skip > 0; skip--)
            bits &= bits - 1;
        for (; bits != 0 && found < n; bits &= bits - 1)
            docs[found++] = word * 64 + (uint32_t)__builtin_ctzll(bits);
    }
    return found == n ? QUERN_OK : damaged(list, "a bitmap has too few documents", error);
}

/* ---- documents in groups ---- */

/* The documents of the postings [i, to) of a group whose first is `from`. */
static quern_status group_part(const qn_postings *list, uint32_t group, uint32_t i, uint32_t from,
                               uint32_t to, uint32_t *docs, quern_error *error)
{
    uint32_t least = i > from ? list->low[i - 1] + 1u : 0;
    for (uint32_t n = 0; i < to; i++, n++) {
        uint32_t low = list->low[i];
        docs[n] = group * QN_GROUP + low;
        if (low < least)
            return damaged(list, "documents of a group do not ascend", error);
        least = low + 1;
    }
    return QUERN_OK;
}

/*
 * The block's first posting is in the window that the bases tell, no group before it has later
 * ones, and the others follow without a gap; or forged groups could be walked again and again, and
 * a block begin before the last one's end: which window the bases tell ascends with postings,
 * whatever they are, and the walk of one block would have met the group in which the next begins.
 * That no document is past the last qn_coded_open has seen.
 */
static quern_status group_docs(const qn_postings *list, uint32_t block, uint32_t *docs,
                               quern_error *error)
{
    uint32_t at = block * QN_BLOCK, end = at + qn_postings_block_n(list, block);
    uint32_t n_windows = list->segment->n_windows, n_groups = n_windows * QN_GROUPS;
    uint32_t group = find_rank(list, n_windows, at) * QN_GROUPS, stop = group + QN_GROUPS;
    bool found = false;
    for (; group < (found ? n_groups : stop) && at < end; group++) {
        uint32_t from, to;
        qn_coded_group(list, group, &from, &to);
        if (from == to || (!found && to <= at))
            continue;
        if (found ? from != at : from > at)
            return damaged(list, "groups do not follow one another", error);
        to = to < end ? to : end;
        quern_status status = group_part(list, group, at, from, to, docs, error);
        if (status != QUERN_OK)
            return status;
        docs += to - at;
        at = to;
        found = true;
    }
    return at == end ? QUERN_OK : damaged(list, "the groups have too few documents", error);
}

static uint32_t group_rank(const qn_postings *list, uint32_t doc)
{
    uint32_t from, to;
    qn_coded_group(list, doc / QN_GROUP, &from, &to);
    if (from == to) { /* an empty group starts where the next one does */
        uint32_t window = doc / QN_WINDOW;
        uint64_t rank = (uint64_t)qn_load_u32(list->rank + 4 * (size_t)window) +
                        qn_load_u16(list->start + 2 * (size_t)(doc / QN_GROUP));
        return rank < list->df ? (uint32_t)rank : list->df;
    }
    while (from < to && list->low[from] < doc % QN_GROUP)
        from++;
    return from;
}

/* ---- either ---- */

quern_status qn_coded_docs(const qn_postings *list, uint32_t block, uint32_t *docs,
                           quern_error *error)
{
    return list->dense ? dense_docs(list, block, docs, error)
                       : group_docs(list, block, docs, error);
}

uint32_t qn_coded_find_block(const qn_postings *list, uint32_t doc)
{
    if (doc >= list->segment->meta.n_docs)
        return list->n_blocks;
    uint32_t rank = list->dense ? qn_dense_rank(list, doc) : group_rank(list, doc);
    return rank < list->df ? rank / QN_BLOCK : list->n_blocks;
}

/* ---- tf ---- */

/* The first exception of a posting >= i. */
static uint32_t find_exception(const qn_postings *list, uint32_t i)
{
    uint32_t step = i / QN_EXCEPTIONS_STEP, end = list->n_exceptions;
    uint32_t low = qn_load_u32(list->exception_start + 4 * (size_t)step);
    if ((uint64_t)(step + 1) * QN_EXCEPTIONS_STEP < list->df)
        end = qn_load_u32(list->exception_start + 4 * ((size_t)step + 1));
    if (end > list->n_exceptions || low > end) /* in forged bytes */
        return list->n_exceptions;
    for (uint32_t n = end - low; n > 0;) {
        uint32_t half = n / 2;
        bool below = qn_load_u32(list->exception + 4 * (size_t)(low + half)) < i;
        low += below ? half + 1 : 0;
        n = below ? n - half - 1 : half;
    }
    return low;
}

static uint32_t exception_tf(const qn_postings *list, uint32_t e)
{
    const uint8_t *at = list->exception_tf + (size_t)e * list->tf_width;
    return list->tf_width == 1 ? *at : list->tf_width == 2 ? qn_load_u16(at) : qn_load_u32(at);
}

uint32_t qn_coded_exception(const qn_postings *list, uint32_t i)
{
    uint32_t e = find_exception(list, i);
    return e < list->n_exceptions && qn_load_u32(list->exception + 4 * (size_t)e) == i
               ? exception_tf(list, e)
               : 0;
}

quern_status qn_coded_sum_exceptions(const qn_postings *list, uint32_t block, uint32_t n,
                                     uint32_t n_before, uint64_t *total, uint64_t *before,
                                     quern_error *error)
{
    uint32_t first = block * QN_BLOCK, e = find_exception(list, first);
    *total = *before = 0;
    if (n > list->n_exceptions - e ||
        (n > 0 && qn_load_u32(list->exception + 4 * (size_t)(e + n - 1)) - first >= QN_BLOCK))
        return damaged(list, "a posting has neither a tf nor an exception", error);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t tf = exception_tf(list, e + i);
        *total += tf;
        *before += i < n_before ? tf : 0;
    }
    return QUERN_OK;
}

quern_status qn_coded_tfs(const qn_postings *list, uint32_t block, uint32_t *tfs,
                          quern_error *error)
{
    uint32_t first = block * QN_BLOCK, n = qn_postings_block_n(list, block);
    uint32_t tf_of[QN_CODES], inexact = 0;
    for (unsigned c = 0; c < QN_CODES; c++)
        tf_of[c] = list->class[c].exact ? list->class[c].tf : 0;
    for (uint32_t i = 0; i < n; i++) {
        tfs[i] = tf_of[qn_coded_code(list, first + i)];
        inexact |= tfs[i] == 0;
    }
    if (inexact == 0)
        return QUERN_OK;
    uint32_t e = find_exception(list, first);
    for (; e < list->n_exceptions; e++) {
        uint32_t i = qn_load_u32(list->exception + 4 * (size_t)e) - first;
        if (i >= n || tfs[i] != 0)
            break;
        tfs[i] = exception_tf(list, e);
    }
    for (uint32_t i = 0; i < n; i++)
        if (tfs[i] == 0)
            return damaged(list, "a posting has neither a tf nor an exception", error);
    return QUERN_OK;
}
