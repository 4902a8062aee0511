/* Verifying a segment: see verify.h. */
#include "index/segment/verify.h"

#include "index/base/status.h"
#include "index/segment/coded.h"
#include "index/segment/deletes.h"
#include "index/segment/lengths.h"
#include "index/segment/positions.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct verify_state {
    const qn_segment *segment;
    qn_verify_told told;
    void *arg;
    quern_error *error;
    bool found; /* a defect */
    float norms[QN_FIELDS_MAX][256];
    float *range_part;        /* best tf-part of each range, of the current term */
    uint32_t reach[QN_SEEDS]; /* of its postings, how many reach each seed */
    uint32_t *positions;
    size_t positions_cap;
    uint64_t n_terms, n_postings, n_tokens[QN_FIELDS_MAX];
    uint64_t postings_end, positions_end, n_bounds;
} verify_state;

static void tell(verify_state *verifier, const char *file, const char *defect)
{
    if (!verifier->found)
        (void)qn_fail(verifier->error, QUERN_E_DAMAGED, "%s: %s", file, defect);
    verifier->found = true;
    if (verifier->told != NULL)
        verifier->told(verifier->arg, file, defect);
}

/* A defect of the current term. */
static void tell_term(verify_state *verifier, const qn_dict_cursor *cursor, const char *what)
{
    char defect[480];
    const qn_fields *fields = &verifier->segment->meta.fields;
    uint32_t field = cursor->info.field, prefix = fields->n > 0 ? QN_FIELD_PREFIX : 0;
    (void)snprintf(defect, sizeof defect, "the term \"%s%s%.*s\": %s",
                   field < fields->n ? fields->field[field].name : "", prefix > 0 ? ":" : "",
                   (int)(cursor->len - prefix), cursor->term + prefix, what);
    tell(verifier, verifier->segment->index.name, defect);
}

static bool above(float part, float max_part, uint8_t bound)
{
    return (double)part * 255.0 > (double)max_part * bound;
}

/* ---- coded lists ---- */

static bool zeros(const uint8_t *from, const uint8_t *to)
{
    uint8_t any = 0;
    for (; from < to; from++)
        any |= *from;
    return any == 0;
}

/* What stands between the parts of the extent. */
static bool padding_holds(const qn_postings *list)
{
    const qn_segment *segment = list->segment;
    const uint8_t *at = segment->postings.data + list->info.postings_off;
    qn_coded_layout layout =
        qn_coded_layout_of(list->info.postings_off, list->df, segment->n_windows, list->dense,
                           list->n_exceptions, list->tf_width);
    const uint8_t *header = at + layout.header;
    const uint8_t *codes_end = list->codes + ((size_t)list->df + 1) / 2;
    return zeros(at, at + layout.header) &&
           zeros(header + QN_CODED_TF_WIDTH + 1, header + QN_CODED_LEVELS) &&
           zeros(header + QN_CODED_LEVELS + QN_LEVELS, at + layout.codes) &&
           zeros(codes_end, at + layout.tables) &&
           (list->df % 2 == 0 || list->codes[list->df / 2] >> 4 == 0);
}

/* Ranks count the bitmap's documents, and these are df. */
static bool ranks_hold(const qn_postings *list)
{
    bool good = true;
    uint64_t rank = 0;
    for (size_t line = 0; line < (size_t)list->segment->n_windows * 8; line++) {
        good &= qn_load_u32(list->rank + 4 * line) == rank;
        for (size_t word = 8 * line; word < 8 * line + 8; word++)
            rank += (uint64_t)__builtin_popcountll(qn_load_u64(list->bitmap + 8 * word));
    }
    return good && rank == list->df;
}

/* Groups follow one another, and their documents are df. */
static bool groups_hold(const qn_postings *list)
{
    uint32_t n_groups = list->segment->n_windows * QN_GROUPS, next = 0;
    for (uint32_t group = 0; group < n_groups; group++) {
        uint32_t from, to;
        uint64_t base = qn_load_u32(list->rank + 4 * (size_t)(group / QN_GROUPS));
        if (base + qn_load_u16(list->start + 2 * (size_t)group) != next)
            return false; /* of empty ones, too: a search for a document stops there */
        qn_coded_group(list, group, &from, &to);
        next = from != to ? to : next;
    }
    return next == list->df;
}

