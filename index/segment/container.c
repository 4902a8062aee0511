/*
 * The container of every segment file, writer and reader: FORMAT.md, "Container".
 *
 *     header-page := magic(8) version(u32) kind(u32) features(u64) file_len(u64)
 *                    n_sections(u32) 0(u32) sums_offset(u64) n_pages(u64)
 *                    tail_checksum(u64) header_checksum(u64) 0(56 bytes)
 *                    entry*n_sections 0...                            = 4,096 bytes
 *     entry       := kind(u32) 0(u32) offset(u64) len(u64)            = 24 bytes
 *
 * The header page is written last, so a file whose writer was killed starts with zeros and is
 * refused as no quern file.
 */
#include "index/segment/container.h"

#include "index/base/checksum.h"
#include "index/base/status.h"
#include "index/segment/format.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    AT_VERSION = 8,
    AT_KIND = 12,
    AT_FEATURES = 16,
    AT_FILE_LEN = 24,
    AT_N_SECTIONS = 32,
    AT_RESERVED = 36,
    AT_SUMS_OFFSET = 40,
    AT_N_PAGES = 48,
    AT_TAIL_CHECKSUM = 56,
    AT_HEADER_CHECKSUM = 64,
    AT_HEADER_END = 72,
    AT_TABLE = 128,
    ENTRY = 24,
    SECTION_ALIGN = 64,
    WRITE_BUFFER = 256 * 1024
};

static const uint32_t MAY_BE_IGNORED = UINT32_C(1) << 31;
static const uint64_t OPEN_SECTION = UINT64_MAX; /* as the length of the section being written */

/* ---- reading ---- */

/* The container keeps no pointer to the first byte of bytes it does not own; the sums stand where
 * the pages end, so it follows from them. */
static const uint8_t *first_byte(const qn_container *container)
{
    return container->sums - (container->n_pages + 1) * QN_PAGE;
}

static uint64_t tail_len(const qn_container *container)
{
    return container->n_pages * 8 + QN_PADDING;
}

static uint64_t sum_of_header(const uint8_t *header)
{
    uint8_t page[QN_PAGE];
    memcpy(page, header, QN_PAGE);
    memset(page + AT_HEADER_CHECKSUM, 0, 8);
    return qn_checksum(page, QN_PAGE);
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return true;
}

static bool kind_is_known(uint32_t file_kind, uint32_t kind)
{
    if (file_kind == QN_FILE_STORE)
        return kind == QN_SECTION_STORE || kind == QN_SECTION_STORE_INDEX ||
               kind == QN_SECTION_WORDS;
    if (file_kind == QN_FILE_DELETES)
        return kind == QN_SECTION_DELETED || kind == QN_SECTION_GONE;
    return kind >= QN_SECTION_META && kind <= QN_SECTION_ORDINALS;
}

/* The feature that a section is part of; 0: none. */
static uint64_t feature_of(uint32_t kind)
{
    return kind == QN_SECTION_FIELDS                                ? QN_FEATURE_FIELDS
           : kind == QN_SECTION_ORDINALS || kind == QN_SECTION_GONE ? QN_FEATURE_REORDERED
                                                                    : 0;
}

/* What must hold before anything else of the header may be believed. */
static quern_status check_identity(const uint8_t *bytes, uint64_t len, const char *name,
                                   quern_error *error)
{
    size_t magic = len < 8 ? (size_t)len : 8;
    if (magic == 0 || memcmp(bytes, QN_FORMAT_MAGIC, magic) != 0)
        return qn_fail(error, QUERN_E_DAMAGED, "%s is not a quern file", name);
    if (len < QN_PAGE)
        return qn_fail(error, QUERN_E_DAMAGED,
                       "%s is cut off: %" PRIu64 " bytes do not hold its header page", name, len);
    uint32_t version = qn_load_u32(bytes + AT_VERSION);
    if (version != QN_FORMAT_VERSION)
        return qn_fail(error, QUERN_E_VERSION,
                       "%s has format version %" PRIu32 ", this program reads version %u", name,
                       version, QN_FORMAT_VERSION);
    uint64_t unknown = qn_load_u64(bytes + AT_FEATURES) & ~QN_FEATURES_KNOWN;
    if (unknown != 0)
        return qn_fail(error, QUERN_E_VERSION,
                       "%s needs features that this program does not know (bits 0x%" PRIx64 ")",
                       name, unknown);
    if (sum_of_header(bytes) != qn_load_u64(bytes + AT_HEADER_CHECKSUM))
        return qn_fail(error, QUERN_E_DAMAGED, "%s: the header page has a wrong checksum", name);
    return QUERN_OK;
}

