/* Runs as parts of a merge: see merge_runs.h. */
#include "index/build/merge_runs.h"

#include "index/base/buffer.h"
#include "index/base/bytes.h"
#include "index/base/status.h"
#include "index/build/merge.h"

#include <stdlib.h>

enum { BUFFER_MAX = 1 << 20 };

/* Renumbers the postings of lists on their way. */
typedef struct renumbering {
    const uint32_t *number; /* new one of each old one, UINT32_MAX if dropped; NULL: all stay */
    uint32_t *gaps;         /* of the posting at hand */
    size_t gaps_cap;
} renumbering;

static quern_status grow_gaps(renumbering *r, quern_error *error)
{
    void *gaps = r->gaps;
    bool ok = qn_array_grow(&gaps, &r->gaps_cap, r->gaps_cap + 1, sizeof *r->gaps);
    r->gaps = gaps;
    return ok ? QUERN_OK : qn_fail_memory(error);
}

/* Hands on the postings of keys one by one, renumbered. `narrow` is constant in each instance. Most
 * postings have one key: what begins a vectorised loop would be most of the time. */
static inline __attribute__((always_inline)) quern_status
renumber_keys(renumbering *r, const qn_keys *keys, bool narrow, qn_pipe *pipe, quern_error *error)
{
    const uint64_t position = ((uint64_t)1 << keys->position_bits) - 1;
    quern_status status = QUERN_OK;
    for (size_t at = 0; status == QUERN_OK && at < keys->n;) {
        uint64_t key = narrow ? keys->narrow[at] : keys->wide[at], last = key | position;
        uint32_t doc = keys->first_doc + (uint32_t)(key >> keys->position_bits), tf = 0;
        uint64_t before = key & ~position;
        do {
            if (tf == r->gaps_cap && (status = grow_gaps(r, error)) != QUERN_OK)
                return status;
            r->gaps[tf++] = (uint32_t)(key - before);
            before = key;
            if (++at == keys->n)
                break;
            key = narrow ? keys->narrow[at] : keys->wide[at];
        } while (key <= last);
        if ((doc = r->number[doc]) != UINT32_MAX)
            status = qn_pipe_add(pipe, doc, tf, r->gaps, error);
    }
    return status;
}

/* Hands keys on; `stays` as qn_pipe_keys has it. */
static quern_status hand_on(renumbering *r, const qn_keys *keys, bool stays, qn_pipe *pipe,
                            quern_error *error)
{
    if (r->number == NULL)
        return qn_pipe_keys(pipe, keys, stays, error);
    return keys->narrow != NULL ? renumber_keys(r, keys, true, pipe, error)
                                : renumber_keys(r, keys, false, pipe, error);
}

/* ---- runs in a spool ---- */

typedef struct run_part {
    qn_merge_part part;
    qn_run_reader reader;
    qn_run_chunk *chunk; /* of all parts, as the next */
    renumbering *renumbering;
} run_part;

static quern_status next(qn_merge_part *part, quern_error *error)
{
    run_part *run = (run_part *)part;
    quern_status status = qn_run_reader_list(&run->reader, error);
    part->term = run->reader.term;
    part->term_len = run->reader.term_len;
    if (status == QUERN_OK)
        part->prefix = qn_prefix(part->term, part->term_len);
    return status;
}

static quern_status copy(qn_merge_part *part, qn_pipe *pipe, quern_error *error)
{
    run_part *run = (run_part *)part;
    for (;;) {
        qn_keys keys;
        quern_status status = qn_run_reader_keys(&run->reader, run->chunk, &keys, error);
        if (status == QUERN_END)
            return QUERN_OK;
        if (status == QUERN_OK)
            status = hand_on(run->renumbering, &keys, false, pipe, error);
        if (status != QUERN_OK)
            return status;
    }
}

static uint64_t done(const qn_merge_part *part)
{
    const run_part *run = (const run_part *)part;
    return run->reader.next - run->reader.run->offset;
}

/* ---- runs in memory ---- */

typedef struct resident_part {
    qn_merge_part part;
    const qn_resident *run;
    renumbering *renumbering; /* of all parts */
    size_t term;              /* the next one */
    uint64_t n_done;
} resident_part;

/* Terms lie in the order in which they were first seen, and so do their keys: all that is read of a
 * term is fetched a few terms before, step by step. */
