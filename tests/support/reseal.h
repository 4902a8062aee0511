/* Forging segment files: after a test has changed bytes of a container, its checksums are made
 * right again, so that the readers behind the checksums meet the change. */
#ifndef QN_TESTS_RESEAL_H
#define QN_TESTS_RESEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Recomputes page sums, the sums' own checksum and the header page's of a container file in
 * bytes[0..len). Where the header's numbers make the sums unreachable only the header is resealed;
 * false (nothing done) if there is no whole header page. */
bool test_reseal(uint8_t *bytes, size_t len);

/* A section's place in the container file; false if it is not there. */
bool test_section(const uint8_t *bytes, size_t len, uint32_t kind, size_t *offset,
                  size_t *section_len);

#endif
