/* Sorting postings: see list_order.h. */
#include "index/build/list_order.h"

#include "index/base/buffer.h"
#include "index/base/status.h"

#include <stdlib.h>
#include <string.h>

enum {
    INSERTION_MAX = 32,       /* keys are sorted by insertion, more by radix */
    WIDE_FROM = 1 << 13,      /* keys from which on digits of 11 bits beat those of 8 */
    POSTING_WORDS = 5,        /* that a posting takes beside its gaps: two keys and its tf */
    PARTS = 1 << 12,          /* of new numbers, to find a stretch of them that can be held */
    LEAST_MEMORY = 64 * 1024, /* bytes: below it nothing is gained */
    FORGET_EVERY = 1 << 20    /* documents after which their new numbers are let go of */
};

/* ---- sorting ---- */

static void sort_by_insertion(uint64_t *key, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint64_t moving = key[i];
        size_t at = i;
        for (; at > 0 && key[at - 1] > moving; at--)
            key[at] = key[at - 1];
        key[at] = moving;
    }
}

/* By the digits of new numbers, least significant first; `most` is the largest number. */
static void sort_by_radix(qn_list_order *order, uint32_t most)
{
    unsigned bits = order->n_keys >= WIDE_FROM ? 11 : 8;
    uint32_t mask = (UINT32_C(1) << bits) - 1;
    for (unsigned shift = 0; shift < 32 && most >> shift != 0; shift += bits) {
        uint32_t place[1 << 11] = {0}, sum = 0;
        for (size_t i = 0; i < order->n_keys; i++)
            place[order->key[i] >> (32 + shift) & mask]++;
        for (size_t d = 0; d <= mask; d++) {
            uint32_t here = place[d];
            place[d] = sum;
            sum += here;
        }
        for (size_t i = 0; i < order->n_keys; i++)
            order->room[place[order->key[i] >> (32 + shift) & mask]++] = order->key[i];
        uint64_t *swap = order->key;
        order->key = order->room;
        order->room = swap;
        size_t cap = order->key_cap;
        order->key_cap = order->room_cap;
        order->room_cap = cap;
    }
}

static quern_status sort_keys(qn_list_order *order, quern_error *error)
{
    void *array = order->room;
    if (order->n_keys <= INSERTION_MAX) {
        sort_by_insertion(order->key, order->n_keys);
        return QUERN_OK;
    }
    if (!qn_array_grow(&array, &order->room_cap, order->n_keys, sizeof *order->room))
        return qn_fail_memory(error);
    order->room = array;
    sort_by_radix(order, order->n_to - 1);
    return QUERN_OK;
}

/* ---- a stretch ---- */

/* The next posting of the list that is open, by its new number. */
static quern_status next_posting(qn_list_order *order, uint32_t *number, uint32_t *tf,
                                 quern_error *error)
{
    uint32_t doc = 0;
    const qn_scratch *to = order->to;
    quern_status status = qn_list_reader_next(&order->reader, &doc, tf, error);
    if (status != QUERN_OK)
        return status;
    if (doc - order->forgotten >= FORGET_EVERY) { /* also where a list begins anew */
        qn_scratch_forget(to, to->data, to->len);
        order->forgotten = doc;
    }
    *number = ((const uint32_t *)to->data)[doc];
    return QUERN_OK;
}

static quern_status hold(qn_list_order *order, uint32_t number, uint32_t tf, const uint32_t *gaps,
                         quern_error *error)
{
    void *words = order->word, *keys = order->key;
    size_t n_gaps = gaps == NULL ? 0 : tf;
    if (order->n_words + n_gaps >= UINT32_MAX)
        return qn_fail_memory(error);
    size_t need = order->n_words + 1 + n_gaps;
    if (need > order->word_cap && !qn_array_grow(&words, &order->word_cap, need, sizeof(uint32_t)))
        return qn_fail_memory(error);
    order->word = words;
    if (order->n_keys == order->key_cap &&
        !qn_array_grow(&keys, &order->key_cap, order->n_keys + 1, sizeof *order->key))
        return qn_fail_memory(error);
    order->key = keys;
    order->key[order->n_keys++] = (uint64_t)number << 32 | order->n_words;
    order->word[order->n_words++] = tf;
    if (n_gaps > 0)
        memcpy(order->word + order->n_words, gaps, n_gaps * sizeof *gaps);
    order->n_words += n_gaps;
    return QUERN_OK;
}

