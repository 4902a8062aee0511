/* The parser: tables of queries with the clauses and notices they give; limits; random bytes. */
#include "query/parse.h"

#include "index/text/utf8.h"
#include "tests/support/random.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static qn_analyzer *analyzer;
static qn_parser *parser;

static void open_with(const char *language, const char *stopwords)
{
    qn_analyzer_settings settings = {language, {stopwords, strlen(stopwords)}};
    cr_assert_eq(qn_analyzer_new(&analyzer, &settings, NULL), QUERN_OK);
    cr_assert_eq(qn_parser_new(&parser, analyzer, NULL), QUERN_OK);
}

static void open_parser(void)
{
    open_with("none", "the\nof\n");
}

static void close_parser(void)
{
    qn_parser_free(parser);
    qn_analyzer_free(analyzer);
}

TestSuite(parse, .init = open_parser, .fini = close_parser);

/* Clauses as text: sign, terms with positions after the first, and qtf if it is not 1. */
static void describe(const qn_query *query, char *out, size_t cap)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < query->n_clauses; i++) {
        const qn_clause *c = &query->clause[i];
        len += (size_t)snprintf(out + len, cap - len, "%s%s", i > 0 ? " " : "",
                                c->occur == QN_MUST  ? "+"
                                : c->occur == QN_NOT ? "-"
                                                     : "");
        if (c->occur == QN_ANY)
            len += (size_t)snprintf(out + len, cap - len, "?%u", c->group);
        const qn_field_name *field = qn_query_field(query, c->first_term);
        if (field != NULL)
            len += (size_t)snprintf(out + len, cap - len, "%s:", field->name);
        for (uint32_t j = 0; j < c->n_terms; j++) {
            const qn_query_term *t = &query->term[c->first_term + j];
            quern_span word = qn_query_word(query, c->first_term + j);
            len += (size_t)snprintf(out + len, cap - len, "%s%.*s", j > 0 ? "," : "", (int)word.len,
                                    word.data);
            if (j > 0)
                len += (size_t)snprintf(out + len, cap - len, "@%u", t->position);
            else
                cr_assert_eq(t->position, 0u);
        }
        if (c->qtf != 1)
            len += (size_t)snprintf(out + len, cap - len, "*%u", c->qtf);
    }
}

#define WORDS " is not understood: its words were searched as words"
#define ALONE " stands alone: it was ignored"

