/*
 * External ids: see ids.h.
 *
 *     IDS       := block* place*                    a block for every 32 documents
 *     block     := len(varint) id ( 0(varint) | shared+1(varint) len(varint) suffix )*31
 *     place     := u40                              where each block ends, counted from the start
 *     ID_LOOKUP := starts entries                   both bit-packed, each rounded up to a byte
 *     starts    := n_buckets + 1 numbers of W bits: where each bucket's entries start
 *     entries   := n_docs numbers of W + 6 bits: document << 6 | low 6 bits of the hash
 *
 * shared counts the bytes an id has in common with the one before; 0 says that the decimal number
 * at its end is the one before's plus 1, as paragraphs are counted. n_buckets = n_docs / 8 + 1 and
 * W = bits of n_docs follow from META. hash is the upper half of the id's XXH3, and its bucket is
 * hash * n_buckets >> 32; a bucket's documents ascend.
 *
 * On 966,464 ids of 43 bytes ("reuters/20061020/businesspro-google-...#1") blocks of 32 take 4.7
 * bytes an id (without counting 6.6), blocks of 16 take 6.1; the lookup takes 3.6. Six bits of the
 * hash leave a find of 8 entries with 1.06 ids to decode (four: 1.25), where an id is 0.25 us.
 */
#include "index/segment/ids.h"

#include "index/base/checksum.h"
#include "index/base/sorter.h"
#include "index/base/status.h"
#include "index/codec/bitpack.h"
#include "index/codec/packer.h"
#include "index/codec/varint.h"

#include <stdlib.h>
#include <string.h>

enum { IDS_BLOCK = 32, PLACE = 5, PER_BUCKET = 8, TAG_BITS = 6 };

/* Of a writer. */
enum { SPOOL_BUFFER = 64 * 1024, SORTER_BYTES = 8 << 20 };

static uint32_t hash_of(const char *id, size_t len)
{
    return (uint32_t)(qn_checksum(id, len) >> 32);
}

static uint32_t bucket_of(uint32_t hash, uint32_t n_buckets)
{
    return (uint32_t)((uint64_t)hash * n_buckets >> 32);
}

static uint32_t buckets_for(uint32_t n_docs)
{
    return n_docs / PER_BUCKET + 1;
}

static unsigned width_for(uint32_t n_docs)
{
    return n_docs == 0 ? 1 : 32 - (unsigned)__builtin_clz(n_docs);
}

/* Adds 1 to the decimal number at the end of id[0..*len), which has room for QN_ID_MAX bytes; false
 * if there is none, or no room ("9" becomes "10", "09" too). */
static bool count_up(char *id, size_t *len)
{
    size_t at = *len;
    while (at > 0 && id[at - 1] == '9')
        id[--at] = '0';
    if (at > 0 && id[at - 1] >= '0' && id[at - 1] < '9') {
        id[at - 1]++;
        return true;
    }
    if (at == *len || *len == QN_ID_MAX)
        return false;
    id[at] = '1'; /* all were nines: one digit more */
    id[(*len)++] = '0';
    return true;
}

static uint64_t blocks_for(uint32_t n_docs)
{
    return ((uint64_t)n_docs + IDS_BLOCK - 1) / IDS_BLOCK;
}

/* ---- writing ---- */

struct qn_ids_writer {
    qn_writer blocks, places;
    qn_sorter hashes; /* of all documents */
    uint32_t n_docs;
    size_t before_len;
    char before[QN_ID_MAX];
};

quern_status qn_ids_writer_new(qn_ids_writer **out, int dirfd, const char *path, quern_error *error)
{
    *out = NULL;
    qn_ids_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return qn_fail_memory(error);
    quern_status status = qn_writer_spool(&writer->blocks, dirfd, path, SPOOL_BUFFER, error);
    if (status == QUERN_OK)
        status = qn_writer_spool(&writer->places, dirfd, path, SPOOL_BUFFER, error);
    if (status == QUERN_OK)
        status = qn_sorter_init(&writer->hashes, SORTER_BYTES, dirfd, path, error);
    if (status != QUERN_OK) {
        qn_ids_writer_free(writer);
        return status;
    }
    *out = writer;
    return QUERN_OK;
}

