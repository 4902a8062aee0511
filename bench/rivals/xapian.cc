/*
 * Xapian as an engine beside quern: README.md has the protocol and what differs.
 *
 *     xapian index INDEX [texts] <records    a glass database, compacted
 *     xapian serve INDEX                     answers COMMAND<TAB>QUERY, a line each
 *
 * Words are cut as quern cuts them (letters, numbers and marks of Unicode, apostrophes within), not
 * by Xapian's TermGenerator, and stemmed by Xapian's own Snowball. The exit code is 0 at the end of
 * the input, 2 for wrong usage, 4 for a failure.
 */
#include "bench/rivals/driver.h"

#include <filesystem>
#include <string>
#include <unistd.h>
#include <vector>
#include <xapian.h>

namespace
{

enum { WORD_MAX_BYTES = 255, TITLE_GAP = 100, APOSTROPHE = '\'', RIGHT_QUOTE = 0x2019 };

const Xapian::valueno ID_SLOT = 0;

/* ---- words ---- */

bool starts_word(unsigned c)
{
    using namespace Xapian::Unicode;
    const unsigned letters = 1U << UPPERCASE_LETTER | 1U << LOWERCASE_LETTER |
                             1U << TITLECASE_LETTER | 1U << MODIFIER_LETTER | 1U << OTHER_LETTER;
    const unsigned numbers = 1U << DECIMAL_DIGIT_NUMBER | 1U << LETTER_NUMBER | 1U << OTHER_NUMBER;
    return ((letters | numbers) >> get_category(c) & 1U) != 0;
}

bool in_word(unsigned c)
{
    using namespace Xapian::Unicode;
    const unsigned marks =
        1U << NON_SPACING_MARK | 1U << ENCLOSING_MARK | 1U << COMBINING_SPACING_MARK;
    return starts_word(c) || (marks >> get_category(c) & 1U) != 0;
}

/* Calls take(word) for each word of a text, folded; too long ones come empty. */
template <typename Take> void cut(driver_span text, Take take)
{
    Xapian::Utf8Iterator at(text.data, text.len), end;
    std::string word;
    while (at != end) {
        if (!starts_word(*at)) {
            ++at;
            continue;
        }
        word.clear();
        for (;;) {
            for (; at != end && in_word(*at); ++at)
                Xapian::Unicode::append_utf8(word, Xapian::Unicode::tolower(*at));
            if (at == end || (*at != APOSTROPHE && *at != RIGHT_QUOTE))
                break;
            Xapian::Utf8Iterator next = at;
            if (++next == end || !starts_word(*next))
                break;
            word += '\'';
            at = next;
        }
        take(word.size() <= WORD_MAX_BYTES ? word : std::string());
    }
}

/* ---- index ---- */

Xapian::termpos add_words(Xapian::Document &document, const Xapian::Stem &stem, driver_span text,
                          Xapian::termpos position)
{
    cut(text, [&](const std::string &word) {
        if (!word.empty())
            document.add_posting(stem(word), position);
        position++;
    });
    return position;
}

bool add_records(Xapian::WritableDatabase &database, bool texts, unsigned long long *documents)
{
    const Xapian::Stem stem("english");
    driver_record record;
    int more;
    while ((more = driver_next(&record)) > 0) {
        Xapian::Document document;
        Xapian::termpos position = add_words(document, stem, record.title, 1);
        (void)add_words(document, stem, record.text, position + TITLE_GAP);
        document.add_value(ID_SLOT, std::string(record.id.data, record.id.len));
        /* By its id a document is found, as in quern; no term of a text has a capital. */
        document.add_boolean_term(
            "Q" + std::string(record.id.data, std::min<size_t>(record.id.len, 200)));
        if (texts)
            document.set_data(std::string(record.title.data, record.title.len) + "\n" +
                              std::string(record.text.data, record.text.len));
        (void)database.add_document(document);
        ++*documents;
    }
    return more == 0;
}

int make_index(const std::string &path, bool texts)
{
    unsigned long long documents = 0;
    const std::string parts = path + ".parts";
    double start = driver_seconds();
    if (access(path.c_str(), F_OK) == 0) {
        (void)fprintf(stderr, "xapian: %s exists already\n", path.c_str());
        return 4;
    }
    {
        Xapian::WritableDatabase database(parts, Xapian::DB_CREATE | Xapian::DB_NO_SYNC);
        if (!add_records(database, texts, &documents))
            return 4;
        database.commit();
    }
    double added = driver_seconds();
    Xapian::Database(parts).compact(path);
    (void)std::filesystem::remove_all(parts);
    driver_report(documents, start, added, driver_seconds());
    return 0;
}

/* ---- serve ---- */

struct engine {
    explicit engine(const std::string &path) : database(path), enquire(database), stem("english")
    {
    }
    Xapian::Database database;
    Xapian::Enquire enquire;
    Xapian::Stem stem;
    /* k1, k2, k3, b, min_normlen: quern's parameters, repeated words counted as often. */
    const Xapian::BM25Weight bm25{0.9, 0, 1000, 0.4, 1e-6};
    const Xapian::BoolWeight none;
};

/* Adds what a clause asks for: several terms are a phrase, but separate words where nothing holds
 * them together. */
void add_clause(const engine &e, const driver_clause &clause, std::vector<Xapian::Query> *to)
{
    std::vector<std::string> terms;
    cut(clause.text, [&](const std::string &word) { terms.push_back(e.stem(word)); });
    if (terms.size() > 1 && (clause.phrase || clause.occur != DRIVER_SHOULD))
        to->emplace_back(Xapian::Query::OP_PHRASE, terms.begin(), terms.end(),
                         (Xapian::termcount)terms.size());
    else
        to->insert(to->end(), terms.begin(), terms.end());
}

Xapian::Query translate(const engine &e, const driver_request &request)
{
    std::vector<Xapian::Query> of[3];
    for (size_t i = 0; i < request.n_clauses; i++)
        add_clause(e, request.clause[i], &of[request.clause[i].occur]);
    Xapian::Query must(Xapian::Query::OP_AND, of[DRIVER_MUST].begin(), of[DRIVER_MUST].end());
    Xapian::Query should(Xapian::Query::OP_OR, of[DRIVER_SHOULD].begin(), of[DRIVER_SHOULD].end());
    Xapian::Query query = of[DRIVER_MUST].empty() ? should
                          : of[DRIVER_SHOULD].empty()
                              ? must
                              : Xapian::Query(Xapian::Query::OP_AND_MAYBE, must, should);
    if (of[DRIVER_NOT].empty())
        return query;
    return Xapian::Query(
        Xapian::Query::OP_AND_NOT, query,
        Xapian::Query(Xapian::Query::OP_OR, of[DRIVER_NOT].begin(), of[DRIVER_NOT].end()));
}

/* The scores are of another formula, so a dash stands for each. */
void put_run(const Xapian::MSet &found)
{
    printf("%u", (unsigned)found.size());
    for (Xapian::MSetIterator at = found.begin(); at != found.end(); ++at) {
        const std::string id = at.get_document().get_value(ID_SLOT);
        (void)putchar('\t');
        driver_put_id(id.data(), id.size());
        (void)fputs("\t-", stdout);
    }
}

int answer(void *arg, const driver_request *request)
try {
    engine &e = *static_cast<engine *>(arg);
    const Xapian::doccount all = e.database.get_doccount(), k = (Xapian::doccount)request->k;
    const bool exact = request->what == DRIVER_COUNT || request->what == DRIVER_TOP_COUNT;
    if (request->what == DRIVER_COUNT)
        e.enquire.set_weighting_scheme(e.none);
    else
        e.enquire.set_weighting_scheme(e.bm25);
    e.enquire.set_query(translate(e, *request));
    /* Exact once as many are looked at as there are documents. */
    const Xapian::MSet found = e.enquire.get_mset(0, k, exact ? all : 0);
    if (request->what == DRIVER_RUN)
        put_run(found);
    else
        printf("%u", request->what == DRIVER_TOP ? 1U : (unsigned)found.get_matches_estimated());
    return 1;
} catch (const Xapian::Error &error) {
    (void)fprintf(stderr, "xapian: %s\n", error.get_description().c_str());
    return -1;
}

} // namespace

int main(int argc, char **argv)
try {
    bool texts = argc == 4 && strcmp(argv[3], "texts") == 0;
    if ((argc == 3 || texts) && strcmp(argv[1], "index") == 0)
        return make_index(argv[2], texts);
    if (argc == 3 && strcmp(argv[1], "serve") == 0) {
        engine e(argv[2]);
        return driver_serve(answer, &e);
    }
    if (argc == 2 && strcmp(argv[1], "version") == 0)
        return printf("Xapian %s\n", Xapian::version_string()) < 0 ? 4 : 0;
    (void)fputs(
        "usage: xapian index INDEX [texts] <records | xapian serve INDEX | xapian version\n",
        stderr);
    return 2;
} catch (const Xapian::Error &error) {
    (void)fprintf(stderr, "xapian: %s\n", error.get_description().c_str());
    return 4;
} catch (const std::exception &error) {
    (void)fprintf(stderr, "xapian: %s\n", error.what());
    return 4;
}
