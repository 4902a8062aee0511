/*
 * Packing blocks of the document store: see docs_packer.h; the grammar is in docs.c.
 *
 * Codes of words must pay for the words. So the first MiB is held back, and packed both ways: with
 * its words, ranked by how often it has them, and without. If words win they are used from there
 * on, and more are added as they are met; if not, the next MiB is tried, later after longer and
 * longer stretches, so that a corpus that gains nothing (Chinese, numbers) is not packed twice for
 * nothing. Which way was taken depends on the documents alone.
 */
#include "index/segment/docs_packer.h"

#include "index/base/status.h"
#include "index/codec/varint.h"
#include "index/codec/zblock.h"
#include "index/segment/docs.h"
#include "index/segment/word_codes.h"

#include <stdlib.h>

enum { HOLD = 1 << 20, SEEN_TWICE = 2 };

/* Where words are known, a text in codes repeats little, and most of zstd's time goes to looking
 * for what does: 512 places to remember in place of 32,768 take 0.55 of its time and 1.03 of the
 * bytes. Where they are not, blocks are packed as raw ones are. */
enum { CODES_HASH_LOG = 9, CODES_MATCH = 5 };

typedef struct held_block {
    uint32_t first_doc;
    size_t len;
} held_block;

struct qn_docs_packer {
    qn_writer *file;
    uint64_t start; /* of the section in the file */
    qn_zblock_encoder *plain, *dense;
    qn_buffer packed, codes, entries;
    bool coding; /* with `words` */
    qn_words words;
    qn_buffer held; /* raw blocks, one after another */
    held_block *block;
    size_t n_held, held_cap;
    uint64_t skip, next_skip; /* raw bytes until the next trial, and after it */
};

quern_status qn_docs_packer_new(qn_docs_packer **out, qn_writer *file, quern_error *error)
{
    qn_docs_packer *packer = calloc(1, sizeof *packer);
    *out = packer;
    if (packer == NULL)
        return qn_fail_memory(error);
    packer->file = file;
    packer->start = file->offset;
    packer->next_skip = HOLD;
    packer->plain = qn_zblock_encoder_new(QN_STORE_LEVEL);
    packer->dense = qn_zblock_encoder_new_dense(QN_STORE_LEVEL, CODES_HASH_LOG, CODES_MATCH);
    if (packer->plain != NULL && packer->dense != NULL)
        return QUERN_OK;
    qn_docs_packer_free(packer);
    *out = NULL;
    return qn_fail_memory(error);
}

void qn_docs_packer_free(qn_docs_packer *packer)
{
    if (packer == NULL)
        return;
    qn_zblock_encoder_free(packer->plain);
    qn_zblock_encoder_free(packer->dense);
    qn_buffer_free(&packer->packed);
    qn_buffer_free(&packer->codes);
    qn_buffer_free(&packer->entries);
    qn_words_free(&packer->words);
    qn_buffer_free(&packer->held);
    free(packer->block);
    free(packer);
}

/* ---- one block ---- */

/* The next span of a block, whose grammar is right; what comes after it. */
static const uint8_t *next_span(const uint8_t *at, const uint8_t *end, quern_span *span)
{
    uint64_t len = 0;
    at = qn_varint_get64(at, end, &len);
    *span = (quern_span){(const char *)at, (size_t)len};
    return at + len;
}

/* Appends the codes of a span, after their length: room is left for the length that is likely. */
static bool put_codes(qn_words *words, quern_span span, qn_buffer *out)
{
    uint8_t head[QN_VARINT64_MAX];
    size_t room = span.len < 256 ? 1 : 2, at = out->len;
    if (!qn_buffer_append(out, head, room) ||
        !qn_word_codes_encode(words, (const uint8_t *)span.data, span.len, out))
        return false;
    size_t len = out->len - at - room, head_len = qn_varint_put(head, len);
    if (!qn_buffer_reserve(out, sizeof head))
        return false;
    if (head_len != room)
        memmove(out->data + at + head_len, out->data + at + room, len);
    memcpy(out->data + at, head, head_len);
    out->len = at + head_len + len;
    return true;
}

