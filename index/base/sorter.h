/*
 * Sorting more pairs of numbers than memory should hold: in runs, which wait in a spool and are
 * merged. Pairs are ordered by key; those with equal keys keep the order in which they were added.
 */
#ifndef QN_BASE_SORTER_H
#define QN_BASE_SORTER_H

#include "index/base/file.h"

typedef struct qn_sorter_pair {
    uint32_t key, value;
} qn_sorter_pair;

/* Zero-initialise; begin with qn_sorter_init. */
typedef struct qn_sorter {
    qn_sorter_pair *held, *room; /* n of cap, and as much to sort them in */
    size_t n, cap, most;         /* most: before a run is written */
    qn_writer spool;
    uint64_t *end; /* of each run in the spool, in pairs */
    size_t n_runs, end_cap;
    struct qn_sorter_source *source; /* while they are read back: one a run */
    uint64_t *least; /* of their next keys, as a tree; its leaves are from first_leaf on */
    size_t first_leaf, next_held;
} qn_sorter;

/* Holds at most `memory` bytes; the spool is in `dirfd`. */
quern_status qn_sorter_init(qn_sorter *sorter, size_t memory, int dirfd, const char *path,
                            quern_error *error);
void qn_sorter_free(qn_sorter *sorter);

quern_status qn_sorter_add(qn_sorter *sorter, uint32_t key, uint32_t value, quern_error *error);

/* Starts reading from the first pair; also again. No pair may be added after it. */
quern_status qn_sorter_start(qn_sorter *sorter, quern_error *error);

/* QUERN_END after the last. */
quern_status qn_sorter_next(qn_sorter *sorter, qn_sorter_pair *pair, quern_error *error);

/* Bytes of memory held. */
size_t qn_sorter_bytes(const qn_sorter *sorter);

#endif
