/*
 * How fast text becomes words: MB/s and words/s of the tokenizer, by each of its paths.
 *
 *     micro_tokenizer [--json] [-r RUNS] [FILE...]
 *
 * A file is read as plain text whatever it is. Without one, generated texts of several kinds are
 * used. Each figure is the median of the runs (7 by default). As JSON, there is a line for each
 * level of the kernels that cut ASCII.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/micro/micro.h"
#include "index/base/buffer.h"
#include "index/base/cpu.h"
#include "index/text/tokenizer.h"

enum { BATCH = 1024, GENERATED = 8 << 20 };

static void die(const char *what)
{
    fprintf(stderr, "micro_tokenizer: %s\n", what);
    exit(4);
}

static uint64_t count_words(qn_tokenizer *t, const qn_buffer *text)
{
    static qn_word words[BATCH];
    uint64_t total = 0;
    size_t n;
    qn_tokenizer_start(t, (const char *)text->data, text->len, 0);
    do {
        if (qn_tokenizer_next(t, words, BATCH, &n, NULL) != QUERN_OK)
            die("out of memory");
        total += n;
    } while (n > 0);
    return total;
}

/* The median seconds that a path takes at the level that QUERN_CPU leaves. */
static double time_path(int path, const qn_buffer *text, unsigned n_runs, uint64_t *words)
{
    static double seconds[MAX_RUNS];
    qn_tokenizer *t = qn_tokenizer_new();
    if (t == NULL)
        die("out of memory");
    qn_tokenizer_set_path(t, (qn_tokenizer_path)path);
    *words = count_words(t, text); /* warms up, and loads the pages of properties */
    for (unsigned i = 0; i < n_runs; i++) {
        double start = now();
        if (count_words(t, text) != *words)
            die("the number of words changes");
        seconds[i] = now() - start;
    }
    qn_tokenizer_free(t);
    return median(seconds, n_runs);
}

static const char *const PATHS[] = {"any", "points", "chunks"};

static void print_path(const char *name, int path, const qn_buffer *text, unsigned n_runs)
{
    uint64_t words;
    double usual = time_path(path, text, n_runs, &words);
    printf("%-24.24s %-7s %9.1f MB/s %8.1f M words/s %10.2f ns/word\n", name, PATHS[path],
           (double)text->len / usual / 1e6, (double)words / usual / 1e6,
           words == 0 ? 0 : usual * 1e9 / (double)words);
}

/* A line for each level up to `best`. */
static void put_path(const char *name, int path, const qn_buffer *text, unsigned n_runs,
                     qn_cpu best)
{
    for (qn_cpu level = QN_CPU_SCALAR; level <= best; level++) {
        uint64_t words;
        if (setenv("QUERN_CPU", qn_cpu_name(level), 1) != 0)
            die("out of memory");
        double usual = time_path(path, text, n_runs, &words);
        put_kernel(&(kernel_speed){.program = "micro_tokenizer",
                                   .kernel = PATHS[path],
                                   .data = name,
                                   .level = qn_cpu_name(level),
                                   .of = "words",
                                   .values_per_s = (double)words / usual,
                                   .bytes_per_s = (double)text->len / usual});
    }
}

/* Levels differ where ASCII is cut into words, which only the path `any` does by kernels. */
static void measure(const char *name, const qn_buffer *text, const micro_options *options)
{
    static bool asked;
    static qn_cpu best;
    if (!asked)
        best = qn_cpu_detect(); /* before QUERN_CPU is changed */
    asked = true;
    for (int path = QN_TOKENIZER_ANY; path <= QN_TOKENIZER_CHUNKS; path++) {
        if (options->json)
            put_path(name, path, text, options->runs,
                     path == QN_TOKENIZER_ANY ? best : QN_CPU_SCALAR);
        else
            print_path(name, path, text, options->runs);
    }
}

static void append(qn_buffer *text, const char *bytes)
{
    if (!qn_buffer_append(text, bytes, strlen(bytes)))
        die("out of memory");
}

/* Text of the words of a list, about as long and as frequent as words are: the first ones often. */
static void generate(qn_buffer *text, const char *const *list, size_t n)
{
    uint64_t seed = 1;
    text->len = 0;
    while (text->len < GENERATED) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        uint32_t a = (uint32_t)(seed >> 33) & 0xFFFF, b = (uint32_t)(seed >> 49) & 0x7FFF;
        append(text, list[(uint64_t)a * b * n >> 31]);
        append(text, (seed >> 60) == 0 ? ", " : " ");
    }
}

static const char *const ENGLISH[] = {
    "the",   "of",      "and",     "to",       "in",        "a",         "is",          "that",
    "for",   "it",      "was",     "with",     "court",     "don't",     "Section",     "between",
    "which", "however", "federal", "evidence", "published", "authority", "information", "1997"};
static const char *const CURLY[] = {
    "the",   "of",      "and",     "to",       "in",       "a",         "is",      "that",
    "for",   "it",      "was",     "with",     "court",    "don’t",     "Section", "between",
    "which", "however", "federal", "evidence", "“quoted”", "authority", "—",       "1997"};
static const char *const FRENCH[] = {"de",       "la",      "à",        "été",        "les",
                                     "l’état",   "dans",    "français", "qu’il",      "même",
                                     "première", "société", "pouvoir",  "République", "où"};
static const char *const RUSSIAN[] = {"и",     "в",        "не",     "на",          "что",
                                      "время", "человек",  "Москва", "государства", "который",
                                      "после", "развитие", "России"};
static const char *const CHINESE[] = {"中国的", "一九四九年。", "人民共和国",
                                      "在",     "经济发展，",   "北京大学"};
static const char *const THAI[] = {"ที่ประเทศไทย", "เป็นภาษา", "และการศึกษา", "ผู้คน"};
static const char *const DECOMPOSED[] = {"e\u0301te\u0301", "a\u0300", "franc\u0327ais", "ﬁne",
                                         "ＦＵＬＬ",        "ﾊﾝｶｸ"};

static void measure_generated(const micro_options *options)
{
#define LIST(list)                                                                                 \
    {                                                                                              \
#list, list, sizeof(list) / sizeof *(list)                                                 \
    }
    static const struct {
        const char *name;
        const char *const *list;
        size_t n;
    } kinds[] = {LIST(ENGLISH), LIST(CURLY), LIST(FRENCH),    LIST(RUSSIAN),
                 LIST(CHINESE), LIST(THAI),  LIST(DECOMPOSED)};
#undef LIST
    qn_buffer text = {0};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        generate(&text, kinds[i].list, kinds[i].n);
        measure(kinds[i].name, &text, options);
    }
    qn_buffer_free(&text);
}

static void read_file(qn_buffer *text, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "micro_tokenizer: cannot open %s: %s\n", path, strerror(errno));
        exit(2);
    }
    size_t got;
    do {
        if (!qn_buffer_reserve(text, 1 << 20))
            die("out of memory");
        got = fread(text->data + text->len, 1, 1 << 20, file);
        text->len += got;
    } while (got > 0);
    if (ferror(file))
        die("cannot read the file");
    fclose(file);
}

int main(int argc, char **argv)
{
    static const micro_form form = {"micro_tokenizer [--json] [-r RUNS] [FILE...]", 7, -1, 0,
                                    INT_MAX};
    micro_options options = read_options(&form, argc, argv);
    if (options.n == 0)
        measure_generated(&options);
    for (int i = 0; i < options.n; i++) {
        qn_buffer text = {0};
        read_file(&text, options.argument[i]);
        measure(file_name(options.argument[i]), &text, &options);
        qn_buffer_free(&text);
    }
    return finished(true);
}
