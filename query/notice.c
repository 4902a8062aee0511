/* Sentences about a query. */
#include "query/notice.h"

#include "index/base/status.h"
#include "query/chars.h"
#include "query/query.h"

#include <stdio.h>
#include <string.h>

/* A sentence being written: always room for one and its NUL. */
typedef struct sentence {
    char text[QN_NOTICE_MAX];
    size_t len;
} sentence;

void qn_notice_add(qn_notice *notice, qn_notice_kind kind, uint64_t at, quern_span name)
{
    if (!notice->kind[kind].said || at < notice->kind[kind].at)
        notice->kind[kind].at = at;
    notice->kind[kind].said = true;
    if (name.len == 0)
        return;
    uint32_t n = notice->kind[kind].n_names;
    for (uint32_t i = 0; i < n; i++) {
        quern_span other = notice->kind[kind].name[i];
        if (other.len == name.len && memcmp(other.data, name.data, name.len) == 0)
            return;
    }
    if (n == QN_NOTICE_NAMES) {
        notice->kind[kind].more = true;
        return;
    }
    notice->kind[kind].name[n] = name;
    notice->kind[kind].n_names++;
}

static void put(sentence *s, const char *text)
{
    size_t len = strlen(text);
    if (len >= sizeof s->text - s->len)
        return;
    memcpy(s->text + s->len, text, len);
    s->len += len;
}

/* A piece of the query in quotes, shortened, without control characters and invalid UTF-8. */
static void put_name(sentence *s, quern_span name)
{
    put(s, "\"");
    size_t used = 0;
    for (size_t at = 0; at < name.len;) {
        qn_utf8_point point = qn_utf8_decode(name.data + at, name.len - at);
        char out[QN_UTF8_MAX + 1] = {0};
        used += qn_utf8_encode(qn_chars_is_space(point.value) ? ' ' : point.value, out);
        if (used > QN_NOTICE_NAME_MAX) {
            put(s, "...");
            break;
        }
        put(s, out);
        at += point.len;
    }
    put(s, "\"");
}

/* Names the pieces; whether there are several. */
static bool put_names(sentence *s, const qn_notice *notice, qn_notice_kind kind)
{
    uint32_t n = notice->kind[kind].n_names;
    bool more = notice->kind[kind].more;
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0)
            put(s, i + 1 < n || more ? ", " : " and ");
        put_name(s, notice->kind[kind].name[i]);
    }
    if (more)
        put(s, " and others");
    return n > 1 || more;
}

static void write_sentence(sentence *s, const qn_notice *notice, qn_notice_kind kind)
{
    char limit[96];
    s->len = 0;
    switch (kind) {
    case QN_NOTICE_LIMIT:
        (void)snprintf(limit, sizeof limit,
                       "the query is too long: only its first %d words were searched",
                       QN_QUERY_TERMS_MAX);
        put(s, limit);
        break;
    case QN_NOTICE_PROSE:
        put(s, "this reads as prose: its quotes and signs were taken as words");
        break;
    case QN_NOTICE_ONLY_NOT:
        put(s, "nothing can be found by exclusion alone");
        break;
    case QN_NOTICE_BOTH:
        put(s, put_names(s, notice, kind) ? " are both wanted and excluded: they were excluded"
                                          : " is both wanted and excluded: it was excluded");
        break;
    case QN_NOTICE_SYNTAX:
        put(s, put_names(s, notice, kind)
                   ? " are not understood: their words were searched as words"
                   : " is not understood: its words were searched as words");
        break;
    case QN_NOTICE_QUOTE:
        put(s, "a quote is not closed: its words were searched as words");
        break;
    case QN_NOTICE_LONE:
        put(s, put_names(s, notice, kind) ? " stand alone: they were ignored"
                                          : " stands alone: it was ignored");
        break;
    case QN_NOTICE_BLANK:
        put(s, "an empty phrase was ignored");
        break;
    case QN_NOTICE_STOPPED:
        put(s, put_names(s, notice, kind) ? " hold no word that is indexed: they were ignored"
                                          : " holds no word that is indexed: it was ignored");
        break;
    case QN_NOTICE_NOTHING:
        put(s, "the query holds no word that is indexed");
        break;
    case QN_NOTICE_KINDS:
        break;
    }
    s->text[s->len] = '\0';
}

bool qn_notice_write(const qn_notice *notice, char out[QN_NOTICE_MAX + 1])
{
    size_t len = 0;
    for (qn_notice_kind kind = 0; kind < QN_NOTICE_KINDS; kind++) {
        if (!notice->kind[kind].said)
            continue;
        sentence s;
        write_sentence(&s, notice, kind);
        size_t joint = len > 0 ? 2 : 0;
        if (joint + s.len > QN_NOTICE_MAX - len)
            continue;
        memcpy(out + len, "; ", joint);
        memcpy(out + len + joint, s.text, s.len);
        len += joint + s.len;
    }
    out[len] = '\0';
    return len > 0;
}

quern_status qn_notice_fail(const qn_notice *notice, quern_error *error)
{
    qn_notice_kind first = QN_NOTICE_KINDS;
    for (qn_notice_kind kind = 0; kind < QN_NOTICE_STOPPED; kind++) {
        if (notice->kind[kind].said &&
            (first == QN_NOTICE_KINDS || notice->kind[kind].at < notice->kind[first].at))
            first = kind;
    }
    if (first == QN_NOTICE_KINDS)
        return QUERN_OK;
    uint64_t at = notice->kind[first].at;
    const char *what[] = {
        [QN_NOTICE_LIMIT] = "too many words",
        [QN_NOTICE_PROSE] = "operators within prose",
        [QN_NOTICE_ONLY_NOT] = "nothing can be found by exclusion alone",
        [QN_NOTICE_BOTH] = "both wanted and excluded",
        [QN_NOTICE_SYNTAX] = "not understood",
        [QN_NOTICE_QUOTE] = "a quote is not closed",
        [QN_NOTICE_LONE] = "a sign stands alone",
        [QN_NOTICE_BLANK] = "an empty phrase",
    };
    sentence s = {.len = 0};
    if (notice->kind[first].n_names > 0) {
        put(&s, ": ");
        put_name(&s, notice->kind[first].name[0]);
    }
    s.text[s.len] = '\0';
    return qn_fail_at(error, QUERN_E_INPUT, at, "query, byte %llu: %s%s", (unsigned long long)at,
                      what[first], s.text);
}
