/*
 * Readers that open and query an index while a writer appends, replaces, deletes and compacts:
 * each sees the state of one commit, later ones never an earlier one; and so does who merges it
 * into another index. (Without Criterion, so that ThreadSanitizer can watch.) With QUERN_FULL set:
 * 200 commits of 1,000 documents.
 */
#define _GNU_SOURCE
#include "engine/quern.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READERS = 4 };

static char path[512], merged[512];
static atomic_bool done;
static unsigned n_commits = 60, n_each = 20;

static void fail(const char *what, const quern_error *error)
{
    (void)fprintf(stderr, "%s: %s\n", what, error == NULL ? "" : error->message);
    _Exit(1);
}

static quern_document document(char id[32], char text[64], unsigned number, unsigned commit)
{
    (void)snprintf(id, 32, "d%u", number);
    (void)snprintf(text, 64, "word%u common commit%u", number % 50, commit);
    return (quern_document){.id = {id, strlen(id)}, .text = {text, strlen(text)}};
}

/* Every commit replaces the document "state", adds some and deletes half as many: after commit c,
 * c * n_each / 2 documents have the word "common". */
static void commit(unsigned number)
{
    quern_build_options options = QUERN_BUILD_OPTIONS;
    quern_error error;
    quern_builder *builder;
    char id[32], text[64];
    options.append = true;
    options.threads = 1;
    options.on_duplicate = QUERN_DUPLICATE_REPLACE;
    if (quern_builder_open(&builder, path, &options, &error) != QUERN_OK)
        fail("open a builder", &error);
    for (unsigned i = 0; i < n_each; i++) {
        quern_document one = document(id, text, number * n_each + i, number);
        if (quern_builder_add(builder, &one, &error) != QUERN_OK)
            fail("add", &error);
    }
    for (unsigned i = 0; i < n_each / 2; i++) {
        (void)snprintf(id, sizeof id, "d%u", number * n_each + 2 * i);
        if (quern_builder_delete(builder, (quern_span){id, strlen(id)}, &error) != QUERN_OK)
            fail("delete", &error);
    }
    (void)snprintf(text, sizeof text, "state %u", number + 1);
    quern_document state = {.id = QUERN_STR("state"), .text = {text, strlen(text)}};
    if (quern_builder_add(builder, &state, &error) != QUERN_OK)
        fail("add the state", &error);
    quern_build_report report;
    if (quern_builder_commit(builder, &report, &error) != QUERN_OK)
        fail("commit", &error);
    if (report.join_error.status != QUERN_OK)
        fail("join", &report.join_error);
    quern_builder_free(builder);
    if (number % 20 == 19 && quern_compact(path, NULL, NULL, &error) != QUERN_OK)
        fail("compact", &error);
}

/* The commit that the index shows; everything in it must be of that commit. */
static unsigned look(const char *where)
{
    quern_index *index;
    quern_searcher *searcher;
    quern_error error;
    quern_hits hits;
    quern_matches matches;
    quern_document found;
    if (quern_index_open(&index, where, NULL, &error) != QUERN_OK)
        fail("open", &error);
    if (quern_searcher_new(&searcher, index, NULL, &error) != QUERN_OK)
        fail("search", &error);
    if (quern_search(searcher, QUERN_STR("state"), 10, &hits, &error) != QUERN_OK || hits.n != 1)
        fail("not one state", &error);
    if (quern_fetch(searcher, hits.hit[0].doc, &found, &error) != QUERN_OK)
        fail("fetch", &error);
    char text[64];
    (void)snprintf(text, sizeof text, "%.*s", (int)found.text.len, found.text.data);
    unsigned state = (unsigned)strtoul(text + 6, NULL, 10);
    if (quern_count(searcher, QUERN_STR("common"), &matches, &error) != QUERN_OK)
        fail("count", &error);
    if (matches.n != (uint64_t)state * (n_each - n_each / 2)) {
        (void)fprintf(stderr, "state %u has %llu documents\n", state,
                      (unsigned long long)matches.n);
        _Exit(1);
    }
    if (quern_search(searcher, QUERN_STR("common word7 commit3"), 1000000, &hits, &error) !=
            QUERN_OK ||
        hits.n != matches.n)
        fail("searching and counting differ", &error);
    quern_searcher_free(searcher);
    quern_index_close(index);
    return state;
}

static void *reader(void *arg)
{
    unsigned *looks = arg, before = 0;
    while (!done) {
        unsigned state = look(path);
        if (state < before)
            fail("an earlier state came back", NULL);
        before = state;
        ++*looks;
    }
    return NULL;
}

static void *merger(void *arg)
{
    unsigned *merges = arg, before = 0;
    quern_merge_options options = QUERN_MERGE_OPTIONS;
    const char *const paths[] = {path};
    quern_error error;
    options.force = true;
    options.threads = 1;
    while (!done) {
        if (quern_merge(merged, paths, 1, &options, NULL, &error) != QUERN_OK)
            fail("merge", &error);
        unsigned state = look(merged);
        if (state < before)
            fail("an earlier state was merged", NULL);
        before = state;
        ++*merges;
    }
    return NULL;
}

int main(void)
{
    const char *base = getenv("TMPDIR");
    char dir[480];
    (void)snprintf(dir, sizeof dir, "%s/quern-living-XXXXXX", base == NULL ? "/tmp" : base);
    if (getenv("QUERN_FULL") != NULL) {
        n_commits = 200;
        n_each = 1000;
    }
    if (mkdtemp(dir) == NULL)
        fail("no temporary directory", NULL);
    (void)snprintf(path, sizeof path, "%s/ix", dir);
    (void)snprintf(merged, sizeof merged, "%s/merged", dir);
    commit(0);
    pthread_t thread[READERS], merging;
    unsigned looks[READERS] = {0}, sum = 0, merges = 0;
    if (pthread_create(&merging, NULL, merger, &merges) != 0)
        fail("no thread", NULL);
    for (unsigned i = 0; i < READERS; i++)
        if (pthread_create(&thread[i], NULL, reader, &looks[i]) != 0)
            fail("no thread", NULL);
    for (unsigned i = 1; i < n_commits; i++)
        commit(i);
    done = true;
    for (unsigned i = 0; i < READERS; i++) {
        (void)pthread_join(thread[i], NULL);
        sum += looks[i];
    }
    (void)pthread_join(merging, NULL);
    bool whole = look(path) == n_commits && merges > 0;
    char command[512];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", dir);
    if (system(command) != 0)
        fail("cannot clean up", NULL);
    (void)printf("%u looks and %u merges during %u commits\n", sum, merges, n_commits);
    return whole && sum >= READERS ? 0 : 1;
}
