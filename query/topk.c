/* The k best documents: see topk.h. */
#include "query/topk.h"

#include "index/base/buffer.h"
#include "index/base/status.h"

#include <stdlib.h>

enum {
    INSERTION_MAX = 48, /* keys are sorted by insertion, more by radix */
    RENAME = 256        /* documents that are renamed together, so that cache misses overlap */
};

void qn_topk_start(qn_topk *topk, size_t k, qn_topk_rename_fn rename, void *arg)
{
    topk->rename = rename;
    topk->rename_arg = arg;
    topk->last_known = false;
    topk->n = 0;
    topk->k = k;
    size_t room = k / 4 < QN_TOPK_HEAP ? QN_TOPK_HEAP : k / 4;
    topk->limit = k + room;
    topk->floor = 0;
    topk->threshold = 0.0f;
    topk->out_of_memory = false;
}

static bool grow_keys(uint64_t **keys, size_t *cap, size_t need)
{
    void *array = *keys;
    if (!qn_array_grow(&array, cap, need, sizeof **keys))
        return false;
    *keys = array;
    return true;
}

static void set_floor(qn_topk *topk, uint64_t key)
{
    uint32_t bits = (uint32_t)(key >> 32);
    topk->floor = topk->rename == NULL ? key : key >> 32 << 32 | 1; /* no number is so large */
    memcpy(&topk->threshold, &bits, sizeof bits);
}

/* Gives keys the documents' numbers of the result. */
static void rename_keys(const qn_topk *topk, uint64_t *key, size_t n)
{
    uint32_t doc[RENAME];
    for (size_t i = 0; i < n; i += RENAME) {
        size_t here = n - i < RENAME ? n - i : RENAME;
        for (size_t j = 0; j < here; j++)
            doc[j] = ~(uint32_t)key[i + j];
        topk->rename(topk->rename_arg, doc, here);
        for (size_t j = 0; j < here; j++)
            key[i + j] = key[i + j] >> 32 << 32 | (uint32_t)~doc[j];
    }
}

/* ---- sorting ---- */

static void sort_by_insertion(uint64_t *key, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint64_t moving = key[i];
        size_t at = i;
        for (; at > 0 && key[at - 1] < moving; at--)
            key[at] = key[at - 1];
        key[at] = moving;
    }
}

/* Descending, least significant byte first; bytes in which all keys agree cost no pass. */
static void sort_by_radix(uint64_t *key, uint64_t *swap, size_t n)
{
    uint32_t count[8][256];
    memset(count, 0, sizeof count);
    for (size_t i = 0; i < n; i++)
        for (unsigned byte = 0; byte < 8; byte++)
            count[byte][(key[i] >> (8 * byte)) & 255]++;
    uint64_t *from = key, *to = swap;
    for (unsigned byte = 0; byte < 8; byte++) {
        if (count[byte][(key[0] >> (8 * byte)) & 255] == n)
            continue;
        uint32_t place = 0;
        for (unsigned digit = 256; digit-- > 0;) {
            uint32_t here = count[byte][digit];
            count[byte][digit] = place;
            place += here;
        }
        for (size_t i = 0; i < n; i++)
            to[count[byte][(from[i] >> (8 * byte)) & 255]++] = from[i];
        uint64_t *other = from;
        from = to;
        to = other;
    }
    if (from != key)
        memcpy(key, from, n * sizeof *key);
}

/* Sorts topk->key[0..n) descending. False when memory is short. */
static bool sort_keys(qn_topk *topk)
{
    if (topk->n <= INSERTION_MAX) {
        sort_by_insertion(topk->key, topk->n);
        return true;
    }
    if (!grow_keys(&topk->swap, &topk->swap_cap, topk->n))
        return false;
    sort_by_radix(topk->key, topk->swap, topk->n);
    return true;
}

/* ---- the buffer ---- */

static uint64_t median(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t low = a < b ? a : b, high = a < b ? b : a;
    return c < low ? low : c > high ? high : c;
}

/* Moves the k largest of key[0..n) to the front, n > k >= 1 (Hoare 1961). False if `rounds`
 * partitions did not suffice, which only adversarial orders bring about. */
static bool select_largest(uint64_t *key, size_t n, size_t k, unsigned rounds)
{
    size_t low = 0, high = n; /* key[0..low) belong to the result, key[high..) do not */
    while (high - low > 1 && low < k && high > k) {
        if (rounds-- == 0)
            return false;
        size_t middle = low + (high - low) / 2;
        uint64_t pivot = median(key[low], key[middle], key[high - 1]);
        size_t at = pivot == key[low] ? low : pivot == key[middle] ? middle : high - 1;
        key[at] = key[low];
        size_t i = low; /* key[low + 1 .. i] are above the pivot; key[low] is free */
        for (size_t j = low + 1; j < high; j++) {
            uint64_t moving = key[j];
            key[j] = key[i + 1];
            key[i + 1] = moving;
            i += moving > pivot;
        }
        key[low] = key[i];
        key[i] = pivot;
        if (i >= k)
            high = i;
        else
            low = i + 1;
    }
    return true;
}

static unsigned rounds_for(size_t n)
{
    unsigned rounds = 16;
    for (; n > 0; n /= 2)
        rounds += 2;
    return rounds;
}

static int compare_descending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x > y ? -1 : x < y;
}

/* Moves the keys of key[from..to) with this score to the front of them. Returns how many. */
static size_t bring_forward(uint64_t *key, size_t from, size_t to, uint32_t score)
{
    size_t n = 0;
    for (size_t i = from; i < to; i++) {
        uint64_t moving = key[i];
        if (moving >> 32 != score)
            continue;
        key[i] = key[from + n];
        key[from + n++] = moving;
    }
    return n;
}

