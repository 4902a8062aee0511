/* Parsing command lines: every kind of option, every spelling, and what is said of mistakes. */
#include "engine/cli/options.h"

#include <criterion/criterion.h>
#include <string.h>

typedef struct values {
    qn_common common;
    bool flag, other;
    const char *text;
    int choice;
    uint64_t count, size;
    double real;
    qn_text_list list;
} values;

static const qn_option OPTIONS[] = {
    {.name = "flag", .letter = 'f', .kind = QN_OPTION_FLAG, .offset = offsetof(values, flag)},
    {.name = "other", .letter = 'o', .kind = QN_OPTION_FLAG, .offset = offsetof(values, other)},
    {.name = "text", .letter = 't', .kind = QN_OPTION_TEXT, .offset = offsetof(values, text)},
    {.name = "choice",
     .letter = 'c',
     .kind = QN_OPTION_CHOICE,
     .offset = offsetof(values, choice),
     .choices = "one|two|three"},
    {.name = "count",
     .letter = 'k',
     .kind = QN_OPTION_COUNT,
     .offset = offsetof(values, count),
     .min = 1,
     .max = 1000000},
    {.name = "memory",
     .letter = 'm',
     .kind = QN_OPTION_SIZE,
     .offset = offsetof(values, size),
     .min = 1024,
     .max = 1024.0 * 1024 * 1024 * 1024},
    {.name = "b", .kind = QN_OPTION_REAL, .offset = offsetof(values, real), .min = 0, .max = 1},
    {.name = "list", .letter = 'l', .kind = QN_OPTION_LIST, .offset = offsetof(values, list)},
};
static const qn_command COMMAND = {
    .name = "try", .options = OPTIONS, .n_options = sizeof OPTIONS / sizeof *OPTIONS};

/* A parsed line: up to 11 words separated by spaces ("" stands for an empty word). */
typedef struct parsed {
    values v;
    char words[256];
    char *argv[12];
    int n;
    bool valid;
    char message[QN_MESSAGE];
} parsed;

static void parse(parsed *p, const char *line)
{
    static char name[] = "try";
    memset(p, 0, sizeof *p);
    strcpy(p->words, line);
    p->argv[0] = name;
    int argc = 1;
    for (char *word = strtok(p->words, " "); word != NULL; word = strtok(NULL, " "))
        p->argv[argc++] = strcmp(word, "\"\"") == 0 ? word + 2 : word;
    p->valid = qn_options_parse(&COMMAND, &p->v, argc, p->argv, &p->n, p->message);
}

Test(options, spellings)
{
    static const char *const LINES[] = {"--count 10", "--count=10",  "-k 10",        "-k10",
                                        "-fk10",      "-fk 10",      "x -k 10 y",    "-k 3 -k10",
                                        "-k 010",     "--count=010", "-f --count 10"};
    for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++) {
        parsed p;
        parse(&p, LINES[i]);
        cr_assert(p.valid, "%s: %s", LINES[i], p.message);
        cr_assert_eq(p.v.count, 10, "%s", LINES[i]);
    }
}

Test(options, operands_in_any_order)
{
    parsed p;
    parse(&p, "a -f b --text x c - -- -k --flag --");
    cr_assert(p.valid, "%s", p.message);
    static const char *const OPERANDS[] = {"a", "b", "c", "-", "-k", "--flag", "--"};
    cr_assert_eq(p.n, 7);
    for (int i = 0; i < 7; i++)
        cr_assert_str_eq(p.argv[i], OPERANDS[i]);
    cr_assert(p.v.flag && !p.v.other);
    cr_assert_str_eq(p.v.text, "x");
}

Test(options, flags_together)
{
    parsed p;
    parse(&p, "-fo");
    cr_assert(p.valid && p.v.flag && p.v.other);
    parse(&p, "-ftof");
    cr_assert(p.valid && p.v.flag && !p.v.other);
    cr_assert_str_eq(p.v.text, "of");
}

Test(options, values_that_look_like_options)
{
    parsed p;
    parse(&p, "--text --flag");
    cr_assert(p.valid && !p.v.flag);
    cr_assert_str_eq(p.v.text, "--flag");
    parse(&p, "--text= x");
    cr_assert(p.valid);
    cr_assert_str_eq(p.v.text, "");
    parse(&p, "--text=a=b");
    cr_assert_str_eq(p.v.text, "a=b");
}

Test(options, list_keeps_order)
{
    parsed p;
    parse(&p, "-l a --list=b -lc");
    cr_assert(p.valid);
    cr_assert_eq(p.v.list.n, 3);
    cr_assert_str_eq(p.v.list.items[0], "a");
    cr_assert_str_eq(p.v.list.items[2], "c");
    qn_text_list_free(&p.v.list);
    cr_assert_eq(p.v.list.n, 0);
}

Test(options, choices_and_common)
{
    parsed p;
    parse(&p, "-c three --color never -h");
    cr_assert(p.valid);
    cr_assert_eq(p.v.choice, 2);
    cr_assert_eq(p.v.common.color, 2);
    cr_assert(p.v.common.help);
    cr_assert_eq(qn_choice_index("a|bc|d", "bc", 2), 1);
    cr_assert_eq(qn_choice_index("a|bc|d", "b", 1), -1);
    cr_assert_eq(qn_choice_index("a|bc|d", "a|bc", 4), -1);
}

