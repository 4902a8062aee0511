/* What the commands that search have in common before they do: the index, and the evaluator that
 * was asked for. */
#ifndef QN_CLI_SETUP_H
#define QN_CLI_SETUP_H

#include "engine/cli/cli.h"

/* Opens `first`, and all of `also` behind it, as one index. */
quern_status qn_setup_open(quern_index **index, const char *first, const qn_text_list *also,
                           const quern_open_options *options, quern_error *error);

/* The evaluator named by name[0..len), as a string that is valid forever; NULL after complaining of
 * wrong usage if there is none. */
const char *qn_setup_evaluator(const qn_command *command, const char *name, size_t len);

#endif
