/* Topics: both forms, every JSON escape, and what is said of lines that are none. */
#include "engine/cli/topics.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char *parse(qn_topic *topic, const char *line, size_t len)
{
    char *copy = malloc(len + 1); /* ends with the allocation, for AddressSanitizer */
    memcpy(copy + 1, line, len);
    const char *wrong = qn_topic_parse((quern_span){copy + 1, len}, topic);
    free(copy);
    return wrong;
}

static bool holds(const qn_buffer *buffer, const char *text)
{
    return buffer->len == strlen(text) &&
           (buffer->len == 0 || memcmp(buffer->data, text, buffer->len) == 0);
}

typedef struct good {
    const char *line, *id, *text;
} good;

Test(topics, good_lines)
{
    static const good LINES[] = {
        {"1\tsolar eclipse", "1", "solar eclipse"},
        {"q 7\t\ta\tb", "q 7", "\ta\tb"},
        {"1\t", "1", ""},
        {"{\"_id\":\"1\",\"text\":\"solar eclipse\"}", "1", "solar eclipse"},
        {"{ \"text\" : \"x\" , \"_id\" : \"a b\" }  ", "a b", "x"},
        {"{\"id\":12,\"query\":\"x\"}", "12", "x"},
        {"{\"qid\":\"z\",\"text\":\"\"}", "z", ""},
        {"{\"_id\":\"1\",\"metadata\":{\"a\":[1,-2.5e+3,{}],\"b\":{\"c\":[]}},\"n\":null,"
         "\"t\":true,\"f\":false,\"e\":[[],\"]}\"],\"text\":\"x\"}",
         "1", "x"},
        {"{\"_id\":\"1\",\"text\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "1", "\"\\/\b\f\n\r\t"},
        {"{\"_id\":\"1\",\"text\":\"\\u0041\\u00e4\\u20AC\\ud83d\\ude00\"}", "1",
         "A\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"},
        /* Lone surrogates, in any order, become U+FFFD. */
        {"{\"_id\":\"1\",\"text\":\"\\ud83dx\\ude00\"}", "1", "\xEF\xBF\xBDx\xEF\xBF\xBD"},
        {"{\"_id\":\"1\",\"text\":\"\\ud83d\\u005a\"}", "1", "\xEF\xBF\xBDZ"},
        {"{\"_id\":\"1\",\"text\":\"first\",\"text\":\"last\"}", "1", "last"},
    };
    qn_topic topic = {0};
    for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++) {
        const char *wrong = parse(&topic, LINES[i].line, strlen(LINES[i].line));
        cr_assert_null(wrong, "%s: %s", LINES[i].line, wrong);
        cr_assert(holds(&topic.id, LINES[i].id), "%s", LINES[i].line);
        cr_assert(holds(&topic.text, LINES[i].text), "%s", LINES[i].line);
    }
    qn_topic_free(&topic);
}

Test(topics, bad_lines)
{
    static const char *const LINES[][2] = {
        {"no tab", "no tab: a topic is qid<TAB>text"},
        {"\ttext", "the topic's id is empty"},
        {"{", "a JSON string is expected"},
        {"{}", "the topic has no \"_id\""},
        {"{\"_id\":\"1\"}", "the topic has no \"text\""},
        {"{\"_id\":\"1\",}", "a JSON string is expected"},
        {"{\"_id\":\"\",\"text\":\"x\"}", "the topic's id is empty"},
        {"{\"_id\":[1],\"text\":\"x\"}", "the topic's \"_id\" is no string"},
        {"{\"_id\":\"1\",\"text\":3}", "the topic's \"text\" is no string"},
        {"{\"_id\":\"1\" \"text\":\"x\"}", "malformed JSON"},
        {"{\"_id\" \"1\"}", "malformed JSON"},
        {"{\"_id\":\"1\",\"text\":\"x\"} y", "something follows the JSON object"},
        {"{\"_id\":\"1\",\"text\":\"x", "a JSON string does not end"},
        {"{\"_id\":\"1\",\"text\":\"x\\", "a JSON string does not end"},
        {"{\"_id\":\"1\",\"text\":\"\\x\"}", "unknown escape in a JSON string"},
        {"{\"_id\":\"1\",\"text\":\"\\u12\"}", "bad \\u escape in a JSON string"},
        {"{\"_id\":\"1\",\"text\":\"\\u12g4\"}", "bad \\u escape in a JSON string"},
        {"{\"_id\":\"1\",\"text\":\"a\tb\"}", "control character in a JSON string"},
        {"{\"a\":tru,\"_id\":\"1\",\"text\":\"x\"}", "malformed JSON"},
        {"{\"a\":01,\"_id\":\"1\",\"text\":\"x\"}", "malformed JSON"},
        {"{\"a\":1.,\"_id\":\"1\",\"text\":\"x\"}", "malformed JSON"},
        {"{\"a\":[1 2],\"_id\":\"1\",\"text\":\"x\"}", "malformed JSON"},
        {"{\"a\":[1},\"_id\":\"1\",\"text\":\"x\"}", "malformed JSON"},
        {"{\"a\":{1:2},\"_id\":\"1\",\"text\":\"x\"}", "a JSON string is expected"},
    };
    qn_topic topic = {0};
    for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++) {
        const char *wrong = parse(&topic, LINES[i][0], strlen(LINES[i][0]));
        cr_assert_not_null(wrong, "%s", LINES[i][0]);
        cr_assert_str_eq(wrong, LINES[i][1], "%s: %s", LINES[i][0], wrong);
    }
    qn_topic_free(&topic);
}

