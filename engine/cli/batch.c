/*
 * A ring of slots, each a topic and its answer. The reader fills at `n_filled`, workers take at
 * `n_taken`, and whichever worker completes the oldest slot prints all that are ready from
 * `n_printed` on. The counters only grow: n_printed <= n_taken <= n_filled <= n_printed + n_slots.
 */
#include "engine/cli/batch.h"

#include "engine/cli/topics.h"
#include "index/base/status.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Slots for each thread: enough that a slow topic does not leave the others without work. */
enum { SLOTS_PER_THREAD = 4 };

typedef struct slot {
    qn_topic topic;
    qn_text text;    /* the answer */
    qn_text notices; /* for standard error */
    qn_buffer scratch;
    bool done;
    quern_status status;
    quern_error error;
} slot;

typedef struct ring {
    const qn_batch *batch;
    qn_output *out;
    uint64_t n_notices; /* topics with a notice; of whoever is printing */
    slot *slot;
    size_t n_slots;
    pthread_mutex_t lock;      /* guards what follows */
    pthread_cond_t work, room; /* a slot was filled or the end came; a slot became free */
    uint64_t n_filled, n_taken, n_printed;
    bool at_end;   /* no more topics come */
    bool stop;     /* print nothing more */
    bool printing; /* a worker is printing */
    quern_status status;
    quern_error error;
} ring;

typedef struct worker {
    ring *ring;
    quern_searcher *searcher;
    pthread_t thread;
} worker;

/* ---- one answer ---- */

static quern_status copy_hits(qn_buffer *copy, const quern_hits *hits, quern_error *error)
{
    copy->len = 0;
    if (hits->n > SIZE_MAX / sizeof *hits->hit ||
        !qn_buffer_append(copy, hits->hit, hits->n * sizeof *hits->hit))
        return qn_fail_memory(error);
    return QUERN_OK;
}

static void put_notice(const qn_batch *batch, const char *notice, const quern_span *qid,
                       qn_text *notices)
{
    if (batch->quiet)
        return;
    qn_text_printf(notices, "quern %s: ", batch->command->name);
    if (qid != NULL) {
        qn_text_puts(notices, "topic ");
        qn_text_clean(notices, *qid);
        qn_text_puts(notices, ": ");
    }
    qn_text_clean(notices, (quern_span){notice, strlen(notice)});
    qn_text_puts(notices, "\n");
}

static void put_topic_heading(qn_text *text, quern_span query, const quern_span *qid)
{
    qn_text_style(text, QN_BOLD);
    qn_text_puts(text, "topic ");
    qn_text_clean(text, *qid);
    qn_text_style(text, QN_PLAIN);
    qn_text_puts(text, ": ");
    qn_text_clean(text, query);
    qn_text_puts(text, "\n");
}

static void put_notices(const qn_batch *batch, const char *notice, quern_span query,
                        const quern_span *qid, qn_text *notices)
{
    if (notice != NULL)
        put_notice(batch, notice, qid, notices);
    else if (!batch->positions && batch->options->syntax != QUERN_SYNTAX_WORDS && query.len > 0 &&
             memchr(query.data, '"', query.len) != NULL)
        put_notice(batch, "the index has no positions: a phrase asks for all its words, anywhere",
                   qid, notices);
}

static quern_status explain(const qn_batch *batch, quern_searcher *searcher, const quern_span *qid,
                            qn_text *text, qn_text *notices, quern_error *error)
{
    quern_explanation about;
    quern_status status = quern_explain(searcher, &about, error);
    if (status == QUERN_OK)
        qn_hits_put_explanation(batch->style->format == QN_HITS_JSON ? text : notices, batch->style,
                                qid, &about);
    return status == QUERN_OK && notices->failed ? qn_fail_memory(error) : status;
}

static quern_status count(const qn_batch *batch, quern_searcher *searcher, quern_span query,
                          const quern_span *qid, qn_text *text, qn_text *notices, size_t *n_hits,
                          double *seconds, quern_error *error)
{
    quern_matches matches;
    double start = qn_clock();
    quern_status status = quern_count(searcher, query, &matches, error);
    *seconds = qn_clock() - start;
    if (status != QUERN_OK)
        return status;
    put_notices(batch, matches.notice, query, qid, notices);
    *n_hits = (size_t)matches.n;
    qn_hits_put_count(text, batch->style, qid, query, matches.n);
    if (batch->explain)
        status = explain(batch, searcher, qid, text, notices, error);
    return status == QUERN_OK && text->failed ? qn_fail_memory(error) : status;
}

