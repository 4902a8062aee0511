/* JSON Lines: see source_jsonl.h. One pass over the line; no tree is built. */
#include "index/build/source_jsonl.h"

#include "index/base/status.h"
#include "index/build/source_json.h"
#include "index/build/source_record.h"

#include <string.h>

/* The keys that matter, the preferred ones of each group first; those that are only fields follow
 * them. */
typedef enum field {
    FIELD_ID,
    FIELD_ID2,
    FIELD_DOCID,
    FIELD_DOCNO,
    FIELD_TITLE,
    FIELD_TEXT,
    FIELD_CONTENTS,
    FIELD_BODY,
    FIELD_ABSTRACT,
    N_FIELDS,
    FIELD_NONE = N_FIELDS + QN_FIELDS_MAX
} field;

static const char *const field_names[N_FIELDS] = {"id",   "_id",      "docid", "docno",   "title",
                                                  "text", "contents", "body",  "abstract"};

typedef enum value_kind { VALUE_ABSENT = 0, VALUE_READ, VALUE_UNFIT } value_kind;

typedef struct value {
    value_kind kind;
    quern_span span;
} value;

/* A line being read. */
typedef struct record {
    qn_json json;
    uint8_t *room;
    const qn_jsonl *jsonl;
    const qn_fields *fields;                /* its own */
    value values[N_FIELDS + QN_FIELDS_MAX]; /* those of fields there are */
} record;

bool qn_jsonl_blank(quern_span line)
{
    const uint8_t *data = (const uint8_t *)line.data;
    qn_json json = {.at = data, .end = data + line.len};
    qn_json_white(&json);
    return json.at == json.end;
}

static field field_of(const qn_fields *fields, quern_span key)
{
    for (int i = 0; key.len >= 2 && key.len <= 8 && i < N_FIELDS; i++)
        if (key.data[0] == field_names[i][0] && strlen(field_names[i]) == key.len &&
            memcmp(key.data, field_names[i], key.len) == 0)
            return (field)i;
    if (fields == NULL || key.len == 0)
        return FIELD_NONE;
    unsigned i = qn_fields_find(fields, key.data, key.len);
    return i < fields->n ? (field)(N_FIELDS + i) : FIELD_NONE;
}

/* Member by member: a value made apart and copied is read in other pieces than it was written in,
 * which waits for the cache. */
static void set(value *out, value_kind kind, quern_span span)
{
    out->kind = kind;
    out->span.data = span.data;
    out->span.len = span.len;
}

static void set_unfit(value *out)
{
    set(out, VALUE_UNFIT, (quern_span){0});
}

static bool at_number(const qn_json *json)
{
    uint8_t byte = qn_json_peek(json);
    return byte == '-' || (byte >= '0' && byte <= '9');
}

/* Appends one string of an array to what was joined so far, which ends at record->room. */
static bool join_string(record *rec, bool first)
{
    quern_span part;
    uint8_t *to = rec->room;
    if (!first)
        *to++ = '\n'; /* the array has two quotes and a comma in its place */
    rec->room = to;
    if (!qn_json_string(&rec->json, &rec->room, &part))
        return false;
    if (rec->room == to && part.len > 0) { /* without escapes: not copied yet */
        memcpy(to, part.data, part.len);
        rec->room = to + part.len;
    }
    return true;
}

/* Reads an array of strings, joined by line feeds; any other array is unfit. */
static bool read_array(record *rec, value *out)
{
    qn_json *json = &rec->json;
    const uint8_t *open = json->at;
    uint8_t *start = rec->room;
    bool first = true;
    json->at++;
    for (;;) {
        qn_json_white(json);
        if (first && qn_json_peek(json) == ']')
            break;
        if (qn_json_peek(json) != '"') {
            json->at = open;
            rec->room = start;
            set_unfit(out);
            return qn_json_skip(json);
        }
        if (!join_string(rec, first))
            return false;
        first = false;
        qn_json_white(json);
        if (qn_json_peek(json) != ',')
            break;
        json->at++;
    }
    set(out, VALUE_READ,
        (quern_span){.data = (const char *)start, .len = (size_t)(rec->room - start)});
    return qn_json_take(json, ']', "a comma or the end must follow a value");
}

/* Reads the value of a key that matters. */
static bool read_value(record *rec, field key, value *out)
{
    qn_json *json = &rec->json;
    bool is_id = key <= FIELD_DOCNO, may_be_number = is_id || key > FIELD_ABSTRACT;
    quern_span span;
    set_unfit(out);
    if (qn_json_peek(json) == '"') {
        if (!qn_json_string(json, &rec->room, &span))
            return false;
        set(out, VALUE_READ, span);
        if (is_id && rec->jsonl->on_id != NULL)
            rec->jsonl->on_id(rec->jsonl->on_id_arg, span);
        return true;
    }
    if (may_be_number && at_number(json)) {
        if (!qn_json_number(json, &span))
            return false;
        set(out, VALUE_READ, span);
        return true;
    }
    if (!is_id && qn_json_peek(json) == '[')
        return read_array(rec, out);
    if (qn_json_peek(json) == 'n')
        set(out, VALUE_ABSENT, (quern_span){0});
    return qn_json_skip(json);
}

