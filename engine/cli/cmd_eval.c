/* quern eval: measures of a run by relevance judgements. */
#include "engine/cli/cli.h"
#include "engine/cli/measures.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

typedef struct eval_options {
    qn_common common;
    qn_text_list measures;
    bool per_query, complete, json;
    uint64_t level, depth;
} eval_options;

static const qn_option OPTIONS[] = {
    {.name = "measure",
     .letter = 'm',
     .kind = QN_OPTION_LIST,
     .offset = offsetof(eval_options, measures),
     .argument = "NAME",
     .help = "Print this measure only (may be repeated): map, ndcg_cut_10, P_5, recip_rank; a "
             "family such as recall means all its cutoffs; official and all_trec (the default) are "
             "trec_eval's sets"},
    {.name = "per-query",
     .letter = 'q',
     .kind = QN_OPTION_FLAG,
     .offset = offsetof(eval_options, per_query),
     .help = "Print the figures of every topic too"},
    {.name = "complete",
     .letter = 'c',
     .kind = QN_OPTION_FLAG,
     .offset = offsetof(eval_options, complete),
     .help = "Average over all judged topics: one that the run does not answer counts as nothing "
             "found (otherwise it does not count)"},
    {.name = "level",
     .letter = 'l',
     .kind = QN_OPTION_COUNT,
     .offset = offsetof(eval_options, level),
     .argument = "GRADE",
     .min = 1,
     .max = INT32_MAX,
     .help = "Documents graded at least so are relevant (default 1); gains are the grades"},
    {.name = "depth",
     .letter = 'M',
     .kind = QN_OPTION_COUNT,
     .offset = offsetof(eval_options, depth),
     .argument = "N",
     .min = 1,
     .max = 1e15,
     .help = "Look at the first N documents of a topic only"},
    {.name = "json",
     .kind = QN_OPTION_FLAG,
     .offset = offsetof(eval_options, json),
     .help = "Print a JSON object a line, with all digits"},
};

static void print_value(qn_text *text, const qn_measure *measure, const char *qid, double value,
                        bool json)
{
    if (json) {
        qn_text_printf(text, "{\"v\":1,\"measure\":\"%s\",\"qid\":", measure->name);
        qn_text_json(text, (quern_span){qid, strlen(qid)});
        qn_text_puts(text, ",\"value\":");
        qn_text_json_number(text, value);
        qn_text_puts(text, "}\n");
    } else {
        qn_text_printf(text, "%s\t%s\t%.*f\n", measure->name, qid,
                       qn_measure_whole(measure) ? 0 : 4, value);
    }
}

/* The judged topics in their order, each counted, and printed if wanted. */
static quern_status count_topics(const eval_options *options, const qn_trec *qrels,
                                 const qn_trec *run, qn_measures *measures, qn_output *out,
                                 size_t *n_topics)
{
    qn_ranking ranking = {0};
    quern_status status = QUERN_OK;
    *n_topics = 0;
    for (size_t at = 0; at < qrels->n && qn_output_alive(out);) {
        qn_trec_topic judged = qn_trec_topic_at(qrels, at);
        qn_trec_topic answers = qn_trec_topic_named(run, judged.row->qid);
        at += judged.n;
        if (answers.n == 0 && !options->complete)
            continue;
        if (!qn_ranking_make(&ranking, judged, answers, (int32_t)options->level,
                             (size_t)options->depth)) {
            status = QUERN_E_MEMORY;
            break;
        }
        (*n_topics)++;
        for (size_t i = 0; i < measures->n; i++) {
            qn_measure *measure = &measures->measure[i];
            double value = qn_measure_value(measure, &ranking);
            qn_measure_count(measure, value);
            if (options->per_query && qn_measure_per_topic(measure))
                print_value(&out->text, measure, judged.row->qid, value, options->json);
        }
        qn_output_settle(out);
    }
    qn_ranking_free(&ranking);
    return status;
}

