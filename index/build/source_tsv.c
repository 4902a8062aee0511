/* TSV: see source_tsv.h. */
#include "index/build/source_tsv.h"

#include "index/build/source_record.h"

#include <string.h>

bool qn_tsv_blank(quern_span line)
{
    size_t i = 0;
    while (i < line.len && line.data[i] == ' ')
        i++;
    return i == line.len;
}

/* Takes the bytes before the first TAB, and the TAB, off `line`; false if there is none. */
static bool take_field(quern_span *line, quern_span *field)
{
    const char *tab = line->len > 0 ? memchr(line->data, '\t', line->len) : NULL;
    if (tab == NULL)
        return false;
    *field = (quern_span){.data = line->data, .len = (size_t)(tab - line->data)};
    *line = (quern_span){.data = tab + 1, .len = line->len - field->len - 1};
    return true;
}

/* The columns after the id. */
static quern_status take_columns(qn_tsv *tsv, quern_span line, const qn_place *place,
                                 quern_document *document, quern_error *error)
{
    unsigned n = tsv->fields->n;
    for (unsigned i = 0; i + 1 < n; i++)
        if (!take_field(&line, &tsv->text[i]))
            return qn_record_malformed(error, place, "%u of %u fields: %s is missing", i + 1, n,
                                       tsv->fields->field[i + 1].name);
    tsv->text[n - 1] = line;
    document->fields = tsv->text;
    return QUERN_OK;
}

quern_status qn_tsv_parse(qn_tsv *tsv, quern_span line, const qn_place *place,
                          quern_document *document, quern_error *error)
{
    quern_status status = QUERN_OK;
    *document = (quern_document){.title = QUERN_STR(""), .record = line};
    if (!take_field(&line, &document->id))
        return qn_record_malformed(error, place, "no TAB between id and text");
    if (tsv->fields != NULL && tsv->fields->n > 0) {
        status = take_columns(tsv, line, place, document, error);
    } else {
        (void)take_field(&line, &document->title);
        document->text = line;
    }
    return status == QUERN_OK ? qn_record_check_id(document->id, place, error) : status;
}
