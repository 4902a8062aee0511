/* The public interface: opening, searching several indexes as one, fetching, terms, errors. */
#define _GNU_SOURCE
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *dir, *path;
static quern_error error;

static void setup(void)
{
    dir = test_dir_new();
    path = test_path(dir, "x.idx");
}

static void teardown(void)
{
    free(path);
    test_dir_free(dir);
}

static const quern_document fruit[] = {
    {.id = QUERN_STR("a/1"),
     .title = QUERN_STR("Apples"),
     .text = QUERN_STR("Red apples grow here.")},
    {.id = QUERN_STR("b 2"),
     .title = QUERN_STR("Pears"),
     .text = QUERN_STR("Green pears, and apples.")},
    {.id = QUERN_STR("c"), .text = QUERN_STR("Nothing of the kind.")},
};

static void build_fruit(const quern_build_options *options)
{
    test_corpus corpus = {(quern_document *)(uintptr_t)fruit, 3};
    test_build(path, &corpus, options);
}

static void open_both(quern_index **index, quern_searcher **searcher)
{
    cr_assert_eq(quern_index_open(index, path, NULL, &error), QUERN_OK, "%s", error.message);
    cr_assert_eq(quern_searcher_new(searcher, *index, NULL, &error), QUERN_OK, "%s", error.message);
}

Test(library, search_fetch_snippet, .init = setup, .fini = teardown)
{
    build_fruit(NULL);
    quern_index *index;
    quern_searcher *searcher;
    quern_hits hits;
    open_both(&index, &searcher);
    cr_assert_eq(quern_search(searcher, QUERN_STR("green apple"), 10, &hits, &error), QUERN_OK);
    cr_assert_eq(hits.n, 2u);
    cr_assert_eq(hits.hit[0].doc, 1u);
    cr_assert_null(hits.notice);
    quern_document document;
    quern_snippet snippet;
    cr_assert_eq(quern_snippet_of(searcher, 1, 80, &snippet, &error), QUERN_OK, "%s",
                 error.message);
    cr_assert_eq(snippet.n_marks, 2u);
    cr_assert_eq(memcmp(snippet.text.data + snippet.mark[0].start, "Green", 5), 0);
    cr_assert_eq(quern_fetch(searcher, 1, &document, &error), QUERN_OK);
    cr_assert(document.id.len == 3 && memcmp(document.id.data, "b 2", 3) == 0);
    cr_assert(document.title.len == 5 && memcmp(document.title.data, "Pears", 5) == 0);
    cr_assert_eq(document.text.len, strlen("Green pears, and apples."));
    uint32_t doc, length;
    cr_assert_eq(quern_find_id(searcher, QUERN_STR("c"), &doc, &error), QUERN_OK);
    cr_assert_eq(doc, 2u);
    cr_assert_eq(quern_find_id(searcher, QUERN_STR("d"), &doc, &error), QUERN_NOT_FOUND);
    cr_assert_eq(quern_document_length(searcher, 0, &length, &error), QUERN_OK);
    cr_assert_eq(length, 5u);
    cr_assert_eq(quern_fetch(searcher, 3, &document, &error), QUERN_E_ARGUMENT);
    cr_assert_eq(quern_search(searcher, QUERN_STR("x"), 0, &hits, &error), QUERN_E_ARGUMENT);
    quern_searcher_free(searcher);
    quern_index_close(index);
}

/* A phrase never matches across the gap between title and text. */
Test(library, title_and_text_are_apart, .init = setup, .fini = teardown)
{
    build_fruit(NULL);
    quern_index *index;
    quern_searcher *searcher;
    quern_hits hits;
    open_both(&index, &searcher);
    cr_assert_eq(quern_search(searcher, QUERN_STR("\"red apples\""), 10, &hits, &error), QUERN_OK);
    cr_assert_eq(hits.n, 1u);
    cr_assert_eq(quern_search(searcher, QUERN_STR("\"apples red\""), 10, &hits, &error), QUERN_OK);
    cr_assert_eq(hits.n, 0u);
    cr_assert_eq(quern_search(searcher, QUERN_STR("+apples -green"), 10, &hits, &error), QUERN_OK);
    cr_assert(hits.n == 1 && hits.hit[0].doc == 0);
    quern_searcher_free(searcher);
    quern_index_close(index);
}

