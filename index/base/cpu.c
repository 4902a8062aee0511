/* Detection of instruction sets by the compiler's own cpuid support. */
#include "index/base/cpu.h"

#include <stdlib.h>
#include <string.h>

qn_cpu qn_cpu_machine(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi") ||
        !__builtin_cpu_supports("bmi2") || !__builtin_cpu_supports("popcnt"))
        return QN_CPU_SCALAR;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl") ||
        !__builtin_cpu_supports("avx512vbmi") || !__builtin_cpu_supports("avx512vbmi2") ||
        !__builtin_cpu_supports("avx512vpopcntdq"))
        return QN_CPU_AVX2;
    return QN_CPU_AVX512;
#else
    return QN_CPU_SCALAR;
#endif
}

qn_cpu qn_cpu_detect(void)
{
    qn_cpu best = qn_cpu_machine();
    const char *wanted = getenv("QUERN_CPU");
    if (wanted == NULL)
        return best;
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu < best; cpu++)
        if (strcmp(wanted, qn_cpu_name(cpu)) == 0)
            return cpu;
    return best;
}

const char *qn_cpu_name(qn_cpu cpu)
{
    switch (cpu) {
    case QN_CPU_SCALAR:
        return "scalar";
    case QN_CPU_AVX2:
        return "avx2";
    case QN_CPU_AVX512:
        return "avx512";
    }
    return "unknown";
}
