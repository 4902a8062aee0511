/*
 * The files below a directory, in the byte order of their paths relative to it, whatever the file
 * system's own order is. Hidden entries are skipped; symbolic links to files are followed, those to
 * directories are not, so that no walk can loop. Of other kinds (pipes, sockets, devices) nothing
 * is told. One directory of each level is held in memory, none is held open.
 */
#ifndef QN_BUILD_SOURCE_WALK_H
#define QN_BUILD_SOURCE_WALK_H

#include "index/build/source.h"

typedef struct qn_walk qn_walk;

/* Starts a walk of the directory `path`. QUERN_E_IO, QUERN_E_MEMORY. */
quern_status qn_walk_open(qn_walk **out, const char *path, quern_error *error);

/*
 * Opens the next file for reading. `*path` (with the directory's in front) is valid while the walk
 * lives, `*relative` points into it; both are set with QUERN_E_INPUT as well. QUERN_OK; QUERN_END;
 * QUERN_E_INPUT: a file or directory that cannot be read, named in the error - call again to go on;
 * QUERN_E_MEMORY.
 */
quern_status qn_walk_next(qn_walk *walk, int *fd, const char **path, const char **relative,
                          quern_error *error);

/* Accepts NULL. Does not close descriptors given out. */
void qn_walk_free(qn_walk *walk);

#endif
