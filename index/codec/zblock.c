/*
 * zstd: blocks of stored text, and streamed input. The only file that includes zstd.
 *
 * A stored block is one frame (RFC 8878) that opens
 *
 *     magic(u32 = FD2FB528) descriptor(u8) [window(u8)] ...
 *
 * where the descriptor's bit 5 says that the content is one segment and no window follows. zstd's
 * own one-pass decoder would also take several frames, skippable frames and the formats before 1.0;
 * here, where bytes may be forged, exactly one frame of the one format passes.
 */
#include "index/codec/zblock.h"

#include "index/base/bytes.h"
#include "index/base/status.h"

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum {
    SINGLE_SEGMENT = 0x20, /* in a frame's descriptor */
    MAX_WINDOW_LOG = 23,   /* of a stored block; what RFC 8878 asks every decoder to support */
    MAX_WINDOW = 1 << MAX_WINDOW_LOG,
    BIG_WINDOWS = 20, /* the first level whose windows may be larger */
    N_MAGIC = 4
};

/* ---- blocks ---- */

struct qn_zblock_encoder {
    ZSTD_CCtx *zstd;
};

struct qn_zblock_decoder {
    ZSTD_DCtx *zstd;
};

qn_zblock_encoder *qn_zblock_encoder_new(int level)
{
    qn_zblock_encoder *encoder = malloc(sizeof *encoder);
    if (encoder == NULL)
        return NULL;
    encoder->zstd = ZSTD_createCCtx();
    if (encoder->zstd == NULL ||
        ZSTD_isError(ZSTD_CCtx_setParameter(encoder->zstd, ZSTD_c_compressionLevel, level)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(encoder->zstd, ZSTD_c_contentSizeFlag, 0)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(encoder->zstd, ZSTD_c_checksumFlag, 0)) ||
        (level >= BIG_WINDOWS &&
         ZSTD_isError(ZSTD_CCtx_setParameter(encoder->zstd, ZSTD_c_windowLog, MAX_WINDOW_LOG)))) {
        qn_zblock_encoder_free(encoder);
        return NULL;
    }
    return encoder;
}

qn_zblock_encoder *qn_zblock_encoder_new_dense(int level, int hash_log, int min_match)
{
    qn_zblock_encoder *encoder = qn_zblock_encoder_new(level);
    if (encoder != NULL &&
        (ZSTD_isError(ZSTD_CCtx_setParameter(encoder->zstd, ZSTD_c_hashLog, hash_log)) ||
         ZSTD_isError(ZSTD_CCtx_setParameter(encoder->zstd, ZSTD_c_minMatch, min_match)))) {
        qn_zblock_encoder_free(encoder);
        return NULL;
    }
    return encoder;
}

void qn_zblock_encoder_free(qn_zblock_encoder *encoder)
{
    if (encoder == NULL)
        return;
    (void)ZSTD_freeCCtx(encoder->zstd);
    free(encoder);
}

quern_status qn_zblock_encode(qn_zblock_encoder *encoder, const void *bytes, size_t len,
                              qn_buffer *out, quern_error *error)
{
    size_t bound = ZSTD_compressBound(len);
    if (ZSTD_isError(bound) || !qn_buffer_reserve(out, bound))
        return qn_fail_memory(error);
    size_t n = ZSTD_compress2(encoder->zstd, out->data + out->len, bound, bytes, len);
    if (ZSTD_isError(n)) {
        /* With room for the bound and any input valid, memory is all that can be short. */
        return qn_fail(error, QUERN_E_MEMORY, "cannot compress: %s", ZSTD_getErrorName(n));
    }
    out->len += n;
    return QUERN_OK;
}

qn_zblock_decoder *qn_zblock_decoder_new(void)
{
    qn_zblock_decoder *decoder = malloc(sizeof *decoder);
    if (decoder == NULL)
        return NULL;
    decoder->zstd = ZSTD_createDCtx();
    if (decoder->zstd == NULL) {
        qn_zblock_decoder_free(decoder);
        return NULL;
    }
    return decoder;
}

