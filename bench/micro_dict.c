/*
 * How fast a term is found, and what a term costs on disk.
 *
 *     micro_dict [WORDS]
 *
 * WORDS has a term a line in byte order; tab-separated after it may stand df, cf, a document and
 * positions (for terms with df 1). Without a file, 700,000 words are made up.
 */
#include "bench/micro.h"
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

static void time_lookups(const qn_dict *dict, const words *list, const char *what, bool by_df)
{
    uint64_t total = 0, random = 7;
    for (size_t i = 0; by_df && i < list->n; i++)
        total += list->word[i].info.df;
    uint32_t *pick = malloc(LOOKUPS * sizeof *pick);
    if (pick == NULL)
        die("out of memory");
    /* By df: a word is asked for as often as it occurs, as in queries. */
    for (size_t i = 0, at = 0; i < LOOKUPS; i++) {
        if (by_df) {
            /* i-th of evenly spaced places in the df sum, shuffled below. */
            static uint64_t before;
            uint64_t place = total / LOOKUPS * i;
            if (i == 0)
                before = 0;
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
    /* Copies of the words, so that reading them is not what is measured. */
    char(*asked)[48] = malloc(BATCH * sizeof *asked);
    uint32_t *lens = malloc(BATCH * sizeof *lens);
    if (asked == NULL || lens == NULL)
        die("out of memory");
    /* The median of many batches: a machine is seldom quiet. */
    double took[LOOKUPS / BATCH];
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
    double usual = median(took, n_batches); /* and sorted */
    printf("%-22s %6.1f ns a lookup, fastest tenth %.1f (mean df %.0f)\n", what,
           usual * 1e9 / BATCH, took[n_batches / 10] * 1e9 / BATCH,
           (double)sum / (double)(n_batches * BATCH));
    free(pick);
    free(asked);
    free(lens);
}

int main(int argc, char **argv)
{
    words list = {0};
    if (argc > 1) {
        FILE *file = fopen(argv[1], "r");
        if (file == NULL)
            die("cannot open the words");
        read_words(&list, file);
        (void)fclose(file);
    } else {
        make_words(&list);
    }
    if (list.n == 0)
        die("there are no words");
    char path[] = "/tmp/micro_dict-XXXXXX";
    if (mkdtemp(path) == NULL)
        die("cannot make a folder");
    int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    double start = now();
    write_words(&list, dirfd, "words");
    double wrote = now() - start;
    quern_error error;
    qn_container container;
    check(qn_container_open(&container, dirfd, "words", QN_FILE_INDEX, false, false, &error),
          &error);
    container.section[QN_SECTION_POSTINGS].len = UINT64_MAX / 2;
    container.section[QN_SECTION_POSITIONS].len = UINT64_MAX / 2;
    qn_dict dict;
    check(qn_dict_open(&dict, &container, list.n, 1u << 30, true, 15000, &error), &error);
    printf("%zu terms: %.2f bytes a term in blocks, %.2f in the index; written at %.1f M/s\n",
           list.n, (double)dict.blocks.len / (double)list.n,
           (double)dict.index.len / (double)list.n, (double)list.n / wrote * 1e-6);
    qn_dict_cursor cursor;
    start = now();
    size_t n = 0;
    check(qn_dict_seek(&cursor, &dict, "", 0, &error), &error);
    while (qn_dict_next(&cursor, &error) == QUERN_OK)
        n++;
    printf("walk: %.1f ns a term (%zu)\n", (now() - start) * 1e9 / (double)n, n);
    time_lookups(&dict, &list, "any term", false);
    time_lookups(&dict, &list, "as often as in texts", true);
    qn_container_close(&container);
    (void)unlinkat(dirfd, "words", 0);
    (void)close(dirfd);
    (void)rmdir(path);
    for (size_t i = 0; i < list.n; i++)
        free(list.word[i].term);
    free(list.word);
    return 0;
}
