/* A growing byte buffer, and growing arrays. */
#include "index/base/buffer.h"

#include <stdlib.h>
#include <string.h>

bool qn_array_grow(void **array, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap)
        return true;
    size_t grown = *cap + *cap / 2;
    if (grown < need)
        grown = need;
    if (grown < 16)
        grown = 16;
    if (grown > SIZE_MAX / size)
        return false;
    void *moved = realloc(*array, grown * size);
    if (moved == NULL)
        return false;
    *array = moved;
    *cap = grown;
    return true;
}

bool qn_buffer_reserve(qn_buffer *buffer, size_t extra)
{
    /* Where there is room nothing is written: members that are read together soon after would wait
     * for that to reach the cache, behind all that was written before. */
    if (extra <= buffer->cap - buffer->len)
        return true;
    if (extra > SIZE_MAX - buffer->len)
        return false;
    void *data = buffer->data;
    if (!qn_array_grow(&data, &buffer->cap, buffer->len + extra, 1))
        return false;
    buffer->data = data;
    return true;
}

void qn_buffer_trim(qn_buffer *buffer)
{
    if (buffer->cap > QN_BUFFER_KEPT)
        qn_buffer_free(buffer);
    buffer->len = 0;
}

bool qn_buffer_append(qn_buffer *buffer, const void *bytes, size_t len)
{
    if (len == 0)
        return true;
    if (!qn_buffer_reserve(buffer, len))
        return false;
    memcpy(buffer->data + buffer->len, bytes, len);
    buffer->len += len;
    return true;
}

bool qn_buffer_push(qn_buffer *buffer, uint8_t byte)
{
    return qn_buffer_append(buffer, &byte, 1);
}

void qn_buffer_free(qn_buffer *buffer)
{
    free(buffer->data);
    *buffer = (qn_buffer){0};
}