quern_status qn_batch_answer(const qn_batch *batch, quern_searcher *searcher, quern_span query,
                             const quern_span *qid, qn_text *text, qn_text *notices,
                             qn_buffer *scratch, size_t *n_hits, double *seconds,
                             quern_error *error)
{
    if (batch->count)
        return count(batch, searcher, query, qid, text, notices, n_hits, seconds, error);
    bool headed = qid != NULL && batch->style->format == QN_HITS_TEXT;
    if (headed)
        put_topic_heading(text, query, qid);
    quern_hits hits = {0};
    double start = qn_clock();
    quern_status status = quern_search(searcher, query, batch->k, &hits, error);
    *seconds = qn_clock() - start;
    if (status == QUERN_OK)
        status = copy_hits(scratch, &hits, error);
    if (status != QUERN_OK)
        return status;
    put_notices(batch, hits.notice, query, qid, notices);
    *n_hits = hits.n;
    const quern_hit *hit = (const quern_hit *)(const void *)scratch->data;
    status = qn_hits_put(text, batch->style, searcher, qid, hit, hits.n, error);
    if (headed)
        qn_text_puts(text, "\n");
    if (status == QUERN_OK && batch->explain)
        status = explain(batch, searcher, qid, text, notices, error);
    return status == QUERN_OK && text->failed ? qn_fail_memory(error) : status;
}

static void answer_slot(ring *all, worker *self, slot *here)
{
    quern_span qid = {(const char *)here->topic.id.data, here->topic.id.len};
    quern_span query = {(const char *)here->topic.text.data, here->topic.text.len};
    size_t n_hits;
    double seconds;
    here->text.bytes.len = here->notices.bytes.len = 0;
    quern_error error = {0};
    here->status = qn_batch_answer(all->batch, self->searcher, query, &qid, &here->text,
                                   &here->notices, &here->scratch, &n_hits, &seconds, &error);
    if (here->status != QUERN_OK)
        (void)qn_fail(&here->error, here->status, "topic %.*s: %.400s",
                      (int)(qid.len < 80 ? qid.len : 80), qid.data, error.message);
    here->error.sys_errno = error.sys_errno;
}

/* ---- printing ---- */

/* Topics whose notices are printed; those of further topics are counted (not so with explanations,
 * which were asked for). */
enum { NOTICES = 20 };

static void print_notices(ring *all, const qn_text *notices)
{
    if (!all->batch->explain && all->n_notices++ >= NOTICES)
        return;
    qn_output_flush(all->out); /* not to stand before the answers of earlier topics */
    qn_output err;
    qn_output_open(&err, STDERR_FILENO, 2);
    qn_text_put(&err.text, (const char *)notices->bytes.data, notices->bytes.len);
    (void)qn_output_close(&err, NULL);
}

static void print_slot(ring *all, const slot *here, bool last)
{
    if (here->notices.bytes.len > 0)
        print_notices(all, &here->notices);
    qn_text_put(&all->out->text, (const char *)here->text.bytes.data, here->text.bytes.len);
    if (last) /* nobody may be made to wait for a topic that has not been asked yet */
        qn_output_flush(all->out);
    else
        qn_output_settle(all->out);
}

/* Prints what is ready from the oldest slot on; called, and returns, with the lock held. */
static void print_ready(ring *all)
{
    if (all->printing)
        return;
    all->printing = true;
    while (!all->stop && all->n_printed < all->n_taken) {
        slot *oldest = &all->slot[all->n_printed % all->n_slots];
        if (!oldest->done)
            break;
        if (oldest->status != QUERN_OK) {
            all->status = oldest->status;
            all->error = oldest->error;
            all->stop = true;
            break;
        }
        bool last = all->n_printed + 1 == all->n_filled;
        (void)pthread_mutex_unlock(&all->lock);
        print_slot(all, oldest, last);
        bool alive = qn_output_alive(all->out);
        (void)pthread_mutex_lock(&all->lock);
        oldest->done = false;
        all->n_printed++;
        all->stop = all->stop || !alive;
        (void)pthread_cond_signal(&all->room);
    }
    all->printing = false;
    if (all->stop) {
        (void)pthread_cond_broadcast(&all->work);
        (void)pthread_cond_signal(&all->room);
    }
}

/* ---- threads ---- */

static void *work(void *arg)
{
    worker *self = arg;
    ring *all = self->ring;
    (void)pthread_mutex_lock(&all->lock);
    for (;;) {
        while (!all->stop && !all->at_end && all->n_taken == all->n_filled)
            (void)pthread_cond_wait(&all->work, &all->lock);
        if (all->stop || all->n_taken == all->n_filled)
            break;
        slot *here = &all->slot[all->n_taken++ % all->n_slots];
        (void)pthread_mutex_unlock(&all->lock);
        answer_slot(all, self, here);
        (void)pthread_mutex_lock(&all->lock);
        here->done = true;
        print_ready(all);
    }
    (void)pthread_mutex_unlock(&all->lock);
    return NULL;
}

