/* quern verify: checks every byte of an index. */
#include "engine/cli/cli.h"

#include <string.h>
#include <unistd.h>

typedef struct verify_options {
    qn_common common;
    bool json, quiet;
} verify_options;

static const qn_option OPTIONS[] = {
    {.name = "quiet",
     .letter = 'q',
     .kind = QN_OPTION_FLAG,
     .offset = offsetof(verify_options, quiet),
     .help = "Print nothing where all is well"},
    {.name = "json",
     .kind = QN_OPTION_FLAG,
     .offset = offsetof(verify_options, json),
     .help = "Print a JSON object for each defect, and one at the end"},
};

typedef struct check {
    qn_output out;
    bool json;
    uint64_t n_defects;
} check;

static void on_defect(void *arg, const char *file, const char *defect)
{
    check *work = arg;
    qn_text *text = &work->out.text;
    work->n_defects++;
    if (work->json) {
        qn_text_puts(text, "{\"v\":1,\"file\":");
        qn_text_json(text, (quern_span){file, strlen(file)});
        qn_text_puts(text, ",\"defect\":");
        qn_text_json(text, (quern_span){defect, strlen(defect)});
        qn_text_puts(text, "}\n");
    } else {
        qn_text_clean(text, (quern_span){file, strlen(file)});
        qn_text_puts(text, ": ");
        qn_text_clean(text, (quern_span){defect, strlen(defect)});
        qn_text_puts(text, "\n");
    }
    qn_output_flush(&work->out);
}

static int run_verify(const qn_command *command, int argc, char **argv)
{
    verify_options options = {0};
    int n, code;
    if (!qn_begin(command, &options, argc, argv, &n, &code))
        return code;
    if (n != 1)
        return qn_wrong_usage(command, n == 0 ? "an index is needed" : "one index at a time");
    check work = {.json = options.json};
    quern_error error = {0};
    qn_output_open(&work.out, STDOUT_FILENO, 2);
    quern_status status = quern_verify(argv[0], on_defect, &work, &error);
    /* An index that cannot be opened at all has no defect told; the error names it. */
    if (status == QUERN_E_DAMAGED && work.n_defects == 0)
        on_defect(&work, argv[0], error.message);
    if (options.json && (status == QUERN_OK || status == QUERN_E_DAMAGED))
        qn_text_printf(&work.out.text, "{\"v\":1,\"ok\":%s,\"defects\":%llu}\n",
                       status == QUERN_OK ? "true" : "false", (unsigned long long)work.n_defects);
    else if (status == QUERN_OK && !options.quiet)
        qn_text_puts(&work.out.text, "ok\n");
    code = qn_exit_code(status, &error);
    if (status != QUERN_OK) {
        qn_output_flush(&work.out);
        if (status == QUERN_E_DAMAGED)
            qn_complain(command, "%s is damaged: %llu defect%s", argv[0],
                        (unsigned long long)work.n_defects, work.n_defects == 1 ? "" : "s");
        else
            code = qn_report(command, status, &error);
    }
    return qn_end(command, &work.out, code);
}

const qn_command qn_command_verify = {
    .name = "verify",
    .summary = "check every byte of an index",
    .synopsis = "[options] INDEX",
    .description =
        "Compares every byte with its checksum and checks the structure of all that the index "
        "holds. Prints ok, or a line `file: defect` for each defect; then the exit code is 3.",
    .examples = "quern verify my.idx\n"
                "#ok, or what is wrong\n"
                "quern verify -q my.idx && rsync -a my.idx backup:\n"
                "#only if it is sound\n",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .run = run_verify,
};
