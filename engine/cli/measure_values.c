/*
 * Measures by their definitions. Ranks are counted from 0 here: the document at i has rank i + 1.
 * A topic without relevant documents has the value 0 everywhere, as in trec_eval.
 */
#include "engine/cli/measure_values.h"

#include <math.h>

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

static bool relevant(const qn_ranking *r, size_t i)
{
    return r->grade[i] >= r->level;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Relevant documents among the first `n`. */
static size_t relevant_within(const qn_ranking *r, size_t n)
{
    size_t found = 0;
    n = smaller(n, r->n_ret);
    for (size_t i = 0; i < n; i++)
        found += relevant(r, i);
    return found;
}

/* ---- counts ---- */

double qn_value_one(const qn_ranking *r, double p)
{
    (void)r, (void)p;
    return 1;
}

double qn_value_num_ret(const qn_ranking *r, double p)
{
    (void)p;
    return (double)r->n_ret;
}

double qn_value_num_rel(const qn_ranking *r, double p)
{
    (void)p;
    return (double)r->n_rel;
}

double qn_value_num_rel_ret(const qn_ranking *r, double p)
{
    (void)p;
    return (double)r->n_rel_ret;
}

double qn_value_num_nonrel_judged_ret(const qn_ranking *r, double p)
{
    (void)p;
    return (double)(r->n_judged_ret - r->n_rel_ret);
}

/* ---- average precision and its kin ---- */

/* Sum of the precisions at the relevant documents among the first `n`. */
static double sum_precision(const qn_ranking *r, size_t n)
{
    size_t found = 0;
    double sum = 0;
    n = smaller(n, r->n_ret);
    for (size_t i = 0; i < n; i++)
        if (relevant(r, i))
            sum += (double)++found / (double)(i + 1);
    return sum;
}

double qn_value_ap(const qn_ranking *r, double p)
{
    (void)p;
    return ratio(sum_precision(r, r->n_ret), (double)r->n_rel);
}

double qn_value_ap_cut(const qn_ranking *r, double cutoff)
{
    return ratio(sum_precision(r, (size_t)cutoff), (double)r->n_rel);
}

double qn_value_yaap(const qn_ranking *r, double p)
{
    (void)p;
    double sum = sum_precision(r, r->n_ret);
    return log((1 + sum) / (1 + (double)r->n_rel - sum));
}

/* At each relevant document, the precision expected if the unjudged documents of the pool are
 * relevant as often as the judged ones above it; what is outside the pool is not relevant. */
double qn_value_infap(const qn_ranking *r, double p)
{
    (void)p;
    const double epsilon = 0.00001;
    double sum = 0, rel = 0, nonrel = 0, unjudged = 0;
    for (size_t i = 0; i < r->n_ret; i++) {
        if (r->grade[i] == QN_UNJUDGED)
            unjudged++;
        else if (r->grade[i] >= 0 && !relevant(r, i))
            nonrel++;
        if (!relevant(r, i))
            continue;
        double above = (double)i;
        double expected = 0;
        if (i > 0)
            expected = above / (above + 1) * ((rel + nonrel + unjudged) / above) *
                       ((rel + epsilon) / (rel + nonrel + 2 * epsilon));
        sum += 1 / (above + 1) + expected;
        rel++;
    }
    return ratio(sum, (double)r->n_rel);
}

double qn_value_recip_rank(const qn_ranking *r, double p)
{
    (void)p;
    for (size_t i = 0; i < r->n_ret; i++)
        if (relevant(r, i))
            return 1 / (double)(i + 1);
    return 0;
}

/* How often a relevant document stands above a judged one that is not, of the first R of these. */
double qn_value_bpref(const qn_ranking *r, double p)
{
    (void)p;
    double sum = 0;
    size_t nonrel = 0;
    for (size_t i = 0; i < r->n_ret; i++) {
        if (relevant(r, i))
            sum += 1 -
                   ratio((double)smaller(nonrel, r->n_rel), (double)smaller(r->n_nonrel, r->n_rel));
        else
            nonrel += r->grade[i] >= 0;
    }
    return ratio(sum, (double)r->n_rel);
}

/* ---- precision and recall ---- */

double qn_value_p(const qn_ranking *r, double cutoff)
{
    return ratio((double)relevant_within(r, (size_t)cutoff), cutoff);
}

double qn_value_recall(const qn_ranking *r, double cutoff)
{
    return ratio((double)relevant_within(r, (size_t)cutoff), (double)r->n_rel);
}

double qn_value_relative_p(const qn_ranking *r, double cutoff)
{
    return ratio((double)relevant_within(r, (size_t)cutoff),
                 (double)smaller((size_t)cutoff, r->n_rel));
}

double qn_value_success(const qn_ranking *r, double cutoff)
{
    return relevant_within(r, (size_t)cutoff) > 0 ? 1 : 0;
}

double qn_value_unjudged(const qn_ranking *r, double cutoff)
{
    size_t n = smaller((size_t)cutoff, r->n_ret), unjudged = 0;
    for (size_t i = 0; i < n; i++)
        unjudged += r->grade[i] < 0;
    return ratio((double)unjudged, cutoff);
}

double qn_value_rprec(const qn_ranking *r, double p)
{
    (void)p;
    return qn_value_p(r, (double)r->n_rel);
}

/* The cutoff is rounded up, but for a tenth: trec_eval's way past inexact products. */
double qn_value_rprec_mult(const qn_ranking *r, double multiple)
{
    return qn_value_p(r, floor(multiple * (double)r->n_rel + 0.9));
}

/* The best precision at any rank from which on at least `found` relevant documents are in. */
static double interpolated(const qn_ranking *r, size_t found)
{
    size_t rel = r->n_rel_ret;
    double best = 0;
    for (size_t i = r->n_ret; i > 0 && rel > 0 && rel >= found; i--) {
        best = fmax(best, (double)rel / (double)i);
        rel -= relevant(r, i - 1);
    }
    return found > r->n_rel_ret ? 0 : best;
}

/* Recall levels are rounded to whole documents, as in trec_eval 10. */
double qn_value_iprec(const qn_ranking *r, double recall)
{
    return interpolated(r, (size_t)lround(recall * (double)r->n_rel));
}

double qn_value_iprec_11pt(const qn_ranking *r, double p)
{
    (void)p;
    static const double LEVELS[] = {0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0};
    enum { N_LEVELS = sizeof LEVELS / sizeof *LEVELS };
    double sum = 0;
    for (size_t i = 0; i < N_LEVELS; i++)
        sum += qn_value_iprec(r, LEVELS[i]);
    return sum / N_LEVELS;
}

/* ---- the answers as a set ---- */

double qn_value_set_p(const qn_ranking *r, double p)
{
    (void)p;
    return ratio((double)r->n_rel_ret, (double)r->n_ret);
}

double qn_value_set_recall(const qn_ranking *r, double p)
{
    (void)p;
    return ratio((double)r->n_rel_ret, (double)r->n_rel);
}

double qn_value_set_relative_p(const qn_ranking *r, double p)
{
    (void)p;
    return ratio((double)r->n_rel_ret, (double)smaller(r->n_ret, r->n_rel));
}

double qn_value_set_map(const qn_ranking *r, double p)
{
    (void)p;
    return ratio((double)r->n_rel_ret * (double)r->n_rel_ret, (double)r->n_ret * (double)r->n_rel);
}

double qn_value_set_f(const qn_ranking *r, double p)
{
    double precision = qn_value_set_p(r, p), recall = qn_value_set_recall(r, p);
    return ratio(2 * precision * recall, precision + recall);
}

double qn_value_utility(const qn_ranking *r, double p)
{
    (void)p;
    return (double)r->n_rel_ret - (double)(r->n_ret - r->n_rel_ret);
}

/* ---- gains ---- */

/* The gain of the document at i; unjudged ones have none. */
static double gain(const qn_ranking *r, size_t i)
{
    return r->grade[i] > 0 ? (double)r->grade[i] : 0;
}

/* The gain at i of the best possible ranking. */
static double ideal_gain(const qn_ranking *r, size_t i)
{
    return i < r->n_gain ? (double)r->ideal[i] : 0;
}

static double discount(size_t i)
{
    return log2((double)(i + 2));
}

static double dcg(const qn_ranking *r, size_t n)
{
    double sum = 0;
    n = smaller(n, r->n_ret);
    for (size_t i = 0; i < n; i++)
        if (r->grade[i] > 0)
            sum += gain(r, i) / discount(i);
    return sum;
}

static double ideal_dcg(const qn_ranking *r, size_t n)
{
    double sum = 0;
    n = smaller(n, r->n_gain);
    for (size_t i = 0; i < n; i++)
        sum += ideal_gain(r, i) / discount(i);
    return sum;
}

double qn_value_ndcg_cut(const qn_ranking *r, double cutoff)
{
    return ratio(dcg(r, (size_t)cutoff), ideal_dcg(r, (size_t)cutoff));
}

double qn_value_ndcg(const qn_ranking *r, double p)
{
    (void)p;
    return ratio(dcg(r, r->n_ret), ideal_dcg(r, r->n_gain));
}

/* nDCG at each document with a gain, averaged; those not retrieved count with the DCG at the end
 * of the answers. */
double qn_value_ndcg_rel(const qn_ranking *r, double p)
{
    (void)p;
    double sum = 0, got = 0, ideal = 0;
    size_t found = 0;
    for (size_t i = 0; i < r->n_ret; i++) {
        ideal += ideal_gain(r, i) / discount(i);
        if (r->grade[i] <= 0)
            continue;
        got += gain(r, i) / discount(i);
        sum += ratio(got, ideal);
        found++;
    }
    sum += (double)(r->n_gain - found) * ratio(got, ideal_dcg(r, r->n_gain));
    return ratio(sum, (double)r->n_gain);
}

/* nDCG at each rank where the ideal gain falls, averaged, together with that at the end of the
 * answers if they go on after the last fall. trec_eval takes the end into account only when it lies
 * two ranks or more behind; so does this. */
double qn_value_rndcg(const qn_ranking *r, double p)
{
    (void)p;
    double sum = 0;
    size_t n = 0;
    if (r->n_rel == 0)
        return 0;
    for (size_t i = 1; i <= r->n_gain; i++) {
        if (i < r->n_gain && r->ideal[i] == r->ideal[i - 1])
            continue;
        sum += dcg(r, i) / ideal_dcg(r, i);
        n++;
    }
    if (r->n_ret > r->n_gain + 1) {
        sum += ratio(dcg(r, r->n_ret), ideal_dcg(r, r->n_gain));
        n++;
    }
    return ratio(sum, (double)n);
}

/* Each gain is discounted by how far the gains so far lag behind the ideal ones, where ranks
 * without an ideal gain cost 1 (Buckley 2008, in trec_eval). */
double qn_value_g(const qn_ranking *r, double p)
{
    (void)p;
    double sum = 0, got = 0, cost = 0, ideal = 0;
    for (size_t i = 0; i < r->n_ret; i++) {
        got += gain(r, i);
        cost += fmax(ideal_gain(r, i), 1);
        if (r->grade[i] > 0)
            sum += gain(r, i) / log2(2 + cost - got);
    }
    for (size_t i = 0; i < r->n_gain; i++)
        ideal += ideal_gain(r, i);
    return ratio(sum, ideal);
}

double qn_value_bin_g(const qn_ranking *r, double p)
{
    (void)p;
    double sum = 0;
    size_t above = 0; /* documents above that are not relevant */
    for (size_t i = 0; i < r->n_ret; i++) {
        if (relevant(r, i))
            sum += 1 / log2((double)(2 + above));
        else
            above++;
    }
    return ratio(sum, (double)r->n_rel);
}

static const double PERSISTENCE = 0.9;

/* Gains above 1 are scaled by the topic's highest grade. */
double qn_value_rbp(const qn_ranking *r, double p)
{
    (void)p;
    double sum = 0, weight = 1;
    double scale = fmax(ideal_gain(r, 0), 1);
    for (size_t i = 0; i < r->n_ret; i++) {
        sum += gain(r, i) / scale * weight;
        weight *= PERSISTENCE;
    }
    return (1 - PERSISTENCE) * sum;
}

/* What rbp would gain if every unjudged document had the full gain. */
double qn_value_rbp_resid(const qn_ranking *r, double p)
{
    (void)p;
    double sum = 0, weight = 1;
    bool any = false;
    for (size_t i = 0; i < r->n_ret; i++) {
        if (r->grade[i] < 0) {
            sum += weight;
            any = true;
        }
        weight *= PERSISTENCE;
    }
    return any ? weight + (1 - PERSISTENCE) * sum : 0;
}