/* Notes where the block before ends. */
static quern_status put_place(qn_ids_writer *writer, quern_error *error)
{
    uint8_t place[8];
    qn_store_u64(place, writer->blocks.offset);
    return qn_writer_put(&writer->places, place, PLACE, error);
}

/* An id from byte `shared` on. */
static quern_status put_rest(qn_ids_writer *writer, const char *id, size_t len, size_t shared,
                             bool say_shared, quern_error *error)
{
    uint8_t head[2 * QN_VARINT64_MAX];
    size_t head_len = say_shared ? qn_varint_put(head, shared + 1) : 0;
    head_len += qn_varint_put(head + head_len, len - shared);
    quern_status status = qn_writer_put(&writer->blocks, head, head_len, error);
    return status == QUERN_OK ? qn_writer_put(&writer->blocks, id + shared, len - shared, error)
                              : status;
}

quern_status qn_ids_writer_add(qn_ids_writer *writer, const char *id, size_t len,
                               quern_error *error)
{
    if (len == 0 || len > QN_ID_MAX)
        return qn_fail(error, QUERN_E_ARGUMENT, "an id of %zu bytes", len);
    if (writer->n_docs == QN_DOCS_MAX || writer->blocks.offset >> (8 * PLACE) != 0)
        return qn_fail(error, QUERN_E_INPUT, "there are more ids than a segment holds");
    quern_status status = qn_sorter_add(&writer->hashes, hash_of(id, len), writer->n_docs, error);
    if (status != QUERN_OK)
        return status;
    if (writer->n_docs % IDS_BLOCK == 0) {
        if (writer->n_docs > 0)
            status = put_place(writer, error);
        if (status == QUERN_OK)
            status = put_rest(writer, id, len, 0, false, error);
    } else {
        size_t shared = 0, most = len < writer->before_len ? len : writer->before_len;
        while (shared < most && id[shared] == writer->before[shared])
            shared++;
        bool counted = count_up(writer->before, &writer->before_len) && writer->before_len == len &&
                       memcmp(writer->before, id, len) == 0;
        status = counted ? qn_writer_put(&writer->blocks, "", 1, error)
                         : put_rest(writer, id, len, shared, true, error);
    }
    memcpy(writer->before, id, len);
    writer->before_len = len;
    writer->n_docs++;
    return status;
}

/* Where each bucket's entries start: hashes ascend, and buckets with them. */
static quern_status put_starts(qn_ids_writer *writer, qn_writer *to, quern_error *error)
{
    uint32_t n_buckets = buckets_for(writer->n_docs), bucket = 0, n = 0;
    unsigned width = width_for(writer->n_docs);
    qn_packer out = {.to = to};
    qn_sorter_pair pair;
    quern_status status = qn_sorter_start(&writer->hashes, error);
    while (status == QUERN_OK &&
           (status = qn_sorter_next(&writer->hashes, &pair, error)) == QUERN_OK) {
        for (uint32_t own = bucket_of(pair.key, n_buckets); status == QUERN_OK && bucket <= own;
             bucket++)
            status = qn_packer_put(&out, n, width, error);
        n++;
    }
    if (status == QUERN_END)
        status = QUERN_OK;
    for (; status == QUERN_OK && bucket <= n_buckets; bucket++)
        status = qn_packer_put(&out, n, width, error);
    return status == QUERN_OK ? qn_packer_end(&out, error) : status;
}

/* A bucket's entries. */
typedef struct bucket_entries {
    uint64_t *entry;
    size_t n, cap;
    uint32_t number;
} bucket_entries;

/* Puts an entry where its document's order is; most buckets have about eight. */
static bool insert_entry(bucket_entries *bucket, uint64_t entry)
{
    void *array = bucket->entry;
    bool ok = qn_array_grow(&array, &bucket->cap, bucket->n + 1, sizeof *bucket->entry);
    bucket->entry = array;
    if (!ok)
        return false;
    size_t at = bucket->n++;
    for (; at > 0 && bucket->entry[at - 1] > entry; at--)
        bucket->entry[at] = bucket->entry[at - 1];
    bucket->entry[at] = entry;
    return true;
}

static quern_status put_bucket(bucket_entries *bucket, qn_packer *out, unsigned width,
                               quern_error *error)
{
    quern_status status = QUERN_OK;
    for (size_t i = 0; status == QUERN_OK && i < bucket->n; i++)
        status = qn_packer_put(out, bucket->entry[i], width + TAG_BITS, error);
    bucket->n = 0;
    return status;
}

