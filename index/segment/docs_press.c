/* Packing blocks of documents, perhaps in a thread: see docs_press.h. */
#include "index/segment/docs_press.h"

#include "index/base/status.h"
#include "index/base/thread.h"
#include "index/segment/docs.h"
#include "index/segment/docs_packer.h"

#include <stdlib.h>

/* Blocks that may wait, and their bytes. One larger than LARGE does not wait, but is pressed by the
 * caller when the queue is empty: several at once would break the builder's memory limit. */
enum { SLOTS = 32, WAITING = 2 << 20, LARGE = 1 << 20 };

typedef struct slot {
    qn_buffer raw;
    uint32_t first_doc;
} slot;

/* What a slot's buffer keeps: large documents, one after another, would else leave all slots with
 * large ones, whatever waits. */
enum { KEPT = 2 * QN_STORE_BLOCK };

static void let_go(qn_buffer *raw)
{
    if (raw->cap > KEPT)
        qn_buffer_free(raw);
    raw->len = 0;
}

struct qn_docs_press {
    qn_docs_packer *packer;
    bool background;
    pthread_t thread;
    pthread_mutex_t lock; /* of all below; the packer is the thread's */
    pthread_cond_t filled, emptied;
    slot slot[SLOTS];
    unsigned first, n; /* the waiting ones; slot[first] may be in work */
    size_t bytes;      /* of theirs */
    bool stop;
    quern_status status; /* of the first block that failed */
    quern_error error;
};

/* The thread: presses the first waiting block, again and again. */
static void *work(void *arg)
{
    qn_docs_press *press = arg;
    (void)pthread_mutex_lock(&press->lock);
    for (;;) {
        while (press->n == 0 && !press->stop)
            (void)pthread_cond_wait(&press->filled, &press->lock);
        if (press->n == 0 || press->status != QUERN_OK)
            break;
        slot *here = &press->slot[press->first];
        quern_error error = {0};
        (void)pthread_mutex_unlock(&press->lock);
        quern_status status =
            qn_docs_packer_put(press->packer, &here->raw, here->first_doc, &error);
        (void)pthread_mutex_lock(&press->lock);
        press->bytes -= here->raw.len;
        let_go(&here->raw);
        press->first = (press->first + 1) % SLOTS;
        press->n--;
        if (status != QUERN_OK) {
            press->status = status;
            press->error = error;
        }
        (void)pthread_cond_signal(&press->emptied);
    }
    press->n = 0; /* after an error nobody waits for what is left */
    (void)pthread_cond_signal(&press->emptied);
    (void)pthread_mutex_unlock(&press->lock);
    return NULL;
}

quern_status qn_docs_press_new(qn_docs_press **out, qn_writer *file, bool background,
                               quern_error *error)
{
    *out = NULL;
    qn_docs_press *press = calloc(1, sizeof *press);
    if (press == NULL)
        return qn_fail_memory(error);
    quern_status status = qn_docs_packer_new(&press->packer, file, error);
    if (status != QUERN_OK) {
        free(press);
        return status;
    }
    (void)pthread_mutex_init(&press->lock, NULL);
    (void)pthread_cond_init(&press->filled, NULL);
    (void)pthread_cond_init(&press->emptied, NULL);
    press->background = background && qn_thread_spawn(&press->thread, work, press);
    *out = press;
    return QUERN_OK;
}

/* Waits, with the lock held, until at most `most` blocks wait, and none or at most so many bytes;
 * the thread's error, if it met one. */
static quern_status wait_for_room(qn_docs_press *press, unsigned most, size_t most_bytes,
                                  quern_error *error)
{
    while ((press->n > most || (press->n > 0 && press->bytes > most_bytes)) &&
           press->status == QUERN_OK)
        (void)pthread_cond_wait(&press->emptied, &press->lock);
    if (press->status != QUERN_OK && error != NULL)
        *error = press->error;
    return press->status;
}

quern_status qn_docs_press_put(qn_docs_press *press, qn_buffer *raw, uint32_t first_doc,
                               quern_error *error)
{
    quern_status status = QUERN_OK;
    bool hand_over = press->background && raw->len <= LARGE;
    if (press->background) {
        (void)pthread_mutex_lock(&press->lock);
        status = hand_over ? wait_for_room(press, SLOTS - 1, WAITING - raw->len, error)
                           : wait_for_room(press, 0, 0, error);
        if (status == QUERN_OK && hand_over) {
            slot *next = &press->slot[(press->first + press->n) % SLOTS];
            qn_buffer empty = next->raw;
            *next = (slot){*raw, first_doc};
            *raw = empty;
            press->n++;
            press->bytes += next->raw.len;
            (void)pthread_cond_signal(&press->filled);
        }
        (void)pthread_mutex_unlock(&press->lock);
    }
    if (status == QUERN_OK && !hand_over) {
        status = qn_docs_packer_put(press->packer, raw, first_doc, error);
        let_go(raw);
    }
    return status;
}

quern_status qn_docs_press_finish(qn_docs_press *press, const qn_buffer **entries,
                                  const qn_words **words, quern_error *error)
{
    quern_status status = QUERN_OK;
    if (press->background) {
        (void)pthread_mutex_lock(&press->lock);
        status = wait_for_room(press, 0, 0, error);
        (void)pthread_mutex_unlock(&press->lock);
    }
    *entries = qn_docs_packer_entries(press->packer);
    *words = qn_docs_packer_words(press->packer);
    return status == QUERN_OK ? qn_docs_packer_finish(press->packer, error) : status;
}

void qn_docs_press_free(qn_docs_press *press)
{
    if (press == NULL)
        return;
    if (press->background) {
        (void)pthread_mutex_lock(&press->lock);
        press->stop = true;
        (void)pthread_cond_signal(&press->filled);
        (void)pthread_mutex_unlock(&press->lock);
        (void)pthread_join(press->thread, NULL);
    }
    (void)pthread_mutex_destroy(&press->lock);
    (void)pthread_cond_destroy(&press->filled);
    (void)pthread_cond_destroy(&press->emptied);
    for (unsigned i = 0; i < SLOTS; i++)
        qn_buffer_free(&press->slot[i].raw);
    qn_docs_packer_free(press->packer);
    free(press);
}