static const struct {
    const char *text, *clauses, *notice; /* notice NULL: none */
} cases[] = {
    {"", "", NULL},
    {" \t\n\xC2\xA0\xE3\x80\x80 ", "", NULL},
    {"one Two  three", "one two three", NULL},
    {"a b a c a b", "a*3 b*2 c", NULL},
    {"the cat of war", "cat war", NULL},
    {"it's 3.14 \xE2\x80\x94 \xC3\x84rger", "it's 3 14 \xC3\xA4rger", NULL},
    /* signs */
    {"+one -two three", "+one -two three", NULL},
    {"\xC2\xA0+one\t-two\xE3\x80\x80+three", "+one -two +three", NULL},
    {"well-known c++ e+f", "well known c e f", NULL},
    {"+well-known -a.b.c d.e", "+well,known@1 -a,b@1,c@2 d e", NULL},
    {"a - b", "a b", "\"-\"" ALONE},
    {"+", "", "\"+\"" ALONE "; the query holds no word that is indexed"},
    {"a + b - c --", "a b c", "\"+\", \"-\" and \"--\" stand alone: they were ignored"},
    {"--help me", "help me", "\"--help\"" WORDS},
    {"+-word a", "word a", "\"+-word\"" WORDS},
    {"+the a", "a", "\"the\" holds no word that is indexed: it was ignored"},
    {"a -... +?", "a", "\"...\" and \"?\" hold no word that is indexed: they were ignored"},
    {"a\"b c\"-d", "a b,c@1 d", NULL},
    /* phrases */
    {"\"one two\" three", "one,two@1 three", NULL},
    {"+\"one two\" -\"three four\"", "+one,two@1 -three,four@1", NULL},
    {"\"the cat of the house\"", "cat,house@3", NULL},
    {"\"of the\" a", "a", "\"of the\" holds no word that is indexed: it was ignored"},
    {"\"one\" one +\"the one\"", "+one*3", NULL},
    {"\"a b\" a b \"A  B\" \"a the b\"", "a,b@1*2 a b a,b@2", NULL},
    {"\"\" a", "a", "an empty phrase was ignored"},
    {"a \" \t\" b +\"\"", "a b", "an empty phrase was ignored"},
    {"\"one two", "one two", "a quote is not closed: its words were searched as words"},
    {"-\"one +two", "one +two", "a quote is not closed: its words were searched as words"},
    {"\"a b\" \"", "a,b@1", "a quote is not closed: its words were searched as words"},
    {"\"a \"b c\" d\"", "a b c d", NULL},
    {"\"a b\"\"c d\"", "a,b@1 c,d@1", NULL},
    {"\xE2\x80\x9Cone two\xE2\x80\x9D three", "one,two@1 three", NULL},
    {"\xE2\x80\x9Cone two\" \"three four\xE2\x80\x9D", "one,two@1 three,four@1", NULL},
    {"\xE2\x80\x9Done two\xE2\x80\x9C", "one,two@1", NULL},
    {"the 12\" single \"blue monday\"", "12 single blue,monday@1", NULL},
    {"12\xE2\x80\x9C"
     "a b\xE2\x80\x9D",
     "12 a,b@1", NULL},
    {"\"route 66\" x", "route,66@1 x", NULL},
    /* CJK */
    {"\xE6\x9D\xB1\xE4\xBA\xAC\xE9\x83\xBD", "\xE6\x9D\xB1\xE4\xBA\xAC \xE4\xBA\xAC\xE9\x83\xBD",
     NULL},
    {"+\xE6\x9D\xB1\xE4\xBA\xAC\xE9\x83\xBD",
     "+\xE6\x9D\xB1\xE4\xBA\xAC,\xE4\xBA\xAC\xE9\x83\xBD@1", NULL},
    /* must beats should, not beats both */
    {"a +a", "+a*2", NULL},
    {"+a a", "+a*2", NULL},
    {"a b -a", "-a*2 b", "\"a\" is both wanted and excluded: it was excluded"},
    {"-a b +a", "-a*2 b", "\"a\" is both wanted and excluded: it was excluded"},
    {"a -\"b c\" +\"b c\"", "a -b,c@1*2", "\"b c\" is both wanted and excluded: it was excluded"},
    {"-a -b", "-a -b", "nothing can be found by exclusion alone"},
    {"a -a", "-a*2",
     "nothing can be found by exclusion alone; \"a\" is both wanted and excluded: it was excluded"},
    {"the of", "", "the query holds no word that is indexed"},
    {"!!!", "", "the query holds no word that is indexed"},
    /* the syntax of others */
    {"war AND peace", "war and peace", "\"AND\"" WORDS},
    {"war and not peace or x", "war and not peace or x", NULL},
    {"(a OR b) NOT c", "a or b not c",
     "\"(a\", \"OR\" and \"NOT\" are not understood: their words were searched as words"},
    {"a +AND \"b OR c\"", "a +and b,or@1,c@2", NULL},
    {"(-a) b", "-a b", "\"(-a)\"" WORDS},
    {"-(a b)", "a b", "\"-(a\"" WORDS},
    {"( a )", "a", "\"(\"" WORDS},
    {"f(x) :-) x)", "f x*2", NULL},
    {"title:word", "title word", "\"title:\"" WORDS},
    {"title:\"a b\" x", "title a,b@1 x", "\"title:\"" WORDS},
    {"+title:word", "+title,word@1", "\"title:\"" WORDS},
    {"note: at 12:30 http://x.org std::map c:\\x", "note at 12 30 http x*2 org std map c", NULL},
    {"comput* *ing * a", "comput ing a",
     "\"comput*\" and \"*ing\" are not understood: their words were searched as words"},
    {"word~ word~2 ~100", "word*2 2 100",
     "\"word~\" and \"word~2\" are not understood: their words were searched as words"},
    {"word^2.5 x", "word 2 5 x", "\"word^2.5\"" WORDS},
    {"\"a b\"~3", "a,b@1 3", "\"~3\"" WORDS},
    {"a:b c:d e:f g:h a:i", "a*2 b c d e f g h i",
     "\"a:\", \"c:\", \"e:\" and others are not understood: their words were searched as words"},
    {"averyveryverylongwordindeedandmore* x", "averyveryverylongwordindeedandmore x",
     "\"averyveryverylongwordind...\"" WORDS},
    {"a\xFF* b", "a b", "\"a\xEF\xBF\xBD*\"" WORDS},
};

