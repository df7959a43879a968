#include "sim/fleet/inside.h"
#include <stdlib.h>
#include <string.h>
#include "core/site_ca.h"

/*
 * The engine of a fleet: decide, commit, act, as engine/ does it, with the committed facts in memory. It dies at three
 * places: with a decision that was not committed, between commit and act, and with answers on their way. What was
 * committed survives, what the world was asked to do is done, and nobody tells.
 */

enum { RESTART_PART = 256, SHUT_MOST_MS = 600000, LIMIT_ROUNDS = 4 };

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

/* On a slow disk half of them take up to a minute, and the others up to twenty. */
static int64_t
deploy_takes_ms(struct fleet *f, struct server *w)
{
	int64_t end_ms = f->now_ms + f->plan->deploy_ms;

	if (w->slow_ms > f->now_ms)
		end_ms += 1000 + (int64_t)fleet_below(&f->world_seed, fleet_below(&f->world_seed, 2) == 0 ? 60000 : NODE_SLOW_MOST_MS - 2000);
	if (end_ms < w->busy_ms)
		end_ms = w->busy_ms;
	if (w->slow_ms > f->now_ms)
		w->busy_ms = end_ms;
	return end_ms - f->now_ms;
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
		.begun_ms = f->now_ms,
		.is_slow = f->servers[s->server].slow_ms > f->now_ms,
		.set = { s->site.held.id, s->site.held.life, fleet_held_names(s), fx->applied.redirect } };
	fleet_put(f, deploy_takes_ms(f, &f->servers[s->server]), EV_DEPLOYED, n, i, fx->job);
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
	const uint8_t ca = fleet_ca(fx->ca_id);

	if (f->sites[n].draws)
		fleet_gate_hold(f, ca);
	if (ca > 0)
		fleet_mark(f, FLEET_MARK_RESERVE_USED);
	if (breaker_take(&f->accounts[ca].breaker, fleet_wall(f)))
		node_policy_cas(f);
	events_put(&f->events, (struct fleet_event){ .at_ms = f->now_ms + f->plan->probe_ms / 100, .site = n,
				   .arg = (uint32_t)set_of(s, fx).bits, .generation = f->generation, .kind = EV_KEY, .flag = ca,
				   .extra = fx->job });
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

