/* Reading containers: see container.h and container_layout.h. */
#include "index/segment/container.h"

#include "index/base/status.h"
#include "index/segment/container_layout.h"
#include "index/segment/format.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint32_t MAY_BE_IGNORED = UINT32_C(1) << 31;

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
