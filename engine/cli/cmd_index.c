/* quern index: builds an index from files of documents. */
#include "engine/cli/cli.h"
#include "engine/cli/index_options.h"
#include "engine/cli/progress.h"
#include "index/base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct index_options {
    qn_common common;
    const char *output, *language, *stopwords, *fields;
    int format, store, on_duplicate, tune;
    uint64_t memory, threads, max_errors;
    double k1, b;
    bool no_positions, no_store, force, append, update, prune, no_join, reorder, json, quiet,
        verbose;
} index_options;

#define FIELD(name) offsetof(index_options, name)

static const qn_option OPTIONS[] = {
    QN_OPTION_OUTPUT(FIELD(output)),
    QN_OPTION_FORCE(FIELD(force)),
    {.name = "append",
     .kind = QN_OPTION_FLAG,
     .offset = FIELD(append),
     .help = "Add to an index that is there; language, stop words, fields, positions and store are "
             "then as in that index"},
    {.name = "update",
     .letter = 'u',
     .kind = QN_OPTION_FLAG,
     .offset = FIELD(update),
     .help = "Add, and replace documents whose ids are there; what is as it was is left alone"},
    {.name = "prune",
     .kind = QN_OPTION_FLAG,
     .offset = FIELD(prune),
     .help = "With --update: delete the documents of the index that are not given again"},
    {.name = "no-join",
     .kind = QN_OPTION_FLAG,
     .offset = FIELD(no_join),
     .help = "With --append or --update: do not join small segments afterwards"},
    {.name = "format",
     .letter = 'f',
     .kind = QN_OPTION_CHOICE,
     .offset = FIELD(format),
     .choices = "auto|jsonl|tsv|text",
     .help = "What the files hold; auto goes by name, then by content"},
    {.name = "language",
     .letter = 'l',
     .kind = QN_OPTION_TEXT,
     .offset = FIELD(language),
     .argument = "NAME",
     .help = "Stemmer: english (the default), german, ... as libstemmer calls them, or none"},
    QN_OPTION_MEMORY(
        FIELD(memory),
        "Ceiling of the memory used (default 1G, least 32M); the index does not depend on it"),
    QN_OPTION_THREADS(FIELD(threads)),
    {.name = "stopwords",
     .kind = QN_OPTION_TEXT,
     .offset = FIELD(stopwords),
     .argument = "FILE",
     .help = "Words not to index, separated by white space (default: all words are indexed)"},
    {.name = "fields",
     .kind = QN_OPTION_TEXT,
     .offset = FIELD(fields),
     .argument = "LIST",
     .help = "Keep these fields apart, to be searched as title:word, with what they weigh in a "
             "search: title^2,text. They are the keys of JSON objects, or the columns of a TSV "
             "file after the id (default: title and text are one)"},
    {.name = "no-positions",
     .kind = QN_OPTION_FLAG,
     .offset = FIELD(no_positions),
     .help = "Leave word positions out: smaller, but a phrase then only asks for all its words"},
    {.name = "no-store",
     .kind = QN_OPTION_FLAG,
     .offset = FIELD(no_store),
     .help = "Keep no text, only ids: no titles or snippets in answers"},
    {.name = "store",
     .kind = QN_OPTION_CHOICE,
     .offset = FIELD(store),
     .choices = "text|record",
     .help = "Keep title and text (the default), or the whole record too"},
    {.name = "on-duplicate",
     .kind = QN_OPTION_CHOICE,
     .offset = FIELD(on_duplicate),
     .choices = "error|skip|replace",
     .help = "What to do about an id that is there already: stop (the default), keep the first, or "
             "keep the last"},
    {.name = "max-errors",
     .kind = QN_OPTION_COUNT,
     .offset = FIELD(max_errors),
     .argument = "N",
     .min = 0,
     .max = 1e15,
     .help = "Stop, and make no index, after more than N malformed records (default: skip any "
             "number)"},
    QN_OPTION_BM25("k1", 3, FIELD(k1), "BM25's k1 that the index is tuned for (default 0.9)"),
    QN_OPTION_BM25("b", 1, FIELD(b), "BM25's b that the index is tuned for (default 0.4)"),
    {.name = "tune",
     .kind = QN_OPTION_CHOICE,
     .offset = FIELD(tune),
     .choices = "balanced|size|speed",
     .help = "What the lists of frequent words are for (default balanced): size makes a smaller "
             "index, speed faster queries; answers are the same"},
    {.name = "reorder",
     .kind = QN_OPTION_FLAG,
     .offset = FIELD(reorder),
     .help = "Keep lists in an order of documents in which those that share words are near one "
             "another: smaller and faster where they come in no order, a longer build; answers are "
             "the same"},
    QN_OPTION_REPORT(FIELD(json)),
    {.name = "quiet",
     .letter = 'q',
     .kind = QN_OPTION_FLAG,
     .offset = FIELD(quiet),
     .help = "No progress, no summary"},
    {.name = "verbose",
     .letter = 'v',
     .kind = QN_OPTION_FLAG,
     .offset = FIELD(verbose),
     .help = "Name every malformed record, not only the first 20"},
};

