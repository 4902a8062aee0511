/* Rows of positions of every shape: whole ones and single postings give what was written, at every
 * SIMD level; bytes do not depend on the pieces; damage is refused, or does no harm. */
#define _GNU_SOURCE
#include "index/segment/positions.h"

#include "index/segment/positions_writer.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

/* A term: what is written, and as what it is read. */
typedef struct term {
    uint32_t df;
    uint32_t *tfs, *positions; /* positions absolute, posting after posting */
    size_t n_positions, cap;
    uint8_t *bytes; /* of the extent */
    size_t len;
    qn_segment segment;
    qn_postings list;
} term;

/* ---- making terms ---- */

static term term_new(uint32_t df)
{
    return (term){.df = df, .tfs = calloc(df, sizeof(uint32_t))};
}

static void push(term *t, uint32_t position)
{
    void *array = t->positions;
    cr_assert(qn_array_grow(&array, &t->cap, t->n_positions + 1, sizeof(uint32_t)));
    t->positions = array;
    t->positions[t->n_positions++] = position;
}

/* A passage with a title, if it has one: words of the title from 0, of the text from 100 after it.
 */
static void push_passage(term *t, uint32_t posting, bool title, test_random *random)
{
    uint32_t title_words = title ? 2 + test_below(random, 12) : 0;
    uint32_t words = 30 + test_below(random, 70), start = title ? title_words + 100 : 0;
    uint32_t tf = test_below(random, 4) == 0 ? 1 + test_below(random, 5) : 1;
    uint32_t at =
        title && test_below(random, 7) == 0 ? test_below(random, title_words) : UINT32_MAX;
    for (uint32_t j = 0; j < tf; j++) {
        at = at == UINT32_MAX ? start + test_below(random, words)
             : at < start     ? start + test_below(random, words)
                              : at + test_below(random, 9); /* 0: the same place again */
        push(t, at);
    }
    t->tfs[posting] = tf;
}

/* A posting of up to tf_most positions over all of the 2^28, or beyond. */
static void push_wide(term *t, uint32_t posting, uint32_t tf_most, test_random *random)
{
    uint32_t tf = 1 + test_below(random, tf_most), at = 0;
    for (uint32_t j = 0; j < tf; j++) {
        at += test_below(random, 50) == 0
                  ? (uint32_t)test_next(random) >> (4 + test_below(random, 28))
                  : test_below(random, 300);
        push(t, at < UINT32_MAX - 500 ? at : UINT32_MAX - 1);
    }
    t->tfs[posting] = tf;
}

enum { TITLED, UNTITLED, WIDE, LONG, KINDS };

static term term_of(unsigned kind, uint32_t df, uint64_t seed)
{
    test_random random = seed;
    term t = term_new(df);
    for (uint32_t i = 0; i < df; i++) {
        if (kind == TITLED || kind == UNTITLED)
            push_passage(&t, i, kind == TITLED, &random);
        else
            push_wide(&t, i, kind == WIDE ? 40 : 1200, &random);
        uint32_t *own = t.positions + t.n_positions - t.tfs[i];
        for (uint32_t j = 1; j < t.tfs[i]; j++) /* a sum may have wrapped */
            own[j] = own[j] < own[j - 1] ? own[j - 1] : own[j];
    }
    return t;
}

static void put_piece(qn_positions_writer *writer, const uint32_t *at, uint32_t done, uint32_t tf)
{
    quern_error error;
    uint32_t *gaps = calloc(tf, sizeof *gaps);
    for (uint32_t j = 0; j < tf; j++)
        gaps[j] = at[done + j] - (j == 0 ? 0 : at[done + j - 1]);
    cr_assert_eq(done == 0 ? qn_positions_writer_add(writer, tf, gaps, &error)
                           : qn_positions_writer_more(writer, tf, gaps, &error),
                 QUERN_OK);
    free(gaps);
}

