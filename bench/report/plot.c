/* Plots as SVG: see plot.h. All lengths are in the drawing's own units, WIDTH of them across. */
#include "bench/report/plot.h"

#include "bench/report/results.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { WIDTH = 760, RIGHT = 24, LETTER = 7, TICKS_MAX = 64 };

/* ---- numbers ---- */

static void three_digits(char *to, size_t room, double value)
{
    double size = fabs(value);
    int decimals = size >= 99.95 || value == 0 ? 0 : size >= 9.995 ? 1 : 2;
    if (size < 0.1 && size > 0)
        decimals = 3;
    (void)snprintf(to, room, "%.*f", decimals, value);
    if (strchr(to, '.') != NULL) { /* 1.50 is 1.5, 2.00 is 2 */
        size_t len = strlen(to);
        while (to[len - 1] == '0')
            to[--len] = '\0';
        if (to[len - 1] == '.')
            to[--len] = '\0';
    }
}

/* With the largest of 1, k, M, G that leaves 1 or more. */
static void scaled(char *to, size_t room, double value, const char *unit)
{
    static const char *const prefix[] = {"", "k", "M", "G", "T"};
    char digits[32];
    unsigned i = 0;
    while (fabs(value) >= 999.5 && i + 1 < sizeof prefix / sizeof prefix[0]) {
        value /= 1000;
        i++;
    }
    three_digits(digits, sizeof digits, value);
    bool bare = prefix[i][0] == '\0' && unit[0] == '\0';
    (void)snprintf(to, room, "%s%s%s%s", digits, bare ? "" : " ", prefix[i], unit);
}

const char *plot_number(char *to, size_t room, double value, plot_unit unit)
{
    char digits[32];
    switch (unit) {
    case PLOT_US: {
        double of = value < 999.5 ? 1 : value < 999.5e3 ? 1e3 : 1e6;
        three_digits(digits, sizeof digits, value / of);
        (void)snprintf(to, room, "%s %s", digits, of == 1 ? "\u00b5s" : of == 1e3 ? "ms" : "s");
        break;
    }
    case PLOT_BYTES:
        scaled(to, room, value, "B");
        break;
    case PLOT_BYTES_PER_S:
        scaled(to, room, value, "B/s");
        break;
    case PLOT_PER_S:
        scaled(to, room, value, "/s");
        break;
    case PLOT_MB_PER_S:
        scaled(to, room, value * 1e6, "B/s");
        break;
    case PLOT_SHARE:
        three_digits(digits, sizeof digits, value * 100);
        (void)snprintf(to, room, "%s %%", digits);
        break;
    case PLOT_TIMES:
        three_digits(to, room, value);
        break;
    case PLOT_PLAIN:
        scaled(to, room, value, "");
        break;
    }
    return to;
}

/* ---- scales ---- */

typedef struct scale {
    plot_axis axis;
    double low, high; /* of values, or of their logarithms */
    double from, to;  /* where these lie */
    double tick[TICKS_MAX];
    size_t n_ticks;
} scale;

static double at(const scale *s, double value)
{
    double v = s->axis.log ? log10(fmax(value, DBL_MIN)) : value;
    v = fmin(fmax(v, s->low), s->high);
    return s->from + (v - s->low) / (s->high - s->low) * (s->to - s->from);
}

static void add_tick(scale *s, double value)
{
    if (s->n_ticks < TICKS_MAX)
        s->tick[s->n_ticks++] = value;
}

/* Powers of ten, and 2 and 5 times these where there are few. */
static void log_ticks(scale *s)
{
    double span = s->high - s->low;
    for (int e = (int)floor(s->low) - 1; e <= (int)ceil(s->high); e++) {
        static const double factor[] = {1, 2, 5};
        for (size_t i = 0; i < (span <= 2.5 ? 3 : 1); i++) {
            double l = log10(factor[i]) + e;
            if (l >= s->low - 1e-9 && l <= s->high + 1e-9)
                add_tick(s, factor[i] * pow(10, e));
        }
    }
}

static void linear_ticks(scale *s)
{
    double step = pow(10, floor(log10((s->high - s->low) / 4)));
    while ((s->high - s->low) / step > 6)
        step *= (s->high - s->low) / step > 12 ? 5 : 2;
    if (s->axis.unit == PLOT_PLAIN) /* of things that are counted */
        step = fmax(step, 1);
    for (unsigned i = 0; (double)i * step <= s->high * (1 + 1e-9); i++)
        add_tick(s, (double)i * step);
}

