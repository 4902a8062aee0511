/* The options that commands over an index share, for their tables: where in a command's struct the
 * value goes is the argument. */
#ifndef QN_CLI_INDEX_OPTIONS_H
#define QN_CLI_INDEX_OPTIONS_H

#include "engine/cli/options.h"

#define QN_OPTION_ALSO(place)                                                                      \
    {                                                                                              \
        .name = "also", .letter = 'a', .kind = QN_OPTION_LIST, .offset = (place),                  \
        .argument = "INDEX", .help = "Search this index too, as if all were one (may be repeated)" \
    }

#define QN_OPTION_BM25(parameter, most, place, text)                                               \
    {                                                                                              \
        .name = (parameter), .kind = QN_OPTION_REAL, .offset = (place), .argument = "X", .min = 0, \
        .max = (most), .help = (text)                                                              \
    }

#define QN_OPTION_FIELDS(place)                                                                    \
    {                                                                                              \
        .name = "fields", .kind = QN_OPTION_TEXT, .offset = (place), .argument = "LIST",           \
        .help = "Of an index of several fields: look for words that name no field in these, with " \
                "these weights: title^3,text (default: in all, weighed as when it was built)"      \
    }

#define QN_OPTION_OUTPUT(place)                                                                    \
    {                                                                                              \
        .name = "output", .letter = 'o', .kind = QN_OPTION_TEXT, .offset = (place),                \
        .argument = "INDEX", .help = "The directory to make"                                       \
    }

#define QN_OPTION_FORCE(place)                                                                     \
    {                                                                                              \
        .name = "force", .kind = QN_OPTION_FLAG, .offset = (place),                                \
        .help = "Replace an index that is there, at once and only when the new one is complete"    \
    }

#define QN_OPTION_THREADS(place)                                                                   \
    {                                                                                              \
        .name = "threads", .letter = 'T', .kind = QN_OPTION_COUNT, .offset = (place),              \
        .argument = "N", .min = 1, .max = 1024,                                                    \
        .help = "Threads (default: one per processor); the index does not depend on it"            \
    }

#define QN_OPTION_MEMORY(place, text)                                                              \
    {                                                                                              \
        .name = "memory", .letter = 'm', .kind = QN_OPTION_SIZE, .offset = (place),                \
        .argument = "SIZE", .min = 32.0 * 1024 * 1024, .max = 1024.0 * 1024 * 1024 * 1024 * 1024,  \
        .help = (text)                                                                             \
    }

#define QN_OPTION_REPORT(place)                                                                    \
    {                                                                                              \
        .name = "json", .kind = QN_OPTION_FLAG, .offset = (place),                                 \
        .help = "Print a JSON object about the work as the last line"                              \
    }

#define QN_OPTION_ANY_ANALYZER(place)                                                              \
    {                                                                                              \
        .name = "any-analyzer", .kind = QN_OPTION_FLAG, .offset = (place),                         \
        .help = "Open an index that was built with a stemmer that behaves differently"             \
    }

#define QN_OPTION_PARANOID(place)                                                                  \
    {                                                                                              \
        .name = "paranoid", .kind = QN_OPTION_FLAG, .offset = (place),                             \
        .help = "Check every page of the index when it is first used"                              \
    }

#define QN_OPTION_NO_MMAP(place)                                                                   \
    {                                                                                              \
        .name = "no-mmap", .kind = QN_OPTION_FLAG, .offset = (place),                              \
        .help = "Read the index into memory instead of mapping its files"                          \
    }

#endif