Test(library, stats_and_sizes_add_up, .init = setup, .fini = teardown)
{
    build_fruit(NULL);
    quern_index *index;
    quern_searcher *searcher;
    quern_stats stats;
    open_both(&index, &searcher);
    quern_index_stats(index, &stats);
    cr_assert_eq(stats.documents, 3u);
    cr_assert_eq(stats.tokens, 14u);
    cr_assert(stats.positions && stats.stored && strcmp(stats.language, "english") == 0);
    const quern_bytes *b = &stats.bytes;
    cr_assert_eq(b->total, b->dictionary + b->docids + b->tf + b->positions + b->bounds +
                               b->lengths + b->ids + b->store + b->other);
    quern_searcher_free(searcher);
    quern_index_close(index);
}

Test(library, no_store_and_no_positions, .init = setup, .fini = teardown)
{
    quern_build_options options = QUERN_BUILD_OPTIONS;
    options.store = QUERN_STORE_NONE;
    options.no_positions = true;
    build_fruit(&options);
    quern_index *index;
    quern_searcher *searcher;
    quern_document document;
    quern_snippet snippet;
    quern_hits hits;
    open_both(&index, &searcher);
    cr_assert_eq(quern_fetch(searcher, 0, &document, &error), QUERN_OK);
    cr_assert(document.id.len == 3 && document.text.len == 0);
    cr_assert_eq(quern_snippet_of(searcher, 0, 80, &snippet, &error), QUERN_OK);
    cr_assert_eq(snippet.text.len, 0u);
    /* A phrase then means AND. */
    cr_assert_eq(quern_search(searcher, QUERN_STR("\"apples green\""), 10, &hits, &error),
                 QUERN_OK);
    cr_assert_eq(hits.n, 1u);
    quern_searcher_free(searcher);
    quern_index_close(index);
    cr_assert_eq(quern_verify(path, NULL, NULL, &error), QUERN_OK, "%s", error.message);
}

/* Several indexes, and several segments, answer as one index of all documents: same documents, same
 * scores to the bit, ties in the order of the input. */
Test(library, parts_answer_as_the_whole, .init = setup, .fini = teardown)
{
    test_corpus corpus = test_corpus_new(5, 900, 80, 30);
    test_build(path, &corpus, NULL);
    char *part[3];
    for (size_t i = 0; i < 3; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "part%zu", i);
        part[i] = test_path(dir, name);
        test_corpus third = {corpus.document + 300 * i, 300};
        test_build(part[i], &third, NULL);
    }
    quern_index *whole, *parts;
    quern_searcher *one, *many;
    cr_assert_eq(quern_index_open(&whole, path, NULL, &error), QUERN_OK);
    cr_assert_eq(quern_index_open_many(&parts, (const char *const *)part, 3, NULL, &error),
                 QUERN_OK, "%s", error.message);
    cr_assert_eq(quern_searcher_new(&one, whole, NULL, &error), QUERN_OK);
    cr_assert_eq(quern_searcher_new(&many, parts, NULL, &error), QUERN_OK);
    static const char *const queries[] = {"w0 w1", "w3", "w70 w2 w5 w9", "+w1 w4 -w2",
                                          "\"w1 w0\" w7"};
    for (unsigned i = 0; i < 5; i++) {
        quern_hits a, b;
        quern_span query = {queries[i], strlen(queries[i])};
        cr_assert_eq(quern_search(one, query, 50, &a, &error), QUERN_OK);
        cr_assert_eq(quern_search(many, query, 50, &b, &error), QUERN_OK);
        cr_assert_eq(a.n, b.n);
        for (size_t h = 0; h < a.n; h++)
            cr_assert(a.hit[h].doc == b.hit[h].doc && a.hit[h].score == b.hit[h].score,
                      "%s: rank %zu", queries[i], h + 1);
    }
    quern_terms *terms;
    quern_term term;
    cr_assert_eq(quern_terms_new(&terms, parts, QUERN_STR("w1?"), &error), QUERN_OK);
    size_t n = 0;
    while (quern_terms_next(terms, &term, &error) == QUERN_OK) {
        cr_assert(term.term.len == 3 && term.df <= term.cf && term.df <= 900);
        n++;
    }
    cr_assert_eq(n, 10u);
    quern_terms_free(terms);
    quern_searcher_free(one);
    quern_searcher_free(many);
    quern_index_close(whole);
    quern_index_close(parts);
    for (size_t i = 0; i < 3; i++)
        free(part[i]);
    test_corpus_free(&corpus);
}

