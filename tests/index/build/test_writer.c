/* Building: the same bytes for every memory limit; duplicates; locks; directories that are refused;
 * nothing left behind by a build that was given up. */
#define _GNU_SOURCE
#include "index/build/writer.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *dir, *path;

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

/* Compares the segment files of two indexes. */
static void same_bytes(const char *a, const char *b)
{
    static const char *const names[] = {".qx", ".qs", "MANIFEST"};
    for (unsigned i = 0; i < 3; i++) {
        char *left = test_find_file(a, names[i]), *right = test_find_file(b, names[i]);
        cr_assert(left != NULL && right != NULL, "%s", names[i]);
        size_t left_len, right_len;
        uint8_t *x = test_read_file(left, &left_len), *y = test_read_file(right, &right_len);
        cr_assert_eq(left_len, right_len, "%s", names[i]);
        cr_assert_eq(memcmp(x, y, left_len), 0, "%s differs", names[i]);
        free(x);
        free(y);
        free(left);
        free(right);
    }
}

Test(writer, same_bytes_for_any_runs, .init = setup, .fini = teardown)
{
    test_corpus corpus = test_corpus_new(11, 3000, 900, 120);
    test_build(path, &corpus, NULL);
    /* Runs are forced, as small corpora never fill the smallest memory. */
    quern_build_options options = QUERN_BUILD_OPTIONS;
    char *other = test_path(dir, "y.idx");
    qn_index_writer writer;
    quern_error error;
    cr_assert_eq(qn_index_writer_open(&writer, other, &options, &error), QUERN_OK, "%s",
                 error.message);
    for (size_t i = 0; i < corpus.n; i++) {
        if (i % 97 == 5)
            cr_assert_eq(qn_inverter_flush(&writer.mill->inverter, &error), QUERN_OK);
        if (i == 1500) { /* as when rare words fill the memory */
            cr_assert_eq(qn_inverter_flush(&writer.mill->inverter, &error), QUERN_OK);
            cr_assert_eq(qn_inverter_spill(&writer.mill->inverter, &error), QUERN_OK);
            qn_vocabulary_free(&writer.mill->vocabulary);
            cr_assert_eq(
                qn_vocabulary_init(&writer.mill->vocabulary, writer.mill->analyzer, &error),
                QUERN_OK);
        }
        cr_assert_eq(qn_index_writer_add(&writer, &corpus.document[i], NULL, &error), QUERN_OK);
    }
    quern_build_report report;
    cr_assert_eq(qn_index_writer_commit(&writer, &report, &error), QUERN_OK, "%s", error.message);
    cr_assert_gt(report.runs, 30u);
    cr_assert_eq(report.documents, 3000u);
    qn_index_writer_close(&writer);
    same_bytes(path, other);
    free(other);
    test_corpus_free(&corpus);
}

typedef struct spilling {
    bool far, again; /* keys of 64 bits; ids that come again and replace */
    bool spill;      /* what was gathered goes to the spool now and then */
    unsigned threads;
} spilling;

/* Builds 3,000 documents at `to`, of up to five words. */
static void build_spilling(const char *to, const spilling *how)
{
    quern_build_options options = QUERN_BUILD_OPTIONS;
    options.threads = how->threads;
    options.force = true;
    options.on_duplicate = QUERN_DUPLICATE_REPLACE;
    qn_index_writer writer;
    quern_error error;
    cr_assert_eq(qn_index_writer_open(&writer, to, &options, &error), QUERN_OK, "%s",
                 error.message);
    writer.crew_from = UINT64_MAX; /* one mill; the merge may have its thread */
    for (uint32_t i = 0; i < 3000; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "d%u", how->again && i % 7 == 5 ? i - 3 : i);
        quern_document document = {.id = {id, strlen(id)}};
        const uint32_t far = how->far ? (1u << 27) + i : 5;
        const quern_token tokens[] = {{QUERN_STR("all"), i % 3, 0},
                                      {QUERN_STR("all"), i % 3, 0},
                                      {QUERN_STR("some"), 3, 0},
                                      {QUERN_STR("all"), far, 0},
                                      {{id, strlen(id)}, far + 1, 0}};
        cr_assert_eq(qn_index_writer_add_tokens(&writer, &document, tokens, i % 5 + 1, &error),
                     QUERN_OK, "%s", error.message);
        if (how->spill && i % 700 == 699) {
            cr_assert_eq(qn_inverter_flush(&writer.mill->inverter, &error), QUERN_OK);
            cr_assert_eq(qn_inverter_spill(&writer.mill->inverter, &error), QUERN_OK);
            cr_assert_eq(writer.mill->inverter.run[i / 700].wide, how->far);
        }
    }
    cr_assert_eq(qn_index_writer_commit(&writer, NULL, &error), QUERN_OK, "%s", error.message);
    qn_index_writer_close(&writer);
    cr_assert_eq(quern_verify(to, NULL, NULL, &error), QUERN_OK, "%s", error.message);
}

