/*
 * Queries drawn from an index, for benchmarks where no log of queries is at hand. Words come from
 * the texts of documents that are drawn evenly: so they belong together, as a person's do, and
 * frequent words come more often. Where no texts are kept, they are drawn from the terms, by their
 * occurrences, each by itself. Every query has an answer: it is counted before it is given out.
 *
 * The same seed and index give the same queries.
 */
#ifndef QN_CLI_SYNTH_QUERIES_H
#define QN_CLI_SYNTH_QUERIES_H

#include "engine/cli/output.h"

typedef enum qn_synth_shape {
    QN_SYNTH_TERM,         /* one word */
    QN_SYNTH_UNION,        /* several */
    QN_SYNTH_INTERSECTION, /* +several +words */
    QN_SYNTH_PHRASE,       /* "words in a row" */
    QN_SYNTH_NEGATED,      /* several, the last of them -not */
    QN_SYNTH_QUESTION,     /* 8 to 12 words in a row, of any frequency, as a union */
    QN_SYNTH_SHAPES
} qn_synth_shape;

/* The names of the shapes, separated by |. */
#define QN_SYNTH_SHAPE_NAMES "term|union|intersection|phrase|negated|question"

/* What the words of queries must be like. Those of questions may be any where texts are kept. */
typedef struct qn_synth_wish {
    uint64_t seed;
    uint32_t words;        /* 2..8; 0: two, three or four. A term has one whatever this is */
    double df_min, df_max; /* the share of the documents that hold a word, 0..1 */
} qn_synth_wish;

typedef struct qn_synth_queries qn_synth_queries;

/* `index` must stay open. QUERN_E_MEMORY, QUERN_E_DAMAGED; QUERN_NOT_FOUND if there are no texts
 * and no term is as wished. */
quern_status qn_synth_queries_new(qn_synth_queries **out, const quern_index *index,
                                  const qn_synth_wish *wish, quern_error *error);
void qn_synth_queries_free(qn_synth_queries *queries);

/* Appends the text of a query. QUERN_NOT_FOUND if none was met with in a few thousand tries, or if
 * a phrase is wanted and the index keeps no texts. */
quern_status qn_synth_queries_draw(qn_synth_queries *queries, qn_synth_shape shape, qn_text *out,
                                   quern_error *error);

/* "term", "union", ... */
const char *qn_synth_shape_name(qn_synth_shape shape);

#endif