Test(library, term_patterns, .init = setup, .fini = teardown)
{
    build_fruit(NULL);
    static const struct {
        const char *pattern, *expected;
    } cases[] = {
        {"", "and appl green grow here kind noth of pear red the "},
        {"*", "and appl green grow here kind noth of pear red the "},
        {"gr*", "green grow "},
        {"*e*", "green here pear red the "},
        {"?e?", "red "},
        {"gr?w", "grow "},
        {"g*n", "green "},
        {"zebra", ""},
        {"*zz", ""},
    };
    quern_index *index;
    cr_assert_eq(quern_index_open(&index, path, NULL, &error), QUERN_OK);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        quern_terms *terms;
        quern_term term;
        quern_span pattern = {cases[i].pattern, strlen(cases[i].pattern)};
        char all[256] = "";
        quern_status status;
        cr_assert_eq(quern_terms_new(&terms, index, pattern, &error), QUERN_OK);
        while ((status = quern_terms_next(terms, &term, &error)) == QUERN_OK) {
            strncat(all, term.term.data, term.term.len);
            strcat(all, " ");
        }
        cr_assert_eq(status, QUERN_END);
        cr_assert_str_eq(all, cases[i].expected, "pattern %s", cases[i].pattern);
        quern_terms_free(terms);
    }
    quern_index_close(index);
}

Test(library, opening_what_is_no_index, .init = setup, .fini = teardown)
{
    quern_index *index;
    cr_assert_eq(quern_index_open(&index, path, NULL, &error), QUERN_E_IO);
    cr_assert_not_null(strstr(error.message, "x.idx"), "%s", error.message);
    cr_assert_eq(quern_index_open(&index, dir, NULL, &error), QUERN_E_ARGUMENT);
    cr_assert_not_null(strstr(error.message, "holds no index"), "%s", error.message);
    build_fruit(NULL);
    char *file = test_find_file(path, ".qx");
    cr_assert_eq(quern_index_open(&index, file, NULL, &error), QUERN_E_ARGUMENT);
    cr_assert_eq(remove(file), 0);
    cr_assert_eq(quern_index_open(&index, path, NULL, &error), QUERN_E_IO);
    free(file);
    for (int s = 0; s < 64; s++)
        cr_assert_not_null(quern_status_text((quern_status)s));
    cr_assert_str_eq(quern_version(), QUERN_VERSION);
}

Test(library, tokens_given_by_the_caller, .init = setup, .fini = teardown)
{
    quern_builder *builder;
    quern_build_options options = QUERN_BUILD_OPTIONS;
    options.language = "none";
    cr_assert_eq(quern_builder_open(&builder, path, &options, &error), QUERN_OK);
    quern_token tokens[] = {
        {QUERN_STR("alpha"), 0, 0}, {QUERN_STR("beta"), 0, 0}, {QUERN_STR("alpha"), 9, 0}};
    quern_document document = {.id = QUERN_STR("x"), .text = QUERN_STR("stored only")};
    cr_assert_eq(quern_builder_add_tokens(builder, &document, tokens, 3, &error), QUERN_OK);
    document.id = QUERN_STR("y");
    tokens[2].position = 0;
    tokens[1].position = 5; /* decreasing */
    cr_assert_eq(quern_builder_add_tokens(builder, &document, tokens, 3, &error), QUERN_E_INPUT);
    tokens[0].term.len = 0;
    cr_assert_eq(quern_builder_add_tokens(builder, &document, tokens, 1, &error), QUERN_E_INPUT);
    cr_assert_eq(quern_builder_add_tokens(builder, &document, NULL, 0, &error), QUERN_OK);
    cr_assert_eq(quern_builder_commit(builder, NULL, &error), QUERN_OK, "%s", error.message);
    quern_builder_free(builder);
    cr_assert_eq(quern_verify(path, NULL, NULL, &error), QUERN_OK, "%s", error.message);
    quern_index *index;
    quern_searcher *searcher;
    quern_hits hits;
    open_both(&index, &searcher);
    cr_assert_eq(quern_search(searcher, QUERN_STR("alpha"), 10, &hits, &error), QUERN_OK);
    cr_assert_eq(hits.n, 1u);
    cr_assert_eq(quern_search(searcher, QUERN_STR("stored"), 10, &hits, &error), QUERN_OK);
    cr_assert_eq(hits.n, 0u);
    quern_searcher_free(searcher);
    quern_index_close(index);
}

