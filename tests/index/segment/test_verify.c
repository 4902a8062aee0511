/*
 * Verifying against forgery: what checksums cannot see, since they are made right again - bounds
 * that are too low, codes and ranks that lie, counts that do not add up, lengths and ids that
 * contradict - is found and named.
 */
#include "index/segment/coded.h"
#include "index/segment/verify.h"
#include "tests/support/reseal.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static test_files files;

/* Appends a word to every nth document, as often as 1 to 40 times: such a term has exceptions. */
static void add_burst(test_corpus *corpus, const char *word, size_t nth)
{
    for (size_t i = 0; i < corpus->n; i += nth) {
        quern_span *span = &corpus->document[i].text;
        char *text = NULL;
        size_t len = 0;
        FILE *out = open_memstream(&text, &len);
        cr_assert_not_null(out);
        (void)fwrite(span->data, 1, span->len, out);
        for (size_t n = i / nth * i % 40 + 1; n > 0; n--)
            (void)fprintf(out, "%s ", word);
        cr_assert_eq(fclose(out), 0);
        free((void *)(uintptr_t)span->data);
        *span = (quern_span){text, len};
    }
}

/* Balanced, the terms of 1,500 documents with df over 128 are bitmaps; tuned for size, those of
 * 3,000 are groups from 273 on, and long lists of blocks below. */
static void make_files(quern_tune tune)
{
    test_corpus corpus = test_corpus_new(9, tune == QUERN_TUNE_SIZE ? 3000 : 1500, 300, 60);
    add_burst(&corpus, "burst", 9);
    add_burst(&corpus, "often", 5);
    quern_build_options options = QUERN_BUILD_OPTIONS;
    options.tune = tune;
    test_files_new(&files, &corpus, &options);
    test_corpus_free(&corpus);
}

static void setup(void)
{
    make_files(QUERN_TUNE_BALANCED);
}

static void tune_for_size(void)
{
    test_files_free(&files);
    make_files(QUERN_TUNE_SIZE);
}

static void teardown(void)
{
    test_files_free(&files);
}

TestSuite(verify, .init = setup, .fini = teardown);

typedef struct told {
    unsigned n;
    char all[16384];
} told;

static void on_defect(void *arg, const char *file, const char *defect)
{
    told *heard = arg;
    size_t len = strlen(heard->all);
    (void)snprintf(heard->all + len, sizeof heard->all - len, "%s: %s\n", file, defect);
    heard->n++;
}

static quern_status verify(told *heard, quern_error *error)
{
    qn_segment segment;
    *heard = (told){0};
    *error = (quern_error){0};
    cr_assert(test_reseal(files.index, files.index_len));
    cr_assert(test_reseal(files.store, files.store_len));
    quern_status status = qn_segment_open_bytes(&segment, files.index, files.index_len, files.store,
                                                files.store_len, false, error);
    cr_assert_eq(status, QUERN_OK, "%s", error->message);
    status = qn_verify_segment(&segment, on_defect, heard, error);
    cr_assert_eq(qn_verify_segment(&segment, NULL, NULL, NULL), status);
    qn_segment_close(&segment);
    return status;
}

static uint8_t *section(uint32_t kind, size_t *len)
{
    size_t offset;
    cr_assert(test_section(files.index, files.index_len, kind, &offset, len));
    return files.index + offset;
}

static void expect_defect(const char *what)
{
    told heard;
    quern_error error;
    cr_expect_eq(verify(&heard, &error), QUERN_E_DAMAGED, "%s", what);
    cr_expect(heard.n > 0 && strstr(heard.all, what) != NULL, "%s, not %s", heard.all, what);
    cr_expect_eq(error.status, QUERN_E_DAMAGED);
    cr_expect_eq(strncmp(heard.all, error.message, strlen(error.message)), 0,
                 "the error is the first defect");
}

Test(verify, sound)
{
    told heard;
    quern_error error;
    cr_assert_eq(verify(&heard, &error), QUERN_OK, "%s", heard.all);
    cr_assert_eq(heard.n, 0u);
}

