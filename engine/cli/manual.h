/* The manual page and the completions of shells, from the same tables as the help. */
#ifndef QN_CLI_MANUAL_H
#define QN_CLI_MANUAL_H

#include "engine/cli/options.h"
#include "engine/cli/output.h"

/* quern(1) in man(7) macros. */
void qn_manual_page(qn_text *text, const qn_command *const *commands);

/* The names of the shells, for messages. */
#define QN_SHELLS "bash|zsh|fish"

/* A script of completions for one of QN_SHELLS; false for another shell. */
bool qn_manual_completions(qn_text *text, const qn_command *const *commands, const char *shell);

#endif
