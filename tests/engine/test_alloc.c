/*
 * Memory that runs out: the n-th allocation fails, for every n, while a tiny index is built, opened
 * and searched. QUERN_E_MEMORY comes back, nothing crashes and nothing leaks.
 *
 * The allocator is interposed: this program's malloc, calloc, realloc and free count and hand on to
 * glibc's, for the libraries' allocations too (zstd, libstemmer, zlib). Under a sanitizer, whose
 * allocator must stay, the linker's --wrap leads quern's own allocations here
 * (tests/CMakeLists.txt) and the sanitizer looks for leaks.
 */
#define _GNU_SOURCE
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WRAPPED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WRAPPED
#endif

#ifdef WRAPPED
#define OURS(name)   __wrap_##name
#define THEIRS(name) __real_##name
#else
#define OURS(name)   name
#define THEIRS(name) __libc_##name
#endif

/* The libraries must see them. */
#define SEEN __attribute__((visibility("default")))

SEEN void *OURS(malloc)(size_t len);
SEEN void *OURS(calloc)(size_t n, size_t len);
SEEN void *OURS(realloc)(void *old, size_t len);
SEEN void OURS(free)(void *old);
void *THEIRS(malloc)(size_t len);
void *THEIRS(calloc)(size_t n, size_t len);
void *THEIRS(realloc)(void *old, size_t len);
void THEIRS(free)(void *old);

static atomic_int countdown;      /* the allocation that reaches 0 fails */
static bool fail_all;             /* and those after it */
static atomic_bool armed, failed; /* builds have threads */
static atomic_long live;          /* pieces allocated and not freed while armed */

static bool fails(void)
{
    if (!armed || (failed && !fail_all))
        return false;
    if (!failed && atomic_fetch_sub(&countdown, 1) > 0)
        return false;
    failed = true;
    errno = ENOMEM;
    return true;
}

static void *counted(void *piece)
{
    live += armed && piece != NULL;
    return piece;
}

void *OURS(malloc)(size_t len)
{
    return fails() ? NULL : counted(THEIRS(malloc)(len));
}

void *OURS(calloc)(size_t n, size_t len)
{
    return fails() ? NULL : counted(THEIRS(calloc)(n, len));
}

void *OURS(realloc)(void *old, size_t len)
{
    if (fails())
        return NULL;
    void *moved = THEIRS(realloc)(old, len);
    return old == NULL ? counted(moved) : moved;
}

void OURS(free)(void *old)
{
    live -= armed && old != NULL;
    THEIRS(free)(old);
}

/* ---- the work ---- */

static char *dir, *path, *corpus;
static const char RECORDS[] =
    "{\"id\":\"a\",\"title\":\"Mills\",\"text\":\"Grain is ground between stones.\"}\n"
    "{\"id\":\"b\",\"text\":\"Na\xc3\xafve caf\xc3\xa9s grind coffee, \xe4\xb8\xad\xe6\x96\x87 "
    "too.\"}\n"
    "{\"id\":\"c\",\"text\":\"Stones, \\u00e9 and a word too many in the third of the records.\"}\n"
    "not a record\n"
    "{\"id\":\"b\",\"text\":\"The second again: stones of a mill.\"}\n";

static void setup(void)
{
    dir = test_dir_new();
    path = test_path(dir, "x.idx");
    corpus = test_path(dir, "corpus.jsonl");
    test_write_file(corpus, RECORDS, sizeof RECORDS - 1);
}

static void teardown(void)
{
    free(corpus);
    free(path);
    test_dir_free(dir);
}

static unsigned threads = 1;
static const char *fields; /* of the index that is built */
static bool reorder;       /* what is built, and so what is appended and joined */

static quern_status build(quern_error *error)
{
    quern_build_options options = QUERN_BUILD_OPTIONS;
    options.stopwords = QUERN_STR("the of");
    options.fields = fields;
    options.force = true;
    options.threads = threads;
    options.reorder = reorder;
    options.on_duplicate = QUERN_DUPLICATE_REPLACE;
    quern_builder *builder = NULL;
    quern_status status = quern_builder_open(&builder, path, &options, error);
    if (status == QUERN_OK)
        status = quern_builder_add_file(builder, corpus, NULL, error);
    if (status == QUERN_OK)
        status = quern_builder_commit(builder, NULL, error);
    quern_builder_free(builder);
    return status;
}

