#include "engine/inside.h"
#include <stdlib.h>
#include "base/must.h"
#include "core/site_plan.h"
#include "ports/store/clock.h"

/* One event for one site: load, step, save, and its effects as work for after the commit. */

static struct str *
copy_names(struct work *w, const struct str *names, size_t n)
{
	w->names = arena_get(&w->arena, (n + 1) * sizeof *w->names);
	if (w->names == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++)
		w->names[i] = arena_str(&w->arena, names[i]);
	w->names_n = n;
	return w->names;
}

static struct work *
site_work(struct engine *e, const struct site *s, const struct site_effect *fx, enum work_kind kind)
{
	struct work *w = work_new(e, kind);

	if (w == NULL)
		return NULL;
	w->site_id = s->id;
	w->job = fx->job;
	return w;
}

static enum err
put_check(struct engine *e, const struct site *s, const struct site_effect *fx)
{
	struct work *w = site_work(e, s, fx, WORK_CHECK);
	struct str *names = arena_get(&e->arena, s->names_n * sizeof *names);
	size_t n = 0;

	if (w == NULL || names == NULL) {
		work_free(&w);
		return ERR_MEMORY;
	}
	w->is_verify = fx->kind == FX_VERIFY;
	w->is_dns_only = fx->is_dns_only;
	w->wants_views = fx->wants_views;
	/* A verification asks only for what the certificate has. */
	for (size_t i = 0; i < s->names_n; i++)
		if (w->is_verify ? s->names[i].is_held && s->names[i].is_wanted : s->names[i].is_wanted)
			names[n++] = s->names[i].name;
	if (copy_names(w, names, n) == NULL || arena_failed(&w->arena)) {
		work_free(&w);
		return ERR_MEMORY;
	}
	e->checks_n++;
	lanes_check_begins(e, w);
	queue_put(&e->acts, w);
	return ERR_OK;
}

static enum err
put_record(struct engine *e, const struct site *s, const struct site_effect *fx)
{
	struct work *w = site_work(e, s, fx, WORK_RECORD);

	if (w == NULL || copy_names(w, fx->names, fx->names_n) == NULL || arena_failed(&w->arena)) {
		work_free(&w);
		return ERR_MEMORY;
	}
	queue_put(&e->acts, w);
	return ERR_OK;
}

static enum err
put_order(struct engine *e, const struct site *s, const struct site_effect *fx)
{
	struct work *w = site_work(e, s, fx, WORK_SITE_KEY);

	if (w == NULL || copy_names(w, fx->names, fx->names_n) == NULL || arena_failed(&w->arena)) {
		work_free(&w);
		return ERR_MEMORY;
	}
	w->tries = s->setting.key_type;
	lanes_enter(e, w, plan_lane(s, e->turn.now));
	w->ca_id = fx->ca_id;
	struct engine_ca *ca = account_ca(e, fx->ca_id);
	must(ca != NULL);
	ca->orders_n++;
	account_ca_took(e, fx->ca_id);
	queue_put(&e->acts, w);
	return ERR_OK;
}

static struct str
hex(struct arena *a, const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char *s = arena_get(a, 2 * n + 1);

	if (s == NULL)
		return STR_NONE;
	for (size_t i = 0; i < n; i++) {
		s[2 * i] = digits[p[i] >> 4];
		s[2 * i + 1] = digits[p[i] & 15];
	}
	return (struct str){ s, 2 * n };
}

static enum err
put_deploy(struct engine *e, const struct site *s, const struct site_effect *fx)
{
	struct work *w = site_work(e, s, fx, WORK_DEPLOY);
	struct str *names = arena_get(&e->arena, s->names_n * sizeof *names);
	enum err err = ERR_MEMORY;
	size_t n = 0;

	if (w == NULL || names == NULL)
		goto out;
	for (size_t i = 0; i < s->names_n; i++)
		if (s->names[i].is_wanted || i == 0)
			names[n++] = s->names[i].name;
	if (copy_names(w, names, n) == NULL)
		goto out;
	w->applied = fx->applied;
	w->deploy = (struct deploy_job){
		.verb = fx->is_removal ? DEPLOY_REMOVE : DEPLOY_APPLY,
		.site_id = s->id,
		.names = w->names,
		.names_n = w->names_n,
		.root = arena_str(&w->arena, s->setting.root),
		.proxy = arena_str(&w->arena, s->setting.proxy),
		.redirect = fx->applied.redirect,
		.hsts_age_s = fx->hsts_age_s,
		.is_again = fx->is_again,
	};
	if (s->held.id != 0 && !fx->is_removal) {
		struct certificate_row row;

		err = store_certificate_load(e->ports.store, s->held.id, &w->arena, &row);
		if (err != ERR_OK)
			goto out;
		w->kind = WORK_SET;
		w->sealed_key = row.sealed_key;
		w->chain_pem = row.chain_pem;
		w->deploy.fingerprint = hex(&w->arena, s->held.fingerprint, sizeof s->held.fingerprint);
	}
	err = arena_failed(&w->arena) ? ERR_MEMORY : ERR_OK;
out:
	if (err != ERR_OK) {
		work_free(&w);
		return err;
	}
	e->deploys_n++;
	queue_put(&e->acts, w);
	return ERR_OK;
}

