#ifndef KOSHIN_SIM_SCENARIO_H
#define KOSHIN_SIM_SCENARIO_H
/*
 * Scenarios: text files that play a story in the simulated world and say what must be true on the way. The form is
 * described in doc/scenarios.md. A scenario fails at the first expectation that does not hold, with file and line,
 * and at its end if a letter or an order was left that no expectation had spoken of.
 */
#include "base/str.h"
#include "sim/world.h"

/* Plays the text of one file. `file` is for messages. ret_words: the scenario's first line, also on failure. */
MUST_USE enum err scenario_play(struct str text, const char *file, struct why *why, struct buf *ret_words);
/* The same with something done to the world before it begins and a word on the result after it has ended: for sweeps. */
struct scenario_hooks {
	void (*before)(struct sim *s, void *arg); /* NULL: nothing, as after */
	void (*after)(struct sim *s, void *arg);
	void *arg;
	struct store *like; /* what the world's store begins with; NULL: it is made anew */
};
MUST_USE enum err scenario_play_with(struct str text, const char *file, const struct scenario_hooks *hooks, struct why *why,
    struct buf *ret_words);
#endif
