/*
 * The units of a query in the making: see units.h. The terms of a unit are written behind those of
 * the query; if the unit they form is there already (a hash table tells), they are dropped again
 * and the older clause counts one more. So time is linear in the text, however often words repeat.
 */
#include "query/units.h"

#include "index/base/checksum.h"

#include <string.h>

enum { TERMS = QN_QUERY_TERMS_MAX, SLOTS = QN_UNITS_SLOTS };

void qn_units_free(qn_units *units)
{
    qn_buffer_free(&units->text);
    qn_buffer_free(&units->copy.text);
}

void qn_units_clear(qn_units *units)
{
    units->text.len = 0;
    units->n_clauses = units->n_terms = units->n_new = 0;
    units->n_groups = 0;
    memset(units->slot, 0, sizeof units->slot);
    units->full = false;
    units->notice = (qn_notice){0};
}

static uint64_t hash_new(const qn_units *u)
{
    uint32_t first = u->text_at[u->n_terms];
    uint64_t hash = qn_checksum(u->text.data + first, u->text.len - first);
    for (size_t i = u->n_terms; i < u->n_terms + u->n_new; i++) {
        hash ^= (uint64_t)u->term[i].text.len << 32 | u->term[i].position;
        hash *= 0x9E3779B97F4A7C15u;
        hash ^= hash >> 32;
    }
    return hash;
}

/* Whether the terms being read are those of a clause. */
static bool is_same(const qn_units *u, const qn_clause *clause)
{
    if (clause->n_terms != u->n_new)
        return false;
    for (size_t i = 0; i < u->n_new; i++) {
        size_t a = clause->first_term + i, b = u->n_terms + i;
        if (u->term[a].position != u->term[b].position ||
            u->term[a].text.len != u->term[b].text.len ||
            memcmp(u->text.data + u->text_at[a], u->text.data + u->text_at[b],
                   u->term[a].text.len) != 0)
            return false;
    }
    return true;
}

/* Drops new terms from the `keep`th on. */
static void drop_new(qn_units *u, size_t keep)
{
    if (keep < u->n_new)
        u->text.len = u->text_at[u->n_terms + keep];
    u->n_new = keep;
}

/* The same unit once more. */
static void repeat(qn_units *u, qn_clause *clause, qn_occur occur, uint64_t at, quern_span shown)
{
    clause->qtf += clause->qtf < UINT32_MAX;
    if ((clause->occur == QN_NOT) != (occur == QN_NOT)) {
        qn_notice_add(&u->notice, QN_NOTICE_BOTH, at, shown);
        clause->occur = QN_NOT;
    } else if (occur == QN_MUST) {
        clause->occur = QN_MUST;
    }
}

/* The slot of the clause that has the new terms, or a free one for it. */
static size_t find_slot(const qn_units *u)
{
    size_t i = (size_t)hash_new(u) & (SLOTS - 1);
    while (u->slot[i] != 0 && !is_same(u, &u->clause[u->slot[i] - 1]))
        i = (i + 1) & (SLOTS - 1);
    return i;
}

/* Makes the new terms a clause, or adds them to the one that has them already. `shown` is what was
 * typed, at byte `at`. Returns the clause's number. */
static size_t take_new(qn_units *u, qn_occur occur, uint64_t at, quern_span shown)
{
    size_t i = find_slot(u);
    if (u->slot[i] != 0) {
        size_t c = u->slot[i] - 1u;
        repeat(u, &u->clause[c], occur, at, shown);
        drop_new(u, 0);
        return c;
    }
    u->clause[u->n_clauses] = (qn_clause){occur, 1, (uint32_t)u->n_terms, (uint32_t)u->n_new, 0};
    u->slot[i] = (uint16_t)++u->n_clauses;
    u->n_terms += u->n_new;
    u->n_new = 0;
    return u->n_clauses - 1;
}

/* The same without fields, where there may be no room for it, or for all of it (not `whole`). */
static void take_plain(qn_units *u, qn_occur occur, bool whole, uint64_t at, quern_span shown)
{
    size_t room = TERMS - u->n_terms;
    if (!whole || (u->slot[find_slot(u)] == 0 && u->n_new > room)) {
        qn_notice_add(&u->notice, QN_NOTICE_LIMIT, at, (quern_span){0});
        u->full = true;
        /* Part of a phrase is found wherever all of it is, but to exclude by a part is too much. */
        drop_new(u, occur == QN_NOT ? 0 : u->n_new < room ? u->n_new : room);
        if (u->n_new == 0)
            return;
    }
    (void)take_new(u, occur, at, shown);
}

/* ---- units in fields ------------------------------------------------------------------------- */

/* Moves the new terms to u->copy. */
static bool copy_new(qn_units *u)
{
    qn_unit_copy *copy = &u->copy;
    const uint32_t *text_at = u->text_at + u->n_terms;
    copy->text.len = 0;
    for (size_t i = 0; i < u->n_new; i++) {
        const qn_query_term *term = &u->term[u->n_terms + i];
        copy->len[i] = (uint32_t)term->text.len;
        copy->position[i] = term->position;
        if (!qn_buffer_append(&copy->text, u->text.data + text_at[i], term->text.len))
            return false;
    }
    copy->n = u->n_new;
    drop_new(u, 0);
    return true;
}

