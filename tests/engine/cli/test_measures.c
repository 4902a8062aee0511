/* Measures: cases worked by hand, names and sets, averages; and the golden runs beside what
 * trec_eval 10 printed for them. */
#include "engine/cli/measures.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

/* ---- by hand ---- */

/* Ranked grades: relevant (1), unjudged, not relevant, highly relevant (3), not pooled; judged in
 * all: 3, 2, 1, 0, 0, of which the 2 and a 0 are not retrieved. */
static int32_t small_grades[] = {1, QN_UNJUDGED, 0, 3, QN_NOT_POOLED};
static int32_t small_ideal[] = {3, 2, 1, 0, 0};
static const qn_ranking SMALL = {.grade = small_grades,
                                 .n_ret = 5,
                                 .ideal = small_ideal,
                                 .n_judged = 5,
                                 .n_gain = 3,
                                 .n_rel = 3,
                                 .n_nonrel = 2,
                                 .n_rel_ret = 2,
                                 .n_judged_ret = 3,
                                 .level = 1};

static double value_of(const char *name, const qn_ranking *ranking)
{
    qn_measures measures = {0};
    char room[160];
    const char *wrong = qn_measures_add(&measures, name, room, sizeof room);
    cr_assert_null(wrong, "%s", wrong);
    cr_assert_eq(measures.n, 1, "%s", name);
    cr_assert_str_eq(measures.measure[0].name, name);
    double value = qn_measure_value(&measures.measure[0], ranking);
    qn_measures_free(&measures);
    return value;
}

typedef struct expected {
    const char *name;
    double value;
} expected;

static void check_values(const expected *list, size_t n, const qn_ranking *ranking)
{
    for (size_t i = 0; i < n; i++) {
        double value = value_of(list[i].name, ranking);
        cr_assert_float_eq(value, list[i].value, 1e-12, "%s: %.17g, not %.17g", list[i].name, value,
                           list[i].value);
    }
}

Test(measures, by_hand)
{
    const double dcg = 1 + 3 / log2(5), ideal = 3 + 2 / log2(3) + 1 / log2(4);
    const expected values[] = {
        {"num_ret", 5},
        {"num_rel", 3},
        {"num_rel_ret", 2},
        {"num_nonrel_judged_ret", 1},
        {"map", (1.0 + 2.0 / 4) / 3},
        {"map_cut_3", 1.0 / 3},
        {"recip_rank", 1},
        {"Rprec", 1.0 / 3},
        {"P_1", 1},
        {"P_4", 0.5},
        {"P_10", 0.2},
        {"recall_3", 1.0 / 3},
        {"recall_100", 2.0 / 3},
        {"relative_P_2", 0.5},
        {"relative_P_10", 2.0 / 3},
        {"success_1", 1},
        {"unj_5", 0.4},
        {"unj_10", 0.2},
        /* The 3 stands below one of the two not relevant: 1 - 1/min(2, 3). */
        {"bpref", (1 + 0.5) / 3},
        /* Recall 0.1 of 3 rounds to no document: the best precision anywhere. */
        {"iprec_at_recall_0.00", 1},
        {"iprec_at_recall_0.10", 1},
        {"iprec_at_recall_0.50", 0.5}, /* 1.5 rounds to 2 */
        {"iprec_at_recall_1.00", 0},
        /* 0 to .4 ask for no or one document; .5 to .8 for two; .9 and 1 for three. */
        {"11pt_avg", (5 * 1.0 + 4 * 0.5) / 11},
        {"Rprec_mult_0.20", 1},       /* floor(0.6 + 0.9) = 1 */
        {"Rprec_mult_1.00", 1.0 / 3}, /* 3 */
        {"Rprec_mult_2.00", 2.0 / 6}, /* 6 */
        {"set_P", 0.4},
        {"set_recall", 2.0 / 3},
        {"set_relative_P", 2.0 / 3},
        {"set_map", 0.4 * 2 / 3},
        {"set_F", 2 * 0.4 * (2.0 / 3) / (0.4 + 2.0 / 3)},
        {"utility", 2 - 3},
        {"ndcg", dcg / ideal},
        {"ndcg_cut_1", 1.0 / 3},
        {"ndcg_cut_10", dcg / ideal},
        {"ndcg_rel", (1.0 / 3 + dcg / ideal + dcg / ideal) / 3},
        /* At the ends of the ideal 3, 2 and 1, and at the end of the answers (5 > 3 + 1). */
        {"Rndcg", (1.0 / 3 + 1 / (3 + 2 / log2(3)) + 1 / ideal + dcg / ideal) / 4},
        {"binG", (1 + 1 / log2(4)) / 3},
        /* Costs so far 3, 5, 6, 7; gains so far 1, 1, 1, 4. */
        {"G", (1 / log2(2 + 3 - 1) + 3 / log2(2 + 7 - 4)) / 6},
        {"rbp", 0.1 * (1.0 / 3 + 0.9 * 0.9 * 0.9)},
        {"rbp_resid", pow(0.9, 5) + 0.1 * (0.9 + pow(0.9, 4))},
        {"yaap", log((1 + 1.5) / (1 + 3 - 1.5))},
        {"infAP", (1 + (0.25 + 0.75 * (3.0 / 3) * (1.00001 / 2.00002))) / 3},
    };
    check_values(values, sizeof values / sizeof *values, &SMALL);
}

