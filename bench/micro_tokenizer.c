/*
 * How fast text becomes words: MB/s and words/s of the tokenizer, by each of its paths.
 *
 *     micro_tokenizer [-r REPETITIONS] [FILE...]
 *
 * A file is read as plain text whatever it is. Without one, generated texts of several kinds are
 * used. Each figure is the median of the repetitions (7 by default).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/micro.h"
#include "index/base/buffer.h"
#include "index/text/tokenizer.h"

enum { BATCH = 1024, GENERATED = 8 << 20, MAX_REPETITIONS = 1001 };

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

static void measure(const char *name, const qn_buffer *text, int repetitions)
{
    static const char *const paths[] = {"any", "points", "chunks"};
    static double seconds[MAX_REPETITIONS];
    for (int path = QN_TOKENIZER_ANY; path <= QN_TOKENIZER_CHUNKS; path++) {
        qn_tokenizer *t = qn_tokenizer_new();
        if (t == NULL)
            die("out of memory");
        qn_tokenizer_set_path(t, (qn_tokenizer_path)path);
        uint64_t words = count_words(t, text); /* warms up, and loads the pages of properties */
        for (int i = 0; i < repetitions; i++) {
            double start = now();
            if (count_words(t, text) != words)
                die("the number of words changes");
            seconds[i] = now() - start;
        }
        double usual = median(seconds, (size_t)repetitions);
        printf("%-24.24s %-7s %9.1f MB/s %8.1f M words/s %10.2f ns/word\n", name, paths[path],
               (double)text->len / usual / 1e6, (double)words / usual / 1e6,
               words == 0 ? 0 : usual * 1e9 / (double)words);
        qn_tokenizer_free(t);
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

static void measure_generated(int repetitions)
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
        measure(kinds[i].name, &text, repetitions);
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
    int repetitions = 7, at = 1;
    if (argc > 2 && strcmp(argv[1], "-r") == 0) {
        repetitions = (int)strtol(argv[2], NULL, 10);
        at = 3;
    }
    if (repetitions < 1 || repetitions > MAX_REPETITIONS) {
        fprintf(stderr, "usage: micro_tokenizer [-r 1..%d] [FILE...]\n", MAX_REPETITIONS);
        return 2;
    }
    if (at == argc)
        measure_generated(repetitions);
    for (; at < argc; at++) {
        qn_buffer text = {0};
        read_file(&text, argv[at]);
        const char *name = strrchr(argv[at], '/');
        measure(name == NULL ? argv[at] : name + 1, &text, repetitions);
        qn_buffer_free(&text);
    }
    return 0;
}
