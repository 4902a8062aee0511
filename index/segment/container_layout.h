/*
 * The header page of a container: FORMAT.md, "Container".
 *
 *     header-page := magic(8) version(u32) kind(u32) features(u64) file_len(u64)
 *                    n_sections(u32) 0(u32) sums_offset(u64) n_pages(u64)
 *                    tail_checksum(u64) header_checksum(u64) 0(56 bytes)
 *                    entry*n_sections 0...                            = 4,096 bytes
 *     entry       := kind(u32) 0(u32) offset(u64) len(u64)            = 24 bytes
 *
 * It is written last, so a file whose writer was killed starts with zeros and is refused as no
 * quern file. Included by container*.c only.
 */
#ifndef QN_SEGMENT_CONTAINER_LAYOUT_H
#define QN_SEGMENT_CONTAINER_LAYOUT_H

#include "index/base/checksum.h"
#include "index/base/file.h"
#include "index/segment/format.h"

#include <string.h>

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
    SECTION_ALIGN = 64
};

/* The feature that a section is part of; 0: none. */
static inline uint64_t feature_of(uint32_t kind)
{
    return kind == QN_SECTION_FIELDS                                ? QN_FEATURE_FIELDS
           : kind == QN_SECTION_ORDINALS || kind == QN_SECTION_GONE ? QN_FEATURE_REORDERED
                                                                    : 0;
}

static inline uint64_t sum_of_header(const uint8_t *header)
{
    uint8_t page[QN_PAGE];
    memcpy(page, header, QN_PAGE);
    memset(page + AT_HEADER_CHECKSUM, 0, 8);
    return qn_checksum(page, QN_PAGE);
}

#endif
