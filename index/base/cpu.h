/* Which instruction sets the kernels may use. Nothing is cached: the caller detects once, when it
 * opens an index or starts a build, and keeps the tables of kernels that follow from it. */
#ifndef QN_BASE_CPU_H
#define QN_BASE_CPU_H

typedef enum qn_cpu {
    QN_CPU_SCALAR = 0, /* portable C */
    QN_CPU_AVX2 = 1,   /* AVX2, BMI1, BMI2, POPCNT */
    /* AVX2 level and AVX-512 F, BW, DQ, VL, VBMI, VBMI2, VPOPCNTDQ (Ice Lake, Zen 4) */
    QN_CPU_AVX512 = 2
} qn_cpu;

/* The best level of this machine, lowered by the environment variable QUERN_CPU
 * (scalar|avx2|avx512; anything else, or a higher level, changes nothing). Any thread. */
qn_cpu qn_cpu_detect(void);

/* The best level of this machine, whatever the environment says. */
qn_cpu qn_cpu_machine(void);

/* "scalar", "avx2", "avx512". */
const char *qn_cpu_name(qn_cpu cpu);

#endif
