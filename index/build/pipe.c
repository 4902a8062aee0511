/* Lists on their way to the writers: see pipe.h. */
#include "index/build/pipe.h"

#include "index/base/status.h"
#include "index/base/thread.h"

#include <stdlib.h>
#include <string.h>

/*
 * Chunks of words go round between the two threads. A term in a chunk is
 *
 *     BEGIN len term(words)                         or, in the middle of a list, nothing
 *     (doc tf | KEYS keys | COPIED keys copies)*    doc below COPIED
 *     END info
 *
 * of which no part stands in two chunks. Copies of keys begin at an even word.
 */
enum { CHUNKS = 16, CHUNK_WORDS = 16 << 10 };
#define BEGIN  UINT32_MAX
#define END    (UINT32_MAX - 1)
#define KEYS   (UINT32_MAX - 2)
#define COPIED (UINT32_MAX - 3)

/* What a qn_keys and a qn_term_info take. */
enum {
    KEYS_WORDS = sizeof(qn_keys) / sizeof(uint32_t),
    INFO_WORDS = sizeof(qn_term_info) / sizeof(uint32_t)
};
_Static_assert(2 + (int)KEYS_WORDS + 2 * (int)QN_PIPE_KEYS <= (int)CHUNK_WORDS,
               "keys that are copied fit a chunk");

typedef struct chunk {
    uint32_t *word;
    size_t n;
} chunk;

struct qn_pipe {
    qn_postings_writer *writer;
    qn_rows_writer *rows; /* of the writer */
    bool background;
    chunk chunk[CHUNKS];
    chunk *filling; /* the caller's */
    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t filled, emptied;
    unsigned first, n; /* chunks that wait; chunk[first] may be in work */
    bool stop;
    quern_status status;
    quern_error error;
};

/* Words that n keys take, and those from a word on up to the next even one. */
static size_t copy_words(const qn_keys *keys)
{
    return keys->narrow != NULL ? keys->n : 2 * keys->n;
}

static size_t to_even(size_t at)
{
    return at & 1;
}

/* ---- the thread ---- */

/* Of a part in a chunk that is KEYS or COPIED, the keys; what was copied stands behind them. */
static const uint32_t *take_keys(const chunk *c, const uint32_t *at, qn_keys *keys)
{
    bool copied = *at++ == COPIED;
    memcpy(keys, at, sizeof *keys);
    at += KEYS_WORDS;
    if (!copied)
        return at;
    at += to_even((size_t)(at - c->word));
    if (keys->narrow != NULL)
        keys->narrow = at;
    else
        keys->wide = (const uint64_t *)(const void *)at; /* words come from malloc, and are even */
    return at + copy_words(keys);
}

/* What stands behind a part. */
static const uint32_t *behind(const chunk *c, const uint32_t *at)
{
    qn_keys keys;
    switch (at[0]) {
    case BEGIN:
        return at + 2 + (at[1] + 3) / 4;
    case END:
        return at + 1 + INFO_WORDS;
    case KEYS:
    case COPIED:
        return take_keys(c, at, &keys);
    default:
        return at + 2;
    }
}

static quern_status write_part(const qn_pipe *pipe, const chunk *c, const uint32_t *at,
                               quern_error *error)
{
    qn_term_info info;
    qn_keys keys;
    switch (at[0]) {
    case BEGIN:
        qn_postings_writer_begin_list(pipe->writer, (const char *)(at + 2), at[1]);
        return QUERN_OK;
    case END:
        memcpy(&info, at + 1, sizeof info);
        return qn_postings_writer_end_list(pipe->writer, &info, error);
    case KEYS:
    case COPIED:
        (void)take_keys(c, at, &keys);
        return qn_postings_writer_keys_to_list(pipe->writer, &keys, error);
    default:
        return qn_postings_writer_add_to_list(pipe->writer, at[0], at[1], error);
    }
}

/* Keys that stay are the other thread's so far: the first are fetched some parts before. */
static void fetch(const uint32_t *at)
{
    qn_keys keys;
    if (at[0] != KEYS)
        return;
    memcpy(&keys, at + 1, sizeof keys);
    __builtin_prefetch(keys.narrow != NULL ? (const void *)keys.narrow : keys.wide);
}

static quern_status write_chunk(const qn_pipe *pipe, const chunk *c, quern_error *error)
{
    enum { AHEAD = 24 };
    quern_status status = QUERN_OK;
    const uint32_t *end = c->word + c->n, *ahead = c->word;
    unsigned n_ahead = 0;
    for (const uint32_t *at = c->word; status == QUERN_OK && at < end; at = behind(c, at)) {
        for (; n_ahead < AHEAD && ahead < end; n_ahead++) {
            fetch(ahead);
            ahead = behind(c, ahead);
        }
        n_ahead--;
        status = write_part(pipe, c, at, error);
    }
    return status;
}

