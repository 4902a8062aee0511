/* Compressed files: whole, in several members, cut off at every byte, damaged at every byte. */
#include "tests/index/build/test_source_support.h"

#include "index/build/source_stream.h"

#include <zlib.h>
#include <zstd.h>

TestSuite(source_stream, .init = make_dir, .fini = remove_dir);

static const char corpus[] = "{\"id\":1,\"text\":\"the first of them\"}\n"
                             "{\"id\":2,\"text\":\"then the second\"}\n"
                             "{\"id\":3,\"text\":\"third time is a charm\"}\n"
                             "{\"id\":4,\"text\":\"a fourth, unterminated\"}";
static const char corpus_records[] = "+1||the first of them\n"
                                     "+2||then the second\n"
                                     "+3||third time is a charm\n"
                                     "+4||a fourth, unterminated\n";

enum { GZIP, ZSTD, N_CODINGS };
static const char *const file_names[] = {"a.jsonl.gz", "a.jsonl.zst"};

static void put_gzip(qn_buffer *out, const void *bytes, size_t len)
{
    z_stream z = {0};
    cr_assert_eq(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t bound = deflateBound(&z, (uLong)len);
    cr_assert(qn_buffer_reserve(out, bound));
    z.next_in = (Bytef *)(uintptr_t)bytes;
    z.avail_in = (uInt)len;
    z.next_out = out->data + out->len;
    z.avail_out = (uInt)bound;
    cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    out->len += z.total_out;
    (void)deflateEnd(&z);
}

/* A frame with a checksum, as the zstd program writes it. */
static void put_zstd(qn_buffer *out, const void *bytes, size_t len)
{
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    cr_assert_not_null(zstd);
    (void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
    cr_assert(qn_buffer_reserve(out, ZSTD_compressBound(len)));
    size_t got = ZSTD_compress2(zstd, out->data + out->len, ZSTD_compressBound(len), bytes, len);
    cr_assert(!ZSTD_isError(got));
    out->len += got;
    (void)ZSTD_freeCCtx(zstd);
}

static void put_coded(qn_buffer *out, int coding, const void *bytes, size_t len)
{
    if (coding == GZIP)
        put_gzip(out, bytes, len);
    else
        put_zstd(out, bytes, len);
}

Test(source_stream, whole)
{
    for (int coding = 0; coding < N_CODINGS; coding++) {
        qn_buffer coded = {0};
        put_coded(&coded, coding, corpus, sizeof corpus - 1);
        expect_records(write_bytes(file_names[coding], coded.data, coded.len), usual(),
                       corpus_records);
        /* By the first bytes, whatever the name. */
        expect_records(write_bytes("a.jsonl", coded.data, coded.len), usual(), corpus_records);
        expect_records(write_bytes("unnamed", coded.data, coded.len), usual(), corpus_records);
        qn_buffer_free(&coded);
    }
    expect_records(write_text("plain.jsonl.gz", corpus), usual(), corpus_records);
    expect_records(write_text("plain.jsonl.zst", corpus), usual(), corpus_records);
}

/* Members join in the middle of a line; empty ones count for nothing. */
Test(source_stream, members)
{
    for (int coding = 0; coding < N_CODINGS; coding++) {
        qn_buffer coded = {0};
        put_coded(&coded, coding, "", 0);
        for (size_t at = 0; at < sizeof corpus - 1; at += 20) {
            size_t left = sizeof corpus - 1 - at;
            put_coded(&coded, coding, corpus + at, left < 20 ? left : 20);
        }
        put_coded(&coded, coding, "", 0);
        expect_records(write_bytes(file_names[coding], coded.data, coded.len), usual(),
                       corpus_records);
        qn_buffer_free(&coded);
    }
}

Test(source_stream, skippable_frames)
{
    qn_buffer coded = {0};
    static const char skippable[] = "\x5f\x2a\x4d\x18\x03\0\0\0abc";
    (void)qn_buffer_append(&coded, skippable, sizeof skippable - 1);
    put_zstd(&coded, corpus, sizeof corpus - 1);
    (void)qn_buffer_append(&coded, skippable, sizeof skippable - 1);
    expect_records(write_bytes("a.jsonl.zst", coded.data, coded.len), usual(), corpus_records);
    qn_buffer_free(&coded);
}

Test(source_stream, bytes_behind_the_last_member)
{
    qn_buffer coded = {0}, want = {0};
    put_gzip(&coded, corpus, sizeof corpus - 1);
    for (int i = 0; i < 1000; i++)
        (void)qn_buffer_push(&coded, 0);
    expect_records(write_bytes("a.jsonl.gz", coded.data, coded.len), usual(), corpus_records);
    put_text(&coded, "garbage");
    put_text(&want, corpus_records);
    want.len -= strlen("+4||a fourth, unterminated\n"); /* whether it ends there is not known */
    put_text(&want, "!a.jsonl.gz:4: compressed data is damaged: incorrect header check, after 150 "
                    "decompressed bytes\n");
    (void)qn_buffer_push(&want, 0);
    expect_records(write_bytes("a.jsonl.gz", coded.data, coded.len), usual(), (char *)want.data);
    qn_buffer_free(&coded);
    qn_buffer_free(&want);
}

/* What comes before the cut is kept, more of it the later the cut is, and one error tells of it. */
Test(source_stream, cut_off_at_every_byte)
{
    for (int coding = 0; coding < N_CODINGS; coding++) {
        qn_buffer coded = {0};
        size_t before = 0, magic = coding == GZIP ? 2 : 4;
        put_coded(&coded, coding, corpus, sizeof corpus - 1);
        for (size_t len = 0; len < coded.len; len++) {
            char *got = records_of(write_bytes(file_names[coding], coded.data, len), usual());
            size_t good = count_records(got, '+'), bad = count_records(got, '!');
            cr_assert_eq(bad, len == 0 ? 0u : 1u, "%zu bytes: %s", len, got);
            cr_assert(good >= before);
            cr_assert(good < 4, "the last line may have been longer");
            cr_assert_eq(memcmp(got, corpus_records, good > 0 ? strlen(got) / 8 : 0), 0);
            cr_assert(len < magic || strstr(got, "compressed data is cut off, after ") != NULL,
                      "%zu bytes: %s", len, got);
            before = good;
            free(got);
        }
        cr_assert(coding == ZSTD || before == 3, "gzip gives what it has");
        qn_buffer_free(&coded);
    }
}

Test(source_stream, damaged_at_every_byte)
{
    test_random state = 5;
    for (int coding = 0; coding < N_CODINGS; coding++) {
        qn_buffer coded = {0};
        put_coded(&coded, coding, corpus, sizeof corpus - 1);
        for (size_t at = 0; at < coded.len; at++) {
            uint8_t old = coded.data[at];
            coded.data[at] ^= (uint8_t)(1 + test_next(&state) % 255);
            char *got = records_of(write_bytes(file_names[coding], coded.data, coded.len), usual());
            /* A gzip header says things that nothing depends on. */
            bool harmless = coding == GZIP && at >= 3 && at < 10;
            cr_assert(harmless || count_records(got, '!') >= 1, "byte %zu: %s", at, got);
            coded.data[at] = old;
            free(got);
        }
        qn_buffer_free(&coded);
    }
}

/* ---- larger than a chunk ---- */

/* TSV lines that compress badly enough to fill many blocks. */
static void make_large(qn_buffer *text, size_t n_lines)
{
    test_random state = 3;
    for (size_t i = 0; i < n_lines; i++) {
        char line[128];
        (void)snprintf(line, sizeof line, "%zu\t%016llx%016llx%016llx\n", i,
                       (unsigned long long)test_next(&state), (unsigned long long)test_next(&state),
                       (unsigned long long)test_next(&state));
        put_text(text, line);
    }
}

Test(source_stream, large_is_the_same_however_it_comes)
{
    qn_buffer text = {0};
    make_large(&text, 30000);
    cr_assert(text.len > 4 * QN_STREAM_CHUNK);
    char *want = records_of(write_bytes("a.tsv", text.data, text.len), usual());
    cr_assert_eq(count_records(want, '+'), 30000u);
    for (int coding = 0; coding < N_CODINGS; coding++) {
        qn_buffer coded = {0};
        put_coded(&coded, coding, text.data, 1000000);
        put_coded(&coded, coding, text.data + 1000000, text.len - 1000000);
        const char *name = coding == GZIP ? "a.tsv.gz" : "a.tsv.zst";
        char *got = records_of(write_bytes(name, coded.data, coded.len), usual());
        cr_assert_str_eq(got, want);
        free(got);
        qn_buffer_free(&coded);
    }
    free(want);
    qn_buffer_free(&text);
}

/* Lines that end within the first `len` bytes. */
static size_t lines_within(const qn_buffer *text, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len && i < text->len; i++)
        n += text->data[i] == '\n';
    return n;
}

/* The checksum at the end is damaged: every record is there, but for the last 1024 bytes which zstd
 * may keep to itself. */
Test(source_stream, good_records_before_damage_are_kept)
{
    qn_buffer text = {0};
    make_large(&text, 30000);
    for (int coding = 0; coding < N_CODINGS; coding++) {
        qn_buffer coded = {0};
        put_coded(&coded, coding, text.data, text.len);
        const char *name = coding == GZIP ? "a.tsv.gz" : "a.tsv.zst";
        coded.data[coded.len - (coding == GZIP ? 6 : 1)] ^= 1;
        char *got = records_of(write_bytes(name, coded.data, coded.len), usual());
        size_t good = count_records(got, '+');
        size_t least = coding == GZIP ? 30000 : lines_within(&text, text.len - 1024);
        char place[32];
        (void)snprintf(place, sizeof place, ":%zu: compressed data is damaged", good + 1);
        cr_expect(good >= least && good <= 30000, "%zu of %zu", good, least);
        cr_expect_eq(count_records(got, '!'), 1u);
        cr_expect_not_null(strstr(got, place), "%s", strchr(got, '!'));
        free(got);
        qn_buffer_free(&coded);
    }
    qn_buffer_free(&text);
}

/* The offsets of a frame's blocks (RFC 8878, 3.1.1), up to `cap`. */
static size_t find_blocks(const qn_buffer *frame, size_t *offsets, size_t cap)
{
    static const size_t size_bytes[] = {0, 2, 4, 8};
    uint8_t descriptor = frame->data[4];
    bool single = descriptor & 0x20;
    size_t at = 5 + size_bytes[descriptor >> 6];
    if (!single || descriptor < 0x40) /* the window, or the smallest size field */
        at++;
    for (size_t n = 0; n < cap; n++) {
        cr_assert(at + 3 <= frame->len);
        uint32_t header = frame->data[at] | (uint32_t)frame->data[at + 1] << 8 |
                          (uint32_t)frame->data[at + 2] << 16;
        offsets[n] = at;
        at += 3 + (header >> 3);
        if (header & 1) {
            cr_assert_eq(at + 4, frame->len, "the walk ends at the checksum");
            return n + 1;
        }
    }
    return cap;
}

/* Likewise where the header of a block is damaged: the blocks before it stay. */
Test(source_stream, zstd_keeps_the_blocks_before_damage)
{
    qn_buffer text = {0}, coded = {0};
    make_large(&text, 10000);
    put_zstd(&coded, text.data, text.len);
    size_t offsets[16], n_blocks = find_blocks(&coded, offsets, 16);
    cr_assert(n_blocks >= 4);
    coded.data[offsets[3]] |= 6; /* the reserved type */
    char *got = records_of(write_bytes("a.tsv.zst", coded.data, coded.len), usual());
    size_t good = count_records(got, '+'), whole = 3u * 128 * 1024;
    cr_expect(good >= lines_within(&text, whole - 1024) && good <= lines_within(&text, whole),
              "%zu", good);
    cr_expect_eq(count_records(got, '!'), 1u);
    free(got);
    qn_buffer_free(&text);
    qn_buffer_free(&coded);
}

/* A frame that asks for a window over the limit is refused before its memory is taken. Nothing is
 * wrong with the file, so this is no malformed record: the build fails and says what to change.
 * (It once counted as one bad record of a file, and --force replaced a good index by an empty one.)
 */
Test(source_stream, window_limit)
{
    static const uint8_t frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88, 0x01, 0x00, 0x00};
    const qn_source_settings small = {.max_record = 100, .window_log_max = 23};
    qn_source *source = NULL;
    quern_error error = {0};
    quern_status status =
        qn_source_open(&source, write_bytes("a.tsv.zst", frame, sizeof frame), &small, &error);
    quern_document document;
    qn_place place;
    if (status == QUERN_OK)
        status = qn_source_next(source, &document, &place, &error);
    cr_expect_eq(status, QUERN_E_MEMORY);
    cr_expect_not_null(strstr(error.message, "a.tsv.zst: zstd frame needs a window of over 8 MiB"),
                       "%s", error.message);
    qn_source_free(source);
}

