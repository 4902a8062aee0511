/* External sorting: see sorter.h. */
#include "index/base/sorter.h"

#include "index/base/status.h"

#include <stdlib.h>
#include <string.h>

enum { SPOOL_BUFFER = 64 * 1024, FIRST = 1024, DIGIT = 11, BUCKETS = 1 << DIGIT, LEAST = 256 };

/* A run that is read back through a part of the memory. */
typedef struct qn_sorter_source {
    uint64_t next, end; /* in the spool, in pairs */
    qn_sorter_pair *pair;
    size_t at, n, cap;
} source;

quern_status qn_sorter_init(qn_sorter *sorter, size_t memory, int dirfd, const char *path,
                            quern_error *error)
{
    size_t most = memory / (2 * sizeof(qn_sorter_pair));
    *sorter = (qn_sorter){.most = most < LEAST ? LEAST : most};
    return qn_writer_spool(&sorter->spool, dirfd, path, SPOOL_BUFFER, error);
}

static void end_reading(qn_sorter *sorter)
{
    free(sorter->source);
    free(sorter->least);
    sorter->source = NULL;
    sorter->least = NULL;
}

void qn_sorter_free(qn_sorter *sorter)
{
    end_reading(sorter);
    free(sorter->held);
    free(sorter->room);
    free(sorter->end);
    qn_writer_close(&sorter->spool);
    *sorter = (qn_sorter){0};
}

size_t qn_sorter_bytes(const qn_sorter *sorter)
{
    return 2 * sorter->cap * sizeof(qn_sorter_pair) + sorter->spool.buffer_cap;
}

/* By digits of the key from the lowest on, each pass keeping the order of equal ones. */
static void sort_held(qn_sorter *sorter)
{
    for (unsigned shift = 0; shift < 32; shift += DIGIT) {
        size_t start[BUCKETS] = {0}, sum = 0;
        for (size_t i = 0; i < sorter->n; i++)
            start[sorter->held[i].key >> shift & (BUCKETS - 1)]++;
        for (size_t i = 0; i < BUCKETS; i++) {
            size_t here = start[i];
            start[i] = sum;
            sum += here;
        }
        for (size_t i = 0; i < sorter->n; i++)
            sorter->room[start[sorter->held[i].key >> shift & (BUCKETS - 1)]++] = sorter->held[i];
        qn_sorter_pair *swap = sorter->held;
        sorter->held = sorter->room;
        sorter->room = swap;
    }
}

static bool grow(qn_sorter *sorter)
{
    size_t cap = sorter->cap == 0 ? FIRST : 2 * sorter->cap;
    cap = cap < sorter->most ? cap : sorter->most;
    void *held = realloc(sorter->held, cap * sizeof *sorter->held);
    if (held == NULL)
        return false;
    sorter->held = held;
    void *room = realloc(sorter->room, cap * sizeof *sorter->room);
    if (room == NULL)
        return false;
    sorter->room = room;
    sorter->cap = cap;
    return true;
}

/* Writes what is held as a run. */
static quern_status write_run(qn_sorter *sorter, quern_error *error)
{
    void *ends = sorter->end;
    bool ok = qn_array_grow(&ends, &sorter->end_cap, sorter->n_runs + 1, sizeof *sorter->end);
    sorter->end = ends;
    if (!ok)
        return qn_fail_memory(error);
    sort_held(sorter);
    quern_status status =
        qn_writer_put(&sorter->spool, sorter->held, sorter->n * sizeof *sorter->held, error);
    if (status != QUERN_OK)
        return status;
    uint64_t before = sorter->n_runs == 0 ? 0 : sorter->end[sorter->n_runs - 1];
    sorter->end[sorter->n_runs++] = before + sorter->n;
    sorter->n = 0;
    return QUERN_OK;
}

quern_status qn_sorter_add(qn_sorter *sorter, uint32_t key, uint32_t value, quern_error *error)
{
    if (sorter->n == sorter->most) {
        quern_status status = write_run(sorter, error);
        if (status != QUERN_OK)
            return status;
    }
    if (sorter->n == sorter->cap && !grow(sorter))
        return qn_fail_memory(error);
    sorter->held[sorter->n++] = (qn_sorter_pair){key, value};
    return QUERN_OK;
}

