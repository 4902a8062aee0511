/*
 * Snippets: which stretch of a text to show, and writing it.
 *
 * Three steps. The window: the text is read once, up to SCAN_MAX bytes; at every match the clauses
 * whose latest match still fits before its end are weighed. The cut: words around the window are
 * added while there is room, to the left preferably back to the start of the text or of the
 * sentence. The marks: the stretch that was chosen is analysed again, from a white space before it.
 * All lengths are those of the snippet as written (white space folded, bad bytes replaced).
 */
#include "query/snippet.h"

#include "index/base/buffer.h"
#include "index/base/status.h"
#include "query/chars.h"
#include "query/match.h"

#include <stdlib.h>
#include <string.h>

enum {
    SCAN_MAX = 4 << 20,      /* bytes in which a window is looked for */
    LOOK_BACK = 64 << 10,    /* bytes before and after the stretch that are analysed for marks */
    SENTENCE_GAP = 64,       /* bytes of white space between two sentences */
    WORK = 64 * 1000 * 1000, /* steps besides analysis; see qn_matcher_start */
};

struct qn_snippeter {
    qn_matcher *matcher;
    qn_match *last; /* of each unit that was seen: its latest match */
    uint32_t n_last;
    size_t last_cap;
    uint32_t *seat; /* of each unit: its place in `last` + 1, or 0 */
    size_t seat_cap;
    quern_mark *mark; /* in bytes of the text, then of the snippet */
    size_t n_marks, mark_cap;
    qn_buffer out;
};

/* A text to make a snippet of. */
typedef struct source {
    const char *text;
    size_t len;
} source;

/* What must be in the snippet. */
typedef struct window {
    double weight; /* of its clauses; below 0: there is no window */
    uint64_t gap;  /* bytes between its matches */
    size_t start, end;
    uint64_t folded_len;
    bool clipped; /* one match that is longer than a snippet may be */
} window;

/* A stretch of the text. */
typedef struct stretch {
    size_t start, end;
} stretch;

quern_status qn_snippeter_new(qn_snippeter **out, qn_analyzer *analyzer, quern_error *error)
{
    *out = calloc(1, sizeof **out);
    if (*out == NULL)
        return qn_fail_memory(error);
    (*out)->matcher = qn_matcher_new(analyzer);
    if ((*out)->matcher == NULL) {
        qn_snippeter_free(*out);
        *out = NULL;
        return qn_fail_memory(error);
    }
    return QUERN_OK;
}

void qn_snippeter_free(qn_snippeter *s)
{
    if (s == NULL)
        return;
    qn_matcher_free(s->matcher);
    free(s->last);
    free(s->seat);
    free(s->mark);
    qn_buffer_free(&s->out);
    free(s);
}

static inline qn_utf8_point point_at(source src, size_t at)
{
    return qn_utf8_decode(src.text + at, src.len - at);
}

/* Bytes that a character other than white space takes in a snippet. */
static inline size_t written_len(qn_utf8_point c)
{
    return c.bad ? 3 : c.len;
}

/* The first byte from `at` on that is not white space, or the end. */
static size_t skip_space(source src, size_t at)
{
    while (at < src.len) {
        qn_utf8_point c = point_at(src, at);
        if (!qn_chars_is_space(c.value))
            break;
        at += c.len;
    }
    return at;
}

static inline bool is_ascii_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* ---- the window ------------------------------------------------------------------------------ */

/* Where to stop looking: SCAN_MAX, moved back to between two words, or at least two characters. */
static size_t scan_end(source src)
{
    if (src.len <= SCAN_MAX)
        return src.len;
    for (size_t end = SCAN_MAX; end > SCAN_MAX - 4096; end--) {
        if (is_ascii_space(src.text[end]))
            return end;
    }
    size_t end = SCAN_MAX;
    while (end > SCAN_MAX - QN_UTF8_MAX && ((unsigned char)src.text[end] & 0xC0) == 0x80)
        end--;
    return end;
}

static void take_if_better(window *best, const window *w)
{
    if (w->weight > best->weight || (w->weight == best->weight && w->gap < best->gap))
        *best = *w;
}

/* Weighs the window of `max` bytes that ends with `match`. The sum over the clauses goes in the
 * order of their first match, so that equal sets have equal sums. */