static quern_status put_entries(qn_ids_writer *writer, bucket_entries *bucket, qn_writer *to,
                                quern_error *error)
{
    uint32_t n_buckets = buckets_for(writer->n_docs);
    unsigned width = width_for(writer->n_docs);
    qn_packer out = {.to = to};
    qn_sorter_pair pair;
    quern_status status = qn_sorter_start(&writer->hashes, error);
    while (status == QUERN_OK &&
           (status = qn_sorter_next(&writer->hashes, &pair, error)) == QUERN_OK) {
        uint32_t own = bucket_of(pair.key, n_buckets);
        if (own != bucket->number)
            status = put_bucket(bucket, &out, width, error);
        bucket->number = own;
        uint64_t tag = pair.key & ((1u << TAG_BITS) - 1);
        if (status == QUERN_OK && !insert_entry(bucket, (uint64_t)pair.value << TAG_BITS | tag))
            status = qn_fail_memory(error);
    }
    if (status == QUERN_END)
        status = put_bucket(bucket, &out, width, error);
    return status == QUERN_OK ? qn_packer_end(&out, error) : status;
}

static quern_status put_lookup(qn_ids_writer *writer, qn_writer *to, quern_error *error)
{
    bucket_entries bucket = {0};
    quern_status status = put_starts(writer, to, error);
    if (status == QUERN_OK)
        status = put_entries(writer, &bucket, to, error);
    free(bucket.entry);
    return status;
}

quern_status qn_ids_writer_finish(qn_ids_writer *writer, qn_container_writer *container,
                                  quern_error *error)
{
    quern_status status = writer->n_docs > 0 ? put_place(writer, error) : QUERN_OK;
    if (status == QUERN_OK)
        status = qn_container_writer_begin(container, QN_SECTION_IDS, error);
    if (status == QUERN_OK)
        status = qn_writer_put_spool(&container->file, &writer->blocks, error);
    if (status == QUERN_OK)
        status = qn_writer_put_spool(&container->file, &writer->places, error);
    if (status == QUERN_OK)
        status = qn_container_writer_end(container, error);
    if (status == QUERN_OK)
        status = qn_container_writer_begin(container, QN_SECTION_ID_LOOKUP, error);
    if (status != QUERN_OK)
        return status;
    status = put_lookup(writer, &container->file, error);
    return status == QUERN_OK ? qn_container_writer_end(container, error) : status;
}

void qn_ids_writer_free(qn_ids_writer *writer)
{
    if (writer == NULL)
        return;
    qn_writer_close(&writer->blocks);
    qn_writer_close(&writer->places);
    qn_sorter_free(&writer->hashes);
    free(writer);
}

/* ---- reading ---- */

quern_status qn_ids_open(qn_ids *out, const qn_container *container, uint32_t n_docs,
                         quern_error *error)
{
    *out = (qn_ids){.container = container,
                    .ids = container->section[QN_SECTION_IDS],
                    .lookup = container->section[QN_SECTION_ID_LOOKUP],
                    .n_docs = n_docs};
    unsigned width = width_for(n_docs);
    uint64_t starts = qn_bitpack_bytes((uint64_t)buckets_for(n_docs) + 1, width);
    if (out->ids.data == NULL || out->ids.len < blocks_for(n_docs) * PLACE)
        return qn_container_damaged(container, "IDS is missing or too short", error);
    if (out->lookup.data == NULL ||
        out->lookup.len != starts + qn_bitpack_bytes(n_docs, width + TAG_BITS))
        return qn_container_damaged(container, "ID_LOOKUP is missing or of the wrong size", error);
    return QUERN_OK;
}

/* Number i of `width` bits (at most 38) from `data`, checked. */
static quern_status unpack(const qn_ids *ids, const uint8_t *data, uint64_t i, unsigned width,
                           uint64_t *value, quern_error *error)
{
    uint64_t bit = i * width;
    const uint8_t *at = data + bit / 8;
    quern_status status = qn_container_touch(ids->container, at, 8, error);
    *value = qn_load_u64(at) >> (bit % 8) & (((uint64_t)1 << width) - 1);
    return status;
}

