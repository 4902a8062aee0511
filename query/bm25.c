/* BM25's weights: see bm25.h. */
#include "query/bm25.h"

#include <math.h>

double qn_bm25_idf(uint64_t n_docs, uint64_t df)
{
    if (df > n_docs)
        df = n_docs;
    return log(1.0 + ((double)(n_docs - df) + 0.5) / ((double)df + 0.5));
}

float qn_bm25_weight(double idf, uint32_t qtf)
{
    return (float)(idf * (double)qtf);
}
