/* Documents on their way in: see document.h. */
#include "index/build/document.h"

#include "index/base/status.h"
#include "index/build/inverter.h"
#include "index/segment/format.h"

#include <stdio.h>
#include <string.h>

void qn_document_place(const qn_place *place, char *out, size_t len)
{
    if (place == NULL)
        out[0] = 0;
    else if (place->line == 0)
        (void)snprintf(out, len, "%s: ", place->file);
    else
        (void)snprintf(out, len, "%s:%llu: ", place->file, (unsigned long long)place->line);
}

uint64_t qn_document_len(const qn_fields *fields, const quern_document *document)
{
    uint64_t len = 0;
    if (document->fields == NULL || fields->n == 0)
        return (uint64_t)document->title.len + document->text.len;
    for (unsigned i = 0; i < fields->n; i++)
        len += document->fields[i].len;
    if (qn_fields_find(fields, "title", 5) == fields->n)
        len += document->title.len; /* it is kept all the same */
    return len;
}

quern_status qn_document_check(const qn_fields *fields, const quern_document *document,
                               const qn_place *place, bool records, uint64_t memory,
                               quern_error *error)
{
    char where[256];
    if (document->id.len == 0 || document->id.len > QN_ID_MAX)
        qn_document_place(place, where, sizeof where);
    if (document->id.len == 0)
        return qn_fail(error, QUERN_E_INPUT, "%sa document has an empty id", where);
    if (document->id.len > QN_ID_MAX)
        return qn_fail(error, QUERN_E_INPUT, "%sa document's id has %zu bytes, more than %d", where,
                       document->id.len, QN_ID_MAX);
    uint64_t limit = memory / QN_DOCUMENT_SHARE;
    uint64_t len = qn_document_len(fields, document);
    if (records)
        len += document->record.len;
    if (len <= limit && len <= UINT32_MAX / 2)
        return QUERN_OK;
    qn_document_place(place, where, sizeof where);
    return qn_fail(error, QUERN_E_INPUT,
                   "%sa document has %llu bytes, more than an eighth of the memory limit (%llu)",
                   where, (unsigned long long)len, (unsigned long long)limit);
}

/* Whether a token's field and position may follow those of the one before. */
static bool token_follows(const qn_fields *fields, const quern_token *token,
                          const quern_token *before)
{
    if (token->field >= qn_fields_count(fields) || token->position >= QN_POSITIONS_MAX)
        return false;
    return before == NULL || token->field > before->field ||
           (token->field == before->field && token->position >= before->position);
}

quern_status qn_document_check_tokens(const qn_fields *fields, const quern_token *tokens, size_t n,
                                      quern_error *error)
{
    size_t most = QN_TERM_MAX - (fields->n > 0 ? QN_FIELD_PREFIX : 0);
    if (n > QN_POSITIONS_MAX)
        return qn_fail(error, QUERN_E_INPUT, "a document has more than %u tokens",
                       QN_POSITIONS_MAX);
    for (size_t i = 0; i < n; i++) {
        if (tokens[i].term.len == 0 || tokens[i].term.len > most)
            return qn_fail(error, QUERN_E_INPUT, "token %zu is empty or over %zu bytes", i, most);
        if (!token_follows(fields, &tokens[i], i == 0 ? NULL : &tokens[i - 1]))
            return qn_fail(error, QUERN_E_INPUT,
                           "the position or the field of token %zu is out of range", i);
    }
    return QUERN_OK;
}

static bool is_title(const qn_field_name *field)
{
    return strcmp(field->name, "title") == 0;
}

void qn_document_texts(const qn_fields *fields, const quern_document *document,
                       quern_span text[QN_FIELDS_MAX])
{
    text[0] = document->title;
    text[1] = document->text;
    for (unsigned i = 0; i < fields->n; i++)
        text[i] = document->fields != NULL                     ? document->fields[i]
                  : is_title(&fields->field[i])                ? document->title
                  : strcmp(fields->field[i].name, "text") == 0 ? document->text
                                                               : (quern_span){0};
}

bool qn_document_kept(const qn_fields *fields, const quern_document *document, qn_buffer *joined,
                      quern_document *kept)
{
    bool ok = true;
    *kept = *document;
    if (fields->n == 0 || document->fields == NULL)
        return true;
    qn_buffer_trim(joined);
    kept->text = (quern_span){0};
    for (unsigned i = 0, n = 0; ok && i < fields->n; i++) {
        quern_span text = document->fields[i];
        if (is_title(&fields->field[i])) {
            kept->title = text;
            continue;
        }
        if (text.len == 0)
            continue;
        if (n++ == 0) { /* mostly there is no other, and it is not copied */
            kept->text = text;
            continue;
        }
        ok = (n > 2 || qn_buffer_append(joined, kept->text.data, kept->text.len)) &&
             qn_buffer_append(joined, "\n", 1) && qn_buffer_append(joined, text.data, text.len);
        kept->text = (quern_span){(const char *)joined->data, joined->len};
    }
    return ok;
}

bool qn_document_kept_tells_all(const qn_fields *fields, const quern_document *document,
                                bool records)
{
    unsigned n_others = 0;
    for (unsigned i = 0; i < fields->n; i++)
        n_others += !is_title(&fields->field[i]);
    return records || document->fields == NULL || n_others <= 1;
}
