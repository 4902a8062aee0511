/* Writing containers: see container.h and container_layout.h. */
#include "index/base/status.h"
#include "index/segment/container.h"
#include "index/segment/container_layout.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum { WRITE_BUFFER = 256 * 1024 };

static const uint64_t OPEN_SECTION = UINT64_MAX; /* as the length of the section being written */

quern_status qn_container_writer_open(qn_container_writer *writer, int dirfd, const char *name,
                                      const char *path, uint32_t kind, quern_error *error)
{
    static const uint8_t zeros[QN_PAGE];
    memset(writer, 0, sizeof *writer);
    writer->kind = kind;
    quern_status status =
        qn_writer_open(&writer->file, dirfd, name, path, WRITE_BUFFER, true, error);
    if (status == QUERN_OK)
        status = qn_writer_put(&writer->file, zeros, sizeof zeros, error);
    return status;
}

/* The section begun and not ended, or NULL. */
static uint64_t *open_section_len(qn_container_writer *writer)
{
    if (writer->n_sections == 0)
        return NULL;
    uint64_t *len = &writer->section[writer->n_sections - 1].len;
    return *len == OPEN_SECTION ? len : NULL;
}

quern_status qn_container_writer_begin(qn_container_writer *writer, uint32_t kind,
                                       quern_error *error)
{
    if (open_section_len(writer) != NULL || writer->n_sections == QN_SECTION_MAX)
        return qn_fail(error, QUERN_E_ARGUMENT, "section %" PRIu32 " cannot begin here", kind);
    for (uint32_t i = 0; i < writer->n_sections; i++) {
        if (writer->section[i].kind == kind)
            return qn_fail(error, QUERN_E_ARGUMENT, "section %" PRIu32 " is written twice", kind);
    }
    quern_status status = qn_writer_align(&writer->file, SECTION_ALIGN, error);
    if (status != QUERN_OK)
        return status;
    uint32_t i = writer->n_sections++;
    writer->section[i].kind = kind;
    writer->section[i].offset = writer->file.offset;
    writer->section[i].len = OPEN_SECTION;
    return QUERN_OK;
}

quern_status qn_container_writer_end(qn_container_writer *writer, quern_error *error)
{
    uint64_t *len = open_section_len(writer);
    if (len == NULL)
        return qn_fail(error, QUERN_E_ARGUMENT, "no section has begun");
    *len = writer->file.offset - writer->section[writer->n_sections - 1].offset;
    return QUERN_OK;
}

quern_status qn_container_writer_put(qn_container_writer *writer, uint32_t kind, const void *bytes,
                                     size_t len, quern_error *error)
{
    quern_status status = qn_container_writer_begin(writer, kind, error);
    if (status == QUERN_OK)
        status = qn_writer_put(&writer->file, bytes, len, error);
    return status == QUERN_OK ? qn_container_writer_end(writer, error) : status;
}

quern_status qn_container_writer_put_spool(qn_container_writer *writer, uint32_t kind,
                                           qn_writer *spool, quern_error *error)
{
    quern_status status = qn_container_writer_begin(writer, kind, error);
    if (status == QUERN_OK)
        status = qn_writer_put_spool(&writer->file, spool, error);
    return status == QUERN_OK ? qn_container_writer_end(writer, error) : status;
}

static void fill_header(const qn_container_writer *writer, uint8_t page[QN_PAGE],
                        uint64_t sums_offset, uint64_t tail_checksum)
{
    memset(page, 0, QN_PAGE);
    memcpy(page, QN_FORMAT_MAGIC, 8);
    qn_store_u32(page + AT_VERSION, QN_FORMAT_VERSION);
    qn_store_u32(page + AT_KIND, writer->kind);
    qn_store_u64(page + AT_FILE_LEN, writer->file.offset);
    qn_store_u32(page + AT_N_SECTIONS, writer->n_sections);
    qn_store_u64(page + AT_SUMS_OFFSET, sums_offset);
    qn_store_u64(page + AT_N_PAGES, sums_offset / QN_PAGE - 1);
    qn_store_u64(page + AT_TAIL_CHECKSUM, tail_checksum);
    uint64_t features = 0;
    for (uint32_t i = 0; i < writer->n_sections; i++)
        features |= feature_of(writer->section[i].kind);
    qn_store_u64(page + AT_FEATURES, features);
    for (uint32_t i = 0; i < writer->n_sections; i++) {
        uint8_t *entry = page + AT_TABLE + (size_t)i * ENTRY;
        qn_store_u32(entry, writer->section[i].kind);
        qn_store_u64(entry + 8, writer->section[i].offset);
        qn_store_u64(entry + 16, writer->section[i].len);
    }
    qn_store_u64(page + AT_HEADER_CHECKSUM, sum_of_header(page));
}

static quern_status write_at_start(qn_writer *file, const uint8_t *bytes, size_t len,
                                   quern_error *error)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = pwrite(file->fd, bytes + done, len - done, (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return qn_fail_sys(error, errno, "write", file->path);
        done += (size_t)n;
    }
    return QUERN_OK;
}

/* Writes sums and padding from the sums gathered so far. */
static quern_status put_tail(qn_container_writer *writer, uint64_t *tail_checksum,
                             quern_error *error)
{
    static const uint8_t zeros[QN_PADDING];
    /* Taken from the writer first: what is put from here on has no page sums, and must not be put
     * from a buffer that the writer may move. */
    qn_buffer sums = writer->file.sums;
    writer->file.sums = (qn_buffer){0};
    writer->file.page_sums = false;
    quern_status status = QUERN_OK;
    if (!qn_buffer_append(&sums, zeros, sizeof zeros))
        status = qn_fail_memory(error);
    if (status == QUERN_OK) {
        /* The first sum is that of the header page's place. */
        *tail_checksum = qn_checksum(sums.data + 8, sums.len - 8);
        status = qn_writer_put(&writer->file, sums.data + 8, sums.len - 8, error);
    }
    qn_buffer_free(&sums);
    return status;
}

quern_status qn_container_writer_finish(qn_container_writer *writer, quern_error *error)
{
    if (open_section_len(writer) != NULL)
        return qn_fail(error, QUERN_E_ARGUMENT, "a section has not ended");
    quern_status status = qn_writer_align(&writer->file, QN_PAGE, error);
    if (status == QUERN_OK)
        status = qn_writer_flush(&writer->file, error);
    if (status != QUERN_OK)
        return status;
    uint64_t sums_offset = writer->file.offset;
    uint64_t tail_checksum = 0;
    status = put_tail(writer, &tail_checksum, error);
    if (status == QUERN_OK)
        status = qn_writer_flush(&writer->file, error);
    if (status != QUERN_OK)
        return status;
    uint8_t header[QN_PAGE];
    fill_header(writer, header, sums_offset, tail_checksum);
    status = write_at_start(&writer->file, header, sizeof header, error);
    if (status == QUERN_OK)
        status = qn_writer_sync(&writer->file, error);
    writer->header_checksum = qn_load_u64(header + AT_HEADER_CHECKSUM);
    return status;
}

void qn_container_writer_close(qn_container_writer *writer)
{
    qn_writer_close(&writer->file);
}
