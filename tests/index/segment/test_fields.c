/* The FIELDS section: what was written is read, and what is malformed is refused; how fields are
 * written by people. */
#include "index/segment/fields.h"

#include "index/segment/format.h"
#include "tests/support/reseal.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const qn_fields two = {.n = 2, .field = {{"title", 2.5f}, {"text", 1}}};
static const qn_field_counts counts[2] = {{1000, 10, 5}, {70000, 700, 12}};

/* A container that holds nothing but the section. */
static uint8_t *section_file(size_t *len)
{
    char *path;
    int dirfd = test_dir_open(&path);
    qn_container_writer writer;
    cr_assert_eq(qn_container_writer_open(&writer, dirfd, "x", "x", QN_FILE_INDEX, NULL), QUERN_OK);
    cr_assert_eq(qn_fields_write(&two, counts, &writer, NULL), QUERN_OK);
    cr_assert_eq(qn_container_writer_finish(&writer, NULL), QUERN_OK);
    qn_container_writer_close(&writer);
    uint8_t *bytes = test_read_at(dirfd, "x", len);
    test_dir_close(dirfd, path);
    return bytes;
}

static quern_status read_file(const uint8_t *bytes, size_t len, qn_fields *fields,
                              qn_field_counts *out)
{
    qn_container container;
    quern_status status =
        qn_container_open_bytes(&container, bytes, len, "x", QN_FILE_INDEX, true, NULL);
    cr_assert_eq(status, QUERN_OK);
    status = qn_fields_read(fields, out, 100, &container, NULL);
    qn_container_close(&container);
    return status;
}

Test(fields, written_and_read)
{
    size_t len;
    uint8_t *bytes = section_file(&len);
    qn_fields fields;
    qn_field_counts got[QN_FIELDS_MAX];
    cr_assert_eq(read_file(bytes, len, &fields, got), QUERN_OK);
    cr_assert(qn_fields_same_names(&fields, &two));
    for (unsigned i = 0; i < 2; i++) {
        cr_assert_eq(fields.field[i].weight, two.field[i].weight);
        cr_assert_eq(got[i].n_tokens, counts[i].n_tokens);
        cr_assert_eq(got[i].exact_width, counts[i].exact_width);
        cr_assert_float_eq(got[i].average, counts[i].average, 0);
    }
    free(bytes);
}

/* A byte of the section, changed under right checksums. The section starts at 4,096; a field has 80
 * bytes from 8 on: tokens, weight, width, name. */
Test(fields, forged)
{
    static const struct {
        size_t at, len;
        const char *bytes;
        quern_status status;
    } cases[] = {
        {0, 1, "\0", QUERN_E_DAMAGED},               /* no field */
        {0, 1, "\1", QUERN_E_DAMAGED},               /* fewer than there are bytes for */
        {0, 1, "\3", QUERN_E_DAMAGED},               /* more */
        {0, 4, "\xff\xff\xff\xff", QUERN_E_DAMAGED}, /* */
        {4, 1, "\1", QUERN_E_DAMAGED},               /* what must be zero */
        {16, 4, "\0\0\0\0", QUERN_E_DAMAGED},        /* weight 0, */
        {16, 4, "\0\0\x80\xbf", QUERN_E_DAMAGED},    /* -1, */
        {16, 4, "\0\0\xc0\x7f", QUERN_E_DAMAGED},    /* not a number, */
        {16, 4, "\0\0\x80\x7f", QUERN_E_DAMAGED},    /* infinite, */
        {16, 4, "\0\0\x80\x3f", QUERN_OK},           /* 1 */
        {20, 1, "\x21", QUERN_E_DAMAGED},            /* width 33 */
        {24, 1, "\0", QUERN_E_DAMAGED},              /* a name that is empty, */
        {24, 1, "1", QUERN_E_DAMAGED},               /* begins with a digit, */
        {24, 1, "T", QUERN_OK},                      /* */
        {26, 1, " ", QUERN_E_DAMAGED},               /* has a space, */
        {27, 1, "\0", QUERN_E_DAMAGED},              /* has something behind its end, */
        {87, 1, "x", QUERN_E_DAMAGED},               /* */
        {24, 6, "text\0\0", QUERN_E_DAMAGED},        /* stands twice, */
        {24, 6, "id\0\0\0\0", QUERN_E_DAMAGED},      /* or is that of an id */
    };
    size_t len;
    uint8_t *bytes = section_file(&len);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t *copy = test_copy(bytes, len);
        qn_fields fields;
        qn_field_counts got[QN_FIELDS_MAX];
        memcpy(copy + 4096 + cases[i].at, cases[i].bytes, cases[i].len);
        cr_assert(test_reseal(copy, len));
        cr_assert_eq(read_file(copy, len, &fields, got), cases[i].status, "case %zu", i);
        free(copy);
    }
    free(bytes);
}

Test(fields, as_people_write_them)
{
    static const struct {
        const char *text;
        unsigned n;
        float last_weight;
    } good[] = {{"title", 1, 1},       {"title^2,text", 2, 1},      {"a^0.25", 1, 0.25f},
                {"a,b^1000", 2, 1000}, {"_a-b.c1^10.50", 1, 10.5f}, {"", 0, 0},
                {"a^0.001", 1, 0.001f}};
    qn_fields fields;
    quern_error error;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        cr_assert_eq(qn_fields_parse(&fields, good[i].text, &error), QUERN_OK, "%s", good[i].text);
        cr_assert_eq(fields.n, good[i].n);
        if (fields.n > 0)
            cr_assert_eq(fields.field[fields.n - 1].weight, good[i].last_weight, "%s",
                         good[i].text);
    }
    cr_assert_eq(qn_fields_parse(&fields, NULL, &error), QUERN_OK);
    cr_assert_eq(fields.n, 0u);
    static const char *const bad[] = {
        ",",       "a,",  "a,,b", "a^",       "a^-1",           "a^1e3", "a^inf", "a^nan", "a^0x1",
        "a^1,5^2", "a b", "1a",   "a^1000.5", "a^0.0000000001", "docno", "a^1.",  "a^.5"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(qn_fields_parse(&fields, bad[i], &error), QUERN_E_ARGUMENT, "%s", bad[i]);
    char longest[70];
    memset(longest, 'a', sizeof longest);
    longest[QN_FIELD_NAME_MAX] = 0;
    cr_assert_eq(qn_fields_parse(&fields, longest, &error), QUERN_OK);
    longest[QN_FIELD_NAME_MAX] = 'a';
    longest[QN_FIELD_NAME_MAX + 1] = 0;
    cr_assert_eq(qn_fields_parse(&fields, longest, &error), QUERN_E_ARGUMENT);
}
