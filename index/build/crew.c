/* Threads that mill documents: see crew.h. */
#include "index/build/crew.h"

#include "index/base/buffer.h"
#include "index/base/bytes.h"
#include "index/base/status.h"
#include "index/base/thread.h"
#include "index/segment/fields.h"

#include <stdlib.h>
#include <string.h>

/*
 * A batch is what threads hand each other. A stretch is what a mill gets before another one does: a
 * long one makes few runs, and lets mills wait for each other at the end. What waits is bounded by
 * a quarter of the memory limit.
 */
enum { BATCH = 256 << 10, SHARE = 4 };

/* In a batch's bytes stands, of a document that is analysed, len(u32){n_texts} and the texts; of
 * one whose words are given, of each position(u32) field(u8) len(u8) byte{len}. */
enum { TOKEN_HEAD = 6 };

typedef struct entry {
    size_t n_tokens;
    bool given;
} entry;

typedef struct batch {
    struct batch *next;
    qn_buffer text;
    entry *doc;
    size_t n, cap;
    uint32_t *length; /* n_fields of each document, set by the mill */
    size_t length_cap;
    uint32_t first_doc;
} batch;

typedef struct member {
    struct qn_crew *crew;
    qn_mill *mill;
    pthread_t thread;
    pthread_cond_t filled;
    batch *first, **last; /* that wait */
    size_t waiting;       /* bytes of their texts, and of the one in work */
} member;

struct qn_crew {
    unsigned n; /* threads that were started */
    unsigned n_fields, n_texts;
    size_t stretch, most;
    /* The caller's: */
    batch *filling; /* NULL: none */
    unsigned member_now;
    size_t stretch_len;
    size_t bytes; /* of all batches that are not spare, */
    batch *spare; /* and those that are: their pages need not be made anew */
    size_t spare_bytes;
    /* Under the lock: */
    pthread_mutex_t lock;
    pthread_cond_t done_more;
    batch *done; /* milled */
    bool closing, dropping;
    quern_status status; /* of the first mill that failed */
    quern_error error;
    member member[];
};

static void free_batch(batch *b)
{
    if (b == NULL)
        return;
    qn_buffer_free(&b->text);
    free(b->doc);
    free(b->length);
    free(b);
}

static size_t bytes_of(const batch *b)
{
    return b->text.cap + b->cap * sizeof *b->doc + b->length_cap * sizeof *b->length;
}

/* ---- threads ---- */

static quern_status mill_given(qn_mill *mill, uint32_t doc, const entry *e, const uint8_t **at,
                               uint32_t *length, quern_error *error)
{
    quern_token *tokens = malloc((e->n_tokens + 1) * sizeof *tokens);
    if (tokens == NULL)
        return qn_fail_memory(error);
    for (size_t i = 0; i < e->n_tokens; i++) {
        tokens[i].position = qn_load_u32(*at);
        tokens[i].field = (*at)[4];
        tokens[i].term = (quern_span){(const char *)*at + TOKEN_HEAD, (*at)[5]};
        *at += TOKEN_HEAD + tokens[i].term.len;
    }
    quern_status status = qn_mill_tokens(mill, doc, tokens, e->n_tokens, length, error);
    free(tokens);
    return status;
}

static quern_status mill_texts(qn_mill *mill, uint32_t doc, unsigned n, const uint8_t **at,
                               uint32_t *length, quern_error *error)
{
    quern_span text[QN_FIELDS_MAX];
    const uint8_t *lens = *at;
    *at += n * sizeof(uint32_t);
    for (unsigned i = 0; i < n; i++) {
        text[i] = (quern_span){(const char *)*at, qn_load_u32(lens + i * sizeof(uint32_t))};
        *at += text[i].len;
    }
    return qn_mill_document(mill, doc, text, length, error);
}