static quern_status pack_plain(qn_docs_packer *packer, const uint8_t *raw, size_t len,
                               uint32_t *raw_len, qn_buffer *out, quern_error *error)
{
    *raw_len = (uint32_t)len;
    return qn_zblock_encode(packer->plain, raw, len, out, error);
}

/* As codes, unless they take more than three quarters of the bytes: then zstd does better alone. */
static quern_status pack_codes(qn_docs_packer *packer, const uint8_t *raw, size_t len,
                               uint32_t *raw_len, qn_buffer *out, quern_error *error)
{
    qn_buffer *codes = &packer->codes;
    codes->len = 0;
    const uint8_t *end = raw + len;
    for (const uint8_t *at = raw; at < end;) {
        quern_span span;
        at = next_span(at, end, &span);
        if (!put_codes(&packer->words, span, codes))
            return qn_fail_memory(error);
    }
    if (codes->len >= len / 4 * 3)
        return pack_plain(packer, raw, len, raw_len, out, error);
    *raw_len = (uint32_t)codes->len | QN_STORE_CODED;
    qn_zblock_encoder *encoder = codes->len <= len / 2 ? packer->dense : packer->plain;
    quern_status status = qn_zblock_encode(encoder, codes->data, codes->len, out, error);
    qn_buffer_trim(codes);
    return status;
}

static quern_status write_block(qn_docs_packer *packer, uint32_t first_doc, uint32_t raw_len,
                                const uint8_t *packed, size_t len, quern_error *error)
{
    uint8_t entry[16];
    qn_store_u32(entry, first_doc);
    qn_store_u32(entry + 4, raw_len);
    qn_store_u64(entry + 8, packer->file->offset - packer->start);
    if (!qn_buffer_append(&packer->entries, entry, sizeof entry))
        return qn_fail_memory(error);
    return qn_writer_put(packer->file, packed, len, error);
}

/* ---- blocks that are held back ---- */

static quern_status hold(qn_docs_packer *packer, const qn_buffer *raw, uint32_t first_doc,
                         quern_error *error)
{
    void *block = packer->block;
    if (!qn_array_grow(&block, &packer->held_cap, packer->n_held + 1, sizeof *packer->block))
        return qn_fail_memory(error);
    packer->block = block;
    if (!qn_buffer_append(&packer->held, raw->data, raw->len) ||
        !qn_buffer_reserve(&packer->held, QN_PADDING))
        return qn_fail_memory(error);
    packer->block[packer->n_held++] = (held_block){first_doc, raw->len};
    return QUERN_OK;
}

/* The words of what is held, the most frequent first. */
static bool learn(qn_docs_packer *packer)
{
    uint32_t *count = calloc(QN_WORDS_MAX, sizeof *count);
    bool good = count != NULL && qn_words_init(&packer->words);
    const uint8_t *at = packer->held.data, *end = at + packer->held.len;
    while (good && at < end) {
        quern_span span;
        at = next_span(at, end, &span);
        good = qn_word_codes_count(&packer->words, (const uint8_t *)span.data, span.len, count);
    }
    good = good && qn_words_rank(&packer->words, count, SEEN_TWICE);
    free(count);
    return good;
}

/* All blocks held, packed one way: their bytes in `out`, and of each the length and raw length. */
typedef struct attempt {
    qn_buffer out;
    uint32_t *raw_len;
    size_t *len;
} attempt;

typedef quern_status pack_fn(qn_docs_packer *packer, const uint8_t *raw, size_t len,
                             uint32_t *raw_len, qn_buffer *out, quern_error *error);

