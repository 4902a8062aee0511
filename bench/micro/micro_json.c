/*
 * How fast JSON Lines are read: validating alone, parsing lines in memory, and the whole source
 * from the file. Each figure is the median of several runs, in MB/s of decompressed input.
 *
 *     micro_json [--json] FILE [RUNS]
 */
#include "bench/micro/micro.h"
#include "index/base/cpu.h"
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

static void report(const char *what, const tally *sum, double seconds, bool json)
{
    if (json) {
        put_kernel(&(kernel_speed){.program = "micro_json",
                                   .kernel = what,
                                   .level = qn_cpu_name(QN_CPU_SCALAR),
                                   .of = "documents",
                                   .values_per_s = (double)sum->documents / seconds,
                                   .bytes_per_s = (double)sum->bytes / seconds});
        return;
    }
    printf("%-9s %7.0f MB/s  %llu documents, %llu malformed, %llu bytes, %llu of text\n", what,
           (double)sum->bytes / seconds / 1e6, (unsigned long long)sum->documents,
           (unsigned long long)sum->malformed, (unsigned long long)sum->bytes,
           (unsigned long long)sum->text_bytes);
}

/* The kinds of work. */
static const char *const KINDS[] = {"validate", "parse", "source"};
enum { VALIDATE, PARSE, N_KINDS = sizeof KINDS / sizeof *KINDS };

static bool measure(const char *path, const qn_buffer *lines, int kind,
                    const micro_options *options, quern_error *error)
{
    double times[MAX_RUNS];
    tally sum = {0};
    for (unsigned run = 0; run < options->runs; run++) {
        sum = (tally){0};
        double start = now();
        if (kind == VALIDATE)
            validate_lines(lines, &sum);
        else if (kind == PARSE)
            parse_lines(lines, &sum);
        else if (read_source(path, &sum, NULL, error) != QUERN_END)
            return false;
        times[run] = now() - start;
    }
    report(KINDS[kind], &sum, median(times, options->runs), options->json);
    return true;
}

int main(int argc, char **argv)
{
    static const micro_form form = {"micro_json [--json] FILE [RUNS]", 5, 1, 1, 2};
    micro_options options = read_options(&form, argc, argv);
    const char *path = options.argument[0];
    qn_buffer lines = {0};
    quern_error error = {0};
    tally first = {0};
    bool good = read_source(path, &first, &lines, &error) == QUERN_END && lines.len > 0;
    if (!good && error.message[0] == '\0')
        (void)snprintf(error.message, sizeof error.message, "%s holds no records", path);
    for (int kind = 0; good && kind < N_KINDS; kind++)
        good = measure(path, &lines, kind, &options, &error);
    if (!good)
        (void)fprintf(stderr, "micro_json: %s\n", error.message);
    qn_buffer_free(&lines);
    return good ? finished(true) : 2;
}
