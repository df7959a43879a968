#include "sim/fleet/inside.h"
#include <string.h>
#include "core/site_dates.h"

/*
 * Nine of ten steps of a fleet are looks at sites in order: a date comes, everything is looked at, and nothing is found. What
 * core/site decides then is known beforehand, until the next date but that of the look: quiet_note() asks core/site_dates for
 * it after a whole step, and until then the two steps of a look are written down without being taken. Whatever else happens
 * to a site ends that. One in DOUBT_EVERY is taken all the same and compared: what the engine decides is what counts.
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

	if (s->doing != DOING_NOTHING || s->is_removed || s->setting.source != SOURCE_FREE ||
	    s->draft.exists || s->asked_check || s->asked_renew || s->findings.n > 0 ||
	    s->held.id == 0 || s->held.is_own || !s->held.is_live || s->order_id != 0 ||
	    when_is_known(s->retry_at) || s->order_failures > 0 || s->deploy_failures > 0 ||
	    s->verify_failures > 0 || plan_is_settling(s, now) || plan_order_is_due(s, now))
		return false;
	for (size_t i = 0; i < s->names_n; i++) {
		const struct site_name *n = &s->names[i];

		if (!n->is_wanted || !n->is_held || n->caa_refuses != 0 || !n->served.is_held || !n->served.is_ok ||
		    n->passed_at.s != now.s || n->served.at.s != now.s ||
		    when_is_known(n->refused_until))
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
end_look(
    struct site *s, const struct turn *turn, const struct policy *p, struct when other_date)
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
	return a->life.s == b->life.s && a->since.s == b->since.s &&
	       a->next_life.s == b->next_life.s && a->next_since.s == b->next_since.s &&
	       a->next_seen == b->next_seen;
}

static bool
is_quiet(const struct fleet *f, const struct fleet_site *s)
{
	return s->quiet_until_s > 0 && !f->is_down && f->crash_in == 0 &&
	       !f->report->is_broken && !s->waits_turn && !s->site.draft.exists &&
	       s->site.clock.s == f->policy.clock.s &&
	       when_before(fleet_wall(f), until(f, s)) &&
	       calendar_is(&s->site.calendar, &f->accounts[s->is_of_reserve].calendar);
}

static void
written_down(struct fleet *f, uint32_t n, enum site_event_kind kind, enum doing before)
{
	f->report->steps++;
	watch_keep_step(f, n, kind, before);
	watch_look_in_order(f, n, kind);
}

static bool
is_doubted(const struct site *s, uint64_t which)
{
	return s->job % DOUBT_EVERY == which;
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
	bool is = a->doing == b->doing && a->doing_since.s == b->doing_since.s &&
		  a->job == b->job && a->wake.s == b->wake.s && a->look_at.s == b->look_at.s &&
		  a->checked_at.s == b->checked_at.s && a->deploy_at.s == b->deploy_at.s &&
		  a->applied.digest == b->applied.digest && a->findings.n == b->findings.n &&
		  a->retry_at.s == b->retry_at.s;

	for (size_t i = 0; i < a->names_n; i++)
		is = is && a->names[i].passed_at.s == b->names[i].passed_at.s &&
		     a->names[i].served.at.s == b->names[i].served.at.s &&
		     a->names[i].served.is_held == b->names[i].served.is_held &&
		     a->names[i].served.is_ok == b->names[i].served.is_ok;
	return is;
}

static void
wake_shortly(struct fleet *f, uint32_t n)
{
	struct fleet_site *s = &f->sites[n];

	begin_look(&s->site, fleet_wall(f));
	f->effects.n = 1;
	f->effects.at[0].kind = FX_CHECK;
	f->effects.at[0].job = s->site.job;
	written_down(f, n, SITE_WAKE, DOING_NOTHING);
}

static void
check_shortly(struct fleet *f, uint32_t n)
{
	struct fleet_site *s = &f->sites[n];
	const struct turn turn = fleet_turn(f, n);

	end_look(&s->site, &turn, &f->policy, until(f, s));
	f->effects.n = 0;
	written_down(f, n, SITE_CHECKED, DOING_CHECK);
}

static void
compare(struct fleet *f, uint32_t n, const struct foreseen *w)
{
	if (!f->report->is_broken && !f->is_down && !is_same(&w->site, &f->sites[n].site))
		fleet_broken(
		    f, n, "a look at a site in order was not decided as it was foreseen");
}

/* The engine's own decision, beside what was foreseen. */
static void
doubt_wake(struct fleet *f, uint32_t n)
{
	const struct site_event ev = { .kind = SITE_WAKE, .retry_after = WHEN_UNKNOWN };
	static _Thread_local struct foreseen w;

	remember(&w, &f->sites[n].site);
	begin_look(&w.site, fleet_wall(f));
	(void)node_event(f, n, &ev);
	compare(f, n, &w);
}

