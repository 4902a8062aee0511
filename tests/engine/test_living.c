/*
 * An index that lives: appends, updates, deletions, joins and compactions in any order. After each
 * step it answers, bit for bit, as an index built anew of the documents that are left, given equal
 * statistics; compacted it is that index, byte for byte.
 *
 * With QUERN_FULL set: 200 appends of 1,000 documents.
 */
#define _GNU_SOURCE
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const field_names = "title^2.5,text";

enum { ID = 16, TEXT = 400, KEEP = 1 << 18 };

/* A document as the test knows it; the index must hold the live ones, in this order. */
typedef struct known {
    char id[ID], text[TEXT];
    quern_span field[2]; /* the first words of the text, and all of it */
    bool live;
} known;

typedef struct model {
    known *doc;
    size_t n, n_live;
    unsigned next_id;
    bool reorder; /* the index is reordered; the fresh one is as `fresh_too` says */
    bool fresh_too;
    bool fields; /* title and text are kept apart */
    test_random random;
    char *dir, *path, *fresh;
} model;

static void start(model *m, uint64_t seed)
{
    *m = (model){.doc = calloc(KEEP, sizeof *m->doc), .random = seed, .dir = test_dir_new()};
    m->path = test_path(m->dir, "living");
    m->fresh = test_path(m->dir, "fresh");
}

static void finish(model *m)
{
    free(m->doc);
    free(m->path);
    free(m->fresh);
    test_dir_free(m->dir);
}

static void draw_text(model *m, char text[TEXT])
{
    size_t len = 0;
    unsigned n = test_below(&m->random, 40);
    text[0] = 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned word = test_below(&m->random, 1 + test_below(&m->random, 300));
        len += (size_t)snprintf(text + len, TEXT - len, "w%u ", word);
    }
}

static quern_document document_of(const model *m, const known *doc)
{
    return (quern_document){.id = {doc->id, strlen(doc->id)},
                            .text = {doc->text, strlen(doc->text)},
                            .fields = m->fields ? doc->field : NULL};
}

/* Takes a live document at random, or NULL. */
static known *any_live(model *m)
{
    for (unsigned tries = 0; m->n_live > 0 && tries < 1000; tries++) {
        known *doc = &m->doc[test_below(&m->random, (uint32_t)m->n)];
        if (doc->live)
            return doc;
    }
    return NULL;
}

static void forget(model *m, known *doc)
{
    doc->live = false;
    m->n_live--;
}

static known *remember(model *m, const char *id)
{
    cr_assert_lt(m->n, (size_t)KEEP);
    known *doc = &m->doc[m->n++];
    (void)snprintf(doc->id, sizeof doc->id, "%s", id);
    draw_text(m, doc->text);
    size_t len = strlen(doc->text);
    doc->field[0] = (quern_span){doc->text, len / (1 + test_below(&m->random, 9))};
    doc->field[1] = (quern_span){doc->text, len};
    doc->live = true;
    m->n_live++;
    return doc;
}

/* One builder: new documents, replaced ones, and deletions between them. */
static void change(model *m, unsigned n_new, unsigned n_replaced, unsigned n_deleted)
{
    quern_build_options options = QUERN_BUILD_OPTIONS;
    quern_error error;
    quern_builder *builder;
    options.append = true;
    options.threads = 1;
    options.reorder = m->reorder && m->n == 0; /* later it is as it was */
    if (m->fields && m->n == 0)
        options.fields = field_names;
    options.on_duplicate = QUERN_DUPLICATE_REPLACE;
    cr_assert_eq(quern_builder_open(&builder, m->path, &options, &error), QUERN_OK, "%s",
                 error.message);
    for (unsigned i = 0; i < n_new + n_replaced + n_deleted; i++) {
        unsigned dice = test_below(&m->random, n_new + n_replaced + n_deleted);
        char id[ID];
        known *old = dice < n_new ? NULL : any_live(m);
        if (old != NULL)
            forget(m, old);
        if (old != NULL && dice >= n_new + n_replaced) {
            cr_assert_eq(quern_builder_delete(builder, document_of(m, old).id, &error), QUERN_OK);
            cr_assert_eq(quern_builder_delete(builder, document_of(m, old).id, &error),
                         QUERN_NOT_FOUND);
            continue;
        }
        if (old != NULL)
            (void)snprintf(id, sizeof id, "%s", old->id);
        else
            (void)snprintf(id, sizeof id, "d%u", m->next_id++);
        quern_document document = document_of(m, remember(m, id));
        cr_assert_eq(quern_builder_add(builder, &document, &error), QUERN_OK, "%s", error.message);
    }
    quern_build_report report;
    cr_assert_eq(quern_builder_commit(builder, &report, &error), QUERN_OK, "%s", error.message);
    cr_assert_eq(report.join_error.status, QUERN_OK, "%s", report.join_error.message);
    cr_assert_eq(report.documents, m->n_live);
    quern_builder_free(builder);
}

