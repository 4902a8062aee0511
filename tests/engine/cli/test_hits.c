/* Snippets on paper and on a terminal. (The formats are tested with the program, in tests/cli.) */
#include "engine/cli/hits.h"

#include <criterion/criterion.h>

static void check(const quern_snippet *snippet, bool colour, const char *expected)
{
    qn_text text = {.colour = colour};
    qn_snippet_put(&text, snippet);
    qn_text_put(&text, "", 1);
    cr_assert_str_eq((char *)text.bytes.data, expected);
    qn_text_free(&text);
}

Test(hits, snippets)
{
    static const quern_mark MARKS[] = {{2, 6}, {12, 17}};
    quern_snippet snippet = {
        .text = QUERN_STR("a wing of a plane"), .mark = MARKS, .n_marks = 2, .starts_inside = true};
    check(&snippet, false, "...a *wing* of a *plane*");
    snippet.starts_inside = false;
    snippet.ends_inside = true;
    check(&snippet, true, "a \x1b[1;33mwing\x1b[0m of a \x1b[1;33mplane\x1b[0m...");
    snippet.n_marks = 0;
    snippet.ends_inside = false;
    snippet.text = QUERN_STR("escape \x1b[2J\x07");
    check(&snippet, true, "escape  [2J ");
}

/* Marks that make no sense are left out. */
Test(hits, odd_marks)
{
    static const quern_mark MARKS[] = {{3, 1}, {0, 2}, {1, 3}, {2, 99}};
    quern_snippet snippet = {.text = QUERN_STR("words"), .mark = MARKS, .n_marks = 4};
    check(&snippet, false, "*wo*rds");
    check(&(quern_snippet){0}, false, "");
}