Test(measures, level)
{
    qn_ranking strict = SMALL; /* only 2 and 3 are relevant */
    strict.level = 2;
    strict.n_rel = 2;
    strict.n_nonrel = 3;
    strict.n_rel_ret = 1;
    const expected values[] = {
        {"map", 0.25 / 2},
        {"recip_rank", 0.25},
        {"P_5", 0.2},
        {"num_nonrel_judged_ret", 2},
        {"ndcg_cut_1", 1.0 / 3}, /* gains do not depend on the level */
        {"bpref", 0},            /* two not relevant stand above */
    };
    check_values(values, sizeof values / sizeof *values, &strict);
}

/* Nothing is divided by zero where there is no answer, or nothing relevant. */
Test(measures, nothing)
{
    static int32_t zeros[] = {0, 0, 0, 0, 0};
    qn_ranking silent = SMALL, empty = {.grade = zeros, .n_ret = 5, .n_judged_ret = 5, .level = 1};
    silent.n_ret = silent.n_rel_ret = silent.n_judged_ret = 0;
    qn_measures measures = {0};
    char room[160];
    cr_assert_null(qn_measures_add(&measures, "all_trec", room, sizeof room));
    for (size_t i = 0; i < measures.n; i++) {
        const char *name = measures.measure[i].name;
        double value = qn_measure_value(&measures.measure[i], &silent);
        bool counts = strcmp(name, "num_q") == 0 || strcmp(name, "num_rel") == 0;
        cr_assert(counts ? value > 0 : fabs(value) == 0, "%s without answers: %g", name, value);
        value = qn_measure_value(&measures.measure[i], &empty);
        cr_assert(isfinite(value), "%s without relevant documents: %g", name, value);
    }
    qn_measures_free(&measures);
}

/* ---- names ---- */

static size_t count_of(const char *name)
{
    qn_measures measures = {0};
    char room[160];
    const char *wrong = qn_measures_add(&measures, name, room, sizeof room);
    cr_assert_null(wrong, "%s: %s", name, wrong);
    size_t n = measures.n;
    qn_measures_free(&measures);
    return n;
}

Test(measures, names)
{
    cr_assert_eq(count_of("map"), 1);
    cr_assert_eq(count_of("P"), 9);
    cr_assert_eq(count_of("P_7"), 1);
    cr_assert_eq(count_of("P.7"), 1);
    cr_assert_eq(count_of("P.5,10,5"), 2);
    cr_assert_eq(count_of("success"), 3);
    cr_assert_eq(count_of("iprec_at_recall"), 11);
    cr_assert_eq(count_of("map_cut.10"), 1);
    cr_assert_eq(count_of("Rprec_mult_0.20"), 1);
    cr_assert_eq(count_of("official"), 9 + 11 + 9);
}

