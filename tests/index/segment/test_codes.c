/* Choosing classes of codes: whatever the histogram, every posting has a class that holds it, and a
 * class's bound holds at any parameters; otherwise answers would be lost. */
#include "index/segment/codes.h"

#include "index/segment/lengths.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <string.h>

static qn_code_histogram histogram;
static qn_codes codes;

static void fill(float k1, float b, double average, float norms[256])
{
    qn_length_norms(k1, b, average, norms);
}

static void put(uint32_t tf, unsigned length, uint32_t n)
{
    qn_code_count(&histogram, tf, (uint8_t)length);
    histogram.count[qn_code_row(tf)][length] += n - 1;
}

/* Postings as they come: small tf are frequent, lengths lie around one. */
static void make_random(test_random *random)
{
    histogram = (qn_code_histogram){0};
    unsigned n = 1 + test_below(random, 600), middle = test_below(random, 240);
    unsigned stop = 1 + test_below(random, 8);
    for (unsigned i = 0; i < n; i++) {
        uint32_t tf = 1;
        while (test_below(random, stop + 1) != 0 && tf < 40)
            tf++;
        if (test_below(random, 300) == 0)
            tf = 1 + test_below(random, test_below(random, 2) == 0 ? 1000 : 200000);
        unsigned length = middle + test_below(random, 8) + test_below(random, 8);
        put(tf, test_below(random, 50) == 0 ? test_below(random, 256) : length,
            1 + test_below(random, 100));
    }
}

/* The largest tf of a row. */
static uint32_t largest(unsigned row)
{
    return histogram.tf_max[row];
}

static void check_cells(void)
{
    for (unsigned row = 1; row < QN_CODES_ROWS; row++) {
        for (unsigned length = 0; length < 256; length++) {
            if (histogram.count[row][length] == 0)
                continue;
            unsigned code = codes.code[row][length];
            cr_assert(code >= 1 && code < QN_CODES, "tf %u, length %u: code %u", row, length, code);
            const qn_code_class *class = &codes.class[code];
            cr_assert(class->tf == QN_CODES_ANY || class->tf >= largest(row));
            cr_assert_leq(class->least_length, length);
            cr_assert(!class->exact || (class->tf == row && row <= QN_CODES_EXACT));
        }
    }
}

/* Code 0 is no posting's; classes ascend with their bounds, and the unused stand last. */
static void check_order(const float norms[256])
{
    cr_assert(codes.class[0].tf == 0 && codes.class[0].least_length == 0 && !codes.class[0].exact);
    unsigned n = 1;
    while (n < QN_CODES && codes.class[n].tf != 0)
        n++;
    for (unsigned code = 2; code < n; code++)
        cr_assert_leq(qn_code_part(&codes.class[code - 1], norms),
                      qn_code_part(&codes.class[code], norms));
    for (unsigned code = n; code < QN_CODES; code++)
        cr_assert(codes.class[code].tf == 0 && codes.class[code].least_length == 0 &&
                  !codes.class[code].exact);
}

static void check_bounds_at(const float norms[256])
{
    for (unsigned row = 1; row < QN_CODES_ROWS; row++) {
        for (unsigned length = 0; length < 256; length++) {
            if (histogram.count[row][length] == 0)
                continue;
            float tf = (float)largest(row), part = tf / (tf + norms[length]);
            cr_assert_geq(qn_code_part(&codes.class[codes.code[row][length]], norms), part);
        }
    }
}

/* A row up to QN_CODES_EXACT is a tf; others ascend with tf, and hold none a third larger than
 * another but at the far end. */
Test(codes, rows)
{
    uint32_t first = 1; /* of the row */
    for (uint32_t tf = 1; tf < 100000; tf++) {
        unsigned row = qn_code_row(tf), before = tf == 1 ? 0 : qn_code_row(tf - 1);
        cr_assert(row == before || row == before + 1);
        cr_assert(tf > QN_CODES_EXACT || row == tf);
        first = row == before ? first : tf;
        cr_assert(tf >= 64 || tf < first + first / 3 + 1, "%u", tf);
    }
    cr_assert_eq(qn_code_row(100000), QN_CODES_ROWS - 1);
    cr_assert_eq(qn_code_row(UINT32_MAX), QN_CODES_ROWS - 1);
}

