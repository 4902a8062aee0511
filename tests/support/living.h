/*
 * A model of an index that lives: what a test has added, replaced and deleted, and the comparison
 * with an index built anew of the documents that are left. Failures are those of the test.
 */
#ifndef TEST_SUPPORT_LIVING_H
#define TEST_SUPPORT_LIVING_H

#include "tests/support/support.h"

enum { LIVING_ID = 16, LIVING_TEXT = 400 };

/* A document as the test knows it; the index must hold the live ones, in this order. */
typedef struct living_document {
    char id[LIVING_ID], text[LIVING_TEXT];
    quern_span field[2]; /* the first words of the text, and all of it */
    bool live;
} living_document;

typedef struct living_model {
    living_document *doc;
    size_t n, n_live;
    unsigned next_id;
    bool reorder; /* the index is reordered; the fresh one is as `fresh_too` says */
    bool fresh_too;
    bool fields; /* title and text are kept apart */
    test_random random;
    char *dir, *path, *fresh;
} living_model;

/* An index that is not there yet, in a folder of its own; the fields that are false or 0 may be set
 * then. */
void living_start(living_model *m, uint64_t seed);
void living_finish(living_model *m);

quern_document living_document_of(const living_model *m, const living_document *doc);

/* The document is no longer in the index, by the test's own doing. */
void living_forget(living_model *m, living_document *doc);

/* One builder: new documents, replaced ones, and deletions between them. */
void living_change(living_model *m, unsigned n_new, unsigned n_replaced, unsigned n_deleted);

/* Verifies the index and compares its documents, and the answers to queries at random by every
 * evaluator, with those of a fresh one. */
void living_compare(living_model *m, unsigned n_queries);

/* The files of both are the same, one segment each. */
void living_compare_bytes(const living_model *m);

/* Compacts; without options twice, as the second time nothing is left to do. */
void living_compact(const living_model *m, const quern_merge_options *options);

#endif
