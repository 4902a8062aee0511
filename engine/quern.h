/*
 * quern: a full-text search engine to embed.
 *
 * This header is the manual. The simple way, without error handling:
 *
 *     quern_builder *b;
 *     quern_builder_open(&b, "my.idx", NULL, NULL);
 *     quern_document document = {.id = QUERN_STR("1"), .text = QUERN_STR("...")};
 *     quern_builder_add(b, &document, NULL);
 *     quern_builder_commit(b, NULL, NULL);
 *     quern_builder_free(b);
 *
 *     quern_index *ix;
 *     quern_searcher *s;
 *     quern_hits hits;
 *     quern_index_open(&ix, "my.idx", NULL, NULL);
 *     quern_searcher_new(&s, ix, NULL, NULL);
 *     quern_search(s, QUERN_STR("words to find"), 10, &hits, NULL);
 *     for (size_t i = 0; i < hits.n; i++)
 *         printf("%u %g\n", hits.hit[i].doc, hits.hit[i].score);
 *     quern_searcher_free(s);
 *     quern_index_close(ix);
 *
 * Rules that hold everywhere:
 * - Every call that can fail returns a quern_status; outputs come first, and the last parameter is
 *   an optional caller-owned quern_error which, on failure, tells what went wrong in words.
 * - Option structs start with their size, so that they can grow: initialise them with the macro of
 *   their name (QUERN_BUILD_OPTIONS and so on). NULL means all defaults.
 * - Text is UTF-8 in quern_spans: a pointer and a length, not terminated by NUL. Invalid UTF-8 is
 *   replaced (U+FFFD) and counted, never an error.
 * - Threads: a quern_index is immutable and may be shared by any number of threads. A builder, a
 *   searcher and a term iterator each belong to one thread at a time.
 * - The library never prints, exits, installs a signal handler, or keeps global state. A file that
 *   is truncated while it is mapped raises SIGBUS in the process: where others may truncate index
 *   files, open with `.no_mmap = true`, which reads them into memory instead.
 * - *_free and *_close accept NULL.
 */
#ifndef QUERN_H
#define QUERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define QUERN_API __attribute__((visibility("default")))
#else
#define QUERN_API
#endif

#define QUERN_VERSION "0.1.0"

/* ---- vocabulary ------------------------------------------------------------------------------ */

/* What a call returns. The numbers never change their meaning. */
typedef enum quern_status {
    QUERN_OK = 0,
    QUERN_END = 1,          /* an iteration has no more to give; not an error */
    QUERN_NOT_FOUND = 2,    /* no such document or term; not an error */
    QUERN_E_ARGUMENT = 10,  /* a parameter or option is outside its range */
    QUERN_E_INPUT = 11,     /* a record, query or corpus file is malformed */
    QUERN_E_DUPLICATE = 12, /* a document id was given twice */
    QUERN_E_EXISTS = 13,    /* the output exists already, or the directory holds something else */
    QUERN_E_DAMAGED = 20,   /* an index file does not hold what it must */
    QUERN_E_VERSION = 21,   /* an index of another format version, or with unknown features */
    QUERN_E_ANALYZER = 22,  /* the index was built with a stemmer that behaves differently */
    QUERN_E_IO = 30,        /* a system call failed: see sys_errno */
    QUERN_E_SPACE = 31,     /* no space left on the device */
    QUERN_E_MEMORY = 32,    /* an allocation failed, or the memory limit is too small */
    QUERN_E_LOCKED = 33,    /* another writer has the index */
    QUERN_E_CANCELLED = 40  /* the progress callback asked to stop */
} quern_status;

/* Bytes that somebody else owns. */
typedef struct quern_span {
    const char *data;
    size_t len;
} quern_span;

#define QUERN_STR(literal) ((quern_span){("" literal), sizeof(literal) - 1})

/* What went wrong. Caller-owned; written on failure only. */
typedef struct quern_error {
    quern_status status;
    int sys_errno;     /* errno of the failed call, or 0 */
    uint64_t position; /* byte or line the message speaks of, or 0 */
    char message[512]; /* one sentence without a full stop, NUL-terminated UTF-8 */
} quern_error;

