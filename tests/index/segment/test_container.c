/* The container: what is written is read; every truncation and every changed byte is found; forged
 * headers are refused and never followed out of the file. */
#include "index/segment/container.h"

#include "index/segment/format.h"
#include "tests/support/reseal.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char HELLO[] = "hello, sections";

/* An index file with META (16 bytes), LENGTHS (9,000) and an empty BOUNDS. */
static uint8_t *sample(size_t *len)
{
    char *path;
    int dirfd = test_dir_open(&path);
    qn_container_writer writer;
    uint8_t big[9000];
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (uint8_t)(i * 7 + (i >> 8));
    cr_assert_eq(qn_container_writer_open(&writer, dirfd, "a.qx", "a.qx", QN_FILE_INDEX, NULL), 0);
    cr_assert_eq(qn_container_writer_put(&writer, QN_SECTION_META, HELLO, sizeof HELLO, NULL), 0);
    cr_assert_eq(qn_container_writer_begin(&writer, QN_SECTION_LENGTHS, NULL), 0);
    cr_assert_eq(qn_writer_put(&writer.file, big, 5000, NULL), 0);
    cr_assert_eq(qn_writer_put(&writer.file, big + 5000, 4000, NULL), 0);
    cr_assert_eq(qn_container_writer_end(&writer, NULL), 0);
    cr_assert_eq(qn_container_writer_put(&writer, QN_SECTION_BOUNDS, "", 0, NULL), 0);
    cr_assert_eq(qn_container_writer_finish(&writer, NULL), 0);
    uint64_t checksum = writer.header_checksum;
    qn_container_writer_close(&writer);

    qn_container c;
    for (unsigned way = 0; way < 4; way++) {
        quern_error error;
        cr_assert_eq(qn_container_open(&c, dirfd, "a.qx", QN_FILE_INDEX, way & 1, way & 2, &error),
                     0);
        cr_assert_eq(c.header_checksum, checksum);
        cr_assert_eq(c.section[QN_SECTION_LENGTHS].len, sizeof big);
        cr_assert_eq(memcmp(c.section[QN_SECTION_LENGTHS].data, big, sizeof big), 0);
        qn_container_close(&c);
    }
    uint8_t *bytes = test_read_at(dirfd, "a.qx", len);
    test_dir_close(dirfd, path);
    return bytes;
}

/* Opens, touches all there is and verifies; the first status that is not OK. */
static quern_status use(const uint8_t *bytes, size_t len, bool paranoid, quern_error *error)
{
    qn_container c;
    quern_status status =
        qn_container_open_bytes(&c, bytes, len, "a.qx", QN_FILE_INDEX, paranoid, error);
    if (status != QUERN_OK)
        return status;
    volatile uint8_t sum = 0;
    for (unsigned kind = 0; kind < 64 && status == QUERN_OK; kind++) {
        qn_section s = c.section[kind];
        if (s.data == NULL)
            continue;
        status = qn_container_touch(&c, s.data, s.len, error);
        for (uint64_t i = 0; i < s.len + QN_PADDING; i++)
            sum = (uint8_t)(sum + s.data[i]);
    }
    if (status == QUERN_OK)
        status = qn_container_verify(&c, NULL, NULL, error);
    qn_container_close(&c);
    return status;
}

static void count_defects(void *arg, const char *file, const char *defect)
{
    cr_assert_str_eq(file, "a.qx");
    cr_assert(strlen(defect) > 10);
    ++*(unsigned *)arg;
}

