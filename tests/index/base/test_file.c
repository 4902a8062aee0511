/* Files: mappings of every size around a page, writers, spools, and what is said when things fail.
 * Each test has a directory of its own. */
#define _DEFAULT_SOURCE
#include "index/base/file.h"

#include "index/base/bytes.h"
#include "index/base/checksum.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir_path[] = "/tmp/quern-test-file-XXXXXX";
static int dir = -1;

static void make_dir(void)
{
    cr_assert_not_null(mkdtemp(dir_path));
    dir = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert_geq(dir, 0);
}

static void remove_dir(void)
{
    static const char *const names[] = {"a", "b", "fifo"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)unlinkat(dir, names[i], 0);
    (void)close(dir);
    cr_assert_eq(rmdir(dir_path), 0, "nothing else was left behind");
}

TestSuite(file, .init = make_dir, .fini = remove_dir);

static uint8_t byte_at(uint64_t i)
{
    return (uint8_t)(i * 31 + i / 256 * 7 + 1);
}

static uint8_t *pattern(size_t len)
{
    uint8_t *bytes = malloc(len + 1);
    cr_assert_not_null(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = byte_at(i);
    return bytes;
}

static void write_file(const char *name, size_t len)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    cr_assert_geq(fd, 0);
    uint8_t *bytes = pattern(len);
    cr_assert_eq(qn_write_all(fd, bytes, len, name, NULL), QUERN_OK);
    free(bytes);
    (void)close(fd);
}

/* The whole file must be the pattern. */
static void assert_file(const char *name, size_t len)
{
    qn_mapping mapping;
    cr_assert_eq(qn_mapping_open(&mapping, dir, name, name, true, NULL), QUERN_OK);
    cr_assert_eq(mapping.len, len);
    for (size_t i = 0; i < len; i++)
        cr_assert_eq(mapping.data[i], byte_at(i), "byte %zu", i);
    qn_mapping_close(&mapping);
}

/* ---- mappings ---- */

Test(file, mappings_of_sizes_around_pages)
{
    static const size_t edges[] = {0, QN_PAGE, 2 * QN_PAGE};
    for (size_t e = 0; e < sizeof edges / sizeof edges[0]; e++) {
        for (int d = -70; d <= 70; d++) {
            if (d < 0 && edges[e] == 0)
                continue;
            size_t len = edges[e] + (size_t)(d < 0 ? 0 : d) - (size_t)(d < 0 ? -d : 0);
            write_file("a", len);
            for (int in_memory = 0; in_memory < 2; in_memory++) {
                qn_mapping mapping;
                quern_error error;
                cr_assert_eq(qn_mapping_open(&mapping, dir, "a", "a", in_memory, &error), QUERN_OK);
                cr_assert_eq(mapping.len, len);
                cr_assert_not_null(mapping.data);
                cr_assert(in_memory == 0 || mapping.mapped_len == 0);
                for (size_t i = 0; i < len; i++)
                    cr_assert_eq(mapping.data[i], byte_at(i));
                qn_mapping_close(&mapping);
                cr_assert_null(mapping.data);
            }
        }
    }
}

Test(file, padded_files_are_mapped)
{
    write_file("a", 3 * QN_PAGE - QN_PADDING);
    qn_mapping mapping;
    cr_assert_eq(qn_mapping_open(&mapping, dir, "a", "a", false, NULL), QUERN_OK);
    cr_assert_eq(mapping.mapped_len, 3 * QN_PAGE - QN_PADDING);
    qn_mapping_close(&mapping);
    qn_mapping_close(&mapping); /* closing twice is harmless */
}

Test(file, what_cannot_be_mapped_is_named)
{
    qn_mapping mapping;
    quern_error error = {0};
    cr_assert_eq(qn_mapping_open(&mapping, dir, "none", "my.idx/none", false, &error), QUERN_E_IO);
    cr_assert_str_eq(error.message, "cannot open my.idx/none: No such file or directory");
    cr_assert_eq(error.sys_errno, ENOENT);
    cr_assert(mapping.data == NULL && mapping.len == 0);
    qn_mapping_close(&mapping);
    cr_assert_eq(qn_mapping_open(&mapping, dir, ".", "my.idx/dir", false, &error), QUERN_E_DAMAGED);
    cr_assert_str_eq(error.message, "my.idx/dir is not a regular file");
    cr_assert_eq(mkfifoat(dir, "fifo", 0600), 0);
    /* This once waited until someone wrote to it. */
    cr_assert_eq(qn_mapping_open(&mapping, dir, "fifo", "f", false, &error), QUERN_E_DAMAGED);
}

/* ---- writers ---- */