/* A fixed English name of a status ("damaged index"), never NULL. */
QUERN_API const char *quern_status_text(quern_status status);

/* The version of the library, as QUERN_VERSION was when it was compiled. */
QUERN_API const char *quern_version(void);

/* One document on its way in or out. Spans may be empty; .data may be NULL if .len is 0. */
typedef struct quern_document {
    quern_span id;    /* external id, 1 to 4096 bytes, unique within the index */
    quern_span title; /* indexed before the text, 100 positions apart from it */
    quern_span text;
    quern_span record; /* the whole record as it came; kept with QUERN_STORE_RECORD only */
    /* On its way into an index of several fields: the text of each, in their order. What is kept as
     * its text is then what stands in all fields but that called title, line by line. NULL: title
     * and text are those of the fields of these names, and the other fields are empty. */
    const quern_span *fields;
} quern_document;

/* Progress of a long call: `done` of `total` bytes (total 0: not known) in a phase such as
 * "reading" or "merging". Return false to stop; the call then returns QUERN_E_CANCELLED. */
typedef bool (*quern_progress_fn)(void *arg, const char *phase, uint64_t done, uint64_t total);

/* ---- building -------------------------------------------------------------------------------- */

/* What the document store keeps. */
typedef enum quern_store {
    QUERN_STORE_TEXT = 0,  /* title and text: snippets and fetching work */
    QUERN_STORE_NONE = 1,  /* nothing but ids */
    QUERN_STORE_RECORD = 2 /* title, text and the whole record */
} quern_store;

/* What to do about a second document with an id that is already there. */
typedef enum quern_on_duplicate {
    QUERN_DUPLICATE_ERROR = 0,  /* fail; the message names both places */
    QUERN_DUPLICATE_SKIP = 1,   /* keep the first */
    QUERN_DUPLICATE_REPLACE = 2 /* keep the last, which counts as added last */
} quern_on_duplicate;

/* What an index is tuned for: how many frequent terms are kept in forms that cost space and save
 * time. Answers do not depend on it. */
typedef enum quern_tune {
    QUERN_TUNE_BALANCED = 0,
    QUERN_TUNE_SIZE = 1,
    QUERN_TUNE_SPEED = 2
} quern_tune;

typedef struct quern_build_options {
    size_t size;
    const char *language; /* libstemmer algorithm ("english", "german", ...) or "none"; NULL:
                             english */
    quern_span stopwords; /* words not to index, separated by white space; default none */
    /* Fields to be kept apart, with lists and lengths of their own: "title,text". Up to 16 names of
     * letters, digits, '_', '.' and '-', each with a weight if searches are to multiply what it
     * adds by one ("title^2,text"; over 0, up to 1000). A field is asked for as title:word. NULL:
     * title and text are one. A word is then at most 254 bytes long. */
    const char *fields;
    uint64_t memory;   /* ceiling of the builder's memory in bytes, at least 32 MiB */
    unsigned threads;  /* at most so many work; 0: one per processor. The index is the same */
    bool no_positions; /* leave positions out: a phrase then means AND */
    quern_store store;
    quern_on_duplicate on_duplicate;
    bool force; /* replace an index that is there, atomically at commit */
    /* Add to the index that is there, if there is one. What is left at its default of language,
     * stop words, fields, positions, store, tune, reorder, k1 and b is then as in that index; the
     * first five must be, if they are given (but for the weights of fields). */
    bool append;
    /* With append and QUERN_DUPLICATE_REPLACE: a document whose title and text (and record, where
     * they are kept) are those that the index keeps under its id is left alone. Where other fields
     * than title and text make up what is kept, only the record can tell. */
    bool skip_unchanged;
    /* With append and QUERN_DUPLICATE_REPLACE or _SKIP: the commit deletes the documents of the
     * index that were not given again, unless records were malformed. */
    bool prune;
    /* With append: do not join small neighbouring segments after the commit (quern_compact). */
    bool no_join;
    float k1, b; /* BM25 parameters the bounds are computed for (0..3, 0..1) */
    quern_tune tune;
    /* Keep lists in an order in which documents that share words are near one another, found by
     * recursive graph bisection (Dhulipala et al. 2016): smaller lists and faster queries where the
     * documents come in no order, for a longer build. Answers, numbers of documents and the order
     * of ties stay those of the input. Where `memory` is short, temporary files in the directory
     * take up to 8 bytes for each document of each of its different words. With append, an index
     * that is reordered stays so. */
    bool reorder;
    quern_progress_fn progress;
    void *progress_arg;
} quern_build_options;