/* Waits for a free slot and hands a topic over; false if no more are wanted. */
static bool hand_over(ring *all, qn_topic *topic)
{
    (void)pthread_mutex_lock(&all->lock);
    while (!all->stop && all->n_filled - all->n_printed == all->n_slots)
        (void)pthread_cond_wait(&all->room, &all->lock);
    bool wanted = !all->stop;
    if (wanted) {
        slot *here = &all->slot[all->n_filled % all->n_slots];
        qn_topic before = here->topic; /* its room is used for the next */
        here->topic = *topic;
        *topic = before;
        all->n_filled++;
        (void)pthread_cond_signal(&all->work);
    }
    (void)pthread_mutex_unlock(&all->lock);
    return wanted;
}

static quern_status read_topics(ring *all, quern_error *error)
{
    qn_input input;
    qn_topic topic = {0};
    quern_status status = qn_input_open(&input, all->batch->topics, error);
    if (status != QUERN_OK)
        return status;
    do {
        status = qn_topics_next(&input, &topic, error);
        if (qn_interrupted() != 0)
            status = qn_fail(error, QUERN_E_CANCELLED, "interrupted");
    } while (status == QUERN_OK && hand_over(all, &topic));
    qn_topic_free(&topic);
    qn_input_close(&input);
    return status == QUERN_END ? QUERN_OK : status;
}

static unsigned start_workers(worker *workers, unsigned n)
{
    unsigned started = 0;
    while (started < n && qn_thread_start(&workers[started].thread, work, &workers[started]))
        started++;
    return started;
}

static quern_status run(ring *all, worker *workers, unsigned n, quern_error *error)
{
    unsigned started = start_workers(workers, n);
    if (started == 0)
        return qn_fail(error, QUERN_E_MEMORY, "no thread could be started");
    quern_error wrong = {0};
    quern_status status = read_topics(all, &wrong);
    (void)pthread_mutex_lock(&all->lock);
    all->at_end = true;
    all->stop = all->stop || status == QUERN_E_CANCELLED;
    (void)pthread_cond_broadcast(&all->work);
    (void)pthread_mutex_unlock(&all->lock);
    for (unsigned i = 0; i < started; i++)
        (void)pthread_join(workers[i].thread, NULL);
    if (all->status != QUERN_OK) { /* of a topic that came before the reader's trouble */
        status = all->status;
        wrong = all->error;
    }
    if (error != NULL)
        *error = wrong;
    return status;
}

static quern_status make(ring *all, worker *workers, unsigned n, quern_error *error)
{
    all->n_slots = (size_t)n * SLOTS_PER_THREAD;
    all->slot = calloc(all->n_slots, sizeof *all->slot);
    if (all->slot == NULL)
        return qn_fail_memory(error);
    for (size_t i = 0; i < all->n_slots; i++)
        all->slot[i].text.colour = all->out->text.colour;
    for (unsigned i = 0; i < n; i++) {
        workers[i].ring = all;
        quern_status status =
            quern_searcher_new(&workers[i].searcher, all->batch->index, all->batch->options, error);
        if (status != QUERN_OK)
            return status;
    }
    return QUERN_OK;
}

quern_status qn_batch_run(const qn_batch *batch, qn_output *out, uint64_t *n_answered,
                          quern_error *error)
{
    ring all = {.batch = batch, .out = out};
    *n_answered = 0;
    worker *workers = calloc(batch->threads, sizeof *workers);
    if (workers == NULL)
        return qn_fail_memory(error);
    (void)pthread_mutex_init(&all.lock, NULL);
    (void)pthread_cond_init(&all.work, NULL);
    (void)pthread_cond_init(&all.room, NULL);
    quern_status status = make(&all, workers, batch->threads, error);
    if (status == QUERN_OK)
        status = run(&all, workers, batch->threads, error);
    *n_answered = all.n_printed;
    if (all.n_notices > NOTICES)
        qn_complain(batch->command,
                    "%llu more topics had such notices (--syntax words takes them as words only)",
                    (unsigned long long)(all.n_notices - NOTICES));
    for (unsigned i = 0; i < batch->threads; i++)
        quern_searcher_free(workers[i].searcher);
    for (size_t i = 0; all.slot != NULL && i < all.n_slots; i++) {
        qn_topic_free(&all.slot[i].topic);
        qn_text_free(&all.slot[i].text);
        qn_text_free(&all.slot[i].notices);
        qn_buffer_free(&all.slot[i].scratch);
    }
    free(all.slot);
    free(workers);
    (void)pthread_cond_destroy(&all.room);
    (void)pthread_cond_destroy(&all.work);
    (void)pthread_mutex_destroy(&all.lock);
    return status;
}
