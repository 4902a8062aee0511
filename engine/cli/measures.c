/* The families of measures: their names, usual parameters and how topics are averaged. */
#include "engine/cli/measures.h"

#include "engine/cli/measure_values.h"
#include "engine/cli/options.h"
#include "index/base/buffer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum parameter_kind { NO_PARAMETER, CUTOFF, FRACTION } parameter_kind;
typedef enum average { MEAN, SUM, GEOMETRIC } average;

/* What geometric means take instead of smaller values. */
static const double GEOMETRIC_LEAST = 0.00001;

typedef struct qn_measure_family {
    const char *name;
    qn_value_fn value;
    average over_topics;
    parameter_kind kind;
    const char *usual; /* parameters, separated by commas */
    bool extra;        /* not in the set all_trec */
    bool official;     /* in the set official */
    bool hidden_per_topic;
} qn_measure_family;

#define CUTOFFS   "5,10,15,20,30,100,200,500,1000"
#define TENTHS    "0,0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1"
#define MULTIPLES "0.2,0.4,0.6,0.8,1,1.2,1.4,1.6,1.8,2"

/* In the order in which trec_eval prints. */
static const qn_measure_family FAMILIES[] = {
    {.name = "num_q",
     .value = qn_value_one,
     .over_topics = SUM,
     .official = true,
     .hidden_per_topic = true},
    {.name = "num_ret", .value = qn_value_num_ret, .over_topics = SUM, .official = true},
    {.name = "num_rel", .value = qn_value_num_rel, .over_topics = SUM, .official = true},
    {.name = "num_rel_ret", .value = qn_value_num_rel_ret, .over_topics = SUM, .official = true},
    {.name = "map", .value = qn_value_ap, .official = true},
    {.name = "gm_map",
     .value = qn_value_ap,
     .over_topics = GEOMETRIC,
     .official = true,
     .hidden_per_topic = true},
    {.name = "Rprec", .value = qn_value_rprec, .official = true},
    {.name = "bpref", .value = qn_value_bpref, .official = true},
    {.name = "recip_rank", .value = qn_value_recip_rank, .official = true},
    {.name = "iprec_at_recall",
     .value = qn_value_iprec,
     .kind = FRACTION,
     .usual = TENTHS,
     .official = true},
    {.name = "P", .value = qn_value_p, .kind = CUTOFF, .usual = CUTOFFS, .official = true},
    {.name = "recall", .value = qn_value_recall, .kind = CUTOFF, .usual = CUTOFFS},
    {.name = "infAP", .value = qn_value_infap},
    {.name = "gm_bpref",
     .value = qn_value_bpref,
     .over_topics = GEOMETRIC,
     .hidden_per_topic = true},
    {.name = "Rprec_mult", .value = qn_value_rprec_mult, .kind = FRACTION, .usual = MULTIPLES},
    {.name = "utility", .value = qn_value_utility},
    {.name = "11pt_avg", .value = qn_value_iprec_11pt},
    {.name = "binG", .value = qn_value_bin_g},
    {.name = "G", .value = qn_value_g},
    {.name = "ndcg", .value = qn_value_ndcg},
    {.name = "ndcg_rel", .value = qn_value_ndcg_rel},
    {.name = "Rndcg", .value = qn_value_rndcg},
    {.name = "ndcg_cut", .value = qn_value_ndcg_cut, .kind = CUTOFF, .usual = CUTOFFS},
    {.name = "map_cut", .value = qn_value_ap_cut, .kind = CUTOFF, .usual = CUTOFFS},
    {.name = "relative_P", .value = qn_value_relative_p, .kind = CUTOFF, .usual = CUTOFFS},
    {.name = "success", .value = qn_value_success, .kind = CUTOFF, .usual = "1,5,10"},
    {.name = "set_P", .value = qn_value_set_p},
    {.name = "set_relative_P", .value = qn_value_set_relative_p},
    {.name = "set_recall", .value = qn_value_set_recall},
    {.name = "set_map", .value = qn_value_set_map},
    {.name = "set_F", .value = qn_value_set_f},
    {.name = "num_nonrel_judged_ret", .value = qn_value_num_nonrel_judged_ret, .over_topics = SUM},
    {.name = "yaap", .value = qn_value_yaap, .extra = true},
    {.name = "rbp", .value = qn_value_rbp},
    {.name = "rbp_resid", .value = qn_value_rbp_resid},
    {.name = "unj", .value = qn_value_unjudged, .kind = CUTOFF, .usual = "5,10,20"},
};
enum { N_FAMILIES = sizeof FAMILIES / sizeof *FAMILIES };

static const char OUT_OF_MEMORY[] = "out of memory";