/* Keys of either width that went through a spool, handed to one thread or two, renumbered or not,
 * make the index that those in memory make. */
Test(writer, same_bytes_from_a_spool, .init = setup, .fini = teardown)
{
    char *other = test_path(dir, "y.idx");
    for (unsigned kind = 0; kind < 8; kind++) {
        spilling how = {(kind & 1) != 0, (kind & 2) != 0, false, 1};
        build_spilling(path, &how);
        how.spill = true;
        how.threads = (kind & 4) != 0 ? 2 : 1;
        build_spilling(other, &how);
        same_bytes(path, other);
    }
    free(other);
}

Test(writer, memory_limit_makes_runs_and_keeps_bytes, .init = setup, .fini = teardown)
{
    test_corpus corpus = test_corpus_new(12, 30000, 5000, 300);
    test_build(path, &corpus, NULL);
    char *other = test_path(dir, "y.idx");
    quern_build_options options = QUERN_BUILD_OPTIONS;
    options.memory = (uint64_t)32 << 20;
    quern_builder *builder;
    quern_build_report report;
    cr_assert_eq(quern_builder_open(&builder, other, &options, NULL), QUERN_OK);
    for (size_t i = 0; i < corpus.n; i++)
        cr_assert_eq(quern_builder_add(builder, &corpus.document[i], NULL), QUERN_OK);
    cr_assert_eq(quern_builder_commit(builder, &report, NULL), QUERN_OK);
    quern_builder_free(builder);
    cr_assert_gt(report.runs, 1u);
    same_bytes(path, other);
    free(other);
    test_corpus_free(&corpus);
}

static quern_status build_two(const char *first, const char *second, quern_build_options *options,
                              quern_build_report *report, quern_error *error)
{
    quern_builder *builder;
    quern_status status = quern_builder_open(&builder, path, options, error);
    if (status != QUERN_OK)
        return status;
    quern_document a = {.id = {first, strlen(first)}, .text = QUERN_STR("one apple")};
    quern_document b = {.id = {second, strlen(second)}, .text = QUERN_STR("two pears")};
    status = quern_builder_add(builder, &a, error);
    if (status == QUERN_OK)
        status = quern_builder_add(builder, &b, error);
    if (status == QUERN_OK)
        status = quern_builder_commit(builder, report, error);
    quern_builder_free(builder);
    return status;
}

/* A document that does not fit beside what is held is parted between runs; its postings are one
 * again in the merge. The limit was once asked only between documents: one with a million distinct
 * words took twice the memory it was given. */
static void large_documents(bool no_positions, uint64_t memory, const char *to, uint32_t least_runs)
{
    enum { N = 3, LEN = 3 << 20 };
    quern_build_options options = QUERN_BUILD_OPTIONS;
    options.memory = memory;
    options.no_positions = no_positions;
    options.store = QUERN_STORE_NONE;
    quern_builder *builder;
    quern_build_report report;
    quern_error error;
    cr_assert_eq(quern_builder_open(&builder, to, &options, &error), QUERN_OK, "%s", error.message);
    char *text = malloc(LEN + 16);
    cr_assert_not_null(text);
    test_random random = 5;
    for (int i = 0; i < N; i++) {
        size_t len = 0;
        while (len < LEN) {
            /* Every third word is one that all hold, often. */
            uint32_t word = test_below(&random, 3) == 0 ? 7 : test_below(&random, 50000);
            len += (size_t)sprintf(text + len, "%x ", word);
        }
        char id[16];
        (void)snprintf(id, sizeof id, "d%d", i);
        quern_document document = {.id = {id, strlen(id)}, .text = {text, len}};
        cr_assert_eq(quern_builder_add(builder, &document, &error), QUERN_OK, "%s", error.message);
    }
    free(text);
    cr_assert_eq(quern_builder_commit(builder, &report, &error), QUERN_OK, "%s", error.message);
    cr_assert_geq(report.runs, least_runs);
    quern_builder_free(builder);
}

