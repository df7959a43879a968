#include "sim/fleet/inside.h"
#include <stdlib.h>
#include <string.h>

/*
 * The engine of a fleet: decide, commit, act, as engine/ does it, with the committed facts in memory. It dies at three
 * places: with a decision that was not committed, between commit and act, and with answers on their way. What was
 * committed survives, what the world was asked to do is done, and nobody tells.
 */

enum { RESTART_PART = 256 };
static const int64_t pauses_s[] = { 5, 15, 60, 300 };

/* Findings between two steps: they and their strings, in one piece of memory. */
struct finding_room {
	size_t cap, n;
	struct finding at[];
};

static size_t
strings_of(const struct finding *f)
{
	return f->subject.n + f->seen.n + f->wanted.n + f->copy.n + f->company.n + f->evidence.n;
}

static void
keep_str(struct str *s, char **to)
{
	if (s->n > 0)
		memcpy(*to, s->p, s->n);
	s->p = *to;
	*to += s->n;
}

/* The step's findings point into the turn's memory: they are moved to where they last. */
static void
keep_findings(struct fleet *f, struct fleet_site *s)
{
	struct finding_list *l = &s->site.findings;
	size_t bytes = 0;

	if (l->n == 0) {
		l->at = NULL;
		return;
	}
	if (s->findings != NULL && l->at == s->findings->at)
		return;
	for (size_t i = 0; i < l->n; i++)
		bytes += strings_of(&l->at[i]);
	struct finding_room *room = malloc(sizeof *room + l->n * sizeof *room->at + bytes);
	if (room == NULL) {
		f->err = ERR_MEMORY;
		return;
	}
	char *to = (char *)&room->at[l->n];
	for (size_t i = 0; i < l->n; i++) {
		room->at[i] = l->at[i];
		keep_str(&room->at[i].subject, &to);
		keep_str(&room->at[i].seen, &to);
		keep_str(&room->at[i].wanted, &to);
		keep_str(&room->at[i].copy, &to);
		keep_str(&room->at[i].company, &to);
		keep_str(&room->at[i].evidence, &to);
	}
	free(s->findings);
	s->findings = room;
	l->at = room->at;
	l->cap = l->n;
}

static void
queue_site(struct fleet *f, uint32_t n)
{
	struct fleet_site *s = &f->sites[n];
	int64_t at_ms = s->site.wake.s >= WHEN_NEVER.s / 2000
			    ? FLEET_NEVER_MS
			    : (s->site.wake.s - f->clock_step_s) * 1000;

	if (at_ms < f->now_ms)
		at_ms = f->now_ms;
	/* Who waits in a lane is called from there; its looks go on. */
	if (s->waits_turn && at_ms < f->now_ms + FLEET_HOUR_MS)
		at_ms = f->now_ms + FLEET_HOUR_MS;
	if (at_ms == FLEET_NEVER_MS || at_ms >= s->queued_ms)
		return;
	s->queued_ms = at_ms;
	events_put(&f->events, (struct fleet_event){ .at_ms = at_ms, .site = n, .kind = EV_WAKE });
}

static void
put_deploy(struct fleet *f, uint32_t n, const struct site_effect *fx)
{
	struct fleet_site *s = &f->sites[n];
	uint32_t i = f->deploys_free;

	if (i == 0) {
		if (f->deploys_n + 1 >= f->deploys_cap) {
			uint32_t cap = f->deploys_cap == 0 ? 64 : 2 * f->deploys_cap;
			struct deploy_of_fleet *grown = realloc(f->deploys, cap * sizeof *grown);

			if (grown == NULL) {
				f->err = ERR_MEMORY;
				return;
			}
			f->deploys = grown;
			f->deploys_cap = cap;
		}
		i = ++f->deploys_n;
	} else {
		f->deploys_free = f->deploys[i].next_free;
	}
	f->deploys[i] = (struct deploy_of_fleet){ .site = n,
		.job = fx->job,
		.applied = fx->applied,
		.is_removal = fx->is_removal,
		.set = { s->site.held.id, s->site.held.life, fleet_held_names(s), fx->applied.redirect } };
	fleet_put(f, f->plan->deploy_ms, EV_DEPLOYED, n, i, fx->job);
}

