/*
 * The model of the synthetic corpus: documents like passages of real collections, in the ways that
 * an index and its queries feel. bench/synth_check holds it against real passages; what was
 * measured of them stands beside the constants in synth_model.c.
 *
 * A corpus is a row of sections (thousands of documents, a few kinds of text after another), a
 * section a row of articles (of a few documents or hundreds, by its kind), an article a row of
 * documents that share a title, two topics and a store of words. A word is drawn by its frequency
 * (synth_zipf.h), which differs a little from kind to kind. If it is no function word, it may give
 * way to one that the document has had, to one of its article, or to one of its topics. Those were
 * drawn by the same frequencies, so the corpus keeps them as a whole, while words crowd in
 * documents, articles, topics and sections.
 *
 * Document i depends on the seed and i alone: any part of a corpus can be made by itself.
 */
#ifndef QN_CLI_SYNTH_MODEL_H
#define QN_CLI_SYNTH_MODEL_H

#include "engine/quern.h"
#include "index/base/buffer.h"

/* The first number that is no document's. */
#define QN_SYNTH_DOCUMENTS (UINT64_C(1) << 40)

typedef struct qn_synth qn_synth;

/* Some hundred KiB of tables; belongs to one thread. QUERN_E_MEMORY. */
quern_status qn_synth_new(qn_synth **out, uint64_t seed, quern_error *error);
void qn_synth_free(qn_synth *synth);

/* Appends document `number` (below QN_SYNTH_DOCUMENTS) as a line of JSON: id, title, text; in
 * ASCII. Fast in order, in any order right. QUERN_E_MEMORY. */
quern_status qn_synth_document(qn_synth *synth, uint64_t number, qn_buffer *out,
                               quern_error *error);

#endif
