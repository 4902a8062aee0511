/* The command line of bench/duel. */
#include "bench/rivals/duel_options.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char USAGE[] =
    "usage: bench/duel [OPTION...] -e NAME=COMMAND... [SHAPE=]FILE...\n"
    "\n"
    "  -e, --engine NAME=COMMAND  an engine: COMMAND, run by /bin/sh, answers lines\n"
    "                        COMMAND<TAB>QUERY with a line each; the others are compared with the\n"
    "                        first (up to 16)\n"
    "  -k LIST               ask for the k best documents, for each k of a list (default 10,1000)\n"
    "      --commands LIST   what is timed: TOP, COUNT, TOP_COUNT (default TOP,COUNT)\n"
    "      --rounds N        measured rounds (default 7; 0: none)\n"
    "      --warmup N        rounds before that are not measured (default 3: what compiles as it\n"
    "                        runs, such as Java, needs them)\n"
    "      --cold N          start each engine N times more, for the time to its first answer\n"
    "      --only-cold       nothing else, so that what no engine has read yet stays unread\n"
    "      --sample N        so many queries of each file, evenly spread (default: all)\n"
    "      --agree SHARE     counts must be equal for this share of a shape's queries (default "
    "0.9)\n"
    "      --timeout S       an engine that does not answer within S seconds is left out (default "
    "60)\n"
    "      --json            print JSON, an object a line\n"
    "  -h, --help            this text\n"
    "\n"
    "FILE holds lines qid<TAB>text. Its shape is SHAPE, or the end of its name if that is one of\n"
    "term, union, intersection, phrase, negated and mixed (sbg-union.tsv), or else its name.\n"
    "\n"
    "First all answers to COUNT and RUN_10 are compared: shares of equal counts and of counts\n"
    "within 1 %, the part of the ten best that is the same, and the share of queries whose ten\n"
    "scores are equal within 1e-5, where both engines show scores. Where counts or scores are "
    "equal\n"
    "for too few queries the row is marked, a query that shows it is named, and the exit code is "
    "1;\n"
    "so it is where an engine fails. A time is that from writing a query to having its answer, on\n"
    "one thread of the engine; what a line costs that asks for nothing is in the table NOTHING.\n"
    "Figures are medians of rounds; the ratio is that of mean times to the first engine's, with "
    "an\n"
    "interval that holds it with the probability behind it (see bench/report/stats.h).\n";

enum { ROUNDS_MAX = 1000 };

static _Noreturn void wrong(const char *what, const char *value)
{
    (void)fprintf(stderr, "duel: %s%s\nSee 'bench/duel --help'.\n", what, value);
    exit(2);
}

static void add_engine(duel *d, char *text)
{
    char *equals = strchr(text, '=');
    if (equals == NULL || equals[1] == '\0')
        wrong("an engine is NAME=COMMAND, not ", text);
    *equals = '\0';
    if (!duel_is_label(text))
        wrong("the name of an engine is 1 to 64 letters, digits and _ . -, not ", text);
    for (size_t e = 0; e < d->n_engines; e++)
        if (strcmp(d->engine[e].name, text) == 0)
            wrong("two engines are called ", text);
    if (d->n_engines == ENGINES_MAX)
        wrong("there are more than 16 engines: ", text);
    d->engine[d->n_engines++] = (duel_engine){.name = text, .command = equals + 1};
}

static double number(const char *text, double least, double most, bool whole, const char *name)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= least && value <= most) ||
        (whole && value != floor(value)))
        wrong(name, text);
    return value;
}

static void add_command(duel *d, const char *name)
{
    if (d->n_commands == COMMANDS_MAX)
        wrong("there are more than 32 commands: ", name);
    (void)snprintf(d->command[d->n_commands++], NAME_ROOM, "%s", name);
}

