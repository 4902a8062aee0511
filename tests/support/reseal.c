/* Forging segment files: offsets as in FORMAT.md, "Container", written out here a second time so
 * that a change of the format must be made knowingly. */
#include "tests/support/reseal.h"

#include "index/base/bytes.h"
#include "index/base/checksum.h"

#include <stdlib.h>

enum { PAGE = 4096 };

static uint8_t *read_only(const char *dir, const char *suffix, size_t *len)
{
    char *path = test_find_file(dir, suffix);
    uint8_t *bytes = path == NULL ? NULL : test_read_file(path, len);
    free(path);
    return bytes;
}

void test_files_new(test_files *files, const test_corpus *corpus,
                    const quern_build_options *options)
{
    *files = (test_files){0};
    char *dir = test_dir_new(), *path = test_path(dir, "x.idx");
    test_build(path, corpus, options);
    files->index = read_only(path, ".qx", &files->index_len);
    files->store = read_only(path, ".qs", &files->store_len);
    free(path);
    test_dir_free(dir);
}

void test_files_free(test_files *files)
{
    free(files->index);
    free(files->store);
    *files = (test_files){0};
}

bool test_reseal(uint8_t *bytes, size_t len)
{
    if (len < PAGE)
        return false;
    uint64_t sums_offset = qn_load_u64(bytes + 40);
    uint64_t n_pages = qn_load_u64(bytes + 48);
    if (sums_offset >= PAGE && sums_offset <= len && n_pages <= sums_offset / PAGE - 1 &&
        n_pages * 8 <= len - sums_offset) {
        for (uint64_t page = 1; page <= n_pages; page++)
            qn_store_u64(bytes + sums_offset + (page - 1) * 8,
                         qn_checksum(bytes + page * PAGE, PAGE));
        qn_store_u64(bytes + 56, qn_checksum(bytes + sums_offset, (size_t)(len - sums_offset)));
    }
    qn_store_u64(bytes + 64, 0);
    qn_store_u64(bytes + 64, qn_checksum(bytes, PAGE));
    return true;
}

bool test_section(const uint8_t *bytes, size_t len, uint32_t kind, size_t *offset,
                  size_t *section_len)
{
    if (len < PAGE)
        return false;
    uint32_t n = qn_load_u32(bytes + 32);
    for (uint32_t i = 0; i < n && i < 64; i++) {
        const uint8_t *entry = bytes + 128 + (size_t)i * 24;
        if (qn_load_u32(entry) != kind)
            continue;
        *offset = (size_t)qn_load_u64(entry + 8);
        *section_len = (size_t)qn_load_u64(entry + 16);
        return qn_in_range(*offset, *section_len, len);
    }
    return false;
}
