/*
 * Topics: queries with an identifier each. A line is either `qid<TAB>text`, or a JSON object with
 * the members "_id" (or "id", "qid") and "text" (or "query"), as BEIR distributes them; other
 * members are skipped. Which of the two is told by its first character, {. Empty lines are skipped.
 */
#ifndef QN_CLI_TOPICS_H
#define QN_CLI_TOPICS_H

#include "engine/cli/input.h"

/* A topic; the bytes belong to the struct. Zero-initialise; free with qn_topic_free. */
typedef struct qn_topic {
    qn_buffer id;
    qn_buffer text;
} qn_topic;

/* Reads the next topic into `topic`, whose room is used again. QUERN_END after the last;
 * QUERN_E_INPUT names file, line and reason. */
quern_status qn_topics_next(qn_input *input, qn_topic *topic, quern_error *error);

/* Parses one line (see above). Returns NULL, or the reason why it is no topic. */
const char *qn_topic_parse(quern_span line, qn_topic *topic);

void qn_topic_free(qn_topic *topic);

#endif
