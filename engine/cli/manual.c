/* quern(1) in the macros of man(7). Completions are in completions.c. */
#include "engine/cli/manual.h"

#include "engine/cli/help.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Text with roff's special characters escaped. */
static void put_roff(qn_text *text, const char *string, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = string[i];
        if (c == '\\')
            qn_text_puts(text, "\\e");
        else if (c == '-')
            qn_text_puts(text, "\\-");
        else if ((c == '.' || c == '\'') && (i == 0 || string[i - 1] == '\n'))
            qn_text_printf(text, "\\&%c", c);
        else
            qn_text_put(text, &c, 1);
    }
}

static void put_string(qn_text *text, const char *string)
{
    put_roff(text, string, strlen(string));
}

static void put_option(qn_text *text, const qn_option *option)
{
    qn_text_puts(text, ".TP\n\\fB");
    if (option->letter != 0) {
        char letter[] = {'-', option->letter, '\0'};
        put_string(text, letter);
        qn_text_puts(text, "\\fR, \\fB");
    }
    qn_text_puts(text, "\\-\\-");
    put_string(text, option->name);
    qn_text_puts(text, "\\fR");
    const char *argument = qn_help_argument(option);
    if (*argument != '\0') {
        qn_text_puts(text, " \\fI");
        put_string(text, argument);
        qn_text_puts(text, "\\fR");
    }
    qn_text_puts(text, "\n");
    put_string(text, option->help);
    qn_text_puts(text, ".\n");
}

static void put_paragraphs(qn_text *text, const char *paragraphs)
{
    for (const char *at = paragraphs; *at != '\0';) {
        const char *end = strstr(at, "\n\n");
        size_t len = end != NULL ? (size_t)(end - at) : strlen(at);
        qn_text_puts(text, ".PP\n");
        put_roff(text, at, len);
        qn_text_puts(text, "\n");
        at += len;
        at += strspn(at, "\n");
    }
}

static void put_examples(qn_text *text, const char *examples)
{
    for (const char *at = examples; *at != '\0';) {
        size_t len = strcspn(at, "\n");
        if (*at == '#') {
            put_roff(text, at + 1, len - 1);
            qn_text_puts(text, "\n");
        } else {
            qn_text_puts(text, ".TP\n\\fB");
            put_roff(text, at, len);
            qn_text_puts(text, "\\fR\n");
        }
        at += len + (at[len] == '\n');
    }
}

static void put_command(qn_text *text, const qn_command *command)
{
    qn_text_puts(text, ".SH QUERN ");
    for (const char *c = command->name; *c != '\0'; c++)
        qn_text_printf(text, "%c", toupper((unsigned char)*c));
    qn_text_printf(text, "\n.B quern %s\n", command->name);
    put_string(text, command->synopsis);
    qn_text_puts(text, "\n.PP\n");
    put_string(text, command->summary);
    qn_text_puts(text, ".\n");
    put_paragraphs(text, command->description);
    qn_text_puts(text, ".SS Options\n");
    for (size_t i = 0; i < command->n_options; i++)
        put_option(text, &command->options[i]);
    qn_text_puts(text, ".SS Examples\n");
    put_examples(text, command->examples);
}

void qn_manual_page(qn_text *text, const qn_command *const *commands)
{
    qn_text_puts(text, ".TH QUERN 1 \"\" \"quern " QUERN_VERSION "\" \"User Commands\"\n"
                       ".SH NAME\nquern \\- full\\-text search engine\n"
                       ".SH SYNOPSIS\n");
    for (size_t i = 0; commands[i] != NULL; i++) {
        qn_text_printf(text, "%s.B quern %s\n", i > 0 ? ".br\n" : "", commands[i]->name);
        put_string(text, commands[i]->synopsis);
        qn_text_puts(text, "\n");
    }
    qn_text_puts(text, ".SH DESCRIPTION\nquern builds indexes of documents and answers queries "
                       "from them, ranked by BM25.\nResults go to standard output, all else to "
                       "standard error.\nA pipe that is closed early is no error.\n");
    for (size_t i = 0; commands[i] != NULL; i++)
        put_command(text, commands[i]);
    qn_text_puts(text, ".SH COMMON OPTIONS\n");
    for (size_t i = 0; i < QN_COMMON_OPTIONS; i++)
        put_option(text, &qn_common_options[i]);
    static const struct {
        const char *name, *meaning;
    } EXITS[] = {
        {"0", "Done, or found."},
        {"1",
         "A negative answer: no document for a single query, no document of that id, evaluators "
         "that differ."},
        {"2", "Wrong usage or input."},
        {"3", "The index is damaged, or of another version."},
        {"4", "The system failed: input or output, space, memory, a lock."},
        {"130", "Interrupted."},
    };
    static const struct {
        const char *name, *meaning;
    } ENVIRONMENT[] = {
        {"NO_COLOR", "If set and not empty, no colour is used unless \\-\\-color=always is given."},
        {"QUERN_CPU", "scalar, avx2 or avx512: use no instructions beyond that level."},
    };
    qn_text_puts(text, ".SH EXIT STATUS\n");
    for (size_t i = 0; i < sizeof EXITS / sizeof *EXITS; i++)
        qn_text_printf(text, ".TP\n.B %s\n%s\n", EXITS[i].name, EXITS[i].meaning);
    qn_text_puts(text, ".SH ENVIRONMENT\n");
    for (size_t i = 0; i < sizeof ENVIRONMENT / sizeof *ENVIRONMENT; i++)
        qn_text_printf(text, ".TP\n.B %s\n%s\n", ENVIRONMENT[i].name, ENVIRONMENT[i].meaning);
}