/* The header's numbers against one another and the real length. */
static quern_status check_shape(const uint8_t *bytes, uint64_t len, const char *name, uint32_t kind,
                                quern_error *error)
{
    if (qn_load_u32(bytes + AT_KIND) != kind)
        return qn_fail(error, QUERN_E_DAMAGED, "%s is of file kind %" PRIu32 ", not %" PRIu32, name,
                       qn_load_u32(bytes + AT_KIND), kind);
    uint64_t recorded = qn_load_u64(bytes + AT_FILE_LEN);
    if (recorded > len)
        return qn_fail(error, QUERN_E_DAMAGED,
                       "%s is cut off: it has %" PRIu64 " of %" PRIu64 " bytes", name, len,
                       recorded);
    if (recorded < len)
        return qn_fail(error, QUERN_E_DAMAGED,
                       "%s has %" PRIu64 " bytes, %" PRIu64 " more than it was written with", name,
                       len, len - recorded);
    uint32_t n_sections = qn_load_u32(bytes + AT_N_SECTIONS);
    uint64_t sums_offset = qn_load_u64(bytes + AT_SUMS_OFFSET);
    uint64_t n_pages = qn_load_u64(bytes + AT_N_PAGES);
    if (sums_offset < QN_PAGE || sums_offset % QN_PAGE != 0 || sums_offset > len ||
        n_pages != sums_offset / QN_PAGE - 1 || len - sums_offset != n_pages * 8 + QN_PADDING)
        return qn_fail(error, QUERN_E_DAMAGED, "%s: the header's numbers contradict each other",
                       name);
    if (n_sections > QN_SECTION_MAX || qn_load_u32(bytes + AT_RESERVED) != 0 ||
        !all_zero(bytes + AT_HEADER_END, AT_TABLE - AT_HEADER_END))
        return qn_fail(error, QUERN_E_DAMAGED, "%s: malformed header page", name);
    size_t table_end = AT_TABLE + (size_t)n_sections * ENTRY;
    if (!all_zero(bytes + table_end, QN_PAGE - table_end))
        return qn_fail(error, QUERN_E_DAMAGED, "%s: malformed header page", name);
    return QUERN_OK;
}

/* Checks and takes over the section table. */
static quern_status read_table(qn_container *out, const uint8_t *bytes, const char *name,
                               uint32_t file_kind, quern_error *error)
{
    uint32_t n_sections = qn_load_u32(bytes + AT_N_SECTIONS);
    uint64_t sums_offset = qn_load_u64(bytes + AT_SUMS_OFFSET);
    uint64_t free_from = QN_PAGE, features = 0;
    for (uint32_t i = 0; i < n_sections; i++) {
        const uint8_t *entry = bytes + AT_TABLE + (size_t)i * ENTRY;
        uint32_t kind = qn_load_u32(entry);
        uint64_t offset = qn_load_u64(entry + 8);
        uint64_t len = qn_load_u64(entry + 16);
        if (qn_load_u32(entry + 4) != 0 || offset % SECTION_ALIGN != 0 || offset < free_from ||
            !qn_in_range(offset, len, sums_offset))
            return qn_fail(error, QUERN_E_DAMAGED, "%s: section %" PRIu32 " lies where it may not",
                           name, kind);
        for (uint32_t j = 0; j < i; j++) {
            if (qn_load_u32(bytes + AT_TABLE + (size_t)j * ENTRY) == kind)
                return qn_fail(error, QUERN_E_DAMAGED, "%s: section %" PRIu32 " occurs twice", name,
                               kind);
        }
        free_from = offset + len;
        if ((kind & MAY_BE_IGNORED) != 0)
            continue;
        if (!kind_is_known(file_kind, kind))
            return qn_fail(error, QUERN_E_VERSION,
                           "%s holds a section of kind %" PRIu32 ", which this program cannot read",
                           name, kind);
        out->section[kind] = (qn_section){.data = bytes + offset, .len = len};
        features |= feature_of(kind);
    }
    if (features != qn_load_u64(bytes + AT_FEATURES))
        return qn_fail(error, QUERN_E_DAMAGED, "%s: its features are not those of its sections",
                       name);
    return QUERN_OK;
}

