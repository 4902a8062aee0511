/* For tests of kernels: memory between two pages that may not be touched, levels to run at, and
 * deterministic random numbers. A file that includes it first defines _DEFAULT_SOURCE. */
#ifndef QN_TESTS_CODEC_GUARD_H
#define QN_TESTS_CODEC_GUARD_H

#include "index/base/cpu.h"
#include "tests/support/random.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { GUARD_PAGE = 4096, GUARD_PAGES = 4, GUARD_BYTES = GUARD_PAGE * GUARD_PAGES };

/* GUARD_BYTES bytes; a touch of the byte before or after them is a segmentation fault. */
typedef struct guarded {
    uint8_t *start, *end;
} guarded;

static inline guarded guard_new(void)
{
    uint8_t *all =
        mmap(NULL, GUARD_BYTES + 2 * GUARD_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert(all != MAP_FAILED);
    guarded g = {.start = all + GUARD_PAGE, .end = all + GUARD_PAGE + GUARD_BYTES};
    cr_assert_eq(mprotect(g.start, GUARD_BYTES, PROT_READ | PROT_WRITE), 0);
    return g;
}

static inline void guard_free(guarded g)
{
    (void)munmap(g.start - GUARD_PAGE, GUARD_BYTES + 2 * GUARD_PAGE);
}

/* Whether the machine has the level; says so if not. */
static inline int level_here(qn_cpu cpu)
{
    if (cpu <= qn_cpu_machine())
        return 1;
    printf("skipped: this machine lacks %s\n", qn_cpu_name(cpu));
    return 0;
}

#endif
