/* Conjunctions, exclusions and phrases: see eval_boolean.h. */
#include "query/eval_boolean.h"

#include "index/base/status.h"
#include "query/bm25.h"

/* A clause in one segment. */
struct qn_boolean_clause {
    const qn_clause *clause;
    qn_cursor *cursors; /* of its terms */
    size_t lead;        /* its rarest term */
    uint32_t df;        /* of that; 0 if the clause cannot match here */
    uint32_t freq;      /* in the document at hand; of a phrase perhaps only an upper limit */
    uint32_t next_must; /* field of the i-th element: the i-th rarest must clause's number */
};

typedef struct qn_boolean_clause boolean_clause;

/* The evaluation of one segment. */
typedef struct boolean_walk {
    qn_eval *eval;
    boolean_clause *clause; /* as in the query */
    size_t n_clauses, n_must;
    bool phrases;
    uint32_t range; /* that `bound` is of; UINT32_MAX: none yet */
    double bound;   /* of scores in it; 0: no document of it matches */
    quern_status status;
    quern_error *error;
} boolean_walk;

/* ---- preparing ---- */

static void prepare_clause(const qn_eval *eval, boolean_clause *out, const qn_clause *clause)
{
    *out = (boolean_clause){
        .clause = clause, .cursors = eval->scratch->cursor + clause->first_term, .df = UINT32_MAX};
    for (size_t i = 0; i < clause->n_terms; i++) {
        const qn_postings *list = eval->list[clause->first_term + i];
        uint32_t df = list == NULL ? 0 : list->df;
        if (df < out->df) {
            out->df = df;
            out->lead = i;
        }
    }
}

/* Puts the numbers of must clauses in order of df; there are few. */
static void order_musts(boolean_walk *walk)
{
    for (size_t c = 0; c < walk->n_clauses; c++) {
        if (walk->clause[c].clause->occur != QN_MUST)
            continue;
        size_t at = walk->n_must++;
        for (; at > 0; at--) {
            uint32_t other = walk->clause[at - 1].next_must;
            if (walk->clause[other].df <= walk->clause[c].df)
                break;
            walk->clause[at].next_must = other;
        }
        walk->clause[at].next_must = (uint32_t)c;
    }
}

static quern_status prepare(boolean_walk *walk)
{
    qn_eval *eval = walk->eval;
    qn_eval_scratch *scratch = eval->scratch;
    void *array = scratch->clause;
    if (!qn_array_grow(&array, &scratch->clause_cap, eval->query->n_clauses,
                       sizeof *scratch->clause))
        return qn_fail_memory(walk->error);
    scratch->clause = array;
    quern_status status = qn_eval_start_cursors(eval, walk->error);
    if (status == QUERN_OK)
        status = qn_eval_fill_ceilings(eval, walk->error);
    if (status != QUERN_OK)
        return status;
    walk->clause = scratch->clause;
    walk->n_clauses = eval->query->n_clauses;
    for (size_t c = 0; c < walk->n_clauses; c++) {
        prepare_clause(eval, &walk->clause[c], &eval->query->clause[c]);
        walk->phrases |= eval->query->clause[c].n_terms > 1;
    }
    order_musts(walk);
    return QUERN_OK;
}

/* ---- bounds ---- */

/* What the clause adds at most in documents of the range: a phrase stands no more often than each
 * of its terms. */
static double clause_bound(const qn_eval *eval, const qn_clause *clause, uint32_t range)
{
    double least = qn_eval_term_bound(eval, clause->first_term, range);
    for (size_t i = 1; i < clause->n_terms && least > 0; i++) {
        double bound = qn_eval_term_bound(eval, clause->first_term + i, range);
        least = bound < least ? bound : least;
    }
    return least;
}

static double range_bound(const boolean_walk *walk, uint32_t range)
{
    double sum = 0;
    for (size_t c = 0; c < walk->n_clauses; c++) {
        const qn_clause *clause = walk->clause[c].clause;
        if (clause->occur == QN_NOT)
            continue;
        double bound = clause_bound(walk->eval, clause, range);
        if (bound <= 0 && clause->occur == QN_MUST)
            return 0;
        sum += bound;
    }
    return sum;
}

/* Whether the range of `doc` may hold an answer; if not, *doc becomes the first after it. */
static bool range_lives(boolean_walk *walk, uint32_t *doc)
{
    const qn_segment *segment = walk->eval->segment;
    uint32_t range = *doc >> segment->meta.range_log2;
    if (range != walk->range) {
        walk->range = range;
        walk->bound = range_bound(walk, range);
    }
    if (walk->bound > 0 && walk->bound >= (double)qn_eval_threshold(walk->eval))
        return true;
    uint64_t after = ((uint64_t)range + 1) << segment->meta.range_log2;
    *doc = after < QN_CURSOR_END ? (uint32_t)after : QN_CURSOR_END;
    return false;
}

/* ---- matching ---- */

/* The first document >= doc that holds all terms of the clause. */
static uint32_t seek_clause(boolean_clause *clause, uint32_t doc)
{
    size_t n = clause->clause->n_terms;
    for (;;) {
        doc = qn_cursor_seek(&clause->cursors[clause->lead], doc);
        if (n == 1 || doc == QN_CURSOR_END)
            return doc;
        size_t i = 0;
        uint32_t at = doc;
        while (i < n && (at = qn_cursor_seek(&clause->cursors[i], doc)) == doc)
            i++;
        if (i == n || at == QN_CURSOR_END)
            return at;
        doc = at;
    }
}