/* TOP and TOP_COUNT stand for one command for each k. */
static void add_commands(duel *d, char *commands, const char *ks)
{
    char *save, *save_k, name[NAME_ROOM];
    for (char *c = strtok_r(commands, ",", &save); c != NULL; c = strtok_r(NULL, ",", &save)) {
        bool counted = strcmp(c, "TOP_COUNT") == 0;
        if (strcmp(c, "COUNT") == 0) {
            add_command(d, c);
            continue;
        }
        if (!counted && strcmp(c, "TOP") != 0)
            wrong("unknown command: ", c);
        char list[256];
        if ((size_t)snprintf(list, sizeof list, "%s", ks) >= sizeof list)
            wrong("the list of k is too long: ", ks);
        for (char *k = strtok_r(list, ",", &save_k); k != NULL; k = strtok_r(NULL, ",", &save_k)) {
            (void)snprintf(name, sizeof name, "TOP_%.0f%s",
                           number(k, 1, 1e6, true, "k is 1 to 1000000, not "),
                           counted ? "_COUNT" : "");
            add_command(d, name);
        }
    }
    if (d->n_commands == 0)
        wrong("no command is asked for", "");
}

static const struct option OPTIONS[] = {
    {"engine", required_argument, NULL, 'e'},  {"commands", required_argument, NULL, 'c'},
    {"rounds", required_argument, NULL, 'r'},  {"warmup", required_argument, NULL, 'w'},
    {"cold", required_argument, NULL, 'o'},    {"only-cold", no_argument, NULL, 'O'},
    {"sample", required_argument, NULL, 's'},  {"agree", required_argument, NULL, 'a'},
    {"timeout", required_argument, NULL, 't'}, {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};

static size_t count_of(const char *text, double most, const char *name)
{
    return (size_t)number(text, 0, most, true, name);
}

static void take_letters(duel *d, int argc, char **argv)
{
    char all[] = "TOP,COUNT", *commands = all;
    const char *ks = "10,1000";
    int letter;
    opterr = 0; /* told in our words */
    while ((letter = getopt_long(argc, argv, "e:k:h", OPTIONS, NULL)) != -1) {
        switch (letter) {
        case 'e':
            add_engine(d, optarg);
            break;
        case 'k':
            ks = optarg;
            break;
        case 'c':
            commands = optarg;
            break;
        case 'r':
            d->rounds = count_of(optarg, ROUNDS_MAX, "--rounds is 0 to 1000, not ");
            break;
        case 'w':
            d->warmup = count_of(optarg, ROUNDS_MAX, "--warmup is 0 to 1000, not ");
            break;
        case 'o':
            d->cold = count_of(optarg, ROUNDS_MAX, "--cold is 0 to 1000, not ");
            break;
        case 'O':
            d->only_cold = true;
            break;
        case 's':
            d->sample = count_of(optarg, 1e9, "--sample is a whole number, not ");
            break;
        case 'a':
            d->agree = number(optarg, 0, 1, false, "--agree is 0 to 1, not ");
            break;
        case 't':
            d->limit = number(optarg, 0.01, 86400, false, "--timeout is 0.01 to 86400, not ");
            break;
        case 'j':
            d->json = true;
            break;
        case 'h':
            (void)fputs(USAGE, stdout);
            exit(fflush(stdout) == 0 ? 0 : 4);
        default:
            wrong("unknown option, or one without its value: ", argv[optind - 1]);
        }
    }
    add_commands(d, commands, ks);
}

static void take_files(duel *d, int n, char **files)
{
    if (d->n_engines == 0 || n < 1 || n > SHAPES_MAX)
        wrong("an engine and 1 to 32 files of queries are needed", "");
    for (; d->n_shapes < (size_t)n; d->n_shapes++)
        duel_queries_read(&d->queries[d->n_shapes], files[d->n_shapes], d->sample);
}

void duel_options_take(duel *d, int argc, char **argv)
{
    d->rounds = 7;
    d->warmup = 3;
    d->agree = 0.9;
    d->limit = 60;
    take_letters(d, argc, argv);
    take_files(d, argc - optind, argv + optind);
    for (size_t e = 0; e < d->n_engines; e++)
        d->engine[e].limit = d->limit;
}

void duel_options_free(duel *d)
{
    for (size_t e = 0; e < d->n_engines; e++) {
        duel_free(&d->engine[e]);
        duel_times_free(&d->ping[e]);
        for (size_t s = 0; s < d->n_shapes; s++)
            for (size_t c = 0; c < d->n_commands; c++)
                duel_times_free(&d->times[e][s][c]);
    }
    for (size_t s = 0; s < d->n_shapes; s++)
        duel_queries_free(&d->queries[s]);
}
