/* Documents from a seed and their numbers: see synth_model.h. */
#include "engine/cli/synth_model.h"

#include "engine/cli/synth_random.h"
#include "engine/cli/synth_words.h"
#include "engine/cli/synth_zipf.h"
#include "index/base/status.h"

#include <stdlib.h>
#include <string.h>

/* ---- the constants ---- */

/*
 * Found by trial against 966,464 real passages, with bench/synth_check; what each is for:
 *
 * - the law, the heads of the curve: words of rank 1 to 65,536 by documents that hold them;
 * - AGAIN: how often a word occurs in a document that has it (tf);
 * - stores and chapters: that a rare word's documents are neighbours, and the number of terms.
 * Where rare words were as often drawn anew as others, those of 2 to 15 documents had gaps of 4.6
 * bits less than in random order in place of the real 10; and where topics held rare words, 8;
 * - FAVOURED and topics: that the documents of frequent words crowd, too.
 */
enum {
    KINDS = 12,
    BLOCK = 4096,       /* documents; sections and articles end where a block does, some earlier */
    SECTION_BLOCKS = 8, /* of a section, in the mean */
    SECTION_BLOCKS_MAX = 256,
    CHAPTER = 8,         /* documents that share half of a store */
    STORE = 32,          /* words of an article */
    TOPICS = 4096,       /* of a kind */
    TOPIC_WORDS = 2048,  /* draws; the words are fewer, as some are the same */
    TOPIC_RANKS = 10240, /* times 1 to 8, by the topic: rarer words belong to none. With one limit
                            for all, a third too few terms were in 16 to 255 documents */
    RARE = 8192,         /* the rank from which words are rare */
    LENGTH_MAX = 112,    /* words of a text and of a title */
    TITLE_MAX = 30,
    HEADING = 2,   /* words that the titles of a kind have in common */
    HEADINGS = 200 /* the ranks that they are of */
};

static const qn_synth_law LAW = {.shift = 0.4, .knee = 2100, .slope = 14, .tail_slope = 11};

/* Mean documents of an article. Of the real passages 39 % are in articles of 3 to 7, 36 % of 133
 * (court hearings), 25 % of 1,033 (books). */
static const uint32_t ARTICLE[KINDS] = {6, 4, 130, 1000, 5, 150, 7, 600, 3, 100, 200, 30};

/* Words of a text and of a title, at every sixteenth of the documents, as measured. */
static const uint16_t LENGTH[17] = {5,  43, 57, 62, 65, 69, 72, 75,        78,
                                    81, 83, 86, 88, 91, 94, 97, LENGTH_MAX};
static const uint16_t TITLE[17] = {HEADING, 2, 3, 3,  4,  5,  6,  7,        8,
                                   8,       9, 9, 10, 11, 12, 14, TITLE_MAX};

/* Of 65,536: what a word that was drawn gives way to. */
enum {
    AGAIN_FUNCTION = 6000, /* a function word: one that the document has had */
    AGAIN = 4500,          /* another word: one that the document has had */
    FROM_STORE = 18000,    /* up to here, one of its article */
    FROM_TOPIC = 40000,    /* up to here, one of its topics; else it stays */
    RARE_AGAIN = 16000,    /* likewise, if it is rare */
    RARE_FROM_STORE = 61500,
    RARE_FROM_TOPIC = 62000,
    FAVOURED = 52000 /* of those that stay, the neighbour in rank that the kind favours */
};

/* What streams and hashes are for. */
enum {
    FOR_SECTION = 1,
    FOR_ARTICLE,
    FOR_DOCUMENT,
    FOR_KIND,
    FOR_ACCENT,
    FOR_FAVOUR,
    FOR_STORE,
    FOR_CHAPTER,
    FOR_TOPIC,
    FOR_HEADING
};

/* ---- state ---- */

typedef struct article {
    uint64_t start;   /* its first document */
    uint64_t chapter; /* that of the chapter */
    uint64_t topic[2];
    uint64_t store[STORE];
    uint64_t title[TITLE_MAX];
    uint32_t n_title;
} article;

