/*
 * Changing an index without new documents: joining segments by the policy, or all of them, or those
 * of several indexes. Each step publishes a manifest; readers keep what they opened.
 */
#ifndef QN_BUILD_MAINTAIN_H
#define QN_BUILD_MAINTAIN_H

#include "index/build/directory.h"

typedef struct qn_maintain_options {
    bool retune; /* take tune, k1 and b from here, not from the first segment that is joined */
    quern_tune tune;
    float k1, b;
    quern_reorder reorder;
    bool background; /* see qn_join_input */
    uint64_t memory;
    unsigned threads;
    quern_progress_fn progress;
    void *progress_arg;
} qn_maintain_options;

/* Joins what the policy (policy.h) says, until it says nothing. What was joined before an error
 * stays. `n_joined` grows by how many segments were read. */
quern_status qn_maintain_by_policy(qn_directory *directory, const qn_maintain_options *options,
                                   uint64_t *n_joined, quern_error *error);

/* Makes the index one segment without deleted documents; if it is that already and nothing is to be
 * retuned or reordered, it is left alone. `n_joined` likewise. */
quern_status qn_maintain_compact(qn_directory *directory, const qn_maintain_options *options,
                                 uint64_t *n_joined, quern_error *error);

/* Fills `directory`, whose index is replaced if it has one, with the live documents of the indexes
 * paths[0..n) in order. QUERN_E_ARGUMENT where they are not alike (analyzer, positions, what is
 * stored), QUERN_E_DUPLICATE where two have an id. */
quern_status qn_maintain_merge(qn_directory *directory, const char *const *paths, size_t n,
                               const qn_maintain_options *options, uint64_t *n_joined,
                               quern_error *error);

#endif
