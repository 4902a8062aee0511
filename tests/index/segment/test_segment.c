/* Opening a segment: forged numbers of META, checksums made right again, are refused with a reason,
 * as are sections that do not fit them. Offsets are those of FORMAT.md. */
#include "index/segment/coded.h"
#include "tests/support/reseal.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static test_files files;
static size_t meta; /* where META starts in files.index */

static void setup(void)
{
    test_corpus corpus = test_corpus_new(5, 300, 100, 40);
    size_t len;
    test_files_new(&files, &corpus, NULL);
    test_corpus_free(&corpus);
    cr_assert(test_section(files.index, files.index_len, QN_SECTION_META, &meta, &len));
    cr_assert_eq(len, 200);
}

static void teardown(void)
{
    test_files_free(&files);
}

TestSuite(segment, .init = setup, .fini = teardown);

static void expect(quern_status status, const char *reason)
{
    qn_segment segment;
    quern_error error = {0};
    cr_assert(test_reseal(files.index, files.index_len));
    for (int paranoid = 0; paranoid < 2; paranoid++) {
        cr_expect_eq(qn_segment_open_bytes(&segment, files.index, files.index_len, files.store,
                                           files.store_len, paranoid == 1, &error),
                     status, "%s: %s", reason, error.message);
        cr_expect(status == QUERN_OK || strstr(error.message, reason) != NULL, "%s, not %s",
                  error.message, reason);
        qn_segment_close(&segment);
    }
}

Test(segment, meta_numbers)
{
    static const struct {
        unsigned at;
        uint32_t value;
        quern_status status;
        const char *reason;
    } forged[] = {
        {0, 0xFFFFFF01u, QUERN_E_DAMAGED, "META: a number is out of range"},
        {0, 299, QUERN_E_DAMAGED, "LENGTHS is missing or of the wrong size"},
        {0, 301, QUERN_E_DAMAGED, "LENGTHS is missing or of the wrong size"},
        {4, 128, QUERN_E_DAMAGED, "META: a number is out of range"},  /* coded lists are long */
        {4, 1000, QUERN_E_DAMAGED, "META: a number is out of range"}, /* and the dense are coded */
        {96, 128, QUERN_E_DAMAGED, "META: a number is out of range"},
        {100, 3, QUERN_E_DAMAGED, "META: a number is out of range"},
        {32, 0x7FFFFFFF, QUERN_E_DAMAGED, "more postings than there are"},
        {40, 0x7FFFFFFF, QUERN_E_DAMAGED, "more postings than there are"},
        {80, 0x7FFFFFFF, QUERN_E_DAMAGED, "more postings than there are"},
        {88, 0x7FFFFFFF, QUERN_E_DAMAGED, "more postings than there are"},
        {64, 33, QUERN_E_DAMAGED, "META: a number is out of range"},
        {64, 1, QUERN_E_DAMAGED, "EXACT_LENGTHS is missing or of the wrong size"},
        {68, 8, QUERN_E_VERSION, "META: unknown flags"},
        {68, 2, QUERN_E_DAMAGED, "a section of postings is missing"}, /* but positions are there */
        {76, 1, QUERN_E_DAMAGED, "META: the stop words do not fill the section"},
        {164, 0x61616161, QUERN_E_DAMAGED, "META: a name is not terminated"},
        {196, 0x61616161, QUERN_E_DAMAGED, "META: a name is not terminated"},
    };
    expect(QUERN_OK, "");
    for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
        uint32_t was = qn_load_u32(files.index + meta + forged[i].at);
        qn_store_u32(files.index + meta + forged[i].at, forged[i].value);
        expect(forged[i].status, forged[i].reason);
        qn_store_u32(files.index + meta + forged[i].at, was);
    }
    expect(QUERN_OK, "");
}

Test(segment, meta_parameters)
{
    static const float forged[] = {-0.5f, 3.5f, NAN, INFINITY};
    for (unsigned at = 56; at <= 60; at += 4) {
        float was = qn_load_f32(files.index + meta + at);
        for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
            qn_store_f32(files.index + meta + at, forged[i]);
            expect(QUERN_E_DAMAGED, "a BM25 parameter is out of range");
        }
        qn_store_f32(files.index + meta + at, was);
    }
    expect(QUERN_OK, "");
}

/* META speaks of a store, and none is given. */
Test(segment, missing_store)
{
    free(files.store);
    files.store = NULL;
    expect(QUERN_E_DAMAGED, "the store is missing");
}

