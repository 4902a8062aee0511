/*
 * What the drivers in C and C++ have in common: records on standard input, commands and queries as
 * bench/sbg has them, and the loop that answers each line with a line. README.md describes both.
 * Included once by each driver, so that its functions are static; plain C that is C++, too.
 */
#ifndef BENCH_RIVALS_DRIVER_H
#define BENCH_RIVALS_DRIVER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <time.h>

enum { DRIVER_K_MAX = 1000000, DRIVER_CLAUSES_MAX = 1024 };

typedef struct driver_span {
    const char *data;
    size_t len;
} driver_span;

/* ---- records --------------------------------------------------------------------------------- */

typedef struct driver_record {
    driver_span id, title, text;
} driver_record;

/* The next record of standard input, valid until the next call: 1; 0 at the end; -1 if it is cut
 * off or has no two separators, which standard error hears. */
static int driver_next(driver_record *record)
{
    static char *line;
    static size_t room;
    static unsigned long long number;
    ssize_t len = getdelim(&line, &room, 0x1E, stdin);
    if (len < 0 && ferror(stdin) == 0 && feof(stdin) != 0)
        return 0;
    number++;
    char *title = len > 0 ? (char *)memchr(line, 0x1F, (size_t)len) : NULL;
    char *end = len > 0 ? line + len - 1 : NULL;
    char *text = title != NULL ? (char *)memchr(title + 1, 0x1F, (size_t)(end - title)) : NULL;
    if (text == NULL || *end != 0x1E) {
        (void)fprintf(stderr, "record %llu is malformed or cut off\n", number);
        return -1;
    }
    record->id.data = line;
    record->id.len = (size_t)(title - line);
    record->title.data = title + 1;
    record->title.len = (size_t)(text - title - 1);
    record->text.data = text + 1;
    record->text.len = (size_t)(end - text - 1);
    return 1;
}

static double driver_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* What a build says on standard output; bench/build reads it. */
static void driver_report(unsigned long long documents, double start, double added, double merged)
{
    struct rusage usage;
    memset(&usage, 0, sizeof usage);
    (void)getrusage(RUSAGE_SELF, &usage);
    printf("documents %llu seconds %.3f merge %.3f peak %lld\n", documents, merged - start,
           merged - added, 1024LL * usage.ru_maxrss);
}

/* ---- requests -------------------------------------------------------------------------------- */

typedef enum driver_occur { DRIVER_SHOULD, DRIVER_MUST, DRIVER_NOT } driver_occur;

/* A word or a phrase as it stands in the query, without its sign and quotes. */
typedef struct driver_clause {
    driver_occur occur;
    bool phrase;
    driver_span text;
} driver_clause;

typedef enum driver_what { DRIVER_COUNT, DRIVER_TOP, DRIVER_TOP_COUNT, DRIVER_RUN } driver_what;

typedef struct driver_request {
    driver_what what;
    size_t k; /* 0 with DRIVER_COUNT only */
    driver_clause clause[DRIVER_CLAUSES_MAX];
    size_t n_clauses;
    size_t n_of[3]; /* of each occurrence */
} driver_request;

static bool driver_parse_command(const char *name, driver_request *request)
{
    request->what = DRIVER_COUNT;
    request->k = 0;
    if (strcmp(name, "COUNT") == 0)
        return true;
    bool run = strncmp(name, "RUN_", 4) == 0;
    if (!run && strncmp(name, "TOP_", 4) != 0)
        return false;
    size_t digits = strspn(name + 4, "0123456789");
    const char *rest = name + 4 + digits;
    if (digits == 0 || digits > 7)
        return false;
    request->k = strtoul(name + 4, NULL, 10);
    bool count = !run && strcmp(rest, "_COUNT") == 0;
    request->what = run ? DRIVER_RUN : count ? DRIVER_TOP_COUNT : DRIVER_TOP;
    return request->k >= 1 && request->k <= DRIVER_K_MAX && (count || *rest == '\0');
}

/* Clauses past DRIVER_CLAUSES_MAX make it false. An unclosed quote is a part of its word. */
static bool driver_parse_query(const char *at, driver_request *request)
{
    request->n_clauses = 0;
    memset(request->n_of, 0, sizeof request->n_of);
    for (at += strspn(at, " \t"); *at != '\0'; at += strspn(at, " \t")) {
        if (request->n_clauses == DRIVER_CLAUSES_MAX)
            return false;
        driver_clause *clause = &request->clause[request->n_clauses];
        clause->occur = *at == '+' ? DRIVER_MUST : *at == '-' ? DRIVER_NOT : DRIVER_SHOULD;
        at += clause->occur != DRIVER_SHOULD;
        const char *close = *at == '"' ? strchr(at + 1, '"') : NULL;
        clause->phrase = close != NULL;
        clause->text.data = at + (close != NULL);
        clause->text.len = close != NULL ? (size_t)(close - clause->text.data) : strcspn(at, " \t");
        at = clause->text.data + clause->text.len + (close != NULL);
        if (clause->text.len == 0)
            continue;
        request->n_of[clause->occur]++;
        request->n_clauses++;
    }
    return true;
}

/* Writes an id of a RUN_k answer: a byte that would end it becomes a space. */
static void driver_put_id(const char *id, size_t len)
{
    for (size_t i = 0; i < len; i++)
        (void)putchar((unsigned char)id[i] < 0x20 ? ' ' : id[i]);
}

/* Writes the answer without its end of line: 1; 0 if the request is not supported (nothing has
 * been written then); -1 if the engine failed, which standard error has heard. */
typedef int driver_answer(void *engine, const driver_request *request);

/* Answers standard input line by line; returns the exit code. */
static int driver_serve(driver_answer *answer, void *engine)
{
    static driver_request request;
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    int good = 1;
    while (good >= 0 && (len = getline(&line, &room, stdin)) >= 0) {
        while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
            line[--len] = '\0';
        char *tab = strchr(line, '\t');
        good = 0;
        if (tab != NULL) {
            *tab = '\0';
            if (driver_parse_command(line, &request) && driver_parse_query(tab + 1, &request))
                good = answer(engine, &request);
        }
        if (good == 0)
            (void)fputs("UNSUPPORTED", stdout);
        if (good >= 0 && (putchar('\n') == EOF || fflush(stdout) != 0))
            good = -1;
    }
    free(line);
    return good >= 0 && ferror(stdin) == 0 ? 0 : 4;
}

#endif
