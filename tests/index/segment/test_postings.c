/* Postings written and read back: documents, tf, positions, bounds and seeds, over list lengths
 * around the block size and over all SIMD levels. */
#define _GNU_SOURCE
#include "index/segment/positions.h"

#include "index/base/cpu.h"
#include "index/segment/lengths.h"
#include "index/segment/postings_writer.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Of the sizes below two are coded as gaps, and two as bitmaps. */
enum { DOCS = 20000, TERMS = 40, TF_MAX = 300, CODED_DF = 257, DENSE_DF = 1000 };

/* One list as it was written. */
typedef struct test_list {
    char term[16];
    uint32_t df;
    uint32_t *docs, *tfs, *gaps;
    size_t n_gaps;
} test_list;

typedef struct fixture {
    char *dir;
    int dirfd;
    uint8_t *lengths;
    test_list list[TERMS];
    qn_container container;
    qn_segment segment;
} fixture;

static const uint32_t sizes[] = {1,   2,   3,   127, 128,  129,  130,
                                 255, 256, 257, 300, 1000, 5000, 20000};

static void make_list(test_list *list, unsigned number, test_random *random)
{
    (void)snprintf(list->term, sizeof list->term, "t%03u", number);
    uint32_t df = sizes[number % (sizeof sizes / sizeof *sizes)];
    list->docs = calloc(df, sizeof(uint32_t));
    list->tfs = calloc(df, sizeof(uint32_t));
    list->gaps = calloc((size_t)df * TF_MAX, sizeof(uint32_t));
    bool ones = number % 5 == 0; /* cf == df */
    /* df of DOCS documents, evenly drawn in order (Knuth's algorithm S). */
    for (uint32_t doc = 0; doc < DOCS && list->df < df; doc++) {
        if (test_below(random, DOCS - doc) >= df - list->df)
            continue;
        uint32_t tf = ones ? 1 : test_below(random, 4) == 0 ? 1 + test_below(random, 12) : 1;
        if (!ones && test_below(random, 500) == 0)
            tf = TF_MAX;
        list->docs[list->df] = doc;
        list->tfs[list->df++] = tf;
        for (uint32_t i = 0; i < tf; i++)
            list->gaps[list->n_gaps++] = test_below(random, i == 0 ? 1000 : 40);
    }
}

static void write_lists(fixture *f, bool positions)
{
    quern_error error;
    qn_postings_params params = {.n_docs = DOCS,
                                 .lengths = f->lengths,
                                 .k1 = 0.9f,
                                 .b = 0.4f,
                                 .counts = &(qn_field_counts){.average = 120},
                                 .coded_df = CODED_DF,
                                 .dense_df = DENSE_DF,
                                 .positions = positions};
    qn_postings_writer *writer;
    qn_container_writer container;
    cr_assert_eq(
        qn_container_writer_open(&container, f->dirfd, "x.qx", "x.qx", QN_FILE_INDEX, &error),
        QUERN_OK);
    cr_assert_eq(qn_postings_writer_new(&writer, &container, f->dirfd, f->dir, &params, &error),
                 QUERN_OK);
    for (unsigned t = 0; t < TERMS; t++) {
        const test_list *list = &f->list[t];
        const uint32_t *gaps = list->gaps;
        qn_postings_writer_begin(writer, list->term, strlen(list->term));
        for (uint32_t i = 0; i < list->df; i++) {
            cr_assert_eq(qn_postings_writer_add(writer, list->docs[i], list->tfs[i], gaps, &error),
                         QUERN_OK);
            gaps += list->tfs[i];
        }
        cr_assert_eq(qn_postings_writer_end(writer, &error), QUERN_OK);
    }
    qn_postings_totals totals;
    cr_assert_eq(qn_postings_writer_finish(writer, &totals, &error), QUERN_OK);
    cr_assert_eq(totals.n_terms, (uint64_t)TERMS);
    cr_assert_eq(qn_container_writer_finish(&container, &error), QUERN_OK, "%s", error.message);
    qn_container_writer_close(&container);
    qn_postings_writer_free(writer);
}

static void open_lists(fixture *f, bool positions)
{
    quern_error error;
    cr_assert_eq(
        qn_container_open(&f->segment.index, f->dirfd, "x.qx", QN_FILE_INDEX, false, false, &error),
        QUERN_OK, "%s", error.message);
    qn_segment *s = &f->segment;
    s->meta = (qn_segment_meta){.n_docs = DOCS,
                                .coded_df = CODED_DF,
                                .dense_df = DENSE_DF,
                                .positions = positions,
                                .k1 = 0.9f,
                                .b = 0.4f,
                                .counts = {{.average = 120}},
                                .n_terms = TERMS};
    s->n_windows = qn_segment_windows(DOCS);
    s->lengths[0] = f->lengths;
    s->postings = s->index.section[QN_SECTION_POSTINGS];
    s->positions = s->index.section[QN_SECTION_POSITIONS];
    s->bounds = s->index.section[QN_SECTION_BOUNDS];
    s->kernels = qn_block_kernels_for(qn_cpu_detect());
    cr_assert_eq(qn_dict_open(&s->dict, &s->index, TERMS, DOCS, positions, CODED_DF, &error),
                 QUERN_OK, "%s", error.message);
}

