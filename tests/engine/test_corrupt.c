/*
 * Damage and forgery: an index truncated at any length, with any byte changed, with or without
 * checksums made right again, never crashes open, search or fetch; a paranoid reader refuses or
 * answers as before; verify finds every change.
 *
 * By default a sample of the positions is tried; with QUERN_FULL=1 every one.
 */
#define _GNU_SOURCE
#include "index/segment/verify.h"
#include "query/search.h"
#include "tests/support/reseal.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { K = 10, QUERIES = 6, SAMPLE = 3000 };

/* The queries, made by hand so that no parser stands between: unions, must, not, a phrase. */
static const qn_query_term terms[] = {{QUERN_STR("w0"), 0},   {QUERN_STR("w1"), 1},
                                      {QUERN_STR("w7"), 2},   {QUERN_STR("w41"), 3},
                                      {QUERN_STR("w300"), 4}, {QUERN_STR("w899"), 5}};
/* The same words of an index of two fields, by turns. */
static const qn_query_term field_terms[] = {{QUERN_STR("\2w0"), 0},   {QUERN_STR("\2w1"), 1},
                                            {QUERN_STR("\1w7"), 2},   {QUERN_STR("\2w41"), 3},
                                            {QUERN_STR("\1w300"), 4}, {QUERN_STR("\2w899"), 5}};
static const qn_fields fields = {.n = 2, .field = {{"title", 2}, {"text", 1}}};
static const qn_clause clauses[QUERIES][3] = {
    {{QN_SHOULD, 1, 0, 1, 0}, {QN_SHOULD, 1, 1, 1, 0}, {QN_SHOULD, 2, 2, 1, 0}},
    {{QN_MUST, 1, 0, 1, 0}, {QN_MUST, 1, 2, 1, 0}, {QN_SHOULD, 1, 3, 1, 0}},
    {{QN_SHOULD, 1, 3, 1, 0}, {QN_NOT, 1, 0, 1, 0}, {QN_SHOULD, 1, 4, 1, 0}},
    {{QN_SHOULD, 1, 0, 2, 0}, {QN_SHOULD, 1, 5, 1, 0}, {QN_SHOULD, 1, 4, 1, 0}},
    {{QN_MUST, 1, 0, 2, 0}, {QN_SHOULD, 1, 2, 1, 0}, {QN_NOT, 1, 5, 1, 0}},
    {{QN_SHOULD, 1, 5, 1, 0}, {QN_SHOULD, 1, 4, 1, 0}, {QN_SHOULD, 1, 3, 1, 0}},
};

/* Everything a reader got out of an index. */
typedef struct outcome {
    quern_status status;
    quern_hit hit[QUERIES][K];
    size_t n[QUERIES];
    uint64_t text; /* hash of the fetched ids and texts */
} outcome;

static uint64_t mix(uint64_t hash, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001B3u;
    return hash;
}

static quern_status fetch_some(const qn_segment *segment, outcome *out)
{
    qn_docs_reader reader = {0};
    char id[QN_ID_MAX];
    quern_status status = QUERN_OK;
    uint32_t step = segment->meta.n_docs / 7 + 1;
    for (uint32_t doc = 0; status == QUERN_OK && doc < segment->meta.n_docs; doc += step) {
        quern_document document = {0};
        size_t len = 0;
        uint32_t found;
        status = qn_ids_get(&segment->ids, doc, id, &len, NULL);
        if (status == QUERN_OK)
            status = qn_ids_find(&segment->ids, id, len, &found, NULL);
        if (status == QUERN_NOT_FOUND)
            status = QUERN_E_DAMAGED;
        if (status == QUERN_OK && segment->meta.stored)
            status = qn_docs_fetch(&segment->docs, &reader, doc, &document, NULL);
        out->text = mix(mix(out->text, id, len), document.text.data, document.text.len);
    }
    qn_docs_reader_free(&reader);
    return status;
}

