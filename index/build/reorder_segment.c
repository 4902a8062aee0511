/* Reordering a segment: see reorder_segment.h. */
#define _GNU_SOURCE
#include "index/build/reorder_segment.h"

#include "index/base/status.h"
#include "index/base/thread.h"
#include "index/build/forward.h"
#include "index/build/list_order.h"
#include "index/build/segment_build.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    FORGET_EVERY = 8 << 20, /* bytes of the old segment after which its pages are let go of, */
    FORGET_TERMS = 1 << 17, /* or terms */
    PROGRESS_EVERY = 4096,  /* terms after which progress is told */
    LIST_SHARE = 8,         /* of the memory limit, what may be held of a list */
    NUMBERS_SHARE = 4,      /* and what the new numbers may take before they go to a file */
    NUMBERS_STEP = 1 << 20  /* new numbers that are written at a time, if they are in a file */
};

typedef struct rewriting {
    const qn_reorder_room *room;
    qn_scratch_place place;
    qn_segment old;
    qn_segment_build build;
    qn_scratch order, to; /* u32 a document: old number of each new one, and new of each old one */
    uint32_t doc;         /* whose length is read next, */
    unsigned field;       /* in this field */
} rewriting;

static const uint32_t *numbers(const qn_scratch *scratch)
{
    return (const uint32_t *)scratch->data;
}

/* ---- the order ---- */

/* Copies the order out of the graph, which is then done with. */
static quern_status take_order(rewriting *r, const qn_graph *graph, bool in_file,
                               quern_error *error)
{
    size_t n = graph->n_docs;
    quern_status status =
        qn_scratch_open(&r->order, n * sizeof(uint32_t), in_file, &r->place, error);
    for (size_t i = 0; status == QUERN_OK && i < n; i += NUMBERS_STEP) {
        size_t here = (n - i < NUMBERS_STEP ? n - i : NUMBERS_STEP) * sizeof(uint32_t);
        uint8_t *to = r->order.data + i * sizeof(uint32_t);
        memcpy(to, graph->doc[0] + i, here);
        qn_scratch_forget(&graph->scratch, graph->doc[0] + i, here);
        qn_scratch_forget(&r->order, to, here);
    }
    return status;
}

/* Turns the order around, a stretch of old numbers at a time if it lies in a file. */
static quern_status turn_around(rewriting *r, quern_error *error)
{
    uint32_t n = r->old.meta.n_docs, step = r->order.in_file ? NUMBERS_STEP : n;
    quern_status status =
        qn_scratch_open(&r->to, (size_t)n * sizeof(uint32_t), r->order.in_file, &r->place, error);
    uint32_t *to = (uint32_t *)r->to.data;
    for (uint32_t from = 0, end; status == QUERN_OK && from < n; from = end) {
        end = n - from < step ? n : from + step;
        for (uint32_t i = 0; i < n; i++) {
            uint32_t doc = numbers(&r->order)[i];
            if (doc >= from && doc < end)
                to[doc] = i;
            if (r->order.in_file && (i + 1) % NUMBERS_STEP == 0)
                qn_scratch_forget(&r->order, r->order.data, r->order.len);
        }
        qn_scratch_forget(&r->to, to + from, (size_t)(end - from) * sizeof *to);
    }
    return status;
}

static quern_status find_order(rewriting *r, quern_error *error)
{
    qn_graph graph;
    bool in_file =
        (uint64_t)r->old.meta.n_docs * 2 * sizeof(uint32_t) > r->room->memory / NUMBERS_SHARE;
    quern_status status = qn_forward_open(&graph, &r->old, r->room->memory, &r->place, error);
    if (status == QUERN_OK)
        status = qn_reorder(&graph, r->room, error);
    if (status == QUERN_OK)
        status = take_order(r, &graph, in_file, error);
    qn_graph_close(&graph);
    return status == QUERN_OK ? turn_around(r, error) : status;
}

/* ---- sections ---- */

static quern_status start_lengths(void *arg, quern_error *error)
{
    rewriting *r = arg;
    (void)error;
    r->doc = 0;
    r->field = 0;
    return QUERN_OK;
}

static quern_status next_length(void *arg, uint32_t *length, quern_error *error)
{
    rewriting *r = arg;
    uint32_t doc = r->doc;
    if (doc % NUMBERS_STEP == 0)
        qn_container_forget(&r->old.index);
    unsigned field = r->field++;
    if (r->field == qn_fields_count(&r->old.meta.fields)) {
        r->field = 0;
        r->doc++;
    }
    return qn_segment_exact_length(&r->old, field, doc, length, error);
}

static quern_status copy_section(rewriting *r, uint32_t kind, quern_error *error)
{
    qn_section section = r->old.index.section[kind];
    qn_container_writer *container = &r->build.container;
    quern_status status = qn_container_writer_begin(container, kind, error);
    for (uint64_t at = 0; status == QUERN_OK && at < section.len; at += FORGET_EVERY) {
        uint64_t left = section.len - at;
        status = qn_writer_put(&container->file, section.data + at,
                               (size_t)(left < FORGET_EVERY ? left : FORGET_EVERY), error);
        qn_container_forget(&r->old.index);
    }
    return status == QUERN_OK ? qn_container_writer_end(container, error) : status;
}