static enum err
put_history(struct engine *e, const struct site *s, const struct site_effect *fx)
{
	const struct finding *f = fx->finding;

	e->found_n += fx->history == HISTORY_FOUND;
	const struct history_row row = {
		.site_id = s->id,
		.at = e->turn.now,
		.kind = fx->history,
		.by = STR("koshin"),
		.subject = f != NULL ? str_of(cause_row(f->cause)->id) : STR_NONE,
		.detail = f != NULL ? f->subject : fx->detail,
	};

	return store_history_put(e->ports.store, &row);
}

/* The story of letters is in the store with the step that told it: both are committed or neither. */
static enum err
carry_out(struct engine *e, struct site *s, const struct site_effect *fx)
{
	switch (fx->kind) {
	case FX_CHECK:
	case FX_VERIFY:
		return put_check(e, s, fx);
	case FX_ORDER:
		return put_order(e, s, fx);
	case FX_RESUME:
		return orders_resume(e, s, fx->order_id, fx->job);
	case FX_ABANDON:
		return orders_abandon(e, s->id, fx->order_id);
	case FX_DEPLOY:
		return put_deploy(e, s, fx);
	case FX_RECORD:
		return put_record(e, s, fx);
	case FX_LETTER:
		return letters_write(e, s, fx);
	case FX_HISTORY:
		return put_history(e, s, fx);
	case FX_DISCARD_DRAFT:
		return store_draft_discard(e->ports.store, s->id);
	case FX_TAKE_OVER:
		return store_source_put(e->ports.store, s->id, SOURCE_FREE);
	case FX_DESTROY:
		return revocations_destroy(e, s, fx);
	case FX_EFFECT_COUNT:
		break;
	}
	must(false);
	return ERR_BUG;
}

static enum err
carry_out_all(struct engine *e, struct site *s, const struct site_effects *out)
{
	for (size_t i = 0; i < out->n; i++) {
		enum err err = carry_out(e, s, &out->at[i]);

		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

enum { LIMITS_ROUNDS = 4 };

static bool
append(struct engine *e, struct finding_list *to, const struct finding_list *from)
{
	struct finding *at = arena_get(&e->arena, (to->n + from->n + 1) * sizeof *at);

	if (at == NULL)
		return false;
	for (size_t i = 0; i < to->n; i++)
		at[i] = to->at[i];
	for (size_t i = 0; i < from->n; i++)
		at[to->n + i] = from->at[i];
	*to = (struct finding_list){ .at = at, .n = to->n + from->n, .cap = to->n + from->n };
	return true;
}

static const struct site_effect *
find_order(const struct site_effects *out)
{
	for (size_t i = 0; i < out->n; i++)
		if (out->at[i].kind == FX_ORDER)
			return &out->at[i];
	return NULL;
}

/* The step, and if it begins an order that the CA would refuse, the same step anew with what stands in the way among the
 * facts: it then has a date, or an order for other names (which is asked about in its turn). */
static enum err
step_within_budget(struct engine *e, struct site *s, const struct site_event *ev, struct site_effects *out)
{
	struct finding_list limits = { .at = NULL };
	int64_t limits_ca_id = 0;
	bool passes = false;

	for (unsigned n = 0;; n++) {
		site_step(s, ev, &e->turn, &e->policy, &e->arena, out);
		if (arena_failed(&e->arena))
			return ERR_MEMORY;
		const struct site_effect *fx = find_order(out);
		if (fx == NULL)
			return ERR_OK;
		const struct budget_order_at order = { fx->ca_id, fx->names, fx->names_n };
		enum err err = budget_open(e, s, &order, &passes);
		if (err != ERR_OK || passes)
			return err;
		/* Each round has fewer names; whoever still finds none waits as a whole. What another CA would refuse is left behind. */
		struct finding_list more = s->limits;
		if (limits_ca_id != order.ca_id)
			limits = (struct finding_list){ .at = NULL };
		limits_ca_id = order.ca_id;
		bool waits_turn = s->waits_turn || n >= LIMITS_ROUNDS;
		if (!append(e, &limits, &more))
			return ERR_MEMORY;
		err = store_site_load(e->ports.store, s->id, &e->arena, s);
		if (err != ERR_OK)
			return err;
		s->limits = limits;
		s->limits_ca_id = (uint8_t)limits_ca_id;
		s->waits_turn = waits_turn;
		out->n = 0;
	}
}

enum err
engine_step_site(struct engine *e, int64_t site_id, const struct site_event *ev)
{
	struct site_effects *out = arena_get(&e->arena, sizeof *out);
	struct site s;
	enum err err;

	if (out == NULL)
		return ERR_MEMORY;
	err = store_site_load(e->ports.store, site_id, &e->arena, &s);
	if (err == ERR_NOT_FOUND)
		return ERR_OK;
	if (err != ERR_OK)
		return err;
	const struct span by = { e->policy.clock.s - s.clock.s };
	if (by.s != 0)
		err = store_clock_move_renewal(e->ports.store, site_id, by);
	if (err != ERR_OK)
		return err;
	if (ev->job != 0 && ev->job != s.job)
		e->late_answers++;
	enum doing before = s.doing;
	err = step_within_budget(e, &s, ev, out);
	if (err == ERR_OK)
		err = store_site_save(e->ports.store, &s, e->turn.now);
	if (err == ERR_OK)
		err = carry_out_all(e, &s, out);
	/* It ended before there was an order: nothing was asked of the CA. */
	if (err == ERR_OK && before == DOING_ORDER && s.doing != DOING_ORDER)
		err = budget_close(e, site_id, BUDGET_UNSENT, 0);
	return err;
}
