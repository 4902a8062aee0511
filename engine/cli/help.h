/* Help for people: the overview and the page of a command, from the tables of options. */
#ifndef QN_CLI_HELP_H
#define QN_CLI_HELP_H

#include "engine/cli/options.h"
#include "engine/cli/output.h"

/* What `quern` alone prints. */
void qn_help_overview(qn_text *text, const qn_command *const *commands);

/* What `quern COMMAND --help` prints. */
void qn_help_command(qn_text *text, const qn_command *command);

/* How an option is written in help: "-k, --k N" or "--json"; cut to `size` bytes. */
void qn_help_option(char *room, size_t size, const qn_option *option);

/* What its value is called: FILE, or auto|always|never; "" for a flag. */
const char *qn_help_argument(const qn_option *option);

#endif
