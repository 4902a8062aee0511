/* Snippets: tables of texts with what is shown of them; limits; random bytes. */
#include "query/snippet.h"

#include "index/text/utf8.h"
#include "query/chars.h"
#include "query/parse.h"
#include "tests/support/random.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static qn_analyzer *analyzer;
static qn_parser *parser;
static qn_snippeter *snippeter;

static void open_all(void)
{
    qn_analyzer_settings settings = {"english", QUERN_STR("the\nof\n")};
    cr_assert_eq(qn_analyzer_new(&analyzer, &settings, NULL), QUERN_OK);
    cr_assert_eq(qn_parser_new(&parser, analyzer, NULL), QUERN_OK);
    cr_assert_eq(qn_snippeter_new(&snippeter, analyzer, NULL), QUERN_OK);
}

static void close_all(void)
{
    qn_snippeter_free(snippeter);
    qn_parser_free(parser);
    qn_analyzer_free(analyzer);
}

TestSuite(snippet, .init = open_all, .fini = close_all);

static quern_snippet make(const char *text, size_t len, const char *typed, const float *weight,
                          size_t max)
{
    const qn_query *query;
    const char *notice;
    quern_snippet out;
    cr_assert_eq(qn_parser_parse(parser, (quern_span){typed, strlen(typed)}, QUERN_SYNTAX_QUERY,
                                 false, &query, &notice, NULL),
                 QUERN_OK);
    cr_assert_eq(
        qn_snippeter_make(snippeter, (quern_span){text, len}, query, weight, max, &out, NULL),
        QUERN_OK);
    return out;
}

/* A snippet as text: marks in brackets, < or > where it is cut off. */
static void describe(const quern_snippet *s, char *out, size_t cap)
{
    size_t at = 0, len = 0;
    len += (size_t)snprintf(out, cap, "%s", s->starts_inside ? "<" : "");
    for (size_t i = 0; i < s->n_marks; i++) {
        quern_mark m = s->mark[i];
        len += (size_t)snprintf(out + len, cap - len, "%.*s[%.*s]", (int)(m.start - at),
                                s->text.data + at, (int)(m.end - m.start), s->text.data + m.start);
        at = m.end;
    }
    (void)snprintf(out + len, cap - len, "%.*s%s", (int)(s->text.len - at), s->text.data + at,
                   s->ends_inside ? ">" : "");
}

/* What holds for every snippet. */
static void check(const quern_snippet *s, size_t max)
{
    cr_assert_leq(s->text.len, max);
    cr_assert_eq(qn_utf8_valid_prefix(s->text.data, s->text.len), s->text.len);
    bool space = true;
    for (size_t i = 0; i < s->text.len;) {
        qn_utf8_point c = qn_utf8_decode(s->text.data + i, s->text.len - i);
        bool now = qn_chars_is_space(c.value);
        cr_assert(!now || (c.value == ' ' && !space && i + 1 < s->text.len));
        space = now;
        i += c.len;
    }
    size_t last = 0;
    for (size_t i = 0; i < s->n_marks; i++) {
        quern_mark m = s->mark[i];
        cr_assert(m.start >= last && m.start < m.end && m.end <= s->text.len);
        cr_assert_neq((unsigned char)s->text.data[m.start] & 0xC0, 0x80);
        cr_assert(m.end == s->text.len || ((unsigned char)s->text.data[m.end] & 0xC0) != 0x80);
        cr_assert_neq(s->text.data[m.start], ' ');
        cr_assert_neq(s->text.data[m.end - 1], ' ');
        last = m.end;
    }
}

#define LOREM                                                                                      \
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit. Sed do eiusmod tempor incididunt "   \
    "ut labore et dolore magna aliqua. Ut enim ad minim veniam, quis nostrud exercitation "        \
    "ullamco laboris nisi ut aliquip ex ea commodo consequat."
#define TOKYO "\xE6\x9D\xB1\xE4\xBA\xAC" /* two characters */
#define WEST  "\xE8\xA5\xBF"
#define FULL  "\xE3\x80\x82" /* ideographic full stop */

