/* The META section: see meta.h. */
#include "index/segment/meta.h"

#include "index/base/status.h"
#include "index/codec/block.h"
#include "index/segment/format.h"

enum {
    AT_DOCS = 0,
    AT_CODED_DF = 4,
    AT_TOKENS = 8,
    AT_TERMS = 16,
    AT_POSTINGS = 24,
    AT_TF_BYTES = 32,
    AT_BOUNDS_BYTES = 40,
    AT_FINGERPRINT = 48,
    AT_K1 = 56,
    AT_B = 60,
    AT_EXACT_WIDTH = 64,
    AT_FLAGS = 68,
    AT_RULES = 72,
    AT_STOPWORDS_LEN = 76,
    AT_CODES_BYTES = 80,
    AT_BITMAP_BYTES = 88,
    AT_DENSE_DF = 96,
    AT_TUNE = 100,
    AT_LANGUAGE = 104,
    AT_UNICODE = 168,
    FIXED_LEN = 200
};

enum { FLAG_POSITIONS = 1, FLAG_STORED = 2, FLAG_RECORDS = 4, FLAGS_KNOWN = 7 };

quern_status qn_meta_write(const qn_segment_meta *meta, qn_container_writer *container,
                           quern_error *error)
{
    uint8_t fixed[FIXED_LEN] = {0};
    if (meta->stopwords.len > UINT32_MAX)
        return qn_fail(error, QUERN_E_ARGUMENT, "the list of stop words is too long");
    qn_store_u32(fixed + AT_DOCS, meta->n_docs);
    qn_store_u32(fixed + AT_CODED_DF, meta->coded_df);
    qn_store_u64(fixed + AT_TOKENS, meta->n_tokens);
    qn_store_u64(fixed + AT_TERMS, meta->n_terms);
    qn_store_u64(fixed + AT_POSTINGS, meta->n_postings);
    qn_store_u64(fixed + AT_TF_BYTES, meta->tf_bytes);
    qn_store_u64(fixed + AT_BOUNDS_BYTES, meta->bounds_bytes);
    qn_store_u64(fixed + AT_CODES_BYTES, meta->codes_bytes);
    qn_store_u64(fixed + AT_BITMAP_BYTES, meta->bitmap_bytes);
    qn_store_u32(fixed + AT_DENSE_DF, meta->dense_df);
    qn_store_u32(fixed + AT_TUNE, meta->tune);
    qn_store_u64(fixed + AT_FINGERPRINT, meta->fingerprint);
    qn_store_f32(fixed + AT_K1, meta->k1);
    qn_store_f32(fixed + AT_B, meta->b);
    qn_store_u32(fixed + AT_EXACT_WIDTH, meta->counts[0].exact_width);
    qn_store_u32(fixed + AT_FLAGS, (meta->positions ? FLAG_POSITIONS : 0u) |
                                       (meta->stored ? FLAG_STORED : 0u) |
                                       (meta->records ? FLAG_RECORDS : 0u));
    qn_store_u32(fixed + AT_RULES, meta->rules);
    qn_store_u32(fixed + AT_STOPWORDS_LEN, (uint32_t)meta->stopwords.len);
    memcpy(fixed + AT_LANGUAGE, meta->language, strnlen(meta->language, 63));
    memcpy(fixed + AT_UNICODE, meta->unicode, strnlen(meta->unicode, 31));
    quern_status status = qn_container_writer_begin(container, QN_SECTION_META, error);
    if (status == QUERN_OK)
        status = qn_writer_put(&container->file, fixed, sizeof fixed, error);
    if (status == QUERN_OK)
        status = qn_writer_put(&container->file, meta->stopwords.data, meta->stopwords.len, error);
    if (status == QUERN_OK)
        status = qn_container_writer_end(container, error);
    return status == QUERN_OK ? qn_fields_write(&meta->fields, meta->counts, container, error)
                              : status;
}

static quern_status damaged(const qn_container *container, const char *what, quern_error *error)
{
    return qn_fail(error, QUERN_E_DAMAGED, "%s: META: %s", container->name, what);
}

