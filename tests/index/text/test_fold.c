/* Folding: kinds, lower case, NFKC of spans, and that spans are cut where they may be. */
#include "index/text/fold.h"

#include <stdlib.h>

#include "tests/index/text/words.h"

/* NFKC of code points (up to a 0), as one span. */
static void check_nfkc(const uint32_t *in, const uint32_t *expected)
{
    qn_fold *fold = qn_fold_new();
    cr_assert_not_null(fold);
    qn_fold_span_clear(fold);
    for (; *in != 0; in++)
        cr_assert(qn_fold_span_add(fold, *in));
    cr_assert(qn_fold_span_finish(fold));
    size_t n = 0;
    for (; expected[n] != 0; n++)
        cr_assert(n < fold->n && fold->span[n] == (int32_t)expected[n], "U+%04X at %zu",
                  expected[n], n);
    cr_assert_eq(fold->n, n);
    qn_fold_free(fold);
}

Test(fold, nfkc)
{
    static const uint32_t cases[][2][20] = {
        {{'e', 0x301}, {0xE9}},
        {{0xE9}, {0xE9}},
        {{'a', 0x323, 0x302}, {0x1EAD}},
        {{'a', 0x302, 0x323}, {0x1EAD}},      /* ordered first */
        {{'a', 0x300, 0x301}, {0xE0, 0x301}}, /* the second mark is blocked */
        {{0xFB01}, {'f', 'i'}},
        {{0xFF21, 0xFF11}, {'A', '1'}},
        {{0xFF76, 0xFF9E}, {0x30AC}},
        {{0xBD}, {'1', 0x2044, '2'}},
        {{0x1100, 0x1161, 0x11A8}, {0xAC01}},
        {{0xAC00, 0x11A8}, {0xAC01}},
        {{0xAC00, 0x11A7}, {0xAC00, 0x11A7}}, /* utf8proc 2.8 drops the second */
        {{0xAC00, 0x11A7, 0x11A8}, {0xAC00, 0x11A7, 0x11A8}},
        {{0x958}, {0x915, 0x93C}}, /* a composition exclusion */
        {{0x212B}, {0xC5}},
        {{0x344}, {0x308, 0x301}},
        {{'<', 0x338}, {0x226E}},
        {{0xF9D0}, {0x985E}},
        {{0x1D400}, {'A'}},
        {{0xFDFA},
         {0x635, 0x644, 0x649, ' ', 0x627, 0x644, 0x644, 0x647, ' ', 0x639, 0x644, 0x64A, 0x647,
          ' ', 0x648, 0x633, 0x644, 0x645}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_nfkc(cases[i][0], cases[i][1]);
}

Test(fold, long_runs_of_marks_are_ordered_like_short_ones)
{
    /* Classes 230, 220, 202, 1 and 240, in turn; sorted by class, equal ones in order. */
    static const uint32_t marks[] = {0x305, 0x316, 0x321, 0x334, 0x345, 0x306};
    static const int rank[] = {3, 2, 1, 0, 4, 3};
    for (size_t n = 1; n < 200; n++) {
        qn_fold *fold = qn_fold_new();
        cr_assert_not_null(fold);
        cr_assert(qn_fold_span_add(fold, 'z'));
        for (size_t i = 0; i < n; i++)
            cr_assert(qn_fold_span_add(fold, marks[i % 6]));
        cr_assert(qn_fold_span_finish(fold));
        cr_assert_eq(fold->n, n + 1);
        size_t at = 1;
        for (int r = 0; r <= 4; r++)
            for (size_t i = 0; i < n; i++)
                if (rank[i % 6] == r)
                    cr_assert_eq(fold->span[at++], (int32_t)marks[i % 6], "%zu marks", n);
        qn_fold_free(fold);
    }
}

Test(fold, kinds_and_lower_case)
{
    static const struct {
        uint32_t point;
        qn_fold_kind kind;
        uint32_t lower;
    } cases[] = {
        {'a', QN_FOLD_WORD, 'a'},           {'Z', QN_FOLD_WORD, 'z'},
        {'7', QN_FOLD_WORD, '7'},           {' ', QN_FOLD_NONE, ' '},
        {'\'', QN_FOLD_APOSTROPHE, '\''},   {0x2019, QN_FOLD_APOSTROPHE, 0x2019},
        {0x2018, QN_FOLD_NONE, 0x2018},     {0, QN_FOLD_NONE, 0},
        {0xC9, QN_FOLD_WORD, 0xE9},         {0x130, QN_FOLD_WORD, 'i'},
        {0x3A3, QN_FOLD_WORD, 0x3C3},       {0x1E9E, QN_FOLD_WORD, 0xDF},
        {0x23A, QN_FOLD_WORD, 0x2C65},      {0x301, QN_FOLD_MARK, 0x301},
        {0x20E3, QN_FOLD_MARK, 0x20E3},     {0x660, QN_FOLD_WORD, 0x660},
        {0x216B, QN_FOLD_WORD, 0x217B},     {0x4E00, QN_FOLD_BIGRAM, 0x4E00},
        {0x3400, QN_FOLD_BIGRAM, 0x3400},   {0x20000, QN_FOLD_BIGRAM, 0x20000},
        {0x323AF, QN_FOLD_BIGRAM, 0x323AF}, {0x30FC, QN_FOLD_BIGRAM, 0x30FC},
        {0x30FB, QN_FOLD_NONE, 0x30FB},     {0x3099, QN_FOLD_BIGRAM, 0x3099},
        {0x3005, QN_FOLD_WORD, 0x3005},     {0xAC00, QN_FOLD_BIGRAM, 0xAC00},
        {0xE01, QN_FOLD_BIGRAM, 0xE01},     {0xE48, QN_FOLD_BIGRAM, 0xE48},
        {0xE3F, QN_FOLD_NONE, 0xE3F},       {0xFEFF, QN_FOLD_NONE, 0xFEFF},
        {0xFFFD, QN_FOLD_NONE, 0xFFFD},     {0x10FFFF, QN_FOLD_NONE, 0x10FFFF},
        {0xD800, QN_FOLD_NONE, 0xD800},     {0x10400, QN_FOLD_WORD, 0x10428},
    };
    qn_fold *fold = qn_fold_new();
    cr_assert_not_null(fold);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        qn_fold_info info = qn_fold_look(fold, cases[i].point);
        cr_assert_eq(qn_fold_kind_of(info), cases[i].kind, "U+%04X", cases[i].point);
        cr_assert_eq(qn_fold_lower(info, cases[i].point), cases[i].lower, "U+%04X", cases[i].point);
    }
    qn_fold_free(fold);
}

Test(fold, ascii_needs_no_normalisation)
{
    qn_fold *fold = qn_fold_new();
    cr_assert_not_null(fold);
    for (uint32_t point = 0; point < 0x80; point++) {
        qn_fold_info info = qn_fold_look(fold, point);
        cr_assert(info & QN_FOLD_STABLE);
        cr_assert(info & QN_FOLD_BOUNDARY);
    }
    qn_fold_free(fold);
}

Test(fold, pages_of_one_kind_are_shared)
{
    qn_fold *fold = qn_fold_new();
    cr_assert_not_null(fold);
    size_t own = 0;
    for (uint32_t page = 0; page < QN_FOLD_PAGES; page++)
        cr_assert_neq(qn_fold_look(fold, page << 8), 0);
    cr_assert_eq(fold->page[0x4E], fold->page[0x9A]);
    cr_assert_eq(fold->page[0xAC], fold->page[0xD5]);
    cr_assert_eq(fold->page[0xE0], fold->page[0x10FF]);
    for (uint32_t page = 0; page < QN_FOLD_PAGES; page++) {
        bool shared = false;
        for (size_t i = 0; i < fold->n_uniform; i++)
            shared = shared || fold->page[page] == fold->uniform[i];
        own += !shared;
    }
    cr_assert_lt(own, 512, "%zu pages", own);
    qn_fold_free(fold);
}

/* Every code point that may compose with what stands before it, after bases of every script that
 * has compositions: where the two make something else than they do apart, it must not be a
 * boundary; and an inert mark must stay as it is. */
Test(fold, no_boundary_before_what_composes)
{
    static const uint32_t bases[] = {
        'a',     'e',     'n',     'o',     'u',     'A',     'O',     '<',    '=',
        0xC2,    0xE2,    0x1A0,   0x391,   0x3B1,   0x3C9,   0x415,   0x418,  0x456,
        0x627,   0x648,   0x64A,   0x6C1,   0x6D2,   0x928,   0x930,   0x9C7,  0xB47,
        0xB92,   0xBC6,   0xBC7,   0xC46,   0xCBF,   0xCC6,   0xCCA,   0xD46,  0xD47,
        0xDD9,   0xDDC,   0x1025,  0x1100,  0x1112,  0x1B05,  0x1B3A,  0x1B42, 0x1F00,
        0x1F60,  0x2190,  0x2203,  0x304B,  0x306F,  0x30AB,  0x30CF,  0xAC00, 0xD788,
        0x11099, 0x11131, 0x11132, 0x11347, 0x114B9, 0x115B8, 0x115B9, 0x11935};
    qn_fold *fold = qn_fold_new();
    cr_assert_not_null(fold);
    size_t composed = 0;
    for (uint32_t point = 0x80; point < 0x20000; point++) {
        qn_fold_info info = qn_fold_look(fold, point);
        bool jamo = point >= 0x1100 && point < 0x1200;
        if ((info & QN_FOLD_STABLE) == 0 || (qn_fold_kind_of(info) != QN_FOLD_MARK && !jamo))
            continue;
        for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
            qn_fold_span_clear(fold);
            cr_assert(qn_fold_span_add(fold, bases[i]));
            cr_assert(qn_fold_span_add(fold, point));
            cr_assert(qn_fold_span_finish(fold));
            if (fold->n == 2 && fold->span[0] == (int32_t)bases[i] &&
                fold->span[1] == (int32_t)point)
                continue;
            composed++;
            cr_assert_eq(info & (QN_FOLD_BOUNDARY | QN_FOLD_INERT), 0, "U+%04X U+%04X", bases[i],
                         point);
        }
    }
    cr_assert_gt(composed, 300);
    qn_fold_free(fold);
}

Test(fold, unicode_version_is_a_version)
{
    int major = 0, minor = 0;
    cr_assert_eq(sscanf(qn_fold_unicode_version(), "%d.%d", &major, &minor), 2);
    cr_assert_geq(major, 14);
}