Test(container, round_trip)
{
    size_t len;
    uint8_t *bytes = sample(&len);
    cr_assert_eq(len, 4096 + 3 * 4096 + 3 * 8 + 64);
    qn_container c;
    cr_assert_eq(qn_container_open_bytes(&c, bytes, len, "a.qx", QN_FILE_INDEX, true, NULL), 0);
    cr_assert_eq(c.n_pages, 3);
    cr_assert_eq(c.section[QN_SECTION_META].len, sizeof HELLO);
    cr_assert_str_eq((const char *)c.section[QN_SECTION_META].data, HELLO);
    cr_assert_eq((c.section[QN_SECTION_LENGTHS].data - bytes) % 64, 0);
    cr_assert_eq(c.section[QN_SECTION_BOUNDS].len, 0);
    cr_assert_not_null(c.section[QN_SECTION_BOUNDS].data);
    cr_assert_null(c.section[QN_SECTION_DICT].data);
    /* The end of the sections with an over-read, and nothing at all. */
    cr_assert_eq(qn_container_touch(&c, bytes + 4096 * 4 - 4, 68, NULL), QUERN_OK);
    cr_assert_eq(qn_container_touch(&c, bytes + 4096 * 4, 0, NULL), QUERN_OK);
    qn_container_close(&c);
    qn_container_close(&c);
    cr_assert_eq(use(bytes, len, false, NULL), QUERN_OK);
    cr_assert_eq(use(bytes, len, true, NULL), QUERN_OK);
    free(bytes);
}

Test(container, every_truncation_is_refused)
{
    size_t len;
    uint8_t *bytes = sample(&len);
    quern_error error;
    for (size_t cut = 0; cut < len; cut++) {
        /* Copies of their own, so that nothing past the cut can be read unseen. */
        if (cut > 4200 && cut < len - 200 && cut % 61 != 0)
            continue;
        uint8_t *copy = test_copy(bytes, cut);
        cr_assert_eq(use(copy, cut, false, &error), QUERN_E_DAMAGED, "cut at %zu", cut);
        cr_assert_not_null(strstr(error.message, cut == 0 ? "not a quern file" : "cut off"));
        free(copy);
    }
    uint8_t *longer = test_copy(bytes, len + 1);
    cr_assert_eq(use(longer, len + 1, false, &error), QUERN_E_DAMAGED);
    cr_assert_not_null(strstr(error.message, "1 more"));
    free(longer);
    free(bytes);
}

Test(container, every_changed_byte_is_found)
{
    size_t len;
    uint8_t *bytes = sample(&len);
    quern_error error;
    test_random random = 1;
    for (size_t at = 0; at < len; at++) {
        uint8_t old = bytes[at];
        bytes[at] ^= (uint8_t)(1 + test_next(&random) % 255);
        quern_status status = use(bytes, len, true, &error);
        cr_assert(status == QUERN_E_DAMAGED || (status == QUERN_E_VERSION && at >= 8 && at < 24),
                  "byte %zu: %d", at, (int)status);
        cr_assert_eq(error.status, status);
        status = use(bytes, len, false, NULL);
        cr_assert(status == QUERN_E_DAMAGED || (status == QUERN_E_VERSION && at >= 8 && at < 24));
        bytes[at] = old;
    }
    cr_assert_eq(use(bytes, len, true, NULL), QUERN_OK);
    free(bytes);
}

Test(container, ordinary_open_does_not_read_the_sums)
{
    size_t len;
    uint8_t *bytes = sample(&len);
    bytes[len - 80] ^= 1;
    qn_container c;
    cr_assert_eq(qn_container_open_bytes(&c, bytes, len, "a.qx", QN_FILE_INDEX, false, NULL), 0);
    cr_assert_null(c.checked);
    qn_container_close(&c);
    cr_assert_eq(qn_container_open_bytes(&c, bytes, len, "a.qx", QN_FILE_INDEX, true, NULL),
                 QUERN_E_DAMAGED);
    free(bytes);
}

