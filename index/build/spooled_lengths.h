/*
 * The lengths of the documents of a build, in tokens, on their way to the commit: of each document
 * one for every field. Documents come in any order, mostly many consecutive ones, and are read in
 * order. Memory: 16 bytes for each stretch of consecutive ones.
 */
#ifndef QN_BUILD_SPOOLED_LENGTHS_H
#define QN_BUILD_SPOOLED_LENGTHS_H

#include "index/base/file.h"

typedef struct qn_spooled_lengths {
    qn_writer spool;
    unsigned n_fields;
    struct qn_lengths_piece *piece;
    size_t n_pieces, piece_cap;
    uint32_t *held; /* lengths of consecutive documents, */
    size_t n_held;  /* so many, */
    uint32_t first_held;
    uint32_t *read; /* the piece at hand, while they are read */
    size_t read_cap, n_read, next_read, next_piece;
} qn_spooled_lengths;

quern_status qn_spooled_lengths_init(qn_spooled_lengths *lengths, unsigned n_fields, int dirfd,
                                     const char *path, quern_error *error);
void qn_spooled_lengths_free(qn_spooled_lengths *lengths);

/* Each document comes once, with length[0..n_fields). */
quern_status qn_spooled_lengths_add(qn_spooled_lengths *lengths, uint32_t doc,
                                    const uint32_t *length, quern_error *error);

/* Starts reading at document 0; also again. None may be added after it. */
quern_status qn_spooled_lengths_start(qn_spooled_lengths *lengths, quern_error *error);

/* The next length: of each document's fields one after the other; QUERN_END after the last. */
quern_status qn_spooled_lengths_next(qn_spooled_lengths *lengths, uint32_t *length,
                                     quern_error *error);

size_t qn_spooled_lengths_bytes(const qn_spooled_lengths *lengths);

#endif
