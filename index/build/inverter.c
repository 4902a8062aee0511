/* Inversion by counting sort: see inverter.h. */
#include "index/build/inverter.h"

#include "index/base/bytes.h"
#include "index/base/status.h"
#include "index/codec/varint.h"

#include <stdlib.h>

/* Tokens at log[first..] hold slots slot, slot + 1, ... up to the next stretch's first. */
typedef struct qn_stretch {
    size_t first;
    uint32_t slot;
} stretch;

/* Whose a block of 64 slots is. All that a token must know of its document stands in one cache
 * line. */
typedef struct qn_slot_owner {
    uint32_t doc;   /* counted from the run's first */
    uint32_t first; /* the document's first slot */
    uint32_t limit; /* the slot after its last block */
} slot_owner;

enum { SLOT_SHIFT = 6, SPOOL_BUFFER = 1 << 20 };

quern_status qn_inverter_init(qn_inverter *inverter, qn_vocabulary *vocabulary, bool positions,
                              int dirfd, const char *path, quern_error *error)
{
    *inverter = (qn_inverter){.vocabulary = vocabulary, .positions = positions};
    return qn_writer_spool(&inverter->spool, dirfd, path, SPOOL_BUFFER, error);
}

void qn_inverter_shrink(qn_inverter *inverter)
{
    free(inverter->log);
    free(inverter->slots);
    free(inverter->stretch);
    free(inverter->owner);
    inverter->log = inverter->slots = NULL;
    inverter->stretch = NULL;
    inverter->owner = NULL;
    inverter->n_tokens = inverter->log_cap = inverter->n_tokens_most = 0;
    inverter->slots_cap = 0;
    inverter->n_stretches = inverter->stretch_cap = 0;
    inverter->n_owners = inverter->owner_cap = 0;
}

void qn_inverter_trim(qn_inverter *inverter)
{
    free(inverter->log);
    free(inverter->slots);
    inverter->log = inverter->slots = NULL;
    inverter->log_cap = inverter->n_tokens_most = inverter->slots_cap = 0;
}

void qn_inverter_free(qn_inverter *inverter)
{
    qn_inverter_shrink(inverter);
    free(inverter->run);
    qn_writer_close(&inverter->spool);
    *inverter = (qn_inverter){0};
}

size_t qn_inverter_bytes(const qn_inverter *inverter)
{
    /* Of the log, what was written once is resident. The scattered slots take as much; the sorted
     * terms 16 bytes each, and as much again while qsort merges. */
    size_t log =
        inverter->n_tokens > inverter->n_tokens_most ? inverter->n_tokens : inverter->n_tokens_most;
    size_t slots =
        inverter->n_tokens > inverter->slots_cap ? inverter->n_tokens : inverter->slots_cap;
    return sizeof(uint32_t) * (log + slots) + sizeof(stretch) * inverter->n_stretches +
           sizeof(slot_owner) * inverter->n_owners + 32 * inverter->vocabulary->n_terms;
}

quern_status qn_inverter_document(qn_inverter *inverter, uint32_t n_positions, quern_error *error)
{
    if (n_positions > QN_POSITIONS_MAX)
        return qn_fail(error, QUERN_E_INPUT, "a document has more than %u positions",
                       QN_POSITIONS_MAX);
    uint64_t start = (uint64_t)inverter->n_owners << SLOT_SHIFT;
    uint64_t blocks = ((uint64_t)n_positions >> SLOT_SHIFT) + 1;
    /* Tokens that share positions could outnumber the slots: their count fits 32 bits too. */
    if (start + (blocks << SLOT_SHIFT) > UINT32_MAX || inverter->n_tokens > INT32_MAX) {
        quern_status status = qn_inverter_flush(inverter, error);
        if (status != QUERN_OK)
            return status;
        start = 0;
    }
    void *table = inverter->owner;
    if (!qn_array_grow(&table, &inverter->owner_cap, inverter->n_owners + (size_t)blocks,
                       sizeof(slot_owner)))
        return qn_fail_memory(error);
    inverter->owner = table;
    const slot_owner owner = {inverter->n_docs, (uint32_t)start,
                              (uint32_t)(start + (blocks << SLOT_SHIFT))};
    for (uint64_t i = 0; i < blocks; i++)
        inverter->owner[inverter->n_owners++] = owner;
    inverter->n_docs++;
    inverter->n_positions = n_positions;
    inverter->doc_slot = (uint32_t)start;
    inverter->next_slot = UINT32_MAX; /* the first token starts a stretch */
    return QUERN_OK;
}

