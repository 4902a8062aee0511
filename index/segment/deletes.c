/* Reading and writing deletions: see deletes.h. */
#define _GNU_SOURCE
#include "index/segment/deletes.h"

#include "index/base/status.h"
#include "index/segment/format.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { HEAD = 64 };

size_t qn_deletes_bytes(uint32_t n_docs)
{
    return (size_t)qn_segment_windows(n_docs) * (QN_WINDOW / 8);
}

static quern_status check(const qn_container *file, const qn_manifest_segment *entry,
                          quern_error *error)
{
    const qn_section *section = &file->section[QN_SECTION_DELETED];
    const qn_section *gone = &file->section[QN_SECTION_GONE];
    uint64_t bytes = qn_deletes_bytes((uint32_t)entry->documents);
    if (file->header_checksum != entry->deletes_checksum)
        return qn_container_damaged(file, "is not the file that the manifest names", error);
    if (section->data == NULL || section->len != HEAD + bytes ||
        (gone->data != NULL && gone->len != bytes))
        return qn_container_damaged(file, "DELETED is missing or of the wrong size", error);
    quern_status status = qn_container_touch(file, section->data, section->len, error);
    if (status == QUERN_OK && gone->data != NULL)
        status = qn_container_touch(file, gone->data, gone->len, error);
    if (status != QUERN_OK)
        return status;
    if (qn_load_u32(section->data) != entry->documents ||
        qn_load_u32(section->data + 4) != entry->deleted)
        return qn_container_damaged(file, "holds other counts than the manifest says", error);
    return QUERN_OK;
}

quern_status qn_deletes_open(qn_container *out, int dirfd, const qn_manifest_segment *entry,
                             const quern_open_options *options, quern_error *error)
{
    char name[QN_MANIFEST_FILE_MAX];
    qn_manifest_deletes_name(entry, name);
    quern_status status = qn_container_open(out, dirfd, name, QN_FILE_DELETES, options->no_mmap,
                                            options->paranoid, error);
    return status == QUERN_OK ? check(out, entry, error) : status;
}

quern_status qn_deletes_open_bytes(qn_container *out, const uint8_t *bytes, size_t len,
                                   const qn_manifest_segment *entry, bool paranoid,
                                   quern_error *error)
{
    quern_status status =
        qn_container_open_bytes(out, bytes, len, "deletes", QN_FILE_DELETES, paranoid, error);
    return status == QUERN_OK ? check(out, entry, error) : status;
}

const uint8_t *qn_deletes_words(const qn_container *file, bool by_ordinal)
{
    return by_ordinal ? file->section[QN_SECTION_GONE].data
                      : file->section[QN_SECTION_DELETED].data + HEAD;
}

bool qn_deletes_count(const uint8_t *words, uint32_t n_docs, uint64_t *n)
{
    uint64_t past = 0;
    *n = 0;
    for (size_t i = 0; i < qn_deletes_bytes(n_docs) / 8; i++) {
        uint64_t word = qn_load_u64(words + 8 * i), first = 64 * (uint64_t)i;
        uint64_t inside = first + 64 <= n_docs ? ~(uint64_t)0
                          : first >= n_docs    ? 0
                                               : ((uint64_t)1 << (n_docs - first)) - 1;
        *n += (uint64_t)__builtin_popcountll(word & inside);
        past |= word & ~inside;
    }
    return past == 0;
}

static quern_status write_file(qn_container_writer *file, const qn_deletes *deletes,
                               const qn_manifest_segment *entry, quern_error *error)
{
    uint8_t head[HEAD] = {0};
    size_t bytes = qn_deletes_bytes((uint32_t)entry->documents);
    qn_store_u32(head, (uint32_t)entry->documents);
    qn_store_u32(head + 4, (uint32_t)deletes->n);
    quern_status status = qn_container_writer_begin(file, QN_SECTION_DELETED, error);
    if (status == QUERN_OK)
        status = qn_writer_put(&file->file, head, sizeof head, error);
    if (status == QUERN_OK)
        status = qn_writer_put(&file->file, deletes->words, bytes, error);
    if (status == QUERN_OK)
        status = qn_container_writer_end(file, error);
    if (status == QUERN_OK && deletes->by_ordinal != NULL)
        status = qn_container_writer_put(file, QN_SECTION_GONE, deletes->by_ordinal, bytes, error);
    return status == QUERN_OK ? qn_container_writer_finish(file, error) : status;
}

quern_status qn_deletes_write(qn_manifest_segment *entry, const qn_deletes *deletes, int dirfd,
                              const char *path, quern_error *error)
{
    char temporary[48], name[QN_MANIFEST_FILE_MAX];
    (void)snprintf(temporary, sizeof temporary, "tmp-%ld.qd", (long)getpid());
    (void)unlinkat(dirfd, temporary, 0); /* of a killed process with the same number */
    qn_container_writer file = {0};
    quern_status status =
        qn_container_writer_open(&file, dirfd, temporary, path, QN_FILE_DELETES, error);
    if (status != QUERN_OK)
        return status;
    status = write_file(&file, deletes, entry, error);
    if (status == QUERN_OK) {
        entry->deleted = deletes->n;
        entry->deletes_checksum = file.header_checksum;
        qn_manifest_deletes_name(entry, name);
        if (renameat(dirfd, temporary, dirfd, name) != 0)
            status = qn_fail_sys(error, errno, "rename a file in", path);
    }
    qn_container_writer_close(&file);
    if (status != QUERN_OK)
        (void)unlinkat(dirfd, temporary, 0);
    return status;
}