Test(container, verify_tells_every_defect)
{
    size_t len;
    uint8_t *bytes = sample(&len);
    bytes[4096] ^= 1;
    bytes[3 * 4096 + 17] ^= 1;
    qn_container c;
    cr_assert_eq(qn_container_open_bytes(&c, bytes, len, "a.qx", QN_FILE_INDEX, false, NULL), 0);
    unsigned n = 0;
    quern_error error;
    cr_assert_eq(qn_container_verify(&c, count_defects, &n, &error), QUERN_E_DAMAGED);
    cr_assert_eq(n, 2);
    cr_assert_eq(error.position, 4096);
    qn_container_close(&c);
    free(bytes);
}

Test(container, versions_and_features)
{
    size_t len;
    uint8_t *bytes = sample(&len);
    quern_error error;
    bytes[8] = 99;
    cr_assert_eq(use(bytes, len, false, &error), QUERN_E_VERSION);
    cr_assert_not_null(strstr(error.message, "99"));
    cr_assert_not_null(strstr(error.message, "version 4"));
    bytes[8] = QN_FORMAT_VERSION;
    bytes[16] = 4;
    cr_assert_eq(use(bytes, len, false, &error), QUERN_E_VERSION);
    cr_assert_not_null(strstr(error.message, "0x4"));
    bytes[16] = 0;
    bytes[12] = QN_FILE_STORE;
    test_reseal(bytes, len);
    cr_assert_eq(use(bytes, len, false, &error), QUERN_E_DAMAGED);
    free(bytes);
}

/* A forged header field or table entry, resealed, and what must come of it. */
static const struct {
    size_t at;
    uint64_t value; /* u32 where `narrow` */
    bool narrow;
    quern_status status;
} FORGED[] = {
    {24, 0, false, QUERN_E_DAMAGED},                  /* file length */
    {24, UINT64_MAX, false, QUERN_E_DAMAGED},         /* */
    {32, 65, true, QUERN_E_DAMAGED},                  /* sections */
    {32, UINT32_MAX, true, QUERN_E_DAMAGED},          /* */
    {32, 2, true, QUERN_E_DAMAGED},                   /* table not all used */
    {32, 4, true, QUERN_E_DAMAGED},                   /* an entry of zeros */
    {36, 1, true, QUERN_E_DAMAGED},                   /* reserved */
    {40, 0, false, QUERN_E_DAMAGED},                  /* sums_offset */
    {40, 4096, false, QUERN_E_DAMAGED},               /* */
    {40, 4097, false, QUERN_E_DAMAGED},               /* */
    {40, UINT64_MAX - 4095, false, QUERN_E_DAMAGED},  /* */
    {48, 0, false, QUERN_E_DAMAGED},                  /* n_pages */
    {48, UINT64_MAX / 8, false, QUERN_E_DAMAGED},     /* */
    {72, 1, false, QUERN_E_DAMAGED},                  /* zeros before the table */
    {4088, 1, false, QUERN_E_DAMAGED},                /* and behind it */
    {128, 0, true, QUERN_E_VERSION},                  /* kind */
    {16, QN_FEATURE_FIELDS, false, QUERN_E_DAMAGED},  /* a feature without its section, */
    {128, QN_SECTION_FIELDS, true, QUERN_E_DAMAGED},  /* and a section without its feature */
    {128, QN_SECTION_VALUES, true, QUERN_E_VERSION},  /* reserved kind */
    {128, QN_SECTION_STORE, true, QUERN_E_VERSION},   /* kind of another file */
    {128, 64, true, QUERN_E_VERSION},                 /* */
    {128, 0x7FFFFFFF, true, QUERN_E_VERSION},         /* */
    {128, 0x80000005, true, QUERN_OK},                /* may be ignored */
    {128, QN_SECTION_LENGTHS, true, QUERN_E_DAMAGED}, /* twice */
    {132, 1, true, QUERN_E_DAMAGED},                  /* reserved */
    {136, 0, false, QUERN_E_DAMAGED},                 /* offset in the header */
    {136, 4097, false, QUERN_E_DAMAGED},              /* not aligned */
    {136, 1 << 20, false, QUERN_E_DAMAGED},           /* past the end */
    {136, UINT64_MAX - 63, false, QUERN_E_DAMAGED},   /* */
    {136, 4160, false, QUERN_E_DAMAGED},              /* overlaps the next */
    {144, UINT64_MAX, false, QUERN_E_DAMAGED},        /* length */
    {144, 4 * 4096, false, QUERN_E_DAMAGED},          /* */
    {144, 65, false, QUERN_E_DAMAGED},                /* into the next */
    {144, 64, false, QUERN_OK},                       /* up to the next */
};