static void build_fresh(model *m)
{
    quern_build_options options = QUERN_BUILD_OPTIONS;
    quern_error error;
    quern_builder *builder;
    options.force = true;
    options.reorder = m->fresh_too;
    options.fields = m->fields ? field_names : NULL;
    cr_assert_eq(quern_builder_open(&builder, m->fresh, &options, &error), QUERN_OK, "%s",
                 error.message);
    for (size_t i = 0; i < m->n; i++) {
        quern_document document = document_of(m, &m->doc[i]);
        if (m->doc[i].live)
            cr_assert_eq(quern_builder_add(builder, &document, &error), QUERN_OK);
    }
    cr_assert_eq(quern_builder_commit(builder, NULL, &error), QUERN_OK, "%s", error.message);
    quern_builder_free(builder);
}

/* ---- the same answers ---- */

/* df as the living index has it. */
static uint64_t df_of(void *arg, quern_span term)
{
    quern_terms *terms;
    quern_term found = {0};
    cr_assert_eq(quern_terms_new(&terms, arg, term, NULL), QUERN_OK);
    quern_status status = quern_terms_next(terms, &found, NULL);
    quern_terms_free(terms);
    return status == QUERN_OK ? found.df : 0;
}

static void draw_query(model *m, char query[200])
{
    static const char *const marks[] = {"", "", "", "", "+", "-"};
    static const char *const names[] = {"", "", "title:", "text:"};
    size_t len = 0;
    unsigned n = 1 + test_below(&m->random, 6);
    for (unsigned i = 0; i < n; i++) {
        unsigned word = test_below(&m->random, 1 + test_below(&m->random, 300));
        const char *mark = marks[test_below(&m->random, 6)];
        const char *name = m->fields ? names[test_below(&m->random, 4)] : "";
        if (test_below(&m->random, 5) == 0)
            len += (size_t)snprintf(query + len, 200 - len, "%s%s\"w%u w%u\" ", mark, name, word,
                                    test_below(&m->random, 20));
        else
            len += (size_t)snprintf(query + len, 200 - len, "%s%sw%u ", mark, name, word);
    }
}

static void compare_hits(quern_searcher *a, const quern_hits *x, quern_searcher *b,
                         const quern_hits *y, const char *query)
{
    cr_assert_eq(x->n, y->n, "%s: %zu hits, not %zu", query, x->n, y->n);
    for (size_t i = 0; i < x->n; i++) {
        quern_span id, other;
        cr_assert_eq(memcmp(&x->hit[i].score, &y->hit[i].score, sizeof(float)), 0,
                     "%s, rank %zu: %a, not %a", query, i, (double)x->hit[i].score,
                     (double)y->hit[i].score);
        cr_assert_eq(quern_fetch_id(a, x->hit[i].doc, &id, NULL), QUERN_OK);
        cr_assert_eq(quern_fetch_id(b, y->hit[i].doc, &other, NULL), QUERN_OK);
        cr_assert(id.len == other.len && memcmp(id.data, other.data, id.len) == 0,
                  "%s, rank %zu: %.*s, not %.*s", query, i, (int)id.len, id.data, (int)other.len,
                  other.data);
    }
}

