/* Reading results: see results.h. */
#include "bench/report/results.h"

#include "index/base/buffer.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

enum { MEMBERS_MAX = 64 };

static const char number_signs[] = "+-.0123456789eE";

typedef struct place {
    const char *program, *path;
    unsigned long long line;
} place;

static _Noreturn void malformed(const place *at, const char *why)
{
    (void)fprintf(stderr, "%s: %s:%llu: %s\n", at->program, at->path, at->line, why);
    exit(RESULTS_WRONG);
}

void *results_checked(const results *all, void *memory)
{
    if (memory != NULL)
        return memory;
    (void)fprintf(stderr, "%s: out of memory\n", all->program);
    exit(RESULTS_SYSTEM);
}

/* ---- a line ---- */

static void skip_space(char **at)
{
    *at += strspn(*at, " \t\r\n");
}

/* The end of the string that starts at **at is made its end; *at goes behind it. */
static char *take_string(char **at, const place *where)
{
    char *start = ++*at, *end = start;
    for (; *end != '"'; end++) {
        if ((unsigned char)*end < 0x20)
            malformed(where, "a string does not end");
        if (*end == '\\' && *++end == '\0')
            malformed(where, "a string does not end");
    }
    *end = '\0';
    *at = end + 1;
    return start;
}

static double take_number(char **at, const place *where)
{
    /* strtod takes more than JSON has: hexadecimal, inf, nan. */
    size_t len = strspn(*at, number_signs);
    char after = (*at)[len], *end;
    (*at)[len] = '\0';
    double number = strtod(*at, &end);
    if (len == 0 || end != *at + len || **at == '+' || **at == '.' || !isfinite(number))
        malformed(where, "a member is neither a string nor a number");
    (*at)[len] = after;
    *at += len;
    return number;
}

static bool is_counted(const char *name)
{
    static const char *const counted[] = {"k", "threads", "documents", "bin"};
    for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++)
        if (strcmp(name, counted[i]) == 0)
            return true;
    return false;
}

/* Ends the digits that labels are, once what stands behind them has been read. */
static void end_labels(result_member *members, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        result_member *m = &members[i];
        if (m->text != NULL)
            m->label = m->text;
        else if (m->label != NULL && is_counted(m->name))
            m->label[strspn(m->label, number_signs)] = '\0';
        else
            m->label = NULL;
    }
}

/* The members of the object that a line is. */
static size_t parse_object(char *line, result_member members[MEMBERS_MAX], const place *where)
{
    size_t n = 0;
    char *at = line;
    skip_space(&at);
    if (*at++ != '{')
        malformed(where, "the line is no JSON object");
    do {
        if (n == MEMBERS_MAX)
            malformed(where, "more than 64 members");
        result_member *m = &members[n++];
        skip_space(&at);
        if (*at != '"')
            malformed(where, "the name of a member is expected");
        *m = (result_member){.name = take_string(&at, where), .number = NAN};
        skip_space(&at);
        if (*at++ != ':')
            malformed(where, "a colon is expected");
        skip_space(&at);
        if (*at == '"')
            m->text = take_string(&at, where);
        else
            m->label = at, m->number = take_number(&at, where);
        skip_space(&at);
    } while (*at++ == ',');
    if (at[-1] != '}')
        malformed(where, "the object does not end");
    skip_space(&at);
    if (*at != '\0')
        malformed(where, "something follows the object");
    end_labels(members, n);
    return n;
}

bool result_is_label(const result_member *member)
{
    return member->label != NULL;
}

bool result_is_figure(const result_member *member)
{
    return !result_is_label(member) && strcmp(member->name, "v") != 0 &&
           strcmp(member->name, "queries") != 0;
}

bool result_is_rate(const char *figure)
{
    static const char *const better[] = {"qps",        "overlap", "ndcg_cut_10",
                                         "recip_rank", "map",     "recall_100"};
    size_t len = strlen(figure);
    if ((len > 6 && strcmp(figure + len - 6, "_per_s") == 0) ||
        (len > 11 && strcmp(figure + len - 11, "share_equal") == 0))
        return true;
    for (size_t i = 0; i < sizeof better / sizeof better[0]; i++)
        if (strcmp(figure, better[i]) == 0)
            return true;
    return false;
}