static void
doubt_checked(struct fleet *f, uint32_t n, uint64_t job)
{
	const struct turn turn = fleet_turn(f, n);
	const struct site_event ev = { .kind = SITE_CHECKED,
		.job = job,
		.evidence = owners_look(f, n, LOOK_ALL),
		.retry_after = WHEN_UNKNOWN };
	static _Thread_local struct foreseen w;

	remember(&w, &f->sites[n].site);
	end_look(&w.site, &turn, &f->policy, until(f, &f->sites[n]));
	(void)node_event(f, n, &ev);
	compare(f, n, &w);
}

bool
quiet_wake(struct fleet *f, uint32_t n)
{
	const struct fleet_site *s = &f->sites[n];

	if (s->site.doing != DOING_NOTHING || when_before(fleet_wall(f), s->site.look_at) ||
	    !is_quiet(f, s))
		return false;
	/* Where the answer comes at once, the two steps are one, and the second is compared. */
	if (f->plan->probe_ms > 0 && is_doubted(&s->site, 0)) {
		doubt_wake(f, n);
		return true;
	}
	wake_shortly(f, n);
	node_look(f, n, s->site.job);
	return true;
}

bool
quiet_checked(struct fleet *f, uint32_t n, uint64_t job)
{
	const struct fleet_site *s = &f->sites[n];

	if (s->site.doing != DOING_CHECK || s->site.job != job || !is_quiet(f, s) ||
	    !owners_is_in_order(f, n))
		return false;
	if (is_doubted(&s->site, DOUBT_EVERY / 2))
		doubt_checked(f, n, job);
	else
		check_shortly(f, n);
	return true;
}

/* Nobody breaks or wishes anything in this fleet, and its CA does not change: until its next date nothing of the world can reach
 * a site in order. A trace has everything in order of time. */
static bool
is_undisturbed(const struct fleet *f)
{
	const struct fleet_plan *p = f->plan;

	return !p->has_faults && p->traced < 0 && p->probe_ms == 0 &&
	       p->owner_faults + p->wishes + p->drafts == 0 && p->ca.calendar_n == 1 &&
	       f->accounts[0].calendar.life.s == p->ca.calendar[0].life.s && f->accounts[0].calendar.next_seen == 0 &&
	       !when_is_known(p->replace_at);
}

void
quiet_look_ahead(struct fleet *f, uint32_t n)
{
	struct fleet_site *s = &f->sites[n];
	const int64_t now_ms = f->now_ms;

	if (!is_quiet(f, s) || s->queued_ms != FLEET_NEVER_MS || !is_undisturbed(f) ||
	    !owners_is_in_order(f, n))
		return;
	while (s->site.wake.s == s->site.look_at.s && when_before(s->site.wake, until(f, s)) &&
	       s->site.wake.s * 1000 < f->end_ms &&
	       !is_doubted(&s->site, DOUBT_EVERY / 2 - 1) && !f->report->is_broken) {
		f->now_ms = s->site.wake.s * 1000;
		wake_shortly(f, n);
		f->report->checks++;
		check_shortly(f, n);
	}
	f->now_ms = now_ms;
}
