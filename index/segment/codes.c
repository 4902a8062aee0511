/* Choosing the classes of codes: see codes.h. */
#include "index/segment/codes.h"

#include <string.h>

/*
 * Rows up to this tf begin as a class each, unless postings above some smaller tf are so few that
 * their tf may as well stand apart: then those are one class.
 */
enum { EXACT_TF = 9, FEW = 64 };

/* A class while classes are being chosen: rows [tf_low, tf_high], columns [from, to]. */
typedef struct region {
    unsigned tf_low, tf_high, from, to;
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
    region region[QN_CODES];
    unsigned n;
} chooser;

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

/* The largest tf that stands in the rows up to `tf`. */
static uint32_t largest_tf(const chooser *c, unsigned tf)
{
    return tf < QN_CODES_TF ? tf : c->histogram->tf_max;
}

/* Narrows a region to what is in it; sets its cost. False if it is empty. */
static bool settle(const chooser *c, region *r)
{
    unsigned from = 256, to = 0, low = QN_CODES_TF + 1, high = 0;
    for (unsigned tf = r->tf_low; tf <= r->tf_high; tf++) {
        for (unsigned length = r->from; length <= r->to; length++) {
            if (c->histogram->count[tf][length] == 0)
                continue;
            from = length < from ? length : from;
            to = length > to ? length : to;
            low = tf < low ? tf : low;
            high = tf;
        }
    }
    if (high == 0)
        return false;
    *r = (region){low, high, from, to, 0};
    double bound = (double)part_of(largest_tf(c, high), c->norms[from]);
    for (unsigned tf = low; tf <= high; tf++)
        for (unsigned length = from; length <= to; length++)
            r->cost +=
                (bound - (double)part_of(tf, c->norms[length])) * c->histogram->count[tf][length];
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
    uint32_t tf_max = largest_tf(c, r->tf_high);
    bound[r->to + 1] = 0;
    for (unsigned length = r->to + 1; length-- > r->from;) {
        double n = 0, sum = 0;
        for (unsigned tf = r->tf_low; tf <= r->tf_high; tf++) {
            n += c->histogram->count[tf][length];
            sum += (double)part_of(tf, c->norms[length]) * c->histogram->count[tf][length];
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
        consider(c, r->cost, (region){r->tf_low, r->tf_high, r->from, length - 1, 0},
                 (region){r->tf_low, r->tf_high, length, r->to, 0}, &best);
    for (unsigned cut = r->tf_low + 1; cut <= r->tf_high; cut++)
        consider(c, r->cost, (region){r->tf_low, cut - 1, r->from, r->to, 0},
                 (region){cut, r->tf_high, r->from, r->to, 0}, &best);
    return best;
}

/* The tf up to which every row is a class of its own. */
static unsigned exact_rows(const qn_code_histogram *histogram)
{
    uint64_t row[QN_CODES_TF + 1] = {0}, above = 0;
    for (unsigned tf = 1; tf <= QN_CODES_TF; tf++) {
        for (unsigned length = 0; length < 256; length++)
            row[tf] += histogram->count[tf][length];
        above += row[tf];
    }
    uint64_t few = above / FEW;
    unsigned tf = 0;
    while (tf < EXACT_TF && above > few)
        above -= row[++tf];
    return tf;
}

static void add(chooser *c, unsigned tf_low, unsigned tf_high)
{
    region r = {tf_low, tf_high, 0, 255, 0};
    if (tf_low <= tf_high && settle(c, &r))
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
    uint32_t tf = largest_tf(c, r->tf_high);
    return (qn_code_class){tf < QN_CODES_ANY ? (uint16_t)tf : QN_CODES_ANY, (uint8_t)r->from,
                           r->tf_low == r->tf_high && r->tf_high < QN_CODES_TF};
}

static bool before(const chooser *c, const region *a, const region *b)
{
    qn_code_class x = class_of(c, a), y = class_of(c, b);
    float p = qn_code_part(&x, c->norms), q = qn_code_part(&y, c->norms);
    if (p != q)
        return p < q;
    return a->tf_low != b->tf_low ? a->tf_low < b->tf_low : a->from > b->from;
}

void qn_codes_choose(qn_codes *codes, const qn_code_histogram *histogram, const float norms[256])
{
    chooser c = {.histogram = histogram, .norms = norms};
    unsigned exact = exact_rows(histogram);
    for (unsigned tf = 1; tf <= exact; tf++)
        add(&c, tf, tf);
    add(&c, exact + 1, QN_CODES_TF);
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
        for (unsigned tf = r->tf_low; tf <= r->tf_high; tf++)
            for (unsigned length = r->from; length <= r->to; length++)
                codes->code[tf][length] = (uint8_t)(i + 1);
    }
}
