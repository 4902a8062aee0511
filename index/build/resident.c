/* Runs in memory, made by a counting sort: see resident.h. */
#include "index/build/resident.h"

#include "index/base/bytes.h"

#include <stdlib.h>

/* A term of the run: sorted by its first bytes (big-endian), then by the rest. */
typedef struct sorted_term {
    uint64_t prefix;
    const quern_span *term;
} sorted_term;

static int compare_terms(const void *left, const void *right)
{
    const sorted_term *a = left, *b = right;
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    size_t len = a->term->len < b->term->len ? a->term->len : b->term->len;
    int order = memcmp(a->term->data, b->term->data, len);
    if (order != 0)
        return order;
    return a->term->len < b->term->len ? -1 : a->term->len > b->term->len;
}

/* Sorts terms by their prefixes, a byte at a time from the last on, with `room` for as many.
 * Returns which of the two arrays holds them then. */
static sorted_term *sort_prefixes(sorted_term *term, sorted_term *room, size_t n)
{
    size_t count[8][256] = {{0}};
    for (size_t i = 0; i < n; i++)
        for (unsigned byte = 0; byte < 8; byte++)
            count[byte][term[i].prefix >> 8 * byte & 0xFF]++;
    for (unsigned byte = 0; byte < 8; byte++) {
        size_t *start = count[byte], sum = 0;
        if (n > 0 && start[term[0].prefix >> 8 * byte & 0xFF] == n)
            continue; /* all the same */
        for (unsigned value = 0; value < 256; value++) {
            size_t here = start[value];
            start[value] = sum;
            sum += here;
        }
        for (size_t i = 0; i < n; i++)
            room[start[term[i].prefix >> 8 * byte & 0xFF]++] = term[i];
        sorted_term *sorted = room;
        room = term;
        term = sorted;
    }
    return term;
}

/* Sorts those of each prefix. */
static void sort_ties(sorted_term *term, size_t n)
{
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && term[end].prefix == term[i].prefix;)
            end++;
        if (end - i > 1)
            qsort(term + i, end - i, sizeof *term, compare_terms);
    }
}

/* The terms that occur in the run, sorted; *n of them. NULL when memory is short. */
static sorted_term *sort_terms(const qn_vocabulary *vocabulary, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < vocabulary->n_terms; i++)
        *n += vocabulary->count[i] > 0;
    sorted_term *term = malloc((*n + 1) * sizeof *term), *room = malloc((*n + 1) * sizeof *room);
    if (term == NULL || room == NULL) {
        free(term);
        free(room);
        return NULL;
    }
    size_t at = 0;
    for (size_t i = 0; i < vocabulary->n_terms; i++)
        if (vocabulary->count[i] > 0)
            term[at++] = (sorted_term){qn_prefix(vocabulary->term[i].data, vocabulary->term[i].len),
                                       &vocabulary->term[i]};
    sorted_term *sorted = sort_prefixes(term, room, *n);
    free(sorted == term ? room : term);
    sort_ties(sorted, *n);
    return sorted;
}

static unsigned bits_of(uint32_t most)
{
    return most == 0 ? 0 : 32 - (unsigned)__builtin_clz(most);
}

bool qn_resident_is_narrow(uint32_t n_docs, uint32_t max_position)
{
    return bits_of(n_docs) + bits_of(max_position) <= 32;
}

/* Turns each count into where its term's keys start. */
static void start_terms(const qn_vocabulary *vocabulary)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < vocabulary->n_terms; i++) {
        uint32_t here = vocabulary->count[i];
        vocabulary->count[i] = sum;
        sum += here;
    }
}

/* Where the key of a token so far ahead will be written is fetched, or near it. */
enum { AHEAD = 96 };

/* Scatters keys to their terms; turns each count into where its term's keys end. */
static void scatter(const qn_resident_input *input, const qn_resident *run)
{
    uint32_t *count = input->vocabulary->count;
    start_terms(input->vocabulary);
    for (size_t s = 0; s < input->n_stretches; s++) {
        const qn_stretch *stretch = &input->stretch[s];
        uint64_t key = (uint64_t)stretch->doc << run->position_bits | stretch->position;
        size_t end = s + 1 < input->n_stretches ? stretch[1].first : input->n_tokens;
        if (run->narrow != NULL)
            for (size_t i = stretch->first; i < end; i++) {
                size_t ahead = i + AHEAD < input->n_tokens ? i + AHEAD : i;
                __builtin_prefetch(&run->narrow[count[input->log[ahead]]], 1);
                run->narrow[count[input->log[i]]++] = (uint32_t)key++;
            }
        else
            for (size_t i = stretch->first; i < end; i++)
                run->wide[count[input->log[i]]++] = key++;
    }
}

/* Once keys are scattered: where each term's are. */
static bool place_terms(qn_resident *run, const qn_vocabulary *vocabulary,
                        const sorted_term *sorted)
{
    run->term = malloc((run->n_terms + 1) * sizeof *run->term);
    if (run->term == NULL)
        return false;
    for (size_t i = 0; i < run->n_terms; i++) {
        uint32_t number = (uint32_t)(sorted[i].term - vocabulary->term);
        run->term[i] = (qn_resident_term){sorted[i].prefix, number,
                                          number == 0 ? 0 : vocabulary->count[number - 1],
                                          vocabulary->count[number]};
    }
    return true;
}

qn_resident *qn_resident_new(const qn_resident_input *input)
{
    qn_vocabulary *vocabulary = input->vocabulary;
    qn_resident *run = calloc(1, sizeof *run);
    if (run == NULL)
        return NULL;
    run->vocabulary = vocabulary;
    run->n_keys = input->n_tokens;
    run->position_bits = bits_of(input->max_position);
    if (qn_resident_is_narrow(input->n_docs, input->max_position))
        run->narrow = malloc((input->n_tokens + 1) * sizeof *run->narrow);
    else
        run->wide = malloc((input->n_tokens + 1) * sizeof *run->wide);
    sorted_term *sorted = sort_terms(vocabulary, &run->n_terms);
    bool ok = (run->narrow != NULL || run->wide != NULL) && sorted != NULL;
    if (ok)
        scatter(input, run);
    ok = ok && place_terms(run, vocabulary, sorted);
    free(sorted);
    if (!ok) {
        qn_resident_free(run);
        return NULL;
    }
    if (vocabulary->n_terms > 0)
        memset(vocabulary->count, 0, vocabulary->n_terms * sizeof *vocabulary->count);
    return run;
}

void qn_resident_free(qn_resident *run)
{
    if (run == NULL)
        return;
    free(run->narrow);
    free(run->wide);
    free(run->term);
    free(run);
}

size_t qn_resident_bytes(const qn_resident *run)
{
    size_t each = run->narrow != NULL ? sizeof *run->narrow : sizeof *run->wide;
    return run->n_keys * each + run->n_terms * sizeof *run->term;
}

size_t qn_resident_growth(const qn_resident_input *input)
{
    size_t each = qn_resident_is_narrow(input->n_docs, input->max_position) ? sizeof(uint32_t)
                                                                            : sizeof(uint64_t);
    /* The sorted terms take 16 bytes each, as much again while they are sorted, and 24 in the run.
     */
    return input->n_tokens * each + 56 * input->vocabulary->n_terms;
}
