/*
 * Indexes of several fields. A field answers, bit for bit, as an index of its texts alone; words
 * that name no field add up what they are worth in each; append, replace, merge and compact keep
 * fields; the bytes do not depend on threads or memory; given words may be of any field.
 */
#define _GNU_SOURCE
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DOCS = 700, WORDS = 300, FIELDS = 3, K = 1000 };

/* Documents of three fields, of which the first is short. */
typedef struct world {
    char *dir, *path;
    test_corpus field[FIELDS]; /* the same ids */
    quern_span text[DOCS][FIELDS];
} world;

static void start(world *w)
{
    *w = (world){.dir = test_dir_new()};
    w->path = test_path(w->dir, "fields");
    for (unsigned f = 0; f < FIELDS; f++) {
        w->field[f] = test_corpus_new(20 + f, DOCS, WORDS, f == 0 ? 6 : 40);
        for (size_t i = 0; i < DOCS; i++)
            w->text[i][f] = w->field[f].document[i].text;
    }
}

static void finish(world *w)
{
    for (unsigned f = 0; f < FIELDS; f++)
        test_corpus_free(&w->field[f]);
    free(w->path);
    test_dir_free(w->dir);
}

static void add_range(world *w, quern_builder *builder, size_t from, size_t to)
{
    quern_error error;
    for (size_t i = from; i < to; i++) {
        quern_document document = {.id = w->field[0].document[i].id, .fields = w->text[i]};
        cr_assert_eq(quern_builder_add(builder, &document, &error), QUERN_OK, "%s", error.message);
    }
}

static quern_build_options options_of(const char *fields)
{
    quern_build_options options = QUERN_BUILD_OPTIONS;
    options.fields = fields;
    options.threads = 1;
    return options;
}

static void build(world *w, const char *path, const quern_build_options *options, size_t from,
                  size_t to)
{
    quern_error error;
    quern_builder *builder;
    cr_assert_eq(quern_builder_open(&builder, path, options, &error), QUERN_OK, "%s",
                 error.message);
    add_range(w, builder, from, to);
    cr_assert_eq(quern_builder_commit(builder, NULL, &error), QUERN_OK, "%s", error.message);
    quern_builder_free(builder);
    cr_assert_eq(quern_verify(path, NULL, NULL, &error), QUERN_OK, "%s", error.message);
}

static quern_hit *answers(const char *path, const char *fields, const char *query, size_t *n)
{
    quern_index *index;
    quern_searcher *searcher;
    quern_search_options options = QUERN_SEARCH_OPTIONS;
    quern_hits hits;
    quern_error error;
    options.fields = fields;
    cr_assert_eq(quern_index_open(&index, path, NULL, &error), QUERN_OK, "%s", error.message);
    cr_assert_eq(quern_searcher_new(&searcher, index, &options, &error), QUERN_OK, "%s",
                 error.message);
    cr_assert_eq(quern_search(searcher, (quern_span){query, strlen(query)}, K, &hits, &error),
                 QUERN_OK, "%s", error.message);
    quern_matches matches;
    cr_assert_eq(quern_count(searcher, (quern_span){query, strlen(query)}, &matches, &error),
                 QUERN_OK);
    cr_assert_eq(matches.n, hits.n, "%s", query);
    quern_hit *copy = calloc(hits.n + 1, sizeof *copy);
    if (hits.n > 0)
        memcpy(copy, hits.hit, hits.n * sizeof *copy);
    *n = hits.n;
    quern_searcher_free(searcher);
    quern_index_close(index);
    return copy;
}

static void same_answers(const char *a, const char *a_fields, const char *a_query, const char *b,
                         const char *b_fields, const char *b_query)
{
    size_t n_a, n_b;
    quern_hit *left = answers(a, a_fields, a_query, &n_a),
              *right = answers(b, b_fields, b_query, &n_b);
    cr_assert_gt(n_a, 0u, "%s", a_query);
    cr_assert_eq(n_a, n_b, "%s", a_query);
    for (size_t i = 0; i < n_a; i++)
        cr_assert(left[i].doc == right[i].doc &&
                      memcmp(&left[i].score, &right[i].score, sizeof(float)) == 0,
                  "%s, rank %zu: %u %a, not %u %a", a_query, i, left[i].doc, (double)left[i].score,
                  right[i].doc, (double)right[i].score);
    free(left);
    free(right);
}