static void *work(void *arg)
{
    qn_pipe *pipe = arg;
    (void)pthread_mutex_lock(&pipe->lock);
    for (;;) {
        while (pipe->n == 0 && !pipe->stop)
            (void)pthread_cond_wait(&pipe->filled, &pipe->lock);
        if (pipe->n == 0 || pipe->status != QUERN_OK)
            break;
        const chunk *c = &pipe->chunk[pipe->first];
        quern_error error = {0};
        (void)pthread_mutex_unlock(&pipe->lock);
        quern_status status = write_chunk(pipe, c, &error);
        (void)pthread_mutex_lock(&pipe->lock);
        if (status != QUERN_OK) {
            pipe->status = status;
            pipe->error = error;
        }
        pipe->first = (pipe->first + 1) % CHUNKS;
        pipe->n--;
        (void)pthread_cond_signal(&pipe->emptied);
    }
    pipe->n = 0; /* after an error nobody waits for what is left */
    (void)pthread_cond_signal(&pipe->emptied);
    (void)pthread_mutex_unlock(&pipe->lock);
    return NULL;
}

quern_status qn_pipe_new(qn_pipe **out, qn_postings_writer *writer, bool background,
                         quern_error *error)
{
    *out = NULL;
    qn_pipe *pipe = calloc(1, sizeof *pipe);
    if (pipe == NULL)
        return qn_fail_memory(error);
    pipe->writer = writer;
    pipe->rows = qn_postings_writer_rows(writer);
    pipe->filling = pipe->chunk;
    for (unsigned i = 0; background && i < CHUNKS; i++) {
        chunk *c = &pipe->chunk[i];
        c->word = malloc(CHUNK_WORDS * sizeof *c->word);
        if (c->word == NULL) {
            qn_pipe_free(pipe);
            return qn_fail_memory(error);
        }
    }
    (void)pthread_mutex_init(&pipe->lock, NULL);
    (void)pthread_cond_init(&pipe->filled, NULL);
    (void)pthread_cond_init(&pipe->emptied, NULL);
    pipe->background = background && qn_thread_spawn(&pipe->thread, work, pipe);
    *out = pipe;
    return QUERN_OK;
}

/* ---- the caller ---- */

/* Waits, with the lock held, until at most `most` chunks wait; the thread's error, if it met one.
 */
static quern_status wait_for(qn_pipe *pipe, unsigned most, quern_error *error)
{
    while (pipe->n > most && pipe->status == QUERN_OK)
        (void)pthread_cond_wait(&pipe->emptied, &pipe->lock);
    if (pipe->status != QUERN_OK && error != NULL)
        *error = pipe->error;
    return pipe->status;
}

/* Hands the chunk over; the next one is empty. */
static quern_status hand_over(qn_pipe *pipe, quern_error *error)
{
    (void)pthread_mutex_lock(&pipe->lock);
    pipe->n++;
    (void)pthread_cond_signal(&pipe->filled);
    quern_status status = wait_for(pipe, CHUNKS - 1, error);
    pipe->filling = &pipe->chunk[(pipe->first + pipe->n) % CHUNKS];
    (void)pthread_mutex_unlock(&pipe->lock);
    if (status != QUERN_OK)
        return status;
    pipe->filling->n = 0;
    return QUERN_OK;
}

/* Room for n <= CHUNK_WORDS words in one chunk. */
static inline quern_status reserve(qn_pipe *pipe, size_t n, quern_error *error)
{
    return pipe->filling->n + n <= CHUNK_WORDS ? QUERN_OK : hand_over(pipe, error);
}

/* Waits until all that was handed on is written. */
static quern_status drain(qn_pipe *pipe, quern_error *error)
{
    quern_status status = pipe->filling->n > 0 ? hand_over(pipe, error) : QUERN_OK;
    if (status != QUERN_OK)
        return status;
    (void)pthread_mutex_lock(&pipe->lock);
    status = wait_for(pipe, 0, error);
    (void)pthread_mutex_unlock(&pipe->lock);
    return status;
}

quern_status qn_pipe_begin(qn_pipe *pipe, const char *term, size_t len, quern_error *error)
{
    if (!pipe->background) {
        qn_postings_writer_begin(pipe->writer, term, len);
        return QUERN_OK;
    }
    quern_status status = reserve(pipe, 2 + (len + 3) / 4, error);
    if (status != QUERN_OK)
        return status;
    qn_rows_writer_begin(pipe->rows);
    chunk *c = pipe->filling;
    c->word[c->n] = BEGIN;
    c->word[c->n + 1] = (uint32_t)len;
    memcpy(c->word + c->n + 2, term, len);
    c->n += 2 + (len + 3) / 4;
    return QUERN_OK;
}

