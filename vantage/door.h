#ifndef KOSHIN_VANTAGE_DOOR_H
#define KOSHIN_VANTAGE_DOOR_H
/*
 * Who is answered at a vantage point: askers on its list, for questions that they have signed, for this place, of this minute,
 * each once, and no more of them than its configuration says. Nothing is kept but the numbers of the last two minutes.
 *
 * A vantage point that was started anew has forgotten those numbers: so a question of before its start is too old.
 */
#include "ports/vantage/question.h"

struct door;
struct door_options {
	struct str place;
	const char *const *askers; /* "NAME KEY"; checked by the configuration */
	size_t askers_n;
	unsigned questions_a_minute; /* of one asker */
	struct when started;
};
MUST_USE enum err door_new(const struct door_options *o, struct door **ret);
void door_free(struct door **d);
/* NONE: the question is to be answered, and its number is spent. ret_asker: the asker's name in the list, for the log; set where the key is
 * on it, also with a refusal. */
MUST_USE enum refusal door_judge(struct door *d, const struct question_message *m, struct when now, struct str *ret_asker);
#endif