/* Writes the term, every posting in pieces of at most `piece` positions; the bytes, to be freed. */
static uint8_t *write_term(const term *t, uint32_t piece, size_t *len)
{
    quern_error error;
    char *dir;
    int dirfd = test_dir_open(&dir);
    qn_writer file = {0};
    cr_assert_eq(qn_writer_spool(&file, dirfd, dir, 1 << 16, &error), QUERN_OK);
    qn_positions_writer writer = {.file = &file, .kernels = qn_block_kernels_for(qn_cpu_detect())};
    qn_positions_writer_begin(&writer);
    const uint32_t *at = t->positions;
    for (uint32_t i = 0; i < t->df; i++) {
        for (uint32_t done = 0, left = t->tfs[i]; left > 0;) {
            uint32_t part = left < piece ? left : piece;
            put_piece(&writer, at, done, part);
            done += part;
            left -= part;
        }
        at += t->tfs[i];
        if (i % QN_BLOCK == QN_BLOCK - 1 || i + 1 == t->df)
            cr_assert_eq(qn_positions_writer_row(&writer, &error), QUERN_OK);
    }
    cr_assert_eq(qn_positions_writer_end(&writer, &error), QUERN_OK);
    *len = (size_t)file.offset;
    uint8_t *bytes = malloc(*len + 1);
    cr_assert_eq(qn_writer_flush(&file, &error), QUERN_OK);
    cr_assert_eq(qn_writer_read(&file, 0, bytes, *len, &error), QUERN_OK);
    qn_positions_writer_free(&writer);
    qn_writer_close(&file);
    test_dir_close(dirfd, dir);
    return bytes;
}

/* The term over these bytes, which it takes. */
static void read_from(term *t, uint8_t *bytes, size_t len)
{
    free(t->bytes);
    t->bytes = bytes;
    t->len = len;
    (void)snprintf(t->segment.index.name, sizeof t->segment.index.name, "x.qx");
    t->segment.meta.positions = true;
    t->segment.kernels = qn_block_kernels_for(qn_cpu_detect());
    t->list = (qn_postings){.segment = &t->segment,
                            .df = t->df,
                            .n_blocks = (t->df + QN_BLOCK - 1) / QN_BLOCK,
                            .info = {.df = t->df, .positions_len = len},
                            .pos_data = bytes,
                            .pos_data_end = bytes + len};
}

static void write_and_open(term *t)
{
    size_t len;
    uint8_t *bytes = write_term(t, UINT32_MAX, &len);
    read_from(t, test_copy(bytes, len), len);
    free(bytes);
}

static void term_free(term *t)
{
    free(t->tfs);
    free(t->positions);
    free(t->bytes);
}

/* ---- what is read ---- */

/* Every block whole, and each of its postings alone (every `step`-th). */
static void check_term(const term *t, uint32_t step)
{
    quern_error error;
    uint32_t *whole = NULL, *own = NULL;
    size_t cap = 0, own_cap = 0;
    const uint32_t *expected = t->positions;
    for (uint32_t block = 0; block < t->list.n_blocks; block++) {
        const uint32_t *tfs = t->tfs + (size_t)block * QN_BLOCK;
        cr_assert_eq(qn_postings_positions(&t->list, block, tfs, &whole, &cap, &error), QUERN_OK,
                     "%s", error.message);
        const uint32_t *at = whole;
        for (uint32_t i = 0; i < qn_postings_block_n(&t->list, block); i++) {
            cr_assert_eq(memcmp(at, expected, tfs[i] * sizeof *at), 0, "block %u posting %u", block,
                         i);
            if (i % step == 0) {
                cr_assert_eq(
                    qn_postings_positions_of(&t->list, block, tfs, i, &own, &own_cap, &error),
                    QUERN_OK, "%s", error.message);
                cr_assert_eq(memcmp(own, expected, tfs[i] * sizeof *own), 0,
                             "block %u posting %u alone", block, i);
                uint32_t first;
                bool known;
                cr_assert_eq(qn_postings_first_position(&t->list, block, i, &first, &known, &error),
                             QUERN_OK, "%s", error.message);
                cr_assert(!known || first == *expected, "block %u posting %u first", block, i);
            }
            at += tfs[i];
            expected += tfs[i];
        }
    }
    free(whole);
    free(own);
}

