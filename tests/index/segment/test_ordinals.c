/* ORDINALS: written and read, refused where it does not fit the file, and found by `verify` where
 * it lies. */
#include "index/segment/ordinals.h"

#include "index/segment/format.h"
#include "index/segment/verify.h"
#include "tests/support/reseal.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* A container with this section alone. */
static uint8_t *write_section(const uint32_t *order, uint32_t n, size_t *len)
{
    char *path;
    int dirfd = test_dir_open(&path);
    const qn_scratch_place place = {dirfd, path};
    qn_container_writer container;
    qn_scratch scratch;
    quern_error error;
    cr_assert_eq(qn_scratch_open(&scratch, n * sizeof *order, false, &place, &error), QUERN_OK);
    if (n > 0)
        memcpy(scratch.data, order, n * sizeof *order);
    cr_assert_eq(qn_container_writer_open(&container, dirfd, "x.qx", "x.qx", QN_FILE_INDEX, &error),
                 QUERN_OK);
    cr_assert_eq(qn_ordinals_write(&container, &scratch, n, &error), QUERN_OK, "%s", error.message);
    cr_assert_eq(qn_container_writer_finish(&container, &error), QUERN_OK);
    qn_container_writer_close(&container);
    qn_scratch_close(&scratch);
    uint8_t *bytes = test_read_at(dirfd, "x.qx", len);
    test_dir_close(dirfd, path);
    return bytes;
}

static void expect(const uint8_t *bytes, size_t len, uint32_t n, const uint32_t *order,
                   quern_status expected)
{
    qn_container container;
    quern_error error = {0};
    const uint8_t *ordinals = NULL;
    cr_assert_eq(
        qn_container_open_bytes(&container, bytes, len, "x.qx", QN_FILE_INDEX, false, &error),
        QUERN_OK, "%s", error.message);
    cr_assert_eq(qn_ordinals_open(&ordinals, &container, n, &error), expected, "%s", error.message);
    for (uint32_t i = 0; expected == QUERN_OK && i < n; i++)
        cr_assert_eq(qn_bitpack_get(ordinals, i, qn_ordinals_width(n)), order[i]);
    qn_container_close(&container);
}

Test(ordinals, what_was_written_is_read)
{
    static const uint32_t sizes[] = {0, 1, 2, 3, 5, 256, 257, 3000};
    for (unsigned s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        uint32_t n = sizes[s], *order = calloc((size_t)n + 1, sizeof *order);
        for (uint32_t i = 0; i < n; i++)
            order[i] = (i * 7 + 3) % n; /* no size is a multiple of 7 */
        size_t len;
        uint8_t *bytes = write_section(order, n, &len);
        expect(bytes, len, n, order, QUERN_OK);
        expect(bytes, len, n + 700, order, QUERN_E_DAMAGED);
        free(bytes);
        free(order);
    }
}

/* The example of FORMAT.md. */
Test(ordinals, worked_bytes)
{
    static const uint32_t order[] = {3, 0, 4, 1, 2};
    size_t len, offset, section_len;
    uint8_t *bytes = write_section(order, 5, &len);
    cr_assert(test_section(bytes, len, QN_SECTION_ORDINALS, &offset, &section_len));
    cr_assert_eq(section_len, (size_t)2);
    cr_assert_eq(memcmp(bytes + offset, "\x03\x23", 2), 0);
    free(bytes);
}

/* The feature and the section are there together or not at all, and in no store. */
Test(ordinals, features)
{
    test_corpus corpus = test_corpus_new(4, 50, 40, 20);
    quern_build_options options = QUERN_BUILD_OPTIONS;
    test_files files;
    quern_error error;
    qn_segment segment;
    for (int reorder = 0; reorder < 2; reorder++) {
        options.reorder = reorder == 1;
        test_files_new(&files, &corpus, &options);
        cr_assert_eq(files.index[16], reorder == 1 ? QN_FEATURE_REORDERED : 0);
        for (int store = 0; store < 2; store++) {
            uint8_t *bytes = store == 1 ? files.store : files.index;
            size_t len = store == 1 ? files.store_len : files.index_len;
            bytes[16] ^= QN_FEATURE_REORDERED;
            (void)test_reseal(bytes, len);
            cr_assert_eq(qn_segment_open_bytes(&segment, files.index, files.index_len, files.store,
                                               files.store_len, false, &error),
                         QUERN_E_DAMAGED);
            cr_assert_not_null(strstr(error.message, "features"), "%s", error.message);
            bytes[16] ^= QN_FEATURE_REORDERED;
            (void)test_reseal(bytes, len);
        }
        test_files_free(&files);
    }
    test_corpus_free(&corpus);
}

static void verify(const test_files *files, const char *defect)
{
    qn_segment segment;
    quern_error error = {0};
    cr_assert_eq(qn_segment_open_bytes(&segment, files->index, files->index_len, files->store,
                                       files->store_len, false, &error),
                 QUERN_OK, "%s", error.message);
    quern_status status = qn_verify_segment(&segment, NULL, NULL, &error);
    cr_assert_eq(status, defect == NULL ? QUERN_OK : QUERN_E_DAMAGED, "%s", error.message);
    cr_assert(defect == NULL || strstr(error.message, defect) != NULL, "%s", error.message);
    qn_segment_close(&segment);
}

Test(ordinals, verify_finds_what_is_forged)
{
    enum { N = 300, WIDTH = 9 };
    test_corpus corpus = test_corpus_new(4, N, 200, 60);
    quern_build_options options = QUERN_BUILD_OPTIONS;
    test_files files;
    uint32_t order[N + 16], was;
    size_t offset, len;
    options.reorder = true;
    test_files_new(&files, &corpus, &options);
    test_corpus_free(&corpus);
    verify(&files, NULL);
    cr_assert(test_section(files.index, files.index_len, QN_SECTION_ORDINALS, &offset, &len));
    qn_bitpack_unpack(files.index + offset, N, WIDTH, order);
    static const struct {
        uint32_t at, value;
        const char *defect;
    } forged[] = {{7, N, "an ordinal is out of range or occurs twice"},
                  {N - 1, 511, "an ordinal is out of range or occurs twice"},
                  {7, UINT32_MAX, "an ordinal is out of range or occurs twice"}};
    for (unsigned i = 0; i < 3; i++) {
        uint8_t packed[(N * WIDTH + 7) / 8 + QN_BITPACK_SLACK];
        was = order[forged[i].at];
        order[forged[i].at] = forged[i].value == UINT32_MAX ? order[0] : forged[i].value;
        (void)qn_bitpack_pack(order, N, WIDTH, packed);
        memcpy(files.index + offset, packed, len);
        (void)test_reseal(files.index, files.index_len);
        verify(&files, forged[i].defect);
        order[forged[i].at] = was;
    }
    /* Another order: lengths are those of other documents. */
    for (uint32_t i = 0; i < N; i++)
        order[i] = i;
    uint8_t packed[(N * WIDTH + 7) / 8 + QN_BITPACK_SLACK];
    (void)qn_bitpack_pack(order, N, WIDTH, packed);
    memcpy(files.index + offset, packed, len);
    (void)test_reseal(files.index, files.index_len);
    verify(&files, "a length and its code differ");
    test_files_free(&files);
}
