/* Progress of a long call on standard error: on a terminal one line that is drawn again and again,
 * elsewhere a line every 30 seconds. */
#ifndef QN_CLI_PROGRESS_H
#define QN_CLI_PROGRESS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct qn_progress {
    pthread_mutex_t lock; /* the library may call from any of its threads */
    bool quiet;
    bool terminal;
    bool drawn;        /* a line stands on the terminal */
    const char *label; /* what is being read, or NULL */
    const char *unit;  /* what is counted ("queries"); NULL: bytes, which are told in MB */
    char phase[32];
    double start; /* of the phase */
    double last;  /* when something was printed */
} qn_progress;

void qn_progress_init(qn_progress *progress, bool quiet);

/* Says what is being worked on (kept, not copied) from now on. */
void qn_progress_label(qn_progress *progress, const char *label);

/* A quern_progress_fn; `arg` is the qn_progress. False after a signal that asks to stop. */
bool qn_progress_step(void *arg, const char *phase, uint64_t done, uint64_t total);

/* Wipes the line, so that something else can be printed. */
void qn_progress_clear(qn_progress *progress);

void qn_progress_free(qn_progress *progress);

/* What qn_progress_step prints, for tests: "reading corpus.jsonl  412.3 of 551.0 MB  75 %  98 MB/s
 * 1 s left"; with a unit "measuring  120 of 480 queries  25 %  60/s  6 s left"; cut to `size`
 * bytes. */
void qn_progress_line(char *room, size_t size, const char *phase, const char *label,
                      const char *unit, uint64_t done, uint64_t total, double seconds);

#endif
