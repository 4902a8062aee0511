/* Opening indexes and naming evaluators. */
#include "engine/cli/setup.h"

#include "index/base/status.h"

#include <stdio.h>
#include <string.h>

quern_status qn_setup_open(quern_index **index, const char *first, const qn_text_list *also,
                           const quern_open_options *options, quern_error *error)
{
    if (also->n == 0)
        return quern_index_open(index, first, options, error);
    qn_text_list paths = {0};
    void *items = NULL;
    if (!qn_array_grow(&items, &paths.cap, also->n + 1, sizeof *paths.items))
        return qn_fail_memory(error);
    paths.items = items;
    paths.items[paths.n++] = first;
    for (size_t i = 0; i < also->n; i++)
        paths.items[paths.n++] = also->items[i];
    quern_status status = quern_index_open_many(index, paths.items, paths.n, options, error);
    qn_text_list_free(&paths);
    return status;
}

const char *qn_setup_evaluator(const qn_command *command, const char *name, size_t len)
{
    static const char AUTO[] = "auto";
    char list[200] = "auto";
    if (len == strlen(AUTO) && memcmp(name, AUTO, len) == 0)
        return AUTO;
    for (const char *const *known = quern_evaluators(); *known != NULL; known++) {
        if (strlen(*known) == len && memcmp(*known, name, len) == 0)
            return *known;
        size_t used = strlen(list);
        if (strcmp(*known, AUTO) != 0)
            (void)snprintf(list + used, sizeof list - used, ", %s", *known);
    }
    (void)qn_wrong_usage(command, "there is no evaluator '%.*s'; there are %s",
                         (int)(len < 80 ? len : 80), name, list);
    return NULL;
}
