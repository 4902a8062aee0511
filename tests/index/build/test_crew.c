/* Builds by several threads: the same bytes as by one, errors that come out, and threads that are
 * left alone. */
#define _GNU_SOURCE
#include "index/build/writer.h"

#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { N = 4000, LONG = 700000 };

typedef struct fixture {
    char *dir, *path;
    test_corpus corpus;
    char *text;         /* a long one */
    const char *fields; /* that are kept apart; NULL: none */
    qn_index_writer writer;
} fixture;

static void start(fixture *f)
{
    *f = (fixture){.dir = test_dir_new(), .corpus = test_corpus_new(11, N, 3000, 120)};
    f->text = malloc(LONG);
    for (size_t i = 0; i < LONG; i++)
        f->text[i] = i % 6 == 5 ? ' ' : (char)('a' + i * i % 23);
    f->path = test_path(f->dir, "x");
}

static void finish(fixture *f)
{
    test_corpus_free(&f->corpus);
    free(f->text);
    free(f->path);
    test_dir_free(f->dir);
}

static void open_writer(fixture *f, unsigned threads, size_t stretch)
{
    quern_build_options options = QUERN_BUILD_OPTIONS;
    quern_error error;
    options.threads = threads;
    options.fields = f->fields;
    options.force = true;
    options.on_duplicate = QUERN_DUPLICATE_REPLACE;
    cr_assert_eq(qn_index_writer_open(&f->writer, f->path, &options, &error), QUERN_OK, "%s",
                 error.message);
    f->writer.crew_from = 5000;
    f->writer.crew_stretch = stretch;
}

/* Short documents, some whose words are given, some that are long, some that come again. */
static quern_status add(fixture *f, size_t i, quern_error *error)
{
    quern_document document = f->corpus.document[i];
    static const quern_token tokens[] = {{QUERN_STR("given"), 0, 0},
                                         {QUERN_STR("words"), 1, 0},
                                         {QUERN_STR("given"), 1, 0},
                                         {QUERN_STR("w7"), 400, 0}};
    static const quern_token apart[] = {{QUERN_STR("given"), 7, 0},
                                        {QUERN_STR("given"), 0, 1},
                                        {QUERN_STR("words"), 3, 1},
                                        {QUERN_STR("given"), 2, 2}};
    if (i % 97 == 3)
        return qn_index_writer_add_tokens(&f->writer, &document, f->fields == NULL ? tokens : apart,
                                          1 + i % 4, error);
    if (i % 1301 == 5)
        document.text = (quern_span){f->text, LONG / (1 + i % 3)};
    if (i % 50 == 7)
        document.id = f->corpus.document[i - 5].id;
    document.title = f->corpus.document[i * 7 % N].text;
    const quern_span texts[] = {document.text, f->corpus.document[i * 3 % N].text, document.title};
    if (i % 2 == 0) /* the others by the names of title and text */
        document.fields = texts;
    return qn_index_writer_add(&f->writer, &document, NULL, error);
}

static void build(fixture *f, unsigned threads, size_t stretch)
{
    quern_error error;
    quern_build_report report;
    open_writer(f, threads, stretch);
    for (size_t i = 0; i < N; i++)
        cr_assert_eq(add(f, i, &error), QUERN_OK, "document %zu: %s", i, error.message);
    cr_assert_eq(f->writer.crew != NULL, threads > 1);
    cr_assert_eq(qn_index_writer_commit(&f->writer, &report, &error), QUERN_OK, "%s",
                 error.message);
    cr_assert(threads == 1 || stretch > 1 << 20 || report.runs > threads, "%u runs", report.runs);
    qn_index_writer_close(&f->writer);
    cr_assert_eq(quern_verify(f->path, NULL, NULL, &error), QUERN_OK, "%s", error.message);
}

static void check_same(const char *fields)
{
    fixture f;
    start(&f);
    f.fields = fields;
    build(&f, 1, 0);
    char *index = test_find_file(f.path, ".qx"), *store = test_find_file(f.path, ".qs");
    size_t len, store_len;
    uint8_t *bytes = test_read_file(index, &len), *docs = test_read_file(store, &store_len);
    for (unsigned threads = 2; threads <= 8; threads *= 2) {
        for (size_t stretch = 1 << 10; stretch <= 16 << 20; stretch <<= 7) {
            size_t n;
            build(&f, threads, stretch);
            uint8_t *again = test_read_file(index, &n);
            cr_assert(n == len && memcmp(bytes, again, n) == 0, "%u threads, stretches of %zu",
                      threads, stretch);
            free(again);
            again = test_read_file(store, &n);
            cr_assert(n == store_len && memcmp(docs, again, n) == 0);
            free(again);
        }
    }
    free(bytes);
    free(docs);
    free(index);
    free(store);
    finish(&f);
}

Test(crew, makes_the_same_index)
{
    check_same(NULL);
}

Test(crew, makes_the_same_index_of_fields)
{
    check_same("text,other,title^2");
}

/* Nobody waits for threads whose work is not wanted. */
Test(crew, can_be_left_alone)
{
    fixture f;
    quern_error error;
    start(&f);
    for (unsigned round = 0; round < 6; round++) {
        open_writer(&f, 4, 1 << (10 + 2 * round));
        for (size_t i = 0; i < N / 4 * round / 2; i++)
            cr_assert_eq(add(&f, i, &error), QUERN_OK);
        qn_index_writer_close(&f.writer);
    }
    finish(&f);
}

/* A thread cannot write its run: the builder hears of it, and nothing hangs. */
Test(crew, tells_the_errors_of_threads)
{
    fixture f;
    quern_error error = {0};
    start(&f);
    (void)signal(SIGXFSZ, SIG_IGN);
    open_writer(&f, 3, 64 << 10);
    const struct rlimit limit = {100, RLIM_INFINITY}, none = {RLIM_INFINITY, RLIM_INFINITY};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    quern_status status = QUERN_OK;
    for (size_t i = 0; status == QUERN_OK && i < N; i++)
        status = add(&f, i, &error);
    if (status == QUERN_OK)
        status = qn_index_writer_commit(&f.writer, NULL, &error);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
    cr_assert(status == QUERN_E_IO || status == QUERN_E_SPACE, "%d: %s", (int)status,
              error.message);
    cr_assert_not_null(strstr(error.message, "File too large"), "%s", error.message);
    cr_assert_eq(qn_index_writer_commit(&f.writer, NULL, &error), QUERN_E_ARGUMENT);
    qn_index_writer_close(&f.writer);
    finish(&f);
}