static void fetch_ahead(const qn_resident *run, size_t term)
{
    enum { SPAN = 48, TEXT = 32, LISTS = 16 };
    if (run->n_terms - term <= SPAN)
        return;
    const qn_resident_term *at = run->term + term;
    const quern_span *span = run->vocabulary->term;
    __builtin_prefetch(&span[at[SPAN].number]);
    __builtin_prefetch(span[at[TEXT].number].data);
    if (run->narrow != NULL)
        __builtin_prefetch(run->narrow + at[LISTS].start);
    else
        __builtin_prefetch(run->wide + at[LISTS].start);
}

static quern_status resident_next(qn_merge_part *part, quern_error *error)
{
    resident_part *p = (resident_part *)part;
    (void)error;
    if (p->term == p->run->n_terms)
        return QUERN_END;
    fetch_ahead(p->run, p->term);
    const qn_resident_term *term = &p->run->term[p->term++];
    const quern_span *text = &p->run->vocabulary->term[term->number];
    part->prefix = term->prefix;
    part->term = text->data;
    part->term_len = (uint32_t)text->len;
    return QUERN_OK;
}

static quern_status resident_copy(qn_merge_part *part, qn_pipe *pipe, quern_error *error)
{
    resident_part *p = (resident_part *)part;
    const qn_resident *run = p->run;
    const qn_resident_term *term = &run->term[p->term - 1];
    const qn_keys keys = {
        .narrow = run->narrow != NULL ? run->narrow + term->start : NULL,
        .wide = run->narrow != NULL ? NULL : run->wide + term->start,
        .n = term->end - term->start,
        .position_bits = run->position_bits,
        .first_doc = run->first_doc,
    };
    p->n_done += keys.n;
    return hand_on(p->renumbering, &keys, true, pipe, error);
}

static uint64_t resident_done(const qn_merge_part *part)
{
    return ((const resident_part *)part)->n_done;
}

/* ---- all ---- */

/* The parts of a merge: of each run one of the two. */
typedef struct parts {
    size_t n;
    qn_merge_part **list;
    run_part *spooled;
    resident_part *resident;
    qn_run_chunk *chunk;
    renumbering renumbering;
} parts;

static void close_parts(parts *p)
{
    for (size_t i = 0; p->spooled != NULL && i < p->n; i++)
        qn_run_reader_close(&p->spooled[i].reader);
    free(p->list);
    free(p->spooled);
    free(p->resident);
    free(p->chunk);
    free(p->renumbering.gaps);
}

static quern_status open_run(parts *p, size_t i, const qn_merge_input *input, size_t buffer,
                             quern_error *error)
{
    const qn_run *run = &input->run[i];
    if (run->resident != NULL) {
        p->resident[i] = (resident_part){.part = {.next = resident_next,
                                                  .copy = resident_copy,
                                                  .done = resident_done,
                                                  .total = run->resident->n_keys},
                                         .run = run->resident,
                                         .renumbering = &p->renumbering};
        p->list[i] = &p->resident[i].part;
        return QUERN_OK;
    }
    run_part *spooled = &p->spooled[i];
    spooled->part =
        (qn_merge_part){.next = next, .copy = copy, .done = done, .total = run->end - run->offset};
    spooled->chunk = p->chunk;
    spooled->renumbering = &p->renumbering;
    p->list[i] = &spooled->part;
    return qn_run_reader_open(&spooled->reader, run, buffer, error);
}

static quern_status open_parts(parts *p, const qn_merge_input *input, quern_error *error)
{
    size_t n = input->n_runs;
    *p = (parts){.n = n,
                 .list = calloc(n + 1, sizeof(qn_merge_part *)),
                 .spooled = calloc(n + 1, sizeof(run_part)),
                 .resident = calloc(n + 1, sizeof(resident_part)),
                 .chunk = malloc(sizeof(qn_run_chunk)),
                 .renumbering = {.number = input->renumber}};
    if (p->list == NULL || p->spooled == NULL || p->resident == NULL || p->chunk == NULL)
        return qn_fail_memory(error);
    size_t each = n == 0 ? 0 : input->buffer_bytes / n;
    each = each < BUFFER_MAX ? each : BUFFER_MAX;
    for (size_t i = 0; i < n; i++) {
        quern_status status = open_run(p, i, input, each, error);
        if (status != QUERN_OK)
            return status;
    }
    return QUERN_OK;
}

quern_status qn_merge_runs(const qn_merge_input *input, const qn_merge_output *output,
                           quern_error *error)
{
    parts p;
    quern_status status = open_parts(&p, input, error);
    if (status == QUERN_OK)
        status = qn_merge_parts(p.list, p.n, output, error);
    close_parts(&p);
    return status;
}
