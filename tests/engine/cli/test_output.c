/* Text for people and programs: JSON, cleaned lines, percent-encoding; standard output that is
 * closed or full. */
#include "engine/cli/output.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A literal that may hold NUL bytes. */
#define BYTES(literal) ((quern_span){literal, sizeof literal - 1})
#define FFFD           "\xEF\xBF\xBD"

typedef void (*put_fn)(qn_text *, quern_span);

static void check(put_fn put, quern_span in, const char *out)
{
    /* A copy that ends with the allocation, so that AddressSanitizer sees a step too far. */
    char *copy = malloc(in.len + 1);
    memcpy(copy + 1, in.data, in.len);
    qn_text text = {0};
    put(&text, (quern_span){copy + 1, in.len});
    cr_assert(!text.failed);
    cr_assert(text.bytes.len == strlen(out) &&
                  (text.bytes.len == 0 || memcmp(text.bytes.data, out, text.bytes.len) == 0),
              "'%.*s' for '%s'", (int)text.bytes.len, text.bytes.data, out);
    qn_text_free(&text);
    free(copy);
}

Test(output, json_strings)
{
    check(qn_text_json, BYTES(""), "\"\"");
    check(qn_text_json, BYTES("plain"), "\"plain\"");
    check(qn_text_json, BYTES("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"");
    check(qn_text_json, BYTES("\t\n\r\b\x1b\0z"), "\"\\t\\n\\r\\u0008\\u001b\\u0000z\"");
    check(qn_text_json, BYTES("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80"),
          "\"gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80\"");
    check(qn_text_json, BYTES("\x7F"), "\"\x7F\"");
}

Test(output, json_replaces_invalid_utf8)
{
    check(qn_text_json, BYTES("a\xFF"), "\"a" FFFD "\"");
    check(qn_text_json, BYTES("\xC3"), "\"" FFFD "\"");
    check(qn_text_json, BYTES("\xC3(x"), "\"" FFFD "(x\"");
    check(qn_text_json, BYTES("\xC0\xAF"), "\"" FFFD FFFD "\"");                   /* overlong */
    check(qn_text_json, BYTES("\xED\xA0\x80"), "\"" FFFD FFFD FFFD "\"");          /* surrogate */
    check(qn_text_json, BYTES("\xF4\x90\x80\x80"), "\"" FFFD FFFD FFFD FFFD "\""); /* too large */
    check(qn_text_json, BYTES("\xE2\x82"), "\"" FFFD FFFD "\"");
    check(qn_text_json, BYTES("\xE2\x82\xAC\"\xFF\""), "\"\xE2\x82\xAC\\\"" FFFD "\\\"\"");
}

Test(output, cleaned_lines)
{
    check(qn_text_clean, BYTES("a\tb\nc"), "a b c");
    check(qn_text_clean, BYTES("\x1b[31mred\x1b[0m"), " [31mred [0m");
    check(qn_text_clean, BYTES("\xC3\xBC\n\xC3\xBC"), "\xC3\xBC \xC3\xBC");
    /* U+009B, which a terminal may take as the start of a sequence. */
    check(qn_text_clean, BYTES("\xC2\x9B[31m"), " [31m");
    check(qn_text_clean, BYTES("\xE2\x82\xAC\x01\xFFz"), "\xE2\x82\xAC " FFFD "z");
    check(qn_text_clean, BYTES("\x7F\0"), "  ");
    check(qn_text_clean, BYTES("\xC2"), FFFD);
}

Test(output, percent)
{
    check(qn_text_percent, BYTES("plain/id#+1"), "plain/id#+1");
    check(qn_text_percent, BYTES("a b\t100%\n"), "a%20b%09100%25%0A");
    check(qn_text_percent, BYTES("\xC3\xBC"), "\xC3\xBC");
}

typedef struct number_case {
    double value;
    const char *text;
} number_case;

Test(output, json_numbers)
{
    static const number_case CASES[] = {{0, "0"},          {1, "1"},
                                        {0.1, "0.1"},      {-2.5, "-2.5"},
                                        {1e300, "1e+300"}, {1.0 / 3, "0.3333333333333333"}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        qn_text text = {0};
        qn_text_json_number(&text, CASES[i].value);
        qn_text_put(&text, "", 1);
        cr_assert_str_eq((char *)text.bytes.data, CASES[i].text);
        qn_text_free(&text);
    }
}

Test(output, long_printf)
{
    char words[1000];
    memset(words, 'x', sizeof words - 1);
    words[sizeof words - 1] = '\0';
    qn_text text = {0};
    qn_text_printf(&text, "<%s>", words);
    qn_text_printf(&text, "%d", 7);
    cr_assert_eq(text.bytes.len, 1002);
    cr_assert_eq(text.bytes.data[1000], '>');
    cr_assert_eq(text.bytes.data[1001], '7');
    qn_text_free(&text);
}

Test(output, colour)
{
    qn_output out;
    unsetenv("NO_COLOR");
    qn_output_open(&out, STDOUT_FILENO, 1);
    cr_assert(out.text.colour);
    qn_output_open(&out, STDOUT_FILENO, 2);
    cr_assert(!out.text.colour);
    int file = open("/dev/null", O_WRONLY);
    qn_output_open(&out, file, 0); /* no terminal */
    cr_assert(!out.text.colour);
    qn_text_style(&out.text, QN_BOLD);
    cr_assert_eq(out.text.bytes.len, 0);
    setenv("NO_COLOR", "1", 1);
    qn_output_open(&out, STDOUT_FILENO, 1); /* asked for by name */
    cr_assert(out.text.colour);
    close(file);
}

Test(output, closed_pipe_is_success)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    (void)signal(SIGPIPE, SIG_IGN);
    close(ends[0]);
    qn_output out;
    qn_output_open(&out, ends[1], 2);
    qn_text_puts(&out.text, "nobody reads this\n");
    cr_assert(qn_output_alive(&out));
    qn_output_flush(&out);
    cr_assert(!qn_output_alive(&out));
    qn_text_puts(&out.text, "nor this\n");
    quern_error error = {0};
    cr_assert_eq(qn_output_close(&out, &error), QUERN_OK);
    close(ends[1]);
}

Test(output, full_disk_is_not)
{
    int full = open("/dev/full", O_WRONLY);
    if (full < 0)
        return;
    qn_output out;
    qn_output_open(&out, full, 2);
    qn_text_puts(&out.text, "x");
    quern_error error = {0};
    cr_assert_eq(qn_output_close(&out, &error), QUERN_E_SPACE);
    cr_assert_eq(error.sys_errno, ENOSPC);
    close(full);
}
