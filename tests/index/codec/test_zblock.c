/* zstd blocks and streams. Frames that the encoder never writes are written by hand (RFC 8878). */
#include "index/codec/zblock.h"
#include "tests/support/random.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* ---- bytes ---- */

/* Text that compresses somewhat. */
static char *text_of(size_t len)
{
    static const char *const words[] = {"stone ", "grain ", "the ",  "of ",   "mill ",
                                        "water ", "bread ", "and\n", "is a ", "quern "};
    char *text = malloc(len + 1);
    cr_assert_not_null(text);
    uint64_t state = len;
    for (size_t at = 0; at < len;) {
        const char *word = words[test_next(&state) % 10];
        for (; *word != '\0' && at < len; word++)
            text[at++] = *word;
    }
    text[len] = '\0';
    return text;
}

static void append_encoded(qn_buffer *out, const char *text, size_t len, int level)
{
    qn_zblock_encoder *encoder = qn_zblock_encoder_new(level);
    cr_assert_not_null(encoder);
    cr_assert_eq(qn_zblock_encode(encoder, text, len, out, NULL), QUERN_OK);
    qn_zblock_encoder_free(encoder);
}

/* A frame of one raw block, up to 255 bytes long, with the given bytes between the magic number and
 * the block. */
static void append_raw_frame(qn_buffer *out, const char *header, size_t header_len,
                             const char *content, size_t len)
{
    static const uint8_t magic[] = {0x28, 0xB5, 0x2F, 0xFD};
    uint8_t block[3] = {(uint8_t)(1 | (len << 3 & 0xFF)), (uint8_t)(len >> 5), 0};
    cr_assert(qn_buffer_append(out, magic, sizeof magic) &&
              qn_buffer_append(out, header, header_len) &&
              qn_buffer_append(out, block, sizeof block) && qn_buffer_append(out, content, len));
}

static void append_skippable(qn_buffer *out, const char *content, uint8_t len)
{
    uint8_t head[] = {0x5A, 0x2A, 0x4D, 0x18, len, 0, 0, 0};
    cr_assert(qn_buffer_append(out, head, sizeof head) && qn_buffer_append(out, content, len));
}

static quern_status decode(const qn_buffer *in, void *out, size_t out_len, quern_error *error)
{
    qn_zblock_decoder *decoder = qn_zblock_decoder_new();
    cr_assert_not_null(decoder);
    quern_status status = qn_zblock_decode(decoder, in->data, in->len, out, out_len, error);
    qn_zblock_decoder_free(decoder);
    return status;
}

static void assert_damaged(const qn_buffer *in, size_t out_len, const char *reason)
{
    quern_error error = {0};
    char *out = malloc(out_len + 1);
    cr_assert_eq(decode(in, out, out_len, &error), QUERN_E_DAMAGED);
    cr_assert_not_null(strstr(error.message, reason), "%s", error.message);
    free(out);
}

/* ---- blocks ---- */

Test(zblock, round_trip)
{
    static const size_t lengths[] = {0, 1, 2, 100, 4096, 65536, 65537, 1000000};
    for (int level = 1; level <= 19; level += 9) {
        qn_zblock_encoder *encoder = qn_zblock_encoder_new(level);
        qn_zblock_decoder *decoder = qn_zblock_decoder_new();
        qn_buffer coded = {0};
        cr_assert(encoder != NULL && decoder != NULL);
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            size_t len = lengths[i], before = coded.len;
            char *text = text_of(len), *out = malloc(len + 1);
            cr_assert_eq(qn_zblock_encode(encoder, text, len, &coded, NULL), QUERN_OK);
            cr_assert_eq(qn_zblock_decode(decoder, coded.data + before, coded.len - before,
                                          len > 0 ? out : NULL, len, NULL),
                         QUERN_OK);
            cr_assert(len == 0 || memcmp(out, text, len) == 0);
            cr_assert(len < 4096 || coded.len - before < len / 2, "text compresses");
            free(text);
            free(out);
        }
        qn_buffer_free(&coded);
        qn_zblock_encoder_free(encoder);
        qn_zblock_decoder_free(decoder);
    }
}