/* In trec_eval's order, whatever the order asked for, and each once. */
Test(measures, order)
{
    static const char *const ASKED[] = {"recall_10", "P_20", "map", "P.5,20", "num_q", "map"};
    static const char *const NAMES[] = {"num_q", "map", "P_5", "P_20", "recall_10"};
    qn_measures measures = {0};
    char room[160];
    for (size_t i = 0; i < sizeof ASKED / sizeof *ASKED; i++)
        cr_assert_null(qn_measures_add(&measures, ASKED[i], room, sizeof room));
    cr_assert_eq(measures.n, 5);
    for (size_t i = 0; i < 5; i++)
        cr_assert_str_eq(measures.measure[i].name, NAMES[i]);
    qn_measures_free(&measures);
}

Test(measures, wrong_names)
{
    static const char *const CASES[][2] = {
        {"mapp", "unknown measure 'mapp'; did you mean 'map'?"},
        {"", "unknown measure ''"},
        {"P_", "unknown measure 'P_'"},
        {"map_10", "unknown measure 'map_10'"},
        {"ndcg_cu", "unknown measure 'ndcg_cu'; did you mean 'ndcg_cut'?"},
        {"P_0", "measure 'P_0': a whole number of 1 or more is expected"},
        {"P_1.5", "measure 'P_1.5': a whole number of 1 or more is expected"},
        {"P.5,", "measure 'P.5,': a number is expected"},
        {"P.5,x", "measure 'P.5,x': a number is expected"},
        {"P_5x", "measure 'P_5x': a number is expected"},
        {"P_99999999999", "measure 'P_99999999999': a whole number of 1 or more is expected"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        qn_measures measures = {0};
        char room[160];
        const char *wrong = qn_measures_add(&measures, CASES[i][0], room, sizeof room);
        cr_assert_not_null(wrong, "%s", CASES[i][0]);
        cr_assert_eq(strncmp(wrong, CASES[i][1], strlen(CASES[i][1])), 0, "%s", wrong);
        qn_measures_free(&measures);
    }
}

Test(measures, averages)
{
    qn_measures measures = {0};
    char room[160];
    cr_assert_null(qn_measures_add(&measures, "map", room, sizeof room));
    cr_assert_null(qn_measures_add(&measures, "gm_map", room, sizeof room));
    cr_assert_null(qn_measures_add(&measures, "num_ret", room, sizeof room));
    qn_measure *num_ret = &measures.measure[0], *map = &measures.measure[1],
               *gm = &measures.measure[2];
    const double values[] = {0.5, 0.125, 0};
    for (size_t i = 0; i < 3; i++) {
        qn_measure_count(map, values[i]);
        qn_measure_count(gm, values[i]);
        qn_measure_count(num_ret, 10);
    }
    cr_assert_float_eq(qn_measure_final(map, 3), 0.625 / 3, 1e-12);
    cr_assert_float_eq(qn_measure_final(gm, 3), cbrt(0.5 * 0.125 * 0.00001), 1e-12);
    cr_assert_float_eq(qn_measure_final(num_ret, 3), 30, 1e-12);
    cr_assert(qn_measure_whole(num_ret) && !qn_measure_whole(map));
    cr_assert(qn_measure_per_topic(map) && !qn_measure_per_topic(gm));
    qn_measures_free(&measures);
}

/* ---- trec_eval's own figures ---- */

static void unpack(const char *from, const char *to)
{
    size_t len;
    uint8_t *packed = test_read_file(from, &len);
    size_t room = 64u << 20; /* far more than any of the runs */
    char *text = malloc(room);
    size_t n = ZSTD_decompress(text, room, packed, len);
    cr_assert(!ZSTD_isError(n), "%s", ZSTD_getErrorName(n));
    test_write_file(to, text, n);
    free(text);
    free(packed);
}

/* A line of trec_eval: the name is padded with spaces. */
static bool split_line(char *line, char **name, char **qid, char **value)
{
    *name = line;
    *qid = strchr(line, '\t');
    *value = *qid == NULL ? NULL : strchr(*qid + 1, '\t');
    if (*value == NULL)
        return false;
    *(*qid)++ = '\0';
    *(*value)++ = '\0';
    line[strcspn(line, " ")] = '\0';
    (*value)[strcspn(*value, "\n")] = '\0';
    return true;
}

static void check_line(const char *name, const char *value, double ours, bool whole)
{
    char text[64];
    (void)snprintf(text, sizeof text, "%.*f", whole ? 0 : 4, ours);
    cr_assert_str_eq(text, value, "%s: %s, not %s", name, text, value);
}

typedef struct collection {
    qn_trec qrels, run;
    qn_ranking ranking;
} collection;

/* Counts all judged topics that the run answers. */
static size_t count_all(collection *c, qn_measures *measures)
{
    size_t n = 0;
    for (size_t at = 0; at < c->qrels.n;) {
        qn_trec_topic judged = qn_trec_topic_at(&c->qrels, at);
        qn_trec_topic answers = qn_trec_topic_named(&c->run, judged.row->qid);
        at += judged.n;
        if (answers.n == 0)
            continue;
        n++;
        cr_assert(qn_ranking_make(&c->ranking, judged, answers, 1, SIZE_MAX));
        for (size_t i = 0; i < measures->n; i++)
            qn_measure_count(&measures->measure[i],
                             qn_measure_value(&measures->measure[i], &c->ranking));
    }
    return n;
}

static double value_for(collection *c, const char *name, const char *qid)
{
    cr_assert(qn_ranking_make(&c->ranking, qn_trec_topic_named(&c->qrels, qid),
                              qn_trec_topic_named(&c->run, qid), 1, SIZE_MAX));
    return value_of(name, &c->ranking);
}

/* Looks for the figure of a line; the lines over all are those of `all`, counted before. */
static void compare_line(collection *c, const qn_measures *all, size_t n_topics, char *line)
{
    char *name, *qid, *value;
    cr_assert(split_line(line, &name, &qid, &value), "%s", line);
    if (strcmp(qid, "all") != 0) {
        check_line(name, value, value_for(c, name, qid), false);
        return;
    }
    size_t i = 0;
    while (i < all->n && strcmp(all->measure[i].name, name) != 0)
        i++;
    cr_assert_lt(i, all->n, "%s is missing", name);
    check_line(name, value, qn_measure_final(&all->measure[i], n_topics),
               qn_measure_whole(&all->measure[i]));
}

/* Compares a file of trec_eval with our figures; returns the number of its lines. */
static size_t compare_file(collection *c, const char *path)
{
    qn_measures all = {0};
    char room[160], line[256];
    cr_assert_null(qn_measures_add(&all, "all_trec", room, sizeof room));
    size_t n_topics = count_all(c, &all), n_lines = 0;
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "runid", 5) == 0)
            continue;
        compare_line(c, &all, n_topics, line);
        n_lines++;
    }
    fclose(file);
    qn_measures_free(&all);
    return n_lines;
}