/* Exceptions ascend, and are of postings whose class leaves their tf open. */
static bool exceptions_hold(const qn_postings *list)
{
    uint64_t least = 0;
    for (uint32_t e = 0; e < list->n_exceptions; e++) {
        uint32_t i = qn_load_u32(list->exception + 4 * (size_t)e);
        if (i < least || i >= list->df || list->class[qn_coded_code(list, i)].exact)
            return false;
        least = (uint64_t)i + 1;
    }
    uint32_t e = 0;
    for (uint64_t i = 0; i < list->df; i += QN_EXCEPTIONS_STEP) {
        while (e < list->n_exceptions && qn_load_u32(list->exception + 4 * (size_t)e) < i)
            e++;
        if (qn_load_u32(list->exception_start + 4 * (size_t)(i / QN_EXCEPTIONS_STEP)) != e)
            return false;
    }
    return true;
}

static void check_coded(verify_state *verifier, const qn_dict_cursor *cursor,
                        const qn_postings *list)
{
    if (!padding_holds(list))
        tell_term(verifier, cursor, "bytes that should be zero are not");
    if (list->dense && !ranks_hold(list))
        tell_term(verifier, cursor, "its ranks do not count its bitmap");
    if (!list->dense && !groups_hold(list))
        tell_term(verifier, cursor, "its groups do not follow one another");
    if (!exceptions_hold(list))
        tell_term(verifier, cursor, "its exceptions are out of order, or of exact classes");
}

/* Whether each posting of a block lies in the class that its code tells. */
static bool codes_hold(const qn_postings *list, uint32_t block, const uint32_t *docs,
                       const uint32_t *tfs)
{
    for (uint32_t i = 0; i < qn_postings_block_n(list, block); i++) {
        const qn_code_class *class = &list->class[qn_coded_code(list, block * QN_BLOCK + i)];
        if ((tfs[i] > class->tf && class->tf != QN_CODES_ANY) ||
            list->lengths[docs[i]] < class->least_length)
            return false;
    }
    return true;
}

/* ---- postings ---- */

/* Checks one block; folds its parts into *best and range_part. */
static quern_status check_block(verify_state *verifier, const qn_dict_cursor *cursor,
                                const qn_postings *list, uint32_t block, uint64_t *cf, float *best,
                                quern_error *error)
{
    uint32_t docs[QN_BLOCK_ROOM], tfs[QN_BLOCK_ROOM];
    const uint8_t *tf_at;
    const qn_segment *segment = verifier->segment;
    quern_status status = qn_postings_docs(list, block, docs, &tf_at, error);
    if (status == QUERN_OK)
        status = qn_postings_tfs(list, block, tf_at, tfs, error);
    if (status == QUERN_OK && segment->meta.positions)
        status = qn_postings_positions(list, block, tfs, &verifier->positions,
                                       &verifier->positions_cap, error);
    if (status != QUERN_OK)
        return status;
    float block_best = 0;
    uint32_t n = qn_postings_block_n(list, block);
    for (uint32_t i = 0; i < n; i++) {
        float tf = (float)tfs[i];
        float part = tf / (tf + verifier->norms[list->field][list->lengths[docs[i]]]);
        float *range = &verifier->range_part[docs[i] / QN_RANGE];
        block_best = part > block_best ? part : block_best;
        *range = part > *range ? part : *range;
        *cf += tfs[i];
        for (unsigned s = 0; s < QN_SEEDS; s++)
            verifier->reach[s] += part >= list->seed[s];
    }
    if (list->block_max != NULL && above(block_best, list->max_part, list->block_max[block]))
        tell_term(verifier, cursor, "a block's bound is too low");
    if (list->coded && !codes_hold(list, block, docs, tfs))
        tell_term(verifier, cursor, "a code's class does not hold its posting");
    *best = block_best > *best ? block_best : *best;
    return QUERN_OK;
}

static void check_ranges(verify_state *verifier, const qn_dict_cursor *cursor,
                         const qn_postings *list)
{
    uint32_t n_ranges = verifier->segment->n_windows * 64;
    for (uint32_t i = 0; list->range_level != NULL && i < n_ranges; i++) {
        if (above(verifier->range_part[i], list->max_part, qn_postings_range_max(list, i))) {
            tell_term(verifier, cursor, "a range's bound is too low");
            return;
        }
    }
}

static void check_seeds(verify_state *verifier, const qn_dict_cursor *cursor,
                        const qn_postings *list)
{
    for (unsigned s = 0; s < QN_SEEDS; s++) {
        if (list->seed[s] > 0 && verifier->reach[s] < qn_seed_rank[s]) {
            tell_term(verifier, cursor, "a seed is too high");
            return;
        }
    }
}

