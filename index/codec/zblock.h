/* zstd: blocks of stored text, and streamed input. The only file that includes zstd. */
#ifndef QN_CODEC_ZBLOCK_H
#define QN_CODEC_ZBLOCK_H

#include "engine/quern.h"
#include "index/base/buffer.h"

/* ---- blocks ---- */

typedef struct qn_zblock_encoder qn_zblock_encoder;
typedef struct qn_zblock_decoder qn_zblock_decoder;

/* An encoder of the given zstd level; NULL when memory is short. One thread at a time. */
qn_zblock_encoder *qn_zblock_encoder_new(int level);

/* Likewise, for what repeats little: remembers 2^hash_log places only, and takes no repetition of
 * fewer than min_match bytes. Faster for a little more bytes. */
qn_zblock_encoder *qn_zblock_encoder_new_dense(int level, int hash_log, int min_match);
void qn_zblock_encoder_free(qn_zblock_encoder *encoder);

/* Appends the compressed form (a zstd frame without checksum or content size) to `out`. */
quern_status qn_zblock_encode(qn_zblock_encoder *encoder, const void *bytes, size_t len,
                              qn_buffer *out, quern_error *error);

qn_zblock_decoder *qn_zblock_decoder_new(void);
void qn_zblock_decoder_free(qn_zblock_decoder *decoder);

/* Decompresses into `out`, whose length must come out as exactly `out_len`: QUERN_E_DAMAGED
 * otherwise. Never allocates more than a decoder's fixed state, whatever the input says. */
quern_status qn_zblock_decode(qn_zblock_decoder *decoder, const void *bytes, size_t len, void *out,
                              size_t out_len, quern_error *error);

/* ---- streams ---- */

typedef struct qn_zstream qn_zstream;

/* A decompressor of concatenated frames, as .zst files are. Windows over 2^window_log_max bytes are
 * refused (their memory would break the builder's ceiling). NULL when memory is short. */
qn_zstream *qn_zstream_new(unsigned window_log_max);
void qn_zstream_free(qn_zstream *stream);

/* Bytes of memory held, the window included. */
size_t qn_zstream_bytes(const qn_zstream *stream);

/* Consumes some of in[0..*in_len) and produces some of out[0..*out_len); both lengths become what
 * was consumed and produced. `*frame_open` tells whether a frame is unfinished, which at the end of
 * the file means it was cut off. QUERN_E_INPUT if malformed, with zstd's reason. */
quern_status qn_zstream_read(qn_zstream *stream, const void *in, size_t *in_len, void *out,
                             size_t *out_len, bool *frame_open, quern_error *error);

#endif
