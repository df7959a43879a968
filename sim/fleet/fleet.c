#include "sim/fleet/inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The world's time: what happens next, and to whom. */

const char *
fleet_mark_words(enum fleet_mark m)
{
	static const char *const words[] = {
#define FLEET_MARK(symbol, text) [FLEET_MARK_##symbol] = text,
#include "sim/fleet/marks.tbl"
#undef FLEET_MARK
	};

	return words[m];
}

const char *
fleet_outage_name(enum fleet_outage_kind k)
{
	static const char *const names[] = { "down", "patience", "silent", "rubbish", "internal",
		"limit", "refuse" };

	return names[k];
}

uint32_t
fleet_below(uint64_t *state, uint32_t n)
{
	return n == 0 ? 0 : (uint32_t)((fleet_random(state) >> 32) * n >> 32);
}

void
fleet_put(struct fleet *f, int64_t after_ms, enum fleet_kind kind, uint32_t site, uint32_t arg,
    uint64_t extra)
{
	events_put(&f->events,
	    (struct fleet_event){ .at_ms = f->now_ms + after_ms,
		.site = site,
		.arg = arg,
		.generation = f->generation,
		.kind = (uint8_t)kind,
		.extra = extra });
}

void
fleet_mark(struct fleet *f, enum fleet_mark m)
{
	f->report->marks[m]++;
}

struct name_set
fleet_held_names(const struct fleet_site *s)
{
	struct name_set set = { 0 };

	for (size_t i = 0; i < s->site.names_n; i++)
		set.bits |= (uint64_t)s->site.names[i].is_held << i;
	return set;
}

void
fleet_broken(struct fleet *f, uint32_t site, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	if (f->report->is_broken)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	f->report->is_broken = true;
	why_set(&f->report->broken, "seed %llu, day %.2f, %s: %s", (unsigned long long)f->plan->seed,
	    (double)(f->now_ms - f->start_ms) / (double)FLEET_DAY_MS,
	    site < f->sites_n ? f->sites[site].site.names[0].name.p : "the fleet", text);
	watch_print_steps(f, &f->report->steps_kept);
}

/* --- making it --- */

static size_t
names_of(const struct fleet_plan *p, uint64_t *random)
{
	uint32_t roll = fleet_below(random, 100);

	if (roll < p->pair_percent)
		return 2;
	return roll < (uint32_t)p->pair_percent + p->many_percent ? FLEET_MANY_NAMES : 1;
}

/* The first two names share one text: "www." and what follows it. */
static struct str
text_of_name(struct fleet *f, uint32_t n, size_t k, size_t *at)
{
	char *text = f->texts[k == 1 ? *at - 1 : *at];
	int length = k < 2 ? snprintf(text, FLEET_TEXT, "www.s%u.example", n)
			   : snprintf(text, FLEET_TEXT, "n%zu.s%u.example", k, n);

	*at += k != 1;
	return k == 0 ? (struct str){ text + 4, (size_t)length - 4 } : (struct str){ text, (size_t)length };
}

static void
name_site(struct fleet *f, uint32_t n, size_t first, size_t *text_at)
{
	struct fleet_site *s = &f->sites[n];

	s->site.names = &f->names[first];
	for (size_t i = 0; i < s->site.names_n; i++)
		s->site.names[i] = (struct site_name){ .id = (int64_t)(first + i + 1),
			.name = text_of_name(f, n, i, text_at),
			.is_wanted = true,
			.passed_at = WHEN_UNKNOWN,
			.refused_until = WHEN_UNKNOWN,
			.validated_at = WHEN_UNKNOWN,
			.served = { .at = WHEN_UNKNOWN, .not_after = WHEN_UNKNOWN } };
}

static void
init_site(struct fleet *f, uint32_t n, uint64_t *random)
{
	struct fleet_site *s = &f->sites[n];
	const struct fleet_plan *p = f->plan;
	uint32_t habit = fleet_below(random, 100);

	s->site = (struct site){ .id = (int64_t)n + 1,
		.owner_id = (int64_t)n + 1,
		.setting = { .source = SOURCE_FREE,
		    .coverage = COVERAGE_MULTI,
		    .redirect = fleet_below(random, 100) < p->redirect_percent },
		.names_n = names_of(p, random),
		.draft = { .told_at = WHEN_UNKNOWN },
		.doing_since = WHEN_UNKNOWN,
		.left_at = WHEN_UNKNOWN,
		.retry_at = WHEN_UNKNOWN,
		.checked_at = WHEN_UNKNOWN,
		.look_at = WHEN_UNKNOWN,
		.deploy_at = WHEN_UNKNOWN,
		.letter_at = WHEN_UNKNOWN,
		.wake = WHEN_NEVER };
	s->site.setting.hsts = s->site.setting.redirect && fleet_below(random, 4) == 0;
	s->queued_ms = FLEET_NEVER_MS;
	s->server = (uint16_t)fleet_below(random, p->servers);
	s->company = (uint8_t)fleet_below(random, p->companies);
	s->habit = habit < p->quick_percent ? MENDS_QUICKLY
		   : habit < (uint32_t)p->quick_percent + p->late_percent ? MENDS_LATE
									   : MENDS_NEVER;
	s->watched.pointing_since_s = fleet_s(f, FLEET_NEVER_MS);
}

