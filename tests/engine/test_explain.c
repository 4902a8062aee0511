/* quern_count and quern_explain by the public interface. */
#include "engine/quern.h"

#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *const texts[] = {"the grey cat", "the cat and the dog", "a dog alone",
                                    "the end"};

/* An index of one document a text, opened; `path` is the caller's to remove. */
static quern_index *make_index(const char *path)
{
    quern_builder *builder;
    quern_build_options options = QUERN_BUILD_OPTIONS;
    options.force = true;
    cr_assert_eq(quern_builder_open(&builder, path, &options, NULL), QUERN_OK);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char id[2] = {(char)('a' + i), '\0'};
        quern_document document = {.id = {id, 1}, .text = {texts[i], strlen(texts[i])}};
        cr_assert_eq(quern_builder_add(builder, &document, NULL), QUERN_OK);
    }
    cr_assert_eq(quern_builder_commit(builder, NULL, NULL), QUERN_OK);
    quern_builder_free(builder);
    quern_index *index;
    cr_assert_eq(quern_index_open(&index, path, NULL, NULL), QUERN_OK);
    return index;
}

typedef struct fixture {
    char *path;
    quern_index *index;
    quern_searcher *searcher;
} fixture;

static fixture start(void)
{
    fixture f = {.path = test_dir_new()};
    f.index = make_index(f.path);
    cr_assert_eq(quern_searcher_new(&f.searcher, f.index, NULL, NULL), QUERN_OK);
    return f;
}

static void end(fixture *f)
{
    quern_searcher_free(f->searcher);
    quern_index_close(f->index);
    test_dir_free(f->path);
}

static bool is(quern_span span, const char *text)
{
    return span.len == strlen(text) && memcmp(span.data, text, span.len) == 0;
}

Test(explain, counts_and_notices)
{
    fixture f = start();
    quern_matches matches;
    static const struct {
        const char *query;
        uint64_t n;
    } cases[] = {{"cat dog", 3}, {"+cat +dog", 1},         {"+the -cat", 1}, {"\"the dog\"", 1},
                 {"zebra", 0},   {"\"the cat\" alone", 2}, {"the", 3},       {"", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        quern_span query = {cases[i].query, strlen(cases[i].query)};
        cr_assert_eq(quern_count(f.searcher, query, &matches, NULL), QUERN_OK);
        cr_assert_eq(matches.n, cases[i].n, "%s: %llu", cases[i].query,
                     (unsigned long long)matches.n);
    }
    cr_assert_eq(quern_count(f.searcher, QUERN_STR("cat \""), &matches, NULL), QUERN_OK);
    cr_assert_neq((const void *)matches.notice, NULL);
    end(&f);
}

Test(explain, tells_of_the_last_query)
{
    fixture f = start();
    quern_explanation about;
    quern_hits hits;
    cr_assert_eq(quern_explain(f.searcher, &about, NULL), QUERN_OK);
    cr_assert(about.n_terms == 0 && about.evaluator == NULL);
    cr_assert_eq(quern_search(f.searcher, QUERN_STR("Cats +\"the dogs\" -zebra"), 10, &hits, NULL),
                 QUERN_OK);
    cr_assert_eq(quern_explain(f.searcher, &about, NULL), QUERN_OK);
    cr_assert_eq(about.n_terms, (size_t)4);
    cr_assert_str_eq(about.evaluator, hits.evaluator);
    cr_assert(about.k1 > 0.89f && about.k1 < 0.91f && about.b > 0.39f && about.b < 0.41f);
    const quern_explained_term *term = about.term;
    cr_assert(is(term[0].term, "cat") && is(term[1].term, "the") && is(term[2].term, "dog"));
    cr_assert(term[0].df == 2 && term[1].df == 3 && term[2].df == 2 && term[3].df == 0);
    cr_assert(term[0].occur == QUERN_SHOULD && term[1].occur == QUERN_MUST &&
              term[3].occur == QUERN_NOT);
    cr_assert(term[0].clause == 0 && term[1].clause == 1 && term[2].clause == 1 &&
              term[3].clause == 2);
    cr_assert(term[0].form == QUERN_LIST_SPARSE && term[3].form == QUERN_LIST_NONE);
    cr_assert(term[0].weight > 0 && memcmp(&term[1].weight, &term[2].weight, sizeof(float)) == 0);
    quern_matches matches;
    cr_assert_eq(quern_count(f.searcher, QUERN_STR("cat"), &matches, NULL), QUERN_OK);
    cr_assert_eq(quern_explain(f.searcher, &about, NULL), QUERN_OK);
    cr_assert_str_eq(about.evaluator, "count");
    cr_assert_eq(about.n_terms, (size_t)1);
    cr_assert_eq(hits.n, (size_t)1); /* and the hits of the search stay */
    cr_assert_eq(hits.hit[0].doc, 1u);
    end(&f);
}
