/*
 * quern in the search benchmark game (github.com/quickwit-oss/search-benchmark-game): makes an
 * index of its corpus, and answers its commands, a line each. Needs nothing but the public
 * interface.
 *
 *     sbg index INDEX <corpus.json     JSON Lines with id and text; other members are left aside
 *     sbg serve INDEX                  reads lines COMMAND<TAB>QUERY, answers each with one line
 *
 * Commands are COUNT, TOP_k and TOP_k_COUNT with k from 1 to 1,000,000, and RUN_k, which the game
 * does not know. COUNT and TOP_k_COUNT are answered with how many documents match, TOP_k with 1,
 * RUN_k with the k best themselves: how many they are, then id and score of each, all with tabs
 * between. Whatever else a line is, the answer is UNSUPPORTED, and standard error hears why: the
 * game waits for one line, whatever happens.
 *
 * The exit code is 0 at the end of the input, 2 for wrong usage, 4 for a failure.
 */
#include <quern.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

enum { K_MAX = 1000000 };

static int fail(const quern_error *error, quern_status status)
{
    (void)fprintf(stderr, "sbg: %s\n",
                  error->message[0] != '\0' ? error->message : quern_status_text(status));
    return 4;
}

/* ---- index ---- */

static void tell(void *arg, const quern_error *error)
{
    (void)arg;
    (void)fprintf(stderr, "sbg: %s\n", error->message);
}

/* As the game has it: no stemming, all words kept, k1 = 0.9, b = 0.4. */
static int make_index(const char *path)
{
    quern_build_options options = QUERN_BUILD_OPTIONS;
    quern_source_options source = QUERN_SOURCE_OPTIONS;
    quern_error error = {0};
    quern_builder *builder = NULL;
    options.language = "none";
    options.store = QUERN_STORE_NONE;
    options.force = true;
    source.format = QUERN_FORMAT_JSONL;
    source.on_error = tell;
    quern_status status = quern_builder_open(&builder, path, &options, &error);
    if (status == QUERN_OK)
        status = quern_builder_add_file(builder, "-", &source, &error);
    if (status == QUERN_OK)
        status = quern_builder_commit(builder, NULL, &error);
    quern_builder_free(builder);
    return status == QUERN_OK ? 0 : fail(&error, status);
}

/* ---- serve ---- */

typedef struct command {
    size_t k;   /* 0: no documents are asked for */
    bool count; /* their number is */
    bool run;   /* they are to be shown */
} command;

static bool parse_command(const char *name, command *parsed)
{
    *parsed = (command){0, true, false};
    if (strcmp(name, "COUNT") == 0)
        return true;
    parsed->run = strncmp(name, "RUN_", 4) == 0;
    if (!parsed->run && strncmp(name, "TOP_", 4) != 0)
        return false;
    size_t digits = strspn(name + 4, "0123456789");
    const char *rest = name + 4 + digits;
    if (digits == 0 || digits > 7)
        return false;
    parsed->k = strtoul(name + 4, NULL, 10);
    parsed->count = !parsed->run && strcmp(rest, "_COUNT") == 0;
    return parsed->k >= 1 && parsed->k <= K_MAX && (parsed->count || *rest == '\0');
}

/* A byte of an id that would end it or the line becomes a space. */
static quern_status put_hits(quern_searcher *searcher, const quern_hits *hits, quern_error *error)
{
    printf("%zu", hits->n);
    for (size_t i = 0; i < hits->n; i++) {
        quern_span id;
        quern_status status = quern_fetch_id(searcher, hits->hit[i].doc, &id, error);
        if (status != QUERN_OK)
            return status;
        (void)putchar('\t');
        for (size_t b = 0; b < id.len; b++)
            (void)putchar((unsigned char)id.data[b] < 0x20 ? ' ' : id.data[b]);
        printf("\t%.9g", (double)hits->hit[i].score);
    }
    (void)putchar('\n');
    return QUERN_OK;
}

/* Answers with a line, unless it fails. */
static quern_status run(quern_searcher *searcher, const command *wanted, quern_span query,
                        quern_error *error)
{
    unsigned long long answer = 1;
    quern_hits hits;
    if (wanted->k > 0) {
        quern_status status = quern_search(searcher, query, wanted->k, &hits, error);
        if (status != QUERN_OK)
            return status;
    }
    if (wanted->run)
        return put_hits(searcher, &hits, error);
    if (wanted->count) {
        quern_matches matches;
        quern_status status = quern_count(searcher, query, &matches, error);
        if (status != QUERN_OK)
            return status;
        answer = matches.n;
    }
    printf("%llu\n", answer);
    return QUERN_OK;
}

static void unsupported(unsigned long long line, const char *why)
{
    (void)fprintf(stderr, "sbg: line %llu: %s\n", line, why);
    (void)puts("UNSUPPORTED");
}

/* Answers text[0..len), which ends with a 0 byte. False if the index is at fault. */
static bool answer_line(quern_searcher *searcher, char *text, size_t len, unsigned long long number)
{
    char *tab = memchr(text, '\t', len);
    if (tab == NULL) {
        unsupported(number, "no tab: a line is COMMAND<TAB>QUERY");
        return true;
    }
    *tab = '\0';
    command wanted;
    if (!parse_command(text, &wanted)) {
        unsupported(number, "unknown command");
        return true;
    }
    quern_error error = {0};
    quern_span query = {tab + 1, len - (size_t)(tab + 1 - text)};
    quern_status status = run(searcher, &wanted, query, &error);
    if (status == QUERN_OK)
        return true;
    if (status != QUERN_E_ARGUMENT && status != QUERN_E_INPUT) {
        (void)fail(&error, status);
        return false;
    }
    unsupported(number, error.message);
    return true;
}

static int serve_lines(quern_searcher *searcher)
{
    char *text = NULL;
    size_t room = 0;
    ssize_t len;
    bool good = true;
    for (unsigned long long number = 1; good && (len = getline(&text, &room, stdin)) >= 0;
         number++) {
        if (len > 0 && text[len - 1] == '\n')
            text[--len] = '\0';
        if (len > 0 && text[len - 1] == '\r')
            text[--len] = '\0';
        good = answer_line(searcher, text, (size_t)len, number) && fflush(stdout) == 0;
    }
    free(text);
    return good && ferror(stdin) == 0 ? 0 : 4;
}

static int serve(const char *path)
{
    quern_error error = {0};
    quern_index *index = NULL;
    quern_searcher *searcher = NULL;
    quern_status status = quern_index_open(&index, path, NULL, &error);
    if (status == QUERN_OK)
        status = quern_searcher_new(&searcher, index, NULL, &error);
    int code = status == QUERN_OK ? serve_lines(searcher) : fail(&error, status);
    quern_searcher_free(searcher);
    quern_index_close(index);
    return code;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "index") == 0)
        return make_index(argv[2]);
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        return serve(argv[2]);
    (void)fputs("usage: sbg index INDEX <corpus.json | sbg serve INDEX\n", stderr);
    return 2;
}