/* The smallest tf of its terms, whose cursors stand on a document; 0 after damage. */
static uint32_t upper_freq(boolean_clause *clause)
{
    uint32_t least = UINT32_MAX;
    for (size_t i = 0; i < clause->clause->n_terms; i++) {
        uint32_t tf = qn_cursor_tf(&clause->cursors[i]);
        least = tf < least ? tf : least;
    }
    return least;
}

/* Makes the frequency of a phrase exact. */
static uint32_t exact_freq(boolean_walk *walk, boolean_clause *clause)
{
    if (clause->clause->n_terms > 1 && walk->status == QUERN_OK)
        walk->status = qn_phrase_freq(&walk->eval->scratch->phrase, clause->cursors,
                                      walk->eval->query->term + clause->clause->first_term,
                                      clause->clause->n_terms, &clause->freq, walk->error);
    return clause->freq;
}

/* The canonical sum over the frequencies. */
static float score(const boolean_walk *walk, uint32_t doc)
{
    float norm = qn_eval_norm(walk->eval, doc), sum = 0;
    for (size_t c = 0; c < walk->n_clauses; c++) {
        const boolean_clause *clause = &walk->clause[c];
        if (clause->freq > 0 && clause->clause->occur != QN_NOT)
            sum += qn_bm25_contribution(walk->eval->weight[c], clause->freq, norm);
    }
    return sum;
}

/* Finds the frequencies of all clauses in `doc`, of phrases as upper limits. False if it cannot
 * match. Must clauses stand on it already, if there are any. */
static bool gather(boolean_walk *walk, uint32_t doc)
{
    bool answers = false;
    for (size_t c = 0; c < walk->n_clauses; c++) {
        boolean_clause *clause = &walk->clause[c];
        clause->freq = 0;
        if (clause->df == 0 || seek_clause(clause, doc) != doc)
            continue;
        if (clause->clause->occur == QN_NOT && clause->clause->n_terms == 1)
            return false;
        clause->freq = upper_freq(clause);
        answers |= clause->clause->occur != QN_NOT && clause->freq > 0;
    }
    return answers;
}

/* Makes phrases exact. False if the document does not match after all. */
static bool settle(boolean_walk *walk)
{
    bool answers = false;
    for (size_t c = 0; c < walk->n_clauses; c++) {
        boolean_clause *clause = &walk->clause[c];
        qn_occur occur = clause->clause->occur;
        uint32_t freq = clause->freq > 0 ? exact_freq(walk, clause) : 0;
        if (occur == QN_NOT ? freq > 0 : occur == QN_MUST && freq == 0)
            return false;
        answers |= occur != QN_NOT && freq > 0;
    }
    return answers;
}

/* Offers `doc` if it is an answer. */
static void consider(boolean_walk *walk, uint32_t doc)
{
    if (!gather(walk, doc))
        return;
    if (walk->phrases) {
        double upper = (double)score(walk, doc) * (1 + QN_BM25_SUM_ROOM) + QN_BM25_FLOOR;
        if (upper < (double)qn_eval_threshold(walk->eval) || !settle(walk))
            return;
    }
    qn_topk_push(walk->eval->topk, walk->eval->segment->base + doc, score(walk, doc));
}

/* ---- walking ---- */

/* The first document >= doc on which all must clauses agree, as far as their terms go. */
static uint32_t next_of_all(boolean_walk *walk, uint32_t doc)
{
    boolean_clause *clause = walk->clause;
    for (size_t i = 0; i < walk->n_must;) {
        uint32_t at = seek_clause(&clause[clause[i].next_must], doc);
        if (at == QN_CURSOR_END)
            return at;
        if (i == 0) {
            doc = at;
            if (!range_lives(walk, &doc)) {
                if (doc == QN_CURSOR_END)
                    return doc;
                continue;
            }
        }
        i = at == doc ? i + 1 : 0;
        doc = at;
    }
    return doc;
}

/* The first document >= doc that a should clause holds. */
static uint32_t next_of_any(boolean_walk *walk, uint32_t doc)
{
    for (;;) {
        uint32_t next = QN_CURSOR_END;
        for (size_t c = 0; c < walk->n_clauses; c++) {
            boolean_clause *clause = &walk->clause[c];
            if (clause->clause->occur != QN_SHOULD || clause->df == 0)
                continue;
            uint32_t at = seek_clause(clause, doc);
            next = at < next ? at : next;
        }
        doc = next;
        if (doc == QN_CURSOR_END || range_lives(walk, &doc) || doc == QN_CURSOR_END)
            return doc;
    }
}

quern_status qn_eval_boolean(qn_eval *eval, quern_error *error)
{
    boolean_walk walk = {.eval = eval, .range = UINT32_MAX, .status = QUERN_OK, .error = error};
    quern_status status = prepare(&walk);
    if (status != QUERN_OK)
        return status;
    bool all = walk.n_must > 0;
    for (uint32_t doc = 0; walk.status == QUERN_OK; doc++) {
        doc = all ? next_of_all(&walk, doc) : next_of_any(&walk, doc);
        if (doc == QN_CURSOR_END)
            break;
        consider(&walk, doc);
    }
    return walk.status == QUERN_OK ? qn_eval_cursor_status(eval) : walk.status;
}