static void compare_answers(model *m, quern_index *living, quern_index *fresh, unsigned n_queries)
{
    quern_stats stats;
    quern_error error;
    quern_index_stats(living, &stats);
    cr_assert_eq(stats.documents, m->n_live);
    quern_search_options options = QUERN_SEARCH_OPTIONS, given = QUERN_SEARCH_OPTIONS;
    given.documents = stats.documents + stats.deleted;
    given.tokens = stats.tokens;
    given.df = df_of;
    given.df_arg = living;
    quern_field field[QUERN_FIELDS_MAX];
    uint64_t field_tokens[QUERN_FIELDS_MAX];
    size_t n_fields = quern_index_fields(living, field);
    cr_assert_eq(n_fields, m->fields ? 2u : 0u);
    for (size_t i = 0; i < n_fields; i++)
        field_tokens[i] = field[i].tokens;
    given.field_tokens = m->fields ? field_tokens : NULL;
    for (const char *const *name = quern_evaluators(); *name != NULL; name++) {
        quern_searcher *a, *b;
        options.evaluator = given.evaluator = *name;
        cr_assert_eq(quern_searcher_new(&a, living, &options, &error), QUERN_OK);
        cr_assert_eq(quern_searcher_new(&b, fresh, &given, &error), QUERN_OK);
        for (unsigned i = 0; i < n_queries; i++) {
            char query[200];
            quern_hits x, y;
            quern_matches all, others;
            draw_query(m, query);
            quern_span text = {query, strlen(query)};
            size_t k = 1 + test_below(&m->random, 1u << test_below(&m->random, 12));
            cr_assert_eq(quern_search(a, text, k, &x, &error), QUERN_OK, "%s", error.message);
            cr_assert_eq(quern_search(b, text, k, &y, &error), QUERN_OK, "%s", error.message);
            compare_hits(a, &x, b, &y, query);
            cr_assert_eq(quern_count(a, text, &all, &error), QUERN_OK);
            cr_assert_eq(quern_count(b, text, &others, &error), QUERN_OK);
            cr_assert_eq(all.n, others.n, "%s: %llu match, not %llu", query,
                         (unsigned long long)all.n, (unsigned long long)others.n);
        }
        quern_searcher_free(a);
        quern_searcher_free(b);
    }
}

/* Every live document is found by its id with its text, and no other. */
static void compare_documents(model *m, quern_index *living)
{
    quern_searcher *searcher;
    cr_assert_eq(quern_searcher_new(&searcher, living, NULL, NULL), QUERN_OK);
    uint32_t before = 0;
    bool first = true;
    for (size_t i = 0; i < m->n; i++) {
        quern_document expected = document_of(m, &m->doc[i]), found;
        uint32_t doc;
        quern_status status = quern_find_id(searcher, expected.id, &doc, NULL);
        if (!m->doc[i].live)
            continue; /* the id may be there again */
        cr_assert_eq(status, QUERN_OK, "%s", m->doc[i].id);
        cr_assert(first || doc > before, "%s is not in order", m->doc[i].id);
        before = doc;
        first = false;
        cr_assert_eq(quern_fetch(searcher, doc, &found, NULL), QUERN_OK);
        cr_assert_eq(found.text.len, expected.text.len);
        cr_assert(found.text.len == 0 ||
                  memcmp(found.text.data, expected.text.data, found.text.len) == 0);
    }
    quern_searcher_free(searcher);
}

static void compare(model *m, unsigned n_queries)
{
    quern_index *living, *fresh;
    quern_error error;
    build_fresh(m);
    cr_assert_eq(quern_verify(m->path, NULL, NULL, &error), QUERN_OK, "%s", error.message);
    cr_assert_eq(quern_index_open(&living, m->path, NULL, &error), QUERN_OK, "%s", error.message);
    cr_assert_eq(quern_index_open(&fresh, m->fresh, NULL, &error), QUERN_OK, "%s", error.message);
    compare_answers(m, living, fresh, n_queries);
    compare_documents(m, living);
    quern_index_close(living);
    quern_index_close(fresh);
}

/* ---- the same bytes ---- */