Test(container, forged_headers)
{
    size_t len;
    uint8_t *bytes = sample(&len);
    for (size_t i = 0; i < sizeof FORGED / sizeof FORGED[0]; i++) {
        uint8_t *copy = test_copy(bytes, len);
        if (FORGED[i].narrow)
            qn_store_u32(copy + FORGED[i].at, (uint32_t)FORGED[i].value);
        else
            qn_store_u64(copy + FORGED[i].at, FORGED[i].value);
        cr_assert(test_reseal(copy, len));
        cr_assert_eq(use(copy, len, true, NULL), FORGED[i].status, "case %zu", i);
        cr_assert_eq(use(copy, len, false, NULL), FORGED[i].status, "case %zu", i);
        free(copy);
    }
    free(bytes);
}

Test(container, writer_refuses_disorder)
{
    char *path;
    int dirfd = test_dir_open(&path);
    qn_container_writer w;
    cr_assert_eq(qn_container_writer_open(&w, dirfd, "a", "a", QN_FILE_STORE, NULL), QUERN_OK);
    cr_assert_eq(qn_container_writer_end(&w, NULL), QUERN_E_ARGUMENT);
    cr_assert_eq(qn_container_writer_begin(&w, QN_SECTION_STORE, NULL), QUERN_OK);
    cr_assert_eq(qn_container_writer_begin(&w, QN_SECTION_STORE_INDEX, NULL), QUERN_E_ARGUMENT);
    cr_assert_eq(qn_container_writer_finish(&w, NULL), QUERN_E_ARGUMENT);
    cr_assert_eq(qn_container_writer_end(&w, NULL), QUERN_OK);
    cr_assert_eq(qn_container_writer_put(&w, QN_SECTION_STORE, "x", 1, NULL), QUERN_E_ARGUMENT);
    qn_container_writer_close(&w);
    qn_container_writer other;
    cr_assert_eq(qn_container_writer_open(&other, dirfd, "a", "a", QN_FILE_STORE, NULL),
                 QUERN_E_IO);
    /* The file of a writer that never finished is not taken for one of ours. */
    quern_error error;
    qn_container c;
    cr_assert_eq(qn_container_open(&c, dirfd, "a", QN_FILE_STORE, false, false, &error),
                 QUERN_E_DAMAGED);
    cr_assert_not_null(strstr(error.message, "not a quern file"));
    test_dir_close(dirfd, path);
}

/* Whether region i is expected. */
static bool expects(const qn_container *c, size_t i)
{
    return (c->expected[i / 64] >> (i % 64) & 1) != 0;
}

