/*
 * Corpus files of every format, compressed or not: the stream ends, its records come in the order
 * of their lines, and what is malformed is named.
 *
 *     input := format(u8) file         format: its number, + 4 if fields are kept apart
 */
#define _GNU_SOURCE
#include "index/build/source.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_RECORD = 1 << 16 };

static const qn_fields apart = {.n = 3, .field = {{"title", 2}, {"text", 1}, {"b", 1}}};

/* Every byte of a span can be read. */
static void read_span(quern_span span)
{
    uint64_t sum = 0;
    for (size_t k = 0; k < span.len; k++)
        sum += (unsigned char)span.data[k];
    QN_FUZZ_CHECK(sum < UINT64_MAX);
}

/* Reads to the end. A record takes a byte at least, and a broken or empty file may add a malformed
 * one: more would be a stream that does not end. */
static void check_stream(qn_source *source, const qn_fields *fields)
{
    uint64_t records = 0, last_line = 0;
    for (;;) {
        quern_document document = {0};
        qn_place place = {0};
        quern_error error = {0};
        quern_status status = qn_source_next(source, &document, &place, &error);
        if (status == QUERN_END)
            return;
        if (status == QUERN_E_MEMORY) /* a zstd window over the limit */
            break;
        QN_FUZZ_CHECK(status == QUERN_OK || status == QUERN_E_INPUT);
        QN_FUZZ_CHECK(++records <= qn_source_bytes(source) + 2);
        if (status == QUERN_E_INPUT) {
            QN_FUZZ_CHECK(error.status == status && error.message[0] != '\0');
            continue;
        }
        QN_FUZZ_CHECK(document.id.len >= 1 && document.id.len <= 4096);
        QN_FUZZ_CHECK(document.text.len <= MAX_RECORD && document.title.len <= MAX_RECORD);
        QN_FUZZ_CHECK(place.file != NULL && (place.line == 0 || place.line > last_line));
        last_line = place.line;
        read_span(document.id);
        read_span(document.title);
        read_span(document.text);
        read_span(document.record);
        QN_FUZZ_CHECK(fields != NULL || document.fields == NULL);
        for (unsigned i = 0; document.fields != NULL && i < fields->n; i++) {
            QN_FUZZ_CHECK(document.fields[i].len <= MAX_RECORD);
            read_span(document.fields[i]);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const quern_format formats[] = {QUERN_FORMAT_JSONL, QUERN_FORMAT_TSV, QUERN_FORMAT_TEXT,
                                           QUERN_FORMAT_AUTO};
    if (len < 1)
        return 0;
    int fd = memfd_create("corpus", MFD_CLOEXEC);
    QN_FUZZ_CHECK(fd >= 0);
    QN_FUZZ_CHECK(write(fd, data + 1, len - 1) == (ssize_t)(len - 1));
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);

    const qn_fields *fields = data[0] & 4 ? &apart : NULL;
    qn_source_settings settings = {.format = formats[data[0] % 4],
                                   .max_record = MAX_RECORD,
                                   .window_log_max = 20,
                                   .fields = fields};
    qn_source *source = NULL;
    quern_error error = {0};
    quern_status status = qn_source_open(&source, path, &settings, &error);
    QN_FUZZ_CHECK(status == QUERN_OK || status == QUERN_E_INPUT || status == QUERN_E_MEMORY);
    if (status == QUERN_OK)
        check_stream(source, fields);
    qn_source_free(source);
    close(fd);
    return 0;
}
