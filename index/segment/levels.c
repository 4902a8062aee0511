/* Choosing levels: see levels.h. */
#include "index/segment/levels.h"

#include <stddef.h>

/*
 * The levels are some of the values that there are, value[1..m], the last of which is 255. The
 * least that rounding up adds to the first v of them in k levels, of which value[v] is the last, is
 *
 *     least(k, v) = min over u <= v of least(k - 1, u) + added(u, v)
 *
 * where added(u, v) is what those behind the u-th gain when they become value[v]. The best u does
 * not fall as v rises (added satisfies the quadrangle inequality), so each row is found by halves.
 */
typedef struct chooser {
    unsigned m;
    uint8_t value[257];
    uint64_t n[257], sum[257]; /* of the first so many */
    uint64_t least[QN_LEVELS][257];
    uint8_t from[QN_LEVELS][257]; /* the u of the least */
} chooser;

static uint64_t added(const chooser *c, unsigned u, unsigned v)
{
    return (c->n[v] - c->n[u]) * c->value[v] - (c->sum[v] - c->sum[u]);
}

/* Fills row k for v in [low, high]; their u lie in [first, last]. Halves are at most 8 deep. */
static void fill_row(chooser *c, unsigned k, unsigned low, unsigned high, unsigned first,
                     unsigned last)
{
    if (low > high)
        return;
    unsigned v = low + (high - low) / 2, best_u = first;
    uint64_t best = UINT64_MAX;
    for (unsigned u = first; u <= last && u <= v; u++) {
        uint64_t here = c->least[k - 1][u] + added(c, u, v);
        if (here < best) {
            best = here;
            best_u = u;
        }
    }
    c->least[k][v] = best;
    c->from[k][v] = (uint8_t)best_u;
    fill_row(c, k, low, v - 1, first, best_u);
    fill_row(c, k, v + 1, high, best_u, last);
}

static void take_values(chooser *c, const uint32_t count[256])
{
    c->m = 0;
    c->n[0] = c->sum[0] = 0;
    for (unsigned v = 1; v < 256; v++) {
        if (v < 255 && count[v] == 0)
            continue;
        unsigned i = ++c->m;
        c->value[i] = (uint8_t)v;
        c->n[i] = c->n[i - 1] + count[v];
        c->sum[i] = c->sum[i - 1] + (uint64_t)count[v] * v;
    }
}

void qn_levels_choose(const uint32_t count[256], uint8_t level[QN_LEVELS])
{
    chooser c;
    take_values(&c, count);
    level[0] = 0;
    if (c.m < QN_LEVELS) { /* each its own; the rest are never used */
        for (unsigned k = 1; k < QN_LEVELS; k++)
            level[k] = c.value[k < c.m ? k : c.m];
        return;
    }
    for (unsigned v = 1; v <= c.m; v++) {
        c.least[1][v] = added(&c, 0, v);
        c.from[1][v] = 0;
    }
    for (unsigned k = 2; k < QN_LEVELS; k++)
        fill_row(&c, k, 1, c.m, 1, c.m);
    unsigned v = c.m;
    for (unsigned k = QN_LEVELS; k-- > 1;) {
        level[k] = c.value[v];
        v = c.from[k][v];
    }
}

void qn_levels_number(const uint8_t level[QN_LEVELS], uint8_t number[256])
{
    uint8_t k = 1;
    number[0] = 0;
    for (unsigned v = 1; v < 256; v++) {
        while (k + 1 < QN_LEVELS && level[k] < v)
            k++;
        number[v] = k;
    }
}

bool qn_levels_sound(const uint8_t level[QN_LEVELS])
{
    bool sound = level[0] == 0 && level[1] > 0;
    for (size_t i = 2; i < QN_LEVELS; i++)
        sound = sound && level[i] >= level[i - 1];
    return sound;
}
