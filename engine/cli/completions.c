/* Completions for bash, zsh and fish: commands, their options, the choices of an option, and file
 * names everywhere else. */
#include "engine/cli/manual.h"

#include "engine/cli/help.h"

#include <string.h>

/* Calls `put` for every option of a command, the common ones last. */
static void each_option(qn_text *text, const qn_command *command,
                        void (*put)(qn_text *, const qn_command *, const qn_option *))
{
    for (size_t i = 0; i < command->n_options; i++)
        put(text, command, &command->options[i]);
    for (size_t i = 0; i < QN_COMMON_OPTIONS; i++)
        put(text, command, &qn_common_options[i]);
}

/* A list separated by | with spaces instead. */
static void put_choices(qn_text *text, const char *choices)
{
    for (const char *at = choices; *at != '\0'; at++)
        qn_text_put(text, *at == '|' ? " " : at, 1);
}

/* ---- bash ---- */

static void put_bash_name(qn_text *text, const qn_command *command, const qn_option *option)
{
    (void)command;
    if (option->letter != 0)
        qn_text_printf(text, "-%c ", option->letter);
    qn_text_printf(text, "--%s ", option->name);
}

static void put_bash_choices(qn_text *text, const qn_command *command, const qn_option *option)
{
    if (option->kind != QN_OPTION_CHOICE)
        return;
    qn_text_printf(text, "    %s:--%s) words='", command->name, option->name);
    put_choices(text, option->choices);
    qn_text_puts(text, "' ;;\n");
}

static void put_bash(qn_text *text, const qn_command *const *commands)
{
    qn_text_puts(text,
                 "# bash completion of quern: source this, or put it where your\n"
                 "# bash-completion looks (~/.local/share/bash-completion/completions/quern).\n"
                 "_quern() {\n"
                 "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
                 "  local command=${COMP_WORDS[1]} words=\n"
                 "  COMPREPLY=()\n"
                 "  # --name=value arrives as three words: --name, = and value.\n"
                 "  if [[ $cur == = ]]; then cur=\n"
                 "  elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
                 "  if ((COMP_CWORD == 1)); then\n"
                 "    COMPREPLY=($(compgen -W '");
    for (size_t i = 0; commands[i] != NULL; i++)
        qn_text_printf(text, "%s ", commands[i]->name);
    qn_text_puts(text, "help --help --version --man --completions' -- \"$cur\"))\n"
                       "    return\n"
                       "  fi\n"
                       "  case $command:$prev in\n");
    for (size_t i = 0; commands[i] != NULL; i++)
        each_option(text, commands[i], put_bash_choices);
    qn_text_puts(text, "    help:help) words='");
    for (size_t i = 0; commands[i] != NULL; i++)
        qn_text_printf(text, "%s%s", i > 0 ? " " : "", commands[i]->name);
    qn_text_puts(text, "' ;;\n    --completions:--completions) words='");
    put_choices(text, QN_SHELLS);
    qn_text_puts(text, "' ;;\n"
                       "  esac\n"
                       "  if [[ -z $words && $cur == -* ]]; then\n"
                       "    case $command in\n");
    for (size_t i = 0; commands[i] != NULL; i++) {
        qn_text_printf(text, "      %s) words='", commands[i]->name);
        each_option(text, commands[i], put_bash_name);
        qn_text_puts(text, "' ;;\n");
    }
    qn_text_puts(text, "    esac\n"
                       "  fi\n"
                       "  if [[ -n $words ]]; then\n"
                       "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
                       "  else\n"
                       "    compopt -o default 2>/dev/null\n"
                       "  fi\n"
                       "}\n"
                       "complete -F _quern quern\n");
}

/* ---- zsh ---- */

/* A string inside '...[...]' of _arguments. */
static void put_zsh_help(qn_text *text, const char *help)
{
    for (const char *at = help; *at != '\0'; at++) {
        if (*at == '\'')
            qn_text_puts(text, "'\\''");
        else if (*at == '[' || *at == ']' || *at == ':' || *at == '\\')
            qn_text_printf(text, "\\%c", *at);
        else
            qn_text_put(text, at, 1);
    }
}

static void put_zsh_value(qn_text *text, const qn_option *option)
{
    if (option->kind == QN_OPTION_CHOICE) {
        qn_text_printf(text, ":%s:(", option->name);
        put_choices(text, option->choices);
        qn_text_puts(text, ")");
    } else if (option->kind != QN_OPTION_FLAG) {
        qn_text_puts(text, ":");
        put_zsh_help(text, qn_help_argument(option));
        qn_text_puts(text, option->kind == QN_OPTION_TEXT || option->kind == QN_OPTION_LIST
                               ? ":_files"
                               : ":");
    }
}

