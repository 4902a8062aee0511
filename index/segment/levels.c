/* Choosing levels: see levels.h. */
#include "index/segment/levels.h"

#include <stddef.h>

/*
 * The least that rounding up adds to the values up to v in k levels, of which v is the last, is
 *
 *     least(k, v) = min over u <= v of least(k - 1, u) + added(u, v)
 *
 * where added(u, v) is what the values above u gain when they become v. The best u does not fall as
 * v rises (added satisfies the quadrangle inequality), so each row is found by halves.
 */
typedef struct chooser {
    uint64_t n[257], sum[257]; /* of the values below */
    uint64_t least[QN_LEVELS][256];
    uint8_t from[QN_LEVELS][256]; /* the u of the least */
} chooser;

static uint64_t added(const chooser *c, unsigned u, unsigned v)
{
    return (c->n[v + 1] - c->n[u + 1]) * v - (c->sum[v + 1] - c->sum[u + 1]);
}

/* Fills row k for v in [low, high]; their u lie in [first, last]. Halves are at most 8 deep. */
static void fill_row(chooser *c, unsigned k, int low, int high, unsigned first, unsigned last)
{
    if (low > high)
        return;
    int v = low + (high - low) / 2;
    uint64_t best = UINT64_MAX;
    unsigned best_u = first;
    for (unsigned u = first; u <= last && u <= (unsigned)v; u++) {
        uint64_t here = c->least[k - 1][u];
        here = here == UINT64_MAX ? here : here + added(c, u, (unsigned)v);
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

void qn_levels_choose(const uint32_t count[256], uint8_t level[QN_LEVELS])
{
    chooser c;
    c.n[0] = c.n[1] = c.sum[0] = c.sum[1] = 0; /* what is 0 stays so */
    for (unsigned v = 1; v < 256; v++) {
        c.n[v + 1] = c.n[v] + count[v];
        c.sum[v + 1] = c.sum[v] + (uint64_t)count[v] * v;
    }
    /* One level: u is 0. */
    for (unsigned v = 0; v < 256; v++) {
        c.least[1][v] = added(&c, 0, v);
        c.from[1][v] = 0;
    }
    for (unsigned k = 2; k < QN_LEVELS; k++)
        fill_row(&c, k, 1, 255, 1, 255);
    unsigned v = 255;
    for (unsigned k = QN_LEVELS; k-- > 1;) {
        level[k] = (uint8_t)v;
        v = c.from[k][v];
    }
    level[0] = 0;
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
