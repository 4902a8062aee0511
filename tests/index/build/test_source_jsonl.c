/* JSON Lines: which keys are used, what is malformed, mutations of good lines. */
#include "tests/index/build/test_source_support.h"

#include "index/build/source_json.h"
#include "index/build/source_jsonl.h"

#include <dirent.h>

TestSuite(source_jsonl, .init = make_dir, .fini = remove_dir);

/* Expects what one line gives, as records_of writes it, without "file:line: ". */
static void expect_line(const char *line, const char *expected)
{
    qn_buffer text = {0}, want = {0};
    put_text(&text, line);
    put_text(&text, "\n");
    if (expected[0] == '!') {
        put_text(&want, "!a.jsonl:1: ");
        expected++;
    }
    put_text(&want, expected);
    put_text(&want, "\n");
    (void)qn_buffer_push(&want, 0);
    expect_records(write_bytes("a.jsonl", text.data, text.len), usual(), (char *)want.data);
    qn_buffer_free(&text);
    qn_buffer_free(&want);
}

Test(source_jsonl, ids)
{
    expect_line("{\"id\":\"a\"}", "+a||");
    expect_line("{\"_id\":\"a\"}", "+a||");
    expect_line("{\"docid\":\"a\"}", "+a||");
    expect_line("{\"docno\":\"a\"}", "+a||");
    expect_line("{\"docno\":\"4\",\"docid\":\"3\",\"_id\":\"2\",\"id\":\"1\"}", "+1||");
    expect_line("{\"docno\":\"4\",\"docid\":\"3\",\"_id\":\"2\"}", "+2||");
    expect_line("{\"docno\":\"4\",\"docid\":\"3\"}", "+3||");
    expect_line("{\"id\":17}", "+17||");
    expect_line("{\"id\":-1.50e+3}", "+-1.50e+3||");
    expect_line("{\"id\":\"a\\tb \\u00e9\"}", "+a\tb \xc3\xa9||");
    expect_line("{\"\\u0069d\":\"key in escapes\"}", "+key in escapes||");
    expect_line("{\"id\":null,\"_id\":\"2\"}", "+2||");
    expect_line("{\"id\":\"1\",\"id\":\"2\"}", "+2||");
    expect_line("{\"id\":\"1\",\"id\":null}", "!no id");
    expect_line("{\"id\":\"1\",\"docno\":{}}", "+1||");
    expect_line("{}", "!no id");
    expect_line("{\"text\":\"t\"}", "!no id");
    expect_line("{\"ID\":\"1\"}", "!no id");
    expect_line("{\"id\":\"\"}", "!empty id");
    expect_line("{\"id\":\"\",\"_id\":\"2\"}", "!empty id");
    expect_line("{\"id\":\"a\\u0000\"}", "!id holds a NUL byte");
    expect_line("{\"id\":true}", "!\"id\" must be a string or a number");
    expect_line("{\"id\":[1],\"_id\":\"2\"}", "!\"id\" must be a string or a number");
    expect_line("{\"docno\":{\"id\":\"1\"}}", "!\"docno\" must be a string or a number");
}

