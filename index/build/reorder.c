/*
 * The tree of bisections: see reorder.h. The first levels are gone through one node after the
 * other, threads sharing its gains; the nodes that are left are then done by one thread each. A
 * node does not depend on any other but the one that it is a half of, so it does not matter when it
 * is done.
 */
#include "index/build/reorder.h"

#include "index/base/buffer.h"
#include "index/base/status.h"
#include "index/base/thread.h"
#include "index/build/bisect.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEAF = 8,        /* documents that are not parted any more */
    DEPTH_MAX = 33,  /* nodes that wait, deepest first: one a level */
    TASKS = 8,       /* nodes a thread, so that threads end at about the same time */
    STEP = 1 << 14,  /* documents after which progress is told */
    SPARE = 64 << 20 /* bytes for a thread beside the first */
};

typedef struct reordering {
    const qn_graph *graph;
    const qn_reorder_room *room;
    int32_t *growth;
    qn_bisector *bisector; /* one a thread */
    unsigned n_threads;
    qn_node *task;
    size_t n_tasks, task_cap;
    atomic_size_t next_task;
    _Atomic uint32_t n_done; /* documents in leaves */
    atomic_bool stop;
    uint32_t told; /* n_done when progress was told */
} reordering;

/* Of the thread that called. */
static bool tell(reordering *r)
{
    uint32_t done = r->n_done;
    if (r->room->progress == NULL || (done - r->told < STEP && done > 0))
        return true;
    r->told = done;
    return r->room->progress(r->room->progress_arg, "reordering", done, r->graph->n_docs);
}

static bool is_leaf(const qn_node *node)
{
    return node->n <= LEAF || node->n_terms == 0;
}

static void end_leaf(reordering *r, const qn_node *node)
{
    const qn_graph *graph = r->graph;
    if (node->from != 0)
        memcpy(graph->doc[0] + node->first, graph->doc[1] + node->first, 4 * (size_t)node->n);
    r->n_done += node->n;
}

/* Bytes of a node in both copies, about. */
static uint64_t node_bytes(const qn_node *node)
{
    return 8 * node->n_edges + 21 * (uint64_t)node->n;
}

/* Lets go of a node in both copies. */
static void forget(const reordering *r, const qn_node *node)
{
    for (unsigned c = 0; c < 2; c++)
        qn_graph_forget(r->graph, c, node->first, node->n, node->at, node->n_edges);
}

/* ---- a thread ---- */

/* Does a node and all below it. */
static void do_task(reordering *r, qn_bisector *one, const qn_node *task, bool tells)
{
    qn_node waiting[DEPTH_MAX + 1];
    size_t n = 1;
    waiting[0] = *task;
    while (n > 0 && !r->stop) {
        qn_node node = waiting[--n], half[2];
        if (is_leaf(&node)) {
            end_leaf(r, &node);
            if (tells && !tell(r))
                r->stop = true;
            continue;
        }
        qn_bisect(one, 1, &node, half);
        waiting[n++] = half[1];
        waiting[n++] = half[0];
    }
    forget(r, task);
}

static void work(reordering *r, qn_bisector *one, bool tells)
{
    for (;;) {
        size_t i = r->next_task++;
        if (i >= r->n_tasks || r->stop)
            return;
        do_task(r, one, &r->task[i], tells);
    }
}

typedef struct worker {
    reordering *r;
    qn_bisector *one;
} worker;

static void *work_in_thread(void *arg)
{
    worker *w = arg;
    work(w->r, w->one, false);
    return NULL;
}

static quern_status do_tasks(reordering *r, quern_error *error)
{
    pthread_t *thread = calloc(r->n_threads, sizeof *thread);
    worker *workers = calloc(r->n_threads, sizeof *workers);
    bool *started = calloc(r->n_threads, sizeof *started);
    bool ok = thread != NULL && workers != NULL && started != NULL;
    for (unsigned i = 1; ok && i < r->n_threads; i++) {
        workers[i] = (worker){r, &r->bisector[i]};
        started[i] = qn_thread_spawn(&thread[i], work_in_thread, &workers[i]);
    }
    if (ok)
        work(r, &r->bisector[0], true);
    for (unsigned i = 1; ok && i < r->n_threads; i++)
        if (started[i])
            (void)pthread_join(thread[i], NULL);
    free(thread);
    free(workers);
    free(started);
    return ok ? QUERN_OK : qn_fail_memory(error);
}