/* Lowers every bound of a section to nothing. */
Test(verify, range_bounds)
{
    size_t len;
    uint8_t *bounds = section(QN_SECTION_BOUNDS, &len);
    cr_assert_gt(len, 100u);
    memset(bounds, 0, len);
    expect_defect("a range's bound is too low");
}

typedef enum list_form { BLOCKS, GROUPS, DENSE } list_form;

/* The first list of a form; its bytes are those of `files`. Of coded ones, one with exceptions. */
static qn_postings find_list(list_form form, char *term, size_t size)
{
    static qn_segment segment;
    qn_dict_cursor cursor;
    qn_postings list;
    qn_segment_close(&segment);
    cr_assert_eq(qn_segment_open_bytes(&segment, files.index, files.index_len, files.store,
                                       files.store_len, false, NULL),
                 QUERN_OK);
    cr_assert_eq(qn_dict_seek(&cursor, &segment.dict, "", 0, NULL), QUERN_OK);
    do {
        cr_assert_eq(qn_dict_next(&cursor, NULL), QUERN_OK, "there is no such list");
        cr_assert_eq(qn_postings_open(&list, &segment, &cursor.info, NULL), QUERN_OK);
    } while (form == BLOCKS
                 ? list.coded || list.n_blocks < 2
                 : !list.coded || list.dense != (form == DENSE) || list.n_exceptions < 3);
    (void)snprintf(term, size, "%.*s", (int)cursor.len, cursor.term);
    return list;
}

/* A list's bytes, to be changed. */
static uint8_t *at(const uint8_t *bytes)
{
    return files.index + (bytes - files.index);
}

static void expect_term_defect(const char *term, const char *what)
{
    char defect[200];
    (void)snprintf(defect, sizeof defect, "the term \"%s\": %s", term, what);
    expect_defect(defect);
}

Test(verify, sound_for_every_tuning)
{
    for (quern_tune tune = QUERN_TUNE_BALANCED; tune <= QUERN_TUNE_SPEED; tune++) {
        told heard;
        quern_error error;
        test_files_free(&files);
        make_files(tune);
        cr_assert_eq(verify(&heard, &error), QUERN_OK, "%s", heard.all);
    }
}

Test(verify, block_bounds)
{
    char term[64];
    tune_for_size();
    qn_postings list = find_list(BLOCKS, term, sizeof term);
    memset(at(list.block_max), 0, list.n_blocks);
    expect_term_defect(term, "a block's bound is too low");
}

/* max_part of a plain list, behind its block maxima, and of a coded one, in its header. */
Test(verify, term_bounds)
{
    char term[64];
    qn_postings list = find_list(DENSE, term, sizeof term);
    qn_store_f32(at(list.codes) - QN_CODED_HEADER + QN_CODED_MAX_PART, 0.01f);
    expect_term_defect(term, "its bound is too low");
    tune_for_size();
    list = find_list(BLOCKS, term, sizeof term);
    qn_store_f32(at(list.block_max) + list.n_blocks, 0.01f);
    expect_term_defect(term, "its bound is too low");
}

/* Too high a seed would leave answers out. */
Test(verify, seeds)
{
    char term[64];
    qn_postings list = find_list(DENSE, term, sizeof term);
    uint8_t *seed = at(list.codes) - QN_CODED_HEADER + QN_CODED_SEEDS;
    qn_store_u16(seed + 4, 4096);
    expect_term_defect(term, "a seed is too high");
    tune_for_size();
    list = find_list(BLOCKS, term, sizeof term);
    qn_store_u16(at(list.block_max) + list.n_blocks + 4, 4096);
    expect_term_defect(term, "a seed is too high");
}

Test(verify, ranks)
{
    char term[64];
    qn_postings list = find_list(DENSE, term, sizeof term);
    uint8_t *rank = at(list.rank) + 8; /* of document 1,024 on */
    qn_store_u32(rank, qn_load_u32(rank) - 1);
    expect_term_defect(term, "its ranks do not count its bitmap");
    qn_store_u32(rank, qn_load_u32(rank) + 1);
    /* A document too many, at the end, where no later rank tells of it. */
    uint8_t *last = at(list.bitmap) + 1496 / 8;
    *last = *last == 0xF ? 7 : 0xF;
    expect_term_defect(term, "its ranks do not count its bitmap");
}