#define QUERN_BUILD_OPTIONS                                                                        \
    ((quern_build_options){                                                                        \
        .size = sizeof(quern_build_options), .memory = (uint64_t)1 << 30, .k1 = 0.9f, .b = 0.4f})

/* What a build did. */
typedef struct quern_build_report {
    uint64_t documents; /* documents in the committed index */
    uint64_t skipped;   /* duplicates skipped or replaced */
    uint64_t malformed; /* bad records, as counted by quern_builder_add_file */
    uint64_t tokens;
    uint64_t long_words;  /* words over 255 bytes, left out */
    uint64_t bad_utf8;    /* invalid UTF-8 sequences replaced */
    uint64_t input_bytes; /* decompressed bytes read, or bytes of title and text added */
    uint64_t index_bytes; /* all files of the index */
    uint32_t runs;        /* times the memory limit was reached and a run was written to disk */
    uint64_t replaced;    /* documents of the index that were given again and changed, */
    uint64_t unchanged;   /* that were left alone (skip_unchanged), */
    uint64_t deleted;     /* that were deleted by id, or because they were not given again */
    uint64_t joined;      /* segments that were joined with others after the commit */
    /* Why joining failed, or status QUERN_OK. The commit stands all the same; the next one tries
     * again. */
    quern_error join_error;
} quern_build_report;

typedef struct quern_builder quern_builder;

/*
 * Starts building the index directory `path`. Nothing is visible there, and an index that is there
 * stays as it is, until quern_builder_commit returns QUERN_OK. The directory is created if missing;
 * one that holds anything but an index is refused (QUERN_E_EXISTS), as is an existing index without
 * force or append. Takes an exclusive flock on the directory's lock file (QUERN_E_LOCKED).
 */
QUERN_API quern_status quern_builder_open(quern_builder **out, const char *path,
                                          const quern_build_options *options, quern_error *error);

/*
 * Adds one document; its spans are copied. Errors: QUERN_E_INPUT (id empty or over 4096 bytes, or a
 * document too large for the memory limit: this document is left out, the builder goes on),
 * QUERN_E_DUPLICATE (likewise; where there are more ids than an eighth of the memory limit holds,
 * at 11 bytes each, one that was given long before is found by quern_builder_commit only, which
 * then fails, or leaves one of the documents out); after any other error the builder can only be
 * freed.
 */
QUERN_API quern_status quern_builder_add(quern_builder *builder, const quern_document *document,
                                         quern_error *error);

/* One word of a document that the caller has tokenised: a term as it stands in the index (no
 * folding or stemming is done) and its position, which must not decrease within a field of a
 * document. */
typedef struct quern_token {
    quern_span term; /* 1 to 255 bytes; 254 in an index of several fields */
    uint32_t position;
    uint32_t field; /* its number, where there are several: ascending within a document; else 0 */
} quern_token;

/* Like quern_builder_add with the words given; `document` supplies id and stored text. */
QUERN_API quern_status quern_builder_add_tokens(quern_builder *builder,
                                                const quern_document *document,
                                                const quern_token *tokens, size_t n_tokens,
                                                quern_error *error);

/*
 * Deletes the document with this id when the builder commits: one of the index that is appended to,
 * or one that was added before. Deletions, replacements and additions of a builder become visible
 * together. Until its segment is joined with others (or compacted), a deleted document is no answer
 * any more but counts in the statistics of scores (documents, tokens, df). QUERN_NOT_FOUND.
 */
QUERN_API quern_status quern_builder_delete(quern_builder *builder, quern_span id,
                                            quern_error *error);

