/* Telling prose from queries: see prose.h. ASCII is all it looks at. */
#include "query/prose.h"

#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool qn_prose_is(quern_span text)
{
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '"')
            quoted = !quoted;
        bool ends = i + 1 == text.len || is_space(text.data[i + 1]);
        if (!quoted && ends && c != 0 && strchr(".,;:?!", c) != NULL)
            return true;
    }
    return false;
}

bool qn_prose_has_operators(quern_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool fresh = i == 0 || is_space(text.data[i - 1]);
        bool word = i + 1 < text.len && !is_space(text.data[i + 1]);
        if (c == '"' || ((c == '+' || c == '-') && fresh && word))
            return true;
    }
    return false;
}
