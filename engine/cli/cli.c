/* Exit codes, complaints and the begin and end that all commands share. */
#include "engine/cli/cli.h"

#include "engine/cli/help.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

const qn_command *const qn_commands[] = {
    &qn_command_index,
    &qn_command_search,
    &qn_command_delete,
    &qn_command_compact,
    &qn_command_merge,
    &qn_command_stats,
    &qn_command_verify,
    &qn_command_eval,
    &qn_command_bench,
    &qn_command_synth,
    NULL,
};

const qn_command *qn_command_named(const char *name)
{
    for (size_t i = 0; qn_commands[i] != NULL; i++)
        if (strcmp(qn_commands[i]->name, name) == 0)
            return qn_commands[i];
    return NULL;
}

static void complain(const qn_command *command, const char *format, va_list args)
{
    qn_output err;
    qn_output_open(&err, STDERR_FILENO, 2);
    qn_text_puts(&err.text, "quern");
    if (command != NULL)
        qn_text_printf(&err.text, " %s", command->name);
    char message[1024];
    (void)vsnprintf(message, sizeof message, format, args);
    qn_text_puts(&err.text, ": ");
    qn_text_clean(&err.text, (quern_span){message, strlen(message)});
    qn_text_puts(&err.text, "\n");
    (void)qn_output_close(&err, NULL);
}

void qn_complain(const qn_command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    complain(command, format, args);
    va_end(args);
}

int qn_wrong_usage(const qn_command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    complain(command, format, args);
    va_end(args);
    if (command != NULL)
        (void)fprintf(stderr, "See 'quern %s --help'.\n", command->name);
    else
        (void)fputs("See 'quern --help'.\n", stderr);
    return QN_EXIT_USAGE;
}

int qn_exit_code(quern_status status, const quern_error *error)
{
    switch (status) {
    case QUERN_OK:
    case QUERN_END:
        return QN_EXIT_DONE;
    case QUERN_NOT_FOUND:
        return QN_EXIT_NO;
    case QUERN_E_ARGUMENT:
    case QUERN_E_INPUT:
    case QUERN_E_DUPLICATE:
    case QUERN_E_EXISTS:
        return QN_EXIT_USAGE;
    case QUERN_E_DAMAGED:
    case QUERN_E_VERSION:
    case QUERN_E_ANALYZER:
        return QN_EXIT_DAMAGED;
    case QUERN_E_IO:
        if (error != NULL && (error->sys_errno == ENOENT || error->sys_errno == ENOTDIR ||
                              error->sys_errno == EISDIR))
            return QN_EXIT_USAGE;
        return QN_EXIT_SYSTEM;
    case QUERN_E_SPACE:
    case QUERN_E_MEMORY:
    case QUERN_E_LOCKED:
        return QN_EXIT_SYSTEM;
    case QUERN_E_CANCELLED:
        return qn_interrupted() != 0 ? qn_interrupted() : QN_EXIT_INTERRUPTED;
    }
    return QN_EXIT_SYSTEM;
}

int qn_report(const qn_command *command, quern_status status, const quern_error *error)
{
    qn_complain(command, "%s",
                error->message[0] != '\0' ? error->message : quern_status_text(status));
    return qn_exit_code(status, error);
}

bool qn_begin(const qn_command *command, void *values, int argc, char **argv, int *n_operands,
              int *exit_code)
{
    char message[QN_MESSAGE];
    if (!qn_options_parse(command, values, argc, argv, n_operands, message)) {
        *exit_code = qn_wrong_usage(command, "%s", message);
        return false;
    }
    const qn_common *common = values;
    if (common->help) {
        qn_output out;
        qn_output_open(&out, STDOUT_FILENO, common->color);
        qn_help_command(&out.text, command);
        *exit_code = qn_end(command, &out, QN_EXIT_DONE);
        return false;
    }
    return true;
}

int qn_end(const qn_command *command, qn_output *output, int exit_code)
{
    quern_error error = {0};
    quern_status status = qn_output_close(output, &error);
    return status == QUERN_OK ? exit_code : qn_report(command, status, &error);
}

double qn_clock(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* The kernel's figure of getrusage outlives exec: started from a large program it would be that
 * program's. */
uint64_t qn_peak_resident_bytes(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[256];
    unsigned long long kib = 0;
    while (file != NULL && kib == 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtoull(line + 6, NULL, 10);
    if (file != NULL)
        (void)fclose(file);
    if (kib > 0)
        return kib * 1024;
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return (uint64_t)usage.ru_maxrss * 1024;
}

bool qn_is_index(const char *path)
{
    quern_index *there = NULL;
    quern_status status = quern_index_open(&there, path, NULL, NULL);
    quern_index_close(there);
    return status == QUERN_OK || qn_exit_code(status, NULL) == QN_EXIT_DAMAGED;
}
