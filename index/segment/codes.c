/* Choosing the classes of codes: see codes.h. */
#include "index/segment/codes.h"

#include <string.h>

/*
 * Rows up to this tf begin as a class each, unless postings above some smaller tf are so few that
 * their tf may as well stand apart: then those are one class.
 */
enum { EXACT_TF = 9, FEW = 64 };

/* Steps of tf-parts. */
enum { BINS = 1024 };

/* A class while classes are being chosen: rows [low, high], columns [from, to]. */
typedef struct region {
    unsigned low, high, from, to;
    double cost; /* sum over its postings of bound - tf-part */
} region;

/* The best way to part a region. */
typedef struct parting {
    double gain;
    region left, right;
} parting;

typedef struct chooser {
    const qn_code_histogram *histogram;
    const float *norms;
    double weight[BINS + 1]; /* of a posting, by its tf-part */
    region region[QN_CODES];
    unsigned n;
} chooser;

/* The least tf of each row; row 0 is of none. */
static const uint32_t row_tf[QN_CODES_ROWS] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,   10, 11,
                                               12, 13, 16, 20, 25, 31, 39, 49, 64, 100, 200};

unsigned qn_code_row_above(uint32_t tf)
{
    unsigned row = QN_CODES_EXACT + 1;
    while (row + 1 < QN_CODES_ROWS && row_tf[row + 1] <= tf)
        row++;
    return row;
}

static float part_of(uint32_t tf, float norm)
{
    return (float)tf / ((float)tf + norm);
}

float qn_code_part(const qn_code_class *class, const float norms[256])
{
    if (class->tf == 0)
        return 0;
    return class->tf == QN_CODES_ANY ? 1.0f : part_of(class->tf, norms[class->least_length]);
}

/* The least tf-part of a cell. */
static double part_in(const chooser *c, unsigned row, unsigned length)
{
    return (double)part_of(row_tf[row], c->norms[length]);
}

static double weight_of(const chooser *c, unsigned row, unsigned length)
{
    return c->weight[(unsigned)(part_in(c, row, length) * BINS)] * c->histogram->count[row][length];
}

/* A query asks for the best documents, and how many is not known: a posting weighs as much as all
 * that are better together. */
static void weigh(chooser *c)
{
    double above = 0;
    for (unsigned row = 1; row < QN_CODES_ROWS; row++)
        for (unsigned length = 0; length < 256; length++)
            c->weight[(unsigned)(part_in(c, row, length) * BINS)] +=
                c->histogram->count[row][length];
    for (unsigned bin = BINS + 1; bin-- > 0;) {
        above += c->weight[bin];
        c->weight[bin] = above > 0 ? 1 / above : 0;
    }
}

/* The largest tf that stands in the rows up to `row`. */
static uint32_t largest_tf(const chooser *c, unsigned row)
{
    const uint32_t *most = c->histogram->tf_max + row;
    while (*most == 0 && most > c->histogram->tf_max)
        most--;
    return *most;
}

/* Narrows a region to what is in it; sets its cost. False if it is empty. */
static bool settle(const chooser *c, region *r)
{
    unsigned from = 256, to = 0, low = QN_CODES_ROWS, high = 0;
    for (unsigned row = r->low; row <= r->high; row++) {
        for (unsigned length = r->from; length <= r->to; length++) {
            if (c->histogram->count[row][length] == 0)
                continue;
            from = length < from ? length : from;
            to = length > to ? length : to;
            low = row < low ? row : low;
            high = row;
        }
    }
    if (high == 0)
        return false;
    *r = (region){low, high, from, to, 0};
    double bound = (double)part_of(largest_tf(c, high), c->norms[from]);
    for (unsigned row = low; row <= high; row++)
        for (unsigned length = from; length <= to; length++)
            r->cost += (bound - part_in(c, row, length)) * weight_of(c, row, length);
    return true;
}

static void consider(const chooser *c, double whole, region left, region right, parting *best)
{
    if (!settle(c, &left) || !settle(c, &right))
        return;
    double gain = whole - left.cost - right.cost;
    if (gain > best->gain)
        *best = (parting){gain, left, right};
}

/* The length at which a region is best parted: the first one of the right part, or 0. Tells it from
 * sums over columns, in time proportional to the region. */
