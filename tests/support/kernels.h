/* What tests of evaluators' inner loops share: random input, and memory that ends where it ends. */
#ifndef QN_TESTS_KERNELS_H
#define QN_TESTS_KERNELS_H

#include "query/eval_kernels.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <sys/mman.h>
#include <unistd.h>

static inline const qn_eval_kernels *level(qn_cpu cpu)
{
    return qn_eval_kernels_for(cpu);
}

/* `len` bytes that end where memory ends. */
static inline uint8_t *before_guard(size_t len)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (len + page - 1) / page * page;
    uint8_t *all =
        mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq((void *)all, MAP_FAILED);
    cr_assert_eq(mprotect(all + room, page, PROT_NONE), 0);
    return all + room - len;
}

static inline void fill_bytes(uint8_t *bytes, size_t n, test_random *random)
{
    unsigned mode = test_below(random, 4);
    for (size_t i = 0; i < n; i++) {
        uint64_t value = test_next(random);
        bytes[i] = mode == 0   ? 0
                   : mode == 1 ? (uint8_t)(value % 3 == 0 ? 0 : value >> 8)
                   : mode == 2 ? (uint8_t)(value | 0xF0)
                               : (uint8_t)(value % 5);
    }
}

static inline uint64_t draw_live(test_random *random)
{
    switch (test_below(random, 4)) {
    case 0:
        return ~(uint64_t)0;
    case 1:
        return (uint64_t)1 << test_below(random, 64);
    case 2:
        return test_next(random) & test_next(random) & test_next(random);
    default:
        return test_next(random);
    }
}

/* What a range's bound adds to a sum. */
static inline uint16_t scaled(uint8_t max, uint16_t factor)
{
    return (uint16_t)(max == 0 ? 0 : max * (uint32_t)factor / 256 + 1);
}

#endif