/* Malformed records named without -v. */
enum { NAMED = 20 };

typedef struct job {
    const qn_command *command;
    const index_options *options;
    qn_progress progress;
    uint64_t n_errors;
} job;

static void on_bad_record(void *arg, const quern_error *error)
{
    job *work = arg;
    if (work->n_errors++ < NAMED || work->options->verbose) {
        qn_progress_clear(&work->progress);
        qn_complain(NULL, "%s", error->message);
    } else if (work->n_errors == NAMED + 1) {
        qn_progress_clear(&work->progress);
        qn_complain(NULL, "more malformed records follow; they are only counted (-v names all)");
    }
}

/* ---- the summary ---- */

static void put_json(qn_text *text, const quern_build_report *report, double seconds)
{
    double rate = seconds > 0 ? (double)report->input_bytes / seconds * 1e-6 : 0;
    qn_text_printf(text,
                   "{\"v\":1,\"documents\":%llu,\"skipped\":%llu,\"malformed\":%llu,"
                   "\"input_bytes\":%llu,\"index_bytes\":%llu,\"seconds\":%.3f,\"mb_per_s\":%.1f,"
                   "\"peak_rss_bytes\":%llu,\"replaced\":%llu,\"unchanged\":%llu,\"deleted\":%llu,"
                   "\"joined\":%llu}\n",
                   (unsigned long long)report->documents, (unsigned long long)report->skipped,
                   (unsigned long long)report->malformed, (unsigned long long)report->input_bytes,
                   (unsigned long long)report->index_bytes, seconds, rate,
                   (unsigned long long)qn_peak_resident_bytes(),
                   (unsigned long long)report->replaced, (unsigned long long)report->unchanged,
                   (unsigned long long)report->deleted, (unsigned long long)report->joined);
}

static void tell_count(uint64_t n, const char *one, const char *many)
{
    if (n > 0)
        (void)fprintf(stderr, "%llu %s\n", (unsigned long long)n, n == 1 ? one : many);
}

static void tell_summary(const index_options *options, const quern_build_report *report,
                         double seconds)
{
    (void)fprintf(stderr,
                  "%s: %llu document%s, %.1f MB, from %.1f MB in %.1f s (%.0f MB/s, %.0f MB of "
                  "memory)\n",
                  options->output, (unsigned long long)report->documents,
                  report->documents == 1 ? "" : "s", (double)report->index_bytes * 1e-6,
                  (double)report->input_bytes * 1e-6, seconds,
                  seconds > 0 ? (double)report->input_bytes / seconds * 1e-6 : 0,
                  (double)qn_peak_resident_bytes() * 1e-6);
    tell_count(report->malformed, "malformed record was skipped", "malformed records were skipped");
    tell_count(report->skipped, "duplicate was left out", "duplicates were left out");
    tell_count(report->replaced, "document was replaced", "documents were replaced");
    tell_count(report->unchanged, "document was there already", "documents were there already");
    tell_count(report->deleted, "document was deleted", "documents were deleted");
    tell_count(report->joined, "segment was joined with others", "segments were joined");
    if (options->prune && report->malformed > 0)
        (void)fputs("nothing was pruned, as records were malformed\n", stderr);
    tell_count(report->long_words, "word of more than 255 bytes was left out",
               "words of more than 255 bytes were left out");
    tell_count(report->bad_utf8, "invalid UTF-8 sequence was replaced",
               "invalid UTF-8 sequences were replaced");
}

/* ---- the work ---- */