static quern_status mill_batch(const qn_crew *crew, qn_mill *mill, batch *b, quern_error *error)
{
    const uint8_t *at = b->text.data;
    quern_status status = QUERN_OK;
    for (size_t i = 0; status == QUERN_OK && i < b->n; i++) {
        uint32_t doc = b->first_doc + (uint32_t)i, *length = b->length + i * crew->n_fields;
        status = b->doc[i].given ? mill_given(mill, doc, &b->doc[i], &at, length, error)
                                 : mill_texts(mill, doc, crew->n_texts, &at, length, error);
    }
    return status;
}

/* The next batch of a member, waiting for it; NULL: there are no more. */
static batch *take(member *m)
{
    struct qn_crew *crew = m->crew;
    while (m->first == NULL && !crew->closing)
        (void)pthread_cond_wait(&m->filled, &crew->lock);
    batch *b = m->first;
    if (b != NULL) {
        m->first = b->next;
        m->last = m->first == NULL ? &m->first : m->last;
    }
    return b;
}

static void *work(void *arg)
{
    member *m = arg;
    struct qn_crew *crew = m->crew;
    batch *b;
    (void)pthread_mutex_lock(&crew->lock);
    while ((b = take(m)) != NULL) {
        quern_error error = {0};
        bool drop = crew->dropping || crew->status != QUERN_OK;
        (void)pthread_mutex_unlock(&crew->lock);
        quern_status status = drop ? QUERN_OK : mill_batch(crew, m->mill, b, &error);
        (void)pthread_mutex_lock(&crew->lock);
        if (status != QUERN_OK && crew->status == QUERN_OK) {
            crew->status = status;
            crew->error = error;
        }
        m->waiting -= b->text.len;
        b->next = crew->done;
        crew->done = b;
        (void)pthread_cond_signal(&crew->done_more);
    }
    bool finish = !crew->dropping && crew->status == QUERN_OK;
    (void)pthread_mutex_unlock(&crew->lock);
    quern_error error = {0};
    quern_status status = finish ? qn_mill_finish(m->mill, &error) : QUERN_OK;
    (void)pthread_mutex_lock(&crew->lock);
    if (status != QUERN_OK && crew->status == QUERN_OK) {
        crew->status = status;
        crew->error = error;
    }
    (void)pthread_mutex_unlock(&crew->lock);
    return NULL;
}

quern_status qn_crew_new(qn_crew **out, qn_mill *mill, unsigned n, uint64_t memory, size_t stretch,
                         quern_error *error)
{
    *out = NULL;
    qn_crew *crew = calloc(1, sizeof *crew + n * sizeof(member));
    if (crew == NULL)
        return qn_fail_memory(error);
    crew->n_fields = mill[0].n_fields == 0 ? 1 : mill[0].n_fields;
    crew->n_texts = qn_mill_n_texts(mill[0].n_fields);
    uint64_t most = memory / SHARE;
    crew->stretch = most / n < stretch ? (size_t)(most / n) : stretch;
    crew->most = crew->stretch * n;
    (void)pthread_mutex_init(&crew->lock, NULL);
    (void)pthread_cond_init(&crew->done_more, NULL);
    for (; crew->n < n; crew->n++) {
        member *m = &crew->member[crew->n];
        *m = (member){.crew = crew, .mill = &mill[crew->n], .last = &m->first};
        (void)pthread_cond_init(&m->filled, NULL);
        if (!qn_thread_spawn(&m->thread, work, m)) {
            (void)pthread_cond_destroy(&m->filled);
            break;
        }
    }
    if (crew->n == 0) {
        qn_crew_free(crew);
        return QUERN_OK;
    }
    *out = crew;
    return QUERN_OK;
}

/* ---- the caller ---- */

/* Takes the lengths out of batches that are done; those of the usual size become spare, as long as
 * all together are within the most. */
static quern_status collect(qn_crew *crew, batch *done, qn_spooled_lengths *lengths,
                            quern_error *error)
{
    quern_status status = QUERN_OK;
    while (done != NULL) {
        batch *b = done;
        done = b->next;
        for (size_t i = 0; status == QUERN_OK && i < b->n; i++)
            status = qn_spooled_lengths_add(lengths, b->first_doc + (uint32_t)i,
                                            b->length + i * crew->n_fields, error);
        size_t bytes = bytes_of(b);
        crew->bytes -= bytes;
        if (b->text.cap > 2 * BATCH || crew->bytes + crew->spare_bytes + bytes > crew->most) {
            free_batch(b);
            continue;
        }
        b->n = 0;
        b->text.len = 0;
        b->next = crew->spare;
        crew->spare = b;
        crew->spare_bytes += bytes;
    }
    return status;
}

