/* quern delete: takes documents out of an index by their ids. */
#include "engine/cli/cli.h"
#include "engine/cli/index_options.h"
#include "engine/cli/input.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct delete_options {
    qn_common common;
    const char *ids;
    bool no_join, json, quiet;
} delete_options;

#define FIELD(name) offsetof(delete_options, name)

static const qn_option OPTIONS[] = {
    {.name = "ids",
     .letter = 'i',
     .kind = QN_OPTION_TEXT,
     .offset = FIELD(ids),
     .argument = "FILE",
     .help = "Take ids from this file, one a line; - is standard input"},
    {.name = "no-join",
     .kind = QN_OPTION_FLAG,
     .offset = FIELD(no_join),
     .help = "Do not join segments that have become small"},
    QN_OPTION_REPORT(FIELD(json)),
    {.name = "quiet",
     .letter = 'q',
     .kind = QN_OPTION_FLAG,
     .offset = FIELD(quiet),
     .help = "No summary; ids that are not there are only counted"},
};

/* Ids that are not there are named up to here. */
enum { NAMED = 20 };

typedef struct job {
    const qn_command *command;
    const delete_options *options;
    quern_builder *builder;
    uint64_t n_missing;
} job;

static quern_status delete_one(job *work, quern_span id, quern_error *error)
{
    quern_status status = quern_builder_delete(work->builder, id, error);
    if (status != QUERN_NOT_FOUND)
        return status;
    if (work->n_missing++ < NAMED && !work->options->quiet)
        qn_complain(work->command, "there is no document \"%.*s\"",
                    id.len > 200 ? 200 : (int)id.len, id.data);
    return QUERN_OK;
}

static quern_status delete_lines(job *work, quern_error *error)
{
    qn_input input;
    quern_span line;
    quern_status status = qn_input_open(&input, work->options->ids, error);
    if (status != QUERN_OK)
        return status;
    while ((status = qn_input_next(&input, &line, error)) == QUERN_OK) {
        if (line.len > 0)
            status = delete_one(work, line, error);
        if (status != QUERN_OK)
            break;
    }
    qn_input_close(&input);
    return status == QUERN_END ? QUERN_OK : status;
}

static quern_status delete_all(job *work, char **ids, int n, quern_build_report *report,
                               quern_error *error)
{
    quern_status status = QUERN_OK;
    for (int i = 0; status == QUERN_OK && i < n; i++)
        status = delete_one(work, (quern_span){ids[i], strlen(ids[i])}, error);
    if (status == QUERN_OK && work->options->ids != NULL)
        status = delete_lines(work, error);
    return status == QUERN_OK ? quern_builder_commit(work->builder, report, error) : status;
}

static void tell(const job *work, const char *path, const quern_build_report *report,
                 qn_output *out)
{
    if (work->options->json)
        qn_text_printf(&out->text,
                       "{\"v\":1,\"deleted\":%llu,\"missing\":%llu,\"documents\":%llu,"
                       "\"index_bytes\":%llu,\"joined\":%llu}\n",
                       (unsigned long long)report->deleted, (unsigned long long)work->n_missing,
                       (unsigned long long)report->documents,
                       (unsigned long long)report->index_bytes, (unsigned long long)report->joined);
    if (work->options->quiet)
        return;
    if (work->n_missing > NAMED)
        qn_complain(work->command, "in all, %llu ids are not there",
                    (unsigned long long)work->n_missing);
    (void)fprintf(stderr, "%s: %llu document%s deleted, %llu left\n", path,
                  (unsigned long long)report->deleted, report->deleted == 1 ? "" : "s",
                  (unsigned long long)report->documents);
}

static int run_delete(const qn_command *command, int argc, char **argv)
{
    delete_options options = {0};
    int n, code;
    if (!qn_begin(command, &options, argc, argv, &n, &code))
        return code;
    if (n == 0)
        return qn_wrong_usage(command, "an index is needed");
    if (n == 1 && options.ids == NULL)
        return qn_wrong_usage(command, "no ids: name documents, or a file with --ids");
    const char *path = argv[0];
    quern_error error = {0};
    quern_index *there;
    quern_status status = quern_index_open(&there, path, NULL, &error);
    if (status != QUERN_OK) /* a builder would make what is not there */
        return qn_report(command, status, &error);
    quern_index_close(there);
    job work = {.command = command, .options = &options};
    quern_build_options build_options = QUERN_BUILD_OPTIONS;
    build_options.append = true;
    build_options.no_join = options.no_join;
    quern_build_report report = {0};
    status = quern_builder_open(&work.builder, path, &build_options, &error);
    if (status == QUERN_OK)
        status = delete_all(&work, argv + 1, n - 1, &report, &error);
    quern_builder_free(work.builder);
    if (status != QUERN_OK)
        return qn_report(command, status, &error);
    qn_output out;
    qn_output_open(&out, STDOUT_FILENO, 2);
    tell(&work, path, &report, &out);
    code = work.n_missing > 0 ? QN_EXIT_NO : QN_EXIT_DONE;
    if (report.join_error.status != QUERN_OK) {
        qn_complain(command, "the documents are deleted, but joining segments failed: %s",
                    report.join_error.message);
        code = qn_exit_code(report.join_error.status, &report.join_error);
    }
    return qn_end(command, &out, code);
}

const qn_command qn_command_delete = {
    .name = "delete",
    .summary = "take documents out of an index",
    .synopsis = "[options] INDEX ID...",
    .description =
        "Deletes the documents with these ids, all of them at once. They are no answers from then "
        "on; until their segment is joined with others or compacted, they still count in the "
        "statistics that scores are made from (documents, tokens, df), and take space. Whoever "
        "has the index open keeps seeing them.\n\n"
        "An id that is not there is named, and the exit code is then 1; the others are deleted all "
        "the same.",
    .examples = "quern delete my.idx doc-17 doc-18\n"
                "#two documents\n"
                "quern delete my.idx --ids gone.txt\n"
                "#all that a file lists, one id a line\n"
                "quern search my.idx -k 99 -f tsv spam | cut -f 3 | quern delete my.idx -i -\n"
                "#all that a query finds\n",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .run = run_delete,
};
