/* quern stats: what an index holds; its terms; a stored document. */
#include "engine/cli/cli.h"
#include "engine/cli/index_options.h"
#include "index/base/status.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct stats_options {
    qn_common common;
    const char *terms, *document;
    uint64_t limit;
    bool json, any_analyzer, no_mmap;
} stats_options;

#define FIELD(name) offsetof(stats_options, name)

static const qn_option OPTIONS[] = {
    {.name = "terms",
     .letter = 't',
     .kind = QN_OPTION_TEXT,
     .offset = FIELD(terms),
     .argument = "PATTERN",
     .help = "Print the terms that match instead: lines documents<TAB>occurrences<TAB>term; ? is "
             "any character, * any number of them; terms are folded and stemmed"},
    {.name = "limit",
     .letter = 'n',
     .kind = QN_OPTION_COUNT,
     .offset = FIELD(limit),
     .argument = "N",
     .min = 1,
     .max = 1e15,
     .help = "Print N terms at most"},
    {.name = "doc",
     .letter = 'd',
     .kind = QN_OPTION_TEXT,
     .offset = FIELD(document),
     .argument = "ID",
     .help = "Print the stored document of this id instead"},
    QN_OPTION_ANY_ANALYZER(FIELD(any_analyzer)),
    QN_OPTION_NO_MMAP(FIELD(no_mmap)),
    {.name = "json",
     .kind = QN_OPTION_FLAG,
     .offset = FIELD(json),
     .help = "Print JSON, an object a line"},
};

/* ---- the index ---- */

static const char *tune_name(quern_tune tune)
{
    static const char *const names[] = {"balanced", "size", "speed"};
    return names[tune];
}

static void put_json(qn_text *text, const quern_stats *s, const quern_field *fields,
                     size_t n_fields)
{
    const quern_bytes *b = &s->bytes;
    qn_text_printf(text,
                   "{\"v\":1,\"documents\":%llu,\"deleted\":%llu,\"tokens\":%llu,\"terms\":%llu,"
                   "\"postings\":%llu,\"segments\":%llu,\"tune\":\"%s\","
                   "\"reordered\":%s,",
                   (unsigned long long)s->documents, (unsigned long long)s->deleted,
                   (unsigned long long)s->tokens, (unsigned long long)s->terms,
                   (unsigned long long)s->postings, (unsigned long long)s->segments,
                   tune_name(s->tune), s->reordered ? "true" : "false");
    qn_text_printf(
        text,
        "\"bytes\":{\"total\":%llu,\"dictionary\":%llu,\"docids\":%llu,\"tf\":%llu,"
        "\"positions\":%llu,\"bounds\":%llu,\"lengths\":%llu,\"ids\":%llu,"
        "\"store\":%llu,\"other\":%llu,\"bitmaps\":%llu,\"codes\":%llu,"
        "\"ordinals\":%llu}",
        (unsigned long long)b->total, (unsigned long long)b->dictionary,
        (unsigned long long)b->docids, (unsigned long long)b->tf, (unsigned long long)b->positions,
        (unsigned long long)b->bounds, (unsigned long long)b->lengths, (unsigned long long)b->ids,
        (unsigned long long)b->store, (unsigned long long)b->other, (unsigned long long)b->bitmaps,
        (unsigned long long)b->codes, (unsigned long long)b->ordinals);
    for (size_t i = 0; i < n_fields; i++)
        qn_text_printf(text, "%s{\"name\":\"%s\",\"weight\":%.9g,\"tokens\":%llu,\"length\":%.6g}",
                       i == 0 ? ",\"fields\":[" : ",", fields[i].name, (double)fields[i].weight,
                       (unsigned long long)fields[i].tokens, fields[i].average_length);
    qn_text_puts(text, n_fields > 0 ? "]}\n" : "}\n");
}

/* A number with commas between the thousands, right-aligned in `width`. */
static void put_count(qn_text *text, uint64_t number, int width)
{
    char digits[24], grouped[32];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number), n = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            grouped[n++] = ',';
        grouped[n++] = digits[i];
    }
    grouped[n] = '\0';
    qn_text_printf(text, "%*s", width, grouped);
}

static void put_fact(qn_text *text, const char *name, uint64_t number)
{
    qn_text_printf(text, "%-12s", name);
    put_count(text, number, 16);
    qn_text_puts(text, "\n");
}

/* One section: bytes, share, and what one of its things takes. */
static void put_section(qn_text *text, const char *name, uint64_t bytes, uint64_t total,
                        double factor, uint64_t things, const char *unit)
{
    qn_text_printf(text, "%-12s", name);
    put_count(text, bytes, 16);
    qn_text_printf(text, "  %5.1f %%", total > 0 ? 100.0 * (double)bytes / (double)total : 0.0);
    if (unit != NULL && things > 0)
        qn_text_printf(text, "  %8.2f %s", factor * (double)bytes / (double)things, unit);
    qn_text_puts(text, "\n");
}