Test(writer, large_documents_are_parted, .init = setup, .fini = teardown)
{
    char *other = test_path(dir, "y.idx");
    for (int without = 0; without < 2; without++) {
        large_documents(without != 0, (uint64_t)1 << 30, path, 1);
        large_documents(without != 0, (uint64_t)32 << 20, other, 2);
        quern_error error;
        cr_assert_eq(quern_verify(other, NULL, NULL, &error), QUERN_OK, "%s", error.message);
        size_t left_len, right_len;
        char *left = test_find_file(path, ".qx"), *right = test_find_file(other, ".qx");
        uint8_t *x = test_read_file(left, &left_len), *y = test_read_file(right, &right_len);
        cr_assert(left_len == right_len && memcmp(x, y, left_len) == 0);
        free(x);
        free(y);
        free(left);
        free(right);
        test_dir_free(path);
        test_dir_free(other);
        path = test_path(dir, "x.idx");
        other = test_path(dir, "y.idx");
    }
    free(other);
}

/* As ids and lengths, here `reserved`, grew, the room that was kept for the log of an earlier,
 * larger run left too little for the vocabulary, and a run was written for every few words: 43,000
 * runs for a million passages, whose readers then took five times the limit. */
Test(writer, runs_are_worth_their_place, .init = setup, .fini = teardown)
{
    enum { N = 1500, WORDS = 1000 };
    quern_build_options options = QUERN_BUILD_OPTIONS;
    options.memory = (uint64_t)32 << 20;
    options.store = QUERN_STORE_NONE;
    qn_index_writer writer;
    quern_build_report report;
    quern_error error;
    cr_assert_eq(qn_index_writer_open(&writer, path, &options, &error), QUERN_OK, "%s",
                 error.message);
    test_random random = 6;
    for (uint64_t i = 0; i < N; i++) {
        char id[24], text[WORDS * 9];
        size_t len = 0;
        for (int j = 0; j < WORDS; j++) {
            uint32_t word = test_below(&random, test_below(&random, 3) == 0 ? 60000 : 500);
            len += (size_t)sprintf(text + len, "%x ", word);
        }
        (void)snprintf(id, sizeof id, "d%u", (unsigned)i);
        quern_document document = {.id = {id, strlen(id)}, .text = {text, len}};
        writer.reserved = ((uint64_t)14 << 20) * i / N;
        cr_assert_eq(qn_index_writer_add(&writer, &document, NULL, &error), QUERN_OK, "%s",
                     error.message);
    }
    cr_assert_eq(qn_index_writer_commit(&writer, &report, &error), QUERN_OK, "%s", error.message);
    cr_expect(report.runs > 1 && report.runs < 18, "%u runs", report.runs);
    qn_index_writer_close(&writer);
}

Test(writer, duplicates_are_refused_skipped_or_replaced, .init = setup, .fini = teardown)
{
    quern_build_options options = QUERN_BUILD_OPTIONS;
    quern_build_report report;
    quern_error error;
    cr_assert_eq(build_two("a", "a", &options, &report, &error), QUERN_E_DUPLICATE);
    cr_assert_not_null(strstr(error.message, "document 1"), "%s", error.message);
    cr_assert_eq(access(path, F_OK), -1, "a failed build leaves no directory");

    options.on_duplicate = QUERN_DUPLICATE_SKIP;
    cr_assert_eq(build_two("a", "a", &options, &report, &error), QUERN_OK);
    cr_assert(report.documents == 1 && report.skipped == 1);

    options.on_duplicate = QUERN_DUPLICATE_REPLACE;
    options.force = true;
    cr_assert_eq(build_two("a", "a", &options, &report, &error), QUERN_OK);
    cr_assert(report.documents == 1 && report.skipped == 1);
    quern_index *index;
    quern_searcher *searcher;
    quern_document document;
    cr_assert_eq(quern_index_open(&index, path, NULL, &error), QUERN_OK, "%s", error.message);
    cr_assert_eq(quern_searcher_new(&searcher, index, NULL, &error), QUERN_OK);
    cr_assert_eq(quern_fetch(searcher, 0, &document, &error), QUERN_OK);
    cr_assert_eq(memcmp(document.text.data, "two pears", 9), 0);
    quern_searcher_free(searcher);
    quern_index_close(index);
    cr_assert_eq(quern_verify(path, NULL, NULL, &error), QUERN_OK, "%s", error.message);
}