Test(zblock, used_encoders_and_new_ones_write_the_same_bytes)
{
    char *text = text_of(70000);
    qn_zblock_encoder *used = qn_zblock_encoder_new(3);
    qn_buffer first = {0}, second = {0};
    cr_assert_eq(qn_zblock_encode(used, text, 50000, &first, NULL), QUERN_OK);
    first.len = 0;
    cr_assert_eq(qn_zblock_encode(used, text, 70000, &first, NULL), QUERN_OK);
    append_encoded(&second, text, 70000, 3);
    cr_assert_eq(first.len, second.len);
    cr_assert_arr_eq(first.data, second.data, first.len);
    qn_zblock_encoder_free(used);
    qn_buffer_free(&first);
    qn_buffer_free(&second);
    free(text);
}

/* Levels from 20 up have windows that the decoder refuses; they are held to 8 MiB. */
Test(zblock, the_highest_level_can_be_read_back)
{
    size_t len = 9u << 20;
    char *text = calloc(len, 1), *out = malloc(len);
    cr_assert(text != NULL && out != NULL);
    qn_buffer coded = {0};
    append_encoded(&coded, text, len, 22);
    cr_assert_eq(decode(&coded, out, len, NULL), QUERN_OK);
    qn_buffer_free(&coded);
    free(text);
    free(out);
}

Test(zblock, every_truncation_is_damage)
{
    char *text = text_of(300), out[300];
    qn_buffer coded = {0};
    append_encoded(&coded, text, 300, 3);
    size_t whole = coded.len;
    for (size_t len = 0; len < whole; len++) {
        /* A copy of the exact size, so that an over-read would be seen. */
        uint8_t *copy = malloc(len + (len == 0));
        memcpy(copy, coded.data, len);
        qn_buffer cut = {.data = copy, .len = len};
        cr_assert_eq(decode(&cut, out, sizeof out, NULL), QUERN_E_DAMAGED);
        free(copy);
    }
    qn_buffer_free(&coded);
    free(text);
}

Test(zblock, changed_bytes_never_pass_the_size)
{
    char *text = text_of(2000), out[2000];
    qn_buffer coded = {0};
    append_encoded(&coded, text, 2000, 3);
    qn_zblock_decoder *decoder = qn_zblock_decoder_new();
    unsigned n_refused = 0, n_tried = 0;
    for (size_t at = 0; at < coded.len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            coded.data[at] ^= (uint8_t)(1 << bit);
            quern_status status =
                qn_zblock_decode(decoder, coded.data, coded.len, out, sizeof out, NULL);
            cr_assert(status == QUERN_OK || status == QUERN_E_DAMAGED);
            n_refused += status != QUERN_OK;
            n_tried++;
            coded.data[at] ^= (uint8_t)(1 << bit);
        }
    }
    cr_assert(n_refused > n_tried / 4, "%u of %u refused", n_refused, n_tried);
    cr_assert_eq(qn_zblock_decode(decoder, coded.data, coded.len, out, sizeof out, NULL), QUERN_OK,
                 "the decoder recovers");
    cr_assert_arr_eq(out, text, sizeof out);
    qn_zblock_decoder_free(decoder);
    qn_buffer_free(&coded);
    free(text);
}

Test(zblock, other_sizes_are_damage)
{
    char *text = text_of(500);
    qn_buffer coded = {0};
    append_encoded(&coded, text, 500, 3);
    assert_damaged(&coded, 501, "holds 500 bytes instead of 501");
    assert_damaged(&coded, 499, "stored block");
    assert_damaged(&coded, 0, "stored block");
    cr_assert(qn_buffer_push(&coded, 0));
    assert_damaged(&coded, 500, "ends after");
    coded.len--;
    append_encoded(&coded, text, 0, 3);
    assert_damaged(&coded, 500, "ends after");
    qn_buffer_free(&coded);
    free(text);
}

