/* quern synth: a corpus of made-up documents, and queries drawn from an index. */
#include "engine/cli/cli.h"
#include "engine/cli/progress.h"
#include "engine/cli/synth_model.h"
#include "engine/cli/synth_queries.h"
#include "index/base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

typedef struct synth_options {
    qn_common common;
    uint64_t documents, from, seed, queries, words;
    const char *output;
    int shape; /* a qn_synth_shape, and one more for all */
    double df_min, df_max;
    bool json, quiet;
} synth_options;

#define FIELD(name) offsetof(synth_options, name)

static const double UNSET = -1; /* no share of documents */

static const qn_option OPTIONS[] = {
    {.name = "documents",
     .letter = 'n',
     .kind = QN_OPTION_COUNT,
     .offset = FIELD(documents),
     .argument = "N",
     .min = 1,
     .max = (double)QN_SYNTH_DOCUMENTS,
     .help = "Make N documents"},
    {.name = "from",
     .kind = QN_OPTION_COUNT,
     .offset = FIELD(from),
     .argument = "N",
     .min = 0,
     .max = (double)(QN_SYNTH_DOCUMENTS - 1),
     .help = "Leave out the first N documents of the corpus (default 0): parts made one by one are "
             "the same as all made at once"},
    {.name = "seed",
     .kind = QN_OPTION_COUNT,
     .offset = FIELD(seed),
     .argument = "N",
     .min = 0,
     .max = 9007199254740992.0,
     .help = "Another number, another corpus or other queries (default 1)"},
    {.name = "output",
     .letter = 'o',
     .kind = QN_OPTION_TEXT,
     .offset = FIELD(output),
     .argument = "FILE",
     .help = "Write to FILE, replacing what it held (default: standard output)"},
    {.name = "queries",
     .kind = QN_OPTION_COUNT,
     .offset = FIELD(queries),
     .argument = "N",
     .min = 1,
     .max = 1e9,
     .help = "Draw N queries of each shape from INDEX instead: lines qid<TAB>query"},
    {.name = "shape",
     .kind = QN_OPTION_CHOICE,
     .offset = FIELD(shape),
     .choices = QN_SYNTH_SHAPE_NAMES "|all",
     .help =
         "The shape of the queries (default all): one word, words, +words, words in a row, words "
         "the last of which is -not, or 8 to 12 words of a sentence"},
    {.name = "words",
     .kind = QN_OPTION_COUNT,
     .offset = FIELD(words),
     .argument = "N",
     .min = 2,
     .max = 8,
     .help = "Words of a query, but of terms and questions (default: two, three or four)"},
    {.name = "df-min",
     .kind = QN_OPTION_REAL,
     .offset = FIELD(df_min),
     .argument = "SHARE",
     .min = 0,
     .max = 1,
     .help = "The least share of the documents that holds a word of a query (default 0)"},
    {.name = "df-max",
     .kind = QN_OPTION_REAL,
     .offset = FIELD(df_max),
     .argument = "SHARE",
     .min = 0,
     .max = 1,
     .help = "The greatest (default 0.2, which leaves stop words out, or 1 where --df-min is more; "
             "questions have them always)"},
    {.name = "json",
     .kind = QN_OPTION_FLAG,
     .offset = FIELD(json),
     .help = "Print queries as JSON, an object a line; documents always are"},
    {.name = "quiet",
     .letter = 'q',
     .kind = QN_OPTION_FLAG,
     .offset = FIELD(quiet),
     .help = "Do not tell of progress"},
};

/* ---- documents ---- */

static quern_status put_documents(const synth_options *options, qn_output *out,
                                  qn_progress *progress, quern_error *error)
{
    qn_synth *synth;
    quern_status status = qn_synth_new(&synth, options->seed, error);
    for (uint64_t i = 0; status == QUERN_OK && i < options->documents && qn_output_alive(out);
         i++) {
        if (i % 4096 == 0 && !qn_progress_step(progress, "writing", i, options->documents))
            status = QUERN_E_CANCELLED;
        else
            status = qn_synth_document(synth, options->from + i, &out->text.bytes, error);
        qn_output_settle(out);
    }
    qn_synth_free(synth);
    return status;
}

/* ---- queries ---- */

