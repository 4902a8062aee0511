/* The program `quern`: finds the command and hands over. */
#include "engine/cli/cli.h"
#include "engine/cli/help.h"
#include "engine/cli/manual.h"

#include <string.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

static int print_help(int argc, char **argv)
{
    qn_output out;
    if (argc > 1) {
        const qn_command *command = qn_command_named(argv[1]);
        if (command == NULL)
            return qn_wrong_usage(NULL, "there is no command '%s'", argv[1]);
        qn_output_open(&out, STDOUT_FILENO, 0);
        qn_help_command(&out.text, command);
    } else {
        qn_output_open(&out, STDOUT_FILENO, 0);
        qn_help_overview(&out.text, qn_commands);
    }
    return qn_end(NULL, &out, QN_EXIT_DONE);
}

static int print_completions(const char *shell)
{
    qn_output out;
    qn_output_open(&out, STDOUT_FILENO, 2);
    if (shell == NULL || !qn_manual_completions(&out.text, qn_commands, shell)) {
        qn_text_free(&out.text);
        return qn_wrong_usage(NULL, "--completions needs one of bash, zsh, fish");
    }
    return qn_end(NULL, &out, QN_EXIT_DONE);
}

static int print_manual(void)
{
    qn_output out;
    qn_output_open(&out, STDOUT_FILENO, 2);
    qn_manual_page(&out.text, qn_commands);
    return qn_end(NULL, &out, QN_EXIT_DONE);
}

static int print_version(void)
{
    qn_output out;
    qn_output_open(&out, STDOUT_FILENO, 2);
    qn_text_printf(&out.text, "quern %s\n", quern_version());
    return qn_end(NULL, &out, QN_EXIT_DONE);
}

/* A word that is no command: perhaps a slip. */
static int no_such_command(const char *word)
{
    const char *names[32];
    size_t n = 0;
    for (; n < sizeof names / sizeof *names && qn_commands[n] != NULL; n++)
        names[n] = qn_commands[n]->name;
    const char *near = qn_nearest_name(word, names, n, sizeof *names);
    if (near != NULL)
        return qn_wrong_usage(NULL, "there is no command '%s'; did you mean '%s'?", word, near);
    return qn_wrong_usage(NULL, "there is no command '%s'", word);
}

/* glibc raises its threshold for mapping pieces one by one with each that is freed, up to 32 MiB;
 * from then on freed tables stay in the heap's gaps. --memory is a promise about resident memory.
 */
static void keep_heap_small(void)
{
#ifdef __GLIBC__
    (void)mallopt(M_MMAP_THRESHOLD, 256 << 10);
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 20);
#endif
}

int main(int argc, char **argv)
{
    qn_signals_install();
    keep_heap_small();
    if (argc < 2)
        return print_help(0, NULL);
    const char *word = argv[1];
    if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return print_help(argc - 1, argv + 1);
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
        return print_version();
    if (strcmp(word, "--man") == 0)
        return print_manual();
    if (strcmp(word, "--completions") == 0 || strncmp(word, "--completions=", 14) == 0)
        return print_completions(word[13] == '=' ? word + 14 : argc > 2 ? argv[2] : NULL);
    if (word[0] == '-')
        return qn_wrong_usage(NULL, "unknown option '%s'", word);
    const qn_command *command = qn_command_named(word);
    if (command == NULL)
        return no_such_command(word);
    return command->run(command, argc - 1, argv + 1);
}