static const struct {
    const char *text, *query;
    size_t max;
    const char *want;
} cases[] = {
    {"", "a", 40, ""},
    {" \n\t ", "a", 40, ""},
    {"one two three", "", 40, "one two three"},
    {"one two three", "two", 40, "one [two] three"},
    {"one two three", "-two", 40, "one two three"},
    {"one two three", "+two -x", 40, "one [two] three"},
    {"  one\n\n two\t three \r\n", "two", 40, "one [two] three"},
    {"Running, he RUNS.", "run", 40, "[Running], he [RUNS]."},
    {"a\x01\x02z a", "z", 40, "a [z] a"},
    {"a\xC2\xA0\xE2\x80\xA8z", "z", 40, "a [z]"},
    {"\xFF\xFEz\xE2\x80 y", "z y", 40, "\xEF\xBF\xBD\xEF\xBF\xBD[z]\xEF\xBF\xBD [y]"},
    /* no match: the start, at a word border */
    {LOREM, "x", 30, "Lorem ipsum dolor sit amet,>"},
    {LOREM, "x", 26, "Lorem ipsum dolor sit>"},
    {LOREM, "x", 27, "Lorem ipsum dolor sit amet,>"},
    {LOREM, "x", 1000, LOREM},
    /* near the start: from the start */
    {LOREM, "amet", 40, "Lorem ipsum dolor sit [amet], consectetur>"},
    {LOREM, "amet", 26, "Lorem ipsum dolor sit [amet]>"},
    {LOREM, "amet", 25, "<sit [amet], consectetur>"},
    /* inside: from the sentence */
    {LOREM, "eiusmod", 40, "<Sed do [eiusmod] tempor incididunt ut>"},
    {LOREM, "enim", 60, "<Ut [enim] ad minim veniam, quis nostrud exercitation ullamco>"},
    /* or from a word */
    {LOREM, "exercitation", 50, "<nostrud [exercitation] ullamco laboris nisi ut>"},
    /* at the end: all of the end */
    {LOREM, "consequat", 50, "<laboris nisi ut aliquip ex ea commodo [consequat]."},
    {"Aa bb. Cc dd ee ff gg hh. Ii jj kk ll mm nn oo.", "oo", 40,
     "<Cc dd ee ff gg hh. Ii jj kk ll mm nn [oo]."},
    /* most clauses, then closeness, then the first */
    {"cat x x x x x x x x x x x x x x x x x dog x x x x x x x x x x x x x x x x x x cat dog x",
     "cat dog", 30, "<x x x x x x x x x x [cat] [dog] x"},
    {"x cat y dog. Or cat dog. Or cat dog, or dog.", "cat dog", 20, "<Or [cat] [dog]. Or [cat]>"},
    {"cat. A cat. The cat.", "cat", 10, "[cat]. A>"},
    {"running a a a a a a a a run a a a", "run", 12, "[running] a a>"},
    /* phrases: one stretch; stop words leave gaps */
    {"the cat of\n the   house", "\"cat of the house\"", 60, "the [cat of the house]"},
    {"cat house, cat of the house", "\"cat of the house\"", 60, "cat house, [cat of the house]"},
    {"new york, New York", "\"new york\" york", 60, "[new york], [New York]"},
    {"york new york new", "\"new york\"", 60, "york [new york] new"},
    {"a a a b", "\"a a\"", 60, "[a a a] b"},
    {"well-known, known well", "+well-known", 60, "[well-known], known well"},
    {"b c a, a b x, a b c", "\"a b c\" \"a b\"", 60, "b c a, [a b] x, [a b c]"},
    /* a phrase that is not there: its words */
    {"york is new", "\"new york\"", 60, "[york] is [new]"},
    {"york is new", "\"new york\" is", 60, "york [is] new"},
    /* a phrase longer than the snippet */
    {"z aaaaaaaaaa bbbbbbbbbb cccccccccc dddddddddd eeeeeeeeee f",
     "\"aaaaaaaaaa bbbbbbbbbb cccccccccc dddddddddd eeeeeeeeee\"", 40,
     "<[aaaaaaaaaa bbbbbbbbbb cccccccccc]>"},
    /* words too long to be shown */
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "x", 10, "aaaaaaaaaa>"},
    {"b aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "x", 10, "b aaaaaaaa>"},
    {"b aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "b", 10, "[b]>"},
    {"\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4", "x", 5, "\xC3\xA4\xC3\xA4>"},
    {"\xC3\xA4", "x", 1, ">"},
    {"a", "a", 0, ">"},
    /* scripts without spaces are cut between characters; bigrams that overlap are one mark */
    {TOKYO WEST TOKYO, TOKYO, 60, "[" TOKYO "]" WEST "[" TOKYO "]"},
    {TOKYO WEST "x", TOKYO WEST, 60, "[" TOKYO WEST "]x"},
    {WEST WEST WEST FULL WEST TOKYO WEST WEST, "\"" TOKYO WEST "\"", 18,
     "<" WEST "[" TOKYO WEST "]" WEST},
    {WEST WEST WEST WEST TOKYO WEST WEST WEST WEST, TOKYO, 12, "<[" TOKYO "]" WEST WEST ">"},
};

Test(snippet, cases)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char got[4096];
        quern_snippet s =
            make(cases[i].text, strlen(cases[i].text), cases[i].query, NULL, cases[i].max);
        check(&s, cases[i].max);
        describe(&s, got, sizeof got);
        cr_expect_str_eq(got, cases[i].want, "%zu <%s>: got <%s>, not <%s>", i, cases[i].query, got,
                         cases[i].want);
    }
}