static void compare_bytes(const model *m)
{
    DIR *list = opendir(m->path);
    cr_assert_not_null(list);
    const struct dirent *entry;
    unsigned n = 0;
    while ((entry = readdir(list)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        char *one = test_path(m->path, entry->d_name), *other = test_path(m->fresh, entry->d_name);
        size_t len, other_len;
        uint8_t *bytes = test_read_file(one, &len), *others = test_read_file(other, &other_len);
        cr_assert_eq(len, other_len, "%s", entry->d_name);
        cr_assert(len == 0 || memcmp(bytes, others, len) == 0, "%s", entry->d_name);
        free(bytes);
        free(others);
        free(one);
        free(other);
        n++;
    }
    (void)closedir(list);
    cr_assert_eq(n, 4u); /* manifest, lock, index, store */
}

static void compact(const model *m, const quern_merge_options *options)
{
    quern_error error;
    quern_merge_report report;
    cr_assert_eq(quern_compact(m->path, options, &report, &error), QUERN_OK, "%s", error.message);
    cr_assert_eq(report.documents, m->n_live);
    if (options != NULL)
        return;
    cr_assert_eq(quern_compact(m->path, options, &report, &error), QUERN_OK, "%s", error.message);
    cr_assert_eq(report.joined, 0u);
}

/* ---- tests ---- */

static uint64_t n_segments(const model *m)
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
    model m;
    start(&m, 1);
    for (unsigned round = 0; round < 40; round++) {
        change(&m, test_below(&m.random, 400), test_below(&m.random, 60),
               test_below(&m.random, 60));
        if (round % 5 == 4)
            compare(&m, 6);
    }
    compact(&m, NULL);
    compare(&m, 6);
    compare_bytes(&m);
    finish(&m);
}

/* The same of an index that keeps fields apart; without and with reordering. */
Test(living, fields_answer_as_if_built_anew, .timeout = 170)
{
    for (unsigned reorder = 0; reorder < 2; reorder++) {
        model m;
        start(&m, 13 + reorder);
        m.fields = true;
        m.reorder = reorder > 0;
        for (unsigned round = 0; round < 20; round++) {
            change(&m, 1 + test_below(&m.random, 400), test_below(&m.random, 60),
                   test_below(&m.random, 60));
            if (round % 5 == 4)
                compare(&m, 6);
        }
        compact(&m, NULL);
        m.fresh_too = m.reorder;
        compare(&m, 6);
        compare_bytes(&m);
        finish(&m);
    }
}

/* The same of an index that is reordered, against one that is not. */
Test(living, reordered_answers_as_if_built_anew, .timeout = 170)
{
    model m;
    quern_error error;
    start(&m, 11);
    m.reorder = true;
    for (unsigned round = 0; round < 40; round++) {
        change(&m, 1 + test_below(&m.random, 400), test_below(&m.random, 60),
               test_below(&m.random, 60));
        if (round % 5 == 4)
            compare(&m, 6);
    }
    compact(&m, NULL);
    compare(&m, 6);
    m.fresh_too = true;
    compare(&m, 6);
    compare_bytes(&m);
    /* Back to the order of the input, and forth. */
    quern_merge_options options = QUERN_MERGE_OPTIONS;
    quern_merge_report report;
    for (unsigned i = 0; i < 4; i++) {
        m.fresh_too = i >= 2;
        options.reorder = m.fresh_too ? QUERN_REORDER_ON : QUERN_REORDER_OFF;
        cr_assert_eq(quern_compact(m.path, &options, &report, &error), QUERN_OK, "%s",
                     error.message);
        cr_assert_eq(report.joined, i % 2 == 0 ? 1u : 0u); /* the second time it is so already */
        compare(&m, 2);
        compare_bytes(&m);
    }
    finish(&m);
}

Test(living, reordered_from_nothing_to_nothing)
{
    model m;
    start(&m, 12);
    m.reorder = m.fresh_too = true;
    change(&m, 0, 0, 0);
    change(&m, 1, 0, 0);
    compact(&m, NULL);
    compare(&m, 2);
    compare_bytes(&m);
    change(&m, 10, 0, 0);
    while (m.n_live > 0)
        change(&m, 0, 0, (unsigned)m.n_live);
    compare(&m, 2);
    compact(&m, NULL);
    compare(&m, 2);
    compare_bytes(&m);
    finish(&m);
}