/* What is touched of a file that is not swept is expected in whole regions, and nothing else is. */
Test(container, expects_what_is_touched)
{
    enum { N = 100 };
    char *path;
    int dirfd = test_dir_open(&path);
    uint8_t *bytes = calloc(N, QN_REGION);
    qn_container_writer w;
    qn_container c;
    cr_assert_eq(qn_container_writer_open(&w, dirfd, "r", "r", QN_FILE_STORE, NULL), QUERN_OK);
    cr_assert_eq(qn_container_writer_put(&w, QN_SECTION_STORE, bytes, (size_t)N * QN_REGION, NULL),
                 QUERN_OK);
    cr_assert_eq(qn_container_writer_finish(&w, NULL), QUERN_OK);
    qn_container_writer_close(&w);
    test_random random = 1;
    for (unsigned round = 0; round < 300; round++) {
        bool expected[N + 1] = {false};
        cr_assert_eq(qn_container_open(&c, dirfd, "r", QN_FILE_STORE, false, false, NULL), 0);
        const size_t len = c.mapping.len, n = (len - 1) / QN_REGION + 1;
        cr_assert_eq(n, N + 1);
        for (unsigned i = 0; i < 1 + round % 5; i++) {
            size_t from = test_below(&random, (uint32_t)len), touched = 1;
            if (i % 2 == 0) /* up to beyond its end */
                touched = test_below(&random, (uint32_t)(len - from) + QN_PADDING);
            cr_assert_eq(qn_container_touch(&c, c.mapping.data + from, touched, NULL), QUERN_OK);
            for (size_t r = 0; r < n; r++)
                expected[r] |=
                    touched > 0 && r * QN_REGION < from + touched && (r + 1) * QN_REGION > from;
            cr_assert_eq(qn_container_is_expected(&c, c.mapping.data + from, 1),
                         expected[from / QN_REGION]);
        }
        for (size_t r = 0; r < n; r++)
            cr_assert_eq(expects(&c, r), expected[r], "region %zu in round %u", r, round);
        qn_container_sweep(&c);
        cr_assert_null((void *)c.expected);
        cr_assert_eq(qn_container_touch(&c, c.mapping.data, len, NULL), QUERN_OK);
        cr_assert_eq(qn_container_verify(&c, NULL, NULL, NULL), QUERN_OK);
        qn_container_close(&c);
    }
    free(bytes);
    test_dir_close(dirfd, path);
}

Test(container, empty_and_large)
{
    char *path;
    int dirfd = test_dir_open(&path);
    qn_container_writer w;
    qn_container c;
    cr_assert_eq(qn_container_writer_open(&w, dirfd, "e", "e", QN_FILE_STORE, NULL), QUERN_OK);
    cr_assert_eq(qn_container_writer_finish(&w, NULL), QUERN_OK);
    qn_container_writer_close(&w);
    cr_assert_eq(qn_container_open(&c, dirfd, "e", QN_FILE_STORE, false, true, NULL), QUERN_OK);
    cr_assert_eq(c.n_pages, 0);
    cr_assert_eq(qn_container_verify(&c, NULL, NULL, NULL), QUERN_OK);
    qn_container_close(&c);

    /* Several write buffers, through a spool. */
    qn_writer spool;
    cr_assert_eq(qn_writer_spool(&spool, dirfd, path, 10000, NULL), QUERN_OK);
    enum { N = 300000 };
    for (uint32_t i = 0; i < N; i++)
        cr_assert_eq(qn_writer_put(&spool, &i, sizeof i, NULL), QUERN_OK);
    cr_assert_eq(qn_container_writer_open(&w, dirfd, "l", "l", QN_FILE_STORE, NULL), QUERN_OK);
    cr_assert_eq(qn_container_writer_put_spool(&w, QN_SECTION_STORE, &spool, NULL), QUERN_OK);
    cr_assert_eq(qn_container_writer_finish(&w, NULL), QUERN_OK);
    qn_container_writer_close(&w);
    qn_writer_close(&spool);
    cr_assert_eq(qn_container_open(&c, dirfd, "l", QN_FILE_STORE, false, true, NULL), QUERN_OK);
    qn_section s = c.section[QN_SECTION_STORE];
    cr_assert_eq(s.len, 4 * N);
    cr_assert_eq(qn_container_touch(&c, s.data, s.len, NULL), QUERN_OK);
    for (uint32_t i = 0; i < N; i++)
        cr_assert_eq(qn_load_u32(s.data + 4 * (size_t)i), i);
    cr_assert_eq(qn_container_verify(&c, NULL, NULL, NULL), QUERN_OK);
    qn_container_close(&c);
    test_dir_close(dirfd, path);
}
