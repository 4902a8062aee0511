/* Parsing command lines by the table of a command's options. */
#include "engine/cli/options.h"

#include "index/base/buffer.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const qn_option qn_common_options[QN_COMMON_OPTIONS] = {
    {.name = "color",
     .kind = QN_OPTION_CHOICE,
     .offset = offsetof(qn_common, color),
     .choices = "auto|always|never",
     .help = "Use colour: auto means on a terminal, unless NO_COLOR is set"},
    {.name = "help",
     .letter = 'h',
     .kind = QN_OPTION_FLAG,
     .offset = offsetof(qn_common, help),
     .help = "Show this help"},
};

void qn_text_list_free(qn_text_list *list)
{
    free(list->items);
    *list = (qn_text_list){0};
}

__attribute__((format(printf, 2, 3))) static bool wrong(char message[QN_MESSAGE],
                                                        const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, QN_MESSAGE, format, args);
    va_end(args);
    return false;
}

/* ---- names ---- */

/* Edits (insert, delete, replace, swap neighbours) from a to b, the optimal string alignment
 * distance (Damerau 1964); names longer than 31 bytes count as far away. */
static size_t edits_between(const char *a, const char *b)
{
    enum { LONGEST = 31 };
    size_t a_len = strlen(a), b_len = strlen(b);
    if (a_len > LONGEST || b_len > LONGEST)
        return SIZE_MAX;
    size_t row[LONGEST + 1][LONGEST + 1] = {{0}};
    for (size_t i = 0; i <= a_len; i++)
        row[i][0] = i;
    for (size_t j = 0; j <= b_len; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        for (size_t j = 1; j <= b_len; j++) {
            size_t best = row[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (row[i - 1][j] + 1 < best)
                best = row[i - 1][j] + 1;
            if (row[i][j - 1] + 1 < best)
                best = row[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                row[i - 2][j - 2] + 1 < best)
                best = row[i - 2][j - 2] + 1;
            row[i][j] = best;
        }
    }
    return row[a_len][b_len];
}

const char *qn_nearest_name(const char *word, const void *names, size_t n, size_t stride)
{
    const char *best = NULL;
    size_t len = strlen(word);
    size_t least = len / 3 + 2; /* anything farther is no help */
    for (size_t i = 0; i < n; i++) {
        const char *name = *(const char *const *)((const char *)names + i * stride);
        if (len >= 2 && strncmp(name, word, len) == 0)
            return name;
        size_t edits = edits_between(word, name);
        if (edits < least && edits < strlen(name)) {
            best = name;
            least = edits;
        }
    }
    return best;
}

int qn_choice_index(const char *choices, const char *word, size_t len)
{
    int index = 0;
    for (const char *at = choices;; index++) {
        size_t span = strcspn(at, "|");
        if (span == len && memcmp(at, word, len) == 0)
            return index;
        if (at[span] == '\0')
            return -1;
        at += span + 1;
    }
}

/* ---- values ---- */

static bool parse_count(const char *text, uint64_t *value)
{
    if (*text == '\0' || text[strspn(text, "0123456789")] != '\0')
        return false;
    errno = 0;
    unsigned long long number = strtoull(text, NULL, 10);
    if (errno != 0)
        return false;
    *value = number;
    return true;
}

bool qn_parse_size(const char *text, uint64_t *bytes)
{
    size_t digits = strspn(text, "0123456789.");
    if (digits == 0 || digits > 20)
        return false;
    char *end;
    double number = strtod(text, &end);
    if (end != text + digits)
        return false;
    static const char UNITS[] = "KMGT";
    const char *at = text + digits;
    double factor = 1;
    if (*at != '\0') {
        char unit = *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;
        const char *found = strchr(UNITS, unit);
        if (found != NULL) {
            factor = ldexp(1, 10 * (int)(found - UNITS + 1));
            at++;
            if (*at == 'i')
                at++;
        }
        if (*at == 'B' || *at == 'b')
            at++;
    }
    double size = number * factor;
    if (*at != '\0' || !(size <= ldexp(1, 53)) || size != floor(size))
        return false;
    *bytes = (uint64_t)size;
    return true;
}

static bool parse_real(const char *text, double *value)
{
    if (*text == '\0' || text[strspn(text, "0123456789.eE+-")] != '\0')
        return false;
    char *end;
    *value = strtod(text, &end);
    return *end == '\0';
}

/* A size as a person writes it, for messages. */
static const char *size_text(double bytes, char room[32])
{
    static const char UNITS[] = "KMGT";
    int unit = -1;
    while (unit < 3 && bytes >= 1024 && fmod(bytes, 1024) == 0) {
        bytes /= 1024;
        unit++;
    }
    if (unit < 0)
        (void)snprintf(room, 32, "%.0f", bytes);
    else
        (void)snprintf(room, 32, "%.0f%c", bytes, UNITS[unit]);
    return room;
}

static bool set_number(const qn_option *option, const char *shown, void *field, const char *text,
                       char message[QN_MESSAGE])
{
    double number = 0;
    uint64_t whole = 0;
    bool valid;
    if (option->kind == QN_OPTION_REAL) {
        valid = parse_real(text, &number);
    } else {
        valid = option->kind == QN_OPTION_COUNT ? parse_count(text, &whole)
                                                : qn_parse_size(text, &whole);
        number = (double)whole;
    }
    if (valid && number >= option->min && number <= option->max) {
        if (option->kind == QN_OPTION_REAL)
            *(double *)field = number;
        else
            *(uint64_t *)field = whole;
        return true;
    }
    char least[32], most[32];
    if (option->kind == QN_OPTION_SIZE)
        return wrong(message, "%s must be a size from %s to %s, such as 64M or 1G, not '%.40s'",
                     shown, size_text(option->min, least), size_text(option->max, most), text);
    return wrong(message, "%s must be a %s from %.16g to %.16g, not '%.40s'", shown,
                 option->kind == QN_OPTION_REAL ? "number" : "whole number", option->min,
                 option->max, text);
}

static bool set_choice(const qn_option *option, const char *shown, int *field, const char *text,
                       char message[QN_MESSAGE])
{
    int index = qn_choice_index(option->choices, text, strlen(text));
    if (index >= 0) {
        *field = index;
        return true;
    }
    char list[160];
    size_t n = 0;
    for (const char *at = option->choices; *at != '\0' && n + 3 < sizeof list; at++) {
        if (*at == '|') {
            list[n++] = ',';
            list[n++] = ' ';
        } else {
            list[n++] = *at;
        }
    }
    list[n] = '\0';
    return wrong(message, "%s must be one of %s, not '%.40s'", shown, list, text);
}

static bool set_value(const qn_option *option, const char *shown, void *values, const char *text,
                      char message[QN_MESSAGE])
{
    void *field = (char *)values + option->offset;
    switch (option->kind) {
    case QN_OPTION_FLAG:
        *(bool *)field = true;
        return true;
    case QN_OPTION_TEXT:
        *(const char **)field = text;
        return true;
    case QN_OPTION_CHOICE:
        return set_choice(option, shown, field, text, message);
    case QN_OPTION_COUNT:
    case QN_OPTION_SIZE:
    case QN_OPTION_REAL:
        return set_number(option, shown, field, text, message);
    case QN_OPTION_LIST: {
        qn_text_list *list = field;
        void *items = list->items;
        if (!qn_array_grow(&items, &list->cap, list->n + 1, sizeof *list->items))
            return wrong(message, "out of memory");
        list->items = items;
        list->items[list->n++] = text;
        return true;
    }
    }
    return wrong(message, "%s is of no known kind", shown);
}

/* ---- the line ---- */

static const qn_option *find_long(const qn_command *command, const char *name, size_t len)
{
    for (size_t i = 0; i < command->n_options; i++)
        if (strlen(command->options[i].name) == len &&
            memcmp(command->options[i].name, name, len) == 0)
            return &command->options[i];
    for (size_t i = 0; i < QN_COMMON_OPTIONS; i++)
        if (strlen(qn_common_options[i].name) == len &&
            memcmp(qn_common_options[i].name, name, len) == 0)
            return &qn_common_options[i];
    return NULL;
}

static const qn_option *find_short(const qn_command *command, char letter)
{
    for (size_t i = 0; i < command->n_options; i++)
        if (command->options[i].letter == letter)
            return &command->options[i];
    for (size_t i = 0; i < QN_COMMON_OPTIONS; i++)
        if (qn_common_options[i].letter == letter)
            return &qn_common_options[i];
    return NULL;
}

/* A reader over the arguments; `next` is the one after the current. */
typedef struct line {
    const qn_command *command;
    void *values;
    int argc, next;
    char **argv;
    char *message;
} line;

static bool parse_long(line *at, const char *arg)
{
    size_t len = strcspn(arg + 2, "=");
    const char *value = arg[2 + len] == '=' ? arg + 2 + len + 1 : NULL;
    const qn_option *option = find_long(at->command, arg + 2, len);
    if (option == NULL) {
        char name[64];
        (void)snprintf(name, sizeof name, "%.*s", (int)(len < 63 ? len : 63), arg + 2);
        const qn_command *command = at->command;
        const char *near =
            qn_nearest_name(name, command->options, command->n_options, sizeof *command->options);
        if (near == NULL)
            near = qn_nearest_name(name, qn_common_options, QN_COMMON_OPTIONS,
                                   sizeof *qn_common_options);
        if (near != NULL)
            return wrong(at->message, "unknown option --%s; did you mean --%s?", name, near);
        return wrong(at->message, "unknown option --%s", name);
    }
    char shown[64];
    (void)snprintf(shown, sizeof shown, "--%s", option->name);
    if (option->kind == QN_OPTION_FLAG) {
        if (value != NULL)
            return wrong(at->message, "%s takes no value", shown);
    } else if (value == NULL) {
        if (at->next >= at->argc)
            return wrong(at->message, "%s needs a value", shown);
        value = at->argv[at->next++];
    }
    return set_value(option, shown, at->values, value, at->message);
}

static bool parse_short(line *at, const char *arg)
{
    for (const char *letter = arg + 1; *letter != '\0'; letter++) {
        char shown[] = {'-', *letter, '\0'};
        const qn_option *option = find_short(at->command, *letter);
        if (option == NULL)
            return wrong(at->message,
                         "unknown option -%c in '%.40s' (after --, words may begin with -)",
                         *letter, arg);
        const char *value = NULL;
        if (option->kind != QN_OPTION_FLAG) {
            value = letter + 1;
            if (*value == '\0') {
                if (at->next >= at->argc)
                    return wrong(at->message, "%s needs a value", shown);
                value = at->argv[at->next++];
            }
        }
        if (!set_value(option, shown, at->values, value, at->message))
            return false;
        if (value != NULL)
            break;
    }
    return true;
}

bool qn_options_parse(const qn_command *command, void *values, int argc, char **argv,
                      int *n_operands, char message[QN_MESSAGE])
{
    line at = {command, values, argc, 1, argv, message};
    bool only_operands = false;
    *n_operands = 0;
    while (at.next < argc) {
        char *arg = argv[at.next++];
        if (only_operands || arg[0] != '-' || arg[1] == '\0')
            argv[(*n_operands)++] = arg;
        else if (strcmp(arg, "--") == 0)
            only_operands = true;
        else if (!(arg[1] == '-' ? parse_long(&at, arg) : parse_short(&at, arg)))
            return false;
    }
    return true;
}