Test(zblock, foreign_frames_are_damage)
{
    qn_buffer frame = {0};
    char out[8];
    append_raw_frame(&frame, "\x00\x68", 2, "grain", 5); /* a window of 8 MiB */
    cr_assert_eq(decode(&frame, out, 5, NULL), QUERN_OK);
    cr_assert_arr_eq(out, "grain", 5);
    frame.len = 0;
    append_raw_frame(&frame, "\x00\x69", 2, "grain", 5); /* an eighth more */
    assert_damaged(&frame, 5, "window over 8 MiB");
    frame.len = 0;
    append_raw_frame(&frame, "\x00\xFF", 2, "grain", 5); /* the largest */
    assert_damaged(&frame, 5, "window over 8 MiB");
    frame.len = 0;
    append_raw_frame(&frame, "\x01\x40\x07", 3, "grain", 5);
    assert_damaged(&frame, 5, "dictionary");
    frame.len = 0;
    append_skippable(&frame, "grain", 5);
    assert_damaged(&frame, 0, "not in zstd format");
    frame.len = 0;
    assert_damaged(&frame, 0, "not in zstd format");
    /* One segment, its content size in one byte. */
    append_raw_frame(&frame, "\x20\x05", 2, "grain", 5);
    cr_assert_eq(decode(&frame, out, 5, NULL), QUERN_OK);
    qn_buffer_free(&frame);
}

Test(zblock, free_accepts_null)
{
    qn_zblock_encoder_free(NULL);
    qn_zblock_decoder_free(NULL);
    qn_zstream_free(NULL);
}

/* ---- streams ---- */

/* Reads all of `in` in steps of the given sizes; what comes out is appended to `out`. */
static quern_status read_in_steps(const qn_buffer *in, size_t in_step, size_t out_step,
                                  unsigned window_log_max, qn_buffer *out, bool *open,
                                  quern_error *error)
{
    qn_zstream *stream = qn_zstream_new(window_log_max);
    cr_assert_not_null(stream);
    quern_status status = QUERN_OK;
    *open = false;
    size_t at = 0, produced = 1;
    while (status == QUERN_OK && (at < in->len || produced > 0)) {
        uint8_t part[4096];
        size_t n_in = in->len - at < in_step ? in->len - at : in_step;
        produced = out_step;
        size_t offered = n_in;
        status = qn_zstream_read(stream, in->len > 0 ? in->data + at : NULL, &n_in, part, &produced,
                                 open, error);
        cr_assert(n_in <= offered && produced <= out_step);
        cr_assert(status != QUERN_OK || n_in > 0 || produced > 0 || offered == 0, "progress");
        at += n_in;
        cr_assert(qn_buffer_append(out, part, produced));
    }
    qn_zstream_free(stream);
    return status;
}

static void assert_reads_as(const qn_buffer *in, size_t in_step, size_t out_step, const char *text,
                            size_t len)
{
    qn_buffer out = {0};
    bool open = true;
    quern_error error = {0};
    cr_assert_eq(read_in_steps(in, in_step, out_step, 23, &out, &open, &error), QUERN_OK, "%s",
                 error.message);
    cr_assert(!open);
    cr_assert_eq(out.len, len);
    cr_assert(len == 0 || memcmp(out.data, text, len) == 0);
    qn_buffer_free(&out);
}