/* Hands on the postings whose new numbers are in [from, end). */
static quern_status copy_stretch(qn_list_order *order, const qn_segment *segment,
                                 const qn_term_info *info, uint32_t from, uint32_t end,
                                 qn_pipe *pipe, quern_error *error)
{
    uint32_t number, tf, *gaps;
    order->n_words = order->n_keys = 0;
    quern_status status = qn_list_reader_open(&order->reader, segment, info, error);
    while (status == QUERN_OK && (status = next_posting(order, &number, &tf, error)) == QUERN_OK) {
        if (number < from || number >= end)
            continue;
        status = qn_list_reader_gaps(&order->reader, &gaps, error);
        if (status == QUERN_OK)
            status = hold(order, number, tf, gaps, error);
    }
    if (status != QUERN_END)
        return status;
    status = sort_keys(order, error);
    for (size_t i = 0; status == QUERN_OK && i < order->n_keys; i++) {
        const uint32_t *at = order->word + (uint32_t)order->key[i];
        status = qn_pipe_add(pipe, (uint32_t)(order->key[i] >> 32), at[0], at + 1, error);
    }
    return status;
}

/* ---- lists that are too long ---- */

/* Counts what the postings of [from, end) take, in words, by parts of `width` numbers each. */
static quern_status count_parts(qn_list_order *order, const qn_segment *segment,
                                const qn_term_info *info, uint32_t from, uint32_t end,
                                uint32_t width, uint64_t words[PARTS], quern_error *error)
{
    uint32_t number, tf;
    memset(words, 0, PARTS * sizeof *words);
    quern_status status = qn_list_reader_open(&order->reader, segment, info, error);
    while (status == QUERN_OK && (status = next_posting(order, &number, &tf, error)) == QUERN_OK) {
        if (number >= from && number < end)
            words[(number - from) / width] += POSTING_WORDS + (segment->meta.positions ? tf : 0);
    }
    return status == QUERN_END ? QUERN_OK : status;
}

/* Finds how far a stretch that begins at `from` may go: *end. */
static quern_status find_stretch(qn_list_order *order, const qn_segment *segment,
                                 const qn_term_info *info, uint32_t from, uint32_t *end,
                                 quern_error *error)
{
    uint64_t words[PARTS], most = order->memory / sizeof *order->word;
    quern_status status = QUERN_OK;
    *end = order->n_to;
    while (status == QUERN_OK) {
        uint32_t width = (*end - from - 1) / PARTS + 1, n_parts = (*end - from - 1) / width + 1;
        uint64_t sum = 0;
        status = count_parts(order, segment, info, from, *end, width, words, error);
        uint32_t n = 0;
        while (n < n_parts && (sum += words[n]) <= most)
            n++;
        if (n == n_parts)
            break;
        *end = from + (n == 0 ? 1 : n) * width;
        if (n > 0 || width == 1)
            break; /* else the first part alone is too much, and is parted itself */
    }
    return status;
}

static bool is_long(const qn_list_order *order, const qn_segment *segment, const qn_term_info *info)
{
    uint64_t most = order->memory < LEAST_MEMORY ? LEAST_MEMORY : order->memory;
    uint64_t words = POSTING_WORDS * (uint64_t)info->df + (segment->meta.positions ? info->cf : 0);
    return words > most / sizeof *order->word;
}

quern_status qn_list_order_copy(qn_list_order *order, const qn_segment *segment,
                                const qn_term_info *info, qn_pipe *pipe, quern_error *error)
{
    quern_status status = QUERN_OK;
    uint32_t end = order->n_to;
    bool parted = is_long(order, segment, info);
    for (uint32_t from = 0; status == QUERN_OK && from < order->n_to; from = end) {
        if (parted)
            status = find_stretch(order, segment, info, from, &end, error);
        if (status == QUERN_OK)
            status = copy_stretch(order, segment, info, from, end, pipe, error);
    }
    return status;
}

void qn_list_order_free(qn_list_order *order)
{
    qn_list_reader_free(&order->reader);
    free(order->word);
    free(order->key);
    free(order->room);
    *order = (qn_list_order){0};
}