/* Makes the terms of u->copy the new ones, with the prefix of a field. */
static bool renew(qn_units *u, unsigned field)
{
    const qn_unit_copy *copy = &u->copy;
    const uint8_t *text = copy->text.data;
    uint8_t prefix = (uint8_t)(field + 1);
    for (size_t i = 0; i < copy->n; text += copy->len[i++]) {
        size_t at = u->n_terms + i;
        u->text_at[at] = (uint32_t)u->text.len;
        u->term[at] = (qn_query_term){{NULL, copy->len[i] + QN_FIELD_PREFIX}, copy->position[i]};
        if (!qn_buffer_append(&u->text, &prefix, QN_FIELD_PREFIX) ||
            !qn_buffer_append(&u->text, text, copy->len[i]))
            return false;
        u->n_new = i + 1;
    }
    return true;
}

/* Counts the fields wanted that have no clause of the unit yet. False if memory is short. */
static bool count_missing(qn_units *u, size_t *n)
{
    *n = 0;
    for (uint32_t left = u->wanted; left != 0; left &= left - 1) {
        bool ok = renew(u, (unsigned)__builtin_ctz(left));
        *n += ok && u->slot[find_slot(u)] == 0;
        drop_new(u, 0);
        if (!ok)
            return false;
    }
    return true;
}

/* Makes the clauses one of which must match: those that do not exclude. They are a group, unless
 * one of them must match anyway. */
static void make_group(qn_units *u, const size_t *clause, size_t n)
{
    uint32_t group = 0;
    bool all_excluded = true;
    for (size_t i = 0; i < n; i++) {
        const qn_clause *member = &u->clause[clause[i]];
        if (member->occur == QN_MUST)
            return;
        group = member->occur == QN_ANY ? member->group : group;
        all_excluded = all_excluded && member->occur == QN_NOT;
    }
    if (all_excluded)
        return;
    group = group > 0 ? group : ++u->n_groups;
    for (size_t i = 0; i < n; i++) {
        qn_clause *member = &u->clause[clause[i]];
        if (member->occur == QN_NOT)
            continue;
        member->occur = QN_ANY;
        member->group = group;
    }
}

/* A clause for each of the fields wanted; all of them, or none. False if memory is short. */
static bool take_in_fields(qn_units *u, qn_occur occur, bool whole, uint64_t at, quern_span shown)
{
    size_t clause[QN_FIELDS_MAX], n = 0, n_missing;
    if (!copy_new(u) || !count_missing(u, &n_missing))
        return false;
    if (!whole || n_missing * u->copy.n > TERMS - u->n_terms) {
        qn_notice_add(&u->notice, QN_NOTICE_LIMIT, at, (quern_span){0});
        u->full = true;
        return true;
    }
    bool group = occur == QN_MUST && (u->wanted & (u->wanted - 1)) != 0;
    for (uint32_t left = u->wanted; left != 0; left &= left - 1) {
        if (!renew(u, (unsigned)__builtin_ctz(left)))
            return false;
        clause[n++] = take_new(u, group ? QN_SHOULD : occur, at, shown);
    }
    if (group)
        make_group(u, clause, n);
    return true;
}

bool qn_units_take(qn_units *u, qn_occur occur, bool whole, uint64_t at, quern_span shown)
{
    if (u->fields != NULL)
        return take_in_fields(u, occur, whole, at, shown);
    take_plain(u, occur, whole, at, shown);
    return true;
}

bool qn_units_push(qn_units *u, const qn_word *word, uint32_t position)
{
    size_t i = u->n_terms + u->n_new;
    u->text_at[i] = (uint32_t)u->text.len;
    u->term[i] = (qn_query_term){{NULL, word->len}, position};
    if (!qn_buffer_append(&u->text, word->text, word->len))
        return false;
    u->n_new++;
    return true;
}

void qn_units_settle(qn_units *u)
{
    uint16_t n_left[QN_QUERY_CLAUSES_MAX + 1] = {0}, number[QN_QUERY_CLAUSES_MAX + 1] = {0};
    bool met[QN_QUERY_CLAUSES_MAX + 1] = {false};
    uint32_t n = 0;
    for (size_t c = 0; c < u->n_clauses; c++) {
        const qn_clause *clause = &u->clause[c];
        n_left[clause->group] = (uint16_t)(n_left[clause->group] + (clause->occur == QN_ANY));
        met[clause->group] |= clause->occur == QN_MUST;
    }
    for (size_t c = 0; c < u->n_clauses; c++) {
        qn_clause *clause = &u->clause[c];
        uint32_t group = clause->group;
        clause->group = 0;
        if (clause->occur != QN_ANY)
            continue;
        if (met[group] || n_left[group] == 1) {
            clause->occur = met[group] ? QN_SHOULD : QN_MUST;
            continue;
        }
        if (number[group] == 0)
            number[group] = (uint16_t)++n;
        clause->group = number[group];
    }
    u->n_groups = n;
}