/* Writes the pattern in pieces of changing lengths up to `largest`. */
static void put_pattern(qn_writer *writer, size_t len, size_t largest)
{
    uint8_t *bytes = pattern(len);
    for (size_t at = 0, i = 1; at < len; i++) {
        size_t part = i * 577 % largest + 1;
        part = part < len - at ? part : len - at;
        cr_assert_eq(qn_writer_put(writer, bytes + at, part, NULL), QUERN_OK);
        at += part;
        cr_assert_eq(writer->offset, at);
    }
    free(bytes);
}

Test(file, writers_with_any_buffer)
{
    static const size_t buffers[] = {0, 1, QN_PAGE, QN_PAGE + 1, 100000};
    for (size_t b = 0; b < sizeof buffers / sizeof buffers[0]; b++) {
        qn_writer writer;
        cr_assert_eq(qn_writer_open(&writer, dir, "a", "a", buffers[b], false, NULL), QUERN_OK);
        put_pattern(&writer, 50001, b % 2 ? 20000 : 100);
        cr_assert_eq(qn_writer_put(&writer, NULL, 0, NULL), QUERN_OK);
        cr_assert_eq(qn_writer_sync(&writer, NULL), QUERN_OK);
        cr_assert_eq(writer.sums.len, 0);
        qn_writer_close(&writer);
        qn_writer_close(&writer);
        assert_file("a", 50001);
        cr_assert_eq(unlinkat(dir, "a", 0), 0);
    }
}

Test(file, page_sums_are_of_the_pages)
{
    enum { LEN = 5 * QN_PAGE + 100 };
    /* The second time with flushes in the middle of pages, which once shifted the sums. */
    for (int flush = 0; flush < 2; flush++) {
        qn_writer writer;
        uint8_t *bytes = pattern(LEN);
        cr_assert_eq(qn_writer_open(&writer, dir, "a", "a", 2 * QN_PAGE, true, NULL), QUERN_OK);
        for (size_t at = 0; at < LEN; at += 100) {
            size_t part = LEN - at < 100 ? LEN - at : 100;
            cr_assert_eq(qn_writer_put(&writer, bytes + at, part, NULL), QUERN_OK);
            if (flush && at % 700 == 0)
                cr_assert_eq(qn_writer_flush(&writer, NULL), QUERN_OK);
        }
        cr_assert_eq(qn_writer_flush(&writer, NULL), QUERN_OK);
        cr_assert_eq(writer.sums.len, 5 * sizeof(uint64_t));
        for (size_t page = 0; page < 5; page++)
            cr_assert_eq(qn_load_u64(writer.sums.data + page * 8),
                         qn_checksum(bytes + page * QN_PAGE, QN_PAGE));
        qn_writer_close(&writer);
        free(bytes);
        assert_file("a", LEN);
        cr_assert_eq(unlinkat(dir, "a", 0), 0);
    }
}

Test(file, align_pads_with_zeros)
{
    qn_writer writer;
    cr_assert_eq(qn_writer_open(&writer, dir, "a", "a", QN_PAGE, true, NULL), QUERN_OK);
    for (uint32_t align = 1; align <= QN_PAGE; align *= 2) {
        cr_assert_eq(qn_writer_put(&writer, "x", 1, NULL), QUERN_OK);
        uint64_t before = writer.offset;
        cr_assert_eq(qn_writer_align(&writer, align, NULL), QUERN_OK);
        cr_assert_eq(writer.offset % align, 0);
        cr_assert_lt(writer.offset - before, align);
        cr_assert_eq(qn_writer_align(&writer, align, NULL), QUERN_OK);
        cr_assert_lt(writer.offset - before, align);
        uint8_t pad[QN_PAGE];
        size_t n_pad = (size_t)(writer.offset - before);
        cr_assert_eq(qn_writer_read(&writer, before, pad, n_pad, NULL), QUERN_OK);
        for (size_t i = 0; i < n_pad; i++)
            cr_assert_eq(pad[i], 0);
    }
    qn_writer_close(&writer);
}

Test(file, writers_read_back_what_is_buffered_and_what_is_not)
{
    for (int page_sums = 0; page_sums < 2; page_sums++) {
        qn_writer writer;
        cr_assert_eq(qn_writer_open(&writer, dir, "a", "a", QN_PAGE, page_sums, NULL), QUERN_OK);
        put_pattern(&writer, 2 * QN_PAGE + 1000, 300);
        if (page_sums)
            cr_assert_eq(qn_writer_flush(&writer, NULL), QUERN_OK);
        uint8_t out[3 * QN_PAGE];
        for (uint64_t at = 0; at <= writer.offset; at += 61) {
            for (size_t len = 0; len <= writer.offset - at; len += 1 + len * 2) {
                cr_assert_eq(qn_writer_read(&writer, at, out, len, NULL), QUERN_OK);
                for (size_t i = 0; i < len; i++)
                    cr_assert_eq(out[i], byte_at(at + i));
            }
        }
        quern_error error;
        cr_assert_eq(qn_writer_read(&writer, writer.offset, out, 1, &error), QUERN_E_IO);
        cr_assert_eq(qn_writer_read(&writer, UINT64_MAX, out, 1, &error), QUERN_E_IO);
        cr_assert_str_eq(error.message, "read past the end of a");
        qn_writer_close(&writer);
        cr_assert_eq(unlinkat(dir, "a", 0), 0);
    }
}

