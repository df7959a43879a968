#include "engine/inside.h"
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "base/point.h"
#include "core/site_plan.h"

enum { FIRSTS_S = 43200 };

/*
 * Orders under way. The decisions are core/order's; here its requests become work, its four commit points are
 * written, and its end becomes an event of the site, in the same transaction as the certificate.
 */

static struct live_order **
bucket_of(struct engine *e, int64_t order_id)
{
	return &e->orders[(uint64_t)order_id % ORDER_BUCKETS];
}

static struct live_order *
find(struct engine *e, int64_t order_id)
{
	struct live_order *o = *bucket_of(e, order_id);

	while (o != NULL && o->order.id != order_id)
		o = o->next_in_bucket;
	return o;
}

static void
drop(struct engine *e, int64_t order_id)
{
	for (struct live_order **at = bucket_of(e, order_id); *at != NULL; at = &(*at)->next_in_bucket) {
		struct live_order *o = *at;

		if (o->order.id != order_id)
			continue;
		*at = o->next_in_bucket;
		struct engine_ca *ca = account_ca(e, o->ca_id);
		if (ca != NULL)
			ca->orders_n--;
		arena_fini(&o->keep);
		e->orders_n--;
		e->orders_room.in[o->lane]--;
		lanes_leave(e, o->lane);
		free(o);
		return;
	}
}

void
orders_free(struct engine *e)
{
	for (size_t i = 0; i < ORDER_BUCKETS; i++)
		while (e->orders[i] != NULL) {
			struct live_order *o = e->orders[i];

			e->orders[i] = o->next_in_bucket;
			arena_fini(&o->keep);
			free(o);
		}
	e->orders_n = 0;
}

static struct live_order *
add(struct engine *e, const struct order_row *row, enum lane lane)
{
	struct live_order *o = calloc(1, sizeof *o);

	if (o == NULL)
		return NULL;
	arena_init(&o->keep, LIMIT_TURN_BYTES);
	o->order = (struct order){
		.id = row->id,
		.site_id = row->site_id,
		.job = row->job,
		.phase = row->phase,
		.url = arena_str(&o->keep, row->url),
		.finalize_url = arena_str(&o->keep, row->finalize_url),
		.certificate_url = arena_str(&o->keep, row->certificate_url),
		.csr_der = arena_str(&o->keep, row->csr_der),
		.replaces = arena_str(&o->keep, row->replaces),
		.profile = arena_str(&o->keep, row->profile),
		.names = arena_get(&o->keep, (row->names_n + 1) * sizeof *o->order.names),
		.names_n = row->names_n,
		.created = row->created,
		.deadline = WHEN_UNKNOWN,
	};
	for (size_t i = 0; o->order.names != NULL && i < row->names_n; i++)
		o->order.names[i] = arena_str(&o->keep, row->names[i]);
	o->sealed_key = arena_str(&o->keep, row->sealed_key);
	o->ca_id = row->ca_id;
	o->lane = lane;
	o->had_replaces = row->replaces.n > 0;
	o->wake = (struct mono){ INT64_MAX };
	if (arena_failed(&o->keep)) {
		arena_fini(&o->keep);
		free(o);
		return NULL;
	}
	o->next_in_bucket = *bucket_of(e, row->id);
	*bucket_of(e, row->id) = o;
	e->orders_n++;
	e->orders_room.in[lane]++;
	e->lanes.in[lane]++;
	struct engine_ca *ca = account_ca(e, row->ca_id);
	if (ca != NULL)
		ca->orders_n++;
	return o;
}

/* Which account a token belongs to, committed before the CA is told to look: the web process answers by it. */
static enum err
keep_token(struct engine *e, const struct live_order *o, const struct acme_request *r)
{
	const struct engine_ca *ca = account_ca(e, o->ca_id);

	if (r->verb != ACME_CHALLENGE || r->token.n == 0 || ca == NULL || !e->snippet.is_table)
		return ERR_OK;
	return store_token_put(e->ports.store, r->token, ca->row.thumbprint, e->turn.now);
}

