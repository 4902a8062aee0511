/* Errors: what is filled, what is cut, what a missing error struct means. */
#include "index/base/status.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

Test(status, fail_fills_the_error)
{
    quern_error error = {.sys_errno = 9, .position = 9};
    cr_assert_eq(qn_fail(&error, QUERN_E_INPUT, "line %d of %s", 7, "x"), QUERN_E_INPUT);
    cr_assert_eq(error.status, QUERN_E_INPUT);
    cr_assert_eq(error.sys_errno, 0);
    cr_assert_eq(error.position, 0);
    cr_assert_str_eq(error.message, "line 7 of x");
    cr_assert_eq(qn_fail_at(&error, QUERN_E_DAMAGED, 1234567890123, "bad"), QUERN_E_DAMAGED);
    cr_assert_eq(error.position, 1234567890123);
    cr_assert_eq(qn_fail_memory(&error), QUERN_E_MEMORY);
    cr_assert_str_eq(error.message, "out of memory");
}

Test(status, error_may_be_null)
{
    cr_assert_eq(qn_fail(NULL, QUERN_E_INPUT, "%s", "x"), QUERN_E_INPUT);
    cr_assert_eq(qn_fail_at(NULL, QUERN_E_VERSION, 1, "x"), QUERN_E_VERSION);
    cr_assert_eq(qn_fail_sys(NULL, ENOSPC, "write", "x"), QUERN_E_SPACE);
    cr_assert_eq(qn_fail_memory(NULL), QUERN_E_MEMORY);
}

Test(status, system_errors_are_sorted)
{
    quern_error error = {0};
    cr_assert_eq(qn_fail_sys(&error, ENOENT, "open", "a/b"), QUERN_E_IO);
    cr_assert_eq(error.sys_errno, ENOENT);
    cr_assert_eq(error.status, QUERN_E_IO);
    cr_assert_str_eq(error.message, "cannot open a/b: No such file or directory");
    cr_assert_eq(qn_fail_sys(&error, ENOSPC, "write", "a"), QUERN_E_SPACE);
    cr_assert_eq(qn_fail_sys(&error, EDQUOT, "write", "a"), QUERN_E_SPACE);
    cr_assert_eq(qn_fail_sys(&error, ENOMEM, "map", "a"), QUERN_E_MEMORY);
    cr_assert_eq(qn_fail_sys(&error, 99999, "do", "a"), QUERN_E_IO);
    cr_assert_not_null(strstr(error.message, "99999"), "%s", error.message);
}

Test(status, long_messages_are_cut)
{
    char path[2000];
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    quern_error error;
    (void)qn_fail_sys(&error, EIO, "read", path);
    cr_assert_eq(strlen(error.message), sizeof error.message - 1);
}

Test(status, every_code_has_a_name)
{
    static const quern_status all[] = {
        QUERN_OK,          QUERN_END,      QUERN_NOT_FOUND, QUERN_E_ARGUMENT, QUERN_E_INPUT,
        QUERN_E_DUPLICATE, QUERN_E_EXISTS, QUERN_E_DAMAGED, QUERN_E_VERSION,  QUERN_E_ANALYZER,
        QUERN_E_IO,        QUERN_E_SPACE,  QUERN_E_MEMORY,  QUERN_E_LOCKED,   QUERN_E_CANCELLED};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        cr_assert_str_neq(quern_status_text(all[i]), "unknown status");
        for (size_t j = 0; j < i; j++)
            cr_assert_str_neq(quern_status_text(all[i]), quern_status_text(all[j]));
    }
    cr_assert_str_eq(quern_status_text((quern_status)12345), "unknown status");
}
