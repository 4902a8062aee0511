/*
 * The files of TREC: judgements (qrels, `qid iteration docid grade`) and runs (`qid Q0 docid rank
 * score tag`). Fields are separated by any white space; empty lines, and lines that start with #,
 * are skipped. A malformed line, or a document twice in a topic, is an error that names file:line.
 */
#ifndef QN_CLI_TREC_H
#define QN_CLI_TREC_H

#include "engine/quern.h"
#include "index/base/arena.h"

/* A line of either file. */
typedef struct qn_trec_row {
    const char *qid;
    const char *doc;
    double value; /* the grade (an int32_t; negative: in the pool, but not judged) or the score */
    uint64_t line;
} qn_trec_row;

/* Rows sorted by topic, then document, both bytewise. Zero-initialise; free with qn_trec_free. */
typedef struct qn_trec {
    qn_trec_row *row;
    size_t n, cap;
    qn_arena names;
} qn_trec;

/* Reads judgements; - is standard input. */
quern_status qn_trec_read_qrels(qn_trec *qrels, const char *path, quern_error *error);

/* Reads a run; its column of ranks is ignored. */
quern_status qn_trec_read_run(qn_trec *run, const char *path, quern_error *error);

void qn_trec_free(qn_trec *file);

/* The rows of one topic. */
typedef struct qn_trec_topic {
    const qn_trec_row *row;
    size_t n;
} qn_trec_topic;

/* The topic that starts at row `at`, for walking all: at += topic.n. */
qn_trec_topic qn_trec_topic_at(const qn_trec *file, size_t at);

/* The topic of that name; n is 0 if there is none. */
qn_trec_topic qn_trec_topic_named(const qn_trec *file, const char *qid);

#endif
