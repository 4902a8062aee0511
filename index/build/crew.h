/*
 * Mills that work at once, each in a thread. Documents are handed out in stretches of consecutive
 * ones, so that each run holds a stretch: merged in the order of their first documents, runs make
 * the same index for any number of mills, whoever was faster.
 */
#ifndef QN_BUILD_CREW_H
#define QN_BUILD_CREW_H

#include "index/build/mill.h"
#include "index/build/spooled_lengths.h"

typedef struct qn_crew qn_crew;

/* Bytes of texts of a stretch, at most. */
enum { QN_CREW_STRETCH = 24 << 20 };

/* Starts a thread for each of mill[0..n), which have been initialised and stay the caller's but are
 * the threads' until qn_crew_finish or _free. Texts that wait are at most n stretches, and a
 * quarter of `memory`. If no thread can be started, *out is NULL and the caller works alone. */
quern_status qn_crew_new(qn_crew **out, qn_mill *mill, unsigned n, uint64_t memory, size_t stretch,
                         quern_error *error);

/*
 * Hands on the next document; it is copied. `doc` is its number; `tokens` NULL: its texts (as
 * qn_mill_document has them) are analysed, else these n_tokens words of it count. The lengths of
 * documents that were handed on come to `lengths` by and by. Waits while too much is waiting. The
 * error of a thread comes back from one of the next calls.
 */
quern_status qn_crew_add(qn_crew *crew, uint32_t doc, const quern_span *text,
                         const quern_token *tokens, size_t n_tokens, qn_spooled_lengths *lengths,
                         quern_error *error);

/* No document comes any more: the mills finish (qn_mill_finish), and are not waited for. */
void qn_crew_close(qn_crew *crew);

/* Likewise, and ends the threads; all lengths are there. */
quern_status qn_crew_finish(qn_crew *crew, qn_spooled_lengths *lengths, quern_error *error);

/* Bytes of documents that are handed on. */
size_t qn_crew_bytes(const qn_crew *crew);

/* Ends the threads, whatever they do. */
void qn_crew_free(qn_crew *crew);

#endif
