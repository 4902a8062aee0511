/* The FIELDS section, and fields as people write them: see fields.h. */
#include "index/segment/fields.h"

#include "index/base/status.h"
#include "index/segment/format.h"

#include <string.h>

enum { HEAD_LEN = 8, AT_TOKENS = 0, AT_WEIGHT = 8, AT_WIDTH = 12, AT_NAME = 16, ENTRY_LEN = 80 };

_Static_assert(ENTRY_LEN - AT_NAME == QN_FIELD_NAME_MAX + 1, "a name fills its place");

/* ---- names ---- */

static bool is_letter(char c)
{
    unsigned lower = ((unsigned)(unsigned char)c | 32u) - 'a';
    return lower < 26 || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* How many bytes at `text` are a name. */
static size_t name_len(const char *text)
{
    size_t len = 0;
    while (is_letter(text[len]) ||
           (len > 0 && (is_digit(text[len]) || text[len] == '.' || text[len] == '-')))
        len++;
    return len;
}

static bool is_name(const char *name, size_t len)
{
    static const char *const ids[] = {"id", "_id", "docid", "docno"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        if (strlen(ids[i]) == len && memcmp(ids[i], name, len) == 0)
            return false;
    return len > 0 && len <= QN_FIELD_NAME_MAX;
}

static bool is_weight(float weight)
{
    return weight > 0 && weight <= QN_FIELD_WEIGHT_MAX;
}

/* Reads digits, and a point and digits; strtod would go by the locale. 0 where there are none. */
static float take_weight(const char **at)
{
    double value = 0, unit = 1;
    const char *text = *at;
    for (; is_digit(*text); text++)
        value = value < 1e6 ? value * 10 + (*text - '0') : value;
    if (text > *at && *text == '.' && is_digit(text[1]))
        for (text++; is_digit(*text); text++) {
            unit /= 10;
            value += unit > 1e-9 ? unit * (*text - '0') : 0;
        }
    *at = text;
    return (float)value;
}

unsigned qn_fields_find(const qn_fields *fields, const char *name, size_t len)
{
    unsigned i = 0;
    while (i < fields->n &&
           (strlen(fields->field[i].name) != len || memcmp(fields->field[i].name, name, len) != 0))
        i++;
    return i;
}

bool qn_fields_same_names(const qn_fields *a, const qn_fields *b)
{
    bool same = a->n == b->n;
    for (unsigned i = 0; same && i < a->n; i++)
        same = strcmp(a->field[i].name, b->field[i].name) == 0;
    return same;
}

/* Reads one field at *at, up to a comma or the end. */
static quern_status parse_field(qn_fields *out, const char **at, quern_error *error)
{
    const char *name = *at, *end;
    size_t len = name_len(name), shown = strcspn(name, ",");
    float weight = 1;
    end = name + len;
    shown = shown < 100 ? shown : 100;
    if (len == 0)
        return qn_fail(error, QUERN_E_ARGUMENT, "\"%.*s\" does not begin with a field's name",
                       (int)shown, name);
    if (!is_name(name, len))
        return qn_fail(error, QUERN_E_ARGUMENT, "\"%.*s\" cannot be the name of a field",
                       (int)shown, name);
    if (*end == '^') {
        end++;
        weight = take_weight(&end);
    }
    if (!is_weight(weight) || (*end != ',' && *end != 0))
        return qn_fail(error, QUERN_E_ARGUMENT,
                       "\"%.*s\" is no field: write %.*s, or %.*s^2 with a weight over 0 and up to "
                       "%.0f",
                       (int)shown, name, (int)len, name, (int)len, name,
                       (double)QN_FIELD_WEIGHT_MAX);
    if (qn_fields_find(out, name, len) < out->n)
        return qn_fail(error, QUERN_E_ARGUMENT, "the field \"%.*s\" is named twice", (int)len,
                       name);
    if (out->n == QN_FIELDS_MAX)
        return qn_fail(error, QUERN_E_ARGUMENT, "more than %d fields", QN_FIELDS_MAX);
    qn_field_name *field = &out->field[out->n++];
    memcpy(field->name, name, len);
    field->weight = weight;
    *at = end;
    return QUERN_OK;
}

quern_status qn_fields_parse(qn_fields *out, const char *text, quern_error *error)
{
    *out = (qn_fields){0};
    if (text == NULL || *text == 0)
        return QUERN_OK;
    for (;;) {
        quern_status status = parse_field(out, &text, error);
        if (status != QUERN_OK || *text == 0)
            return status;
        text++;
    }
}

/* ---- the section ---- */

quern_status qn_fields_write(const qn_fields *fields, const qn_field_counts *counts,
                             qn_container_writer *container, quern_error *error)
{
    uint8_t bytes[HEAD_LEN + QN_FIELDS_MAX * ENTRY_LEN] = {0};
    if (fields->n == 0)
        return QUERN_OK;
    qn_store_u32(bytes, fields->n);
    for (unsigned i = 0; i < fields->n; i++) {
        uint8_t *at = bytes + HEAD_LEN + (size_t)i * ENTRY_LEN;
        qn_store_u64(at + AT_TOKENS, counts[i].n_tokens);
        qn_store_f32(at + AT_WEIGHT, fields->field[i].weight);
        qn_store_u32(at + AT_WIDTH, counts[i].exact_width);
        memcpy(at + AT_NAME, fields->field[i].name, strlen(fields->field[i].name));
    }
    return qn_container_writer_put(container, QN_SECTION_FIELDS, bytes,
                                   HEAD_LEN + (size_t)fields->n * ENTRY_LEN, error);
}

/* A name as it must be: all of it one, with zeros behind. */
static bool take_name(qn_field_name *out, const uint8_t *at)
{
    memcpy(out->name, at, sizeof out->name);
    if (out->name[QN_FIELD_NAME_MAX] != 0)
        return false;
    size_t len = strlen(out->name);
    for (size_t i = len; i < sizeof out->name; i++)
        if (out->name[i] != 0)
            return false;
    return name_len(out->name) == len && is_name(out->name, len);
}

quern_status qn_fields_read(qn_fields *fields, qn_field_counts *counts, uint32_t n_docs,
                            const qn_container *container, quern_error *error)
{
    qn_section section = container->section[QN_SECTION_FIELDS];
    *fields = (qn_fields){0};
    if (section.data == NULL)
        return QUERN_OK;
    if (section.len < HEAD_LEN)
        return qn_container_damaged(container, "FIELDS is too short", error);
    quern_status status = qn_container_touch(container, section.data, section.len, error);
    if (status != QUERN_OK)
        return status;
    uint32_t n = qn_load_u32(section.data);
    if (n == 0 || n > QN_FIELDS_MAX || section.len != HEAD_LEN + (uint64_t)n * ENTRY_LEN ||
        qn_load_u32(section.data + 4) != 0)
        return qn_container_damaged(container, "FIELDS is malformed", error);
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *at = section.data + HEAD_LEN + (size_t)i * ENTRY_LEN;
        qn_field_name *field = &fields->field[i];
        field->weight = qn_load_f32(at + AT_WEIGHT);
        uint64_t n_tokens = qn_load_u64(at + AT_TOKENS);
        counts[i] = (qn_field_counts){n_tokens, n_docs == 0 ? 0 : (double)n_tokens / (double)n_docs,
                                      qn_load_u32(at + AT_WIDTH)};
        if (!take_name(field, at + AT_NAME) || !is_weight(field->weight) ||
            counts[i].exact_width > 32 ||
            qn_fields_find(fields, field->name, strlen(field->name)) < i)
            return qn_container_damaged(container, "a field is malformed", error);
        fields->n = i + 1;
    }
    return QUERN_OK;
}