/* One line; nothing if there is no such query. `text` is scratch. */
static quern_status put_query(const synth_options *options, qn_synth_queries *queries,
                              qn_synth_shape shape, uint64_t number, qn_text *text, qn_text *out,
                              quern_error *error)
{
    const char *name = qn_synth_shape_name(shape);
    text->bytes.len = 0;
    quern_status status = qn_synth_queries_draw(queries, shape, text, error);
    if (status != QUERN_OK)
        return status;
    if (options->json) {
        qn_text_printf(out, "{\"v\":1,\"_id\":\"%s-%llu\",\"shape\":\"%s\",\"text\":", name,
                       (unsigned long long)number, name);
        qn_text_json(out, (quern_span){(const char *)text->bytes.data, text->bytes.len});
    } else {
        qn_text_printf(out, "%s-%llu\t", name, (unsigned long long)number);
        qn_text_put(out, (const char *)text->bytes.data, text->bytes.len);
    }
    qn_text_puts(out, options->json ? "}\n" : "\n");
    return text->failed ? qn_fail_memory(error) : QUERN_OK;
}

/* QUERN_NOT_FOUND if there are less than were asked for. */
static quern_status put_shape(const synth_options *options, qn_synth_queries *queries,
                              qn_synth_shape shape, qn_output *out, quern_error *error)
{
    quern_status status = QUERN_OK;
    qn_text text = {0};
    for (uint64_t i = 1; status == QUERN_OK && i <= options->queries && qn_output_alive(out); i++) {
        status = qn_interrupted() != 0
                     ? QUERN_E_CANCELLED
                     : put_query(options, queries, shape, i, &text, &out->text, error);
        qn_output_settle(out);
    }
    qn_text_free(&text);
    return status;
}

/* Every shape is drawn by itself, so that its queries do not depend on the others. What one shape
 * lacks is told, and does not keep the others from being drawn. */
static quern_status put_queries(const qn_command *command, const synth_options *options,
                                const char *path, qn_output *out, quern_error *error)
{
    quern_index *index = NULL;
    quern_status status = quern_index_open(&index, path, NULL, error);
    bool less = false;
    for (int shape = 0; status == QUERN_OK && shape < QN_SYNTH_SHAPES; shape++) {
        if (options->shape != QN_SYNTH_SHAPES && options->shape != shape)
            continue;
        bool any = shape == QN_SYNTH_QUESTION;
        /* No shape's queries of one seed are drawn as another's of the next. */
        const qn_synth_wish wish = {.seed = options->seed * QN_SYNTH_SHAPES + (uint64_t)shape,
                                    .words = (uint32_t)options->words,
                                    .df_min = any ? 0 : options->df_min,
                                    .df_max = any ? 1 : options->df_max};
        qn_synth_queries *queries = NULL;
        status = qn_synth_queries_new(&queries, index, &wish, error);
        if (status == QUERN_OK)
            status = put_shape(options, queries, (qn_synth_shape)shape, out, error);
        qn_synth_queries_free(queries);
        if (status == QUERN_NOT_FOUND) {
            qn_complain(command, "%s: %s", qn_synth_shape_name((qn_synth_shape)shape),
                        error->message);
            less = true;
            status = QUERN_OK;
        }
    }
    quern_index_close(index);
    return status == QUERN_OK && less ? QUERN_NOT_FOUND : status;
}

/* ---- the command ---- */

static int check(const qn_command *command, synth_options *options, int n_operands)
{
    bool queries = options->queries > 0;
    bool of_queries = options->shape >= 0 || options->words > 0 || options->df_min != UNSET ||
                      options->df_max != UNSET;
    if (!queries && options->documents == 0)
        return qn_wrong_usage(command, "-n N is missing, or --queries N INDEX");
    if (queries && (options->documents > 0 || options->from > 0))
        return qn_wrong_usage(command, "--queries excludes -n and --from");
    if (queries && n_operands != 1)
        return qn_wrong_usage(command, n_operands == 0 ? "an index is needed to draw queries from"
                                                       : "one index at a time");
    if (!queries && n_operands > 0)
        return qn_wrong_usage(command, "an index goes with --queries N");
    if (!queries && of_queries)
        return qn_wrong_usage(command,
                              "--shape, --words, --df-min and --df-max go with --queries N");
    if (options->documents > QN_SYNTH_DOCUMENTS - options->from)
        return qn_wrong_usage(command, "there are no more than %llu documents",
                              (unsigned long long)QN_SYNTH_DOCUMENTS);
    if (options->shape < 0)
        options->shape = QN_SYNTH_SHAPES;
    if (options->df_min == UNSET)
        options->df_min = 0;
    if (options->df_max == UNSET)
        options->df_max = options->df_min > 0.2 ? 1 : 0.2;
    if (options->df_min > options->df_max)
        return qn_wrong_usage(command, "--df-min is greater than --df-max");
    return QN_EXIT_DONE;
}