static bool told(const rewriting *r, const qn_term_info *info)
{
    const qn_reorder_room *room = r->room;
    return room->progress == NULL || room->progress(room->progress_arg, "rewriting lists",
                                                    info->postings_off + info->positions_off,
                                                    r->old.postings.len + r->old.positions.len);
}

static quern_status copy_lists(rewriting *r, qn_pipe *pipe, quern_error *error)
{
    qn_list_order order = {
        .to = &r->to, .n_to = r->old.meta.n_docs, .memory = r->room->memory / LIST_SHARE};
    qn_dict_cursor cursor;
    uint64_t forgotten = 0;
    quern_status status = qn_dict_seek(&cursor, &r->old.dict, "", 0, error);
    for (uint64_t i = 1; status == QUERN_OK; i++) {
        status = qn_dict_next(&cursor, error);
        if (status != QUERN_OK)
            break;
        const qn_term_info *info = &cursor.info;
        status = qn_pipe_begin(pipe, cursor.term, cursor.len, error);
        if (status == QUERN_OK)
            status = qn_list_order_copy(&order, &r->old, info, pipe, error);
        if (status == QUERN_OK)
            status = qn_pipe_finish_term(pipe, error);
        if (info->postings_off + info->positions_off - forgotten >= FORGET_EVERY ||
            i % FORGET_TERMS == 0) {
            forgotten = info->postings_off + info->positions_off;
            qn_container_forget(&r->old.index);
            qn_scratch_forget(&r->to, r->to.data, r->to.len);
        }
        if (status == QUERN_OK && i % PROGRESS_EVERY == 0 && !told(r, info))
            status = qn_fail(error, QUERN_E_CANCELLED, "cancelled");
    }
    qn_list_order_free(&order);
    return status == QUERN_END ? qn_pipe_end(pipe, error) : status;
}

static quern_status put_lists(rewriting *r, quern_error *error)
{
    qn_postings_writer *writer;
    qn_pipe *pipe;
    quern_status status = qn_segment_build_postings(&r->build, &writer, error);
    if (status != QUERN_OK)
        return status;
    status = qn_pipe_new(&pipe, writer, qn_thread_count(r->room->threads) > 1, error);
    if (status == QUERN_OK) {
        status = copy_lists(r, pipe, error);
        qn_pipe_free(pipe);
    }
    return qn_segment_build_postings_end(&r->build, writer, status, error);
}

static quern_status put_all(rewriting *r, quern_error *error)
{
    qn_segment_build *build = &r->build;
    const qn_length_source lengths = {r, start_lengths, next_length};
    uint32_t n_docs = r->old.meta.n_docs;
    build->meta = r->old.meta;
    memset(build->meta.counts, 0, sizeof build->meta.counts); /* counted anew with the lengths */
    build->order = &r->order;
    quern_status status = qn_segment_build_lengths(build, &lengths, n_docs, error);
    if (status == QUERN_OK)
        status = copy_section(r, QN_SECTION_IDS, error);
    if (status == QUERN_OK)
        status = copy_section(r, QN_SECTION_ID_LOOKUP, error);
    if (status == QUERN_OK)
        status = qn_ordinals_write(&build->container, &r->order, n_docs, error);
    qn_scratch_close(&r->order);
    build->order = NULL;
    if (status == QUERN_OK)
        status = put_lists(r, error);
    return status == QUERN_OK ? qn_segment_build_finish(build, error) : status;
}

/* ---- the file ---- */

/* Opens the segment by the name of its files. */
static quern_status open_old(rewriting *r, const char *index_name, const qn_manifest_segment *entry,
                             quern_error *error)
{
    qn_manifest_segment named = *entry;
    quern_open_options options = QUERN_OPEN_OPTIONS;
    (void)snprintf(named.name, sizeof named.name, "%.*s", (int)(strlen(index_name) - 3),
                   index_name);
    quern_status status = qn_segment_open(&r->old, r->place.dirfd, &named, &options, error);
    if (status == QUERN_OK)
        qn_segment_sweep(&r->old);
    return status;
}

quern_status qn_reorder_segment(int dirfd, const char *path, const char *index_name,
                                qn_manifest_segment *entry, const qn_reorder_room *room,
                                quern_error *error)
{
    rewriting r = {.room = room, .place = {dirfd, path}};
    char name[48];
    (void)snprintf(name, sizeof name, "tmp-%ld-order.qx", (long)getpid());
    (void)unlinkat(dirfd, name, 0); /* of a killed process with the same number */
    quern_status status = open_old(&r, index_name, entry, error);
    if (status != QUERN_OK)
        return status;
    status = find_order(&r, error);
    if (status == QUERN_OK)
        status = qn_segment_build_open(&r.build, dirfd, path, name, error);
    if (status == QUERN_OK)
        status = put_all(&r, error);
    if (status == QUERN_OK && renameat(dirfd, name, dirfd, index_name) != 0)
        status = qn_fail_sys(error, errno, "rename a file in", path);
    if (status == QUERN_OK) {
        entry->index_len = r.build.entry.index_len;
        entry->index_checksum = r.build.entry.index_checksum;
    } else {
        (void)unlinkat(dirfd, name, 0);
    }
    qn_segment_build_close(&r.build);
    qn_scratch_close(&r.order);
    qn_scratch_close(&r.to);
    qn_segment_close(&r.old);
    return status;
}
