#include "sim/world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/must.h"

enum { TURNS_AT_ONE_INSTANT_MAX = 20000 };

struct sim_event {
	int64_t at_ms;
	uint64_t sequence, generation;
	sim_fn *fn, *dropped;
	void *arg;
};

/* --- the clock and the queue of what will happen --- */

struct when
sim_now(const struct sim *s)
{
	return (struct when){ s->now_ms / 1000 + s->clock_step_s };
}

/* splitmix64: small, and good enough for choosing among simulated accidents. */
uint64_t
sim_random(struct sim *s)
{
	uint64_t z = s->seed += 0x9e3779b97f4a7c15U;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

static struct when
port_now(void *ctx)
{
	return sim_now(ctx);
}

static struct mono
port_mono(void *ctx)
{
	const struct sim *s = ctx;

	return (struct mono){ s->now_ms - s->start_ms };
}

static void
port_random(void *ctx, void *ret, size_t n)
{
	unsigned char *p = ret;

	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)sim_random(ctx);
}

struct clock
sim_clock_port(struct sim *s)
{
	return (struct clock){ s, port_now, port_mono, port_random };
}

static bool
is_before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->sequence < b->sequence;
}

enum err
sim_after(struct sim *s, int64_t ms, sim_fn *fn, sim_fn *dropped, void *arg)
{
	if (s->events_n == s->events_cap) {
		size_t cap = s->events_cap == 0 ? 64 : 2 * s->events_cap;
		struct sim_event *grown = realloc(s->events, cap * sizeof *grown);

		if (grown == NULL)
			return ERR_MEMORY;
		s->events = grown;
		s->events_cap = cap;
	}
	struct sim_event ev = { s->now_ms + ms, s->sequence++, s->generation, fn, dropped, arg };
	size_t i = s->events_n++;
	while (i > 0 && is_before(&ev, &s->events[(i - 1) / 2])) {
		s->events[i] = s->events[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	s->events[i] = ev;
	return ERR_OK;
}

static struct sim_event
take_event(struct sim *s)
{
	struct sim_event first = s->events[0], last = s->events[--s->events_n];
	size_t i = 0;

	for (size_t child; (child = 2 * i + 1) < s->events_n; i = child) {
		if (child + 1 < s->events_n && is_before(&s->events[child + 1], &s->events[child]))
			child++;
		if (!is_before(&s->events[child], &last))
			break;
		s->events[i] = s->events[child];
	}
	if (s->events_n > 0)
		s->events[i] = last;
	return first;
}

/* --- koshin in the world --- */

static void
print_log(void *arg, const char *line)
{
	const struct sim *s = arg;

	if (s->is_loud)
		fprintf(stderr, "%lld %s\n", (long long)sim_now(s).s, line);
}

enum err
sim_engine(struct sim *s, struct engine **ret)
{
	/* The names are the world's own. */
	for (size_t i = 0; i < s->cas_n; i++) {
		s->config.cas[i].name = s->cas[i].name;
		s->config.cas[i].directory = s->cas[i].directory;
	}
	s->config.cas_n = s->cas_n;
	s->config.dns.updates = s->updates;
	s->config.dns.updates_n = s->zones_n;
	struct engine_setup setup = {
		.config = &s->config,
		.ports = { sim_clock_port(s), s->store, sim_acme_port(s), sim_keys_port(s), sim_probe_port(s),
		    sim_deploy_port(s), sim_mail_port(s), sim_witness_port(s), sim_dnsapi_port(s) },
		.heartbeat_every = SPAN_D(1),
		.lease = s->lease,
		.holder = s->holder,
		.is_gone = s->is_gone,
		.log = print_log,
		.log_arg = s,
	};

	if (s->wrap_ports != NULL)
		s->wrap_ports(s, &setup.ports, s->wrap_arg);
	return engine_new(&setup, ret);
}

static enum err
start_engine(struct sim *s)
{
	return sim_engine(s, &s->engine);
}

enum err
sim_crash(struct sim *s)
{
	s->generation++;
	engine_free(&s->engine);
	store_abandon(s->store);
	return start_engine(s);
}

/* Config texts are char *, as the parser makes them; these are never written to. */
static char *
text(struct sim *s, const char *words)
{
	(void)s;
	return strdup(words);
}

static enum err
fill_config(struct sim *s)
{
	struct config *c = &s->config;

	c->cas = calloc(SIM_CAS, sizeof *c->cas);
	c->targets = calloc(1, sizeof *c->targets);
	if (c->cas == NULL || c->targets == NULL)
		return ERR_MEMORY;
	c->targets_n = 1;
	c->targets[0].name = text(s, "nginx");
	c->targets[0].kind = TARGET_NGINX;
	static char listen[] = "127.0.0.1:8402", *listens[] = { listen };
	c->web.listen = listens;
	c->web.listen_n = 1;
	c->mail.server = text(s, "smtp://mail.example");
	c->mail.from = text(s, "koshin@host.example");
	c->language = text(s, "ja");
	c->panel_url = text(s, "https://panel.example");
	c->timezone = text(s, "+09:00");
	c->check.look_every = SPAN_D(1);
	c->check.poll_min = SPAN_S(30);
	c->check.poll_max = SPAN_MIN(15);
	c->draft.tell_after = SPAN_D(7);
	c->draft.discard_after = SPAN_D(30);
	c->acme.orders_open_max = 500;
	c->acme.reserve_after = SPAN_H(1);
	c->acme.canary_every = SPAN_D(7);
	return c->timezone == NULL || c->panel_url == NULL ? ERR_MEMORY : ERR_OK;
}

static void
free_config(struct config *c)
{
	for (size_t i = 0; i < c->server.addresses_n; i++)
		free(c->server.addresses[i]);
	free(c->server.addresses);
	if (c->cas != NULL)
		free(c->cas[0].limits);
	free(c->acme.canary);
	if (c->targets != NULL)
		free(c->targets[0].name);
	free(c->cas);
	free(c->targets);
	free(c->mail.server);
	free(c->mail.from);
	free(c->language);
	free(c->panel_url);
	free(c->timezone);
}

enum err
sim_new(struct when start, uint64_t seed, struct store *like, struct sim **ret)
{
	const struct store_options options = { .file = ":memory:", .may_create = true, .like = like };
	struct sim *s = calloc(1, sizeof *s);
	enum err err;

	if (s == NULL)
		return ERR_MEMORY;
	s->now_ms = s->start_ms = start.s * 1000;
	s->seed = seed;
	s->ca_replace_before = WHEN_UNKNOWN;
	err = fill_config(s);
	if (err == ERR_OK && sim_ca_add(s, STR("a1")) == NULL)
		err = ERR_BUG;
	if (err == ERR_OK)
		err = store_open(&options, NULL, &s->store);
	if (err == ERR_OK)
		err = start_engine(s);
	if (err != ERR_OK) {
		sim_free(&s);
		return err;
	}
	*ret = s;
	return ERR_OK;
}

void
sim_free(struct sim **sp)
{
	struct sim *s = *sp;

	if (s == NULL)
		return;
	engine_free(&s->engine);
	s->generation++;
	while (s->events_n > 0) {
		struct sim_event ev = take_event(s);

		if (ev.dropped != NULL)
			ev.dropped(s, ev.arg);
	}
	store_close(&s->store);
	sim_ca_fini(s);
	sim_limits_free(s);
	for (size_t i = 0; i < s->webs_n; i++)
		free(s->webs[i].vhosts);
	free(s->webs);
	free(s->events);
	free(s->records);
	free(s->letters);
	free_config(&s->config);
	free(s);
	*sp = NULL;
}

/* One turn, and a new engine when it failed: what the supervisor does. */
static enum err
turn(struct sim *s, int64_t *ret_next_ms)
{
	s->is_in_turn = true;
	enum err err = engine_turn(s->engine, NULL, ret_next_ms);
	s->is_in_turn = false;

	if (err != ERR_OK) {
		s->crashes++;
		*ret_next_ms = 0;
		err = sim_crash(s);
	}
	if (err == ERR_OK && s->watch != NULL)
		s->watch(s, s->watch_arg);
	return err;
}

enum err
sim_pass(struct sim *s, struct span span, struct why *why)
{
	int64_t until_ms = s->now_ms + span.s * 1000, last_ms = -1;
	unsigned at_once = 0;

	for (;;) {
		int64_t next_ms;
		enum err err = turn(s, &next_ms);

		if (err != ERR_OK)
			return err;
		if (engine_has_news(s->engine))
			next_ms = 0;
		int64_t at_ms = next_ms > until_ms - s->now_ms ? until_ms + 1 : s->now_ms + next_ms;
		if (s->events_n > 0 && s->events[0].at_ms < at_ms)
			at_ms = s->events[0].at_ms;
		at_once = at_ms == last_ms ? at_once + 1 : 0;
		last_ms = at_ms;
		if (at_once > TURNS_AT_ONE_INSTANT_MAX) {
			why_set(why, "the engine takes turn after turn at one instant and comes to no rest");
			return ERR_BUG;
		}
		if (at_ms > until_ms) {
			s->now_ms = until_ms;
			return ERR_OK;
		}
		s->now_ms = at_ms > s->now_ms ? at_ms : s->now_ms;
		while (s->events_n > 0 && s->events[0].at_ms <= s->now_ms) {
			struct sim_event ev = take_event(s);
			sim_fn *fn = ev.generation == s->generation ? ev.fn : ev.dropped;

			s->is_in_turn = true;
			if (fn != NULL)
				fn(s, ev.arg);
			s->is_in_turn = false;
		}
	}
}

enum err
sim_site_add(struct sim *s, struct str mail, const struct setting *setting, const struct str *names, size_t names_n,
    int64_t *ret_id)
{
	const struct owner_row owner = { .mail = mail, .lang = STR("ja") };
	int64_t owner_id, other;
	enum err err = store_begin(s->store);

	if (err != ERR_OK)
		return err;
	err = store_owner_put(s->store, &owner, sim_now(s), &owner_id);
	if (err == ERR_OK)
		err = store_site_add(s->store, owner_id, setting, names, names_n, sim_now(s), ret_id, &other);
	if (err == ERR_OK)
		err = store_commit(s->store);
	if (err != ERR_OK)
		store_abandon(s->store);
	return err;
}