struct qn_synth {
    uint64_t seed;
    uint64_t at; /* the document that kind and article are those of; UINT64_MAX: none */
    uint32_t kind;
    uint64_t favour; /* key of the words that the kind favours */
    article article;
    /* Ranks in the document so far: function words, and others. */
    uint64_t said[TITLE_MAX + LENGTH_MAX], function[TITLE_MAX + LENGTH_MAX];
    uint32_t n_said, n_function;
    qn_synth_words words;
    qn_synth_zipf zipf[KINDS];
};

static uint64_t name(const qn_synth *synth, uint64_t purpose, uint64_t number)
{
    return qn_synth_hash(qn_synth_hash(synth->seed, purpose), number);
}

/* A number whose distribution function goes through 17 points. */
static uint32_t spread(uint64_t bits, const uint16_t points[17])
{
    uint32_t u = (uint32_t)(bits >> 48), step = u >> 12;
    uint32_t width = (uint32_t)points[step + 1] - points[step];
    return points[step] + (width * (u & 4095) + 2048) / 4096;
}

/* A number below n, small ones more often: n * u^2 for a uniform u. */
static uint32_t square(uint64_t bits, uint32_t n)
{
    uint64_t u = bits >> 32;
    return (uint32_t)((u * u >> 32) * n >> 32);
}

/* Small ones still more often: n * u^3. */
static uint32_t cube(uint64_t bits, uint32_t n)
{
    uint64_t u = bits >> 32;
    return (uint32_t)(((u * u >> 32) * u >> 32) * n >> 32);
}

/* ---- words ---- */

/* Words belong more to one kind of text than to another: of eight that are equally frequent, each
 * kind favours one. `chance` is of 65,536. */
static uint64_t favoured(const qn_synth *synth, uint64_t rank, uint32_t chance)
{
    if (chance >= FAVOURED)
        return rank;
    return rank / 8 * 8 + qn_synth_hash(synth->favour, rank / 8) % 8;
}

/* A word that is no function word, by its frequency, of a rank below `end`. */
static uint64_t draw_content(const qn_synth *synth, qn_synth_random random, uint64_t end)
{
    uint64_t rank;
    do
        rank = qn_synth_zipf_draw(&synth->zipf[synth->kind], &random);
    while (rank < QN_SYNTH_FUNCTION_WORDS || rank >= end);
    return favoured(synth, rank, (uint32_t)qn_synth_next(&random) & 0xFFFF);
}

/* A topic is known by its key: its words are drawn again whenever one is wanted. */
static uint64_t topic_word(const qn_synth *synth, uint64_t topic, uint64_t bits)
{
    return draw_content(synth, qn_synth_hash(topic, cube(bits, TOPIC_WORDS)),
                        TOPIC_RANKS * (1 + topic % 8));
}

static uint64_t draw_word(qn_synth *synth, qn_synth_random *random)
{
    const article *in = &synth->article;
    uint64_t rank = qn_synth_zipf_draw(&synth->zipf[synth->kind], random);
    uint64_t bits = qn_synth_next(random);
    uint32_t chance = (uint32_t)bits & 0xFFFF, other = (uint32_t)(bits >> 16) & 0xFFFF;
    if (rank < QN_SYNTH_FUNCTION_WORDS) {
        if (chance < AGAIN_FUNCTION && synth->n_function > 0)
            rank = synth->function[qn_synth_below(bits, synth->n_function)];
        synth->function[synth->n_function++] = rank;
        return rank;
    }
    bool rare = rank >= RARE;
    if (chance < (rare ? RARE_AGAIN : AGAIN)) {
        if (synth->n_said > 0)
            rank = synth->said[qn_synth_below(bits, synth->n_said)];
    } else if (chance < (rare ? RARE_FROM_STORE : FROM_STORE)) {
        rank = in->store[square(bits, STORE)];
    } else if (chance < (rare ? RARE_FROM_TOPIC : FROM_TOPIC)) {
        rank = topic_word(synth, in->topic[other % 4 == 0], bits);
    } else {
        rank = favoured(synth, rank, other);
    }
    synth->said[synth->n_said++] = rank;
    return rank;
}