static enum err
make_sites(struct fleet *f)
{
	const struct fleet_plan *p = f->plan;
	uint64_t random = f->world_seed ^ 0x5173;
	size_t names_n = 0, texts_n = 0, at = 0, text_at = 0;

	/* One more than are counted: the operator's own name. */
	f->sites = calloc(p->sites + 1, sizeof *f->sites);
	if (f->sites == NULL)
		return ERR_MEMORY;
	f->sites_n = p->sites;
	for (uint32_t i = 0; i < p->sites; i++) {
		init_site(f, i, &random);
		names_n += f->sites[i].site.names_n;
		texts_n += f->sites[i].site.names_n > 1 ? f->sites[i].site.names_n - 1 : 1;
	}
	f->names = calloc(names_n + 1, sizeof *f->names);
	f->pointing = calloc(names_n + 1, sizeof *f->pointing);
	f->texts = calloc(texts_n, sizeof *f->texts);
	if (p->has_faults)
		f->logs = calloc((size_t)(p->sites + 1) * f->cas_n, sizeof(struct ca_log *));
	if (f->cas_n > 1)
		f->reserves = calloc(p->sites + 1, sizeof *f->reserves);
	if (f->cas_n > 1 && f->reserves == NULL)
		return ERR_MEMORY;
	if (f->names == NULL || f->pointing == NULL || f->texts == NULL || (p->has_faults && f->logs == NULL))
		return ERR_MEMORY;
	for (uint32_t i = 0; i < p->sites; i++) {
		name_site(f, i, at, &text_at);
		at += f->sites[i].site.names_n;
	}
	f->names[names_n] = (struct site_name){ .id = (int64_t)names_n + 1, .name = STR("canary.example"), .is_wanted = true };
	f->sites[p->sites].site = (struct site){ .id = (int64_t)p->sites + 1, .names = &f->names[names_n], .names_n = 1 };
	f->report->bytes = p->sites * sizeof *f->sites +
			   names_n * (sizeof *f->names + sizeof *f->pointing) + texts_n * sizeof *f->texts;
	return ERR_OK;
}

/* A site that has been here for long: with a certificate somewhere in the first two thirds of its life. */
static void
settle_site(struct fleet *f, uint32_t n, uint64_t *random)
{
	struct fleet_site *s = &f->sites[n];
	int64_t life = authority_life(f, 0).s, now = f->start_ms / 1000,
		from = now - (int64_t)(fleet_random(random) % (uint64_t)(life * 2 / 3));

	s->site.held = (struct held){ .id = ++f->orders.serial,
		.life = { { from }, { from + life } },
		.is_live = true };
	memcpy(s->site.held.fingerprint, &s->site.held.id, sizeof s->site.held.id);
	s->site.jitter = (uint32_t)fleet_random(random);
	s->site.issued_told = true;
	s->site.renewals_good = 3;
	for (size_t i = 0; i < s->site.names_n; i++) {
		s->site.names[i].is_held = true;
		s->site.names[i].validated_at = s->site.held.life.from;
	}
	s->issued_names[0] = (uint16_t)fleet_held_names(s).bits;
	s->live = (struct live_set){ s->site.held.id, s->site.held.life, fleet_held_names(s), 0 };
	s->site.look_at.s = now + (int64_t)fleet_below(random, 86400);
	s->site.deploy_at.s = s->site.look_at.s;
	s->site.wake = s->site.look_at;
	s->queued_ms = s->site.wake.s * 1000;
	events_put(&f->events, (struct fleet_event){ .at_ms = s->queued_ms, .site = n, .kind = EV_WAKE });
}

/* When the newcomer that is site n comes. */
int64_t
fleet_newcomer_ms(const struct fleet *f, uint32_t n)
{
	return f->plan->replace_at.s * 1000 + (int64_t)(n - (f->sites_n - f->plan->newcomers) + 1) * FLEET_HOUR_MS;
}