static void read_all(const test_files *files, bool paranoid, const char *evaluator, outcome *out)
{
    memset(out, 0, sizeof *out);
    qn_segment segment;
    out->status = qn_segment_open_bytes(&segment, files->index, files->index_len, files->store,
                                        files->store_len, paranoid, NULL);
    if (out->status != QUERN_OK)
        return;
    quern_search_options options = QUERN_SEARCH_OPTIONS;
    options.evaluator = evaluator;
    qn_search *search = NULL;
    out->status = qn_search_new(&search, &segment, 1, &options, NULL);
    for (unsigned q = 0; out->status == QUERN_OK && q < QUERIES; q++) {
        bool several = segment.meta.fields.n > 0;
        qn_query query = {.clause = clauses[q],
                          .n_clauses = 3,
                          .term = several ? field_terms : terms,
                          .n_terms = sizeof terms / sizeof *terms,
                          .fields = several ? &fields : NULL};
        const quern_hit *hit;
        out->status = qn_search_run(search, &query, K, &hit, &out->n[q], NULL);
        if (out->status == QUERN_OK && out->n[q] > 0)
            memcpy(out->hit[q], hit, out->n[q] * sizeof *hit);
    }
    if (out->status == QUERN_OK)
        out->status = fetch_some(&segment, out);
    qn_search_free(search);
    qn_segment_close(&segment);
}

typedef enum kind { PLAIN, FIELDS, REORDERED } kind;

/* FIELDS: title and text are two fields, each document having the text of the one before as its
 * title. REORDERED: likewise, and lists have an order of their own. */
static void load_kind(test_files *files, kind what)
{
    /* With QUERN_FULL index and store have a megabyte together. */
    size_t n = getenv("QUERN_FULL") != NULL ? 3500 : 1500;
    test_corpus corpus = test_corpus_new(77, n, 900, 200);
    quern_build_options options = QUERN_BUILD_OPTIONS;
    bool apart = what != PLAIN;
    for (size_t i = 1; apart && i < corpus.n; i++)
        corpus.document[i].title = corpus.document[i - 1].text;
    options.fields = apart ? "title^2,text" : NULL;
    options.reorder = what == REORDERED;
    test_files_new(files, &corpus, &options);
    test_corpus_free(&corpus);
    size_t offset, len;
    cr_assert(test_section(files->store, files->store_len, QN_SECTION_WORDS, &offset, &len),
              "the store is to hold codes");
}

static void load(test_files *files)
{
    load_kind(files, PLAIN);
}

static size_t step_for(size_t len)
{
    return getenv("QUERN_FULL") != NULL ? 1 : len / SAMPLE | 1;
}

static void verify_must_fail(const test_files *files)
{
    qn_container container;
    quern_error error;
    quern_status status = qn_container_open_bytes(&container, files->index, files->index_len,
                                                  "index", QN_FILE_INDEX, false, &error);
    if (status != QUERN_OK)
        return;
    status = qn_container_verify(&container, NULL, NULL, &error);
    qn_container_close(&container);
    if (status == QUERN_OK) {
        status = qn_container_open_bytes(&container, files->store, files->store_len, "store",
                                         QN_FILE_STORE, false, &error);
        if (status != QUERN_OK)
            return;
        status = qn_container_verify(&container, NULL, NULL, &error);
        qn_container_close(&container);
    }
    cr_assert_eq(status, QUERN_E_DAMAGED, "verify missed a change");
}

/* Changes each tried byte of one file and reads in both manners. */
static void change_bytes(test_files *files, uint8_t *bytes, size_t len)
{
    outcome before, after;
    read_all(files, true, NULL, &before);
    cr_assert_eq(before.status, QUERN_OK);
    cr_assert_gt(before.n[0], 0u);
    cr_assert_gt(before.n[3], 0u);
    test_random random = len;
    for (size_t at = 0; at < len; at += step_for(len)) {
        uint8_t was = bytes[at];
        bytes[at] ^= (uint8_t)(1 + test_below(&random, 255));
        read_all(files, false, NULL, &after);
        read_all(files, true, NULL, &after);
        if (after.status == QUERN_OK)
            cr_assert_eq(memcmp(&before, &after, sizeof before), 0,
                         "a paranoid reader answered wrongly: byte %zu", at);
        verify_must_fail(files);
        bytes[at] = was;
    }
}