/* Sums are checked and the bitmap made for paranoid readers only: both cost time proportional to
 * the file. */
static quern_status become_paranoid(qn_container *out, uint64_t tail_checksum, quern_error *error)
{
    if (qn_checksum(out->sums, tail_len(out)) != tail_checksum)
        return qn_fail(error, QUERN_E_DAMAGED, "%s: the page checksums have a wrong checksum",
                       out->name);
    size_t n_words = (size_t)(out->n_pages / 64 + 1);
    out->checked = malloc(n_words * sizeof *out->checked);
    if (out->checked == NULL)
        return qn_fail_memory(error);
    for (size_t i = 0; i < n_words; i++)
        atomic_init(&out->checked[i], 0);
    return QUERN_OK;
}

quern_status qn_container_open_bytes(qn_container *out, const uint8_t *bytes, size_t len,
                                     const char *name, uint32_t kind, bool paranoid,
                                     quern_error *error)
{
    memset(out, 0, sizeof *out);
    (void)snprintf(out->name, sizeof out->name, "%s", name);
    quern_status status = check_identity(bytes, len, name, error);
    if (status == QUERN_OK)
        status = check_shape(bytes, len, name, kind, error);
    if (status == QUERN_OK)
        status = read_table(out, bytes, name, kind, error);
    if (status == QUERN_OK) {
        out->sums = bytes + qn_load_u64(bytes + AT_SUMS_OFFSET);
        out->n_pages = qn_load_u64(bytes + AT_N_PAGES);
        out->header_checksum = qn_load_u64(bytes + AT_HEADER_CHECKSUM);
        if (paranoid)
            status = become_paranoid(out, qn_load_u64(bytes + AT_TAIL_CHECKSUM), error);
    }
    if (status != QUERN_OK)
        qn_container_close(out);
    return status;
}

/* ---- what is picked ---- */

/* Without memory for it the file is read as others are. */
static void pick(qn_container *container)
{
    const qn_mapping *mapping = &container->mapping;
    if (mapping->mapped_len == 0)
        return;
    container->expected = calloc(mapping->len / QN_REGION / 64 + 1, sizeof *container->expected);
    if (container->expected == NULL)
        qn_mapping_pick(mapping, false);
}

void qn_container_sweep(qn_container *container)
{
    free((void *)container->expected);
    container->expected = NULL;
    qn_mapping_pick(&container->mapping, false);
}

/* Nobody minds a region that two threads ask for. */
void qn_container_expect(const qn_container *container, const uint8_t *data, uint64_t len)
{
    const qn_mapping *mapping = &container->mapping;
    if (len == 0)
        return;
    size_t at = (size_t)(data - mapping->data);
    size_t end =
        len < mapping->len - at ? at + (size_t)len : mapping->len; /* over-reads are left */
    size_t first = at / QN_REGION, last = (end - 1) / QN_REGION;
    for (size_t w = first / 64; w <= last / 64; w++) {
        uint64_t own = ~UINT64_C(0);
        if (w == first / 64)
            own <<= first % 64;
        if (w == last / 64)
            own &= ~UINT64_C(0) >> (63 - last % 64);
        uint64_t missing =
            own & ~atomic_load_explicit(&container->expected[w], memory_order_relaxed);
        if (missing == 0)
            continue;
        atomic_fetch_or_explicit(&container->expected[w], own, memory_order_relaxed);
        size_t from = (64 * w + (size_t)__builtin_ctzll(missing)) * QN_REGION;
        size_t to = (64 * w + 64 - (size_t)__builtin_clzll(missing)) * QN_REGION;
        to = to < mapping->len ? to : mapping->len;
        qn_mapping_expect(mapping, from, to - from);
    }
}

/* ---- opening files ---- */