/* ---- reading ---- */

/* The next pair of a run stands at pair[at], or at is n at its end. */
static quern_status fill(qn_sorter *sorter, source *s, quern_error *error)
{
    if (s->at < s->n || s->next == s->end)
        return QUERN_OK;
    uint64_t left = s->end - s->next;
    s->at = 0;
    s->n = left < s->cap ? (size_t)left : s->cap;
    quern_status status = qn_writer_read(&sorter->spool, s->next * sizeof *s->pair, s->pair,
                                         s->n * sizeof *s->pair, error);
    s->next += s->n;
    return status;
}

/* A run's next key, above its number: of equal keys the one that was added earlier is less. */
static uint64_t leaf_of(const qn_sorter *sorter, size_t i)
{
    const source *s = &sorter->source[i];
    return s->at < s->n ? (uint64_t)s->pair[s->at].key << 32 | i : UINT64_MAX;
}

/* Where the tree of least keys has its leaves, one a run; what is above two nodes is the lesser. */
static size_t first_leaf(const qn_sorter *sorter)
{
    size_t first = 1;
    while (first < sorter->n_runs)
        first *= 2;
    return first;
}

static quern_status plant(qn_sorter *sorter, quern_error *error)
{
    size_t first = first_leaf(sorter);
    sorter->least = malloc(2 * first * sizeof *sorter->least);
    if (sorter->least == NULL)
        return qn_fail_memory(error);
    for (size_t i = 0; i < first; i++)
        sorter->least[first + i] = i < sorter->n_runs ? leaf_of(sorter, i) : UINT64_MAX;
    for (size_t at = first; at-- > 1;) {
        uint64_t left = sorter->least[2 * at], right = sorter->least[2 * at + 1];
        sorter->least[at] = left < right ? left : right;
    }
    sorter->first_leaf = first;
    return QUERN_OK;
}

quern_status qn_sorter_start(qn_sorter *sorter, quern_error *error)
{
    end_reading(sorter);
    /* With one run in memory nothing is written. */
    if (sorter->n_runs == 0) {
        sort_held(sorter);
        sorter->next_held = 0;
        return QUERN_OK;
    }
    quern_status status = sorter->n > 0 ? write_run(sorter, error) : QUERN_OK;
    if (status != QUERN_OK)
        return status;
    /* What held pairs is now what runs are read through. */
    sorter->source = calloc(sorter->n_runs, sizeof *sorter->source);
    if (sorter->source == NULL)
        return qn_fail_memory(error);
    size_t half = (sorter->n_runs + 1) / 2, each = sorter->cap / half;
    if (each == 0)
        return qn_fail_memory(error);
    for (size_t i = 0; status == QUERN_OK && i < sorter->n_runs; i++) {
        source *s = &sorter->source[i];
        *s = (source){.next = i == 0 ? 0 : sorter->end[i - 1],
                      .end = sorter->end[i],
                      .pair = i < half ? sorter->held + i * each : sorter->room + (i - half) * each,
                      .cap = each};
        status = fill(sorter, s, error);
    }
    return status == QUERN_OK ? plant(sorter, error) : status;
}

quern_status qn_sorter_next(qn_sorter *sorter, qn_sorter_pair *pair, quern_error *error)
{
    if (sorter->n_runs == 0) {
        if (sorter->next_held == sorter->n)
            return QUERN_END;
        *pair = sorter->held[sorter->next_held++];
        return QUERN_OK;
    }
    if (sorter->least[1] == UINT64_MAX)
        return QUERN_END;
    size_t i = (uint32_t)sorter->least[1];
    source *least = &sorter->source[i];
    *pair = least->pair[least->at++];
    quern_status status = fill(sorter, least, error);
    uint64_t value = leaf_of(sorter, i);
    for (size_t at = sorter->first_leaf + i; at > 1; at /= 2) {
        sorter->least[at] = value;
        uint64_t other = sorter->least[at ^ 1];
        value = other < value ? other : value;
    }
    sorter->least[1] = value;
    return status;
}