/* Apart from qn_pipe_add, so that nothing is saved and restored there where calls go through. */
static __attribute__((noinline)) quern_status hand_on(qn_pipe *pipe, uint32_t doc, uint32_t tf,
                                                      const uint32_t *gaps, quern_error *error)
{
    quern_status status = reserve(pipe, 2, error);
    if (status != QUERN_OK)
        return status;
    chunk *c = pipe->filling;
    c->word[c->n] = doc;
    c->word[c->n + 1] = tf;
    c->n += 2;
    return qn_rows_writer_add(pipe->rows, doc, tf, gaps, error);
}

quern_status qn_pipe_add(qn_pipe *pipe, uint32_t doc, uint32_t tf, const uint32_t *gaps,
                         quern_error *error)
{
    return pipe->background ? hand_on(pipe, doc, tf, gaps, error)
                            : qn_postings_writer_add(pipe->writer, doc, tf, gaps, error);
}

static quern_status hand_on_copies(qn_pipe *pipe, const qn_keys *keys, quern_error *error)
{
    size_t n = copy_words(keys);
    quern_status status = reserve(pipe, 2 + KEYS_WORDS + n, error);
    if (status != QUERN_OK)
        return status;
    chunk *c = pipe->filling;
    c->word[c->n] = COPIED;
    memcpy(c->word + c->n + 1, keys, sizeof *keys);
    c->n += 1 + KEYS_WORDS;
    c->n += to_even(c->n);
    memcpy(c->word + c->n, keys->narrow != NULL ? (const void *)keys->narrow : keys->wide,
           n * sizeof *c->word);
    c->n += n;
    return QUERN_OK;
}

static quern_status hand_on_keys(qn_pipe *pipe, const qn_keys *keys, quern_error *error)
{
    quern_status status = reserve(pipe, 1 + KEYS_WORDS, error);
    if (status != QUERN_OK)
        return status;
    chunk *c = pipe->filling;
    c->word[c->n] = KEYS;
    memcpy(c->word + c->n + 1, keys, sizeof *keys);
    c->n += 1 + KEYS_WORDS;
    return QUERN_OK;
}

quern_status qn_pipe_keys(qn_pipe *pipe, const qn_keys *keys, bool stays, quern_error *error)
{
    if (!pipe->background)
        return qn_postings_writer_keys(pipe->writer, keys, error);
    quern_status status =
        stays ? hand_on_keys(pipe, keys, error) : hand_on_copies(pipe, keys, error);
    return status == QUERN_OK ? qn_rows_writer_keys(pipe->rows, keys, error) : status;
}

quern_status qn_pipe_finish_term(qn_pipe *pipe, quern_error *error)
{
    qn_term_info info = {0};
    if (!pipe->background)
        return qn_postings_writer_end(pipe->writer, error);
    quern_status status = qn_rows_writer_end(pipe->rows, &info, error);
    if (status == QUERN_OK)
        status = reserve(pipe, 1 + INFO_WORDS, error);
    if (status != QUERN_OK)
        return status;
    chunk *c = pipe->filling;
    c->word[c->n] = END;
    memcpy(c->word + c->n + 1, &info, sizeof info);
    c->n += 1 + INFO_WORDS;
    return QUERN_OK;
}

/* Ends the thread. */
static void stop(qn_pipe *pipe)
{
    if (!pipe->background)
        return;
    (void)pthread_mutex_lock(&pipe->lock);
    pipe->stop = true;
    (void)pthread_cond_signal(&pipe->filled);
    (void)pthread_mutex_unlock(&pipe->lock);
    (void)pthread_join(pipe->thread, NULL);
    pipe->background = false;
}

quern_status qn_pipe_end(qn_pipe *pipe, quern_error *error)
{
    if (!pipe->background)
        return QUERN_OK;
    quern_status status = drain(pipe, error);
    stop(pipe);
    return status;
}

void qn_pipe_free(qn_pipe *pipe)
{
    if (pipe == NULL)
        return;
    if (pipe->background) { /* what waits is not wanted */
        (void)pthread_mutex_lock(&pipe->lock);
        if (pipe->status == QUERN_OK)
            pipe->status = QUERN_E_CANCELLED;
        (void)pthread_mutex_unlock(&pipe->lock);
    }
    stop(pipe);
    for (unsigned i = 0; i < CHUNKS; i++)
        free(pipe->chunk[i].word);
    (void)pthread_mutex_destroy(&pipe->lock);
    (void)pthread_cond_destroy(&pipe->filled);
    (void)pthread_cond_destroy(&pipe->emptied);
    free(pipe);
}
