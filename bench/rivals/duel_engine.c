/* Engines of bench/duel as processes, with a limit on every wait. */
#include "bench/rivals/duel_engine.h"

#include "index/base/buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* An answer of more bytes is no answer. */
enum { LINE_MAX_BYTES = 1 << 26, READ_BYTES = 1 << 16 };

static const double STOP_SECONDS = 1;

double duel_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return 1e6 * (double)now.tv_sec + 1e-3 * (double)now.tv_nsec;
}

static _Noreturn void fail(const char *what)
{
    (void)fprintf(stderr, "duel: %s: %s\n", what, strerror(errno));
    exit(4);
}

/* ---- starting and stopping ---- */

static void close_on_exec(int fd)
{
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        fail("fcntl");
}

/* Both ends are closed in the engines that are started later: an engine must see the end of its
 * input when this program ends. */
static void make_pipe(int ends[2])
{
    if (pipe(ends) != 0)
        fail("cannot make a pipe");
    close_on_exec(ends[0]);
    close_on_exec(ends[1]);
}

static int errors_file(void)
{
    FILE *file = tmpfile();
    int fd = file != NULL ? dup(fileno(file)) : -1;
    if (fd < 0)
        fail("cannot make a temporary file");
    (void)fclose(file);
    close_on_exec(fd);
    return fd;
}

static _Noreturn void become(const char *command, int in, int out, int errors)
{
    (void)setpgid(0, 0);
    (void)signal(SIGPIPE, SIG_DFL);
    if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
        dup2(errors, STDERR_FILENO) >= 0)
        (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

void duel_start(duel_engine *engine)
{
    int in[2], out[2];
    make_pipe(in);
    make_pipe(out);
    engine->errors = errors_file();
    engine->pid = fork();
    if (engine->pid < 0)
        fail("cannot start a process");
    if (engine->pid == 0)
        become(engine->command, in[0], out[1], engine->errors);
    (void)setpgid(engine->pid, engine->pid); /* whichever of both comes first */
    (void)close(in[0]);
    (void)close(out[1]);
    engine->to = in[1];
    engine->from = out[0];
    engine->len = 0;
    if (fcntl(engine->to, F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(engine->from, F_SETFL, O_NONBLOCK) != 0)
        fail("fcntl");
}

/* Waits until something can be read (or written) or the deadline is over: false. */
static bool wait_for(int fd, short events, double deadline)
{
    for (;;) {
        struct pollfd one = {.fd = fd, .events = events};
        double left = deadline - duel_now();
        int n = left > 0 ? poll(&one, 1, (int)(left / 1e3) + 1) : 0;
        if (n >= 0)
            return n > 0;
        if (errno != EINTR)
            fail("poll");
    }
}

void duel_stop(duel_engine *engine)
{
    char rest[256];
    double deadline = duel_now() + 1e6 * STOP_SECONDS;
    if (engine->pid == 0)
        return;
    (void)close(engine->to);
    /* Its output ends when it does. */
    ssize_t n = 1;
    while (n != 0 && !engine->out && wait_for(engine->from, POLLIN, deadline)) {
        n = read(engine->from, rest, sizeof rest);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            break;
    }
    (void)kill(-engine->pid, SIGKILL);
    while (waitpid(engine->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    (void)close(engine->from);
    (void)close(engine->errors);
    engine->pid = 0;
}

void duel_free(duel_engine *engine)
{
    duel_stop(engine);
    free(engine->line);
    engine->line = NULL;
    engine->room = 0;
}

/* ---- asking ---- */

/* The last line that it wrote on standard error. */
static void tell_last_error(const duel_engine *engine)
{
    char text[512];
    off_t size = lseek(engine->errors, 0, SEEK_END);
    off_t from = size < (off_t)sizeof text ? 0 : size - (off_t)sizeof text;
    ssize_t n = pread(engine->errors, text, sizeof text - 1, from);
    while (n > 0 && text[n - 1] == '\n')
        n--;
    if (n <= 0)
        return;
    text[n] = '\0';
    const char *line = strrchr(text, '\n');
    (void)fprintf(stderr, "duel: %s said: %s\n", engine->name, line != NULL ? line + 1 : text);
}

void duel_put_out(duel_engine *engine, const char *why, const char *command, const char *query)
{
    (void)fprintf(stderr, "duel: %s %s: left out from %s of '%s' on\n", engine->name, why, command,
                  query);
    tell_last_error(engine);
    engine->out = true;
    duel_stop(engine);
}

/* Writes all; NULL, or why that failed. */
static const char *put(duel_engine *engine, const char *text, size_t len, double deadline)
{
    while (len > 0) {
        ssize_t n = write(engine->to, text, len);
        if (n >= 0) {
            text += n;
            len -= (size_t)n;
        } else if (errno == EPIPE) {
            return "has ended";
        } else if (errno != EAGAIN && errno != EINTR) {
            return "cannot be written to";
        } else if (!wait_for(engine->to, POLLOUT, deadline)) {
            return "does not read";
        }
    }
    return NULL;
}

/* Reads what there is. NULL if it was anything, or would have to be waited for. */
static const char *take(duel_engine *engine)
{
    void *array = engine->line;
    if (engine->len > LINE_MAX_BYTES ||
        !qn_array_grow(&array, &engine->room, engine->len + READ_BYTES, 1))
        return "answers with an endless line";
    engine->line = array;
    ssize_t n = read(engine->from, engine->line + engine->len, READ_BYTES);
    if (n == 0)
        return "has ended";
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? NULL : "cannot be read from";
    engine->len += (size_t)n;
    return NULL;
}

/* Reads up to the end of a line, which is made the end of a string. */
static const char *take_line(duel_engine *engine, double deadline)
{
    for (size_t looked = 0;;) {
        if (!wait_for(engine->from, POLLIN, deadline))
            return "does not answer in time";
        const char *why = take(engine);
        if (why != NULL)
            return why;
        char *end =
            engine->len > looked ? memchr(engine->line + looked, '\n', engine->len - looked) : NULL;
        looked = engine->len;
        if (end == NULL)
            continue;
        if (end + 1 != engine->line + engine->len)
            return "answers with more than a line";
        *end = '\0';
        if (end > engine->line && end[-1] == '\r')
            end[-1] = '\0';
        return strlen(engine->line) + 1 < engine->len - 1 ? "answers with a byte 0" : NULL;
    }
}

bool duel_ask(duel_engine *engine, const char *command, const char *query, const char **answer,
              double *us)
{
    size_t room = strlen(command) + strlen(query) + 3;
    char *text = malloc(room);
    if (text == NULL)
        fail("out of memory");
    int len = snprintf(text, room, "%s\t%s\n", command, query);
    engine->len = 0;
    const char *why = take(engine);
    if (why == NULL && engine->len > 0)
        why = "writes without being asked";
    double start = duel_now();
    if (why == NULL)
        why = put(engine, text, (size_t)len, start + 1e6 * engine->limit);
    if (why == NULL)
        why = take_line(engine, start + 1e6 * engine->limit);
    *us = duel_now() - start;
    *answer = engine->line;
    free(text);
    if (why != NULL)
        duel_put_out(engine, why, command, query);
    return why == NULL;
}
