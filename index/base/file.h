/*
 * Files: reading whole files by mapping or into memory, buffered writing with a checksum per page,
 * temporary spools, and the steps that make a commit durable. Every path in an error message is the
 * one the caller gave.
 */
#ifndef QN_BASE_FILE_H
#define QN_BASE_FILE_H

#include "engine/quern.h"
#include "index/base/buffer.h"

/* The unit of checksums. */
#define QN_PAGE 4096u

/* ---- whole files, for reading ---- */

/* The bytes of a file. `data` may be over-read by QN_PADDING bytes past `len` (what is read there
 * is undefined but harmless). Zero-initialised struct: nothing mapped. */
typedef struct qn_mapping {
    const uint8_t *data;
    size_t len;
    size_t mapped_len; /* of the mapping; 0 where the bytes were read into memory */
} qn_mapping;

/* Maps the file `name` of the directory `dirfd` (or reads it into memory if `in_memory`); `path` is
 * for messages. An empty file gives len 0. */
quern_status qn_mapping_open(qn_mapping *out, int dirfd, const char *name, const char *path,
                             bool in_memory, quern_error *error);
void qn_mapping_close(qn_mapping *mapping);

/* Lets go of the pages that were read, which then no longer count as resident memory; they come
 * back when they are read again. Nothing where the bytes were read into memory. */
void qn_mapping_forget(const qn_mapping *mapping);

/* Tells the system whether the bytes will be read here and there: what is next to those that are
 * missing is not read then. Nothing where they are in memory, as the next. */
void qn_mapping_pick(const qn_mapping *mapping, bool here_and_there);

/* Has the system begin to read [from, from + len), which lies within, from the disk. */
void qn_mapping_expect(const qn_mapping *mapping, size_t from, size_t len);

/* ---- buffered writing ---- */

/* A file that grows at its end. Zero-initialise; open with qn_writer_open or qn_writer_spool. After
 * a failed call the writer can only be closed. */
typedef struct qn_writer {
    int fd;
    bool open;
    bool page_sums;  /* keep an XXH3 of every whole QN_PAGE written */
    uint64_t offset; /* bytes written so far, buffered ones included */
    qn_buffer buffer;
    size_t buffer_cap;
    size_t handed;    /* bytes at the front of the buffer that the system has already */
    uint64_t writing; /* bytes of the file that the system was asked to write */
    qn_buffer sums;   /* u64 per whole page flushed */
    char path[256];   /* for messages */
} qn_writer;

/* Creates `name` (which must not exist) in `dirfd`. */
quern_status qn_writer_open(qn_writer *writer, int dirfd, const char *name, const char *path,
                            size_t buffer_bytes, bool page_sums, quern_error *error);

/* Opens a spool: an anonymous temporary file in `dirfd` that is gone when it is closed. */
quern_status qn_writer_spool(qn_writer *writer, int dirfd, const char *path, size_t buffer_bytes,
                             quern_error *error);

quern_status qn_writer_put(qn_writer *writer, const void *bytes, size_t len, quern_error *error);

/* Appends zero bytes until offset is a multiple of `align` (a power of two up to QN_PAGE). */
quern_status qn_writer_align(qn_writer *writer, uint32_t align, quern_error *error);

/* Appends everything that `spool` holds (flushing it first); the spool stays open. It keeps no page
 * sums, as its buffer is used on the way. */
quern_status qn_writer_put_spool(qn_writer *writer, qn_writer *spool, quern_error *error);

/* Hands the buffered bytes to the system. With page_sums only at a page boundary or at the end. */
quern_status qn_writer_flush(qn_writer *writer, quern_error *error);

/* Reads back `len` bytes at `offset`, all of which were written before. */
quern_status qn_writer_read(qn_writer *writer, uint64_t offset, void *out, size_t len,
                            quern_error *error);

/* Flushes and fsyncs. */
quern_status qn_writer_sync(qn_writer *writer, quern_error *error);

/* Closes and frees; bytes still in the buffer are lost. */
void qn_writer_close(qn_writer *writer);

/* ---- small helpers ---- */

/* Reads exactly `len` bytes at `offset` of `fd`. */
quern_status qn_pread_all(int fd, void *out, size_t len, uint64_t offset, const char *path,
                          quern_error *error);

/* Writes all bytes at the end of `fd`. */
quern_status qn_write_all(int fd, const void *bytes, size_t len, const char *path,
                          quern_error *error);

/* fsyncs a directory, so that renames in it last. */
quern_status qn_sync_dir(int dirfd, const char *path, quern_error *error);

#endif
