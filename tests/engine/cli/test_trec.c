/* Qrels and runs: white space, comments, sorting, errors that name file and line; ranking. */
#include "engine/cli/ranking.h"
#include "engine/cli/trec.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

typedef quern_status (*read_fn)(qn_trec *, const char *, quern_error *);

static char *dir;

static quern_status read_text(read_fn read, qn_trec *file, const char *text, quern_error *error)
{
    char *path = test_path(dir, "file");
    test_write_file(path, text, strlen(text));
    quern_status status = read(file, path, error);
    free(path);
    return status;
}

static void set_up(void)
{
    dir = test_dir_new();
}

static void tear_down(void)
{
    test_dir_free(dir);
}

TestSuite(trec, .init = set_up, .fini = tear_down);

typedef struct row {
    const char *qid, *doc;
    double value;
} row;

Test(trec, qrels)
{
    qn_trec qrels = {0};
    quern_error error = {0};
    quern_status status =
        read_text(qn_trec_read_qrels, &qrels,
                  "# a comment\n10 0 b 1\r\n2\t0\tz\t-1\n\n  2  x  a   3  \n10 0 a 0", &error);
    cr_assert_eq(status, QUERN_OK, "%s", error.message);
    static const row ROWS[] = {{"10", "a", 0}, {"10", "b", 1}, {"2", "a", 3}, {"2", "z", -1}};
    cr_assert_eq(qrels.n, 4);
    for (size_t i = 0; i < 4; i++) {
        cr_assert_str_eq(qrels.row[i].qid, ROWS[i].qid);
        cr_assert_str_eq(qrels.row[i].doc, ROWS[i].doc);
        cr_assert_eq(qrels.row[i].value, ROWS[i].value);
    }
    cr_assert_eq(qn_trec_topic_at(&qrels, 0).n, 2);
    qn_trec_topic topic = qn_trec_topic_named(&qrels, "2");
    cr_assert_eq(topic.n, 2);
    cr_assert_str_eq(topic.row->doc, "a");
    cr_assert_eq(qn_trec_topic_named(&qrels, "1").n, 0);
    cr_assert_eq(qn_trec_topic_named(&qrels, "3").n, 0);
    qn_trec_free(&qrels);
}

Test(trec, run)
{
    qn_trec run = {0};
    quern_error error = {0};
    quern_status status = read_text(qn_trec_read_run, &run,
                                    "1 Q0 d1 7 -1.5e1 tag\n1\tQ0\td0 x 3 tag and more\n", &error);
    cr_assert_eq(status, QUERN_OK, "%s", error.message);
    cr_assert_eq(run.n, 2);
    cr_assert_str_eq(run.row[0].doc, "d0");
    cr_assert_eq(run.row[0].value, 3);
    cr_assert_eq(run.row[1].value, -15);
    qn_trec_free(&run);
    cr_assert_eq(read_text(qn_trec_read_run, &run, "", &error), QUERN_OK);
    cr_assert_eq(run.n, 0);
    qn_trec_free(&run);
}

typedef struct bad {
    bool run;
    const char *text, *message;
} bad;