static quern_status check_term(verify_state *verifier, const qn_dict_cursor *cursor,
                               quern_error *error)
{
    const qn_segment *segment = verifier->segment;
    const qn_term_info *info = &cursor->info;
    qn_postings list;
    quern_status status = qn_postings_open(&list, segment, info, error);
    uint64_t cf = 0;
    float best = 0;
    memset(verifier->range_part, 0, (size_t)segment->n_windows * 64 * sizeof *verifier->range_part);
    memset(verifier->reach, 0, sizeof verifier->reach);
    if (status == QUERN_OK && list.coded)
        check_coded(verifier, cursor, &list);
    for (uint32_t block = 0; status == QUERN_OK && block < list.n_blocks; block++)
        status = check_block(verifier, cursor, &list, block, &cf, &best, error);
    if (status != QUERN_OK)
        return status;
    if (cf != info->cf)
        tell_term(verifier, cursor, "its occurrences do not add up to cf");
    if (best > list.max_part)
        tell_term(verifier, cursor, "its bound is too low");
    check_ranges(verifier, cursor, &list);
    check_seeds(verifier, cursor, &list);
    verifier->n_terms++;
    verifier->n_postings += info->df;
    verifier->n_tokens[info->field] += info->cf;
    verifier->postings_end = info->postings_off + info->postings_len;
    if (info->positions_len > 0)
        verifier->positions_end = info->positions_off + info->positions_len;
    verifier->n_bounds += info->df >= segment->meta.coded_df;
    return QUERN_OK;
}

static quern_status check_terms(verify_state *verifier, quern_error *error)
{
    const qn_segment *segment = verifier->segment;
    qn_dict_cursor cursor;
    quern_status status = qn_dict_seek(&cursor, &segment->dict, "", 0, error);
    while (status == QUERN_OK) {
        status = qn_dict_next(&cursor, error);
        if (status == QUERN_OK)
            status = check_term(verifier, &cursor, error);
    }
    if (status != QUERN_END)
        return status;
    const qn_segment_meta *meta = &segment->meta;
    bool adds_up = verifier->n_terms == meta->n_terms && verifier->n_postings == meta->n_postings;
    for (unsigned i = 0; i < qn_fields_count(&meta->fields); i++)
        adds_up = adds_up && verifier->n_tokens[i] == meta->counts[i].n_tokens;
    if (!adds_up)
        tell(verifier, segment->index.name, "terms, postings or tokens do not add up to META's");
    if (verifier->postings_end != segment->postings.len ||
        verifier->positions_end != segment->positions.len ||
        verifier->n_bounds * segment->n_windows * QN_WINDOW_LEVELS != segment->bounds.len)
        tell(verifier, segment->index.name, "a section of postings has bytes that no term owns");
    return QUERN_OK;
}

static quern_status check_documents(verify_state *verifier, quern_error *error)
{
    const qn_segment *segment = verifier->segment;
    qn_docs_reader reader = {0};
    unsigned n_fields = qn_fields_count(&segment->meta.fields);
    uint64_t n_tokens[QN_FIELDS_MAX] = {0};
    char *id = malloc(QN_ID_MAX);
    quern_status status = id == NULL ? qn_fail_memory(error) : QUERN_OK;
    if (segment->meta.stored && !qn_words_check(&segment->docs.words))
        tell(verifier, segment->store.name, "a word of the store is out of place");
    for (uint32_t doc = 0; status == QUERN_OK && doc < segment->meta.n_docs; doc++) {
        size_t len;
        uint32_t found, length;
        status = qn_ids_get(&segment->ids, doc, id, &len, error);
        if (status == QUERN_OK)
            status = qn_ids_find(&segment->ids, id, len, &found, error);
        if (status == QUERN_NOT_FOUND || (status == QUERN_OK && found != doc)) {
            tell(verifier, segment->index.name, "an id does not lead back to its document");
            status = QUERN_OK;
        }
        for (unsigned i = 0; status == QUERN_OK && i < n_fields; i++) {
            status = qn_segment_exact_length(segment, i, doc, &length, error);
            if (status == QUERN_OK)
                n_tokens[i] += length;
        }
        quern_document document = {0};
        if (status == QUERN_OK && segment->meta.stored)
            status = qn_docs_fetch(&segment->docs, &reader, doc, &document, error);
    }
    for (unsigned i = 0; status == QUERN_OK && i < n_fields; i++)
        if (n_tokens[i] != segment->meta.counts[i].n_tokens)
            tell(verifier, segment->index.name, "the lengths do not add up to META's tokens");
    qn_docs_reader_free(&reader);
    free(id);
    return status;
}