static struct name_set
set_of(const struct site *s, const struct site_effect *fx)
{
	struct name_set set = { 0 };

	for (size_t i = 0; i < fx->names_n; i++)
		for (size_t k = 0; k < s->names_n; k++)
			set.bits |= (uint64_t)str_eq(fx->names[i], s->names[k].name) << k;
	return set;
}

static void
put_order(struct fleet *f, uint32_t n, const struct site_effect *fx)
{
	const struct site *s = &f->sites[n].site;

	if (f->sites[n].draws)
		fleet_gate_hold(f);
	fleet_put(f, f->plan->probe_ms / 100, EV_KEY, n, (uint32_t)set_of(s, fx).bits, fx->job);
}

/* Lines of history that are rare branches. */
static void
note_history(struct fleet *f, enum history_kind kind)
{
	static const struct {
		enum history_kind kind;
		enum fleet_mark mark;
	} rare[] = {
		{ HISTORY_REDUCED, FLEET_MARK_REDUCED },
		{ HISTORY_NAME_ADDED, FLEET_MARK_NAME_ADDED },
		{ HISTORY_RESTORED, FLEET_MARK_RESTORED },
		{ HISTORY_REDIRECT_OFF, FLEET_MARK_REDIRECT_RELEASED },
		{ HISTORY_DEPLOY_FAILED, FLEET_MARK_DEPLOY_FAILED },
	};

	for (size_t i = 0; i < sizeof rare / sizeof *rare; i++)
		if (rare[i].kind == kind)
			fleet_mark(f, rare[i].mark);
}

static void
end_look(struct fleet *f, uint32_t n, uint64_t job, enum look look)
{
	struct site_event ev = { .kind = SITE_CHECKED, .job = job, .retry_after = WHEN_UNKNOWN };

	if (look == LOOK_ALL && quiet_checked(f, n, job)) {
		quiet_look_ahead(f, n);
		queue_site(f, n);
		return;
	}
	ev.evidence = owners_look(f, n, look);
	(void)node_event(f, n, &ev);
}

static void
begin_look(struct fleet *f, uint32_t n, uint64_t job, enum look look)
{
	if (f->plan->probe_ms == 0) {
		end_look(f, n, job, look);
		return;
	}
	events_put(&f->events,
	    (struct fleet_event){ .at_ms = f->now_ms + f->plan->probe_ms, .site = n,
		.generation = f->generation, .kind = EV_PROBED, .flag = (uint8_t)look, .extra = job });
}

void
node_look(struct fleet *f, uint32_t n, uint64_t job)
{
	f->report->checks++;
	begin_look(f, n, job, LOOK_ALL);
}

static void
act(struct fleet *f, uint32_t n, const struct site_effect *fx)
{
	switch (fx->kind) {
	case FX_CHECK:
	case FX_VERIFY:
		f->report->checks += fx->kind == FX_CHECK;
		begin_look(f, n, fx->job, fx->kind == FX_VERIFY ? LOOK_VERIFY : fx->is_dns_only ? LOOK_DNS : LOOK_ALL);
		return;
	case FX_ORDER:
		f->report->orders++;
		put_order(f, n, fx);
		return;
	case FX_RESUME:
		fleet_mark(f, FLEET_MARK_ORDER_RESUMED);
		orders_of_fleet_resume(f, n, fx->job);
		return;
	case FX_ABANDON:
		fleet_mark(f, FLEET_MARK_ORDER_ABANDONED);
		orders_of_fleet_abandon(f, n);
		return;
	case FX_DEPLOY:
		f->report->deploys++;
		put_deploy(f, n, fx);
		return;
	case FX_LETTER:
		f->report->letters[fx->letter]++;
		return;
	case FX_HISTORY:
		note_history(f, fx->history);
		return;
	case FX_DISCARD_DRAFT:
		fleet_mark(f, FLEET_MARK_DRAFT_DISCARDED);
		return;
	case FX_TAKE_OVER: /* a word in the setting, which is the site's own here */
		return;
	case FX_EFFECT_COUNT:
		return;
	}
}

