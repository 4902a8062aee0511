/* Stop words: a sorted list, searched by halves. Callers ask once for each distinct word, so
 * nothing quicker is needed. */
#include "index/text/stopwords.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "index/base/buffer.h"
#include "index/base/status.h"
#include "index/text/tokenizer.h"

enum { BATCH = 64 };

/* Folded words one after another, each of one length byte and its text. */
typedef struct word_list {
    qn_buffer bytes;
    size_t n;
} word_list;

static int compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

static int by_text(const void *a, const void *b)
{
    const uint8_t *x = *(const uint8_t *const *)a, *y = *(const uint8_t *const *)b;
    return compare((const char *)x + 1, *x, (const char *)y + 1, *y);
}

static bool read_words(word_list *out, qn_tokenizer *tokenizer, quern_span text)
{
    qn_word words[BATCH];
    size_t n;
    qn_tokenizer_start(tokenizer, text.data, text.len, 0);
    do {
        if (qn_tokenizer_next(tokenizer, words, BATCH, &n, NULL) != QUERN_OK)
            return false;
        for (size_t i = 0; i < n; i++) {
            if (!qn_buffer_push(&out->bytes, (uint8_t)words[i].len) ||
                !qn_buffer_append(&out->bytes, words[i].text, words[i].len))
                return false;
            out->n++;
        }
    } while (n > 0);
    return true;
}

/* Writes the distinct words of `list` to `out` in order. */
static bool sort_words(qn_stopwords *out, const word_list *list)
{
    const uint8_t **sorted = calloc(list->n, sizeof *sorted);
    out->text = malloc(list->bytes.len); /* a newline takes the place of each length byte */
    out->start = calloc(list->n + 1, sizeof *out->start);
    if (sorted == NULL || out->text == NULL || out->start == NULL) {
        free(sorted);
        return false;
    }
    const uint8_t *at = list->bytes.data;
    for (size_t i = 0; i < list->n; i++, at += *at + 1)
        sorted[i] = at;
    qsort(sorted, list->n, sizeof *sorted, by_text);
    for (size_t i = 0; i < list->n; i++) {
        if (i > 0 && by_text(&sorted[i - 1], &sorted[i]) == 0)
            continue;
        memcpy(out->text + out->len, sorted[i] + 1, *sorted[i]);
        out->start[out->n++] = out->len;
        out->len += *sorted[i];
        out->text[out->len++] = '\n';
    }
    out->start[out->n] = out->len;
    free(sorted);
    return true;
}

quern_status qn_stopwords_make(qn_stopwords *out, quern_span text, quern_error *error)
{
    *out = (qn_stopwords){0};
    if (text.len == 0)
        return QUERN_OK;
    word_list list = {0};
    qn_tokenizer *tokenizer = qn_tokenizer_new();
    bool made = tokenizer != NULL && read_words(&list, tokenizer, text) &&
                (list.n == 0 || sort_words(out, &list));
    qn_tokenizer_free(tokenizer);
    qn_buffer_free(&list.bytes);
    if (made)
        return QUERN_OK;
    qn_stopwords_free(out);
    return qn_fail_memory(error);
}

void qn_stopwords_free(qn_stopwords *words)
{
    free(words->text);
    free(words->start);
    *words = (qn_stopwords){0};
}

bool qn_stopwords_has(const qn_stopwords *words, const char *word, size_t len)
{
    size_t low = 0, high = words->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2, start = words->start[middle];
        int order = compare(words->text + start, words->start[middle + 1] - 1 - start, word, len);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}
