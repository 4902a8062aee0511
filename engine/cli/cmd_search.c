/* quern search: answers one query, or a file of topics. */
#include "engine/cli/batch.h"
#include "engine/cli/index_options.h"
#include "engine/cli/setup.h"
#include "index/base/status.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct search_options {
    qn_common common;
    const char *topics, *evaluator, *tag, *fields;
    qn_text_list also;
    uint64_t k, threads, snippet;
    int format, syntax;
    double k1, b;
    bool count, explain, json, strict, paranoid, no_mmap, any_analyzer, no_snippet, quiet;
} search_options;

#define FIELD(name) offsetof(search_options, name)

static const qn_option OPTIONS[] = {
    {.name = "k",
     .letter = 'k',
     .kind = QN_OPTION_COUNT,
     .offset = FIELD(k),
     .argument = "N",
     .min = 1,
     .max = 1000000,
     .help = "Print the N best documents (default 10; 1000 for trec)"},
    {.name = "topics",
     .letter = 't',
     .kind = QN_OPTION_TEXT,
     .offset = FIELD(topics),
     .argument = "FILE",
     .help = "Answer every query of a file (- for standard input): lines qid<TAB>text, or JSON "
             "objects with \"_id\" and \"text\""},
    {.name = "format",
     .letter = 'f',
     .kind = QN_OPTION_CHOICE,
     .offset = FIELD(format),
     .choices = QN_HITS_FORMATS,
     .help = "How answers are printed (default text, for people)"},
    {.name = "count",
     .letter = 'c',
     .kind = QN_OPTION_FLAG,
     .offset = FIELD(count),
     .help =
         "Print only how many documents match, which is faster: the number, for --topics behind "
         "the topic's id"},
    {.name = "explain",
     .kind = QN_OPTION_FLAG,
     .offset = FIELD(explain),
     .help = "Tell on standard error, with json in an object of its own, which evaluator answered, "
             "what it visited, and the query's terms: documents, form of the list, weight"},
    {.name = "json",
     .kind = QN_OPTION_FLAG,
     .offset = FIELD(json),
     .help = "The same as --format json"},
    {.name = "snippet",
     .letter = 's',
     .kind = QN_OPTION_COUNT,
     .offset = FIELD(snippet),
     .argument = "N",
     .min = 40,
     .max = 100000,
     .help = "Show N bytes of the text where the query's words stand (default 240 for text; none "
             "for json)"},
    {.name = "no-snippet",
     .kind = QN_OPTION_FLAG,
     .offset = FIELD(no_snippet),
     .help = "Show no stretch of the text"},
    QN_OPTION_ALSO(FIELD(also)),
    QN_OPTION_FIELDS(FIELD(fields)),
    QN_OPTION_BM25("k1", 3, FIELD(k1),
                   "BM25's k1 (default: what the index was built for, mostly 0.9)"),
    QN_OPTION_BM25("b", 1, FIELD(b),
                   "BM25's b (default: what the index was built for, mostly 0.4)"),
    {.name = "threads",
     .letter = 'T',
     .kind = QN_OPTION_COUNT,
     .offset = FIELD(threads),
     .argument = "N",
     .min = 1,
     .max = 1024,
     .help = "Threads that answer topics (default: one per processor); answers and their order "
             "do not depend on it"},
    {.name = "run",
     .kind = QN_OPTION_TEXT,
     .offset = FIELD(tag),
     .argument = "TAG",
     .help = "The last field of trec's lines (default quern)"},
    {.name = "evaluator",
     .kind = QN_OPTION_TEXT,
     .offset = FIELD(evaluator),
     .argument = "NAME",
     .help = "Use this evaluator: all give the same answers, some slower"},
    {.name = "syntax",
     .kind = QN_OPTION_CHOICE,
     .offset = FIELD(syntax),
     .choices = "query|words|topic",
     .help = "How queries are read: query (phrases, +must, -not), words (no character has a "
             "meaning), or topic (words where the text is prose, else query). Default query; topic "
             "for --topics"},
    {.name = "strict",
     .kind = QN_OPTION_FLAG,
     .offset = FIELD(strict),
     .help = "Refuse a query with unknown syntax instead of taking it as words"},
    QN_OPTION_ANY_ANALYZER(FIELD(any_analyzer)),
    QN_OPTION_PARANOID(FIELD(paranoid)),
    QN_OPTION_NO_MMAP(FIELD(no_mmap)),
    {.name = "quiet",
     .letter = 'q',
     .kind = QN_OPTION_FLAG,
     .offset = FIELD(quiet),
     .help = "No notices about queries, no line about number and time at the end"},
};

enum { SNIPPET_BYTES = 240 };

