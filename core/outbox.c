#include "core/outbox.h"
#include "base/mutant.h"

struct when
outbox_next(struct when created, unsigned n, enum err err, const struct turn *t)
{
	static const int64_t waits_s[] = { 60, 300, 1800, 7200, OUTBOX_PAUSE_MOST_S };
	int64_t wait = waits_s[n < 5 ? n : 4];
	bool is_over = err_class_of(err) == ERR_CLASS_DENIED || when_between(created, t->now).s > OUTBOX_GIVE_UP.s;

	if (is_over && !MUTANT(LETTER_NEVER_GIVEN_UP))
		return WHEN_NEVER;
	return when_plus(t->now, SPAN_S(wait + (int64_t)(t->roll % ((uint64_t)wait / 4 + 1))));
}