static void
fill(struct fleet *f)
{
	uint64_t random = f->world_seed ^ 0xf111;

	for (uint32_t i = 0; i < f->sites_n; i++) {
		int64_t fill_ms = f->plan->fill.s * 1000;

		if (i >= f->sites_n - f->plan->newcomers) {
			fleet_put(f, fleet_newcomer_ms(f, i) - f->now_ms, EV_ADD, i, 0, 0);
			continue;
		}
		if (fill_ms == 0) {
			f->sites[i].is_here = true;
			owners_begin(f, i);
			settle_site(f, i, &random);
		} else {
			fleet_put(f, (int64_t)(fleet_random(&random) % (uint64_t)fill_ms), EV_ADD, i, 0, 0);
		}
	}
}

static void
add_site(struct fleet *f, uint32_t n)
{
	const struct site_event ev = { .kind = SITE_WAKE, .retry_after = WHEN_UNKNOWN };

	f->sites[n].is_here = true;
	owners_begin(f, n);
	/* The web process adds a site whatever the engine does: its row is due at once. */
	f->sites[n].site.look_at = f->sites[n].site.deploy_at = f->sites[n].site.wake = fleet_wall(f);
	f->sites[n].queued_ms = f->now_ms;
	if (f->plan->probe_ms == 0)
		(void)node_event(f, n, &ev);
	else
		fleet_put(f, 0, EV_WAKE, n, 0, 0);
}

static void
init_policy(struct fleet *f)
{
	f->policy = (struct policy){ .look_every = SPAN_D(1),
		.poll_min = SPAN_S(30),
		.poll_max = SPAN_MIN(15),
		.draft_tell_after = SPAN_D(7),
		.draft_discard_after = SPAN_D(30),
		.reserve_after = SPAN_H(1),
		.addresses = f->addresses,
		.addresses_n = f->plan->servers,
		.thumbprint = STR("simulated-thumbprint-of-the-account") };
	for (size_t i = 0; i < f->cas_n; i++)
		f->accounts[i].breaker = BREAKER_CLOSED_FOREVER;
	node_policy_cas(f);
	for (size_t i = 0; i < f->plan->servers; i++) {
		struct server *w = &f->servers[i];
		int n = snprintf(w->text, sizeof w->text, "203.0.%zu.%zu", i / 250, i % 250 + 1);

		f->addresses[i] = (struct str){ w->text, (size_t)n };
	}
}

/* Four of ten seeds: by a number that has nothing to do with what else the seed decides. */
static bool
has_reserve(uint64_t seed)
{
	uint64_t state = seed ^ 0x5e5e;

	return fleet_below(&state, 10) < 4;
}

static enum err
fleet_init(struct fleet *f, const struct fleet_plan *p, struct fleet_report *report)
{
	uint64_t seed = p->seed;

	f->own_plan = *p;
	f->plan = p = &f->own_plan;
	if (p->has_faults && p->lives_by_seed) {
		/* Half of the seeds have an account with few orders, a third of them a daemon with little room. */
		if (seed % 2 == 0)
			f->own_plan.ca.orders_capacity = p->sites < 100 ? 12 : p->sites / 4; /* a fill takes half a day */
		if (seed % 3 == 0)
			f->own_plan.orders_open_max = 3;
		if (seed % 4 == 0)
			f->own_plan.fill = SPAN_H(2);
	}
	f->cas_n = p->has_faults && p->reserve_by_seed && has_reserve(p->seed) ? 2 : 1;
	f->report = report;
	f->world_seed = fleet_random(&seed);
	f->roll_seed = f->chance_of_sites = fleet_random(&seed);
	f->start_ms = f->now_ms = p->start.s * 1000;
	f->end_ms = f->start_ms + p->span.s * 1000;
	f->calm_ms = f->end_ms - p->calm.s * 1000;
	f->clean_ms = f->clock_clean_ms = f->network_clean_ms = f->start_ms;
	for (size_t i = 0; i < p->servers; i++)
		f->servers[i].clean_ms = f->start_ms;
	events_init(&f->events, f->start_ms);
	arena_init(&f->arena, LIMIT_TURN_BYTES);
	arena_init(&f->order_arena, LIMIT_TURN_BYTES);
	arena_init(&f->answer.arena, LIMIT_TURN_BYTES);
	report->bins_n = (size_t)(p->span.s / p->bin.s) + 1;
	report->issued_in = calloc(report->bins_n, sizeof *report->issued_in);
	report->all_replaced_at = WHEN_UNKNOWN;
	buf_init(&report->steps_kept, 65536);
	f->firsts_since = WHEN_UNKNOWN;
	f->canary_at = when_plus(p->start, SPAN_H(1));
	authority_init(f);
	init_policy(f);
	fleet_gate_init(f);
	pair_init(f);
	return report->issued_in == NULL ? ERR_MEMORY : make_sites(f);
}