quern_status qn_container_open(qn_container *out, int dirfd, const char *name, uint32_t kind,
                               bool in_memory, bool paranoid, quern_error *error)
{
    memset(out, 0, sizeof *out);
    qn_mapping mapping;
    quern_status status = qn_mapping_open(&mapping, dirfd, name, name, in_memory, error);
    if (status != QUERN_OK)
        return status;
    qn_mapping_pick(&mapping, true);
    status = qn_container_open_bytes(out, mapping.data, mapping.len, name, kind, paranoid, error);
    if (status != QUERN_OK) {
        qn_mapping_close(&mapping);
        return status;
    }
    out->mapping = mapping;
    pick(out);
    return QUERN_OK;
}

void qn_container_forget(const qn_container *container)
{
    qn_mapping_forget(&container->mapping);
}

void qn_container_close(qn_container *container)
{
    free((void *)container->checked);
    free((void *)container->expected);
    qn_mapping_close(&container->mapping);
    memset(container, 0, sizeof *container);
}

/* ---- checks ---- */

static bool page_is_good(const qn_container *container, uint64_t page)
{
    const uint8_t *at = first_byte(container) + page * QN_PAGE;
    return qn_checksum(at, QN_PAGE) == qn_load_u64(container->sums + (page - 1) * 8);
}

quern_status qn_container_check_pages(const qn_container *container, const uint8_t *data,
                                      uint64_t len, quern_error *error)
{
    if (container->checked == NULL || len == 0)
        return QUERN_OK;
    uint64_t offset = (uint64_t)(data - first_byte(container));
    uint64_t last = (offset + len - 1) / QN_PAGE;
    if (last > container->n_pages)
        last = container->n_pages; /* an over-read past the last section */
    for (uint64_t page = offset / QN_PAGE; page <= last; page++) {
        if (page == 0)
            continue; /* checked at open */
        /* Relaxed order: the bit says something about bytes that never change. */
        _Atomic uint64_t *word = &container->checked[page / 64];
        uint64_t bit = UINT64_C(1) << (page % 64);
        if ((atomic_load_explicit(word, memory_order_relaxed) & bit) != 0)
            continue;
        if (!page_is_good(container, page))
            return qn_fail_at(error, QUERN_E_DAMAGED, page * QN_PAGE,
                              "%s: the page at byte %" PRIu64 " has a wrong checksum",
                              container->name, page * QN_PAGE);
        atomic_fetch_or_explicit(word, bit, memory_order_relaxed);
    }
    return QUERN_OK;
}

/* Where defects go: the first to the caller's error, all to `told`. */
typedef struct defects {
    const qn_container *container;
    void (*told)(void *arg, const char *file, const char *defect);
    void *arg;
    quern_error *error;
    quern_status status;
} defects;

static void note_defect(defects *found, uint64_t position, const char *defect)
{
    if (found->told != NULL)
        found->told(found->arg, found->container->name, defect);
    if (found->status == QUERN_OK)
        found->status = qn_fail_at(found->error, QUERN_E_DAMAGED, position, "%s: %s",
                                   found->container->name, defect);
}

quern_status qn_container_verify(const qn_container *container,
                                 void (*told)(void *arg, const char *file, const char *defect),
                                 void *arg, quern_error *error)
{
    defects found = {container, told, arg, error, QUERN_OK};
    const uint8_t *header = first_byte(container);
    if (sum_of_header(header) != qn_load_u64(header + AT_HEADER_CHECKSUM))
        note_defect(&found, 0, "the header page has a wrong checksum");
    /* Without good sums every page would seem bad: one defect is the truer report. */
    if (qn_checksum(container->sums, tail_len(container)) !=
        qn_load_u64(header + AT_TAIL_CHECKSUM)) {
        note_defect(&found, (container->n_pages + 1) * QN_PAGE,
                    "the page checksums have a wrong checksum");
        return found.status;
    }
    for (uint64_t page = 1; page <= container->n_pages; page++) {
        if (page_is_good(container, page))
            continue;
        char defect[96];
        (void)snprintf(defect, sizeof defect, "the page at byte %" PRIu64 " has a wrong checksum",
                       page * QN_PAGE);
        note_defect(&found, page * QN_PAGE, defect);
    }
    return found.status;
}

quern_status qn_container_damaged(const qn_container *container, const char *what,
                                  quern_error *error)
{
    return qn_fail(error, QUERN_E_DAMAGED, "%s: %s", container->name, what);
}

/* ---- writing ---- */

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