/* --- dying --- */

enum { DIES_BEFORE_COMMIT, DIES_BEFORE_ACT, DIES_IN_ORDER, DIES_AFTER_ACT };

bool
node_dies(struct fleet *f, unsigned at)
{
	if (f->crash_in == 0 || --f->crash_in > 0)
		return false;
	if (f->crash_at != at) {
		f->crash_in = 1;
		return false;
	}
	node_crash(f, false);
	return true;
}

void
node_crash(struct fleet *f, bool is_zombie)
{
	f->generation++;
	f->is_down = true;
	f->is_zombie_about = is_zombie;
	f->crash_in = 0;
	f->report->crashes++;
	orders_of_fleet_forget(f);
	fleet_gate_restart(f);
	fleet_put(f, is_zombie ? 0 : 4000, EV_RESTART, 0, 0, 0);
}

void
node_restart(struct fleet *f)
{
	f->is_down = false;
	f->clean_ms = f->now_ms;
	f->restart_at = 0;
	node_restart_more(f);
}

/* Sites whose dates are by a clock of before. */
static void
move_sites(struct fleet *f)
{
	const struct site_event ev = { .kind = SITE_CLOCK_SET, .retry_after = WHEN_UNKNOWN };

	for (uint32_t n = 0; n < f->sites_n && !f->is_down; n++) {
		if (!f->sites[n].is_here)
			continue;
		if (f->sites[n].site.clock.s != f->policy.clock.s)
			(void)node_event(f, n, &ev);
		f->sites[n].queued_ms = FLEET_NEVER_MS;
		queue_site(f, n);
	}
}

/* Everything that was in the middle of something, a part in each turn. */
void
node_restart_more(struct fleet *f)
{
	const struct site_event ev = { .kind = SITE_RESTARTED, .retry_after = WHEN_UNKNOWN };
	unsigned taken = 0;

	while (f->restart_at < f->sites_n && taken < RESTART_PART && !f->is_down) {
		uint32_t n = f->restart_at++;

		if (!f->sites[n].is_here)
			continue;
		if (f->sites[n].site.doing != DOING_NOTHING) {
			(void)node_event(f, n, &ev);
			taken++;
		}
		/* Dates that passed meanwhile. */
		f->sites[n].queued_ms = FLEET_NEVER_MS;
		queue_site(f, n);
	}
	if (f->restart_at < f->sites_n && !f->is_down)
		fleet_put(f, 10, EV_RESTART_MORE, 0, 0, 0);
	else
		move_sites(f);
}

void
node_clock_stepped(struct fleet *f, struct span by)
{
	f->policy.clock.s += by.s;
	f->policy.ca_not_before = when_plus(f->policy.ca_not_before, by);
	fleet_gate_move(f, by);
	orders_of_fleet_move(f, by);
	move_sites(f);
}

/* What the store had before the step. */
struct before {
	struct site site;
	struct site_name names[FLEET_MANY_NAMES];
	struct finding findings[FLEET_MANY_NAMES * LIMIT_FINDINGS];
};

static void
remember(const struct fleet_site *s, struct before *b)
{
	b->site = s->site;
	memcpy(b->names, s->site.names, s->site.names_n * sizeof *b->names);
	for (size_t i = 0; i < s->site.findings.n; i++)
		b->findings[i] = s->site.findings.at[i];
}

static void
restore(struct fleet_site *s, const struct before *b)
{
	s->site = b->site;
	memcpy(s->site.names, b->names, s->site.names_n * sizeof *b->names);
	for (size_t i = 0; i < s->site.findings.n; i++)
		s->site.findings.at[i] = b->findings[i];
}

/* --- one step --- */

