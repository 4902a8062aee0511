/* Lists put into another order: whatever may be held of them, the same postings come out, by new
 * numbers. */
#include "index/build/list_order.h"

#include "index/build/forward.h"
#include "tests/support/reseal.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N = 2500, LATE = 300 };

typedef struct fixture {
    test_files files;
    qn_segment segment;
    uint32_t to[N], kept; /* new numbers; some documents are left out */
    char *path;
    int dirfd;
} fixture;

static void start(fixture *f, bool no_positions)
{
    test_corpus corpus = test_corpus_new(8, N, 250, 60);
    quern_build_options options = QUERN_BUILD_OPTIONS;
    test_random random = 12;
    quern_error error;
    options.no_positions = no_positions;
    test_files_new(&f->files, &corpus, &options);
    test_corpus_free(&corpus);
    cr_assert_eq(qn_segment_open_bytes(&f->segment, f->files.index, f->files.index_len,
                                       f->files.store, f->files.store_len, false, &error),
                 QUERN_OK, "%s", error.message);
    f->kept = 0;
    for (uint32_t doc = 0; doc < N; doc++) {
        uint32_t other = test_below(&random, doc + 1);
        f->to[doc] = f->to[other];
        f->to[other] = doc;
    }
    for (uint32_t doc = 0; doc < N; doc++)
        if (f->to[doc] % 10 == 3)
            f->to[doc] = UINT32_MAX;
        else
            f->to[doc] += LATE; /* as those of a second segment that is joined */
    f->dirfd = test_dir_open(&f->path);
}

static void finish(fixture *f)
{
    qn_segment_close(&f->segment);
    test_files_free(&f->files);
    test_dir_close(f->dirfd, f->path);
}

/* The index file that the lists make, so and so much of a list being held at a time; to be freed.
 */
static uint8_t *write_lists(const fixture *f, uint64_t memory, size_t *len)
{
    static uint8_t lengths[N + LATE + 64];
    const qn_segment_meta *meta = &f->segment.meta;
    qn_postings_params params = {.n_docs = N + LATE,
                                 .lengths = lengths,
                                 .k1 = 0.9f,
                                 .b = 0.4f,
                                 .counts = meta->counts,
                                 .coded_df = meta->coded_df,
                                 .dense_df = meta->dense_df,
                                 .positions = meta->positions};
    qn_container_writer container;
    qn_postings_writer *writer;
    qn_postings_totals totals;
    qn_pipe *pipe;
    quern_error error;
    const qn_scratch to = {.data = (uint8_t *)(uintptr_t)f->to, .len = sizeof f->to};
    qn_list_order order = {.to = &to, .n_to = N + LATE, .memory = memory};
    qn_dict_cursor cursor;
    cr_assert_eq(
        qn_container_writer_open(&container, f->dirfd, "x.qx", "x.qx", QN_FILE_INDEX, &error),
        QUERN_OK);
    cr_assert_eq(qn_postings_writer_new(&writer, &container, f->dirfd, "x", &params, &error),
                 QUERN_OK);
    cr_assert_eq(qn_pipe_new(&pipe, writer, false, &error), QUERN_OK);
    cr_assert_eq(qn_dict_seek(&cursor, &f->segment.dict, "", 0, &error), QUERN_OK);
    while (qn_dict_next(&cursor, &error) == QUERN_OK) {
        cr_assert_eq(qn_pipe_begin(pipe, cursor.term, cursor.len, &error), QUERN_OK);
        cr_assert_eq(qn_list_order_copy(&order, &f->segment, &cursor.info, pipe, &error), QUERN_OK,
                     "%s", error.message);
        cr_assert_eq(qn_pipe_finish_term(pipe, &error), QUERN_OK);
    }
    cr_assert_eq(qn_pipe_end(pipe, &error), QUERN_OK);
    qn_pipe_free(pipe);
    qn_list_order_free(&order);
    cr_assert_eq(qn_postings_writer_finish(writer, &totals, &error), QUERN_OK);
    cr_assert_gt(totals.n_postings, f->segment.meta.n_postings * 4 / 5);
    cr_assert_lt(totals.n_postings, f->segment.meta.n_postings);
    cr_assert_eq(qn_container_writer_finish(&container, &error), QUERN_OK);
    qn_container_writer_close(&container);
    qn_postings_writer_free(writer);
    uint8_t *bytes = test_read_at(f->dirfd, "x.qx", len);
    cr_assert_eq(unlinkat(f->dirfd, "x.qx", 0), 0);
    return bytes;
}

