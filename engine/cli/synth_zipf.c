/* Drawing words by their frequency: see synth_zipf.h. */
#include "engine/cli/synth_zipf.h"

#include "index/base/status.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* Wider intermediate results would be rounded differently. */
_Static_assert(FLT_EVAL_METHOD == 0, "double arithmetic must be that of double");

enum {
    EXACT_BITS = 12, /* QN_SYNTH_EXACT is 2^12 */
    STEP_BITS = 6,
    LAST_OCTAVE = 33, /* ranks end below 2^34: words of five syllables */
    CELLS = QN_SYNTH_EXACT + (LAST_OCTAVE - EXACT_BITS + 1) * QN_SYNTH_STEPS
};
_Static_assert((int)CELLS <= (int)QN_SYNTH_COLUMNS, "a column for each cell");
_Static_assert(QN_SYNTH_EXACT == 1 << EXACT_BITS && QN_SYNTH_STEPS == 1 << STEP_BITS, "as said");

double qn_synth_power(double x, unsigned n)
{
    double result = 1, root = x;
    for (unsigned whole = n / 16; whole > 0; whole--)
        result *= x;
    for (unsigned bit = 8; bit > 0; bit /= 2) {
        root = sqrt(root);
        if ((n & bit) != 0)
            result *= root;
    }
    return result;
}

static double frequency(const qn_synth_law *law, double rank)
{
    return 1 / (qn_synth_power(rank + law->shift, law->slope) *
                (1 + qn_synth_power(rank / law->knee, law->tail_slope)));
}

/* The first rank of a cell, counted from 0, and how many it stands for. */
static uint64_t cell_start(uint32_t cell, uint64_t *width)
{
    *width = 1;
    if (cell < QN_SYNTH_EXACT)
        return cell;
    uint32_t octave = (cell - QN_SYNTH_EXACT) / QN_SYNTH_STEPS + EXACT_BITS;
    *width = UINT64_C(1) << (octave - STEP_BITS);
    return (UINT64_C(1) << octave) + (cell - QN_SYNTH_EXACT) % QN_SYNTH_STEPS * *width;
}

/* Weights of all cells that sum to exactly 2^32 a column. */
static void weigh(uint64_t weight[QN_SYNTH_COLUMNS], const qn_synth_law *law, const double *accent,
                  double *scratch)
{
    const uint64_t all = (uint64_t)QN_SYNTH_COLUMNS << 32;
    double sum = 0;
    uint64_t used = 0, width;
    for (uint32_t i = 0; i < CELLS; i++) {
        double first = (double)cell_start(i, &width);
        scratch[i] = frequency(law, first + (double)(width + 1) / 2) * (double)width;
        if (accent != NULL && i < QN_SYNTH_EXACT)
            scratch[i] *= accent[i];
        sum += scratch[i];
    }
    uint32_t most = 0;
    for (uint32_t i = 0; i < CELLS; i++) {
        weight[i] = (uint64_t)(scratch[i] / sum * (double)all);
        used += weight[i];
        most = weight[i] > weight[most] ? i : most;
    }
    weight[most] += all - used; /* rounded down each, they sum to no more than all */
}

/* Vose's two stacks, at the two ends of one array. */
static void fill(qn_synth_zipf *zipf, uint64_t weight[QN_SYNTH_COLUMNS], uint32_t *stack)
{
    const uint64_t full = UINT64_C(1) << 32;
    size_t n_small = 0, large = QN_SYNTH_COLUMNS;
    for (uint32_t i = 0; i < QN_SYNTH_COLUMNS; i++) {
        if (weight[i] < full)
            stack[n_small++] = i;
        else
            stack[--large] = i;
    }
    while (n_small > 0 && large < QN_SYNTH_COLUMNS) {
        uint32_t small = stack[--n_small], from = stack[large];
        zipf->threshold[small] = (uint32_t)weight[small];
        zipf->alias[small] = (uint16_t)from;
        weight[from] -= full - weight[small];
        if (weight[from] < full) {
            large++;
            stack[n_small++] = from;
        }
    }
    /* What is left is full: integers leave no rounding behind. */
    for (; large < QN_SYNTH_COLUMNS; large++) {
        zipf->threshold[stack[large]] = UINT32_MAX;
        zipf->alias[stack[large]] = (uint16_t)stack[large];
    }
}

quern_status qn_synth_zipf_make(qn_synth_zipf *zipf, const qn_synth_law *law,
                                const double accent[QN_SYNTH_EXACT], quern_error *error)
{
    uint64_t *weight = calloc(QN_SYNTH_COLUMNS, sizeof *weight);
    double *scratch = calloc(QN_SYNTH_COLUMNS, sizeof *scratch);
    uint32_t *stack = calloc(QN_SYNTH_COLUMNS, sizeof *stack);
    bool good = weight != NULL && scratch != NULL && stack != NULL;
    if (good) {
        weigh(weight, law, accent, scratch);
        fill(zipf, weight, stack);
    }
    free(weight);
    free(scratch);
    free(stack);
    return good ? QUERN_OK : qn_fail_memory(error);
}

uint64_t qn_synth_zipf_draw(const qn_synth_zipf *zipf, qn_synth_random *random)
{
    uint64_t bits = qn_synth_next(random), width;
    uint32_t cell = (uint32_t)bits % QN_SYNTH_COLUMNS;
    if ((uint32_t)(bits >> 32) >= zipf->threshold[cell])
        cell = zipf->alias[cell];
    if (cell < QN_SYNTH_EXACT)
        return cell;
    uint64_t start = cell_start(cell, &width); /* a width of 2^27 at most */
    return start + qn_synth_below(qn_synth_next(random), width);
}