/*
 * Of the keys with the least score among the k best, key[0..k), those that stay must be the first
 * by their numbers of the result. Among as many others, key[k..n), there may be some of that score.
 */
static void settle_ties(qn_topk *topk, uint32_t score)
{
    uint64_t *key = topk->key;
    /* Ties of the k best to their front, then the others behind them: [first, others). */
    size_t n_kept = bring_forward(key, 0, topk->k, score), n = n_kept;
    n += bring_forward(key, topk->k, topk->n, score);
    if (!grow_keys(&topk->swap, &topk->swap_cap, n)) {
        topk->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < n; i++)
        topk->swap[i] = key[i < n_kept ? i : topk->k + i - n_kept];
    rename_keys(topk, topk->swap, n);
    /* The number of the result, complemented, above the other one: the best are the largest. */
    for (size_t i = 0; i < n; i++)
        topk->swap[i] = topk->swap[i] << 32 | (uint32_t)key[i < n_kept ? i : topk->k + i - n_kept];
    if (n > n_kept && !select_largest(topk->swap, n, n_kept, rounds_for(n)))
        qsort(topk->swap, n, sizeof *topk->swap, compare_descending);
    topk->last = 0;
    topk->last_known = true;
    for (size_t i = 0; i < n_kept; i++) {
        uint32_t number = ~(uint32_t)(topk->swap[i] >> 32);
        topk->last = number > topk->last ? number : topk->last;
        key[i] = (uint64_t)score << 32 | (uint32_t)topk->swap[i];
    }
}

/* Cuts a full buffer down to its k best. */
static void cut(qn_topk *topk)
{
    if (!select_largest(topk->key, topk->n, topk->k, rounds_for(topk->n)) && !sort_keys(topk)) {
        topk->out_of_memory = true;
        return;
    }
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < topk->k; i++)
        least = topk->key[i] < least ? topk->key[i] : least;
    topk->last_known = false;
    size_t n_ties = 0; /* among those that go */
    for (size_t i = topk->k; topk->rename != NULL && i < topk->n; i++)
        n_ties += topk->key[i] >> 32 == least >> 32;
    if (n_ties > 0)
        settle_ties(topk, (uint32_t)(least >> 32));
    topk->n = topk->k;
    set_floor(topk, least);
}

/* Whether a key with the floor's score is none of the k best, by its number. Without that, a query
 * whose documents all score alike would cut again and again. */
static bool comes_after_last(qn_topk *topk, uint64_t key)
{
    if (!topk->last_known) {
        size_t n = topk->n;
        topk->n = topk->k;
        settle_ties(topk, (uint32_t)(topk->floor >> 32));
        topk->n = n;
    }
    rename_keys(topk, &key, 1);
    return ~(uint32_t)key > topk->last;
}

static void take_into_buffer(qn_topk *topk, uint64_t key)
{
    if (topk->rename != NULL && topk->floor != 0 && key >> 32 == topk->floor >> 32 &&
        comes_after_last(topk, key))
        return;
    topk->key[topk->n++] = key;
    /* The first cut comes as soon as there are k keys, since without a threshold nothing can be
     * pruned. */
    if (topk->n == topk->k && topk->floor == 0)
        cut(topk);
    else if (topk->n >= topk->limit)
        cut(topk);
}

/* ---- the heap ---- */

static void sift_up(uint64_t *heap, size_t at)
{
    uint64_t moving = heap[at];
    while (at > 0 && heap[(at - 1) / 2] > moving) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = moving;
}

static void sift_down(uint64_t *heap, size_t n, uint64_t moving)
{
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        child += child + 1 < n && heap[child + 1] < heap[child];
        if (heap[child] >= moving)
            break;
        heap[at] = heap[child];
    }
    heap[at] = moving;
}

static void take_into_heap(qn_topk *topk, uint64_t key)
{
    if (topk->rename != NULL)
        rename_keys(topk, &key, 1);
    if (topk->n == topk->k && key <= topk->key[0])
        return;
    if (topk->n < topk->k) {
        topk->key[topk->n] = key;
        sift_up(topk->key, topk->n++);
    } else {
        sift_down(topk->key, topk->n, key);
    }
    if (topk->n == topk->k)
        set_floor(topk, topk->key[0]);
}

void qn_topk_take(qn_topk *topk, uint64_t key)
{
    if (topk->n == topk->key_cap && !grow_keys(&topk->key, &topk->key_cap, topk->n + 1)) {
        topk->out_of_memory = true;
        return;
    }
    if (topk->k <= QN_TOPK_HEAP)
        take_into_heap(topk, key);
    else
        take_into_buffer(topk, key);
}

quern_status qn_topk_finish(qn_topk *topk, const quern_hit **hits, size_t *n_hits,
                            quern_error *error)
{
    if (!topk->out_of_memory && topk->n > topk->k)
        cut(topk);
    void *array = topk->hit;
    if (topk->rename != NULL && topk->k > QN_TOPK_HEAP && !topk->out_of_memory)
        rename_keys(topk, topk->key, topk->n);
    if (topk->out_of_memory || !sort_keys(topk) ||
        !qn_array_grow(&array, &topk->hit_cap, topk->n, sizeof *topk->hit))
        return qn_fail_memory(error);
    topk->hit = array;
    for (size_t i = 0; i < topk->n; i++) {
        uint32_t bits = (uint32_t)(topk->key[i] >> 32);
        topk->hit[i].doc = ~(uint32_t)topk->key[i];
        memcpy(&topk->hit[i].score, &bits, sizeof bits);
    }
    *hits = topk->hit;
    *n_hits = topk->n;
    return QUERN_OK;
}

void qn_topk_free(qn_topk *topk)
{
    free(topk->key);
    free(topk->swap);
    free(topk->hit);
    *topk = (qn_topk){0};
}