/* A scale for values from least to greatest, of which it is given the extremes. */
static scale scale_for(plot_axis axis, double least, double greatest, double from, double to)
{
    scale s = {.axis = axis, .from = from, .to = to};
    if (axis.log) {
        least = least > 0 && isfinite(least) ? least : 1;
        greatest = greatest > least ? greatest : least * 10;
        double room = log10(greatest / least) * 0.03;
        s.low = log10(least) - room;
        s.high = log10(greatest) + room;
        log_ticks(&s);
    } else {
        s.low = 0;
        s.high = greatest > 0 && isfinite(greatest) ? greatest * 1.04 : 1;
        linear_ticks(&s);
    }
    return s;
}

/* ---- pieces ---- */

static void open_svg(FILE *out, const char *title, double height)
{
    (void)fputs("<figure><figcaption>", out);
    result_put_html(out, title);
    (void)fprintf(out, "</figcaption>\n<svg viewBox=\"0 0 %d %.0f\" role=\"img\" aria-label=\"",
                  WIDTH, height);
    result_put_html(out, title);
    (void)fputs("\">\n", out);
}

static void close_svg(FILE *out)
{
    (void)fputs("</svg></figure>\n", out);
}

static void put_text(FILE *out, double x, double y, const char *anchor, const char *class,
                     const char *text)
{
    (void)fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\">", x, y, anchor,
                  class);
    result_put_html(out, text);
    (void)fputs("</text>\n", out);
}

static void put_line(FILE *out, double x1, double y1, double x2, double y2, const char *class)
{
    (void)fprintf(out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n", x1,
                  y1, x2, y2, class);
}

/* What is shown where the pointer rests. */
static void put_hint(FILE *out, const char *label, double value, double low, double high,
                     plot_unit unit)
{
    char number[3][48];
    (void)fputs("<title>", out);
    result_put_html(out, label);
    (void)fprintf(out, ": %s", plot_number(number[0], sizeof number[0], value, unit));
    if (low < value || high > value)
        (void)fprintf(out, " (%s to %s)", plot_number(number[1], sizeof number[1], low, unit),
                      plot_number(number[2], sizeof number[2], high, unit));
    (void)fputs("</title>", out);
}

/* The axis that runs across, with lines up to `top`. */
static void put_across(FILE *out, const scale *s, double top, double bottom)
{
    char number[48];
    for (size_t i = 0; i < s->n_ticks; i++) {
        double x = at(s, s->tick[i]);
        put_line(out, x, top, x, bottom, "grid");
        put_text(out, x, bottom + 16, "middle", "tick",
                 plot_number(number, sizeof number, s->tick[i], s->axis.unit));
    }
    put_text(out, (s->from + s->to) / 2, bottom + 34, "middle", "tick", s->axis.title);
}

/* What the axis takes below the drawing. */
static double below(const plot_axis *axis)
{
    return axis->title[0] != '\0' ? 44 : 26;
}

static double text_width(const char *text)
{
    return (double)strlen(text) * LETTER;
}

typedef struct legend_entry {
    const char *name;
    unsigned colour;
    bool line, dashed;
} legend_entry;

static void put_swatch(FILE *out, const legend_entry *e, double x, double y)
{
    if (e->line)
        (void)fprintf(out, "<path class=\"l%u%s\" d=\"M%.1f %.1fh18\"/>\n",
                      e->colour % PLOT_COLOURS, e->dashed ? " dashed" : "", x - 3, y - 4);
    else
        (void)fprintf(out,
                      "<rect x=\"%.1f\" y=\"%.1f\" width=\"12\" height=\"12\" rx=\"2\" "
                      "class=\"c%u%s\"/>\n",
                      x, y - 10, e->colour % PLOT_COLOURS, e->colour < PLOT_COLOURS ? "" : " pale");
}

/* Names with their colours, in rows; returns the height of all. `out` may be NULL. */
static double legend(FILE *out, const legend_entry *entries, size_t n)
{
    double x = 8, y = 14;
    for (size_t i = 0; i < n; i++) {
        double wide = text_width(entries[i].name) + 34;
        if (x + wide > WIDTH && x > 8) {
            x = 8;
            y += 20;
        }
        if (out != NULL) {
            put_swatch(out, &entries[i], x, y);
            put_text(out, x + 18, y, "start", "label", entries[i].name);
        }
        x += wide;
    }
    return y + 12;
}

/* ---- bars and dots ---- */

static bool starts_group(const plot_mark *marks, size_t i)
{
    return marks[i].group != NULL && (i == 0 || marks[i - 1].group == NULL ||
                                      strcmp(marks[i].group, marks[i - 1].group) != 0);
}