/* ---- the first levels ---- */

static bool put_task(reordering *r, const qn_node *node)
{
    void *array = r->task;
    if (!qn_array_grow(&array, &r->task_cap, r->n_tasks + 1, sizeof *r->task))
        return false;
    r->task = array;
    r->task[r->n_tasks++] = *node;
    return true;
}

/* Parts nodes until they are small enough to be done by one thread each. */
static quern_status make_tasks(reordering *r, quern_error *error)
{
    const qn_graph *graph = r->graph;
    qn_node waiting[DEPTH_MAX + 1];
    size_t n = 1;
    uint32_t large = graph->n_docs / (r->n_threads * TASKS);
    waiting[0] = (qn_node){
        .n = graph->n_docs, .n_terms = graph->n_terms, .n_edges = graph->n_edges, .from = 0};
    while (n > 0) {
        qn_node node = waiting[--n], half[2];
        bool fits = !graph->scratch.in_file ||
                    node_bytes(&node) <= graph->window / (2 * (uint64_t)r->n_threads);
        if (is_leaf(&node) || (fits && (r->n_threads == 1 || node.n <= large))) {
            if (!put_task(r, &node))
                return qn_fail_memory(error);
            continue;
        }
        qn_bisect(r->bisector, r->n_threads, &node, half);
        forget(r, &node);
        if (!tell(r))
            return qn_fail(error, QUERN_E_CANCELLED, "cancelled");
        waiting[n++] = half[1];
        waiting[n++] = half[0];
    }
    return QUERN_OK;
}

/* Each thread has tables of its own, as large as its largest node needs. */
static quern_status make_tables(reordering *r, quern_error *error)
{
    for (unsigned i = 1; i < r->n_threads; i++) {
        uint32_t most = 0;
        for (size_t t = 0; t < r->n_tasks; t++)
            most = r->task[t].n_terms > most ? r->task[t].n_terms : most;
        qn_bisector_free(&r->bisector[i]);
        if (!qn_bisector_init(&r->bisector[i], r->graph, r->growth, most))
            return qn_fail_memory(error);
    }
    return QUERN_OK;
}

static quern_status run(reordering *r, quern_error *error)
{
    r->growth = qn_bisect_growth();
    r->bisector = calloc(r->n_threads, sizeof *r->bisector);
    if (r->growth == NULL || r->bisector == NULL)
        return qn_fail_memory(error);
    for (unsigned i = 0; i < r->n_threads; i++)
        if (!qn_bisector_init(&r->bisector[i], r->graph, r->growth, i == 0 ? r->graph->n_terms : 0))
            return qn_fail_memory(error);
    quern_status status = make_tasks(r, error);
    if (status == QUERN_OK)
        status = make_tables(r, error);
    if (status == QUERN_OK)
        status = do_tasks(r, error);
    return status == QUERN_OK && r->stop ? qn_fail(error, QUERN_E_CANCELLED, "cancelled") : status;
}

quern_status qn_reorder(qn_graph *graph, const qn_reorder_room *room, quern_error *error)
{
    reordering r = {.graph = graph, .room = room};
    uint64_t most = 1 + room->memory / SPARE / 2, threads = qn_thread_count(room->threads);
    r.n_threads = (unsigned)(threads < most ? threads : most);
    quern_status status = run(&r, error);
    for (unsigned i = 0; r.bisector != NULL && i < r.n_threads; i++)
        qn_bisector_free(&r.bisector[i]);
    free(r.bisector);
    free(r.growth);
    free(r.task);
    return status;
}
