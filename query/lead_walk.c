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
            memcpy(&walk->slot[at], &walk->slot[at - 1], offsetof(qn_lead_slot, found));
        memcpy(&walk->slot[at], &head, offsetof(qn_lead_slot, found));
    }
}

quern_status qn_lead_walk_start(qn_lead_walk *walk, qn_eval *eval, bool *empty, quern_error *error)
{
    const qn_query *query = eval->query;
    if (!make_room(eval))
        return qn_fail_memory(error);
    quern_status status = qn_eval_start_cursors(eval, error);
    if (status != QUERN_OK)
        return status;
    walk->eval = eval;
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
    for (size_t i = 0; i < walk->n_slots; i++)
        walk->n_required += walk->slot[i].required;
    *empty |= walk->n_required == 0;
    for (size_t t = 0; t < query->n_terms; t++)
        for (size_t i = 0; i < walk->n_slots; i++)
            if (walk->slot[i].postings == eval->list[t])
                eval->scratch->slot_of[t] = (uint32_t)i;
    return QUERN_OK;
}

qn_lead_slot *qn_lead_walk_slot(const qn_lead_walk *walk, size_t i)
{
    return walk->eval->list[i] == NULL ? NULL : &walk->slot[walk->eval->scratch->slot_of[i]];
}

/* ---- looking up ---- */

/* The documents of docs[0..n) that a bitmap has. */
static uint64_t in_bitmap(const qn_postings *list, const uint32_t *docs, uint32_t n)
{
    uint64_t mask = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t word = qn_load_u64(list->bitmap + 8 * (size_t)(docs[i] / 64));
        mask |= (word >> docs[i] % 64 & 1) << i;
    }
    return mask;
}

/* Of those in `among`, the documents that are in a list of groups; their numbers. */
static uint64_t in_groups(const qn_postings *list, const uint32_t *docs, uint64_t among,
                          uint32_t *posting)
{
    uint64_t mask = 0;
    for (uint64_t left = among; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        uint32_t from, to;
        qn_coded_group(list, docs[i] / QN_GROUP, &from, &to);
        const uint8_t *low = list->low + from;
        const uint8_t *at = memchr(low, (int)(docs[i] % QN_GROUP), to - from);
        mask |= (uint64_t)(at != NULL) << i;
        posting[i] = at == NULL ? 0 : from + (uint32_t)(at - low);
    }
    return mask;
}

/* Likewise of a list that is not coded, with their tf. */
static uint64_t in_cursor(qn_cursor *cursor, const uint32_t *docs, uint64_t among,
                          uint32_t *posting, uint32_t *tf)
{
    uint64_t mask = 0;
    for (uint64_t left = among; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        if (qn_cursor_seek(cursor, docs[i]) != docs[i])
            continue;
        posting[i] = cursor->block * QN_BLOCK + cursor->i;
        tf[i] = qn_cursor_tf(cursor);
        mask |= (uint64_t)1 << i;
    }
    return mask;
}

/* Looks up those of the documents from `first` of the batch on that are in `among`; tells which the
 * slot has. Numbers of a bitmap's postings are not found yet, nor are tf of coded lists. */
static uint64_t look_up(const qn_lead_walk *walk, qn_lead_slot *slot, uint32_t first, uint32_t n,
                        uint64_t among)
{
    const uint32_t *docs = walk->doc + first;
    if (slot->postings->dense)
        return among & in_bitmap(slot->postings, docs, n);
    if (slot->postings->coded)
        return in_groups(slot->postings, docs, among, slot->posting + first);
    return in_cursor(slot->cursor, docs, among, slot->posting + first, slot->tf + first);
}

/* ---- what leads ---- */

static quern_status next_block(qn_lead_walk *walk, quern_error *error)
{
    const qn_postings *lead = walk->slot[0].postings;
    quern_status status = qn_postings_docs(lead, walk->block, walk->docs, &walk->tf_at, error);
    if (status == QUERN_OK && !lead->coded)
        status = qn_postings_tfs(lead, walk->block, walk->tf_at, walk->tfs, error);
    walk->i = 0;
    walk->n_docs = qn_postings_block_n(lead, walk->block);
    walk->block++;
    return status;
}