static void setup(fixture *f, bool positions)
{
    *f = (fixture){.dir = test_dir_new()};
    test_random random = 42;
    f->dirfd = open(f->dir, O_RDONLY | O_DIRECTORY);
    f->lengths = calloc(1, DOCS + 64);
    for (uint32_t doc = 0; doc < DOCS; doc++)
        f->lengths[doc] = qn_length_encode(test_below(&random, 400));
    for (unsigned t = 0; t < TERMS; t++)
        make_list(&f->list[t], t, &random);
    write_lists(f, positions);
    open_lists(f, positions);
}

static void teardown(fixture *f)
{
    qn_container_close(&f->segment.index);
    for (unsigned t = 0; t < TERMS; t++) {
        free(f->list[t].docs);
        free(f->list[t].tfs);
        free(f->list[t].gaps);
    }
    free(f->lengths);
    (void)close(f->dirfd);
    test_dir_free(f->dir);
}

static void open_list(const fixture *f, const test_list *list, qn_postings *postings)
{
    qn_term_info info;
    quern_error error;
    cr_assert_eq(qn_dict_find(&f->segment.dict, list->term, strlen(list->term), &info, &error),
                 QUERN_OK, "%s", list->term);
    cr_assert_eq(info.df, list->df);
    cr_assert_eq(qn_postings_open(postings, &f->segment, &info, &error), QUERN_OK, "%s",
                 error.message);
}

static void check_list(const fixture *f, const test_list *list)
{
    qn_postings postings;
    open_list(f, list, &postings);
    uint32_t *positions = NULL, *own = NULL;
    size_t cap = 0, own_cap = 0, done = 0;
    const uint32_t *gaps = list->gaps;
    for (uint32_t block = 0; block < postings.n_blocks; block++) {
        uint32_t docs[QN_BLOCK_ROOM], tfs[QN_BLOCK_ROOM];
        const uint8_t *tf_at;
        quern_error error;
        cr_assert_eq(qn_postings_docs(&postings, block, docs, &tf_at, &error), QUERN_OK, "%s",
                     error.message);
        cr_assert_eq(qn_postings_tfs(&postings, block, tf_at, tfs, &error), QUERN_OK);
        if (f->segment.meta.positions)
            cr_assert_eq(qn_postings_positions(&postings, block, tfs, &positions, &cap, &error),
                         QUERN_OK, "%s", error.message);
        const uint32_t *position = positions;
        for (uint32_t i = 0; i < qn_postings_block_n(&postings, block); i++, done++) {
            cr_assert_eq(docs[i], list->docs[done]);
            cr_assert_eq(tfs[i], list->tfs[done]);
            uint32_t sum = 0;
            if (f->segment.meta.positions)
                cr_assert_eq(
                    qn_postings_positions_of(&postings, block, tfs, i, &own, &own_cap, &error),
                    QUERN_OK, "%s", error.message);
            for (uint32_t j = 0; f->segment.meta.positions && j < tfs[i]; j++) {
                sum += *gaps++;
                cr_assert_eq(*position++, sum);
                cr_assert_eq(own[j], sum);
            }
        }
    }
    cr_assert_eq(done, list->df);
    free(positions);
    free(own);
}

Test(postings, read_back_as_written)
{
    fixture f;
    setup(&f, true);
    for (unsigned t = 0; t < TERMS; t++)
        check_list(&f, &f.list[t]);
    teardown(&f);
}

Test(postings, without_positions)
{
    fixture f;
    setup(&f, false);
    for (unsigned t = 0; t < TERMS; t++)
        check_list(&f, &f.list[t]);
    teardown(&f);
}

Test(postings, every_simd_level_reads_the_same)
{
    fixture f;
    setup(&f, true);
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= QN_CPU_AVX512; cpu++) {
        if (cpu > qn_cpu_machine()) {
            (void)fprintf(stderr, "%s: skipped\n", qn_cpu_name(cpu));
            continue;
        }
        f.segment.kernels = qn_block_kernels_for(cpu);
        for (unsigned t = 0; t < TERMS; t++)
            check_list(&f, &f.list[t]);
    }
    teardown(&f);
}

static int descending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* Bounds are ceilings of every tf-part, and tight to 1/255; seeds are floors of the k-th best, and
 * tight to 1/4096. */
