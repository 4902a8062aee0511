/* Groups in windows: see window_group.h. */
#include "query/window_group.h"

#include "index/base/bytes.h"

#include <string.h>

bool qn_window_groups_can_match(const qn_window_run *run)
{
    qn_groups groups;
    qn_groups_clear(&groups, run->eval->query);
    for (size_t c = 0; c < run->n_clauses; c++)
        if (run->clause[c].clause->occur == QN_ANY)
            qn_groups_meet(&groups, run->clause[c].clause);
    return groups.n_met == run->eval->query->n_groups;
}

/* Adds the documents that have all terms of a clause to `any`. */
static void add_clause(qn_window_run *run, const qn_window_clause *clause, uint64_t any[64])
{
    uint64_t all[64];
    memset(all, 0xFF, sizeof all);
    for (uint32_t i = 0; i < clause->clause->n_terms; i++) {
        const uint8_t *words = qn_window_list_words(run->eval, &clause->lists[i], run->bytes->room);
        for (size_t r = 0; r < 64; r++)
            all[r] &= qn_load_u64(words + 8 * r);
    }
    for (size_t r = 0; r < 64; r++)
        any[r] |= all[r];
}

uint64_t qn_window_groups_apply(qn_window_run *run, uint64_t live)
{
    uint64_t *any = run->bytes->any;
    for (uint32_t group = 1; group <= run->eval->query->n_groups && live != 0; group++) {
        memset(any, 0, sizeof run->bytes->any);
        for (size_t c = 0; c < run->n_clauses; c++)
            if (run->clause[c].clause->group == group)
                add_clause(run, &run->clause[c], any);
        live = qn_window_narrow(run->bytes->candidate, live, (const uint8_t *)any, true);
    }
    return live;
}
