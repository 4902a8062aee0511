/*
 * The options of a command, as one table of records. The table feeds the parser here, --help
 * (help.c), the man page and the completions of the shells (manual.c), so none can drift from the
 * others.
 *
 * Grammar: --name value, --name=value, -x value, -xvalue, flags together (-qv), options and
 * operands in any order, -- ends the options, - alone is an operand.
 */
#ifndef QN_CLI_OPTIONS_H
#define QN_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum qn_option_kind {
    QN_OPTION_FLAG,   /* bool: set to true; takes no value */
    QN_OPTION_TEXT,   /* const char *: points into argv */
    QN_OPTION_CHOICE, /* int: index into `choices`, a list separated by | */
    QN_OPTION_COUNT,  /* uint64_t in min..max */
    QN_OPTION_SIZE,   /* uint64_t bytes in min..max, written 65536, 64K, 1.5G, 2GiB */
    QN_OPTION_REAL,   /* double in min..max */
    QN_OPTION_LIST    /* qn_text_list: may be given many times */
} qn_option_kind;

/* What QN_OPTION_LIST fills: the values, in order. `items` belongs to the options struct and is
 * freed by qn_text_list_free. */
typedef struct qn_text_list {
    const char **items;
    size_t n, cap;
} qn_text_list;

void qn_text_list_free(qn_text_list *list);

/* One option. `offset` is that of its field in the command's struct of options. */
typedef struct qn_option {
    const char *name; /* long name, without the dashes */
    char letter;      /* short name, or 0 */
    qn_option_kind kind;
    size_t offset;
    const char *argument; /* how help calls the value; NULL: the choices */
    const char *choices;  /* QN_OPTION_CHOICE */
    double min, max;      /* COUNT, SIZE and REAL; at most 2^53, so that a double is exact */
    const char *help;     /* without a full stop */
} qn_option;

/* First member of every command's struct of options. */
typedef struct qn_common {
    bool help;
    int color; /* 0 auto, 1 always, 2 never */
} qn_common;

/* The options that every command has (offsets into qn_common). */
#define QN_COMMON_OPTIONS 2
extern const qn_option qn_common_options[QN_COMMON_OPTIONS];

/* A subcommand. */
typedef struct qn_command {
    const char *name;
    const char *summary;     /* one line, lower case, without a full stop */
    const char *synopsis;    /* what follows the name: "-o INDEX [options] FILE... | -" */
    const char *description; /* paragraphs separated by an empty line */
    const char *examples;    /* one per line, each followed by a line "#explanation" */
    const qn_option *options;
    size_t n_options;
    /* Parses its arguments (argv[0] is the name) and does it; returns the exit code. */
    int (*run)(const struct qn_command *command, int argc, char **argv);
} qn_command;

/* Room for what is wrong with a command line. */
#define QN_MESSAGE 320

/*
 * Parses argv[1..argc) into `values`, the command's struct, whose defaults the caller has set.
 * Operands are moved to argv[0..*n_operands). False on a mistake, with a sentence in `message`.
 */
bool qn_options_parse(const qn_command *command, void *values, int argc, char **argv,
                      int *n_operands, char message[QN_MESSAGE]);

/* Of `n` names (`stride` bytes apart, each starting with a const char *), the one that `word` was
 * most probably meant to be, or NULL: an unfinished name, or one within a few edits. */
const char *qn_nearest_name(const char *word, const void *names, size_t n, size_t stride);

/* Parses a size such as 65536, 64K, 1.5G, 2GiB (powers of 1024). */
bool qn_parse_size(const char *text, uint64_t *bytes);

/* The position of `word` in a list separated by |, or -1. */
int qn_choice_index(const char *choices, const char *word, size_t len);

#endif
