/*
 * An index that lives: appends, updates, deletions, joins and compactions in any order. After each
 * step it answers, bit for bit, as an index built anew of the documents that are left, given equal
 * statistics; compacted it is that index, byte for byte.
 *
 * With QUERN_FULL set: 200 appends of 1,000 documents.
 */
#define _GNU_SOURCE
#include "tests/support/living.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t n_segments(const living_model *m)
{
    quern_index *index;
    quern_stats stats;
    cr_assert_eq(quern_index_open(&index, m->path, NULL, NULL), QUERN_OK);
    quern_index_stats(index, &stats);
    quern_index_close(index);
    return stats.segments;
}

Test(living, answers_as_if_built_anew, .timeout = 170)
{
    living_model m;
    living_start(&m, 1);
    for (unsigned round = 0; round < 40; round++) {
        living_change(&m, test_below(&m.random, 400), test_below(&m.random, 60),
                      test_below(&m.random, 60));
        if (round % 5 == 4)
            living_compare(&m, 6);
    }
    living_compact(&m, NULL);
    living_compare(&m, 6);
    living_compare_bytes(&m);
    living_finish(&m);
}

/* The same of an index that keeps fields apart; without and with reordering. */
Test(living, fields_answer_as_if_built_anew, .timeout = 170)
{
    for (unsigned reorder = 0; reorder < 2; reorder++) {
        living_model m;
        living_start(&m, 13 + reorder);
        m.fields = true;
        m.reorder = reorder > 0;
        for (unsigned round = 0; round < 20; round++) {
            living_change(&m, 1 + test_below(&m.random, 400), test_below(&m.random, 60),
                          test_below(&m.random, 60));
            if (round % 5 == 4)
                living_compare(&m, 6);
        }
        living_compact(&m, NULL);
        m.fresh_too = m.reorder;
        living_compare(&m, 6);
        living_compare_bytes(&m);
        living_finish(&m);
    }
}

/* The same of an index that is reordered, against one that is not. */
Test(living, reordered_answers_as_if_built_anew, .timeout = 170)
{
    living_model m;
    quern_error error;
    living_start(&m, 11);
    m.reorder = true;
    for (unsigned round = 0; round < 40; round++) {
        living_change(&m, 1 + test_below(&m.random, 400), test_below(&m.random, 60),
                      test_below(&m.random, 60));
        if (round % 5 == 4)
            living_compare(&m, 6);
    }
    living_compact(&m, NULL);
    living_compare(&m, 6);
    m.fresh_too = true;
    living_compare(&m, 6);
    living_compare_bytes(&m);
    /* Back to the order of the input, and forth. */
    quern_merge_options options = QUERN_MERGE_OPTIONS;
    quern_merge_report report;
    for (unsigned i = 0; i < 4; i++) {
        m.fresh_too = i >= 2;
        options.reorder = m.fresh_too ? QUERN_REORDER_ON : QUERN_REORDER_OFF;
        cr_assert_eq(quern_compact(m.path, &options, &report, &error), QUERN_OK, "%s",
                     error.message);
        cr_assert_eq(report.joined, i % 2 == 0 ? 1u : 0u); /* the second time it is so already */
        living_compare(&m, 2);
        living_compare_bytes(&m);
    }
    living_finish(&m);
}

Test(living, reordered_from_nothing_to_nothing)
{
    living_model m;
    living_start(&m, 12);
    m.reorder = m.fresh_too = true;
    living_change(&m, 0, 0, 0);
    living_change(&m, 1, 0, 0);
    living_compact(&m, NULL);
    living_compare(&m, 2);
    living_compare_bytes(&m);
    living_change(&m, 10, 0, 0);
    while (m.n_live > 0)
        living_change(&m, 0, 0, (unsigned)m.n_live);
    living_compare(&m, 2);
    living_compact(&m, NULL);
    living_compare(&m, 2);
    living_compare_bytes(&m);
    living_finish(&m);
}

Test(living, many_appends, .timeout = 900)
{
    bool full = getenv("QUERN_FULL") != NULL;
    unsigned n_appends = full ? 200 : 60, size = full ? 1000 : 30;
    living_model m;
    living_start(&m, 2);
    for (unsigned round = 0; round < n_appends; round++) {
        living_change(&m, size, 0, 0);
        living_change(&m, 0, size / 50, size / 20);
        if (round % 50 == 49)
            living_compare(&m, 10);
    }
    cr_assert_lt(n_segments(&m), 33u);
    living_compact(&m, NULL);
    living_compare(&m, 10);
    living_compare_bytes(&m);
    living_finish(&m);
}

