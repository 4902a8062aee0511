/* An index that lives, and its model: see living.h. */
#define _GNU_SOURCE
#include "tests/support/living.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const field_names = "title^2.5,text";

enum { KEEP = 1 << 18 };

void living_start(living_model *m, uint64_t seed)
{
    *m = (living_model){.doc = calloc(KEEP, sizeof *m->doc), .random = seed, .dir = test_dir_new()};
    m->path = test_path(m->dir, "living");
    m->fresh = test_path(m->dir, "fresh");
}

void living_finish(living_model *m)
{
    free(m->doc);
    free(m->path);
    free(m->fresh);
    test_dir_free(m->dir);
}

static void draw_text(living_model *m, char text[LIVING_TEXT])
{
    size_t len = 0;
    unsigned n = test_below(&m->random, 40);
    text[0] = 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned word = test_below(&m->random, 1 + test_below(&m->random, 300));
        len += (size_t)snprintf(text + len, LIVING_TEXT - len, "w%u ", word);
    }
}

quern_document living_document_of(const living_model *m, const living_document *doc)
{
    return (quern_document){.id = {doc->id, strlen(doc->id)},
                            .text = {doc->text, strlen(doc->text)},
                            .fields = m->fields ? doc->field : NULL};
}

/* Takes a live document at random, or NULL. */
static living_document *any_live(living_model *m)
{
    for (unsigned tries = 0; m->n_live > 0 && tries < 1000; tries++) {
        living_document *doc = &m->doc[test_below(&m->random, (uint32_t)m->n)];
        if (doc->live)
            return doc;
    }
    return NULL;
}

void living_forget(living_model *m, living_document *doc)
{
    doc->live = false;
    m->n_live--;
}

static living_document *remember(living_model *m, const char *id)
{
    cr_assert_lt(m->n, (size_t)KEEP);
    living_document *doc = &m->doc[m->n++];
    (void)snprintf(doc->id, sizeof doc->id, "%s", id);
    draw_text(m, doc->text);
    size_t len = strlen(doc->text);
    doc->field[0] = (quern_span){doc->text, len / (1 + test_below(&m->random, 9))};
    doc->field[1] = (quern_span){doc->text, len};
    doc->live = true;
    m->n_live++;
    return doc;
}

void living_change(living_model *m, unsigned n_new, unsigned n_replaced, unsigned n_deleted)
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
        char id[LIVING_ID];
        living_document *old = dice < n_new ? NULL : any_live(m);
        if (old != NULL)
            living_forget(m, old);
        if (old != NULL && dice >= n_new + n_replaced) {
            cr_assert_eq(quern_builder_delete(builder, living_document_of(m, old).id, &error),
                         QUERN_OK);
            cr_assert_eq(quern_builder_delete(builder, living_document_of(m, old).id, &error),
                         QUERN_NOT_FOUND);
            continue;
        }
        if (old != NULL)
            (void)snprintf(id, sizeof id, "%s", old->id);
        else
            (void)snprintf(id, sizeof id, "d%u", m->next_id++);
        quern_document document = living_document_of(m, remember(m, id));
        cr_assert_eq(quern_builder_add(builder, &document, &error), QUERN_OK, "%s", error.message);
    }
    quern_build_report report;
    cr_assert_eq(quern_builder_commit(builder, &report, &error), QUERN_OK, "%s", error.message);
    cr_assert_eq(report.join_error.status, QUERN_OK, "%s", report.join_error.message);
    cr_assert_eq(report.documents, m->n_live);
    quern_builder_free(builder);
}

static void build_fresh(living_model *m)
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
        quern_document document = living_document_of(m, &m->doc[i]);
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

static void draw_query(living_model *m, char query[200])
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

static void compare_answers(living_model *m, quern_index *living, quern_index *fresh,
                            unsigned n_queries)
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
static void compare_documents(living_model *m, quern_index *living)
{
    quern_searcher *searcher;
    cr_assert_eq(quern_searcher_new(&searcher, living, NULL, NULL), QUERN_OK);
    uint32_t before = 0;
    bool first = true;
    for (size_t i = 0; i < m->n; i++) {
        quern_document expected = living_document_of(m, &m->doc[i]), found;
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

void living_compare(living_model *m, unsigned n_queries)
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

void living_compare_bytes(const living_model *m)
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

void living_compact(const living_model *m, const quern_merge_options *options)
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