static void same_files(const char *a, const char *b)
{
    char *left = test_find_file(a, ".qx"), *right = test_find_file(b, ".qx");
    cr_assert(left != NULL && right != NULL);
    size_t n_left, n_right;
    uint8_t *x = test_read_file(left, &n_left), *y = test_read_file(right, &n_right);
    cr_assert_eq(n_left, n_right);
    cr_assert_eq(memcmp(x, y, n_left), 0);
    free(x);
    free(y);
    free(left);
    free(right);
}

/* What is asked of a field alone is answered as if there were nothing else. */
Test(fields, a_field_answers_as_an_index_of_its_texts)
{
    static const char *const names[FIELDS] = {"title", "abstract", "text"};
    static const struct {
        const char *in_field, *alone;
    } queries[] = {{"%s:w3 %s:w10 %s:w55", "w3 w10 w55"},
                   {"+%s:w1 %s:w2 -%s:w0", "+w1 w2 -w0"},
                   {"%s:\"w1 w0\" %s:w4", "\"w1 w0\" w4"},
                   {"+%s:w0 +%s:w1", "+w0 +w1"}};
    world w;
    start(&w);
    quern_build_options options = options_of("title^2,abstract,text"), plain = options_of(NULL);
    build(&w, w.path, &options, 0, DOCS);
    for (unsigned f = 0; f < FIELDS; f++) {
        char *alone = test_path(w.dir, names[f]);
        test_build(alone, &w.field[f], &plain);
        for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
            char query[200], all[] = "title,abstract,text";
            (void)snprintf(query, sizeof query, queries[i].in_field, names[f], names[f], names[f]);
            same_answers(w.path, all, query, alone, NULL, queries[i].alone);
            /* The usual field of a search is as good as a name. */
            same_answers(w.path, names[f], queries[i].alone, alone, NULL, queries[i].alone);
        }
        free(alone);
    }
    finish(&w);
}

/* A word is worth the sum over the fields, times their weights. */
Test(fields, weights)
{
    world w;
    start(&w);
    quern_build_options options = options_of("title^2,abstract^0.5,text");
    build(&w, w.path, &options, 0, DOCS);
    same_answers(w.path, NULL, "w5", w.path, "title^2,abstract^0.5,text", "w5");
    size_t n, n_title, n_text;
    quern_hit *sum = answers(w.path, "title^3,text^1.5", "w5", &n);
    quern_hit *title = answers(w.path, "title^3,text^1.5", "title:w5", &n_title);
    quern_hit *text = answers(w.path, "title^3,text^1.5", "text:w5", &n_text);
    quern_hit *single = answers(w.path, "title", "w5", &n_title);
    cr_assert(n > n_title && n >= n_text && n_title > 0 && n_text > 0);
    for (size_t i = 0; i < n; i++) {
        float score[2] = {0};
        for (size_t j = 0; j < n_title; j++)
            score[0] += title[j].doc == sum[i].doc ? title[j].score : 0;
        for (size_t j = 0; j < n_text; j++)
            score[1] += text[j].doc == sum[i].doc ? text[j].score : 0;
        cr_assert_float_eq(sum[i].score, score[0] + score[1], 0);
    }
    for (size_t j = 0; j < n_title; j++)
        cr_assert_float_eq(title[j].score, 3 * single[j].score, 1e-6 * 3 * single[j].score);
    free(sum);
    free(title);
    free(text);
    free(single);
    finish(&w);
}

/* A must word may stand in any of the usual fields; the naive way is by their union. */
Test(fields, must_in_any_field)
{
    world w;
    start(&w);
    quern_build_options options = options_of("title,abstract,text");
    build(&w, w.path, &options, 0, DOCS);
    size_t n, n_any[2];
    quern_hit *both = answers(w.path, NULL, "+w3 +w4", &n);
    quern_hit *any[2] = {answers(w.path, NULL, "w3", &n_any[0]),
                         answers(w.path, NULL, "w4", &n_any[1])};
    bool has[2][DOCS] = {{false}};
    for (unsigned side = 0; side < 2; side++)
        for (size_t i = 0; i < n_any[side]; i++)
            has[side][any[side][i].doc] = true;
    size_t expected = 0;
    for (size_t doc = 0; doc < DOCS; doc++)
        expected += has[0][doc] && has[1][doc];
    cr_assert_eq(n, expected);
    cr_assert_gt(n, 0u);
    for (size_t i = 0; i < n; i++)
        cr_assert(has[0][both[i].doc] && has[1][both[i].doc]);
    free(both);
    free(any[0]);
    free(any[1]);
    finish(&w);
}

