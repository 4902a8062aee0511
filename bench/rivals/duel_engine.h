/*
 * An engine that bench/duel measures: a process that reads lines COMMAND<TAB>QUERY and answers each
 * with one line (bench/sbg/README.md). Whatever it does, nobody waits for it for longer than a
 * limit: one that dies, hangs or falls out of step is named on standard error, with what it was
 * asked, killed with all that it started, and out from then on.
 */
#ifndef BENCH_DUEL_ENGINE_H
#define BENCH_DUEL_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct duel_engine {
    const char *name, *command; /* the caller's; the command is for /bin/sh -c */
    double limit;               /* seconds for an answer */
    bool out;                   /* it failed once */
    pid_t pid;                  /* 0: it does not run */
    int to, from, errors;       /* its standard input, output, and a file of its standard error */
    char *line;                 /* what it has written of its answer */
    size_t len, room;
} duel_engine;

/* Microseconds of the clock that answers are timed with. */
double duel_now(void);

/* Starts the process, which must not run. Ends this program where the
 * system has no pipes or processes left. */
void duel_start(duel_engine *engine);

/* Asks one question. `*answer` is the line without its end, valid until the next question; `*us`
 * the time from before it was written to when the answer was complete. False: it is out now. */
bool duel_ask(duel_engine *engine, const char *command, const char *query, const char **answer,
              double *us);

/* Tells why an engine is out, and puts it out. */
void duel_put_out(duel_engine *engine, const char *why, const char *command, const char *query);

/* Ends the process: by the end of its input, or by force a second later. */
void duel_stop(duel_engine *engine);

/* Stops it, and frees what it holds. */
void duel_free(duel_engine *engine);

#endif
