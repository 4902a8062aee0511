/*
 * For the tests of sources: a directory of one's own, files in it, and all that a source gives as
 * text that can be compared. Include first.
 */
#ifndef QN_TEST_SOURCE_SUPPORT_H
#define QN_TEST_SOURCE_SUPPORT_H

#include "index/base/buffer.h"
#include "index/build/source.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

static char *test_dir;

static UNUSED void make_dir(void)
{
    test_dir = test_dir_new();
}

static UNUSED void remove_dir(void)
{
    test_dir_free(test_dir);
}

/* The path of an entry of the test's directory; one of four in turn. */
static UNUSED const char *path_of(const char *name)
{
    static char paths[4][256];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    (void)snprintf(path, sizeof paths[0], "%s/%s", test_dir, name);
    return path;
}

static UNUSED const char *write_bytes(const char *name, const void *bytes, size_t len)
{
    const char *path = path_of(name);
    test_write_file(path, bytes, len);
    return path;
}

static UNUSED const char *write_text(const char *name, const char *text)
{
    return write_bytes(name, text, strlen(text));
}

static UNUSED const qn_source_settings *usual(void)
{
    static const qn_source_settings settings = {.max_record = 1u << 20, .window_log_max = 27};
    return &settings;
}

static UNUSED void put_text(qn_buffer *out, const char *text)
{
    cr_assert(qn_buffer_append(out, text, strlen(text)));
}

/* A span's bytes, or "NUL" for NUL bytes. */
static UNUSED void put_span(qn_buffer *out, quern_span span)
{
    for (size_t i = 0; i < span.len; i++) {
        if (span.data[i] == '\0')
            put_text(out, "NUL");
        else
            cr_assert(qn_buffer_push(out, (uint8_t)span.data[i]));
    }
}

/* What a source gives to its end, with the test's directory left out of messages:
 *   +id|title|text       a document; with n_fields behind it the text of each, in brackets
 *   !file:line: reason   a malformed record */
static UNUSED void put_records(qn_buffer *out, qn_source *source, unsigned n_fields)
{
    quern_document document;
    qn_place place;
    quern_error error = {0};
    quern_status status;
    for (;;) {
        error.message[0] = '\0';
        status = qn_source_next(source, &document, &place, &error);
        if (status != QUERN_OK && status != QUERN_E_INPUT)
            break;
        if (status == QUERN_OK) {
            put_text(out, "+");
            put_span(out, document.id);
            put_text(out, "|");
            put_span(out, document.title);
            put_text(out, "|");
            put_span(out, document.text);
            for (unsigned i = 0; i < n_fields; i++) {
                put_text(out, "[");
                put_span(out, document.fields[i]);
                put_text(out, "]");
            }
        } else {
            cr_assert_eq(error.status, QUERN_E_INPUT);
            cr_assert_eq(error.position, place.line);
            size_t prefix = test_dir == NULL ? 0 : strlen(test_dir);
            bool within = prefix > 0 && strncmp(error.message, test_dir, prefix) == 0;
            put_text(out, "!");
            put_text(out, error.message + (within ? prefix + 1 : 0));
        }
        put_text(out, "\n");
    }
    cr_assert_eq(status, QUERN_END, "status %d: %s", (int)status, error.message);
    cr_assert_eq(qn_source_next(source, &document, &place, NULL), QUERN_END, "the end must last");
}

/* All that a path gives; freed by the caller. */
static UNUSED char *records_of(const char *path, const qn_source_settings *settings)
{
    qn_buffer out = {0};
    qn_source *source = NULL;
    quern_error error = {0};
    quern_status status = qn_source_open(&source, path, settings, &error);
    if (status == QUERN_OK) {
        put_records(&out, source, settings->fields == NULL ? 0 : settings->fields->n);
    } else {
        cr_assert_null(source);
        cr_assert_eq(error.status, status);
        put_text(&out, "refused: ");
        put_text(&out, quern_status_text(status));
        put_text(&out, "\n");
    }
    qn_source_free(source);
    cr_assert(qn_buffer_push(&out, 0));
    return (char *)out.data;
}

static UNUSED void expect_records(const char *path, const qn_source_settings *settings,
                                  const char *expected)
{
    char *got = records_of(path, settings);
    cr_expect_str_eq(got, expected, "%s gave:\n%sexpected:\n%s", path, got, expected);
    free(got);
}

/* How many lines of a records_of start with `mark`. */
static UNUSED size_t count_records(const char *records, char mark)
{
    size_t n = 0;
    for (const char *at = records; *at != '\0'; at++)
        n += *at == mark && (at == records || at[-1] == '\n');
    return n;
}

#endif
