/*
 * The tokenizer: any bytes give words that keep its promises, the same at every SIMD level and for
 * any size of the caller's array.
 */
#define _GNU_SOURCE
#include "index/base/cpu.h"
#include "index/text/tokenizer.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

enum { FIRST = 7, WORDS_SMALL = 64, WORDS_LARGE = 1000 };

/* A tokenizer of one SIMD level. */
static qn_tokenizer *tokenizer_of(qn_cpu cpu)
{
    setenv("QUERN_CPU", qn_cpu_name(cpu), 1);
    qn_tokenizer *tokenizer = qn_tokenizer_new();
    unsetenv("QUERN_CPU");
    QN_FUZZ_CHECK(tokenizer != NULL);
    return tokenizer;
}

/* All the words of a text as length, position, start, end and bytes, one after the other. */
static size_t all_words(qn_tokenizer *tokenizer, const char *text, size_t len, size_t max,
                        char **out)
{
    qn_word words[WORDS_LARGE];
    size_t n, size = 0;
    uint32_t last = FIRST;
    FILE *stream = open_memstream(out, &size);
    QN_FUZZ_CHECK(stream != NULL);
    qn_tokenizer_start(tokenizer, text, len, FIRST);
    do {
        QN_FUZZ_CHECK(qn_tokenizer_next(tokenizer, words, max, &n, NULL) == QUERN_OK && n <= max);
        for (size_t i = 0; i < n; i++) {
            const qn_word *w = &words[i];
            QN_FUZZ_CHECK(w->len >= 1 && w->len <= QN_WORD_MAX);
            QN_FUZZ_CHECK(w->position >= last);
            QN_FUZZ_CHECK(w->start < w->end && w->end <= len);
            last = w->position;
            fprintf(stream, "%u %u %zu %zu ", w->len, w->position, w->start, w->end);
            fwrite(w->text, 1, w->len, stream);
        }
    } while (n > 0);
    QN_FUZZ_CHECK(qn_tokenizer_position(tokenizer) >= last);
    fclose(stream);
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *want, *got;
    qn_tokenizer *scalar = tokenizer_of(QN_CPU_SCALAR);
    size_t want_len = all_words(scalar, (const char *)data, len, WORDS_SMALL, &want);
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
        qn_tokenizer *other = tokenizer_of(cpu);
        size_t got_len = all_words(other, (const char *)data, len, WORDS_LARGE, &got);
        QN_FUZZ_CHECK(got_len == want_len && memcmp(got, want, got_len) == 0);
        QN_FUZZ_CHECK(qn_tokenizer_bad_utf8(other) == qn_tokenizer_bad_utf8(scalar));
        QN_FUZZ_CHECK(qn_tokenizer_long_words(other) == qn_tokenizer_long_words(scalar));
        free(got);
        qn_tokenizer_free(other);
    }
    free(want);
    qn_tokenizer_free(scalar);
    return 0;
}