Test(parse, cases)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const qn_query *query;
        const char *notice;
        char got[4096];
        quern_span text = {cases[i].text, strlen(cases[i].text)};
        cr_assert_eq(
            qn_parser_parse(parser, text, QUERN_SYNTAX_QUERY, false, &query, &notice, NULL),
            QUERN_OK);
        describe(query, got, sizeof got);
        cr_expect_str_eq(got, cases[i].clauses, "<%s>: got <%s>, not <%s>", cases[i].text, got,
                         cases[i].clauses);
        const char *want = cases[i].notice == NULL ? "(none)" : cases[i].notice;
        const char *said = notice == NULL ? "(none)" : notice;
        cr_expect_str_eq(said, want, "<%s>: said <%s>, not <%s>", cases[i].text, said, want);
    }
}

static const struct {
    const char *text;
    bool fails;
    uint64_t at;
    const char *message;
} strict_cases[] = {
    {"a +b -\"c d\"", false, 0, ""},
    {"", false, 0, ""},
    {"the", false, 0, ""},
    {"a +the", false, 0, ""},
    {"a OR b AND c", true, 2, "query, byte 2: not understood: \"OR\""},
    {"ab \"c", true, 3, "query, byte 3: a quote is not closed"},
    {"ab x:y \"c", true, 3, "query, byte 3: not understood: \"x:\""},
    {"  -a", true, 2, "query, byte 2: nothing can be found by exclusion alone"},
    {"a b -a", true, 5, "query, byte 5: both wanted and excluded: \"a\""},
    {"a - b", true, 2, "query, byte 2: a sign stands alone: \"-\""},
    {"a \"\"", true, 2, "query, byte 2: an empty phrase"},
};

Test(parse, strict)
{
    for (size_t i = 0; i < sizeof strict_cases / sizeof *strict_cases; i++) {
        const qn_query *query;
        const char *notice;
        quern_error error = {0};
        quern_span text = {strict_cases[i].text, strlen(strict_cases[i].text)};
        quern_status status =
            qn_parser_parse(parser, text, QUERN_SYNTAX_QUERY, true, &query, &notice, &error);
        cr_expect_eq(status, strict_cases[i].fails ? QUERN_E_INPUT : QUERN_OK, "<%s>",
                     strict_cases[i].text);
        cr_expect_eq(error.position, strict_cases[i].at, "<%s>", strict_cases[i].text);
        cr_expect_str_eq(error.message, strict_cases[i].message);
        if (status != QUERN_OK)
            cr_expect_eq(query->n_clauses, 0u);
    }
}

Test(parse, stems)
{
    close_parser();
    open_with("english", "");
    const qn_query *query;
    const char *notice;
    char got[256];
    cr_assert_eq(qn_parser_parse(parser, QUERN_STR("running \"Runs nations\" run"),
                                 QUERN_SYNTAX_QUERY, false, &query, &notice, NULL),
                 QUERN_OK);
    describe(query, got, sizeof got);
    cr_expect_str_eq(got, "run*2 run,nation@1");
}

/* ---- limits ---------------------------------------------------------------------------------- */

typedef struct writing {
    char *text;
    size_t len;
} writing;

/* `n` words of which `distinct` differ, between `before` and `after`. */
static writing many_words(const char *before, size_t n, size_t distinct, const char *after)
{
    writing w = {malloc(n * 9 + strlen(before) + strlen(after) + 1), 0};
    cr_assert_not_null(w.text);
    w.len = (size_t)sprintf(w.text, "%s", before);
    for (size_t i = 0; i < n; i++)
        w.len += (size_t)sprintf(w.text + w.len, "w%zu ", i % distinct);
    w.len += (size_t)sprintf(w.text + w.len, "%s", after);
    return w;
}

