/*
 * A mill: what turns the texts of documents into runs. It has its own analyzer, tokenizer, words
 * and inverter, so that several can work at once (crew.h). Runs stay in memory until its share of
 * that is used up; then they go to a spool.
 */
#ifndef QN_BUILD_MILL_H
#define QN_BUILD_MILL_H

#include "index/build/inverter.h"
#include "index/build/vocabulary.h"
#include "index/text/analyzer.h"
#include "index/text/tokenizer.h"

#include <stdatomic.h>

/* Positions between the end of a document's title and the start of its text, so that no phrase
 * matches across. */
enum { QN_FIELD_GAP = 100 };

/* The memory limit, which the mills of a builder share. */
typedef struct qn_mill_room {
    uint64_t memory;
    unsigned n_mills;
    _Atomic uint64_t others; /* bytes that the builder holds beside them */
} qn_mill_room;

typedef struct qn_mill {
    const qn_mill_room *room; /* not owned */
    unsigned n_fields;        /* 0: one without a name, of title and text */
    uint64_t n_too_long;      /* words that have no room for their field's prefix */
    qn_analyzer *analyzer;
    qn_tokenizer *tokenizer;
    qn_vocabulary vocabulary;
    qn_inverter inverter;
} qn_mill;

/* `room` must stay. Runs go to a spool in `dirfd`. A mill that was made, or only begun, is freed.
 */
quern_status qn_mill_init(qn_mill *mill, const qn_mill_room *room,
                          const qn_analyzer_settings *settings, unsigned n_fields, bool positions,
                          int dirfd, const char *path, quern_error *error);
void qn_mill_free(qn_mill *mill);

/* How many texts a document has: those of its fields, or title and text. */
static inline unsigned qn_mill_n_texts(unsigned n_fields)
{
    return n_fields == 0 ? 2 : n_fields;
}

/* Inverts a document of qn_mill_n_texts texts; numbers ascend from call to call, and where they
 * leave some out a run ends. length[] becomes its length in tokens, of each field. After an error
 * the mill can only be freed. */
quern_status qn_mill_document(qn_mill *mill, uint32_t doc, const quern_span *text, uint32_t *length,
                              quern_error *error);

/* The same of a document whose words are given; they have been checked. */
quern_status qn_mill_tokens(qn_mill *mill, uint32_t doc, const quern_token *tokens, size_t n,
                            uint32_t *length, quern_error *error);

/* Makes a run of what was gathered, and gives back what is not needed to merge; runs stay in memory
 * where they are less than half of the mill's share of the limit. */
quern_status qn_mill_finish(qn_mill *mill, quern_error *error);

/* Gives back all memory but what counts words; its runs are gone. */
void qn_mill_release(qn_mill *mill);

/* How many mills are of use: at most `threads`, and each with a share of the limit worth having. */
unsigned qn_mill_most(uint64_t memory, unsigned threads);

#endif
