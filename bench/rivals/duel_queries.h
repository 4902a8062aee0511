/* The queries of bench/duel: files of lines qid<TAB>text, each of one shape. */
#ifndef BENCH_DUEL_QUERIES_H
#define BENCH_DUEL_QUERIES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct duel_queries {
    char *shape; /* a label: see duel_is_label */
    char **text;
    size_t n;
} duel_queries;

/* Whether a name is 1 to 64 letters, digits and _ . - : such stand in JSON as they are. */
bool duel_is_label(const char *name);

/*
 * Reads FILE or SHAPE=FILE and takes `sample` of its queries, evenly spread (0: all). Without a
 * shape it is what follows the last '-' of the file's name if quern bench has a shape of that name
 * (term, union, intersection, phrase, negated, mixed), else the name without its ending. Ends the
 * program with exit code 2 for a malformed file, whose line is named, 4 where memory is short.
 */
void duel_queries_read(duel_queries *queries, const char *argument, size_t sample);
void duel_queries_free(duel_queries *queries);

#endif