/* All that is there goes, and comes back: a segment of the same content, hence the same name. */
Test(living, everything_deleted_and_added_again)
{
    living_model m;
    living_start(&m, 3);
    living_change(&m, 50, 0, 0);
    living_document copy[50];
    memcpy(copy, m.doc, sizeof copy);
    quern_build_options options = QUERN_BUILD_OPTIONS;
    options.append = true;
    options.no_join = true;
    quern_error error;
    for (unsigned round = 0; round < 3; round++) {
        quern_builder *builder;
        cr_assert_eq(quern_builder_open(&builder, m.path, &options, &error), QUERN_OK, "%s",
                     error.message);
        for (unsigned i = 0; i < 50; i++)
            cr_assert_eq(quern_builder_delete(builder, living_document_of(&m, &copy[i]).id, &error),
                         QUERN_OK);
        cr_assert_eq(quern_builder_commit(builder, NULL, &error), QUERN_OK, "%s", error.message);
        quern_builder_free(builder);
        m.n_live = 0;
        cr_assert_eq(quern_builder_open(&builder, m.path, &options, &error), QUERN_OK);
        for (unsigned i = 0; i < 50; i++) {
            quern_document document = living_document_of(&m, &copy[i]);
            cr_assert_eq(quern_builder_add(builder, &document, &error), QUERN_OK);
        }
        cr_assert_eq(quern_builder_commit(builder, NULL, &error), QUERN_OK, "%s", error.message);
        quern_builder_free(builder);
        m.n_live = 50;
        living_compare(&m, 3);
    }
    cr_assert_eq(n_segments(&m), 4u);
    living_compact(&m, NULL);
    living_compare_bytes(&m);
    living_finish(&m);
}

/* Of ids that are known in a window of documents each, one may stand in several; the deletion once
 * met the last only, and the document came back. */
Test(living, deleted_wherever_it_stands, .timeout = 170)
{
    enum { N = 500000 };
    char *dir = test_dir_new(), *path = test_path(dir, "index"), id[16];
    quern_build_options options = QUERN_BUILD_OPTIONS;
    quern_build_report report;
    quern_builder *builder;
    quern_error error;
    options.memory = 32 << 20;
    options.threads = 1;
    options.store = QUERN_STORE_NONE;
    options.on_duplicate = QUERN_DUPLICATE_SKIP;
    cr_assert_eq(quern_builder_open(&builder, path, &options, &error), QUERN_OK);
    const quern_document twice = {.id = QUERN_STR("twice"), .text = QUERN_STR("word")};
    cr_assert_eq(quern_builder_add(builder, &twice, &error), QUERN_OK);
    for (unsigned i = 0; i < N; i++) {
        quern_document document = {.id = {id, (size_t)snprintf(id, sizeof id, "%u", i)}};
        cr_assert_eq(quern_builder_add(builder, &document, &error), QUERN_OK, "%s", error.message);
    }
    cr_assert_eq(quern_builder_add(builder, &twice, &error), QUERN_OK, "%s", error.message);
    cr_assert_eq(quern_builder_delete(builder, twice.id, &error), QUERN_OK, "%s", error.message);
    cr_assert_eq(quern_builder_delete(builder, twice.id, &error), QUERN_NOT_FOUND);
    cr_assert_eq(quern_builder_commit(builder, &report, &error), QUERN_OK, "%s", error.message);
    cr_assert_eq(report.documents, N);
    quern_builder_free(builder);
    free(path);
    test_dir_free(dir);
}

/* An index whose last document goes stays an index. */
Test(living, an_index_of_nothing)
{
    living_model m;
    living_start(&m, 4);
    living_change(&m, 0, 0, 0);
    living_change(&m, 10, 0, 0);
    while (m.n_live > 0)
        living_change(&m, 0, 0, (unsigned)m.n_live);
    living_compare(&m, 2);
    living_compact(&m, NULL);
    living_compare(&m, 2);
    living_compare_bytes(&m);
    living_change(&m, 10, 0, 0);
    living_compare(&m, 2);
    living_finish(&m);
}