Test(snippet, weights_rank_windows)
{
    const char *text = "aa bb x x x x x x x x x x x x x x x x x x x x x x cc";
    static const struct {
        float weight[3];
        const char *want;
    } tables[] = {
        {{1, 1, 3}, "<x x x x [cc]"},           {{1, 1, 1}, "[aa] [bb] x x>"},
        {{0, 0, 0}, "[aa] [bb] x x>"}, /* one match is as good as any: the first */
        {{2, 1, 3}, "<x x x x [cc]"},  /* equal sums: one match is closer than two */
        {{2, 2, 3}, "[aa] [bb] x x>"},          {{0, 0, 0.5f}, "<x x x x [cc]"},
        {{-1, NAN, INFINITY}, "<x x x x [cc]"},
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char got[256];
        quern_snippet s = make(text, strlen(text), "aa bb cc", tables[i].weight, 10);
        describe(&s, got, sizeof got);
        cr_expect_str_eq(got, tables[i].want, "%zu: got <%s>", i, got);
    }
}

/* ---- large texts ----------------------------------------------------------------------------- */

Test(snippet, scan_is_capped_and_linear)
{
    enum { LEN = 9 << 20 };
    char *text = malloc(LEN);
    cr_assert_not_null(text);
    memset(text, 'x', LEN);
    for (size_t i = 7; i < LEN; i += 8)
        text[i] = ' ';
    memcpy(text + (3 << 20), " needle ", 8);
    memcpy(text + (8 << 20), " haystack ", 10);
    clock_t begin = clock();
    quern_snippet s = make(text, LEN, "needle", NULL, 100);
    check(&s, 100);
    cr_expect(s.starts_inside && s.ends_inside);
    cr_assert_eq(s.n_marks, 1u);
    cr_expect_eq(memcmp(s.text.data + s.mark[0].start, "needle", 6), 0);
    s = make(text, LEN, "haystack", NULL, 100);
    cr_expect_eq(s.n_marks, 0u);
    cr_expect(!s.starts_inside && s.ends_inside);
    cr_expect_lt((double)(clock() - begin) / CLOCKS_PER_SEC, 20.0);
    free(text);
}