/* The strings of a request live as long as the order; the port copies them when it gets them. */
static enum err
put_requests(struct engine *e, struct live_order *o, const struct order_outcome *out)
{
	for (size_t i = 0; i < out->requests_n; i++) {
		struct work *w = work_new(e, WORK_REQUEST);

		if (w == NULL)
			return ERR_MEMORY;
		w->site_id = o->order.site_id;
		w->order_id = o->order.id;
		w->request = out->requests[i];
		o->new_orders += w->request.verb == ACME_NEW_ORDER;
		w->request.ca_id = o->ca_id;
		queue_put(&e->acts, w);
		enum err err = keep_token(e, o, &w->request);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

/* What was noted of the issue for all sites: how long certificates live now, and how many first ones there were lately. */
static enum err
note_issue(struct engine *e, const struct site *s, const struct live_order *o, struct life life)
{
	struct calendar c;
	enum err err = store_calendar_load(e->ports.store, o->ca_id, s->setting.profile, &c);

	if (err == ERR_OK && calendar_note(&c, life, e->turn.now))
		err = store_calendar_put(e->ports.store, o->ca_id, s->setting.profile, &c);
	if (s->held.id != 0)
		return err;
	if (!when_is_known(e->firsts_since) || when_between(e->firsts_since, e->turn.now).s >= FIRSTS_S) {
		e->firsts[1] = e->firsts[0];
		e->firsts[0] = 0;
		e->firsts_since = e->turn.now;
	}
	e->firsts[0]++;
	e->policy.firsts_lately = e->firsts[0] + e->firsts[1];
	return err;
}

static struct str
wanted_profile(const struct engine *e, int64_t ca_id, const struct site *s)
{
	const struct engine_ca *ca = account_ca(e, ca_id);

	if (s->setting.profile.n > 0)
		return s->setting.profile;
	for (size_t i = 0; ca != NULL && i < e->config->cas_n; i++)
		if (str_eq(ca->row.name, str_of(e->config->cas[i].name)))
			return str_of(e->config->cas[i].profile);
	return STR_NONE;
}

static bool
is_offered(const struct engine *e, int64_t ca_id, struct str profile)
{
	const struct engine_ca *ca = account_ca(e, ca_id);
	struct str all = ca != NULL ? ca->row.profiles : STR_NONE;

	while (all.n > 0)
		if (str_eq(str_cut(&all, ' '), profile))
			return true;
	return false;
}

/* The certificate came without the profile that was wanted: the operator's to know, and nothing that stops a site. */
static struct finding
without_profile(struct engine *e, int64_t ca_id, const struct site *s, struct life life)
{
	const struct engine_ca *ca = account_ca(e, ca_id);
	struct str offers = ca != NULL ? ca->row.profiles : STR_NONE, wanted = wanted_profile(e, ca_id, s);

	return (struct finding){
		.cause = CAUSE_CA_PROFILE_REJECTED,
		.subject = ca != NULL ? arena_str(&e->arena, ca->row.name) : STR("CA"),
		.seen = arena_str(&e->arena, wanted),
		.wanted = arena_str(&e->arena, offers),
		.evidence = arena_strf(&e->arena, "the profile \"%.*s\" is not offered; the CA offers: %.*s",
		    STR_ARG(wanted), STR_ARG(offers.n > 0 ? offers : STR("none"))),
		.acts = ACTOR_HOST,
		/* Seen again with the next certificate; until then no look of ours can change it. */
		.next_look = life_reduce_at(life),
	};
}

/* The CA would not have the order as the successor of the certificate held: made without, it counted against the limits. */
static struct finding
without_replaces(struct engine *e, const struct live_order *o, const struct site *s, struct life life)
{
	const struct engine_ca *ca = account_ca(e, o->ca_id);

	return (struct finding){
		.cause = CAUSE_CA_REPLACES_REJECTED,
		.subject = arena_str(&e->arena, s->names[0].name),
		.seen = ca != NULL ? arena_str(&e->arena, ca->row.name) : STR("CA"),
		.evidence = STR("newOrder with \"replaces\" was refused, the same without it was taken (RFC 9773 5)"),
		.acts = ACTOR_HOST,
		.next_look = life_reduce_at(life),
	};
}

static enum err
on_received(struct engine *e, struct live_order *o, const struct order_outcome *out)
{
	const struct certificate_row row = {
		.site_id = o->order.site_id,
		.ca_id = o->ca_id,
		.order_id = o->order.id,
		.info = out->certificate,
		.chain_pem = out->chain_pem,
		.sealed_key = o->sealed_key,
		.created = e->turn.now,
	};
	struct site_event ev = {
		.kind = SITE_ISSUED,
		.job = o->order.job,
		.issued_names = out->certificate.names,
		.issued_names_n = out->certificate.names_n,
		.issued = { .life = { out->certificate.not_before, out->certificate.not_after } },
	};
	enum err err = store_certificate_put(e->ports.store, &row, &ev.issued.id);

	if (err != ERR_OK)
		return err;
	struct site s;
	err = store_site_load(e->ports.store, o->order.site_id, &e->arena, &s);
	if (err == ERR_OK)
		err = note_issue(e, &s, o, ev.issued.life);
	if (err == ERR_OK)
		err = renewals_issued(e, s.id, ev.issued.id, o->ca_id, &out->certificate);
	if (err != ERR_OK)
		return err;
	struct finding noted[2];
	ev.failures = noted;
	if (wanted_profile(e, o->ca_id, &s).n > 0 && o->order.profile.n == 0)
		noted[ev.failures_n++] = without_profile(e, o->ca_id, &s, ev.issued.life);
	if (o->had_replaces && o->order.replaces.n == 0)
		noted[ev.failures_n++] = without_replaces(e, o, &s, ev.issued.life);
	memcpy(ev.issued.fingerprint, out->certificate.fingerprint, sizeof ev.issued.fingerprint);
	account_ca_works(e, o->ca_id);
	err = budget_order_ended(e, o, true);
	if (err == ERR_OK)
		err = store_order_close(e->ports.store, o->order.id, ORDER_RECEIVED, e->turn.now);
	return err != ERR_OK ? err : engine_step_site(e, o->order.site_id, &ev);
}

static enum err
on_failed(struct engine *e, struct live_order *o, const struct order_outcome *out)
{
	struct site_event ev = {
		.kind = SITE_ORDER_FAILED,
		.job = o->order.job,
		.failures = out->failures.at,
		.failures_n = out->failures.n,
		.retry_after = out->retry_after,
		.is_retry_at_once = out->is_retry_at_once,
	};
	enum err err = budget_order_ended(e, o, false);

	if (err == ERR_OK)
		err = store_order_close(e->ports.store, o->order.id, ORDER_FAILED, e->turn.now);
	account_ca_failed(e, o->ca_id, &out->failures, out->retry_after);
	for (size_t i = 0; err == ERR_OK && i < out->failures.n; i++) {
		const struct finding *f = &out->failures.at[i];
		const struct cause_row *row = cause_row(f->cause);

		err = budget_refused(e, o, f, out->retry_after);
		/* What no row explains is kept raw for the operator, and counted. */
		if (f->cause == CAUSE_CA_UNCLASSIFIED || f->cause == CAUSE_HTTP_UNCLASSIFIED ||
		    f->cause == CAUSE_DNS_UNCLASSIFIED || f->cause == CAUSE_TRANSPORT_UNCLASSIFIED ||
		    f->cause == CAUSE_OWN_UNCLASSIFIED)
			err = err != ERR_OK ? err : store_unclassified_put(e->ports.store, str_of(row->id), f->evidence, e->turn.now);
	}
	return err != ERR_OK ? err : engine_step_site(e, o->order.site_id, &ev);
}

static bool
is_canary(const struct live_order *o)
{
	return o->order.site_id == 0;
}

static enum err
canary_over(struct engine *e, const struct live_order *o, const struct order_outcome *out)
{
	enum err err = budget_rehearsed(e, o->ca_id, o->new_orders);

	if (err != ERR_OK)
		return err;
	if (o->order.phase == ORDER_RECEIVED) {
		account_ca_works(e, o->ca_id);
		return canary_ended(e, o->ca_id, NULL, WHEN_UNKNOWN);
	}
	account_ca_failed(e, o->ca_id, &out->failures, out->retry_after);
	return canary_ended(e, o->ca_id, &out->failures.at[0], out->retry_after);
}

static enum err
step(struct engine *e, struct live_order *o, const struct order_event *ev)
{
	struct order_outcome *out = arena_get(&e->arena, sizeof *out);
	enum order_phase before = o->order.phase;
	enum err err;

	if (out == NULL)
		return ERR_MEMORY;
	const struct policy policy = account_policy_of(e, o->ca_id);
	const struct turn turn = site_turn(&e->turn, o->order.site_id);

	order_step(&o->order, ev, &turn, &policy, &o->keep, &e->arena, out);
	if (arena_failed(&e->arena) || arena_failed(&o->keep))
		return ERR_MEMORY;
	if (out->pace != ORDER_PACE_UNKNOWN)
		e->policy.ca_is_quick = out->pace == ORDER_PACE_QUICK;
	bool is_over = o->order.phase == ORDER_RECEIVED || o->order.phase == ORDER_FAILED;
	if (is_over && is_canary(o)) {
		err = canary_over(e, o, out);
		drop(e, o->order.id);
		return err;
	}
	if (is_over) {
		err = o->order.phase == ORDER_RECEIVED ? on_received(e, o, out) : on_failed(e, o, out);
		if (err == ERR_OK)
			drop(e, o->order.id);
		return err;
	}
	if (!is_canary(o) && (out->must_save || o->order.phase != before)) {
		err = store_order_save(e->ports.store, &o->order, e->turn.now);
		if (err != ERR_OK)
			return err;
	}
	if (out->wake_ms != ORDER_NO_WAKE)
		o->wake = (struct mono){ clock_mono(&e->ports.clock).ms + out->wake_ms };
	return put_requests(e, o, out);
}

static enum err
fail_for_key(struct engine *e, const struct work *w)
{
	struct finding f = {
		.cause = CAUSE_OWN_UNCLASSIFIED,
		.subject = w->names_n > 0 ? w->names[0] : STR("koshin"),
		.evidence = arena_strf(&e->arena, "making the key: %s", err_words(w->err)),
		.acts = ACTOR_HOST,
		.next_look = e->turn.now,
	};
	const struct site_event ev = {
		.kind = SITE_ORDER_FAILED, .job = w->job, .failures = &f, .failures_n = 1, .retry_after = WHEN_UNKNOWN
	};

	return engine_step_site(e, w->site_id, &ev);
}

/* RFC 9773 5: which certificate the new one takes the place of; it has to be of the same CA and to share a name with it. */
static enum err
find_replaced(struct engine *e, const struct site *s, const struct order_row *row, struct str *ret)
{
	struct certificate_row c;
	bool shares = false;

	*ret = STR_NONE;
	const struct engine_ca *ca = account_ca(e, row->ca_id);
	if (s->held.id == 0 || ca == NULL || !ca->row.has_renewal_info)
		return ERR_OK;
	enum err err = store_certificate_load(e->ports.store, s->held.id, &e->arena, &c);
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < c.info.names_n; i++)
		for (size_t k = 0; k < row->names_n; k++)
			shares |= str_eq(c.info.names[i], row->names[k]);
	if (shares && c.ca_id == row->ca_id)
		*ret = c.info.ari_id;
	return ERR_OK;
}

enum err
orders_begin(struct engine *e, struct site *s, const struct work *w)
{
	struct order_row row = {
		.site_id = s->id,
		.ca_id = w->ca_id,
		.job = w->job,
		.phase = ORDER_INTENT,
		.sealed_key = w->sealed_key,
		.csr_der = w->csr_der,
		.names = w->names,
		.names_n = w->names_n,
		.created = e->turn.now,
		.is_open = true,
	};
	enum err err;

	if (w->err != ERR_OK)
		return fail_for_key(e, w);
	if (is_offered(e, w->ca_id, wanted_profile(e, w->ca_id, s)))
		row.profile = wanted_profile(e, w->ca_id, s);
	err = find_replaced(e, s, &row, &row.replaces);
	if (err != ERR_OK)
		return err;
	err = store_order_put(e->ports.store, &row, &row.id);
	if (err != ERR_OK)
		return err;
	s->order_id = row.id;
	err = store_site_save(e->ports.store, s, e->turn.now);
	if (err != ERR_OK)
		return err;
	struct live_order *o = add(e, &row, w->lane);
	const struct order_event ev = { .kind = ORDER_EV_START };
	return o == NULL ? ERR_MEMORY : step(e, o, &ev);
}

/* Not stored: its id is that of its CA, below zero, where no stored order is. */
enum err
orders_begin_canary(struct engine *e, const struct work *w)
{
	const struct order_row row = {
		.id = -w->ca_id,
		.ca_id = w->ca_id,
		.phase = ORDER_INTENT,
		.csr_der = w->csr_der,
		.names = w->names,
		.names_n = w->names_n,
		.created = e->turn.now,
		.is_open = true,
	};

	if (w->err != ERR_OK) {
		const struct finding f = { .cause = CAUSE_OWN_UNCLASSIFIED, .evidence = str_of(err_words(w->err)) };

		return canary_ended(e, w->ca_id, &f, WHEN_UNKNOWN);
	}
	struct live_order *o = add(e, &row, w->lane);
	const struct order_event ev = { .kind = ORDER_EV_START };
	return o == NULL ? ERR_MEMORY : step(e, o, &ev);
}

/* Nobody can go on with it: the site begins another when it may. */
static enum err
close_stuck(struct engine *e, const struct order_row *row, struct str why)
{
	struct finding f = {
		.cause = CAUSE_OWN_ORDER_STUCK,
		.subject = row->names_n > 0 ? row->names[0] : STR("koshin"),
		.evidence = why,
		.acts = ACTOR_HOST,
		.next_look = e->turn.now,
	};
	const struct site_event ev = { .kind = SITE_ORDER_FAILED, .job = row->job, .failures = &f, .failures_n = 1,
		.retry_after = WHEN_UNKNOWN, .is_retry_at_once = true };
	enum err err = budget_close(e, row->site_id, BUDGET_FAILED, 1);

	if (err == ERR_OK)
		err = store_order_close(e->ports.store, row->id, ORDER_FAILED, e->turn.now);
	return err != ERR_OK ? err : engine_step_site(e, row->site_id, &ev);
}

enum err
orders_resume(struct engine *e, const struct site *s, int64_t order_id, uint64_t job)
{
	struct live_order *o = find(e, order_id);
	struct order_row row;
	enum err err;

	if (o != NULL) {
		o->order.job = job;
		return ERR_OK;
	}
	err = store_order_load(e->ports.store, order_id, &e->arena, &row);
	if (err != ERR_OK)
		return err;
	row.job = job;
	if (account_ca(e, row.ca_id) == NULL)
		return close_stuck(e, &row, STR("its CA was taken out of the configuration"));
	bool has_place = true;
	/* It may have been asked for: the CA's limit may have no place to ask again. */
	if (row.url.n == 0)
		err = budget_ask_again(e, s->id, row.ca_id, &has_place);
	if (err != ERR_OK)
		return err;
	if (!has_place)
		return close_stuck(e, &row, STR("koshin was started anew before the CA's answer, and its limit leaves no place to ask again now"));
	o = add(e, &row, plan_lane(s, e->turn.now));
	if (o != NULL)
		o->new_orders = row.url.n > 0;
	const struct order_event ev = { .kind = ORDER_EV_START };
	return o == NULL ? ERR_MEMORY : step(e, o, &ev);
}

/* RFC 8555 7.5.2: what is pending counts against the account at the CA until it expires, days later. What is valid already serves
 * the next order for the name. Nobody waits for the answer, and after a restart they are left to expire. */
static enum err
give_back(struct engine *e, const struct live_order *o)
{
	for (size_t i = 0; i < o->order.authz_n; i++) {
		const struct order_authz *au = &o->order.authz[i];

		if (au->status != ACME_PENDING)
			continue;
		struct work *w = work_new(e, WORK_REQUEST);
		if (w == NULL)
			return ERR_MEMORY;
		w->request = (struct acme_request){ .verb = ACME_DEACTIVATE_AUTHZ, .ca_id = o->ca_id, .order_id = o->order.id, .index = (uint32_t)i,
			.url = arena_str(&w->arena, au->url) };
		queue_put(&e->acts, w);
	}
	return ERR_OK;
}

enum err
orders_abandon(struct engine *e, int64_t site_id, int64_t order_id)
{
	struct live_order *o = find(e, order_id);
	enum err err = budget_close(e, site_id, BUDGET_FAILED, o != NULL ? o->new_orders : 1);

	if (err == ERR_OK && o != NULL)
		err = give_back(e, o);
	e->ports.acme.forget(e->ports.acme.ctx, order_id);
	drop(e, order_id);
	return err != ERR_OK ? err : store_order_close(e->ports.store, order_id, ORDER_FAILED, e->turn.now);
}

enum err
orders_answer(struct engine *e, struct work *w)
{
	struct live_order *o = find(e, w->order_id);
	const struct order_event ev = { .kind = ORDER_EV_ANSWER, .answer = w->answer };

	if (w->request.verb == ACME_DEACTIVATE_AUTHZ)
		return ERR_OK;
	if (o == NULL) {
		e->late_answers++;
		return ERR_OK;
	}
	if (w->answer != NULL && str_eq(w->answer->problem.type, STR("accountDoesNotExist"))) {
		enum err err = account_forgotten(e, o->ca_id);

		if (err != ERR_OK)
			return err;
	}
	return step(e, o, &ev);
}

enum err
orders_wake(struct engine *e)
{
	const struct order_event ev = { .kind = ORDER_EV_WAKE };
	int64_t now_ms = clock_mono(&e->ports.clock).ms;

	for (size_t i = 0; i < ORDER_BUCKETS; i++)
		for (struct live_order *o = e->orders[i], *next; o != NULL; o = next) {
			next = o->next_in_bucket;
			if (o->wake.ms > now_ms)
				continue;
			o->wake.ms = INT64_MAX;
			enum err err = step(e, o, &ev);
			if (err != ERR_OK)
				return err;
		}
	return ERR_OK;
}

struct mono
orders_next(const struct engine *e)
{
	struct mono next = { INT64_MAX };

	for (size_t i = 0; i < ORDER_BUCKETS; i++)
		for (const struct live_order *o = e->orders[i]; o != NULL; o = o->next_in_bucket)
			if (o->wake.ms < next.ms)
				next = o->wake;
	return next;
}