static const struct {
    const char *before;
    size_t n, distinct;
    const char *after;
    size_t n_clauses, n_terms;
    bool noticed;
} limits[] = {
    {"", 100000, 1, "", 1, 1, false},
    {"", 100000, 1024, "", 1024, 1024, false},
    {"", 100000, 1025, "", 1024, 1024, true},
    {"\"", 1024, 1024, "\"", 1, 1024, false},
    {"\"", 1024, 1024, "\" x", 1, 1024, true},
    {"\"", 1025, 1025, "\"", 1, 1024, true},
    {"\"", 100000, 7, "\"", 1, 1024, true},
    {"a b \"", 1024, 1024, "\" c", 3, 1024, true},
    {"a b -\"", 1024, 1024, "\" c", 2, 2, true},
    {"a b -\"", 1022, 1022, "\"", 3, 1024, false},
    {"\"", 1023, 1023, "\" w0 w0 w0", 2, 1024, false},
};

Test(parse, limits)
{
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        writing w = many_words(limits[i].before, limits[i].n, limits[i].distinct, limits[i].after);
        const qn_query *query;
        const char *notice;
        quern_error error;
        quern_span text = {w.text, w.len};
        cr_assert_eq(
            qn_parser_parse(parser, text, QUERN_SYNTAX_QUERY, false, &query, &notice, NULL),
            QUERN_OK);
        cr_expect_eq(query->n_clauses, limits[i].n_clauses, "%zu: %zu clauses", i,
                     query->n_clauses);
        cr_expect_eq(query->n_terms, limits[i].n_terms, "%zu: %zu terms", i, query->n_terms);
        cr_expect_eq(notice != NULL && strstr(notice, "too long") != NULL, limits[i].noticed, "%zu",
                     i);
        cr_expect_eq(
            qn_parser_parse(parser, text, QUERN_SYNTAX_QUERY, true, &query, &notice, &error),
            limits[i].noticed ? QUERN_E_INPUT : QUERN_OK);
        free(w.text);
    }
}

Test(parse, one_word_many_times_counts)
{
    writing w = many_words("", 100000, 2, "");
    const qn_query *query;
    const char *notice;
    clock_t begin = clock();
    cr_assert_eq(qn_parser_parse(parser, (quern_span){w.text, w.len}, QUERN_SYNTAX_QUERY, false,
                                 &query, &notice, NULL),
                 QUERN_OK);
    cr_expect_lt((double)(clock() - begin) / CLOCKS_PER_SEC, 5.0);
    cr_expect_eq(query->clause[0].qtf, 50000u);
    cr_expect_eq(query->clause[1].qtf, 50000u);
    cr_expect_null(notice);
    free(w.text);
}

/* Quotes, parentheses and signs without end must not be looked through again and again. */
Test(parse, hostile_repeats_are_linear)
{
    static const char *const pieces[] = {"\"", "(", "-", "-\"a ", "\"\" ", "a:", "1\"", "(\"", "*"};
    enum { LEN = 1 << 20 };
    char *text = malloc(LEN);
    cr_assert_not_null(text);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        size_t n = strlen(pieces[i]);
        for (size_t at = 0; at < LEN; at++)
            text[at] = pieces[i][at % n];
        const qn_query *query;
        const char *notice;
        clock_t begin = clock();
        cr_assert_eq(qn_parser_parse(parser, (quern_span){text, LEN}, QUERN_SYNTAX_QUERY, false,
                                     &query, &notice, NULL),
                     QUERN_OK);
        cr_expect_lt((double)(clock() - begin) / CLOCKS_PER_SEC, 5.0, "%s", pieces[i]);
    }
    free(text);
}

/* ---- any bytes ------------------------------------------------------------------------------- */

