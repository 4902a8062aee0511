/* Reading runs back from a spool: see run.h for their grammar. */
#include "index/base/bytes.h"
#include "index/base/status.h"
#include "index/build/run.h"
#include "index/codec/varint.h"

#include <stdlib.h>
#include <string.h>

/* What is buffered before it is read, unless the run ends sooner: the head of a list, a group. */
enum { HEAD_MAX = 512, BUFFER_LEAST = 4096 };

_Static_assert((int)QN_RUN_GROUP_MAX <= (int)BUFFER_LEAST, "a group fits the buffer");

quern_status qn_run_reader_open(qn_run_reader *reader, const qn_run *run, size_t buffer_bytes,
                                quern_error *error)
{
    *reader = (qn_run_reader){.run = run,
                              .kernels = qn_block_kernels_for(qn_cpu_detect()),
                              .next = run->offset,
                              .cap = buffer_bytes < BUFFER_LEAST ? BUFFER_LEAST : buffer_bytes};
    reader->buffer = malloc(reader->cap + QN_PADDING);
    return reader->buffer == NULL ? qn_fail_memory(error) : QUERN_OK;
}

void qn_run_reader_close(qn_run_reader *reader)
{
    free(reader->buffer);
    *reader = (qn_run_reader){0};
}

/* Moves what is left to the front and fills the buffer up. */
static quern_status refill(qn_run_reader *reader, quern_error *error)
{
    const qn_run *run = reader->run;
    size_t left = reader->len - reader->at;
    memmove(reader->buffer, reader->buffer + reader->at, left);
    uint64_t rest = run->end - reader->next;
    size_t part = rest < reader->cap - left ? (size_t)rest : reader->cap - left;
    quern_status status = qn_pread_all(run->spool->fd, reader->buffer + left, part, reader->next,
                                       run->spool->path, error);
    reader->next += part;
    reader->at = 0;
    reader->len = left + part;
    memset(reader->buffer + reader->len, 0, QN_PADDING);
    return status;
}

/* Sees to it that `need` bytes are buffered, or all that are left. */
static inline quern_status ensure(qn_run_reader *reader, size_t need, quern_error *error)
{
    if (reader->len - reader->at >= need || reader->next == reader->run->end)
        return QUERN_OK;
    return refill(reader, error);
}

static quern_status broken(const qn_run_reader *reader, quern_error *error)
{
    return qn_fail(error, QUERN_E_IO, "a temporary file in %s does not read back as written",
                   reader->run->spool->path);
}

/* The next varint; ensure() has seen to its bytes. */
static inline bool take(qn_run_reader *reader, uint64_t *value)
{
    const uint8_t *at = reader->buffer + reader->at;
    if (reader->at < reader->len && *at < 0x80) {
        *value = *at;
        reader->at++;
        return true;
    }
    at = qn_varint_get64(at, reader->buffer + reader->len, value);
    if (at == NULL)
        return false;
    reader->at = (size_t)(at - reader->buffer);
    return true;
}

quern_status qn_run_reader_list(qn_run_reader *reader, quern_error *error)
{
    quern_status status = ensure(reader, HEAD_MAX, error);
    if (status != QUERN_OK)
        return status;
    if (reader->at == reader->len)
        return QUERN_END;
    uint64_t len;
    if (!take(reader, &len) || len == 0 || len >= sizeof reader->term ||
        len > reader->len - reader->at)
        return broken(reader, error);
    memcpy(reader->term, reader->buffer + reader->at, (size_t)len);
    reader->term_len = (uint32_t)len;
    reader->at += (size_t)len;
    reader->last = 0;
    return take(reader, &reader->n_left) ? QUERN_OK : broken(reader, error);
}

/* ---- keys ---- */

/* Reads n distances as varints and puts their keys at `to` of the chunk. */
static bool take_few(qn_run_reader *reader, unsigned n, qn_run_chunk *chunk, size_t to)
{
    for (unsigned i = 0; i < n; i++) {
        uint64_t distance;
        if (!take(reader, &distance))
            return false;
        reader->last += distance;
        if (reader->run->wide)
            chunk->wide[to + i] = reader->last;
        else
            chunk->narrow[to + i] = (uint32_t)reader->last;
    }
    return true;
}

/* Likewise as blocks. */
static bool take_blocks(qn_run_reader *reader, unsigned n, qn_run_chunk *chunk, size_t to)
{
    const uint8_t *at = reader->buffer + reader->at, *end = reader->buffer + reader->len;
    at = reader->kernels->decode(at, end, n, chunk->low);
    if (reader->run->wide)
        at = reader->kernels->decode(at, end, n, chunk->high);
    if (at == NULL)
        return false;
    reader->at = (size_t)(at - reader->buffer);
    if (reader->run->wide) {
        uint64_t key = reader->last;
        for (unsigned i = 0; i < n; i++)
            chunk->wide[to + i] = key += (uint64_t)chunk->high[i] << 32 | chunk->low[i];
        reader->last = key;
    } else {
        uint32_t key = (uint32_t)reader->last;
        for (unsigned i = 0; i < n; i++)
            chunk->narrow[to + i] = key += chunk->low[i];
        reader->last = key;
    }
    return true;
}

quern_status qn_run_reader_keys(qn_run_reader *reader, qn_run_chunk *chunk, qn_keys *keys,
                                quern_error *error)
{
    size_t n = 0;
    if (reader->n_left == 0)
        return QUERN_END;
    while (reader->n_left > 0 && n + QN_BLOCK <= QN_RUN_CHUNK) {
        unsigned part = reader->n_left < QN_BLOCK ? (unsigned)reader->n_left : QN_BLOCK;
        quern_status status = ensure(reader, QN_RUN_GROUP_MAX, error);
        if (status != QUERN_OK)
            return status;
        if (!(part < QN_RUN_FEW ? take_few : take_blocks)(reader, part, chunk, n))
            return broken(reader, error);
        n += part;
        reader->n_left -= part;
    }
    *keys = (qn_keys){.narrow = reader->run->wide ? NULL : chunk->narrow,
                      .wide = reader->run->wide ? chunk->wide : NULL,
                      .n = n,
                      .position_bits = reader->run->position_bits,
                      .first_doc = reader->run->first_doc};
    return QUERN_OK;
}
