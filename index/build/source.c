/*
 * Sources: opening, the choice of the format, and handing each file to the reader of its format. A
 * directory is a row of files: with AUTO they are plain text, with another format files of that.
 */
#include "index/build/source.h"

#include "index/base/status.h"
#include "index/build/source_jsonl.h"
#include "index/build/source_lines.h"
#include "index/build/source_record.h"
#include "index/build/source_stream.h"
#include "index/build/source_text.h"
#include "index/build/source_tsv.h"
#include "index/build/source_walk.h"
#include "index/codec/zblock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

struct qn_source {
    qn_source_settings settings;
    quern_format format; /* never AUTO once open */
    char *path;
    bool is_stdin;
    qn_walk *walk;  /* of a directory, else NULL */
    uint64_t total; /* raw bytes of a single file; 0: not known */

    bool reading;   /* a file is open in `stream` */
    qn_place place; /* of the file being read, and the line given last */
    const char *id; /* of the file as a document of plain text */
    qn_stream stream;
    qn_lines lines;
    qn_jsonl jsonl;
    qn_tsv tsv;
    qn_buffer whole; /* a file of plain text */
};

/* ---- the choice of the format ---- */

/* Whether a name of `len` bytes ends in `suffix`, in either case. */
static bool ends_in(const char *name, size_t len, const char *suffix)
{
    size_t n = strlen(suffix);
    return len > n && strncasecmp(name + len - n, suffix, n) == 0;
}

static quern_format format_of_name(const char *path)
{
    size_t len = strlen(path);
    if (ends_in(path, len, ".gz"))
        len -= 3;
    else if (ends_in(path, len, ".zst"))
        len -= 4;
    if (ends_in(path, len, ".jsonl") || ends_in(path, len, ".json") ||
        ends_in(path, len, ".ndjson"))
        return QUERN_FORMAT_JSONL;
    if (ends_in(path, len, ".tsv"))
        return QUERN_FORMAT_TSV;
    return ends_in(path, len, ".txt") ? QUERN_FORMAT_TEXT : QUERN_FORMAT_AUTO;
}

/* By the first chunk, which is full unless the file is shorter. */
static quern_format format_of_content(const uint8_t *data, size_t len, bool is_stdin)
{
    const uint8_t *at = data, *end = data + len;
    if (len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
        at += 3;
    const uint8_t *line = at;
    for (; at < end && strchr(" \t\r\n", *at) != NULL && *at != 0; at++)
        if (*at == '\n' || *at == '\r')
            line = at + 1;
    if (at < end && *at == '{')
        return QUERN_FORMAT_JSONL;
    if (!is_stdin)
        return QUERN_FORMAT_TEXT;
    if (at == end)
        return QUERN_FORMAT_JSONL; /* nothing came: no document, rather than an empty one */
    const uint8_t *feed = memchr(line, '\n', (size_t)(end - line));
    size_t line_len = (size_t)((feed != NULL ? feed : end) - line);
    return memchr(line, '\t', line_len) != NULL ? QUERN_FORMAT_TSV : QUERN_FORMAT_TEXT;
}

/* ---- files ---- */

/* Hands a descriptor to the stream. */
static quern_status start_file(qn_source *source, int fd, const char *file, const char *id,
                               quern_error *error)
{
    source->place = (qn_place){.file = file, .line = 0};
    source->id = id;
    source->reading = true;
    return qn_stream_open(&source->stream, fd, !source->is_stdin, file,
                          source->settings.window_log_max, error);
}

/* Looks at the first chunk of a file, and refuses what is not in the format. */
static quern_status check_file(qn_source *source, quern_error *error)
{
    const qn_stream *stream = &source->stream;
    const char *refusal = source->format == QUERN_FORMAT_TEXT
                              ? qn_text_refusal(stream->data, stream->len)
                              : qn_text_utf16(stream->data, stream->len);
    const qn_fields *fields = source->settings.fields;
    if (refusal != NULL)
        return qn_record_malformed(error, &source->place, "%s", refusal);
    if (source->format == QUERN_FORMAT_TEXT && fields != NULL && fields->n > 0 &&
        qn_fields_find(fields, "text", 4) == fields->n)
        return qn_fail(error, QUERN_E_ARGUMENT,
                       "%s is plain text: its only field is \"text\", which was not asked for",
                       source->place.file);
    qn_lines_start(&source->lines, &source->stream, source->place.file,
                   source->settings.max_record);
    return QUERN_OK;
}

static void end_file(qn_source *source)
{
    qn_stream_close(&source->stream);
    source->reading = false;
}

/* Starts the next file of a directory. A file that cannot be read is a malformed record there. */
static quern_status next_file(qn_source *source, quern_error *error)
{
    if (source->walk == NULL)
        return QUERN_END;
    int fd;
    const char *path = source->path, *relative = NULL;
    quern_error inner = {0};
    quern_status status = qn_walk_next(source->walk, &fd, &path, &relative, &inner);
    if (status == QUERN_E_INPUT)
        source->place = (qn_place){.file = path, .line = 0};
    if (status == QUERN_OK) {
        status = start_file(source, fd, path, relative, &inner);
        if (status == QUERN_E_IO)
            status = qn_record_unreadable(&inner, &source->place, inner.sys_errno);
        if (status == QUERN_OK)
            status = check_file(source, &inner);
        if (status != QUERN_OK)
            end_file(source);
    }
    if (status != QUERN_OK && status != QUERN_END && error != NULL)
        *error = inner;
    return status;
}

/* ---- opening ---- */

static quern_status open_single(qn_source *source, int fd, quern_error *error)
{
    const char *name = source->is_stdin ? "<stdin>" : source->path;
    struct stat st;
    off_t from = lseek(fd, 0, SEEK_CUR); /* standard input may be a file read in part */
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && from >= 0 && from < st.st_size)
        source->total = (uint64_t)(st.st_size - from);
    quern_status status = start_file(source, fd, name, name, error);
    if (status != QUERN_OK)
        return status;
    if (source->format == QUERN_FORMAT_AUTO && !source->is_stdin)
        source->format = format_of_name(name);
    if (source->format == QUERN_FORMAT_AUTO)
        source->format =
            format_of_content(source->stream.data, source->stream.len, source->is_stdin);
    return check_file(source, error);
}