static void check_levels(term *t, uint32_t step)
{
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
        t->segment.kernels = qn_block_kernels_for(cpu);
        check_term(t, step);
    }
}

Test(positions, rows_of_every_shape_at_every_level)
{
    static const uint32_t sizes[] = {1, 2, 3, 20, 127, 128, 129, 256, 257, 1000, 5000};
    for (unsigned kind = 0; kind < KINDS; kind++) {
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            if (kind == LONG && sizes[s] > 300)
                continue;
            term t = term_of(kind, sizes[s], 100 * kind + s);
            write_and_open(&t);
            check_levels(&t, kind == LONG ? 5 : 1);
            term_free(&t);
        }
    }
}

/* A term of one posting with this many positions, one after the other. */
static term one_posting(uint32_t tf)
{
    term t = term_new(1);
    t.tfs[0] = tf;
    for (uint32_t j = 0; j < tf; j++)
        push(&t, 3 * j);
    return t;
}

Test(positions, a_row_is_mixed_if_it_is_long)
{
    for (uint32_t more = 0; more <= 1; more++) {
        term t = one_posting(QN_POSITIONS_ROW + more);
        write_and_open(&t);
        cr_assert_eq(t.bytes[0] == QN_POSITIONS_MIXED, more == 1);
        check_levels(&t, 1);
        term_free(&t);
    }
    /* Long and short rows in turn; postings within and across blocks of a mixed row. */
    term t = term_new(4 * QN_BLOCK);
    test_random random = 3;
    for (uint32_t i = 0; i < t.df; i++) {
        uint32_t tf = i / QN_BLOCK % 2 == 0 ? 1 + test_below(&random, 5000) : 1;
        t.tfs[i] = tf;
        for (uint32_t j = 0; j < tf; j++)
            push(&t, 100 + 5 * j);
    }
    write_and_open(&t);
    check_levels(&t, 7);
    term_free(&t);
}

Test(positions, bytes_do_not_depend_on_the_pieces)
{
    for (unsigned kind = 0; kind <= KINDS; kind++) {
        term t = kind == KINDS ? one_posting(QN_POSITIONS_ROW + 1000) : term_of(kind, 300, kind);
        size_t len, other_len;
        uint8_t *bytes = write_term(&t, UINT32_MAX, &len);
        static const uint32_t pieces[] = {1, 2, 7, 1000};
        for (size_t i = kind == KINDS ? 3 : 0; i < sizeof pieces / sizeof *pieces; i++) {
            uint8_t *other = write_term(&t, pieces[i], &other_len);
            cr_assert(len == other_len && memcmp(bytes, other, len) == 0);
            free(other);
        }
        free(bytes);
        term_free(&t);
    }
}

/* ---- bytes ---- */

/* The worked example of FORMAT.md. */
Test(positions, known_bytes)
{
    static const uint8_t expected[] = {0xEB, 0x06, 0x05, 0xA3, 0x15, 0x4A, 0x0C, 0x04, 0x38};
    static const uint32_t tfs[] = {1, 1, 2, 1, 1, 2},
                          positions[] = {3, 120, 5, 120, 127, 4, 113, 116};
    term t = term_new(6);
    memcpy(t.tfs, tfs, sizeof tfs);
    for (size_t i = 0; i < sizeof positions / sizeof *positions; i++)
        push(&t, positions[i]);
    write_and_open(&t);
    cr_assert_eq(t.len, sizeof expected);
    cr_assert_eq(memcmp(t.bytes, expected, sizeof expected), 0);
    check_term(&t, 1);
    term_free(&t);
}

