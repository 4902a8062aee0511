/* A bump allocator over chunks of 64 KiB, later up to 1 MiB (larger for larger pieces): pieces of
 * that size are mapped one by one, so that freeing them gives the memory back. */
#include "index/base/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 64 * 1024, CHUNK_MOST = 1 << 20 };

struct qn_arena_chunk {
    struct qn_arena_chunk *next;
    alignas(16) unsigned char bytes[];
};

void *qn_arena_alloc(qn_arena *arena, size_t len, size_t align)
{
    size_t at = (arena->used + align - 1) & ~(align - 1);
    if (arena->chunk == NULL || at > arena->cap || len > arena->cap - at) {
        bool large = len > CHUNK_BYTES / 4;
        size_t usual = arena->total < CHUNK_BYTES  ? CHUNK_BYTES
                       : arena->total < CHUNK_MOST ? arena->total
                                                   : CHUNK_MOST;
        size_t cap = large ? len : usual;
        if (cap > SIZE_MAX - sizeof(struct qn_arena_chunk))
            return NULL;
        struct qn_arena_chunk *chunk = malloc(sizeof *chunk + cap);
        if (chunk == NULL)
            return NULL;
        if (large && arena->chunk != NULL) {
            /* Behind the newest chunk, whose rest stays in use. */
            chunk->next = arena->chunk->next;
            arena->chunk->next = chunk;
            arena->total += sizeof *chunk + cap;
            return chunk->bytes;
        }
        chunk->next = arena->chunk;
        arena->chunk = chunk;
        arena->cap = cap;
        arena->total += sizeof *chunk + cap;
        at = 0;
    }
    arena->used = at + len;
    return arena->chunk->bytes + at;
}

char *qn_arena_copy(qn_arena *arena, const void *bytes, size_t len)
{
    char *copy = qn_arena_alloc(arena, len, 1);
    if (copy != NULL && len > 0)
        memcpy(copy, bytes, len);
    return copy;
}

void qn_arena_free(qn_arena *arena)
{
    struct qn_arena_chunk *chunk = arena->chunk;
    while (chunk != NULL) {
        struct qn_arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    *arena = (qn_arena){0};
}
