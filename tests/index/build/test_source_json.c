/* The JSON scanner: the grammar at its borders, strings against a slow decoder, hostile nesting. */
#include "tests/index/build/test_source_support.h"

#include "index/build/source_json.h"

#include <dirent.h>

/* Validates an exact-size copy, so that AddressSanitizer sees any step outside. */
static bool valid(const char *text, size_t len, size_t *position, const char **reason)
{
    char *copy = malloc(len + 1);
    cr_assert_not_null(copy);
    char *exact = realloc(copy, len > 0 ? len : 1);
    cr_assert_not_null(exact);
    if (len > 0)
        memcpy(exact, text, len);
    bool is_valid = qn_json_valid(exact, len, position, reason);
    free(exact);
    return is_valid;
}

Test(source_json, accepts)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-0.0e-0",
        "1E+2",
        "12.5",
        "\"\"",
        " [ ] ",
        "\t\r\n{ \"a\" : [ 1 , { } ] , \"\" : \"\\u00e9\\\"\\\\\\/\\b\\f\\n\\r\\t\" } ",
        "\"\x7f\"",
        "\"\xff\xfe\"",
        "\"\\uD834\\udd1e\"",
        "\"\\ud800\"",
        "[[[[[[[[[]]]]]]]]]",
        "{\"a\":1,\"a\":2}",
        "\"\\u0000\"",
        "100000000000000000000000000000000000000"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t position;
        const char *reason;
        cr_expect(valid(texts[i], strlen(texts[i]), &position, &reason), "%s: %s at %zu", texts[i],
                  reason, position);
        cr_expect_eq(position, strlen(texts[i]));
    }
}

Test(source_json, refuses_at_the_right_byte)
{
    static const struct {
        const char *text;
        size_t position;
        const char *reason;
    } cases[] = {
        {"", 0, "it ends too early"},
        {"  ", 2, "it ends too early"},
        {"[", 1, "it ends too early"},
        {"{", 1, "it ends too early"},
        {"{\"a\"", 4, "it ends too early"},
        {"{\"a\":", 5, "it ends too early"},
        {"{\"a\":1", 6, "it ends too early"},
        {"{\"a\":1,", 7, "it ends too early"},
        {"{\"a\" 1}", 5, "a colon must follow a key"},
        {"{1:1}", 1, "a key must be a string"},
        {"{\"a\":1,}", 7, "a key must be a string"},
        {"[1,]", 3, "unexpected character"},
        {"[1 2]", 3, "a comma or the end must follow a value"},
        {"[1}", 2, "a comma or the end must follow a value"},
        {"{\"a\":1]", 6, "a comma or the end must follow a value"},
        {"[]]", 2, "unexpected bytes after the end"},
        {"1 2", 2, "unexpected bytes after the end"},
        {"01", 1, "unexpected bytes after the end"},
        {"-", 1, "bad number"},
        {"-a", 1, "bad number"},
        {"1.", 2, "bad number"},
        {".5", 0, "unexpected character"},
        {"+1", 0, "unexpected character"},
        {"1e", 2, "bad number"},
        {"1e+", 3, "bad number"},
        {"tru", 0, "unexpected character"},
        {"True", 0, "unexpected character"},
        {"nul", 0, "unexpected character"},
        {"NaN", 0, "unexpected character"},
        {"\"abc", 4, "a string is not closed"},
        {"\"abc\\", 4, "a string is not closed"},
        {"\"abc\\\"", 6, "a string is not closed"},
        {"\"a\nb\"", 2, "control character in a string"},
        {"\"a\x1f\"", 2, "control character in a string"},
        {"\"\\n\x01\"", 3, "control character in a string"},
        {"\"a\\x\"", 2, "bad escape in a string"},
        {"\"\\u12g4\"", 1, "bad \\u escape in a string"},
        {"\"\\u123", 1, "bad \\u escape in a string"},
        {"'a'", 0, "unexpected character"},
        {"\xef\xbb\xbf{}", 0, "unexpected character"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t position;
        const char *reason;
        cr_expect(!valid(cases[i].text, strlen(cases[i].text), &position, &reason), "%s",
                  cases[i].text);
        cr_expect_eq(position, cases[i].position, "%s: %zu", cases[i].text, position);
        cr_expect_str_eq(reason, cases[i].reason, "%s: %s", cases[i].text, reason);
    }
}

/* NUL is what the scanner's peek gives at the end of the text; in the text it is an error. */
Test(source_json, nul_is_not_the_end)
{
    static const char *const texts[] = {"\0{}", "{}\0", "[1\0]", "\"a\0b\"", "1\0", "[\0"};
    static const size_t lens[] = {3, 3, 4, 5, 2, 2};
    for (size_t i = 0; i < 6; i++) {
        size_t position;
        const char *reason;
        cr_expect(!valid(texts[i], lens[i], &position, &reason), "case %zu", i);
    }
}

/* Every byte at every place of a string: eight at a time must find what one at a time finds. */
Test(source_json, every_byte_at_every_place)
{
    for (size_t len = 1; len <= 20; len++) {
        for (size_t at = 0; at < len; at++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                char text[32];
                memset(text, byte % 2 == 0 ? 0x7f : 0x80, sizeof text); /* above borrows, too */
                text[0] = text[len + 1] = '"';
                text[1 + at] = (char)byte;
                bool good = byte >= 0x20 && byte != '"' && byte != '\\';
                size_t position;
                const char *reason;
                cr_assert_eq(valid(text, len + 2, &position, &reason), good, "%u at %zu of %zu",
                             byte, at, len);
                if (byte < 0x20)
                    cr_assert_eq(position, 1 + at);
            }
        }
    }
}