/* ---- sections, articles, chapters ---- */

/* The first block of the section that a block is in. */
static uint64_t section_of(const qn_synth *synth, uint64_t block)
{
    while (block % SECTION_BLOCKS_MAX != 0 && name(synth, FOR_SECTION, block) % SECTION_BLOCKS != 0)
        block--;
    return block;
}

static bool starts_article(const qn_synth *synth, uint64_t number)
{
    return number % BLOCK == 0 ||
           qn_synth_below(name(synth, FOR_ARTICLE, number), ARTICLE[synth->kind]) == 0;
}

/* A word for a store: every other one is of a topic. */
static uint64_t store_word(const qn_synth *synth, qn_synth_random *random)
{
    uint64_t bits = qn_synth_next(random);
    return bits % 2 == 0 ? draw_content(synth, bits, UINT64_MAX)
                         : topic_word(synth, synth->article.topic[bits % 8 < 2], bits);
}

static void begin_chapter(qn_synth *synth, uint64_t start)
{
    qn_synth_random random = name(synth, FOR_CHAPTER, start);
    synth->article.chapter = start;
    for (uint32_t i = 1; i < STORE; i += 2)
        synth->article.store[i] = store_word(synth, &random);
}

static void begin_article(qn_synth *synth, uint64_t start)
{
    article *in = &synth->article;
    qn_synth_random random = name(synth, FOR_STORE, start);
    in->start = start;
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t topic = square(qn_synth_next(&random), TOPICS);
        in->topic[i] = name(synth, FOR_TOPIC, (uint64_t)synth->kind * TOPICS + topic);
    }
    for (uint32_t i = 0; i < STORE; i += 2)
        in->store[i] = store_word(synth, &random);
    begin_chapter(synth, start);
    in->n_title = spread(qn_synth_next(&random), TITLE);
    synth->n_said = synth->n_function = 0;
    for (uint32_t i = 0; i < in->n_title; i++)
        in->title[i] = draw_word(synth, &random);
    for (uint32_t i = 0; i < HEADING; i++)
        in->title[i] = QN_SYNTH_FUNCTION_WORDS +
                       name(synth, FOR_HEADING, (uint64_t)synth->kind * HEADING + i) % HEADINGS;
}

/* Sets kind, article and chapter to those of a document. The state is not needed to find them, only
 * quicker: it is right if the document before was the last. */
static void locate(qn_synth *synth, uint64_t number)
{
    bool next = synth->at != UINT64_MAX && number == synth->at + 1;
    synth->at = number;
    if (!next || number % BLOCK == 0) {
        uint64_t section = section_of(synth, number / BLOCK);
        /* The first is one of many short articles, so that a small corpus has some. */
        synth->kind = section == 0 ? 0 : (uint32_t)(name(synth, FOR_KIND, section) % KINDS);
        synth->favour = name(synth, FOR_FAVOUR, synth->kind);
    }
    uint64_t start = number;
    while (!next && !starts_article(synth, start))
        start--;
    if (!next || starts_article(synth, number))
        begin_article(synth, start);
    uint64_t chapter = number - (number - synth->article.start) % CHAPTER;
    if (chapter != synth->article.chapter)
        begin_chapter(synth, chapter);
}

/* ---- text ---- */