/* Statistics from outside: two shards that are told the whole's numbers score as the whole does. */
static uint64_t whole_df(void *arg, quern_span term)
{
    quern_terms *terms;
    quern_term found;
    uint64_t df = 0;
    cr_assert_eq(quern_terms_new(&terms, arg, term, NULL), QUERN_OK);
    if (quern_terms_next(terms, &found, NULL) == QUERN_OK)
        df = found.df;
    quern_terms_free(terms);
    return df;
}

Test(library, statistics_from_outside, .init = setup, .fini = teardown)
{
    test_corpus corpus = test_corpus_new(6, 400, 60, 25);
    test_build(path, &corpus, NULL);
    char *shard = test_path(dir, "shard");
    test_corpus first = {corpus.document, 150};
    test_build(shard, &first, NULL);
    quern_index *whole, *part;
    quern_searcher *all, *some;
    cr_assert_eq(quern_index_open(&whole, path, NULL, &error), QUERN_OK);
    cr_assert_eq(quern_index_open(&part, shard, NULL, &error), QUERN_OK);
    quern_stats stats;
    quern_index_stats(whole, &stats);
    quern_search_options options = QUERN_SEARCH_OPTIONS;
    options.documents = stats.documents;
    options.tokens = stats.tokens;
    options.df = whole_df;
    options.df_arg = whole;
    cr_assert_eq(quern_searcher_new(&all, whole, NULL, &error), QUERN_OK);
    cr_assert_eq(quern_searcher_new(&some, part, &options, &error), QUERN_OK);
    quern_hits a, b;
    cr_assert_eq(quern_search(all, QUERN_STR("w1 w20 w33"), 400, &a, &error), QUERN_OK);
    cr_assert_eq(quern_search(some, QUERN_STR("w1 w20 w33"), 400, &b, &error), QUERN_OK);
    size_t at = 0;
    for (size_t i = 0; i < a.n; i++) {
        if (a.hit[i].doc >= 150)
            continue;
        cr_assert(at < b.n && b.hit[at].doc == a.hit[i].doc && b.hit[at].score == a.hit[i].score);
        at++;
    }
    cr_assert_eq(at, b.n);
    quern_searcher_free(all);
    quern_searcher_free(some);
    quern_index_close(whole);
    quern_index_close(part);
    free(shard);
    test_corpus_free(&corpus);
}

/* An append whose documents were all there already wrote an empty segment; the second such had the
 * same content, hence the same name, and the manifest could not be read any more. */
Test(library, appending_nothing_twice, .init = setup, .fini = teardown)
{
    build_fruit(NULL);
    quern_build_options options = QUERN_BUILD_OPTIONS;
    options.append = true;
    options.on_duplicate = QUERN_DUPLICATE_SKIP;
    for (int i = 0; i < 2; i++) {
        quern_builder *builder;
        quern_build_report report;
        cr_assert_eq(quern_builder_open(&builder, path, &options, &error), QUERN_OK);
        cr_assert_eq(quern_builder_add(builder, &fruit[0], &error), QUERN_OK, "%s", error.message);
        cr_assert_eq(quern_builder_commit(builder, &report, &error), QUERN_OK);
        cr_assert_eq(report.documents, 3u);
        cr_assert_eq(report.skipped, 1u);
        quern_builder_free(builder);
    }
    quern_index *index;
    quern_stats stats;
    cr_assert_eq(quern_index_open(&index, path, NULL, &error), QUERN_OK, "%s", error.message);
    quern_index_stats(index, &stats);
    cr_assert_eq(stats.segments, 1u);
    quern_index_close(index);
    cr_assert_eq(quern_verify(path, NULL, NULL, &error), QUERN_OK, "%s", error.message);
}
