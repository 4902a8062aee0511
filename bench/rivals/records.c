/*
 * Turns a corpus, read as quern reads it, into the records that the drivers of other engines take:
 *
 *     records CORPUS [DOCUMENTS] >RECORDS
 *
 * A record is id 0x1F title 0x1F text 0x1E; these two bytes become spaces within. So what other
 * engines are timed with needs no parsing. The exit code is 0, 1 where a malformed record was left
 * out (it is named; a compressed file that is cut off ends with one), 2 for wrong usage or a corpus
 * that cannot be read, 4 for a failure.
 */
#include "index/build/source.h"

#include <stdio.h>
#include <stdlib.h>

static void put(quern_span text, char end)
{
    while (text.len > 0) {
        size_t clean = 0;
        while (clean < text.len && text.data[clean] != 0x1E && text.data[clean] != 0x1F)
            clean++;
        (void)fwrite(text.data, 1, clean, stdout);
        if (clean < text.len)
            (void)putchar(' ');
        clean += clean < text.len;
        text.data += clean;
        text.len -= clean;
    }
    (void)putchar(end);
}

static int write_records(qn_source *source, unsigned long long most)
{
    quern_document document;
    qn_place place;
    quern_error error = {0};
    quern_status status = QUERN_OK;
    bool malformed = false;
    while (most > 0 && (status = qn_source_next(source, &document, &place, &error)) != QUERN_END) {
        if (status == QUERN_E_INPUT) {
            (void)fprintf(stderr, "records: %s\n", error.message);
            malformed = true;
            continue;
        }
        if (status != QUERN_OK)
            break;
        put(document.id, 0x1F);
        put(document.title, 0x1F);
        put(document.text, 0x1E);
        most--;
    }
    if (status != QUERN_OK && status != QUERN_END) {
        (void)fprintf(stderr, "records: %s\n", error.message);
        return 4;
    }
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        perror("records: cannot write standard output");
        return 4;
    }
    return malformed ? 1 : 0;
}

int main(int argc, char **argv)
{
    char *end = NULL;
    unsigned long long most = argc == 3 ? strtoull(argv[2], &end, 10) : ~0ULL;
    qn_source_settings settings = {.max_record = 1 << 30, .window_log_max = 27};
    qn_source *source = NULL;
    quern_error error = {0};
    if (argc < 2 || argc > 3 || (end != NULL && (end == argv[2] || *end != '\0'))) {
        (void)fputs("usage: records CORPUS [DOCUMENTS] >RECORDS\n", stderr);
        return 2;
    }
    if (qn_source_open(&source, argv[1], &settings, &error) != QUERN_OK) {
        (void)fprintf(stderr, "records: %s\n", error.message);
        return 2;
    }
    int code = write_records(source, most);
    qn_source_free(source);
    return code;
}
