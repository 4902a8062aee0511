/* Walking the list of one term of a segment, posting by posting, as joining and reordering read it;
 * nothing that it reads is trusted. */
#ifndef QN_BUILD_LIST_READER_H
#define QN_BUILD_LIST_READER_H

#include "index/segment/positions.h"

/* Zero-initialise; used for one list after the other. */
typedef struct qn_list_reader {
    qn_postings list;
    uint32_t next_block;
    uint32_t i, n; /* the current posting of the block at hand, and how many it has */
    uint32_t docs[QN_BLOCK_ROOM], tfs[QN_BLOCK_ROOM];
    uint64_t sum, cf; /* of tf: of the block, and of all blocks so far */
    uint32_t *position;
    size_t position_cap, at; /* at: where those of the current posting stand */
    bool read;               /* the positions of the whole block have been read */
} qn_list_reader;

/* Starts with the list of a term found in the segment's dictionary. QUERN_E_DAMAGED. */
quern_status qn_list_reader_open(qn_list_reader *reader, const qn_segment *segment,
                                 const qn_term_info *info, quern_error *error);

/* Steps to the next posting; documents ascend. QUERN_END after the last. */
quern_status qn_list_reader_next(qn_list_reader *reader, uint32_t *doc, uint32_t *tf,
                                 quern_error *error);

/* The gaps between the positions of the current posting, the first from 0; NULL if the segment has
 * no positions. To be asked once; valid until the next call. */
quern_status qn_list_reader_gaps(qn_list_reader *reader, uint32_t **gaps, quern_error *error);

void qn_list_reader_free(qn_list_reader *reader);

#endif
