/* Walking and looking up: see lead_walk.h. */
#include "query/lead_walk.h"

#include "index/base/buffer.h"
#include "index/base/status.h"
#include "index/segment/coded.h"

#include <string.h>

enum { BATCH = QN_LEAD_BATCH };

/* ---- starting ---- */

static bool is_required(const qn_query *query, const qn_clause *clause)
{
    return clause->occur == QN_MUST || (query->n_clauses == 1 && clause->occur == QN_SHOULD);
}

static bool make_room(qn_eval *eval)
{
    qn_eval_scratch *s = eval->scratch;
    void *slots = s->slot, *of = s->slot_of;
    bool ok = qn_array_grow(&slots, &s->slot_cap, eval->query->n_terms, sizeof *s->slot);
    s->slot = slots;
    ok = ok && qn_array_grow(&of, &s->slot_of_cap, eval->query->n_terms, sizeof *s->slot_of);
    s->slot_of = of;
    return ok;
}

/* The ceiling of a clause: a phrase stands no more often than each of its terms. */
static double clause_ceiling(const qn_eval *eval, const qn_clause *clause)
{
    const double *ceiling = eval->scratch->ceiling + clause->first_term;
    double least = clause->occur == QN_NOT ? 0 : ceiling[0];
    for (uint32_t i = 1; i < clause->n_terms; i++)
        least = ceiling[i] < least ? ceiling[i] : least;
    return least;
}

/* Of each required slot: the ceilings of the clauses that it is not in. */
static void set_others(qn_lead_walk *walk)
{
    const qn_eval *eval = walk->eval;
    double total = 0;
    for (size_t c = 0; c < eval->query->n_clauses; c++)
        total += clause_ceiling(eval, &eval->query->clause[c]);
    for (size_t c = 0; c < eval->query->n_clauses; c++) {
        const qn_clause *clause = &eval->query->clause[c];
        if (!is_required(eval->query, clause))
            continue;
        for (size_t i = clause->first_term; i < clause->first_term + clause->n_terms; i++) {
            qn_lead_slot *slot = qn_lead_walk_slot(walk, i);
            slot->ceiling = eval->scratch->ceiling[i];
            slot->others = (total - clause_ceiling(eval, clause)) * (1 + 0x1p-40);
        }
    }
}

/* Enters a term; known ones may turn out to be required. */
static void add_slot(qn_lead_walk *walk, size_t term, bool required)
{
    const qn_postings *list = walk->eval->list[term];
    size_t i = 0;
    while (i < walk->n_slots && walk->slot[i].postings != list)
        i++;
    qn_lead_slot *slot = &walk->slot[i];
    if (i == walk->n_slots) {
        walk->n_slots++;
        slot->postings = list;
        slot->cursor = list->coded ? NULL : &walk->eval->scratch->cursor[term];
        slot->required = false;
    }
    slot->required |= required;
}

static bool comes_before(const qn_lead_slot *a, const qn_lead_slot *b)
{
    return a->required != b->required ? a->required : a->postings->df < b->postings->df;
}

/* Sorts the slots, by their heads alone. */
static void sort_slots(qn_lead_walk *walk)
{
    for (size_t i = 1; i < walk->n_slots; i++) {
        qn_lead_slot head = {.postings = walk->slot[i].postings,
                             .cursor = walk->slot[i].cursor,
                             .required = walk->slot[i].required};
        size_t at = i;
        for (; at > 0 && comes_before(&head, &walk->slot[at - 1]); at--)
            memcpy(&walk->slot[at], &walk->slot[at - 1], offsetof(qn_lead_slot, ceiling));
        memcpy(&walk->slot[at], &head, offsetof(qn_lead_slot, ceiling));
    }
}

