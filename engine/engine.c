#include "engine/inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/must.h"

enum { WISHES_AT_ONCE = 64, CHECK_TRIES = 3, HELD_MS = 5000 };

void
engine_log(struct engine *e, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	if (e->log == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	/* What came from outside stays on one line of the log. */
	for (char *p = line; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	e->log(e->log_arg, line);
}

enum err
engine_new(const struct engine_setup *setup, struct engine **ret)
{
	const struct config *c = setup->config;
	struct engine *e = calloc(1, sizeof *e);

	if (e == NULL)
		return ERR_MEMORY;
	must(c->cas_n > 0);
	e->config = c;
	e->eab_hmacs = setup->eab_hmacs;
	e->ports = setup->ports;
	e->pid = setup->pid;
	e->heartbeat_every = setup->heartbeat_every;
	e->lease.length_ms = setup->lease.s * 1000;
	e->holder = setup->holder;
	e->is_gone = setup->is_gone;
	e->log = setup->log;
	e->log_arg = setup->log_arg;
	queue_init(&e->inbox);
	queue_init(&e->acts);
	queue_init(&e->later);
	for (enum lane l = 0; l < LANE_COUNT; l++)
		queue_init(&e->orders_waiting[l]);
	e->orders_room.most = e->lanes.most = c->acme.orders_open_max;
	e->claim.lane = LANE_COUNT;
	e->budget_tidy_at = WHEN_UNKNOWN;
	e->budget_none.profile = budget_profile_of_name(STR("none"));
	arena_init(&e->arena, (size_t)16 * LIMIT_TURN_BYTES);
	e->mass_at = WHEN_UNKNOWN;
	e->empty_log_at = WHEN_UNKNOWN; /* a predecessor may have been ended before it came to that */
	e->heartbeat_at = e->snippet.at = e->firsts_since = WHEN_UNKNOWN;
	for (size_t i = 0; i < LEARNED_COUNT; i++)
		e->learned_at[i] = WHEN_UNKNOWN;
	size_t n = c->server.addresses_n < LIMIT_ADDRESSES ? c->server.addresses_n : LIMIT_ADDRESSES;
	for (size_t i = 0; i < n; i++)
		e->addresses[i] = str_of(c->server.addresses[i]);
	for (size_t i = 0; i < c->dns.updates_n; i++)
		e->zones[i] = str_of(c->dns.updates[i].zone);
	e->policy = (struct policy){
		.remembers = true,
		.look_every = c->check.look_every,
		.poll_min = c->check.poll_min,
		.poll_max = c->check.poll_max,
		.processing_max = c->acme.processing_max,
		.draft_tell_after = c->draft.tell_after,
		.draft_discard_after = c->draft.discard_after,
		.ca_not_before = WHEN_UNKNOWN,
		.reserve_after = c->acme.reserve_after,
		.addresses = e->addresses,
		.addresses_n = n,
		.zones = e->zones,
		.zones_n = c->dns.updates_n,
	};
	*ret = e;
	return ERR_OK;
}

static void
queue_free(struct queue *q)
{
	struct work *w;

	while ((w = queue_take(q)) != NULL)
		work_free(&w);
}

void
engine_free(struct engine **e)
{
	if (*e == NULL)
		return;
	/* What is in a queue and what is still with a port alike. */
	for (struct work *w = (*e)->newest, *older; w != NULL; w = older) {
		older = w->older;
		work_free(&w);
	}
	orders_free(*e);
	accounts_free(*e);
	arena_fini(&(*e)->arena);
	budget_fini(*e);
	free(*e);
	*e = NULL;
}

bool
engine_has_news(const struct engine *e)
{
	return (e->inbox.n > 0 && !e->is_held) || e->acts.n > 0;
}

struct engine_counts
engine_count(const struct engine *e)
{
	size_t waiting = 0;

	for (enum lane l = 0; l < LANE_COUNT; l++)
		waiting += e->orders_waiting[l].n;
	return (struct engine_counts){
		.checks = e->checks_n,
		.orders = e->orders_n,
		.orders_waiting = waiting,
		.deploys = e->deploys_n,
		.letters = e->letters_n,
		.turns = e->turns,
		.late_answers = e->late_answers,
	};
}

/* --- answers --- */

static enum err
take_evidence(struct engine *e, struct work **wp)
{
	struct work *w = *wp;
	const struct site_event ev = { .kind = SITE_CHECKED, .job = w->job, .evidence = &w->evidence->evidence,
		.retry_after = WHEN_UNKNOWN };

	/* Evidence with holes would accuse the owner of what nobody saw: it is gathered again. Not for ever, since a set of
	 * hostile servers can fill any box. */
	if (arena_failed(&w->evidence->arena) && w->tries++ < CHECK_TRIES) {
		evidence_box_free(&w->evidence);
		queue_put(&e->acts, w);
		*wp = NULL;
		return ERR_OK;
	}
	must(e->checks_n > 0);
	e->checks_n--;
	lanes_check_ended(e, w);
	return engine_step_site(e, w->site_id, &ev);
}

/* The key and the CSR of an order are here, if the site still waits for them. */
static enum err
take_site_key(struct engine *e, struct work *w)
{
	struct site s;
	struct engine_ca *ca = account_ca(e, w->ca_id);

	must(e->orders_room.in[w->lane] > 0);
	e->orders_room.in[w->lane]--;
	lanes_leave(e, w->lane);
	if (ca != NULL)
		ca->orders_n--;
	if (w->site_id == 0)
		return orders_begin_canary(e, w);
	enum err err = store_site_load(e->ports.store, w->site_id, &e->arena, &s);
	if (err != ERR_OK)
		return err == ERR_NOT_FOUND ? ERR_OK : err;
	if (s.doing != DOING_ORDER || s.job != w->job || s.order_id != 0) {
		e->late_answers++;
		return ERR_OK;
	}
	return orders_begin(e, &s, w);
}

static enum err
deploy_ended(struct engine *e, struct work *w, enum cause cause)
{
	struct finding f = {
		.cause = cause,
		.subject = w->target.n > 0 ? w->target : str_of(e->config->targets_n > 0 ? e->config->targets[0].name : "server"),
		.seen = w->words,
		.evidence = w->words.n > 0 ? w->words : str_of(err_words(w->err)),
		.acts = ACTOR_HOST,
		.next_look = e->turn.now,
	};
	const struct site_event ev = {
		.kind = SITE_DEPLOYED,
		.job = w->job,
		.applied = w->applied,
		.is_reloading = w->is_reloading,
		.failures = &f,
		.failures_n = w->err != ERR_OK,
		.retry_after = WHEN_UNKNOWN,
	};

	must(e->deploys_n > 0);
	e->deploys_n--;
	return engine_step_site(e, w->site_id, &ev);
}

static enum err
take_set(struct engine *e, struct work **w)
{
	if ((*w)->err != ERR_OK)
		return deploy_ended(e, *w, (*w)->err == ERR_MISMATCH ? CAUSE_OWN_CERTIFICATE_KEY_MISMATCH : CAUSE_OWN_UNCLASSIFIED);
	/* The same work goes on to the installer. */
	(*w)->kind = WORK_DEPLOY;
	(*w)->deploy.set = (*w)->set;
	queue_put(&e->acts, *w);
	*w = NULL;
	return ERR_OK;
}

static enum err
record_told(struct engine *e, const struct work *w)
{
	const struct site_event ev = { .kind = SITE_RECORD_TOLD, .name = w->names[0], .words = w->words, .err = w->err, .retry_after = WHEN_UNKNOWN };

	if (w->err != ERR_OK && w->err != ERR_CONFLICT)
		engine_log(e, "the address of %.*s could not be added: %s (%.*s)", STR_ARG(w->names[0]), err_words(w->err), STR_ARG(w->words));
	return engine_step_site(e, w->site_id, &ev);
}

static enum err
take_answer(struct engine *e, struct work **w)
{
	switch ((*w)->kind) {
	case WORK_CHECK:
		return take_evidence(e, w);
	case WORK_SITE_KEY:
		return take_site_key(e, *w);
	case WORK_REQUEST:
		return orders_answer(e, *w);
	case WORK_RENEWAL:
		return renewals_answer(e, *w);
	case WORK_REVOKE:
		return revocations_answer(e, *w);
	case WORK_SET:
		return take_set(e, w);
	case WORK_DEPLOY:
		return deploy_ended(e, *w, (*w)->cause != CAUSE_NONE ? (*w)->cause : CAUSE_OWN_UNCLASSIFIED);
	case WORK_RECORD:
		return record_told(e, *w);
	case WORK_LETTER:
		return letters_answer(e, *w);
	case WORK_ACCOUNT_KEY:
	case WORK_SEAL_EAB:
	case WORK_ACCOUNT:
	case WORK_SNIPPET:
	case WORK_NEXT_KEY:
	case WORK_FIND_KEY:
	case WORK_SIGN_CHANGE:
	case WORK_KEY_CHANGE:
		return account_answer(e, *w);
	}
	must(false);
	return ERR_BUG;
}

static enum err
take_inbox(struct engine *e, struct queue *done)
{
	/* What a site's step puts into the inbox meanwhile is for the next turn. */
	for (size_t n = e->inbox.n; n > 0; n--) {
		struct work *w = queue_take(&e->inbox);

		signs_note(e, w);
		enum err err = take_answer(e, &w);

		/* Its strings may be in what is saved: it is freed after the commit. */
		if (w != NULL)
			queue_put(done, w);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

/* --- dates and wishes --- */

static enum err
take_wishes(struct engine *e, bool *ret_is_more)
{
	struct wish *wishes = arena_get(&e->arena, WISHES_AT_ONCE * sizeof *wishes);
	size_t n = 0;

	if (wishes == NULL)
		return ERR_MEMORY;
	enum err err = store_wishes(e->ports.store, wishes, WISHES_AT_ONCE, &n);
	*ret_is_more = n == WISHES_AT_ONCE;
	for (size_t i = 0; err == ERR_OK && i < n; i++) {
		const struct site_event ev = { .kind = wishes[i].kind, .retry_after = WHEN_UNKNOWN };

		err = ev.kind == SITE_IMPORTED ? own_take(e, wishes[i].site_id) : engine_step_site(e, wishes[i].site_id, &ev);
		if (err == ERR_OK)
			err = store_wish_done(e->ports.store, wishes[i].id);
	}
	return err;
}

/* After a start: everything that was in the middle of something, a part in each turn. */
static enum err
take_unfinished(struct engine *e)
{
	const struct site_event ev = { .kind = SITE_RESTARTED, .retry_after = WHEN_UNKNOWN };
	int64_t *ids = arena_get(&e->arena, LIMIT_TURN_SITES * sizeof *ids);
	size_t n = 0;

	if (ids == NULL)
		return ERR_MEMORY;
	enum err err = store_unfinished(e->ports.store, e->started_after_id, ids, LIMIT_TURN_SITES, &n);
	for (size_t i = 0; err == ERR_OK && i < n; i++) {
		err = engine_step_site(e, ids[i], &ev);
		e->started_after_id = ids[i];
	}
	e->is_started = err == ERR_OK && n < LIMIT_TURN_SITES;
	return err;
}

static enum err
decide_all(struct engine *e, struct queue *done, bool *ret_is_more)
{
	enum err err = ERR_OK;

	if (e->is_held)
		return signs_beat(e);
	err = account_load(e);
	if (err != ERR_OK)
		return err;
	if ((err = dates_move(e)) != ERR_OK)
		return err;
	account_policy(e);
	bool is_more_wishes = false;
	if ((err = mass_look(e)) != ERR_OK || (err = take_inbox(e, done)) != ERR_OK || (err = orders_wake(e)) != ERR_OK ||
	    (err = take_wishes(e, &is_more_wishes)) != ERR_OK)
		return err;
	/* A site begins only when the account key is known: its web server has to answer for it. */
	*ret_is_more = false;
	if (account_thumbprint(e).n > 0) {
		if (!e->is_started)
			err = take_unfinished(e);
		else
			err = lanes_take_due(e, ret_is_more);
		if (err == ERR_OK && e->is_moving)
			err = dates_move_sites(e);
		*ret_is_more |= !e->is_started || e->is_moving;
	}
	*ret_is_more |= is_more_wishes;
	if (err != ERR_OK || (err = account_turn(e)) != ERR_OK || (err = answers_write(e)) != ERR_OK ||
	    (err = letters_send(e)) != ERR_OK ||
	    (err = renewals_turn(e)) != ERR_OK || (err = revocations_turn(e)) != ERR_OK)
		return err;
	if (!when_before(e->turn.now, e->budget_tidy_at)) {
		e->budget_tidy_at = when_plus(e->turn.now, SPAN_MIN(10));
		if ((err = budget_tidy(e)) != ERR_OK || (err = own_tidy(e)) != ERR_OK)
			return err;
	}
	return signs_beat(e);
}

/* --- when the next turn is --- */

static int64_t
next_ms(struct engine *e, bool is_more)
{
	struct when next = WHEN_NEVER, letters = WHEN_NEVER;

	if (e->is_held)
		return HELD_MS;
	if (is_more || engine_has_news(e))
		return 0;
	if (account_thumbprint(e).n > 0 && lanes_next(e, &next) != ERR_OK)
		next = e->turn.now;
	if (e->letters_n < LETTERS_AT_ONCE && e->config->mail.server != NULL &&
	    store_letters_next(e->ports.store, &letters) != ERR_OK)
		letters = e->turn.now;
	/* Letters on their way are due too; their answer is awaited, not the clock. */
	if (e->letters_n > 0)
		letters = when_max(letters, when_plus(e->turn.now, SPAN_S(1)));
	next = when_min(when_min(next, letters), when_min(e->heartbeat_at, renewals_next(e)));
	next = when_min(next, when_min(account_next(e), when_min(revocations_next(e), e->empty_log_at)));
	int64_t s = when_between(e->turn.now, next).s, ms = s <= 0 ? 0 : s > 3600 ? 3600000 : s * 1000;
	int64_t order_ms = orders_next(e).ms == INT64_MAX ? INT64_MAX : orders_next(e).ms - clock_mono(&e->ports.clock).ms;

	if (order_ms < ms)
		ms = order_ms < 0 ? 0 : order_ms;
	if (e->later.n > 0 && ms > 200)
		ms = 200;
	return ms;
}

/* A string that found no memory is empty and says so only here: before anything of this turn is written or done. */
static enum err
has_memory(const struct engine *e)
{
	if (arena_failed(&e->arena))
		return ERR_MEMORY;
	for (const struct work *w = e->acts.head; w != NULL; w = w->next)
		if (arena_failed(&w->arena))
			return ERR_MEMORY;
	return ERR_OK;
}

static enum err
turn_ended(struct engine *e, enum err err, struct why *why)
{
	if (e->is_in_transaction)
		store_abandon(e->ports.store);
	e->is_in_transaction = false;
	why_set(why, "the store: %s: %s", err_words(err), store_words(e->ports.store));
	return err;
}

enum err
engine_turn(struct engine *e, struct why *why, int64_t *ret_next_ms)
{
	struct queue done;
	bool is_more = false;
	enum err err;

	queue_init(&done);
	arena_clear(&e->arena);
	e->turn = clock_turn(&e->ports.clock);
	e->turns++;
	err = signs_clock(e);
	if (err != ERR_OK)
		return turn_ended(e, err, why);
	/* What a full port refused is offered again, once in each turn. */
	for (size_t n = e->is_held ? 0 : e->later.n; n > 0; n--)
		queue_put(&e->acts, queue_take(&e->later));

	bool stands_by = false;
	err = store_begin(e->ports.store);
	if (err != ERR_OK)
		return turn_ended(e, err, why);
	e->is_in_transaction = true;
	err = lease_begin(e, &stands_by);
	if (err == ERR_OK && stands_by) {
		store_abandon(e->ports.store);
		e->is_in_transaction = false;
		*ret_next_ms = lease_next_ms(&e->lease, clock_mono(&e->ports.clock));
		return ERR_OK;
	}
	if (err == ERR_OK)
		err = decide_all(e, &done, &is_more);
	if (err == ERR_OK)
		err = has_memory(e);
	if (err == ERR_OK)
		err = lease_check(e);
	if (err == ERR_OK)
		err = store_commit(e->ports.store);
	queue_free(&done);
	if (err != ERR_OK)
		return turn_ended(e, err, why);
	e->is_in_transaction = false;
	e->has_acted = true;
	revocations_empty_log(e);
	/* The commit may have taken long: what it decided is done by whoever finds it in the store. */
	if (!lease_may_act(&e->lease, clock_mono(&e->ports.clock)))
		return turn_ended(e, ERR_CONFLICT, why);
	engine_act(e);
	*ret_next_ms = next_ms(e, is_more);
	int64_t lease_ms = lease_next_ms(&e->lease, clock_mono(&e->ports.clock));
	if (lease_ms < *ret_next_ms)
		*ret_next_ms = lease_ms;
	return ERR_OK;
}