static void weigh(const qn_snippeter *s, const qn_match_unit *unit, const qn_match *match,
                  uint64_t max, window *best)
{
    uint64_t len = match->folded_end - match->folded_start;
    if (len > max) {
        window alone = {unit[match->unit].weight, 0, match->start, match->end, max, true};
        take_if_better(best, &alone);
        return;
    }
    uint64_t left = match->folded_end > max ? match->folded_end - max : 0;
    uint64_t first = match->folded_start, covered = 0;
    window w = {0, 0, match->start, match->end, 0, false};
    for (uint32_t i = 0; i < s->n_last; i++) {
        const qn_match *other = &s->last[i];
        if (other->folded_start < left || other->folded_end > match->folded_end)
            continue;
        w.weight += unit[other->unit].weight;
        covered += other->folded_end - other->folded_start;
        first = other->folded_start < first ? other->folded_start : first;
        w.start = other->start < w.start ? other->start : w.start;
    }
    w.folded_len = match->folded_end - first;
    w.gap = w.folded_len > covered ? w.folded_len - covered : 0;
    take_if_better(best, &w);
}

/* Looks through the text for the best window with the units of the matcher. */
static quern_status find_window(qn_snippeter *s, source src, uint64_t max, window *best,
                                quern_error *error)
{
    uint32_t n_units;
    const qn_match_unit *unit = qn_matcher_units(s->matcher, &n_units);
    void *last = s->last, *seat = s->seat;
    bool ok = qn_array_grow(&last, &s->last_cap, n_units, sizeof *s->last);
    s->last = last;
    ok = ok && qn_array_grow(&seat, &s->seat_cap, n_units, sizeof *s->seat);
    s->seat = seat;
    if (!ok)
        return qn_fail_memory(error);
    s->n_last = 0;
    if (n_units > 0)
        memset(s->seat, 0, n_units * sizeof *s->seat);
    uint64_t work = WORK;
    size_t end = scan_end(src);
    qn_matcher_start(s->matcher, src.text, 0, end, end, &work);
    for (;;) {
        qn_match match;
        quern_status status = qn_matcher_next(s->matcher, &match, error);
        if (status != QUERN_OK)
            return status == QUERN_END ? QUERN_OK : status;
        if (s->seat[match.unit] == 0)
            s->seat[match.unit] = ++s->n_last;
        s->last[s->seat[match.unit] - 1] = match;
        weigh(s, unit, &match, max, best);
        work -= work < s->n_last ? work : s->n_last;
    }
}

/* The best window: for clauses, or where none matches, for the words of phrases. */
static quern_status choose(qn_snippeter *s, source src, const qn_query *query, const float *weight,
                           uint64_t max, window *best, quern_error *error)
{
    best->weight = -1;
    quern_status status = qn_matcher_prepare(s->matcher, query, weight, false, error);
    if (status == QUERN_OK)
        status = find_window(s, src, max, best, error);
    if (status != QUERN_OK || best->weight >= 0 || !qn_matcher_has_phrases(s->matcher))
        return status;
    status = qn_matcher_prepare(s->matcher, query, weight, true, error);
    return status == QUERN_OK ? find_window(s, src, max, best, error) : status;
}

/* ---- the cut --------------------------------------------------------------------------------- */

static bool is_closer(uint32_t c)
{
    return c == ')' || c == ']' || c == '"' || c == '\'' || c == 0x2019 || c == 0x201D ||
           c == 0x300D || c == 0x300F;
}

/* Whether a sentence (or a paragraph, after an empty line) starts at `at` with character `first`.
 */
static bool starts_sentence(source src, size_t at, uint32_t first)
{
    if (first >= 'a' && first <= 'z')
        return false;
    size_t begin = at;
    unsigned lines = 0, closers = 0;
    qn_utf8_point c = {0};
    for (; begin > 0 && at - begin < SENTENCE_GAP; begin -= c.len) {
        c = qn_chars_before(src.text, begin);
        if (!qn_chars_is_space(c.value))
            break;
        lines += c.value == '\n';
    }
    if (begin == 0 || lines >= 2)
        return true;
    bool spaced = begin < at;
    while (is_closer(c.value) && closers++ < 3 && begin > c.len) {
        begin -= c.len;
        c = qn_chars_before(src.text, begin);
    }
    if (c.value == 0x3002 || c.value == 0xFF01 || c.value == 0xFF1F)
        return true;
    return spaced && (c.value == '.' || c.value == '!' || c.value == '?' || c.value == 0x2026);
}

