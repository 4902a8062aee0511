/* Folding: properties of code points, lower case and NFKC, over utf8proc. */
#include "index/text/fold.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "index/base/buffer.h"

enum {
    PAGE = 256,
    /* The longest compatibility decomposition is U+FDFA's 18, and none may grow by the stability
     * policy; qn_fold_span_add checks nevertheless. */
    DECOMPOSED_MAX = 32,
    SHORT_RUN = 16 /* marks in a row that are sorted by insertion */
};

/* STABLE: respect the composition exclusions, as NFKC demands. */
static const utf8proc_option_t NFKC = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT;

qn_fold *qn_fold_new(void)
{
    return calloc(1, sizeof(qn_fold));
}

static bool is_uniform(const qn_fold *fold, const qn_fold_info *page)
{
    for (size_t i = 0; i < fold->n_uniform; i++)
        if (fold->uniform[i] == page)
            return true;
    return false;
}

void qn_fold_free(qn_fold *fold)
{
    if (fold == NULL)
        return;
    for (size_t i = 0; i < QN_FOLD_PAGES; i++)
        if (fold->page[i] != NULL && !is_uniform(fold, fold->page[i]))
            free((void *)(uintptr_t)fold->page[i]);
    for (size_t i = 0; i < fold->n_uniform; i++)
        free(fold->uniform[i]);
    free(fold->uniform);
    free(fold->span);
    free(fold->sorted);
    free(fold);
}

/* ---- properties ---- */

static int combining_class(int32_t point)
{
    return utf8proc_get_property(point)->combining_class;
}

/* Whether a primary composite has it in second place. utf8proc knows, but tells only in a field
 * that its 2.10 renamed. Hangul is algorithmic. */
static bool is_second(int32_t point)
{
    if ((point >= 0x1161 && point <= 0x1175) || (point >= 0x11A8 && point <= 0x11C2))
        return true;
    const utf8proc_property_t *property = utf8proc_get_property(point);
#if UTF8PROC_VERSION_MAJOR > 2 || UTF8PROC_VERSION_MINOR >= 10
    return property->comb_issecond != 0;
#else
    return property->comb_index != UINT16_MAX && property->comb_index >= 0x8000;
#endif
}

/* Runs of these become bigrams: their words are not set apart by spaces. Blocks, not scripts, so
 * that a mark or digit between two such characters does not break the run unless it lies outside.
 * The blocks are those of Thai, Hiragana and Katakana, CJK ideographs with extension A, Hangul
 * syllables, the compatibility ideographs, and the ideographic planes up to extension H. */
static bool is_bigram_block(uint32_t point)
{
    return (point >= 0x0E00 && point <= 0x0E7F) || (point >= 0x3040 && point <= 0x30FF) ||
           (point >= 0x3400 && point <= 0x9FFF) || (point >= 0xAC00 && point <= 0xD7AF) ||
           (point >= 0xF900 && point <= 0xFAFF) || (point >= 0x20000 && point <= 0x323AF);
}

static qn_fold_kind kind_of(uint32_t point)
{
    if (point == '\'' || point == 0x2019)
        return QN_FOLD_APOSTROPHE;
    switch (utf8proc_get_property((int32_t)point)->category) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return is_bigram_block(point) ? QN_FOLD_BIGRAM : QN_FOLD_WORD;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
        return is_bigram_block(point) ? QN_FOLD_BIGRAM : QN_FOLD_MARK;
    default:
        return QN_FOLD_NONE;
    }
}

/* ---- NFKC ---- */

/* The full decomposition of one code point; how many code points that is. */
static size_t decompose(uint32_t point, int32_t out[DECOMPOSED_MAX])
{
    int boundclass = UTF8PROC_BOUNDCLASS_START; /* utf8proc wants it; used for graphemes only */
    utf8proc_ssize_t n =
        utf8proc_decompose_char((int32_t)point, out, DECOMPOSED_MAX, NFKC, &boundclass);
    if (n < 1 || n > DECOMPOSED_MAX) { /* never, see DECOMPOSED_MAX */
        out[0] = (int32_t)point;
        return 1;
    }
    return (size_t)n;
}

static void sort_few(int32_t *run, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        int32_t point = run[i];
        int rank = combining_class(point);
        size_t j = i;
        for (; j > 0 && combining_class(run[j - 1]) > rank; j--)
            run[j] = run[j - 1];
        run[j] = point;
    }
}

static bool sort_many(qn_fold *fold, int32_t *run, size_t n)
{
    void *sorted = fold->sorted;
    if (!qn_array_grow(&sorted, &fold->sorted_cap, n, sizeof *fold->sorted))
        return false;
    fold->sorted = sorted;
    size_t place[257] = {0}; /* [c + 1]: marks of class c; then [c]: where those of class c go */
    for (size_t i = 0; i < n; i++)
        place[(combining_class(run[i]) & 255) + 1]++;
    for (size_t c = 1; c < 257; c++)
        place[c] += place[c - 1];
    for (size_t i = 0; i < n; i++)
        fold->sorted[place[combining_class(run[i]) & 255]++] = run[i];
    memcpy(run, fold->sorted, n * sizeof *run);
    return true;
}

