/* Inversion by counting sort: see inverter.h. */
#include "index/build/inverter.h"

#include "index/base/status.h"

#include <stdlib.h>

/* A run of fewer tokens is too short to be ended for the width of its keys. */
enum { SPOOL_BUFFER = 1 << 20, NARROW_TOKENS = 4 << 20 };

quern_status qn_inverter_init(qn_inverter *inverter, qn_vocabulary *vocabulary, bool positions,
                              int dirfd, const char *path, quern_error *error)
{
    *inverter = (qn_inverter){.vocabulary = vocabulary, .positions = positions};
    return qn_writer_spool(&inverter->spool, dirfd, path, SPOOL_BUFFER, error);
}

void qn_inverter_shrink(qn_inverter *inverter)
{
    free(inverter->log);
    free(inverter->stretch);
    inverter->log = NULL;
    inverter->stretch = NULL;
    inverter->n_tokens = inverter->log_cap = inverter->n_tokens_most = 0;
    inverter->n_stretches = inverter->stretch_cap = 0;
}

void qn_inverter_trim(qn_inverter *inverter)
{
    free(inverter->log);
    inverter->log = NULL;
    inverter->log_cap = inverter->n_tokens_most = 0;
}

void qn_inverter_free(qn_inverter *inverter)
{
    qn_inverter_shrink(inverter);
    for (size_t i = 0; i < inverter->n_runs; i++)
        qn_resident_free(inverter->run[i].resident);
    free(inverter->run);
    qn_writer_close(&inverter->spool);
    *inverter = (qn_inverter){0};
}

/* What the next run is made from. */
static qn_resident_input input_of(const qn_inverter *inverter)
{
    return (qn_resident_input){.vocabulary = inverter->vocabulary,
                               .log = inverter->log,
                               .n_tokens = inverter->n_tokens,
                               .stretch = inverter->stretch,
                               .n_stretches = inverter->n_stretches,
                               .n_docs = inverter->n_docs,
                               .max_position = inverter->max_position};
}

size_t qn_inverter_bytes(const qn_inverter *inverter)
{
    /* Of the log, what was written once is resident. */
    size_t log =
        inverter->n_tokens > inverter->n_tokens_most ? inverter->n_tokens : inverter->n_tokens_most;
    const qn_resident_input input = input_of(inverter);
    return sizeof(uint32_t) * log + sizeof(qn_stretch) * inverter->n_stretches +
           qn_resident_growth(&input) + inverter->resident_bytes;
}

quern_status qn_inverter_document(qn_inverter *inverter, uint32_t n_positions, quern_error *error)
{
    if (n_positions > QN_POSITIONS_MAX)
        return qn_fail(error, QUERN_E_INPUT, "a document has more than %u positions",
                       QN_POSITIONS_MAX);
    /* Counts of tokens fit 32 bits; and a run should not get keys twice as wide if it is worth
     * having as it is. */
    if (inverter->n_tokens > INT32_MAX ||
        (inverter->n_tokens > NARROW_TOKENS &&
         !qn_resident_is_narrow(inverter->n_docs + 1, inverter->max_position))) {
        quern_status status = qn_inverter_flush(inverter, error);
        if (status != QUERN_OK)
            return status;
    }
    inverter->n_docs++;
    inverter->n_positions = n_positions;
    inverter->next_position = UINT32_MAX; /* the first token starts a stretch */
    return QUERN_OK;
}

static bool start_stretch(qn_inverter *inverter, uint32_t position)
{
    void *array = inverter->stretch;
    bool ok = qn_array_grow(&array, &inverter->stretch_cap, inverter->n_stretches + 1,
                            sizeof(qn_stretch));
    inverter->stretch = array;
    if (ok)
        inverter->stretch[inverter->n_stretches++] =
            (qn_stretch){inverter->n_tokens, inverter->n_docs - 1, position};
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
    uint32_t *count = inverter->vocabulary->count;
    uint32_t *const first = inverter->log + inverter->n_tokens, *to = first;
    uint32_t next = inverter->next_position;
    for (size_t i = 0; i < n; i++) {
        uint32_t term = terms[i], position = words[i].position;
        if (term == QN_STOP_WORD)
            continue;
        if (position != next) {
            inverter->n_tokens = (size_t)(to - inverter->log);
            if (!start_stretch(inverter, position))
                return qn_fail_memory(error);
        }
        *to++ = term;
        count[term]++;
        next = position + 1;
    }
    inverter->n_tokens = (size_t)(to - inverter->log);
    inverter->next_position = next;
    /* They do not decrease. */
    if (n > 0 && words[n - 1].position > inverter->max_position)
        inverter->max_position = words[n - 1].position;
    *n_added += (uint32_t)(to - first);
    return QUERN_OK;
}

quern_status qn_inverter_token(qn_inverter *inverter, uint32_t term, uint32_t position,
                               quern_error *error)
{
    const qn_word word = {.position = position};
    uint32_t n_added = 0;
    return qn_inverter_words(inverter, &term, &word, 1, &n_added, error);
}

/* ---- runs ---- */

/* Makes room for one more run. */
static bool reserve_run(qn_inverter *inverter)
{
    void *runs = inverter->run;
    bool ok = qn_array_grow(&runs, &inverter->run_cap, inverter->n_runs + 1, sizeof(qn_run));
    inverter->run = runs;
    return ok;
}

quern_status qn_inverter_flush(qn_inverter *inverter, quern_error *error)
{
    if (inverter->n_docs == 0)
        return QUERN_OK;
    const qn_resident_input input = input_of(inverter);
    qn_resident *resident = reserve_run(inverter) ? qn_resident_new(&input) : NULL;
    if (resident == NULL)
        return qn_fail_memory(error);
    resident->first_doc = inverter->first_doc;
    resident->positions = inverter->positions;
    inverter->run[inverter->n_runs] = (qn_run){.resident = resident,
                                               .first_doc = inverter->first_doc,
                                               .order = (uint32_t)inverter->n_runs};
    inverter->n_runs++;
    inverter->resident_bytes += qn_resident_bytes(resident);
    inverter->first_doc += inverter->n_docs;
    inverter->n_docs = 0;
    if (inverter->n_tokens > inverter->n_tokens_most)
        inverter->n_tokens_most = inverter->n_tokens;
    inverter->n_tokens = inverter->n_stretches = 0;
    inverter->max_position = 0;
    return QUERN_OK;
}

quern_status qn_inverter_spill(qn_inverter *inverter, quern_error *error)
{
    for (size_t i = 0; i < inverter->n_runs; i++) {
        if (inverter->run[i].resident == NULL)
            continue;
        quern_status status = qn_run_spill(&inverter->run[i], &inverter->spool, error);
        if (status != QUERN_OK)
            return status;
    }
    inverter->resident_bytes = 0;
    return QUERN_OK;
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