/* A line cut off at every place is refused; with any one byte damaged it does no harm. */
Test(topics, hostile)
{
    static const char LINE[] =
        "{\"_id\":\"1\",\"m\":{\"a\":[1,{\"b\":null}]},\"text\":\"\\ud83d\\ude00\"}";
    qn_topic topic = {0};
    for (size_t len = 0; len < sizeof LINE - 1; len++)
        cr_assert_not_null(parse(&topic, LINE, len), "%zu", len);
    char copy[sizeof LINE];
    for (size_t i = 0; i < sizeof LINE - 1; i++) {
        for (int byte = 0; byte < 256; byte++) {
            memcpy(copy, LINE, sizeof LINE);
            copy[i] = (char)byte;
            (void)parse(&topic, copy, sizeof LINE - 1);
        }
    }
    qn_topic_free(&topic);
}

Test(topics, depth_is_bounded)
{
    qn_buffer line = {0};
    cr_assert(qn_buffer_append(&line, "{\"a\":", 5));
    for (size_t i = 0; i < 200000; i++)
        cr_assert(qn_buffer_push(&line, '['));
    qn_topic topic = {0};
    const char *wrong = qn_topic_parse((quern_span){(char *)line.data, line.len}, &topic);
    cr_assert_str_eq(wrong, "JSON nested more than 64 deep");
    qn_buffer_free(&line);
    qn_topic_free(&topic);
}

Test(topics, files)
{
    char *dir = test_dir_new(), *path = test_path(dir, "topics.tsv");
    static const char TEXT[] = "\xEF\xBB\xBF\x31\tone\r\n\n\n2\ttwo\r\nthree\n";
    test_write_file(path, TEXT, sizeof TEXT - 1);
    qn_input input;
    qn_topic topic = {0};
    quern_error error = {0};
    cr_assert_eq(qn_input_open(&input, path, &error), QUERN_OK);
    cr_assert_eq(qn_topics_next(&input, &topic, &error), QUERN_OK);
    cr_assert(holds(&topic.id, "1") && holds(&topic.text, "one"));
    cr_assert_eq(qn_topics_next(&input, &topic, &error), QUERN_OK);
    cr_assert(holds(&topic.id, "2") && holds(&topic.text, "two"));
    cr_assert_eq(qn_topics_next(&input, &topic, &error), QUERN_E_INPUT);
    cr_assert_eq(error.position, 5);
    cr_assert_eq(strncmp(error.message, path, strlen(path)), 0, "%s", error.message);
    cr_assert_str_eq(error.message + strlen(path), ":5: no tab: a topic is qid<TAB>text");
    qn_topic_free(&topic);
    qn_input_close(&input);
    cr_assert_eq(qn_input_open(&input, "no/such/file", &error), QUERN_E_IO);
    free(path);
    test_dir_free(dir);
}

/* Lines across the borders of what is read at once, and a last one without an end. */
Test(topics, long_lines)
{
    char *dir = test_dir_new(), *path = test_path(dir, "lines");
    qn_buffer text = {0};
    for (size_t i = 0; i < 40; i++) {
        for (size_t n = 0; n < i * 1777; n++)
            cr_assert(qn_buffer_push(&text, (uint8_t)('a' + i % 26)));
        if (i < 39)
            cr_assert(qn_buffer_push(&text, '\n'));
    }
    test_write_file(path, text.data, text.len);
    qn_input input;
    quern_span line;
    quern_error error = {0};
    cr_assert_eq(qn_input_open(&input, path, &error), QUERN_OK);
    for (size_t i = 0; i < 40; i++) {
        cr_assert_eq(qn_input_next(&input, &line, &error), QUERN_OK);
        cr_assert_eq(line.len, i * 1777);
        for (size_t n = 0; n < line.len; n++)
            if (line.data[n] != (char)('a' + i % 26))
                cr_assert_fail("line %zu, byte %zu", i, n);
    }
    cr_assert_eq(qn_input_next(&input, &line, &error), QUERN_END);
    qn_input_close(&input);
    qn_buffer_free(&text);
    free(path);
    test_dir_free(dir);
}