static quern_status add_files(job *work, quern_builder *builder, char **paths, int n,
                              quern_error *error)
{
    uint64_t most = work->options->max_errors;
    for (int i = 0; i < n; i++) {
        quern_source_options source = QUERN_SOURCE_OPTIONS;
        source.format = (quern_format)work->options->format;
        source.max_errors = most == UINT64_MAX ? most : most - work->n_errors;
        source.on_error = on_bad_record;
        source.on_error_arg = work;
        qn_progress_label(&work->progress,
                          strcmp(paths[i], "-") == 0 ? "standard input" : paths[i]);
        quern_status status = quern_builder_add_file(builder, paths[i], &source, error);
        if (work->n_errors > most)
            return qn_fail(error, QUERN_E_INPUT,
                           "more than %llu malformed records: nothing was indexed",
                           (unsigned long long)most);
        if (status != QUERN_OK)
            return status;
        /* A source may end without having asked. */
        if (qn_interrupted() != 0)
            return QUERN_E_CANCELLED;
    }
    qn_progress_label(&work->progress, NULL);
    return QUERN_OK;
}

static quern_status build(job *work, const quern_build_options *build_options, char **paths, int n,
                          quern_build_report *report, quern_error *error)
{
    quern_builder *builder;
    quern_status status = quern_builder_open(&builder, work->options->output, build_options, error);
    if (status != QUERN_OK)
        return status;
    status = add_files(work, builder, paths, n, error);
    if (status == QUERN_OK)
        status = quern_builder_commit(builder, report, error);
    quern_builder_free(builder);
    return status;
}

/* Complains of a failed build; where an index stands in the way, names the options for that. */
static int report_failure(const job *work, quern_status status, const quern_error *error)
{
    const index_options *options = work->options;
    bool asked = options->force || options->append || options->update;
    if (status != QUERN_E_EXISTS || asked || !qn_is_index(options->output))
        return qn_report(work->command, status, error);
    qn_complain(work->command, "%s; --force replaces an index, --append and --update add to one",
                error->message);
    return qn_exit_code(status, error);
}

static int build_and_tell(job *work, const quern_build_options *build_options, char **paths, int n)
{
    const index_options *options = work->options;
    quern_build_report report = {0};
    quern_error error = {0};
    double start = qn_clock();
    quern_status status = build(work, build_options, paths, n, &report, &error);
    double seconds = qn_clock() - start;
    qn_progress_clear(&work->progress);
    if (status == QUERN_E_CANCELLED) {
        qn_complain(work->command, "interrupted; %s is as it was", options->output);
        return qn_exit_code(status, &error);
    }
    if (status != QUERN_OK)
        return report_failure(work, status, &error);
    if (!options->quiet)
        tell_summary(options, &report, seconds);
    if (report.documents == 0)
        qn_complain(work->command, "the index holds no document");
    qn_output out;
    qn_output_open(&out, STDOUT_FILENO, 2);
    if (options->json)
        put_json(&out.text, &report, seconds);
    int code = QN_EXIT_DONE;
    if (report.join_error.status != QUERN_OK) {
        qn_complain(work->command, "all documents are in %s, but joining its segments failed: %s",
                    options->output, report.join_error.message);
        code = qn_exit_code(report.join_error.status, &report.join_error);
    }
    return qn_end(work->command, &out, code);
}