/* The largest tf of each row is known, whichever came first. */
Test(codes, counting)
{
    histogram = (qn_code_histogram){0};
    static const uint32_t tfs[] = {14, 15, 13, 3, 3, 4000000000u, 7000};
    for (unsigned i = 0; i < sizeof tfs / sizeof *tfs; i++)
        qn_code_count(&histogram, tfs[i], (uint8_t)i);
    cr_assert_eq(histogram.tf_max[qn_code_row(13)], 15u);
    cr_assert_eq(histogram.tf_max[3], 3u);
    cr_assert_eq(histogram.tf_max[4], 0u);
    cr_assert_eq(histogram.tf_max[QN_CODES_ROWS - 1], 4000000000u);
    cr_assert(histogram.count[3][3] == 1 && histogram.count[3][4] == 1);
}

static void check_all(test_random *random)
{
    float norms[256];
    fill(0.9f, 0.4f, 80, norms);
    qn_codes_choose(&codes, &histogram, norms);
    check_cells();
    check_order(norms);
    check_bounds_at(norms);
    for (unsigned i = 0; i < 8; i++) {
        float k1 = (float)test_below(random, 301) / 100, b = (float)test_below(random, 101) / 100;
        fill(k1, b, 0.1 + test_below(random, 1000), norms);
        check_bounds_at(norms);
    }
}

Test(codes, every_posting_lies_in_its_class_and_under_its_bound)
{
    test_random random = 1;
    for (unsigned i = 0; i < 60; i++) {
        make_random(&random);
        check_all(&random);
    }
}

/* One kind of posting, only large tf, tf around what two bytes hold, the ends of the lengths. */
Test(codes, odd_histograms)
{
    static const uint32_t tfs[] = {1, 9, 10, 15, 16, 17, 255, 65534, 65535, 65536, 4000000000u};
    test_random random = 2;
    for (unsigned i = 0; i < sizeof tfs / sizeof *tfs; i++) {
        histogram = (qn_code_histogram){0};
        put(tfs[i], 255, 1000);
        check_all(&random);
        put(tfs[i], 0, 1);
        check_all(&random);
        put(1, 128, 1000000000);
        check_all(&random);
        for (unsigned tf = 1; tf < 16; tf++)
            for (unsigned length = 0; length < 256; length++)
                put(tf, length, 1);
        check_all(&random);
    }
    histogram = (qn_code_histogram){0};
    check_all(&random); /* none at all */
}

/* An index is the same everywhere, so nothing that the memory held before may matter. */
Test(codes, the_same_histogram_gives_the_same_classes)
{
    test_random random = 3;
    float norms[256];
    static qn_codes other;
    fill(1.2f, 0.75f, 60, norms);
    for (unsigned i = 0; i < 20; i++) {
        make_random(&random);
        memset(&codes, 0x55, sizeof codes);
        memset(&other, 0xAA, sizeof other);
        qn_codes_choose(&codes, &histogram, norms);
        qn_codes_choose(&other, &histogram, norms);
        cr_assert_eq(memcmp(&codes, &other, sizeof codes), 0);
    }
}

/* Exceptions cost bytes: where tf are spread as words spread them, few postings need one. */
Test(codes, most_postings_keep_their_tf)
{
    float norms[256];
    fill(0.9f, 0.4f, 80, norms);
    histogram = (qn_code_histogram){0};
    uint32_t n = 1 << 20, total = 0, open = 0;
    for (uint32_t tf = 1; n > 0; tf++, n /= 3)
        for (unsigned length = 40; length < 60; length++)
            put(tf, length, n);
    qn_codes_choose(&codes, &histogram, norms);
    for (unsigned row = 1; row < QN_CODES_ROWS; row++) {
        for (unsigned length = 40; length < 60; length++) {
            uint32_t here = histogram.count[row][length];
            total += here;
            open += codes.class[codes.code[row][length]].exact ? 0 : here;
        }
    }
    cr_assert_leq(open, total / 64);
}
