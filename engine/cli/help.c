/* Help texts: laid out from the command tables, for 80 columns. */
#include "engine/cli/help.h"

#include <stdio.h>
#include <string.h>

enum { COLUMNS = 80, OPTION_COLUMN = 28 };

const char *qn_help_argument(const qn_option *option)
{
    if (option->kind == QN_OPTION_FLAG)
        return "";
    return option->argument != NULL ? option->argument : option->choices;
}

void qn_help_option(char *room, size_t size, const qn_option *option)
{
    const char *argument = qn_help_argument(option);
    char letter[8] = "    ";
    if (option->letter != 0)
        (void)snprintf(letter, sizeof letter, "-%c, ", option->letter);
    (void)snprintf(room, size, "%s--%s%s%s", letter, option->name, *argument != '\0' ? " " : "",
                   argument);
}

/* Puts words, breaking lines before COLUMNS; the first line starts at column `at`, the others are
 * indented to `indent`. */
static void put_wrapped(qn_text *text, const char *words, size_t len, size_t at, size_t indent)
{
    const char *end = words + len;
    bool first = true;
    while (words < end) {
        size_t gap = strspn(words, " \n");
        words += gap;
        if (words >= end)
            break;
        size_t word = strcspn(words, " \n");
        if (word > (size_t)(end - words))
            word = (size_t)(end - words);
        if (!first && at + 1 + word > COLUMNS) {
            qn_text_printf(text, "\n%*s", (int)indent, "");
            at = indent;
        } else if (!first) {
            qn_text_puts(text, " ");
            at++;
        }
        qn_text_put(text, words, word);
        at += word;
        words += word;
        first = false;
    }
    qn_text_puts(text, "\n");
}

static void put_heading(qn_text *text, const char *heading)
{
    qn_text_puts(text, "\n");
    qn_text_style(text, QN_BOLD);
    qn_text_puts(text, heading);
    qn_text_style(text, QN_PLAIN);
    qn_text_puts(text, "\n");
}

static void put_option(qn_text *text, const qn_option *option)
{
    char shown[80];
    qn_help_option(shown, sizeof shown, option);
    qn_text_puts(text, "  ");
    qn_text_style(text, QN_ID);
    qn_text_puts(text, shown);
    qn_text_style(text, QN_PLAIN);
    size_t at = 2 + strlen(shown);
    if (at + 2 > OPTION_COLUMN) {
        qn_text_puts(text, "\n");
        at = 0;
    }
    qn_text_printf(text, "%*s", (int)(OPTION_COLUMN - at), "");
    put_wrapped(text, option->help, strlen(option->help), OPTION_COLUMN, OPTION_COLUMN);
}

/* Examples: a line, and under it what it does, which starts with #. */
static void put_examples(qn_text *text, const char *examples)
{
    for (const char *at = examples; *at != '\0';) {
        size_t len = strcspn(at, "\n");
        if (*at == '#')
            qn_text_printf(text, "      %.*s\n", (int)len - 1, at + 1);
        else
            qn_text_printf(text, "  %.*s\n", (int)len, at);
        at += len + (at[len] == '\n');
    }
}

static void put_paragraphs(qn_text *text, const char *paragraphs)
{
    for (const char *at = paragraphs; *at != '\0';) {
        const char *end = strstr(at, "\n\n");
        size_t len = end != NULL ? (size_t)(end - at) : strlen(at);
        qn_text_puts(text, "\n");
        put_wrapped(text, at, len, 0, 0);
        at += len;
        at += strspn(at, "\n");
    }
}

void qn_help_command(qn_text *text, const qn_command *command)
{
    qn_text_printf(text, "quern %s: %s\n", command->name, command->summary);
    put_heading(text, "Usage");
    qn_text_printf(text, "  quern %s %s\n", command->name, command->synopsis);
    put_paragraphs(text, command->description);
    put_heading(text, "Options");
    for (size_t i = 0; i < command->n_options; i++)
        put_option(text, &command->options[i]);
    for (size_t i = 0; i < QN_COMMON_OPTIONS; i++)
        put_option(text, &qn_common_options[i]);
    put_heading(text, "Examples");
    put_examples(text, command->examples);
}

void qn_help_overview(qn_text *text, const qn_command *const *commands)
{
    qn_text_puts(text, "quern: full-text search, ranked by BM25, over indexes that it builds\n");
    put_heading(text, "Commands");
    for (size_t i = 0; commands[i] != NULL; i++) {
        qn_text_puts(text, "  ");
        qn_text_style(text, QN_ID);
        qn_text_printf(text, "%-8s", commands[i]->name);
        qn_text_style(text, QN_PLAIN);
        qn_text_printf(text, "  %s\n", commands[i]->summary);
    }
    put_heading(text, "Examples");
    put_examples(text, "quern index -o my.idx corpus.jsonl.zst\n"
                       "#grind a file of documents, one JSON object a line, into an index\n"
                       "quern search my.idx solar eclipse\n"
                       "#the ten best documents for these words\n"
                       "quern search my.idx --topics topics.tsv --format trec > my.run\n"
                       "#answer many queries; then: quern eval qrels.txt my.run\n");
    qn_text_puts(text, "\n'quern COMMAND --help' tells all about a command.\n"
                       "'quern --version', 'quern --man' (the manual page, as roff) and\n"
                       "'quern --completions bash|zsh|fish' do what they say.\n");
}
