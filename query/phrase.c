/* Matching phrases by positions: see phrase.h. */
#include "query/phrase.h"

#include "index/base/status.h"

#include <stdlib.h>

/* A term of the phrase within one document. */
struct qn_phrase_part {
    const uint32_t *at, *end; /* its positions not passed yet */
    uint32_t offset;          /* of the term from the phrase's start */
};

typedef struct qn_phrase_part part;

void qn_phrase_free(qn_phrase *phrase)
{
    free(phrase->part);
    *phrase = (qn_phrase){0};
}

/* The smallest tf; 0 after damage. */
static uint32_t least_tf(qn_cursor *cursors, size_t n)
{
    uint32_t least = UINT32_MAX;
    for (size_t i = 0; i < n; i++) {
        uint32_t tf = qn_cursor_tf(&cursors[i]);
        least = tf < least ? tf : least;
    }
    return least;
}

/* Whether the part has `position`, passing what is smaller. */
static bool reach(part *p, uint64_t position)
{
    const uint32_t *at = p->at;
    while (at < p->end && *at < position)
        at++;
    p->at = at;
    return at < p->end && *at == position;
}

/* Counts the starts, led by part[0], the one with the fewest positions. */
static uint32_t count_starts(part *parts, size_t n)
{
    uint32_t freq = 0;
    const part lead = parts[0];
    for (const uint32_t *at = lead.at; at < lead.end; at++) {
        if (*at < lead.offset || (at > lead.at && at[-1] == *at))
            continue;
        uint64_t start = *at - lead.offset;
        size_t i = 1;
        while (i < n && reach(&parts[i], start + parts[i].offset))
            i++;
        if (i == n)
            freq++;
        else if (parts[i].at == parts[i].end)
            break;
    }
    return freq;
}

quern_status qn_phrase_freq(qn_phrase *phrase, qn_cursor *cursors, const qn_query_term *terms,
                            size_t n, uint32_t *freq, quern_error *error)
{
    *freq = 0;
    if (n == 1 || !cursors[0].list->segment->meta.positions) {
        *freq = least_tf(cursors, n);
        return QUERN_OK;
    }
    void *array = phrase->part;
    if (!qn_array_grow(&array, &phrase->part_cap, n, sizeof(part)))
        return qn_fail_memory(error);
    phrase->part = array;
    part *parts = phrase->part;
    size_t lead = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t n_positions;
        const uint32_t *at = qn_cursor_positions(&cursors[i], &n_positions);
        if (at == NULL || n_positions == 0)
            return QUERN_OK;
        parts[i] = (part){at, at + n_positions, terms[i].position - terms[0].position};
        if (n_positions < (size_t)(parts[lead].end - parts[lead].at))
            lead = i;
    }
    part first = parts[0];
    parts[0] = parts[lead];
    parts[lead] = first;
    *freq = count_starts(parts, n);
    return QUERN_OK;
}
