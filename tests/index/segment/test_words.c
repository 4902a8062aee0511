/* The words of a store: what is added is found, ranks are by count, and a forged section is
 * refused. */
#include "index/segment/words.h"

#include "index/segment/word_codes.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

/* A word with what is loaded behind it. */
typedef struct word {
    uint8_t bytes[QN_WORDS_LONGEST + 1 + QN_WORDS_OVERREAD];
    size_t len;
} word;

static word make_word(uint32_t number)
{
    word w = {0};
    w.len = (size_t)snprintf((char *)w.bytes, QN_WORDS_LONGEST + 1, "w%ux%0*u", number,
                             (int)(number * 7 % 40), 1u);
    memset(w.bytes + w.len, (int)number, QN_WORDS_OVERREAD); /* what is behind must not matter */
    return w;
}

static const qn_word_slot *find(const qn_words *words, const word *w)
{
    return qn_words_find(words, w->bytes, w->len, qn_word_key_of(w->bytes, w->len));
}

static void add(qn_words *words, const word *w)
{
    cr_assert(qn_words_add(words, w->bytes, w->len, qn_word_key_of(w->bytes, w->len)));
}

Test(words, added_words_are_found)
{
    enum { N = 20000 };
    uint32_t lost = 0;
    qn_words words = {0};
    cr_assert(qn_words_init(&words));
    for (uint32_t i = 0; i < N; i++) {
        word w = make_word(i);
        cr_assert_null(find(&words, &w));
        add(&words, &w);
    }
    /* One in ten thousand finds no place. */
    cr_assert_geq(words.n, N - 20);
    for (uint32_t id = 0; id < words.n; id++) {
        word w = {0};
        const uint8_t *bytes = qn_words_at(&words, id, &w.len);
        memcpy(w.bytes, bytes, w.len);
        const qn_word_slot *slot = find(&words, &w);
        cr_assert(slot == NULL || (slot->id == id && slot->code == qn_word_code(id)));
        lost += slot == NULL;
    }
    cr_assert_lt(lost, 20u);
    qn_words_free(&words);
}

Test(words, no_more_than_there_is_room_for)
{
    qn_words words = {0};
    cr_assert(qn_words_init(&words));
    for (uint32_t i = 0; i < QN_WORDS_MAX + 100; i++) {
        word w = make_word(i);
        add(&words, &w);
    }
    cr_assert_eq(words.n, QN_WORDS_MAX);
    word w = make_word(2 * QN_WORDS_MAX);
    cr_assert_null(find(&words, &w));
    for (unsigned i = 0; i < 10; i++)
        cr_assert(qn_words_see(&words, w.bytes, w.len, qn_word_key_of(w.bytes, w.len)));
    cr_assert_eq(words.n, QN_WORDS_MAX);
    qn_words_free(&words);
}

/* Words whose keys all have one home: a walk ends, and those too far from it are unknown. */
Test(words, made_to_collide)
{
    enum { N = 100 };
    qn_words words = {0};
    cr_assert(qn_words_init(&words));
    word *same = calloc(N, sizeof *same);
    uint32_t n = 0;
    for (uint32_t i = 0; n < N; i++) {
        word w = make_word(i);
        if (qn_word_home(qn_word_key_of(w.bytes, w.len), 64 - words.bits) == 5)
            same[n++] = w;
    }
    for (uint32_t i = 0; i < N; i++)
        add(&words, &same[i]);
    cr_assert_eq(words.n, QN_WORDS_PROBES);
    for (uint32_t i = 0; i < N; i++)
        cr_assert_eq(find(&words, &same[i]) != NULL, i < QN_WORDS_PROBES, "%u", i);
    free(same);
    qn_words_free(&words);
}

Test(words, seen_four_times)
{
    qn_words words = {0};
    cr_assert(qn_words_init(&words));
    word w = make_word(9);
    for (unsigned times = 1; times <= 4; times++) {
        cr_assert_null(find(&words, &w));
        cr_assert(qn_words_see(&words, w.bytes, w.len, qn_word_key_of(w.bytes, w.len)));
    }
    cr_assert_not_null(find(&words, &w));
    cr_assert_eq(words.n, 1u);
    qn_words_free(&words);
}