/* A group that ends before it starts has no documents; one that starts late leaves some out. */
Test(verify, groups)
{
    static const char defect[] = "its groups do not follow one another";
    char term[64];
    tune_for_size();
    qn_postings list = find_list(GROUPS, term, sizeof term);
    uint8_t *base = at(list.rank), *start = at(list.start) + 2 * (size_t)5;
    uint16_t was = qn_load_u16(start);
    qn_store_u16(start, (uint16_t)(qn_load_u16(start + 2) + 1));
    expect_term_defect(term, defect);
    qn_store_u16(start, (uint16_t)(qn_load_u16(start - 2) - 1));
    expect_term_defect(term, defect);
    qn_store_u16(start, was);
    qn_store_u32(base, 1);
    expect_term_defect(term, defect);
    qn_store_u32(base, 0);
    qn_store_u16(at(list.start) + 2 * (size_t)(QN_GROUPS - 1), (uint16_t)(list.df + 1)); /* last */
    expect_term_defect(term, defect);
}

/* Documents out of order, in a block or where one ends. */
Test(verify, documents_of_groups)
{
    char term[64];
    tune_for_size();
    qn_postings list = find_list(GROUPS, term, sizeof term);
    static const uint32_t places[] = {1, QN_BLOCK};
    for (unsigned i = 0; i < 2; i++) {
        uint32_t from, to, group = 0;
        do
            qn_coded_group(&list, group++, &from, &to);
        while (to <= places[i]);
        cr_assert_lt(from, places[i], "two documents of a group, between which is the place");
        uint8_t *low = at(list.low) + places[i], was = *low;
        *low = low[-1];
        low[-1] = was;
        expect_defect("documents of a group do not ascend");
        low[-1] = *low;
        expect_defect("documents of a group do not ascend"); /* twice the same */
        *low = was;
    }
}

/* Each class in turn allows less than its postings have: lower tf where that is not exact (an exact
 * one then says another tf, which other things contradict), or longer documents. */
Test(verify, classes)
{
    char term[64];
    qn_postings list = find_list(DENSE, term, sizeof term);
    for (unsigned code = 1; code < QN_CODES && list.class[code].tf != 0; code++) {
        uint8_t *class = at(list.codes) - QN_CODED_HEADER + 4 * (size_t)code;
        class[2]++;
        expect_term_defect(term, "a code's class does not hold its posting");
        class[2]--;
        uint16_t tf = qn_load_u16(class);
        qn_store_u16(class, (uint16_t)(list.class[code].exact ? tf + 1 : tf - 1));
        if (list.class[code].exact)
            expect_defect("");
        else
            expect_term_defect(term, "a code's class does not hold its posting");
        qn_store_u16(class, tf);
    }
}

Test(verify, codes)
{
    char term[64];
    tune_for_size();
    qn_postings list = find_list(GROUPS, term, sizeof term);
    uint32_t posting = qn_load_u32(list.exception);
    uint8_t *code = at(list.codes) + posting / 2, was = *code;
    *code &= posting % 2 == 0 ? 0xF0 : 0x0F; /* no posting's, which is as inexact: bounds say 0 */
    expect_term_defect(term, "a code's class does not hold its posting");
    *code = was;
    unsigned exact = 1;
    while (!list.class[exact].exact)
        exact++;
    *code = (uint8_t)(exact * 17);
    expect_term_defect(term, "its exceptions are out of order, or of exact classes");
}

Test(verify, exceptions)
{
    char term[64];
    qn_postings list = find_list(DENSE, term, sizeof term);
    uint8_t *first = at(list.exception);
    uint32_t a = qn_load_u32(first), b = qn_load_u32(first + 4);
    qn_store_u32(first, b);
    qn_store_u32(first + 4, a);
    expect_term_defect(term, "its exceptions are out of order, or of exact classes");
    qn_store_u32(first + 4, b); /* twice the same */
    expect_term_defect(term, "its exceptions are out of order, or of exact classes");
    qn_store_u32(first, a);
    uint8_t *last = first + 4 * ((size_t)list.n_exceptions - 1);
    qn_store_u32(last, list.df); /* past the list */
    expect_term_defect(term, "its exceptions are out of order, or of exact classes");
}