typedef struct mistake {
    const char *line, *message;
} mistake;

Test(options, mistakes)
{
    static const mistake MISTAKES[] = {
        {"--memry 1M", "unknown option --memry; did you mean --memory?"},
        {"--mem 1M", "unknown option --mem; did you mean --memory?"},
        {"--hlep", "unknown option --hlep; did you mean --help?"},
        {"--colour=never", "unknown option --colour; did you mean --color?"},
        {"--zzzzzz", "unknown option --zzzzzz"},
        {"-x", "unknown option -x in '-x' (after --, words may begin with -)"},
        {"-fx", "unknown option -x in '-fx' (after --, words may begin with -)"},
        {"--flag=1", "--flag takes no value"},
        {"--count", "--count needs a value"},
        {"-k", "-k needs a value"},
        {"-k ten", "-k must be a whole number from 1 to 1000000, not 'ten'"},
        {"-k 0", "-k must be a whole number from 1 to 1000000, not '0'"},
        {"-k -1", "-k must be a whole number from 1 to 1000000, not '-1'"},
        {"-k \"\"", "-k must be a whole number from 1 to 1000000, not ''"},
        {"-k 1000001", "-k must be a whole number from 1 to 1000000, not '1000001'"},
        {"-k 18446744073709551617",
         "-k must be a whole number from 1 to 1000000, not '18446744073709551617'"},
        {"-k 1.5", "-k must be a whole number from 1 to 1000000, not '1.5'"},
        {"--b 1.5", "--b must be a number from 0 to 1, not '1.5'"},
        {"--b nan", "--b must be a number from 0 to 1, not 'nan'"},
        {"--b 0x1", "--b must be a number from 0 to 1, not '0x1'"},
        {"--b .4.", "--b must be a number from 0 to 1, not '.4.'"},
        {"-m 1", "-m must be a size from 1K to 1T, such as 64M or 1G, not '1'"},
        {"-m 64X", "-m must be a size from 1K to 1T, such as 64M or 1G, not '64X'"},
        {"--choice four", "--choice must be one of one, two, three, not 'four'"},
        {"--choice \"\"", "--choice must be one of one, two, three, not ''"},
    };
    for (size_t i = 0; i < sizeof MISTAKES / sizeof *MISTAKES; i++) {
        parsed p;
        parse(&p, MISTAKES[i].line);
        cr_assert(!p.valid, "%s", MISTAKES[i].line);
        cr_assert_str_eq(p.message, MISTAKES[i].message);
    }
}

typedef struct size_case {
    const char *text;
    uint64_t bytes; /* UINT64_MAX: refused */
} size_case;

Test(options, sizes)
{
    static const size_case CASES[] = {
        {"0", 0},
        {"65536", 65536},
        {"64K", 64 << 10},
        {"64k", 64 << 10},
        {"1M", 1 << 20},
        {"1MiB", 1 << 20},
        {"1MB", 1 << 20},
        {"100b", 100},
        {"1.5G", 3ull << 29},
        {"1G", 1ull << 30},
        {"2T", 2ull << 40},
        {"", UINT64_MAX},
        {"K", UINT64_MAX},
        {"1Q", UINT64_MAX},
        {"1 M", UINT64_MAX},
        {"1.2.3", UINT64_MAX},
        {"1MM", UINT64_MAX},
        {"-1", UINT64_MAX},
        {"0.3", UINT64_MAX},
        {"99999999999T", UINT64_MAX},
        {"111111111111111111111", UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        uint64_t bytes = UINT64_MAX;
        bool valid = qn_parse_size(CASES[i].text, &bytes);
        cr_assert_eq(valid, CASES[i].bytes != UINT64_MAX, "'%s'", CASES[i].text);
        cr_assert_eq(bytes, CASES[i].bytes, "'%s'", CASES[i].text);
    }
}

Test(options, nearest_names)
{
    static const char *const NAMES[] = {"index", "search", "stats", "verify", "eval", "P"};
    enum { N = sizeof NAMES / sizeof *NAMES };
    static const char *const PAIRS[][2] = {
        {"serach", "search"}, {"idnex", "index"}, {"stat", "stats"}, {"sea", "search"},
        {"evaluate", NULL},   {"xyzzy", NULL},    {"x", NULL},       {"verfy", "verify"}};
    for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++) {
        const char *near = qn_nearest_name(PAIRS[i][0], NAMES, N, sizeof *NAMES);
        if (PAIRS[i][1] == NULL)
            cr_assert_null(near, "%s", PAIRS[i][0]);
        else
            cr_assert(near != NULL && strcmp(near, PAIRS[i][1]) == 0, "%s", PAIRS[i][0]);
    }
    /* Names far too long to compare are no match, and no overflow. */
    char longer[400];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    cr_assert_null(qn_nearest_name(longer, NAMES, N, sizeof *NAMES));
}
