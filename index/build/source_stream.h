/*
 * Bytes of a corpus file: read() into a buffer of 256 KiB and, where the first bytes say so,
 * through gunzip or zstd into another. Files may follow one another through one stream, which keeps
 * its buffers. Chunks are always filled to the brim except at the end of the file, so what a reader
 * sees never depends on how a pipe was filled.
 */
#ifndef QN_BUILD_SOURCE_STREAM_H
#define QN_BUILD_SOURCE_STREAM_H

#include "engine/quern.h"

/* Bytes of a full chunk. */
#define QN_STREAM_CHUNK ((size_t)256 * 1024)

struct z_stream_s;
struct qn_zstream;

typedef enum qn_coding { QN_CODING_NONE, QN_CODING_GZIP, QN_CODING_ZSTD } qn_coding;

/* Zero-initialise. The reader consumes by moving data and len; the rest is the stream's own. */
typedef struct qn_stream {
    const uint8_t *data; /* unread bytes of the present chunk, valid until the next fill */
    size_t len;
    uint64_t bytes; /* decompressed bytes so far, of all files */
    uint64_t raw;   /* bytes read so far, of all files */

    int fd;
    bool is_open, close_fd; /* descriptor 0 is not ours to close */
    const char *path;       /* for messages; the opener's */
    uint8_t *in;            /* raw bytes; of a file that is not compressed, the chunk itself */
    size_t in_at, in_len;   /* unread raw bytes are in[in_at, in_len) */
    bool in_ended;          /* the file has no more raw bytes */
    uint8_t *out;           /* the chunk of a compressed file */
    qn_coding coding;
    uint64_t file_bytes;     /* decompressed bytes of this file */
    bool frame_open;         /* within a gzip member or zstd frame */
    bool decoder_clean;      /* zstd: the file ended after a whole frame */
    struct z_stream_s *gzip; /* NULL until first needed */
    struct qn_zstream *zstd;
    quern_status ahead; /* what follows the present chunk; OK: not known yet */
    quern_error ahead_error;
} qn_stream;

/*
 * Takes over the descriptor `fd` (closed by qn_stream_close if `close_fd`, also after a failure)
 * and loads the first chunk, so that data and len show it; len is 0 if the file is empty or damaged
 * from the start, as the first fill will tell. `path` must outlive the file's turn. A zstd window
 * over 2^window_log_max bytes is QUERN_E_MEMORY: nothing is wrong with the file. QUERN_E_IO.
 */
quern_status qn_stream_open(qn_stream *stream, int fd, bool close_fd, const char *path,
                            unsigned window_log_max, quern_error *error);

/*
 * The next chunk, once data is consumed (len 0). QUERN_OK: len is positive. QUERN_END.
 * QUERN_E_INPUT: the compressed file is damaged or cut off after the bytes given so far; its
 * message is the bare reason; from then on QUERN_END. QUERN_E_IO, QUERN_E_MEMORY.
 */
quern_status qn_stream_fill(qn_stream *stream, quern_error *error);

/* Ends the file's turn. The buffers stay for the next one. */
void qn_stream_close(qn_stream *stream);

/* Closes, frees the buffers, zeroes the struct. */
void qn_stream_free(qn_stream *stream);

#endif