/* Replacing gives the bytes of an index of the documents that stay, in their order. */
Test(writer, replaced_equals_built_without, .init = setup, .fini = teardown)
{
    test_corpus corpus = test_corpus_new(13, 500, 300, 60);
    quern_build_options options = QUERN_BUILD_OPTIONS;
    options.on_duplicate = QUERN_DUPLICATE_REPLACE;
    quern_builder *builder;
    cr_assert_eq(quern_builder_open(&builder, path, &options, NULL), QUERN_OK);
    for (size_t i = 0; i < corpus.n; i++) {
        quern_document early = {.id = corpus.document[i].id, .text = QUERN_STR("to be dropped")};
        if (i % 3 == 0)
            cr_assert_eq(quern_builder_add(builder, &early, NULL), QUERN_OK);
    }
    for (size_t i = 0; i < corpus.n; i++)
        cr_assert_eq(quern_builder_add(builder, &corpus.document[i], NULL), QUERN_OK);
    cr_assert_eq(quern_builder_commit(builder, NULL, NULL), QUERN_OK);
    quern_builder_free(builder);
    char *other = test_path(dir, "y.idx");
    test_build(other, &corpus, NULL);
    same_bytes(path, other);
    free(other);
    test_corpus_free(&corpus);
}

Test(writer, refuses_what_is_there, .init = setup, .fini = teardown)
{
    quern_build_options options = QUERN_BUILD_OPTIONS;
    quern_error error;
    cr_assert_eq(build_two("a", "b", &options, NULL, &error), QUERN_OK);
    cr_assert_eq(build_two("c", "d", &options, NULL, &error), QUERN_E_EXISTS);
    options.force = true;
    cr_assert_eq(build_two("c", "d", &options, NULL, &error), QUERN_OK);

    cr_assert_eq(mkdir(path, 0777), -1);
    char *foreign = test_path(path, "letter.txt");
    test_write_file(foreign, "dear", 4);
    cr_assert_eq(build_two("c", "d", &options, NULL, &error), QUERN_E_EXISTS);
    cr_assert_not_null(strstr(error.message, "letter.txt"), "%s", error.message);
    size_t len;
    uint8_t *bytes = test_read_file(foreign, &len);
    cr_assert_eq(len, 4u);
    free(bytes);
    free(foreign);
}

Test(writer, one_writer_at_a_time, .init = setup, .fini = teardown)
{
    quern_error error;
    quern_builder *first, *second;
    quern_build_options options = QUERN_BUILD_OPTIONS;
    options.force = true;
    cr_assert_eq(quern_builder_open(&first, path, &options, &error), QUERN_OK);
    cr_assert_eq(quern_builder_open(&second, path, &options, &error), QUERN_E_LOCKED);
    cr_assert_eq(quern_builder_commit(first, NULL, &error), QUERN_OK);
    quern_builder_free(first);
    cr_assert_eq(quern_builder_open(&second, path, &options, &error), QUERN_OK);
    quern_builder_free(second);
    cr_assert_eq(quern_verify(path, NULL, NULL, &error), QUERN_OK, "%s", error.message);
}

Test(writer, given_up_build_leaves_the_old_index, .init = setup, .fini = teardown)
{
    quern_build_options options = QUERN_BUILD_OPTIONS;
    quern_error error;
    cr_assert_eq(build_two("a", "b", &options, NULL, &error), QUERN_OK);
    char *manifest = test_path(path, "MANIFEST");
    size_t before_len, after_len;
    uint8_t *before = test_read_file(manifest, &before_len);
    options.force = true;
    cr_assert_eq(build_two("c", "c", &options, NULL, &error), QUERN_E_DUPLICATE);
    uint8_t *after = test_read_file(manifest, &after_len);
    cr_assert(before_len == after_len && memcmp(before, after, after_len) == 0);
    char *left = test_find_file(path, "tmp");
    cr_assert_null(left);
    cr_assert_eq(quern_verify(path, NULL, NULL, &error), QUERN_OK, "%s", error.message);
    free(before);
    free(after);
    free(manifest);
}

