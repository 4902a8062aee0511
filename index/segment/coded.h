/*
 * The extent in POSTINGS of a coded list: one of a frequent term (df >= coded_df), whose postings
 * have codes (codes.h) in place of a stream of tf. The densest (df >= dense_df) are bitmaps, so
 * that an evaluator comes to any 64 documents of them at once; the others are grouped by 256
 * documents, so that it comes to any group at once, and in it to a byte a posting.
 *
 *     coded  := zeros to a multiple of 64, header, codes(u4){df}, zeros to a multiple of 64,
 *               (bitmap(u64){64 W} rank(u32){8 W} | base(u32){W} start(u16){16 W} low(u8){df})
 *               except
 *
 *     header := class(4 bytes){16} max_part(f32) seed(u16){8} n_exceptions(u32) tf_width(u8)
 * 0(u8){7} level(u8){16} 0(u8){16}
 *
 *     except := before(u32){ceil(df / 256)} index(u32){n_exceptions}
 *               tf(u8, u16 or u32){n_exceptions}
 *
 * with W windows of 4,096 documents. rank[i] is how many documents below 512 i the list has;
 * base[w] how many below 4,096 w, and start[g] how many more below 256 g, g being a group of that
 * window; low is the low byte of each document. Posting i's code is in byte i / 2, the low half
 * first. index and tf tell of the postings whose class is not exact, ascending; before[i] how many
 * of these come before posting 256 i. FORMAT.md, "Coded lists", has the reasons.
 *
 * coded.c reads, coded_writer.c writes.
 */
#ifndef QN_SEGMENT_CODED_H
#define QN_SEGMENT_CODED_H

#include "index/segment/codes.h"
#include "index/segment/postings.h"

/* Where the header's fields stand. */
enum {
    QN_CODED_CLASSES = 0,
    QN_CODED_MAX_PART = 64,
    QN_CODED_SEEDS = 68,
    QN_CODED_N_EXCEPTIONS = 68 + 2 * QN_SEEDS,
    QN_CODED_TF_WIDTH = QN_CODED_N_EXCEPTIONS + 4,
    QN_CODED_LEVELS = 96,
    QN_CODED_HEADER = 128
};

/* What bytes a coded extent has, counted from its start. */
typedef struct qn_coded_layout {
    uint64_t header, codes, tables, low, starts, exceptions, tfs, end;
} qn_coded_layout;

/* Documents of a group, and groups of a window. */
enum { QN_EXCEPTIONS_STEP = 256 };
enum { QN_GROUP = 256, QN_GROUPS = QN_WINDOW / QN_GROUP };

/* `offset`: where the extent starts in POSTINGS. */
qn_coded_layout qn_coded_layout_of(uint64_t offset, uint32_t df, uint32_t n_windows, bool dense,
                                   uint32_t n_exceptions, uint32_t tf_width);

/* Opens one: fills all of `list` but what qn_postings_open has set. QUERN_E_DAMAGED. */
quern_status qn_coded_open(qn_postings *list, quern_error *error);

/* As qn_postings_find_block and qn_postings_docs. */
uint32_t qn_coded_find_block(const qn_postings *list, uint32_t doc);
quern_status qn_coded_docs(const qn_postings *list, uint32_t block, uint32_t *docs,
                           quern_error *error);

/* The postings [*from, *to) of a group of a list that is not dense: number `group` among those of
 * all windows. Empty where the bytes are malformed; never past df, nor more than QN_GROUP of them.
 */
static inline void qn_coded_group(const qn_postings *list, uint32_t group, uint32_t *from,
                                  uint32_t *to)
{
    uint32_t window = group / QN_GROUPS, next = group + 1;
    uint64_t base = qn_load_u32(list->rank + 4 * (size_t)window);
    uint64_t first = base + qn_load_u16(list->start + 2 * (size_t)group), end = list->df;
    if (next % QN_GROUPS != 0)
        end = base + qn_load_u16(list->start + 2 * (size_t)next);
    else if (next / QN_GROUPS < list->segment->n_windows)
        end = qn_load_u32(list->rank + 4 * (size_t)(next / QN_GROUPS));
    bool good = end <= list->df && first <= end && end - first <= QN_GROUP;
    *from = good ? (uint32_t)first : 0;
    *to = good ? (uint32_t)end : 0;
}

/* As qn_postings_tfs. */
quern_status qn_coded_tfs(const qn_postings *list, uint32_t block, uint32_t *tfs,
                          quern_error *error);

/* How many documents below `doc` (at most n_docs, as far as the bitmap goes) a dense list has;
 * never more than df, whatever the bytes say. */
static inline uint32_t qn_dense_rank(const qn_postings *list, uint32_t doc)
{
    uint32_t line = doc >> 9, word = doc >> 6;
    uint64_t rank = qn_load_u32(list->rank + 4 * (size_t)line);
    for (uint32_t i = line * 8; i < word; i++)
        rank += (uint64_t)__builtin_popcountll(qn_load_u64(list->bitmap + 8 * (size_t)i));
    uint64_t below = ((uint64_t)1 << (doc & 63)) - 1;
    rank += (uint64_t)__builtin_popcountll(qn_load_u64(list->bitmap + 8 * (size_t)word) & below);
    return rank < list->df ? (uint32_t)rank : list->df;
}

/* The code of posting i < df. */
static inline unsigned qn_coded_code(const qn_postings *list, uint32_t i)
{
    return list->codes[i / 2] >> (i % 2 * 4) & 15;
}

/* The tf of a block's n postings of classes that are not exact, summed, and of the first n_before
 * of them. QUERN_E_DAMAGED if there are not as many. */
quern_status qn_coded_sum_exceptions(const qn_postings *list, uint32_t block, uint32_t n,
                                     uint32_t n_before, uint64_t *total, uint64_t *before,
                                     quern_error *error);

/* The tf of posting i < df, exact; 0 if the bytes are malformed. */
uint32_t qn_coded_exception(const qn_postings *list, uint32_t i);

static inline uint32_t qn_coded_tf(const qn_postings *list, uint32_t i)
{
    const qn_code_class *class = &list->class[qn_coded_code(list, i)];
    return __builtin_expect(class->exact, 1) ? class->tf : qn_coded_exception(list, i);
}

#endif