void qn_zblock_decoder_free(qn_zblock_decoder *decoder)
{
    if (decoder == NULL)
        return;
    (void)ZSTD_freeDCtx(decoder->zstd);
    free(decoder);
}

/* Whether the frame's window is at most MAX_WINDOW; one segment is bounded by its content. */
static bool window_allowed(const uint8_t *frame, size_t len, size_t content)
{
    if (len < N_MAGIC + 2)
        return false;
    if ((frame[N_MAGIC] & SINGLE_SEGMENT) != 0)
        return content <= MAX_WINDOW;
    unsigned exponent = frame[N_MAGIC + 1] >> 3, eighths = frame[N_MAGIC + 1] & 7;
    uint64_t base = UINT64_C(1) << (10 + exponent);
    return base + base / 8 * eighths <= MAX_WINDOW;
}

quern_status qn_zblock_decode(qn_zblock_decoder *decoder, const void *bytes, size_t len, void *out,
                              size_t out_len, quern_error *error)
{
    if (len < N_MAGIC || qn_load_u32(bytes) != ZSTD_MAGICNUMBER)
        return qn_fail(error, QUERN_E_DAMAGED, "stored block is not in zstd format");
    if (!window_allowed(bytes, len, out_len))
        return qn_fail(error, QUERN_E_DAMAGED, "stored block has a window over %d MiB",
                       MAX_WINDOW >> 20);
    if (ZSTD_getDictID_fromFrame(bytes, len) != 0)
        return qn_fail(error, QUERN_E_DAMAGED, "stored block needs a dictionary");
    size_t frame_len = ZSTD_findFrameCompressedSize(bytes, len);
    if (ZSTD_isError(frame_len))
        return qn_fail(error, QUERN_E_DAMAGED, "stored block is damaged: %s",
                       ZSTD_getErrorName(frame_len));
    if (frame_len != len)
        return qn_fail(error, QUERN_E_DAMAGED, "stored block ends after %zu of %zu bytes",
                       frame_len, len);
    uint8_t nothing;
    size_t n =
        ZSTD_decompressDCtx(decoder->zstd, out_len > 0 ? out : &nothing, out_len, bytes, len);
    if (ZSTD_isError(n))
        return qn_fail(error, QUERN_E_DAMAGED, "stored block is damaged: %s", ZSTD_getErrorName(n));
    if (n != out_len)
        return qn_fail(error, QUERN_E_DAMAGED, "stored block holds %zu bytes instead of %zu", n,
                       out_len);
    return QUERN_OK;
}

/* ---- streams ---- */

/* zstd reads the formats before 1.0 too, whose memory no parameter bounds, so the magic number of
 * each frame is collected and checked here before zstd sees it. */
struct qn_zstream {
    ZSTD_DCtx *zstd;
    unsigned window_log_max;
    bool open;        /* a frame has begun and not ended */
    unsigned n_magic; /* bytes of the frame's magic number that are known */
    uint8_t magic[N_MAGIC];
    uint64_t consumed; /* bytes of input, over all calls */
};

qn_zstream *qn_zstream_new(unsigned window_log_max)
{
    qn_zstream *stream = malloc(sizeof *stream);
    if (stream == NULL)
        return NULL;
    ZSTD_bounds bounds = ZSTD_dParam_getBounds(ZSTD_d_windowLogMax);
    int window_log =
        window_log_max < (unsigned)bounds.upperBound ? (int)window_log_max : bounds.upperBound;
    if (window_log < bounds.lowerBound)
        window_log = bounds.lowerBound;
    *stream = (qn_zstream){.zstd = ZSTD_createDCtx(), .window_log_max = (unsigned)window_log};
    if (stream->zstd == NULL ||
        ZSTD_isError(ZSTD_DCtx_setParameter(stream->zstd, ZSTD_d_windowLogMax, window_log))) {
        qn_zstream_free(stream);
        return NULL;
    }
    return stream;
}

