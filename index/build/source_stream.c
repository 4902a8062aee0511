/*
 * Bytes of a corpus file: see source_stream.h.
 *
 * gzip: RFC 1952; members may follow one another, and zero bytes after the last one (as tape
 * archives leave them) are ignored, as gzip(1) does. zstd: RFC 8878, frames likewise.
 */
#include "index/build/source_stream.h"

#include "index/base/bytes.h"
#include "index/base/status.h"
#include "index/codec/zblock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

/* Decompressed bytes taken from zstd at a time. What a failing call has decompressed before it came
 * upon the damage is lost, so that this much is lost at most. A call costs some 50 ns. */
#define ZSTD_STEP ((size_t)1024)

/* ---- raw bytes ---- */

/* Reads raw bytes until the buffer is full or the file ends. */
static quern_status refill(qn_stream *stream, quern_error *error)
{
    stream->in_at = stream->in_len = 0;
    while (!stream->in_ended && stream->in_len < QN_STREAM_CHUNK) {
        ssize_t got =
            read(stream->fd, stream->in + stream->in_len, QN_STREAM_CHUNK - stream->in_len);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            return qn_fail_sys(error, errno, "read", stream->path);
        }
        stream->in_ended = got == 0;
        stream->in_len += (size_t)got;
        stream->raw += (uint64_t)got;
    }
    return QUERN_OK;
}

static bool raw_left(const qn_stream *stream)
{
    return stream->in_at < stream->in_len;
}

/* Sees to it that raw bytes are there, unless the file has ended. */
static quern_status ensure_raw(qn_stream *stream, quern_error *error)
{
    return raw_left(stream) || stream->in_ended ? QUERN_OK : refill(stream, error);
}

static qn_coding recognise(const uint8_t *in, size_t len)
{
    if (len >= 2 && in[0] == 0x1f && in[1] == 0x8b)
        return QN_CODING_GZIP;
    if (len < 4)
        return QN_CODING_NONE;
    uint32_t magic = qn_load_u32(in);
    /* A frame, or one of the sixteen kinds of skippable frame, which pzstd writes first. */
    return magic == 0xfd2fb528u || (magic & 0xfffffff0u) == 0x184d2a50u ? QN_CODING_ZSTD
                                                                        : QN_CODING_NONE;
}

/* ---- gzip ---- */

static quern_status gzip_start(qn_stream *stream, quern_error *error)
{
    if (stream->gzip != NULL)
        return QUERN_OK; /* each member starts with inflateReset */
    z_stream *gzip = calloc(1, sizeof *gzip);
    if (gzip == NULL)
        return qn_fail_memory(error);
    if (inflateInit2(gzip, 15 + 16) != Z_OK) { /* the largest window; gzip headers only */
        free(gzip);
        return qn_fail_memory(error);
    }
    stream->gzip = gzip;
    return QUERN_OK;
}

/* Between two members. QUERN_END if no other follows. */
static quern_status gzip_member(qn_stream *stream, quern_error *error)
{
    for (;;) {
        quern_status status = ensure_raw(stream, error);
        if (status != QUERN_OK)
            return status;
        if (!raw_left(stream))
            return QUERN_END;
        if (stream->in[stream->in_at] != 0)
            break;
        stream->in_at++;
    }
    if (inflateReset(stream->gzip) != Z_OK)
        return qn_fail(error, QUERN_E_INPUT, "gzip state is inconsistent");
    stream->frame_open = true;
    return QUERN_OK;
}

/* Decompresses some raw bytes to out[*len..]. QUERN_OK also where nothing came out. */
static quern_status gzip_step(qn_stream *stream, size_t *len, quern_error *error)
{
    if (!stream->frame_open) {
        quern_status status = gzip_member(stream, error);
        if (status != QUERN_OK)
            return status;
    }
    z_stream *gzip = stream->gzip;
    gzip->next_in = stream->in + stream->in_at;
    gzip->avail_in = (uInt)(stream->in_len - stream->in_at);
    gzip->next_out = stream->out + *len;
    gzip->avail_out = (uInt)(QN_STREAM_CHUNK - *len);
    int code = inflate(gzip, Z_NO_FLUSH);
    stream->in_at = stream->in_len - gzip->avail_in;
    *len = QN_STREAM_CHUNK - gzip->avail_out;
    switch (code) {
    case Z_STREAM_END:
        stream->frame_open = false;
        return QUERN_OK;
    case Z_OK:
        return QUERN_OK;
    case Z_BUF_ERROR: /* no progress was possible: there is always room, so input is short */
        return stream->in_ended ? qn_fail(error, QUERN_E_INPUT, "compressed data is cut off")
                                : QUERN_OK;
    case Z_MEM_ERROR:
        return qn_fail_memory(error);
    default:
        return qn_fail(error, QUERN_E_INPUT, "compressed data is damaged: %s",
                       gzip->msg != NULL ? gzip->msg : "gzip stream error");
    }
}

/* ---- zstd ---- */

static quern_status zstd_start(qn_stream *stream, unsigned window_log_max, quern_error *error)
{
    if (stream->zstd != NULL)
        return QUERN_OK;
    stream->zstd = qn_zstream_new(window_log_max);
    return stream->zstd != NULL ? QUERN_OK : qn_fail_memory(error);
}

