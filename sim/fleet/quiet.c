#include "sim/fleet/inside.h"
#include <string.h>
#include "core/site_dates.h"

/*
 * Nine of ten steps of a fleet are looks at sites in order: a date comes, everything is looked at, and nothing is found. What
 * core/site decides then is known beforehand, until the next date but that of the look: quiet_note() asks core/site_dates for
 * it after a whole step, and until then the two steps of a look are written down without being taken. Whatever else happens
 * to a site ends that. One in DOUBT_EVERY is taken all the same and compared: the engine's own decision is the only right one.
 */

enum { DOUBT_EVERY = 64 };

struct foreseen {
	struct site site;
	struct site_name names[FLEET_MANY_NAMES];
};

void
quiet_end(struct fleet *f, uint32_t n)
{
	f->sites[n].quiet_until_s = 0;
}

static struct when
until(const struct fleet *f, const struct fleet_site *s)
{
	return (struct when){ f->start_ms / 1000 + s->quiet_until_s };
}

/* Everything that a check can find well was found well by the step that has just been taken. */
static bool
is_in_order(const struct fleet *f, const struct site *s)
{
	struct when now = fleet_wall(f);

	if (s->doing != DOING_NOTHING || s->is_removed || s->setting.source != SOURCE_FREE || s->draft.exists || s->asked_check ||
	    s->asked_renew || s->findings.n > 0 || s->held.id == 0 || s->held.is_own || !s->held.is_live || s->order_id != 0 ||
	    when_is_known(s->retry_at) || s->order_failures > 0 || s->deploy_failures > 0 || s->verify_failures > 0 ||
	    plan_is_settling(s, now) || plan_order_is_due(s, now))
		return false;
	for (size_t i = 0; i < s->names_n; i++) {
		const struct site_name *n = &s->names[i];

		if (!n->is_wanted || !n->is_held || !n->served.is_held || !n->served.is_ok || n->passed_at.s != now.s ||
		    n->served.at.s != now.s || when_is_known(n->refused_until))
			return false;
	}
	return true;
}

void
quiet_note(struct fleet *f, uint32_t n)
{
	struct fleet_site *s = &f->sites[n];
	struct turn turn = { fleet_wall(f), 0 };
	const struct step st = { .s = &s->site, .t = &turn, .p = &f->policy };
	struct when look_at = s->site.look_at;

	if (f->effects.n > 0 || !is_in_order(f, &s->site))
		return;
	s->site.look_at = WHEN_NEVER;
	int64_t left_s = dates_next_wake(&st).s - f->start_ms / 1000;
	s->site.look_at = look_at;
	s->quiet_until_s = left_s <= 0 || left_s > UINT32_MAX ? 0 : (uint32_t)left_s;
}

/* --- what the two steps of a look make of a site in order --- */

static void
begin_look(struct site *s, struct when now)
{
	s->doing = DOING_CHECK;
	s->doing_since = now;
	s->job++;
	s->wake = when_plus(now, dates_longest(DOING_CHECK));
}

static void
end_look(struct site *s, const struct turn *turn, const struct policy *p, struct when other_date)
{
	struct turn own = site_turn(turn, s->id);
	const struct step st = { .s = s, .t = &own, .p = p };

	s->doing = DOING_NOTHING;
	s->doing_since = s->checked_at = turn->now;
	for (size_t i = 0; i < s->names_n; i++)
		s->names[i].passed_at = s->names[i].served.at = turn->now;
	s->look_at = dates_next_look(&st);
	s->wake = when_max(when_min(s->look_at, other_date), when_plus(turn->now, SPAN_S(1)));
}

/* --- in their place --- */

static bool
calendar_is(const struct calendar *a, const struct calendar *b)
{
	return a->life.s == b->life.s && a->since.s == b->since.s && a->next_life.s == b->next_life.s &&
	       a->next_since.s == b->next_since.s && a->next_seen == b->next_seen;
}

