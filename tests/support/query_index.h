/* What tests of the query layer share: random documents, the segments written from them, random
 * queries, and a scorer that reads nothing but the documents. */
#ifndef QN_TESTS_QUERY_INDEX_H
#define QN_TESTS_QUERY_INDEX_H

#include "index/segment/segment.h"
#include "query/query.h"
#include "query/search.h"
#include "tests/support/support.h"

enum { TEST_SEGMENTS_MAX = 5, TEST_TERM_ROOM = 9 };

/* One word of one document. Words of a document stand together, positions ascending. */
typedef struct test_word {
    uint32_t term, position;
} test_word;

typedef struct test_index_params {
    uint64_t seed;
    uint32_t n_docs, vocabulary, max_words; /* a document has 0..max_words words */
    uint32_t copies;                        /* documents in a row that are equal; 1: none */
    unsigned n_segments;
    uint32_t coded_df, dense_df; /* over 128, and at least that: which lists are coded, and dense */
    float k1, b;                 /* of the bounds */
    bool no_positions;
    bool huge_tf;      /* a few documents hold a word very often */
    uint32_t deleted;  /* of 1,000 documents so many were deleted */
    unsigned n_fields; /* 0: one without a name; else term t is one of field t % n_fields */
    bool reordered;    /* each segment keeps its documents in an order drawn at random */
} test_index_params;

typedef struct test_index {
    test_index_params params;
    uint32_t n_docs;
    size_t *first_word; /* [n_docs + 1]: document d has word[first_word[d] .. first_word[d + 1]) */
    test_word *word;
    unsigned n_segments;
    qn_segment segment[TEST_SEGMENTS_MAX];
    uint8_t *bytes[TEST_SEGMENTS_MAX]; /* of the files that the segments read; may be damaged */
    size_t len[TEST_SEGMENTS_MAX];
    uint8_t *lengths[TEST_SEGMENTS_MAX]; /* codes of each field's documents, over-readable */
    uint8_t *gone[TEST_SEGMENTS_MAX];    /* bits, as a segment has them; NULL: none was deleted */
    /* Of reordered segments: */
    uint8_t *deleted[TEST_SEGMENTS_MAX], *ordinals[TEST_SEGMENTS_MAX], *codes[TEST_SEGMENTS_MAX];
} test_index;

void test_index_new(test_index *index, const test_index_params *params);
void test_index_free(test_index *index);

/* The same over one document of given words (params->n_docs 1). */
void test_index_of_words(test_index *index, const test_index_params *params, const test_word *words,
                         size_t n);

/* Runs a query twice with a new search. Returns a copy of the hits, the caller's, and in *used the
 * evaluator. */
quern_hit *test_index_search(const test_index *index, const quern_search_options *options,
                             const qn_query *query, size_t k, size_t *n, const char **used);

/* Whether a document was deleted. */
bool test_index_is_deleted(const test_index *index, uint32_t doc);

/* Decodes with the kernels of the level that QUERN_CPU now names. */
void test_index_use_level(test_index *index);

/* "t00042", with the prefix of its field if there are fields: term texts ascend with their numbers,
 * within a field. */
void test_term_text(uint32_t term, unsigned n_fields, char text[TEST_TERM_ROOM]);

/* What kinds of clauses a random query may have. */
typedef struct test_query_params {
    uint32_t max_clauses;
    bool musts, nots, phrases;
    bool groups;       /* QN_ANY */
    unsigned n_fields; /* of the index */
} test_query_params;

/* Zero-initialise, or test_query_random; set n_fields before clauses are added. */
typedef struct test_query {
    qn_query query;
    unsigned n_fields;
    qn_fields fields; /* of the query, if there are some */
    qn_clause clause[64];
    qn_query_term term[256];
    uint32_t number[256]; /* of each term; may lie outside the vocabulary */
    char text[256][TEST_TERM_ROOM];
} test_query;

void test_query_random(test_query *query, const test_query_params *params, uint32_t vocabulary,
                       test_random *random);

/* Appends a clause over terms with these positions. */
void test_query_add(test_query *query, qn_occur occur, uint32_t qtf, const uint32_t *terms,
                    const uint32_t *positions, uint32_t n);
/* A clause of one term. */
void test_query_word(test_query *query, qn_occur occur, uint32_t qtf, uint32_t term);

/* The k best documents as the documents alone say; to be freed. */
quern_hit *test_naive_search(const test_index *index, const qn_query *query,
                             const uint32_t *term_numbers, const quern_search_options *options,
                             size_t k, size_t *n_hits);

#endif
