/*
 * Several fields: an index may keep the words of title, text and others apart, each field with
 * lists, lengths and an average length of its own, so that it can be asked for and weighed alone.
 *
 * In such a segment every term of the dictionary has a byte before it: the number of its field,
 * from 1 on (QN_FIELD_PREFIX). So all lists of a field stand together, and nothing else of the
 * dictionary, the postings or the merge knows of fields. FORMAT.md, "Fields", has the section:
 *
 *     FIELDS := n(u32) 0(u32) field{n}
 *     field  := n_tokens(u64) weight(f32) exact_width(u32) name(64 bytes, NUL-padded)
 *
 * A segment without that section has one field without a name, and terms without such a byte.
 */
#ifndef QN_SEGMENT_FIELDS_H
#define QN_SEGMENT_FIELDS_H

#include "index/segment/container.h"

enum { QN_FIELDS_MAX = 16, QN_FIELD_NAME_MAX = 63 };

/* Bytes that a term of a segment with fields has before it. */
enum { QN_FIELD_PREFIX = 1 };

/* What a field is called, and what its contributions to a score are multiplied by. */
typedef struct qn_field_name {
    char name[QN_FIELD_NAME_MAX + 1];
    float weight; /* over 0, at most QN_FIELD_WEIGHT_MAX */
} qn_field_name;

#define QN_FIELD_WEIGHT_MAX 1000.0f

typedef struct qn_fields {
    unsigned n; /* 0: one field without a name */
    qn_field_name field[QN_FIELDS_MAX];
} qn_fields;

/* What a segment knows of a field. */
typedef struct qn_field_counts {
    uint64_t n_tokens;
    double average;       /* length: tokens / documents, 0 without documents */
    uint32_t exact_width; /* bits of an exact length, 0..32 */
} qn_field_counts;

/* How many fields there are, counting one without a name. */
static inline unsigned qn_fields_count(const qn_fields *fields)
{
    return fields->n == 0 ? 1 : fields->n;
}

/* Reads "title^2,text": names, each with a weight if it is not to be 1. A name is made of letters,
 * digits, '_', '.' and '-', and begins with a letter or '_'; none is that of an id. NULL or "":
 * none. QUERN_E_ARGUMENT. */
quern_status qn_fields_parse(qn_fields *out, const char *text, quern_error *error);

/* The number of the field of that name; fields->n if there is none. */
unsigned qn_fields_find(const qn_fields *fields, const char *name, size_t len);

/* Whether the names are the same, in the same order. */
bool qn_fields_same_names(const qn_fields *a, const qn_fields *b);

/* Appends the section to a container, if there are fields. */
quern_status qn_fields_write(const qn_fields *fields, const qn_field_counts *counts,
                             qn_container_writer *container, quern_error *error);

/* Reads and checks the section; without one `fields->n` becomes 0, and `counts` is left alone. */
quern_status qn_fields_read(qn_fields *fields, qn_field_counts *counts, uint32_t n_docs,
                            const qn_container *container, quern_error *error);

#endif
