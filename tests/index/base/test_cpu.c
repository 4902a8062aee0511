/* Detection and QUERN_CPU, which lowers the level but never raises it. */
#define _DEFAULT_SOURCE
#include "index/base/cpu.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(cpu, names)
{
    cr_assert_str_eq(qn_cpu_name(QN_CPU_SCALAR), "scalar");
    cr_assert_str_eq(qn_cpu_name(QN_CPU_AVX2), "avx2");
    cr_assert_str_eq(qn_cpu_name(QN_CPU_AVX512), "avx512");
    cr_assert_str_eq(qn_cpu_name((qn_cpu)77), "unknown");
}

Test(cpu, the_environment_lowers_the_level)
{
    qn_cpu machine = qn_cpu_machine();
    unsetenv("QUERN_CPU");
    cr_assert_eq(qn_cpu_detect(), machine);
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= QN_CPU_AVX512; cpu++) {
        setenv("QUERN_CPU", qn_cpu_name(cpu), 1);
        cr_assert_eq(qn_cpu_detect(), cpu < machine ? cpu : machine);
        cr_assert_eq(qn_cpu_machine(), machine);
    }
    static const char *const others[] = {"", "AVX2", "avx", "avx2 ", "avx1024", "0", "unknown"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        setenv("QUERN_CPU", others[i], 1);
        cr_assert_eq(qn_cpu_detect(), machine, "%s", others[i]);
    }
}
