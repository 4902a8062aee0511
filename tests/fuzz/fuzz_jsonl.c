/*
 * One line of JSON Lines: a document's spans lie within the line or the reader's room, a line that
 * gives a document is valid JSON, and reading it again gives the same.
 */
#define _GNU_SOURCE
#include "index/build/source_json.h"
#include "index/build/source_jsonl.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static bool within(quern_span span, const void *start, size_t len)
{
    uintptr_t at = (uintptr_t)span.data, first = (uintptr_t)start;
    return at >= first && at - first <= len && span.len <= len - (at - first);
}

static void check_span(quern_span span, const uint8_t *line, size_t len, const qn_jsonl *jsonl)
{
    if (span.len == 0)
        return;
    QN_FUZZ_CHECK(within(span, line, len) || within(span, jsonl->room.data, jsonl->room.cap));
    QN_FUZZ_CHECK(span.len <= len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const qn_place place = {"fuzz", 1};
    const quern_span line = {(const char *)data, len};
    qn_jsonl one = {0}, two = {0};
    quern_document first, second;
    quern_error error = {0};
    size_t position;
    const char *reason;
    bool valid = qn_json_valid(data, len, &position, &reason);
    QN_FUZZ_CHECK(valid || (position <= len && reason != NULL));

    quern_status status = qn_jsonl_parse(&one, line, &place, &first, &error);
    QN_FUZZ_CHECK(status == QUERN_OK || status == QUERN_E_INPUT);
    QN_FUZZ_CHECK(qn_jsonl_parse(&two, line, &place, &second, NULL) == status);
    if (status == QUERN_OK) {
        QN_FUZZ_CHECK(valid && first.id.len >= 1 && first.id.len <= 4096);
        check_span(first.id, data, len, &one);
        check_span(first.title, data, len, &one);
        check_span(first.text, data, len, &one);
        QN_FUZZ_CHECK(first.id.len == second.id.len && first.text.len == second.text.len);
        QN_FUZZ_CHECK(memcmp(first.id.data, second.id.data, first.id.len) == 0);
        QN_FUZZ_CHECK(first.text.len == 0 ||
                      memcmp(first.text.data, second.text.data, first.text.len) == 0);
    } else {
        QN_FUZZ_CHECK(error.status == status);
        QN_FUZZ_CHECK(memchr(error.message, '\0', sizeof error.message) != NULL);
    }
    qn_jsonl_free(&one);
    qn_jsonl_free(&two);
    return 0;
}