Test(words, rank_by_count)
{
    enum { N = 3000 };
    qn_words words = {0};
    uint32_t *count = calloc(N, sizeof *count);
    cr_assert(count != NULL && qn_words_init(&words));
    for (uint32_t i = 0; i < N; i++) {
        word w = make_word(i);
        add(&words, &w);
        count[i] = i * 37 % 101;
    }
    cr_assert(qn_words_rank(&words, count, 5));
    uint32_t before = UINT32_MAX, number_before = 0, n = 0;
    for (uint32_t i = 0; i < N; i++)
        n += count[i] >= 5;
    cr_assert_eq(words.n, n);
    for (uint32_t id = 0; id < words.n; id++) {
        size_t len;
        const uint8_t *bytes = qn_words_at(&words, id, &len);
        uint32_t number = 0;
        for (;; number++) {
            word w = make_word(number);
            if (w.len == len && memcmp(w.bytes, bytes, len) == 0)
                break;
        }
        cr_assert_geq(count[number], 5u);
        cr_assert(count[number] < before || (count[number] == before && number > number_before));
        before = count[number];
        number_before = number;
    }
    free(count);
    qn_words_free(&words);
}

/* Codes ascend by one, two and three bytes, and no two words have one. */
Test(words, codes)
{
    const uint32_t two = QN_CODE_TWO + ((QN_CODE_THREE - QN_CODE_TWO) << 8);
    cr_assert_eq(qn_word_code(0), 1u << 24);
    cr_assert_eq(qn_word_code(QN_CODE_TWO - 1), 1u << 24 | (QN_CODE_TWO - 1));
    cr_assert_eq(qn_word_code(QN_CODE_TWO), 2u << 24 | QN_CODE_TWO);
    cr_assert_eq(qn_word_code(QN_CODE_TWO + 257), 2u << 24 | 1 << 8 | (QN_CODE_TWO + 1));
    cr_assert_eq(qn_word_code(two - 1), 2u << 24 | 255u << 8 | (QN_CODE_THREE - 1));
    cr_assert_eq(qn_word_code(two), 3u << 24 | QN_CODE_THREE);
    cr_assert_eq(qn_word_code(two + 0x0102), 3u << 24 | 2u << 16 | 1u << 8 | QN_CODE_THREE);
    cr_assert_leq(QN_WORDS_MAX, two + 65536);
}

static qn_buffer make_section(uint32_t n)
{
    qn_words words = {0};
    cr_assert(qn_words_init(&words));
    for (uint32_t i = 0; i < n; i++) {
        word w = make_word(i);
        add(&words, &w);
    }
    qn_buffer section = {0};
    cr_assert(qn_words_put(&words, &section));
    cr_assert_eq(section.len, qn_words_section_len(&words));
    qn_words_free(&words);
    return section;
}

Test(words, section)
{
    static const uint32_t n[] = {0, 1, 7, 8, 9, 1000};
    for (size_t k = 0; k < sizeof n / sizeof n[0]; k++) {
        qn_buffer section = make_section(n[k]);
        uint8_t *bytes = test_copy(section.data, section.len);
        qn_words_view view;
        cr_assert(qn_words_open(&view, bytes, section.len));
        cr_assert(qn_words_check(&view));
        cr_assert_eq(view.n, n[k]);
        for (uint32_t i = 0; i < n[k]; i++) {
            word w = make_word(i);
            size_t len;
            const uint8_t *got = qn_words_view_at(&view, i, &len);
            cr_assert(got != NULL && len == w.len && memcmp(got, w.bytes, len) == 0);
        }
        size_t len;
        cr_assert_null(qn_words_view_at(&view, n[k], &len));
        cr_assert_null(qn_words_view_at(&view, UINT32_MAX, &len));
        free(bytes);
        qn_buffer_free(&section);
    }
}

/* Whatever is changed: no word is out of bounds, and a check finds it unless it is another word. */
Test(words, forged_section)
{
    qn_buffer section = make_section(30);
    uint8_t *bytes = test_copy(section.data, section.len);
    size_t groups_end = QN_WORDS_HEAD + 4 * QN_WORDS_GROUP_LEN;
    test_random random = 3;
    for (size_t at = 0; at < section.len; at++) {
        for (unsigned way = 0; way < 40; way++) {
            bytes[at] = way == 0 ? 0 : way == 1 ? 0xFF : (uint8_t)test_next(&random);
            qn_words_view view;
            bool open = qn_words_open(&view, bytes, section.len);
            for (uint32_t i = 0; open && i < view.n; i++) {
                size_t len;
                const uint8_t *got = qn_words_view_at(&view, i, &len);
                if (got != NULL)
                    cr_assert(got >= view.bytes && len <= QN_WORDS_LONGEST &&
                              got + len <= bytes + section.len);
            }
            bool good = open && qn_words_check(&view);
            if (bytes[at] != section.data[at] && at < groups_end)
                cr_assert(!good, "byte %zu", at);
        }
        bytes[at] = section.data[at];
    }
    free(bytes);
    for (size_t len = 1; len < section.len; len++) {
        uint8_t *cut = test_copy(section.data, len);
        qn_words_view view;
        cr_assert(!qn_words_open(&view, cut, len) || !qn_words_check(&view));
        free(cut);
    }
    qn_buffer_free(&section);
}