static quern_status try_way(qn_docs_packer *packer, pack_fn *pack, attempt *to, quern_error *error)
{
    to->raw_len = malloc(packer->n_held * sizeof *to->raw_len);
    to->len = malloc(packer->n_held * sizeof *to->len);
    if (to->raw_len == NULL || to->len == NULL)
        return qn_fail_memory(error);
    const uint8_t *raw = packer->held.data;
    quern_status status = QUERN_OK;
    for (size_t i = 0; status == QUERN_OK && i < packer->n_held; i++) {
        size_t before = to->out.len, len = packer->block[i].len;
        status = pack(packer, raw, len, &to->raw_len[i], &to->out, error);
        to->len[i] = to->out.len - before;
        raw += len;
    }
    return status;
}

static void free_attempt(attempt *to)
{
    qn_buffer_free(&to->out);
    free(to->raw_len);
    free(to->len);
}

static quern_status write_attempt(qn_docs_packer *packer, const attempt *from, quern_error *error)
{
    const uint8_t *packed = from->out.data;
    quern_status status = QUERN_OK;
    for (size_t i = 0; status == QUERN_OK && i < packer->n_held; i++) {
        status = write_block(packer, packer->block[i].first_doc, from->raw_len[i], packed,
                             from->len[i], error);
        packed += from->len[i];
    }
    return status;
}

/* Writes what is held, with its words or without, and goes on so. */
static quern_status settle(qn_docs_packer *packer, quern_error *error)
{
    if (packer->n_held == 0)
        return QUERN_OK;
    attempt plain = {0}, coded = {0};
    quern_status status = try_way(packer, pack_plain, &plain, error);
    if (status == QUERN_OK && !learn(packer))
        status = qn_fail_memory(error);
    if (status == QUERN_OK)
        status = try_way(packer, pack_codes, &coded, error);
    if (status == QUERN_OK) {
        packer->coding = coded.out.len + qn_words_section_len(&packer->words) < plain.out.len;
        status = write_attempt(packer, packer->coding ? &coded : &plain, error);
    }
    free_attempt(&plain);
    free_attempt(&coded);
    if (packer->coding) {
        qn_buffer_free(&packer->held);
    } else {
        qn_words_free(&packer->words);
        if (packer->held.len >= HOLD) {
            packer->skip = packer->next_skip;
            packer->next_skip *= 2;
        }
    }
    packer->held.len = 0;
    packer->n_held = 0;
    return status;
}

/* ---- all of them ---- */

static quern_status put_now(qn_docs_packer *packer, pack_fn *pack, const qn_buffer *raw,
                            uint32_t first_doc, quern_error *error)
{
    uint32_t raw_len;
    packer->packed.len = 0;
    quern_status status = pack(packer, raw->data, raw->len, &raw_len, &packer->packed, error);
    if (status == QUERN_OK)
        status =
            write_block(packer, first_doc, raw_len, packer->packed.data, packer->packed.len, error);
    qn_buffer_trim(&packer->packed);
    return status;
}

quern_status qn_docs_packer_put(qn_docs_packer *packer, qn_buffer *raw, uint32_t first_doc,
                                quern_error *error)
{
    bool large = raw->len > QN_STORE_CODED_MAX;
    if (!large && !qn_buffer_reserve(raw, QN_PADDING))
        return qn_fail_memory(error);
    if (packer->coding && !large)
        return put_now(packer, pack_codes, raw, first_doc, error);
    if (packer->coding || large || packer->skip > 0) {
        quern_status status = settle(packer, error);
        packer->skip -= raw->len < packer->skip ? raw->len : packer->skip;
        return status != QUERN_OK ? status : put_now(packer, pack_plain, raw, first_doc, error);
    }
    quern_status status = hold(packer, raw, first_doc, error);
    return status == QUERN_OK && packer->held.len >= HOLD ? settle(packer, error) : status;
}

quern_status qn_docs_packer_finish(qn_docs_packer *packer, quern_error *error)
{
    return settle(packer, error);
}

const qn_buffer *qn_docs_packer_entries(const qn_docs_packer *packer)
{
    return &packer->entries;
}

const qn_words *qn_docs_packer_words(const qn_docs_packer *packer)
{
    return &packer->words;
}
