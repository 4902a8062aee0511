/*
 * Between a merge and the writer of postings: hands lists on. If there may be a thread, it writes
 * the lists themselves, while the caller's writes their positions (rows_writer.h). What is written
 * does not depend on it.
 */
#ifndef QN_BUILD_PIPE_H
#define QN_BUILD_PIPE_H

#include "index/segment/postings_writer.h"

typedef struct qn_pipe qn_pipe;

/* `writer` and its container are the pipe's until qn_pipe_end or _free. `background` false, or no
 * thread to be had: all is written in the caller's. */
quern_status qn_pipe_new(qn_pipe **out, qn_postings_writer *writer, bool background,
                         quern_error *error);

/* As those of the writer. An error of the writer comes back from a later call at the latest from
 * qn_pipe_end. */
quern_status qn_pipe_begin(qn_pipe *pipe, const char *term, size_t len, quern_error *error);
quern_status qn_pipe_add(qn_pipe *pipe, uint32_t doc, uint32_t tf, const uint32_t *gaps,
                         quern_error *error);
/* `keys` are read at once; what they lead to until qn_pipe_end, if it `stays` so long, else at
 * once, too: then they are QN_PIPE_KEYS at most. Keys that go on with a posting are more words of
 * it. */
enum { QN_PIPE_KEYS = 1024 };
quern_status qn_pipe_keys(qn_pipe *pipe, const qn_keys *keys, bool stays, quern_error *error);
quern_status qn_pipe_finish_term(qn_pipe *pipe, quern_error *error);

/* Waits until all is written. */
quern_status qn_pipe_end(qn_pipe *pipe, quern_error *error);
void qn_pipe_free(qn_pipe *pipe);

#endif
