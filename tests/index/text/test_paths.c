/* The three ways of the tokenizer give the same words, for random text, hostile text and whatever
 * stands in the data folder; and none takes more than linear time. */
#include <dirent.h>
#include <sys/stat.h>

#include "tests/index/text/words.h"
#include "tests/support/support.h"

static qn_tokenizer *tokenizer_of(int path)
{
    qn_tokenizer *t = qn_tokenizer_new();
    cr_assert_not_null(t);
    qn_tokenizer_set_path(t, (qn_tokenizer_path)path);
    return t;
}

static void must_equal(const qn_buffer *a, const qn_buffer *b, const char *what, const char *paths)
{
    size_t at = 0;
    while (at < a->len && at < b->len && a->data[at] == b->data[at])
        at++;
    size_t from = at < 40 ? 0 : at - 40;
    cr_assert(a->len == b->len && at == a->len, "%s: %s differ: ...%.*s | ...%.*s", what, paths,
              (int)(a->len - from < 80 ? a->len - from : 80), (const char *)a->data + from,
              (int)(b->len - from < 80 ? b->len - from : 80), (const char *)b->data + from);
}

/* Three tokenizers that live through many texts, one for each path. */
typedef struct trio {
    qn_tokenizer *t[3];
    qn_buffer a, b;
} trio;

static trio trio_new(void)
{
    trio three = {.t = {tokenizer_of(0), tokenizer_of(1), tokenizer_of(2)}};
    return three;
}

static void trio_free(trio *three)
{
    for (int i = 0; i < 3; i++)
        qn_tokenizer_free(three->t[i]);
    qn_buffer_free(&three->a);
    qn_buffer_free(&three->b);
}

/* `any` in batches of `max` gives what `points` gives in large ones, places and all, and what
 * `chunks` gives but for the places. */
static void check(trio *three, const char *what, const char *bytes, size_t len, size_t max)
{
    char *text = exact_copy(bytes, len);
    three->a.len = three->b.len = 0;
    collect(&three->a, three->t[0], text, len, max, true);
    collect(&three->b, three->t[1], text, len, 4096, true);
    must_equal(&three->a, &three->b, what, "any and points");
    three->a.len = three->b.len = 0;
    collect(&three->a, three->t[1], text, len, max, false);
    collect(&three->b, three->t[2], text, len, 64, false);
    must_equal(&three->a, &three->b, what, "points and chunks");
    free(text);
}

static void append_point(qn_buffer *text, uint32_t point)
{
    char bytes[QN_UTF8_MAX];
    if (point >= 0xD800 && point < 0xE000)
        point = 'a';
    cr_assert(qn_buffer_append(text, bytes, qn_utf8_encode(point, bytes)));
}

/* Ranges of code points in which something may go wrong. */
static const struct {
    uint32_t first, last;
} POOLS[] = {{'a', 'z'},         {'A', 'Z'},         {' ', '\''},        {'0', '?'},
             {0, 0x7F},          {0, 0x7F},          {0xA0, 0xFF},       {0x100, 0x24F},
             {0x300, 0x36F},     {0x370, 0x5FF},     {0x5D0, 0x6FF},     {0x900, 0xDFF},
             {0xE00, 0xE7F},     {0x1100, 0x11FF},   {0x1E00, 0x1FFF},   {0x2000, 0x206F},
             {0x2018, 0x201D},   {0x2070, 0x218F},   {0x2460, 0x24FF},   {0x3040, 0x30FF},
             {0x3130, 0x33FF},   {0x4E00, 0x4E40},   {0xAC00, 0xAC40},   {0xF900, 0xFAFF},
             {0xFB00, 0xFDFF},   {0xFE00, 0xFFFF},   {0x10000, 0x1FFFF}, {0x1D15E, 0x1D164},
             {0x1D400, 0x1D4FF}, {0x2F800, 0x2FA1F}, {0x20000, 0x323AF}, {0, 0x10FFFF},
             {0x1133E, 0x11357}, {0x114B0, 0x115BF}, {0x93C, 0x94D},     {0xB3E, 0xB57}};

