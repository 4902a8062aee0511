/*
 * A build by several threads: of so many documents that all of them work. (Without Criterion, so
 * that ThreadSanitizer can watch.) The index is that of a build by one, reordered or not.
 */
#define _GNU_SOURCE
#include "engine/quern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DOCUMENTS = 30000, WORDS = 40 };

static void fail(const char *what, const quern_error *error)
{
    (void)fprintf(stderr, "%s: %s\n", what, error == NULL ? "" : error->message);
    _Exit(1);
}

static void build(const char *path, unsigned threads, bool reorder)
{
    quern_build_options options = QUERN_BUILD_OPTIONS;
    quern_error error;
    quern_builder *builder;
    options.threads = threads;
    options.reorder = reorder;
    if (quern_builder_open(&builder, path, &options, &error) != QUERN_OK)
        fail("open", &error);
    uint32_t random = 1;
    for (unsigned i = 0; i < DOCUMENTS; i++) {
        char id[16], text[WORDS * 12];
        size_t len = 0;
        (void)snprintf(id, sizeof id, "d%u", i);
        for (unsigned j = 0; j < WORDS; j++) {
            random = random * 1664525 + 1013904223;
            len += (size_t)snprintf(text + len, sizeof text - len, "%x ",
                                    (random >> 8) % (1u << (random >> 28)) + (random >> 30));
        }
        (void)snprintf(text + len, sizeof text - len, "the end of document");
        len = strlen(text);
        quern_document document = {
            .id = {id, strlen(id)}, .title = QUERN_STR("A title"), .text = {text, len}};
        if (quern_builder_add(builder, &document, &error) != QUERN_OK)
            fail("add", &error);
    }
    quern_build_report report;
    if (quern_builder_commit(builder, &report, &error) != QUERN_OK)
        fail("commit", &error);
    quern_builder_free(builder);
    if (report.documents != DOCUMENTS)
        fail("documents are missing", NULL);
}

static void compare(bool reorder)
{
    const char *base = getenv("TMPDIR");
    char dir[480], one[512], many[512], command[2048];
    (void)snprintf(dir, sizeof dir, "%s/quern-build-XXXXXX", base == NULL ? "/tmp" : base);
    if (mkdtemp(dir) == NULL)
        fail("no temporary directory", NULL);
    (void)snprintf(one, sizeof one, "%s/one", dir);
    (void)snprintf(many, sizeof many, "%s/many", dir);
    build(one, 1, reorder);
    build(many, 4, reorder);
    (void)snprintf(command, sizeof command, "diff -r '%s' '%s'; s=$?; rm -rf '%s'; exit $s", one,
                   many, dir);
    if (system(command) != 0)
        fail("another index", NULL);
}

int main(void)
{
    compare(false);
    compare(true);
    return 0;
}
