/*
 * Folding: what each code point is to the tokenizer, its lower case, and NFKC. The only file that
 * includes utf8proc.
 *
 * NFKC is needed only where a text is not in that form already, which real text hardly ever is. So
 * text is cut into *spans*, each of which can be normalised by itself, and most spans are one code
 * point that normalises to itself. A span ends before every code point that is a *boundary*: its
 * full decomposition begins with a starter (canonical combining class 0) that is never the second
 * of a primary composite. Nothing is reordered across a starter, and such a starter composes with
 * nothing before it, so NFKC(span span) = NFKC(span) NFKC(span) (Unicode Standard Annex 15, 9.1
 * "Stable Code Points"). All of ASCII is a boundary, so nothing ever composes across a space.
 *
 * Properties come from utf8proc for pages of 256 code points when one is first asked for, and are
 * kept: 1 KiB a page, except that pages of one kind throughout (Han, Hangul, the unassigned) share.
 *
 * A qn_fold belongs to one thread.
 */
#ifndef QN_TEXT_FOLD_H
#define QN_TEXT_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a code point (of normalised text) is in the grammar of words. */
typedef enum qn_fold_kind {
    QN_FOLD_NONE = 0,       /* between words */
    QN_FOLD_WORD = 1,       /* a letter or number */
    QN_FOLD_MARK = 2,       /* a mark: continues a word */
    QN_FOLD_APOSTROPHE = 3, /* ' or U+2019: joins two words */
    QN_FOLD_BIGRAM = 4      /* Han, Kana, Hangul, Thai: letter, number or mark of a bigram run */
} qn_fold_kind;

/* Properties of one code point in a word: bits 0..20 its lower case (0: itself), 21..23 its kind,
 * and flags. */
typedef uint32_t qn_fold_info;

#define QN_FOLD_STABLE   ((qn_fold_info)1 << 24) /* alone, it normalises to itself */
#define QN_FOLD_BOUNDARY ((qn_fold_info)1 << 25) /* a span ends before it */
#define QN_FOLD_INERT                                                                              \
    ((qn_fold_info)1 << 26)                   /* a stable mark that composes with nothing before   \
                                               */
#define QN_FOLD_KNOWN ((qn_fold_info)1 << 31) /* set in every info: 0 says out of memory */

static inline qn_fold_kind qn_fold_kind_of(qn_fold_info info)
{
    return (qn_fold_kind)(info >> 21 & 7);
}

/* The one-to-one lower case of `point`, whose info this is. */
static inline uint32_t qn_fold_lower(qn_fold_info info, uint32_t point)
{
    uint32_t lower = info & 0x1FFFFF;
    return lower != 0 ? lower : point;
}

enum {
    QN_FOLD_PAGES = 0x110000 / 256,
    /* Code points after which a span had better be cut, so that hostile text does not take memory
     * in proportion. Only where so many marks follow one character does that differ from NFKC. */
    QN_FOLD_SPAN_MAX = 16384
};

typedef struct qn_fold {
    const qn_fold_info *page[QN_FOLD_PAGES]; /* NULL: not asked for yet */
    qn_fold_info **uniform;                  /* pages whose 256 infos are alike, shared */
    size_t n_uniform, uniform_cap;
    int32_t *span, *sorted; /* decomposed code points of the span being normalised; scratch */
    size_t n, span_cap, sorted_cap;
} qn_fold;

/* NULL when memory is short. */
qn_fold *qn_fold_new(void);
void qn_fold_free(qn_fold *fold);

/* Fills the page of `point`; its info, or 0 when memory is short. */
qn_fold_info qn_fold_load(qn_fold *fold, uint32_t point);

/* The info of a code point up to U+10FFFF; 0 when memory is short. */
static inline qn_fold_info qn_fold_look(qn_fold *fold, uint32_t point)
{
    const qn_fold_info *page = fold->page[point >> 8];
    return page != NULL ? page[point & 255] : qn_fold_load(fold, point);
}

/* Normalising a span: clear, add its code points one by one (false when memory is short), and
 * finish, which gives the `fold->n` code points of its NFKC, valid until the next clear. Time is
 * linear in the code points. */
static inline void qn_fold_span_clear(qn_fold *fold)
{
    fold->n = 0;
}
bool qn_fold_span_add(qn_fold *fold, uint32_t point);
bool qn_fold_span_finish(qn_fold *fold);

/* "15.0.0": the Unicode version of utf8proc's tables. */
const char *qn_fold_unicode_version(void);

#endif