/* Like gzip_step. */
static quern_status zstd_step(qn_stream *stream, size_t *len, quern_error *error)
{
    if (!raw_left(stream) && !stream->frame_open) {
        stream->decoder_clean = true;
        return QUERN_END;
    }
    size_t in_len = stream->in_len - stream->in_at;
    size_t out_len = QN_STREAM_CHUNK - *len;
    if (out_len > ZSTD_STEP)
        out_len = ZSTD_STEP;
    quern_error inner = {0};
    quern_status status =
        qn_zstream_read(stream->zstd, stream->in + stream->in_at, &in_len, stream->out + *len,
                        &out_len, &stream->frame_open, &inner);
    if (status == QUERN_E_INPUT) {
        *len += out_len;
        return qn_fail(error, status, "compressed data is damaged: %s", inner.message);
    }
    if (status != QUERN_OK)
        return qn_fail(error, status, "%s: %s", stream->path, inner.message);
    stream->in_at += in_len;
    *len += out_len;
    if (in_len > 0 || out_len > 0)
        return QUERN_OK;
    if (raw_left(stream)) /* refuse to spin, should the decoder ever consume nothing */
        return qn_fail(error, QUERN_E_INPUT, "compressed data is damaged: no progress");
    return stream->in_ended ? qn_fail(error, QUERN_E_INPUT, "compressed data is cut off")
                            : QUERN_OK;
}

/* ---- chunks ---- */

/* Decompresses a chunk: until it is full, the file ends, or decompression fails, perhaps after some
 * bytes. */
static quern_status fill_coded(qn_stream *stream, quern_error *error)
{
    size_t len = 0;
    quern_status status = QUERN_OK;
    while (status == QUERN_OK && len < QN_STREAM_CHUNK) {
        status = ensure_raw(stream, error);
        if (status == QUERN_OK)
            status = stream->coding == QN_CODING_GZIP ? gzip_step(stream, &len, error)
                                                      : zstd_step(stream, &len, error);
    }
    stream->data = stream->out;
    stream->len = len;
    return status;
}

static quern_status fill_plain(qn_stream *stream, quern_error *error)
{
    quern_status status = ensure_raw(stream, error);
    stream->data = stream->in + stream->in_at;
    stream->len = stream->in_len - stream->in_at;
    stream->in_at = stream->in_len;
    return status == QUERN_OK && stream->len == 0 ? QUERN_END : status;
}

/* Loads the next chunk; what comes after it is kept in `ahead`. */
static void load(qn_stream *stream)
{
    stream->ahead = stream->coding == QN_CODING_NONE ? fill_plain(stream, &stream->ahead_error)
                                                     : fill_coded(stream, &stream->ahead_error);
    stream->bytes += stream->len;
    stream->file_bytes += stream->len;
}

quern_status qn_stream_fill(qn_stream *stream, quern_error *error)
{
    stream->len = 0;
    if (stream->ahead == QUERN_OK) {
        load(stream);
        if (stream->len > 0)
            return QUERN_OK;
    }
    quern_status status = stream->ahead;
    if (status != QUERN_END && error != NULL)
        *error = stream->ahead_error;
    if (status == QUERN_E_INPUT)
        stream->ahead = QUERN_END;
    return status;
}

/* ---- opening and closing ---- */

static quern_status start_coding(qn_stream *stream, unsigned window_log_max, quern_error *error)
{
    stream->coding = recognise(stream->in, stream->in_len);
    if (stream->coding == QN_CODING_NONE)
        return QUERN_OK;
    if (stream->out == NULL && (stream->out = malloc(QN_STREAM_CHUNK)) == NULL)
        return qn_fail_memory(error);
    return stream->coding == QN_CODING_GZIP ? gzip_start(stream, error)
                                            : zstd_start(stream, window_log_max, error);
}

quern_status qn_stream_open(qn_stream *stream, int fd, bool close_fd, const char *path,
                            unsigned window_log_max, quern_error *error)
{
    stream->fd = fd;
    stream->is_open = true;
    stream->close_fd = close_fd;
    stream->path = path;
    stream->data = NULL;
    stream->len = 0;
    stream->in_at = stream->in_len = 0;
    stream->in_ended = stream->frame_open = stream->decoder_clean = false;
    stream->file_bytes = 0;
    stream->coding = QN_CODING_NONE;
    stream->ahead = QUERN_OK;
    if (stream->in == NULL && (stream->in = malloc(QN_STREAM_CHUNK)) == NULL)
        return qn_fail_memory(error);
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* a hint; a pipe refuses it */
    quern_status status = refill(stream, error);
    if (status == QUERN_OK)
        status = start_coding(stream, window_log_max, error);
    if (status == QUERN_OK)
        load(stream);
    return status;
}

void qn_stream_close(qn_stream *stream)
{
    if (stream->is_open && stream->close_fd)
        (void)close(stream->fd); /* opened for reading: nothing can be lost */
    stream->is_open = false;
    stream->len = 0;
    /* A zstd decoder that stopped inside a frame, or on damage, cannot serve another file. */
    if (stream->coding == QN_CODING_ZSTD && !stream->decoder_clean) {
        qn_zstream_free(stream->zstd);
        stream->zstd = NULL;
    }
}

void qn_stream_free(qn_stream *stream)
{
    qn_stream_close(stream);
    if (stream->gzip != NULL)
        (void)inflateEnd(stream->gzip);
    free(stream->gzip);
    qn_zstream_free(stream->zstd);
    free(stream->in);
    free(stream->out);
    *stream = (qn_stream){0};
}
