/*
 * The extent in POSTINGS of a coded list: one of a frequent term (df >= coded_df), whose postings
 * have codes (codes.h) in place of a stream of tf. The densest (df >= dense_df) are bitmaps, so
 * that an evaluator comes to any 64 documents of them at once; the others are blocks of gaps.
 *
 *     coded  := zeros to a multiple of 64, header, codes(u4){df}, zeros to a multiple of 64, lists
 *     lists  := bitmap(u64){64 W} rank(u32){8 W} except
 *             | last_doc(u32){n} end(u32){n} except docs{n}
 *     header := class(4 bytes){16} max_part(f32) seed(u16){8}
 *               n_exceptions(u32) tf_width(u8) zeros
 *     except := index(u32){n_exceptions} tf(u8, u16 or u32){n_exceptions}
 *
 * with W windows of 4,096 documents and n = ceil(df / 128) blocks. rank[i] is how many documents
 * below 512 i the list has. Posting i's code is in byte i / 2, the low half first. index and tf
 * tell of the postings whose class is not exact, ascending. FORMAT.md,
 * "Coded lists", has the reasons.
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
    QN_CODED_HEADER = 128
};

/* What bytes a coded extent has, from its start; `docs` ends with the extent. */
typedef struct qn_coded_layout {
    uint64_t header, codes, tables, exceptions, tfs, docs;
} qn_coded_layout;

/* `offset`: where the extent starts in POSTINGS. */
qn_coded_layout qn_coded_layout_of(uint64_t offset, uint32_t df, uint32_t n_windows, bool dense,
                                   uint32_t n_exceptions, uint32_t tf_width);

/* Opens one: fills all of `list` but what qn_postings_open has set. QUERN_E_DAMAGED. */
quern_status qn_coded_open(qn_postings *list, quern_error *error);

/* As qn_postings_find_block and qn_postings_docs, of a dense list. */
uint32_t qn_dense_find_block(const qn_postings *list, uint32_t doc);
quern_status qn_dense_docs(const qn_postings *list, uint32_t block, uint32_t *docs,
                           quern_error *error);

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

/* The tf of posting i < df, exact; 0 if the bytes are malformed. */
uint32_t qn_coded_exception(const qn_postings *list, uint32_t i);

static inline uint32_t qn_coded_tf(const qn_postings *list, uint32_t i)
{
    const qn_code_class *class = &list->class[qn_coded_code(list, i)];
    return __builtin_expect(class->exact, 1) ? class->tf : qn_coded_exception(list, i);
}

#endif
