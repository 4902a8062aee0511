/*
 * How fast a term is found, and what a term costs on disk.
 *
 *     micro_dict [--json] [WORDS]
 *
 * WORDS has a term a line in byte order; tab-separated after it may stand df, cf, a document and
 * positions (for terms with df 1). Without a file, 700,000 words are made up.
 */
#include "bench/micro/micro.h"
#include "index/base/cpu.h"
#include "index/segment/dict.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MADE_UP = 700000, LOOKUPS = 2000000, BATCH = 4096 };

typedef struct word {
    char *term;
    uint32_t len;
    qn_term_info info;
} word;

typedef struct words {
    word *word;
    size_t n, cap;
} words;

static void die(const char *what)
{
    (void)fprintf(stderr, "micro_dict: %s\n", what);
    exit(1);
}

static void check(quern_status status, const quern_error *error)
{
    if (status != QUERN_OK)
        die(error->message);
}

static word *add_word(words *list)
{
    void *array = list->word;
    if (!qn_array_grow(&array, &list->cap, list->n + 1, sizeof *list->word))
        die("out of memory");
    list->word = array;
    list->word[list->n] = (word){0};
    return &list->word[list->n++];
}

/* Postings and positions of about the size that real lists have. */
static void guess_lengths(qn_term_info *info)
{
    if (info->df > 1)
        info->postings_len = 3 + info->df + info->df / 3;
    if (info->df > 1 || info->cf > QN_INLINE_TF_MAX)
        info->positions_len = 2 + info->cf;
}

static void read_words(words *list, FILE *file)
{
    char *line = NULL;
    size_t cap = 0;
    while (getline(&line, &cap, file) > 0) {
        char *field = strtok(line, "\t\n");
        size_t len = field != NULL ? strlen(field) : 0;
        if (len == 0 || len > QN_TERM_MAX)
            continue;
        word *w = add_word(list);
        w->term = strdup(field);
        if (w->term == NULL)
            die("out of memory");
        w->len = (uint32_t)len;
        w->info.df =
            (field = strtok(NULL, "\t\n")) != NULL ? (uint32_t)strtoul(field, NULL, 10) : 1;
        if (w->info.df == 0)
            die("a df is no number, or 0");
        w->info.cf = (field = strtok(NULL, "\t\n")) != NULL ? strtoul(field, NULL, 10) : w->info.df;
        if (w->info.df == 1) {
            field = strtok(NULL, "\t\n");
            w->info.doc = field != NULL ? (uint32_t)strtoul(field, NULL, 10) : 0;
            w->info.n_inline = w->info.cf <= QN_INLINE_TF_MAX ? (uint32_t)w->info.cf : 0;
            for (uint32_t i = 0; i < w->info.n_inline; i++) {
                field = strtok(NULL, "\t\n");
                w->info.position[i] = field != NULL ? (uint32_t)strtoul(field, NULL, 10) : i;
            }
        }
        guess_lengths(&w->info);
    }
    free(line);
}

static int by_term(const void *a, const void *b)
{
    return strcmp(((const word *)a)->term, ((const word *)b)->term);
}

/* Words of syllables, with the document frequencies of Zipf's law. */
static void make_words(words *list)
{
    static const char *const syllable[] = {"ba", "con", "der", "es",   "fi",  "gra", "ho",  "in",
                                           "ju", "ka",  "lo",  "ment", "ne",  "or",  "pre", "qua",
                                           "ri", "st",  "ta",  "un",   "ver", "wi",  "ing", "1"};
    uint64_t random = 1;
    for (size_t i = 0; i < MADE_UP; i++) {
        char text[64];
        size_t len = 0;
        unsigned n = 2 + (unsigned)(next_random(&random) % 4);
        for (unsigned j = 0; j < n; j++)
            for (const char *s = syllable[next_random(&random) % 24]; *s != '\0'; s++)
                text[len++] = *s;
        word *w = add_word(list);
        w->term = strndup(text, len);
        if (w->term == NULL)
            die("out of memory");
        w->len = (uint32_t)len;
        uint64_t rank = 1 + next_random(&random) % MADE_UP;
        w->info.df = rank * 5 > 2 * MADE_UP ? 1 : (uint32_t)(1 + 800000 / rank);
        w->info.cf = w->info.df == 1 ? 1 : w->info.df + w->info.df / 3;
        if (w->info.df == 1) {
            w->info.doc = (uint32_t)(next_random(&random) % 1000000);
            w->info.n_inline = 1;
            w->info.position[0] = (uint32_t)(next_random(&random) % 100);
        }
        guess_lengths(&w->info);
    }
    qsort(list->word, list->n, sizeof *list->word, by_term);
    size_t kept = 0;
    for (size_t i = 0; i < list->n; i++) {
        if (kept > 0 && strcmp(list->word[kept - 1].term, list->word[i].term) == 0)
            free(list->word[i].term);
        else
            list->word[kept++] = list->word[i];
    }
    list->n = kept;
}