static bool start_stretch(qn_inverter *inverter, uint32_t slot)
{
    void *array = inverter->stretch;
    bool ok =
        qn_array_grow(&array, &inverter->stretch_cap, inverter->n_stretches + 1, sizeof(stretch));
    inverter->stretch = array;
    if (ok)
        inverter->stretch[inverter->n_stretches++] = (stretch){inverter->n_tokens, slot};
    return ok;
}

static bool reserve_log(qn_inverter *inverter, size_t n)
{
    void *array = inverter->log;
    bool ok = qn_array_grow(&array, &inverter->log_cap, inverter->n_tokens + n, sizeof(uint32_t));
    inverter->log = array;
    return ok;
}

quern_status qn_inverter_words(qn_inverter *inverter, const uint32_t *terms, const qn_word *words,
                               size_t n, uint32_t *n_added, quern_error *error)
{
    if (!reserve_log(inverter, n))
        return qn_fail_memory(error);
    size_t before = inverter->n_tokens;
    uint32_t *count = inverter->vocabulary->count;
    for (size_t i = 0; i < n; i++) {
        if (terms[i] == QN_STOP_WORD)
            continue;
        uint32_t slot = inverter->doc_slot + words[i].position;
        if (slot != inverter->next_slot && !start_stretch(inverter, slot))
            return qn_fail_memory(error);
        inverter->log[inverter->n_tokens++] = terms[i];
        count[terms[i]]++;
        inverter->next_slot = slot + 1;
    }
    *n_added += (uint32_t)(inverter->n_tokens - before);
    return QUERN_OK;
}

quern_status qn_inverter_token(qn_inverter *inverter, uint32_t term, uint32_t position,
                               quern_error *error)
{
    const qn_word word = {.position = position};
    uint32_t n_added = 0;
    return qn_inverter_words(inverter, &term, &word, 1, &n_added, error);
}

/* ---- writing a run ---- */

/* A term of the run: sorted by its first bytes (big-endian), then by the rest. */
typedef struct sorted_term {
    uint64_t prefix;
    const quern_span *term;
} sorted_term;

static uint64_t prefix_of(const quern_span *term)
{
    uint64_t prefix = 0;
    memcpy(&prefix, term->data, term->len < 8 ? term->len : 8);
    return __builtin_bswap64(prefix);
}

static int compare_terms(const void *left, const void *right)
{
    const sorted_term *a = left, *b = right;
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    size_t len = a->term->len < b->term->len ? a->term->len : b->term->len;
    int order = memcmp(a->term->data, b->term->data, len);
    if (order != 0)
        return order;
    return a->term->len < b->term->len ? -1 : a->term->len > b->term->len;
}

/* The terms that occur in the run, sorted; *n of them. NULL when memory is short. */
static sorted_term *sort_terms(const qn_vocabulary *vocabulary, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < vocabulary->n_terms; i++)
        *n += vocabulary->count[i] > 0;
    sorted_term *sorted = malloc((*n + 1) * sizeof *sorted);
    if (sorted == NULL)
        return NULL;
    size_t at = 0;
    for (size_t i = 0; i < vocabulary->n_terms; i++)
        if (vocabulary->count[i] > 0)
            sorted[at++] = (sorted_term){prefix_of(&vocabulary->term[i]), &vocabulary->term[i]};
    qsort(sorted, *n, sizeof *sorted, compare_terms);
    return sorted;
}