Test(positions, a_hole_is_written_where_it_saves_bytes)
{
    term titled = term_of(TITLED, QN_BLOCK, 1), untitled = term_of(UNTITLED, QN_BLOCK, 1);
    write_and_open(&titled);
    write_and_open(&untitled);
    cr_assert((titled.bytes[0] & QN_POSITIONS_HOLE) != 0);
    cr_assert((untitled.bytes[0] & QN_POSITIONS_HOLE) == 0);
    /* Holes at both ends of where they may be: from 0, and up to the farthest. */
    static const uint32_t starts[] = {0, 1, 255, 256, 300};
    for (size_t s = 0; s < sizeof starts / sizeof *starts; s++) {
        term t = term_new(QN_BLOCK);
        for (uint32_t i = 0; i < t.df; i++) {
            t.tfs[i] = 1;
            push(&t,
                 i % 2 == 0 && starts[s] > 0 ? starts[s] - 1 - i % starts[s] : starts[s] + 120 + i);
        }
        write_and_open(&t);
        check_term(&t, 1);
        term_free(&t);
    }
    term_free(&titled);
    term_free(&untitled);
}

/* ---- damage ---- */

/* Reads every block whole and every posting alone. Where a whole block is taken, each posting alone
 * must be, and the same. Returns whether all blocks were taken. */
static bool read_forged(const term *t)
{
    quern_error error;
    uint32_t *whole = NULL, *own = NULL;
    size_t cap = 0, own_cap = 0;
    bool all = true;
    for (uint32_t block = 0; block < t->list.n_blocks; block++) {
        const uint32_t *tfs = t->tfs + (size_t)block * QN_BLOCK;
        quern_status status = qn_postings_positions(&t->list, block, tfs, &whole, &cap, &error);
        cr_assert(status == QUERN_OK || status == QUERN_E_DAMAGED);
        all = all && status == QUERN_OK;
        const uint32_t *at = whole;
        for (uint32_t i = 0; i < qn_postings_block_n(&t->list, block); i++) {
            quern_status alone =
                qn_postings_positions_of(&t->list, block, tfs, i, &own, &own_cap, &error);
            cr_assert(alone == QUERN_OK || alone == QUERN_E_DAMAGED);
            if (status != QUERN_OK)
                continue;
            cr_assert_eq(alone, QUERN_OK);
            cr_assert_eq(memcmp(at, own, tfs[i] * sizeof *own), 0);
            at += tfs[i];
        }
    }
    free(whole);
    free(own);
    return all;
}

Test(positions, damaged_bytes)
{
    test_random random = 11;
    unsigned n_taken = 0, n_refused = 0;
    for (unsigned round = 0; round < 3000; round++) {
        term t = term_of(round % 3, 1 + test_below(&random, 140), round);
        write_and_open(&t);
        for (unsigned flips = 1 + test_below(&random, 3); flips > 0; flips--) {
            size_t at = test_below(&random, 2)
                            ? test_below(&random, t.len < 8 ? (uint32_t)t.len : 8)
                            : test_below(&random, (uint32_t)t.len);
            t.bytes[at] ^= (uint8_t)(1u << test_below(&random, 8));
        }
        *(read_forged(&t) ? &n_taken : &n_refused) += 1;
        term_free(&t);
    }
    cr_assert(n_taken > 100 && n_refused > 100, "%u, %u", n_taken, n_refused);
}

Test(positions, damaged_long_rows)
{
    test_random random = 12;
    term t = one_posting(QN_POSITIONS_ROW + 1);
    write_and_open(&t);
    for (unsigned round = 0; round < 30; round++) {
        uint8_t *at = &t.bytes[test_below(&random, round < 10 ? 3 : (uint32_t)t.len)];
        uint8_t was = *at;
        *at ^= (uint8_t)(1u << test_below(&random, 8));
        (void)read_forged(&t);
        *at = was;
    }
    check_term(&t, 1);
    term_free(&t);
}

Test(positions, truncated_bytes)
{
    static const uint32_t sizes[] = {1, 20, 128, 300};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        term t = term_of(TITLED, sizes[s], s);
        size_t len;
        uint8_t *bytes = write_term(&t, UINT32_MAX, &len);
        for (size_t cut = 0; cut < len; cut++) {
            read_from(&t, test_copy(bytes, cut), cut);
            t.list.info.positions_len = len; /* an empty extent would mean the dictionary */
            bool taken = read_forged(&t);
            cr_assert(!taken || sizes[s] > QN_BLOCK, "cut to %zu", cut);
        }
        free(bytes);
        term_free(&t);
    }
}