static bool
is_quiet(const struct fleet *f, const struct fleet_site *s)
{
	return s->quiet_until_s > 0 && !f->is_down && f->crash_in == 0 && !f->report->is_broken && !s->waits_turn &&
	       !s->site.draft.exists && s->site.clock.s == f->policy.clock.s && when_before(fleet_wall(f), until(f, s)) &&
	       calendar_is(&s->site.calendar, &f->calendar);
}

static void
written_down(struct fleet *f, uint32_t n, const struct site_event *ev, enum doing before)
{
	f->report->steps++;
	watch_keep_step(f, n, ev, before);
	watch_step(f, n, ev, before);
}

static bool
is_doubted(const struct fleet *f)
{
	return f->report->steps % DOUBT_EVERY == 0;
}

static struct turn
next_turn(uint64_t *roll_seed, struct when now)
{
	return (struct turn){ now, (uint32_t)(fleet_random(roll_seed) >> 32) };
}

static void
remember(struct foreseen *l, const struct site *s)
{
	l->site = *s;
	memcpy(l->names, s->names, s->names_n * sizeof *l->names);
	l->site.names = l->names;
}

static bool
is_same(const struct site *a, const struct site *b)
{
	bool is = a->doing == b->doing && a->doing_since.s == b->doing_since.s && a->job == b->job && a->wake.s == b->wake.s &&
		  a->look_at.s == b->look_at.s && a->checked_at.s == b->checked_at.s && a->deploy_at.s == b->deploy_at.s &&
		  a->applied.digest == b->applied.digest && a->findings.n == b->findings.n && a->retry_at.s == b->retry_at.s;

	for (size_t i = 0; i < a->names_n; i++)
		is = is && a->names[i].passed_at.s == b->names[i].passed_at.s && a->names[i].served.at.s == b->names[i].served.at.s &&
		     a->names[i].served.is_held == b->names[i].served.is_held && a->names[i].served.is_ok == b->names[i].served.is_ok;
	return is;
}

bool
quiet_wake(struct fleet *f, uint32_t n)
{
	const struct site_event ev = { .kind = SITE_WAKE, .retry_after = WHEN_UNKNOWN };
	struct fleet_site *s = &f->sites[n];
	struct when now = fleet_wall(f);

	if (s->site.doing != DOING_NOTHING || when_before(now, s->site.look_at) || !is_quiet(f, s) || is_doubted(f))
		return false;
	(void)next_turn(&f->roll_seed, now);
	begin_look(&s->site, now);
	f->effects.n = 1;
	f->effects.at[0] = (struct site_effect){ .kind = FX_CHECK, .job = s->site.job };
	written_down(f, n, &ev, DOING_NOTHING);
	return true;
}

bool
quiet_checked(struct fleet *f, uint32_t n, uint64_t job)
{
	const struct site_event ev = { .kind = SITE_CHECKED, .retry_after = WHEN_UNKNOWN };
	struct fleet_site *s = &f->sites[n];
	uint64_t roll_seed = f->roll_seed;
	struct foreseen doubted;

	if (s->site.doing != DOING_CHECK || s->site.job != job || !is_quiet(f, s) || !owners_is_in_order(f, n))
		return false;
	struct turn turn = next_turn(&roll_seed, fleet_wall(f));
	if (is_doubted(f)) {
		const struct site_event whole = { .kind = SITE_CHECKED,
			.job = job,
			.evidence = owners_look(f, n, LOOK_ALL),
			.retry_after = WHEN_UNKNOWN };

		remember(&doubted, &s->site);
		end_look(&doubted.site, &turn, &f->policy, until(f, s));
		(void)node_event(f, n, &whole);
		if (!f->report->is_broken && !is_same(&doubted.site, &s->site))
			fleet_broken(f, n, "a look at a site in order was not decided as it was foreseen");
		return true;
	}
	f->roll_seed = roll_seed;
	end_look(&s->site, &turn, &f->policy, until(f, s));
	f->effects.n = 0;
	written_down(f, n, &ev, DOING_CHECK);
	return true;
}