/* Writes dictionary sections only; readers are told of huge POSTINGS and POSITIONS. */
static void write_words(const words *list, int dirfd, const char *name)
{
    quern_error error;
    qn_dict_writer *writer;
    check(qn_dict_writer_new(&writer, dirfd, ".", true, 15000, &error), &error);
    for (size_t i = 0; i < list->n; i++)
        check(qn_dict_writer_add(writer, list->word[i].term, list->word[i].len, &list->word[i].info,
                                 &error),
              &error);
    qn_container_writer container;
    check(qn_container_writer_open(&container, dirfd, name, name, QN_FILE_INDEX, &error), &error);
    check(qn_dict_writer_finish(writer, &container, &error), &error);
    check(qn_container_writer_finish(&container, &error), &error);
    qn_container_writer_close(&container);
    qn_dict_writer_free(writer);
}

/* What is measured, and how results are told. */
typedef struct work {
    const words *list;
    const char *data; /* the words' name in JSON */
    bool json;
} work;

static void put_line(const work *w, const char *kernel, double values_per_s, double bytes_per_s,
                     double bits)
{
    put_kernel(&(kernel_speed){.program = "micro_dict",
                               .kernel = kernel,
                               .data = w->data,
                               .level = qn_cpu_name(QN_CPU_SCALAR),
                               .of = "terms",
                               .values_per_s = values_per_s,
                               .bytes_per_s = bytes_per_s,
                               .bits = bits});
}

/* Which words are looked up, in which order: any, or by df, each as often as it occurs, as in
 * queries. */
static uint32_t *choose_words(const words *list, bool by_df)
{
    uint64_t total = 0, random = 7, before = 0;
    uint32_t *pick = malloc(LOOKUPS * sizeof *pick);
    if (pick == NULL)
        die("out of memory");
    for (size_t i = 0; by_df && i < list->n; i++)
        total += list->word[i].info.df;
    for (size_t i = 0, at = 0; i < LOOKUPS; i++) {
        if (by_df) {
            /* i-th of evenly spaced places in the df sum, shuffled below. */
            uint64_t place = total / LOOKUPS * i + total % LOOKUPS * i / LOOKUPS;
            while (before + list->word[at].info.df <= place)
                before += list->word[at++].info.df;
            pick[i] = (uint32_t)at;
        } else {
            pick[i] = (uint32_t)(next_random(&random) % list->n);
        }
    }
    for (size_t i = LOOKUPS - 1; i > 0; i--) {
        size_t j = next_random(&random) % (i + 1);
        uint32_t swap = pick[i];
        pick[i] = pick[j];
        pick[j] = swap;
    }
    return pick;
}

/* Fills took[LOOKUPS / BATCH] with seconds of batches; returns the mean df of what was found. */
static double time_batches(const qn_dict *dict, const words *list, const uint32_t *pick,
                           double *took)
{
    /* Copies of the words, so that reading them is not what is measured. */
    char(*asked)[48] = malloc(BATCH * sizeof *asked);
    uint32_t *lens = malloc(BATCH * sizeof *lens);
    if (asked == NULL || lens == NULL)
        die("out of memory");
    uint64_t sum = 0;
    size_t n_batches = 0;
    for (size_t from = 0; from + BATCH <= LOOKUPS; from += BATCH) {
        for (size_t i = 0; i < BATCH; i++) {
            const word *w = &list->word[pick[from + i]];
            lens[i] = w->len < 48 ? w->len : 48;
            memcpy(asked[i], w->term, lens[i]);
        }
        double start = now();
        for (size_t i = 0; i < BATCH; i++) {
            qn_term_info info;
            if (qn_dict_find(dict, asked[i], lens[i], &info, NULL) == QUERN_OK)
                sum += info.df;
        }
        took[n_batches++] = now() - start;
    }
    free(asked);
    free(lens);
    return (double)sum / (double)(n_batches * BATCH);
}

