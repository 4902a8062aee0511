/* The manifest: strict parsing, durable replacement, the writer's lock. See manifest.h. */
#define _GNU_SOURCE
#include "index/segment/manifest.h"

#include "index/base/buffer.h"
#include "index/base/checksum.h"
#include "index/base/file.h"
#include "index/base/status.h"
#include "index/segment/format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MANIFEST_VERSION = 2 };

/* ---- parsing ---- */

typedef struct manifest_reader {
    const char *at, *end, *path;
    uint64_t line;
    quern_error *error;
} manifest_reader;

static quern_status bad(const manifest_reader *reader, const char *what)
{
    return qn_fail_at(reader->error, QUERN_E_DAMAGED, reader->line, "%s/%s:%llu: %s", reader->path,
                      QN_MANIFEST_NAME, (unsigned long long)reader->line, what);
}

/* Whether the text goes on with `word`; steps over it. */
static bool take_word(manifest_reader *reader, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(reader->end - reader->at) < len || memcmp(reader->at, word, len) != 0)
        return false;
    reader->at += len;
    return true;
}

/* The bytes up to the next space or line end, at most max - 1 of them; false if there are none. */
static bool take_field(manifest_reader *reader, char *out, size_t max)
{
    size_t len = 0;
    while (reader->at + len < reader->end && reader->at[len] > ' ' && reader->at[len] < 127)
        len++;
    if (len == 0 || len >= max)
        return false;
    memcpy(out, reader->at, len);
    out[len] = 0;
    reader->at += len;
    return true;
}

/* A decimal number without sign or leading zeros. */
static bool take_number(manifest_reader *reader, uint64_t *value)
{
    char digits[24];
    if (!take_field(reader, digits, sizeof digits) || (digits[0] == '0' && digits[1] != 0))
        return false;
    *value = 0;
    for (const char *digit = digits; *digit != 0; digit++) {
        if (*digit < '0' || *digit > '9' || *value > (UINT64_MAX - 9) / 10)
            return false;
        *value = *value * 10 + (uint64_t)(*digit - '0');
    }
    return true;
}

/* Sixteen lower-case hexadecimal digits. */
static bool take_hex(manifest_reader *reader, uint64_t *value)
{
    char digits[20];
    if (!take_field(reader, digits, sizeof digits) || strlen(digits) != 16)
        return false;
    *value = 0;
    for (const char *digit = digits; *digit != 0; digit++) {
        unsigned nibble = *digit >= '0' && *digit <= '9'   ? (unsigned)(*digit - '0')
                          : *digit >= 'a' && *digit <= 'f' ? (unsigned)(*digit - 'a' + 10)
                                                           : 16;
        if (nibble == 16)
            return false;
        *value = *value << 4 | nibble;
    }
    return true;
}