/* Every ordinal once, and what is known by number and by ordinal is the same. */
static quern_status check_numbers(verify_state *verifier, quern_error *error)
{
    const qn_segment *segment = verifier->segment;
    uint32_t n_docs = segment->meta.n_docs;
    unsigned n_fields = qn_fields_count(&segment->meta.fields);
    bool good = true, lengths = true, deletes = true;
    uint8_t *seen = calloc((size_t)n_docs / 8 + 1, 1);
    quern_status status = seen == NULL ? qn_fail_memory(error) : QUERN_OK;
    for (uint32_t doc = 0; status == QUERN_OK && good && doc < n_docs; doc++) {
        uint32_t ordinal = qn_segment_ordinal(segment, doc), length;
        good = ordinal < n_docs && (seen[ordinal / 8] >> ordinal % 8 & 1) == 0;
        if (!good)
            break;
        seen[ordinal / 8] |= (uint8_t)(1u << ordinal % 8);
        for (unsigned i = 0; status == QUERN_OK && i < n_fields; i++) {
            status = qn_segment_exact_length(segment, i, ordinal, &length, error);
            if (status == QUERN_OK)
                lengths = lengths && qn_length_encode(length) == segment->lengths[i][doc];
        }
        deletes =
            deletes && qn_segment_is_deleted(segment, doc) == qn_segment_is_gone(segment, ordinal);
    }
    free(seen);
    if (!good)
        tell(verifier, segment->index.name, "an ordinal is out of range or occurs twice");
    if (!lengths)
        tell(verifier, segment->index.name, "a length and its code differ");
    if (!deletes)
        tell(verifier, segment->deletes.name, "its two orders of documents contradict each other");
    return status;
}

static void check_deletes(verify_state *verifier)
{
    const qn_segment *segment = verifier->segment;
    uint32_t n_docs = segment->meta.n_docs;
    uint64_t n, n_gone;
    if (segment->deleted != NULL &&
        (!qn_deletes_count(segment->deleted, n_docs, &n) || n != segment->n_deleted ||
         !qn_deletes_count(segment->gone, n_docs, &n_gone) || n_gone != n))
        tell(verifier, segment->deletes.name, "not as many documents are deleted as it says");
}

quern_status qn_verify_segment(const qn_segment *segment, qn_verify_told told, void *arg,
                               quern_error *error)
{
    verify_state verifier = {.segment = segment, .told = told, .arg = arg, .error = error};
    quern_error local;
    quern_error *first = error == NULL ? &local : error;
    verifier.error = first;
    quern_status status = qn_container_verify(&segment->index, told, arg, first);
    if (status == QUERN_OK && segment->meta.stored)
        status = qn_container_verify(&segment->store, told, arg, first);
    if (status == QUERN_OK && segment->deleted != NULL)
        status = qn_container_verify(&segment->deletes, told, arg, first);
    if (status != QUERN_OK)
        return status; /* what follows would only repeat it */
    check_deletes(&verifier);
    const qn_segment_meta *meta = &segment->meta;
    for (unsigned i = 0; i < qn_fields_count(&meta->fields); i++)
        qn_length_norms(meta->k1, meta->b, meta->counts[i].average, verifier.norms[i]);
    verifier.range_part = calloc((size_t)segment->n_windows * 64 + 1, sizeof *verifier.range_part);
    if (verifier.range_part == NULL)
        return qn_fail_memory(error);
    quern_error broken = {0};
    status = check_terms(&verifier, &broken);
    if (status == QUERN_OK || status == QUERN_E_DAMAGED) {
        if (status == QUERN_E_DAMAGED)
            tell(&verifier, segment->index.name, broken.message);
        status = check_numbers(&verifier, &broken);
        if (status == QUERN_OK)
            status = check_documents(&verifier, &broken);
        if (status == QUERN_E_DAMAGED)
            tell(&verifier, segment->index.name, broken.message);
    }
    free(verifier.range_part);
    free(verifier.positions);
    if (status != QUERN_OK && status != QUERN_E_DAMAGED) {
        *first = broken;
        return status;
    }
    return verifier.found ? QUERN_E_DAMAGED : QUERN_OK;
}