/* ---- strings against a decoder that goes byte by byte ---- */

static void slow_utf8(qn_buffer *out, uint32_t code)
{
    if (code < 0x80) {
        (void)qn_buffer_push(out, (uint8_t)code);
    } else if (code < 0x800) {
        (void)qn_buffer_push(out, (uint8_t)(0xc0 + code / 64));
        (void)qn_buffer_push(out, (uint8_t)(0x80 + code % 64));
    } else if (code < 0x10000) {
        (void)qn_buffer_push(out, (uint8_t)(0xe0 + code / 4096));
        (void)qn_buffer_push(out, (uint8_t)(0x80 + code / 64 % 64));
        (void)qn_buffer_push(out, (uint8_t)(0x80 + code % 64));
    } else {
        (void)qn_buffer_push(out, (uint8_t)(0xf0 + code / 262144));
        (void)qn_buffer_push(out, (uint8_t)(0x80 + code / 4096 % 64));
        (void)qn_buffer_push(out, (uint8_t)(0x80 + code / 64 % 64));
        (void)qn_buffer_push(out, (uint8_t)(0x80 + code % 64));
    }
}

/* Makes a random string: its JSON form and its meaning. */
static void random_string(test_random *state, qn_buffer *json, qn_buffer *meaning)
{
    static const char letters[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
    static const char *const halves[] = {"\\ud800\\u0041", "\\udc00\\uD800\\n", "\\udfff\\uDC00"};
    static const char *const halves_mean[] = {"\xef\xbf\xbd\x41", "\xef\xbf\xbd\xef\xbf\xbd\n",
                                              "\xef\xbf\xbd\xef\xbf\xbd"};
    size_t parts = test_next(state) % 12;
    char form[16];
    json->len = meaning->len = 0;
    (void)qn_buffer_push(json, '"');
    for (size_t i = 0; i < parts; i++) {
        uint64_t draw = test_next(state);
        uint32_t code;
        switch (draw % 5) {
        case 0:
            for (size_t n = draw / 8 % 20; n > 0; n--) {
                uint8_t byte = (uint8_t)(0x23 + test_next(state) % 0x39);
                byte = n % 7 == 0 ? (uint8_t)(byte | 0x80) : byte; /* bytes are not looked at */
                (void)qn_buffer_push(json, byte);
                (void)qn_buffer_push(meaning, byte);
            }
            break;
        case 1:
            (void)qn_buffer_push(json, '\\');
            (void)qn_buffer_push(json, (uint8_t)letters[draw / 8 % 8]);
            (void)qn_buffer_push(meaning, (uint8_t)means[draw / 8 % 8]);
            break;
        case 2: /* one of the basic plane; of surrogates a high one only before a plain byte */
            code = (uint32_t)(draw / 8 % 0x10000);
            (void)snprintf(form, sizeof form, draw & 0x1000000 ? "\\u%04x." : "\\u%04X.", code);
            put_text(json, form);
            slow_utf8(meaning, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
            (void)qn_buffer_push(meaning, '.');
            break;
        case 3: /* a pair */
            code = (uint32_t)(draw / 8 % 0x100000);
            (void)snprintf(form, sizeof form, "\\u%04x\\u%04X", 0xd800 + (code >> 10),
                           0xdc00 + (code & 0x3ff));
            put_text(json, form);
            slow_utf8(meaning, 0x10000 + code);
            break;
        default: /* two halves that make no pair, and a letter as an escape */
            put_text(json, halves[draw / 8 % 3]);
            put_text(meaning, halves_mean[draw / 8 % 3]);
        }
    }
    (void)qn_buffer_push(json, '"');
}

Test(source_json, strings_decode)
{
    test_random state = 7;
    qn_buffer json = {0}, meaning = {0};
    for (int round = 0; round < 20000; round++) {
        random_string(&state, &json, &meaning);
        uint8_t *exact = malloc(json.len);
        uint8_t *room = malloc(json.len + QN_JSON_SLACK);
        cr_assert(exact != NULL && room != NULL);
        memcpy(exact, json.data, json.len);
        qn_json scanner = {.at = exact, .end = exact + json.len};
        uint8_t *to = room;
        quern_span value;
        cr_assert(qn_json_string(&scanner, &to, &value), "%s", scanner.reason);
        cr_assert_eq(scanner.at, scanner.end);
        cr_assert_eq(value.len, meaning.len, "round %d", round);
        cr_assert(value.len == 0 || memcmp(value.data, meaning.data, value.len) == 0, "round %d",
                  round);
        bool escaped = memchr(exact, '\\', json.len) != NULL;
        cr_assert_eq(to == room, !escaped, "only a string with escapes is copied");
        cr_assert((size_t)(to - room) <= json.len);
        free(exact);
        free(room);
    }
    qn_buffer_free(&json);
    qn_buffer_free(&meaning);
}

/* ---- hostile nesting ---- */

Test(source_json, nesting)
{
    size_t position;
    const char *reason;
    for (size_t depth = QN_JSON_DEPTH - 1; depth <= QN_JSON_DEPTH + 1; depth++) {
        char text[2 * QN_JSON_DEPTH + 8];
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        cr_expect_eq(valid(text, 2 * depth, &position, &reason), depth <= QN_JSON_DEPTH);
    }
    cr_expect_eq(position, (size_t)QN_JSON_DEPTH);
    cr_expect_str_eq(reason, "nested deeper than 1024");

    /* The kinds must be told apart at every depth. */
    qn_buffer mixed = {0};
    for (int i = 0; i < QN_JSON_DEPTH; i++)
        put_text(&mixed, i % 3 == 0 ? "{\"k\":" : "[");
    put_text(&mixed, "1");
    for (int i = QN_JSON_DEPTH - 1; i >= 0; i--)
        put_text(&mixed, i % 3 == 0 ? "}" : "]");
    cr_expect(valid((char *)mixed.data, mixed.len, &position, &reason), "%s", reason);
    for (size_t i = 1; i < mixed.len; i += 97) {
        uint8_t byte = mixed.data[mixed.len - i];
        mixed.data[mixed.len - i] = byte == '}' ? ']' : '}';
        if (byte == '}' || byte == ']')
            cr_expect(!valid((char *)mixed.data, mixed.len, &position, &reason));
        mixed.data[mixed.len - i] = byte;
    }
    qn_buffer_free(&mixed);
}

/* 200,000 deep: the first recursive version of many a parser dies of this. */
Test(source_json, very_deep)
{
    size_t len = 400000, position;
    char *text = malloc(len);
    const char *reason;
    cr_assert_not_null(text);
    memset(text, '[', len / 2);
    memset(text + len / 2, ']', len / 2);
    cr_expect(!valid(text, len, &position, &reason));
    free(text);
}

/* ---- JSONTestSuite (Seriot 2016) ---- */

Test(source_json, test_suite)
{
    char *folder = test_data("ugly/json/test_parsing");
    if (folder == NULL)
        return;
    DIR *dir = opendir(folder);
    cr_assert_not_null(dir);
    size_t n = 0;
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        char path[2048];
        size_t len, position;
        const char *reason;
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        char *text = (char *)test_read_file(path, &len);
        bool is_valid = valid(text, len, &position, &reason);
        if (entry->d_name[0] == 'y')
            cr_expect(is_valid, "%s: %s at %zu", entry->d_name, reason, position);
        else if (entry->d_name[0] == 'n')
            cr_expect(!is_valid, "%s", entry->d_name);
        n++;
        free(text);
    }
    (void)closedir(dir);
    free(folder);
    cr_expect(n > 300);
}
