/* Counts and best documents: read from lines, and compared. */
#include "bench/rivals/duel_answers.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

static bool take_count(const char *line, unsigned long long *count)
{
    size_t digits = strspn(line, "0123456789");
    *count = strtoull(line, NULL, 10);
    return digits >= 1 && digits <= 19 && line[digits] == '\0';
}

/* The next field of a line, which is cut off; NULL if there is none. */
static char *next_field(char **at)
{
    char *field = *at;
    if (field == NULL)
        return NULL;
    char *tab = strchr(field, '\t');
    *at = tab != NULL ? tab + 1 : NULL;
    if (tab != NULL)
        *tab = '\0';
    return field;
}

/* n<TAB>id<TAB>score...; a dash is a score of another formula. */
static bool take_run(char *line, duel_answer *answer)
{
    unsigned long long n;
    char *at = line, *first = next_field(&at);
    if (!take_count(first, &n) || n > DUEL_BEST)
        return false;
    answer->scored = n > 0;
    for (; answer->n < n; answer->n++) {
        char *id = next_field(&at), *score = next_field(&at), *end;
        if (score == NULL)
            return false;
        if (strcmp(score, "-") == 0) {
            answer->scored = false;
            answer->score[answer->n] = NAN;
        } else {
            answer->score[answer->n] = strtod(score, &end);
            if (end == score || *end != '\0' || !isfinite(answer->score[answer->n]))
                return false;
        }
        answer->id[answer->n] = strdup(id);
        if (answer->id[answer->n] == NULL) {
            (void)fputs("duel: out of memory\n", stderr);
            exit(4);
        }
    }
    return at == NULL;
}

bool duel_answer_ask(duel_answer *answer, duel_engine *engine, const char *query)
{
    const char *line;
    double us;
    *answer = (duel_answer){0};
    if (!duel_ask(engine, "COUNT", query, &line, &us))
        return false;
    answer->counted = strcmp(line, "UNSUPPORTED") != 0;
    if (answer->counted && !take_count(line, &answer->count)) {
        duel_put_out(engine, "answers with no number", "COUNT", query);
        return false;
    }
    if (!duel_ask(engine, "RUN_10", query, &line, &us))
        return false;
    answer->shown = strcmp(line, "UNSUPPORTED") != 0;
    if (answer->shown && !take_run(engine->line, answer)) {
        duel_put_out(engine, "answers with no list of documents", "RUN_10", query);
        return false;
    }
    return true;
}

void duel_answer_free(duel_answer *answer)
{
    for (size_t i = 0; i < answer->n; i++)
        free(answer->id[i]);
    *answer = (duel_answer){0};
}

/* ---- comparing ---- */

static double overlap(const duel_answer *a, const duel_answer *b)
{
    size_t both = 0, most = a->n > b->n ? a->n : b->n;
    for (size_t i = 0; i < a->n; i++)
        for (size_t j = 0; j < b->n; j++)
            both += strcmp(a->id[i], b->id[j]) == 0;
    return most == 0 ? 1 : (double)both / (double)most;
}

/* Rank by rank: which of the documents of one score comes first does not matter. */
static bool same_scores(const duel_answer *a, const duel_answer *b)
{
    const double most = 1e-5;
    bool same = a->n == b->n;
    for (size_t i = 0; same && i < a->n; i++)
        same = fabs(a->score[i] - b->score[i]) <= most * fmax(fabs(a->score[i]), fabs(b->score[i]));
    return same;
}

static void compare_counts(duel_agreement *to, unsigned long long first, unsigned long long other,
                           const char *query)
{
    double a = (double)first, b = (double)other;
    double by = first == other ? 0 : fabs(a - b) / fmax(a, b);
    to->n_counted++;
    to->n_equal += first == other;
    to->n_near += fabs(a - b) <= 0.01 * fmax(a, b);
    if (by > to->worst_by) {
        to->worst_by = by;
        to->worst = query;
        to->worst_count[0] = first;
        to->worst_count[1] = other;
    }
}

void duel_agreement_add(duel_agreement *to, const duel_answer *first, const duel_answer *other,
                        const char *query)
{
    if (first->counted && other->counted)
        compare_counts(to, first->count, other->count, query);
    if (!first->shown || !other->shown)
        return;
    to->n_shown++;
    to->overlap += overlap(first, other);
    if (first->scored && other->scored) {
        bool same = same_scores(first, other);
        to->n_scored++;
        to->n_same += same;
        if (!same && to->unlike == NULL)
            to->unlike = query;
    }
}

const char *duel_agreement_word(const duel_agreement *of, double enough)
{
    if (of->n_counted == 0)
        return "unknown";
    return (double)of->n_equal < enough * (double)of->n_counted ||
                   (double)of->n_same < enough * (double)of->n_scored
               ? "no"
               : "yes";
}
