/* Threads of the library. */
#ifndef QN_BASE_THREAD_H
#define QN_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Starts a thread that takes no signal: signals are the program's business. False where the system
 * starts none. */
bool qn_thread_spawn(pthread_t *thread, void *(*work)(void *), void *argument);

/* `wanted`, or of 0 one per processor; at least 1. */
unsigned qn_thread_count(unsigned wanted);

#endif