static char *data_file(const char *format, const char *name)
{
    char file[96];
    (void)snprintf(file, sizeof file, "%s%s%s", format[0] == '/' ? name : "golden/",
                   format[0] == '/' ? "" : name, format);
    return test_data(file);
}

static void compare_collection(const char *name)
{
    char *packed = data_file(".run.zst", name);
    if (packed == NULL)
        return;
    char *dir = test_dir_new(), *run = test_path(dir, "run");
    unpack(packed, run);
    char *qrels = data_file("/qrels.txt", name), *summary = data_file(".trec_eval.txt", name),
         *per_query = data_file(".per_query.txt", name);
    cr_assert(qrels != NULL && summary != NULL && per_query != NULL);
    collection c = {0};
    quern_error error = {0};
    cr_assert_eq(qn_trec_read_qrels(&c.qrels, qrels, &error), QUERN_OK, "%s", error.message);
    cr_assert_eq(qn_trec_read_run(&c.run, run, &error), QUERN_OK, "%s", error.message);
    cr_assert_gt(compare_file(&c, summary), 95);
    cr_assert_gt(compare_file(&c, per_query), 150);
    qn_trec_free(&c.qrels);
    qn_trec_free(&c.run);
    qn_ranking_free(&c.ranking);
    free(packed);
    free(run);
    free(qrels);
    free(summary);
    free(per_query);
    test_dir_free(dir);
}

Test(golden, cacm)
{
    compare_collection("cacm");
}

Test(golden, cranfield)
{
    compare_collection("cranfield");
}

Test(golden, npl)
{
    compare_collection("npl-vaswani");
}

Test(golden, scifact)
{
    compare_collection("scifact");
}
