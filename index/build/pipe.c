/* Lists on their way to the writer: see pipe.h. */
#include "index/build/pipe.h"

#include "index/base/status.h"
#include "index/base/thread.h"

#include <stdlib.h>
#include <string.h>

/*
 * Chunks of words go round between the two threads. A list in a chunk is
 *
 *     BEGIN len term(words)   or, in the middle of a list, nothing
 *     (doc tf gap{tf} | KEYS keys)*       doc below KEYS
 *     END
 *
 * without gaps where there are no positions. A posting never stands in two chunks, and one of more
 * than LARGE positions in none: it goes to the writer when all before it has.
 */
enum { CHUNKS = 4, CHUNK_WORDS = 64 << 10, LARGE = 16 << 10 };
#define BEGIN UINT32_MAX
#define END   (UINT32_MAX - 1)
#define KEYS  (UINT32_MAX - 2)

/* What a qn_keys takes. */
enum { KEYS_WORDS = sizeof(qn_keys) / sizeof(uint32_t) };

typedef struct chunk {
    uint32_t *word;
    size_t n;
} chunk;

struct qn_pipe {
    qn_postings_writer *writer;
    bool positions, background;
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

/* ---- the thread ---- */

static quern_status write_chunk(const qn_pipe *pipe, const chunk *c, quern_error *error)
{
    quern_status status = QUERN_OK;
    for (const uint32_t *at = c->word, *end = at + c->n; status == QUERN_OK && at < end;) {
        if (at[0] == BEGIN) {
            qn_postings_writer_begin(pipe->writer, (const char *)(at + 2), at[1]);
            at += 2 + (at[1] + 3) / 4;
        } else if (at[0] == END) {
            status = qn_postings_writer_end(pipe->writer, error);
            at++;
        } else if (at[0] == KEYS) {
            qn_keys keys;
            memcpy(&keys, at + 1, sizeof keys);
            status = qn_postings_writer_keys(pipe->writer, &keys, error);
            at += 1 + KEYS_WORDS;
        } else {
            status = qn_postings_writer_add(pipe->writer, at[0], at[1], at + 2, error);
            at += 2 + (pipe->positions ? (size_t)at[1] : 0);
        }
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

quern_status qn_pipe_new(qn_pipe **out, qn_postings_writer *writer, bool positions, bool background,
                         quern_error *error)
{
    *out = NULL;
    qn_pipe *pipe = calloc(1, sizeof *pipe);
    if (pipe == NULL)
        return qn_fail_memory(error);
    pipe->writer = writer;
    pipe->positions = positions;
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

/* Waits until all that was handed on is written: the writer is then the caller's until the next
 * hand_over. */
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
    size_t n_gaps = pipe->positions ? tf : 0;
    if (n_gaps > LARGE) {
        quern_status drained = drain(pipe, error);
        return drained == QUERN_OK ? qn_postings_writer_add(pipe->writer, doc, tf, gaps, error)
                                   : drained;
    }
    quern_status status = reserve(pipe, 2 + n_gaps, error);
    if (status != QUERN_OK)
        return status;
    chunk *c = pipe->filling;
    uint32_t *at = c->word + c->n;
    at[0] = doc;
    at[1] = tf;
    if (n_gaps == 1)
        at[2] = gaps[0]; /* the commonest case */
    else if (n_gaps > 0)
        memcpy(at + 2, gaps, n_gaps * sizeof *gaps);
    c->n += 2 + n_gaps;
    return QUERN_OK;
}

quern_status qn_pipe_add(qn_pipe *pipe, uint32_t doc, uint32_t tf, const uint32_t *gaps,
                         quern_error *error)
{
    return pipe->background ? hand_on(pipe, doc, tf, gaps, error)
                            : qn_postings_writer_add(pipe->writer, doc, tf, gaps, error);
}

quern_status qn_pipe_keys(qn_pipe *pipe, const qn_keys *keys, quern_error *error)
{
    if (!pipe->background)
        return qn_postings_writer_keys(pipe->writer, keys, error);
    quern_status status = reserve(pipe, 1 + KEYS_WORDS, error);
    if (status != QUERN_OK)
        return status;
    chunk *c = pipe->filling;
    c->word[c->n] = KEYS;
    memcpy(c->word + c->n + 1, keys, sizeof *keys);
    c->n += 1 + KEYS_WORDS;
    return QUERN_OK;
}

quern_status qn_pipe_finish_term(qn_pipe *pipe, quern_error *error)
{
    if (!pipe->background)
        return qn_postings_writer_end(pipe->writer, error);
    quern_status status = reserve(pipe, 1, error);
    if (status == QUERN_OK)
        pipe->filling->word[pipe->filling->n++] = END;
    return status;
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
