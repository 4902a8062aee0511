/* The document store: what is added is fetched; forged lengths neither crash nor allocate. */
#include "index/segment/docs.h"

#include "tests/support/reseal.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct sample {
    quern_document *document;
    uint32_t n;
    bool records;
    uint8_t *bytes;
    size_t len;
} sample;

static quern_span make_span(size_t len, bool noise, test_random *random)
{
    char *data = malloc(len + 1);
    cr_assert(data != NULL);
    for (size_t i = 0; i < len; i++)
        data[i] = noise ? (char)test_next(random) : "the quick brown "[i % 16];
    return (quern_span){data, len};
}

/* Words of a vocabulary, the first ones most often. */
static quern_span make_prose(size_t len, uint32_t vocabulary, test_random *random)
{
    char *data = malloc(len + 32);
    cr_assert(data != NULL);
    size_t n = 0;
    while (n < len) {
        uint32_t word =
            test_below(random, 1 + test_below(random, 1 + test_below(random, vocabulary)));
        const char *after = test_below(random, 9) == 0 ? ", " : " ";
        n += (size_t)sprintf(data + n, "w%x%s", word * 2654435761u, after);
    }
    return (quern_span){data, len};
}

static void write_store(const sample *s, int dirfd, const char *name, bool background)
{
    qn_docs_writer *writer;
    cr_assert_eq(qn_docs_writer_new(&writer, dirfd, name, name, s->records, background, NULL),
                 QUERN_OK);
    for (uint32_t i = 0; i < s->n; i++)
        cr_assert_eq(qn_docs_writer_add(writer, &s->document[i], NULL), QUERN_OK);
    uint64_t checksum, file_len;
    cr_assert_eq(qn_docs_writer_finish(writer, &checksum, &file_len, NULL), QUERN_OK);
    qn_docs_writer_free(writer);
    qn_container c;
    cr_assert_eq(qn_container_open(&c, dirfd, name, QN_FILE_STORE, false, true, NULL), QUERN_OK);
    cr_assert_eq(c.header_checksum, checksum);
    cr_assert_eq(c.mapping.len, file_len);
    qn_container_close(&c);
}

/* Writes it in one thread and in two: the bytes are the same. */
static void write_sample(sample *s)
{
    char *path;
    int dirfd = test_dir_open(&path);
    size_t len;
    write_store(s, dirfd, "s", false);
    write_store(s, dirfd, "t", true);
    s->bytes = test_read_at(dirfd, "s", &s->len);
    uint8_t *other = test_read_at(dirfd, "t", &len);
    cr_assert(len == s->len && memcmp(other, s->bytes, len) == 0);
    free(other);
    test_dir_close(dirfd, path);
}

/* Empty documents, small ones, and one larger than a block now and then. */
static sample make_sample(uint32_t n, bool records)
{
    sample s = {.document = calloc(n + 1, sizeof(quern_document)), .n = n, .records = records};
    cr_assert(s.document != NULL);
    test_random random = n;
    for (uint32_t i = 0; i < n; i++) {
        size_t len = i % 7 == 0 ? 0 : (size_t)(test_next(&random) % 3000);
        if (i % 40 == 20)
            len = QN_STORE_BLOCK - 20 + test_next(&random) % 40;
        if (i % 40 == 30)
            len = 100000;
        s.document[i].title = make_span(test_next(&random) % 3 * 20, true, &random);
        s.document[i].text = make_span(len, i % 3 == 0, &random);
        s.document[i].record = make_span(len / 2, false, &random);
    }
    write_sample(&s);
    return s;
}

static void free_sample(sample *s)
{
    for (uint32_t i = 0; i < s->n; i++) {
        free((void *)(uintptr_t)s->document[i].title.data);
        free((void *)(uintptr_t)s->document[i].text.data);
        free((void *)(uintptr_t)s->document[i].record.data);
    }
    free(s->document);
    free(s->bytes);
}

/* Documents of words, enough for codes; some of noise, some too large for codes, at first too if
 * `large_first`. */
static sample make_prose_sample(uint32_t n, size_t longest, bool records, bool large_first)
{
    sample s = {.document = calloc(n + 1, sizeof(quern_document)), .n = n, .records = records};
    cr_assert(s.document != NULL);
    test_random random = n;
    for (uint32_t i = 0; i < n; i++) {
        quern_document *document = &s.document[i];
        size_t len = test_below(&random, (uint32_t)longest);
        bool large = longest > 2000 && (i % 1000 == 700 || (large_first && i == 0));
        document->title = make_prose(i % 5 == 0 ? 0 : 30, 50 + i, &random);
        if (i % 97 == 50)
            document->text = make_span(len, true, &random);
        else
            document->text = make_prose(large ? QN_STORE_CODED_MAX + i : len, 50 + i, &random);
        char *record = malloc(len + 1);
        for (size_t j = 0; j < len; j++)
            record[j] = document->text.data[j];
        document->record = (quern_span){record, len};
    }
    write_sample(&s);
    return s;
}