Test(fields, same_bytes_for_threads_memory_and_parts, .timeout = 120)
{
    world w;
    start(&w);
    quern_build_options options = options_of("title^2,abstract,text");
    build(&w, w.path, &options, 0, DOCS);
    char *other = test_path(w.dir, "other"), *half = test_path(w.dir, "half"),
         *merged = test_path(w.dir, "merged");
    options.threads = 3;
    options.memory = (uint64_t)32 << 20;
    build(&w, other, &options, 0, DOCS);
    same_files(w.path, other);

    /* In parts, one of them appended without saying which fields there are, and compacted. */
    quern_build_options again = QUERN_BUILD_OPTIONS;
    again.append = true;
    again.no_join = true;
    options.force = true;
    build(&w, other, &options, 0, 300);
    build(&w, other, &again, 300, DOCS);
    same_answers(w.path, NULL, "w3 +w10 \"w1 w0\"", other, NULL, "w3 +w10 \"w1 w0\"");
    quern_error error;
    cr_assert_eq(quern_compact(other, NULL, NULL, &error), QUERN_OK, "%s", error.message);
    same_files(w.path, other);

    build(&w, other, &options, 0, 300);
    build(&w, half, &options, 300, DOCS);
    const char *const both[] = {other, half};
    cr_assert_eq(quern_merge(merged, both, 2, NULL, NULL, &error), QUERN_OK, "%s", error.message);
    same_files(w.path, merged);
    free(other);
    free(half);
    free(merged);
    finish(&w);
}

/* Replaced and deleted documents take their lengths with them. */
Test(fields, replace_and_delete)
{
    world w;
    start(&w);
    quern_build_options options = options_of("title,abstract,text");
    build(&w, w.path, &options, 0, DOCS);
    options.append = true;
    options.on_duplicate = QUERN_DUPLICATE_REPLACE;
    options.no_join = true;
    quern_error error;
    quern_builder *builder;
    cr_assert_eq(quern_builder_open(&builder, w.path, &options, &error), QUERN_OK, "%s",
                 error.message);
    add_range(&w, builder, 10, 60);
    cr_assert_eq(quern_builder_delete(builder, QUERN_STR("d5"), &error), QUERN_OK);
    quern_build_report report;
    cr_assert_eq(quern_builder_commit(builder, &report, &error), QUERN_OK, "%s", error.message);
    quern_builder_free(builder);
    cr_assert_eq(report.replaced, 50u);
    cr_assert_eq(quern_compact(w.path, NULL, NULL, &error), QUERN_OK, "%s", error.message);
    cr_assert_eq(quern_verify(w.path, NULL, NULL, &error), QUERN_OK, "%s", error.message);

    char *fresh = test_path(w.dir, "fresh");
    quern_build_options anew = options_of("title,abstract,text");
    cr_assert_eq(quern_builder_open(&builder, fresh, &anew, &error), QUERN_OK);
    add_range(&w, builder, 0, 5);
    add_range(&w, builder, 6, 10);
    add_range(&w, builder, 60, DOCS);
    add_range(&w, builder, 10, 60);
    cr_assert_eq(quern_builder_commit(builder, NULL, &error), QUERN_OK);
    quern_builder_free(builder);
    same_files(w.path, fresh);
    free(fresh);
    finish(&w);
}

/* skip_unchanged goes by what is kept; where several fields make it up, only a record can tell. */
Test(fields, unchanged_documents)
{
    static const struct {
        const char *fields;
        quern_store store;
        uint64_t unchanged;
    } cases[] = {{"title,text", QUERN_STORE_TEXT, 1},
                 {"title,abstract,text", QUERN_STORE_TEXT, 0},
                 {"title,abstract,text", QUERN_STORE_RECORD, 1}};
    char *dir = test_dir_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *path = test_path(dir, i == 0 ? "a" : i == 1 ? "b" : "c");
        const quern_span texts[] = {QUERN_STR("a title"), QUERN_STR("some words"), {NULL, 0}};
        quern_document document = {
            .id = QUERN_STR("x"), .record = QUERN_STR("{}"), .fields = texts};
        quern_build_options options = options_of(cases[i].fields);
        options.store = cases[i].store;
        quern_error error;
        quern_build_report report;
        for (unsigned round = 0; round < 2; round++) {
            quern_builder *builder;
            options.append = round == 1;
            options.on_duplicate = QUERN_DUPLICATE_REPLACE;
            options.skip_unchanged = true;
            cr_assert_eq(quern_builder_open(&builder, path, &options, &error), QUERN_OK, "%s",
                         error.message);
            cr_assert_eq(quern_builder_add(builder, &document, &error), QUERN_OK);
            cr_assert_eq(quern_builder_commit(builder, &report, &error), QUERN_OK);
            quern_builder_free(builder);
        }
        cr_assert_eq(report.unchanged, cases[i].unchanged, "case %zu", i);
        free(path);
    }
    test_dir_free(dir);
}