Test(living, many_appends, .timeout = 900)
{
    bool full = getenv("QUERN_FULL") != NULL;
    unsigned n_appends = full ? 200 : 60, size = full ? 1000 : 30;
    model m;
    start(&m, 2);
    for (unsigned round = 0; round < n_appends; round++) {
        change(&m, size, 0, 0);
        change(&m, 0, size / 50, size / 20);
        if (round % 50 == 49)
            compare(&m, 10);
    }
    cr_assert_lt(n_segments(&m), 33u);
    compact(&m, NULL);
    compare(&m, 10);
    compare_bytes(&m);
    finish(&m);
}

/* All that is there goes, and comes back: a segment of the same content, hence the same name. */
Test(living, everything_deleted_and_added_again)
{
    model m;
    start(&m, 3);
    change(&m, 50, 0, 0);
    known copy[50];
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
            cr_assert_eq(quern_builder_delete(builder, document_of(&m, &copy[i]).id, &error),
                         QUERN_OK);
        cr_assert_eq(quern_builder_commit(builder, NULL, &error), QUERN_OK, "%s", error.message);
        quern_builder_free(builder);
        m.n_live = 0;
        cr_assert_eq(quern_builder_open(&builder, m.path, &options, &error), QUERN_OK);
        for (unsigned i = 0; i < 50; i++) {
            quern_document document = document_of(&m, &copy[i]);
            cr_assert_eq(quern_builder_add(builder, &document, &error), QUERN_OK);
        }
        cr_assert_eq(quern_builder_commit(builder, NULL, &error), QUERN_OK, "%s", error.message);
        quern_builder_free(builder);
        m.n_live = 50;
        compare(&m, 3);
    }
    cr_assert_eq(n_segments(&m), 4u);
    compact(&m, NULL);
    compare_bytes(&m);
    finish(&m);
}

/* An index whose last document goes stays an index. */
Test(living, an_index_of_nothing)
{
    model m;
    start(&m, 4);
    change(&m, 0, 0, 0);
    change(&m, 10, 0, 0);
    while (m.n_live > 0)
        change(&m, 0, 0, (unsigned)m.n_live);
    compare(&m, 2);
    compact(&m, NULL);
    compare(&m, 2);
    compare_bytes(&m);
    change(&m, 10, 0, 0);
    compare(&m, 2);
    finish(&m);
}

Test(living, compacting_tunes_anew)
{
    model m;
    start(&m, 5);
    change(&m, 3000, 0, 0);
    change(&m, 100, 0, 30);
    quern_merge_options options = QUERN_MERGE_OPTIONS;
    options.retune = true;
    options.tune = QUERN_TUNE_SIZE;
    options.k1 = 1.5f;
    compact(&m, &options);
    quern_index *index;
    quern_stats stats;
    cr_assert_eq(quern_index_open(&index, m.path, NULL, NULL), QUERN_OK);
    quern_index_stats(index, &stats);
    cr_assert_eq(stats.tune, QUERN_TUNE_SIZE);
    cr_assert_eq(stats.k1, 1.5f);
    cr_assert_eq(stats.segments, 1u);
    quern_index_close(index);
    compare(&m, 5);
    quern_merge_report report;
    cr_assert_eq(quern_compact(m.path, &options, &report, NULL), QUERN_OK);
    cr_assert_eq(report.joined, 0u); /* it is so already */
    change(&m, 10, 0, 0);            /* and goes on so */
    compact(&m, NULL);
    cr_assert_eq(quern_index_open(&index, m.path, NULL, NULL), QUERN_OK);
    quern_index_stats(index, &stats);
    cr_assert_eq(stats.tune, QUERN_TUNE_SIZE);
    cr_assert_eq(stats.k1, 1.5f);
    quern_index_close(index);
    finish(&m);
}

/* ---- updates ---- */

static quern_build_report update(const model *m, const known *docs, size_t n, bool prune)
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
        quern_document document = document_of(m, &docs[i]);
        cr_assert_eq(quern_builder_add(builder, &document, &error), QUERN_OK, "%s", error.message);
    }
    cr_assert_eq(quern_builder_commit(builder, &report, &error), QUERN_OK, "%s", error.message);
    quern_builder_free(builder);
    return report;
}