/* Bytes from `at` to the end of the text, or any number above `max`. */
static size_t room_taken(source src, size_t at, size_t max)
{
    size_t taken = 0;
    while (at < src.len && taken <= max) {
        qn_utf8_point c = point_at(src, at);
        if (qn_chars_is_space(c.value)) {
            at = skip_space(src, at);
            taken += at < src.len;
            continue;
        }
        taken += written_len(c);
        at += c.len;
    }
    return taken;
}

/*
 * Where a snippet starts whose window starts at `start` and leaves `spare` bytes for what stands
 * around it. `fill` of these cannot be used after it, as the text ends there. The start of the text
 * if that fits; else the start of the window's sentence if it leaves a third for the rest (at the
 * end of the text: the first sentence that fits and fills half of the room at least); else a word,
 * with a third before the window.
 */
static size_t lead_in(source src, size_t start, size_t spare, size_t fill)
{
    size_t words = fill > spare / 3 ? fill : spare / 3;
    size_t sentences = fill > 0 ? fill : spare - spare / 3;
    size_t word = start, at = start, used = 0;
    size_t sentence = SIZE_MAX;
    uint32_t after = point_at(src, start).value;
    bool in_space = false;
    while (at > 0) {
        qn_utf8_point before = qn_chars_before(src.text, at);
        bool space = qn_chars_is_space(before.value);
        if (!qn_chars_is_space(after) && qn_chars_may_cut(before.value, after)) {
            word = used <= words ? at : word;
            bool wanted = fill > 0 ? used >= fill / 2 : sentence == SIZE_MAX;
            if (wanted && used <= sentences && starts_sentence(src, at, after))
                sentence = at;
        }
        used += space ? !in_space : written_len(before);
        if (used > spare)
            return sentence != SIZE_MAX ? sentence : word;
        in_space = space;
        after = before.value;
        at -= before.len;
    }
    return 0;
}

/* Where a snippet of at most `max` bytes ends that starts at `start` and has to hold what is before
 * `least`. */
static size_t cut_end(source src, size_t start, size_t least, size_t max)
{
    size_t at = start, used = 0, pending = 0;
    size_t word = start, word_used = 0, character = start;
    uint32_t before = ' ';
    while (at < src.len) {
        qn_utf8_point c = point_at(src, at);
        if (qn_chars_is_space(c.value)) {
            word = at; /* white space at the end is not written */
            word_used = used;
            at = skip_space(src, at);
            pending = used > 0;
            before = ' ';
            continue;
        }
        if (at > start && before != ' ' && (at == least || qn_chars_may_cut(before, c.value))) {
            word = at;
            word_used = used;
        }
        if (!qn_chars_is_mark(c.value))
            character = at;
        if (pending + written_len(c) > max - used)
            break;
        used += pending + written_len(c);
        pending = 0;
        before = c.value;
        at += c.len;
    }
    if (at >= src.len)
        return src.len;
    /* A word too long to be shown is cut where otherwise little would be left. */
    bool enough = word > start && (word_used >= max / 4 || (least > start && word >= least));
    if (enough)
        return word;
    return character > start ? character : at;
}

static stretch cut(source src, const window *w, size_t max)
{
    stretch cut = {skip_space(src, 0), 0};
    size_t least = 0;
    if (w->weight >= 0) {
        size_t spare = max - (size_t)w->folded_len;
        size_t taken = spare > 0 ? room_taken(src, w->end, spare) : 0;
        size_t start = lead_in(src, w->start, spare, taken < spare ? spare - taken : 0);
        cut.start = start > cut.start ? start : cut.start;
        least = w->clipped ? 0 : w->end;
    }
    cut.end = cut_end(src, cut.start, least, max);
    return cut;
}

/* ---- marks and text -------------------------------------------------------------------------- */