static void check_query(const qn_query *query, const char *notice)
{
    size_t terms = 0;
    cr_assert_leq(query->n_clauses, (size_t)QN_QUERY_CLAUSES_MAX);
    for (size_t i = 0; i < query->n_clauses; i++) {
        const qn_clause *c = &query->clause[i];
        cr_assert_eq(c->first_term, terms);
        cr_assert(c->n_terms > 0 && c->qtf > 0);
        terms += c->n_terms;
        for (uint32_t j = 1; j < c->n_terms; j++)
            cr_assert_gt(query->term[c->first_term + j].position,
                         query->term[c->first_term + j - 1].position);
    }
    cr_assert_eq(terms, query->n_terms);
    cr_assert_leq(terms, (size_t)QN_QUERY_TERMS_MAX);
    for (size_t i = 0; i < terms; i++)
        cr_assert(query->term[i].text.len > 0 && query->term[i].text.len <= QN_WORD_MAX);
    if (notice != NULL) {
        cr_assert_leq(strlen(notice), 400u);
        cr_assert_eq(qn_utf8_valid_prefix(notice, strlen(notice)), strlen(notice));
    }
}

Test(parse, any_bytes)
{
    static const char *const pieces[] = {"\"",
                                         "+",
                                         "-",
                                         " ",
                                         "(",
                                         ")",
                                         "a",
                                         "the ",
                                         "b:",
                                         "*",
                                         "~2",
                                         "AND ",
                                         "^1",
                                         "\t",
                                         "\xE2\x80\x9C",
                                         "\xE6\x9D\xB1\xE4\xBA\xAC",
                                         "\xFF",
                                         "\xE2\x80",
                                         "9",
                                         "x y"};
    test_random seed = 20;
    char text[512], first[8192], again[8192];
    for (int round = 0; round < 5000; round++) {
        size_t len = 0, n = test_next(&seed) % 40;
        for (size_t i = 0; i < n; i++) {
            const char *piece = pieces[test_next(&seed) % (sizeof pieces / sizeof *pieces)];
            if (round % 3 == 0)
                text[len++] = (char)(test_next(&seed) & 255);
            else
                len += (size_t)sprintf(text + len, "%s", piece);
        }
        const qn_query *query;
        const char *notice;
        quern_span span = {text, len};
        cr_assert_eq(
            qn_parser_parse(parser, span, QUERN_SYNTAX_QUERY, false, &query, &notice, NULL),
            QUERN_OK);
        check_query(query, notice);
        describe(query, first, sizeof first);
        bool quiet = notice == NULL;
        quern_status status =
            qn_parser_parse(parser, span, QUERN_SYNTAX_QUERY, true, &query, &notice, NULL);
        if (quiet)
            cr_assert_eq(status, QUERN_OK);
        if (status == QUERN_OK) {
            describe(query, again, sizeof again);
            cr_assert_str_eq(first, again);
        } else {
            cr_assert_eq(status, QUERN_E_INPUT);
        }
    }
}

/* ---- fields ---- */

static const qn_fields three = {.n = 3, .field = {{"title", 2}, {"x-1.b", 1}, {"text", 1}}};