/* Puts a measure in its place, unless it is there. */
static const char *insert(qn_measures *measures, const qn_measure_family *family, double parameter)
{
    size_t at = 0;
    for (; at < measures->n; at++) {
        const qn_measure *other = &measures->measure[at];
        if (other->family > family || (other->family == family && other->parameter > parameter))
            break;
        if (other->family == family && !(other->parameter < parameter))
            return NULL;
    }
    void *array = measures->measure;
    if (!qn_array_grow(&array, &measures->cap, measures->n + 1, sizeof(qn_measure)))
        return OUT_OF_MEMORY;
    measures->measure = array;
    qn_measure *place = &measures->measure[at];
    memmove(place + 1, place, (measures->n - at) * sizeof *place);
    measures->n++;
    *place = (qn_measure){.family = family, .parameter = parameter};
    if (family->kind == NO_PARAMETER)
        (void)snprintf(place->name, sizeof place->name, "%s", family->name);
    else
        (void)snprintf(place->name, sizeof place->name,
                       family->kind == CUTOFF ? "%s_%.0f" : "%s_%.2f", family->name, parameter);
    return NULL;
}

/* Parameters separated by commas. */
static const char *insert_list(qn_measures *measures, const qn_measure_family *family,
                               const char *list)
{
    for (const char *at = list;; at++) {
        char *end;
        if (*at == '\0' || strchr("0123456789.", *at) == NULL)
            return "a number is expected";
        double parameter = strtod(at, &end);
        if (family->kind == CUTOFF &&
            !(parameter >= 1 && parameter <= 1e9 && parameter == floor(parameter)))
            return "a whole number of 1 or more is expected";
        if (!(parameter <= 1e9))
            return "the number is too large";
        const char *wrong = insert(measures, family, parameter);
        if (wrong != NULL)
            return wrong;
        if (*end == '\0')
            return NULL;
        if (*end != ',')
            return "a number is expected";
        at = end;
    }
}

static const char *insert_family(qn_measures *measures, const qn_measure_family *family)
{
    if (family->kind == NO_PARAMETER)
        return insert(measures, family, 0);
    return insert_list(measures, family, family->usual);
}

static const char *insert_set(qn_measures *measures, bool official)
{
    const char *wrong = NULL;
    for (size_t i = 0; i < N_FAMILIES && wrong == NULL; i++)
        if (official ? FAMILIES[i].official : !FAMILIES[i].extra)
            wrong = insert_family(measures, &FAMILIES[i]);
    return wrong;
}

/* The family whose name `name` starts with, followed by nothing, or by . or _ and a parameter. */
static const qn_measure_family *find_family(const char *name, const char **parameter)
{
    for (size_t i = 0; i < N_FAMILIES; i++) {
        size_t len = strlen(FAMILIES[i].name);
        if (strncmp(name, FAMILIES[i].name, len) != 0)
            continue;
        const char *rest = name + len;
        bool number = (rest[0] == '.' || rest[0] == '_') && rest[1] >= '.' && rest[1] <= '9';
        if (*rest == '\0' || (number && FAMILIES[i].kind != NO_PARAMETER)) {
            *parameter = *rest == '\0' ? NULL : rest + 1;
            return &FAMILIES[i];
        }
    }
    return NULL;
}

const char *qn_measures_add(qn_measures *measures, const char *name, char *room, size_t size)
{
    if (strcmp(name, "all_trec") == 0)
        return insert_set(measures, false);
    if (strcmp(name, "official") == 0)
        return insert_set(measures, true);
    const char *parameter = NULL;
    const qn_measure_family *family = find_family(name, &parameter);
    if (family == NULL) {
        char stem[40];
        (void)snprintf(stem, sizeof stem, "%s", name);
        stem[strcspn(stem, ".")] = '\0';
        const char *near = qn_nearest_name(stem, FAMILIES, N_FAMILIES, sizeof *FAMILIES);
        if (near != NULL)
            (void)snprintf(room, size, "unknown measure '%.40s'; did you mean '%s'?", name, near);
        else
            (void)snprintf(room, size, "unknown measure '%.40s'", name);
        return room;
    }
    const char *wrong = parameter == NULL ? insert_family(measures, family)
                                          : insert_list(measures, family, parameter);
    if (wrong == NULL || wrong == OUT_OF_MEMORY)
        return wrong;
    (void)snprintf(room, size, "measure '%.40s': %s", name, wrong);
    return room;
}

void qn_measures_free(qn_measures *measures)
{
    free(measures->measure);
    *measures = (qn_measures){0};
}

double qn_measure_value(const qn_measure *measure, const qn_ranking *ranking)
{
    return measure->family->value(ranking, measure->parameter);
}

void qn_measure_count(qn_measure *measure, double value)
{
    if (measure->family->over_topics == GEOMETRIC)
        measure->sum += log(fmax(value, GEOMETRIC_LEAST));
    else
        measure->sum += value;
}

double qn_measure_final(const qn_measure *measure, size_t n)
{
    if (n == 0 || measure->family->over_topics == SUM)
        return measure->sum;
    double mean = measure->sum / (double)n;
    return measure->family->over_topics == GEOMETRIC ? exp(mean) : mean;
}

bool qn_measure_per_topic(const qn_measure *measure)
{
    return !measure->family->hidden_per_topic;
}

bool qn_measure_whole(const qn_measure *measure)
{
    return measure->family->over_topics == SUM;
}
