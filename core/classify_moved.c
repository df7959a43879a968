/*
 * A name that has left for good: its DNS has led to another server for so long that nobody is mending anything. It was
 * served here once; one that never was is still expected. From then on it is said once, and looked at in DNS alone.
 */
#include "core/classify_inside.h"

static bool
is_elsewhere(enum cause c)
{
	return c == CAUSE_DNS_A_ELSEWHERE || c == CAUSE_DNS_AAAA_ELSEWHERE ||
	       c == CAUSE_REGISTRATION_DOMAIN_MOVED_AWAY;
}

/* WHEN_NEVER: it led to us when it was last looked at. */
static struct when
elsewhere_since(const struct judge *j)
{
	struct when since = WHEN_NEVER;

	for (size_t i = 0; i < j->s->findings.n; i++) {
		const struct finding *f = &j->s->findings.at[i];

		if (is_elsewhere(f->cause) && str_eq(f->subject, j->n->name) && when_is_known(f->first_seen))
			since = when_min(since, f->first_seen);
	}
	return since;
}

static bool
was_here(const struct judge *j)
{
	for (size_t i = 0; i < j->s->names_n; i++)
		if (str_eq(j->s->names[i].name, j->n->name))
			return j->s->names[i].is_held || when_is_known(j->s->names[i].validated_at);
	return false;
}

bool
classify_moved(struct judge *j, struct str seen, struct str copy)
{
	struct span after = LIFE_MOVED_AFTER, every = LIFE_MOVED_LOOK;

	if (j->s == NULL || !was_here(j))
		return false;
	if (j->s->held.id != 0) {
		after = life_moved_after(j->s->held.life);
		every = life_moved_look(j->s->held.life, j->e->at);
	}
	struct when since = elsewhere_since(j);
	if (since.s == WHEN_NEVER.s || when_between(since, j->e->at).s < after.s)
		return false;
	struct finding *f = judge_put(j, CAUSE_REGISTRATION_DOMAIN_MOVED_AWAY);
	if (f == NULL)
		return true;
	f->seen = seen;
	f->wanted = judge_address_of_ours(j);
	f->copy = copy;
	f->first_seen = since;
	f->next_look = when_plus(j->e->at, every);
	return true;
}