/* What is kept of a document are its fields, line by line, and its title apart. */
Test(fields, kept_texts)
{
    char *dir = test_dir_new(), *path = test_path(dir, "ix");
    const quern_span texts[] = {QUERN_STR("one"), QUERN_STR("A title"), QUERN_STR(""),
                                QUERN_STR("two\nlines")};
    const quern_document documents[] = {
        {.id = QUERN_STR("a"), .fields = texts},
        {.id = QUERN_STR("b"), .title = QUERN_STR("T"), .text = QUERN_STR("by name")}};
    quern_build_options options = options_of("abstract,title,year,text");
    quern_error error;
    quern_builder *builder;
    cr_assert_eq(quern_builder_open(&builder, path, &options, &error), QUERN_OK);
    for (unsigned i = 0; i < 2; i++)
        cr_assert_eq(quern_builder_add(builder, &documents[i], &error), QUERN_OK);
    cr_assert_eq(quern_builder_commit(builder, NULL, &error), QUERN_OK);
    quern_builder_free(builder);
    quern_index *index;
    quern_searcher *searcher;
    quern_document got;
    quern_field fields[QUERN_FIELDS_MAX];
    uint32_t length;
    cr_assert_eq(quern_index_open(&index, path, NULL, &error), QUERN_OK);
    cr_assert_eq(quern_searcher_new(&searcher, index, NULL, &error), QUERN_OK);
    cr_assert_eq(quern_fetch(searcher, 0, &got, &error), QUERN_OK);
    cr_assert_eq(got.title.len, 7u);
    cr_assert_eq(got.text.len, 13u);
    cr_assert_eq(memcmp(got.text.data, "one\ntwo\nlines", 13), 0);
    cr_assert_eq(quern_fetch(searcher, 1, &got, &error), QUERN_OK);
    cr_assert_eq(got.text.len, 7u);
    cr_assert_eq(quern_document_length(searcher, 0, &length, &error), QUERN_OK);
    cr_assert_eq(length, 5u);
    cr_assert_eq(quern_index_fields(index, fields), 4u);
    cr_assert_str_eq(fields[2].name, "year");
    cr_assert_eq(fields[2].tokens, 0u);
    cr_assert_eq(fields[1].tokens, 3u);
    quern_searcher_free(searcher);
    quern_index_close(index);
    free(path);
    test_dir_free(dir);
}