static bool has_codes(const sample *s)
{
    size_t offset, len;
    return test_section(s->bytes, s->len, QN_SECTION_WORDS, &offset, &len);
}

static bool span_is(quern_span got, quern_span want)
{
    return got.len == want.len && (got.len == 0 || memcmp(got.data, want.data, got.len) == 0);
}

static bool document_is(const sample *s, uint32_t doc, const quern_document *got)
{
    const quern_document *want = &s->document[doc];
    return span_is(got->title, want->title) && span_is(got->text, want->text) &&
           (!s->records || span_is(got->record, want->record));
}

/* Fetches all documents, in order and then at random, from a store that may be anything: true if
 * all are as they were. */
static bool use(const sample *s, const uint8_t *bytes, bool paranoid)
{
    qn_container c;
    qn_docs docs;
    if (qn_container_open_bytes(&c, bytes, s->len, "s", QN_FILE_STORE, paranoid, NULL) != QUERN_OK)
        return false;
    bool good = qn_docs_open(&docs, &c, s->n, NULL) == QUERN_OK;
    qn_docs_reader reader = {0};
    test_random random = 8;
    for (uint32_t i = 0; good && i < 2 * s->n; i++) {
        uint32_t doc = i < s->n ? i : (uint32_t)(test_next(&random) % s->n);
        quern_document got = {.id = QUERN_STR("kept")};
        quern_error error;
        quern_status status = qn_docs_fetch(&docs, &reader, doc, &got, &error);
        cr_assert(status == QUERN_OK || status == QUERN_E_DAMAGED, "%s", error.message);
        cr_assert_eq(got.id.len, 4);
        volatile char sum = 0; /* every byte told of is there */
        for (size_t j = 0; status == QUERN_OK && j < got.text.len; j++)
            sum = (char)(sum + got.text.data[j]);
        good = status == QUERN_OK && document_is(s, doc, &got);
    }
    cr_assert(reader.raw.cap < (size_t)256 << 20);
    qn_docs_reader_free(&reader);
    qn_container_close(&c);
    return good;
}

Test(docs, round_trip)
{
    static const uint32_t n[] = {0, 1, 2, 21, 200};
    for (size_t i = 0; i < sizeof n / sizeof n[0]; i++) {
        for (unsigned way = 0; way < 4; way++) {
            sample s = make_sample(n[i], (way & 1) != 0);
            cr_assert(use(&s, s.bytes, (way & 2) != 0), "%u documents", n[i]);
            free_sample(&s);
        }
    }
}

/* Held back whole; up to where holding ends and beyond; with documents that no block of codes
 * takes. */
Test(docs, round_trip_of_words)
{
    static const struct {
        uint32_t n;
        size_t longest;
        bool large_first;
    } of[] = {{40, 1000, false},  {300, 1000, false},  {1500, 1500, false}, {1500, 3000, false},
              {1500, 3000, true}, {60, 200000, false}, {20, 1000000, true}};
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
        for (unsigned way = 0; way < 2; way++) {
            sample s = make_prose_sample(of[i].n, of[i].longest, way == 1, of[i].large_first);
            cr_assert(has_codes(&s) || of[i].n < 300, "sample %zu", i);
            cr_assert(use(&s, s.bytes, way == 1), "sample %zu", i);
            free_sample(&s);
        }
    }
}

/* Where words gain nothing a store is what it would be without them; later they may gain. */
Test(docs, words_only_where_they_gain)
{
    sample s = {.document = calloc(2001, sizeof(quern_document)), .n = 2000};
    test_random random = 9;
    for (uint32_t i = 0; i < s.n; i++)
        s.document[i].text = make_span(3000, true, &random);
    write_sample(&s);
    cr_assert(!has_codes(&s));
    cr_assert(use(&s, s.bytes, false));
    for (uint32_t i = 500; i < s.n; i++) {
        free((void *)(uintptr_t)s.document[i].text.data);
        s.document[i].text = make_prose(3000, 1000, &random);
    }
    free(s.bytes);
    write_sample(&s);
    cr_assert(has_codes(&s));
    cr_assert(use(&s, s.bytes, false));
    free_sample(&s);
}

Test(docs, a_document_over_the_trusted_length)
{
    sample s = {.document = calloc(3, sizeof(quern_document)), .n = 3};
    test_random random = 1;
    s.document[0].text = make_span(10, true, &random);
    s.document[1].text = make_span((size_t)70 << 20, false, &random);
    s.document[2].text = make_span(10, true, &random);
    write_sample(&s);
    cr_assert(s.len < (size_t)1 << 20);
    cr_assert(use(&s, s.bytes, false));
    free_sample(&s);
}

/* Changes every `step`th byte of a section: a paranoid reader finds it, another one survives. */
static void change_section(const sample *s, uint32_t kind, size_t step)
{
    size_t offset, len;
    test_random random = 2;
    cr_assert(test_section(s->bytes, s->len, kind, &offset, &len));
    uint8_t *copy = test_copy(s->bytes, s->len);
    for (size_t at = offset; at < offset + len; at += step) {
        const uint8_t noise[3] = {0, 0xFF, (uint8_t)test_next(&random)};
        for (unsigned way = 0; way < 3; way++) {
            copy[at] = noise[way];
            if (copy[at] != s->bytes[at])
                cr_assert(!use(s, copy, true), "byte %zu", at);
            (void)use(s, copy, false);
        }
        copy[at] = s->bytes[at];
    }
    free(copy);
}