/* The table by which exceptions are found. */
Test(verify, exceptions_before)
{
    char term[64];
    tune_for_size();
    for (list_form form = GROUPS; form <= DENSE; form++) {
        qn_postings list = find_list(form, term, sizeof term);
        cr_assert_gt(list.df, (uint32_t)QN_EXCEPTIONS_STEP);
        for (size_t step = 0; step < 2; step++) {
            uint8_t *before = at(list.exception_start) + 4 * step;
            uint32_t was = qn_load_u32(before);
            qn_store_u32(before, was + 1);
            expect_term_defect(term, "its exceptions are out of order, or of exact classes");
            qn_store_u32(before, was - 1);
            expect_term_defect(term, "its exceptions are out of order, or of exact classes");
            qn_store_u32(before, was);
        }
    }
}

/* Bytes between the parts of a coded list are zero, so that a later version may use them. */
Test(verify, padding)
{
    char term[64];
    qn_postings list = find_list(DENSE, term, sizeof term);
    at(list.codes)[-1] = 1;
    expect_term_defect(term, "bytes that should be zero are not");
    at(list.codes)[-1] = 0;
    at(list.bitmap)[-1] = 1;
    expect_term_defect(term, "bytes that should be zero are not");
}

Test(verify, sums)
{
    size_t len;
    uint8_t *n_postings = section(QN_SECTION_META, &len) + 24;
    qn_store_u64(n_postings, qn_load_u64(n_postings) + 1);
    expect_defect("terms, postings or tokens do not add up to META's");
}

Test(verify, length_codes)
{
    size_t len;
    uint8_t *codes = section(QN_SECTION_LENGTHS, &len);
    codes[700] ^= 1;
    expect_defect("a length and its code differ");
    codes[700] ^= 1;
    uint8_t *exact = section(QN_SECTION_EXACT_LENGTHS, &len);
    exact[0] ^= 1;
    expect_defect("the lengths do not add up to META's tokens");
}

/* An id changed in IDS: ID_LOOKUP still leads to the old one. */
Test(verify, ids)
{
    size_t len;
    uint8_t *ids = section(QN_SECTION_IDS, &len);
    cr_assert_eq(memcmp(ids,
                        "\x02"
                        "d0",
                        3),
                 0);
    ids[1] = 'x';
    expect_defect("an id does not lead back to its document");
}

/* Words of the store that do not follow one another. */
Test(verify, words)
{
    size_t offset, len;
    cr_assert(test_section(files.store, files.store_len, QN_SECTION_WORDS, &offset, &len));
    uint8_t *group = files.store + offset + QN_WORDS_HEAD, *lens = group + 4;
    lens[0]++;
    expect_defect("a word of the store is out of place");
    lens[0]--;
    group[0]++;
    expect_defect("a word of the store is out of place");
}

/* A tf that is larger than what the dictionary's cf allows, or a gap: the lists disagree. */
Test(verify, postings)
{
    told heard;
    quern_error error;
    size_t len;
    uint8_t *postings = section(QN_SECTION_POSTINGS, &len);
    unsigned n_found = 0;
    for (size_t at = 3; at < len; at += len / 40) {
        postings[at] ^= 4;
        n_found += verify(&heard, &error) == QUERN_E_DAMAGED;
        postings[at] ^= 4;
    }
    cr_expect_gt(n_found, 34u, "%u", n_found);
}

/* Damage to the bytes is told by checksum alone: what follows from it is not repeated. */
Test(verify, checksums_first)
{
    qn_segment segment;
    told heard = {0};
    quern_error error = {0};
    size_t len;
    section(QN_SECTION_LENGTHS, &len)[3] ^= 1;
    cr_assert_eq(qn_segment_open_bytes(&segment, files.index, files.index_len, files.store,
                                       files.store_len, false, &error),
                 QUERN_OK);
    cr_assert_eq(qn_verify_segment(&segment, on_defect, &heard, &error), QUERN_E_DAMAGED);
    cr_assert_eq(heard.n, 1u, "%s", heard.all);
    qn_segment_close(&segment);
}
