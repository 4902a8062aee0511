/*
 * Range maxima in four bits: of each frequent term 16 levels are chosen, 255ths of its largest
 * tf-part, and a maximum is rounded up to the next one. FORMAT.md, "Bounds", has what that costs.
 */
#ifndef QN_SEGMENT_LEVELS_H
#define QN_SEGMENT_LEVELS_H

#include <stdbool.h>
#include <stdint.h>

enum { QN_LEVELS = 16 };

/* Chooses the levels for maxima of which count[v] are v, so that rounding up adds the least in all:
 * level[0] is 0, and only 0 is rounded to it; the others ascend (equal ones where fewer do), and
 * the last is 255. The same counts give the same levels everywhere. */
void qn_levels_choose(const uint32_t count[256], uint8_t level[QN_LEVELS]);

/* The number of the level that each value is rounded to. */
void qn_levels_number(const uint8_t level[QN_LEVELS], uint8_t number[256]);

/* Whether levels are as qn_levels_choose makes them: the first 0, the others not, ascending. */
bool qn_levels_sound(const uint8_t level[QN_LEVELS]);

#endif