/* Stretches of one kind, which must be read once. */
Test(snippet, hostile_texts)
{
    static const char *const pieces[] = {" ",   "a", "\xFF", "a ", "\xCC\x81", "\xE6\x9D\xB1",
                                         ". A "};
    enum { LEN = 1 << 20 };
    char *text = malloc(LEN);
    cr_assert_not_null(text);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        size_t n = strlen(pieces[i]);
        for (size_t at = 0; at < LEN; at++)
            text[at] = pieces[i][at % n];
        memcpy(text + LEN / 2, " zz ", 4);
        clock_t begin = clock();
        quern_snippet s =
            make(text, LEN, "zz \"a a\" \"a a a\" \"a the a\" \xE6\x9D\xB1", NULL, 200);
        check(&s, 200);
        cr_expect_lt((double)(clock() - begin) / CLOCKS_PER_SEC, 5.0, "<%s>", pieces[i]);
    }
    free(text);
}

/* Hundreds of phrases that all stand everywhere. */
Test(snippet, hostile_query)
{
    enum { LEN = 1 << 18, PHRASES = 300 };
    char *text = malloc(LEN), *typed = malloc(PHRASES * PHRASES * 4 + PHRASES * 16);
    cr_assert(text != NULL && typed != NULL);
    for (size_t at = 0; at < LEN; at++)
        text[at] = "a "[at % 2];
    size_t len = 0;
    for (size_t i = 0; i < PHRASES; i++) {
        len += (size_t)sprintf(typed + len, "\"a ");
        for (size_t j = 0; j < i; j++)
            len += (size_t)sprintf(typed + len, "the ");
        len += (size_t)sprintf(typed + len, "a\" ");
    }
    clock_t begin = clock();
    quern_snippet s = make(text, LEN, typed, NULL, 200);
    check(&s, 200);
    cr_expect_eq(s.n_marks, 1u);
    cr_expect_lt((double)(clock() - begin) / CLOCKS_PER_SEC, 20.0);
    free(text);
    free(typed);
}

/* ---- any bytes ------------------------------------------------------------------------------- */

static size_t random_text(test_random *seed, bool bytes, char *out, size_t n)
{
    static const char *const pieces[] = {"cat ",
                                         "dog",
                                         " ",
                                         "the ",
                                         ". ",
                                         "A ",
                                         "\n\n",
                                         "\xFF",
                                         "\xC3\xA4",
                                         "\xE2\x80",
                                         TOKYO,
                                         WEST,
                                         FULL,
                                         "\xE3\x80\x80",
                                         "-",
                                         "\xCC\x81",
                                         "\x01",
                                         "xxxxxxxxxxxxxxxxxxxxx",
                                         "\xEF\xAC\x81",
                                         "\xF0\x9F\x98\x80"};
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        if (bytes)
            out[len++] = (char)(test_next(seed) & 255);
        else
            len += (size_t)sprintf(out + len, "%s",
                                   pieces[test_next(seed) % (sizeof pieces / sizeof *pieces)]);
    }
    return len;
}

Test(snippet, any_bytes)
{
    static const char *const queries[] = {"cat dog", "\"cat dog\" " TOKYO,    "+cat-dog",
                                          "dog",     "\"the cat the dog\" a", WEST TOKYO};
    test_random seed = 77;
    char text[8192], first[16384], again[16384];
    for (int round = 0; round < 6000; round++) {
        size_t len = random_text(&seed, round % 5 == 0, text, test_next(&seed) % 120);
        const char *typed = queries[test_next(&seed) % (sizeof queries / sizeof *queries)];
        size_t max = round % 2 == 0 ? test_next(&seed) % 30 : 40 + test_next(&seed) % 200;
        char *exact = malloc(len + 1); /* so that reading past the end is seen */
        cr_assert_not_null(exact);
        exact = realloc(exact, len > 0 ? len : 1);
        memcpy(exact, text, len);
        quern_snippet s = make(exact, len, typed, NULL, max);
        check(&s, max);
        describe(&s, first, sizeof first);
        s = make(exact, len, typed, NULL, max);
        describe(&s, again, sizeof again);
        cr_assert_str_eq(first, again);
        free(exact);
    }
}