quern_status qn_meta_read(qn_segment_meta *out, const qn_container *container, quern_error *error)
{
    qn_section section = container->section[QN_SECTION_META];
    if (section.data == NULL || section.len < FIXED_LEN)
        return damaged(container, "the section is missing or too short", error);
    quern_status status = qn_container_touch(container, section.data, section.len, error);
    if (status != QUERN_OK)
        return status;
    const uint8_t *at = section.data;
    uint32_t flags = qn_load_u32(at + AT_FLAGS);
    *out = (qn_segment_meta){
        .n_docs = qn_load_u32(at + AT_DOCS),
        .n_tokens = qn_load_u64(at + AT_TOKENS),
        .n_terms = qn_load_u64(at + AT_TERMS),
        .n_postings = qn_load_u64(at + AT_POSTINGS),
        .k1 = qn_load_f32(at + AT_K1),
        .b = qn_load_f32(at + AT_B),
        .coded_df = qn_load_u32(at + AT_CODED_DF),
        .dense_df = qn_load_u32(at + AT_DENSE_DF),
        .positions = (flags & FLAG_POSITIONS) != 0,
        .stored = (flags & FLAG_STORED) != 0,
        .records = (flags & FLAG_RECORDS) != 0,
        .tf_bytes = qn_load_u64(at + AT_TF_BYTES),
        .bounds_bytes = qn_load_u64(at + AT_BOUNDS_BYTES),
        .codes_bytes = qn_load_u64(at + AT_CODES_BYTES),
        .bitmap_bytes = qn_load_u64(at + AT_BITMAP_BYTES),
        .rules = qn_load_u32(at + AT_RULES),
        .fingerprint = qn_load_u64(at + AT_FINGERPRINT),
    };
    uint32_t tune = qn_load_u32(at + AT_TUNE);
    memcpy(out->language, at + AT_LANGUAGE, sizeof out->language);
    memcpy(out->unicode, at + AT_UNICODE, sizeof out->unicode);
    out->counts[0] = (qn_field_counts){
        out->n_tokens, out->n_docs == 0 ? 0 : (double)out->n_tokens / (double)out->n_docs,
        qn_load_u32(at + AT_EXACT_WIDTH)};
    if (flags & ~(uint32_t)FLAGS_KNOWN)
        return qn_fail(error, QUERN_E_VERSION, "%s: META: unknown flags %#x", container->name,
                       flags);
    if (qn_load_u32(at + AT_STOPWORDS_LEN) != section.len - FIXED_LEN)
        return damaged(container, "the stop words do not fill the section", error);
    out->stopwords = (quern_span){(const char *)at + FIXED_LEN, section.len - FIXED_LEN};
    if (out->n_docs > QN_DOCS_MAX || out->coded_df <= QN_BLOCK || out->dense_df < out->coded_df ||
        tune > QUERN_TUNE_SPEED || out->counts[0].exact_width > 32)
        return damaged(container, "a number is out of range", error);
    out->tune = (quern_tune)tune;
    if (!(out->k1 >= 0 && out->k1 <= 3 && out->b >= 0 && out->b <= 1))
        return damaged(container, "a BM25 parameter is out of range", error);
    if (out->language[sizeof out->language - 1] != 0 || out->unicode[sizeof out->unicode - 1] != 0)
        return damaged(container, "a name is not terminated", error);
    return qn_fields_read(&out->fields, out->counts, out->n_docs, container, error);
}

bool qn_meta_same_analyzer(const qn_segment_meta *a, const qn_segment_meta *b)
{
    return strcmp(a->language, b->language) == 0 && a->rules == b->rules &&
           a->fingerprint == b->fingerprint && a->stopwords.len == b->stopwords.len &&
           (a->stopwords.len == 0 ||
            memcmp(a->stopwords.data, b->stopwords.data, a->stopwords.len) == 0) &&
           qn_fields_same_names(&a->fields, &b->fields);
}