Test(corrupt, every_changed_byte_of_the_index)
{
    test_files files;
    load(&files);
    change_bytes(&files, files.index, files.index_len);
    test_files_free(&files);
}

Test(corrupt, every_changed_byte_of_an_index_of_fields)
{
    test_files files;
    load_kind(&files, FIELDS);
    change_bytes(&files, files.index, files.index_len);
    test_files_free(&files);
}

Test(corrupt, every_changed_byte_of_a_reordered_index)
{
    test_files files;
    load_kind(&files, REORDERED);
    change_bytes(&files, files.index, files.index_len);
    test_files_free(&files);
}

Test(corrupt, every_changed_byte_of_the_store)
{
    test_files files;
    load(&files);
    change_bytes(&files, files.store, files.store_len);
    test_files_free(&files);
}

/* With the checksums made right again nothing can tell the change: every reader must survive it. */
static void forge_bytes(kind what)
{
    test_files files;
    load_kind(&files, what);
    test_random random = 99;
    outcome after;
    for (int both = 0; both < (what == PLAIN ? 2 : 1); both++) {
        uint8_t *bytes = both ? files.store : files.index;
        size_t len = both ? files.store_len : files.index_len;
        uint8_t *copy = malloc(len);
        memcpy(copy, bytes, len);
        for (size_t at = 0; at < len; at += step_for(len)) {
            bytes[at] ^= (uint8_t)(1 + test_below(&random, 255));
            (void)test_reseal(bytes, len);
            read_all(&files, false, at % 2 == 0 ? NULL : "exhaustive", &after);
            memcpy(bytes, copy, len);
        }
        free(copy);
    }
    test_files_free(&files);
}

Test(corrupt, forged_bytes_never_crash)
{
    forge_bytes(PLAIN);
    forge_bytes(FIELDS);
}

Test(corrupt, forged_bytes_of_a_reordered_index_never_crash)
{
    forge_bytes(REORDERED);
}

/* Several forged bytes at once, and the structural half of verify over them. */
static void forge_runs(kind what)
{
    test_files files;
    load_kind(&files, what);
    test_random random = 5;
    uint8_t *copy = malloc(files.index_len);
    memcpy(copy, files.index, files.index_len);
    for (unsigned round = 0; round < 60; round++) {
        for (unsigned i = 0; i < 1 + round % 5; i++)
            files.index[4096 + test_below(&random, (uint32_t)files.index_len - 4096)] =
                (uint8_t)test_next(&random);
        (void)test_reseal(files.index, files.index_len);
        qn_segment segment;
        if (qn_segment_open_bytes(&segment, files.index, files.index_len, files.store,
                                  files.store_len, false, NULL) == QUERN_OK) {
            (void)qn_verify_segment(&segment, NULL, NULL, NULL);
            qn_segment_close(&segment);
        }
        memcpy(files.index, copy, files.index_len);
    }
    free(copy);
    test_files_free(&files);
}

Test(corrupt, forged_runs_never_crash_verify)
{
    forge_runs(FIELDS);
    forge_runs(REORDERED);
}

Test(corrupt, every_truncation_is_refused)
{
    test_files files;
    load(&files);
    outcome after;
    size_t whole = files.index_len;
    for (size_t len = 0; len < whole; len += step_for(whole)) {
        files.index_len = len;
        read_all(&files, false, NULL, &after);
        cr_assert_neq(after.status, QUERN_OK, "truncated at %zu", len);
    }
    files.index_len = whole;
    whole = files.store_len;
    for (size_t len = 0; len < whole; len += step_for(whole)) {
        files.store_len = len;
        read_all(&files, false, NULL, &after);
        cr_assert_neq(after.status, QUERN_OK, "truncated at %zu", len);
    }
    test_files_free(&files);
}