static void put_zsh_option(qn_text *text, const qn_command *command, const qn_option *option)
{
    (void)command;
    const char *many = option->kind == QN_OPTION_LIST ? "*" : "";
    const char *value = option->kind == QN_OPTION_FLAG ? "" : "=";
    qn_text_printf(text, "        '%s--%s%s[", many, option->name, value);
    put_zsh_help(text, option->help);
    qn_text_puts(text, "]");
    put_zsh_value(text, option);
    qn_text_puts(text, "' \\\n");
    if (option->letter == 0)
        return;
    qn_text_printf(text, "        '%s-%c%s[", many, option->letter, *value != '\0' ? "+" : "");
    put_zsh_help(text, option->help);
    qn_text_puts(text, "]");
    put_zsh_value(text, option);
    qn_text_puts(text, "' \\\n");
}

static void put_zsh(qn_text *text, const qn_command *const *commands)
{
    qn_text_puts(text, "#compdef quern\n"
                       "# zsh completion of quern: save this as _quern in a folder of $fpath.\n"
                       "_quern() {\n"
                       "  local -a commands\n"
                       "  commands=(\n");
    for (size_t i = 0; commands[i] != NULL; i++) {
        qn_text_printf(text, "    '%s:", commands[i]->name);
        put_zsh_help(text, commands[i]->summary);
        qn_text_puts(text, "'\n");
    }
    qn_text_puts(text, "    'help:help of a command'\n"
                       "  )\n"
                       "  if (( CURRENT == 2 )); then\n"
                       "    _describe command commands\n"
                       "    return\n"
                       "  fi\n"
                       "  local command=$words[2]\n"
                       "  shift words\n"
                       "  (( CURRENT-- ))\n"
                       "  case $command in\n");
    for (size_t i = 0; commands[i] != NULL; i++) {
        qn_text_printf(text, "    %s)\n      _arguments -s \\\n", commands[i]->name);
        each_option(text, commands[i], put_zsh_option);
        qn_text_puts(text, "        '*:file:_files'\n      ;;\n");
    }
    qn_text_puts(text, "    help) _describe command commands ;;\n"
                       "  esac\n"
                       "}\n"
                       "_quern \"$@\"\n");
}

/* ---- fish ---- */

/* A string inside '...'. */
static void put_fish_quoted(qn_text *text, const char *string)
{
    for (const char *at = string; *at != '\0'; at++) {
        if (*at == '\'' || *at == '\\')
            qn_text_puts(text, "\\");
        qn_text_put(text, at, 1);
    }
}

static void put_fish_option(qn_text *text, const qn_command *command, const qn_option *option)
{
    qn_text_printf(text, "complete -c quern -n '__fish_seen_subcommand_from %s' -l %s",
                   command->name, option->name);
    if (option->letter != 0)
        qn_text_printf(text, " -s %c", option->letter);
    if (option->kind == QN_OPTION_CHOICE) {
        qn_text_puts(text, " -x -a '");
        put_choices(text, option->choices);
        qn_text_puts(text, "'");
    } else if (option->kind == QN_OPTION_TEXT || option->kind == QN_OPTION_LIST) {
        qn_text_puts(text, " -r");
    } else if (option->kind != QN_OPTION_FLAG) {
        qn_text_puts(text, " -x");
    }
    qn_text_puts(text, " -d '");
    put_fish_quoted(text, option->help);
    qn_text_puts(text, "'\n");
}

static void put_fish(qn_text *text, const qn_command *const *commands)
{
    qn_text_puts(text,
                 "# fish completion of quern: save as ~/.config/fish/completions/quern.fish\n");
    for (size_t i = 0; commands[i] != NULL; i++) {
        qn_text_printf(text, "complete -c quern -f -n __fish_use_subcommand -a %s -d '",
                       commands[i]->name);
        put_fish_quoted(text, commands[i]->summary);
        qn_text_puts(text, "'\n");
    }
    for (size_t i = 0; commands[i] != NULL; i++)
        each_option(text, commands[i], put_fish_option);
}

bool qn_manual_completions(qn_text *text, const qn_command *const *commands, const char *shell)
{
    if (strcmp(shell, "bash") == 0)
        put_bash(text, commands);
    else if (strcmp(shell, "zsh") == 0)
        put_zsh(text, commands);
    else if (strcmp(shell, "fish") == 0)
        put_fish(text, commands);
    else
        return false;
    return true;
}