Test(living, compacting_tunes_anew)
{
    living_model m;
    living_start(&m, 5);
    living_change(&m, 3000, 0, 0);
    living_change(&m, 100, 0, 30);
    quern_merge_options options = QUERN_MERGE_OPTIONS;
    options.retune = true;
    options.tune = QUERN_TUNE_SIZE;
    options.k1 = 1.5f;
    living_compact(&m, &options);
    quern_index *index;
    quern_stats stats;
    cr_assert_eq(quern_index_open(&index, m.path, NULL, NULL), QUERN_OK);
    quern_index_stats(index, &stats);
    cr_assert_eq(stats.tune, QUERN_TUNE_SIZE);
    cr_assert_eq(stats.k1, 1.5f);
    cr_assert_eq(stats.segments, 1u);
    quern_index_close(index);
    living_compare(&m, 5);
    quern_merge_report report;
    cr_assert_eq(quern_compact(m.path, &options, &report, NULL), QUERN_OK);
    cr_assert_eq(report.joined, 0u); /* it is so already */
    living_change(&m, 10, 0, 0);     /* and goes on so */
    living_compact(&m, NULL);
    cr_assert_eq(quern_index_open(&index, m.path, NULL, NULL), QUERN_OK);
    quern_index_stats(index, &stats);
    cr_assert_eq(stats.tune, QUERN_TUNE_SIZE);
    cr_assert_eq(stats.k1, 1.5f);
    quern_index_close(index);
    living_finish(&m);
}

/* ---- updates ---- */

static quern_build_report update(const living_model *m, const living_document *docs, size_t n,
                                 bool prune)
{
    quern_build_options options = QUERN_BUILD_OPTIONS;
    quern_builder *builder;
    quern_error error;
    quern_build_report report;
    options.append = options.skip_unchanged = true;
    options.on_duplicate = QUERN_DUPLICATE_REPLACE;
    options.prune = prune;
    cr_assert_eq(quern_builder_open(&builder, m->path, &options, &error), QUERN_OK, "%s",
                 error.message);
    for (size_t i = 0; i < n; i++) {
        quern_document document = living_document_of(m, &docs[i]);
        cr_assert_eq(quern_builder_add(builder, &document, &error), QUERN_OK, "%s", error.message);
    }
    cr_assert_eq(quern_builder_commit(builder, &report, &error), QUERN_OK, "%s", error.message);
    quern_builder_free(builder);
    return report;
}

Test(living, updates_leave_alone_what_is_as_it_was)
{
    living_model m;
    living_start(&m, 6);
    living_change(&m, 100, 0, 0);
    living_document docs[100];
    memcpy(docs, m.doc, sizeof docs);
    quern_build_report report = update(&m, docs, 100, false);
    cr_assert_eq(report.unchanged, 100u);
    cr_assert_eq(report.replaced, 0u);
    cr_assert_eq(n_segments(&m), 1u);
    for (unsigned i = 0; i < 10; i++)
        (void)snprintf(docs[i * 7].text, LIVING_TEXT, "changed %u", i);
    report = update(&m, docs, 100, false);
    cr_assert_eq(report.unchanged, 90u);
    cr_assert_eq(report.replaced, 10u);
    cr_assert_eq(report.documents, 100u);
    report = update(&m, docs + 20, 50, false);
    cr_assert_eq(report.unchanged, 50u);
    cr_assert_eq(report.documents, 100u);
    report = update(&m, docs + 20, 50, true);
    cr_assert_eq(report.deleted, 50u);
    cr_assert_eq(report.documents, 50u);
    report = update(&m, docs, 100, true);
    cr_assert_eq(report.unchanged, 50u);
    cr_assert_eq(report.documents, 100u);
    report = update(&m, docs, 0, true);
    cr_assert_eq(report.deleted, 100u);
    cr_assert_eq(report.documents, 0u);
    living_finish(&m);
}

/* ---- several indexes ---- */