static quern_status append(quern_error *error)
{
    quern_build_options options = QUERN_BUILD_OPTIONS;
    options.stopwords = QUERN_STR("the of");
    options.append = true;
    options.threads = threads;
    options.on_duplicate = QUERN_DUPLICATE_SKIP;
    quern_builder *builder = NULL;
    quern_status status = quern_builder_open(&builder, path, &options, error);
    quern_document document = {.id = QUERN_STR("d"), .text = QUERN_STR("A fourth: more grain.")};
    if (status == QUERN_OK)
        status = quern_builder_add(builder, &document, error);
    if (status == QUERN_OK)
        status = quern_builder_commit(builder, NULL, error);
    quern_builder_free(builder);
    return status;
}

/* Replaces a document, leaves one alone, deletes one, and joins what is left with what was added.
 */
static quern_status update(quern_error *error)
{
    quern_build_options options = QUERN_BUILD_OPTIONS;
    options.append = options.skip_unchanged = options.prune = true;
    options.threads = threads;
    options.on_duplicate = QUERN_DUPLICATE_REPLACE;
    quern_builder *builder = NULL;
    quern_status status = quern_builder_open(&builder, path, &options, error);
    quern_document a = {.id = QUERN_STR("a"), .text = QUERN_STR("No mill is here.")};
    quern_document c = {.id = QUERN_STR("c"),
                        .text =
                            QUERN_STR("Stones, \xc3\xa9 and a word too many in the third of the "
                                      "records.")};
    quern_build_report report = {0};
    if (status == QUERN_OK)
        status = quern_builder_add(builder, &c, error);
    if (status == QUERN_OK)
        status = quern_builder_add(builder, &a, error);
    if (status == QUERN_OK &&
        quern_builder_delete(builder, QUERN_STR("d"), error) == QUERN_E_MEMORY)
        status = QUERN_E_MEMORY;
    if (status == QUERN_OK)
        status = quern_builder_commit(builder, &report, error);
    quern_builder_free(builder);
    return status == QUERN_OK ? report.join_error.status : status;
}

static quern_status compact(quern_error *error)
{
    quern_merge_options options = QUERN_MERGE_OPTIONS;
    options.retune = true; /* or there would be nothing to do the second time */
    options.tune = QUERN_TUNE_SIZE;
    options.threads = threads;
    return quern_compact(path, &options, NULL, error);
}

static quern_status merge(quern_error *error)
{
    quern_merge_options options = QUERN_MERGE_OPTIONS;
    options.force = true;
    options.threads = threads;
    const char *paths[] = {path};
    return quern_merge(path, paths, 1, &options, NULL, error);
}

static quern_status ask(quern_searcher *searcher, const char *query, quern_error *error)
{
    quern_hits hits;
    quern_status status =
        quern_search(searcher, (quern_span){query, strlen(query)}, 10, &hits, error);
    for (size_t i = 0; status == QUERN_OK && i < hits.n; i++) {
        quern_document document;
        quern_snippet snippet;
        status = quern_fetch(searcher, hits.hit[i].doc, &document, error);
        if (status == QUERN_OK)
            status = quern_snippet_of(searcher, hits.hit[i].doc, 80, &snippet, error);
    }
    return status;
}

static quern_status search(quern_error *error)
{
    static const char *const queries[] = {"stones",
                                          "grain stones mill",
                                          "\"ground between\"",
                                          "+stones -coffee",
                                          "+stones +title:mills +text:\"ground between\"",
                                          "na\xc3\xafve \xe4\xb8\xad\xe6\x96\x87"};
    quern_index *index = NULL;
    quern_searcher *searcher = NULL;
    quern_status status = quern_index_open(&index, path, NULL, error);
    if (status == QUERN_OK)
        status = quern_searcher_new(&searcher, index, NULL, error);
    for (size_t i = 0; status == QUERN_OK && i < sizeof queries / sizeof *queries; i++)
        status = ask(searcher, queries[i], error);
    uint32_t doc;
    if (status == QUERN_OK)
        status = quern_find_id(searcher, QUERN_STR("c"), &doc, error);
    quern_searcher_free(searcher);
    quern_index_close(index);
    return status;
}

static quern_status terms(quern_error *error)
{
    quern_index *index = NULL;
    quern_terms *walk = NULL;
    quern_term term;
    quern_status status = quern_index_open(&index, path, NULL, error);
    if (status == QUERN_OK)
        status = quern_terms_new(&walk, index, QUERN_STR("s*"), error);
    while (status == QUERN_OK)
        status = quern_terms_next(walk, &term, error);
    quern_terms_free(walk);
    quern_index_close(index);
    return status == QUERN_END ? QUERN_OK : status;
}

