/*
 * What all commands share: the commands themselves, exit codes, complaints on standard error, and
 * signals. The program, unlike the library, has global state: the flag that a signal sets.
 */
#ifndef QN_CLI_CLI_H
#define QN_CLI_CLI_H

#include "engine/cli/options.h"
#include "engine/cli/output.h"
#include "engine/quern.h"

#include <pthread.h>
#include <stdbool.h>

/* Scripts rely on these. */
enum {
    QN_EXIT_DONE = 0,
    QN_EXIT_NO = 1,      /* a negative answer */
    QN_EXIT_USAGE = 2,   /* wrong usage or input */
    QN_EXIT_DAMAGED = 3, /* the index is damaged, or of another version */
    QN_EXIT_SYSTEM = 4,  /* I/O, space, memory, lock */
    QN_EXIT_INTERRUPTED = 130
};

extern const qn_command qn_command_index, qn_command_search, qn_command_delete, qn_command_compact,
    qn_command_merge, qn_command_stats, qn_command_verify, qn_command_eval, qn_command_bench,
    qn_command_synth;

/* All commands in the order of the help; NULL-terminated. */
extern const qn_command *const qn_commands[];

/* The command of that name, or NULL. */
const qn_command *qn_command_named(const char *name);

/* One line on standard error, "quern: ..." or "quern COMMAND: ...", written at once. */
__attribute__((format(printf, 2, 3))) void qn_complain(const qn_command *command,
                                                       const char *format, ...);

/* Complains of wrong usage, points to the help, and returns QN_EXIT_USAGE. */
__attribute__((format(printf, 2, 3))) int qn_wrong_usage(const qn_command *command,
                                                         const char *format, ...);

/* The exit code of a status; a path that does not exist is wrong usage, not a broken system. */
int qn_exit_code(quern_status status, const quern_error *error);

/* Complains of a failed call and returns its exit code. */
int qn_report(const qn_command *command, quern_status status, const quern_error *error);

/* Parses the arguments into `values` (see qn_options_parse). Returns true to go on; false with the
 * exit code set after --help or a mistake. */
bool qn_begin(const qn_command *command, void *values, int argc, char **argv, int *n_operands,
              int *exit_code);

/* Closes the output; if that fails, complains and returns its exit code instead of `exit_code`. */
int qn_end(const qn_command *command, qn_output *output, int exit_code);

/* Ignores SIGPIPE, exits 3 with a message on SIGBUS, and counts SIGINT, SIGTERM and SIGHUP: the
 * first one asks to stop where the command looks, the second ends the program; where no command
 * looks, the first does. */
void qn_signals_install(void);

/* From now on the command looks at qn_interrupted. */
void qn_signals_catch(void);

/* Starts a thread that gets no signal but SIGBUS, which comes to the thread that caused it: the
 * others go to the main thread. False where the system starts none. */
bool qn_thread_start(pthread_t *thread, void *(*work)(void *), void *argument);

/* 0, or the exit code after a signal that asked to stop (130 for SIGINT). */
int qn_interrupted(void);

/* Seconds of a clock that only goes forward. */
double qn_clock(void);

/* Whether an index is there, perhaps a damaged one: it can be replaced or added to. */
bool qn_is_index(const char *path);

/* The largest resident set that the program has had; 0 if it is not known. */
uint64_t qn_peak_resident_bytes(void);

#endif
