/* Signals of the program: how it ends when asked to, and when an index file is cut off under it. */
#include "engine/cli/cli.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/* All that is global in the program. */
static volatile sig_atomic_t stop_signal;
static volatile sig_atomic_t caught;

static void on_stop(int number)
{
    if (!caught || stop_signal != 0)
        _exit(128 + number);
    stop_signal = number;
}

/* A page of a mapped file that is no longer there: somebody truncated the file. */
static void on_bus(int number)
{
    static const char MESSAGE[] =
        "quern: an index file was cut off while it was being read (--no-mmap avoids this)\n";
    static atomic_flag said = ATOMIC_FLAG_INIT;
    (void)number;
    while (atomic_flag_test_and_set(&said)) /* another thread met it too: it ends the process */
        (void)pause();
    ssize_t ignored = write(STDERR_FILENO, MESSAGE, sizeof MESSAGE - 1);
    (void)ignored;
    _exit(QN_EXIT_DAMAGED);
}

static void handle(int number, void (*handler)(int))
{
    struct sigaction action = {0};
    action.sa_handler = handler;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(number, &action, NULL);
}

/* A signal that was ignored when the program started (nohup) stays ignored. */
static void handle_stop(int number)
{
    struct sigaction before;
    if (sigaction(number, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        handle(number, on_stop);
}

void qn_signals_install(void)
{
    handle(SIGPIPE, SIG_IGN);
    handle(SIGXFSZ, SIG_IGN); /* the write fails with EFBIG instead, and the index is left whole */
    handle(SIGBUS, on_bus);
    handle_stop(SIGINT);
    handle_stop(SIGTERM);
    handle_stop(SIGHUP);
}

void qn_signals_catch(void)
{
    caught = 1;
}

int qn_interrupted(void)
{
    return stop_signal == 0 ? 0 : 128 + stop_signal;
}

bool qn_thread_start(pthread_t *thread, void *(*work)(void *), void *argument)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)sigdelset(&all, SIGBUS);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(thread, NULL, work, argument) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}