static void check_merge(bool reorder)
{
    living_model m;
    living_start(&m, 7);
    char *paths[3];
    for (unsigned i = 0; i < 3; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "part%u", i);
        paths[i] = test_path(m.dir, name);
    }
    char *whole = m.path;
    /* What is replaced is of the same index, so the order of documents is that of the parts. */
    for (unsigned i = 0; i < 3; i++) {
        living_model part = m;
        m.path = paths[i];
        size_t first = m.n, live = m.n_live;
        m.n_live = 0;
        living_change(&m, 200, 0, 0);
        if (reorder && i > 0) { /* whether it is in order or not is all the same */
            quern_merge_options on = QUERN_MERGE_OPTIONS;
            on.reorder = QUERN_REORDER_ON;
            cr_assert_eq(quern_compact(m.path, &on, NULL, NULL), QUERN_OK);
        }
        for (size_t at = first; at < m.n; at += 9) {
            quern_build_options options = QUERN_BUILD_OPTIONS;
            quern_builder *builder;
            options.append = true;
            cr_assert_eq(quern_builder_open(&builder, m.path, &options, NULL), QUERN_OK);
            cr_assert_eq(quern_builder_delete(builder, living_document_of(&m, &m.doc[at]).id, NULL),
                         QUERN_OK);
            cr_assert_eq(quern_builder_commit(builder, NULL, NULL), QUERN_OK);
            quern_builder_free(builder);
            living_forget(&m, &m.doc[at]);
        }
        m.n_live += live;
        m.path = part.path;
    }
    m.path = whole;
    quern_merge_report report;
    quern_error error;
    const char *const *in = (const char *const *)paths;
    quern_merge_options options = QUERN_MERGE_OPTIONS;
    options.reorder = reorder ? QUERN_REORDER_ON : QUERN_REORDER_KEEP;
    m.fresh_too = reorder;
    cr_assert_eq(quern_merge(m.path, in, 3, &options, &report, &error), QUERN_OK, "%s",
                 error.message);
    cr_assert_eq(report.documents, m.n_live);
    living_compare(&m, 5);
    living_compare_bytes(&m);
    /* One that is there is replaced only if asked; the parts stay. */
    cr_assert_eq(quern_merge(m.path, in, 3, NULL, NULL, &error), QUERN_E_EXISTS);
    options.force = true;
    cr_assert_eq(quern_merge(m.path, in, 2, &options, &report, &error), QUERN_OK);
    cr_assert_lt(report.documents, m.n_live);
    /* An index can be made larger in place. */
    const char *both[] = {m.path, paths[2]};
    cr_assert_eq(quern_merge(m.path, both, 2, &options, &report, &error), QUERN_OK, "%s",
                 error.message);
    living_compare_bytes(&m);
    const char *twice[] = {paths[0], paths[1], paths[0]};
    cr_assert_eq(quern_merge(m.fresh, twice, 3, &options, NULL, &error), QUERN_E_DUPLICATE);
    cr_assert_not_null(strstr(error.message, paths[0]));
    for (unsigned i = 0; i < 3; i++)
        free(paths[i]);
    living_finish(&m);
}

Test(living, merged_as_if_built_of_all)
{
    check_merge(false);
    check_merge(true);
}

static void make(const char *path, const char *language, bool no_positions, quern_store store)
{
    quern_build_options options = QUERN_BUILD_OPTIONS;
    test_corpus corpus = test_corpus_new(9, 5, 10, 10);
    options.language = language;
    options.no_positions = no_positions;
    options.store = store;
    options.force = true;
    test_build(path, &corpus, &options);
    test_corpus_free(&corpus);
}

Test(living, what_is_not_alike_is_refused)
{
    living_model m;
    living_start(&m, 8);
    char *other = test_path(m.dir, "other");
    const char *both[] = {m.path, other};
    quern_error error;
    make(m.path, "english", false, QUERN_STORE_TEXT);
    make(other, "german", false, QUERN_STORE_TEXT);
    cr_assert_eq(quern_merge(m.fresh, both, 2, NULL, NULL, &error), QUERN_E_ARGUMENT);
    cr_assert_not_null(strstr(error.message, "analyzers"), "%s", error.message);
    make(other, "english", true, QUERN_STORE_TEXT);
    cr_assert_eq(quern_merge(m.fresh, both, 2, NULL, NULL, &error), QUERN_E_ARGUMENT);
    cr_assert_not_null(strstr(error.message, "positions"), "%s", error.message);
    make(other, "english", false, QUERN_STORE_NONE);
    cr_assert_eq(quern_merge(m.fresh, both, 2, NULL, NULL, &error), QUERN_E_ARGUMENT);
    cr_assert_not_null(strstr(error.message, "keep"), "%s", error.message);
    DIR *there = opendir(m.fresh);
    cr_assert_null(there); /* a directory that was made is gone */
    both[1] = m.fresh;
    cr_assert_eq(quern_merge(other, both, 2, NULL, NULL, &error), QUERN_E_EXISTS);
    cr_assert_eq(quern_compact(m.fresh, NULL, NULL, &error), QUERN_E_IO);
    cr_assert_eq(quern_compact(m.dir, NULL, NULL, &error), QUERN_E_EXISTS); /* holds other files */
    free(other);
    living_finish(&m);
}