/* The member with the least to do; of equals the next after the one before. */
static unsigned idlest(const qn_crew *crew)
{
    unsigned least = (crew->member_now + 1) % crew->n;
    for (unsigned i = 2; i <= crew->n; i++) {
        unsigned other = (crew->member_now + i) % crew->n;
        if (crew->member[other].waiting < crew->member[least].waiting)
            least = other;
    }
    return least;
}

static quern_status status_of(const qn_crew *crew, quern_error *error)
{
    if (crew->status != QUERN_OK && error != NULL)
        *error = crew->error;
    return crew->status;
}

/* Hands the batch that was filled to its member. */
static void submit(qn_crew *crew)
{
    batch *b = crew->filling;
    if (b == NULL || b->n == 0)
        return;
    crew->filling = NULL;
    (void)pthread_mutex_lock(&crew->lock);
    if (crew->stretch_len == 0)
        crew->member_now = idlest(crew);
    member *m = &crew->member[crew->member_now];
    b->next = NULL;
    *m->last = b;
    m->last = &b->next;
    m->waiting += b->text.len;
    crew->stretch_len += b->text.len;
    if (crew->stretch_len >= crew->stretch)
        crew->stretch_len = 0;
    (void)pthread_cond_signal(&m->filled);
    (void)pthread_mutex_unlock(&crew->lock);
}

/* Makes a batch to fill for `len` bytes, when no more than the most is waiting with it. */
static quern_status next_batch(qn_crew *crew, size_t len, qn_spooled_lengths *lengths,
                               quern_error *error)
{
    quern_status status;
    for (;;) {
        (void)pthread_mutex_lock(&crew->lock);
        while (crew->done == NULL && crew->status == QUERN_OK && crew->bytes > 0 &&
               crew->bytes + len > crew->most)
            (void)pthread_cond_wait(&crew->done_more, &crew->lock);
        batch *done = crew->done;
        crew->done = NULL;
        status = status_of(crew, error);
        (void)pthread_mutex_unlock(&crew->lock);
        quern_status collected = collect(crew, done, lengths, error);
        status = status == QUERN_OK ? collected : status;
        if (status != QUERN_OK || crew->bytes == 0 || crew->bytes + len <= crew->most)
            break;
    }
    if (status != QUERN_OK)
        return status;
    batch *b = crew->spare;
    if (b != NULL) {
        crew->spare = b->next;
        crew->spare_bytes -= bytes_of(b);
    }
    crew->filling = b == NULL ? calloc(1, sizeof *b) : b;
    return crew->filling == NULL ? qn_fail_memory(error) : QUERN_OK;
}

/* Bytes of a document in a batch. */
static size_t room_for(const qn_crew *crew, const quern_span *text, const quern_token *tokens,
                       size_t n_tokens)
{
    size_t len = 0;
    for (unsigned i = 0; tokens == NULL && i < crew->n_texts; i++)
        len += sizeof(uint32_t) + text[i].len;
    for (size_t i = 0; i < n_tokens; i++)
        len += TOKEN_HEAD + tokens[i].term.len;
    return len;
}

static bool copy_tokens(qn_buffer *to, const quern_token *tokens, size_t n)
{
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        uint8_t head[TOKEN_HEAD];
        qn_store_u32(head, tokens[i].position);
        head[4] = (uint8_t)tokens[i].field;
        head[5] = (uint8_t)tokens[i].term.len;
        ok = qn_buffer_append(to, head, sizeof head) &&
             qn_buffer_append(to, tokens[i].term.data, tokens[i].term.len);
    }
    return ok;
}

