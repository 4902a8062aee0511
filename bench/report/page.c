/* The HTML page of a report: see page.h. */
#include "bench/report/page.h"

#include "bench/report/results.h"

#include <string.h>

/* Colours that most colour-blind people tell apart, each at least 3:1 against the ground. */
static const char style[] =
    ":root{color-scheme:light dark;--ground:#fff;--ink:#1c2024;--pale:#5f6872;--line:#e3e6ea;"
    "--card:#f5f6f8;--warn:#b3261e;--s0:#2563c9;--s1:#c25e00;--s2:#0f8a5f;--s3:#8a4fc4;--s4:#"
    "c2385a;"
    "--s5:#5b7083;--s6:#8a6d00;--s7:#0b8aa3}\n"
    "@media (prefers-color-scheme:dark){:root{--ground:#14171a;--ink:#e6e8ea;--pale:#9aa4ae;"
    "--line:#2c3238;--card:#1d2125;--warn:#ff8a80;--s0:#6ea0f5;--s1:#f0975a;--s2:#4cc79a;"
    "--s3:#bb93ea;--s4:#f07f9c;--s5:#9fb1c1;--s6:#d6b547;--s7:#54c3da}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;max-width:62rem;padding:1.5rem 1rem 4rem;background:var(--ground);"
    "color:var(--ink);font:16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif}\n"
    "h1{font-size:1.9rem;margin:.5rem 0 0;overflow-wrap:anywhere}h2{margin:3rem 0 "
    ".5rem;font-size:1.35rem;"
    "border-top:1px solid var(--line);padding-top:1.2rem}\n"
    "p{max-width:46rem}.sub,figcaption,small{color:var(--pale)}\n"
    "nav{display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;margin:1rem 0}a{color:var(--s0)}\n"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.8rem;"
    "margin:1.2rem 0}.tile{background:var(--card);border-radius:8px;padding:.8rem 1rem}"
    ".tile b{display:block;font-size:1.5rem;font-weight:600}\n"
    ".warn{border:1px solid var(--warn);border-radius:8px;padding:.6rem 1rem}\n"
    "figure{margin:1.4rem 0;overflow-x:auto}figcaption{font-weight:600;margin-bottom:.4rem}\n"
    "svg{display:block;width:100%;min-width:34rem;height:auto;font:13px system-ui,sans-serif}\n"
    "svg text{fill:var(--ink)}svg .tick{fill:var(--pale);font-size:12px}"
    "svg .group{font-weight:600}svg .value{fill:var(--pale)}\n"
    "svg .grid{stroke:var(--line)}svg .whisker{stroke:var(--ink);stroke-width:1.2}"
    "svg .mark{stroke:var(--ink);stroke-dasharray:4 3}svg .pale{opacity:.55}\n"
    "svg path{fill:none;stroke-width:2}svg .dashed{stroke-dasharray:6 4}\n"
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem;margin:.8rem 0}"
    "th,td{padding:.25rem .7rem;text-align:right;border-bottom:1px solid var(--line);"
    "vertical-align:top;font-variant-numeric:tabular-nums}th{color:var(--pale);font-weight:600}"
    ".name{text-align:left}td small{display:block;font-size:.75rem;white-space:nowrap}\n"
    "summary{cursor:pointer;color:var(--pale)}.text td{text-align:left;overflow-wrap:anywhere}\n"
    "@media print{details>*{display:block}nav{display:none}}\n";

/* The first columns of a table hold names. */
static unsigned n_name_columns, column;

void page_open(FILE *out, const char *title, const char *subtitle)
{
    (void)fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>",
                out);
    result_put_html(out, title);
    (void)fprintf(out, "</title>\n<style>\n%s", style);
    for (unsigned i = 0; i < PLOT_COLOURS; i++)
        (void)fprintf(out, "svg .c%u{fill:var(--s%u)}svg .l%u{stroke:var(--s%u)}\n", i, i, i, i);
    (void)fputs("</style>\n<h1>", out);
    result_put_html(out, title);
    (void)fputs("</h1>\n<p class=\"sub\">", out);
    result_put_html(out, subtitle);
    (void)fputs("</p>\n", out);
}