/* Words that are given say of which field they are. */
Test(fields, given_words)
{
    char *dir = test_dir_new(), *path = test_path(dir, "ix"), *analysed = test_path(dir, "same");
    quern_build_options options = options_of("title,text");
    options.store = QUERN_STORE_NONE;
    quern_error error;
    quern_builder *builder;
    const quern_document document = {
        .id = QUERN_STR("a"), .title = QUERN_STR("mill"), .text = QUERN_STR("a mill grind")};
    const quern_token words[] = {{QUERN_STR("mill"), 0, 0},
                                 {QUERN_STR("a"), 0, 1},
                                 {QUERN_STR("mill"), 1, 1},
                                 {QUERN_STR("grind"), 2, 1}};
    char longest[256];
    memset(longest, 'x', sizeof longest);
    const quern_token bad[] = {{QUERN_STR("a"), 0, 2},
                               {QUERN_STR(""), 0, 0},
                               {{longest, 255}, 0, 0},
                               {QUERN_STR("a"), 1u << 28, 0}};
    const quern_token back[] = {{QUERN_STR("a"), 0, 1}, {QUERN_STR("a"), 1, 0}};
    cr_assert_eq(quern_builder_open(&builder, path, &options, &error), QUERN_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(quern_builder_add_tokens(builder, &document, &bad[i], 1, &error),
                     QUERN_E_INPUT, "%zu", i);
    cr_assert_eq(quern_builder_add_tokens(builder, &document, back, 2, &error), QUERN_E_INPUT);
    cr_assert_eq(quern_builder_add_tokens(builder, &document, words, 4, &error), QUERN_OK);
    cr_assert_eq(quern_builder_commit(builder, NULL, &error), QUERN_OK);
    quern_builder_free(builder);
    cr_assert_eq(quern_builder_open(&builder, analysed, &options, &error), QUERN_OK);
    cr_assert_eq(quern_builder_add(builder, &document, &error), QUERN_OK);
    cr_assert_eq(quern_builder_commit(builder, NULL, &error), QUERN_OK);
    quern_builder_free(builder);
    same_files(path, analysed);
    free(path);
    free(analysed);
    test_dir_free(dir);
}

/* A word that has no room for the byte of its field is left out and counted; its position stays. */
Test(fields, longest_words)
{
    char *dir = test_dir_new(), *path = test_path(dir, "ix"), text[600];
    quern_build_options options = options_of("text");
    options.language = "none";
    quern_error error;
    quern_builder *builder;
    quern_build_report report;
    memset(text, 'x', sizeof text);
    text[254] = text[510] = ' ';
    const quern_document document = {.id = QUERN_STR("a"), .text = {text, 513}};
    cr_assert_eq(quern_builder_open(&builder, path, &options, &error), QUERN_OK);
    cr_assert_eq(quern_builder_add(builder, &document, &error), QUERN_OK);
    cr_assert_eq(quern_builder_commit(builder, &report, &error), QUERN_OK);
    quern_builder_free(builder);
    cr_assert_eq(report.tokens, 2u);
    cr_assert_eq(report.long_words, 1u);
    size_t n;
    free(answers(path, NULL, "\"xx xx\"", &n));
    cr_assert_eq(n, 0u);
    quern_index *index;
    quern_terms *terms;
    quern_term term;
    cr_assert_eq(quern_index_open(&index, path, NULL, &error), QUERN_OK);
    cr_assert_eq(quern_terms_new(&terms, index, QUERN_STR("text:xx*"), &error), QUERN_OK);
    cr_assert_eq(quern_terms_next(terms, &term, &error), QUERN_OK);
    cr_assert_eq(term.term.len, 2u);
    cr_assert_eq(quern_terms_next(terms, &term, &error), QUERN_OK);
    cr_assert_eq(term.term.len, 254u);
    cr_assert_eq(term.field.len, 4u);
    cr_assert_eq(quern_terms_next(terms, &term, &error), QUERN_END);
    quern_terms_free(terms);
    quern_index_close(index);
    free(path);
    test_dir_free(dir);
}

/* What does not fit together is refused. */
Test(fields, refusals)
{
    static const char *const wrong[] = {"title,title",
                                        "id",
                                        "^2",
                                        "title^x",
                                        "title^0",
                                        "title^1001",
                                        "title,",
                                        ",title",
                                        "ti tle",
                                        "a:b",
                                        "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q"};
    world w;
    start(&w);
    quern_error error;
    quern_builder *builder;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        quern_build_options options = options_of(wrong[i]);
        cr_assert_eq(quern_builder_open(&builder, w.path, &options, &error), QUERN_E_ARGUMENT, "%s",
                     wrong[i]);
    }
    quern_build_options options = options_of("title,abstract,text");
    build(&w, w.path, &options, 0, 50);
    quern_build_options other = options_of("title,text");
    other.append = true;
    cr_assert_eq(quern_builder_open(&builder, w.path, &other, &error), QUERN_E_ARGUMENT);
    cr_assert_not_null(strstr(error.message, "fields"));
    char *plain = test_path(w.dir, "plain");
    quern_build_options none = options_of(NULL);
    test_build(plain, &w.field[2], &none);
    quern_index *index;
    const char *const both[] = {w.path, plain};
    cr_assert_eq(quern_index_open_many(&index, both, 2, NULL, &error), QUERN_E_ARGUMENT);
    char *merged = test_path(w.dir, "merged");
    cr_assert_eq(quern_merge(merged, both, 2, NULL, NULL, &error), QUERN_E_ARGUMENT);
    cr_assert_eq(quern_index_open(&index, plain, NULL, &error), QUERN_OK);
    quern_searcher *searcher;
    quern_search_options search = QUERN_SEARCH_OPTIONS;
    search.fields = "title";
    cr_assert_eq(quern_searcher_new(&searcher, index, &search, &error), QUERN_E_ARGUMENT);
    quern_index_close(index);
    cr_assert_eq(quern_index_open(&index, w.path, NULL, &error), QUERN_OK);
    search.fields = "title,body";
    cr_assert_eq(quern_searcher_new(&searcher, index, &search, &error), QUERN_E_ARGUMENT);
    cr_assert_not_null(strstr(error.message, "body"));
    quern_index_close(index);
    free(plain);
    free(merged);
    finish(&w);
}
