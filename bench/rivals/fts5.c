/*
 * SQLite FTS5 as an engine beside quern: README.md has the protocol and what differs.
 *
 *     fts5 index INDEX [texts] <records    a database with one FTS5 table, merged and vacuumed
 *     fts5 serve INDEX                     answers COMMAND<TAB>QUERY, a line each
 *
 * The exit code is 0 at the end of the input, 2 for wrong usage, 4 for a failure.
 */
#include "bench/rivals/driver.h"

#include <sqlite3.h>
#include <unistd.h>

static bool failed(sqlite3 *db, const char *what)
{
    (void)fprintf(stderr, "fts5: %s: %s\n", what, sqlite3_errmsg(db));
    return false;
}

static bool run(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK || failed(db, sql);
}

static bool prepare(sqlite3 *db, const char *sql, sqlite3_stmt **statement)
{
    return sqlite3_prepare_v2(db, sql, -1, statement, NULL) == SQLITE_OK || failed(db, sql);
}

/* ---- index ---- */

static bool bind(sqlite3_stmt *statement, int at, driver_span text)
{
    return sqlite3_bind_text64(statement, at, text.data, text.len, SQLITE_STATIC, SQLITE_UTF8) ==
           SQLITE_OK;
}

static bool step(sqlite3 *db, sqlite3_stmt *statement)
{
    bool good = sqlite3_step(statement) == SQLITE_DONE;
    return (sqlite3_reset(statement) == SQLITE_OK && good) || failed(db, "a record");
}

static bool add_records(sqlite3 *db, unsigned long long *documents)
{
    sqlite3_stmt *words = NULL, *ids = NULL;
    driver_record record;
    int more = -1;
    bool good = prepare(db, "insert into t(rowid, title, text) values(?1, ?2, ?3)", &words) &&
                prepare(db, "insert into ids(doc, id) values(?1, ?2)", &ids);
    while (good && (more = driver_next(&record)) > 0) {
        sqlite3_int64 row = (sqlite3_int64)++ * documents;
        good = sqlite3_bind_int64(words, 1, row) == SQLITE_OK && bind(words, 2, record.title) &&
               bind(words, 3, record.text) && sqlite3_bind_int64(ids, 1, row) == SQLITE_OK &&
               bind(ids, 2, record.id) && step(db, words) && step(db, ids);
    }
    (void)sqlite3_finalize(words);
    (void)sqlite3_finalize(ids);
    return good && more == 0;
}

/* A crash may cost the database, as one of quern's builds costs what was not committed. */
static bool build(sqlite3 *db, bool texts)
{
    unsigned long long documents = 0;
    double start = driver_seconds();
    bool good =
        run(db, "pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -262144;"
                "create table ids(doc integer primary key, id text unique)") &&
        run(db, texts ? "create virtual table t using fts5(title, text,"
                        " tokenize = 'porter unicode61 remove_diacritics 0')"
                      : "create virtual table t using fts5(title, text, content = '',"
                        " tokenize = 'porter unicode61 remove_diacritics 0')") &&
        run(db, "begin") && add_records(db, &documents) && run(db, "commit");
    double added = driver_seconds();
    good = good && run(db, "insert into t(t) values('optimize')") && run(db, "vacuum");
    if (good)
        driver_report(documents, start, added, driver_seconds());
    return good;
}

static int make_index(const char *path, bool texts)
{
    sqlite3 *db = NULL;
    if (access(path, F_OK) == 0) {
        (void)fprintf(stderr, "fts5: %s exists already\n", path);
        return 4;
    }
    bool good = sqlite3_open(path, &db) == SQLITE_OK ? build(db, texts) : failed(db, path);
    if (sqlite3_close(db) != SQLITE_OK)
        good = failed(db, path);
    return good ? 0 : 4;
}

/* ---- serve ---- */

typedef struct engine {
    sqlite3 *db;
    sqlite3_stmt *count, *top, *run;
    char *match; /* the query in FTS5's words */
    size_t len, room;
} engine;

static bool add(engine *e, const char *text, size_t len)
{
    if (e->len + len + 1 > e->room) {
        size_t room = 2 * (e->len + len + 1);
        char *grown = (char *)realloc(e->match, room);
        if (grown == NULL) {
            (void)fputs("fts5: out of memory\n", stderr);
            return false;
        }
        e->match = grown;
        e->room = room;
    }
    memcpy(e->match + e->len, text, len);
    e->len += len;
    e->match[e->len] = '\0';
    return true;
}

/* A clause as a string of FTS5, which its tokenizer cuts into words: several are a phrase, also
 * where quern has separate words ("wal-mart" without a sign). Quotes within become spaces. A clause
 * that must be there and holds no word finds nothing, where quern leaves it out. */
static bool add_clause(engine *e, const driver_clause *clause)
{
    size_t from = e->len + 1;
    bool good = add(e, "\"", 1) && add(e, clause->text.data, clause->text.len) && add(e, "\"", 1);
    for (size_t i = from; good && i + 1 < e->len; i++)
        if (e->match[i] == '"')
            e->match[i] = ' ';
    return good;
}