Test(paths, random_code_points)
{
    uint64_t seed = 2;
    trio three = trio_new();
    qn_buffer text = {0};
    for (int round = 0; round < 3000; round++) {
        text.len = 0;
        uint32_t pools[4], n = 1 + test_below(&seed, round % 50 == 0 ? 3000 : 60);
        for (int i = 0; i < 4; i++)
            pools[i] = test_below(&seed, sizeof POOLS / sizeof *POOLS);
        uint32_t ascii = test_below(&seed, 5);
        for (uint32_t i = 0; i < n; i++) {
            uint32_t pool =
                test_below(&seed, 5) < ascii ? test_below(&seed, 6) : pools[test_below(&seed, 4)];
            uint32_t width = POOLS[pool].last - POOLS[pool].first + 1;
            append_point(&text, POOLS[pool].first + test_below(&seed, width));
        }
        check(&three, "random code points", (const char *)text.data, text.len,
              64 + test_below(&seed, 100));
    }
    qn_buffer_free(&text);
    trio_free(&three);
}

Test(paths, random_bytes)
{
    static const char likely[] = "aZ9 '\n\x80\xBF\xC2\xC3\xE0\xE2\xED\xEF\xF0\xF4\xF5\xFF\xA0\x9F"
                                 "\x90\x8F\xA9\xCC\x81\x99";
    uint64_t seed = 3;
    trio three = trio_new();
    char text[600];
    for (int round = 0; round < 3000; round++) {
        uint32_t len = 1 + test_below(&seed, round % 10 == 0 ? sizeof text : 40);
        for (uint32_t i = 0; i < len; i++)
            text[i] = test_below(&seed, 4) == 0 ? (char)test_next(&seed)
                                                : likely[test_below(&seed, sizeof likely - 1)];
        check(&three, "random bytes", text, len, 64 + test_below(&seed, 100));
    }
    trio_free(&three);
}

/* Mostly ASCII with words of all lengths, so that they cross blocks, scratch and batches. */
Test(paths, random_words)
{
    static const char *const odd[] = {"’",      "é",  "“",    "…",         "\u0301",
                                      "\u00A0", "中", "\xFF", "\U0001F600"};
    uint64_t seed = 4;
    trio three = trio_new();
    qn_buffer text = {0};
    for (int round = 0; round < 24; round++) {
        text.len = 0;
        uint32_t rare = 1 + test_below(&seed, 400), longest = round % 3 == 0 ? 400 : 12;
        while (text.len < 40000) {
            for (uint32_t n = test_below(&seed, longest); n > 0; n--) {
                if (test_below(&seed, rare) == 0) {
                    const char *piece = odd[test_below(&seed, sizeof odd / sizeof *odd)];
                    cr_assert(qn_buffer_append(&text, piece, strlen(piece)));
                } else {
                    cr_assert(qn_buffer_push(&text, (uint8_t)('A' + test_below(&seed, 58))));
                }
            }
            cr_assert(qn_buffer_push(&text, test_below(&seed, 6) == 0 ? '\'' : ' '));
        }
        check(&three, "random words", (const char *)text.data, text.len,
              64 + test_below(&seed, 2000));
    }
    qn_buffer_free(&text);
    trio_free(&three);
}

/* The files of a folder of the test data; how many there were. */
static size_t check_folder(trio *three, const char *name)
{
    char *path = test_data(name);
    if (path == NULL)
        return 0;
    DIR *folder = opendir(path);
    cr_assert_not_null(folder);
    size_t n = 0;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char *file_path = test_path(path, entry->d_name);
        struct stat info;
        if (stat(file_path, &info) == 0 && S_ISREG(info.st_mode)) {
            size_t len;
            uint8_t *text = test_read_file(file_path, &len);
            check(three, file_path, (const char *)text, len, 64);
            free(text);
            n++;
        }
        free(file_path);
    }
    closedir(folder);
    free(path);
    return n;
}

/* Real text and malformed files, compressed ones included: any bytes are text. */
Test(paths, data_folder)
{
    static const char *const folders[] = {"ugly/text",
                                          "ugly/synthetic",
                                          "ugly/binary",
                                          "ugly/json/test_parsing",
                                          "ugly/json/test_transform",
                                          "queries",
                                          "seed",
                                          "cranfield",
                                          "lang/lang-tr",
                                          "lang/xquad-ru",
                                          "lang/xquad-es",
                                          "lang/xquad-zh"};
    trio three = trio_new();
    size_t n = 0;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        n += check_folder(&three, folders[i]);
    trio_free(&three);
    if (n == 0)
        puts("skipped: no data folder");
}