Test(list_order, is_the_same_whatever_may_be_held)
{
    static const uint64_t memories[] = {1 << 20, 70000, 3000, 100, 0};
    for (int no_positions = 0; no_positions < 2; no_positions++) {
        static fixture f;
        size_t expected_len, len;
        start(&f, no_positions == 1);
        uint8_t *expected = write_lists(&f, (uint64_t)1 << 30, &expected_len);
        for (unsigned i = 0; i < sizeof memories / sizeof *memories; i++) {
            uint8_t *bytes = write_lists(&f, memories[i], &len);
            cr_assert(len == expected_len && memcmp(bytes, expected, len) == 0, "%llu bytes",
                      (unsigned long long)memories[i]);
            free(bytes);
        }
        free(expected);
        finish(&f);
    }
}

/* The postings of every list are those of the segment, by their new numbers. */
Test(list_order, loses_nothing)
{
    static fixture f;
    quern_error error;
    start(&f, false);
    qn_list_reader reader = {0};
    qn_dict_cursor cursor;
    cr_assert_eq(qn_dict_seek(&cursor, &f.segment.dict, "", 0, &error), QUERN_OK);
    uint64_t n_tokens = 0;
    while (qn_dict_next(&cursor, &error) == QUERN_OK) {
        uint32_t doc, tf, *gaps, n = 0, before = 0;
        cr_assert_eq(qn_list_reader_open(&reader, &f.segment, &cursor.info, &error), QUERN_OK);
        while (qn_list_reader_next(&reader, &doc, &tf, &error) == QUERN_OK) {
            cr_assert(n == 0 || doc > before);
            before = doc;
            n++;
            n_tokens += tf;
            cr_assert_eq(qn_list_reader_gaps(&reader, &gaps, &error), QUERN_OK);
            uint64_t position = 0;
            for (uint32_t i = 0; i < tf; i++)
                position += gaps[i];
            cr_assert_lt(position, 60u);
        }
        cr_assert_eq(n, cursor.info.df);
    }
    cr_assert_eq(n_tokens, f.segment.meta.n_tokens);
    qn_list_reader_free(&reader);
    finish(&f);
}

/* Documents' terms are those of the lists, however many documents are resident at a time. */
Test(list_order, lists_are_turned_around)
{
    static fixture f;
    start(&f, false);
    const qn_scratch_place place = {f.dirfd, f.path};
    qn_graph whole, parts;
    quern_error error;
    cr_assert_eq(qn_forward_open(&whole, &f.segment, 1 << 30, &place, &error), QUERN_OK, "%s",
                 error.message);
    cr_assert(!whole.scratch.in_file);
    cr_assert_gt(whole.n_edges, (uint64_t)N);
    static const uint64_t memories[] = {200000, 3000, 256, 64};
    for (unsigned m = 0; m < sizeof memories / sizeof *memories; m++) {
        cr_assert_eq(qn_forward_open(&parts, &f.segment, memories[m], &place, &error), QUERN_OK,
                     "%s", error.message);
        cr_assert(parts.scratch.in_file);
        cr_assert(parts.n_terms == whole.n_terms && parts.n_edges == whole.n_edges);
        cr_assert_eq(memcmp(parts.doc[0], whole.doc[0], 4 * (size_t)N), 0);
        cr_assert_eq(memcmp(parts.count[0], whole.count[0], 4 * (size_t)N), 0);
        cr_assert_eq(memcmp(parts.term[0], whole.term[0], 4 * whole.n_edges), 0);
        qn_graph_close(&parts);
    }
    /* Each document's terms ascend and are terms; their lists are as long as is wanted. */
    uint32_t *df = calloc(whole.n_terms, sizeof *df);
    const uint32_t *term = whole.term[0];
    for (uint32_t doc = 0; doc < N; doc++) {
        cr_assert_eq(whole.doc[0][doc], doc);
        for (uint32_t i = 0; i < whole.count[0][doc]; i++, term++) {
            cr_assert_lt(*term, whole.n_terms);
            cr_assert(i == 0 || term[0] > term[-1]);
            df[*term]++;
        }
    }
    for (uint32_t t = 0; t < whole.n_terms; t++)
        cr_assert(df[t] >= QN_FORWARD_LEAST && df[t] <= N / QN_FORWARD_SHARE);
    free(df);
    qn_graph_close(&whole);
    finish(&f);
}