/* A section of an unknown kind is none of the known ones. */
Test(segment, missing_sections)
{
    static const struct {
        uint32_t kind;
        const char *reason;
    } gone[] = {
        {QN_SECTION_META, "META: the section is missing"},
        {QN_SECTION_LENGTHS, "LENGTHS is missing"},
        {QN_SECTION_EXACT_LENGTHS, "EXACT_LENGTHS is missing"},
        {QN_SECTION_POSTINGS, "a section of postings is missing"},
        {QN_SECTION_POSITIONS, "a section of postings is missing"},
        {QN_SECTION_BOUNDS, "a section of postings is missing"},
        {QN_SECTION_IDS, "IDS is missing"},
        {QN_SECTION_ID_LOOKUP, "ID_LOOKUP is missing"},
    };
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
        uint8_t *entry = files.index + 128;
        while (qn_load_u32(entry) != gone[i].kind)
            entry += 24;
        qn_store_u32(entry, 1u << 31 | gone[i].kind); /* may be ignored */
        expect(QUERN_E_DAMAGED, gone[i].reason);
        qn_store_u32(entry, gone[i].kind);
    }
}

/* The parts that statistics tell of are all the bytes there are, bitmaps a part of docids and codes
 * one of tf, each as large as the lists say. */
static void check_bytes(quern_tune tune, size_t n_docs)
{
    test_corpus corpus = test_corpus_new(6, n_docs, 100, 40);
    quern_build_options options = QUERN_BUILD_OPTIONS;
    options.tune = tune;
    test_files_free(&files);
    test_files_new(&files, &corpus, &options);
    test_corpus_free(&corpus);
    qn_segment segment;
    cr_assert_eq(qn_segment_open_bytes(&segment, files.index, files.index_len, files.store,
                                       files.store_len, true, NULL),
                 QUERN_OK);
    uint64_t bitmaps = 0, codes = 0, docids = 0;
    qn_dict_cursor cursor;
    cr_assert_eq(qn_dict_seek(&cursor, &segment.dict, "", 0, NULL), QUERN_OK);
    while (qn_dict_next(&cursor, NULL) == QUERN_OK) {
        qn_postings list;
        cr_assert_eq(qn_postings_open(&list, &segment, &cursor.info, NULL), QUERN_OK);
        if (!list.coded)
            continue;
        qn_coded_layout at =
            qn_coded_layout_of(cursor.info.postings_off, list.df, segment.n_windows, list.dense,
                               list.n_exceptions, list.tf_width);
        codes += at.tables - at.codes + at.end - at.exceptions;
        bitmaps += list.dense ? at.low - at.tables : 0;
        docids += list.dense ? 0 : at.exceptions - at.tables;
    }
    quern_bytes b = {0};
    segment.index.mapping.len = files.index_len; /* as if they were mapped */
    segment.store.mapping.len = files.store_len;
    qn_segment_bytes(&segment, &b);
    cr_assert_eq(b.total, files.index_len + files.store_len);
    cr_assert_eq(b.total, b.dictionary + b.docids + b.tf + b.positions + b.bounds + b.lengths +
                              b.ids + b.store + b.other);
    cr_assert(b.bitmaps == bitmaps && b.codes == codes && b.codes <= b.tf);
    cr_assert(b.docids >= bitmaps + docids && b.docids + b.tf <= segment.postings.len);
    qn_segment_bytes(&segment, &b); /* adds */
    cr_assert(b.total == 2 * (files.index_len + files.store_len) && b.bitmaps == 2 * bitmaps);
    segment.index.mapping.len = segment.store.mapping.len = 0;
    qn_segment_close(&segment);
}

Test(segment, bytes_add_up)
{
    for (quern_tune tune = QUERN_TUNE_BALANCED; tune <= QUERN_TUNE_SPEED; tune++) {
        check_bytes(tune, 300);
        check_bytes(tune, 2500);
    }
}

Test(segment, exact_lengths)
{
    qn_segment segment;
    uint64_t sum = 0;
    cr_assert_eq(qn_segment_open_bytes(&segment, files.index, files.index_len, files.store,
                                       files.store_len, true, NULL),
                 QUERN_OK);
    for (uint32_t doc = 0; doc < segment.meta.n_docs; doc++) {
        uint32_t length;
        cr_assert_eq(qn_segment_exact_length(&segment, 0, doc, &length, NULL), QUERN_OK);
        sum += length;
    }
    cr_assert_eq(sum, segment.meta.n_tokens);
    qn_segment_close(&segment);
}