/* Adds a mark; marks that overlap become one. They come in order of their ends. */
static bool add_mark(qn_snippeter *s, size_t start, size_t end)
{
    while (s->n_marks > 0 && s->mark[s->n_marks - 1].end > start) {
        quern_mark other = s->mark[--s->n_marks];
        start = other.start < start ? other.start : start;
        end = other.end > end ? other.end : end;
    }
    void *mark = s->mark;
    if (!qn_array_grow(&mark, &s->mark_cap, s->n_marks + 1, sizeof *s->mark))
        return false;
    s->mark = mark;
    s->mark[s->n_marks++] = (quern_mark){start, end};
    return true;
}

/* Finds the marks of a stretch again, as places in the text. */
static quern_status find_marks(qn_snippeter *s, source src, stretch cut, const window *w,
                               quern_error *error)
{
    s->n_marks = 0;
    if (w->weight < 0 || cut.end == cut.start)
        return QUERN_OK;
    if (w->clipped)
        return add_mark(s, w->start, cut.end) ? QUERN_OK : qn_fail_memory(error);
    size_t from = cut.start;
    while (from > 0 && cut.start - from < LOOK_BACK && !is_ascii_space(src.text[from - 1]))
        from--;
    if (from > 0 && !is_ascii_space(src.text[from - 1]))
        from = cut.start;
    size_t len = src.len - cut.end > LOOK_BACK ? cut.end + LOOK_BACK : src.len;
    uint64_t work = WORK;
    qn_matcher_start(s->matcher, src.text, from, len, cut.end, &work);
    for (;;) {
        qn_match match;
        quern_status status = qn_matcher_next(s->matcher, &match, error);
        if (status != QUERN_OK)
            return status == QUERN_END ? QUERN_OK : status;
        if (match.start < cut.start || match.end > cut.end)
            continue;
        if (!add_mark(s, match.start, match.end))
            return qn_fail_memory(error);
    }
}

/* Appends a character that is not white space, and the space that is due before it. */
static bool put(qn_buffer *out, source src, size_t at, qn_utf8_point c, bool *space)
{
    if (*space && !qn_buffer_push(out, ' '))
        return false;
    *space = false;
    return c.bad ? qn_buffer_append(out, "\xEF\xBF\xBD", 3)
                 : qn_buffer_append(out, src.text + at, c.len);
}

/* Writes a stretch to s->out and moves the marks to where their words are there. */
static bool write_stretch(qn_snippeter *s, source src, stretch cut)
{
    qn_buffer *out = &s->out;
    size_t next = 0, kept = 0; /* the mark that comes or is open; marks written */
    size_t mark_start = SIZE_MAX;
    bool space = false;
    out->len = 0;
    for (size_t at = cut.start; at < cut.end;) {
        qn_utf8_point c = point_at(src, at);
        size_t begin = at;
        at += c.len;
        if (qn_chars_is_space(c.value)) {
            space = out->len > 0;
        } else {
            size_t before = out->len + space;
            if (!put(out, src, begin, c, &space))
                return false;
            if (next < s->n_marks && mark_start == SIZE_MAX && at > s->mark[next].start)
                mark_start = before;
        }
        while (next < s->n_marks && at >= s->mark[next].end) {
            if (mark_start < out->len)
                s->mark[kept++] = (quern_mark){mark_start, out->len};
            mark_start = SIZE_MAX;
            next++;
        }
    }
    s->n_marks = kept;
    return true;
}

quern_status qn_snippeter_make(qn_snippeter *s, quern_span text, const qn_query *query,
                               const float *weight, size_t max_bytes, quern_snippet *out,
                               quern_error *error)
{
    *out = (quern_snippet){.text = QUERN_STR("")};
    source src = {text.data, text.len};
    window w = {0};
    quern_status status = choose(s, src, query, weight, max_bytes, &w, error);
    if (status != QUERN_OK)
        return status;
    stretch shown = cut(src, &w, max_bytes);
    status = find_marks(s, src, shown, &w, error);
    if (status != QUERN_OK)
        return status;
    if (!write_stretch(s, src, shown))
        return qn_fail_memory(error);
    if (s->out.len > 0)
        out->text = (quern_span){(const char *)s->out.data, s->out.len};
    out->mark = s->mark;
    out->n_marks = s->n_marks;
    out->starts_inside = skip_space(src, 0) < shown.start;
    out->ends_inside = skip_space(src, shown.end) < src.len;
    return QUERN_OK;
}