Test(source_jsonl, texts)
{
    expect_line("{\"id\":1,\"title\":\"T\",\"text\":\"x\"}", "+1|T|x");
    expect_line("{\"text\":\"x\",\"title\":\"T\",\"id\":1}", "+1|T|x");
    expect_line("{\"id\":1,\"contents\":\"x\"}", "+1||x");
    expect_line("{\"id\":1,\"body\":\"x\"}", "+1||x");
    expect_line("{\"id\":1,\"abstract\":\"x\"}", "+1||x");
    expect_line("{\"id\":1,\"abstract\":\"4\",\"body\":\"3\",\"contents\":\"2\",\"text\":\"1\"}",
                "+1||1");
    expect_line("{\"id\":1,\"abstract\":\"4\",\"body\":\"3\",\"contents\":\"2\"}", "+1||2");
    expect_line("{\"id\":1,\"abstract\":\"4\",\"body\":\"3\"}", "+1||3");
    expect_line("{\"id\":1,\"text\":null,\"body\":\"3\"}", "+1||3");
    expect_line("{\"id\":1,\"text\":\"\",\"body\":\"3\"}", "+1||");
    expect_line("{\"id\":1,\"text\":null,\"title\":null}", "+1||");
    expect_line("{\"id\":1,\"text\":\"a\",\"text\":\"b\"}", "+1||b");
    expect_line("{\"id\":1,\"text\":\"\\u00e4\\n\",\"text\":\"b\\tc\",\"title\":\"\\\"\"}",
                "+1|\"|b\tc");
    expect_line("{\"id\":1,\"text\":[\"a\",\"b\\tc\",\"\",\"d\"]}", "+1||a\nb\tc\n\nd");
    expect_line("{\"id\":1,\"text\":[ ] , \"title\":[\"T\",\"U\"]}", "+1|T\nU|");
    expect_line("{\"id\":1,\"text\":[\"\\u0041\"],\"title\":[\"\",\"\"]}", "+1|\n|A");
    expect_line("{\"id\":1,\"text\":\"a\\u0000b\"}", "+1||aNULb");
    expect_line("{\"id\":1,\"text\":\"\\ud800\"}", "+1||\xef\xbf\xbd");
    expect_line("{\"id\":1,\"text\":\"\xff\xfe\"}", "+1||\xff\xfe");
    expect_line("{\"id\":1,\"text\":{},\"body\":\"x\"}",
                "!\"text\" must be a string or an array of strings");
    expect_line("{\"id\":1,\"text\":7}", "!\"text\" must be a string or an array of strings");
    expect_line("{\"id\":1,\"body\":[\"a\",1]}",
                "!\"body\" must be a string or an array of strings");
    expect_line("{\"id\":1,\"text\":[\"a\",[\"b\"]],\"text\":\"good\"}", "+1||good");
    expect_line("{\"id\":1,\"title\":false}", "!\"title\" must be a string or an array of strings");
    expect_line("{\"id\":1,\"text\":\"x\",\"body\":{}}", "+1||x");
}

Test(source_jsonl, grammar_everywhere)
{
    expect_line("[1]", "!not a JSON object at byte 1");
    expect_line("\"id\"", "!not a JSON object at byte 1");
    expect_line("  x", "!not a JSON object at byte 3");
    expect_line("{\"id\":\"1\"", "!it ends too early at byte 10");
    expect_line("{\"id\":\"1\"} {}", "!unexpected bytes after the object at byte 12");
    expect_line("{\"id\":\"1\",}", "!a key must be a string at byte 11");
    expect_line("{\"id\":\"1\" \"text\":1}", "!a comma or the end must follow a value at byte 11");
    expect_line("{,\"id\":\"1\"}", "!a key must be a string at byte 2");
    expect_line("{\"id\" \"1\"}", "!a colon must follow a key at byte 7");
    expect_line("{\"id\":01}", "!a comma or the end must follow a value at byte 8");
    expect_line("{\"id\":\"1\",\"text\":[\"a\",]}", "!unexpected character at byte 23");
    expect_line("{\"id\":\"1\",\"text\":[\"a\"", "!it ends too early at byte 22");
    expect_line("{\"id\":\"1\",\"text\":[\"a\";",
                "!a comma or the end must follow a value at byte 22");
    expect_line("{\"id\":\"1\",\"text\":[\"a\",", "!it ends too early at byte 23");
    expect_line("{\"id\":\"1\",\"skipped\":{\"a\":[tru]}}", "!unexpected character at byte 27");
    expect_line("{\"id\":\"1\",\"skipped\":\"\\x\"}", "!bad escape in a string at byte 22");
    expect_line("{\"id\":\"1\",\"text\":\"a\tb\"}", "!control character in a string at byte 20");
    expect_line("{\"id\":\"1\",\"text\":\"abc", "!a string is not closed at byte 22");
}

Test(source_jsonl, lines)
{
    expect_records(write_text("a.jsonl", "\xef\xbb\xbf{\"id\":1}\r\n"
                                         "\r\n"
                                         "  \t \n"
                                         "\n"
                                         "  {\"id\" : 2 }\t \r\n"
                                         "bad\n"
                                         "{\"id\":3}"),
                   usual(), "+1||\n+2||\n!a.jsonl:6: not a JSON object at byte 1\n+3||\n");
    expect_records(write_text("b.jsonl", ""), usual(), "");
    expect_records(write_text("c.jsonl", "\n"), usual(), "");
    expect_records(write_text("d.jsonl", "\xef\xbb\xbf"), usual(), "");
    expect_records(write_text("e.jsonl", "{\"id\":1}\n\xef\xbb\xbf{\"id\":2}\n"), usual(),
                   "+1||\n!e.jsonl:2: not a JSON object at byte 1\n");
}

