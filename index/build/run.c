/* Reading runs back: see run.h for their grammar (inverter.c writes them). */
#include "index/build/run.h"

#include "index/base/bytes.h"
#include "index/base/status.h"
#include "index/codec/varint.h"

#include <stdlib.h>

enum { GAPS_KEPT = 256 };

quern_status qn_run_reader_open(qn_run_reader *reader, const qn_run *run, bool positions,
                                size_t buffer_bytes, quern_error *error)
{
    *reader = (qn_run_reader){.spool = run->spool,
                              .next = run->offset,
                              .end = run->end,
                              .cap = buffer_bytes < 4096 ? 4096 : buffer_bytes,
                              .before = run->first_doc - 1,
                              .positions = positions};
    reader->buffer = malloc(reader->cap);
    void *gaps = NULL;
    bool ok = qn_array_grow(&gaps, &reader->gaps_cap, 1, sizeof(uint32_t));
    reader->gaps = gaps;
    return reader->buffer == NULL || !ok ? qn_fail_memory(error) : QUERN_OK;
}

void qn_run_reader_close(qn_run_reader *reader)
{
    free(reader->buffer);
    free(reader->gaps);
    *reader = (qn_run_reader){0};
}

/* Moves what is left to the front and fills the buffer up. */
static quern_status refill(qn_run_reader *reader, quern_error *error)
{
    size_t left = reader->len - reader->at;
    memmove(reader->buffer, reader->buffer + reader->at, left);
    uint64_t rest = reader->end - reader->next;
    size_t part = rest < reader->cap - left ? (size_t)rest : reader->cap - left;
    quern_status status = qn_pread_all(reader->spool->fd, reader->buffer + left, part, reader->next,
                                       reader->spool->path, error);
    reader->next += part;
    reader->at = 0;
    reader->len = left + part;
    return status;
}

/* Sees to it that `need` bytes are buffered, or all that are left. */
static inline quern_status ensure(qn_run_reader *reader, size_t need, quern_error *error)
{
    if (reader->len - reader->at >= need || reader->next == reader->end)
        return QUERN_OK;
    return refill(reader, error);
}

static quern_status broken(const qn_run_reader *reader, quern_error *error)
{
    return qn_fail(error, QUERN_E_IO, "a temporary file in %s does not read back as written",
                   reader->spool->path);
}

/* The next varint; ensure() has seen to its bytes. */
static inline bool take(qn_run_reader *reader, uint32_t *value)
{
    const uint8_t *at = reader->buffer + reader->at;
    if (reader->at < reader->len && *at < 0x80) {
        *value = *at;
        reader->at++;
        return true;
    }
    at = qn_varint_get32(at, reader->buffer + reader->len, value);
    if (at == NULL)
        return false;
    reader->at = (size_t)(at - reader->buffer);
    return true;
}

/* Every reader of a merge meets the longest posting of its run once; kept, these would add up. */
static void trim_gaps(qn_run_reader *reader)
{
    if (reader->gaps_cap <= GAPS_KEPT)
        return;
    void *less = realloc(reader->gaps, GAPS_KEPT * sizeof *reader->gaps);
    if (less == NULL)
        return; /* no harm: it is only larger */
    reader->gaps = less;
    reader->gaps_cap = GAPS_KEPT;
}

quern_status qn_run_reader_list(qn_run_reader *reader, quern_error *error)
{
    trim_gaps(reader);
    quern_status status = ensure(reader, 512, error);
    if (status != QUERN_OK)
        return status;
    if (reader->at == reader->len)
        return QUERN_END;
    uint32_t len;
    if (!take(reader, &len) || len == 0 || len > 255 || len > reader->len - reader->at)
        return broken(reader, error);
    memcpy(reader->term, reader->buffer + reader->at, len);
    reader->term_len = len;
    reader->at += len;
    reader->doc = reader->before;
    return QUERN_OK;
}

static quern_status take_gaps(qn_run_reader *reader, uint32_t tf, quern_error *error)
{
    if (tf > reader->gaps_cap) {
        void *gaps = reader->gaps;
        if (!qn_array_grow(&gaps, &reader->gaps_cap, tf, sizeof(uint32_t)))
            return qn_fail_memory(error);
        reader->gaps = gaps;
    }
    for (uint32_t i = 0; i < tf; i++) {
        if (i % 32 == 0) {
            quern_status status = ensure(reader, 32 * QN_VARINT32_MAX, error);
            if (status != QUERN_OK)
                return status;
        }
        if (!take(reader, &reader->gaps[i]))
            return broken(reader, error);
    }
    return QUERN_OK;
}

quern_status qn_run_reader_posting(qn_run_reader *reader, uint32_t *doc, uint32_t *tf,
                                   quern_error *error)
{
    quern_status status = ensure(reader, 16, error);
    if (status != QUERN_OK)
        return status;
    uint64_t head = reader->at < reader->len ? reader->buffer[reader->at] : 0x80;
    if (head < 0x80) {
        reader->at++;
    } else {
        const uint8_t *at =
            qn_varint_get64(reader->buffer + reader->at, reader->buffer + reader->len, &head);
        if (at == NULL)
            return broken(reader, error);
        reader->at = (size_t)(at - reader->buffer);
    }
    if (head == 0)
        return QUERN_END;
    reader->doc += (uint32_t)(head >> 1);
    *doc = reader->doc;
    *tf = 1;
    if ((head & 1) != 0 && !take(reader, tf))
        return broken(reader, error);
    if (!reader->positions)
        return QUERN_OK;
    if (*tf == 1 && reader->at < reader->len && reader->buffer[reader->at] < 0x80) {
        reader->gaps[0] = reader->buffer[reader->at++]; /* the commonest case */
        return QUERN_OK;
    }
    return take_gaps(reader, *tf, error);
}