/* `n` times `piece`, after `before`, by the paths that do not normalise all; the number of words.
 * What took quadratic time would not end before the test program's timeout. */
static size_t check_huge(const char *before, const char *piece, size_t n, uint64_t bad)
{
    qn_buffer text = {0};
    cr_assert(qn_buffer_append(&text, before, strlen(before)));
    for (size_t i = 0; i < n; i++)
        cr_assert(qn_buffer_append(&text, piece, strlen(piece)));
    size_t counts[2] = {0};
    for (int path = QN_TOKENIZER_ANY; path <= QN_TOKENIZER_POINTS; path++) {
        qn_tokenizer *t = tokenizer_of(path);
        qn_word words[100];
        size_t given;
        qn_tokenizer_start(t, (const char *)text.data, text.len, 0);
        do {
            cr_assert_eq(qn_tokenizer_next(t, words, 100, &given, NULL), QUERN_OK);
            counts[path] += given;
        } while (given > 0);
        counts[path] += qn_tokenizer_long_words(t);
        cr_assert_eq(counts[path], qn_tokenizer_position(t));
        cr_assert_eq(qn_tokenizer_bad_utf8(t), bad);
        qn_tokenizer_free(t);
    }
    cr_assert_eq(counts[0], counts[1]);
    qn_buffer_free(&text);
    return counts[0];
}

Test(paths, huge)
{
    cr_assert_eq(check_huge("", "a", 5000000, 0), 1);
    cr_assert_eq(check_huge("é", "a", 1000000, 0), 1);
    cr_assert_eq(check_huge("", "a'", 300000, 0), 1);
    cr_assert_eq(check_huge("", "'", 300000, 0), 0);
    cr_assert_eq(check_huge("", " ", 1000000, 0), 0);
    cr_assert_eq(check_huge("a", "\x80", 200000, 200000), 1);
    cr_assert_eq(check_huge("a", "\xF0\x9F", 200000, 200000), 1);
    cr_assert_eq(check_huge("a", "\u0301", 10000, 0), 1);
    cr_assert_eq(check_huge("a", "\u0301\u0323\u0334", 60000, 0), 1);
    cr_assert_eq(check_huge("", "\u0301\u0323", 60000, 0), 0);
    cr_assert_eq(check_huge("a", "\u0345\u0344", 100000, 0), 1);
    cr_assert_eq(check_huge("か", "\u3099", 100000, 0), 99999);
    cr_assert_eq(check_huge("ก", "\u0E48\u0E38", 50000, 0), 100000);
    cr_assert_eq(check_huge("", "\u1161", 100000, 0), 1);
    cr_assert_eq(check_huge("", "\uFDFA", 50000, 0), 3 * 50000 + 1);
    cr_assert_eq(check_huge("", "中", 300000, 0), 299999);
    cr_assert_eq(check_huge("", "ㄱ", 100000, 0), 1);
}

/* A span longer than QN_FOLD_SPAN_MAX is cut: the words stay whole, and what follows is untouched.
 */
Test(paths, cut_spans)
{
    qn_buffer text = {0}, got = {0};
    cr_assert(qn_buffer_append(&text, "one か", strlen("one か")));
    for (int i = 0; i < 40000; i++)
        cr_assert(qn_buffer_append(&text, "\u0301", 2));
    cr_assert(qn_buffer_append(&text, " two e\u0301 three", strlen(" two e\u0301 three")));
    for (int path = QN_TOKENIZER_ANY; path <= QN_TOKENIZER_CHUNKS; path++) {
        qn_tokenizer *t = tokenizer_of(path);
        got.len = 0;
        collect(&got, t, (const char *)text.data, text.len, 64, false);
        cr_assert(qn_buffer_push(&got, '\0'));
        cr_assert_str_eq((const char *)got.data, "one@0 か@1 two@2 é@3 three@4 ");
        qn_tokenizer_free(t);
    }
    qn_buffer_free(&text);
    qn_buffer_free(&got);
}