/* A bomb: a gigabyte in a line is skipped, not gathered. */
Test(source_stream, long_line_in_little)
{
    qn_buffer zeros = {0}, coded = {0};
    cr_assert(qn_buffer_reserve(&zeros, 1 << 24));
    memset(zeros.data, ' ', 1 << 24);
    put_zstd(&coded, "1\ta\n", 4);
    for (int i = 0; i < 4; i++)
        put_zstd(&coded, zeros.data, 1 << 24);
    put_zstd(&coded, "\n2\tb\n", 5);
    const qn_source_settings small = {.max_record = 1000, .window_log_max = 27};
    expect_records(write_bytes("a.tsv.zst", coded.data, coded.len), &small,
                   "+1||a\n!a.tsv.zst:2: record over the limit of 1000 bytes\n+2||b\n");
    qn_buffer_free(&zeros);
    qn_buffer_free(&coded);
}

Test(source_stream, counts)
{
    qn_buffer text = {0}, coded = {0};
    make_large(&text, 20000);
    put_zstd(&coded, text.data, text.len);
    qn_source *source;
    cr_assert_eq(
        qn_source_open(&source, write_bytes("a.tsv.zst", coded.data, coded.len), usual(), NULL),
        QUERN_OK);
    quern_document document;
    qn_place place;
    uint64_t done, total, last = 0;
    while (qn_source_next(source, &document, &place, NULL) == QUERN_OK) {
        qn_source_progress(source, &done, &total);
        cr_assert(done >= last && done <= total);
        last = done;
    }
    qn_source_progress(source, &done, &total);
    cr_expect_eq(qn_source_bytes(source), text.len);
    cr_expect_eq(done, coded.len);
    cr_expect_eq(total, coded.len);
    qn_source_free(source);
    qn_buffer_free(&text);
    qn_buffer_free(&coded);
}