/* The median of many batches: a machine is seldom quiet. */
static void report_lookups(const work *w, const qn_dict *dict, const char *what, bool by_df)
{
    static double took[LOOKUPS / BATCH];
    const size_t n = LOOKUPS / BATCH;
    uint32_t *pick = choose_words(w->list, by_df);
    double mean_df = time_batches(dict, w->list, pick, took);
    double usual = median(took, n); /* and sorted */
    free(pick);
    if (w->json) {
        char kernel[64];
        (void)snprintf(kernel, sizeof kernel, "look up %s", what);
        put_line(w, kernel, BATCH / usual, 0, 0);
        return;
    }
    printf("%-22s %6.1f ns a lookup, fastest tenth %.1f (mean df %.0f)\n", what,
           usual * 1e9 / BATCH, took[n / 10] * 1e9 / BATCH, mean_df);
}

static void report_size(const work *w, const qn_dict *dict, double seconds)
{
    double n = (double)w->list->n, blocks = (double)dict->blocks.len;
    double index = (double)dict->index.len;
    if (w->json)
        put_line(w, "write", n / seconds, (blocks + index) / seconds, 8 * (blocks + index) / n);
    else
        printf("%zu terms: %.2f bytes a term in blocks, %.2f in the index; written at %.1f M/s\n",
               w->list->n, blocks / n, index / n, n / seconds * 1e-6);
}

static void report_walk(const work *w, const qn_dict *dict)
{
    quern_error error;
    qn_dict_cursor cursor;
    size_t n = 0;
    double start = now();
    check(qn_dict_seek(&cursor, dict, "", 0, &error), &error);
    while (qn_dict_next(&cursor, &error) == QUERN_OK)
        n++;
    double seconds = now() - start;
    if (w->json)
        put_line(w, "walk", (double)n / seconds, (double)dict->blocks.len / seconds, 0);
    else
        printf("walk: %.1f ns a term (%zu)\n", seconds * 1e9 / (double)n, n);
}

/* Writes a dictionary into the folder, opens and times it. */
static void measure(const work *w, int dirfd)
{
    quern_error error;
    qn_container container;
    qn_dict dict;
    double start = now();
    write_words(w->list, dirfd, "words");
    double wrote = now() - start;
    check(qn_container_open(&container, dirfd, "words", QN_FILE_INDEX, false, false, &error),
          &error);
    container.section[QN_SECTION_POSTINGS].len = UINT64_MAX / 2;
    container.section[QN_SECTION_POSITIONS].len = UINT64_MAX / 2;
    check(qn_dict_open(&dict, &container, w->list->n, 1u << 30, true, 15000, &error), &error);
    report_size(w, &dict, wrote);
    report_walk(w, &dict);
    report_lookups(w, &dict, "any term", false);
    report_lookups(w, &dict, "as often as in texts", true);
    qn_container_close(&container);
    (void)unlinkat(dirfd, "words", 0);
}

static void read_file(words *list, const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        die("cannot open the words");
    read_words(list, file);
    if (ferror(file) != 0)
        die("cannot read the words");
    (void)fclose(file);
}

int main(int argc, char **argv)
{
    static const micro_form form = {"micro_dict [--json] [WORDS]", 0, 0, 0, 1};
    micro_options options = read_options(&form, argc, argv);
    words list = {0};
    work w = {.list = &list, .data = "made-up words", .json = options.json};
    if (options.n > 0) {
        read_file(&list, options.argument[0]);
        w.data = file_name(options.argument[0]);
    } else {
        make_words(&list);
    }
    if (list.n == 0)
        die("there are no words");
    char path[] = "/tmp/micro_dict-XXXXXX";
    if (mkdtemp(path) == NULL)
        die("cannot make a folder");
    int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0)
        die("cannot open the folder");
    measure(&w, dirfd);
    (void)close(dirfd);
    (void)rmdir(path);
    for (size_t i = 0; i < list.n; i++)
        free(list.word[i].term);
    free(list.word);
    return finished(true);
}