static void
act_all(struct fleet *f, uint32_t n)
{
	size_t todo_n = f->effects.n;
	struct site_effect *todo = f->todo_n + todo_n <= sizeof f->todo / sizeof *f->todo ? &f->todo[f->todo_n] : NULL;

	if (todo == NULL) {
		fleet_broken(f, n, "the engine takes turn after turn at one instant and comes to no rest");
		return;
	}
	/* An answer that comes at once makes a step of its own, with effects of its own. */
	memcpy(todo, f->effects.at, todo_n * sizeof *todo);
	f->todo_n += todo_n;
	for (size_t i = 0; i < todo_n && !f->report->is_broken; i++)
		act(f, n, &todo[i]);
	f->todo_n -= todo_n;
}

/* An order of this step counts against the account's limit: is there a place, and is it taken? */
static bool
holds_place(struct fleet *f, uint32_t n)
{
	for (size_t i = 0; i < f->effects.n; i++) {
		if (f->effects.at[i].kind != FX_ORDER)
			continue;
		f->sites[n].draws = !fleet_gate_is_exempt(f, n, set_of(&f->sites[n].site, &f->effects.at[i]));
		/* Who stands in a lane goes on when it is called, and not before. */
		return !f->sites[n].draws || (fleet_gate_has_token(f) && !f->sites[n].waits_turn);
	}
	return true;
}

bool
node_event(struct fleet *f, uint32_t n, const struct site_event *ev)
{
	static _Thread_local struct before before;
	struct fleet_site *s = &f->sites[n];
	struct turn turn = fleet_turn(f, n);
	enum doing doing = s->site.doing;
	uint64_t job = s->site.job;
	bool may_die = f->crash_in > 0, is_tight = s->waits_turn || !fleet_gate_has_token(f);

	if (f->is_down || f->report->is_broken)
		return false;
	quiet_end(f, n);
	if (may_die || is_tight)
		remember(s, &before);
	arena_clear(&f->arena);
	f->effects.n = 0;
	s->site.calendar = f->calendar;
	site_step(&s->site, ev, &turn, &f->policy, &f->arena, &f->effects);
	bool waits = !holds_place(f, n);
	if (waits) {
		/* The same step anew, with what stands in the way among the facts. */
		restore(s, &before);
		f->effects.n = 0;
		s->site.waits_turn = true;
		site_step(&s->site, ev, &turn, &f->policy, &f->arena, &f->effects);
		s->site.waits_turn = false;
	}
	f->report->steps++;
	if (may_die && node_dies(f, DIES_BEFORE_COMMIT)) {
		restore(s, &before);
		fleet_mark(f, FLEET_MARK_CRASH_BEFORE_COMMIT);
		return false;
	}
	keep_findings(f, s);
	watch_keep_step(f, n, ev->kind, doing);
	watch_step(f, n, ev, doing);
	if (ev->job != 0 && ev->job != job && doing != DOING_NOTHING && (s->site.doing != doing || s->site.job != job))
		fleet_broken(f, n, "P7: an answer to job %llu was taken for one to job %llu", (unsigned long long)ev->job,
		    (unsigned long long)job);
	if (may_die && node_dies(f, DIES_BEFORE_ACT)) {
		fleet_mark(f, FLEET_MARK_CRASH_BEFORE_ACT);
		return true;
	}
	if (f->effects.n > 0)
		act_all(f, n);
	if (may_die && f->crash_in > 0)
		(void)node_dies(f, DIES_AFTER_ACT);
	if (waits && s->site.doing == DOING_NOTHING)
		fleet_gate_wait(f, n);
	if (ev->kind == SITE_CHECKED && doing == DOING_CHECK)
		quiet_note(f, n);
	queue_site(f, n);
	return true;
}

static void
wake(struct fleet *f, uint32_t n)
{
	const struct site_event ev = { .kind = SITE_WAKE, .retry_after = WHEN_UNKNOWN };

	(void)node_event(f, n, &ev);
}

