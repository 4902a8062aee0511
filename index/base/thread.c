/* Starting threads: see thread.h. */
#include "index/base/thread.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

bool qn_thread_spawn(pthread_t *thread, void *(*work)(void *), void *argument)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(thread, NULL, work, argument) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

unsigned qn_thread_count(unsigned wanted)
{
    long processors = wanted > 0 ? 1 : sysconf(_SC_NPROCESSORS_ONLN);
    return wanted > 0 ? wanted : processors > 1 ? (unsigned)processors : 1;
}
