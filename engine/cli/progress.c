/* Drawing progress. */
#include "engine/cli/progress.h"

#include "engine/cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const double REDRAW_SECONDS = 0.1;
static const double LINE_SECONDS = 30;

void qn_progress_init(qn_progress *progress, bool quiet)
{
    const char *term = getenv("TERM");
    *progress = (qn_progress){.quiet = quiet, .last = qn_clock()};
    progress->terminal = isatty(STDERR_FILENO) && term != NULL && strcmp(term, "dumb") != 0;
    (void)pthread_mutex_init(&progress->lock, NULL);
}

void qn_progress_free(qn_progress *progress)
{
    qn_progress_clear(progress);
    (void)pthread_mutex_destroy(&progress->lock);
}

/* "50.0 of 200.0 MB", or "5 of 20 queries"; without the total if it is unknown. */
static void put_amount(char room[96], const char *unit, uint64_t done, uint64_t total, bool known)
{
    if (unit == NULL && known)
        (void)snprintf(room, 96, "%.1f of %.1f MB", (double)done * 1e-6, (double)total * 1e-6);
    else if (unit == NULL)
        (void)snprintf(room, 96, "%.1f MB", (double)done * 1e-6);
    else if (known)
        (void)snprintf(room, 96, "%llu of %llu %.32s", (unsigned long long)done,
                       (unsigned long long)total, unit);
    else
        (void)snprintf(room, 96, "%llu %.32s", (unsigned long long)done, unit);
}

void qn_progress_line(char *room, size_t size, const char *phase, const char *label,
                      const char *unit, uint64_t done, uint64_t total, double seconds)
{
    double part = total > 0 && done <= total ? (double)done / (double)total : -1;
    double rate = seconds > 0 ? (double)done / seconds : 0;
    char amount[96], share[16] = "", speed[40], left[40] = "";
    put_amount(amount, unit, done, total, part >= 0);
    if (part >= 0) {
        (void)snprintf(share, sizeof share, "  %.0f %%", part * 100);
        if (seconds >= 2 && part > 0.01 && part < 1)
            (void)snprintf(left, sizeof left, "  %.0f s left", seconds / part - seconds);
    }
    if (unit == NULL)
        (void)snprintf(speed, sizeof speed, "%.1f MB/s", rate * 1e-6);
    else
        (void)snprintf(speed, sizeof speed, "%.0f/s", rate);
    (void)snprintf(room, size, "%s%s%s  %s%s  %s%s", phase, label != NULL ? " " : "",
                   label != NULL ? label : "", amount, share, speed, left);
}

static size_t terminal_columns(void)
{
    struct winsize window;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0)
        return window.ws_col;
    return 80;
}

/* `\r` and the line, cut to the terminal's width, and what was there before wiped behind it. */
static void draw(qn_progress *progress, const char *line)
{
    size_t columns = terminal_columns(), at = 0;
    const char *end = line + strlen(line);
    for (size_t used = 0; line + at < end && used + 1 < columns; used++) {
        size_t len = qn_utf8_length(line + at, end);
        at += len == 0 ? 1 : len;
    }
    qn_output err;
    qn_output_open(&err, STDERR_FILENO, 2);
    qn_text_puts(&err.text, "\r");
    qn_text_clean(&err.text, (quern_span){line, at});
    qn_text_puts(&err.text, "\x1b[K");
    (void)qn_output_close(&err, NULL);
    progress->drawn = true;
}

static void step(qn_progress *progress, const char *phase, uint64_t done, uint64_t total)
{
    double now = qn_clock();
    if (strncmp(progress->phase, phase, sizeof progress->phase - 1) != 0) {
        (void)snprintf(progress->phase, sizeof progress->phase, "%s", phase);
        progress->start = now;
    }
    if (now - progress->last < (progress->terminal ? REDRAW_SECONDS : LINE_SECONDS))
        return;
    progress->last = now;
    char line[512];
    qn_progress_line(line, sizeof line, phase, progress->label, progress->unit, done, total,
                     now - progress->start);
    if (progress->terminal)
        draw(progress, line);
    else
        qn_complain(NULL, "%s", line);
}

bool qn_progress_step(void *arg, const char *phase, uint64_t done, uint64_t total)
{
    qn_progress *progress = arg;
    if (qn_interrupted() != 0)
        return false;
    if (!progress->quiet) {
        (void)pthread_mutex_lock(&progress->lock);
        step(progress, phase, done, total);
        (void)pthread_mutex_unlock(&progress->lock);
    }
    return true;
}

void qn_progress_label(qn_progress *progress, const char *label)
{
    (void)pthread_mutex_lock(&progress->lock);
    progress->label = label;
    progress->start = qn_clock(); /* amounts and rates are those of one file */
    (void)pthread_mutex_unlock(&progress->lock);
}

void qn_progress_clear(qn_progress *progress)
{
    (void)pthread_mutex_lock(&progress->lock);
    if (progress->drawn) {
        static const char WIPE[] = "\r\x1b[K";
        ssize_t ignored = write(STDERR_FILENO, WIPE, sizeof WIPE - 1);
        (void)ignored;
        progress->drawn = false;
    }
    (void)pthread_mutex_unlock(&progress->lock);
}