Test(docs, changed_bytes)
{
    sample s = {.document = calloc(6, sizeof(quern_document)), .n = 6, .records = true};
    test_random random = 2;
    for (uint32_t i = 0; i < s.n; i++) {
        s.document[i].title = make_span(5, true, &random);
        s.document[i].text = make_span(i == 3 ? 40000 : 60, false, &random);
        s.document[i].record = make_span(3, false, &random);
    }
    write_sample(&s);
    cr_assert(use(&s, s.bytes, true));
    change_section(&s, QN_SECTION_STORE, 1);
    change_section(&s, QN_SECTION_STORE_INDEX, 1);
    free_sample(&s);
}

Test(docs, changed_words_and_codes)
{
    sample s = make_prose_sample(400, 1000, false, false);
    cr_assert(has_codes(&s));
    change_section(&s, QN_SECTION_WORDS, 23);
    change_section(&s, QN_SECTION_STORE, 397);
    change_section(&s, QN_SECTION_STORE_INDEX, 1);
    free_sample(&s);
}

/* What is codes is said to be none, and the other way round; and codes longer than they may be. */
Test(docs, forged_kind_of_block)
{
    sample s = make_prose_sample(400, 1000, false, false);
    size_t offset, len;
    cr_assert(test_section(s.bytes, s.len, QN_SECTION_STORE_INDEX, &offset, &len));
    uint8_t *raw_len = s.bytes + offset + 8 + 4;
    uint32_t was = qn_load_u32(raw_len);
    cr_assert((was & QN_STORE_CODED) != 0);
    const uint32_t claim[] = {was & ~QN_STORE_CODED, QN_STORE_CODED | (QN_STORE_CODED_MAX + 1),
                              UINT32_MAX, QN_STORE_CODED};
    for (size_t i = 0; i < sizeof claim / sizeof claim[0]; i++) {
        qn_store_u32(raw_len, claim[i]);
        cr_assert(test_reseal(s.bytes, s.len));
        cr_assert(!use(&s, s.bytes, true), "%x", claim[i]);
    }
    free_sample(&s);
    s = make_sample(100, false);
    cr_assert(!has_codes(&s));
    cr_assert(test_section(s.bytes, s.len, QN_SECTION_STORE_INDEX, &offset, &len));
    raw_len = s.bytes + offset + 8 + 4;
    qn_store_u32(raw_len, qn_load_u32(raw_len) | QN_STORE_CODED);
    cr_assert(test_reseal(s.bytes, s.len));
    cr_assert(!use(&s, s.bytes, true));
    free_sample(&s);
}

/* A block of 30 KB that does not compress may claim a raw length over a gigabyte: use() sees that
 * it is not allocated. */
Test(docs, forged_raw_length)
{
    sample s = {.document = calloc(1, sizeof(quern_document)), .n = 1};
    test_random random = 6;
    s.document[0].text = make_span(30000, true, &random);
    write_sample(&s);
    size_t offset, len;
    cr_assert(test_section(s.bytes, s.len, QN_SECTION_STORE_INDEX, &offset, &len));
    static const uint32_t claim[] = {0,       1,       30003,   30005,      100000,
                                     1 << 26, 1 << 27, 1 << 30, 0x7FFFFFFF, UINT32_MAX};
    for (size_t i = 0; i < sizeof claim / sizeof claim[0]; i++) {
        qn_store_u32(s.bytes + offset + 8 + 4, claim[i]);
        cr_assert(test_reseal(s.bytes, s.len));
        cr_assert(!use(&s, s.bytes, true), "%u", claim[i]);
    }
    qn_store_u32(s.bytes + offset + 8 + 4, 30004); /* title_len(1) text_len(3) text */
    cr_assert(test_reseal(s.bytes, s.len));
    cr_assert(use(&s, s.bytes, true));
    free_sample(&s);
}

Test(docs, wrong_counts)
{
    sample s = make_sample(100, false);
    qn_container c;
    qn_docs docs;
    cr_assert_eq(qn_container_open_bytes(&c, s.bytes, s.len, "s", QN_FILE_STORE, false, NULL), 0);
    cr_assert_eq(qn_docs_open(&docs, &c, 0, NULL), QUERN_E_DAMAGED);
    /* A document more than there is cannot be fetched. */
    qn_docs_reader reader = {0};
    quern_document got = {0};
    if (qn_docs_open(&docs, &c, 101, NULL) == QUERN_OK)
        cr_assert_eq(qn_docs_fetch(&docs, &reader, 100, &got, NULL), QUERN_E_DAMAGED);
    qn_docs_reader_free(&reader);
    qn_container_close(&c);
    free_sample(&s);
}