static bool copy_texts(qn_buffer *to, const quern_span *text, unsigned n)
{
    uint8_t len[sizeof(uint32_t)];
    bool ok = true;
    for (unsigned i = 0; ok && i < n; i++) {
        qn_store_u32(len, (uint32_t)text[i].len);
        ok = qn_buffer_append(to, len, sizeof len);
    }
    for (unsigned i = 0; ok && i < n; i++)
        ok = qn_buffer_append(to, text[i].data, text[i].len);
    return ok;
}

static bool copy(const qn_crew *crew, batch *b, const quern_span *text, const quern_token *tokens,
                 size_t n_tokens)
{
    void *docs = b->doc, *lengths = b->length;
    bool ok = qn_array_grow(&docs, &b->cap, b->n + 1, sizeof *b->doc);
    b->doc = docs;
    ok = ok &&
         qn_array_grow(&lengths, &b->length_cap, (b->n + 1) * crew->n_fields, sizeof *b->length);
    b->length = lengths;
    ok = ok && (tokens != NULL ? copy_tokens(&b->text, tokens, n_tokens)
                               : copy_texts(&b->text, text, crew->n_texts));
    if (ok)
        b->doc[b->n++] = (entry){.n_tokens = n_tokens, .given = tokens != NULL};
    return ok;
}

quern_status qn_crew_add(qn_crew *crew, uint32_t doc, const quern_span *text,
                         const quern_token *tokens, size_t n_tokens, qn_spooled_lengths *lengths,
                         quern_error *error)
{
    size_t len = room_for(crew, text, tokens, n_tokens);
    if (crew->filling != NULL && crew->filling->text.len + len > BATCH)
        submit(crew);
    if (crew->filling == NULL) {
        quern_status status = next_batch(crew, len > BATCH ? len : BATCH, lengths, error);
        if (status != QUERN_OK)
            return status;
        crew->filling->first_doc = doc;
        if (!qn_buffer_reserve(&crew->filling->text, len > BATCH ? len : BATCH))
            return qn_fail_memory(error);
    } else {
        crew->bytes -= bytes_of(crew->filling);
    }
    bool ok = copy(crew, crew->filling, text, tokens, n_tokens);
    crew->bytes += bytes_of(crew->filling);
    return ok ? QUERN_OK : qn_fail_memory(error);
}

static void announce_end(qn_crew *crew, bool drop)
{
    (void)pthread_mutex_lock(&crew->lock);
    crew->closing = true;
    crew->dropping = drop;
    for (unsigned i = 0; i < crew->n; i++)
        (void)pthread_cond_signal(&crew->member[i].filled);
    (void)pthread_mutex_unlock(&crew->lock);
}

static void end_threads(qn_crew *crew)
{
    for (unsigned i = 0; i < crew->n; i++) {
        (void)pthread_join(crew->member[i].thread, NULL);
        (void)pthread_cond_destroy(&crew->member[i].filled);
    }
    crew->n = 0;
}

void qn_crew_close(qn_crew *crew)
{
    submit(crew);
    announce_end(crew, false);
}

quern_status qn_crew_finish(qn_crew *crew, qn_spooled_lengths *lengths, quern_error *error)
{
    qn_crew_close(crew);
    end_threads(crew);
    quern_status status = collect(crew, crew->done, lengths, error);
    crew->done = NULL;
    return crew->status != QUERN_OK ? status_of(crew, error) : status;
}

size_t qn_crew_bytes(const qn_crew *crew)
{
    return crew->bytes + crew->spare_bytes;
}

void qn_crew_free(qn_crew *crew)
{
    if (crew == NULL)
        return;
    announce_end(crew, true);
    end_threads(crew);
    while (crew->done != NULL) {
        batch *b = crew->done;
        crew->done = b->next;
        free_batch(b);
    }
    while (crew->spare != NULL) {
        batch *b = crew->spare;
        crew->spare = b->next;
        free_batch(b);
    }
    free_batch(crew->filling);
    (void)pthread_mutex_destroy(&crew->lock);
    (void)pthread_cond_destroy(&crew->done_more);
    free(crew);
}
