/* Help, manual and completions come from the tables: every option is looked for in all of them. */
#include "engine/cli/cli.h"
#include "engine/cli/help.h"
#include "engine/cli/manual.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const char *finish(qn_text *text)
{
    qn_text_put(text, "", 1);
    cr_assert(!text->failed);
    return (const char *)text->bytes.data;
}

/* The longest line, in characters; help must fit a terminal. */
static size_t longest_line(const char *text)
{
    size_t longest = 0, len = 0;
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            len = 0;
        else if (((unsigned char)*text & 0xC0) != 0x80)
            len++;
        longest = len > longest ? len : longest;
    }
    return longest;
}

Test(help, commands)
{
    for (size_t i = 0; qn_commands[i] != NULL; i++) {
        const qn_command *command = qn_commands[i];
        qn_text text = {0};
        qn_help_command(&text, command);
        const char *help = finish(&text);
        cr_assert_leq(longest_line(help), 80, "%s: %zu", command->name, longest_line(help));
        cr_assert_not_null(strstr(help, command->summary));
        for (size_t j = 0; j < command->n_options; j++) {
            char shown[80];
            qn_help_option(shown, sizeof shown, &command->options[j]);
            cr_assert_not_null(strstr(help, shown), "%s: %s", command->name, shown);
        }
        cr_assert_not_null(strstr(help, "-h, --help"));
        cr_assert_not_null(strstr(help, "Examples"));
        cr_assert_eq(qn_command_named(command->name), command);
        qn_text_free(&text);
    }
    cr_assert_null(qn_command_named("grind"));
}

Test(help, overview)
{
    qn_text text = {0};
    qn_help_overview(&text, qn_commands);
    const char *help = finish(&text);
    cr_assert_leq(longest_line(help), 80);
    for (size_t i = 0; qn_commands[i] != NULL; i++)
        cr_assert_not_null(strstr(help, qn_commands[i]->summary));
    qn_text_free(&text);
}

/* Names and letters are used once in a command, and every option says what it is for. */
Test(help, tables)
{
    for (size_t i = 0; qn_commands[i] != NULL; i++) {
        const qn_option *options = qn_commands[i]->options;
        for (size_t j = 0; j < qn_commands[i]->n_options; j++) {
            const qn_option *option = &options[j];
            cr_assert(option->help != NULL && option->help[0] >= 'A' && option->help[0] <= 'Z',
                      "%s: --%s", qn_commands[i]->name, option->name);
            cr_assert_neq(option->help[strlen(option->help) - 1], '.', "--%s", option->name);
            cr_assert(option->kind == QN_OPTION_FLAG || *qn_help_argument(option) != '\0');
            for (size_t k = 0; k < j; k++) {
                cr_assert_str_neq(option->name, options[k].name);
                cr_assert(option->letter == 0 || option->letter != options[k].letter, "-%c",
                          option->letter);
            }
            for (size_t k = 0; k < QN_COMMON_OPTIONS; k++)
                cr_assert_str_neq(option->name, qn_common_options[k].name);
        }
    }
}

/* Dashes are escaped in the manual: --no-store is \-\-no\-store. */
static void escaped_name(char *room, const char *name)
{
    size_t n = (size_t)sprintf(room, "\\-\\-");
    for (const char *c = name; *c != '\0'; c++) {
        if (*c == '-')
            room[n++] = '\\';
        room[n++] = *c;
    }
    room[n] = '\0';
}

Test(help, manual)
{
    qn_text text = {0};
    qn_manual_page(&text, qn_commands);
    const char *page = finish(&text);
    for (size_t i = 0; qn_commands[i] != NULL; i++) {
        for (size_t j = 0; j < qn_commands[i]->n_options; j++) {
            char name[80];
            escaped_name(name, qn_commands[i]->options[j].name);
            cr_assert_not_null(strstr(page, name), "%s", name);
        }
    }
    cr_assert_not_null(strstr(page, ".SH EXIT STATUS"));
    /* A bare dash would become a hyphen, which cannot be pasted. */
    for (const char *dash = strchr(page, '-'); dash != NULL; dash = strchr(dash + 1, '-'))
        cr_assert_eq(dash[-1], '\\', "%.40s", dash);
    qn_text_free(&text);
}

Test(help, completions)
{
    static const char *const SHELLS[] = {"bash", "zsh", "fish"};
    for (size_t shell = 0; shell < 3; shell++) {
        qn_text text = {0};
        cr_assert(qn_manual_completions(&text, qn_commands, SHELLS[shell]));
        const char *script = finish(&text);
        for (size_t i = 0; qn_commands[i] != NULL; i++) {
            for (size_t j = 0; j < qn_commands[i]->n_options; j++) {
                char name[80];
                (void)snprintf(name, sizeof name, shell == 2 ? "-l %s" : "--%s",
                               qn_commands[i]->options[j].name);
                cr_assert_not_null(strstr(script, name), "%s: %s", SHELLS[shell], name);
            }
        }
        qn_text_free(&text);
    }
    qn_text text = {0};
    cr_assert(!qn_manual_completions(&text, qn_commands, "tcsh"));
    qn_text_free(&text);
}