static void put_table(qn_text *text, const quern_stats *s, const quern_field *fields,
                      size_t n_fields)
{
    const quern_bytes *b = &s->bytes;
    put_fact(text, "documents", s->documents);
    if (s->deleted > 0)
        put_fact(text, "deleted", s->deleted);
    put_fact(text, "tokens", s->tokens);
    put_fact(text, "terms", s->terms);
    put_fact(text, "postings", s->postings);
    put_fact(text, "segments", s->segments);
    qn_text_printf(text, "%-12s%16.1f tokens a document\n", "length", s->average_length);
    for (size_t i = 0; i < n_fields; i++)
        qn_text_printf(text, "%-12s%16.1f tokens a document in %s, which weighs %g\n",
                       i == 0 ? "fields" : "", fields[i].average_length, fields[i].name,
                       (double)fields[i].weight);
    qn_text_printf(text, "%-12s%16s\n", "language", s->language != NULL ? s->language : "none");
    qn_text_printf(text, "%-12sk1 = %g, b = %g, %s\n", "tuned for", (double)s->k1, (double)s->b,
                   tune_name(s->tune));
    qn_text_printf(text, "%-12s%s, %s%s\n\n", "keeps", s->positions ? "positions" : "no positions",
                   s->stored ? "texts" : "no texts", s->reordered ? ", lists reordered" : "");
    qn_text_style(text, QN_BOLD);
    qn_text_printf(text, "%-12s%16s  %7s\n", "section", "bytes", "share");
    qn_text_style(text, QN_PLAIN);
    put_section(text, "dictionary", b->dictionary, b->total, 1, s->terms, "bytes a term");
    put_section(text, "docids", b->docids, b->total, 8, s->postings, "bits a posting");
    put_section(text, "  bitmaps", b->bitmaps, b->total, 1, 0, NULL);
    put_section(text, "tf", b->tf, b->total, 8, s->postings, "bits a posting");
    put_section(text, "  codes", b->codes, b->total, 1, 0, NULL);
    put_section(text, "bounds", b->bounds, b->total, 8, s->postings, "bits a posting");
    put_section(text, "positions", b->positions, b->total, 8, s->positions ? s->tokens : 0,
                "bits a token");
    put_section(text, "lengths", b->lengths, b->total, 1, s->documents, "bytes a document");
    put_section(text, "ids", b->ids, b->total, 1, s->documents, "bytes a document");
    put_section(text, "store", b->store, b->total, 1, s->documents, "bytes a document");
    put_section(text, "other", b->other, b->total, 1, 0, NULL);
    if (s->reordered)
        put_section(text, "  ordinals", b->ordinals, b->total, 1, s->documents, "bytes a document");
    put_section(text, "total", b->total, b->total, 8, s->postings, "bits a posting");
}

/* ---- terms ---- */

static quern_status put_terms(const stats_options *options, const quern_index *index,
                              qn_output *out, quern_error *error)
{
    quern_terms *terms;
    quern_span pattern = {options->terms, strlen(options->terms)};
    quern_status status = quern_terms_new(&terms, index, pattern, error);
    if (status != QUERN_OK)
        return status;
    quern_term term;
    uint64_t left = options->limit;
    while (left-- > 0 && qn_output_alive(out) &&
           (status = quern_terms_next(terms, &term, error)) == QUERN_OK) {
        if (options->json) {
            qn_text_printf(&out->text, "{\"v\":1,\"df\":%llu,\"cf\":%llu,\"term\":",
                           (unsigned long long)term.df, (unsigned long long)term.cf);
            qn_text_json(&out->text, term.term);
            if (term.field.len > 0) {
                qn_text_puts(&out->text, ",\"field\":");
                qn_text_json(&out->text, term.field);
            }
            qn_text_puts(&out->text, "}\n");
        } else {
            qn_text_printf(&out->text, "%llu\t%llu\t", (unsigned long long)term.df,
                           (unsigned long long)term.cf);
            if (term.field.len > 0) {
                qn_text_clean(&out->text, term.field);
                qn_text_puts(&out->text, ":");
            }
            qn_text_clean(&out->text, term.term);
            qn_text_puts(&out->text, "\n");
        }
        qn_output_settle(out);
    }
    quern_terms_free(terms);
    return status == QUERN_END ? QUERN_OK : status;
}

/* ---- a document ---- */