Test(writer, append_adds_a_segment, .init = setup, .fini = teardown)
{
    quern_build_options options = QUERN_BUILD_OPTIONS;
    quern_build_report report;
    quern_error error;
    options.append = true; /* to nothing: a first build */
    cr_assert_eq(build_two("a", "b", &options, &report, &error), QUERN_OK, "%s", error.message);
    cr_assert_eq(build_two("c", "d", &options, &report, &error), QUERN_OK, "%s", error.message);
    cr_assert_eq(report.documents, 4u);
    cr_assert_eq(build_two("e", "b", &options, &report, &error), QUERN_E_DUPLICATE);
    options.language = "german";
    cr_assert_eq(build_two("e", "f", &options, &report, &error), QUERN_E_ARGUMENT);
    cr_assert_eq(quern_verify(path, NULL, NULL, &error), QUERN_OK, "%s", error.message);
}

Test(writer, bad_arguments, .init = setup, .fini = teardown)
{
    quern_error error;
    quern_build_options options = QUERN_BUILD_OPTIONS;
    options.memory = 1 << 20;
    cr_assert_eq(build_two("a", "b", &options, NULL, &error), QUERN_E_ARGUMENT);
    options = QUERN_BUILD_OPTIONS;
    options.k1 = 4;
    cr_assert_eq(build_two("a", "b", &options, NULL, &error), QUERN_E_ARGUMENT);
    options = QUERN_BUILD_OPTIONS;
    options.b = -1;
    cr_assert_eq(build_two("a", "b", &options, NULL, &error), QUERN_E_ARGUMENT);
    options = QUERN_BUILD_OPTIONS;
    options.language = "klingon";
    cr_assert_eq(build_two("a", "b", &options, NULL, &error), QUERN_E_ARGUMENT);
    cr_assert_not_null(strstr(error.message, "english"));
    options = QUERN_BUILD_OPTIONS;
    options.force = options.append = true;
    cr_assert_eq(build_two("a", "b", &options, NULL, &error), QUERN_E_ARGUMENT);
    cr_assert_eq(access(path, F_OK), -1);
}

Test(writer, a_document_that_is_too_large_is_left_out, .init = setup, .fini = teardown)
{
    quern_build_options options = QUERN_BUILD_OPTIONS;
    options.memory = (uint64_t)32 << 20;
    size_t len = (4 << 20) + 1;
    char *text = malloc(len);
    memset(text, 'x', len);
    quern_builder *builder;
    quern_error error;
    cr_assert_eq(quern_builder_open(&builder, path, &options, &error), QUERN_OK);
    quern_document document = {.id = QUERN_STR("big"), .text = {text, len}};
    cr_assert_eq(quern_builder_add(builder, &document, &error), QUERN_E_INPUT);
    document.text.len = 1 << 20; /* one token of a megabyte: left out, counted */
    cr_assert_eq(quern_builder_add(builder, &document, &error), QUERN_OK);
    document = (quern_document){.id = {text, 5000}};
    cr_assert_eq(quern_builder_add(builder, &document, &error), QUERN_E_INPUT);
    quern_build_report report;
    cr_assert_eq(quern_builder_commit(builder, &report, &error), QUERN_OK);
    cr_assert(report.documents == 1 && report.long_words == 1 && report.tokens == 0);
    quern_builder_free(builder);
    free(text);
}

Test(writer, no_documents_make_an_empty_index, .init = setup, .fini = teardown)
{
    test_corpus corpus = {0};
    test_build(path, &corpus, NULL);
    quern_error error;
    cr_assert_eq(quern_verify(path, NULL, NULL, &error), QUERN_OK, "%s", error.message);
    quern_index *index;
    quern_searcher *searcher;
    quern_hits hits;
    cr_assert_eq(quern_index_open(&index, path, NULL, &error), QUERN_OK);
    cr_assert_eq(quern_searcher_new(&searcher, index, NULL, &error), QUERN_OK);
    cr_assert_eq(quern_search(searcher, QUERN_STR("anything at all"), 10, &hits, &error), QUERN_OK);
    cr_assert_eq(hits.n, 0u);
    quern_searcher_free(searcher);
    quern_index_close(index);
}