static quern_status open_path(qn_source *source, quern_error *error)
{
    if (source->is_stdin)
        return open_single(source, STDIN_FILENO, error);
    int fd = open(source->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return qn_fail_sys(error, errno, "open", source->path);
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISDIR(st.st_mode))
        return open_single(source, fd, error);
    (void)close(fd); /* opened for reading */
    if (source->format == QUERN_FORMAT_AUTO)
        source->format = QUERN_FORMAT_TEXT;
    return qn_walk_open(&source->walk, source->path, error);
}

quern_status qn_source_open(qn_source **out, const char *path, const qn_source_settings *settings,
                            quern_error *error)
{
    *out = NULL;
    if ((unsigned)settings->format > QUERN_FORMAT_TEXT)
        return qn_fail(error, QUERN_E_ARGUMENT, "there is no corpus format %d",
                       (int)settings->format);
    qn_source *source = calloc(1, sizeof *source);
    if (source == NULL)
        return qn_fail_memory(error);
    source->settings = *settings;
    source->jsonl.fields = source->tsv.fields = settings->fields;
    source->jsonl.on_id = settings->on_id;
    source->jsonl.on_id_arg = settings->on_id_arg;
    source->format = settings->format;
    source->is_stdin = strcmp(path, "-") == 0;
    source->path = strdup(path);
    quern_status status = source->path == NULL ? qn_fail_memory(error) : open_path(source, error);
    if (status != QUERN_OK) {
        qn_source_free(source);
        return status;
    }
    *out = source;
    return QUERN_OK;
}

/* ---- reading ---- */

static quern_status read_text(qn_source *source, quern_document *document, quern_error *error)
{
    quern_span id = {.data = source->id, .len = strlen(source->id)};
    quern_status status = qn_text_read(&source->stream, &source->whole, source->settings.max_record,
                                       id, &source->place, document, error);
    end_file(source); /* the document is in `whole` */
    return status;
}

/* The next record of a file of lines; QUERN_END at the end of the file. */
static quern_status read_line(qn_source *source, quern_document *document, quern_error *error)
{
    bool jsonl = source->format == QUERN_FORMAT_JSONL;
    quern_span line;
    quern_status status;
    do {
        status = qn_lines_next(&source->lines, &line, error);
    } while (status == QUERN_OK && (jsonl ? qn_jsonl_blank(line) : qn_tsv_blank(line)));
    source->place.line = source->lines.place.line;
    if (status != QUERN_OK)
        return status;
    return jsonl ? qn_jsonl_parse(&source->jsonl, line, &source->place, document, error)
                 : qn_tsv_parse(&source->tsv, line, &source->place, document, error);
}

quern_status qn_source_next(qn_source *source, quern_document *document, qn_place *place,
                            quern_error *error)
{
    for (;;) {
        quern_status status = source->reading ? QUERN_OK : next_file(source, error);
        bool text = source->format == QUERN_FORMAT_TEXT;
        if (status == QUERN_OK) {
            status = text ? read_text(source, document, error) : read_line(source, document, error);
            if (status == QUERN_END) {
                end_file(source);
                continue;
            }
        }
        if (status == QUERN_E_IO && source->walk != NULL) { /* the rest of one file */
            status =
                qn_record_unreadable(error, &source->place, error != NULL ? error->sys_errno : 0);
            end_file(source);
        }
        *place = source->place;
        return status;
    }
}

uint64_t qn_source_bytes(const qn_source *source)
{
    return source->stream.bytes;
}

void qn_source_progress(const qn_source *source, uint64_t *done, uint64_t *total)
{
    *done = source->stream.raw;
    *total = source->total;
    if (*total != 0 && *done > *total) /* the file has grown */
        *total = *done;
}

size_t qn_source_memory(const qn_source *source)
{
    return source->stream.zstd == NULL ? 0 : qn_zstream_bytes(source->stream.zstd);
}

void qn_source_free(qn_source *source)
{
    if (source == NULL)
        return;
    qn_stream_free(&source->stream);
    qn_lines_free(&source->lines);
    qn_jsonl_free(&source->jsonl);
    qn_buffer_free(&source->whole);
    qn_walk_free(source->walk);
    free(source->path);
    free(source);
}
