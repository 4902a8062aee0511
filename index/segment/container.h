/*
 * The container of every segment file: a header page, sections, a checksum for every page.
 *
 *     file    := header-page section* zeros sums padding
 *     section := bytes, starting at a multiple of 64 (zeros between)
 *     zeros   := up to the next multiple of 4,096, `sums_offset`
 *     sums    := u64 XXH3 of every 4,096-byte page from the second on up to `sums_offset`
 *     padding := 64 zero bytes, so that every section may be over-read
 *
 * Every byte is covered by exactly one checksum: the header page by its own, pages by theirs, sums
 * and padding by one in the header. Opening checks the header page, and a paranoid reader the sums
 * (ordinary opening must not cost more for a larger file); a page is checked when `verify` or a
 * paranoid reader comes to it. FORMAT.md, "Container", has the offsets.
 */
#ifndef QN_SEGMENT_CONTAINER_H
#define QN_SEGMENT_CONTAINER_H

#include "engine/quern.h"
#include "index/base/bytes.h"
#include "index/base/file.h"

#include <stdatomic.h>

/* ---- reading ---- */

typedef struct qn_section {
    const uint8_t *data; /* may be over-read by QN_PADDING bytes */
    uint64_t len;
} qn_section;

typedef struct qn_container {
    qn_mapping mapping;
    qn_section section[64]; /* by kind; .data NULL where absent */
    const uint8_t *sums;
    uint64_t n_pages;           /* that have a sum: pages 1..n_pages */
    uint64_t header_checksum;   /* what the manifest records of this file */
    _Atomic uint64_t *checked;  /* a bit a page, paranoid readers only; else NULL */
    _Atomic uint64_t *expected; /* a bit a region of a mapped file that is not swept; else NULL */
    char name[64];              /* file name, for messages */
} qn_container;

/* Opens the file `name` in `dirfd`. `kind` is QN_FILE_*; costs time proportional to the number of
 * sections (and to the sums, if paranoid). QUERN_E_DAMAGED, QUERN_E_VERSION, QUERN_E_IO. */
quern_status qn_container_open(qn_container *out, int dirfd, const char *name, uint32_t kind,
                               bool in_memory, bool paranoid, quern_error *error);

/* The same over bytes in memory that the caller keeps (over-readable like a mapping): for tests. */
quern_status qn_container_open_bytes(qn_container *out, const uint8_t *bytes, size_t len,
                                     const char *name, uint32_t kind, bool paranoid,
                                     quern_error *error);
void qn_container_close(qn_container *container);

/* qn_mapping_forget of its file. */
void qn_container_forget(const qn_container *container);

/* The container will be read from its front to its end, as joining does. Otherwise, as queries do,
 * it is read here and there: what is touched is read from the disk as a whole, in regions of 32
 * KiB, and nothing else. (Where missing pages are found by faults alone, the system reads as much
 * around each as it is set to, which may be megabytes.) Before the container is shared. */
void qn_container_sweep(qn_container *container);

/* What qn_container_touch does of that, and whether it has been done for all of a few bytes. */
enum { QN_REGION = 32 << 10 };
void qn_container_expect(const qn_container *container, const uint8_t *data, uint64_t len);

static inline bool qn_container_is_expected(const qn_container *container, const uint8_t *data,
                                            uint64_t len)
{
    size_t at = (size_t)(data - container->mapping.data), region = at / QN_REGION;
    uint64_t word = atomic_load_explicit(&container->expected[region / 64], memory_order_relaxed);
    return (word >> (region % 64) & 1) != 0 && at % QN_REGION + len <= QN_REGION;
}

quern_status qn_container_check_pages(const qn_container *container, const uint8_t *data,
                                      uint64_t len, quern_error *error);

/* Must be called on bytes of a section before they are first used: they are expected, unless the
 * file is swept, and a paranoid reader checks the pages that hold them. Thread-safe. */
static inline quern_status qn_container_touch(const qn_container *container, const uint8_t *data,
                                              uint64_t len, quern_error *error)
{
    if (container->expected != NULL && !qn_container_is_expected(container, data, len))
        qn_container_expect(container, data, len);
    return container->checked == NULL ? QUERN_OK
                                      : qn_container_check_pages(container, data, len, error);
}

/* The same of a few bytes that are read often, which are not expected: free but for a paranoid
 * reader. */
static inline quern_status qn_container_touch_few(const qn_container *container,
                                                  const uint8_t *data, uint64_t len,
                                                  quern_error *error)
{
    return container->checked == NULL ? QUERN_OK
                                      : qn_container_check_pages(container, data, len, error);
}

/* QUERN_E_DAMAGED with the message "NAME: WHAT". */
quern_status qn_container_damaged(const qn_container *container, const char *what,
                                  quern_error *error);

/* Checks every byte; `told` hears of each defect. */
quern_status qn_container_verify(const qn_container *container,
                                 void (*told)(void *arg, const char *file, const char *defect),
                                 void *arg, quern_error *error);

/* ---- writing ---- */

typedef struct qn_container_writer {
    qn_writer file;
    uint32_t kind;
    uint32_t n_sections;
    struct {
        uint32_t kind;
        uint64_t offset, len;
    } section[64];
    uint64_t header_checksum; /* after qn_container_writer_finish */
} qn_container_writer;

/* Creates `name` in `dirfd`. */
quern_status qn_container_writer_open(qn_container_writer *writer, int dirfd, const char *name,
                                      const char *path, uint32_t kind, quern_error *error);

/* Starts a section; write its bytes with qn_writer_put on &writer->file, then end it. */
quern_status qn_container_writer_begin(qn_container_writer *writer, uint32_t kind,
                                       quern_error *error);
quern_status qn_container_writer_end(qn_container_writer *writer, quern_error *error);

/* A whole section from memory, or from a spool. */
quern_status qn_container_writer_put(qn_container_writer *writer, uint32_t kind, const void *bytes,
                                     size_t len, quern_error *error);
quern_status qn_container_writer_put_spool(qn_container_writer *writer, uint32_t kind,
                                           qn_writer *spool, quern_error *error);

/* Writes sums, padding and header page, and fsyncs. */
quern_status qn_container_writer_finish(qn_container_writer *writer, quern_error *error);
void qn_container_writer_close(qn_container_writer *writer);

#endif