Test(file, writers_do_not_overwrite)
{
    write_file("a", 10);
    qn_writer writer;
    quern_error error;
    cr_assert_eq(qn_writer_open(&writer, dir, "a", "x/a", 1, false, &error), QUERN_E_IO);
    cr_assert_eq(error.sys_errno, EEXIST);
    cr_assert_str_eq(error.message, "cannot create x/a: File exists");
    qn_writer_close(&writer);
    assert_file("a", 10);
}

Test(file, buffers_that_cannot_be_had_leave_nothing)
{
    qn_writer writer;
    quern_error error;
    cr_assert_eq(qn_writer_open(&writer, dir, "a", "a", SIZE_MAX, false, &error), QUERN_E_MEMORY);
    cr_assert_eq(faccessat(dir, "a", F_OK, 0), -1);
    qn_writer_close(&writer);
    cr_assert_eq(qn_writer_spool(&writer, dir, "a", SIZE_MAX, &error), QUERN_E_MEMORY);
    qn_writer_close(&writer);
}

/* ---- spools ---- */

Test(file, spools_are_carried_over_and_leave_no_file)
{
    static const size_t lens[] = {0, 1, QN_PAGE, 3 * QN_PAGE - 1, 70000};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        qn_writer spool, writer;
        cr_assert_eq(qn_writer_spool(&spool, dir, dir_path, 2 * QN_PAGE, NULL), QUERN_OK);
        put_pattern(&spool, lens[i], 900);
        cr_assert_eq(qn_writer_open(&writer, dir, "a", "a", QN_PAGE, true, NULL), QUERN_OK);
        cr_assert_eq(qn_writer_put_spool(&writer, &spool, NULL), QUERN_OK);
        cr_assert_eq(writer.offset, lens[i]);
        cr_assert_eq(spool.offset, lens[i]);
        /* The spool goes on. */
        uint8_t next = byte_at(lens[i]), got;
        cr_assert_eq(qn_writer_put(&spool, &next, 1, NULL), QUERN_OK);
        cr_assert_eq(qn_writer_read(&spool, lens[i], &got, 1, NULL), QUERN_OK);
        cr_assert_eq(got, next);
        cr_assert_eq(qn_writer_flush(&writer, NULL), QUERN_OK);
        qn_writer_close(&spool);
        qn_writer_close(&writer);
        assert_file("a", lens[i]);
        cr_assert_eq(unlinkat(dir, "a", 0), 0);
    }
}

/* ---- failures ---- */

Test(file, a_full_device_is_told_from_other_errors)
{
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    if (full < 0) {
        printf("skipped: no /dev/full\n");
        return;
    }
    quern_error error;
    cr_assert_eq(qn_write_all(full, "x", 1, "out", &error), QUERN_E_SPACE);
    cr_assert_str_eq(error.message, "cannot write out: No space left on device");
    (void)close(full);
    cr_assert_eq(qn_write_all(-1, "x", 1, "out", &error), QUERN_E_IO);
    cr_assert_eq(error.sys_errno, EBADF);
    cr_assert_eq(qn_sync_dir(dir, dir_path, &error), QUERN_OK);
    cr_assert_eq(qn_sync_dir(-1, "d", &error), QUERN_E_IO);
}

Test(file, short_files_are_damage)
{
    write_file("a", 10);
    int fd = openat(dir, "a", O_RDONLY | O_CLOEXEC);
    uint8_t out[20];
    quern_error error;
    cr_assert_eq(qn_pread_all(fd, out, 10, 0, "a", &error), QUERN_OK);
    cr_assert_eq(qn_pread_all(fd, out, 11, 0, "a", &error), QUERN_E_DAMAGED);
    cr_assert_str_eq(error.message, "a ends early, at byte 10");
    cr_assert_eq(qn_pread_all(fd, out, 1, UINT64_MAX, "a", &error), QUERN_E_IO);
    cr_assert_eq(qn_pread_all(fd, out, 0, 0, "a", &error), QUERN_OK);
    (void)close(fd);
}