quern_status qn_lead_walk_start(qn_lead_walk *walk, qn_eval *eval, bool bounded, bool *empty,
                                quern_error *error)
{
    const qn_query *query = eval->query;
    if (!make_room(eval))
        return qn_fail_memory(error);
    quern_status status = qn_eval_start_cursors(eval, error);
    if (status == QUERN_OK && bounded)
        status = qn_eval_fill_ceilings(eval, error);
    if (status != QUERN_OK)
        return status;
    walk->eval = eval;
    walk->bounded = bounded;
    walk->slot = eval->scratch->slot;
    walk->n_slots = walk->n_required = 0;
    walk->n = walk->block = walk->i = walk->n_docs = walk->word = 0;
    walk->bits = 0;
    *empty = false;
    for (size_t c = 0; c < query->n_clauses; c++) {
        const qn_clause *clause = &query->clause[c];
        bool required = is_required(query, clause);
        for (size_t i = clause->first_term; i < clause->first_term + clause->n_terms; i++) {
            *empty |= required && eval->list[i] == NULL;
            if (eval->list[i] != NULL)
                add_slot(walk, i, required);
        }
    }
    sort_slots(walk);
    for (size_t i = 0; i < walk->n_slots; i++) {
        qn_lead_slot *slot = &walk->slot[i];
        walk->n_required += slot->required;
        slot->least = 0;
        for (unsigned j = 0; j < QN_CODES; j++) {
            const qn_code_class *class = &slot->postings->class[j];
            slot->tf_of[j] = class->exact ? class->tf : 0;
        }
    }
    *empty |= walk->n_required == 0;
    for (size_t t = 0; t < query->n_terms; t++)
        for (size_t i = 0; i < walk->n_slots; i++)
            if (walk->slot[i].postings == eval->list[t])
                eval->scratch->slot_of[t] = (uint32_t)i;
    if (!*empty && bounded)
        set_others(walk);
    return QUERN_OK;
}

/* ---- looking up ---- */

/* The first i with docs[i] >= target in the decoded block, which has one: without branches, so that
 * searches overlap. */
static inline uint32_t find_in_block(const uint32_t *docs, uint32_t target)
{
    uint32_t at = 0;
    for (uint32_t step = QN_BLOCK / 2; step > 0; step /= 2)
        at += step & (0u - (uint32_t)(docs[at + step - 1] < target));
    return at + (docs[at] < target);
}

/* Of those in `among`, the documents that are in a list that is not coded; their numbers and tf.
 * All that lie in a block are sought in it together. (Merging block and batch takes as long: 130
 * phrases show no difference.) */
static uint64_t in_cursor(qn_cursor *cursor, const uint32_t *docs, uint64_t among,
                          uint32_t *posting, uint32_t *tf)
{
    uint64_t found = 0;
    while (among != 0) {
        if (qn_cursor_seek(cursor, docs[__builtin_ctzll(among)]) == QN_CURSOR_END)
            break;
        uint32_t last = cursor->docs[cursor->n - 1];
        uint64_t here = 0;
        for (; among != 0; among &= among - 1) {
            unsigned i = (unsigned)__builtin_ctzll(among);
            if (docs[i] > last)
                break;
            posting[i] = find_in_block(cursor->docs, docs[i]);
            here |= (uint64_t)(cursor->docs[posting[i]] == docs[i]) << i;
        }
        const uint32_t *tfs = here == 0 ? NULL : qn_cursor_tfs(cursor);
        if (here != 0 && tfs == NULL)
            break;
        found |= here;
        for (; here != 0; here &= here - 1) {
            unsigned i = (unsigned)__builtin_ctzll(here);
            tf[i] = tfs[posting[i]];
            posting[i] += cursor->block * QN_BLOCK;
        }
    }
    return found;
}

/* Looks up n documents, those in `among`; tells which the slot has, and puts what it knows of them
 * to where it knows the batch's from `first` on. Numbers of a bitmap's postings are not found yet,
 * nor are tf of coded lists. */
static uint64_t look_up(const qn_lead_walk *walk, qn_lead_slot *slot, const uint32_t *docs,
                        uint32_t n, uint32_t first, uint64_t among)
{
    const qn_postings *list = slot->postings;
    const qn_eval_kernels *kernels = walk->eval->kernels;
    if (list->dense)
        return among & kernels->find_mapped(list->bitmap, docs, n);
    if (list->coded) {
        qn_group_list groups = {.starts = list->start,
                                .bases = list->rank,
                                .low = list->low,
                                .df = list->df,
                                .n_windows = walk->eval->segment->n_windows};
        return kernels->find_listed(&groups, docs, among, slot->posting + first);
    }
    return in_cursor(slot->cursor, docs, among, slot->posting + first, slot->tf + first);
}

/* ---- what leads ---- */