/* Reads the file of stop words whole. */
static quern_status read_stopwords(qn_buffer *words, const char *path, quern_error *error)
{
    enum { PIECE = 64 << 10, MOST = 64 << 20 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return qn_fail_sys(error, errno, "open", path);
    quern_status status = QUERN_OK;
    ssize_t n = 1;
    while (status == QUERN_OK && n > 0) {
        if (!qn_buffer_reserve(words, PIECE)) {
            status = qn_fail_memory(error);
            break;
        }
        n = read(fd, words->data + words->len, PIECE);
        if (n < 0)
            status = qn_fail_sys(error, errno, "read", path);
        else
            words->len += (size_t)n;
        if (words->len > MOST)
            status = qn_fail(error, QUERN_E_INPUT, "%s is larger than 64 MiB", path);
    }
    (void)close(fd);
    return status;
}

/* Finds out about a slip in the last name before hours of work on the first. */
static quern_status check_paths(char **paths, int n, quern_error *error)
{
    int n_stdin = 0;
    for (int i = 0; i < n; i++) {
        struct stat about;
        if (strcmp(paths[i], "-") == 0) {
            if (++n_stdin > 1)
                return qn_fail(error, QUERN_E_INPUT, "standard input is named twice");
        } else if (stat(paths[i], &about) != 0 || access(paths[i], R_OK) != 0) {
            return qn_fail_sys(error, errno, "read", paths[i]);
        }
    }
    return QUERN_OK;
}

static int run_checked(const qn_command *command, const index_options *options, char **paths, int n)
{
    quern_build_options build_options = QUERN_BUILD_OPTIONS;
    qn_buffer stopwords = {0};
    quern_error error = {0};
    quern_status status = check_paths(paths, n, &error);
    if (status == QUERN_OK && options->stopwords != NULL)
        status = read_stopwords(&stopwords, options->stopwords, &error);
    if (status != QUERN_OK) {
        qn_buffer_free(&stopwords);
        return qn_report(command, status, &error);
    }
    job work = {.command = command, .options = options};
    build_options.language = options->language;
    build_options.stopwords = (quern_span){(const char *)stopwords.data, stopwords.len};
    build_options.fields = options->fields;
    build_options.memory = options->memory;
    build_options.threads = (unsigned)options->threads;
    build_options.no_positions = options->no_positions;
    build_options.store = options->no_store     ? QUERN_STORE_NONE
                          : options->store == 1 ? QUERN_STORE_RECORD
                                                : QUERN_STORE_TEXT;
    build_options.on_duplicate =
        options->update ? QUERN_DUPLICATE_REPLACE : (quern_on_duplicate)options->on_duplicate;
    build_options.force = options->force;
    build_options.append = options->append || options->update;
    build_options.skip_unchanged = options->update;
    build_options.prune = options->prune;
    build_options.no_join = options->no_join;
    build_options.reorder = options->reorder;
    build_options.k1 = (float)options->k1;
    build_options.b = (float)options->b;
    build_options.tune = (quern_tune)options->tune;
    build_options.progress = qn_progress_step;
    build_options.progress_arg = &work.progress;
    qn_progress_init(&work.progress, options->quiet);
    qn_signals_catch();
    int code = build_and_tell(&work, &build_options, paths, n);
    qn_progress_free(&work.progress);
    qn_buffer_free(&stopwords);
    return code;
}

static int run_index(const qn_command *command, int argc, char **argv)
{
    index_options options = {.memory = (uint64_t)1 << 30,
                             .max_errors = UINT64_MAX,
                             .store = -1,
                             .on_duplicate = -1,
                             .k1 = 0.9,
                             .b = 0.4};
    int n, code;
    if (!qn_begin(command, &options, argc, argv, &n, &code))
        return code;
    if (options.output == NULL)
        return qn_wrong_usage(command, "-o INDEX is missing: the directory to make");
    if (n == 0)
        return qn_wrong_usage(command, "no input: name files, or - for standard input");
    if (options.force && (options.append || options.update))
        return qn_wrong_usage(command, "--force and --%s exclude each other",
                              options.append ? "append" : "update");
    if (options.update && options.on_duplicate >= 0)
        return qn_wrong_usage(command, "--update replaces, so --on-duplicate makes no sense");
    if (options.prune && !options.update)
        return qn_wrong_usage(command, "--prune needs --update");
    options.on_duplicate = options.on_duplicate < 0 ? 0 : options.on_duplicate;
    if (options.no_store && options.store >= 0)
        return qn_wrong_usage(command, "--store and --no-store exclude each other");
    return run_checked(command, &options, argv, n);
}

const qn_command qn_command_index = {
    .name = "index",
    .summary = "build an index from files of documents",
    .synopsis = "-o INDEX [options] FILE... | -",
    .description =
        "Reads documents from files, directories or standard input (-) and makes the directory "
        "INDEX. Files may be compressed with gzip or zstd. The index appears only when it is "
        "complete; an interrupted build leaves what was there before.\n\n"
        "jsonl: one JSON object a line with the members \"id\", \"text\" and perhaps \"title\". "
        "tsv: id<TAB>text, or id<TAB>title<TAB>text. text: each file is a document and its path "
        "is the id; a directory is walked, and the path counts from there.\n\n"
        "A malformed record is named on standard error as file:line and skipped.\n\n"
        "An index that grows (--append, --update) has a segment for each time; small ones are "
        "joined by and by, without disturbing whoever searches meanwhile. One command at a time "
        "may change an index.",
    .examples = "quern index -o my.idx corpus.jsonl.zst\n"
                "#from a compressed file of JSON objects\n"
                "zcat corpus.tsv.gz | quern index -o my.idx --format tsv --language german -\n"
                "#German, from standard input\n"
                "quern index -o notes.idx --format text ~/notes\n"
                "#every file of a directory\n"
                "quern index -o my.idx --append more.jsonl\n"
                "#more documents for an index that is there\n"
                "quern index -o notes.idx --update --prune --format text ~/notes\n"
                "#what changed there since: new, other and removed files\n",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .run = run_index,
};
