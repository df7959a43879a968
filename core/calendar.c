#include "core/calendar.h"

enum { SURE = 3 }; /* certificates in a row of another length before it is the CA's new one */

/* CAs round, and date back: a tenth more or less is the same length. */
static bool
is_alike(struct span a, struct span b)
{
	int64_t d = a.s > b.s ? a.s - b.s : b.s - a.s;

	return d <= a.s / 10 && d <= b.s / 10;
}

bool
calendar_note(struct calendar *c, struct life l, struct when now)
{
	struct span length = life_length(l);

	if (length.s <= 0)
		return false;
	if (c->life.s == 0) {
		*c = (struct calendar){ .life = length, .since = now };
		return true;
	}
	if (is_alike(length, c->life)) {
		bool had_other = c->next_seen > 0;

		c->next_seen = 0;
		return had_other;
	}
	if (c->next_seen == 0 || !is_alike(length, c->next_life)) {
		c->next_life = length;
		c->next_since = now;
		c->next_seen = 0;
	}
	if (++c->next_seen >= SURE)
		*c = (struct calendar){ .life = c->next_life, .since = c->next_since };
	return true;
}

struct when
calendar_pull(const struct calendar *c, struct life l, struct when at)
{
	struct span old = life_renew_after(life_length(l)), now = life_renew_after(c->life);

	if (c->life.s == 0 || !when_before(l.from, c->since) || now.s >= old.s ||
	    is_alike(c->life, life_length(l)))
		return at;
	/* From a day later on: by then every site has been looked at, and none learns of a date that has gone by. */
	struct when since = when_plus(c->since, SPAN_D(1));
	if (!when_before(since, at))
		return at;
	/* Lives of certificates: what is longer could not be multiplied in 64 bits, and is no business of a public CA's. */
	struct span left = when_between(since, at);

	if (old.s > SPAN_D(10000).s || left.s > old.s)
		return at;
	return when_plus(since, (struct span){ left.s * now.s / old.s });
}