static void
fleet_fini(struct fleet *f)
{
	node_fini(f);
	fleet_gate_fini(f);
	authority_fini(f);
	events_fini(&f->events);
	arena_fini(&f->arena);
	arena_fini(&f->order_arena);
	arena_fini(&f->answer.arena);
	for (uint32_t i = 0; i < f->sites_n; i++) {
		free(f->sites[i].findings);
	}
	for (size_t i = 0; f->logs != NULL && i < (f->sites_n + 1) * f->cas_n; i++)
		free(f->logs[i]);
	free(f->sites);
	free(f->names);
	free(f->pointing);
	free(f->texts);
	free(f->logs);
	free(f->reserves);
}

/* --- living --- */

static void
take(struct fleet *f, const struct fleet_event *ev)
{
	switch ((enum fleet_kind)ev->kind) {
	case EV_WAKE:
		if (f->sites[ev->site].queued_ms == ev->at_ms)
			node_wake(f, ev->site);
		return;
	case EV_PROBED:
		node_probed(f, ev);
		return;
	case EV_KEY:
		node_key(f, ev);
		return;
	case EV_ANSWER:
		orders_of_fleet_answer(f, ev);
		return;
	case EV_ORDER_WAKE:
		orders_of_fleet_wake(f, ev);
		return;
	case EV_DEPLOYED:
		node_deployed(f, ev);
		return;
	case EV_VALIDATED:
		authority_validated(f, ev);
		return;
	case EV_OWNER:
		owners_event(f, ev);
		return;
	case EV_MEND:
		owners_mend(f, ev->site);
		return;
	case EV_SWEEP:
		watch_sweep(f);
		return;
	case EV_ADD:
		add_site(f, ev->site);
		return;
	case EV_RESTART:
		node_restart(f);
		return;
	case EV_RESTART_MORE:
		if (ev->generation == f->generation)
			node_restart_more(f);
		return;
	case EV_CA:
	case EV_SERVER:
	case EV_COMPANY:
	case EV_RESOLVER:
	case EV_CRASH:
	case EV_CLOCK:
		faults_event(f, ev);
		return;
	case EV_PAIR:
		pair_event(f, ev);
		return;
	case EV_LETTER:
		letters_of_fleet_event(f, ev);
		return;
	case EV_CANARY:
		node_canary(f);
		return;
	case EV_GATE:
		fleet_gate_open(f);
		return;
	case EV_SEND:
		orders_of_fleet_send(f, ev);
		return;
	case EV_POLL:
		fleet_gate_poll(f, ev->site);
		return;
	case EV_REPLACE:
		fleet_gate_begin_polls(f);
		return;
	case EV_CALM:
		faults_calm(f);
		return;
	case EV_COUNT:
		return;
	}
}

enum err
fleet_run(const struct fleet_plan *p, struct fleet_report *report)
{
	struct fleet *f = calloc(1, sizeof *f);
	struct fleet_event ev;

	*report = (struct fleet_report){ 0 };
	if (f == NULL)
		return ERR_MEMORY;
	enum err err = fleet_init(f, p, report);
	if (err == ERR_OK) {
		fill(f);
		faults_begin(f);
		if (when_is_known(p->replace_at))
			fleet_put(f, p->replace_at.s * 1000 - f->now_ms, EV_REPLACE, 0, 0, 0);
		watch_sweep(f);
		if (f->cas_n > 1)
			node_canary(f);
		while (!report->is_broken && f->err == ERR_OK && events_take(&f->events, f->end_ms, &ev)) {
			f->now_ms = ev.at_ms;
			take(f, &ev);
		}
		report->bytes += f->events.n * sizeof ev;
		f->now_ms = report->is_broken ? f->now_ms : f->end_ms;
		if (!report->is_broken && f->err == ERR_OK)
			watch_end(f);
		err = f->events.failed ? ERR_MEMORY : f->err;
	}
	fleet_fini(f);
	free(f);
	return err;
}

void
fleet_report_fini(struct fleet_report *r)
{
	free(r->issued_in);
	buf_fini(&r->steps_kept);
	*r = (struct fleet_report){ 0 };
}