void
node_wake(struct fleet *f, uint32_t n)
{
	struct fleet_site *s = &f->sites[n];

	s->queued_ms = FLEET_NEVER_MS;
	/* It is due as soon as there is an engine again. */
	if (f->is_down)
		return;
	if (!when_before(fleet_wall(f), s->site.wake) && !quiet_wake(f, n))
		wake(f, n);
	queue_site(f, n);
}

/* --- answers --- */

static bool
is_for_nobody(struct fleet *f, const struct fleet_event *ev)
{
	if (ev->generation == f->generation)
		return false;
	fleet_mark(f, f->is_zombie_about ? FLEET_MARK_ZOMBIE_ANSWER : FLEET_MARK_CRASH_ANSWER_LOST);
	return !f->is_zombie_about;
}

void
node_probed(struct fleet *f, const struct fleet_event *ev)
{
	if (!is_for_nobody(f, ev))
		end_look(f, ev->site, ev->extra, (enum look)ev->flag);
}

void
node_key(struct fleet *f, const struct fleet_event *ev)
{
	const struct site *s = &f->sites[ev->site].site;

	if (ev->generation != f->generation || f->is_down)
		return;
	if (s->doing != DOING_ORDER || s->job != ev->extra || s->order_id != 0)
		return;
	orders_of_fleet_begin(f, ev->site, ev->extra, (struct name_set){ ev->arg });
}

static enum cause
deploy_fault(const struct fleet *f, const struct server *w)
{
	if (w->disk_ms > f->now_ms)
		return CAUSE_OWN_DISK_FULL;
	return w->config_ms > f->now_ms ? CAUSE_OWN_DEPLOY_CONFIG_BROKEN : CAUSE_NONE;
}

/* The installer does what it was told, whether or not the one who told it is still there. */
void
node_deployed(struct fleet *f, const struct fleet_event *ev)
{
	struct deploy_of_fleet d = f->deploys[ev->arg];
	struct fleet_site *s = &f->sites[ev->site];
	enum cause cause = deploy_fault(f, &f->servers[s->server]);
	struct finding failure = { .cause = cause,
		.subject = STR("nginx"),
		.acts = ACTOR_HOST,
		.next_look = fleet_wall(f),
		.told_at = WHEN_UNKNOWN };
	const struct site_event told = { .kind = SITE_DEPLOYED,
		.job = d.job,
		.applied = d.applied,
		.failures = &failure,
		.failures_n = cause != CAUSE_NONE,
		.retry_after = WHEN_UNKNOWN };

	f->deploys[ev->arg].next_free = f->deploys_free;
	f->deploys_free = ev->arg;
	/* The installer takes one after the other; what an engine of before wanted was overtaken by its successor. */
	if (cause == CAUSE_NONE && d.job >= s->site.job) {
		struct live_set before = s->live;

		watch_expiry(f, ev->site);
		s->live = d.is_removal ? (struct live_set){ 0 } : d.set;
		watch_deploy(f, ev->site, &before, &d);
	}
	if (!is_for_nobody(f, ev))
		(void)node_event(f, ev->site, &told);
}

/* --- the CA's breaker --- */

void
node_ca_failed(struct fleet *f, struct when retry_after)
{
	int64_t wait = pauses_s[f->ca_failures < 4 ? f->ca_failures : 3];
	struct when until = when_plus(fleet_wall(f),
	    SPAN_S(wait + (int64_t)(fleet_random(&f->roll_seed) % ((uint64_t)wait + 1))));

	if (when_is_known(retry_after))
		until = when_max(until, retry_after);
	f->ca_failures++;
	f->policy.ca_not_before = when_max(f->policy.ca_not_before, until);
}

void
node_ca_works(struct fleet *f)
{
	f->ca_failures = 0;
	f->policy.ca_not_before = WHEN_UNKNOWN;
}

void
node_fini(struct fleet *f)
{
	orders_of_fleet_forget(f);
	while (f->live_free != NULL) {
		struct live_order_of_fleet *l = f->live_free;

		f->live_free = l->next_free;
		arena_fini(&l->keep);
		free(l);
	}
	free(f->rows);
	free(f->deploys);
}