static unsigned best_length(const chooser *c, const region *r)
{
    double bound[257], count[257], parts[257]; /* of a right part that starts here, and all of it */
    count[r->to + 1] = parts[r->to + 1] = 0;
    uint32_t tf_max = largest_tf(c, r->high);
    bound[r->to + 1] = 0;
    for (unsigned length = r->to + 1; length-- > r->from;) {
        double n = 0, sum = 0;
        for (unsigned row = r->low; row <= r->high; row++) {
            double weight = weight_of(c, row, length);
            n += weight;
            sum += part_in(c, row, length) * weight;
        }
        bound[length] = n > 0 ? (double)part_of(tf_max, c->norms[length]) : bound[length + 1];
        count[length] = count[length + 1] + n;
        parts[length] = parts[length + 1] + sum;
    }
    unsigned best = 0;
    double least = bound[r->from] * count[r->from] - parts[r->from];
    for (unsigned cut = r->from + 1; cut <= r->to; cut++) {
        double left = bound[r->from] * (count[r->from] - count[cut]);
        double cost = left + bound[cut] * count[cut] - parts[r->from];
        if (cost < least) {
            least = cost;
            best = cut;
        }
    }
    return best;
}

/* Parts a region by length, or by tf where it has several. */
static parting part_region(const chooser *c, const region *r)
{
    parting best = {0};
    unsigned length = best_length(c, r);
    if (length > 0)
        consider(c, r->cost, (region){r->low, r->high, r->from, length - 1, 0},
                 (region){r->low, r->high, length, r->to, 0}, &best);
    for (unsigned cut = r->low + 1; cut <= r->high; cut++)
        consider(c, r->cost, (region){r->low, cut - 1, r->from, r->to, 0},
                 (region){cut, r->high, r->from, r->to, 0}, &best);
    return best;
}

/* The row up to which every one is a class of its own. */
static unsigned exact_rows(const qn_code_histogram *histogram)
{
    uint64_t n[QN_CODES_ROWS] = {0}, above = 0;
    for (unsigned row = 1; row < QN_CODES_ROWS; row++) {
        for (unsigned length = 0; length < 256; length++)
            n[row] += histogram->count[row][length];
        above += n[row];
    }
    uint64_t few = above / FEW;
    unsigned row = 0;
    while (row < EXACT_TF && above > few)
        above -= n[++row];
    return row;
}

static void add(chooser *c, unsigned low, unsigned high)
{
    region r = {low, high, 0, 255, 0};
    if (low <= high && settle(c, &r))
        c->region[c->n++] = r;
}

/* Parts regions as long as that gains something and codes are left. */
static void refine(chooser *c)
{
    parting found[QN_CODES];
    for (unsigned i = 0; i < c->n; i++)
        found[i] = part_region(c, &c->region[i]);
    while (c->n < QN_CODES - 1) {
        unsigned best = 0;
        for (unsigned i = 1; i < c->n; i++)
            best = found[i].gain > found[best].gain ? i : best;
        if (c->n == 0 || found[best].gain <= 0)
            return;
        c->region[c->n] = found[best].right;
        c->region[best] = found[best].left;
        found[best] = part_region(c, &c->region[best]);
        found[c->n] = part_region(c, &c->region[c->n]);
        c->n++;
    }
}

static qn_code_class class_of(const chooser *c, const region *r)
{
    uint32_t tf = largest_tf(c, r->high);
    return (qn_code_class){tf < QN_CODES_ANY ? (uint16_t)tf : QN_CODES_ANY, (uint8_t)r->from,
                           r->low == r->high && r->high <= QN_CODES_EXACT};
}

static bool before(const chooser *c, const region *a, const region *b)
{
    qn_code_class x = class_of(c, a), y = class_of(c, b);
    float p = qn_code_part(&x, c->norms), q = qn_code_part(&y, c->norms);
    if (p != q)
        return p < q;
    return a->low != b->low ? a->low < b->low : a->from > b->from;
}

void qn_codes_choose(qn_codes *codes, const qn_code_histogram *histogram, const float norms[256])
{
    chooser c = {.histogram = histogram, .norms = norms};
    weigh(&c);
    unsigned exact = exact_rows(histogram);
    for (unsigned row = 1; row <= exact; row++)
        add(&c, row, row);
    add(&c, exact + 1, QN_CODES_ROWS - 1);
    refine(&c);
    for (unsigned i = 1; i < c.n; i++) {
        region moving = c.region[i];
        unsigned at = i;
        for (; at > 0 && before(&c, &moving, &c.region[at - 1]); at--)
            c.region[at] = c.region[at - 1];
        c.region[at] = moving;
    }
    memset(codes, 0, sizeof *codes);
    for (unsigned i = 0; i < c.n; i++) {
        const region *r = &c.region[i];
        codes->class[i + 1] = class_of(&c, r);
        for (unsigned row = r->low; row <= r->high; row++)
            for (unsigned length = r->from; length <= r->to; length++)
                codes->code[row][length] = (uint8_t)(i + 1);
    }
}