/* What is appended is as what is there, if nothing else is said; if something else is, that is an
 * error. */
Test(living, appending_takes_over_how_the_index_was_built)
{
    living_model m;
    living_start(&m, 9);
    quern_error error;
    quern_builder *builder;
    quern_document document = {.id = QUERN_STR("n"), .text = QUERN_STR("neue Häuser")};
    make(m.path, "german", true, QUERN_STORE_NONE);
    quern_build_options options = QUERN_BUILD_OPTIONS;
    options.append = true;
    cr_assert_eq(quern_builder_open(&builder, m.path, &options, &error), QUERN_OK, "%s",
                 error.message);
    cr_assert_eq(quern_builder_add(builder, &document, &error), QUERN_OK);
    cr_assert_eq(quern_builder_commit(builder, NULL, &error), QUERN_OK, "%s", error.message);
    quern_builder_free(builder);
    quern_index *index;
    quern_stats stats;
    cr_assert_eq(quern_index_open(&index, m.path, NULL, &error), QUERN_OK, "%s", error.message);
    quern_index_stats(index, &stats);
    cr_assert_str_eq(stats.language, "german");
    cr_assert(!stats.positions && !stats.stored);
    cr_assert_eq(stats.documents, 6u);
    quern_index_close(index);
    options.language = "english";
    cr_assert_eq(quern_builder_open(&builder, m.path, &options, &error), QUERN_E_ARGUMENT);
    options.language = "german";
    options.store = QUERN_STORE_RECORD;
    cr_assert_eq(quern_builder_open(&builder, m.path, &options, &error), QUERN_E_ARGUMENT);
    cr_assert_not_null(strstr(error.message, "nothing but the ids"), "%s", error.message);
    options.store = QUERN_STORE_NONE;
    options.stopwords = QUERN_STR("und");
    cr_assert_eq(quern_builder_open(&builder, m.path, &options, &error), QUERN_E_ARGUMENT);
    make(m.path, "german", false, QUERN_STORE_NONE);
    options.stopwords = (quern_span){0};
    options.no_positions = true;
    cr_assert_eq(quern_builder_open(&builder, m.path, &options, &error), QUERN_E_ARGUMENT);
    cr_assert_not_null(strstr(error.message, "positions"), "%s", error.message);
    options.append = false;
    options.prune = true;
    cr_assert_eq(quern_builder_open(&builder, m.path, &options, &error), QUERN_E_ARGUMENT);
    living_finish(&m);
}

/* A reader keeps the index as it was when it was opened. */
Test(living, readers_keep_their_snapshot)
{
    living_model m;
    quern_error error;
    living_start(&m, 10);
    living_change(&m, 300, 0, 0);
    quern_index *before;
    quern_searcher *searcher;
    quern_matches matches;
    cr_assert_eq(quern_index_open(&before, m.path, NULL, &error), QUERN_OK);
    cr_assert_eq(quern_searcher_new(&searcher, before, NULL, &error), QUERN_OK);
    cr_assert_eq(quern_count(searcher, QUERN_STR("w0"), &matches, &error), QUERN_OK);
    uint64_t n = matches.n;
    living_change(&m, 100, 50, 100);
    living_compact(&m, NULL);
    cr_assert_eq(quern_count(searcher, QUERN_STR("w0"), &matches, &error), QUERN_OK);
    cr_assert_eq(matches.n, n);
    for (uint32_t doc = 0; doc < 300; doc++) {
        quern_document document;
        cr_assert_eq(quern_fetch(searcher, doc, &document, &error), QUERN_OK, "%s", error.message);
    }
    quern_searcher_free(searcher);
    quern_index_close(before);
    living_finish(&m);
}
