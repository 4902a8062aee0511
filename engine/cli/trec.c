/* Reading qrels and runs into sorted rows. */
#include "engine/cli/trec.h"

#include "engine/cli/input.h"
#include "index/base/buffer.h"
#include "index/base/status.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A field as a string of the arena; NULL when memory is short. */
static const char *keep(qn_trec *file, quern_span field)
{
    char *copy = qn_arena_alloc(&file->names, field.len + 1, 1);
    if (copy != NULL) {
        memcpy(copy, field.data, field.len);
        copy[field.len] = '\0';
    }
    return copy;
}

/* Numbers are parsed from a terminated copy; longer ones are no numbers. */
#define NUMBER_MAX 63

static bool parse_grade(quern_span field, double *grade)
{
    char text[NUMBER_MAX + 1], *end;
    if (field.len > NUMBER_MAX)
        return false;
    memcpy(text, field.data, field.len);
    text[field.len] = '\0';
    errno = 0;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || value < INT32_MIN || value > INT32_MAX)
        return false;
    *grade = (double)value;
    return true;
}

static bool parse_score(quern_span field, double *score)
{
    char text[NUMBER_MAX + 1], *end;
    if (field.len > NUMBER_MAX)
        return false;
    memcpy(text, field.data, field.len);
    text[field.len] = '\0';
    *score = strtod(text, &end);
    return end != text && *end == '\0' && !isnan(*score);
}

/* Fills a row from the fields of a line. NULL, or why it cannot. */
static const char *parse_qrels_line(quern_span rest, quern_span *qid, quern_span *doc,
                                    double *value)
{
    quern_span skipped, grade;
    if (!qn_next_field(&rest, qid) || !qn_next_field(&rest, &skipped) ||
        !qn_next_field(&rest, doc) || !qn_next_field(&rest, &grade))
        return "fewer than 4 fields: qid iteration docid grade";
    if (qn_next_field(&rest, &skipped))
        return "more than 4 fields: qid iteration docid grade";
    return parse_grade(grade, value) ? NULL : "the grade is no whole number";
}

static const char *parse_run_line(quern_span rest, quern_span *qid, quern_span *doc, double *value)
{
    quern_span skipped, score;
    if (!qn_next_field(&rest, qid) || !qn_next_field(&rest, &skipped) ||
        !qn_next_field(&rest, doc) || !qn_next_field(&rest, &skipped) ||
        !qn_next_field(&rest, &score) || !qn_next_field(&rest, &skipped))
        return "fewer than 6 fields: qid Q0 docid rank score tag";
    return parse_score(score, value) ? NULL : "the score is no number";
}

typedef const char *(*parse_fn)(quern_span, quern_span *, quern_span *, double *);

static quern_status add_line(qn_trec *file, const qn_input *input, quern_span line, parse_fn parse,
                             quern_error *error)
{
    quern_span rest = line, qid, doc;
    if (line.len == 0 || line.data[0] == '#' || !qn_next_field(&rest, &qid))
        return QUERN_OK;
    if (memchr(line.data, '\0', line.len) != NULL)
        return qn_input_fail(input, "a NUL byte", error);
    double value;
    const char *wrong = parse(line, &qid, &doc, &value);
    if (wrong != NULL)
        return qn_input_fail(input, wrong, error);
    void *rows = file->row;
    if (!qn_array_grow(&rows, &file->cap, file->n + 1, sizeof *file->row))
        return qn_fail_memory(error);
    file->row = rows;
    qn_trec_row *row = &file->row[file->n];
    *row = (qn_trec_row){.value = value, .line = input->number};
    /* Lines of a topic mostly stand together: their id is kept once. */
    const char *last = file->n > 0 ? row[-1].qid : NULL;
    bool same = last != NULL && strlen(last) == qid.len && memcmp(last, qid.data, qid.len) == 0;
    row->qid = same ? last : keep(file, qid);
    row->doc = keep(file, doc);
    if (row->qid == NULL || row->doc == NULL)
        return qn_fail_memory(error);
    file->n++;
    return QUERN_OK;
}

static int compare_rows(const void *a, const void *b)
{
    const qn_trec_row *x = a, *y = b;
    int order = x->qid == y->qid ? 0 : strcmp(x->qid, y->qid);
    if (order == 0)
        order = strcmp(x->doc, y->doc);
    if (order == 0)
        order = x->line < y->line ? -1 : x->line > y->line;
    return order;
}

static quern_status sort_rows(qn_trec *file, const char *path, quern_error *error)
{
    if (file->n > 1)
        qsort(file->row, file->n, sizeof *file->row, compare_rows);
    for (size_t i = 1; i < file->n; i++) {
        const qn_trec_row *before = &file->row[i - 1], *row = &file->row[i];
        if (strcmp(before->qid, row->qid) == 0 && strcmp(before->doc, row->doc) == 0)
            return qn_fail_at(error, QUERN_E_INPUT, row->line,
                              "%s:%llu: document %.200s is in topic %.100s already, at line %llu",
                              path, (unsigned long long)row->line, row->doc, row->qid,
                              (unsigned long long)before->line);
    }
    return QUERN_OK;
}

static quern_status read_file(qn_trec *file, const char *path, parse_fn parse, quern_error *error)
{
    qn_input input;
    quern_status status = qn_input_open(&input, path, error);
    if (status != QUERN_OK)
        return status;
    quern_span line;
    while ((status = qn_input_next(&input, &line, error)) == QUERN_OK) {
        status = add_line(file, &input, line, parse, error);
        if (status != QUERN_OK)
            break;
    }
    if (status == QUERN_END)
        status = sort_rows(file, input.path, error);
    qn_input_close(&input);
    return status;
}

quern_status qn_trec_read_qrels(qn_trec *qrels, const char *path, quern_error *error)
{
    return read_file(qrels, path, parse_qrels_line, error);
}

quern_status qn_trec_read_run(qn_trec *run, const char *path, quern_error *error)
{
    return read_file(run, path, parse_run_line, error);
}

void qn_trec_free(qn_trec *file)
{
    free(file->row);
    qn_arena_free(&file->names);
    *file = (qn_trec){0};
}

qn_trec_topic qn_trec_topic_at(const qn_trec *file, size_t at)
{
    size_t end = at;
    while (end < file->n && strcmp(file->row[end].qid, file->row[at].qid) == 0)
        end++;
    return (qn_trec_topic){file->row + at, end - at};
}

qn_trec_topic qn_trec_topic_named(const qn_trec *file, const char *qid)
{
    size_t low = 0, high = file->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(file->row[middle].qid, qid) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == file->n || strcmp(file->row[low].qid, qid) != 0)
        return (qn_trec_topic){NULL, 0};
    return qn_trec_topic_at(file, low);
}