/* What each required list must have in a range, or a block, that holds an answer. */
static void set_least(qn_lead_walk *walk)
{
    double threshold = (double)qn_eval_threshold(walk->eval);
    for (size_t s = 0; s < walk->n_required; s++) {
        qn_lead_slot *slot = &walk->slot[s];
        double least = (threshold - slot->others) / slot->ceiling * 255 * (1 - 0x1p-40);
        slot->least = least > 255 ? 256 : least > 0 ? (uint32_t)least : 0;
    }
}

/* Decodes the next block that may hold an answer; n_docs is 0 if there is none. */
static quern_status next_block(qn_lead_walk *walk, quern_error *error)
{
    const qn_lead_slot *slot = &walk->slot[0];
    const qn_postings *lead = slot->postings;
    walk->i = walk->n_docs = 0;
    while (walk->block < lead->n_blocks && lead->block_max != NULL &&
           lead->block_max[walk->block] < slot->least)
        walk->block++;
    if (walk->block == lead->n_blocks)
        return QUERN_OK;
    quern_status status = qn_postings_docs(lead, walk->block, walk->docs, &walk->tf_at, error);
    if (status == QUERN_OK && !lead->coded)
        status = qn_postings_tfs(lead, walk->block, walk->tf_at, walk->tfs, error);
    walk->n_docs = qn_postings_block_n(lead, walk->block);
    walk->block++;
    return status;
}

/* Takes up to `room` documents of the list that leads; 0 at its end. */
static quern_status take_listed(qn_lead_walk *walk, uint32_t room, uint32_t *taken,
                                quern_error *error)
{
    *taken = 0;
    if (walk->i == walk->n_docs) {
        quern_status status = next_block(walk, error);
        if (status != QUERN_OK || walk->n_docs == 0)
            return status;
    }
    uint32_t n = walk->n_docs - walk->i;
    *taken = n < room ? n : room;
    walk->eval->work.postings += *taken;
    return QUERN_OK;
}

/* Where all required lists are bitmaps: puts up to `room` documents that are in all of them, and in
 * good ranges, behind the batch. */
static void take_mapped(qn_lead_walk *walk, uint32_t room, uint32_t *taken)
{
    uint32_t n_words = walk->eval->segment->n_windows * (QN_WINDOW / 64), n = 0;
    while (n < room) {
        while (walk->bits == 0 && walk->word < n_words) {
            uint64_t bits = ~(uint64_t)0;
            for (size_t s = 0; s < walk->n_required && bits != 0; s++) {
                const qn_lead_slot *slot = &walk->slot[s];
                bits &= qn_load_u64(slot->postings->bitmap + 8 * (size_t)walk->word);
                bits = qn_postings_range_max(slot->postings, walk->word) < slot->least ? 0 : bits;
            }
            walk->bits = bits;
            walk->word++;
        }
        if (walk->bits == 0)
            break;
        walk->doc[walk->n + n++] = (walk->word - 1) * 64 + (uint32_t)__builtin_ctzll(walk->bits);
        walk->bits &= walk->bits - 1;
    }
    *taken = n;
}

/* ---- batches ---- */

static uint64_t low_bits(uint32_t n)
{
    return n < 64 ? ((uint64_t)1 << n) - 1 : ~(uint64_t)0;
}

/* Adds those of the documents taken that are in `mask` to the batch; what the slots know of them is
 * closed up. */
static void append(qn_lead_walk *walk, uint64_t mask)
{
    qn_lead_slot *lead = &walk->slot[0];
    uint32_t n = walk->n, count = (uint32_t)__builtin_popcountll(mask);
    for (size_t s = 1; s < walk->n_required; s++) {
        qn_lead_slot *slot = &walk->slot[s];
        uint32_t to = n;
        for (uint64_t left = slot->postings->dense ? 0 : mask; left != 0; left &= left - 1, to++) {
            uint32_t from = n + (uint32_t)__builtin_ctzll(left);
            slot->posting[to] = slot->posting[from];
            slot->tf[to] = slot->tf[from];
        }
    }
    uint32_t first = (walk->block - 1) * QN_BLOCK;
    for (; mask != 0; mask &= mask - 1, n++) {
        uint32_t i = walk->i + (uint32_t)__builtin_ctzll(mask);
        walk->doc[n] = walk->docs[i];
        lead->posting[n] = first + i;
        lead->tf[n] = walk->tfs[i]; /* of a coded list not known yet */
    }
    walk->n += count;
}