/* Marks of phrases and words, against looking at every place by itself. */
Test(snippet, marks_are_all_matches)
{
    /* queries, and the same as words; '.' is a stop word's gap */
    static const struct {
        const char *typed, *unit[3];
    } queries[] = {
        {"\"aa bb\" cc", {"ab", "c"}},
        {"\"aa aa bb\" \"bb aa\"", {"aab", "ba"}},
        {"\"aa the bb\" +\"cc cc\" -aa", {"a.b", "cc"}},
        {"\"cc of the aa\" \"aa bb cc\" \"bb\"", {"c..a", "abc", "b"}},
    };
    test_random seed = 9;
    for (int round = 0; round < 2000; round++) {
        char text[512], word[64];
        bool marked[512] = {false}; /* by word; a mark joins it to the next if joined */
        bool joined[512] = {false};
        size_t n = 1 + test_next(&seed) % 40, len = 0, q = test_next(&seed) % 4, n_found = 0;
        for (size_t i = 0; i < n; i++) {
            word[i] = "abc"[test_next(&seed) % 3];
            len += (size_t)sprintf(text + len, "%c%c ", word[i], word[i]);
        }
        for (size_t u = 0; u < 3 && queries[q].unit[u] != NULL; u++) {
            const char *unit = queries[q].unit[u];
            size_t size = strlen(unit);
            for (size_t i = 0; i + size <= n; i++) {
                size_t j = 0;
                while (j < size && (unit[j] == '.' || unit[j] == word[i + j]))
                    j++;
                if (j < size)
                    continue;
                n_found++;
                for (j = 0; j < size; j++) {
                    marked[i + j] = true;
                    joined[i + j] = joined[i + j] || j + 1 < size;
                }
            }
        }
        quern_snippet s = make(text, len, queries[q].typed, NULL, 1000);
        check(&s, 1000);
        cr_assert_eq(s.text.len, len - 1);
        if (n_found == 0)
            continue; /* then words of phrases are marked */
        size_t m = 0;
        for (size_t i = 0; i < n; i++) {
            if (!marked[i])
                continue;
            size_t first = i;
            while (joined[i])
                i++;
            cr_assert_lt(m, s.n_marks);
            cr_assert_eq(s.mark[m].start, 3 * first, "%d: %.*s", round, (int)len, text);
            cr_assert_eq(s.mark[m].end, 3 * i + 2, "%d: %.*s", round, (int)len, text);
            m++;
        }
        cr_assert_eq(m, s.n_marks);
    }
}

/* The window shown has as many distinct clauses as any. */
Test(snippet, best_window_of_all)
{
    test_random seed = 5;
    for (int round = 0; round < 2000; round++) {
        char text[1024];
        size_t len = 0, n = 5 + test_next(&seed) % 60, max = 10 + test_next(&seed) % 40;
        for (size_t i = 0; i < n; i++) {
            uint64_t r = test_next(&seed) % 12;
            len += (size_t)sprintf(text + len, "%s ",
                                   r < 4 ? (const char *[]){"aa", "bb", "cc", "dd"}[r] : "xxx");
        }
        len--;
        quern_snippet s = make(text, len, "aa bb cc dd", NULL, max);
        check(&s, max);
        unsigned seen = 0, best = 0;
        for (size_t i = 0; i < s.n_marks; i++)
            seen |= 1u << (s.text.data[s.mark[i].start] - 'a');
        for (size_t i = 0; i < len; i++) {
            unsigned here = 0;
            for (size_t j = i; j + 1 < len && j + 2 <= i + max; j++)
                here |= text[j] <= 'd' && text[j] >= 'a' && text[j] == text[j + 1]
                            ? 1u << (text[j] - 'a')
                            : 0;
            if (__builtin_popcount(here) > __builtin_popcount(best))
                best = here;
        }
        cr_assert_eq(__builtin_popcount(seen), __builtin_popcount(best),
                     "%d: <%.*s> max %zu: <%.*s>", round, (int)len, text, max, (int)s.text.len,
                     s.text.data);
    }
}
