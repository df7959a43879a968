#include "engine/inside.h"
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "base/point.h"

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
		arena_fini(&o->keep);
		free(o);
		e->orders_n--;
		/* There is room at the CA for one that waits. */
		struct work *w = queue_take(&e->orders_waiting);
		if (w != NULL)
			queue_put(&e->acts, w);
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
add(struct engine *e, const struct order_row *row)
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
		.names = arena_get(&o->keep, (row->names_n + 1) * sizeof *o->order.names),
		.names_n = row->names_n,
		.created = row->created,
		.deadline = WHEN_UNKNOWN,
	};
	for (size_t i = 0; o->order.names != NULL && i < row->names_n; i++)
		o->order.names[i] = arena_str(&o->keep, row->names[i]);
	o->sealed_key = arena_str(&o->keep, row->sealed_key);
	o->ca_id = row->ca_id;
	o->wake = (struct mono){ INT64_MAX };
	if (arena_failed(&o->keep)) {
		arena_fini(&o->keep);
		free(o);
		return NULL;
	}
	o->next_in_bucket = *bucket_of(e, row->id);
	*bucket_of(e, row->id) = o;
	e->orders_n++;
	return o;
}

/* The strings of a request live as long as the order; the port copies them when it gets them. */
static enum err
put_requests(struct engine *e, const struct live_order *o, const struct order_outcome *out)
{
	for (size_t i = 0; i < out->requests_n; i++) {
		struct work *w = work_new(e, WORK_REQUEST);

		if (w == NULL)
			return ERR_MEMORY;
		w->site_id = o->order.site_id;
		w->order_id = o->order.id;
		w->request = out->requests[i];
		queue_put(&e->acts, w);
	}
	return ERR_OK;
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
	memcpy(ev.issued.fingerprint, out->certificate.fingerprint, sizeof ev.issued.fingerprint);
	account_ca_works(e);
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
	enum err err = store_order_close(e->ports.store, o->order.id, ORDER_FAILED, e->turn.now);

	for (size_t i = 0; err == ERR_OK && i < out->failures.n; i++) {
		const struct finding *f = &out->failures.at[i];
		const struct cause_row *row = cause_row(f->cause);

		if (row->layer == LAYER_CA && row->scope == SCOPE_FLEET)
			account_ca_failed(e, out->retry_after);
		/* What no row explains is kept raw for the operator, and counted. */
		if (f->cause == CAUSE_CA_UNCLASSIFIED || f->cause == CAUSE_HTTP_UNCLASSIFIED ||
		    f->cause == CAUSE_DNS_UNCLASSIFIED || f->cause == CAUSE_TRANSPORT_UNCLASSIFIED ||
		    f->cause == CAUSE_OWN_UNCLASSIFIED)
			err = store_unclassified_put(e->ports.store, str_of(row->id), f->evidence, e->turn.now);
	}
	return err != ERR_OK ? err : engine_step_site(e, o->order.site_id, &ev);
}

static enum err
step(struct engine *e, struct live_order *o, const struct order_event *ev)
{
	struct order_outcome *out = arena_get(&e->arena, sizeof *out);
	enum order_phase before = o->order.phase;
	enum err err;

	if (out == NULL)
		return ERR_MEMORY;
	order_step(&o->order, ev, &e->turn, &e->policy, &o->keep, &e->arena, out);
	if (arena_failed(&e->arena) || arena_failed(&o->keep))
		return ERR_MEMORY;
	if (o->order.phase == ORDER_RECEIVED || o->order.phase == ORDER_FAILED) {
		err = o->order.phase == ORDER_RECEIVED ? on_received(e, o, out) : on_failed(e, o, out);
		if (err == ERR_OK)
			drop(e, o->order.id);
		return err;
	}
	if (out->must_save || o->order.phase != before) {
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

enum err
orders_begin(struct engine *e, struct site *s, const struct work *w)
{
	struct order_row row = {
		.site_id = s->id,
		.ca_id = e->ca.id,
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
	err = store_order_put(e->ports.store, &row, &row.id);
	if (err != ERR_OK)
		return err;
	s->order_id = row.id;
	err = store_site_save(e->ports.store, s, e->turn.now);
	if (err != ERR_OK)
		return err;
	struct live_order *o = add(e, &row);
	const struct order_event ev = { .kind = ORDER_EV_START };
	return o == NULL ? ERR_MEMORY : step(e, o, &ev);
}

enum err
orders_resume(struct engine *e, int64_t order_id, uint64_t job)
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
	o = add(e, &row);
	const struct order_event ev = { .kind = ORDER_EV_START };
	return o == NULL ? ERR_MEMORY : step(e, o, &ev);
}

enum err
orders_abandon(struct engine *e, int64_t order_id)
{
	e->ports.acme.forget(e->ports.acme.ctx, order_id);
	drop(e, order_id);
	return store_order_close(e->ports.store, order_id, ORDER_FAILED, e->turn.now);
}

enum err
orders_answer(struct engine *e, struct work *w)
{
	struct live_order *o = find(e, w->order_id);
	const struct order_event ev = { .kind = ORDER_EV_ANSWER, .answer = w->answer };

	if (o == NULL) {
		e->late_answers++;
		return ERR_OK;
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