static void check_bounds(const fixture *f, const test_list *list, const float norms[256])
{
    qn_postings postings;
    open_list(f, list, &postings);
    float *parts = calloc(list->df, sizeof(float));
    float block_best[DOCS / QN_BLOCK + 1] = {0},
                                       range_best[QN_WINDOW / QN_RANGE * (DOCS / QN_WINDOW + 1)] =
                                           {0},
                                       best = 0;
    for (uint32_t i = 0; i < list->df; i++) {
        float tf = (float)list->tfs[i];
        parts[i] = tf / (tf + norms[f->lengths[list->docs[i]]]);
        block_best[i / QN_BLOCK] = fmaxf(block_best[i / QN_BLOCK], parts[i]);
        range_best[list->docs[i] / QN_RANGE] =
            fmaxf(range_best[list->docs[i] / QN_RANGE], parts[i]);
        best = fmaxf(best, parts[i]);
    }
    cr_assert_geq(postings.max_part, best);
    for (uint32_t b = 0; b < postings.n_blocks && postings.block_max != NULL; b++) {
        double bound = (double)postings.max_part * postings.block_max[b] / 255;
        cr_assert(bound >= (double)block_best[b] && bound <= (double)block_best[b] + 1.01 / 255);
    }
    cr_assert_eq(postings.range_level != NULL, list->df >= CODED_DF);
    for (uint32_t r = 0; r < f->segment.n_windows * 64 && postings.range_level != NULL; r++) {
        double bound = (double)postings.max_part * qn_postings_range_max(&postings, r) / 255;
        cr_assert(bound >= (double)range_best[r]);
        /* No lower level would do. */
        unsigned below = postings.range_level[r / 2] >> (r % 2 * 4) & 15;
        while (below > 0 && postings.level[below] == qn_postings_range_max(&postings, r))
            below--;
        cr_assert(range_best[r] == 0 ? bound == 0
                                     : (double)postings.max_part * postings.level[below] / 255 <
                                           (double)range_best[r] + 1.01 / 255);
    }
    qsort(parts, list->df, sizeof *parts, descending);
    for (unsigned i = 0; i < QN_SEEDS; i++) {
        if (list->df < qn_seed_rank[i] || list->df <= QN_BLOCK) {
            cr_assert_eq(postings.seed[i], 0);
            continue;
        }
        float kth = parts[qn_seed_rank[i] - 1];
        cr_assert(postings.seed[i] <= kth && postings.seed[i] > kth - 1.01f / 4096);
    }
    free(parts);
}

Test(postings, bounds_and_seeds_hold_and_are_tight)
{
    fixture f;
    setup(&f, true);
    float norms[256];
    qn_length_norms(0.9f, 0.4f, 120, norms);
    for (unsigned t = 0; t < TERMS; t++)
        check_bounds(&f, &f.list[t], norms);
    teardown(&f);
}

static uint32_t last_of(const test_list *list, uint32_t block)
{
    uint32_t end = (block + 1) * QN_BLOCK;
    return list->docs[(end < list->df ? end : list->df) - 1];
}

Test(postings, find_block_agrees_with_a_scan)
{
    fixture f;
    setup(&f, true);
    test_random random = 7;
    for (unsigned t = 0; t < TERMS; t++) {
        qn_postings postings;
        open_list(&f, &f.list[t], &postings);
        for (unsigned i = 0; i < 300 && postings.n_blocks > 1; i++) {
            uint32_t from = test_below(&random, postings.n_blocks);
            uint32_t doc = test_below(&random, DOCS), expected = from;
            while (expected < postings.n_blocks && last_of(&f.list[t], expected) < doc)
                expected++;
            cr_assert_eq(qn_postings_find_block(&postings, from, doc), expected);
        }
    }
    teardown(&f);
}

/* At other k1, b the inflated bound still holds for every tf and length, and the deflated floor. */
Test(postings, inflation_and_deflation_hold_at_other_parameters)
{
    qn_segment segment = {.meta = {.k1 = 0.9f, .b = 0.4f, .counts = {{.average = 100}}}};
    float own[256], other[256];
    qn_length_norms(0.9f, 0.4f, 100, own);
    for (unsigned k = 0; k <= 6; k++) {
        for (unsigned b = 0; b <= 4; b++) {
            qn_length_norms((float)k * 0.5f, (float)b * 0.25f, 130, other);
            double up = (double)qn_postings_inflation(&segment, 0, other);
            double down = (double)qn_postings_deflation(&segment, 0, other);
            cr_assert(up >= 1 && down <= 1);
            for (unsigned code = 0; code < 256; code++) {
                for (float tf = 1; tf < 5000; tf *= 3) {
                    double old_part = (double)(tf / (tf + own[code]));
                    double new_part = (double)(tf / (tf + other[code]));
                    cr_assert(new_part <= old_part * up * (1 + 1e-7));
                    cr_assert(new_part >= old_part * down * (1 - 1e-7));
                }
            }
        }
    }
}