typedef enum quern_format {
    QUERN_FORMAT_AUTO =
        0, /* by name (.jsonl, .json, .ndjson, .tsv, .txt; a directory), else content */
    QUERN_FORMAT_JSONL = 1,
    QUERN_FORMAT_TSV = 2,
    QUERN_FORMAT_TEXT = 3 /* a file is a document, its path the id; a directory is walked */
} quern_format;

typedef struct quern_source_options {
    size_t size;
    quern_format format;
    uint64_t max_errors; /* malformed records tolerated before the call fails; UINT64_MAX: any */
    /* Told of every malformed record ("corpus.jsonl:17: ..."); may be NULL. */
    void (*on_error)(void *arg, const quern_error *error);
    void *on_error_arg;
} quern_source_options;

#define QUERN_SOURCE_OPTIONS                                                                       \
    ((quern_source_options){.size = sizeof(quern_source_options), .max_errors = UINT64_MAX})

/*
 * Adds every document of a corpus file or directory, or of standard input ("-"); .gz and .zst are
 * recognised by their first bytes. A malformed record is reported, counted and skipped.
 */
QUERN_API quern_status quern_builder_add_file(quern_builder *builder, const char *path,
                                              const quern_source_options *options,
                                              quern_error *error);

/* Writes, syncs and publishes the index. Afterwards the builder can only be freed. QUERN_E_INPUT if
 * quern_builder_add_file met malformed records only: an index that is there is not replaced by an
 * empty one for that. */
QUERN_API quern_status quern_builder_commit(quern_builder *builder, quern_build_report *report,
                                            quern_error *error);

/* Frees a builder; work that was not committed leaves nothing behind. */
QUERN_API void quern_builder_free(quern_builder *builder);

/* ---- keeping an index in shape --------------------------------------------------------------- */

/* Whether lists are kept in an order of their own: see quern_build_options.reorder. */
typedef enum quern_reorder {
    QUERN_REORDER_KEEP = 0, /* as those of the first segment */
    QUERN_REORDER_ON = 1,
    QUERN_REORDER_OFF = 2
} quern_reorder;

typedef struct quern_merge_options {
    size_t size;
    /* 0: one per processor. Up to three are of use, for reordering more; the index is the same. */
    unsigned threads;
    /* Ceiling of what bringing lists into another order takes, in bytes, at least 32 MiB; where it
     * is not enough, temporary files in the index directory stand in. The index is the same. */
    uint64_t memory;
    bool force; /* quern_merge: replace an index that is there, atomically */
    /* Take tune, k1 and b from here; else they are those of the first segment. */
    bool retune;
    quern_tune tune;
    float k1, b;
    quern_reorder reorder;
    quern_progress_fn progress;
    void *progress_arg;
} quern_merge_options;

#define QUERN_MERGE_OPTIONS                                                                        \
    ((quern_merge_options){                                                                        \
        .size = sizeof(quern_merge_options), .memory = (uint64_t)1 << 30, .k1 = 0.9f, .b = 0.4f})

/* What a merge did; of the index as it is afterwards. */
typedef struct quern_merge_report {
    uint64_t documents, index_bytes;
    uint64_t joined; /* segments that were read; 0: there was nothing to do */
} quern_merge_report;

/*
 * Makes an index one segment without deleted documents: the same bytes that a build of the
 * documents that are left would give, in their order. Commits join small neighbouring segments by
 * themselves (index/build/policy.h has the rule), so this is needed only for the last bit of speed
 * and space, or to tune or reorder an index anew. Needs space for both forms at once; of memory
 * some tens of MiB and a byte a document, and where lists are reordered as much as is allowed.
 * Readers go on with what they opened. QUERN_E_LOCKED, QUERN_E_DAMAGED, QUERN_E_SPACE,
 * QUERN_E_CANCELLED: the index is then as it was. `report` may be NULL.
 */
QUERN_API quern_status quern_compact(const char *path, const quern_merge_options *options,
                                     quern_merge_report *report, quern_error *error);

/*
 * Makes the index `path` of the documents of other indexes (1..1024), in the order given, as one
 * segment; these stay as they are. They must agree in analyzer, fields, positions and what they
 * keep of documents (QUERN_E_ARGUMENT), and no two may have the same id (QUERN_E_DUPLICATE).
 */