/* Canonical ordering: sorts each run of marks by combining class, equal ones in order. Long runs
 * are sorted by counting, so that ten thousand marks on one letter take linear time (utf8proc's own
 * is a bubble sort). */
static bool order(qn_fold *fold, int32_t *points, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t end = i;
        while (end < n && combining_class(points[end]) != 0)
            end++;
        if (end - i > SHORT_RUN) {
            if (!sort_many(fold, points + i, end - i))
                return false;
        } else if (end - i > 1) {
            sort_few(points + i, end - i);
        }
        i = end;
    }
    return true;
}

/* Composes in place; the new length. utf8proc up to 2.8 takes U+11A7, the code point before the
 * first trailing consonant, for one, and drops it after a Hangul syllable. It composes with
 * nothing, so each one begins a part that is composed by itself. */
static size_t compose(int32_t *points, size_t n)
{
    size_t out = 0;
    for (size_t start = 0; start < n;) {
        size_t end = start + 1;
        while (end < n && points[end] != 0x11A7)
            end++;
        utf8proc_ssize_t len =
            utf8proc_normalize_utf32(points + start, (utf8proc_ssize_t)(end - start), NFKC);
        memmove(points + out, points + start, (size_t)len * sizeof *points);
        out += (size_t)len;
        start = end;
    }
    return out;
}

bool qn_fold_span_add(qn_fold *fold, uint32_t point)
{
    void *span = fold->span;
    if (!qn_array_grow(&span, &fold->span_cap, fold->n + DECOMPOSED_MAX, sizeof *fold->span))
        return false;
    fold->span = span;
    fold->n += decompose(point, fold->span + fold->n);
    return true;
}

bool qn_fold_span_finish(qn_fold *fold)
{
    if (fold->n > 1) {
        if (!order(fold, fold->span, fold->n))
            return false;
        fold->n = compose(fold->span, fold->n);
    }
    return true;
}

/* ---- pages of properties ---- */

static qn_fold_info derive(uint32_t point)
{
    qn_fold_info info = QN_FOLD_KNOWN | (qn_fold_info)kind_of(point) << 21;
    int32_t lower = utf8proc_tolower((int32_t)point);
    if (lower != (int32_t)point)
        info |= (qn_fold_info)lower;
    int32_t points[DECOMPOSED_MAX];
    size_t n = decompose(point, points);
    bool starter = combining_class(points[0]) == 0;
    bool second = is_second(points[0]);
    if (starter && !second)
        info |= QN_FOLD_BOUNDARY;
    sort_few(points, n);
    if (compose(points, n) == 1 && points[0] == (int32_t)point) {
        info |= QN_FOLD_STABLE;
        if (!starter && !second)
            info |= QN_FOLD_INERT;
    }
    return info;
}

/* The shared page of which every info is `info`; NULL when memory is short. */
static const qn_fold_info *uniform_page(qn_fold *fold, qn_fold_info info)
{
    for (size_t i = 0; i < fold->n_uniform; i++)
        if (fold->uniform[i][0] == info)
            return fold->uniform[i];
    void *list = fold->uniform;
    if (!qn_array_grow(&list, &fold->uniform_cap, fold->n_uniform + 1, sizeof *fold->uniform))
        return NULL;
    fold->uniform = list;
    qn_fold_info *page = malloc(PAGE * sizeof *page);
    if (page == NULL)
        return NULL;
    for (size_t i = 0; i < PAGE; i++)
        page[i] = info;
    fold->uniform[fold->n_uniform++] = page;
    return page;
}

static const qn_fold_info *make_page(qn_fold *fold, uint32_t number)
{
    qn_fold_info infos[PAGE];
    bool uniform = true;
    for (uint32_t i = 0; i < PAGE; i++) {
        infos[i] = derive(number * PAGE + i);
        uniform = uniform && infos[i] == infos[0];
    }
    if (uniform && (infos[0] & 0x1FFFFF) == 0)
        return uniform_page(fold, infos[0]);
    qn_fold_info *page = malloc(sizeof infos);
    if (page != NULL)
        memcpy(page, infos, sizeof infos);
    return page;
}

qn_fold_info qn_fold_load(qn_fold *fold, uint32_t point)
{
    const qn_fold_info **page = &fold->page[point >> 8];
    if (*page == NULL)
        *page = make_page(fold, point >> 8);
    return *page != NULL ? (*page)[point & 255] : 0;
}

const char *qn_fold_unicode_version(void)
{
    return utf8proc_unicode_version();
}