static void put_whisker(FILE *out, const scale *s, const plot_mark *m, double y)
{
    double low = at(s, m->low), high = at(s, m->high);
    if (high - low < 1)
        return;
    put_line(out, low, y, high, y, "whisker");
    put_line(out, low, y - 3, low, y + 3, "whisker");
    put_line(out, high, y - 3, high, y + 3, "whisker");
}

/* Where the value is written: behind the mark, and behind a line at `line` (NAN: none) that would
 * cross it. */
static double value_at(const scale *s, const plot_mark *m, double line, const char *text)
{
    double x = fmax(at(s, m->value), at(s, m->high)) + 8;
    return line > x - 4 && line < x + text_width(text) ? line + 6 : x;
}

static void put_mark(FILE *out, const scale *s, const plot_mark *m, double y, double line)
{
    char number[48], text[160];
    double x = at(s, m->value);
    put_text(out, s->from - 8, y + 4, "end", "label", m->label);
    (void)fputs("<g>", out);
    put_hint(out, m->label, m->value, m->low, m->high, s->axis.unit);
    if (s->axis.log) {
        put_line(out, s->from, y, x, y, "grid");
        (void)fprintf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"5\" class=\"c%u\"/>", x, y,
                      m->colour % PLOT_COLOURS);
    } else {
        (void)fprintf(out,
                      "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"14\" rx=\"2\" "
                      "class=\"c%u\"/>",
                      s->from, y - 7, fmax(x - s->from, 0.5), m->colour % PLOT_COLOURS);
    }
    put_whisker(out, s, m, y);
    (void)snprintf(text, sizeof text, "%s%s%s",
                   plot_number(number, sizeof number, m->value, s->axis.unit),
                   m->note != NULL ? "  " : "", m->note != NULL ? m->note : "");
    put_text(out, value_at(s, m, line, text), y + 4, "start", "value", text);
    (void)fputs("</g>\n", out);
}

void plot_marks(FILE *out, const char *title, plot_axis axis, const plot_mark *marks, size_t n,
                double line)
{
    enum { ROW = 22, GROUP = 26, TOP = 6 };
    double least = isnan(line) ? INFINITY : line, greatest = isnan(line) ? 0 : line, left = 60;
    double height = TOP, notes = 70;
    for (size_t i = 0; i < n; i++) {
        least = fmin(least, marks[i].low);
        greatest = fmax(greatest, marks[i].high);
        left = fmax(left, text_width(marks[i].label) + 16);
        notes = fmax(notes, marks[i].note != NULL ? text_width(marks[i].note) + 76 : 0);
        height += ROW + (starts_group(marks, i) ? GROUP : 0);
    }
    scale s = scale_for(axis, least, greatest, left, WIDTH - RIGHT - notes);
    open_svg(out, title, height + below(&axis));
    put_across(out, &s, TOP, height);
    double y = TOP;
    for (size_t i = 0; i < n; i++) {
        if (starts_group(marks, i)) {
            y += GROUP;
            put_text(out, 4, y - 7, "start", "group", marks[i].group);
        }
        put_mark(out, &s, &marks[i], y + ROW / 2.0, isnan(line) ? line : at(&s, line));
        y += ROW;
    }
    if (!isnan(line))
        put_line(out, at(&s, line), TOP, at(&s, line), height, "mark");
    close_svg(out);
}

/* ---- stacked bars ---- */

static double sum_of(const plot_stack *row, size_t n_parts)
{
    double sum = 0;
    for (size_t i = 0; i < n_parts; i++)
        sum += row->part[i];
    return sum;
}

static void put_stack(FILE *out, const scale *s, const plot_stack *row, const char *const *names,
                      size_t n_parts, double y)
{
    char number[48];
    double sum = 0;
    put_text(out, s->from - 8, y + 5, "end", "label", row->label);
    for (size_t i = 0; i < n_parts; i++) {
        double from = at(s, sum), to = at(s, sum + row->part[i]);
        sum += row->part[i];
        if (to - from < 0.05)
            continue;
        (void)fputs("<g>", out);
        put_hint(out, names[i], row->part[i], row->part[i], row->part[i], s->axis.unit);
        (void)fprintf(
            out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"20\" class=\"c%u%s\"/>", from,
            y - 10, to - from, (unsigned)(i % PLOT_COLOURS), i >= PLOT_COLOURS ? " pale" : "");
        (void)fputs("</g>\n", out);
    }
    put_text(out, at(s, sum) + 8, y + 5, "start", "value",
             plot_number(number, sizeof number, sum, s->axis.unit));
}