/* Whether name[0..len) is one that segments have: files of other names are never ours to delete. */
static bool name_is_good(const char *name, size_t len)
{
    if (len < 3 || len > QN_SEGMENT_NAME_MAX || name[0] != 's' || name[1] != '-')
        return false;
    for (size_t i = 2; i < len; i++) {
        char c = name[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-'))
            return false;
    }
    return true;
}

static quern_status take_segment(manifest_reader *reader, qn_manifest *out, size_t *cap,
                                 uint64_t *documents)
{
    qn_manifest_segment segment;
    memset(&segment, 0, sizeof segment);
    if (!take_field(reader, segment.name, sizeof segment.name) ||
        !name_is_good(segment.name, strlen(segment.name)) || !take_word(reader, " ") ||
        !take_number(reader, &segment.documents) || !take_word(reader, " ") ||
        !take_number(reader, &segment.tokens) || !take_word(reader, " ") ||
        !take_number(reader, &segment.index_len) || !take_word(reader, " ") ||
        !take_hex(reader, &segment.index_checksum) || !take_word(reader, " ") ||
        !take_number(reader, &segment.store_len) || !take_word(reader, " ") ||
        !take_hex(reader, &segment.store_checksum) || !take_word(reader, " ") ||
        !take_number(reader, &segment.deleted) || !take_word(reader, " ") ||
        !take_hex(reader, &segment.deletes_checksum) || !take_word(reader, "\n"))
        return bad(reader, "the line of a segment is malformed");
    if (segment.deleted > segment.documents ||
        (segment.deleted == 0 && segment.deletes_checksum != 0))
        return bad(reader, "the deletions of a segment make no sense");
    for (size_t i = 0; i < out->n_segments; i++)
        if (strcmp(out->segment[i].name, segment.name) == 0)
            return bad(reader, "a segment is named twice");
    if (segment.documents > QN_DOCS_MAX - *documents || out->n_segments == QN_SEGMENTS_MAX)
        return bad(reader, "there are more documents or segments than an index holds");
    *documents += segment.documents;
    void *array = out->segment;
    if (!qn_array_grow(&array, cap, out->n_segments + 1, sizeof segment))
        return qn_fail_memory(reader->error);
    out->segment = array;
    out->segment[out->n_segments++] = segment;
    return QUERN_OK;
}

static quern_status take_all(manifest_reader *reader, qn_manifest *out, const char *text)
{
    uint64_t version, rules, checksum, documents = 0;
    size_t cap = 0;
    if (!take_word(reader, "quern ") || !take_number(reader, &version) || !take_word(reader, "\n"))
        return bad(reader, "this is not a manifest of quern");
    if (version != MANIFEST_VERSION)
        return qn_fail(reader->error, QUERN_E_VERSION,
                       "%s is an index of manifest version %llu; this quern reads version %d",
                       reader->path, (unsigned long long)version, MANIFEST_VERSION);
    reader->line = 2;
    if (!take_word(reader, "analyzer ") ||
        !take_field(reader, out->language, sizeof out->language) || !take_word(reader, " ") ||
        !take_number(reader, &rules) || rules > UINT32_MAX || !take_word(reader, " ") ||
        !take_field(reader, out->unicode, sizeof out->unicode) || !take_word(reader, " ") ||
        !take_hex(reader, &out->fingerprint) || !take_word(reader, "\n"))
        return bad(reader, "the line of the analyzer is malformed");
    out->rules = (uint32_t)rules;
    for (reader->line = 3; take_word(reader, "segment "); reader->line++) {
        quern_status status = take_segment(reader, out, &cap, &documents);
        if (status != QUERN_OK)
            return status;
    }
    uint64_t expected = qn_checksum(text, (size_t)(reader->at - text));
    if (!take_word(reader, "end ") || !take_hex(reader, &checksum) || !take_word(reader, "\n") ||
        reader->at != reader->end)
        return bad(reader, "the last line is missing or malformed");
    return checksum == expected ? QUERN_OK : bad(reader, "the checksum is wrong");
}

quern_status qn_manifest_parse(qn_manifest *out, const char *text, size_t len, const char *path,
                               quern_error *error)
{
    *out = (qn_manifest){0};
    manifest_reader reader = {
        .at = text, .end = text + len, .path = path, .line = 1, .error = error};
    quern_status status = take_all(&reader, out, text);
    if (status != QUERN_OK)
        qn_manifest_free(out);
    return status;
}

quern_status qn_manifest_read(qn_manifest *out, int dirfd, const char *path, quern_error *error)
{
    *out = (qn_manifest){0};
    if (faccessat(dirfd, QN_MANIFEST_NAME, F_OK, 0) != 0 && errno == ENOENT)
        return qn_fail(error, QUERN_NOT_FOUND, "%s holds no index", path);
    qn_mapping file;
    quern_status status = qn_mapping_open(&file, dirfd, QN_MANIFEST_NAME, path, true, error);
    if (status == QUERN_OK)
        status = qn_manifest_parse(out, (const char *)file.data, file.len, path, error);
    qn_mapping_close(&file);
    return status;
}

void qn_manifest_deletes_name(const qn_manifest_segment *segment, char out[QN_MANIFEST_FILE_MAX])
{
    (void)snprintf(out, QN_MANIFEST_FILE_MAX, "%s-%016llx.qd", segment->name,
                   (unsigned long long)segment->deletes_checksum);
}

void qn_manifest_free(qn_manifest *manifest)
{
    free(manifest->segment);
    *manifest = (qn_manifest){0};
}

/* ---- writing ---- */

static bool print(qn_buffer *out, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return len >= 0 && (size_t)len < sizeof line && qn_buffer_append(out, line, (size_t)len);
}

static bool print_all(qn_buffer *out, const qn_manifest *manifest)
{
    bool ok = print(out, "quern %d\nanalyzer %s %lu %s %016llx\n", MANIFEST_VERSION,
                    manifest->language, (unsigned long)manifest->rules, manifest->unicode,
                    (unsigned long long)manifest->fingerprint);
    for (size_t i = 0; ok && i < manifest->n_segments; i++) {
        const qn_manifest_segment *s = &manifest->segment[i];
        ok = print(out, "segment %s %llu %llu %llu %016llx %llu %016llx %llu %016llx\n", s->name,
                   (unsigned long long)s->documents, (unsigned long long)s->tokens,
                   (unsigned long long)s->index_len, (unsigned long long)s->index_checksum,
                   (unsigned long long)s->store_len, (unsigned long long)s->store_checksum,
                   (unsigned long long)s->deleted, (unsigned long long)s->deletes_checksum);
    }
    return ok && print(out, "end %016llx\n", (unsigned long long)qn_checksum(out->data, out->len));
}

quern_status qn_manifest_commit(const qn_manifest *manifest, int dirfd, const char *path,
                                quern_error *error)
{
    char name[48];
    (void)snprintf(name, sizeof name, "tmp-manifest-%ld", (long)getpid());
    qn_buffer text = {0};
    if (!print_all(&text, manifest)) {
        qn_buffer_free(&text);
        return qn_fail_memory(error);
    }
    /* What no reader would accept must not replace what one does. */
    qn_manifest again;
    quern_status sound = qn_manifest_parse(&again, (const char *)text.data, text.len, path, error);
    qn_manifest_free(&again);
    if (sound != QUERN_OK) {
        qn_buffer_free(&text);
        return sound == QUERN_E_MEMORY
                   ? sound
                   : qn_fail(error, QUERN_E_ARGUMENT, "a manifest of %s would be malformed", path);
    }
    (void)unlinkat(dirfd, name, 0); /* of a killed process with the same number */
    qn_writer writer;
    quern_status status = qn_writer_open(&writer, dirfd, name, path, QN_PAGE, false, error);
    if (status == QUERN_OK) {
        status = qn_writer_put(&writer, text.data, text.len, error);
        if (status == QUERN_OK)
            status = qn_writer_sync(&writer, error);
        qn_writer_close(&writer);
        /* The segment files' names must last before a manifest speaks of them. */
        if (status == QUERN_OK)
            status = qn_sync_dir(dirfd, path, error);
        if (status == QUERN_OK && renameat(dirfd, name, dirfd, QN_MANIFEST_NAME) != 0)
            status = qn_fail_sys(error, errno, "publish the manifest of", path);
        if (status == QUERN_OK)
            status = qn_sync_dir(dirfd, path, error);
        else
            (void)unlinkat(dirfd, name, 0);
    }
    qn_buffer_free(&text);
    return status;
}

/* ---- the directory ---- */

/* Whether a name is a segment's ("NAME.qx", "NAME.qs", "NAME-CHECKSUM.qd"); the length of NAME, or
 * 0. */
static size_t segment_name_len(const char *file)
{
    enum { SUFFIX = 3, CHECKSUM = 17 };
    size_t len = strlen(file);
    if (len < SUFFIX)
        return 0;
    len -= SUFFIX;
    if (strcmp(file + len, ".qd") == 0) {
        if (len < CHECKSUM || file[len - CHECKSUM] != '-' ||
            strspn(file + len - CHECKSUM + 1, "0123456789abcdef") != CHECKSUM - 1)
            return 0;
        len -= CHECKSUM;
    } else if (strcmp(file + len, ".qx") != 0 && strcmp(file + len, ".qs") != 0) {
        return 0;
    }
    return name_is_good(file, len) ? len : 0;
}

/* Whether a file whose name is good, with NAME of that length, is one of the segment's. */
static bool is_of(const qn_manifest_segment *segment, const char *file, size_t len)
{
    char deletes[QN_MANIFEST_FILE_MAX];
    if (strlen(segment->name) != len || memcmp(segment->name, file, len) != 0)
        return false;
    if (file[len] != '-')
        return true;
    qn_manifest_deletes_name(segment, deletes);
    return segment->deleted > 0 && strcmp(deletes, file) == 0;
}

bool qn_manifest_owns(const char *name)
{
    return strcmp(name, QN_MANIFEST_NAME) == 0 || strcmp(name, QN_LOCK_NAME) == 0 ||
           strncmp(name, "tmp-", 4) == 0 || segment_name_len(name) > 0;
}

bool qn_manifest_is_orphan(const qn_manifest *manifest, const char *name)
{
    if (strncmp(name, "tmp-", 4) == 0)
        return true;
    size_t len = segment_name_len(name);
    if (len == 0)
        return false;
    for (size_t i = 0; manifest != NULL && i < manifest->n_segments; i++)
        if (is_of(&manifest->segment[i], name, len))
            return false;
    return true;
}

quern_status qn_manifest_lock(int *fd, int dirfd, const char *path, quern_error *error)
{
    *fd = -1;
    for (;;) {
        int lock = openat(dirfd, QN_LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (lock < 0)
            return qn_fail_sys(error, errno, "create the lock file of", path);
        if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
            int saved = errno;
            (void)close(lock);
            return saved == EWOULDBLOCK
                       ? qn_fail(error, QUERN_E_LOCKED, "another writer is at work on %s", path)
                       : qn_fail_sys(error, saved, "lock", path);
        }
        /* A writer that gave up may have removed the file between open and flock: then this lock
         * keeps nobody out, and the next try makes a new file. */
        struct stat held, named;
        if (fstat(lock, &held) == 0 && fstatat(dirfd, QN_LOCK_NAME, &named, 0) == 0 &&
            held.st_ino == named.st_ino && held.st_dev == named.st_dev) {
            *fd = lock;
            return QUERN_OK;
        }
        (void)close(lock);
    }
}