/* ---- what the options mean ---- */

static int check(const qn_command *command, search_options *options, int n_operands)
{
    if (options->json && options->format > 0 && options->format != QN_HITS_JSON)
        return qn_wrong_usage(command, "--json and --format exclude each other");
    if (options->json)
        options->format = QN_HITS_JSON;
    if (options->format < 0)
        options->format = QN_HITS_TEXT;
    if (n_operands == 0)
        return qn_wrong_usage(command, "an index is needed, then a query");
    if (options->topics != NULL && n_operands > 1)
        return qn_wrong_usage(command, "a query and --topics exclude each other");
    if (options->topics == NULL && n_operands == 1)
        return qn_wrong_usage(command, "a query is needed, or --topics FILE");
    if (options->snippet > 0 && options->no_snippet)
        return qn_wrong_usage(command, "--snippet and --no-snippet exclude each other");
    if (options->tag[0] == '\0' || options->tag[strcspn(options->tag, " \t\r\n\v\f")] != '\0')
        return qn_wrong_usage(command, "--run must be a word without white space");
    if (options->count && options->format == QN_HITS_TREC)
        return qn_wrong_usage(command, "--count goes with the formats text, tsv and json");
    if (options->count && (options->k > 0 || options->snippet > 0))
        return qn_wrong_usage(command, "--count excludes -k and --snippet");
    if (options->k == 0)
        options->k = options->format == QN_HITS_TREC ? 1000 : 10;
    if (options->evaluator != NULL &&
        qn_setup_evaluator(command, options->evaluator, strlen(options->evaluator)) == NULL)
        return QN_EXIT_USAGE;
    return QN_EXIT_DONE;
}

static qn_hits_style style_of(const search_options *options, const quern_stats *stats)
{
    qn_hits_style style = {
        .format = (qn_hits_format)options->format, .tag = options->tag, .stored = stats->stored};
    if (!options->no_snippet) {
        style.snippet = (size_t)options->snippet;
        if (style.snippet == 0 && style.format == QN_HITS_TEXT)
            style.snippet = SNIPPET_BYTES;
    }
    return style;
}

/* The words of the command line as one query. */
static bool join_words(qn_text *query, char **words, int n)
{
    for (int i = 0; i < n; i++) {
        if (i > 0)
            qn_text_puts(query, " ");
        qn_text_puts(query, words[i]);
    }
    return !query->failed;
}

/* ---- answering ---- */

static void tell_count(const qn_batch *batch, size_t n_hits, uint64_t documents, double seconds)
{
    if (n_hits == 0)
        qn_complain(batch->command, "no document found");
    else
        (void)fprintf(stderr, "%zu of %llu document%s in %.1f ms\n", n_hits,
                      (unsigned long long)documents, documents == 1 ? "" : "s", seconds * 1e3);
}

static quern_status answer_query(const qn_batch *batch, const search_options *options,
                                 uint64_t documents, char **words, int n_words, qn_output *out,
                                 int *code, quern_error *error)
{
    qn_text query = {0}, notices = {0};
    qn_buffer scratch = {0};
    quern_searcher *searcher = NULL;
    size_t n_hits = 0;
    double seconds = 0;
    quern_status status = join_words(&query, words, n_words) ? QUERN_OK : qn_fail_memory(error);
    if (status == QUERN_OK)
        status = quern_searcher_new(&searcher, batch->index, batch->options, error);
    if (status == QUERN_OK) {
        quern_span span = {(const char *)query.bytes.data, query.bytes.len};
        status = qn_batch_answer(batch, searcher, span, NULL, &out->text, &notices, &scratch,
                                 &n_hits, &seconds, error);
    }
    qn_output_flush(out);
    if (notices.bytes.len > 0)
        (void)fwrite(notices.bytes.data, 1, notices.bytes.len, stderr);
    if (status == QUERN_OK && !options->quiet && !options->count &&
        (n_hits == 0 || batch->style->format == QN_HITS_TEXT))
        tell_count(batch, n_hits, documents, seconds);
    if (status == QUERN_OK && n_hits == 0)
        *code = QN_EXIT_NO;
    quern_searcher_free(searcher);
    qn_text_free(&query);
    qn_text_free(&notices);
    qn_buffer_free(&scratch);
    return status;
}

static quern_status answer_topics(const qn_batch *batch, const search_options *options,
                                  qn_output *out, quern_error *error)
{
    uint64_t n = 0;
    double start = qn_clock();
    qn_signals_catch();
    quern_status status = qn_batch_run(batch, out, &n, error);
    qn_output_flush(out);
    if (status == QUERN_OK && !options->quiet && !batch->count &&
        batch->style->format == QN_HITS_TEXT)
        (void)fprintf(stderr, "%llu topic%s in %.1f ms\n", (unsigned long long)n, n == 1 ? "" : "s",
                      (qn_clock() - start) * 1e3);
    return status;
}