/* What is written in the transaction of the decision. */
static void
commit(struct fleet *f, uint32_t n)
{
	for (size_t i = 0; i < f->effects.n; i++) {
		const struct site_effect *fx = &f->effects.at[i];

		if (fx->kind == FX_LETTER) {
			f->report->letters[fx->letter]++;
			letters_of_fleet_put(f, n);
		} else if (fx->kind == FX_HISTORY) {
			note_history(f, fx->history);
		} else if (fx->kind == FX_DISCARD_DRAFT) {
			fleet_mark(f, FLEET_MARK_DRAFT_DISCARDED);
		} else if (fx->kind == FX_ABANDON) {
			fleet_mark(f, FLEET_MARK_ORDER_ABANDONED);
			orders_of_fleet_abandon(f, n);
		}
	}
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
	case FX_ABANDON: /* it is closed: somebody else has its place */
		fleet_gate_take_waiting(f);
		return;
	case FX_DEPLOY:
		f->report->deploys++;
		put_deploy(f, n, fx);
		return;
	case FX_LETTER: /* written with the decision */
	case FX_HISTORY:
	case FX_RECORD: /* no zone is ours here */
	case FX_DISCARD_DRAFT:
	case FX_TAKE_OVER: /* a word in the setting, which is the site's own here */
	case FX_DESTROY:   /* no owner of a fleet asks for it */
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
node_stop(struct fleet *f)
{
	f->generation++;
	f->is_down = true;
	f->is_zombie_about = false;
	f->crash_in = 0;
	f->report->crashes++;
	f->canary_is_out = false;
	orders_of_fleet_forget(f);
	fleet_gate_restart(f);
}

void
node_crash(struct fleet *f, bool is_zombie)
{
	node_stop(f);
	f->is_zombie_about = is_zombie;
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
	for (size_t i = 0; i < f->cas_n; i++) {
		struct breaker *b = &f->accounts[i].breaker;

		b->ill_since = when_plus(b->ill_since, by);
		b->not_before = when_plus(b->not_before, by);
		b->probed_at = when_plus(b->probed_at, by);
	}
	f->canary_at = when_plus(f->canary_at, by);
	node_policy_cas(f);
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
holds_place(struct fleet *f, uint32_t n, uint8_t *ret_ca)
{
	struct fleet_site *s = &f->sites[n];

	for (size_t i = 0; i < f->effects.n; i++) {
		if (f->effects.at[i].kind != FX_ORDER)
			continue;
		uint8_t ca = *ret_ca = fleet_ca(f->effects.at[i].ca_id);
		s->draws = !fleet_gate_is_exempt(f, n, ca, set_of(&s->site, &f->effects.at[i]));
		/* Who stands in a lane goes on when it is called, and not before. */
		return !s->draws || (fleet_gate_has_token(f, ca) && (ca > 0 || !s->waits_turn));
	}
	return true;
}

/* The same step anew, with what stands in the way among the facts. */
static bool
step_within_limits(struct fleet *f, uint32_t n, const struct site_event *ev, const struct turn *turn, const struct before *before)
{
	struct fleet_site *s = &f->sites[n];
	bool waits = false;
	unsigned rounds = 0;
	uint8_t ca;

	while (!holds_place(f, n, &ca) && !waits) {
		if (++rounds > LIMIT_ROUNDS) {
			fleet_broken(f, n, "P6: what a CA would refuse is decided on again and again");
			return false;
		}
		restore(s, before);
		f->effects.n = 0;
		if (ca > 0)
			fleet_gate_put_limits(f, n, ca);
		else
			waits = s->site.waits_turn = true;
		site_step(&s->site, ev, turn, &f->policy, &f->arena, &f->effects);
		s->site.waits_turn = false;
	}
	s->site.limits = (struct finding_list){ .at = NULL };
	s->site.limits_ca_id = 0;
	return waits;
}

bool
node_event(struct fleet *f, uint32_t n, const struct site_event *ev)
{
	static _Thread_local struct before before;
	struct fleet_site *s = &f->sites[n];
	struct turn turn = fleet_turn(f, n);
	enum doing doing = s->site.doing;
	uint64_t job = s->site.job;
	bool may_die = f->crash_in > 0;
	bool is_tight = s->waits_turn || !fleet_gate_has_token(f, 0) || (f->cas_n > 1 && !fleet_gate_has_token(f, 1));

	if (f->is_down || f->report->is_broken)
		return false;
	quiet_end(f, n);
	if (may_die || is_tight)
		remember(s, &before);
	arena_clear(&f->arena);
	f->effects.n = 0;
	s->site.calendar = f->accounts[s->is_of_reserve].calendar;
	site_step(&s->site, ev, &turn, &f->policy, &f->arena, &f->effects);
	bool waits = step_within_limits(f, n, ev, &turn, &before);
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
	commit(f, n);
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

/* What stands in a lane is not woken while the first CA is shut, but for its looks, and unless the reserve could help it. And where one
 * order at a time finds out whether that CA is well, who would make the next one is not looked at before the one that was let in has
 * been (engine/lanes.c). */
static bool
waits_for_ca(struct fleet *f, uint32_t n)
{
	struct fleet_site *s = &f->sites[n];
	const struct breaker *b = &f->accounts[0].breaker;
	struct when now = fleet_wall(f);

	if (!when_is_known(b->ill_since) || !when_is_known(s->site.checked_at) || !when_before(now, s->site.look_at) ||
	    !plan_waits_in_lane(&s->site, now))
		return false;
	int64_t at_ms = f->probing_ms;
	if (breaker_state(b, now) == BREAKER_OPEN) {
		if (f->cas_n > 1 && (s->site.held.id == 0 || !when_before(now, life_reduce_at(s->site.held.life))))
			return false;
		int64_t wait_ms = when_between(now, breaker_not_before(b)).s * 1000;
		at_ms = f->now_ms + (wait_ms < SHUT_MOST_MS ? wait_ms : SHUT_MOST_MS);
	} else if (f->probing_ms <= f->now_ms) {
		f->probing_ms = f->now_ms + 2 * f->plan->probe_ms + 1;
		return false;
	}
	s->queued_ms = at_ms;
	events_put(&f->events, (struct fleet_event){ .at_ms = at_ms, .site = n, .kind = EV_WAKE });
	return true;
}

void
node_wake(struct fleet *f, uint32_t n)
{
	struct fleet_site *s = &f->sites[n];

	s->queued_ms = FLEET_NEVER_MS;
	/* It is due as soon as there is an engine again. */
	if (f->is_down)
		return;
	if (!when_before(fleet_wall(f), s->site.wake)) {
		if (waits_for_ca(f, n))
			return;
		if (!quiet_wake(f, n))
			wake(f, n);
	}
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
	orders_of_fleet_begin(f, &(struct waiting_order){ .site = ev->site, .ca = ev->flag, .names = { ev->arg }, .job = ev->extra });
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
	if (d.is_slow)
		watch_installer(f, ev->site, &d);
	/* The installer takes one after the other; what an engine of before wanted was overtaken by its successor. */
	if (cause == CAUSE_NONE && (d.job >= s->site.job || d.is_slow)) {
		struct live_set before = s->live;

		watch_expiry(f, ev->site);
		s->live = d.is_removal ? (struct live_set){ 0 } : d.set;
		watch_deploy(f, ev->site, &before, &d);
	}
	if (!is_for_nobody(f, ev))
		(void)node_event(f, ev->site, &told);
}

/* --- the CAs' breakers --- */

void
node_policy_cas(struct fleet *f)
{
	static const struct str names[FLEET_CAS] = { { "a1", 2 }, { "b2", 2 } }, issuers[FLEET_CAS] = { { "a1.example", 10 }, { "b2.example", 10 } };
	static const struct str urls[FLEET_CAS] = { { "https://a1.example/account/1", 28 }, { "https://b2.example/account/1", 28 } };

	for (size_t i = 0; i < f->cas_n; i++) {
		const struct breaker *b = &f->accounts[i].breaker;

		f->policy_cas[i] = (struct policy_ca){ .id = (int64_t)i + 1,
			.name = names[i],
			.issuer = issuers[i],
			.account_url = urls[i],
			.not_before = breaker_not_before(b),
			.ill_since = b->ill_since,
			.is_ready = true,
			.is_doubtful = b->failures > 0 };
	}
	f->policy.cas = f->policy_cas;
	f->policy.cas_n = f->cas_n;
	site_ca_use(&f->policy, 0);
	/* With one there is nothing to choose, and CAA is not looked at for more than that one. */
	if (f->cas_n == 1)
		f->policy.cas_n = 0;
}

void
node_ca_told(struct fleet *f, uint8_t ca, const struct finding_list *failures, struct when retry_after)
{
	struct breaker *b = &f->accounts[ca].breaker;
	const struct turn turn = { fleet_wall(f), (uint32_t)(fleet_random(&f->roll_seed) >> 32) };

	if (failures == NULL ? breaker_worked(b, turn.now) : breaker_judge(b, failures, &turn, retry_after))
		node_policy_cas(f);
	breaker_check(b);
}

/* --- the rehearsal at the reserve, as engine/canary.c has it --- */

enum { CANARY_EVERY_S = 7 * 86400, CANARY_FAILED_S = 86400, CANARY_AGAIN_S = 3600, CANARY_LOOK_MS = 600000 };

void
node_canary(struct fleet *f)
{
	fleet_put(f, CANARY_LOOK_MS, EV_CANARY, 0, 0, 0);
	if (f->is_down || f->canary_is_out || when_before(fleet_wall(f), when_max(f->canary_at, f->policy_cas[1].not_before)))
		return;
	/* Counted ahead: what it asks for, and what it asked for before the engine died over it. */
	f->canary_at = when_plus(fleet_wall(f), SPAN_S(CANARY_AGAIN_S));
	if (!fleet_gate_has_token(f, 1))
		return;
	fleet_gate_spend(f, 1, 1);
	if (breaker_take(&f->accounts[1].breaker, fleet_wall(f)))
		node_policy_cas(f);
	f->canary_is_out = true;
	orders_of_fleet_begin(f, &(struct waiting_order){ .site = fleet_canary(f), .ca = 1, .is_canary = true, .names = { 1 } });
}

void
node_canary_ended(struct fleet *f, bool is_good, struct when retry_after)
{
	int64_t every = is_good ? CANARY_EVERY_S : CANARY_FAILED_S;
	struct when law = when_min(retry_after, when_plus(fleet_wall(f), SPAN_S(CANARY_EVERY_S)));

	f->canary_is_out = false;
	f->canary_at = when_plus(fleet_wall(f), SPAN_S(every + (int64_t)(fleet_random(&f->roll_seed) % (uint64_t)(every / 10))));
	if (when_is_known(retry_after))
		f->canary_at = when_max(f->canary_at, law);
	fleet_mark(f, is_good ? FLEET_MARK_CANARY_GOOD : FLEET_MARK_CANARY_FAILED);
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
	free(f->letters);
}