static void put_document(qn_text *text, const quern_document *document, uint32_t length,
                         bool stored, bool json)
{
    if (json) {
        qn_text_puts(text, "{\"v\":1,\"id\":");
        qn_text_json(text, document->id);
        if (stored) {
            qn_text_puts(text, ",\"title\":");
            qn_text_json(text, document->title);
            qn_text_puts(text, ",\"text\":");
            qn_text_json(text, document->text);
        }
        if (document->record.len > 0) {
            qn_text_puts(text, ",\"record\":");
            qn_text_json(text, document->record);
        }
        qn_text_printf(text, ",\"length\":%lu}\n", (unsigned long)length);
        return;
    }
    qn_text_puts(text, "id      ");
    qn_text_clean(text, document->id);
    qn_text_printf(text, "\nlength  %lu token%s\n", (unsigned long)length, length == 1 ? "" : "s");
    if (document->title.len > 0) {
        qn_text_puts(text, "title   ");
        qn_text_style(text, QN_BOLD);
        qn_text_clean(text, document->title);
        qn_text_style(text, QN_PLAIN);
        qn_text_puts(text, "\n");
    }
    if (stored) {
        qn_text_puts(text, "\n");
        /* The text keeps its lines. */
        quern_span rest = document->text;
        while (rest.len > 0) {
            const char *end = memchr(rest.data, '\n', rest.len);
            size_t len = end != NULL ? (size_t)(end - rest.data) : rest.len;
            qn_text_clean(text, (quern_span){rest.data, len});
            qn_text_puts(text, "\n");
            len += end != NULL;
            rest = (quern_span){rest.data + len, rest.len - len};
        }
    }
}

static quern_status show_document(const stats_options *options, const quern_index *index,
                                  bool stored, qn_output *out, quern_error *error)
{
    quern_searcher *searcher;
    quern_span id = {options->document, strlen(options->document)};
    quern_status status = quern_searcher_new(&searcher, index, NULL, error);
    if (status != QUERN_OK)
        return status;
    uint32_t doc, length = 0;
    quern_document document = {0};
    status = quern_find_id(searcher, id, &doc, error);
    if (status == QUERN_NOT_FOUND)
        (void)qn_fail(error, status, "there is no document '%s'", options->document);
    if (status == QUERN_OK)
        status = quern_document_length(searcher, doc, &length, error);
    if (status == QUERN_OK)
        status = stored ? quern_fetch(searcher, doc, &document, error)
                        : quern_fetch_id(searcher, doc, &document.id, error);
    if (status == QUERN_OK)
        put_document(&out->text, &document, length, stored, options->json);
    quern_searcher_free(searcher);
    return status;
}

static int show(const qn_command *command, const stats_options *options, const quern_index *index)
{
    quern_stats stats;
    quern_error error = {0};
    quern_status status = QUERN_OK;
    qn_output out;
    quern_index_stats(index, &stats);
    quern_field fields[QUERN_FIELDS_MAX];
    size_t n_fields = quern_index_fields(index, fields);
    qn_output_open(&out, STDOUT_FILENO, options->json ? 2 : options->common.color);
    if (options->terms != NULL)
        status = put_terms(options, index, &out, &error);
    else if (options->document != NULL)
        status = show_document(options, index, stats.stored, &out, &error);
    else if (options->json)
        put_json(&out.text, &stats, fields, n_fields);
    else
        put_table(&out.text, &stats, fields, n_fields);
    int code = QN_EXIT_DONE;
    if (status != QUERN_OK) {
        qn_output_flush(&out);
        code = qn_report(command, status, &error);
    }
    return qn_end(command, &out, code);
}

static int run_stats(const qn_command *command, int argc, char **argv)
{
    stats_options options = {.limit = UINT64_MAX};
    int n, code;
    if (!qn_begin(command, &options, argc, argv, &n, &code))
        return code;
    if (n != 1)
        return qn_wrong_usage(command, n == 0 ? "an index is needed" : "one index at a time");
    if (options.terms != NULL && options.document != NULL)
        return qn_wrong_usage(command, "--terms and --doc exclude each other");
    if (options.limit != UINT64_MAX && options.terms == NULL)
        return qn_wrong_usage(command, "-n goes with --terms");
    quern_open_options open = QUERN_OPEN_OPTIONS;
    open.any_analyzer = options.any_analyzer;
    open.no_mmap = options.no_mmap;
    quern_index *index = NULL;
    quern_error error = {0};
    quern_status status = quern_index_open(&index, argv[0], &open, &error);
    code = status == QUERN_OK ? show(command, &options, index) : qn_report(command, status, &error);
    quern_index_close(index);
    return code;
}

const qn_command qn_command_stats = {
    .name = "stats",
    .summary = "tell what an index holds, list its terms, show a document",
    .synopsis = "[options] INDEX",
    .description =
        "Prints the counts of an index and what each of its sections takes: in all, as a share, "
        "and for each posting, token, term or document. bitmaps are a part of docids, codes of "
        "tf.\n\n"
        "Exit code 1 means that there is no document of the id that --doc names.",
    .examples = "quern stats my.idx\n"
                "#counts and sizes\n"
                "quern stats my.idx --terms 'eclip*' -n 20\n"
                "#the first 20 terms that start with eclip\n"
                "quern stats my.idx --doc 1234 --json\n"
                "#a stored document\n",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .run = run_stats,
};