static bool make_slots(qn_inverter *inverter)
{
    if (inverter->slots != NULL && inverter->slots_cap >= inverter->n_tokens)
        return true;
    free(inverter->slots); /* what it holds is not wanted */
    inverter->slots_cap = inverter->n_tokens;
    inverter->slots = malloc((inverter->n_tokens + 1) * sizeof *inverter->slots);
    if (inverter->slots == NULL)
        inverter->slots_cap = 0;
    return inverter->slots != NULL;
}

/* Scatters slots to their terms; turns each count into where its term's slots end. */
static void scatter(qn_inverter *inverter)
{
    uint32_t *count = inverter->vocabulary->count;
    uint32_t *slots = inverter->slots;
    uint32_t sum = 0;
    for (size_t i = 0; i < inverter->vocabulary->n_terms; i++) {
        uint32_t here = count[i];
        count[i] = sum;
        sum += here;
    }
    for (size_t s = 0; s < inverter->n_stretches; s++) {
        uint32_t slot = inverter->stretch[s].slot;
        size_t end =
            s + 1 < inverter->n_stretches ? inverter->stretch[s + 1].first : inverter->n_tokens;
        for (size_t i = inverter->stretch[s].first; i < end; i++)
            slots[count[inverter->log[i]]++] = slot++;
    }
}

/* Bytes on their way to the spool. */
typedef struct output {
    qn_writer *spool;
    size_t len;
    uint8_t bytes[64 * 1024];
} output;

/* Sees to it that `room` bytes (at most 4 KiB) can be added without a check. */
static inline quern_status make_room(output *out, size_t room, quern_error *error)
{
    if (out->len + room <= sizeof out->bytes)
        return QUERN_OK;
    quern_status status = qn_writer_put(out->spool, out->bytes, out->len, error);
    out->len = 0;
    return status;
}

static inline void put(output *out, uint64_t value)
{
    if (value < 0x80)
        out->bytes[out->len++] = (uint8_t)value;
    else
        out->len += qn_varint_put(out->bytes + out->len, value);
}

enum { GAPS_AT_ONCE = 512, AHEAD = 24 };

/* The positions of slots slot[0..tf) as gaps; `last` is the document's first slot. */
static quern_status put_gaps(output *out, const uint32_t *slot, size_t tf, uint32_t last,
                             quern_error *error)
{
    for (size_t i = 0; i < tf;) {
        size_t end = tf - i < GAPS_AT_ONCE ? tf : i + GAPS_AT_ONCE;
        quern_status status = make_room(out, GAPS_AT_ONCE * QN_VARINT32_MAX, error);
        if (status != QUERN_OK)
            return status;
        for (; i < end; i++) {
            put(out, slot[i] - last);
            last = slot[i];
        }
    }
    return QUERN_OK;
}

static quern_status put_list(const qn_inverter *inverter, const uint32_t *slot, size_t n,
                             output *out, quern_error *error)
{
    uint32_t before = UINT32_MAX; /* the document before the run's first, as a wrapped -1 */
    quern_status status = QUERN_OK;
    for (size_t i = 0; status == QUERN_OK && i < n;) {
        if (i + AHEAD < n)
            __builtin_prefetch(&inverter->owner[slot[i + AHEAD] >> SLOT_SHIFT]);
        const slot_owner *owner = &inverter->owner[slot[i] >> SLOT_SHIFT];
        uint32_t doc = owner->doc, first = owner->first, limit = owner->limit;
        size_t end = i + 1;
        while (end < n && slot[end] < limit)
            end++;
        size_t tf = end - i;
        status = make_room(out, 3 * QN_VARINT64_MAX, error);
        put(out, (uint64_t)(doc - before) << 1 | (tf > 1 ? 1 : 0));
        if (tf > 1)
            put(out, tf);
        if (inverter->positions && tf == 1)
            put(out, slot[i] - first);
        else if (inverter->positions && status == QUERN_OK)
            status = put_gaps(out, slot + i, tf, first, error);
        i = end;
        before = doc;
    }
    if (status == QUERN_OK)
        status = make_room(out, 1, error);
    put(out, 0);
    return status;
}