/* tf of a coded list's documents; what its codes do not tell stands apart. */
static void find_tfs(const qn_lead_walk *walk, qn_lead_slot *slot)
{
    const qn_postings *list = slot->postings;
    const qn_eval_kernels *kernels = walk->eval->kernels;
    uint64_t inexact = 0;
    if (list->dense)
        kernels->rank_mapped(list->bitmap, list->rank, list->df, walk->doc, walk->n, slot->posting);
    kernels->look_up_tfs(list->codes, slot->posting, walk->n, slot->tf_of, slot->tf);
    for (uint32_t i = 0; i < walk->n; i++)
        inexact |= (uint64_t)(slot->tf[i] == 0) << i;
    for (inexact &= slot->found; inexact != 0; inexact &= inexact - 1) {
        unsigned i = (unsigned)__builtin_ctzll(inexact);
        if (slot->posting[i] < list->df) /* not so only in forged bytes */
            slot->tf[i] = qn_coded_tf(list, slot->posting[i]);
        slot->found &= ~((uint64_t)(slot->tf[i] == 0) << i);
    }
}

/* Completes what the slot knows of the batch. */
static void complete(const qn_lead_walk *walk, qn_lead_slot *slot)
{
    uint64_t all = low_bits(walk->n);
    slot->found = slot->required ? all : look_up(walk, slot, walk->doc, walk->n, 0, all);
    if (slot->postings->coded) {
        for (uint64_t missing = all & ~slot->found; missing != 0; missing &= missing - 1)
            slot->posting[__builtin_ctzll(missing)] = 0;
        find_tfs(walk, slot);
    }
    for (uint64_t missing = all & ~slot->found; missing != 0; missing &= missing - 1)
        slot->tf[__builtin_ctzll(missing)] = 0;
}

/* Of the documents in `among`, those whose ranges may hold an answer. */
static uint64_t in_good_ranges(const qn_lead_slot *slot, const uint32_t *docs, uint32_t n,
                               uint64_t among)
{
    const qn_postings *list = slot->postings;
    uint64_t mask = 0;
    if (slot->least == 0 || list->range_level == NULL)
        return among;
    for (uint32_t i = 0; i < n; i++)
        mask |= (uint64_t)(qn_postings_range_max(list, docs[i] / QN_RANGE) >= slot->least) << i;
    return mask & among;
}

/* Those of the n documents taken that have all required terms, in good ranges. */
static uint64_t find_all(const qn_lead_walk *walk, uint32_t n)
{
    const uint32_t *docs = walk->docs + walk->i;
    uint64_t mask = low_bits(n);
    for (size_t s = 0; s < walk->n_required && mask != 0; s++)
        mask = in_good_ranges(&walk->slot[s], docs, n, mask);
    for (int dense = 1; dense >= 0; dense--) /* bitmaps first */
        for (size_t s = 1; s < walk->n_required && mask != 0; s++)
            if (walk->slot[s].postings->dense == (dense == 1))
                mask = look_up(walk, &walk->slot[s], docs, n, walk->n, mask);
    return mask;
}

/* A batch is given out when it has so many: then there is room for as many at least. */
enum { ENOUGH = BATCH / 2 };

quern_status qn_lead_walk_next(qn_lead_walk *walk, quern_error *error)
{
    walk->n = 0;
    if (walk->bounded)
        set_least(walk);
    while (walk->n < ENOUGH) {
        uint32_t taken, room = BATCH - walk->n;
        quern_status status = QUERN_OK;
        if (walk->slot[0].postings->dense) {
            take_mapped(walk, room, &taken);
            walk->n += taken;
        } else {
            status = take_listed(walk, room, &taken, error);
            if (status == QUERN_OK && taken > 0)
                append(walk, find_all(walk, taken));
            walk->i += taken;
        }
        if (status != QUERN_OK)
            return status;
        if (taken == 0)
            break;
    }
    for (size_t s = 0; s < walk->n_slots && walk->n > 0; s++)
        complete(walk, &walk->slot[s]);
    return qn_eval_cursor_status(walk->eval);
}
