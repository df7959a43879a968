#include "core/site_clock.h"

enum {
	LOOK_MOST_S = 7 * 86400, /* a site that has moved away */
	DEPLOY_MOST_S = 600,
	RETRY_MOST_S = 86400 + 86400 / 4, /* a back-off of ours; the CA's own word may be longer */
};

/* Something that happened. A clock that was not yet believed may have written it. */
static void
move_past(struct when *w, struct span by, struct when now)
{
	*w = when_min(when_plus(*w, by), now);
}

static void
move_wait(struct when *w, struct span by, struct when most)
{
	*w = when_plus(*w, by);
	if (w->s != WHEN_NEVER.s)
		*w = when_min(*w, most);
}

static void
move_name(struct site_name *n, struct span by, struct when now)
{
	move_past(&n->passed_at, by, now);
	move_past(&n->validated_at, by, now);
	move_past(&n->served.at, by, now);
	n->refused_until = when_plus(n->refused_until, by);
}

static void
move_finding(struct finding *f, struct span by, struct when now)
{
	move_past(&f->first_seen, by, now);
	move_past(&f->last_seen, by, now);
	move_past(&f->told_at, by, now);
	move_past(&f->mended_at, by, now);
	f->next_look = when_plus(f->next_look, by);
}

static void
move_memory(struct memory *m, struct span by, struct when now)
{
	if (!when_is_known(m->good.at))
		return;
	move_past(&m->good.at, by, now);
	move_past(&m->last.at, by, now);
	m->is_new = true;
}

void
site_set_clock(struct site *s, struct span clock, struct when now)
{
	const struct span by = { clock.s - s->clock.s };

	s->clock = clock;
	move_past(&s->doing_since, by, now);
	move_past(&s->checked_at, by, now);
	move_past(&s->letter_at, by, now);
	move_past(&s->draft.begun_at, by, now);
	move_past(&s->draft.told_at, by, now);
	move_wait(&s->look_at, by, when_plus(now, SPAN_S(LOOK_MOST_S)));
	move_wait(&s->deploy_at, by, when_plus(now, SPAN_S(DEPLOY_MOST_S)));
	move_wait(&s->retry_at, by, s->retry_is_law ? WHEN_NEVER : when_plus(now, SPAN_S(RETRY_MOST_S)));
	s->left_at = when_plus(s->left_at, by);
	s->wake = when_plus(s->wake, by);
	for (size_t i = 0; i < s->names_n; i++)
		move_name(&s->names[i], by, now);
	for (size_t i = 0; s->memory != NULL && i < s->names_n; i++)
		move_memory(&s->memory[i], by, now);
	for (size_t i = 0; i < s->findings.n; i++)
		move_finding(&s->findings.at[i], by, now);
}