Test(living, updates_leave_alone_what_is_as_it_was)
{
    model m;
    start(&m, 6);
    change(&m, 100, 0, 0);
    known docs[100];
    memcpy(docs, m.doc, sizeof docs);
    quern_build_report report = update(&m, docs, 100, false);
    cr_assert_eq(report.unchanged, 100u);
    cr_assert_eq(report.replaced, 0u);
    cr_assert_eq(n_segments(&m), 1u);
    for (unsigned i = 0; i < 10; i++)
        (void)snprintf(docs[i * 7].text, TEXT, "changed %u", i);
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
    finish(&m);
}

/* ---- several indexes ---- */

static void check_merge(bool reorder)
{
    model m;
    start(&m, 7);
    char *paths[3];
    for (unsigned i = 0; i < 3; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "part%u", i);
        paths[i] = test_path(m.dir, name);
    }
    char *whole = m.path;
    /* What is replaced is of the same index, so the order of documents is that of the parts. */
    for (unsigned i = 0; i < 3; i++) {
        model part = m;
        m.path = paths[i];
        size_t first = m.n, live = m.n_live;
        m.n_live = 0;
        change(&m, 200, 0, 0);
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
            cr_assert_eq(quern_builder_delete(builder, document_of(&m, &m.doc[at]).id, NULL),
                         QUERN_OK);
            cr_assert_eq(quern_builder_commit(builder, NULL, NULL), QUERN_OK);
            quern_builder_free(builder);
            forget(&m, &m.doc[at]);
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
    compare(&m, 5);
    compare_bytes(&m);
    /* One that is there is replaced only if asked; the parts stay. */
    cr_assert_eq(quern_merge(m.path, in, 3, NULL, NULL, &error), QUERN_E_EXISTS);
    options.force = true;
    cr_assert_eq(quern_merge(m.path, in, 2, &options, &report, &error), QUERN_OK);
    cr_assert_lt(report.documents, m.n_live);
    /* An index can be made larger in place. */
    const char *both[] = {m.path, paths[2]};
    cr_assert_eq(quern_merge(m.path, both, 2, &options, &report, &error), QUERN_OK, "%s",
                 error.message);
    compare_bytes(&m);
    const char *twice[] = {paths[0], paths[1], paths[0]};
    cr_assert_eq(quern_merge(m.fresh, twice, 3, &options, NULL, &error), QUERN_E_DUPLICATE);
    cr_assert_not_null(strstr(error.message, paths[0]));
    for (unsigned i = 0; i < 3; i++)
        free(paths[i]);
    finish(&m);
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
    model m;
    start(&m, 8);
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
    finish(&m);
}

/* What is appended is as what is there, if nothing else is said; if something else is, that is an
 * error. */
Test(living, appending_takes_over_how_the_index_was_built)
{
    model m;
    start(&m, 9);
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
    finish(&m);
}

/* A reader keeps the index as it was when it was opened. */
Test(living, readers_keep_their_snapshot)
{
    model m;
    quern_error error;
    start(&m, 10);
    change(&m, 300, 0, 0);
    quern_index *before;
    quern_searcher *searcher;
    quern_matches matches;
    cr_assert_eq(quern_index_open(&before, m.path, NULL, &error), QUERN_OK);
    cr_assert_eq(quern_searcher_new(&searcher, before, NULL, &error), QUERN_OK);
    cr_assert_eq(quern_count(searcher, QUERN_STR("w0"), &matches, &error), QUERN_OK);
    uint64_t n = matches.n;
    change(&m, 100, 50, 100);
    compact(&m, NULL);
    cr_assert_eq(quern_count(searcher, QUERN_STR("w0"), &matches, &error), QUERN_OK);
    cr_assert_eq(matches.n, n);
    for (uint32_t doc = 0; doc < 300; doc++) {
        quern_document document;
        cr_assert_eq(quern_fetch(searcher, doc, &document, &error), QUERN_OK, "%s", error.message);
    }
    quern_searcher_free(searcher);
    quern_index_close(before);
    finish(&m);
}
