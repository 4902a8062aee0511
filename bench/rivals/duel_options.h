/* What bench/duel is asked to do, and what it finds out. */
#ifndef BENCH_DUEL_OPTIONS_H
#define BENCH_DUEL_OPTIONS_H

#include "bench/rivals/duel_answers.h"
#include "bench/rivals/duel_queries.h"
#include "bench/rivals/duel_times.h"

enum { ENGINES_MAX = 16, SHAPES_MAX = 32, COMMANDS_MAX = 32, NAME_ROOM = 32 };

typedef struct duel {
    duel_engine engine[ENGINES_MAX];
    size_t n_engines;
    duel_queries queries[SHAPES_MAX];
    duel_agreement agreement[ENGINES_MAX][SHAPES_MAX];
    size_t n_shapes;
    char command[COMMANDS_MAX][NAME_ROOM];
    size_t n_commands;
    size_t rounds, warmup, cold, sample;
    double agree, limit;
    bool json, differs, only_cold;
    duel_times times[ENGINES_MAX][SHAPES_MAX][COMMANDS_MAX];
    duel_times ping[ENGINES_MAX];
} duel;

/* Takes the options and reads the files of queries into `d`, which is all zero; help and wrong
 * usage end the program. */
void duel_options_take(duel *d, int argc, char **argv);
void duel_options_free(duel *d);

#endif
