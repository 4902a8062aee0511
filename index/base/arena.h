/* A bump allocator: many small pieces that are freed together. Pieces never move. */
#ifndef QN_BASE_ARENA_H
#define QN_BASE_ARENA_H

#include <stddef.h>

struct qn_arena_chunk;

/* Zero-initialise before use ({0}). */
typedef struct qn_arena {
    struct qn_arena_chunk *chunk; /* newest first */
    size_t used, cap;             /* of the newest chunk */
    size_t total;                 /* bytes allocated from the system */
} qn_arena;

/* `len` bytes aligned to `align` (a power of two, at most 16), uninitialised; NULL when memory is
 * short. Valid until the arena is freed. */
void *qn_arena_alloc(qn_arena *arena, size_t len, size_t align);

/* A copy of `len` bytes; NULL when memory is short. */
char *qn_arena_copy(qn_arena *arena, const void *bytes, size_t len);

/* Frees every piece. */
void qn_arena_free(qn_arena *arena);

#endif