void plot_stacks(FILE *out, const char *title, plot_axis axis, const plot_stack *rows, size_t n,
                 const char *const *names, size_t n_parts)
{
    enum { ROW = 30 };
    legend_entry entries[PLOT_PARTS_MAX];
    double greatest = 0, left = 60;
    for (unsigned i = 0; i < n_parts; i++)
        entries[i] = (legend_entry){.name = names[i], .colour = i};
    for (size_t i = 0; i < n; i++) {
        greatest = fmax(greatest, sum_of(&rows[i], n_parts));
        left = fmax(left, text_width(rows[i].label) + 16);
    }
    double top = legend(NULL, entries, n_parts), bottom = top + (double)n * ROW;
    scale s = scale_for(axis, 0, greatest, left, WIDTH - RIGHT - 64);
    open_svg(out, title, bottom + below(&axis));
    (void)legend(out, entries, n_parts);
    put_across(out, &s, top, bottom);
    for (size_t i = 0; i < n; i++)
        put_stack(out, &s, &rows[i], names, n_parts, top + ((double)i + 0.5) * ROW);
    close_svg(out);
}

/* ---- lines ---- */

static void put_path(FILE *out, const plot_line *l, const scale *x, const scale *y)
{
    (void)fprintf(out, "<path class=\"l%u%s\" d=\"", l->colour % PLOT_COLOURS,
                  l->dashed ? " dashed" : "");
    for (size_t i = 0; i < l->n; i++) {
        if (l->steps && i > 0)
            (void)fprintf(out, "H%.1f", at(x, l->x[i]));
        (void)fprintf(out, "%s%.1f %.1f", i == 0 ? "M" : "L", at(x, l->x[i]), at(y, l->y[i]));
    }
    (void)fputs("\"/>\n", out);
}

static void put_points(FILE *out, const plot_line *l, const scale *x, const scale *y)
{
    char where[48], label[160];
    for (size_t i = 0; i < l->n; i++) {
        double px = at(x, l->x[i]), py = at(y, l->y[i]);
        double low = l->low != NULL ? l->low[i] : l->y[i],
               high = l->high != NULL ? l->high[i] : l->y[i];
        if (at(y, low) - at(y, high) >= 1)
            put_line(out, px, at(y, low), px, at(y, high), "whisker");
        (void)snprintf(label, sizeof label, "%s, %s", l->name,
                       plot_number(where, sizeof where, l->x[i], x->axis.unit));
        (void)fprintf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" class=\"c%u\">", px, py,
                      l->colour % PLOT_COLOURS);
        put_hint(out, label, l->y[i], low, high, y->axis.unit);
        (void)fputs("</circle>\n", out);
    }
}

/* The axis at the left, with lines across. */
static void put_upright(FILE *out, const scale *s, double left, double right)
{
    char number[48];
    for (size_t i = 0; i < s->n_ticks; i++) {
        double y = at(s, s->tick[i]);
        put_line(out, left, y, right, y, "grid");
        put_text(out, left - 8, y + 4, "end", "tick",
                 plot_number(number, sizeof number, s->tick[i], s->axis.unit));
    }
}

void plot_lines(FILE *out, const char *title, plot_axis x, plot_axis y, const plot_line *lines,
                size_t n)
{
    enum { NAMES_MAX = 16, LEFT = 76, TALL = 300 };
    legend_entry entries[NAMES_MAX];
    size_t n_names = n < NAMES_MAX ? n : NAMES_MAX;
    double x_low = INFINITY, x_high = 0, y_low = INFINITY, y_high = 0;
    for (size_t l = 0; l < n; l++) {
        for (size_t i = 0; i < lines[l].n; i++) {
            x_low = fmin(x_low, lines[l].x[i]);
            x_high = fmax(x_high, lines[l].x[i]);
            y_low = fmin(y_low, lines[l].low != NULL ? lines[l].low[i] : lines[l].y[i]);
            y_high = fmax(y_high, lines[l].high != NULL ? lines[l].high[i] : lines[l].y[i]);
        }
    }
    for (size_t l = 0; l < n_names; l++)
        entries[l] = (legend_entry){lines[l].name, lines[l].colour, true, lines[l].dashed};
    double top = legend(NULL, entries, n_names) + 24, bottom = top + TALL;
    scale sx = scale_for(x, x_low, x_high, LEFT, WIDTH - RIGHT),
          sy = scale_for(y, y_low, y_high, bottom, top);
    open_svg(out, title, bottom + below(&x));
    (void)legend(out, entries, n_names);
    put_text(out, 8, top - 10, "start", "tick", y.title);
    put_across(out, &sx, top, bottom);
    put_upright(out, &sy, LEFT, WIDTH - RIGHT);
    for (size_t l = 0; l < n; l++) {
        put_path(out, &lines[l], &sx, &sy);
        if (!lines[l].steps)
            put_points(out, &lines[l], &sx, &sy);
    }
    close_svg(out);
}
