/*
 * Finding an order of documents (index/build/reorder.h) for the first segment of an index that is
 * not reordered: how long each step takes, and what gaps cost before and after, as the mean of
 * their binary logarithms, over all lists and over those that are kept as gaps.
 *
 *     micro_reorder INDEX [MEBIBYTES [THREADS]]
 */
#include "bench/micro/micro.h"
#include "index/base/status.h"
#include "index/build/forward.h"
#include "index/build/reorder.h"
#include "index/segment/postings.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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
    if (docs == NULL)
        status = qn_fail_memory(error);
    while (status == QUERN_OK) {
        status = qn_dict_next(&cursor, error);
        if (status == QUERN_OK && cursor.info.df > 1)
            status = add_list(segment, &cursor.info, to, docs, sum, error);
    }
    free(docs);
    return status == QUERN_END ? QUERN_OK : status;
}

static double mean(double sum, uint64_t n)
{
    return n == 0 ? 0 : sum / (double)n;
}

static quern_status tell_costs(const char *name, const qn_segment *segment, const uint32_t *to,
                               quern_error *error)
{
    cost sum = {0};
    quern_status status = add_lists(segment, to, &sum, error);
    if (status == QUERN_OK)
        (void)printf("%-8s %6.3f bits a gap; %6.3f of lists that are kept as gaps\n", name,
                     mean(sum.all, sum.n_all), mean(sum.kept, sum.n_kept));
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
    if (status == QUERN_OK && to == NULL)
        status = qn_fail_memory(error);
    for (uint32_t i = 0; status == QUERN_OK && i < graph.n_docs; i++)
        to[graph.doc[0][i]] = i;
    if (status == QUERN_OK) {
        (void)printf("%u documents, %u terms, %llu pairs of them%s\n", graph.n_docs, graph.n_terms,
                     (unsigned long long)graph.n_edges, graph.scratch.in_file ? ", in a file" : "");
        (void)printf("%-8s %6.2f s to turn lists around, %.2f s to bisect\n", "", forward,
                     bisecting);
        status = tell_costs("before", segment, NULL, error);
    }
    if (status == QUERN_OK)
        status = tell_costs("after", segment, to, error);
    free(to);
    qn_graph_close(&graph);
    return status;
}

static quern_status measure_index(const char *path, int dirfd, const qn_reorder_room *room,
                                  quern_error *error)
{
    quern_open_options options = QUERN_OPEN_OPTIONS;
    qn_manifest manifest = {0};
    qn_segment segment;
    const qn_scratch_place place = {dirfd, path};
    quern_status status = qn_manifest_read(&manifest, dirfd, path, error);
    if (status == QUERN_OK && manifest.n_segments == 0)
        status = qn_fail(error, QUERN_E_ARGUMENT, "%s has no segment", path);
    if (status == QUERN_OK)
        status = qn_segment_open(&segment, dirfd, &manifest.segment[0], &options, error);
    if (status == QUERN_OK) {
        status = measure(&segment, &place, room, error);
        qn_segment_close(&segment);
    }
    qn_manifest_free(&manifest);
    return status;
}

int main(int argc, char **argv)
{
    static const micro_form form = {"micro_reorder INDEX [MEBIBYTES [THREADS]]", 0, 0, 1, 3};
    micro_options options = read_options(&form, argc, argv);
    quern_error error = {0};
    qn_reorder_room room = {.memory = (size_t)1024 << 20};
    if (options.json)
        wrong_usage(form.usage);
    if (options.n > 1)
        room.memory = number_from(options.argument[1], 1 << 20, form.usage) << 20;
    if (options.n > 2)
        room.threads = (unsigned)number_from(options.argument[2], 1024, form.usage);
    int dirfd = open(options.argument[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0) {
        perror(options.argument[0]);
        return 1;
    }
    quern_status status = measure_index(options.argument[0], dirfd, &room, &error);
    (void)close(dirfd);
    if (status != QUERN_OK)
        (void)fprintf(stderr, "micro_reorder: %s\n", error.message);
    return finished(status == QUERN_OK);
}