static quern_status verify(quern_error *error)
{
    return quern_verify(path, NULL, NULL, error);
}

/* Runs the work with every allocation failing in turn, alone or with all after it. */
static void fail_each(const char *what, quern_status (*work)(quern_error *error), bool all)
{
    int n = 0;
    for (;; n++) {
        quern_error error = {0};
        countdown = n;
        fail_all = all;
        failed = false;
        live = 0;
        armed = true;
        quern_status status = work(&error);
        armed = false;
        if (!failed)
            break;
        /* A table that could not be made smaller, or a hint that could not be kept, is no error. */
        cr_assert(status == QUERN_E_MEMORY || status == QUERN_OK, "%s, allocation %d: %s (%s)",
                  what, n, quern_status_text(status), error.message);
#ifndef WRAPPED
        /* The C library keeps what belongs to the stack of a thread that has ended. */
        if (threads == 1)
            cr_assert_eq(live, 0, "%s, allocation %d: %ld pieces leaked", what, n, (long)live);
#endif
        quern_error still;
        cr_assert_eq(quern_verify(path, NULL, NULL, &still), QUERN_OK, "%s, allocation %d: %s",
                     what, n, still.message);
    }
    cr_assert_gt(n, 2, "%s: %d allocations", what, n);
}

Test(alloc, build, .init = setup, .fini = teardown, .timeout = 200)
{
    quern_error error;
    cr_assert_eq(build(&error), QUERN_OK, "%s", error.message);
    for (threads = 1; threads <= 2; threads++) {
        fail_each("build", build, false);
        fail_each("build", build, true);
    }
}

/* Fields that are kept apart have lengths of their own, and must words groups. */
Test(alloc, several_fields, .init = setup, .fini = teardown, .timeout = 200)
{
    quern_error error;
    fields = "title^2,body,text";
    cr_assert_eq(build(&error), QUERN_OK, "%s", error.message);
    fail_each("build", build, false);
    threads = 2;
    fail_each("build", build, true);
    threads = 1;
    fail_each("append", append, true);
    fail_each("compact", compact, true);
    fail_each("search", search, true);
    fail_each("terms", terms, true);
    fail_each("verify", verify, true);
}

Test(alloc, append, .init = setup, .fini = teardown, .timeout = 200)
{
    quern_error error;
    cr_assert_eq(build(&error), QUERN_OK, "%s", error.message);
    fail_each("append", append, true);
    /* The last of those has added the document: from here on it is skipped. */
    fail_each("append", append, false);
}

Test(alloc, update, .init = setup, .fini = teardown, .timeout = 200)
{
    quern_error error;
    for (int all = 0; all < 2; all++) {
        cr_assert_eq(build(&error), QUERN_OK, "%s", error.message);
        cr_assert_eq(append(&error), QUERN_OK, "%s", error.message);
        fail_each("update", update, all == 1);
    }
}

Test(alloc, maintenance, .init = setup, .fini = teardown, .timeout = 200)
{
    quern_error error;
    for (int all = 0; all < 2; all++) {
        cr_assert_eq(build(&error), QUERN_OK, "%s", error.message);
        cr_assert_eq(append(&error), QUERN_OK, "%s", error.message);
        fail_each("merge", merge, all == 1);
        fail_each("compact", compact, all == 1);
    }
}

Test(alloc, reordering, .init = setup, .fini = teardown, .timeout = 200)
{
    quern_error error;
    reorder = true;
    for (int all = 0; all < 2; all++) {
        cr_assert_eq(build(&error), QUERN_OK, "%s", error.message);
        for (threads = 1; threads <= 2; threads++)
            fail_each("build", build, all == 1);
        threads = 1;
        cr_assert_eq(append(&error), QUERN_OK, "%s", error.message);
        fail_each("update", update, all == 1);
        cr_assert_eq(build(&error), QUERN_OK, "%s", error.message);
        cr_assert_eq(append(&error), QUERN_OK, "%s", error.message);
        fail_each("merge", merge, all == 1);
        fail_each("compact", compact, all == 1);
        fail_each("search", search, all == 1);
        fail_each("verify", verify, all == 1);
    }
}

Test(alloc, reading, .init = setup, .fini = teardown, .timeout = 200)
{
    quern_error error;
    cr_assert_eq(build(&error), QUERN_OK, "%s", error.message);
    for (int all = 0; all < 2; all++) {
        fail_each("search", search, all == 1);
        fail_each("terms", terms, all == 1);
        fail_each("verify", verify, all == 1);
    }
}