Test(source_jsonl, record_is_the_line)
{
    qn_source *source;
    quern_document document;
    qn_place place;
    const char *path = write_text("a.jsonl", "\n {\"id\":1,\"text\":\"a\\nb\"} \r\n");
    cr_assert_eq(qn_source_open(&source, path, usual(), NULL), QUERN_OK);
    cr_assert_eq(qn_source_next(source, &document, &place, NULL), QUERN_OK);
    cr_expect_eq(document.record.len, 24u);
    cr_expect_eq(memcmp(document.record.data, " {\"id\":1,\"text\":\"a\\nb\"} ", 24), 0);
    cr_expect_eq(place.line, 2u);
    cr_expect_str_eq(place.file, path);
    qn_source_free(source);
}

/* 200,000 deep, in a field that is skipped and in one that is read; the records around it stay. */
Test(source_jsonl, very_deep)
{
    for (int i = 0; i < 2; i++) {
        qn_buffer text = {0};
        size_t deep = 200000;
        put_text(&text, "{\"id\":1}\n{\"id\":2,\"");
        put_text(&text, i == 0 ? "text\":" : "more\":");
        cr_assert(qn_buffer_reserve(&text, 2 * deep));
        memset(text.data + text.len, '[', deep);
        memset(text.data + text.len + deep, ']', deep);
        text.len += 2 * deep;
        put_text(&text, "}\n{\"id\":3}\n");
        expect_records(write_bytes("a.jsonl", text.data, text.len), usual(),
                       "+1||\n!a.jsonl:2: nested deeper than 1024 at byte 1040\n+3||\n");
        qn_buffer_free(&text);
    }
}

/* ---- files of the test data ---- */

Test(source_jsonl, corpus_mixed)
{
    char *path = test_data("ugly/synthetic/corpus-mixed.jsonl");
    if (path == NULL)
        return;
    size_t len;
    uint8_t *bytes = test_read_file(path, &len);
    expect_records(write_bytes("mixed.jsonl", bytes, len), usual(),
                   "+1||ok\n"
                   "+2||\n"
                   "+3||numeric id\n"
                   "+1||duplicate id\n"
                   "!mixed.jsonl:6: no id\n"
                   "!mixed.jsonl:7: empty id\n"
                   "+4||\n"
                   "+5||array\n"
                   "!mixed.jsonl:10: not a JSON object at byte 1\n"
                   "!mixed.jsonl:11: not a JSON object at byte 1\n"
                   "!mixed.jsonl:12: not a JSON object at byte 1\n"
                   "!mixed.jsonl:13: a string is not closed at byte 24\n"
                   "+7||bad utf8 \xff\xfe\n"
                   "+8||lone surrogate \xef\xbf\xbd here\n"
                   "+9||nul NUL inside\n"
                   "+10||dup key\n"
                   "!mixed.jsonl:18: unexpected bytes after the object at byte 25\n"
                   "+a\tb||tab in id\n"
                   "+12||last, no newline\n");
    free(bytes);
    free(path);
}

/* JSONTestSuite, each text as the value of a key that is skipped, and of one that is read. */
Test(source_jsonl, test_suite_in_records)
{
    char *folder = test_data("ugly/json/test_parsing");
    if (folder == NULL)
        return;
    DIR *dir = opendir(folder);
    cr_assert_not_null(dir);
    qn_jsonl jsonl = {0};
    qn_place place = {.file = "f", .line = 1};
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        char path[2048];
        size_t len;
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        char *text = (char *)test_read_file(path, &len);
        for (int i = 0; i < 2; i++) {
            qn_buffer line = {0};
            quern_document document;
            put_text(&line, i == 0 ? "{\"id\":\"x\",\"more\":" : "{\"id\":\"x\",\"text\":");
            cr_assert(qn_buffer_append(&line, text, len));
            put_text(&line, "}");
            quern_span span = {.data = (char *)line.data, .len = line.len};
            quern_error error = {0};
            quern_status status = qn_jsonl_parse(&jsonl, span, &place, &document, &error);
            bool unfit = status != QUERN_OK && strstr(error.message, " at byte ") == NULL;
            if (entry->d_name[0] == 'y')
                cr_expect(status == QUERN_OK || (i == 1 && unfit), "%s: %s", entry->d_name,
                          error.message);
            else if (entry->d_name[0] == 'n')
                cr_expect(status == QUERN_E_INPUT && !unfit, "%s: %s", entry->d_name,
                          error.message);
            qn_buffer_free(&line);
        }
        free(text);
    }
    qn_jsonl_free(&jsonl);
    (void)closedir(dir);
    free(folder);
}

/* ---- mutations ---- */

static bool inside(quern_span span, const void *data, size_t len)
{
    uintptr_t at = (uintptr_t)span.data, from = (uintptr_t)data;
    return span.len == 0 || (at >= from && at + span.len <= from + len);
}