void page_close(FILE *out, const char *text)
{
    (void)fputs("<h2></h2>\n", out);
    page_paragraph(out, text);
    (void)fputs("</html>\n", out);
}

void page_section(FILE *out, const char *id, const char *title)
{
    (void)fprintf(out, "<h2 id=\"%s\">", id);
    result_put_html(out, title);
    (void)fputs("</h2>\n", out);
}

static void put_framed(FILE *out, const char *open, const char *text)
{
    (void)fputs(open, out);
    result_put_html(out, text);
    (void)fputs("</p>\n", out);
}

void page_paragraph(FILE *out, const char *text)
{
    put_framed(out, "<p>", text);
}

void page_warning(FILE *out, const char *text)
{
    put_framed(out, "<p class=\"warn\">", text);
}

void page_tiles_open(FILE *out)
{
    (void)fputs("<div class=\"tiles\">\n", out);
}

void page_tile(FILE *out, const char *number, const char *text)
{
    (void)fputs("<div class=\"tile\"><b>", out);
    result_put_html(out, number);
    (void)fputs("</b>", out);
    result_put_html(out, text);
    (void)fputs("</div>\n", out);
}

void page_tiles_close(FILE *out)
{
    (void)fputs("</div>\n", out);
}

void page_fold_open(FILE *out, const char *summary)
{
    (void)fputs("<details><summary>", out);
    result_put_html(out, summary);
    (void)fputs("</summary>\n", out);
}

void page_fold_close(FILE *out)
{
    (void)fputs("</details>\n", out);
}

void page_table_open(FILE *out, const char *summary, const char *heads, unsigned n_names)
{
    if (summary != NULL)
        page_fold_open(out, summary);
    (void)fputs("<div class=\"wide\"><table>\n<tr>", out);
    n_name_columns = n_names;
    for (unsigned i = 0; *heads != '\0'; i++) {
        char head[64];
        size_t len = strcspn(heads, "|");
        (void)snprintf(head, sizeof head, "%.*s", (int)len, heads);
        (void)fputs(i < n_names ? "<th class=\"name\">" : "<th>", out);
        result_put_html(out, head);
        (void)fputs("</th>", out);
        heads += len + (heads[len] == '|');
    }
    (void)fputs("</tr>\n", out);
}

void page_row_open(FILE *out)
{
    (void)fputs("<tr>", out);
    column = 0;
}

static void open_cell(FILE *out)
{
    (void)fputs(column++ < n_name_columns ? "<td class=\"name\">" : "<td>", out);
}

void page_cell(FILE *out, const char *text)
{
    open_cell(out);
    result_put_html(out, text);
    (void)fputs("</td>", out);
}

static void put_interval(FILE *out, double low, double high, plot_unit unit)
{
    char number[2][48];
    (void)fprintf(out, "<small>%s to %s</small>",
                  plot_number(number[0], sizeof number[0], low, unit),
                  plot_number(number[1], sizeof number[1], high, unit));
}

void page_range(FILE *out, range r, plot_unit unit)
{
    char number[48];
    open_cell(out);
    if (r.coverage >= 0) {
        (void)fputs(plot_number(number, sizeof number, r.median, unit), out);
        if (r.low < r.high)
            put_interval(out, r.low, r.high, unit);
    }
    (void)fputs("</td>", out);
}

void page_ratio(FILE *out, ratio r)
{
    page_range(out, (range){r.low, r.ratio, r.high, r.coverage}, PLOT_TIMES);
}

void page_row_close(FILE *out)
{
    (void)fputs("</tr>\n", out);
}

void page_table_close(FILE *out, const char *summary)
{
    (void)fputs("</table></div>\n", out);
    if (summary != NULL)
        page_fold_close(out);
}