/* Reads a key, its colon and its value. */
static bool read_member(record *rec)
{
    qn_json *json = &rec->json;
    quern_span key;
    uint8_t *room = rec->room;
    qn_json_white(json);
    if (qn_json_peek(json) != '"')
        return qn_json_take(json, '"', "a key must be a string");
    if (!qn_json_string(json, &rec->room, &key))
        return false;
    field which = field_of(rec->fields, key);
    rec->room = room; /* the key is done with */
    qn_json_white(json);
    if (!qn_json_take(json, ':', "a colon must follow a key"))
        return false;
    qn_json_white(json);
    return which == FIELD_NONE ? qn_json_skip(json) : read_value(rec, which, &rec->values[which]);
}

/* Reads the whole line, which is an object and nothing else. */
static bool read_object(record *rec)
{
    qn_json *json = &rec->json;
    qn_json_white(json);
    if (!qn_json_take(json, '{', "not a JSON object"))
        return false;
    qn_json_white(json);
    bool more = qn_json_peek(json) != '}';
    while (more) {
        if (!read_member(rec))
            return false;
        qn_json_white(json);
        more = qn_json_peek(json) == ',';
        json->at += more;
    }
    if (!qn_json_take(json, '}', "a comma or the end must follow a value"))
        return false;
    qn_json_white(json);
    if (json->at < json->end) {
        json->reason = "unexpected bytes after the object";
        return false;
    }
    return true;
}

/* The first of the keys from..to that is present, or FIELD_NONE. */
static field choose(const record *rec, field from, field to)
{
    for (field i = from; i <= to; i++)
        if (rec->values[i].kind != VALUE_ABSENT)
            return i;
    return FIELD_NONE;
}

/* The value of a key; an empty span of none, or one that is absent. */
static quern_status take_value(const record *rec, field which, quern_span *span,
                               const qn_place *place, quern_error *error)
{
    *span = (quern_span){.data = "", .len = 0};
    if (which == FIELD_NONE || rec->values[which].kind == VALUE_ABSENT)
        return QUERN_OK;
    if (rec->values[which].kind == VALUE_UNFIT)
        return qn_record_malformed(error, place, "\"%s\" must be a string or an array of strings",
                                   which < N_FIELDS ? field_names[which]
                                                    : rec->fields->field[which - N_FIELDS].name);
    *span = rec->values[which].span;
    return QUERN_OK;
}

/* The value of the first key present; an empty span if none is. */
static quern_status take_text(const record *rec, field from, field to, quern_span *span,
                              const qn_place *place, quern_error *error)
{
    return take_value(rec, choose(rec, from, to), span, place, error);
}

/* Whether a key is a field of its own. */
static bool is_field(const record *rec, field which)
{
    return qn_fields_find(rec->fields, field_names[which], strlen(field_names[which])) <
           rec->fields->n;
}

/* The fields that are asked for. */
static quern_status take_fields(const record *rec, quern_span *text, const qn_place *place,
                                quern_error *error)
{
    quern_status status = QUERN_OK;
    for (unsigned i = 0; status == QUERN_OK && i < rec->fields->n; i++) {
        const char *name = rec->fields->field[i].name;
        field which = field_of(rec->fields, (quern_span){name, strlen(name)});
        for (field other = FIELD_CONTENTS;
             which == FIELD_TEXT && rec->values[which].kind == VALUE_ABSENT &&
             other <= FIELD_ABSTRACT;
             other++)
            if (!is_field(rec, other) && rec->values[other].kind != VALUE_ABSENT)
                which = other;
        status = take_value(rec, which, &text[i], place, error);
    }
    return status;
}

static quern_status take_id(const record *rec, quern_span *id, const qn_place *place,
                            quern_error *error)
{
    field which = choose(rec, FIELD_ID, FIELD_DOCNO);
    if (which == FIELD_NONE)
        return qn_record_malformed(error, place, "no id");
    if (rec->values[which].kind == VALUE_UNFIT)
        return qn_record_malformed(error, place, "\"%s\" must be a string or a number",
                                   field_names[which]);
    *id = rec->values[which].span;
    return qn_record_check_id(*id, place, error);
}

quern_status qn_jsonl_parse(qn_jsonl *jsonl, quern_span line, const qn_place *place,
                            quern_document *document, quern_error *error)
{
    qn_buffer_trim(&jsonl->room);
    if (line.len > SIZE_MAX - QN_JSON_SLACK ||
        !qn_buffer_reserve(&jsonl->room, line.len + QN_JSON_SLACK))
        return qn_fail_memory(error);
    const uint8_t *data = (const uint8_t *)line.data;
    record rec;
    rec.json = (qn_json){.at = data, .end = data + line.len};
    rec.room = jsonl->room.data;
    rec.jsonl = jsonl;
    rec.fields = jsonl->fields;
    for (unsigned i = 0; i < N_FIELDS + (rec.fields == NULL ? 0 : rec.fields->n); i++)
        rec.values[i].kind = VALUE_ABSENT;
    if (!read_object(&rec))
        return qn_record_malformed(error, place, "%s at byte %zu", rec.json.reason,
                                   (size_t)(rec.json.at - data) + 1);
    *document = (quern_document){.record = line};
    quern_status status = take_id(&rec, &document->id, place, error);
    if (status == QUERN_OK)
        status = take_text(&rec, FIELD_TITLE, FIELD_TITLE, &document->title, place, error);
    if (status != QUERN_OK)
        return status;
    if (rec.fields == NULL || rec.fields->n == 0)
        return take_text(&rec, FIELD_TEXT, FIELD_ABSTRACT, &document->text, place, error);
    document->fields = jsonl->text;
    return take_fields(&rec, jsonl->text, place, error);
}

void qn_jsonl_free(qn_jsonl *jsonl)
{
    qn_buffer_free(&jsonl->room);
}