Test(zstream, frames_in_any_steps)
{
    char *text = text_of(9000);
    qn_buffer in = {0};
    append_encoded(&in, text, 4000, 3);
    append_skippable(&in, "not text", 8);
    append_encoded(&in, text, 0, 3); /* a frame without content */
    append_encoded(&in, text + 4000, 1, 3);
    append_raw_frame(&in, "\x20\x05", 2, text + 4001, 5);
    append_encoded(&in, text + 4006, 4994, 19);
    append_skippable(&in, "", 0);
    static const size_t steps[][2] = {{100000, 4096}, {1, 4096}, {100000, 1}, {1, 1}, {7, 13}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        assert_reads_as(&in, steps[i][0], steps[i][1], text, 9000);
    qn_buffer_free(&in);
    free(text);
}

Test(zstream, nothing_is_not_a_frame)
{
    qn_buffer in = {0};
    assert_reads_as(&in, 1, 1, "", 0);
}

Test(zstream, a_cut_frame_stays_open)
{
    char *text = text_of(3000);
    qn_buffer in = {0};
    append_encoded(&in, text, 1000, 3);
    size_t first = in.len;
    append_encoded(&in, text + 1000, 2000, 3);
    size_t whole = in.len;
    for (in.len = 0; in.len <= whole; in.len++) {
        qn_buffer out = {0};
        bool open;
        cr_assert_eq(read_in_steps(&in, 64, 4096, 23, &out, &open, NULL), QUERN_OK);
        cr_assert_eq(open, in.len != 0 && in.len != first && in.len != whole, "at %zu", in.len);
        cr_assert(out.len <= 3000 && (out.len == 0 || memcmp(out.data, text, out.len) == 0));
        qn_buffer_free(&out);
    }
    qn_buffer_free(&in);
    free(text);
}

static void assert_refused(const qn_buffer *in, const char *reason, uint64_t position)
{
    for (size_t step = 1; step < 100; step += 40) {
        qn_buffer out = {0};
        bool open;
        quern_error error = {0};
        cr_assert_eq(read_in_steps(in, step, 4096, 20, &out, &open, &error), QUERN_E_INPUT);
        cr_assert_eq(error.status, QUERN_E_INPUT);
        cr_assert_not_null(strstr(error.message, reason), "%s", error.message);
        cr_assert(position == UINT64_MAX || error.position == position, "position %llu",
                  (unsigned long long)error.position);
        qn_buffer_free(&out);
    }
}

Test(zstream, malformed_input_is_refused_with_a_reason)
{
    qn_buffer in = {0};
    append_raw_frame(&in, "\x00\x50", 2, "grain", 5); /* exactly 1 MiB is allowed */
    bool open;
    qn_buffer out = {0};
    cr_assert_eq(read_in_steps(&in, 1, 1, 20, &out, &open, NULL), QUERN_OK);
    qn_buffer_free(&out);
    size_t good = in.len;

    append_raw_frame(&in, "\x00\x51", 2, "grain", 5);
    quern_error error = {0};
    cr_assert_eq(read_in_steps(&in, 1, 4096, 20, &out, &open, &error), QUERN_E_MEMORY);
    cr_assert_not_null(strstr(error.message, "window of over 1 MiB"), "%s", error.message);
    qn_buffer_free(&out);
    in.len = good;
    append_raw_frame(&in, "\x01\x40\x07", 3, "grain", 5);
    assert_refused(&in, "ictionary", UINT64_MAX);
    in.len = good;
    cr_assert(qn_buffer_append(&in, "{\"id\":", 6));
    assert_refused(&in, "not in zstd format at byte 14", good);
    in.len = good;
    /* A frame of zstd 0.7, which zstd itself may still read, with memory that no limit bounds. */
    cr_assert(qn_buffer_append(&in, "\x27\xB5\x2F\xFD\x20\x05", 6));
    assert_refused(&in, "not in zstd format", good);
    in.len = good;
    append_raw_frame(&in, "\x00\x50", 2, "grain", 5);
    in.data[good + 6] |= 6; /* a block of the reserved type */
    assert_refused(&in, "malformed zstd input near byte", UINT64_MAX);
    qn_buffer_free(&in);
}

Test(zstream, odd_window_limits_are_brought_into_range)
{
    static const unsigned logs[] = {0, 9, 10, 27, 31, 32, 4000000000u};
    for (size_t i = 0; i < sizeof logs / sizeof logs[0]; i++) {
        qn_zstream *stream = qn_zstream_new(logs[i]);
        cr_assert_not_null(stream);
        qn_zstream_free(stream);
    }
}
