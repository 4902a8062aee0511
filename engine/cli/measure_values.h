/* The formulas of the measures: each maps a topic's ranking (and a parameter, where the family has
 * one) to a figure. Families without a parameter ignore it. */
#ifndef QN_CLI_MEASURE_VALUES_H
#define QN_CLI_MEASURE_VALUES_H

#include "engine/cli/ranking.h"

typedef double (*qn_value_fn)(const qn_ranking *ranking, double parameter);

/* Counts. */
double qn_value_one(const qn_ranking *r, double p);
double qn_value_num_ret(const qn_ranking *r, double p);
double qn_value_num_rel(const qn_ranking *r, double p);
double qn_value_num_rel_ret(const qn_ranking *r, double p);
double qn_value_num_nonrel_judged_ret(const qn_ranking *r, double p);

/* Average precision and its kin. */
double qn_value_ap(const qn_ranking *r, double p);
double qn_value_ap_cut(const qn_ranking *r, double cutoff);
double qn_value_yaap(const qn_ranking *r, double p);  /* Robertson 2012 */
double qn_value_infap(const qn_ranking *r, double p); /* Yilmaz and Aslam 2006 */
double qn_value_recip_rank(const qn_ranking *r, double p);
double qn_value_bpref(const qn_ranking *r, double p); /* Buckley and Voorhees 2004 */

/* Precision and recall. */
double qn_value_p(const qn_ranking *r, double cutoff);
double qn_value_recall(const qn_ranking *r, double cutoff);
double qn_value_relative_p(const qn_ranking *r, double cutoff);
double qn_value_success(const qn_ranking *r, double cutoff);
double qn_value_unjudged(const qn_ranking *r, double cutoff);
double qn_value_rprec(const qn_ranking *r, double p);
double qn_value_rprec_mult(const qn_ranking *r, double multiple);
double qn_value_iprec(const qn_ranking *r, double recall);
double qn_value_iprec_11pt(const qn_ranking *r, double p);

/* The answers as a set. */
double qn_value_set_p(const qn_ranking *r, double p);
double qn_value_set_recall(const qn_ranking *r, double p);
double qn_value_set_relative_p(const qn_ranking *r, double p);
double qn_value_set_map(const qn_ranking *r, double p);
double qn_value_set_f(const qn_ranking *r, double p);
double qn_value_utility(const qn_ranking *r, double p);

/* Gains, which are the grades. */
double qn_value_ndcg(const qn_ranking *r, double p); /* Jarvelin and Kekalainen 2002 */
double qn_value_ndcg_cut(const qn_ranking *r, double cutoff);
double qn_value_ndcg_rel(const qn_ranking *r, double p);
double qn_value_rndcg(const qn_ranking *r, double p);
double qn_value_g(const qn_ranking *r, double p);
double qn_value_bin_g(const qn_ranking *r, double p);
double qn_value_rbp(const qn_ranking *r, double p); /* Moffat and Zobel 2008, persistence 0.9 */
double qn_value_rbp_resid(const qn_ranking *r, double p);

#endif
