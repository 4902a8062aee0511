/* Sums of tf of a block by its codes, at every level; and what lookups in whole lists find. */
#include "query/eval_kernels.h"

#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <string.h>

Test(phrase_sums, codes_of_a_block_are_summed)
{
    test_random random = 5;
    for (unsigned round = 0; round < 2000; round++) {
        uint8_t codes[64 + 64], table[16];
        for (size_t i = 0; i < sizeof codes; i++)
            codes[i] = (uint8_t)test_next(&random);
        for (size_t i = 0; i < 16; i++)
            table[i] = (uint8_t)(round % 2 == 0 ? test_below(&random, 8) : test_next(&random));
        table[test_below(&random, 16)] = 255;
        uint32_t n = 1 + test_below(&random, 128), at = test_below(&random, n);
        qn_code_sums expected = {0}, sums;
        for (uint32_t i = 0; i < n; i++) {
            uint8_t value = table[codes[i / 2] >> (i % 2 * 4) & 15];
            *(value == 255 ? &expected.n_unknown : &expected.total) += value == 255 ? 1 : value;
            if (i < at)
                *(value == 255 ? &expected.n_unknown_before : &expected.before) +=
                    value == 255 ? 1 : value;
        }
        for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
            qn_eval_kernels_for(cpu)->sum_codes(codes, n, at, table, &sums);
            cr_assert_eq(memcmp(&sums, &expected, sizeof sums), 0, "%s, n %u, at %u",
                         qn_cpu_name(cpu), n, at);
        }
    }
}

Test(phrase_sums, documents_are_found_in_a_bitmap)
{
    test_random random = 6;
    enum { DOCS = 8192 };
    uint8_t bitmap[DOCS / 8], ranks[DOCS / 512 * 4];
    uint32_t below[DOCS], df = 0;
    bool has[DOCS];
    memset(bitmap, 0, sizeof bitmap);
    for (uint32_t doc = 0; doc < DOCS; doc++) {
        if (doc % 512 == 0)
            memcpy(ranks + doc / 512 * 4, &df, 4);
        below[doc] = df;
        has[doc] = test_below(&random, 3) == 0;
        df += has[doc];
        bitmap[doc / 8] = (uint8_t)(bitmap[doc / 8] | has[doc] << doc % 8);
    }
    for (unsigned round = 0; round < 500; round++) {
        uint32_t docs[64], n = 1 + test_below(&random, 64), postings[64];
        for (uint32_t i = 0, doc = 0; i < n; i++, doc += 1 + test_below(&random, DOCS / 64 - 1))
            docs[i] = doc;
        for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
            const qn_eval_kernels *kernels = qn_eval_kernels_for(cpu);
            uint64_t found = kernels->find_mapped(bitmap, docs, n);
            kernels->rank_mapped(bitmap, ranks, df, docs, n, postings);
            for (uint32_t i = 0; i < n; i++)
                cr_assert((found >> i & 1) == has[docs[i]] && postings[i] == below[docs[i]]);
            /* Forged ranks pass no bound. */
            kernels->rank_mapped(bitmap, ranks, 7, docs, n, postings);
            for (uint32_t i = 0; i < n; i++)
                cr_assert_leq(postings[i], 7u);
        }
    }
}
