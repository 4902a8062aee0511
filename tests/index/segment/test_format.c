/*
 * FORMAT.md's example is the truth: an index of its three documents has the bytes that the page
 * shows, section by section, and is read back as the documents say.
 *
 * With QUERN_PRINT_EXAMPLE set the sections are printed in the page's form, for whoever changes the
 * format.
 */
#define _GNU_SOURCE
#include "index/segment/positions.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    uint32_t kind;
    const char *name;
} sections[] = {{QN_SECTION_META, "META"},
                {QN_SECTION_LENGTHS, "LENGTHS"},
                {QN_SECTION_EXACT_LENGTHS, "EXACT_LENGTHS"},
                {QN_SECTION_DICT, "DICT"},
                {QN_SECTION_DICT_INDEX, "DICT_INDEX"},
                {QN_SECTION_POSTINGS, "POSTINGS"},
                {QN_SECTION_POSITIONS, "POSITIONS"},
                {QN_SECTION_BOUNDS, "BOUNDS"},
                {QN_SECTION_IDS, "IDS"},
                {QN_SECTION_ID_LOOKUP, "ID_LOOKUP"}};

enum { N_SECTIONS = sizeof sections / sizeof *sections, PER_LINE = 24 };

static uint8_t *build(char *dir, size_t *len)
{
    quern_build_options options = QUERN_BUILD_OPTIONS;
    options.language = "none";
    options.store = QUERN_STORE_NONE;
    quern_document documents[] = {{.id = QUERN_STR("a#1"), .text = QUERN_STR("to be or not to be")},
                                  {.id = QUERN_STR("a#2"), .text = QUERN_STR("be quick")},
                                  {.id = QUERN_STR("b")}};
    test_corpus corpus = {documents, 3};
    char *path = test_path(dir, "x.idx");
    test_build(path, &corpus, &options);
    char *file = test_find_file(path, ".qx");
    uint8_t *bytes = test_read_file(file, len);
    free(file);
    free(path);
    return bytes;
}

static void print_example(const qn_segment *segment)
{
    for (unsigned i = 0; i < N_SECTIONS; i++) {
        qn_section section = segment->index.section[sections[i].kind];
        (void)fprintf(stderr, "    %s\n", sections[i].name);
        for (uint64_t at = 0; at < section.len; at++)
            (void)fprintf(stderr, "%s%02x%s", at % PER_LINE == 0 ? "        " : " ",
                          section.data[at],
                          at % PER_LINE == PER_LINE - 1 || at + 1 == section.len ? "\n" : "");
    }
}

/* The bytes that the page shows for a section, as long as its lines go on; their number. */
static size_t shown_bytes(const char *page, const char *name, uint8_t *out, size_t max)
{
    char heading[64];
    (void)snprintf(heading, sizeof heading, "\n    %s\n", name);
    const char *at = strstr(strstr(page, "## A whole index in hex"), heading);
    cr_assert_not_null(at, "the page has no example of %s", name);
    at += strlen(heading);
    size_t n = 0;
    while (strncmp(at, "        ", 8) == 0) {
        at += 8;
        while (isxdigit((unsigned char)at[0]) && isxdigit((unsigned char)at[1]) && n < max) {
            out[n++] = (uint8_t)strtoul((char[]){at[0], at[1], 0}, NULL, 16);
            at += at[2] == ' ' ? 3 : 2;
        }
        at += strcspn(at, "\n") + 1;
    }
    return n;
}

Test(format, the_example_is_what_is_written)
{
    char *dir = test_dir_new();
    size_t len, page_len;
    uint8_t *bytes = build(dir, &len);
    qn_segment segment;
    quern_error error;
    cr_assert_eq(qn_segment_open_bytes(&segment, bytes, len, NULL, 0, true, &error), QUERN_OK, "%s",
                 error.message);
    if (getenv("QUERN_PRINT_EXAMPLE") != NULL)
        print_example(&segment);
    char *page = (char *)test_read_file("index/segment/FORMAT.md", &page_len);
    for (unsigned i = 0; i < N_SECTIONS; i++) {
        uint8_t shown[4096];
        size_t n = shown_bytes(page, sections[i].name, shown, sizeof shown);
        qn_section section = segment.index.section[sections[i].kind];
        cr_expect_eq(n, section.len, "%s: %zu bytes shown, %llu written", sections[i].name, n,
                     (unsigned long long)section.len);
        cr_expect(n == section.len && memcmp(shown, section.data, n) == 0, "%s differs",
                  sections[i].name);
    }
    free(page);
    qn_segment_close(&segment);
    free(bytes);
    test_dir_free(dir);
}

Test(format, the_example_is_read_as_the_documents_say)
{
    char *dir = test_dir_new();
    size_t len;
    uint8_t *bytes = build(dir, &len);
    qn_segment segment;
    quern_error error;
    cr_assert_eq(qn_segment_open_bytes(&segment, bytes, len, NULL, 0, true, &error), QUERN_OK);
    cr_assert(segment.meta.n_docs == 3 && segment.meta.n_tokens == 8 && segment.meta.n_terms == 5 &&
              segment.meta.n_postings == 6);
    qn_term_info info;
    qn_postings list;
    cr_assert_eq(qn_dict_find(&segment.dict, "be", 2, &info, &error), QUERN_OK);
    cr_assert(info.df == 2 && info.cf == 3);
    cr_assert_eq(qn_postings_open(&list, &segment, &info, &error), QUERN_OK);
    uint32_t docs[QN_BLOCK_ROOM], tfs[QN_BLOCK_ROOM], *positions = NULL;
    size_t cap = 0;
    const uint8_t *tf_at;
    cr_assert_eq(qn_postings_docs(&list, 0, docs, &tf_at, &error), QUERN_OK);
    cr_assert_eq(qn_postings_tfs(&list, 0, tf_at, tfs, &error), QUERN_OK);
    cr_assert_eq(qn_postings_positions(&list, 0, tfs, &positions, &cap, &error), QUERN_OK);
    cr_assert(docs[0] == 0 && docs[1] == 1 && tfs[0] == 2 && tfs[1] == 1);
    cr_assert(positions[0] == 1 && positions[1] == 5 && positions[2] == 0);
    cr_assert_eq(qn_dict_find(&segment.dict, "quick", 5, &info, &error), QUERN_OK);
    cr_assert(info.df == 1 && info.doc == 1 && info.n_inline == 1 && info.position[0] == 1);
    uint32_t length, doc;
    cr_assert_eq(qn_segment_exact_length(&segment, 0, 2, &length, &error), QUERN_OK);
    cr_assert_eq(length, 0u);
    cr_assert_eq(qn_ids_find(&segment.ids, "a#2", 3, &doc, &error), QUERN_OK);
    cr_assert_eq(doc, 1u);
    free(positions);
    qn_segment_close(&segment);
    free(bytes);
    test_dir_free(dir);
}