void qn_zstream_free(qn_zstream *stream)
{
    if (stream == NULL)
        return;
    (void)ZSTD_freeDCtx(stream->zstd);
    free(stream);
}

size_t qn_zstream_bytes(const qn_zstream *stream)
{
    return ZSTD_sizeof_DCtx(stream->zstd);
}

/* `position` is the byte of the input, over all calls, that zstd has come to. */
static quern_status fail_stream(const qn_zstream *stream, size_t code, uint64_t position,
                                quern_error *error)
{
    switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_memory_allocation:
        return qn_fail_memory(error);
    case ZSTD_error_frameParameter_windowTooLarge:
        return qn_fail_at(error, QUERN_E_MEMORY, position,
                          "zstd frame needs a window of over %llu MiB, the most that the memory "
                          "limit allows",
                          (1ULL << stream->window_log_max) >> 20);
    default:
        return qn_fail_at(error, QUERN_E_INPUT, position, "malformed zstd input near byte %llu: %s",
                          (unsigned long long)position, ZSTD_getErrorName(code));
    }
}

/* Takes bytes of a frame's magic number; once it is whole, checks it and hands it to zstd, which
 * keeps it, as a header takes more. */
static quern_status take_magic(qn_zstream *stream, ZSTD_inBuffer *in, quern_error *error)
{
    const uint8_t *bytes = in->src;
    while (stream->n_magic < N_MAGIC && in->pos < in->size) {
        stream->magic[stream->n_magic++] = bytes[in->pos++];
        stream->open = true;
    }
    if (stream->n_magic < N_MAGIC)
        return QUERN_OK;
    uint32_t magic = qn_load_u32(stream->magic);
    uint64_t position = stream->consumed + in->pos - N_MAGIC;
    if (magic != ZSTD_MAGICNUMBER &&
        (magic & ZSTD_MAGIC_SKIPPABLE_MASK) != ZSTD_MAGIC_SKIPPABLE_START)
        return qn_fail_at(error, QUERN_E_INPUT, position, "not in zstd format at byte %llu",
                          (unsigned long long)position);
    ZSTD_inBuffer four = {.src = stream->magic, .size = N_MAGIC};
    uint8_t nothing;
    ZSTD_outBuffer none = {.dst = &nothing, .size = 0};
    size_t left = ZSTD_decompressStream(stream->zstd, &none, &four);
    return ZSTD_isError(left) ? fail_stream(stream, left, position, error) : QUERN_OK;
}

quern_status qn_zstream_read(qn_zstream *stream, const void *in, size_t *in_len, void *out,
                             size_t *out_len, bool *frame_open, quern_error *error)
{
    ZSTD_inBuffer from = {.src = in, .size = *in_len};
    ZSTD_outBuffer to = {.dst = out, .size = *out_len};
    quern_status status = QUERN_OK;
    /* A frame a turn: zstd stops at the end of a frame, when the input is used up, and when the
     * output is full. */
    for (bool more = true; more && status == QUERN_OK;) {
        more = false;
        if (stream->n_magic < N_MAGIC)
            status = take_magic(stream, &from, error);
        if (status != QUERN_OK || stream->n_magic < N_MAGIC)
            break;
        size_t left = ZSTD_decompressStream(stream->zstd, &to, &from);
        if (ZSTD_isError(left)) {
            status = fail_stream(stream, left, stream->consumed + from.pos, error);
        } else if (left == 0) {
            stream->open = false;
            stream->n_magic = 0;
            more = from.pos < from.size;
        }
    }
    stream->consumed += from.pos;
    *in_len = from.pos;
    *out_len = to.pos;
    *frame_open = stream->open;
    return status;
}
