/* The probe list: folded words whose stems tell one stemmer from another. */
#ifndef QN_TEXT_PROBE_H
#define QN_TEXT_PROBE_H

#include <stddef.h>

/* Words of the languages that libstemmer knows, with the endings that their algorithms work on;
 * NULL-terminated. Part of the meaning of every index: never changes. */
extern const char *const qn_probe_words[];

#endif