static char *put_number(char *out, uint64_t number)
{
    char digits[20];
    size_t n = 0;
    do
        digits[n++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (n > 0)
        *out++ = digits[--n];
    return out;
}

static char *put_string(char *out, const char *string)
{
    size_t len = strlen(string);
    memcpy(out, string, len);
    return out + len;
}

static char *put_word(const qn_synth *synth, char *out, uint64_t rank, bool capital)
{
    size_t len = qn_synth_word(&synth->words, rank, out);
    if (capital)
        out[0] = (char)(out[0] - 'a' + 'A');
    return out + len;
}

static char *put_title(qn_synth *synth, char *out)
{
    const article *in = &synth->article;
    synth->n_said = synth->n_function = 0;
    for (uint32_t i = 0; i < in->n_title; i++) {
        bool function = in->title[i] < QN_SYNTH_FUNCTION_WORDS;
        if (i > 0)
            *out++ = ' ';
        out = put_word(synth, out, in->title[i], !function || i == 0);
        if (!function)
            synth->said[synth->n_said++] = in->title[i];
    }
    return out;
}

/* Sentences of 20 words and a comma after every 17th, in the mean (the real passages: 23 and 17).
 */
static char *put_text(qn_synth *synth, char *out, qn_synth_random *random)
{
    uint32_t n = spread(qn_synth_next(random), LENGTH);
    bool capital = true;
    for (uint32_t i = 0; i < n; i++) {
        out = put_word(synth, out, draw_word(synth, random), capital);
        uint64_t mark = qn_synth_below(qn_synth_next(random), 1000);
        capital = mark < 42 || i + 1 == n;
        if (capital)
            *out++ = '.';
        else if (mark < 100)
            *out++ = ',';
        *out++ = ' ';
    }
    return out - 1;
}

quern_status qn_synth_document(qn_synth *synth, uint64_t number, qn_buffer *out, quern_error *error)
{
    enum { ROOM = 200 + (TITLE_MAX + LENGTH_MAX) * QN_SYNTH_WORD_ROOM };
    if (!qn_buffer_reserve(out, ROOM))
        return qn_fail_memory(error);
    locate(synth, number);
    qn_synth_random random = name(synth, FOR_DOCUMENT, number);
    char *at = (char *)out->data + out->len;
    at = put_string(at, "{\"id\":\"");
    at = put_number(at, synth->seed);
    *at++ = '/';
    at = put_number(at, synth->article.start);
    *at++ = '#';
    at = put_number(at, number - synth->article.start + 1);
    at = put_string(at, "\",\"title\":\"");
    at = put_title(synth, at);
    at = put_string(at, "\",\"text\":\"");
    at = put_text(synth, at, &random);
    at = put_string(at, "\"}\n");
    out->len = (size_t)(at - (char *)out->data);
    return QUERN_OK;
}

/* ---- making ---- */

/* Function words are 0.4 to 1.6 times as frequent in a kind of text as in all. */
static void make_accent(const qn_synth *synth, uint32_t kind, double accent[QN_SYNTH_EXACT])
{
    for (uint32_t i = 0; i < QN_SYNTH_EXACT; i++)
        accent[i] = 1;
    for (uint32_t i = 0; i < QN_SYNTH_FUNCTION_WORDS; i++) {
        uint64_t bits = name(synth, FOR_ACCENT, (uint64_t)kind * QN_SYNTH_EXACT + i);
        accent[i] = 0.4 + 1.2 * ((double)(bits >> 32) / 4294967296.0);
    }
}

quern_status qn_synth_new(qn_synth **out, uint64_t seed, quern_error *error)
{
    qn_synth *synth = calloc(1, sizeof *synth);
    double *accent = calloc(QN_SYNTH_EXACT, sizeof *accent);
    quern_status status = synth != NULL && accent != NULL ? QUERN_OK : qn_fail_memory(error);
    if (status == QUERN_OK) {
        synth->seed = seed;
        synth->at = UINT64_MAX;
        qn_synth_words_make(&synth->words);
    }
    for (uint32_t kind = 0; status == QUERN_OK && kind < KINDS; kind++) {
        make_accent(synth, kind, accent);
        status = qn_synth_zipf_make(&synth->zipf[kind], &LAW, accent, error);
    }
    free(accent);
    if (status != QUERN_OK) {
        qn_synth_free(synth);
        synth = NULL;
    }
    *out = synth;
    return status;
}

void qn_synth_free(qn_synth *synth)
{
    free(synth);
}