QUERN_API quern_status quern_merge(const char *path, const char *const *paths, size_t n_paths,
                                   const quern_merge_options *options, quern_merge_report *report,
                                   quern_error *error);

/* ---- reading --------------------------------------------------------------------------------- */

typedef struct quern_open_options {
    size_t size;
    bool paranoid;     /* check each page's checksum when it is first touched */
    bool no_mmap;      /* read files into memory instead of mapping them */
    bool any_analyzer; /* accept an index whose stemmer fingerprint differs */
} quern_open_options;

#define QUERN_OPEN_OPTIONS ((quern_open_options){.size = sizeof(quern_open_options)})

typedef struct quern_index quern_index;

/* Opens an index directory, as it was at its last commit; later commits do not disturb it. */
QUERN_API quern_status quern_index_open(quern_index **out, const char *path,
                                        const quern_open_options *options, quern_error *error);

/* Opens several indexes (1..1024, built with equal analyzers) as one; document numbers and the
 * order of ties follow the order of `paths`, statistics are summed. */
QUERN_API quern_status quern_index_open_many(quern_index **out, const char *const *paths,
                                             size_t n_paths, const quern_open_options *options,
                                             quern_error *error);

/* Close after every searcher and iterator made from it has been freed. */
QUERN_API void quern_index_close(quern_index *index);

/* Bytes on disk by what they hold; total is their sum, but for the last three: of docids, what is
 * bitmaps, of tf, what is codes, and of other, what is ordinals of reordered documents. */
typedef struct quern_bytes {
    uint64_t total, dictionary, docids, tf, positions, bounds, lengths, ids, store, other;
    uint64_t bitmaps, codes, ordinals;
} quern_bytes;

/* A field that is kept apart. */
typedef struct quern_field {
    const char *name; /* valid until the index is closed */
    float weight;     /* as it was built */
    uint64_t tokens;  /* with those of deleted documents */
    double average_length;
} quern_field;

enum { QUERN_FIELDS_MAX = 16 };

/* Lists the fields of an index; returns how many they are: 0 where title and text are one. */
QUERN_API size_t quern_index_fields(const quern_index *index, quern_field fields[QUERN_FIELDS_MAX]);

typedef struct quern_stats {
    uint64_t documents;                         /* not counting deleted ones */
    uint64_t deleted;                           /* still in their segments */
    uint64_t tokens, terms, postings, segments; /* with those of deleted documents */
    double average_length;
    float k1, b; /* BM25 parameters the bounds were computed for */
    bool positions, stored;
    bool reordered;       /* the first segment is; the others are as a rule, too */
    quern_tune tune;      /* of the first segment */
    const char *language; /* valid until the index is closed */
    quern_bytes bytes;
} quern_stats;

QUERN_API void quern_index_stats(const quern_index *index, quern_stats *stats);

/* Checks every byte of every file against its checksums, and the structure of all it holds; `told`
 * (may be NULL) hears of each defect. QUERN_OK, or QUERN_E_DAMAGED with the first defect in error.
 */
QUERN_API quern_status quern_verify(const char *path,
                                    void (*told)(void *arg, const char *file, const char *defect),
                                    void *arg, quern_error *error);

typedef struct quern_terms quern_terms;

typedef struct quern_term {
    quern_span term;  /* as indexed: folded and stemmed; valid until the next call */
    quern_span field; /* that it is a term of, likewise; empty where there is but one */
    uint64_t df;      /* documents that hold it */
    uint64_t cf;      /* occurrences */
} quern_term;

/* Walks the terms that match a pattern of bytes, `?` (one character) and `*` (any number), in byte
 * order; an empty pattern means all. Where there are several fields, those of one after those of
 * the other, or with a pattern title:... those of one. */
QUERN_API quern_status quern_terms_new(quern_terms **out, const quern_index *index,
                                       quern_span pattern, quern_error *error);
QUERN_API quern_status quern_terms_next(quern_terms *terms, quern_term *term, quern_error *error);
QUERN_API void quern_terms_free(quern_terms *terms);