static quern_status put_run(qn_inverter *inverter, const sorted_term *sorted, size_t n_sorted,
                            const uint32_t *slots, output *out, quern_error *error)
{
    const qn_vocabulary *vocabulary = inverter->vocabulary;
    quern_status status = QUERN_OK;
    for (size_t i = 0; status == QUERN_OK && i < n_sorted; i++) {
        const quern_span *term = sorted[i].term;
        size_t number = (size_t)(term - vocabulary->term);
        uint32_t start = number == 0 ? 0 : vocabulary->count[number - 1];
        status = make_room(out, QN_VARINT32_MAX + QN_WORD_MAX, error);
        put(out, term->len);
        memcpy(out->bytes + out->len, term->data, term->len);
        out->len += term->len;
        if (status == QUERN_OK)
            status =
                put_list(inverter, slots + start, vocabulary->count[number] - start, out, error);
    }
    if (status == QUERN_OK)
        status = qn_writer_put(out->spool, out->bytes, out->len, error);
    return status;
}

quern_status qn_inverter_flush(qn_inverter *inverter, quern_error *error)
{
    if (inverter->n_docs == 0)
        return QUERN_OK;
    void *runs = inverter->run;
    if (!qn_array_grow(&runs, &inverter->run_cap, inverter->n_runs + 1, sizeof(qn_run)))
        return qn_fail_memory(error);
    inverter->run = runs;
    qn_run run = {.spool = &inverter->spool,
                  .offset = inverter->spool.offset,
                  .first_doc = inverter->first_doc};
    size_t n_sorted;
    sorted_term *sorted = sort_terms(inverter->vocabulary, &n_sorted);
    output *out = malloc(sizeof *out);
    quern_status status = QUERN_OK;
    if (sorted == NULL || out == NULL || !make_slots(inverter)) {
        status = qn_fail_memory(error);
    } else {
        scatter(inverter);
        out->spool = &inverter->spool;
        out->len = 0;
        status = put_run(inverter, sorted, n_sorted, inverter->slots, out, error);
    }
    free(out);
    free(sorted);
    if (status == QUERN_OK)
        status = qn_writer_flush(&inverter->spool, error);
    run.end = inverter->spool.offset;
    inverter->run[inverter->n_runs++] = run;
    inverter->first_doc += inverter->n_docs;
    inverter->n_docs = 0;
    if (inverter->n_tokens > inverter->n_tokens_most)
        inverter->n_tokens_most = inverter->n_tokens;
    inverter->n_tokens = inverter->n_stretches = inverter->n_owners = 0;
    if (inverter->vocabulary->n_terms > 0)
        memset(inverter->vocabulary->count, 0,
               inverter->vocabulary->n_terms * sizeof *inverter->vocabulary->count);
    return status;
}

quern_status qn_inverter_go_to(qn_inverter *inverter, uint32_t doc, quern_error *error)
{
    if (inverter->first_doc + inverter->n_docs == doc)
        return QUERN_OK;
    quern_status status = qn_inverter_flush(inverter, error);
    inverter->first_doc = doc;
    return status;
}

quern_status qn_inverter_split(qn_inverter *inverter, quern_error *error)
{
    if (inverter->n_tokens == 0)
        return QUERN_OK;
    quern_status status = qn_inverter_flush(inverter, error);
    inverter->first_doc--;
    return status == QUERN_OK ? qn_inverter_document(inverter, inverter->n_positions, error)
                              : status;
}