/* The parser of records and the validator are two ways through the grammar: they must agree. */
static void check_line(qn_jsonl *jsonl, const uint8_t *line, size_t len)
{
    qn_place place = {.file = "f", .line = 1};
    quern_error error = {0};
    quern_document document;
    quern_span span = {.data = (const char *)line, .len = len};
    quern_status status = qn_jsonl_parse(jsonl, span, &place, &document, &error);
    size_t position;
    const char *reason;
    bool valid = qn_json_valid(line, len, &position, &reason);
    if (status == QUERN_OK) {
        const qn_buffer *room = &jsonl->room;
        cr_assert(valid, "%.*s: %s", (int)len, span.data, reason);
        const quern_span spans[] = {document.id, document.title, document.text};
        for (size_t i = 0; i < 3; i++)
            cr_assert(inside(spans[i], line, len) || inside(spans[i], room->data, room->cap));
    } else {
        bool grammar = strstr(error.message, " at byte ") != NULL;
        bool object = strstr(error.message, "not a JSON object") == NULL;
        cr_assert_eq(status, QUERN_E_INPUT);
        cr_assert(!valid || !grammar || !object, "%.*s: %s", (int)len, span.data, error.message);
        cr_assert(valid || grammar, "%.*s: %s", (int)len, span.data, error.message);
    }
}

Test(source_jsonl, mutations)
{
    static const char *const lines[] = {
        "{\"id\":\"a1\",\"title\":\"A \\\"title\\\"\",\"text\":\"some \\u00e9 text\\nwith "
        "\\ud83d\\ude00\"}",
        "{\"_id\":-12.5e3,\"text\":[\"one\",\"two\\t\",\"\"],\"x\":{\"y\":[1,true,null,{}]}}",
        "{\"docno\":\"7\",\"skip\":[[[\"\\\\\"]],{\"a\":{\"b\":[]}}],\"body\":\"b\",\"body\":"
        "null}"};
    static const char bytes[] = "\"\\{}[]:,u0e.-+ntf \n\x01\x80";
    test_random state = 99;
    qn_jsonl jsonl = {0};
    for (int round = 0; round < 60000; round++) {
        const char *from = lines[round % 3];
        size_t len = strlen(from);
        uint8_t *line = malloc(len + 1);
        cr_assert_not_null(line);
        memcpy(line, from, len);
        for (uint64_t n = 1 + test_next(&state) % 3; n > 0; n--) {
            uint64_t draw = test_next(&state);
            if (len < 2)
                break;
            size_t at = draw / 16 % len;
            if (draw % 4 == 0) /* take one out */
                memmove(line + at, line + at + 1, --len - at);
            else if (draw % 4 == 1) /* cut off */
                len = draw % 32 == 1 ? at + 1 : len;
            else
                line[at] = (uint8_t)bytes[draw / 65536 % (sizeof bytes - 1)];
        }
        uint8_t *exact = realloc(line, len);
        cr_assert_not_null(exact);
        check_line(&jsonl, exact, len);
        free(exact);
    }
    qn_jsonl_free(&jsonl);
}

/* Each field is read from the key of its name; "text" also from others that are not fields. */
Test(source_jsonl, keys_are_fields)
{
    static const qn_fields fields = {
        .n = 4, .field = {{"title", 1}, {"year", 1}, {"text", 1}, {"body", 1}}};
    qn_source_settings settings = *usual();
    settings.fields = &fields;
    expect_records(
        write_text("a.jsonl",
                   "{\"id\":1,\"title\":\"T\",\"year\":1999,\"text\":\"x\",\"body\":\"b\"}\n"
                   "{\"id\":2,\"body\":\"b\",\"abstract\":\"a\",\"contents\":\"c\"}\n"
                   "{\"id\":3,\"body\":\"b\",\"year\":[\"one\",\"two\"],\"x\":1}\n"
                   "{\"id\":4,\"year\":{}}\n"
                   "{\"id\":5,\"year\":null,\"title\":7}\n"
                   "{\"id\":6,\"year\":\"a\",\"year\":\"\\u00e9\"}\n"
                   "{\"id\":7}\n"),
        &settings,
        "+1|T|[T][1999][x][b]\n"
        "+2||[][][c][b]\n"
        "+3||[][one\ntwo][][b]\n"
        "!a.jsonl:4: \"year\" must be a string or an array of strings\n"
        "!a.jsonl:5: \"title\" must be a string or an array of strings\n"
        "+6||[][\xc3\xa9][][]\n"
        "+7||[][][][]\n");
}
