/*
 * The META section: a segment's counts, BM25 parameters of its bounds, and its analyzer.
 *
 *     n_docs(u32) coded_df(u32) n_tokens(u64) n_terms(u64) n_postings(u64)
 *     tf_bytes(u64) bounds_bytes(u64) fingerprint(u64)
 *     k1(f32) b(f32) exact_width(u32) flags(u32) rules(u32) stopwords_len(u32)
 *     codes_bytes(u64) bitmap_bytes(u64) dense_df(u32) tune(u32)
 *     language(64 bytes, NUL-padded) unicode(32 bytes, NUL-padded) stopwords
 *
 * flags: bit 0 positions, bit 1 a store file, bit 2 whole records in it; others 0.
 */
#ifndef QN_SEGMENT_META_H
#define QN_SEGMENT_META_H

#include "index/segment/container.h"
#include "index/segment/fields.h"

typedef struct qn_segment_meta {
    uint32_t n_docs;
    uint64_t n_tokens, n_terms, n_postings;
    float k1, b;       /* that the bounds were computed for, with average lengths as in counts */
    uint32_t coded_df; /* terms with df >= this are coded and have range maxima; over 128 */
    uint32_t dense_df; /* of them, with df >= this are bitmaps; at least coded_df */
    quern_tune tune;   /* for statistics: which tuning chose these borders */
    bool positions;    /* POSITIONS is there */
    bool stored;       /* the segment has a store file */
    bool records;      /* which holds whole records too */
    /* Of POSTINGS, for stats; the rest is gaps of documents and their tables. tf_bytes includes
     * codes_bytes. */
    uint64_t tf_bytes, bounds_bytes, codes_bytes, bitmap_bytes;
    uint32_t rules; /* QN_ANALYZER_RULES */
    uint64_t fingerprint;
    char language[64], unicode[32];        /* NUL-terminated */
    quern_span stopwords;                  /* in the mapped file, or the writer's */
    qn_fields fields;                      /* that are kept apart: the section FIELDS */
    qn_field_counts counts[QN_FIELDS_MAX]; /* of each, or of the one without a name */
} qn_segment_meta;

/* Appends the section to a container, and FIELDS if there are some. */
quern_status qn_meta_write(const qn_segment_meta *meta, qn_container_writer *container,
                           quern_error *error);

/* Reads and checks the sections (ranges, lengths; not the sums of their numbers). */
quern_status qn_meta_read(qn_segment_meta *out, const qn_container *container, quern_error *error);

/* Whether two segments were built by equal analyzers: language, rules, stemmer, stop words; and
 * keep the same fields apart. */
bool qn_meta_same_analyzer(const qn_segment_meta *a, const qn_segment_meta *b);

#endif
