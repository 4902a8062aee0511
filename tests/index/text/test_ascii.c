/* Blocks of ASCII against the obvious. */
#include "index/text/ascii.h"

#include "tests/index/text/words.h"

static bool is_letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The kernel of a level, or NULL where this machine or the compiler has none. */
static qn_ascii_classify_fn kernel_of(qn_cpu cpu)
{
    qn_ascii_classify_fn kernel = cpu == QN_CPU_SCALAR ? qn_ascii_classify
                                  : cpu == QN_CPU_AVX2 ? qn_ascii_classify_avx2()
                                                       : qn_ascii_classify_avx512();
    if (kernel != NULL && cpu <= qn_cpu_machine())
        cr_assert_eq(qn_ascii_classify_for(cpu), kernel);
    return cpu <= qn_cpu_machine() ? kernel : NULL;
}

static void check_every_byte(qn_ascii_classify_fn classify)
{
    for (unsigned value = 0; value < 256; value++) {
        unsigned char c = (unsigned char)value;
        bool word = is_letter(c) || (c >= '0' && c <= '9');
        if (c < 0x80)
            cr_assert_eq(qn_ascii_is_word((char)c), word, "%02X", value);
        for (unsigned at = 0; at < QN_ASCII_BLOCK; at++) {
            char in[QN_ASCII_BLOCK], out[QN_ASCII_BLOCK];
            memset(in, at % 2 == 0 ? 0x7F : 0, sizeof in);
            in[at] = (char)c;
            qn_ascii_masks masks = classify(in, out);
            uint64_t bit = (uint64_t)1 << at;
            cr_assert_eq(masks.high, c >= 0x80 ? bit : 0);
            if (c >= 0x80)
                continue;
            cr_assert_eq(masks.word, word ? bit : 0, "%02X at %u", value, at);
            cr_assert_eq(masks.apostrophe, c == '\'' ? bit : 0);
            cr_assert_eq(out[at], is_letter(c) ? c | 0x20 : c);
            in[at] = at % 2 == 0 ? 0x7F : 0;
            out[at] = in[at];
            cr_assert_arr_eq(in, out, sizeof in);
        }
    }
}

static void check_random_blocks(qn_ascii_classify_fn classify)
{
    uint64_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        char in[QN_ASCII_BLOCK], out[QN_ASCII_BLOCK];
        uint32_t range = round % 2 == 0 ? 128 : 256;
        for (size_t i = 0; i < sizeof in; i++)
            in[i] = (char)test_below(&seed, range);
        qn_ascii_masks masks = classify(in, out);
        for (size_t i = 0; i < sizeof in; i++) {
            cr_assert_eq(masks.high >> i & 1, (unsigned char)in[i] >= 0x80);
            if ((unsigned char)in[i] >= 0x80)
                continue;
            cr_assert_eq(masks.word >> i & 1, qn_ascii_is_word(in[i]));
            cr_assert_eq(masks.apostrophe >> i & 1, in[i] == '\'');
            cr_assert_eq(out[i], is_letter((unsigned char)in[i]) ? in[i] | 0x20 : in[i]);
        }
    }
}

Test(ascii, every_kernel)
{
    for (int cpu = QN_CPU_SCALAR; cpu <= QN_CPU_AVX512; cpu++) {
        qn_ascii_classify_fn classify = kernel_of((qn_cpu)cpu);
        if (classify == NULL)
            continue;
        check_every_byte(classify);
        check_random_blocks(classify);
    }
}

/* Words from bits: of runs of random lengths, some of them all words of one byte; also with a word
 * that begins and does not end. */
static void check_words(qn_ascii_words_fn words)
{
    static const char text[QN_ASCII_BLOCK];
    uint64_t seed = 3;
    for (int round = 0; round < 20000; round++) {
        uint64_t bits = test_next(&seed);
        bits &= round % 3 == 0 ? test_next(&seed) : round % 3 == 1 ? 0x5555555555555555u : ~0ull;
        uint64_t starts = bits & ~(bits << 1), ends = ~bits & bits << 1;
        const uint32_t first = round % 7 == 0 ? UINT32_MAX - 3 : (uint32_t)test_next(&seed);
        const qn_ascii_place place = {text, (size_t)test_next(&seed) >> 1, first};
        qn_word out[QN_ASCII_WORDS], expected[QN_ASCII_WORDS];
        size_t n = 0;
        for (unsigned i = 0, start = 0; i < 64; i++) {
            start = (starts >> i & 1) != 0 ? i : start;
            if ((ends >> i & 1) != 0) {
                expected[n] = (qn_word){text + start, i - start, first + (uint32_t)n,
                                        place.at + start, place.at + i};
                n++;
            }
        }
        cr_assert_eq(words(starts, ends, &place, out), n);
        cr_assert(n == 0 || memcmp(out, expected, n * sizeof *out) == 0, "%llx",
                  (unsigned long long)bits);
    }
}

Test(ascii, words)
{
    check_words(qn_ascii_words);
    if (qn_cpu_machine() < QN_CPU_AVX512 || qn_ascii_words_avx512() == NULL)
        return;
    check_words(qn_ascii_words_avx512());
    cr_assert_eq(qn_ascii_words_for(QN_CPU_AVX512), qn_ascii_words_avx512());
    cr_assert_eq(qn_ascii_words_for(QN_CPU_AVX2), qn_ascii_words);
}

/* The last position there is stays, within a block of ASCII, too. */
Test(ascii, last_position)
{
    qn_tokenizer *t = qn_tokenizer_new();
    qn_word words[64];
    size_t n;
    static const char text[] = "one two three four five six";
    qn_tokenizer_start(t, text, sizeof text - 1, UINT32_MAX - 2);
    cr_assert_eq(qn_tokenizer_next(t, words, 64, &n, NULL), QUERN_OK);
    cr_assert_eq(n, 6);
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(words[i].position, i < 2 ? UINT32_MAX - 2 + i : UINT32_MAX);
    cr_assert_eq(qn_tokenizer_position(t), UINT32_MAX);
    qn_tokenizer_free(t);
}

Test(ascii, all)
{
    char text[40];
    for (size_t len = 0; len < sizeof text; len++)
        for (size_t bad = 0; bad <= len; bad++) {
            memset(text, 0x7F, sizeof text);
            text[bad] = (char)0x80;
            cr_assert_eq(qn_ascii_all(text, len), bad >= len);
        }
}
