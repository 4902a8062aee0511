/* Runs as parts of a merge: see merge_runs.h. */
#include "index/build/merge_runs.h"

#include "index/base/buffer.h"
#include "index/base/bytes.h"
#include "index/base/status.h"
#include "index/build/merge.h"

#include <stdlib.h>

enum { BUFFER_MAX = 1 << 20 };

/* ---- runs in a spool ---- */

typedef struct run_part {
    qn_merge_part part;
    qn_run_reader reader;
    const uint32_t *renumber;
    uint64_t offset; /* of the run in its spool */
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
    const uint32_t *renumber = run->renumber;
    for (;;) {
        uint32_t doc, tf;
        quern_status status = qn_run_reader_posting(&run->reader, &doc, &tf, error);
        if (status == QUERN_END)
            return QUERN_OK;
        if (status != QUERN_OK)
            return status;
        if (renumber != NULL) {
            doc = renumber[doc];
            if (doc == UINT32_MAX)
                continue;
        }
        status = qn_pipe_add(pipe, doc, tf, run->reader.gaps, error);
        if (status != QUERN_OK)
            return status;
    }
}

static uint64_t done(const qn_merge_part *part)
{
    const run_part *run = (const run_part *)part;
    return run->reader.next - run->offset;
}

/* ---- runs in memory ---- */

typedef struct resident_part {
    qn_merge_part part;
    const qn_resident *run;
    const uint32_t *renumber;
    size_t term;    /* the next one */
    uint32_t *gaps; /* of the posting at hand */
    size_t gaps_cap;
    uint64_t n_done;
} resident_part;

/* Terms lie in the order in which they were first seen, and so do their keys: all that is read of a
 * term is fetched a few terms before, step by step. */
static void fetch_ahead(const qn_resident *run, size_t term)
{
    enum { SPAN = 24, TEXT = 16, LISTS = 8 };
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

static quern_status grow_gaps(resident_part *p, quern_error *error)
{
    void *gaps = p->gaps;
    bool ok = qn_array_grow(&gaps, &p->gaps_cap, p->gaps_cap + 1, sizeof *p->gaps);
    p->gaps = gaps;
    return ok ? QUERN_OK : qn_fail_memory(error);
}

/* The postings of a term, renumbered. `narrow` is constant in each instance. Most postings have one
 * key: what begins a vectorised loop would be most of the time. */
static inline __attribute__((always_inline)) quern_status
copy_postings(resident_part *p, const qn_resident_term *term, bool narrow, qn_pipe *pipe,
              quern_error *error)
{
    const uint32_t *narrow_key = p->run->narrow, first_doc = p->run->first_doc;
    const uint64_t *wide_key = p->run->wide;
    const unsigned bits = p->run->position_bits;
    const uint64_t position = ((uint64_t)1 << bits) - 1;
    const size_t end = term->end;
    quern_status status = QUERN_OK;
    for (size_t at = term->start; status == QUERN_OK && at < end;) {
        uint64_t key = narrow ? narrow_key[at] : wide_key[at], last = key | position;
        uint32_t doc = first_doc + (uint32_t)(key >> bits), tf = 0;
        uint64_t before = key & ~position;
        do {
            if (tf == p->gaps_cap && (status = grow_gaps(p, error)) != QUERN_OK)
                return status;
            p->gaps[tf++] = (uint32_t)(key - before);
            before = key;
            if (++at == end)
                break;
            key = narrow ? narrow_key[at] : wide_key[at];
        } while (key <= last);
        if ((doc = p->renumber[doc]) != UINT32_MAX)
            status = qn_pipe_add(pipe, doc, tf, p->gaps, error);
    }
    return status;
}

static quern_status resident_copy(qn_merge_part *part, qn_pipe *pipe, quern_error *error)
{
    resident_part *p = (resident_part *)part;
    const qn_resident_term *term = &p->run->term[p->term - 1];
    p->n_done += term->end - term->start;
    if (p->renumber == NULL) {
        const qn_resident *run = p->run;
        const qn_keys keys = {
            .narrow = run->narrow != NULL ? run->narrow + term->start : NULL,
            .wide = run->narrow != NULL ? NULL : run->wide + term->start,
            .n = term->end - term->start,
            .position_bits = run->position_bits,
            .first_doc = run->first_doc,
        };
        return qn_pipe_keys(pipe, &keys, error);
    }
    return p->run->narrow != NULL ? copy_postings(p, term, true, pipe, error)
                                  : copy_postings(p, term, false, pipe, error);
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
} parts;

static void close_parts(parts *p)
{
    for (size_t i = 0; i < p->n; i++) {
        if (p->spooled != NULL)
            qn_run_reader_close(&p->spooled[i].reader);
        if (p->resident != NULL)
            free(p->resident[i].gaps);
    }
    free(p->list);
    free(p->spooled);
    free(p->resident);
}

static quern_status open_run(parts *p, size_t i, const qn_merge_input *input, bool positions,
                             size_t buffer, quern_error *error)
{
    const qn_run *run = &input->run[i];
    if (run->resident != NULL) {
        p->resident[i] = (resident_part){.part = {.next = resident_next,
                                                  .copy = resident_copy,
                                                  .done = resident_done,
                                                  .total = run->resident->n_keys},
                                         .run = run->resident,
                                         .renumber = input->renumber};
        p->list[i] = &p->resident[i].part;
        return QUERN_OK;
    }
    run_part *spooled = &p->spooled[i];
    spooled->part =
        (qn_merge_part){.next = next, .copy = copy, .done = done, .total = run->end - run->offset};
    spooled->renumber = input->renumber;
    spooled->offset = run->offset;
    p->list[i] = &spooled->part;
    return qn_run_reader_open(&spooled->reader, run, positions, buffer, error);
}

static quern_status open_parts(parts *p, const qn_merge_input *input, bool positions,
                               quern_error *error)
{
    size_t n = input->n_runs;
    *p = (parts){.n = n,
                 .list = calloc(n + 1, sizeof(qn_merge_part *)),
                 .spooled = calloc(n + 1, sizeof(run_part)),
                 .resident = calloc(n + 1, sizeof(resident_part))};
    if (p->list == NULL || p->spooled == NULL || p->resident == NULL)
        return qn_fail_memory(error);
    size_t each = n == 0 ? 0 : input->buffer_bytes / n;
    each = each < BUFFER_MAX ? each : BUFFER_MAX;
    for (size_t i = 0; i < n; i++) {
        quern_status status = open_run(p, i, input, positions, each, error);
        if (status != QUERN_OK)
            return status;
    }
    return QUERN_OK;
}

quern_status qn_merge_runs(const qn_merge_input *input, const qn_merge_output *output,
                           quern_error *error)
{
    parts p;
    quern_status status = open_parts(&p, input, output->positions, error);
    if (status == QUERN_OK)
        status = qn_merge_parts(p.list, p.n, output, error);
    close_parts(&p);
    return status;
}