/* With title and text as the usual fields. */
static const struct {
    const char *text, *clauses, *notice;
} field_cases[] = {
    {"one two", "title:one text:one title:two text:two", NULL},
    {"one one", "title:one*2 text:one*2", NULL},
    {"title:one", "title:one", NULL},
    {"x-1.b:one two", "x-1.b:one title:two text:two", NULL},
    {"+one two", "?1title:one ?1text:one title:two text:two", NULL},
    {"+one +two", "?1title:one ?1text:one ?2title:two ?2text:two", NULL},
    {"-one two", "-title:one -text:one title:two text:two", NULL},
    {"\"one two\"", "title:one,two@1 text:one,two@1", NULL},
    {"title:\"one the two\" +text:\"a b\"", "title:one,two@2 +text:a,b@1", NULL},
    {"+title:one -text:two", "+title:one -text:two", NULL},
    {"title:one-two", "title:one title:two", NULL},
    {"+text:one-two", "+text:one,two@1", NULL},
    /* the same unit in one field and in all */
    {"title:one one", "title:one*2 text:one", NULL},
    {"title:one +one", "?1title:one*2 ?1text:one", NULL},
    {"+one title:one", "?1title:one*2 ?1text:one", NULL},
    {"+title:one +one", "+title:one*2 text:one", NULL},
    {"+one +title:one", "+title:one*2 text:one", NULL},
    {"+one one +one", "?1title:one*3 ?1text:one*3", NULL},
    {"+one -title:one", "-title:one*2 +text:one", "BOTH"},
    {"-title:one +one", "-title:one*2 +text:one", "BOTH"},
    {"+one -one", "-title:one*2 -text:one*2", "BOTH"},
    {"-one +one +one +two", "-title:one*3 -text:one*3 ?1title:two ?1text:two", "BOTH"},
    {"+one +two +title:one", "+title:one*2 text:one ?1title:two ?1text:two", NULL},
    /* what is no field */
    {"body:one", "title:body text:body title:one text:one", "\"body:\"" WORDS},
    {"title: one", "title:title text:title title:one text:one", NULL},
    {"title:(one two)", "title:title text:title title:one text:one title:two text:two",
     "\"title:\"" WORDS},
    {"Title:one", "title:title text:title title:one text:one", "\"Title:\"" WORDS},
    {"title:of", "", "the query holds no word that is indexed"},
    {"+title:of one", "title:one text:one", "STOPPED"},
};

Test(parse, fields)
{
    qn_parser_set_fields(parser, &three, 5);
    for (size_t i = 0; i < sizeof field_cases / sizeof *field_cases; i++) {
        const qn_query *query;
        const char *notice, *wanted = field_cases[i].notice, *text = field_cases[i].text;
        char got[2000];
        quern_span span = {text, strlen(text)};
        cr_assert_eq(
            qn_parser_parse(parser, span, QUERN_SYNTAX_QUERY, false, &query, &notice, NULL),
            QUERN_OK);
        describe(query, got, sizeof got);
        cr_assert_str_eq(got, field_cases[i].clauses, "%s gives %s", text, got);
        if (wanted == NULL)
            cr_assert_null(notice, "%s: %s", text, notice);
        else if (strcmp(wanted, "BOTH") == 0 || strcmp(wanted, "STOPPED") == 0)
            cr_assert_not_null(notice, "%s", text);
        else
            cr_assert_str_eq(notice, wanted, "%s", text);
    }
}

/* As words no name of a field counts. */
Test(parse, fields_in_words)
{
    const qn_query *query;
    const char *notice;
    char got[500];
    qn_parser_set_fields(parser, &three, 2);
    cr_assert_eq(qn_parser_parse(parser, QUERN_STR("title:one"), QUERN_SYNTAX_WORDS, false, &query,
                                 &notice, NULL),
                 QUERN_OK);
    describe(query, got, sizeof got);
    cr_assert_str_eq(got, "x-1.b:title x-1.b:one");
}

/* A unit that does not fit in all of its fields is left out, and what follows. */
Test(parse, fields_and_limits)
{
    enum { ROOM = QN_QUERY_TERMS_MAX };
    static char text[ROOM * 8];
    size_t len = 0;
    const qn_query *query;
    const char *notice;
    qn_parser_set_fields(parser, &three, 7);
    for (unsigned i = 0; i < ROOM; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "+w%u ", i);
    cr_assert_eq(qn_parser_parse(parser, (quern_span){text, len}, QUERN_SYNTAX_QUERY, false, &query,
                                 &notice, NULL),
                 QUERN_OK);
    cr_assert_eq(query->n_terms, (size_t)ROOM / 3 * 3);
    cr_assert_eq(query->n_groups, (size_t)ROOM / 3);
    cr_assert_not_null(notice);
    /* A phrase longer than there is room for. */
    text[0] = '"';
    for (size_t i = 1; i < len; i++)
        text[i] = text[i] == '+' ? ' ' : text[i];
    text[len++] = '"';
    cr_assert_eq(qn_parser_parse(parser, (quern_span){text, len}, QUERN_SYNTAX_QUERY, false, &query,
                                 &notice, NULL),
                 QUERN_OK);
    cr_assert_eq(query->n_clauses, 0u);
    cr_assert_not_null(notice);
}
