/* Writing runs to a spool: see run.h for their grammar. */
#include "index/base/status.h"
#include "index/build/run.h"
#include "index/codec/varint.h"

#include <stdlib.h>
#include <string.h>

/* Bytes on their way to the spool. */
typedef struct output {
    qn_writer *spool;
    const qn_block_kernels *kernels;
    const qn_resident *run;
    unsigned drop; /* lowest bits of keys that are left out */
    bool wide;     /* what is left of keys is */
    size_t len;
    uint8_t bytes[64 * 1024];
} output;

/* What the head of a list takes at most. */
enum { HEAD_MAX = 2 * QN_VARINT64_MAX + QN_WORD_MAX };

/* Sees to it that `room` bytes can be added without a check. */
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

static inline uint64_t key_at(const output *out, size_t i)
{
    return (out->run->narrow != NULL ? out->run->narrow[i] : out->run->wide[i]) >> out->drop;
}

/* The n distances from key `at` on, as varints; `last` is the key before. */
static void put_few(output *out, size_t at, unsigned n, uint64_t last)
{
    for (unsigned i = 0; i < n; i++) {
        uint64_t key = key_at(out, at + i);
        put(out, key - last);
        last = key;
    }
}

/* As blocks. */
static void put_blocks(output *out, size_t at, unsigned n, uint64_t last)
{
    uint32_t low[QN_BLOCK], high[QN_BLOCK];
    for (unsigned i = 0; i < n; i++) {
        uint64_t key = key_at(out, at + i), distance = key - last;
        low[i] = (uint32_t)distance;
        high[i] = (uint32_t)(distance >> 32);
        last = key;
    }
    out->len += out->kernels->encode(low, n, false, out->bytes + out->len);
    if (out->wide)
        out->len += out->kernels->encode(high, n, false, out->bytes + out->len);
}

static quern_status put_list(output *out, const qn_resident_term *term, quern_error *error)
{
    quern_status status = QUERN_OK;
    uint64_t last = 0;
    unsigned n;
    for (size_t at = term->start; status == QUERN_OK && at < term->end; at += n) {
        n = term->end - at < QN_BLOCK ? (unsigned)(term->end - at) : QN_BLOCK;
        if (n < QN_RUN_FEW) {
            status = make_room(out, QN_RUN_FEW * QN_VARINT64_MAX, error);
            put_few(out, at, n, last);
        } else {
            status = make_room(out, QN_RUN_GROUP_MAX, error);
            put_blocks(out, at, n, last);
        }
        last = key_at(out, at + n - 1);
    }
    return status;
}

static quern_status put_terms(output *out, quern_error *error)
{
    const qn_resident *run = out->run;
    quern_status status = QUERN_OK;
    for (size_t i = 0; status == QUERN_OK && i < run->n_terms; i++) {
        const qn_resident_term *term = &run->term[i];
        const quern_span *text = &run->vocabulary->term[term->number];
        status = make_room(out, HEAD_MAX, error);
        put(out, text->len);
        memcpy(out->bytes + out->len, text->data, text->len);
        out->len += text->len;
        put(out, term->end - term->start);
        if (status == QUERN_OK)
            status = put_list(out, term, error);
    }
    return status == QUERN_OK ? qn_writer_put(out->spool, out->bytes, out->len, error) : status;
}

quern_status qn_run_spill(qn_run *run, qn_writer *spool, quern_error *error)
{
    const qn_resident *resident = run->resident;
    output *out = malloc(sizeof *out);
    if (out == NULL)
        return qn_fail_memory(error);
    out->spool = spool;
    out->kernels = qn_block_kernels_for(qn_cpu_detect());
    out->run = resident;
    out->drop = resident->positions ? 0 : resident->position_bits;
    out->wide = resident->narrow == NULL && resident->positions;
    out->len = 0;
    const qn_run spilled = {.spool = spool,
                            .offset = spool->offset,
                            .wide = out->wide,
                            .position_bits = resident->position_bits - out->drop,
                            .first_doc = run->first_doc,
                            .order = run->order};
    quern_status status = put_terms(out, error);
    free(out);
    if (status == QUERN_OK)
        status = qn_writer_flush(spool, error);
    if (status != QUERN_OK)
        return status;
    qn_resident_free(run->resident);
    *run = spilled;
    run->end = spool->offset;
    return QUERN_OK;
}