/* ---- searching ------------------------------------------------------------------------------- */

/* How the text of a query is read. */
typedef enum quern_syntax {
    QUERN_SYNTAX_QUERY = 0, /* words, "phrases", +must, -not */
    QUERN_SYNTAX_WORDS = 1, /* words only: no character has a meaning */
    QUERN_SYNTAX_TOPIC = 2  /* WORDS where the text is prose (a word ends in . , ; : ? or !), else
                               QUERY: for files of topics, whose quotes and dashes are often prose */
} quern_syntax;

typedef struct quern_search_options {
    size_t size;
    float k1, b;           /* BM25: 0..3, 0..1 */
    const char *evaluator; /* NULL or "auto": chosen by the plan; else a name from
                              quern_evaluators(): a forced one answers the same, slower or faster */
    quern_syntax syntax;
    bool strict; /* refuse a query with unknown syntax (QUERN_E_INPUT) */
    /* Of an index of several fields: those in which a word is looked for that does not name one,
     * and what they weigh: "title^3,text". NULL: all, as they were weighed when the index was
     * built. */
    const char *fields;
    /* Statistics supplied from outside (several machines' shards): 0 means the index's own. Where
     * words are looked for in several fields, field_tokens stands for tokens, which are not used.
     */
    uint64_t documents, tokens;
    const uint64_t
        *field_tokens; /* of each field, where there are several; NULL: the index's own */
    /* df of a term over all shards, with fields kept apart as "title:word"; NULL: the index's own.
     */
    uint64_t (*df)(void *arg, quern_span term);
    void *df_arg;
} quern_search_options;

#define QUERN_SEARCH_OPTIONS                                                                       \
    ((quern_search_options){.size = sizeof(quern_search_options), .k1 = 0.9f, .b = 0.4f})

/* NULL-terminated list of the evaluators' names. */
QUERN_API const char *const *quern_evaluators(void);

typedef struct quern_searcher quern_searcher;

QUERN_API quern_status quern_searcher_new(quern_searcher **out, const quern_index *index,
                                          const quern_search_options *options, quern_error *error);
QUERN_API void quern_searcher_free(quern_searcher *searcher);

typedef struct quern_hit {
    uint32_t doc; /* document number: 0 .. documents + deleted - 1, in input order */
    float score;
} quern_hit;

/* How much of the index a query came to; what it stands for depends on the evaluator. */
typedef struct quern_work {
    uint64_t ranges;    /* ranges of 64 documents that were evaluated document by document */
    uint64_t postings;  /* of lists that were decoded whole */
    uint64_t documents; /* that were scored exactly */
} quern_work;

/* Best first; equal scores in input order. Valid until the next quern_search on the searcher, or
 * its end (the notice until its next query of any kind): fetching and snippets, also of these very
 * hits, leave them alone. */
typedef struct quern_hits {
    const quern_hit *hit;
    size_t n;
    const char *notice;    /* what of the query was dropped or reinterpreted, or NULL */
    const char *evaluator; /* the evaluator that answered */
    quern_work work;
} quern_hits;

/*
 * The k (1..1,000,000) best documents for a query as people type it: words; "a phrase"; +must;
 * -not; in an index of several fields title:word. Unknown syntax becomes words. A query without a
 * word that is indexed finds nothing and is no error. Errors: QUERN_E_ARGUMENT, QUERN_E_DAMAGED,
 * QUERN_E_MEMORY; QUERN_E_INPUT if strict.
 */
QUERN_API quern_status quern_search(quern_searcher *searcher, quern_span query, size_t k,
                                    quern_hits *hits, quern_error *error);

/* How many documents match a query. */
typedef struct quern_matches {
    uint64_t n;
    const char *notice; /* as quern_hits has it; valid until the searcher's next query */
} quern_matches;

/*
 * Counts the documents that match a query, read as quern_search reads it: exactly as many as that
 * would find with a k that is large enough, but without scores, and so much faster. The hits of the
 * last quern_search stay valid; snippets are now made for this query. Errors as quern_search.
 */
QUERN_API quern_status quern_count(quern_searcher *searcher, quern_span query,
                                   quern_matches *matches, quern_error *error);

