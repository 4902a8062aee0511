/* The grammar of words. */
#include "index/text/grammar.h"

#include <string.h>

void qn_grammar_start(qn_grammar *g, uint32_t first_position)
{
    g->state = QN_OUTSIDE;
    g->position = first_position;
    g->word_len = 0;
    g->used = 0;
}

void qn_grammar_next_batch(qn_grammar *g)
{
    memmove(g->scratch, g->scratch + g->used, g->word_len);
    g->used = 0;
}

void qn_grammar_close(qn_grammar *g, qn_batch *batch)
{
    char *text = g->scratch + g->used;
    if (g->state == QN_IN_WORD || g->state == QN_AFTER_APOSTROPHE) {
        size_t len = g->word_long ? QN_WORD_MAX + 1 : g->word_len;
        qn_grammar_give(g, batch, text, len, g->word_start, g->word_end);
        g->used += g->word_len;
        g->word_len = 0;
    } else if (g->state == QN_IN_RUN && !g->last_paired) {
        memcpy(text, g->last, sizeof g->last);
        qn_grammar_give(g, batch, text, g->last_len, g->last_start, g->last_end);
        g->used += g->last_len;
    }
    g->state = QN_OUTSIDE;
}

static void open_word(qn_grammar *g, qn_batch *batch, const qn_point *point)
{
    qn_grammar_close(g, batch);
    g->state = QN_IN_WORD;
    g->word_len = 0;
    g->word_long = false;
    g->word_start = point->start;
}

static void extend_run(qn_grammar *g, qn_batch *batch, const qn_point *point)
{
    char *text = g->scratch + g->used;
    if (g->state != QN_IN_RUN) {
        qn_grammar_close(g, batch);
        g->state = QN_IN_RUN;
        g->last_paired = false;
        g->last_len = qn_utf8_encode(point->value, g->last);
    } else {
        /* Whole arrays are copied, of which the next copy overwrites what is too much. */
        size_t len = g->last_len, start = g->last_start;
        memcpy(text, g->last, sizeof g->last);
        g->last_paired = true;
        g->last_len = qn_utf8_encode(point->value, g->last);
        memcpy(text + len, g->last, sizeof g->last);
        len += g->last_len;
        qn_grammar_give(g, batch, text, len, start, point->end);
        g->used += len;
    }
    g->last_start = point->start;
    g->last_end = point->end;
}

void qn_grammar_take(qn_grammar *g, qn_batch *batch, const qn_point *point)
{
    switch (qn_fold_kind_of(point->info)) {
    case QN_FOLD_WORD:
        if (g->state == QN_AFTER_APOSTROPHE) {
            qn_grammar_append(g, '\'', QN_FOLD_KNOWN, point->start);
            g->state = QN_IN_WORD;
        } else if (g->state != QN_IN_WORD) {
            open_word(g, batch, point);
        }
        qn_grammar_append(g, point->value, point->info, point->end);
        break;
    case QN_FOLD_MARK:
        if (g->state == QN_IN_WORD)
            qn_grammar_append(g, point->value, point->info, point->end);
        else
            qn_grammar_close(g, batch);
        break;
    case QN_FOLD_APOSTROPHE:
        if (g->state == QN_IN_WORD)
            g->state = QN_AFTER_APOSTROPHE;
        else
            qn_grammar_close(g, batch);
        break;
    case QN_FOLD_BIGRAM:
        extend_run(g, batch, point);
        break;
    case QN_FOLD_NONE:
        qn_grammar_close(g, batch);
        break;
    }
}