/* Where block `block` begins and ends. */
static quern_status find_block(const qn_ids *ids, uint64_t block, const uint8_t **at,
                               const uint8_t **end, quern_error *error)
{
    uint64_t blocks_len = ids->ids.len - blocks_for(ids->n_docs) * PLACE;
    const uint8_t *place = ids->ids.data + blocks_len + block * PLACE;
    const uint8_t *first = block == 0 ? place : place - PLACE;
    quern_status status =
        qn_container_touch(ids->container, first, (uint64_t)(place - first) + PLACE, error);
    if (status != QUERN_OK)
        return status;
    const uint64_t mask = ((uint64_t)1 << 8 * PLACE) - 1;
    uint64_t from = block == 0 ? 0 : qn_load_u64(first) & mask;
    uint64_t to = qn_load_u64(place) & mask;
    if (from > to || to > blocks_len)
        return qn_container_damaged(ids->container, "a block of ids is out of range", error);
    *at = ids->ids.data + from;
    *end = ids->ids.data + to;
    return qn_container_touch(ids->container, *at, to - from, error);
}

quern_status qn_ids_get(const qn_ids *ids, uint32_t doc, char *out, size_t *len, quern_error *error)
{
    const uint8_t *at = NULL, *end = NULL;
    *len = 0;
    quern_status status = find_block(ids, doc / IDS_BLOCK, &at, &end, error);
    if (status != QUERN_OK)
        return status;
    size_t known = 0;
    for (uint32_t i = 0; i <= doc % IDS_BLOCK; i++) {
        uint32_t shared = 1, rest = 0;
        if (i > 0)
            at = qn_varint_get32(at, end, &shared);
        if (at != NULL && shared == 0) {
            if (!count_up(out, &known))
                return qn_container_damaged(ids->container, "a block of ids is malformed", error);
            continue;
        }
        shared--;
        at = qn_varint_get32(at, end, &rest);
        if (at == NULL || shared > known || rest > QN_ID_MAX - shared || shared + rest == 0 ||
            rest > (uint64_t)(end - at))
            return qn_container_damaged(ids->container, "a block of ids is malformed", error);
        memcpy(out + shared, at, rest);
        at += rest;
        known = (size_t)shared + rest;
    }
    *len = known;
    return QUERN_OK;
}

quern_status qn_ids_find(const qn_ids *ids, const char *id, size_t len, uint32_t *doc,
                         quern_error *error)
{
    if (ids->n_docs == 0 || len == 0 || len > QN_ID_MAX)
        return QUERN_NOT_FOUND;
    uint32_t hash = hash_of(id, len), n_buckets = buckets_for(ids->n_docs);
    uint32_t bucket = bucket_of(hash, n_buckets);
    unsigned width = width_for(ids->n_docs);
    const uint8_t *starts = ids->lookup.data;
    const uint8_t *entries = starts + qn_bitpack_bytes((uint64_t)n_buckets + 1, width);
    uint64_t from, to, entry;
    quern_status status = unpack(ids, starts, bucket, width, &from, error);
    if (status == QUERN_OK)
        status = unpack(ids, starts, (uint64_t)bucket + 1, width, &to, error);
    if (status != QUERN_OK)
        return status;
    if (from > to || to > ids->n_docs)
        return qn_container_damaged(ids->container, "a bucket of ids is out of range", error);
    for (uint64_t i = from; i < to; i++) {
        status = unpack(ids, entries, i, width + TAG_BITS, &entry, error);
        if (status != QUERN_OK)
            return status;
        if ((entry & ((1u << TAG_BITS) - 1)) != (hash & ((1u << TAG_BITS) - 1)))
            continue;
        uint64_t candidate = entry >> TAG_BITS;
        if (candidate >= ids->n_docs)
            return qn_container_damaged(ids->container, "a document of an id is out of range",
                                        error);
        char known[QN_ID_MAX];
        size_t known_len;
        status = qn_ids_get(ids, (uint32_t)candidate, known, &known_len, error);
        if (status != QUERN_OK)
            return status;
        if (known_len == len && memcmp(known, id, len) == 0) {
            *doc = (uint32_t)candidate;
            return QUERN_OK;
        }
    }
    return QUERN_NOT_FOUND;
}
