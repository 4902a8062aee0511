/*
 * Finding an order of documents (index/build/reorder.h) for the first segment of an index that is
 * not reordered: how long each step takes, and what gaps cost before and after, as the mean of
 * their binary logarithms, over all lists and over those that are kept as gaps.
 *
 *     micro_reorder INDEX [MEBIBYTES [THREADS]]
 */
#include "bench/micro.h"
#include "index/build/forward.h"
#include "index/build/reorder.h"
#include "index/segment/postings.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int complain(const quern_error *error)
{
    (void)fprintf(stderr, "micro_reorder: %s\n", error->message);
    return 1;
}

static int compare(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

typedef struct cost {
    double all, kept; /* sums of logarithms, of all lists and of those kept as gaps */
    uint64_t n_all, n_kept;
} cost;

/* Adds the gaps of a list; `to` has new numbers, NULL: those that it has. */
static quern_status add_list(const qn_segment *segment, const qn_term_info *info,
                             const uint32_t *to, uint32_t *docs, cost *sum, quern_error *error)
{
    qn_postings list;
    const uint8_t *tf_at;
    size_t n = 0;
    quern_status status = qn_postings_open(&list, segment, info, error);
    for (uint32_t block = 0; status == QUERN_OK && block < list.n_blocks; block++) {
        status = qn_postings_docs(&list, block, docs + n, &tf_at, error);
        n += qn_postings_block_n(&list, block);
    }
    if (status != QUERN_OK)
        return status;
    for (size_t i = 0; to != NULL && i < n; i++)
        docs[i] = to[docs[i]];
    if (to != NULL)
        qsort(docs, n, sizeof *docs, compare);
    double bits = 0;
    for (size_t i = 0; i < n; i++)
        bits += log2(i == 0 ? (double)docs[0] + 1 : (double)docs[i] - (double)docs[i - 1]);
    sum->all += bits;
    sum->n_all += n;
    sum->kept += list.coded ? 0 : bits;
    sum->n_kept += list.coded ? 0 : n;
    return QUERN_OK;
}

static quern_status add_lists(const qn_segment *segment, const uint32_t *to, cost *sum,
                              quern_error *error)
{
    qn_dict_cursor cursor;
    uint32_t *docs = malloc(((size_t)segment->meta.n_docs + QN_BLOCK_ROOM) * sizeof *docs);
    quern_status status = qn_dict_seek(&cursor, &segment->dict, "", 0, error);
    while (docs != NULL && status == QUERN_OK) {
        status = qn_dict_next(&cursor, error);
        if (status == QUERN_OK && cursor.info.df > 1)
            status = add_list(segment, &cursor.info, to, docs, sum, error);
    }
    free(docs);
    return status == QUERN_END ? QUERN_OK : status;
}

static quern_status tell_costs(const char *name, const qn_segment *segment, const uint32_t *to,
                               quern_error *error)
{
    cost sum = {0};
    quern_status status = add_lists(segment, to, &sum, error);
    if (status == QUERN_OK)
        (void)printf("%-8s %6.3f bits a gap; %6.3f of lists that are kept as gaps\n", name,
                     sum.all / (double)sum.n_all, sum.kept / (double)sum.n_kept);
    return status;
}

static quern_status measure(const qn_segment *segment, const qn_scratch_place *place,
                            const qn_reorder_room *room, quern_error *error)
{
    qn_graph graph;
    double start = now();
    quern_status status = qn_forward_open(&graph, segment, room->memory, place, error);
    double forward = now() - start;
    start = now();
    if (status == QUERN_OK)
        status = qn_reorder(&graph, room, error);
    double bisecting = now() - start;
    uint32_t *to = calloc((size_t)segment->meta.n_docs + 1, sizeof *to);
    for (uint32_t i = 0; status == QUERN_OK && to != NULL && i < graph.n_docs; i++)
        to[graph.doc[0][i]] = i;
    if (status == QUERN_OK) {
        (void)printf("%u documents, %u terms, %llu pairs of them%s\n", graph.n_docs, graph.n_terms,
                     (unsigned long long)graph.n_edges, graph.scratch.in_file ? ", in a file" : "");
        (void)printf("%-8s %6.2f s to turn lists around, %.2f s to bisect\n", "", forward,
                     bisecting);
        status = tell_costs("before", segment, NULL, error);
    }
    if (status == QUERN_OK && to != NULL)
        status = tell_costs("after", segment, to, error);
    free(to);
    qn_graph_close(&graph);
    return status;
}

int main(int argc, char **argv)
{
    quern_error error = {0};
    quern_open_options options = QUERN_OPEN_OPTIONS;
    qn_manifest manifest = {0};
    qn_segment segment;
    if (argc < 2) {
        (void)fprintf(stderr, "usage: micro_reorder INDEX [MEBIBYTES [THREADS]]\n");
        return 2;
    }
    int dirfd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0) {
        perror(argv[1]);
        return 1;
    }
    if (qn_manifest_read(&manifest, dirfd, argv[1], &error) != QUERN_OK ||
        qn_segment_open(&segment, dirfd, &manifest.segment[0], &options, &error) != QUERN_OK)
        return complain(&error);
    const qn_scratch_place place = {dirfd, argv[1]};
    const qn_reorder_room room = {.memory = (argc > 2 ? strtoull(argv[2], NULL, 10) : 1024) << 20,
                                  .threads = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 0};
    quern_status status = measure(&segment, &place, &room, &error);
    qn_segment_close(&segment);
    qn_manifest_free(&manifest);
    (void)close(dirfd);
    return status == QUERN_OK ? 0 : complain(&error);
}
