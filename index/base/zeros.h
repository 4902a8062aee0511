/*
 * Tables of zeros. A page of what calloc gives is, when it is first read, one that all such pages
 * share; the first write then copies it, in a second fault, for which all threads are interrupted.
 * Tables that are looked up before they are written to met that at each of their pages: 7 % of the
 * time of a build by two threads.
 */
#ifndef QN_BASE_ZEROS_H
#define QN_BASE_ZEROS_H

#include <stddef.h>
#include <stdlib.h>

/* As calloc, and each page has been written to. */
static inline void *qn_zeros(size_t n, size_t size)
{
    enum { PAGE = 4096 };
    volatile unsigned char *bytes = calloc(n, size);
    for (size_t at = 0; bytes != NULL && at < n * size; at += PAGE)
        bytes[at] = 0;
    return (void *)bytes;
}

#endif