static unsigned thread_count(const search_options *options)
{
    if (options->threads > 0)
        return (unsigned)options->threads;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors > 0 && processors <= 1024 ? (unsigned)processors : 1;
}

static int search(const qn_command *command, const search_options *options,
                  const quern_index *index, char **words, int n_words)
{
    quern_stats stats;
    quern_index_stats(index, &stats);
    quern_search_options scoring = QUERN_SEARCH_OPTIONS;
    scoring.k1 = options->k1 >= 0 ? (float)options->k1 : stats.k1;
    scoring.b = options->b >= 0 ? (float)options->b : stats.b;
    scoring.evaluator = options->evaluator;
    scoring.fields = options->fields;
    scoring.syntax = options->syntax >= 0      ? (quern_syntax)options->syntax
                     : options->topics != NULL ? QUERN_SYNTAX_TOPIC
                                               : QUERN_SYNTAX_QUERY;
    scoring.strict = options->strict;
    qn_hits_style style = style_of(options, &stats);
    qn_batch batch = {.command = command,
                      .index = index,
                      .options = &scoring,
                      .style = &style,
                      .topics = options->topics,
                      .k = (size_t)options->k,
                      .threads = thread_count(options),
                      .positions = stats.positions,
                      .quiet = options->quiet,
                      .count = options->count,
                      .explain = options->explain};
    qn_output out;
    quern_error error = {0};
    int code = QN_EXIT_DONE;
    qn_output_open(&out, STDOUT_FILENO, style.format == QN_HITS_TEXT ? options->common.color : 2);
    quern_status status =
        options->topics != NULL
            ? answer_topics(&batch, options, &out, &error)
            : answer_query(&batch, options, stats.documents, words, n_words, &out, &code, &error);
    if (status != QUERN_OK)
        code = qn_report(command, status, &error);
    return qn_end(command, &out, code);
}

static quern_status open_index(quern_index **index, const search_options *options, const char *path,
                               quern_error *error)
{
    quern_open_options open = QUERN_OPEN_OPTIONS;
    open.paranoid = options->paranoid;
    open.no_mmap = options->no_mmap;
    open.any_analyzer = options->any_analyzer;
    return qn_setup_open(index, path, &options->also, &open, error);
}

static int run_search(const qn_command *command, int argc, char **argv)
{
    search_options options = {.format = -1, .syntax = -1, .tag = "quern", .k1 = -1, .b = -1};
    int n, code;
    if (qn_begin(command, &options, argc, argv, &n, &code))
        code = check(command, &options, n);
    else
        n = 0;
    if (n > 0 && code == QN_EXIT_DONE) {
        quern_index *index = NULL;
        quern_error error = {0};
        quern_status status = open_index(&index, &options, argv[0], &error);
        code = status == QUERN_OK ? search(command, &options, index, argv + 1, n - 1)
                                  : qn_report(command, status, &error);
        quern_index_close(index);
    }
    qn_text_list_free(&options.also);
    return code;
}

const qn_command qn_command_search = {
    .name = "search",
    .summary = "find the best documents for a query",
    .synopsis = "[options] INDEX QUERY... | INDEX --topics FILE",
    .description =
        "Prints the documents that score best by BM25. The words of QUERY are searched in any "
        "inflection; \"a phrase\" stands together; +word must, -word must not occur (put -- before "
        "a query that starts with -); where an index keeps fields apart, title:word looks in one "
        "only. Anything else is taken as words.\n\n"
        "text is for people. tsv: rank, score, id and title, with the topic's id before them for "
        "--topics. json: an object a line. trec: lines for trec_eval and for quern eval.\n\n"
        "Exit code 1 means that no document was found for a single query (with --count, "
        "that the number is 0).",
    .examples = "quern search my.idx solar eclipse\n"
                "#documents with either word, best those with both\n"
                "quern search -k 3 my.idx '\"solar eclipse\" -lunar'\n"
                "#the three best with the phrase, without the word lunar\n"
                "quern search --count my.idx '+solar +eclipse'\n"
                "#how many documents have both words\n"
                "quern search my.idx --topics topics.tsv --format trec > my.run\n"
                "#a run over many topics\n"
                "quern search --fields title^3,text my.idx 'solar title:eclipse'\n"
                "#titles weigh three times as much; eclipse counts only there\n"
                "quern search --json 2024.idx --also 2025.idx eclipse\n"
                "#two indexes as one, for a program\n",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .run = run_search,
};
