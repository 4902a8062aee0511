/* The line of progress. */
#include "engine/cli/progress.h"

#include <criterion/criterion.h>

typedef struct line_case {
    const char *phase, *label, *unit;
    uint64_t done, total;
    double seconds;
    const char *line;
} line_case;

Test(progress, lines)
{
    static const line_case CASES[] = {
        {"reading", "a.jsonl", NULL, 50000000, 200000000, 4,
         "reading a.jsonl  50.0 of 200.0 MB  25 %  12.5 MB/s  12 s left"},
        {"reading", "standard input", NULL, 50000000, 0, 4,
         "reading standard input  50.0 MB  12.5 MB/s"},
        {"merging", NULL, NULL, 0, 1000000, 0, "merging  0.0 of 1.0 MB  0 %  0.0 MB/s"},
        {"merging", NULL, NULL, 1000000, 1000000, 10, "merging  1.0 of 1.0 MB  100 %  0.1 MB/s"},
        {"reading", NULL, NULL, 3000000, 1000000, 1,
         "reading  3.0 MB  3.0 MB/s"}, /* the file grew */
        {"measuring", NULL, "queries", 120, 480, 2,
         "measuring  120 of 480 queries  25 %  60/s  6 s left"},
        {"measuring", "all", "queries", 7, 0, 0, "measuring all  7 queries  0/s"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const line_case *c = &CASES[i];
        char room[200];
        qn_progress_line(room, sizeof room, c->phase, c->label, c->unit, c->done, c->total,
                         c->seconds);
        cr_assert_str_eq(room, c->line);
    }
    char small[10];
    qn_progress_line(small, sizeof small, "reading", NULL, NULL, 1, 2, 1);
    cr_assert_str_eq(small, "reading  ");
}

Test(progress, quiet_goes_on)
{
    qn_progress progress;
    qn_progress_init(&progress, true);
    cr_assert(qn_progress_step(&progress, "reading", 1, 2));
    qn_progress_free(&progress);
}