/* Up to 10^12, written without a point or an exponent. */
static bool is_whole(const result_member *m)
{
    char digits[32];
    (void)snprintf(digits, sizeof digits, "%.0f", m->number);
    return m->label != NULL && m->number >= 0 && m->number <= 1e12 && strcmp(digits, m->label) == 0;
}

/* Whether the line follows the rules that a reader of all lines may rely on. */
static void check_members(const result_member *members, size_t n, const place *where)
{
    static const char *const counts[] = {"\"k\" is no whole number", "a count is no whole number"};
    if (strcmp(members[0].name, "v") != 0 || members[0].number != 1)
        malformed(where, "\"v\" is not 1, or not the first");
    for (size_t i = 0; i < n; i++) {
        const result_member *m = &members[i];
        if (is_counted(m->name) && !is_whole(m))
            malformed(where, counts[strcmp(m->name, "k") != 0]);
        if (result_is_figure(m) && m->number < 0)
            malformed(where, "a figure is negative");
        for (size_t j = 0; j < i; j++)
            if (strcmp(m->name, members[j].name) == 0)
                malformed(where, "two members have one name");
    }
}

/* ---- a file ---- */

static void take_line(results *all, const char *text, const place *where)
{
    result_member members[MEMBERS_MAX];
    char *line = results_checked(all, strdup(text));
    size_t n = parse_object(line, members, where);
    check_members(members, n, where);
    void *array = all->of;
    if (!qn_array_grow(&array, &all->cap, all->n + 1, sizeof *all->of))
        (void)results_checked(all, NULL);
    all->of = array;
    result *r = &all->of[all->n++];
    *r =
        (result){.member = results_checked(all, malloc(n * sizeof *members)), .n = n, .line = line};
    memcpy(r->member, members, n * sizeof *members);
}

size_t results_read(results *all, const char *path)
{
    FILE *in = fopen(path, "re");
    char *line = NULL;
    size_t room = 0, before = all->n;
    ssize_t len;
    place where = {all->program, path, 0};
    if (in == NULL) {
        (void)fprintf(stderr, "%s: cannot open %s: %s\n", all->program, path, strerror(errno));
        exit(RESULTS_WRONG);
    }
    while ((len = getline(&line, &room, in)) > 0) {
        where.line++;
        if (strlen(line) != (size_t)len)
            malformed(&where, "a byte is 0");
        if (line[strspn(line, " \t\r\n")] != '\0')
            take_line(all, line, &where);
    }
    if (ferror(in) != 0) {
        (void)fprintf(stderr, "%s: cannot read %s: %s\n", all->program, path, strerror(errno));
        exit(RESULTS_SYSTEM);
    }
    free(line);
    (void)fclose(in);
    return all->n - before;
}

void results_free(results *all)
{
    for (size_t i = 0; i < all->n; i++) {
        free(all->of[i].member);
        free(all->of[i].line);
    }
    free(all->of);
    all->of = NULL;
    all->n = all->cap = 0;
}

/* ---- members ---- */

const result_member *result_find(const result *r, const char *name)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->member[i].name, name) == 0)
            return &r->member[i];
    return NULL;
}

const char *result_label(const result *r, const char *name)
{
    const result_member *m = result_find(r, name);
    return m != NULL && m->label != NULL ? m->label : "";
}

static void put_html_char(FILE *out, char c)
{
    if (c == '&')
        (void)fputs("&amp;", out);
    else if (c == '<')
        (void)fputs("&lt;", out);
    else if (c == '>')
        (void)fputs("&gt;", out);
    else if (c == '"')
        (void)fputs("&quot;", out);
    else
        (void)fputc(c, out);
}

void result_put_html(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text != '\\') {
            put_html_char(out, *text);
        } else if (*++text == 'u' && strspn(text + 1, "0123456789abcdefABCDEF") >= 4) {
            /* HTML has the same numbers; of half a pair it makes a sign of its own for "wrong". */
            (void)fprintf(out, "&#x%.4s;", text + 1);
            text += 4;
        } else if (*text == 'n' || *text == 't' || *text == 'r' || *text == 'b' || *text == 'f') {
            (void)fputc(' ', out);
        } else {
            put_html_char(out, *text);
        }
    }
}
