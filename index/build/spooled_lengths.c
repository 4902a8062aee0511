/* Lengths in a spool: see spooled_lengths.h. */
#include "index/build/spooled_lengths.h"

#include "index/base/status.h"

#include <stdlib.h>
#include <string.h>

/* Documents whose lengths are held. */
enum { SPOOL_BUFFER = 64 * 1024, HELD = 1024 };

typedef struct qn_lengths_piece {
    uint64_t offset; /* in the spool */
    uint32_t first, n;
} piece;

quern_status qn_spooled_lengths_init(qn_spooled_lengths *lengths, unsigned n_fields, int dirfd,
                                     const char *path, quern_error *error)
{
    *lengths = (qn_spooled_lengths){.n_fields = n_fields,
                                    .held = malloc(HELD * n_fields * sizeof(uint32_t))};
    if (lengths->held == NULL)
        return qn_fail_memory(error);
    return qn_writer_spool(&lengths->spool, dirfd, path, SPOOL_BUFFER, error);
}

void qn_spooled_lengths_free(qn_spooled_lengths *lengths)
{
    qn_writer_close(&lengths->spool);
    free(lengths->piece);
    free(lengths->held);
    free(lengths->read);
    *lengths = (qn_spooled_lengths){0};
}

size_t qn_spooled_lengths_bytes(const qn_spooled_lengths *lengths)
{
    return lengths->piece_cap * sizeof(piece) + lengths->read_cap * sizeof(uint32_t) +
           HELD * lengths->n_fields * sizeof(uint32_t);
}

/* Writes what is held as a piece. */
static quern_status put_piece(qn_spooled_lengths *lengths, quern_error *error)
{
    size_t n = lengths->n_held;
    void *pieces = lengths->piece;
    if (n == 0)
        return QUERN_OK;
    bool ok = qn_array_grow(&pieces, &lengths->piece_cap, lengths->n_pieces + 1, sizeof(piece));
    lengths->piece = pieces;
    if (!ok)
        return qn_fail_memory(error);
    lengths->piece[lengths->n_pieces++] =
        (piece){lengths->spool.offset, lengths->first_held, (uint32_t)n};
    lengths->n_held = 0;
    return qn_writer_put(&lengths->spool, lengths->held,
                         n * lengths->n_fields * sizeof *lengths->held, error);
}

quern_status qn_spooled_lengths_add(qn_spooled_lengths *lengths, uint32_t doc,
                                    const uint32_t *length, quern_error *error)
{
    quern_status status = QUERN_OK;
    if (lengths->n_held == HELD || doc != lengths->first_held + lengths->n_held)
        status = put_piece(lengths, error);
    if (status != QUERN_OK)
        return status;
    if (lengths->n_held == 0)
        lengths->first_held = doc;
    memcpy(lengths->held + lengths->n_held * lengths->n_fields, length,
           lengths->n_fields * sizeof *length);
    lengths->n_held++;
    return QUERN_OK;
}

static int compare_pieces(const void *left, const void *right)
{
    const piece *a = left, *b = right;
    return a->first < b->first ? -1 : a->first > b->first;
}

quern_status qn_spooled_lengths_start(qn_spooled_lengths *lengths, quern_error *error)
{
    quern_status status = put_piece(lengths, error);
    if (lengths->n_pieces > 1)
        qsort(lengths->piece, lengths->n_pieces, sizeof(piece), compare_pieces);
    lengths->next_piece = lengths->n_read = lengths->next_read = 0;
    return status;
}

quern_status qn_spooled_lengths_next(qn_spooled_lengths *lengths, uint32_t *length,
                                     quern_error *error)
{
    while (lengths->next_read == lengths->n_read) {
        if (lengths->next_piece == lengths->n_pieces)
            return QUERN_END;
        const piece *p = &lengths->piece[lengths->next_piece++];
        size_t n = (size_t)p->n * lengths->n_fields;
        void *read = lengths->read;
        bool ok = qn_array_grow(&read, &lengths->read_cap, n, sizeof *lengths->read);
        lengths->read = read;
        if (!ok)
            return qn_fail_memory(error);
        quern_status status = qn_writer_read(&lengths->spool, p->offset, lengths->read,
                                             n * sizeof *lengths->read, error);
        if (status != QUERN_OK)
            return status;
        lengths->n_read = n;
        lengths->next_read = 0;
    }
    *length = lengths->read[lengths->next_read++];
    return QUERN_OK;
}
