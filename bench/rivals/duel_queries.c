/* Files of queries, read into memory. */
#include "bench/rivals/duel_queries.h"

#include "index/base/buffer.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

enum { LABEL_MAX = 64 };

bool duel_is_label(const char *name)
{
    size_t len = strlen(name);
    return len >= 1 && len <= LABEL_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == len;
}

static _Noreturn void malformed(const char *path, unsigned long long line, const char *why)
{
    (void)fprintf(stderr, "duel: %s:%llu: %s\n", path, line, why);
    exit(2);
}

static void *checked(void *memory)
{
    if (memory != NULL)
        return memory;
    (void)fputs("duel: out of memory\n", stderr);
    exit(4);
}

/* What `duel_queries_read` says of names, for a file's. */
static char *shape_of(const char *path)
{
    static const char *const NAMES[] = {"term",   "union",   "intersection",
                                        "phrase", "negated", "mixed"};
    const char *slash = strrchr(path, '/');
    char *name = checked(strdup(slash != NULL ? slash + 1 : path));
    char *dot = strrchr(name, '.');
    if (dot != NULL && dot != name)
        *dot = '\0';
    const char *dash = strrchr(name, '-');
    for (size_t i = 0; dash != NULL && i < sizeof NAMES / sizeof *NAMES; i++)
        if (strcmp(dash + 1, NAMES[i]) == 0) {
            memmove(name, dash + 1, strlen(dash + 1) + 1);
            break;
        }
    return name;
}

static void add(duel_queries *queries, size_t *cap, const char *text)
{
    void *array = queries->text;
    if (!qn_array_grow(&array, cap, queries->n + 1, sizeof *queries->text))
        (void)checked(NULL);
    queries->text = array;
    queries->text[queries->n++] = checked(strdup(text));
}

static void read_lines(duel_queries *queries, const char *path)
{
    FILE *in = fopen(path, "re");
    char *line = NULL;
    size_t room = 0, cap = 0;
    ssize_t len;
    if (in == NULL) {
        (void)fprintf(stderr, "duel: cannot open %s: %s\n", path, strerror(errno));
        exit(2);
    }
    for (unsigned long long number = 1; (len = getline(&line, &room, in)) >= 0; number++) {
        if (strlen(line) != (size_t)len)
            malformed(path, number, "a byte is 0");
        line[strcspn(line, "\r\n")] = '\0';
        char *tab = strchr(line, '\t');
        if (*line == '\0')
            continue;
        if (tab == NULL)
            malformed(path, number, "no tab: a line is qid<TAB>text");
        for (char *c = tab + 1; *c != '\0'; c++)
            if ((unsigned char)*c < 0x20)
                *c = ' '; /* a tab here would end the query's field, an engine may think */
        add(queries, &cap, tab + 1);
    }
    if (ferror(in) != 0 || queries->n == 0)
        malformed(path, 1, ferror(in) != 0 ? strerror(errno) : "there is no query");
    free(line);
    (void)fclose(in);
}

static void thin_out(duel_queries *queries, size_t sample)
{
    size_t kept = 0;
    if (sample == 0 || sample >= queries->n)
        return;
    for (size_t i = 0; i < queries->n; i++) {
        if (kept < sample && i == kept * queries->n / sample)
            queries->text[kept++] = queries->text[i];
        else
            free(queries->text[i]);
    }
    queries->n = kept;
}

void duel_queries_read(duel_queries *queries, const char *argument, size_t sample)
{
    const char *equals = strchr(argument, '=');
    const char *path = equals != NULL ? equals + 1 : argument;
    *queries = (duel_queries){.shape = equals != NULL
                                           ? checked(strndup(argument, (size_t)(equals - argument)))
                                           : shape_of(argument)};
    if (!duel_is_label(queries->shape)) {
        (void)fprintf(stderr,
                      "duel: the shape '%s' is not 1 to 64 letters, digits and _ . -: give "
                      "SHAPE=FILE\n",
                      queries->shape);
        exit(2);
    }
    read_lines(queries, path);
    thin_out(queries, sample);
}

void duel_queries_free(duel_queries *queries)
{
    for (size_t i = 0; i < queries->n; i++)
        free(queries->text[i]);
    free(queries->text);
    free(queries->shape);
    *queries = (duel_queries){0};
}
