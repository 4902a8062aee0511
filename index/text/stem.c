/* Stemming, over libstemmer. */
#include "index/text/stem.h"

#include <libstemmer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "index/base/status.h"
#include "index/text/tokenizer.h"

struct qn_stem {
    struct sb_stemmer *snowball; /* NULL: none */
    const char *language;
};

/* What libstemmer 2.2 has. It gives a list of its own, but without "none", and a list made at run
 * time would need a mutable global; a test says when the two part. */
static const char *const LANGUAGES[] = {
    "arabic",   "armenian", "basque",     "catalan", "danish",    "dutch",     "english",
    "finnish",  "french",   "german",     "greek",   "hindi",     "hungarian", "indonesian",
    "irish",    "italian",  "lithuanian", "nepali",  "norwegian", "porter",    "portuguese",
    "romanian", "russian",  "serbian",    "spanish", "swedish",   "tamil",     "turkish",
    "yiddish",  "none",     NULL};

/* ISO 639 codes that libstemmer takes too, but without telling which name they stand for. */
static const struct {
    char code[4];
    const char *language;
} CODES[] = {
    {"ar", "arabic"},     {"ara", "arabic"},     {"hy", "armenian"},   {"hye", "armenian"},
    {"arm", "armenian"},  {"eu", "basque"},      {"eus", "basque"},    {"baq", "basque"},
    {"ca", "catalan"},    {"cat", "catalan"},    {"da", "danish"},     {"dan", "danish"},
    {"nl", "dutch"},      {"dut", "dutch"},      {"nld", "dutch"},     {"en", "english"},
    {"eng", "english"},   {"fi", "finnish"},     {"fin", "finnish"},   {"fr", "french"},
    {"fre", "french"},    {"fra", "french"},     {"de", "german"},     {"ger", "german"},
    {"deu", "german"},    {"el", "greek"},       {"gre", "greek"},     {"ell", "greek"},
    {"hi", "hindi"},      {"hin", "hindi"},      {"hu", "hungarian"},  {"hun", "hungarian"},
    {"id", "indonesian"}, {"ind", "indonesian"}, {"ga", "irish"},      {"gle", "irish"},
    {"it", "italian"},    {"ita", "italian"},    {"lt", "lithuanian"}, {"lit", "lithuanian"},
    {"ne", "nepali"},     {"nep", "nepali"},     {"no", "norwegian"},  {"nor", "norwegian"},
    {"pt", "portuguese"}, {"por", "portuguese"}, {"ro", "romanian"},   {"rum", "romanian"},
    {"ron", "romanian"},  {"ru", "russian"},     {"rus", "russian"},   {"sr", "serbian"},
    {"srp", "serbian"},   {"es", "spanish"},     {"esl", "spanish"},   {"spa", "spanish"},
    {"sv", "swedish"},    {"swe", "swedish"},    {"ta", "tamil"},      {"tam", "tamil"},
    {"tr", "turkish"},    {"tur", "turkish"},    {"yi", "yiddish"},    {"yid", "yiddish"},
};

const char *const *qn_stem_languages(void)
{
    return LANGUAGES;
}

/* The name that `language` is, or stands for, in storage that lasts; NULL if there is none. */
static const char *find_name(const char *language)
{
    if (strcmp(language, "none") == 0)
        return "none";
    for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++)
        if (strcmp(language, CODES[i].code) == 0)
            language = CODES[i].language;
    for (const char **name = sb_stemmer_list(); *name != NULL; name++)
        if (strcmp(language, *name) == 0)
            return *name;
    return NULL;
}

static quern_status refuse(const char *language, quern_error *error)
{
    char names[400] = "";
    size_t len = 0;
    for (const char **name = sb_stemmer_list(); *name != NULL; name++) {
        int n = snprintf(names + len, sizeof names - len, "%s, ", *name);
        if (n < 0 || (size_t)n >= sizeof names - len)
            break;
        len += (size_t)n;
    }
    names[len] = '\0';
    return qn_fail(error, QUERN_E_ARGUMENT, "unknown language \"%.40s\"; known are %snone",
                   language, names);
}

quern_status qn_stem_new(qn_stem **out, const char *language, quern_error *error)
{
    *out = NULL;
    const char *name = language == NULL ? NULL : find_name(language);
    if (name == NULL)
        return refuse(language == NULL ? "" : language, error);
    qn_stem *stem = calloc(1, sizeof *stem);
    if (stem == NULL)
        return qn_fail_memory(error);
    stem->language = name;
    if (strcmp(name, "none") != 0) {
        stem->snowball = sb_stemmer_new(name, NULL);
        if (stem->snowball == NULL) { /* the name is known, so nothing else can be the matter */
            free(stem);
            return qn_fail_memory(error);
        }
    }
    *out = stem;
    return QUERN_OK;
}

void qn_stem_free(qn_stem *stem)
{
    if (stem == NULL)
        return;
    sb_stemmer_delete(stem->snowball);
    free(stem);
}

const char *qn_stem_language(const qn_stem *stem)
{
    return stem->language;
}

quern_status qn_stem_word(qn_stem *stem, const char *word, size_t len, const char **out,
                          size_t *out_len, quern_error *error)
{
    *out = word;
    *out_len = len;
    if (stem->snowball == NULL)
        return QUERN_OK;
    const sb_symbol *stemmed = sb_stemmer_stem(stem->snowball, (const sb_symbol *)word, (int)len);
    if (stemmed == NULL)
        return qn_fail_memory(error);
    int n = sb_stemmer_length(stem->snowball);
    if (n >= 1 && n <= QN_WORD_MAX) {
        *out = (const char *)stemmed;
        *out_len = (size_t)n;
    }
    return QUERN_OK;
}