/* A term of one block over these bytes. */
static quern_status status_of(const uint8_t *bytes, size_t len, uint32_t df, uint32_t tf,
                              bool alone)
{
    quern_error error;
    term t = term_new(df);
    for (uint32_t i = 0; i < df; i++)
        t.tfs[i] = tf;
    read_from(&t, test_copy(bytes, len), len);
    uint32_t *out = NULL;
    size_t cap = 0;
    quern_status status = alone ? qn_postings_positions_of(&t.list, 0, t.tfs, 0, &out, &cap, &error)
                                : qn_postings_positions(&t.list, 0, t.tfs, &out, &cap, &error);
    cr_assert(cap < 10000);
    free(out);
    term_free(&t);
    return status;
}

Test(positions, forged_rows_are_refused)
{
    static const struct {
        uint8_t bytes[8];
        uint8_t len;
        uint32_t df, tf;
    } cases[] = {
        {{0x80, 0x00, 0x01, 0x01}, 4, 2, 1},                   /* a hole of length 0 */
        {{0x85}, 1, 2, 1},                                     /* a hole cut off */
        {{0x85, 0x01}, 2, 2, 1},                               /* and nothing after it */
        {{0x85, 0x01, 0x85, 0x01, 0x00, 0x00}, 6, 2, 1},       /* two holes */
        {{0x7F}, 1, 2, 1},                                     /* mixed, and nothing */
        {{0x85, 0x01, 0x7F, 0x00}, 4, 2, 1},                   /* a hole in a mixed row */
        {{0x85, 0x01, 0x20, 0xFF, 0xFF, 0xFF, 0xFF}, 7, 1, 1}, /* opened past 32 bits */
        {{0x20, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0x01}, 7, 1, 2}, /* summed past 32 bits */
        {{0x20, 0xFF, 0xFF, 0xFF, 0xFF}, 5, 1, 2},             /* no gaps */
        {{0x01, 0x03, 0x01, 0x01}, 4, 2, UINT32_MAX},          /* frequencies that are forged */
        {{0x7F, 0x01, 0x03}, 3, 2, UINT32_MAX},
        {{0x7F, 0x00, 0x00}, 3, 1, 300},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int alone = 0; alone <= 1; alone++)
            cr_expect_eq(
                status_of(cases[i].bytes, cases[i].len, cases[i].df, cases[i].tf, alone == 1),
                QUERN_E_DAMAGED, "case %zu, alone %d", i, alone);
}

Test(positions, forged_tables_are_refused)
{
    quern_error error;
    term t = term_of(TITLED, 3 * QN_BLOCK, 5);
    write_and_open(&t);
    uint32_t *out = NULL;
    size_t cap = 0;
    uint8_t *width = &t.bytes[t.len - 1], was = *width;
    static const uint8_t widths[] = {33, 64, 255};
    for (size_t i = 0; i < sizeof widths; i++) {
        *width = widths[i];
        cr_assert_eq(qn_postings_positions(&t.list, 1, t.tfs + QN_BLOCK, &out, &cap, &error),
                     QUERN_E_DAMAGED);
    }
    *width = was;
    uint8_t *table = t.bytes + t.len - 1 - (2 * (size_t)was + 7) / 8;
    memset(table, 0xFF, (size_t)(width - table)); /* past the extent */
    cr_assert_eq(qn_postings_positions(&t.list, 0, t.tfs, &out, &cap, &error), QUERN_E_DAMAGED);
    cr_assert_eq(
        qn_postings_positions_of(&t.list, 2, t.tfs + 2 * (size_t)QN_BLOCK, 3, &out, &cap, &error),
        QUERN_E_DAMAGED);
    t.segment.meta.positions = false;
    cr_assert_eq(qn_postings_positions(&t.list, 0, t.tfs, &out, &cap, &error), QUERN_E_ARGUMENT);
    cr_assert_eq(qn_postings_positions_of(&t.list, 0, t.tfs, 0, &out, &cap, &error),
                 QUERN_E_ARGUMENT);
    free(out);
    term_free(&t);
}
