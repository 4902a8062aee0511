/* A growing byte buffer. Its bytes move when it grows; it never shrinks on its own. */
#ifndef QN_BASE_BUFFER_H
#define QN_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialise before use ({0}); `len` may be lowered by the owner at any time. */
typedef struct qn_buffer {
    uint8_t *data;
    size_t len;
    size_t cap;
} qn_buffer;

/* Makes room for `extra` more bytes after len. False when memory is short; the buffer is unchanged.
 */
bool qn_buffer_reserve(qn_buffer *buffer, size_t extra);

/* Appends bytes. False when memory is short; the buffer is unchanged. */
bool qn_buffer_append(qn_buffer *buffer, const void *bytes, size_t len);

/* Appends one byte. */
bool qn_buffer_push(qn_buffer *buffer, uint8_t byte);

/* Empties the buffer; gives back more than QN_BUFFER_KEPT bytes, which one huge record left. */
enum { QN_BUFFER_KEPT = 1 << 20 };
void qn_buffer_trim(qn_buffer *buffer);

/* Frees the bytes and zeroes the struct. */
void qn_buffer_free(qn_buffer *buffer);

/* Grows the array *array of `*cap` elements of `size` bytes to hold at least `need` elements, by
 * half at least. False when memory is short; the array is unchanged. */
bool qn_array_grow(void **array, size_t *cap, size_t need, size_t size);

#endif
