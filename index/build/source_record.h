/* What the readers of all formats share: how a malformed record is named, and what an id may be. */
#ifndef QN_BUILD_SOURCE_RECORD_H
#define QN_BUILD_SOURCE_RECORD_H

#include "index/build/source.h"

/* Ids are 1 to this many bytes. */
#define QN_ID_MAX 4096u

/* Fills `error` with "file:line: reason" ("file: reason" where the place has no line), the line as
 * its position, and returns QUERN_E_INPUT. Of a very long path only the end is named, so that the
 * reason is never cut off. */
__attribute__((format(printf, 3, 4))) quern_status
qn_record_malformed(quern_error *error, const qn_place *place, const char *format, ...);

/* The same for a file or directory that cannot be read, with the reason of `sys_errno`. */
quern_status qn_record_unreadable(quern_error *error, const qn_place *place, int sys_errno);

/* QUERN_OK, or QUERN_E_INPUT for an id that is empty, over QN_ID_MAX bytes or holds a NUL byte. */
quern_status qn_record_check_id(quern_span id, const qn_place *place, quern_error *error);

#endif
