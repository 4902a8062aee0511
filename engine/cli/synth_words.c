/* Words from their ranks: see synth_words.h. */
#include "engine/cli/synth_words.h"

#include <string.h>

enum { ONSETS = 32, SHORT_ONSETS = 16, VOWELS = 5, RIMES = 32 };

static const char ONSET[ONSETS][3] = {
    "b", "d",  "f",  "g",  "h",  "j",  "k",  "l",  "m",  "n",  "p",  "r",  "s",  "t",  "v",  "w",
    "z", "bl", "br", "dr", "fl", "fr", "gr", "kl", "kr", "pl", "pr", "sk", "sl", "sp", "st", "tr"};
static const char VOWEL[VOWELS] = {'a', 'e', 'i', 'o', 'u'};
/* Endings that no rule of the English stemmer takes for a suffix: not al, ed, er, ic, or (ator), ul
 * (ful), nor any in e, s or y. */
static const char RIME[RIMES][3] = {
    "ab", "ob", "ub", "ib", "ad", "od", "ud", "id", "ag", "og", "ug", "ig", "ak", "ek", "ok", "uk",
    "ik", "am", "om", "um", "im", "an", "on", "un", "in", "ap", "op", "up", "ip", "ar", "ur", "ot"};

/* In about the order of their frequency in English prose. No two have one stem. */
static const char FUNCTION[QN_SYNTH_FUNCTION_WORDS][10] = {
    "the",     "to",      "of",      "and",   "a",     "in",      "that",  "it",   "is",
    "for",     "on",      "this",    "not",   "be",    "was",     "as",    "i",    "with",
    "by",      "but",     "have",    "at",    "you",   "an",      "said",  "from", "which",
    "if",      "or",      "are",     "he",    "there", "would",   "had",   "they", "we",
    "has",     "no",      "what",    "all",   "one",   "so",      "his",   "were", "say",
    "when",    "will",    "been",    "do",    "about", "more",    "their", "who",  "them",
    "because", "any",     "can",     "until", "other", "could",   "than",  "up",   "out",
    "some",    "then",    "him",     "these", "only",  "into",    "my",    "your", "may",
    "her",     "she",     "time",    "our",   "under", "should",  "such",  "make", "two",
    "now",     "me",      "did",     "where", "those", "also",    "how",   "just", "well",
    "must",    "after",   "think",   "over",  "first", "before",  "very",  "here", "does",
    "way",     "like",    "us",      "even",  "same",  "between", "most",  "much", "through",
    "know",    "against", "whether", "both",  "take",  "come",    "right", "many", "get",
    "while",   "without", "new",     "years", "among", "go",      "down",  "each", "upon",
    "see",     "too"};

static qn_synth_piece piece(const char *a, const char *b, size_t b_len)
{
    qn_synth_piece made = {{0}, (uint8_t)(strlen(a) + b_len)};
    memcpy(made.text, a, strlen(a));
    memcpy(made.text + strlen(a), b, b_len);
    return made;
}

static int is_function_word(const qn_synth_piece *made)
{
    for (size_t i = 0; i < QN_SYNTH_FUNCTION_WORDS; i++)
        if (strlen(FUNCTION[i]) == made->len && memcmp(FUNCTION[i], made->text, made->len) == 0)
            return 1;
    return 0;
}

void qn_synth_words_make(qn_synth_words *words)
{
    for (uint32_t i = 0; i < ONSETS * VOWELS; i++)
        words->syllable[i] = piece(ONSET[i % ONSETS], &VOWEL[i / ONSETS], 1);
    words->n_single = 0;
    /* Rimes are moved on with each onset, so that neighbours in rank do not rhyme. */
    for (uint32_t i = 0; i < ONSETS * RIMES; i++) {
        uint32_t onset = i / (SHORT_ONSETS * RIMES) * SHORT_ONSETS + i % SHORT_ONSETS;
        uint32_t rime = i % (SHORT_ONSETS * RIMES) / SHORT_ONSETS;
        words->last[i] = piece(ONSET[onset], RIME[(rime * 13 + onset * 5) % RIMES], 2);
        if (!is_function_word(&words->last[i]))
            words->single[words->n_single++] = words->last[i];
    }
}

static char *put(char *out, const qn_synth_piece *made)
{
    memcpy(out, made->text, sizeof made->text); /* all of it: no branch on the length */
    return out + made->len;
}

size_t qn_synth_word(const qn_synth_words *words, uint64_t rank, char *out)
{
    enum { SYLLABLES = ONSETS * VOWELS, LASTS = ONSETS * RIMES };
    if (rank < QN_SYNTH_FUNCTION_WORDS) {
        memcpy(out, FUNCTION[rank], sizeof FUNCTION[rank]);
        return strlen(out);
    }
    rank -= QN_SYNTH_FUNCTION_WORDS;
    if (rank < words->n_single)
        return (size_t)(put(out, &words->single[rank]) - out);
    rank -= words->n_single;
    char *at = out;
    uint64_t size = (uint64_t)SYLLABLES * LASTS; /* words with so many syllables */
    for (; rank >= size; size *= SYLLABLES)
        rank -= size;
    /* The digits of the rank; each moves the next on, which keeps all apart and neighbours unlike.
     */
    uint64_t shift = 0;
    for (; size > LASTS; size /= SYLLABLES) {
        uint64_t digit = (rank + shift) % SYLLABLES;
        rank /= SYLLABLES;
        at = put(at, &words->syllable[digit]);
        shift = digit * 37;
    }
    at = put(at, &words->last[(rank * 389 + shift) % LASTS]);
    return (size_t)(at - out);
}