/* How a clause of a query bears on a document. */
typedef enum quern_occur {
    QUERN_SHOULD = 0, /* adds to the score; without any QUERN_MUST one at least must be there */
    QUERN_MUST = 1,   /* must be there, and adds to the score */
    QUERN_NOT = 2,    /* must not be there */
    QUERN_ANY = 3 /* must be there in one of several fields, each of which is a clause, and adds */
} quern_occur;

/* The form in which a segment keeps the documents of a term; it follows from how many there are. */
typedef enum quern_list_form {
    QUERN_LIST_NONE = 0,   /* no document has the term */
    QUERN_LIST_SPARSE = 1, /* blocks of gaps and frequencies */
    QUERN_LIST_CODED = 2, /* groups of 256 documents, a code of four bits a posting, range maxima */
    QUERN_LIST_BITMAP = 3 /* a bit a document, codes, range maxima */
} quern_list_form;

/* A word of a query as it was looked for. Words of one phrase have the same `clause`. */
typedef struct quern_explained_term {
    quern_span term;  /* folded and stemmed */
    quern_span field; /* in which it was looked for; empty: there is but one */
    uint64_t df;      /* documents that hold it, as the weight was made from */
    float weight;     /* of its clause: the score is the sum of weight * tf / (tf + K) */
    uint32_t clause;  /* 0, 1, ... */
    quern_occur occur;
    quern_list_form form; /* in the segment where it has the most documents */
} quern_explained_term;

/* What became of a query; valid until the searcher's next query or quern_explain, or its end. */
typedef struct quern_explanation {
    const quern_explained_term *term; /* in the order of the query */
    size_t n_terms;
    const char *evaluator; /* that answered, or "count"; NULL: there was no query */
    quern_work work;       /* as quern_hits has it */
    float k1, b;
} quern_explanation;

/* Explains the last query that quern_search or quern_count answered; without one, or after one that
 * failed, there is nothing to explain (n_terms 0, evaluator NULL). QUERN_E_MEMORY. */
QUERN_API quern_status quern_explain(quern_searcher *searcher, quern_explanation *explanation,
                                     quern_error *error);

/* The external id of a document. It is valid until the next quern_fetch_id, quern_fetch or
 * quern_snippet_of on the searcher. */
QUERN_API quern_status quern_fetch_id(quern_searcher *searcher, uint32_t doc, quern_span *id,
                                      quern_error *error);

/* Id and stored fields of a document; fields that are not stored are empty. The id is valid as that
 * of quern_fetch_id, the others until the next quern_fetch or quern_snippet_of: what is to be kept
 * longer must be copied. */
QUERN_API quern_status quern_fetch(quern_searcher *searcher, uint32_t doc, quern_document *document,
                                   quern_error *error);

/* The number of the document with an id, or QUERN_NOT_FOUND (also if it was deleted). */
QUERN_API quern_status quern_find_id(quern_searcher *searcher, quern_span id, uint32_t *doc,
                                     quern_error *error);

/* The length of a document in tokens, in all fields. */
QUERN_API quern_status quern_document_length(quern_searcher *searcher, uint32_t doc,
                                             uint32_t *length, quern_error *error);

/* A marked stretch: text[start, end). */
typedef struct quern_mark {
    size_t start, end;
} quern_mark;

/* A stretch of a stored text with the query's words marked; valid until the next quern_snippet_of
 * on the searcher. */
typedef struct quern_snippet {
    quern_span text; /* UTF-8, white space folded to single spaces */
    const quern_mark *mark;
    size_t n_marks;
    bool starts_inside, ends_inside; /* text was cut off before or after */
} quern_snippet;

/* The best stretch of at most `max_bytes` (40..100000) of a document's text for the query of the
 * last quern_search, which the searcher keeps; without one, or after one that failed, the text's
 * start. Empty where nothing is stored. */
QUERN_API quern_status quern_snippet_of(quern_searcher *searcher, uint32_t doc, size_t max_bytes,
                                        quern_snippet *snippet, quern_error *error);

#ifdef __cplusplus
}
#endif

#endif