static int evaluate(const qn_command *command, const eval_options *options, const qn_trec *qrels,
                    const qn_trec *run, qn_measures *measures, const char *run_path)
{
    qn_output out;
    size_t n_topics;
    qn_output_open(&out, STDOUT_FILENO, 2);
    quern_status status = count_topics(options, qrels, run, measures, &out, &n_topics);
    int code = QN_EXIT_DONE;
    if (status != QUERN_OK) {
        quern_error error = {0};
        code = qn_report(command, status, &error);
    } else if (n_topics == 0) {
        qn_complain(command, "no topic of %s is judged",
                    strcmp(run_path, "-") == 0 ? "standard input" : run_path);
        code = QN_EXIT_USAGE;
    } else {
        for (size_t i = 0; i < measures->n; i++) {
            const qn_measure *measure = &measures->measure[i];
            print_value(&out.text, measure, "all", qn_measure_final(measure, n_topics),
                        options->json);
        }
    }
    return qn_end(command, &out, code);
}

static int read_and_evaluate(const qn_command *command, const eval_options *options,
                             qn_measures *measures, char **paths)
{
    qn_trec qrels = {0}, run = {0};
    quern_error error = {0};
    quern_status status = qn_trec_read_qrels(&qrels, paths[0], &error);
    if (status == QUERN_OK)
        status = qn_trec_read_run(&run, paths[1], &error);
    int code = status == QUERN_OK ? evaluate(command, options, &qrels, &run, measures, paths[1])
                                  : qn_report(command, status, &error);
    qn_trec_free(&qrels);
    qn_trec_free(&run);
    return code;
}

static int run_eval(const qn_command *command, int argc, char **argv)
{
    eval_options options = {.level = 1, .depth = UINT64_MAX};
    qn_measures measures = {0};
    int n_operands, code = QN_EXIT_DONE;
    if (qn_begin(command, &options, argc, argv, &n_operands, &code)) {
        char room[160];
        const char *wrong = NULL;
        for (size_t i = 0; i < options.measures.n && wrong == NULL; i++)
            wrong = qn_measures_add(&measures, options.measures.items[i], room, sizeof room);
        if (options.measures.n == 0)
            wrong = qn_measures_add(&measures, "all_trec", room, sizeof room);
        if (wrong != NULL)
            code = qn_wrong_usage(command, "%s", wrong);
        else if (n_operands != 2)
            code = qn_wrong_usage(command, "two files are needed: QRELS and RUN");
        else if (strcmp(argv[0], "-") == 0 && strcmp(argv[1], "-") == 0)
            code = qn_wrong_usage(command, "only one of the two files can be standard input");
        else
            code = read_and_evaluate(command, &options, &measures, argv);
    }
    qn_measures_free(&measures);
    qn_text_list_free(&options.measures);
    return code;
}

const qn_command qn_command_eval = {
    .name = "eval",
    .summary = "measure a run file by relevance judgements",
    .synopsis = "[options] QRELS RUN",
    .description =
        "Prints a line `measure<TAB>topic<TAB>value` for each measure; topic is `all` for the "
        "figure over all topics. Names and figures are trec_eval's, version 10; so is the order "
        "of documents: by score, equal scores by document id, both descending. The ranks in the "
        "run are not looked at.\n\n"
        "QRELS holds lines `topic iteration document grade`, RUN holds lines `topic Q0 document "
        "rank score tag`; - is standard input. A malformed line, or a document twice in a topic, "
        "is an error.",
    .examples = "quern eval qrels.txt my.run\n"
                "#all measures over all topics\n"
                "quern eval -q -m ndcg_cut_10 -m recall_100 qrels.txt my.run\n"
                "#two measures, for each topic and over all\n"
                "quern search my.idx --topics t.tsv --format trec | quern eval -c qrels.txt -\n"
                "#search and measure at once\n",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .run = run_eval,
};