/* Puts up to `room` documents of the list that leads behind the batch; 0 at its end. */
static quern_status take_listed(qn_lead_walk *walk, uint32_t room, uint32_t *taken,
                                quern_error *error)
{
    qn_lead_slot *lead = &walk->slot[0];
    *taken = 0;
    if (walk->i == walk->n_docs) {
        if (walk->block == lead->postings->n_blocks)
            return QUERN_OK;
        quern_status status = next_block(walk, error);
        if (status != QUERN_OK)
            return status;
    }
    uint32_t n = walk->n_docs - walk->i, first = (walk->block - 1) * QN_BLOCK + walk->i;
    n = n < room ? n : room;
    for (uint32_t i = 0; i < n; i++) {
        walk->doc[walk->n + i] = walk->docs[walk->i + i];
        lead->posting[walk->n + i] = first + i;
        lead->tf[walk->n + i] = walk->tfs[walk->i + i]; /* of a coded list not known yet */
    }
    walk->i += n;
    walk->eval->work.postings += n;
    *taken = n;
    return QUERN_OK;
}

/* Likewise where all required lists are bitmaps: documents that are in all of them. */
static void take_mapped(qn_lead_walk *walk, uint32_t room, uint32_t *taken)
{
    uint32_t n_words = walk->eval->segment->n_windows * (QN_WINDOW / 64), n = 0;
    while (n < room) {
        while (walk->bits == 0 && walk->word < n_words) {
            uint64_t bits = ~(uint64_t)0;
            for (size_t s = 0; s < walk->n_required && bits != 0; s++)
                bits &= qn_load_u64(walk->slot[s].postings->bitmap + 8 * (size_t)walk->word);
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

/* Closes up the documents behind the batch that are in `mask`, and adds them to it. */
static void append(qn_lead_walk *walk, uint64_t mask)
{
    for (; mask != 0; mask &= mask - 1, walk->n++) {
        uint32_t from = walk->n_kept + (uint32_t)__builtin_ctzll(mask);
        walk->doc[walk->n] = walk->doc[from];
        for (size_t s = 0; s < walk->n_required; s++) {
            qn_lead_slot *slot = &walk->slot[s];
            if (slot->postings->dense)
                continue;
            slot->posting[walk->n] = slot->posting[from];
            slot->tf[walk->n] = slot->tf[from];
        }
    }
}

/* Completes what the slot knows of the batch. */
static void complete(const qn_lead_walk *walk, qn_lead_slot *slot)
{
    const qn_postings *list = slot->postings;
    uint64_t all = low_bits(walk->n);
    slot->found = slot->required ? all : look_up(walk, slot, 0, walk->n, all);
    for (uint64_t missing = all & ~slot->found; missing != 0; missing &= missing - 1)
        slot->tf[__builtin_ctzll(missing)] = 0;
    for (uint64_t left = list->coded ? slot->found : 0; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        if (list->dense)
            slot->posting[i] = qn_dense_rank(list, walk->doc[i]);
        bool good = slot->posting[i] < list->df; /* not so only in forged bytes */
        slot->tf[i] = good ? qn_coded_tf(list, slot->posting[i]) : 0;
        slot->found &= ~((uint64_t)(slot->tf[i] == 0) << i);
    }
}

/* A batch is given out when it has so many: then there is room for as many at least. */
enum { ENOUGH = BATCH / 2 };

quern_status qn_lead_walk_next(qn_lead_walk *walk, quern_error *error)
{
    walk->n = 0;
    while (walk->n < ENOUGH) {
        uint32_t taken, room = BATCH - walk->n;
        quern_status status = QUERN_OK;
        if (walk->slot[0].postings->dense)
            take_mapped(walk, room, &taken);
        else
            status = take_listed(walk, room, &taken, error);
        if (status != QUERN_OK)
            return status;
        if (taken == 0)
            break;
        uint64_t mask = low_bits(taken);
        walk->n_kept = walk->n;
        for (int dense = 1; dense >= 0 && !walk->slot[0].postings->dense; dense--)
            for (size_t s = 1; s < walk->n_required && mask != 0; s++)
                if (walk->slot[s].postings->dense == (dense == 1))
                    mask = look_up(walk, &walk->slot[s], walk->n, taken, mask);
        append(walk, mask);
    }
    for (size_t s = 0; s < walk->n_slots && walk->n > 0; s++)
        complete(walk, &walk->slot[s]);
    return qn_eval_cursor_status(walk->eval);
}
