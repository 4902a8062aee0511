/*
 * How fast JSON Lines are read: micro_json FILE [ROUNDS]. The best of some rounds, in MB/s of
 * decompressed input: validating alone, parsing lines in memory, and the whole source from the
 * file.
 */
#include "bench/micro.h"
#include "index/build/source.h"
#include "index/build/source_json.h"
#include "index/build/source_jsonl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a round found, so that the work cannot be left out, and rounds can be compared. */
typedef struct tally {
    uint64_t bytes, documents, malformed, text_bytes;
} tally;

static void count(tally *sum, quern_status status, const quern_document *document)
{
    if (status != QUERN_OK) {
        sum->malformed++;
        return;
    }
    sum->documents++;
    sum->text_bytes += document->id.len + document->title.len + document->text.len;
}

/* Reads through the source into `sum`; with `copy`, keeps the decompressed lines as well. */
static quern_status read_source(const char *path, tally *sum, qn_buffer *copy, quern_error *error)
{
    qn_source_settings settings = {
        .format = QUERN_FORMAT_JSONL, .max_record = 1u << 30, .window_log_max = 27};
    qn_source *source;
    quern_status status = qn_source_open(&source, path, &settings, error);
    if (status != QUERN_OK)
        return status;
    quern_document document;
    qn_place place;
    for (;;) {
        status = qn_source_next(source, &document, &place, error);
        if (status != QUERN_OK && status != QUERN_E_INPUT)
            break;
        count(sum, status, &document);
        if (copy != NULL && status == QUERN_OK &&
            (!qn_buffer_append(copy, document.record.data, document.record.len) ||
             !qn_buffer_push(copy, '\n'))) {
            status = QUERN_E_MEMORY;
            break;
        }
    }
    sum->bytes = qn_source_bytes(source);
    qn_source_free(source);
    return status;
}

static void parse_lines(const qn_buffer *lines, tally *sum)
{
    qn_jsonl jsonl = {0};
    qn_place place = {.file = "", .line = 0};
    const char *at = (const char *)lines->data, *end = at + lines->len, *feed;
    for (; at < end; at = feed + 1) {
        feed = memchr(at, '\n', (size_t)(end - at));
        quern_span line = {.data = at, .len = (size_t)(feed - at)};
        quern_document document;
        place.line++;
        count(sum, qn_jsonl_parse(&jsonl, line, &place, &document, NULL), &document);
    }
    sum->bytes = lines->len;
    qn_jsonl_free(&jsonl);
}

static void validate_lines(const qn_buffer *lines, tally *sum)
{
    const char *at = (const char *)lines->data, *end = at + lines->len, *feed;
    for (; at < end; at = feed + 1) {
        feed = memchr(at, '\n', (size_t)(end - at));
        size_t position;
        const char *reason;
        if (qn_json_valid(at, (size_t)(feed - at), &position, &reason))
            sum->documents++;
        else
            sum->malformed++;
    }
    sum->bytes = lines->len;
}

static void report(const char *what, const tally *sum, double seconds)
{
    printf("%-9s %7.0f MB/s  %llu documents, %llu malformed, %llu bytes, %llu of text\n", what,
           (double)sum->bytes / seconds / 1e6, (unsigned long long)sum->documents,
           (unsigned long long)sum->malformed, (unsigned long long)sum->bytes,
           (unsigned long long)sum->text_bytes);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr, "usage: micro_json FILE [ROUNDS]\n");
        return 2;
    }
    long rounds = argc > 2 ? strtol(argv[2], NULL, 10) : 5;
    qn_buffer lines = {0};
    quern_error error = {0};
    tally first = {0};
    if (read_source(argv[1], &first, &lines, &error) != QUERN_END || lines.len == 0) {
        (void)fprintf(stderr, "micro_json: %s\n", lines.len == 0 ? "no records" : error.message);
        return 2;
    }
    static const char *const names[] = {"validate", "parse", "source"};
    for (int kind = 0; kind < 3; kind++) {
        double best = 1e9;
        tally sum = {0};
        for (long round = 0; round < rounds; round++) {
            sum = (tally){0};
            double start = now();
            if (kind == 0)
                validate_lines(&lines, &sum);
            else if (kind == 1)
                parse_lines(&lines, &sum);
            else if (read_source(argv[1], &sum, NULL, &error) != QUERN_END)
                return 2;
            double seconds = now() - start;
            best = seconds < best ? seconds : best;
        }
        report(names[kind], &sum, best);
    }
    qn_buffer_free(&lines);
    return 0;
}
