/* Reading, sampling and classifying queries: see bench_queries.h. */
#include "engine/cli/bench_queries.h"

#include "engine/cli/topics.h"
#include "index/base/status.h"
#include "query/parse.h"
#include "query/plan.h"

#include <stdlib.h>

static quern_status append(qn_bench_queries *queries, const qn_topic *topic, quern_error *error)
{
    void *array = queries->query;
    if (!qn_array_grow(&array, &queries->cap, queries->n + 1, sizeof *queries->query))
        return qn_fail_memory(error);
    queries->query = array;
    const char *id = qn_arena_copy(&queries->arena, topic->id.data, topic->id.len);
    const char *text = "";
    if (topic->text.len > 0)
        text = qn_arena_copy(&queries->arena, topic->text.data, topic->text.len);
    if (id == NULL || text == NULL)
        return qn_fail_memory(error);
    queries->query[queries->n++] = (qn_bench_query){
        .id = {id, topic->id.len}, .text = {text, topic->text.len}, .shape = QN_BENCH_EMPTY};
    return QUERN_OK;
}

quern_status qn_bench_queries_read(qn_bench_queries *queries, const char *path, quern_error *error)
{
    qn_input input;
    qn_topic topic = {0};
    size_t before = queries->n;
    quern_status status = qn_input_open(&input, path, error);
    if (status != QUERN_OK)
        return status;
    while ((status = qn_topics_next(&input, &topic, error)) == QUERN_OK &&
           (status = append(queries, &topic, error)) == QUERN_OK)
        ;
    if (status == QUERN_END)
        status = queries->n > before
                     ? QUERN_OK
                     : qn_fail(error, QUERN_E_INPUT, "%s holds no queries", input.path);
    qn_topic_free(&topic);
    qn_input_close(&input);
    return status;
}

void qn_bench_queries_sample(qn_bench_queries *queries, size_t wanted)
{
    size_t n = queries->n;
    if (wanted == 0 || wanted >= n)
        return;
    for (size_t i = 0; i < wanted; i++) /* i * n / wanted is never below i */
        queries->query[i] = queries->query[i * n / wanted];
    queries->n = wanted;
}

qn_bench_shape qn_bench_queries_shape(const qn_query *query)
{
    qn_plan_shape shape = qn_plan_shape_of(query);
    if (query->n_clauses == 0)
        return QN_BENCH_EMPTY;
    if (shape.n_not > 0)
        return QN_BENCH_NEGATED;
    if (query->n_clauses == 1)
        return shape.phrases ? QN_BENCH_PHRASE : QN_BENCH_TERM;
    if (shape.phrases || (shape.n_must > 0 && shape.n_should > 0))
        return QN_BENCH_MIXED;
    return shape.n_must > 0 ? QN_BENCH_INTERSECTION : QN_BENCH_UNION;
}

const char *qn_bench_queries_shape_name(qn_bench_shape shape)
{
    static const char *const NAMES[QN_BENCH_SHAPES] = {[QN_BENCH_TERM] = "term",
                                                       [QN_BENCH_UNION] = "union",
                                                       [QN_BENCH_INTERSECTION] = "intersection",
                                                       [QN_BENCH_PHRASE] = "phrase",
                                                       [QN_BENCH_NEGATED] = "negated",
                                                       [QN_BENCH_MIXED] = "mixed",
                                                       [QN_BENCH_EMPTY] = "empty"};
    return NAMES[shape];
}

quern_status qn_bench_queries_classify(qn_bench_queries *queries, const char *language,
                                       quern_syntax syntax, quern_error *error)
{
    const qn_analyzer_settings settings = {.language = language};
    qn_analyzer *analyzer = NULL;
    qn_parser *parser = NULL;
    quern_status status = qn_analyzer_new(&analyzer, &settings, error);
    if (status == QUERN_OK)
        status = qn_parser_new(&parser, analyzer, error);
    for (size_t i = 0; status == QUERN_OK && i < queries->n; i++) {
        const qn_query *parsed;
        const char *notice;
        status =
            qn_parser_parse(parser, queries->query[i].text, syntax, false, &parsed, &notice, error);
        if (status == QUERN_OK)
            queries->query[i].shape = qn_bench_queries_shape(parsed);
    }
    qn_parser_free(parser);
    qn_analyzer_free(analyzer);
    return status;
}

quern_status qn_bench_queries_fail(const qn_bench_query *query, const quern_error *why,
                                   quern_error *error)
{
    quern_status status =
        qn_fail(error, why->status, "query %.*s: %.400s",
                (int)(query->id.len < 80 ? query->id.len : 80), query->id.data, why->message);
    if (error != NULL)
        error->sys_errno = why->sys_errno;
    return status;
}

void qn_bench_queries_free(qn_bench_queries *queries)
{
    free(queries->query);
    qn_arena_free(&queries->arena);
    *queries = (qn_bench_queries){0};
}