/* The file to write to; -1 after complaining. */
static int open_output(const qn_command *command, const char *path, int *code)
{
    if (path == NULL)
        return STDOUT_FILENO;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        quern_error error = {0};
        *code = qn_report(command, qn_fail_sys(&error, errno, "open", path), &error);
    }
    return fd;
}

/* Ends the output; `code` if that succeeds. */
static int end(const qn_command *command, const synth_options *options, qn_output *out, int code)
{
    qn_output_flush(out);
    if (options->output == NULL || out->sys_errno == 0)
        return qn_end(command, out, code);
    quern_error error = {0};
    quern_status status = qn_fail_sys(&error, out->sys_errno, "write", options->output);
    qn_text_free(&out->text);
    return qn_report(command, status, &error);
}

/* Documents, or where `path` names an index, queries. */
static int write_all(const qn_command *command, const synth_options *options, int fd,
                     const char *path)
{
    qn_output out;
    quern_error error = {0};
    qn_progress progress;
    qn_output_open(&out, fd, 2);
    qn_progress_init(&progress, options->quiet || isatty(fd));
    progress.unit = "documents";
    qn_signals_catch();
    quern_status status = path == NULL ? put_documents(options, &out, &progress, &error)
                                       : put_queries(command, options, path, &out, &error);
    qn_progress_clear(&progress);
    qn_progress_free(&progress);
    if (status == QUERN_E_CANCELLED || (status == QUERN_NOT_FOUND && path != NULL))
        return end(command, options, &out, qn_exit_code(status, &error)); /* it has been told */
    return end(command, options, &out,
               status == QUERN_OK ? QN_EXIT_DONE : qn_report(command, status, &error));
}

static int run_synth(const qn_command *command, int argc, char **argv)
{
    synth_options options = {.seed = 1, .shape = -1, .df_min = UNSET, .df_max = UNSET};
    int n, code;
    if (!qn_begin(command, &options, argc, argv, &n, &code))
        return code;
    code = check(command, &options, n);
    if (code != QN_EXIT_DONE)
        return code;
    int fd = open_output(command, options.output, &code);
    if (fd < 0)
        return code;
    code = write_all(command, &options, fd, options.queries > 0 ? argv[0] : NULL);
    if (fd != STDOUT_FILENO && close(fd) != 0) {
        quern_error error = {0};
        return qn_report(command, qn_fail_sys(&error, errno, "write", options.output), &error);
    }
    return code;
}

const qn_command qn_command_synth = {
    .name = "synth",
    .summary = "make up a corpus, or draw queries from an index",
    .synopsis = "-n N [options] | --queries N [options] INDEX",
    .description =
        "Makes up documents that are to an index what real text is: as many frequent and rare "
        "words, which crowd in documents, among neighbours and by topic, and lengths like those of "
        "passages. They are JSON Lines that quern index reads, the same on every machine for the "
        "same seed, and of any number: memory does not grow with it. Their words look like words "
        "and mean nothing.\n\n"
        "With --queries, draws queries from an index: of words that stand in one document, and "
        "each with at least one answer. Without stored texts, they are of its terms instead, each "
        "drawn by itself, and there are no phrases. The lines are what quern search --topics and "
        "quern bench -q read.\n\n"
        "Exit code 1 means that less queries were found than were asked for.",
    .examples = "quern synth -n 1000000 | quern index -o synth.idx -\n"
                "#an index of a million documents\n"
                "quern synth --queries 100 synth.idx >queries.tsv\n"
                "#a hundred queries of each shape\n"
                "quern synth --queries 100 --shape union --df-min 0.1 --df-max 1 synth.idx\n"
                "#words that are in a tenth of the documents or more\n"
                "quern synth -n 1000 --from 5000 --seed 7 -o part.jsonl\n"
                "#documents 5,000 to 5,999 of another corpus\n",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .run = run_synth,
};