/* The clauses of an occurrence in parentheses, joined by a word. */
static bool add_clauses(engine *e, const driver_request *request, driver_occur occur,
                        const char *word)
{
    bool good = add(e, "(", 1), first = true;
    for (size_t i = 0; good && i < request->n_clauses; i++) {
        if (request->clause[i].occur != occur)
            continue;
        good = (first || add(e, word, strlen(word))) && add_clause(e, &request->clause[i]);
        first = false;
    }
    return good && add(e, ")", 1);
}

/* Words that may be there beside such that must are left out: for counting they change nothing, and
 * nothing else is asked for (below). */
static bool translate(engine *e, const driver_request *request)
{
    e->len = 0;
    bool must = request->n_of[DRIVER_MUST] > 0;
    if (!add_clauses(e, request, must ? DRIVER_MUST : DRIVER_SHOULD, must ? " AND " : " OR "))
        return false;
    return request->n_of[DRIVER_NOT] == 0 ||
           (add(e, " NOT ", 5) && add_clauses(e, request, DRIVER_NOT, " OR "));
}

static bool start(engine *e, sqlite3_stmt *statement, size_t k)
{
    return (sqlite3_bind_text(statement, 1, e->match, (int)e->len, SQLITE_STATIC) == SQLITE_OK &&
            (k == 0 || sqlite3_bind_int64(statement, 2, (sqlite3_int64)k) == SQLITE_OK)) ||
           failed(e->db, e->match);
}

static bool finish(engine *e, sqlite3_stmt *statement)
{
    return sqlite3_reset(statement) == SQLITE_OK || failed(e->db, e->match);
}

static bool count(engine *e, long long *n)
{
    if (!start(e, e->count, 0))
        return false;
    if (sqlite3_step(e->count) == SQLITE_ROW)
        *n = sqlite3_column_int64(e->count, 0);
    return finish(e, e->count);
}

static bool top(engine *e, size_t k)
{
    if (!start(e, e->top, k))
        return false;
    while (sqlite3_step(e->top) == SQLITE_ROW)
        (void)sqlite3_column_int64(e->top, 0);
    return finish(e, e->top);
}

/* Ids are asked for once to know how many they are, and once to write them: no time is taken here.
 * The scores are of another formula, so a dash stands for each. */
static bool put_run(engine *e, size_t k)
{
    size_t n = 0;
    if (!start(e, e->run, k))
        return false;
    while (sqlite3_step(e->run) == SQLITE_ROW)
        n++;
    if (!finish(e, e->run) || !start(e, e->run, k))
        return false;
    printf("%zu", n);
    while (sqlite3_step(e->run) == SQLITE_ROW) {
        (void)putchar('\t');
        driver_put_id((const char *)sqlite3_column_text(e->run, 0),
                      (size_t)sqlite3_column_bytes(e->run, 0));
        (void)fputs("\t-", stdout);
    }
    return finish(e, e->run);
}

static int answer(void *arg, const driver_request *request)
{
    engine *e = (engine *)arg;
    long long n = 0;
    bool none = request->n_of[DRIVER_MUST] + request->n_of[DRIVER_SHOULD] == 0;
    /* There is no way to say that a word may be there and adds to the score. */
    if (request->what != DRIVER_COUNT && request->n_of[DRIVER_MUST] > 0 &&
        request->n_of[DRIVER_SHOULD] > 0)
        return 0;
    if (!none && !translate(e, request))
        return -1;
    if (request->what == DRIVER_RUN) {
        if (none)
            (void)putchar('0');
        return none || put_run(e, request->k) ? 1 : -1;
    }
    if (!none && request->what != DRIVER_COUNT && !top(e, request->k))
        return -1;
    if (!none && request->what != DRIVER_TOP && !count(e, &n))
        return -1;
    printf("%lld", request->what == DRIVER_TOP ? 1 : n);
    return 1;
}

static int serve(const char *path)
{
    engine e = {NULL, NULL, NULL, NULL, NULL, 0, 0};
    int code = 4;
    if (sqlite3_open_v2(path, &e.db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        (void)failed(e.db, path);
    else if (run(e.db, "pragma mmap_size = 274877906944; pragma cache_size = -1048576") &&
             prepare(e.db, "select count(*) from t where t match ?1", &e.count) &&
             prepare(e.db, "select rowid from t where t match ?1 order by rank limit ?2", &e.top) &&
             prepare(e.db,
                     "select (select id from ids where doc = t.rowid) from t"
                     " where t match ?1 order by rank limit ?2",
                     &e.run))
        code = driver_serve(answer, &e);
    (void)sqlite3_finalize(e.count);
    (void)sqlite3_finalize(e.top);
    (void)sqlite3_finalize(e.run);
    (void)sqlite3_close(e.db);
    free(e.match);
    return code;
}

int main(int argc, char **argv)
{
    bool texts = argc == 4 && strcmp(argv[3], "texts") == 0;
    if ((argc == 3 || texts) && strcmp(argv[1], "index") == 0)
        return make_index(argv[2], texts);
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        return serve(argv[2]);
    if (argc == 2 && strcmp(argv[1], "version") == 0)
        return printf("SQLite %s\n", sqlite3_libversion()) < 0 ? 4 : 0;
    (void)fputs("usage: fts5 index INDEX [texts] <records | fts5 serve INDEX | fts5 version\n",
                stderr);
    return 2;
}