Test(trec, errors)
{
    static const bad CASES[] = {
        {false, "1 0 a 1\n1 0 b\n", ":2: fewer than 4 fields: qid iteration docid grade"},
        {false, "1 0 a 1 x\n", ":1: more than 4 fields: qid iteration docid grade"},
        {false, "\n\n1 0 a one\n", ":3: the grade is no whole number"},
        {false, "1 0 a 1.5\n", ":1: the grade is no whole number"},
        {false, "1 0 a 99999999999\n", ":1: the grade is no whole number"},
        {false, "1 0 a 1\n2 0 a 1\n1 0 a 0\n", ":3: document a is in topic 1 already, at line 1"},
        {true, "1 Q0 a 1 1.0\n", ":1: fewer than 6 fields: qid Q0 docid rank score tag"},
        {true, "1 Q0 a 1 high t\n", ":1: the score is no number"},
        {true, "1 Q0 a 1 nan t\n", ":1: the score is no number"},
        {true, "1 Q0 a 1 1 t\n1 Q0 b 1 1 t\n1 Q0 a 2 0.5 t\n",
         ":3: document a is in topic 1 already, at line 1"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        qn_trec file = {0};
        quern_error error = {0};
        quern_status status = read_text(CASES[i].run ? qn_trec_read_run : qn_trec_read_qrels, &file,
                                        CASES[i].text, &error);
        cr_assert_eq(status, QUERN_E_INPUT, "%s", CASES[i].text);
        cr_assert_str_eq(error.message + strlen(dir) + strlen("/file"), CASES[i].message);
        qn_trec_free(&file);
    }
    qn_trec file = {0};
    quern_error error = {0};
    cr_assert_eq(qn_trec_read_run(&file, "no/such/run", &error), QUERN_E_IO);
    qn_trec_free(&file);
}

Test(trec, nul_byte)
{
    char *path = test_path(dir, "file");
    test_write_file(path, "1 0 a\0b 1\n", 10);
    qn_trec file = {0};
    quern_error error = {0};
    cr_assert_eq(qn_trec_read_qrels(&file, path, &error), QUERN_E_INPUT);
    qn_trec_free(&file);
    free(path);
}

/* Score descending, then id descending; the column of ranks and the order of lines are nothing. */
Test(trec, ranking)
{
    qn_trec qrels = {0}, run = {0};
    quern_error error = {0};
    cr_assert_eq(read_text(qn_trec_read_qrels, &qrels,
                           "1 0 a 0\n1 0 b 1\n1 0 c 2\n1 0 d -1\n1 0 gone 3\n", &error),
                 QUERN_OK);
    cr_assert_eq(read_text(qn_trec_read_run, &run,
                           "1 Q0 a 1 2 t\n1 Q0 c 2 2.0 t\n1 Q0 b 9 5 t\n1 Q0 d 4 1 t\n"
                           "1 Q0 e 1 1.5 t\n",
                           &error),
                 QUERN_OK);
    qn_trec_topic judged = qn_trec_topic_at(&qrels, 0), answers = qn_trec_topic_at(&run, 0);
    qn_ranking ranking = {0};
    cr_assert(qn_ranking_make(&ranking, judged, answers, 1, SIZE_MAX));
    static const int32_t GRADES[] = {1, 2, 0, QN_NOT_POOLED, QN_UNJUDGED};
    static const int32_t IDEAL[] = {3, 2, 1, 0};
    cr_assert_eq(ranking.n_ret, 5);
    cr_assert_arr_eq(ranking.grade, GRADES, sizeof GRADES);
    cr_assert_eq(ranking.n_judged, 4);
    cr_assert_arr_eq(ranking.ideal, IDEAL, sizeof IDEAL);
    cr_assert_eq(ranking.n_gain, 3);
    cr_assert_eq(ranking.n_rel, 3);
    cr_assert_eq(ranking.n_nonrel, 1);
    cr_assert_eq(ranking.n_rel_ret, 2);
    cr_assert_eq(ranking.n_judged_ret, 3);
    /* At level 2 and depth 2, in the same room. */
    cr_assert(qn_ranking_make(&ranking, judged, answers, 2, 2));
    cr_assert_eq(ranking.n_ret, 2);
    cr_assert_eq(ranking.n_rel, 2);
    cr_assert_eq(ranking.n_nonrel, 2);
    cr_assert_eq(ranking.n_rel_ret, 1);
    /* No answers. */
    cr_assert(qn_ranking_make(&ranking, judged, qn_trec_topic_named(&run, "2"), 1, 10));
    cr_assert_eq(ranking.n_ret, 0);
    qn_ranking_free(&ranking);
    qn_trec_free(&qrels);
    qn_trec_free(&run);
}

/* Scores are compared as doubles, as in trec_eval 10: these two are the same float. */
Test(trec, close_scores)
{
    qn_trec qrels = {0}, run = {0};
    quern_error error = {0};
    cr_assert_eq(read_text(qn_trec_read_qrels, &qrels, "1 0 a 1\n1 0 b 0\n", &error), QUERN_OK);
    cr_assert_eq(
        read_text(qn_trec_read_run, &run, "1 Q0 a 1 12.6607324 t\n1 Q0 b 2 12.6607322 t\n", &error),
        QUERN_OK);
    qn_ranking ranking = {0};
    cr_assert(qn_ranking_make(&ranking, qn_trec_topic_at(&qrels, 0), qn_trec_topic_at(&run, 0), 1,
                              SIZE_MAX));
    cr_assert_eq(ranking.grade[0], 1);
    qn_ranking_free(&ranking);
    qn_trec_free(&qrels);
    qn_trec_free(&run);
}
